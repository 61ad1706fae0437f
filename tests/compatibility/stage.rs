//! Ceremonies of the library over software tokens, whose online key is the test's own: so that what they make can be published.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use tempfile::TempDir;
use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::port::{Sink, WorldError};
use tuf_ceremony::room::rehearsal::{PIN, Rehearser};
use tuf_ceremony::room::session::{Paths, Session};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::token::worker::Keeper;

use super::peers::{Client, Peer, Publication, Verdict, publish};
use super::scripts;

/// Everybody in the example scripts.
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

    /// The example script of a genesis for today, with the test's online key.
    pub(crate) fn genesis(&self, example: &str) -> String {
        let public = self.online.public_key();
        let pem = public.to_public_key_pem(LineEnding::LF).unwrap();
        scripts::with_online_key(&scripts::example(example, None), &pem)
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
            let ledger = "ceremony/ledger.jsonl";
            fs::copy(before.join(ledger), paths.input.join("ledger.jsonl")).unwrap();
        }
        fs::write(&paths.script, script).unwrap();
        fs::write(&paths.room, self.room(script)).unwrap();
        let modules = std::mem::take(&mut self.modules);
        let keeper = Keeper::start(Path::new(env!("CARGO_BIN_EXE_tuf-ceremony"))).unwrap();
        let session = Session::open_with(&paths, &keeper, modules)
            .unwrap_or_else(|failure| panic!("{name}: {:?}", failure.lines));
        let done = session
            .run(&mut Rehearser::default(), &mut Silent)
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
