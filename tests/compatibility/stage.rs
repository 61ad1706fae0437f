//! Ceremonies of the library over software tokens, whose online key is the test's own: so that what they make can be published.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use tempfile::TempDir;
use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::port::{Sink, WorldError};
use tuf_ceremony::pypi::holders::Holders;
use tuf_ceremony::room::rehearsal::{PIN, Rehearser};
use tuf_ceremony::room::session::{Paths, Session};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::tuf::digest::Sha256;

use super::peers::{Client, Peer, Publication, Verdict, publish};

/// The day on which the example scripts play.
const EXAMPLE_DAY: &str = "2026-12-01T00:00:00Z";
const HOLDERS: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
const TARGET: &str = "demo/demo-1.0.txt";

/// Tokens, folders and the online key of one test.
pub(crate) struct Stage {
    folder: TempDir,
    modules: Vec<Box<dyn Module>>,
    serials: BTreeMap<&'static str, String>,
    online: p256::SecretKey,
}

struct Silent;

impl Sink for Silent {
    fn record(&mut self, _: &Event) -> Result<(), WorldError> {
        Ok(())
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let mut module = SoftwareModule::new("software");
        let mut initialised = |holder| {
            let pin = || Secret::take(&mut PIN.as_bytes().to_vec()).unwrap();
            let token = module.initialise(holder, &pin(), &pin()).unwrap();
            (holder, token.id.serial)
        };
        let serials = HOLDERS.into_iter().map(&mut initialised).collect();
        let folder = tempfile::tempdir().unwrap();
        let online = p256::SecretKey::from_slice(&[42; 32]).unwrap();
        let pem = online.to_pkcs8_pem(LineEnding::LF).unwrap();
        fs::write(folder.path().join("online.pem"), pem.as_bytes()).unwrap();
        fs::write(folder.path().join("demo.txt"), "hello\n").unwrap();
        Self {
            folder,
            modules: vec![Box::new(module)],
            serials,
            online,
        }
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The example script of that name for today, after the bundle `before`, with the test's online key.
    pub(crate) fn script(&self, example: &str, before: Option<&Path>) -> String {
        let file = format!("ceremony-scripts/{example}.toml");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let keyids = before.map(keyids).unwrap_or_default();
        let mut filled = String::new();
        for line in text.lines() {
            let (name, value) = line.split_once(" = ").unwrap_or((line, ""));
            let value = value.trim_matches('"');
            let new = match (name, before) {
                ("expires", _) => Some(moved(value)),
                ("trusted_root_sha256", Some(bundle)) => Some(newest_root(bundle).to_string()),
                _ => keyids.get(value).cloned(),
            };
            let _ = match new {
                Some(new) => writeln!(filled, "{name} = \"{new}\""),
                None => writeln!(filled, "{line}"),
            };
        }
        self.with_online_key(&filled)
    }

    fn with_online_key(&self, script: &str) -> String {
        let Some(start) = script.find("-----BEGIN PUBLIC KEY-----") else {
            return script.to_owned();
        };
        let end = "-----END PUBLIC KEY-----\n";
        let stop = script.find(end).unwrap() + end.len();
        let public = self.online.public_key();
        let pem = public.to_public_key_pem(LineEnding::LF).unwrap();
        format!("{}{pem}{}", &script[..start], &script[stop..])
    }

    /// Runs a ceremony to its end and gives its bundle.
    pub(crate) fn run(&mut self, name: &str, script: &str, before: Option<&Path>) -> PathBuf {
        let folder = self.path(name);
        let paths = Paths {
            script: folder.join("script.toml"),
            room: folder.join("room.toml"),
            input: folder.join("in"),
            output: folder.join("out"),
        };
        fs::create_dir_all(&paths.input).unwrap();
        if let Some(before) = before {
            copy_folder(&before.join("metadata"), &paths.input.join("trusted"));
            let holders = "ceremony/holders.toml";
            fs::copy(before.join(holders), paths.input.join("holders.toml")).unwrap();
        }
        fs::write(&paths.script, script).unwrap();
        fs::write(&paths.room, self.room(script)).unwrap();
        let modules = std::mem::take(&mut self.modules);
        let session = Session::open_with(&paths, modules)
            .unwrap_or_else(|failure| panic!("{name}: {:?}", failure.lines));
        let done = session
            .run(&mut Rehearser, &mut Silent)
            .unwrap_or_else(|failure| panic!("{name}: {:?}", failure.lines));
        self.modules = done.modules;
        paths.output
    }

    fn room(&self, script: &str) -> String {
        let mut room = "schema = \"tuf-ceremony/room/1\"\nmode = \"rehearsal\"\n".to_owned();
        for (holder, serial) in &self.serials {
            if script.contains(&format!("name = \"{holder}\"")) {
                let register = self.path(format!("signed-by-{holder}.jsonl"));
                let _ = write!(
                    room,
                    "\n[[holder]]\nname = \"{holder}\"\ntoken = \"pkcs11:serial={serial}\"\nregister = \"{}\"\n",
                    register.display()
                );
            }
        }
        room
    }

    /// Publishes a folder that holds `metadata/` as `published`.
    pub(crate) fn publish(&self, bundle: &Path) {
        publish(&Publication {
            bundle,
            online_keys: &[&self.path("online.pem")],
            out: &self.path("published"),
            targets: &[(TARGET, &self.path("demo.txt"))],
            at: None,
        })
        .unwrap();
    }

    /// Refreshes a client shipped with the first root, and looks up and fetches the target; it keeps its memory under `name`.
    pub(crate) fn client(&self, peer: Peer, name: &str) -> Verdict {
        peer.client(&Client {
            trusted_root: &self.path("1.root.json"),
            cache: &self.path(format!("{peer:?}-{name}")),
            published: &self.path("published"),
            target: Some(TARGET),
            at: None,
        })
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// As far from today as it is from the examples' day.
fn moved(expires: &str) -> String {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let moved = jiff::Timestamp::now() + at(expires).duration_since(at(EXAMPLE_DAY));
    moved.strftime("%Y-%m-%dT00:00:00Z").to_string()
}

fn newest_root(bundle: &Path) -> Sha256 {
    let path = |version: u32| bundle.join(format!("metadata/{version}.root.json"));
    let newest = (1..).take_while(|version| path(*version).exists()).last();
    Sha256::of(&fs::read(path(newest.unwrap())).unwrap())
}

/// Keyids by `holder.role`, by a bundle's register.
fn keyids(bundle: &Path) -> BTreeMap<String, String> {
    let bytes = fs::read(bundle.join("ceremony/holders.toml")).unwrap();
    let mut keyids = BTreeMap::new();
    for holder in Holders::parse("holders.toml", &bytes).unwrap().holders {
        for key in holder.keys {
            keyids.insert(format!("{}.{}", holder.name, key.role), key.keyid.0);
        }
    }
    keyids
}
