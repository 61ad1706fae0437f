//! What can happen next.

use super::{Progress, Status};
use crate::ceremony::event::{Document, Event, Mode, Seen, Signer};
use crate::ceremony::plan::{KeyChoice, Step};
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

impl Progress {
    pub(super) fn allow(&self, event: &Event) -> Result<(), String> {
        match (self.status, event) {
            (Status::Fresh, Event::Opened { .. }) => return Ok(()),
            (Status::Fresh, _) => return Err("the ceremony is not opened yet".to_owned()),
            (_, Event::Opened { .. }) => return Err("the ceremony is opened twice".to_owned()),
            (Status::Closed, _) => return Err("the ceremony is closed".to_owned()),
            _ => {}
        }
        if let Event::PlanFixed { .. } = event {
            return ensure(self.plan.is_none(), || "the plan is fixed twice".to_owned());
        }
        if let Event::Found { .. } | Event::Paused { .. } | Event::Aborted { .. } = event {
            return Ok(());
        }
        ensure(self.plan.is_some(), || {
            "the plan is not fixed yet".to_owned()
        })?;
        match event {
            Event::StepStarted { step } => {
                let resumed = self.status == Status::Paused || self.running.is_none();
                ensure(resumed, || "a step begins while another runs".to_owned())?;
                ensure(*step == self.done && *step < self.steps.len(), || {
                    format!("step {} begins; step {} is next", step + 1, self.done + 1)
                })
            }
            Event::Closed => ensure(self.closable(), || {
                "the ceremony closes before its last step".to_owned()
            }),
            _ => {
                let step = self
                    .running_step()
                    .ok_or_else(|| "something happens outside every step".to_owned())?;
                self.ensure_all(event, step)?;
                self.allow_in_step(event, step)
            }
        }
    }

    /// What is over only when all of it is.
    fn ensure_all(&self, event: &Event, step: &Step) -> Result<(), String> {
        match event {
            Event::StepDone { .. } if !self.is_backup_done(step) => {
                Err("the backup was not proven to open".to_owned())
            }
            Event::StepDone { .. } if matches!(step, Step::Decide) => {
                ensure(self.decisions.is_complete(), || {
                    "not every request that is decided by itself is decided".to_owned()
                })
            }
            Event::BatchReviewed(reviewed) => {
                ensure(reviewed.seen.is_none_or(Seen::is_full), || {
                    "the batch counts as reviewed and not all that had to be seen was".to_owned()
                })
            }
            Event::Reviewed { document, seen, .. } => {
                ensure(seen.is_none_or(Seen::is_full), || {
                    format!("{document} counts as reviewed and not all that had to be seen was")
                })
            }
            _ => Ok(()),
        }
    }

    #[allow(clippy::too_many_lines, reason = "one arm an event")]
    fn allow_in_step(&self, event: &Event, step: &Step) -> Result<(), String> {
        let fits = match event {
            Event::StepDone { step: done } => self.running == Some(*done) && !self.is_asking(),
            Event::Vetted(_) | Event::BatchAccepted(_) | Event::Drawn(_) | Event::Decided(_) => {
                self.decisions.refusal(event).map_or(Ok(()), Err)?;
                matches!(step, Step::Decide)
            }
            Event::ClockConfirmed { .. } => matches!(step, Step::Clock),
            Event::TakenIn { .. } => matches!(step, Step::Intake),
            Event::KeyEnrolled { .. } => {
                matches!(
                    step,
                    Step::Enrol { .. } | Step::Ephemeral { .. } | Step::MakeOnline { .. }
                )
            }
            Event::Attested {
                holder, test_root, ..
            } => enters(step, holder) && !(*test_root && self.is_production()),
            Event::Unattested { holder, .. } => enters(step, holder),
            Event::SignedOff { holder, .. } => match step {
                Step::Enrol {
                    holder: planned, ..
                }
                | Step::Sign {
                    holder: planned, ..
                }
                | Step::SignBatch {
                    holder: planned, ..
                } => planned == holder,
                Step::Collect => true,
                _ => false,
            },
            Event::BagOpened { holder, .. } => {
                matches!(step, Step::OpenBag { holder: planned } if planned == holder)
            }
            Event::BagClosed { holder, .. } => {
                matches!(step, Step::CloseBag { holder: planned } if planned == holder)
            }
            Event::Provisioned { holder, .. } => {
                matches!(step, Step::Provision { holder: planned } if planned == holder)
            }
            Event::Proven {
                holder,
                role,
                keyid,
                ..
            } => proves(step, holder, role, keyid),
            Event::Built { document, .. } => {
                matches!(step, Step::Build) && self.document(document).is_none()
            }
            Event::Reviewed {
                document, payload, ..
            } => {
                matches!(step, Step::Review { document: planned } if planned == document)
                    && self.is_built(document, *payload)
            }
            Event::ShadowPassed { document, .. } => {
                matches!(step, Step::Shadow)
                    && self.document(document).is_some_and(|known| known.reviewed)
            }
            Event::Superseded { document, .. } => {
                matches!(step, Step::Supersede { document: planned } if planned == document)
            }
            Event::SigningIntended {
                document, payload, ..
            } => {
                self.signs(step, document)
                    && !self.is_asking()
                    && self.is_signable(document, *payload)
            }
            Event::Signed {
                document,
                payload,
                signer,
                ..
            } => {
                (self.is_pending(document, signer) || self.is_awaited(document, signer))
                    && self.is_built(document, *payload)
            }
            Event::SigningFailed {
                document, signer, ..
            }
            | Event::IntentDecided { document, signer } => self.is_pending(document, signer),
            // A part may carry what another step would have asked for; it counts for its own document wherever it comes in.
            Event::Imported {
                document, payload, ..
            } => {
                matches!(
                    step,
                    Step::Sign { .. } | Step::SignBatch { .. } | Step::Collect
                ) && self.is_signable(document, *payload)
            }
            Event::Skipped { document, .. } => self.signs(step, document),
            Event::BatchReviewed(_)
            | Event::BatchIntended(_)
            | Event::BatchEnded(_)
            | Event::BatchDecided { .. } => self.allows_batch(event, step),
            Event::BackupBegun(_)
            | Event::KeyWrapped(_)
            | Event::Sealed(_)
            | Event::BackupOpened(_)
            | Event::ShareRead(_)
            | Event::BlobProven(_)
            | Event::Drilled(_)
            | Event::Restored(_) => self.allows_backup(event, step)?,
            Event::EphemeralDestroyed { .. } => matches!(step, Step::DestroyEphemeral),
            Event::Verdict { .. } => matches!(step, Step::Verdict),
            Event::Answered { .. }
            | Event::RegisterChecked { .. }
            | Event::PinRefused { .. }
            | Event::Written { .. } => true,
            _ => false,
        };
        ensure(fits, || {
            format!(
                "this cannot happen in the step \"{}\": {}",
                step.label(),
                name(event)
            )
        })
    }

    fn running_step(&self) -> Option<&Step> {
        self.running
            .filter(|_| self.status != Status::Paused)
            .and_then(|step| self.steps.get(step))
    }
    fn closable(&self) -> bool {
        self.running.is_none() && self.done == self.steps.len()
    }
    fn is_production(&self) -> bool {
        self.opening
            .as_ref()
            .is_some_and(|opening| opening.mode == Mode::Production)
    }
    fn is_built(&self, document: &Document, payload: Sha256) -> bool {
        self.document(document)
            .is_some_and(|known| known.payload == payload)
    }
    fn is_signable(&self, document: &Document, payload: Sha256) -> bool {
        self.document(document)
            .is_some_and(|known| known.payload == payload && known.reviewed && known.shadowed)
    }
    fn signs(&self, step: &Step, document: &Document) -> bool {
        match step {
            Step::Sign {
                document: planned, ..
            }
            | Step::SignEphemeral { document: planned } => planned == document,
            Step::SignBatch { .. } => self.document(document).is_some_and(|known| known.batched),
            Step::Collect => true,
            _ => false,
        }
    }
    fn is_pending(&self, document: &Document, signer: &Signer) -> bool {
        self.pending
            .as_ref()
            .is_some_and(|(known, by)| known == document && by == signer)
    }
}

fn proves(step: &Step, holder: &str, role: &str, keyid: &KeyId) -> bool {
    if let Step::Restore {
        holder: planned,
        keyid: restored,
    } = step
    {
        return planned == holder && restored == keyid;
    }
    let Step::Prove {
        holder: planned,
        role: planned_role,
        key,
    } = step
    else {
        return false;
    };
    let same_key = match key {
        KeyChoice::Keyid(planned) => planned == keyid,
        KeyChoice::Made { .. } => true,
    };
    planned == holder && planned_role == role && same_key
}

/// Where it is settled who vouches for a key: where it shows itself, or for keys that are given, before they are built in.
fn enters(step: &Step, holder: &str) -> bool {
    match step {
        Step::Enrol {
            holder: planned, ..
        } => planned == holder,
        Step::Build => true,
        _ => false,
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn name(event: &Event) -> String {
    serde_json::to_value(event)
        .ok()
        .and_then(|value| Some(value.get("event")?.as_str()?.to_owned()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use crate::ceremony::event::{Document, Event, Mode, Seen, Share};
    use crate::ceremony::plan::Step;
    use crate::ceremony::progress::Progress;
    use crate::tuf::digest::Sha256;

    fn claimed() -> Document {
        Document {
            role: "claimed".to_owned(),
            version: 2,
        }
    }

    fn in_review() -> Progress {
        let payload = Sha256::of(b"payload");
        let steps = vec![
            Step::Build,
            Step::Review {
                document: claimed(),
            },
        ];
        let mut progress = Progress::default();
        for event in [
            Event::Opened {
                tool: String::new(),
                program: payload,
                mode: Mode::Production,
                kind: "claim".to_owned(),
                title: String::new(),
                script: payload,
                trusted_root: None,
                ceremony: payload,
                modules: Vec::new(),
                holders: None,
            },
            Event::PlanFixed {
                sha256: payload,
                steps,
                minutes: 1,
            },
            Event::StepStarted { step: 0 },
            Event::Built {
                document: claimed(),
                payload,
                size: 1,
                quorums: Vec::new(),
            },
            Event::StepDone { step: 0 },
            Event::StepStarted { step: 1 },
        ] {
            progress.apply(&event).unwrap();
        }
        progress
    }

    fn reviewed(watch: (usize, usize), spots: (usize, usize)) -> Event {
        let share = |(seen, of)| Share { seen, of };
        Event::Reviewed {
            document: claimed(),
            payload: Sha256::of(b"payload"),
            rows: 7,
            seen: Some(Seen {
                entries: 50,
                watch: share(watch),
                spots: share(spots),
                list: Sha256::of(b"a\n"),
            }),
        }
    }

    #[test]
    fn a_review_counts_only_when_all_that_had_to_be_seen_was() {
        for (watch, spots, right) in [
            ((3, 3), (20, 20), true),
            ((0, 0), (0, 0), true),
            ((2, 3), (20, 20), false),
            ((3, 3), (19, 20), false),
            ((4, 3), (20, 20), false),
        ] {
            let mut progress = in_review();
            let applied = progress.apply(&reviewed(watch, spots));
            assert_eq!(applied.is_ok(), right, "{watch:?} {spots:?}");
            if let Err(illegal) = applied {
                assert_eq!(
                    illegal.to_string(),
                    "claimed v2 counts as reviewed and not all that had to be seen was"
                );
            }
            let known = progress.document(&claimed()).unwrap();
            assert_eq!((known.reviewed, known.seen.is_some()), (right, right));
        }
    }

    #[test]
    fn what_was_seen_is_read_as_strictly_as_it_is_written() {
        let written = serde_json::to_string(&reviewed((1, 1), (2, 2))).unwrap();
        let read: Event = serde_json::from_str(&written).unwrap();
        assert_eq!(read, reviewed((1, 1), (2, 2)));
        let more = written.replace("\"entries\":50", "\"entries\":50,\"more\":1");
        assert_ne!(more, written);
        assert!(serde_json::from_str::<Event>(&more).is_err());
        // As every transcript before it has it, and still one that is read to its end.
        let whole = r#"{"event":"reviewed","document":{"role":"claimed","version":2},"payload":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","rows":7}"#;
        let read: Event = serde_json::from_str(whole).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), whole);
    }
}
