//! Minutes for people: what a transcript says, as Markdown. A pure function of its lines.

use std::fmt::Write as _;

use super::{Line, Transcript};
use crate::ceremony::event::{Event, Mode, Signer, TokenIdentity};
use crate::plain;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Level;
use crate::words;

/// The minutes. Untrusted text is escaped.
pub fn write(transcript: &Transcript) -> String {
    let mut minutes = String::new();
    heading(&mut minutes, transcript);
    minutes.push_str("\n## What happened\n");
    let mut day = "";
    for line in &transcript.lines {
        if line.time.get(..10).is_some_and(|date| date != day) {
            day = &line.time[..10];
            push(&mut minutes, &format!("\n### {day} (UTC)\n"));
        }
        if let Some(text) = sentence(&line.event, transcript) {
            push(&mut minutes, &format!("- {} {text}", clock(line)));
        }
    }
    push(
        &mut minutes,
        &format!(
            "\n## Transcript\n\n{} lines; SHA-256 of the last one:\n",
            transcript.lines.len()
        ),
    );
    push(&mut minutes, &aloud(transcript.head()));
    if !transcript.is_complete() {
        minutes.push_str("\nThe ceremony had not ended when these minutes were written.\n");
    }
    minutes
}

fn heading(minutes: &mut String, transcript: &Transcript) {
    let Some(opening) = transcript.progress().opening() else {
        minutes.push_str("# Minutes\n\nNothing happened yet.\n");
        return;
    };
    let mode = match opening.mode {
        Mode::Rehearsal => "REHEARSAL: nothing here is real",
        Mode::Production => "production",
    };
    push(minutes, &format!("# Minutes: {}\n", text(&opening.title)));
    push(minutes, &format!("- Kind: {}", text(&opening.kind)));
    push(minutes, &format!("- Mode: {mode}"));
    push(minutes, &format!("- Script: SHA-256 {}", opening.script));
    match opening.trusted_root {
        Some(root) => push(minutes, &format!("- Trusted root: SHA-256 {root}")),
        None => push(minutes, "- Trusted root: none, this is a genesis"),
    }
    push(minutes, "\nThe ceremony's id:\n");
    push(minutes, &aloud(opening.ceremony));
}

fn push(minutes: &mut String, line: &str) {
    minutes.push_str(line);
    minutes.push('\n');
}

fn clock(line: &Line) -> &str {
    line.time.get(11..19).unwrap_or(&line.time)
}

// Events of everyday bookkeeping have no sentence of their own.
fn sentence(event: &Event, transcript: &Transcript) -> Option<String> {
    let label = |step: &usize| {
        let planned = transcript.progress().steps().get(*step);
        let label = planned.map(|step| text(&step.label())).unwrap_or_default();
        format!("step {}: {label}", step + 1)
    };
    Some(match event {
        Event::Opened {
            tool,
            program,
            modules,
            ..
        } => opened(tool, *program, modules.len()),
        Event::PlanFixed {
            sha256,
            steps,
            minutes,
        } => format!(
            "The plan was fixed: {} steps, about {minutes} minutes.\n{}",
            steps.len(),
            indented(*sha256)
        ),
        Event::StepStarted { step } => format!("**Began {}**", label(step)),
        Event::StepDone { step } => format!("Finished {}.", label(step)),
        Event::Answered { prompt, answer } => {
            format!(
                "Asked \"{}\", people answered \"{}\".",
                text(prompt),
                text(answer)
            )
        }
        Event::ClockConfirmed { utc } => format!("Two people confirmed the date: {}.", text(utc)),
        Event::TakenIn { file } => {
            format!("Took in {}, SHA-256 {}.", text(&file.path), file.sha256)
        }
        Event::Found { finding } => format!(
            "{} {}: {} {}",
            level(finding.level),
            text(&finding.rule),
            text(&finding.file),
            text(&finding.text)
        ),
        Event::Reviewed {
            document,
            payload,
            rows,
        } => format!(
            "{} was read to its end ({rows} rows) and the phrase typed.\n{}",
            text(&document.to_string()),
            indented(*payload)
        ),
        Event::Written { file } => format!(
            "Wrote {} ({} bytes), SHA-256 {}; read back and equal.",
            text(&file.path),
            file.size,
            file.sha256
        ),
        Event::Verdict { ok, findings } => format!(
            "The verdict over the medium: {}, {} findings.",
            if *ok {
                "it verifies"
            } else {
                "IT DOES NOT VERIFY"
            },
            findings.len()
        ),
        Event::Paused { reason } => format!("Paused: {}.", text(reason)),
        Event::Aborted { reason, abandoned } => {
            let mut told = format!("GIVEN UP: {}.", text(reason));
            for given_up in abandoned {
                let _ = write!(
                    told,
                    "\n  Must never be published: {}, payload {}, signed by {}.",
                    text(&given_up.document.to_string()),
                    given_up.payload,
                    names(&given_up.signed_by)
                );
            }
            told
        }
        Event::Closed => "The ceremony was closed.".to_owned(),
        other => return signing(other),
    })
}

fn signing(event: &Event) -> Option<String> {
    Some(match event {
        Event::KeyEnrolled {
            holder,
            role,
            keyid,
            generated,
            token,
            ..
        } => format!(
            "{} {} for {}: keyid {}, {}.",
            text(holder),
            if *generated {
                "made a key"
            } else {
                "brought a key"
            },
            text(role),
            text(&keyid.0),
            place(token.as_ref())
        ),
        Event::Built {
            document,
            payload,
            size,
            quorums,
        } => {
            let mut told = format!(
                "Built {}, {size} bytes to sign.",
                text(&document.to_string())
            );
            for quorum in quorums {
                let _ = write!(told, " By {}: {} needed.", text(&quorum.by), quorum.needed);
            }
            format!("{told}\n{}", indented(*payload))
        }
        Event::ShadowPassed { document, signers } => format!(
            "With throwaway keys in place of those of {}, {} reaches every threshold.",
            names(
                &signers
                    .iter()
                    .map(|signer| signer.holder.clone())
                    .collect::<Vec<_>>()
            ),
            text(&document.to_string())
        ),
        Event::Superseded {
            document,
            abandoned,
            signed_by,
        } => format!(
            "Gave up another {}: payload {abandoned}, signed by {}.",
            text(&document.to_string()),
            names(signed_by)
        ),
        Event::RegisterChecked {
            holder,
            document,
            register,
        } => format!(
            "{} {} that no other {} was signed.",
            text(holder),
            if *register {
                "has a register that says"
            } else {
                "has no register here and typed"
            },
            text(&document.to_string())
        ),
        Event::PinRefused { holder, tries_left } => {
            let left = tries_left.map_or_else(|| "unknown".to_owned(), |left| left.to_string());
            format!(
                "The token of {} refused the PIN; tries left: {left}.",
                text(holder)
            )
        }
        Event::Signed {
            document, signer, ..
        } => {
            format!(
                "{} signed {}; the signature verifies.",
                who(signer),
                text(&document.to_string())
            )
        }
        Event::SigningFailed {
            document,
            signer,
            reason,
        } => format!(
            "{} did not sign {}: {}. Nothing was counted.",
            who(signer),
            text(&document.to_string()),
            text(reason)
        ),
        Event::IntentDecided { document, signer } => format!(
            "The token of {} may have signed {} before an interruption; people decided to go on.",
            who(signer),
            text(&document.to_string())
        ),
        Event::Imported {
            document,
            signer,
            part,
            ..
        } => format!(
            "A signature of {} over {} came in the part file {part}; it verifies.",
            who(signer),
            text(&document.to_string())
        ),
        Event::Skipped { document, signer } => format!(
            "{} was left out of {}; the thresholds do not need it.",
            who(signer),
            text(&document.to_string())
        ),
        Event::EphemeralDestroyed { keyids } => {
            format!("{} ephemeral keys were destroyed.", keyids.len())
        }
        _ => return None,
    })
}

fn opened(tool: &str, program: Sha256, modules: usize) -> String {
    format!(
        "Opened with {}, program SHA-256 {program}, {modules} modules.",
        text(tool)
    )
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warning => "Warning",
        Level::Note => "Note",
    }
}

fn who(signer: &Signer) -> String {
    format!("{} (key {})", text(&signer.holder), text(&signer.keyid.0))
}

fn names(names: &[String]) -> String {
    if names.is_empty() {
        return "nobody".to_owned();
    }
    let names: Vec<String> = names.iter().map(|name| text(name)).collect();
    names.join(", ")
}

fn place(token: Option<&TokenIdentity>) -> String {
    token.map_or_else(
        || "in locked memory".to_owned(),
        |token| format!("on {} serial {}", text(&token.model), text(&token.serial)),
    )
}

// Digests that were read aloud stand as they were heard, in words.
fn aloud(digest: Sha256) -> String {
    let words = words::of(&digest.0);
    let mut lines = format!("    {digest}");
    for line in words.chunks(8) {
        let _ = write!(lines, "\n    {}", line.join(" "));
    }
    lines
}

fn indented(digest: Sha256) -> String {
    format!("\n{}\n", aloud(digest).replace("    ", "      "))
}

// Escaped for the terminal, and so that Markdown reads it as text.
fn text(untrusted: &str) -> String {
    let mut plain = String::new();
    for character in plain::escape(untrusted).chars() {
        if "<>|`*_[]#".contains(character) {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::super::tests::{events, written};
    use super::write;

    #[test]
    fn minutes_say_who_what_when_and_escape_what_strangers_wrote() {
        let transcript = super::super::read(&written(&events())).unwrap();
        let minutes = write(&transcript);
        for expected in [
            "# Minutes: Renew \\<root\\>\n",
            "- Mode: REHEARSAL: nothing here is real\n",
            "### 2026-11-22 (UTC)\n",
            "- 12:00:00 **Began step 1: Confirm the plan**\n",
            "people answered \"the plan\\\\u{202e} is right\".\n",
            "- 12:00:00 Two people confirmed the date: 2026-11-22T12:00:00Z.\n",
            "- 12:00:00 Warning ROOT-EXPIRED: 7.root.json it expired yesterday\n",
            "- 12:00:00 The ceremony was closed.\n",
            &transcript.head().to_string(),
        ] {
            let expected = expected.replace("\\\\u", "\\u");
            assert!(minutes.contains(&expected), "{expected}\n{minutes}");
        }
        assert_eq!(minutes, write(&transcript));
        assert!(!minutes.contains("had not ended"));
    }
}
