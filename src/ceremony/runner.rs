//! The runner: works through the plan step by step. It decides nothing that the events do not say, so that a ceremony that was interrupted anywhere is
//! folded from its transcript and goes on.

mod ask;
mod attest;
mod backup;
mod bags;
mod batch;
mod collect;
mod decide;
mod documents;
mod enrol;
mod finish;
mod medium;
mod nonce;
mod open;
mod prove;
mod provision;
mod restore;
mod shares;
mod sign;
mod token;
mod turn;

use std::sync::Arc;

use super::candidate::Candidate;
use super::event::{Event, Mode};
use super::intake::Trusted;
use super::kinds::Kind;
use super::material::Material;
use super::plan::Step;
use super::planning::Planned;
use super::port::{Operator, Sink, Stop, TokenError, TokenInfo, World, WorldError};
use super::progress::{IllegalTransition, Progress, Status, StepState};
use super::script::Script;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// How a ceremony can end before its end. What happened so far is on record; `run` on the same folder goes on.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// A rule refused something.
    #[error("refused: {}", .0.iter().map(|finding| format!("{}: {}", finding.rule, finding.text)).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Finding>),
    /// A person stopped, or nobody answers.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// Somebody who is not here is awaited.
    #[error("{what}")]
    Waiting {
        /// For what.
        what: String,
        /// What to do.
        then: &'static str,
    },
    /// A token failed for good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The disk failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The record does not allow what would come next.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
}

impl From<Finding> for Halt {
    fn from(finding: Finding) -> Self {
        Self::Refused(vec![finding])
    }
}

/// What a ceremony is about: everything fixed before it begins.
pub struct Subject<'a> {
    /// The script's kind.
    pub kind: &'static Kind,
    /// The script.
    pub script: &'a Script,
    /// The script's exact bytes.
    pub script_bytes: &'a [u8],
    /// What was carried in.
    pub trusted: &'a Trusted,
    /// The plan.
    pub planned: &'a Planned,
    /// Rehearsal or production.
    pub mode: Mode,
    /// The ceremony id.
    pub ceremony: Sha256,
    /// Whether one holder signs a travelling document instead of running the whole.
    pub signing_only: bool,
}

/// A ceremony under way.
pub struct Runner<'a> {
    subject: &'a Subject<'a>,
    operator: &'a mut dyn Operator,
    world: &'a mut dyn World,
    sink: &'a mut dyn Sink,
    progress: Progress,
    candidates: Arc<[Candidate]>,
    session: Option<(String, TokenInfo)>,
}

impl<'a> Runner<'a> {
    /// A runner that starts where `progress` ends (fresh, or folded from a transcript).
    pub fn new(
        subject: &'a Subject<'a>,
        progress: Progress,
        operator: &'a mut dyn Operator,
        world: &'a mut dyn World,
        sink: &'a mut dyn Sink,
    ) -> Self {
        Self {
            subject,
            operator,
            world,
            sink,
            progress,
            candidates: Arc::default(),
            session: None,
        }
    }

    /// Runs to the end, or to where it must stop; a stop is on record too.
    ///
    /// # Errors
    /// [`Halt`].
    pub fn run(mut self, opened: &Event) -> Result<Progress, Halt> {
        let result = self.work(opened);
        self.end_session();
        self.world.destroy_ephemeral();
        self.world.forget();
        if let Err(halt) = &result
            && self.progress.status() == Status::Running
            && !matches!(halt, Halt::World(_) | Halt::Illegal(_))
        {
            self.emit(Event::Paused {
                reason: halt.to_string(),
            })?;
        }
        result.map(|()| self.progress)
    }

    fn work(&mut self, opened: &Event) -> Result<(), Halt> {
        match self.progress.status() {
            Status::Fresh => self.emit(opened.clone())?,
            Status::Closed => return Ok(()),
            Status::Aborted | Status::Running | Status::Paused => {}
        }
        if self.progress.plan().is_none() {
            let Planned {
                sha256,
                steps,
                minutes,
                ..
            } = self.subject.planned;
            self.emit(Event::PlanFixed {
                sha256: *sha256,
                steps: steps.clone(),
                minutes: *minutes,
            })?;
        }
        self.recover()?;
        while let Some(step) = self.progress.steps().get(self.progress.current()).cloned() {
            let index = self.progress.current();
            if self.progress.state(index) != StepState::Running
                || self.progress.status() == Status::Paused
            {
                self.emit(Event::StepStarted { step: index })?;
            }
            self.settle_pending()?;
            self.step(&step)?;
            self.emit(Event::StepDone { step: index })?;
        }
        if self.progress.status() != Status::Closed {
            self.emit(Event::Closed)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), Halt> {
        match step {
            Step::Confirm => self.confirm(),
            Step::Clock => self.clock(),
            Step::Intake => self.intake(),
            Step::Supersede { document } => self.supersede(document),
            Step::Enrol {
                holder,
                role,
                generate,
                keyid,
            } => self.enrol(holder, role, *generate, keyid.as_ref()),
            Step::Prove { holder, role, key } => self.prove(holder, role, key),
            Step::OpenBag { holder } => self.open_bag(holder),
            Step::Provision { holder } => self.provision(holder),
            Step::CloseBag { holder } => self.close_bag(holder),
            Step::Ephemeral { role, algorithms } => self.make_ephemeral(role, algorithms),
            Step::MakeOnline { name, algorithm } => self.make_online(name, *algorithm),
            Step::BackUp { .. } => self.back_up(),
            Step::OpenBackup { .. } => self.open_backup(),
            Step::Restore { holder, keyid } => self.restore(holder, keyid),
            Step::RestoreFile { keyid } => self.restore_file(keyid),
            Step::Decide => self.decide(),
            Step::Build => self.build(),
            Step::Review { document } => self.review(document),
            Step::ReviewBatch => self.review_batch(),
            Step::Shadow => self.shadow(),
            Step::SignEphemeral { document } => self.sign_ephemeral(document),
            Step::DestroyEphemeral => self.destroy_ephemeral(),
            Step::Sign {
                document,
                holder,
                key,
            } => self.sign_planned(document, holder, key),
            Step::SignBatch { holder, key } => self.sign_batch(holder, key),
            Step::Collect => self.collect(),
            Step::Export => self.export(),
            Step::Verdict => self.verdict(),
            Step::Abandon => self.abandon(),
            Step::Close => self.close(),
        }
    }

    /// Rebuilds what the events name and memory lost: the candidates, from the same script, inputs and keys; they must be the recorded ones.
    fn recover(&mut self) -> Result<(), Halt> {
        let ephemeral_lost = self
            .progress
            .enrolled()
            .iter()
            .any(|key| key.holder == super::EPHEMERAL)
            && !self.progress.ephemeral_destroyed()
            && !self.ephemeral_done();
        if ephemeral_lost {
            return Err(Finding::error(
                "EPHEMERAL-LOST",
                "",
                "the ephemeral keys were in memory only and are gone; nothing they signed left this machine: start again with an empty output folder",
            )
            .into());
        }
        self.refuse_lost_online()?;
        if self.progress.documents().is_empty() {
            return Ok(());
        }
        self.candidates = self.built()?.into();
        let recorded = self.progress.documents();
        // An interruption in the midst of building leaves the first of them on record.
        let building = matches!(
            self.progress.steps().get(self.progress.current()),
            Some(Step::Build)
        );
        let whole = recorded.len() == self.candidates.len()
            || (building && recorded.len() < self.candidates.len());
        let mut pairs = recorded.iter().zip(&*self.candidates);
        let same = whole
            && pairs.all(|(known, candidate)| {
                known.document == candidate.document && known.payload == candidate.payload()
            });
        if same {
            return Ok(());
        }
        Err(Finding::error(
            "RESUME-PAYLOAD",
            "",
            "the candidates built now are not the recorded ones: script, input or program changed",
        )
        .into())
    }

    fn ephemeral_done(&self) -> bool {
        self.progress
            .steps()
            .iter()
            .enumerate()
            .all(|(index, step)| {
                !matches!(step, Step::SignEphemeral { .. })
                    || self.progress.state(index) == StepState::Done
            })
    }

    fn material(&self) -> Material<'_> {
        // Decided here, or in the room from which the document came.
        let here = self.progress.steps().contains(&Step::Decide);
        let decisions = if here {
            self.progress.decisions()
        } else {
            &self.subject.trusted.decisions
        };
        Material {
            script: self.subject.script,
            trusted: self.subject.trusted,
            enrolled: self.progress.enrolled(),
            decisions: Some(decisions),
            mode: self.subject.mode,
        }
    }

    #[allow(
        clippy::needless_pass_by_value,
        reason = "an event is made to be given away"
    )]
    fn emit(&mut self, event: Event) -> Result<(), Halt> {
        self.progress.apply(&event)?;
        self.sink.record(&event)?;
        Ok(())
    }

    /// Several events of which none leads to anything before all are on record.
    fn emit_all(&mut self, events: &[Event]) -> Result<(), Halt> {
        record(&mut self.progress, self.sink, events)
    }

    fn index(&self) -> usize {
        self.progress.current()
    }
}

fn record(progress: &mut Progress, sink: &mut dyn Sink, events: &[Event]) -> Result<(), Halt> {
    if events.is_empty() {
        return Ok(());
    }
    for event in events {
        progress.apply(event)?;
    }
    sink.record_all(events)?;
    Ok(())
}
