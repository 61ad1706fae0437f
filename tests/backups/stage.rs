//! Software tokens, media and custodians with their sheets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;
use tuf_ceremony::backup::Identities;
use tuf_ceremony::ceremony::event::{Credential, Event};
use tuf_ceremony::ceremony::port::{Operator, Reset, Sink, Stop, WorldError};
use tuf_ceremony::ceremony::prompt::{Ask, EnvelopePrompt, PinPrompt, Prompt, SharePrompt};
use tuf_ceremony::room::rehearsal::{PIN, Rehearser};
use tuf_ceremony::room::session::{Paths, Session};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::token::worker::Keeper;
use tuf_ceremony::tuf::digest::Sha256;

use crate::support::scripts;

const HOLDERS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "spare"];

pub(crate) fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

/// Custodians who keep their sheets, and do as they are told.
pub(crate) struct People {
    rehearser: Rehearser,
    /// What came out of the printer; a custodian takes the newest sheet.
    pub(crate) printer: Option<Arc<Mutex<String>>>,
    /// So many times they do what they are asked for, until they leave.
    pub(crate) patience: usize,
    /// What they do before they are asked for a medium a second time.
    pub(crate) between: Option<Box<dyn FnMut()>>,
    /// What lies in the custodians' safes.
    pub(crate) sheets: BTreeMap<String, String>,
    /// What a custodian types first, instead of the sheet.
    pub(crate) slips: BTreeMap<String, String>,
    /// What is typed for an age identity on a device, one after the other.
    pub(crate) pins: Vec<&'static str>,
    /// Whose first word cannot be read when it is typed next.
    pub(crate) worn: BTreeSet<String>,
    /// What was said of shares that were refused.
    pub(crate) refused: Vec<String>,
    /// The prompt at which everybody leaves.
    pub(crate) stop_at: Option<&'static str>,
    /// What was asked, with its text.
    pub(crate) asked: Vec<(String, String)>,
    /// What happens in the room when this is asked, and, where people answer otherwise than usual, what they answer.
    pub(crate) happens: Option<Happening>,
}

pub(crate) type Happening = Box<dyn FnMut(&str) -> Option<String>>;

impl Default for People {
    fn default() -> Self {
        Self {
            rehearser: Rehearser::default(),
            printer: None,
            patience: 9,
            between: None,
            sheets: BTreeMap::new(),
            slips: BTreeMap::new(),
            pins: Vec::new(),
            worn: BTreeSet::new(),
            refused: Vec::new(),
            stop_at: None,
            asked: Vec::new(),
            happens: None,
        }
    }
}

impl People {
    /// The six lines of the sheet that was printed last.
    fn printed(paper: &Mutex<String>) -> String {
        // The last bytes may still be on their way.
        while !paper.lock().unwrap().ends_with('\x0c') {
            thread::yield_now();
        }
        let mut paper = paper.lock().unwrap();
        let page = paper.trim_end_matches('\x0c');
        let page = page.rsplit('\x0c').next().unwrap().to_owned();
        // The form feed is taken with the sheet.
        paper.push('\n');
        let mut words = page.lines().skip(3).flat_map(str::split_whitespace);
        let mut sheet = String::new();
        for number in 1..=6 {
            assert_eq!(words.next(), Some(number.to_string().as_str()), "{page}");
            let line: Vec<&str> = words.by_ref().take(8).collect();
            let _ = writeln!(sheet, "{}", line.join(" "));
        }
        sheet
    }
}

impl Operator for People {
    fn ask(&mut self, prompt: &Prompt) -> Result<String, Stop> {
        self.asked.push((prompt.id.clone(), prompt.text.join("\n")));
        if self.stop_at.is_some_and(|id| prompt.id == id) {
            return Err(Stop::Paused);
        }
        if let Some(own) = self.happens.as_mut().and_then(|own| own(&prompt.id)) {
            return Ok(own);
        }
        let times = self.asked.iter().filter(|(id, _)| *id == prompt.id).count();
        match prompt.id.split(':').take(2).collect::<Vec<_>>()[..] {
            ["share", _] if times > self.patience => Err(Stop::Paused),
            ["share", "print"] => Ok(
                if matches!(&prompt.ask, Ask::Choice { options } if options[0].id == "type") {
                    "type".to_owned()
                } else {
                    "print".to_owned()
                },
            ),
            ["share", "medium"] => {
                if let Some(between) = self.between.as_mut().filter(|_| times > 1) {
                    between();
                }
                Ok("ready".to_owned())
            }
            _ => self.rehearser.ask(prompt),
        }
    }
    fn pin(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop> {
        if prompt.token.module == "age" {
            let id = format!("pin:{}", prompt.holder);
            self.asked.push((id, prompt.token.serial.clone()));
            return Ok(secret(self.pins.remove(0)));
        }
        self.rehearser.pin(prompt)
    }
    fn envelope(&mut self, prompt: &EnvelopePrompt, fresh: Secret) -> Result<Secret, Stop> {
        self.rehearser.envelope(prompt, fresh)
    }
    fn share(&mut self, prompt: &SharePrompt, shown: Option<Secret>) -> Result<Secret, Stop> {
        self.refused.extend(prompt.after.clone());
        if let Some(paper) = &self.printer {
            let sheet = Self::printed(paper);
            self.sheets.insert(prompt.custodian.clone(), sheet);
        }
        if let Some(shown) = shown {
            let words = shown.expose(|words| String::from_utf8(words.to_vec()).unwrap());
            self.sheets.insert(prompt.custodian.clone(), words);
        }
        if let Some(slip) = self.slips.remove(&prompt.custodian) {
            return Ok(secret(&slip));
        }
        if self.worn.remove(&prompt.custodian) {
            let (_, rest) = self.sheets[&prompt.custodian].split_once(' ').unwrap();
            return Ok(secret(&format!("? {rest}")));
        }
        let typed = prompt.after.is_none() || self.refused.len() < 9;
        let sheet = self.sheets.get(&prompt.custodian).filter(|_| typed);
        sheet
            .map(|sheet| secret(sheet))
            .ok_or_else(|| Stop::NoAnswer(format!("share:{}", prompt.custodian)))
    }
}

#[derive(Default)]
pub(crate) struct Events(pub Vec<Event>);

impl Sink for Events {
    fn record(&mut self, event: &Event) -> Result<(), WorldError> {
        self.0.push(event.clone());
        Ok(())
    }
}

/// A ceremony to be run.
pub(crate) struct Act<'a> {
    pub(crate) name: &'a str,
    pub(crate) script: String,
    pub(crate) before: Option<&'a Path>,
    /// Replaced in the room file.
    pub(crate) room: Vec<(&'a str, String)>,
    /// The medium whose backup is carried in.
    pub(crate) carried: Option<PathBuf>,
}

pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    modules: Vec<Box<dyn Module>>,
    pub(crate) serials: BTreeMap<&'static str, String>,
    recipient: String,
    pub(crate) people: People,
    pub(crate) events: Events,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut module = SoftwareModule::new("software");
        let mut initialised = |holder| {
            let token = module.initialise(holder, &secret(PIN), &secret(PIN));
            (holder, token.unwrap().id.serial)
        };
        let serials = HOLDERS.into_iter().map(&mut initialised).collect();
        let folder = tempfile::tempdir().unwrap();
        let (identity, recipient) = Identities::fresh().unwrap();
        let path = folder.path().join("identity.txt");
        identity
            .expose(|identity| fs::write(path, identity))
            .unwrap();
        Self {
            folder,
            modules: vec![Box::new(module)],
            serials,
            recipient,
            people: People::default(),
            events: Events::default(),
        }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An example script, for the infrastructure and the newest backup of this stage.
    pub(crate) fn example(&self, name: &str, before: Option<&Path>) -> String {
        scripts::example(name, before).replace("age1example", &self.recipient)
    }

    /// A script of a ceremony that opens the backup of another.
    pub(crate) fn opening(&self, name: &str, before: &Path, medium: &Path) -> String {
        let file = fs::read(medium.join("everything.age")).unwrap();
        let zeros = "0".repeat(64);
        self.example(name, Some(before))
            .replacen(&zeros, &Sha256::of(&file).to_string(), 1)
    }

    /// The drill of the backup on a medium.
    pub(crate) fn drill<'a>(&self, name: &'a str, before: &'a Path, medium: &Path) -> Act<'a> {
        Act {
            name,
            script: self.opening("restore-drill", before, medium),
            before: Some(before),
            room: Vec::new(),
            carried: Some(medium.to_owned()),
        }
    }

    /// Where the act called so puts its backup.
    pub(crate) fn medium(&self, act: &str) -> PathBuf {
        self.path(act).join("media/everything")
    }

    /// Runs a ceremony; its bundle, or the lines of its failure. Of a failure no token is left.
    pub(crate) fn run(&mut self, act: &Act<'_>) -> Result<PathBuf, Vec<String>> {
        let folder = self.path(act.name);
        let paths = Paths {
            script: folder.join("script.toml"),
            room: folder.join("room.toml"),
            input: folder.join("in"),
            output: folder.join("out"),
        };
        fs::create_dir_all(&paths.input).unwrap();
        if let Some(before) = act.before {
            let trusted = paths.input.join("trusted");
            fs::create_dir_all(&trusted).unwrap();
            for entry in fs::read_dir(before.join("metadata")).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), trusted.join(entry.file_name())).unwrap();
            }
            for name in ["holders.toml", "ledger.jsonl"] {
                fs::copy(before.join("ceremony").join(name), paths.input.join(name)).unwrap();
            }
        }
        if let Some(medium) = &act.carried {
            let carried = paths.input.join("backup");
            fs::create_dir_all(&carried).unwrap();
            for name in ["everything.age", "shares.json"] {
                fs::copy(medium.join(name), carried.join(name)).unwrap();
            }
        }
        for medium in ["everything", "infrastructure", "restored"] {
            fs::create_dir_all(folder.join("media").join(medium)).unwrap();
        }
        fs::write(&paths.script, &act.script).unwrap();
        fs::write(&paths.room, self.room(act)).unwrap();
        let modules = std::mem::take(&mut self.modules);
        let keeper = Keeper::start(Path::new(env!("CARGO_BIN_EXE_tuf-ceremony"))).unwrap();
        self.events = Events::default();
        let session =
            Session::open_with(&paths, &keeper, modules).map_err(|failure| failure.lines)?;
        let done = session.run(&mut self.people, &mut self.events);
        self.modules = done.map_err(|failure| failure.lines)?.modules;
        Ok(paths.output)
    }

    fn room(&self, act: &Act<'_>) -> String {
        let mut room = "schema = \"tuf-ceremony/room/1\"\nmode = \"rehearsal\"\n".to_owned();
        for (holder, serial) in &self.serials {
            let is_spare = *holder == "spare" && act.script.contains("[backup]");
            if is_spare || act.script.contains(&format!("name = \"{holder}\"")) {
                let _ = write!(
                    room,
                    "\n[[holder]]\nname = \"{holder}\"\ntoken = \"pkcs11:serial={serial}\"\n"
                );
            }
        }
        let media = self.path(act.name).join("media");
        let _ = write!(
            room,
            "\n[backup]\neverything = \"{0}/everything\"\ninfrastructure = \"{0}/infrastructure\"\nrestored = \"{0}/restored\"\nidentities = [\"{1}\"]\n",
            media.display(),
            self.path("identity.txt").display()
        );
        act.room
            .iter()
            .fold(room, |room, (from, to)| room.replace(from, to))
    }

    /// A genesis with a backup, and its bundle.
    pub(crate) fn genesis(&mut self) -> PathBuf {
        let act = Act {
            name: "genesis",
            script: self.example("genesis-backup", None),
            before: None,
            room: Vec::new(),
            carried: None,
        };
        self.run(&act).unwrap()
    }

    /// Alice's token is erased; what was the spare one is hers.
    pub(crate) fn lose_alices_token(&mut self) {
        let module = &mut self.modules[0];
        let lost = &self.serials["alice"];
        let tokens = module.list().unwrap();
        let lost = tokens
            .iter()
            .find(|token| token.id.serial == *lost)
            .unwrap();
        let reset = Reset {
            label: "destroyed".to_owned(),
            old_so: Some(secret(PIN)),
            new: vec![
                (Credential::So, secret(PIN)),
                (Credential::User, secret(PIN)),
            ],
        };
        module.reset(&lost.id, &reset).unwrap();
        let spare = self.serials.remove("spare").unwrap();
        self.serials.insert("alice", spare);
    }

    /// What an identity of the infrastructure opens.
    pub(crate) fn identity(&self) -> Identities {
        let file = fs::read_to_string(self.path("identity.txt")).unwrap();
        Identities::read("identity.txt", &secret(&file), None).unwrap()
    }
}
