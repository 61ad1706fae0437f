//! The review of a batch: all its files as one change. A project that goes from one shard to another stays what it is, so the files before are compared with
//! the files after as if each were one.

use std::collections::{BTreeMap, BTreeSet};

use super::claimed::{Checks, SPOTS, besides, clients, counts, difference, said, spots};
use super::compare::compare_all;
use super::rows::{change_row, quorum_row, row, verdict_rows};
use super::searched::Searched;
use super::{Mark, Review, Row};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{Quorum, batch_digest};
use crate::tuf::diff::Change;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, grouped};
use crate::tuf::json::Json;
use crate::tuf::key::KeyId;
use crate::words;

/// So many rows that are alike but for the file are told singly.
const TOLD: usize = 10;

/// What is known beside the candidates.
pub struct Beside<'a> {
    /// Files of before that none of the candidates replaces, and that are no longer there.
    pub gone: Vec<&'a Envelope>,
    /// What each must reach.
    pub quorums: Vec<Quorum>,
    /// What the rules say.
    pub findings: &'a [Finding],
    /// Who vouches for the keys.
    pub vouchers: Vec<Row>,
    /// People by keyid.
    pub holder_of: &'a dyn Fn(&KeyId) -> Option<String>,
    /// What else is known.
    pub checks: Checks<'a>,
}

impl Review {
    /// The review of many candidates at once.
    ///
    /// # Errors
    /// What the readers refuse.
    pub fn of_batch(batch: &[&Candidate], beside: Beside<'_>) -> Result<Self, Finding> {
        let digest = batch_digest(batch.iter().map(|one| (&one.document, one.payload())));
        let pairs = batch
            .iter()
            .map(|one| (one.old.as_ref(), Some(&one.envelope)));
        let gone = beside.gone.iter().map(|gone| (Some(*gone), None));
        let mut comparison = compare_all(pairs.chain(gone))?;
        for (name, reason) in &beside.checks.reasons {
            comparison.add(name, reason);
        }
        let mut summary = head(batch, beside.gone.len(), &digest);
        summary.extend(dates(batch));
        summary.extend(counts(&comparison));
        summary.push(row(Mark::Heading, "What else differs in the files"));
        summary.extend(others(batch, beside.holder_of)?);
        if !beside.vouchers.is_empty() {
            summary.push(row(Mark::Heading, "Who vouches for the keys"));
            summary.extend(beside.vouchers);
        }
        summary.push(row(Mark::Heading, "Who must sign"));
        summary.extend(signers(&beside.quorums));
        summary.push(row(Mark::Heading, "What the rules say"));
        summary.extend(said(beside.findings));
        summary.push(row(Mark::Heading, "Which clients accept them"));
        summary.extend(accepted(batch));
        let seed = beside.checks.seed.unwrap_or(&digest.0);
        let spots = spots(&comparison, seed, beside.checks.spots.unwrap_or(SPOTS));
        let searched = Searched::new(summary, comparison, spots);
        Ok(Self::searched(name(batch), digest, searched))
    }
}

pub(super) fn name(batch: &[&Candidate]) -> String {
    format!("the batch of {}", batch.len())
}

pub(super) fn head(batch: &[&Candidate], gone: usize, digest: &Sha256) -> Vec<Row> {
    let bytes = batch.iter().map(|one| one.envelope.payload_length());
    let new = batch.iter().filter(|one| one.old.is_none()).count();
    let mut rows = vec![
        row(
            Mark::Heading,
            format!("{} documents: the bytes to be signed", grouped(batch.len())),
        ),
        row(
            Mark::Plain,
            format!(
                "{} bytes; {} are new, {} of before are gone",
                grouped(bytes.sum()),
                grouped(new),
                grouped(gone)
            ),
        ),
    ];
    let named = batch.iter().take(TOLD).map(|one| {
        let payload = one.payload();
        row(Mark::Plain, format!("{}: SHA-256 {payload}", one.document))
    });
    rows.extend(named);
    if let Some(more) = more(batch.len()) {
        let text = format!("and {more} more, each a line of the batch that follows");
        rows.push(row(Mark::Plain, text));
    }
    let words = words::of(&digest.0);
    rows.extend(words.chunks(8).map(|line| row(Mark::Plain, line.join(" "))));
    rows.push(row(Mark::Plain, format!("SHA-256 of the batch {digest}")));
    rows
}

/// How many end when.
pub(super) fn dates(batch: &[&Candidate]) -> Vec<Row> {
    let mut ends = BTreeMap::<String, usize>::new();
    for one in batch {
        let expires = one.envelope.signed().get("expires");
        let expires = expires.and_then(Json::as_str);
        *ends
            .entry(expires.unwrap_or_default().into_owned())
            .or_default() += 1;
    }
    let rows = ends.into_iter();
    rows.map(|(expires, count)| row(Mark::Plain, format!("{} end on {expires}", grouped(count))))
        .collect()
}

/// What differs beside projects: of what differs in many files alike, as versions do, the first few.
fn others(
    batch: &[&Candidate],
    holder_of: &dyn Fn(&KeyId) -> Option<String>,
) -> Result<Vec<Row>, Finding> {
    let mut by_subject = BTreeMap::<String, (Vec<Row>, usize)>::new();
    for one in batch {
        for change in besides(difference(one.old.as_ref(), &one.envelope)?) {
            let told = by_subject.entry(subject(&change)).or_default();
            told.1 += 1;
            if told.0.len() < TOLD {
                let Row { mark, text } = change_row(&change, holder_of);
                told.0.push(row(mark, format!("{}: {text}", one.document)));
            }
        }
    }
    let mut rows = Vec::new();
    for (subject, (told, count)) in by_subject {
        let mark = told.first().map_or(Mark::Plain, |row| row.mark);
        rows.extend(told);
        if let Some(more) = more(count) {
            rows.push(row(mark, format!("{subject}: {more} more documents")));
        }
    }
    Ok(rows)
}

/// What changes alike have in common.
fn subject(change: &Change) -> String {
    format!("{:?} {}", change.kind, change.subject).to_lowercase()
}

/// Thresholds that are alike but for the role's name, once.
pub(super) fn signers(quorums: &[Quorum]) -> Vec<Row> {
    let mut alike = BTreeMap::<(u32, Vec<String>), (&Quorum, usize)>::new();
    for quorum in quorums {
        let signers = quorum.signers.iter();
        let signers = signers.map(|signer| format!("{} {}", signer.holder, signer.keyid));
        let like = (quorum.needed, signers.collect());
        alike.entry(like).or_insert((quorum, 0)).1 += 1;
    }
    let rows = alike.into_values().map(|(quorum, count)| {
        let mut told = quorum_row(quorum);
        if count > 1 {
            let more = grouped(count - 1);
            told.text = format!("{} (and so for {more} more)", told.text);
        }
        told
    });
    rows.collect()
}

/// How many files each client takes, and what it says of them: each sentence once, and the first few.
fn accepted(batch: &[&Candidate]) -> Vec<Row> {
    let mut told = BTreeMap::<&str, (usize, Vec<Row>, usize)>::new();
    let mut known = BTreeSet::new();
    for one in batch {
        for verdict in clients(&one.envelope) {
            let (accepts, rows, hidden) = told.entry(verdict.version).or_default();
            *accepts += usize::from(verdict.accepts());
            let new = verdict_rows(&verdict).into_iter();
            for said in new.filter(|said| said.mark != Mark::Ok) {
                if !known.insert(said.text.clone()) {
                    continue;
                }
                if rows.len() < TOLD {
                    rows.push(row(said.mark, format!("{}: {}", one.document, said.text)));
                } else {
                    *hidden += 1;
                }
            }
        }
    }
    let mut rows = Vec::new();
    for (client, (accepts, said, hidden)) in told {
        let mark = if accepts == batch.len() {
            Mark::Ok
        } else {
            Mark::Warning
        };
        let (of, accepts) = (grouped(batch.len()), grouped(accepts));
        rows.push(row(mark, format!("{client} accepts {accepts} of {of}")));
        rows.extend(said);
        if hidden > 0 {
            let hidden = grouped(hidden);
            rows.push(row(
                Mark::Note,
                format!("{client}: {hidden} more sentences"),
            ));
        }
    }
    rows
}

fn more(count: usize) -> Option<String> {
    let more = count.checked_sub(TOLD).filter(|more| *more > 0)?;
    Some(grouped(more))
}
