//! A room for tests: SoftHSM tokens in a temporary folder, and the real program over scripts, answers and PINs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::ceremony::Ceremony;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_tuf-ceremony");
/// The PIN of every token; its text is looked for where it must not be.
pub const PIN: &str = "Zx9-PIN-7f3Q";
/// Everybody in the example scripts.
pub const EVERYBODY: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// Tokens and folders of one test.
pub struct Stage {
    folder: TempDir,
    serials: BTreeMap<String, String>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Stage {
    /// One initialised token a holder.
    pub fn with_tokens(holders: &[&str]) -> Self {
        let mut stage = Self {
            folder: tempfile::tempdir().unwrap(),
            serials: BTreeMap::new(),
        };
        fs::create_dir(stage.path("tokens")).unwrap();
        stage.write_softhsm_conf();
        for holder in holders {
            let mut command = stage.command("softhsm2-util");
            command.args(["--init-token", "--free", "--label", holder]);
            let output = command.args(["--pin", PIN, "--so-pin", PIN]).output();
            let output = output.expect("softhsm2-util starts (Debian: apt-get install softhsm2)");
            assert!(output.status.success(), "{output:?}");
        }
        // A holder's own medium comes with a register, empty at first.
        for holder in holders {
            fs::write(stage.path(format!("signed-by-{holder}.jsonl")), "").unwrap();
        }
        stage.serials = stage.listed();
        assert_eq!(stage.serials.len(), holders.len());
        stage
    }

    /// The same tokens and folders again, apart from these.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = format!("{}/.", self.folder.path().display());
        let mut command = Command::new("cp");
        command.arg("-a").arg(from).arg(folder.path());
        assert!(command.status().unwrap().success());
        let stage = Self {
            folder,
            serials: self.serials.clone(),
        };
        stage.write_softhsm_conf();
        stage
    }

    /// A path in the test's folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the ceremony called `name` puts its bundle.
    pub fn bundle(&self, name: &str) -> PathBuf {
        self.path(name).join("out")
    }

    /// A holder comes with a token that is not on this stage, by its serial.
    pub fn put(&mut self, holder: &str, serial: &str) {
        self.serials.insert(holder.to_owned(), serial.to_owned());
        fs::write(self.path(format!("signed-by-{holder}.jsonl")), "").unwrap();
    }

    /// The serial of a holder's token.
    pub fn serial(&self, holder: &str) -> &str {
        &self.serials[holder]
    }

    /// The program with this stage's tokens.
    pub fn program(&self) -> Command {
        self.command(PROGRAM)
    }

    /// A program that sees this stage's tokens.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("SOFTHSM2_CONF", self.path("softhsm2.conf"));
        command
    }

    /// Runs the program with these arguments.
    pub fn call(&self, arguments: &[&str]) -> Outcome {
        outcome(self.program().args(arguments).output().unwrap())
    }

    /// `verify --rehearsal --json` over a bundle, and its exit code.
    pub fn verify(&self, trusted_root: &Path, bundle: &Path) -> (i32, Value) {
        let mut command = self.program();
        command.args(["verify", "--rehearsal", "--json", "--trusted-root"]);
        let outcome = outcome(command.arg(trusted_root).arg(bundle).output().unwrap());
        (outcome.code, serde_json::from_str(&outcome.out).unwrap())
    }

    /// A ceremony of its own folder; everybody who has a token and is in the script is here.
    pub fn ceremony(&self, name: &str, script: impl Into<String>) -> Ceremony<'_> {
        Ceremony::of(
            self,
            name,
            script.into(),
            self.serials.keys().cloned().collect(),
        )
    }

    fn write_softhsm_conf(&self) {
        let tokens = self.path("tokens");
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n",
            tokens.display()
        );
        fs::write(self.path("softhsm2.conf"), text).unwrap();
    }

    fn listed(&self) -> BTreeMap<String, String> {
        let listed = self.call(&["tokens", "--json", "--module", &softhsm()]);
        let listed: Value = serde_json::from_str(&listed.out).expect("one JSON object");
        let tokens = listed["tokens"].as_array().unwrap().iter();
        let text = |token: &Value, name: &str| token[name].as_str().unwrap().to_owned();
        let ready = tokens.filter(|token| token["ready"] == true);
        ready
            .map(|token| (text(token, "label"), text(token, "serial")))
            .collect()
    }
}

/// A PIN line.
pub fn pin(holder: &str, pin: &str) -> String {
    format!("{holder} user {pin}\n")
}

/// The module of `SoftHSM2`.
pub fn softhsm() -> String {
    let path = tuf_ceremony::room::rehearsal::softhsm();
    let path = path.expect("SoftHSM2 is installed (Debian: apt-get install softhsm2)");
    path.display().to_string()
}

pub fn outcome(output: Output) -> Outcome {
    Outcome {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
