//! One ceremony from files to outcome: everything is read and checked before a token is opened or a byte written; then the ceremony runs, or goes on where
//! its transcript ends.

mod inputs;
mod opening;
mod preparation;
pub mod vetting;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::preparation::Preparation;

use super::config::Task;
use super::failure::Failure;
use super::record::{Record, RecordingSink};
use super::world::RoomWorld;
use crate::ceremony::event::{Event, FileDigest, Mode};
use crate::ceremony::intake::Trusted;
use crate::ceremony::kinds::Kind;
use crate::ceremony::planning::Planned;
use crate::ceremony::port::{Operator, Sink};
use crate::ceremony::progress::{Progress, Status};
use crate::ceremony::runner::{Runner, Subject};
use crate::ceremony::script::Script;
use crate::token::Module;
use crate::token::worker::Keeper;
use crate::transcript::Transcript;
use crate::tuf::digest::Sha256;

/// What `run` was given.
pub struct Paths {
    /// The reviewed script.
    pub script: PathBuf,
    /// The room file.
    pub room: PathBuf,
    /// The folder carried in.
    pub input: PathBuf,
    /// The folder carried away.
    pub output: PathBuf,
}

/// A ceremony that is ready to begin or to go on.
pub struct Session {
    script_bytes: Vec<u8>,
    script: Script,
    kind: &'static Kind,
    trusted: Trusted,
    planned: Planned,
    mode: Mode,
    ceremony: Sha256,
    signing_only: bool,
    opened: Event,
    world: RoomWorld,
    record: Record,
}

/// A ceremony that reached its end.
pub struct Done {
    /// What happened, for people.
    pub lines: Vec<String>,
    /// Whether it had ended before, and nothing was done.
    pub was_closed: bool,
    /// The folder to be carried away.
    pub bundle: PathBuf,
    /// SHA-256 of the transcript's last line.
    pub head: Option<Sha256>,
    /// The modules, for another ceremony in the same program.
    pub modules: Vec<Box<dyn Module>>,
}

impl Session {
    /// Reads and checks everything that needs no token, and opens the modules of the room.
    ///
    /// # Errors
    /// [`Failure`]; nothing was written.
    pub fn open(paths: &Paths, keeper: &Keeper) -> Result<Self, Failure> {
        Self::open_with(paths, keeper, Vec::new())
    }

    /// As [`Self::open`], with further modules (software tokens of a rehearsal).
    ///
    /// # Errors
    /// [`Failure`]; nothing was written.
    pub fn open_with(
        paths: &Paths,
        keeper: &Keeper,
        more: Vec<Box<dyn Module>>,
    ) -> Result<Self, Failure> {
        let Preparation {
            script_bytes,
            script,
            kind,
            room,
            trusted,
            planned,
            ceremony,
        } = Preparation::read(paths)?;
        let signing_only = room.task == Task::Sign;
        inputs::check_output(&paths.output)?;
        let record =
            Record::open(&paths.output).map_err(|fault| Failure::disk(fault.to_string()))?;
        let modules = opening::open_modules(&room, paths, keeper, more)?;
        let world = opening::open_world(
            &room,
            &script,
            &trusted,
            ceremony,
            paths,
            record.clone(),
            modules,
        )?;
        let opened = opening::opened(
            &script,
            &script_bytes,
            kind,
            &trusted,
            ceremony,
            &world,
            signing_only,
        );
        let session = Self {
            script_bytes,
            script,
            kind,
            trusted,
            planned,
            mode: room.mode,
            ceremony,
            signing_only,
            opened,
            world,
            record,
        };
        session.check_resumed()?;
        Ok(session)
    }

    /// The plan that these files give, to be printed before the day: no module is loaded and nothing is written.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn plan(paths: &Paths) -> Result<Planned, Failure> {
        Preparation::read(paths).map(|preparation| preparation.planned)
    }

    /// Rehearsal or production.
    pub fn mode(&self) -> Mode {
        self.mode
    }
    /// The script's title.
    pub fn title(&self) -> &str {
        &self.script.title
    }
    /// The ceremony id.
    pub fn ceremony(&self) -> Sha256 {
        self.ceremony
    }
    /// The trusted root.
    pub fn trusted_root(&self) -> Option<Sha256> {
        self.script.trusted_root_sha256
    }

    /// `Today: root v8.`, who is here, how much there is to do: for the opening page.
    pub fn today(&self) -> Vec<String> {
        let documents: Vec<_> = (self.kind.documents)(&self.script, &self.trusted)
            .iter()
            .map(ToString::to_string)
            .collect();
        let progress = self.record.transcript().progress().clone();
        let here: Vec<_> = self
            .script
            .holders
            .iter()
            .enumerate()
            .filter(|(_, holder)| self.world.holders.contains_key(&holder.name))
            .map(|(index, holder)| format!("holder {} ({})", index + 1, holder.name))
            .collect();
        let what = if documents.is_empty() {
            self.kind.about.to_owned()
        } else {
            documents.join(", ")
        };
        let mut lines = vec![format!("Today: {what}.")];
        lines.push(match here.as_slice() {
            [] => {
                "No holder of this script has a token in this room: signatures are made elsewhere."
                    .to_owned()
            }
            [one] => format!("You are {one}."),
            several => format!("Here: {}.", several.join(", ")),
        });
        for module in &self.world.modules {
            if let Some(reach) = module.identity().reach_in_words() {
                lines.push(format!("The module {} {reach}.", module.name()));
            }
        }
        lines.push(format!(
            "{} steps, about {} minutes.",
            self.planned.steps.len(),
            self.planned.minutes
        ));
        if progress.current() > 0 {
            lines.push(format!(
                "Goes on at step {} of {}: the transcript has everything before it.",
                progress.current() + 1,
                progress.steps().len()
            ));
        }
        lines.extend(
            self.trusted
                .findings
                .iter()
                .map(|finding| format!("{}: {}", finding.rule, finding.text)),
        );
        lines
    }

    /// Runs the ceremony to its end, or to where it stops.
    ///
    /// # Errors
    /// [`Failure`]; the record says how far it came.
    pub fn run(
        mut self,
        operator: &mut dyn Operator,
        observer: &mut dyn Sink,
    ) -> Result<Done, Failure> {
        self.record
            .tell_torn()
            .map_err(|fault| Failure::disk(fault.to_string()))?;
        let progress = self.record.transcript().progress().clone();
        let was_closed = progress.status() == Status::Closed;
        let subject = Subject {
            kind: self.kind,
            script: &self.script,
            script_bytes: &self.script_bytes,
            trusted: &self.trusted,
            planned: &self.planned,
            mode: self.mode,
            ceremony: self.ceremony,
            signing_only: self.signing_only,
        };
        let replay = self.record.transcript();
        for line in &replay.lines {
            let _ = observer.record(&line.event);
        }
        let mut sink = RecordingSink {
            record: self.record.clone(),
            observer,
        };
        let runner = Runner::new(&subject, progress, operator, &mut self.world, &mut sink);
        let progress = runner
            .run(&self.opened)
            .map_err(|halt| Failure::halted(&halt))?;
        let mut lines = done(&progress);
        if was_closed {
            lines.push("This ceremony was finished before; nothing was done.".to_owned());
        }
        Ok(Done {
            lines,
            was_closed,
            bundle: self.world.output,
            head: self.record.head(),
            modules: self.world.modules,
        })
    }

    /// A transcript that lies there must be this ceremony's.
    fn check_resumed(&self) -> Result<(), Failure> {
        let transcript = self.record.transcript();
        let progress = transcript.progress();
        let Some(opening) = progress.opening() else {
            return Ok(());
        };
        let same = opening.ceremony == self.ceremony
            && opening.mode == self.mode
            && progress
                .plan()
                .is_none_or(|plan| plan == self.planned.sha256);
        if !same {
            return Err(Failure::usage(
                "the output folder holds the transcript of another ceremony (another script, trusted root, mode or part); give an empty folder",
            ));
        }
        match self.changed_since_taken_in(&transcript) {
            Some(path) => Err(Failure::usage(format!(
                "the input's {path} is not the file that was taken in when this ceremony began; carry in the same folder"
            ))),
            None => Ok(()),
        }
    }

    /// A file on record as taken in that is gone or has other bytes now.
    fn changed_since_taken_in(&self, transcript: &Transcript) -> Option<String> {
        let events = transcript.lines.iter().map(|line| &line.event);
        let mut taken_in = events.filter_map(|event| match event {
            Event::TakenIn { file } => Some(file),
            _ => None,
        });
        let now = self.trusted.files.iter();
        let now: BTreeMap<&str, Sha256> = now.map(|file| (&*file.path, file.sha256)).collect();
        let is_there = |file: &FileDigest| now.get(&*file.path) == Some(&file.sha256);
        let changed = taken_in.find(|file| !is_there(file))?;
        Some(changed.path.clone())
    }
}

/// The end in sentences.
fn done(progress: &Progress) -> Vec<String> {
    let alone = progress.documents().iter().filter(|known| !known.batched);
    let mut lines: Vec<_> = alone
        .map(|known| {
            let counts = known.quorums.iter().map(|quorum| {
                format!(
                    "by {}: {} needed, {} signed",
                    quorum.by,
                    quorum.needed,
                    known.signed(quorum).count()
                )
            });
            format!(
                "{}: {}",
                known.document,
                counts.collect::<Vec<_>>().join("; ")
            )
        })
        .collect();
    let batch = progress.batch();
    let (whole, rest): (Vec<_>, Vec<_>) = batch.partition(|known| known.is_complete());
    if !whole.is_empty() || !rest.is_empty() {
        lines.push(format!(
            "the batch: {} of {} documents have every signature they need",
            whole.len(),
            whole.len() + rest.len()
        ));
    }
    let proven = progress.evidence().proven();
    lines.extend(proven.iter().map(|key| {
        format!(
            "The {} key of {} proved itself alive (token {}).",
            key.role, key.holder, key.token.serial
        )
    }));
    lines.push(match progress.verdict() {
        Some(true) => "The bundle was verified as it lies on the medium.".to_owned(),
        Some(false) => "The bundle did NOT verify.".to_owned(),
        None => "The files were written and read back.".to_owned(),
    });
    lines
}
