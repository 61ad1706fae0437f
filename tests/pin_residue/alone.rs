//! A check-in of two holders: alice with a token of any kind, bob with one of `SoftHSM`. The program waits for each PIN line, and is looked at while it does:
//! when it waits for bob's, alice's token was logged in to, signed, and was logged out.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::edit::{self, RoleSpec, RootSpec};
use tuf_ceremony::tuf::key::{Key, PublicKey};

use crate::flow;
use crate::rows::Token;
use crate::support::scripts::in_days;
use crate::support::stage::{PIN, Stage, pin};
use crate::support::{forge, swtpm};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The script's title, which the program has in its memory.
pub(crate) const TITLE: &str = "PINs that are looked for";

/// A room with alice's token and bob's, and the script of their check-in.
pub(crate) struct Room {
    stage: Stage,
    token: Token,
}

impl Room {
    pub(crate) fn new(token: Token) -> Self {
        let mut stage = Stage::with_tokens(&["bob"]);
        stage.put("alice", "not by its serial alone");
        let bob = keypair(
            |command| {
                command
                    .env("SOFTHSM2_CONF", stage.path("softhsm2.conf"))
                    .args(["--module", &crate::support::stage::softhsm()])
                    .args(["--token-label", "bob", "--login", "--pin", PIN]);
            },
            &stage.path("bob.der"),
        );
        let keys = [&token.public, &bob].map(|public| Key::from_public(public).unwrap());
        let metadata = root(&keys);
        let [alice, bob] = keys.map(|key| key.keyid());
        let script = format!(
            "schema = \"tuf-ceremony/script/1\"\nkind = \"check-in\"\ntitle = \"{TITLE}\"\nprofile = \"alone\"\ntrusted_root_sha256 = \"{}\"\n\n[[holder]]\nname = \"alice\"\nperson = \"Alice Example\"\nroot.keyid = \"{alice}\"\n\n[[holder]]\nname = \"bob\"\nperson = \"Bob Example\"\nroot.keyid = \"{bob}\"\n",
            Sha256::of(&metadata)
        );
        let ceremony = stage.ceremony("alone", script).pins("");
        fs::create_dir_all(ceremony.input().join("trusted")).unwrap();
        fs::write(ceremony.input().join("trusted/1.root.json"), &metadata).unwrap();
        ceremony.command();
        let room = Self { stage, token };
        fs::write(room.folder().join("room.toml"), room.file()).unwrap();
        room
    }

    /// Where script, room and answers lie.
    pub(crate) fn folder(&self) -> PathBuf {
        self.stage.path("alone")
    }

    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    fn file(&self) -> String {
        let mut text = format!(
            "schema = \"tuf-ceremony/room/1\"\nmode = \"rehearsal\"\n\n[[module]]\nname = \"softhsm\"\npath = \"{}\"\n\n[[module]]\nname = \"row\"\n{}",
            crate::support::stage::softhsm(),
            self.token.module
        );
        let bob = format!("serial={}", self.stage.serial("bob"));
        for (holder, token) in [("alice", &self.token.chosen), ("bob", &bob)] {
            write!(
                text,
                "\n[[holder]]\nname = \"{holder}\"\ntoken = \"pkcs11:{token}\"\n"
            )
            .unwrap();
        }
        text
    }

    /// The variables by which both modules find their tokens.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let softhsm = self.stage.path("softhsm2.conf").display().to_string();
        let mut variables = self.token.variables.clone();
        variables.push(("SOFTHSM2_CONF", softhsm));
        variables
    }

    /// The lines of alice and bob.
    pub(crate) fn pins(&self) -> String {
        pin("alice", &self.token.pin) + &pin("bob", PIN)
    }

    /// The program, which waits for alice's PIN.
    pub(crate) fn run(&self) -> Running {
        let folder = self.folder();
        let mut command = Command::new(flow::program());
        command
            .arg("run")
            .arg(folder.join("script.toml"))
            .arg("--room")
            .arg(folder.join("room.toml"))
            .arg("--in")
            .arg(folder.join("in"))
            .arg("--out")
            .arg(folder.join("out"))
            .args(["--headless", "--pin-fd", "0", "--answers"])
            .arg(folder.join("answers.toml"))
            .envs(self.variables())
            .stdin(Stdio::piped())
            .stdout(File::create(folder.join("said")).unwrap())
            .stderr(File::create(folder.join("err")).unwrap());
        let mut program = command.spawn().unwrap();
        let mut running = Running {
            pins: program.stdin.take(),
            program,
            folder,
            library: self.token.library,
        };
        running.waits();
        running
    }
}

/// The program in the middle of its run.
pub(crate) struct Running {
    pub(crate) program: Child,
    pins: Option<ChildStdin>,
    folder: PathBuf,
    library: Option<&'static str>,
}

impl Running {
    /// Writes a PIN line.
    pub(crate) fn types(&mut self, line: &str) {
        let pins = self.pins.as_mut().unwrap();
        pins.write_all(line.as_bytes()).unwrap();
    }

    /// Until it has used all lines and wants another.
    pub(crate) fn waits(&mut self) {
        self.until("it waits for no PIN", |running| {
            let pins = running.pins.as_ref().unwrap();
            rustix::io::ioctl_fionread(pins).unwrap() == 0
                && reads(running.program.id(), fs::metadata(fd(pins)).unwrap().ino())
        });
    }

    pub(crate) fn until(&mut self, otherwise: &str, done: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !done(self) {
            let ended = self.program.try_wait().unwrap();
            assert_eq!(ended, None, "{otherwise}, it ended: {}", self.said());
            assert!(began.elapsed() < PATIENCE, "{otherwise}: {}", self.said());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The record so far.
    pub(crate) fn has_on_record(&self, event: &str) -> bool {
        let record = fs::read_to_string(self.folder.join("out/transcript.jsonl")).unwrap();
        record.contains(&format!("\"event\":\"{event}\""))
    }

    /// No more PINs: it comes to its end.
    pub(crate) fn finish(mut self) {
        self.pins = None;
        let ended = self.program.wait().unwrap();
        assert_eq!(ended.code(), Some(0), "{}", self.said());
    }

    /// The process of alice's module.
    pub(crate) fn worker(&self) -> u32 {
        let below = children(self.program.id()).into_iter();
        let mut workers: Vec<u32> = below.flat_map(children).collect();
        workers.retain(|worker| {
            let maps = fs::read_to_string(format!("/proc/{worker}/maps")).unwrap();
            self.library
                .map_or(!maps.contains("libsofthsm2"), |path| maps.contains(path))
        });
        assert_eq!(workers.len(), 1, "{workers:?}");
        workers[0]
    }

    fn said(&self) -> String {
        ["said", "err"]
            .map(|name| fs::read_to_string(self.folder.join(name)).unwrap())
            .concat()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killed, it takes its keeper and the workers with it.
        let process = i32::try_from(self.program.id())
            .ok()
            .and_then(Pid::from_raw);
        let _ = kill_process(process.unwrap(), Signal::KILL);
        let _ = self.program.wait();
    }
}

fn fd(pins: &ChildStdin) -> String {
    use std::os::fd::AsRawFd as _;
    format!("/proc/self/fd/{}", pins.as_raw_fd())
}

/// Whether a thread of the process is blocked in read(2) on this pipe.
fn reads(process: u32, pipe: u64) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else {
        return false;
    };
    tasks.flatten().any(|task| {
        let call = fs::read_to_string(task.path().join("syscall")).unwrap_or_default();
        let mut words = call.split(' ');
        let (number, first) = (words.next(), words.next().unwrap_or_default());
        let number_of_read = if cfg!(target_arch = "x86_64") {
            "0"
        } else {
            "63"
        };
        let read = u32::from_str_radix(first.trim_start_matches("0x"), 16);
        number == Some(number_of_read)
            && read.is_ok_and(|read| {
                let opened = fs::metadata(task.path().join(format!("fd/{read}")));
                opened.is_ok_and(|opened| opened.ino() == pipe)
            })
    })
}

fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let lists = tasks.flatten().map(|task| {
        let list = fs::read_to_string(task.path().join("children")).unwrap();
        let numbers = list.split_whitespace().map(|text| text.parse().unwrap());
        numbers.collect::<Vec<u32>>()
    });
    lists.flatten().collect()
}

/// Has pkcs11-tool make a P-256 key, and reads its public half.
pub(crate) fn keypair(token: impl Fn(&mut Command), file: &Path) -> PublicKey {
    let tool = |arguments: &[&str]| {
        let mut command = Command::new("pkcs11-tool");
        token(&mut command);
        command.args(arguments);
        command
    };
    let label = ["--label", "tuf-root-v1", "--id", "01"];
    let make = ["--keypairgen", "--key-type", "EC:prime256v1"];
    swtpm::succeeds(&mut tool(&[&make[..], &label].concat()));
    let read = ["--read-object", "--type", "pubkey", "--output-file"];
    swtpm::succeeds(tool(&[&label[..], &read].concat()).arg(file));
    PublicKey::from_spki_der(&fs::read(file).unwrap()).unwrap()
}

/// A first root that lists these keys and one that signed it.
fn root(keys: &[Key]) -> Vec<u8> {
    let signer = [forge::key(1)];
    let spec = RootSpec {
        version: 1,
        expires: in_days(300),
        root: RoleSpec {
            keys: keys.iter().chain(&signer).cloned().collect(),
            threshold: 1,
        },
        timestamp: forge::role(&[201], 1),
        snapshot: forge::role(&[203], 1),
        targets: forge::role(&[11, 12], 2),
    };
    let root = forge::rehearsal(&edit::root("root.json", None, &spec).unwrap());
    forge::signed(&root, &[1]).bytes().to_vec()
}
