//! The state machine: a pure fold of events. What cannot happen next is an [`IllegalTransition`], in a live ceremony, in a resumed one and in a
//! transcript that a stranger checks. Screen, line printer, resume and verifier hold nothing else.

mod backup;
mod batch;
mod document;
mod evidence;
pub mod pace;
mod rules;

pub use backup::Backup;
use batch::Batch;
pub use document::DocumentProgress;
pub use evidence::{Attested, Evidence, Proven, SignedOff};

use std::collections::BTreeMap;

use super::decisions::Decisions;
use super::event::{Abandoned, Custody, Document, Event, FileDigest, Mode, Signer, TokenIdentity};
use super::plan::Step;
use super::{EPHEMERAL, ONLINE};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

/// An event that cannot follow the ones before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IllegalTransition(pub String);

/// Where a ceremony stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nothing happened yet.
    #[default]
    Fresh,
    /// Opened and going on.
    Running,
    /// Stopped by people or waiting for others; can be resumed.
    Paused,
    /// Given up for good.
    Aborted,
    /// Over.
    Closed,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Its turn has not come.
    Waiting,
    /// Begun.
    Running,
    /// Finished.
    Done,
}

/// What the first event said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Rehearsal or production.
    pub mode: Mode,
    /// The script's kind.
    pub kind: String,
    /// The script's title.
    pub title: String,
    /// SHA-256 of the script.
    pub script: Sha256,
    /// SHA-256 of the trusted root.
    pub trusted_root: Option<Sha256>,
    /// The ceremony id.
    pub ceremony: Sha256,
}

/// A key that entered the ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Whose (`ephemeral` for keys made in memory).
    pub holder: String,
    /// For which role.
    pub role: String,
    /// Its keyid.
    pub keyid: KeyId,
    /// The key object as JSON text.
    pub key: String,
    /// Made in this ceremony.
    pub generated: bool,
    /// Where it lives.
    pub token: Option<TokenIdentity>,
    /// How it is kept.
    pub custody: Custody,
}

/// Everything the events so far say.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    status: Status,
    opening: Option<Opening>,
    plan: Option<Sha256>,
    minutes: u32,
    steps: Vec<Step>,
    running: Option<usize>,
    done: usize,
    enrolled: Vec<Enrolled>,
    documents: Vec<DocumentProgress>,
    places: BTreeMap<Document, usize>,
    pending: Option<(Document, Signer)>,
    batch: Batch,
    destroyed: bool,
    findings: Vec<Finding>,
    written: Vec<FileDigest>,
    verdict: Option<bool>,
    clock: Option<String>,
    acknowledged: BTreeMap<Document, Vec<(String, bool)>>,
    superseded: Vec<Abandoned>,
    evidence: Evidence,
    decisions: Decisions,
    backup: Backup,
}

impl Progress {
    /// Takes in one event.
    ///
    /// # Errors
    /// An event that cannot follow; the state is then as it was.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalTransition> {
        self.allow(event).map_err(IllegalTransition)?;
        self.fold(event);
        Ok(())
    }

    /// Where the ceremony stands.
    pub fn status(&self) -> Status {
        self.status
    }
    /// What the first event said.
    pub fn opening(&self) -> Option<&Opening> {
        self.opening.as_ref()
    }
    /// SHA-256 of the plan.
    pub fn plan(&self) -> Option<Sha256> {
        self.plan
    }
    /// The plan's estimate in minutes.
    pub fn minutes(&self) -> u32 {
        self.minutes
    }
    /// The plan's steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
    /// The step that is running, or the next one; `steps().len()` when all are done.
    pub fn current(&self) -> usize {
        self.done
    }
    /// Where a step stands.
    pub fn state(&self, step: usize) -> StepState {
        match step {
            step if step < self.done => StepState::Done,
            step if self.running == Some(step) => StepState::Running,
            _ => StepState::Waiting,
        }
    }
    /// The keys that entered, in order.
    pub fn enrolled(&self) -> &[Enrolled] {
        &self.enrolled
    }
    /// The candidates, in the order built.
    pub fn documents(&self) -> &[DocumentProgress] {
        &self.documents
    }
    /// One candidate.
    pub fn document(&self, document: &Document) -> Option<&DocumentProgress> {
        self.documents.get(*self.places.get(document)?)
    }
    /// An intent to sign without a result: the token may have signed.
    pub fn pending(&self) -> Option<&(Document, Signer)> {
        self.pending.as_ref()
    }
    /// Whether the ephemeral keys were made and destroyed.
    pub fn ephemeral_destroyed(&self) -> bool {
        self.destroyed
    }
    /// Whether keys were made that are in memory only: a stop loses them, and with them what names them.
    pub fn has_keys_in_memory(&self) -> bool {
        let ephemeral = |key: &Enrolled| key.holder == EPHEMERAL && !self.destroyed;
        let online = |key: &Enrolled| key.role == ONLINE && self.backup.drilled().is_none();
        self.enrolled
            .iter()
            .any(|key| ephemeral(key) || online(key))
    }
    /// What the checks said.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
    /// Files written, in order.
    pub fn written(&self) -> &[FileDigest] {
        &self.written
    }
    /// The verdict over the medium.
    pub fn verdict(&self) -> Option<bool> {
        self.verdict
    }
    /// Whether the question of a second payload was settled for a holder.
    pub fn is_acknowledged(&self, holder: &str, document: &Document) -> bool {
        let mut known = self.acknowledged.get(document).into_iter().flatten();
        known.any(|(name, _)| name == holder)
    }
    /// Who settled it for a document, and whether by a register.
    pub fn acknowledgements(&self, document: &Document) -> Vec<(String, bool)> {
        self.acknowledged.get(document).cloned().unwrap_or_default()
    }
    /// Payloads given up for this ceremony's.
    pub fn superseded(&self) -> &[Abandoned] {
        &self.superseded
    }
    /// What is on record about tokens and their keys.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
    /// What was decided about requests.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }
    /// The confirmed date.
    pub fn clock(&self) -> Option<&str> {
        self.clock.as_deref()
    }

    #[allow(
        clippy::too_many_lines,
        reason = "one arm an event; splitting would hide that all are there"
    )]
    fn fold(&mut self, event: &Event) {
        match event {
            Event::Opened {
                mode,
                kind,
                title,
                script,
                trusted_root,
                ceremony,
                ..
            } => {
                self.status = Status::Running;
                self.opening = Some(Opening {
                    mode: *mode,
                    kind: kind.clone(),
                    title: title.clone(),
                    script: *script,
                    trusted_root: *trusted_root,
                    ceremony: *ceremony,
                });
            }
            Event::PlanFixed {
                sha256,
                steps,
                minutes,
            } => {
                self.plan = Some(*sha256);
                self.steps.clone_from(steps);
                self.minutes = *minutes;
            }
            Event::StepStarted { step } => {
                self.status = Status::Running;
                self.running = Some(*step);
            }
            Event::StepDone { .. } => {
                self.running = None;
                self.done += 1;
            }
            Event::ClockConfirmed { utc } => self.clock = Some(utc.clone()),
            Event::Found { finding } => self.findings.push(finding.clone()),
            Event::KeyEnrolled {
                holder,
                role,
                keyid,
                key,
                generated,
                token,
                custody,
            } => {
                self.enrolled.push(Enrolled {
                    holder: holder.clone(),
                    role: role.clone(),
                    keyid: keyid.clone(),
                    key: key.clone(),
                    generated: *generated,
                    token: token.clone(),
                    custody: *custody,
                });
            }
            Event::Built {
                document,
                payload,
                size,
                quorums,
            } => {
                let batched = self.is_batched(document);
                self.places.insert(document.clone(), self.documents.len());
                let known = DocumentProgress::new(document, *payload, *size, quorums, batched);
                self.documents.push(known);
            }
            Event::SigningIntended {
                document, signer, ..
            } => {
                self.pending = Some((document.clone(), signer.clone()));
            }
            Event::Signed { .. } | Event::SigningFailed { .. } | Event::IntentDecided { .. } => {
                self.pending = None;
            }
            Event::EphemeralDestroyed { .. } => self.destroyed = true,
            Event::RegisterChecked {
                holder,
                document,
                register,
            } => {
                let known = self.acknowledged.entry(document.clone()).or_default();
                known.push((holder.clone(), *register));
            }
            Event::Superseded {
                document,
                abandoned,
                signed_by,
            } => self.superseded.push(Abandoned {
                document: document.clone(),
                payload: *abandoned,
                signed_by: signed_by.clone(),
            }),
            Event::Written { file } => {
                self.written.retain(|known| known.path != file.path);
                self.written.push(file.clone());
            }
            Event::Verdict { ok, .. } => self.verdict = Some(*ok),
            Event::Paused { .. } => self.status = Status::Paused,
            Event::Aborted { .. } => self.status = Status::Aborted,
            Event::Closed => self.status = Status::Closed,
            _ => {}
        }
        self.evidence.fold(event);
        self.decisions.fold(event);
        self.fold_batch(event);
        self.fold_backup(event);
        let place = document::of(event).and_then(|document| self.places.get(document));
        if let Some(known) = place.and_then(|place| self.documents.get_mut(*place)) {
            known.fold(event);
        }
    }
}
