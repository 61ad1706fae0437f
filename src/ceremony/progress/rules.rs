//! What can happen next.

use super::{Progress, Status};
use crate::ceremony::event::{Document, Event, Mode, Signer};
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
                self.allow_in_step(event, step)
            }
        }
    }

    fn allow_in_step(&self, event: &Event, step: &Step) -> Result<(), String> {
        let fits = match event {
            Event::StepDone { step } => self.running == Some(*step) && self.pending.is_none(),
            Event::ClockConfirmed { .. } => matches!(step, Step::Clock),
            Event::TakenIn { .. } => matches!(step, Step::Intake),
            Event::KeyEnrolled { .. } => {
                matches!(step, Step::Enrol { .. } | Step::Ephemeral { .. })
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
                signs(step, document)
                    && self.pending.is_none()
                    && self.is_signable(document, *payload)
            }
            Event::Signed {
                document,
                payload,
                signer,
                ..
            } => self.is_pending(document, signer) && self.is_built(document, *payload),
            Event::SigningFailed {
                document, signer, ..
            }
            | Event::IntentDecided { document, signer } => self.is_pending(document, signer),
            // A part may carry what another step would have asked for; it counts for its own document wherever it comes in.
            Event::Imported {
                document, payload, ..
            } => {
                matches!(step, Step::Sign { .. } | Step::Collect)
                    && self.is_signable(document, *payload)
            }
            Event::Skipped { document, .. } => signs(step, document),
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
    fn is_pending(&self, document: &Document, signer: &Signer) -> bool {
        self.pending
            .as_ref()
            .is_some_and(|(known, by)| known == document && by == signer)
    }
}

fn proves(step: &Step, holder: &str, role: &str, keyid: &KeyId) -> bool {
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

fn signs(step: &Step, document: &Document) -> bool {
    match step {
        Step::Sign {
            document: planned, ..
        }
        | Step::SignEphemeral { document: planned } => planned == document,
        Step::Collect => true,
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
