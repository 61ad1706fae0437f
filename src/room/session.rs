//! One ceremony from files to outcome: everything is read and checked before a token is opened or a byte written; then the ceremony runs, or goes on where
//! its transcript ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::clock;
use super::config::{Room, Task};
use super::failure::Failure;
use super::record::{Record, RecordingSink};
use super::world::{Present, RoomWorld, throwaway};
use crate::bundle::files;
use crate::bundle::part::{AbandonedRecord, Part};
use crate::ceremony::event::{Abandoned, Event, Mode};
use crate::ceremony::intake::{self, InputFile, Trusted};
use crate::ceremony::kinds::{self, Kind};
use crate::ceremony::planning::{self, Planned};
use crate::ceremony::port::{Operator, Sink};
use crate::ceremony::prepare;
use crate::ceremony::progress::Progress;
use crate::ceremony::runner::{Runner, Subject};
use crate::ceremony::script::Script;
use crate::token::Module;
use crate::token::pkcs11::Pkcs11Module;
use crate::token::software::EphemeralKeys;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

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
    /// SHA-256 of the transcript's last line.
    pub head: Option<Sha256>,
    /// The modules, for another ceremony in the same program.
    pub modules: Vec<Box<dyn Module>>,
}

impl Session {
    /// Reads and checks everything that needs no token.
    ///
    /// # Errors
    /// [`Failure`]; nothing was written.
    pub fn open(paths: Paths) -> Result<Self, Failure> {
        Self::open_with(paths, Vec::new())
    }

    /// As [`Self::open`], with further modules (software tokens of a rehearsal).
    ///
    /// # Errors
    /// [`Failure`]; nothing was written.
    pub fn open_with(paths: Paths, more: Vec<Box<dyn Module>>) -> Result<Self, Failure> {
        let one = |finding: Finding| Failure::refused(&[finding]);
        let script_bytes = read(&paths.script)?;
        let script =
            Script::parse(&paths.script.display().to_string(), &script_bytes).map_err(one)?;
        let kind = kinds::find(&script.kind)
            .ok_or_else(|| Failure::usage(format!("there is no kind {:?}", script.kind)))?;
        let room =
            Room::parse(&paths.room.display().to_string(), &read(&paths.room)?).map_err(one)?;
        let inputs = read_input(&paths.input)?;
        let now = clock::now();
        let abandoned = abandoned(&inputs).map_err(one)?;
        let ceremony = planning::ceremony_id(&script_bytes, script.trusted_root_sha256);
        let parts = parts(&inputs).map_err(one)?;
        let trusted = intake::intake(&script, trusted_files(inputs), abandoned, room.mode, now)
            .map_err(|findings| Failure::refused(&findings))?;
        let signing_only = room.task == Task::Sign;
        let planned = if signing_only {
            let documents: Vec<_> = parts
                .into_iter()
                .filter(|part| part.ceremony == ceremony)
                .map(|part| part.document)
                .collect();
            let present: Vec<_> = room
                .holders
                .iter()
                .map(|holder| holder.name.clone())
                .collect();
            planning::sign_plan(&script, &trusted, ceremony, &documents, &present)
        } else {
            let planned = planning::plan(kind, &script, &trusted, ceremony);
            prepare::check(
                kind,
                &script,
                &trusted,
                &planned,
                room.mode,
                now,
                &mut |algorithm| throwaway(algorithm),
            )
            .map_err(|findings| Failure::refused(&findings))?;
            planned
        };
        check_output(&paths.output)?;
        let record =
            Record::open(&paths.output).map_err(|fault| Failure::disk(fault.to_string()))?;
        let world = open_world(
            &room,
            &script,
            &trusted,
            ceremony,
            &paths,
            record.clone(),
            more,
        )?;
        let opened = opened(
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
        let progress = self.record.transcript().progress().clone();
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
        Ok(Done {
            lines: done(&progress),
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
        if same {
            return Ok(());
        }
        Err(Failure::usage(
            "the output folder holds the transcript of another ceremony (another script, trusted root, mode or part); give an empty folder",
        ))
    }
}

/// The end in sentences.
fn done(progress: &Progress) -> Vec<String> {
    let mut lines: Vec<_> = progress
        .documents()
        .iter()
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
    lines.push(match progress.verdict() {
        Some(true) => "The bundle was verified as it lies on the medium.".to_owned(),
        Some(false) => "The bundle did NOT verify.".to_owned(),
        None => "The files were written and read back.".to_owned(),
    });
    lines
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path, files::SMALL_CAP).map_err(|fault| unread(&fault))
}

fn unread(fault: &files::FileError) -> Failure {
    match fault.refusal() {
        Some(refusal) => Failure::refused(&[refusal]),
        None if fault.is_absent() => Failure::usage(fault.to_string()),
        None => Failure::disk(fault.to_string()),
    }
}

/// Two names that differ only in case are one file on the next medium: which of them it would be, nobody could say.
fn read_input(folder: &Path) -> Result<Vec<files::File>, Failure> {
    let inputs = files::read_folder(folder).map_err(|fault| unread(&fault))?;
    let mut names = BTreeMap::new();
    for file in &inputs {
        if let Some(twin) = names.insert(file.path.to_lowercase(), &file.path) {
            let text = format!(
                "{twin:?} and {:?} differ only in case; some media cannot hold both",
                file.path
            );
            return Err(Failure::refused(&[Finding::error(
                "INTAKE-TWINS",
                &folder.display().to_string(),
                text,
            )]));
        }
    }
    Ok(inputs)
}

fn trusted_files(inputs: Vec<files::File>) -> Vec<InputFile> {
    inputs
        .into_iter()
        .filter(|file| file.path == "holders.toml" || file.path.starts_with("trusted/"))
        .map(|file| InputFile {
            path: file.path,
            bytes: file.bytes,
        })
        .collect()
}

fn abandoned(inputs: &[files::File]) -> Result<Vec<Abandoned>, Finding> {
    let mut abandoned = Vec::new();
    for file in inputs
        .iter()
        .filter(|file| file.path.starts_with("abandoned/") && file.path.ends_with(".json"))
    {
        abandoned.extend(AbandonedRecord::parse(&file.path, &file.bytes)?.abandoned);
    }
    Ok(abandoned)
}

fn parts(inputs: &[files::File]) -> Result<Vec<Part>, Finding> {
    inputs
        .iter()
        .filter(|file| file.path.starts_with("parts/") && file.path.ends_with(".part.json"))
        .map(|file| Part::parse(&file.path, &file.bytes))
        .collect()
}

/// An output folder is new, empty, or holds a transcript to go on with.
fn check_output(output: &Path) -> Result<(), Failure> {
    let found = match files::read_folder(output) {
        Ok(found) => found,
        Err(fault) if fault.is_absent() => return Ok(()),
        Err(fault) => return Err(Failure::disk(fault.to_string())),
    };
    if found.is_empty()
        || found
            .iter()
            .any(|file| file.path == crate::transcript::NAME)
    {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} is not empty and holds no ceremony; give a new folder",
        output.display()
    )))
}

fn open_world(
    room: &Room,
    script: &Script,
    trusted: &Trusted,
    ceremony: Sha256,
    paths: &Paths,
    record: Record,
    more: Vec<Box<dyn Module>>,
) -> Result<RoomWorld, Failure> {
    let mut modules = more;
    for module in &room.modules {
        let loaded = Pkcs11Module::load(&module.name, &module.path, module.init_args.as_deref())
            .map_err(|fault| Failure::token(&fault))?;
        modules.push(Box::new(loaded));
    }
    // ICANN's auditors: a software module on the ceremony machine could be used instead of the HSM by accident.
    let software = modules.iter().find(|module| {
        module
            .identity()
            .description
            .to_lowercase()
            .contains("softhsm")
    });
    if let Some(module) = software.filter(|_| room.mode == Mode::Production) {
        let text = format!(
            "the module {} is SoftHSM, which keeps keys in files; a production ceremony refuses it",
            module.name()
        );
        return Err(Failure::refused(&[Finding::error(
            "ROOM-SOFTWARE",
            &paths.room.display().to_string(),
            text,
        )]));
    }
    let mut holders = BTreeMap::new();
    for holder in &room.holders {
        let uri = holder.uri().map_err(Failure::usage)?;
        if script.holder(&holder.name).is_none() {
            return Err(Failure::refused(&[Finding::error(
                "ROOM-HOLDER",
                &paths.room.display().to_string(),
                format!(
                    "the room names a token for {:?}, who is not in the script",
                    holder.name
                ),
            )]));
        }
        holders.insert(
            holder.name.clone(),
            Present {
                uri,
                register: holder.register.clone(),
            },
        );
    }
    let root = trusted.chain.as_ref().and_then(|chain| chain.roots.first());
    let anchor = root
        .filter(|first| first.root.header.version == 1)
        .map(|first| Sha256::of(first.envelope.bytes()));
    Ok(RoomWorld {
        mode: room.mode,
        ceremony,
        trusted_root: root.map(|first| (first.file.clone(), first.envelope.bytes().to_vec())),
        anchor,
        modules,
        holders,
        input: paths.input.clone(),
        output: paths.output.clone(),
        record,
        ephemeral: EphemeralKeys::default(),
    })
}

fn opened(
    script: &Script,
    bytes: &[u8],
    kind: &Kind,
    trusted: &Trusted,
    ceremony: Sha256,
    world: &RoomWorld,
    signing_only: bool,
) -> Event {
    let program =
        files::read(Path::new("/proc/self/exe"), files::CAP).or_else(|_| running_program());
    Event::Opened {
        tool: format!("tuf-ceremony {}", env!("CARGO_PKG_VERSION")),
        program: Sha256::of(&program.unwrap_or_default()),
        mode: world.mode,
        kind: if signing_only {
            "sign".to_owned()
        } else {
            kind.name.to_owned()
        },
        title: script.title.clone(),
        script: Sha256::of(bytes),
        trusted_root: script.trusted_root_sha256,
        ceremony,
        modules: world
            .modules
            .iter()
            .map(|module| module.identity().clone())
            .collect(),
        holders: trusted.holders_sha256,
    }
}

fn running_program() -> Result<Vec<u8>, files::FileError> {
    files::read(&std::env::current_exe().unwrap_or_default(), files::CAP)
}
