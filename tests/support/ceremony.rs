//! One run of the program over a script: its room, its answers and its PINs.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tuf_ceremony::ceremony::event::{Mode, ceremony_id};
use tuf_ceremony::ceremony::intake::{InputFile, intake};
use tuf_ceremony::ceremony::plan::{KeyChoice, Step};
use tuf_ceremony::ceremony::progress::Progress;
use tuf_ceremony::ceremony::script::Script;
use tuf_ceremony::ceremony::{kinds, planning};

use super::record;
use super::stage::{Outcome, PIN, PROGRAM, Stage, outcome, pin, softhsm};

/// One run of a script; change what the test is about, then [`Ceremony::run`].
#[derive(Clone)]
pub struct Ceremony<'s> {
    stage: &'s Stage,
    pub name: String,
    pub script: String,
    pub mode: &'static str,
    pub task: &'static str,
    /// Holders with a token in this room.
    pub here: Vec<String>,
    /// Whether holders bring their registers of signed digests.
    pub registers: bool,
    /// PIN lines; none: the right one for every login that the plan takes.
    pub pins: Option<String>,
    /// Answers that come before the usual ones, by prompt.
    pub answers: Vec<(String, String)>,
    /// What `faketime` makes the program believe, as `2026-11-22 00:00:00`.
    pub at: Option<String>,
    /// Modules of the room, by path.
    pub modules: Vec<String>,
    /// What else the room says.
    pub more_room: String,
    /// More lines of each module's entry.
    pub flags: &'static str,
}

impl<'s> Ceremony<'s> {
    /// A rehearsal of `script` with these holders.
    pub fn of(stage: &'s Stage, name: &str, script: String, here: Vec<String>) -> Self {
        Self {
            stage,
            name: name.to_owned(),
            script,
            mode: "rehearsal",
            task: "ceremony",
            here,
            registers: true,
            pins: None,
            answers: Vec::new(),
            at: None,
            modules: vec![softhsm()],
            more_room: String::new(),
            flags: "",
        }
    }

    /// Carries in the chain, roles and register of the bundle before.
    pub fn after(self, before: &Path) -> Self {
        let trusted = self.input().join("trusted");
        fs::create_dir_all(&trusted).unwrap();
        for entry in fs::read_dir(before.join("metadata")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), trusted.join(entry.file_name())).unwrap();
        }
        let holders = before.join("ceremony/holders.toml");
        fs::copy(holders, self.input().join("holders.toml")).unwrap();
        // Bundles of parts have none.
        let _ = fs::copy(
            before.join("ceremony/ledger.jsonl"),
            self.input().join("ledger.jsonl"),
        );
        self
    }

    /// Only these holders are here.
    pub fn here(mut self, holders: &[&str]) -> Self {
        self.here = holders.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Puts a file in the input folder.
    pub fn carry_in(self, from: &Path, to: &str) -> Self {
        let target = self.input().join(to);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from, target).unwrap();
        self
    }

    /// Answers a prompt otherwise than usual, once.
    pub fn answer(mut self, prompt: &str, answer: &str) -> Self {
        self.answers.push((prompt.to_owned(), answer.to_owned()));
        self
    }

    /// These PIN lines and no others.
    pub fn pins(mut self, lines: &str) -> Self {
        self.pins = Some(lines.to_owned());
        self
    }

    /// At another time.
    pub fn at(mut self, utc: &str) -> Self {
        self.at = Some(utc.to_owned());
        self
    }

    pub fn input(&self) -> PathBuf {
        self.stage.path(&self.name).join("in")
    }

    pub fn output(&self) -> PathBuf {
        self.stage.bundle(&self.name)
    }

    /// Runs the program to its end.
    pub fn run(&self) -> Outcome {
        outcome(self.command().output().unwrap())
    }

    /// Runs the program, which must finish, and gives the bundle's folder.
    pub fn finish(&self) -> PathBuf {
        let outcome = self.run();
        assert_eq!(outcome.code, 0, "{}: {outcome:?}", self.name);
        assert!(record::transcript(&self.output()).is_complete());
        self.output()
    }

    /// The command, with its files written.
    pub fn command(&self) -> Command {
        let folder = self.stage.path(&self.name);
        fs::create_dir_all(self.input()).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let script = write("script.toml", &self.script);
        let room = write("room.toml", &self.room());
        let answers = write("answers.toml", &self.answers_file());
        let pins = self.pins.clone().unwrap_or_else(|| self.right_pins());
        let pins = File::open(write("pins", &pins)).unwrap();
        let mut command = match &self.at {
            Some(at) => {
                let mut command = self.stage.command("faketime");
                command.env("TZ", "UTC").arg(at).arg(PROGRAM);
                command
            }
            None => self.stage.program(),
        };
        command.arg("run").arg(script).arg("--room").arg(room);
        command.arg("--in").arg(self.input());
        command.arg("--out").arg(self.output());
        command.args(["--headless", "--pin-fd", "0", "--answers"]);
        command.arg(answers).stdin(Stdio::from(pins));
        command
    }

    /// The command under strace with an injection into its `fsync` calls, which come one for each line on record and each file.
    pub fn command_with(&self, injection: &str) -> Command {
        let command = self.command();
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e"]);
        traced.arg(format!("inject=fsync:{injection}"));
        traced.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            traced.env(name, value.unwrap());
        }
        let pins = File::open(self.stage.path(&self.name).join("pins")).unwrap();
        traced.stdin(Stdio::from(pins));
        traced
    }

    fn room(&self) -> String {
        let mut room = format!(
            "schema = \"tuf-ceremony/room/1\"\nmode = \"{}\"\ntask = \"{}\"\n",
            self.mode, self.task
        );
        for (number, module) in self.modules.iter().enumerate() {
            let name = if number == 0 { "softhsm" } else { "others" };
            let _ = write!(
                room,
                "\n[[module]]\nname = \"{name}\"\npath = \"{module}\"\n{}",
                self.flags
            );
        }
        for holder in &self.here {
            if !self.script.contains(&format!("name = \"{holder}\"")) {
                continue;
            }
            let serial = self.stage.serial(holder);
            let _ = write!(
                room,
                "\n[[holder]]\nname = \"{holder}\"\ntoken = \"pkcs11:serial={serial}\"\n"
            );
            if self.registers {
                let register = self.stage.path(format!("signed-by-{holder}.jsonl"));
                let _ = writeln!(room, "register = \"{}\"", register.display());
            }
        }
        room.push_str(&self.more_room);
        room
    }

    /// What well-behaved people answer to every prompt that this script can come to, as often as it may come.
    fn answers_file(&self) -> String {
        let mut usual = vec![
            ("plan".to_owned(), "we agree on this plan".to_owned()),
            ("clock".to_owned(), "agree".to_owned()),
            ("close".to_owned(), "done".to_owned()),
            ("ephemeral:medium".to_owned(), "none".to_owned()),
            (
                "ephemeral:witnesses".to_owned(),
                "Wanda Witness, Walt Witness".to_owned(),
            ),
        ];
        for role in tuf_ceremony::ceremony::script::ROLES {
            for version in 1..20 {
                let review = format!("review:{role}-{version}");
                usual.push((review, format!("sign {role} v{version}")));
                for holder in &self.here {
                    let token = format!("token:sign:{role}-{version}:{holder}");
                    usual.extend(vec![(token, "ready".to_owned()); 3]);
                }
            }
            for holder in &self.here {
                // SoftHSM vouches for nothing.
                let unattested = format!("unattested:{role}-key:{holder}");
                usual.push((unattested, "nobody vouches for this key".to_owned()));
                for token in [
                    format!("token:{role}-key:{holder}"),
                    format!("token:prove:{role}:{holder}"),
                ] {
                    usual.extend(vec![(token, "ready".to_owned()); 2]);
                }
            }
        }
        let mut text = "schema = \"tuf-ceremony/answers/1\"\n".to_owned();
        for (prompt, answer) in self.answers.iter().chain(&usual) {
            let _ = write!(
                text,
                "\n[[answer]]\nprompt = \"{prompt}\"\nanswer = \"{answer}\"\n"
            );
        }
        text
    }

    /// One line for each login that is still to come.
    pub fn right_pins(&self) -> String {
        let lines = self.logins().into_iter();
        lines.map(|holder| pin(&holder, PIN)).collect()
    }

    fn logins(&self) -> Vec<String> {
        if self.task == "sign" {
            return self.here.clone();
        }
        let recorded = fs::read(self.output().join("transcript.jsonl")).unwrap_or_default();
        // A last line that a crash left half written is cut off by the program, too.
        let whole = recorded.iter().rposition(|byte| *byte == b'\n');
        let whole = &recorded[..whole.map_or(0, |newline| newline + 1)];
        let transcript = tuf_ceremony::transcript::read(whole).unwrap();
        let progress = transcript.progress();
        let planned = self.planned();
        let mut logins: Vec<String> = Vec::new();
        for step in planned.iter().skip(progress.current()) {
            let Some(holder) = asks(step, progress).filter(|name| self.here.contains(name)) else {
                continue;
            };
            if logins.last() != Some(&holder) {
                logins.push(holder);
            }
        }
        logins
    }

    fn planned(&self) -> Vec<Step> {
        let bytes = self.script.as_bytes();
        let Ok(script) = Script::parse("script.toml", bytes) else {
            return Vec::new();
        };
        let files = ["trusted", "."].into_iter().flat_map(|folder| {
            let entries = fs::read_dir(self.input().join(folder)).ok();
            let entries = entries.into_iter().flatten().map(Result::unwrap);
            let files = entries.filter(|entry| entry.path().is_file());
            files.map(move |entry| InputFile {
                path: format!("{folder}/{}", entry.file_name().display())
                    .trim_start_matches("./")
                    .to_owned(),
                bytes: fs::read(entry.path()).unwrap(),
            })
        });
        let now = jiff::Timestamp::now();
        let Ok(trusted) = intake(&script, files.collect(), Vec::new(), Mode::Rehearsal, now) else {
            return Vec::new();
        };
        let ceremony = ceremony_id(bytes, script.trusted_root_sha256);
        let Ok(kind) = kinds::of("script.toml", &script) else {
            return Vec::new();
        };
        planning::plan(kind, &script, &trusted, ceremony).steps
    }
}

/// Whose token a step asks for, unless the record has what it is for.
fn asks(step: &Step, progress: &Progress) -> Option<String> {
    let enrolled = |holder: &str, role: &str| {
        let mut keys = progress.enrolled().iter();
        keys.find(|key| key.holder == holder && key.role == role)
            .map(|key| key.keyid.clone())
    };
    match step {
        Step::Enrol { holder, role, .. } if enrolled(holder, role).is_none() => {
            Some(holder.clone())
        }
        Step::Prove {
            holder,
            role,
            key: KeyChoice::Keyid(keyid),
        } if !progress.evidence().is_proven(role, keyid) => Some(holder.clone()),
        Step::Sign {
            document,
            holder,
            key,
        } => {
            let keyid = match key {
                KeyChoice::Keyid(keyid) => Some(keyid.clone()),
                KeyChoice::Made { role } => enrolled(holder, role),
            };
            let known = progress.document(document);
            let signed = keyid.is_some_and(|id| known.is_some_and(|known| known.is_signed_by(&id)));
            (!signed).then(|| holder.clone())
        }
        _ => None,
    }
}
