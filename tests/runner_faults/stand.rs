//! A script, a world and a record, run and run again; and what must hold whatever happened.

use tuf_ceremony::ceremony::event::{Event, Mode, ceremony_id};
use tuf_ceremony::ceremony::intake::archives::Carried;
use tuf_ceremony::ceremony::intake::{InputFile, Trusted, intake};
use tuf_ceremony::ceremony::kinds::{self, Kind};
use tuf_ceremony::ceremony::planning::{self, Planned};
use tuf_ceremony::ceremony::progress::{DocumentProgress, Progress, Status};
use tuf_ceremony::ceremony::runner::{Halt, Runner, Subject};
use tuf_ceremony::ceremony::script::Script;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::key::KeyId;
use tuf_ceremony::tuf::metadata::{Delegations, Root, Targets};

use super::people::People;
use super::record::{Entry, Log, Tape};
use super::world::{FakeWorld, clock};

pub const HOLDERS: [&str; 3] = ["alice", "bob", "carol"];

pub const HEAD: &str =
    "schema = \"tuf-ceremony/script/1\"\nprofile = \"room\"\ntitle = \"Faults\"\n";
const ROLES: [(&str, &str, &str); 3] = [
    ("root", "2027-12-01", ""),
    ("targets", "2027-10-02", ""),
    (
        "bins",
        "2027-08-03",
        "bit_length = 14\nname_prefix = \"bin\"\n",
    ),
];
const ONLINE: &str = "[[online]]\nname = \"online-1\"\nroles = [\"timestamp\", \"snapshot\", \"bin-n\"]\npublic = \"3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"\nprovenance = \"made for a test\"\n";

pub fn holder(name: &str, keys: &str) -> String {
    format!("[[holder]]\nname = \"{name}\"\nperson = \"{name} Example\"\n{keys}\n")
}

/// The first version of every role, with the keys that `keys` says.
fn first(keys: impl Fn(&str) -> String, holders_keys: &str) -> String {
    let roles = ROLES.map(|(role, day, more)| {
        let keys = keys(role);
        format!(
            "[{role}]\nversion = 1\nexpires = \"{day}T00:00:00Z\"\nthreshold = 2\n{keys}\n{more}"
        )
    });
    let holders = HOLDERS.map(|name| holder(name, holders_keys));
    let (roles, holders) = (roles.concat(), holders.concat());
    format!("{HEAD}kind = \"genesis\"\n{roles}{holders}{ONLINE}")
}

/// Two of three make each role; every key is made now and signs.
pub fn genesis() -> String {
    let keys = |role: &str| match role {
        "root" => format!("holders = {HOLDERS:?}"),
        _ => format!("keys = \"retained\"\nholders = {HOLDERS:?}"),
    };
    let made = ROLES.map(|(role, ..)| format!("{role}.generate = \"ed25519\"\n"));
    first(keys, &made.concat())
}

/// Root by two of three; targets and bins by keys that live in memory.
pub fn genesis_ephemeral() -> String {
    let keys = |role: &str| match role {
        "root" => format!("holders = {HOLDERS:?}"),
        _ => "keys = \"ephemeral\"\nalgorithms = [\"ed25519\", \"ecdsa-p256\"]".to_owned(),
    };
    first(keys, "root.generate = \"ed25519\"")
}

/// Alice replaces her root key.
pub fn admin_key(before: &Stand) -> String {
    let root = Sha256::of(&before.world.disk["metadata/1.root.json"]);
    let holders = HOLDERS.map(|name| {
        let keyid = before.keyid(name, "root");
        let key = match name {
            "alice" => format!("root.generate = \"ed25519\"\nroot.old_keyid = \"{keyid}\""),
            _ => format!("root.keyid = \"{keyid}\""),
        };
        holder(name, &key)
    });
    let holders = holders.concat();
    format!(
        "{HEAD}kind = \"admin-key\"\ntrusted_root_sha256 = \"{root}\"\n[root]\nversion = 2\nexpires = \"2027-12-02T00:00:00Z\"\nthreshold = 2\nholders = {HOLDERS:?}\n{holders}"
    )
}

/// Every holder proves the root key alive.
pub fn check_in(before: &Stand) -> String {
    let root = Sha256::of(&before.world.disk["metadata/1.root.json"]);
    let holders = HOLDERS.map(|name| {
        let keyid = before.keyid(name, "root");
        holder(name, &format!("root.keyid = \"{keyid}\""))
    });
    format!(
        "{HEAD}kind = \"check-in\"\ntrusted_root_sha256 = \"{root}\"\n{}",
        holders.concat()
    )
}

/// Alice's and Bob's tokens get new secrets and a root key each.
pub fn provision() -> String {
    let holders = ["alice", "bob"].map(|name| holder(name, "root.generate = \"ecdsa-p256\""));
    format!("{HEAD}kind = \"provision\"\n{}", holders.concat())
}

pub struct Stand {
    pub script: Script,
    pub script_bytes: Vec<u8>,
    pub kind: &'static Kind,
    pub trusted: Trusted,
    pub planned: Planned,
    pub ceremony: Sha256,
    pub mode: Mode,
    pub world: FakeWorld,
    pub tape: Tape,
    pub log: Log,
}

impl Stand {
    pub fn new(script: String) -> Self {
        let log = Log::default();
        let world = FakeWorld::new(&log, &HOLDERS);
        Self::over(script, world, Vec::new())
    }

    /// A ceremony over tokens that exist, with these files carried in.
    fn over(script: String, world: FakeWorld, files: Vec<InputFile>) -> Self {
        Self::over_archives(script, world, files, Vec::new())
    }

    fn over_archives(
        script: String,
        mut world: FakeWorld,
        files: Vec<InputFile>,
        archives: Vec<Carried>,
    ) -> Self {
        let script_bytes = script.into_bytes();
        let script = Script::parse("script.toml", &script_bytes).unwrap();
        let kind = kinds::of("script.toml", &script).unwrap();
        let mut trusted = intake(&script, files, Vec::new(), Mode::Rehearsal, clock()).unwrap();
        trusted.take_archives(&script, archives).unwrap();
        assert_eq!((kind.check)(&script, &trusted), []);
        let ceremony = ceremony_id(&script_bytes, script.trusted_root_sha256);
        let planned = planning::plan(kind, &script, &trusted, ceremony);
        let log = Log::default();
        world.log = log.clone();
        Self {
            script,
            script_bytes,
            kind,
            trusted,
            planned,
            ceremony,
            mode: Mode::Rehearsal,
            world,
            tape: Tape::on(&log),
            log,
        }
    }

    /// A ceremony that finished without any fault.
    pub fn finished(script: String) -> Self {
        let mut stand = Self::new(script);
        stand.run(&mut stand.people()).unwrap();
        stand.check_finished();
        stand
    }

    /// The ceremony after this one, over the same tokens.
    pub fn then(self, script: impl FnOnce(&Self) -> String) -> Self {
        let carried = |(path, bytes): (String, Vec<u8>)| InputFile {
            path: path.replace("metadata/", "trusted/"),
            bytes,
        };
        let files = self.world.metadata().into_iter().map(carried).collect();
        self.then_with(files, script)
    }

    /// The ceremony after this one, with these files carried in.
    pub fn then_with(self, files: Vec<InputFile>, script: impl FnOnce(&Self) -> String) -> Self {
        self.then_over(files, Vec::new(), script)
    }

    /// As [`Self::then_with`], with published repositories too.
    pub fn then_over(
        mut self,
        files: Vec<InputFile>,
        archives: Vec<Carried>,
        script: impl FnOnce(&Self) -> String,
    ) -> Self {
        let script = script(&self);
        self.world.disk.clear();
        let holders = HOLDERS.map(ToOwned::to_owned).into_iter();
        self.world.registers = holders.map(|holder| (holder, Vec::new())).collect();
        let mut fresh = FakeWorld::new(&self.log, &[]);
        fresh.module = self.world.module;
        fresh.registers = self.world.registers;
        fresh.erased = self.world.erased;
        Self::over_archives(script, fresh, files, archives)
    }

    pub fn people(&self) -> People {
        People::new(&self.log)
    }

    /// Runs from where the record ends, as after a restart: nothing is in memory.
    pub fn run(&mut self, people: &mut People) -> Result<Progress, Halt> {
        self.world.ephemeral.destroy();
        let subject = Subject {
            kind: self.kind,
            script: &self.script,
            script_bytes: &self.script_bytes,
            trusted: &self.trusted,
            planned: &self.planned,
            mode: self.mode,
            ceremony: self.ceremony,
            signing_only: false,
        };
        let opened = Event::Opened {
            tool: "test".to_owned(),
            program: Sha256::of(b""),
            mode: self.mode,
            kind: self.kind.name.to_owned(),
            title: self.script.title.clone(),
            script: Sha256::of(&self.script_bytes),
            trusted_root: self.script.trusted_root_sha256,
            ceremony: self.ceremony,
            modules: Vec::new(),
            holders: None,
        };
        let progress = self.progress();
        Runner::new(&subject, progress, people, &mut self.world, &mut self.tape).run(&opened)
    }

    /// What the record says.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress::default();
        for event in self.log.events() {
            progress.apply(&event).unwrap();
        }
        progress
    }

    pub fn keyid(&self, holder: &str, role: &str) -> KeyId {
        let progress = self.progress();
        let mut keys = progress.enrolled().iter();
        let found = keys.find(|key| key.holder == holder && key.role == role);
        found.unwrap().keyid.clone()
    }

    /// Whatever happened so far: one intent before each call that signs, at most one signature a key and document, a PIN prompt for every login.
    pub fn check_record(&self) {
        let mut intended = 0;
        for entry in self.log.entries() {
            match entry {
                Entry::Recorded(Event::SigningIntended { .. }) => intended += 1,
                Entry::Call {
                    method: "sign" | "sign_ephemeral",
                    ..
                } => {
                    assert_eq!(
                        intended, 1,
                        "a call that signs without its intent on record"
                    );
                    intended = 0;
                }
                Entry::Recorded(Event::IntentDecided { .. }) => intended = 0,
                _ => {}
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        for (document, signer, _) in self.signatures() {
            assert!(seen.insert((document, signer)), "signed twice");
        }
        let asked = |entry: &&Entry| matches!(entry, Entry::PinAsked);
        let prompts = self.log.entries().iter().filter(asked).count();
        assert_eq!(
            self.log.calls("login").len(),
            prompts,
            "a login without its prompt"
        );
    }

    /// The record is kept, every signature on it is in the bundle and verifies, and a stranger accepts what lies on the medium.
    pub fn check_finished(&self) {
        self.check_record();
        assert_eq!(self.progress().status(), Status::Closed);
        assert!(
            self.progress()
                .documents()
                .iter()
                .all(DocumentProgress::is_complete)
        );
        assert_eq!(self.world.judged(), []);
        let keys = self.keys();
        for (document, keyid, sig) in self.signatures() {
            let path = format!("metadata/{}.{}.json", document.version, document.role);
            let envelope = self.envelope(&path);
            let entry = |entry: &&tuf_ceremony::tuf::envelope::Signature| entry.keyid == keyid;
            let entry = envelope.signatures().iter().find(entry).unwrap();
            assert_eq!(entry.sig, sig, "{document}");
            let sig = data_encoding::HEXLOWER.decode(sig.as_bytes()).unwrap();
            let key = keys.iter().find(|(known, _)| *known == keyid).unwrap();
            assert!(key.1.verifies(&envelope.payload(), &sig), "{document}");
        }
    }

    /// Document, key and signature of everything that counted.
    pub fn signatures(&self) -> Vec<(tuf_ceremony::ceremony::event::Document, KeyId, String)> {
        let counted = |event| match event {
            Event::Signed {
                document,
                signer,
                sig,
                ..
            }
            | Event::Imported {
                document,
                signer,
                sig,
                ..
            } => Some((document, signer.keyid, sig)),
            _ => None,
        };
        self.log.events().into_iter().filter_map(counted).collect()
    }

    pub fn envelope(&self, path: &str) -> Envelope {
        Envelope::parse(path, self.world.disk[path].clone(), Limits::LARGE).unwrap()
    }

    fn keys(&self) -> Vec<(KeyId, tuf_ceremony::tuf::key::Key)> {
        let mut keys = Vec::new();
        for (path, _) in self.world.metadata() {
            let envelope = self.envelope(&path);
            if path.contains(".root.") {
                keys.extend(Root::read(&path, &envelope).unwrap().keys);
            } else {
                let targets = Targets::read(&path, &envelope).unwrap();
                keys.extend(targets.delegations.iter().flat_map(Delegations::keys));
            }
        }
        keys
    }
}
