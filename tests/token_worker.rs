//! Modules in processes of their own: what a bad one does stays there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

#[path = "token_worker/death.rs"]
mod death;
#[path = "token_worker/many.rs"]
mod many;
#[path = "token_worker/reach.rs"]
mod reach;
mod support;
#[path = "token_worker/workings.rs"]
mod workings;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use support::shim::{Plan, Shim};
use support::stage::{PIN, PROGRAM};
use tempfile::TempDir;
use tuf_ceremony::ceremony::port::{Leaves, TokenError, TokenId, TokenKey};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::worker::{Backend, Keeper, Limits, Setup, WorkerModule};
use tuf_ceremony::tuf::key::Algorithm;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with a SoftHSM of its own, reached through the shim: no variable of this process is needed.
struct Bench {
    folder: TempDir,
    shim: Shim,
}

impl Bench {
    /// `faults` adds to a plan without any.
    fn new(faults: impl FnOnce(Plan) -> Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tokens = folder.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let configuration = folder.path().join("softhsm2.conf");
        let settings = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nslots.removable = true\nlog.level = ERROR\n",
            tokens.display()
        );
        fs::write(&configuration, settings).unwrap();
        let shim = faults(Shim::plan().softhsm(&configuration)).install(folder.path());
        Self { folder, shim }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn setup(&self) -> Setup {
        Setup::of(Backend::Pkcs11 {
            name: "room".to_owned(),
            path: self.shim.module().to_owned(),
            init_args: None,
        })
    }

    fn start(&self) -> Result<WorkerModule, TokenError> {
        self.start_within(Limits::default())
    }

    fn start_within(&self, limits: Limits) -> Result<WorkerModule, TokenError> {
        WorkerModule::start(&keeper(), self.setup(), limits)
    }
}

fn keeper() -> Keeper {
    Keeper::start(Path::new(PROGRAM)).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

/// A token with a key, logged in.
fn ready(module: &mut WorkerModule) -> (TokenId, TokenKey) {
    let token = module.initialise("one", &secret("so-8642-pin"), &secret(PIN));
    let token = token.unwrap().id;
    module.login(&token, &secret(PIN)).unwrap();
    let key = module.generate(&token, "root", Algorithm::EcdsaP256, Leaves::Never);
    (token, key.unwrap())
}

/// Whether the process runs; one that is dead and waits to be reaped does not.
fn runs(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        !after_name.starts_with(['Z', 'X'])
    })
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn signal(pid: u32, name: &str) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let signal = match name {
        "KILL" => rustix::process::Signal::KILL,
        "ABRT" => rustix::process::Signal::ABORT,
        _ => panic!("no signal {name}"),
    };
    rustix::process::kill_process(pid, signal).unwrap();
}
