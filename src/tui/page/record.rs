//! The pages that tell: overview, steps, signatures, findings, finish. All of them are folds of the events.

use ratatui::text::Line;

use super::super::Finish;
use super::super::model::Model;
use super::super::text::{Tone, bar, digest_lines, level, lines, tagged, word_lines};
use super::{batch, shares};
use crate::ceremony::event::{Document, Mode, Quorum, Signer};
use crate::ceremony::plan::Step;
use crate::ceremony::progress::{DocumentProgress, StepState};

/// What is to be done, by which files.
pub(super) fn overview(model: &Model) -> Vec<Line<'static>> {
    let width = model.columns();
    let say = |text: &str, tone| lines(text, width, tone);
    let mut body = say(&model.title, Tone::Strong);
    for line in &model.today {
        body.extend(say(line, Tone::Plain));
    }
    body.extend(say("", Tone::Plain));
    body.extend(match model.mode {
        Mode::Rehearsal => say("REHEARSAL: throwaway keys; everything signed carries the rehearsal marker and is refused in production.", Tone::Warn),
        Mode::Production => say("PRODUCTION: real keys. What is signed here can be published.", Tone::Bad),
    });
    body.extend(say(
        "A ceremony signs nothing before you have read its review to the end.",
        Tone::Plain,
    ));
    body.extend(say("", Tone::Plain));
    body.extend(digest_lines("ceremony id ", &model.ceremony));
    match &model.trusted_root {
        Some(root) => {
            body.extend(digest_lines("trusted root", root));
            body.extend(word_lines(root, width));
        }
        None => body.extend(say(
            "No root is trusted yet: nothing here rests on an older one.",
            Tone::Strong,
        )),
    }
    body
}

/// The plan and where it stands.
pub(super) fn steps(model: &Model) -> Vec<Line<'static>> {
    let width = model.columns();
    let steps = model.progress.steps();
    if steps.is_empty() {
        return lines("The plan is being made.", width, Tone::Plain);
    }
    let head = format!(
        "{} steps, about {} minutes",
        steps.len(),
        model.progress.minutes()
    );
    let mut body = lines(&head, width, Tone::Strong);
    for (index, step) in steps.iter().enumerate() {
        let (tag, tone) = match model.progress.state(index) {
            StepState::Done => (" [done]", Tone::Good),
            StepState::Running => (" [ now]", Tone::Strong),
            StepState::Waiting => (" [    ]", Tone::Plain),
        };
        let text = format!("{:2}  {}", index + 1, step.label());
        body.extend(tagged(tag, 9, &text, width, tone));
    }
    body
}

/// Whether signatures are being collected now.
pub(super) fn is_signing(model: &Model) -> bool {
    matches!(
        model.step(),
        Some(
            Step::Sign { .. } | Step::SignEphemeral { .. } | Step::SignBatch { .. } | Step::Collect
        )
    ) && !model.progress.documents().is_empty()
}

/// The thresholds of the document that is being signed, one sentence each.
pub(super) fn quorum_lines(model: &Model) -> Vec<Line<'static>> {
    let document = match model.step() {
        Some(Step::Sign { document, .. } | Step::SignEphemeral { document }) => Some(document),
        _ => None,
    };
    if let Some(Step::SignBatch { .. }) = model.step() {
        return batch::signers(model);
    }
    let named = alone(model)
        .filter(|known| document.is_none_or(|document| *document == known.document))
        .flat_map(|known| {
            let quorums = known.quorums.iter();
            quorums.flat_map(|quorum| sentence(known, quorum, model.columns()))
        });
    let mut body: Vec<_> = named.collect();
    if document.is_none() {
        body.extend(batch::signers(model));
    }
    body
}

/// The documents that are not of the batch.
fn alone(model: &Model) -> impl Iterator<Item = &DocumentProgress> {
    let documents = model.progress.documents().iter();
    documents.filter(|known| !known.batched)
}

/// What the step's signature is over.
pub(super) fn signed_bytes(model: &Model) -> Vec<Line<'static>> {
    let document = match model.step() {
        Some(Step::Sign { document, .. }) => document,
        Some(Step::SignBatch { .. }) => {
            return digest_lines("batch sha256", &model.progress.batch_digest());
        }
        _ => return Vec::new(),
    };
    let documents = model.progress.documents().iter();
    documents
        .filter(|known| known.document == *document)
        .flat_map(|known| digest_lines(&format!("{document} sha256"), &known.payload))
        .collect()
}

/// Every candidate, every threshold in words, every signer. Never `2/2 (4/2)`.
pub(super) fn signatures(model: &Model) -> Vec<Line<'static>> {
    let width = model.columns();
    let documents = model.progress.documents();
    if documents.is_empty() {
        return lines(
            "No candidate is built yet; there is nothing to sign.",
            width,
            Tone::Plain,
        );
    }
    let mut body = batch::whole(model);
    body.extend(alone(model).flat_map(|known| document(model, known)));
    body
}

fn document(model: &Model, known: &DocumentProgress) -> Vec<Line<'static>> {
    let width = model.columns();
    let (state, tone) = if known.is_complete() {
        ("has every signature it needs.", Tone::Good)
    } else {
        ("is NOT yet valid.", Tone::Warn)
    };
    let mut body = lines(&format!("{} {state}", known.document), width, tone);
    body.extend(digest_lines("signed bytes sha256", &known.payload));
    for quorum in &known.quorums {
        body.extend(sentence(known, quorum, width));
        body.extend(still_needed(known, quorum, width));
    }
    for signer in signers(known) {
        let (state, tone) = standing(model, known, signer);
        let counts: Vec<&str> = known
            .quorums
            .iter()
            .filter(|quorum| quorum.signers.contains(signer))
            .map(|quorum| quorum.by.as_str())
            .collect();
        let text = format!("{}: counts for {}", signer.holder, counts.join(" and "));
        body.extend(tagged(&format!(" {state}"), 18, &text, width, tone));
        // One person with an old and a new key: the name alone does not say which.
        if signers(known)
            .iter()
            .filter(|other| other.holder == signer.holder)
            .count()
            > 1
        {
            // Further left than the sentence, so that the keyid stands in one row.
            body.extend(tagged(
                "",
                9,
                &format!("key {}", signer.keyid),
                width,
                Tone::Plain,
            ));
        }
    }
    body.push(Line::raw(""));
    body
}

/// `By the keys of root v7 (old)  3 needed [###-------] 1 signed`
fn sentence(known: &DocumentProgress, quorum: &Quorum, width: usize) -> Vec<Line<'static>> {
    let signed = known.signed(quorum).count();
    let needed = quorum.needed as usize;
    let tone = if signed >= needed {
        Tone::Good
    } else {
        Tone::Plain
    };
    let text = format!(
        "By {}  {needed} needed {} {signed} signed",
        quorum.by,
        bar(signed, needed)
    );
    lines(&text, width, tone)
}

fn still_needed(known: &DocumentProgress, quorum: &Quorum, width: usize) -> Vec<Line<'static>> {
    let missing = (quorum.needed as usize).saturating_sub(known.signed(quorum).count());
    if missing == 0 {
        return Vec::new();
    }
    let open: Vec<&str> = quorum
        .signers
        .iter()
        .filter(|signer| !known.is_signed_by(&signer.keyid) && !known.skipped.contains(signer))
        .map(|signer| signer.holder.as_str())
        .collect();
    let text = format!("still needed: {missing} more, of {}", open.join(", "));
    tagged("", 4, &text, width, Tone::Plain)
}

fn signers(known: &DocumentProgress) -> Vec<&Signer> {
    let mut signers: Vec<&Signer> = Vec::new();
    for signer in known.quorums.iter().flat_map(|quorum| &quorum.signers) {
        if !signers.contains(&signer) {
            signers.push(signer);
        }
    }
    signers
}

fn standing(model: &Model, known: &DocumentProgress, signer: &Signer) -> (&'static str, Tone) {
    let verified = known
        .signatures
        .iter()
        .find(|(by, ..)| by.keyid == signer.keyid);
    let pending = |(document, by): &(Document, Signer)| *document == known.document && by == signer;
    match verified {
        Some((_, _, true)) => ("MADE ELSEWHERE", Tone::Good),
        Some((_, _, false)) => ("SIGNED", Tone::Good),
        None if model.progress.pending().is_some_and(pending) => ("signing now", Tone::Strong),
        None if known.skipped.contains(signer) => ("skipped", Tone::Plain),
        None => ("waiting", Tone::Plain),
    }
}

/// What the checks said.
pub(super) fn findings(model: &Model) -> Vec<Line<'static>> {
    let width = model.columns();
    let findings = model.progress.findings();
    if findings.is_empty() {
        return lines("The checks have found nothing to say.", width, Tone::Plain);
    }
    findings
        .iter()
        .flat_map(|finding| {
            let (tag, tone) = level(finding.level);
            let place = match finding.file.as_str() {
                "" => String::new(),
                file => format!(" {file}"),
            };
            let text = format!("{}{place}: {}", finding.rule, finding.text);
            tagged(&format!(" {tag}"), 8, &text, width, tone)
        })
        .collect()
}

/// The result, what was written, and the words to be read aloud.
pub(super) fn finish(model: &Model, finish: &Finish) -> Vec<Line<'static>> {
    let width = model.columns();
    let tone = if finish.code == 0 {
        Tone::Good
    } else {
        Tone::Bad
    };
    let mut body: Vec<Line> = finish
        .text
        .iter()
        .flat_map(|text| lines(text, width, tone))
        .collect();
    if let Some(ok) = model.progress.verdict() {
        let (text, tone) = if ok {
            (
                "[ OK ] The verdict over what was written found no error.",
                Tone::Good,
            )
        } else {
            (
                "[FAIL] The verdict over what was written found errors; f shows them.",
                Tone::Bad,
            )
        };
        body.extend(lines(text, width, tone));
    }
    if let Some(head) = &finish.head {
        body.push(Line::raw(""));
        body.extend(lines(
            "Transcript, to be read aloud and written down:",
            width,
            Tone::Strong,
        ));
        body.extend(digest_lines("sha256", head));
        body.extend(word_lines(head, width));
    }
    if !model.progress.documents().is_empty() {
        body.push(Line::raw(""));
    }
    body.extend(batch::whole(model));
    for known in alone(model) {
        let caption = format!("Signatures on {}:", known.document);
        body.extend(lines(&caption, width, Tone::Strong));
        for quorum in &known.quorums {
            body.extend(sentence(known, quorum, width));
        }
    }
    let backup = shares::record(model);
    if !backup.is_empty() {
        body.push(Line::raw(""));
    }
    body.extend(backup);
    let written = model.progress.written();
    if !written.is_empty() {
        body.push(Line::raw(""));
        body.extend(lines(
            "Written, synced, read back and compared:",
            width,
            Tone::Strong,
        ));
    }
    for file in written {
        body.extend(lines(
            &format!("{}  {} bytes", file.path, file.size),
            width,
            Tone::Plain,
        ));
        body.extend(digest_lines("  sha256", &file.sha256));
    }
    body
}
