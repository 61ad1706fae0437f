//! The PKCS#11 module that fails on command does fail as its README says, and does nothing else: over `SoftHSM`, through `cryptoki`.
//!
//! Each claim runs in a process of its own, whose environment does not name `SoftHSM`'s configuration: the module's plan does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

#[path = "shim/codes.rs"]
mod codes;
#[path = "shim/lies.rs"]
mod lies;
#[path = "shim/loading.rs"]
mod loading;
#[path = "shim/process.rs"]
mod process;
#[path = "support/shim.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared helpers")]
mod shim;
#[path = "shim/tokens.rs"]
mod tokens;

use shim::{Log, Plan, SOFTHSM, Shim};

const PIN: &str = "Zx9-PIN-7f3Q";
const SO_PIN: &str = "so-8642-pin";
const DIGEST: &[u8; 32] = b"a digest of thirty-two bytes now";
const FOLDER: &str = "TUF_CEREMONY_TEST_FOLDER";
const MODULE: &str = "TUF_CEREMONY_TEST_MODULE";

/// What a claim gets: a module that is loaded and initialised, and the token in it.
struct Loaded {
    folder: PathBuf,
    context: Pkcs11,
    slot: Slot,
}

impl Loaded {
    fn from_environment() -> Self {
        let module = std::env::var_os(MODULE).unwrap();
        let context = Pkcs11::new(module).unwrap();
        let flags = CInitializeFlags::OS_LOCKING_OK;
        context.initialize(CInitializeArgs::new(flags)).unwrap();
        // The first slot has the token, before the empty one that SoftHSM always shows.
        let slot = context.get_slots_with_token().unwrap()[0];
        let folder = std::env::var_os(FOLDER).unwrap().into();
        Self {
            folder,
            context,
            slot,
        }
    }

    fn session(&self) -> Session {
        self.context.open_rw_session(self.slot).unwrap()
    }

    fn logged_in(&self) -> Session {
        let session = self.session();
        session.login(UserType::User, Some(&pin())).unwrap();
        session
    }
}

fn pin() -> AuthPin {
    AuthPin::new(Box::from(PIN))
}

fn key(session: &Session, class: ObjectClass, label: &str) -> ObjectHandle {
    let label = Attribute::Label(label.as_bytes().to_vec());
    let found = session.find_objects(&[Attribute::Class(class), label]);
    found.unwrap()[0]
}

fn signed(session: &Session) -> Result<Vec<u8>, Error> {
    let private = key(session, ObjectClass::PRIVATE_KEY, "first");
    session.sign(&Mechanism::Ecdsa, private, DIGEST)
}

/// Whether the signature is one by the key over the digest, according to the real module.
fn verifies(session: &Session, label: &str, digest: &[u8], signature: &[u8]) -> bool {
    let public = key(session, ObjectClass::PUBLIC_KEY, label);
    session
        .verify(&Mechanism::Ecdsa, public, digest, signature)
        .is_ok()
}

fn code<T>(result: Result<T, Error>) -> RvError {
    match result {
        Err(Error::Pkcs11(code, _)) => code,
        Err(error) => panic!("{error:?} is not a code"),
        Ok(_) => panic!("it succeeded"),
    }
}

/// A process that ended.
struct Ran {
    status: ExitStatus,
    out: String,
    err: String,
    log: Log,
    folder: tempfile::TempDir,
}

/// A token with two P-256 keys, "first" and "second", in a folder with `SoftHSM`'s configuration.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    let settings = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nslots.removable = true\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(folder.path().join("softhsm2.conf"), settings).unwrap();
    let mut initialise = Command::new("softhsm2-util");
    initialise.args(["--init-token", "--free", "--label", "one"]);
    initialise.args(["--so-pin", SO_PIN, "--pin", PIN]);
    tool(folder.path(), initialise);
    make_key(folder.path(), "first", "EC:prime256v1");
    make_key(folder.path(), "second", "EC:prime256v1");
    folder
}

fn make_key(folder: &Path, label: &str, kind: &str) {
    let mut make = pkcs11_tool(Path::new(SOFTHSM));
    make.args(["--login", "--pin", PIN, "--keypairgen"]);
    make.args(["--key-type", kind, "--label", label, "--id", &id(label)]);
    tool(folder, make);
}

/// What pkcs11-tool finds a key by: it takes any key where only a label is given.
fn id(label: &str) -> String {
    data_encoding::HEXLOWER.encode(label.as_bytes())
}

fn pkcs11_tool(module: &Path) -> Command {
    let mut command = Command::new("pkcs11-tool");
    command.arg("--module").arg(module);
    command.args(["--token-label", "one"]);
    command
}

/// What a program that uses the token says.
fn tool(folder: &Path, mut command: Command) -> String {
    command.env("SOFTHSM2_CONF", folder.join("softhsm2.conf"));
    let ran = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?} failed:\n{said}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// Whether this is the process that a claim runs in.
fn is_inside() -> bool {
    std::env::var_os(FOLDER).is_some()
}

/// This test once more, in a process of its own that loads `module`.
fn again(test: &str, folder: &Path, module: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .env(MODULE, module)
        .env_remove("SOFTHSM2_CONF")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs `claim` in a new process with the planned module. None in that process.
fn run(test: &str, plan: &Plan, claim: fn(&Loaded)) -> Option<Ran> {
    if is_inside() {
        claim(&Loaded::from_environment());
        return None;
    }
    let folder = prepared();
    Some(run_in(test, folder, plan))
}

fn run_in(test: &str, folder: tempfile::TempDir, plan: &Plan) -> Ran {
    let configuration = folder.path().join("softhsm2.conf");
    let shim = plan.clone().softhsm(&configuration).install(folder.path());
    let ran = again(test, folder.path(), shim.module()).output().unwrap();
    Ran {
        status: ran.status,
        out: String::from_utf8_lossy(&ran.stdout).into_owned(),
        err: String::from_utf8_lossy(&ran.stderr).into_owned(),
        log: shim.log(),
        folder,
    }
}

/// The same for a claim that has to hold; the log of its calls. None in the new process.
fn holds(test: &str, plan: &Plan, claim: fn(&Loaded)) -> Option<Log> {
    let ran = run(test, plan, claim)?;
    ran.held(test);
    Some(ran.log)
}

impl Ran {
    fn held(&self, test: &str) {
        let said = format!("{}{}", self.out, self.err);
        assert!(self.status.success(), "{test} failed:\n{said}");
        assert!(said.contains("1 passed"), "{test} did not run:\n{said}");
    }
}

/// The test's own name.
macro_rules! name {
    ($name:ident) => {
        concat!(module_path!(), "::", stringify!($name))
            .split_once("::")
            .unwrap()
            .1
    };
}
use name;

#[test]
fn without_faults_the_module_is_softhsm() {
    let test = name!(without_faults_the_module_is_softhsm);
    if is_inside() {
        let loaded = Loaded::from_environment();
        fs::write(loaded.folder.join("observed"), observed(&loaded)).unwrap();
        return;
    }
    let folder = prepared();
    let path = folder.path().to_owned();
    let direct = again(test, &path, Path::new(SOFTHSM))
        .env("SOFTHSM2_CONF", path.join("softhsm2.conf"))
        .output()
        .unwrap();
    assert!(direct.status.success());
    let wanted = fs::read_to_string(path.join("observed")).unwrap();
    fs::remove_file(path.join("observed")).unwrap();
    let ran = run_in(test, folder, &Shim::plan());
    ran.held(test);
    let seen = fs::read_to_string(ran.folder.path().join("observed")).unwrap();
    assert!(wanted.contains("SoftHSM") && wanted.contains("PinIncorrect"));
    assert_eq!(seen, wanted);
    assert_eq!(ran.log.broken(), Vec::<&shim::Logged>::new());
    // cryptoki asks for the length first.
    assert_eq!((ran.log.count("C_Sign"), ran.log.signatures()), (2, 1));
    assert_eq!(ran.log.logins("user"), 2);
    assert_eq!(
        ran.log.points()[..2],
        [("C_GetFunctionList", 1), ("C_Initialize", 1)]
    );
    assert_eq!(ran.log.0[0].process, ran.log.0.last().unwrap().process);
    let log = fs::read_to_string(ran.folder.path().join("shim.so.log")).unwrap();
    assert!(!log.contains(PIN) && !log.contains("first"), "{log}");
}

/// All that a program sees of a module and its token, but for what is random.
fn observed(loaded: &Loaded) -> String {
    let context = &loaded.context;
    let mut seen = vec![
        format!("{:?}", context.get_library_info().unwrap()),
        format!("{:?}", context.get_slots_with_token().unwrap()),
        format!("{:?}", context.get_slot_info(loaded.slot).unwrap()),
    ];
    let info = context.get_token_info(loaded.slot).unwrap();
    seen.push(format!(
        "{:?}",
        (info.label(), info.serial_number(), info.model())
    ));
    for mechanism in context.get_mechanism_list(loaded.slot).unwrap() {
        let info = context.get_mechanism_info(loaded.slot, mechanism).unwrap();
        seen.push(format!("{mechanism:?} {info:?}"));
    }
    let session = loaded.session();
    let wrong = AuthPin::new(Box::from("not the PIN"));
    seen.push(format!("{:?}", session.login(UserType::User, Some(&wrong))));
    session.login(UserType::User, Some(&pin())).unwrap();
    let objects = session.find_objects(&[]).unwrap();
    seen.push(objects.len().to_string());
    for class in [ObjectClass::PUBLIC_KEY, ObjectClass::PRIVATE_KEY] {
        for label in ["first", "second"] {
            let attributes = session.get_attributes(key(&session, class, label), lies::SEEN);
            seen.push(format!("{attributes:?}"));
        }
    }
    let signature = signed(&session).unwrap();
    seen.push(verifies(&session, "first", DIGEST, &signature).to_string());
    seen.push(format!("{:?}", session.logout()));
    seen.push(format!(
        "{:?}",
        session.generate_random_vec(16).unwrap().len()
    ));
    seen.join("\n")
}
