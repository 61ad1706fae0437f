//! A private pcscd with room for two cards, for one test.
//!
//! [`on_stage`] runs a test's claim in a process of its own, in user, mount and network namespaces: no other test, no
//! pcscd of the machine and no real token is in sight, and ports cannot clash. Where user namespaces are off, root
//! gets the same without them. Whatever is missing is a failure that names its package, never a skip.

mod device;
mod namespaces;
mod readers;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use device::Bays;
pub use device::Inserted;
use readers::Readers;

use crate::card::Card;
use crate::firmware::Firmware;
use crate::state::State;

/// Says to the process inside where its folder is, and so that it is inside.
const FOLDER: &str = "VIRTUAL_YUBIKEY_STAGE";

/// vpcd's first reader; the second is the next port. Inside a network namespace nobody else has them.
const PORT: u16 = 0x8c7b;

/// Runs `claim` on a stage of its own; `test` is the test's full name, as the harness prints it.
///
/// # Panics
///
/// The claim failed, or the stage could not be set up: the message names what is missing.
pub fn on_stage(test: &str, claim: impl FnOnce(&Stage)) {
    on_stage_with(test, |_, _| {}, claim);
}

/// As [`on_stage`]; `prepare` may put files into the test's folder and variables into its environment first.
///
/// # Panics
///
/// As [`on_stage`].
pub fn on_stage_with(
    test: &str,
    prepare: impl FnOnce(&Path, &mut Command),
    claim: impl FnOnce(&Stage),
) {
    if is_inside() {
        return claim(&started());
    }
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
    let exe = std::env::current_exe().unwrap_or_else(|error| panic!("no own path: {error}"));
    let mut command = namespaces::command(&exe).unwrap_or_else(|reason| panic!("{reason}"));
    command
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdin(Stdio::null());
    prepare(folder.path(), &mut command);
    let ran = command
        .output()
        .unwrap_or_else(|error| panic!("the stage's process: {error}"));
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    let pcscd = std::fs::read_to_string(folder.path().join("pcscd.log")).unwrap_or_default();
    assert!(
        ran.status.success(),
        "{test} failed:\n{said}\npcscd said:\n{pcscd}"
    );
    assert!(said.contains("1 passed"), "{test} did not run:\n{said}");
}

/// Runs this program again with the same arguments in namespaces of its own, for a program that is no test.
///
/// # Errors
///
/// What is missing, as text.
pub fn rerun_inside(arguments: &[String]) -> Result<ExitStatus, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
    let exe = std::env::current_exe().map_err(|error| format!("no own path: {error}"))?;
    namespaces::command(&exe)?
        .args(arguments)
        .env(FOLDER, folder.path())
        .status()
        .map_err(|error| format!("the stage's process: {error}"))
}

/// Whether this process is one that [`on_stage`] or [`rerun_inside`] started.
pub fn is_inside() -> bool {
    std::env::var_os(FOLDER).is_some()
}

fn started() -> Stage {
    Stage::start().unwrap_or_else(|reason| panic!("{reason}"))
}

/// A pcscd that runs, with two readers of the name that a `YubiKey` has.
pub struct Stage {
    folder: PathBuf,
    pcscd: Mutex<Child>,
    bays: Arc<Bays>,
}

impl Stage {
    /// Starts pcscd in the namespaces that this process is in already.
    ///
    /// # Errors
    ///
    /// What is missing, as text.
    pub fn start() -> Result<Self, String> {
        let folder = std::env::var_os(FOLDER).ok_or("not inside a stage's namespaces")?;
        let folder = PathBuf::from(folder);
        let driver = namespaces::prepare()?;
        let configuration = folder.join("reader.conf");
        let reader = format!(
            "FRIENDLYNAME \"Yubico YubiKey OTP+FIDO+CCID\"\nDEVICENAME /dev/null:{PORT:#06X}\nLIBPATH {}\nCHANNELID {PORT:#06X}\n",
            driver.display()
        );
        std::fs::write(&configuration, reader).map_err(|error| format!("reader.conf: {error}"))?;
        let mut pcscd = spawn_pcscd(&folder, &configuration)?;
        let readers = Readers::wait_for_two(&mut pcscd).map_err(|reason| {
            let _ = pcscd.kill();
            let log = std::fs::read_to_string(folder.join("pcscd.log")).unwrap_or_default();
            format!("{reason}\npcscd said:\n{log}")
        })?;
        Ok(Self {
            folder,
            pcscd: Mutex::new(pcscd),
            bays: Arc::new(Bays::new(PORT, readers)),
        })
    }

    /// A folder for this test; it is removed afterwards.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A card as it leaves the factory, in the next free reader. Its state lies in the stage's folder.
    ///
    /// # Panics
    ///
    /// Both readers are taken, or pcscd does not see the card.
    pub fn insert_new(&self, serial: u32, firmware: Firmware) -> Inserted {
        let path = self.folder.join(format!("card-{serial}.json"));
        let card = Card::open(&path, State::new(serial, firmware))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.insert(card)
    }

    /// Any card, in the next free reader.
    ///
    /// # Panics
    ///
    /// As [`Stage::insert_new`].
    pub fn insert(&self, card: Card) -> Inserted {
        let inserted = Inserted::new(card, Arc::clone(&self.bays));
        inserted.insert();
        inserted
    }

    /// How PC/SC names the two readers; the first card goes into the first.
    pub fn reader_names(&self) -> [String; 2] {
        self.bays.reader_names()
    }

    /// Ends pcscd, as if the service died under the program.
    pub fn kill_pcscd(&self) {
        let mut pcscd = self.pcscd.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = pcscd.kill();
        let _ = pcscd.wait();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.kill_pcscd();
    }
}

fn spawn_pcscd(folder: &Path, configuration: &Path) -> Result<Child, String> {
    let pcscd = namespaces::pcscd()?;
    let log = File::create(folder.join("pcscd.log")).map_err(|error| format!("log: {error}"))?;
    let errors = log.try_clone().map_err(|error| format!("log: {error}"))?;
    let mut command = Command::new("setpriv");
    // A test that is killed takes its pcscd with it.
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(&pcscd)
        .args(["--foreground", "--config"])
        .arg(configuration);
    if namespaces::asks_polkit(&pcscd) {
        // There is no message bus in here that polkit could be asked over.
        command.arg("--disable-polkit");
    }
    command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| format!("{}: {error}", pcscd.display()))
}
