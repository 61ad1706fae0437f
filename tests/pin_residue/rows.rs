//! Tokens of all kinds but `SoftHSM`, each new, with a P-256 key and a PIN of its own.

use std::any::Any;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tuf_ceremony::ceremony::port::Leaves;
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::worker::{Backend, Keeper, Limits, Setup, WorkerModule};
use tuf_ceremony::token::yubikey::YubikeyModule;
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;
use tuf_ceremony::tuf::key::PublicKey;
use virtual_yubikey::{Firmware, Inserted, Stage};

use crate::alone::keypair;
use crate::flow;
use crate::support::swtpm::{self, Swtpm, succeeds};
use crate::support::yubikey::{id, secret};

#[path = "../token_suite/cards.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with tests/token_suite.rs"
)]
mod cards;

/// Where `cards` looks for it.
mod stage {
    pub(super) use crate::support::swtpm::succeeds;
}

/// A token, and what a room says of it.
pub(crate) struct Token {
    /// Its module's entry in the room, after the name.
    pub(crate) module: String,
    /// What follows `pkcs11:` in the holder's entry.
    pub(crate) chosen: String,
    pub(crate) variables: Vec<(&'static str, String)>,
    /// How the module's file is called in the memory map of its process; none: the program speaks to the token itself.
    pub(crate) library: Option<&'static str>,
    /// What its process has in memory for as long as the module is loaded.
    pub(crate) known: String,
    pub(crate) public: PublicKey,
    pub(crate) pin: String,
    pub(crate) card: Option<Inserted>,
    /// Folders and services, for as long as the token is used.
    _with: Vec<Box<dyn Any>>,
}

/// A module that shows a card.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Over {
    Native,
    Ykcs11,
    OpenSc,
}

/// A new card with this PIN. Over PC/SC its key wants PIN and touch for each signature; modules are given one that wants no touch.
pub(crate) fn card(stage: &Stage, over: Over, pin: &str) -> Token {
    static SERIAL: AtomicU32 = AtomicU32::new(55_600_001);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let card = stage.insert_new(serial, Firmware::V5_7_1);
    cards::provision(serial, pin);
    let by_path = |path: &str| format!("path = \"/usr/lib/x86_64-linux-gnu/{path}\"\n");
    let (module, library, chosen) = match over {
        Over::Native => ("kind = \"yubikey\"\n".to_owned(), None, serial.to_string()),
        Over::Ykcs11 => (
            by_path("libykcs11.so.2"),
            Some("libykcs11.so"),
            serial.to_string(),
        ),
        Over::OpenSc => (
            by_path("opensc-pkcs11.so"),
            Some("opensc-pkcs11.so"),
            // The end of the UUID that the card was given.
            format!("5a5a5a5a{serial:08x}"),
        ),
    };
    let public = if library.is_some() {
        cards::make_key(serial, pin, 0x9a, EcdsaP256)
    } else {
        let mut module = YubikeyModule::new("yubikey").unwrap();
        let token = id(serial);
        module.login(&token, &secret(pin)).unwrap();
        let key = module
            .generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never)
            .unwrap();
        module.logout(&token);
        key.public
    };
    Token {
        module,
        chosen: format!("serial={chosen}"),
        variables: vec![("XDG_CACHE_HOME", stage.folder().display().to_string())],
        library,
        known: "Yubico YubiKey OTP+FIDO+CCID".to_owned(),
        public,
        pin: pin.to_owned(),
        card: Some(card),
        _with: Vec::new(),
    }
}

/// A token of tpm2-pkcs11 on a new TPM in software.
pub(crate) fn tpm(pin: &str) -> Token {
    let folder = tempfile::tempdir().unwrap();
    let running = Swtpm::start(folder.path());
    let variables = swtpm::variables(folder.path());
    let tool = |command: &mut Command| {
        command
            .envs(variables.clone())
            .args(["--module", swtpm::MODULE]);
    };
    let so = "so-8642-pin";
    let label = ["--init-token", "--slot-index", "0", "--label", "alice"];
    let login = ["--token-label", "alice", "--login"];
    let user = ["--login-type", "so", "--init-pin", "--pin", pin];
    for step in [&label[..], &[&login[..], &user].concat()] {
        let mut command = Command::new("pkcs11-tool");
        tool(&mut command);
        succeeds(command.args(step).args(["--so-pin", so]));
    }
    let public = keypair(
        |command| {
            tool(command);
            command.args(login).args(["--pin", pin]);
        },
        &folder.path().join("alice.der"),
    );
    Token {
        module: format!(
            "path = \"{}\"\nenv = [\"TPM2_PKCS11_TCTI\", \"TPM2_PKCS11_STORE\", \"TSS2_LOG\"]\n",
            swtpm::MODULE
        ),
        chosen: "token=alice".to_owned(),
        variables: variables.to_vec(),
        library: Some("libtpm2_pkcs11.so"),
        known: folder.path().display().to_string(),
        public,
        pin: pin.to_owned(),
        card: None,
        _with: vec![Box::new(running), Box::new(folder)],
    }
}

/// A new database of NSS.
pub(crate) fn nss(pin: &str) -> Token {
    const PATH: &str = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    fs::write(&password, pin).unwrap();
    let database = format!("sql:{}", folder.path().display());
    let mut create = Command::new("certutil");
    create.args(["-N", "-d", &database, "-f"]).arg(&password);
    succeeds(&mut create);
    fs::remove_file(password).unwrap();
    let init_args = format!(
        "configdir='{database}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=optimizeSpace"
    );
    let backend = Backend::Pkcs11 {
        name: "nss".to_owned(),
        path: PATH.into(),
        init_args: Some(init_args.clone()),
    };
    let public = made_through(backend, pin);
    Token {
        module: format!("path = \"{PATH}\"\ninit_args = \"{init_args}\"\n"),
        chosen: "token=NSS%20Certificate%20DB".to_owned(),
        variables: Vec::new(),
        library: Some("libsoftokn3.so"),
        known: folder.path().display().to_string(),
        public,
        pin: pin.to_owned(),
        card: None,
        _with: vec![Box::<TempDir>::new(folder)],
    }
}

/// A key that the program's own backend makes on NSS's token.
fn made_through(backend: Backend, pin: &str) -> PublicKey {
    let program: &Path = flow::program();
    let keeper = Keeper::start(program).unwrap();
    let setup = Setup::of(backend);
    let mut module = WorkerModule::start(&keeper, setup, Limits::default()).unwrap();
    let mut tokens = module.list().unwrap().into_iter();
    let token = tokens
        .find(|token| token.id.label == "NSS Certificate DB")
        .unwrap()
        .id;
    module.login(&token, &secret(pin)).unwrap();
    let key = module
        .generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never)
        .unwrap();
    key.public
}
