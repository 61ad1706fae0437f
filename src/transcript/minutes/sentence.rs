//! One event, one sentence.

use std::fmt::Write as _;

use super::{indented, text};
use crate::ceremony::event::{Event, ModuleIdentity, Signer, TokenIdentity};
use crate::transcript::Transcript;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Level;

fn rest(event: &Event) -> Option<String> {
    let said = super::deciding::of(event).or_else(|| super::backup::of(event));
    said.or_else(|| candidate(event))
}

/// One event in words; none for what only the program needs.
pub(super) fn of(event: &Event, transcript: &Transcript) -> Option<String> {
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
        } => opened(tool, *program, modules),
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
            seen: None,
        } => format!(
            "{} was read to its end ({rows} rows) and the phrase typed.\n{}",
            text(&document.to_string()),
            indented(*payload)
        ),
        Event::Reviewed {
            document,
            payload,
            rows,
            seen: Some(seen),
        } => format!(
            "{} changes {} projects. {rows} rows were shown: the summary, {} of {} on the watch list and {} of {} spot checks. The phrase was typed.\n{}",
            text(&document.to_string()),
            seen.entries,
            seen.watch.seen,
            seen.watch.of,
            seen.spots.seen,
            seen.spots.of,
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
        other => return rest(other),
    })
}

fn candidate(event: &Event) -> Option<String> {
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
        other => {
            return signature(other)
                .or_else(|| device(other))
                .or_else(|| super::batch::of(other));
        }
    })
}

fn device(event: &Event) -> Option<String> {
    Some(match event {
        Event::Attested {
            holder,
            keyid,
            test_root,
            says,
            ..
        } => {
            let root = if *test_root {
                "under a TEST ROOT that only this rehearsal trusts"
            } else {
                "under its maker's root"
            };
            let says: Vec<_> = says.iter().map(|line| text(line)).collect();
            format!(
                "The key {keyid} of {} is attested {root}: {}.",
                text(holder),
                says.join("; ")
            )
        }
        Event::Unattested {
            holder,
            keyid,
            reason,
        } => format!(
            "Nobody vouches for the key {keyid} of {}, and that was acknowledged: {}.",
            text(holder),
            text(reason)
        ),
        Event::SignedOff {
            holder,
            keyid,
            advisory,
            reason,
        } => format!(
            "**{} was accepted** for the key {keyid} of {}: \"{}\".",
            text(advisory),
            text(holder),
            text(reason)
        ),
        Event::BagOpened { holder, number } => {
            format!("The bag {} of {} was opened.", text(number), text(holder))
        }
        Event::BagClosed { holder, number } => format!(
            "The token of {} went into the bag {}.",
            text(holder),
            text(number)
        ),
        Event::Provisioned {
            holder,
            token,
            firmware,
            credentials,
        } => {
            let credentials: Vec<_> = credentials.iter().map(|kind| kind.name()).collect();
            format!(
                "The token of {} (serial {}, firmware {}) was erased and given: {}.",
                text(holder),
                text(&token.serial),
                text(firmware.as_deref().unwrap_or("unknown")),
                credentials.join(", ")
            )
        }
        Event::Proven {
            holder,
            role,
            keyid,
            token,
            ..
        } => format!(
            "The {} key {keyid} of {} (serial {}) signed a challenge; the signature verifies.",
            text(role),
            text(holder),
            text(&token.serial)
        ),
        _ => return None,
    })
}

fn signature(event: &Event) -> Option<String> {
    Some(match event {
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

fn opened(tool: &str, program: Sha256, modules: &[ModuleIdentity]) -> String {
    let mut sentence = format!(
        "Opened with {}, program SHA-256 {program}, {} modules.",
        text(tool),
        modules.len()
    );
    for module in modules {
        if let Some(reach) = module.reach_in_words() {
            let _ = write!(sentence, " The module {} {reach}.", text(&module.name));
        }
    }
    sentence
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
