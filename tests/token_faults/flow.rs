//! The ceremonies that faults are let loose on: small, whole, and with one holder's token alone behind the shim.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::support::ceremony::Ceremony;
use crate::support::scripts::{in_days, keyids, newest_root, renew_root};
use crate::support::shim::{Log, Plan, Shim};
use crate::support::stage::{PIN, PROGRAM, Stage, pin};

/// The holder whose token fails.
pub(crate) const VICTIM: &str = "alice";
/// Everybody with a token.
const HOLDERS: [&str; 3] = [VICTIM, "bob", "carol"];

/// A ceremony from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flow {
    /// A genesis: the key is made on the token and signs root v1.
    Keygen,
    /// A renewal: the key signs root v2.
    Sign,
    /// A check-in: the key signs a challenge.
    CheckIn,
    /// A provisioning: the token is erased, gets new secrets and a new key, which proves itself.
    Provision,
}

/// What a flow starts from, and the calls that the victim's module gets when nothing goes wrong.
pub(crate) struct Template {
    pub(crate) stage: Stage,
    pub(crate) clean: Log,
}

static KEYGEN: LazyLock<Template> = LazyLock::new(|| {
    let stage = Stage::with_tokens(&HOLDERS);
    keep_apart(&stage);
    recorded(Flow::Keygen, stage)
});
static SIGN: LazyLock<Template> = LazyLock::new(|| {
    let stage = copy(&KEYGEN.stage);
    install(&stage, &plan(&stage));
    Flow::Keygen.ceremony(&stage).finish();
    recorded(Flow::Sign, stage)
});
static CHECK_IN: LazyLock<Template> = LazyLock::new(|| recorded(Flow::CheckIn, copy(&SIGN.stage)));
static PROVISION: LazyLock<Template> =
    LazyLock::new(|| recorded(Flow::Provision, copy(&SIGN.stage)));

impl Flow {
    pub(crate) const ALL: [Self; 4] = [Self::Keygen, Self::Sign, Self::CheckIn, Self::Provision];

    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keygen => "keygen",
            Self::Sign => "sign",
            Self::CheckIn => "check-in",
            Self::Provision => "provision",
        }
    }

    pub(crate) fn template(self) -> &'static Template {
        match self {
            Self::Keygen => &KEYGEN,
            Self::Sign => &SIGN,
            Self::CheckIn => &CHECK_IN,
            Self::Provision => &PROVISION,
        }
    }

    /// The command on these tokens, with the answers of people who go on after what only an interrupted run asks.
    pub(crate) fn ceremony(self, stage: &Stage) -> Ceremony<'_> {
        let ceremony = match self {
            Self::Keygen => stage.ceremony("genesis", genesis("ecdsa-p256")),
            Self::Sign => {
                let before = stage.bundle("genesis");
                let script = renew_root(&before, 370);
                stage.ceremony("renew", script).after(&before)
            }
            Self::CheckIn => {
                let before = stage.bundle("genesis");
                let script = check_in(&before);
                stage
                    .ceremony("check-in", script)
                    .after(&before)
                    .here(&[VICTIM])
            }
            Self::Provision => provision(stage),
        };
        over_both_modules(stage, ceremony)
    }

    /// The root that its bundle is verified from.
    pub(crate) fn trusted_root(stage: &Stage) -> PathBuf {
        stage.bundle("genesis").join("metadata/1.root.json")
    }

    /// A file that exists once the ceremony is finished, and not before.
    pub(crate) fn product(self, stage: &Stage) -> PathBuf {
        let name = match self {
            Self::Keygen => "metadata/1.root.json",
            Self::Sign => "metadata/2.root.json",
            Self::CheckIn | Self::Provision => "ceremony/holders.toml",
        };
        self.ceremony(stage).output().join(name)
    }
}

/// A plan without faults, for the victim's module.
pub(crate) fn plan(stage: &Stage) -> Plan {
    Shim::plan()
        .softhsm(&stage.path("softhsm2.conf"))
        // A new process of the module goes on counting: a fault of one call happens once.
        .order("count-across-processes")
}

/// The stage again, on tokens of its own.
pub(crate) fn copy(stage: &Stage) -> Stage {
    // Thousands of them, and none has to outlive the power: in memory where there is such a folder.
    let memory = Path::new("/dev/shm");
    let copy = if memory.is_dir() {
        stage.copy_in(memory)
    } else {
        stage.copy()
    };
    configure_others(&copy);
    copy
}

fn configure_others(stage: &Stage) {
    let settings = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        stage.path("others").display()
    );
    fs::write(stage.path("others.conf"), settings).unwrap();
}

/// The ceremony in a room with the victim's module and the others'.
pub(crate) fn over_both_modules<'s>(stage: &Stage, mut ceremony: Ceremony<'s>) -> Ceremony<'s> {
    let module = |name| stage.path(format!("{name}.so")).display().to_string();
    ceremony.modules = [VICTIM, "others"].map(module).to_vec();
    ceremony
}

/// Puts the victim's module into the stage with this plan, and the others' without any.
pub(crate) fn install(stage: &Stage, plan: &Plan) -> Shim {
    let others = Shim::plan().softhsm(&stage.path("others.conf"));
    others.install_as(&stage.path("."), "others");
    plan.install_as(&stage.path("."), VICTIM)
}

/// A first root that one key fewer than there are can sign; targets and bins by keys in memory.
pub(crate) fn genesis(algorithm: &str) -> String {
    let mut script = GENESIS
        .replace("{root}", &in_days(360))
        .replace("{targets}", &in_days(300))
        .replace("{bins}", &in_days(240));
    for holder in HOLDERS {
        let _ = write!(
            script,
            "\n[[holder]]\nname = \"{holder}\"\nperson = \"{holder} Example\"\nroot.generate = \"{algorithm}\"\n"
        );
    }
    script
}

/// The victim proves the root key alive.
fn check_in(before: &Path) -> String {
    format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"check-in\"\ntitle = \"A token that fails\"\nprofile = \"alone\"\ntrusted_root_sha256 = \"{}\"\n\n[[holder]]\nname = \"{VICTIM}\"\nperson = \"{VICTIM} Example\"\nroot.keyid = \"{}\"\n",
        newest_root(before),
        keyids(before)[&format!("{VICTIM}.root")]
    )
}

/// The victim's token is erased. The new secrets are the old ones, so that one paper is right whatever was done before an interruption.
fn provision(stage: &Stage) -> Ceremony<'_> {
    let script = format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"provision\"\ntitle = \"A token that fails\"\nprofile = \"alone\"\n\n[[holder]]\nname = \"{VICTIM}\"\nperson = \"{VICTIM} Example\"\nroot.generate = \"ecdsa-p256\"\n"
    );
    let mut ceremony = stage.ceremony("provision", script).here(&[VICTIM]);
    ceremony.registers = false;
    let serial = stage.serial(VICTIM);
    let erase = format!("erase {serial}");
    for (prompt, answer) in [
        ("bag-opened:alice", "none"),
        ("token:provision:alice", "ready"),
        ("serial:alice", serial),
        ("erase:alice", &erase),
        ("bag-closed:alice", "A-1"),
        ("bag-closed:alice:again", "A-1"),
    ] {
        ceremony = ceremony.answer(prompt, answer);
    }
    let record = fs::read_to_string(ceremony.output().join("transcript.jsonl")).unwrap_or_default();
    let login = pin(VICTIM, PIN);
    let envelopes = format!("{VICTIM} so {PIN}\n{VICTIM} so {PIN}\n{login}");
    let done = |event: &str| record.contains(&format!("\"event\":\"{event}\""));
    let pins = match (done("provisioned"), done("proven")) {
        (false, _) => envelopes + &login,
        (true, false) => login,
        (true, true) => String::new(),
    };
    ceremony.pins(&pins)
}

/// The same with keys of holders for targets and bins, too: three of a holder's on one token.
pub(crate) fn retained(algorithm: &str) -> String {
    let own = "keys = \"retained\"\nholders = [\"alice\", \"bob\", \"carol\"]";
    let made = format!("root.generate = \"{algorithm}\"");
    let three = ["root", "targets", "bins"].map(|role| made.replace("root", role));
    genesis(algorithm)
        .replace(
            "keys = \"ephemeral\"\nalgorithms = [\"ed25519\", \"ecdsa-p256\"]",
            own,
        )
        .replace(&made, &three.join("\n"))
}

/// Runs the flow once without faults and keeps what the victim's module was asked.
fn recorded(flow: Flow, stage: Stage) -> Template {
    let rehearsed = copy(&stage);
    let shim = install(&rehearsed, &plan(&rehearsed));
    flow.ceremony(&rehearsed).finish();
    let clean = shim.log();
    assert_eq!(clean.broken(), Vec::<&_>::new());
    assert_eq!(clean.signatures(), 1, "{flow:?}");
    Template { stage, clean }
}

/// Moves the tokens of all but the victim to a folder of their own. `SoftHSM` ends the name of a token's folder with its serial.
fn keep_apart(stage: &Stage) {
    let (tokens, others) = (stage.path("tokens"), stage.path("others"));
    fs::create_dir(&others).unwrap();
    for entry in fs::read_dir(&tokens).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap().replace('-', "");
        if !name.ends_with(stage.serial(VICTIM)) {
            fs::rename(entry.path(), others.join(entry.file_name())).unwrap();
        }
    }
    assert_eq!(fs::read_dir(&tokens).unwrap().count(), 1);
    configure_others(stage);
    install(stage, &plan(stage));
    for module in [VICTIM, "others"] {
        strip(&stage.path(format!("{module}.so")));
    }
}

/// The program without what only debuggers read: each run writes its own digest into the record, and that of a hundred megabytes takes longer
/// than the ceremony.
pub(crate) fn program() -> &'static Path {
    static STRIPPED: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let copy = folder.path().join("tuf-ceremony");
        fs::copy(PROGRAM, &copy).unwrap();
        strip(&copy);
        let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tuf-ceremony-stripped");
        fs::rename(copy, &here).unwrap();
        here
    });
    &STRIPPED
}

/// Leaves out what only debuggers read: the file is copied and digested in every case.
fn strip(module: &Path) {
    let stripped = Command::new("strip").arg(module).status();
    let stripped = stripped.expect("strip starts (Debian: apt-get install binutils)");
    assert!(stripped.success());
}

const GENESIS: &str = r#"schema = "tuf-ceremony/script/1"
kind = "genesis"
title = "First root, for tokens that fail"
profile = "room"

[root]
version = 1
expires = "{root}"
threshold = 2
holders = ["alice", "bob", "carol"]

[targets]
version = 1
expires = "{targets}"
threshold = 2
keys = "ephemeral"
algorithms = ["ed25519", "ecdsa-p256"]

[bins]
version = 1
expires = "{bins}"
threshold = 2
keys = "ephemeral"
algorithms = ["ed25519", "ecdsa-p256"]
bit_length = 4
name_prefix = "bin"

[[online]]
name = "online-1"
roles = ["timestamp", "snapshot", "bin-n"]
public = """
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/GKubj546imDrzacbr3x/FrJkbuI
Nduz5/LDt+VKSrxgnm/p/U0y/ozWtaaR4N+W3+oZpb+/mxoA17hPfviEtA==
-----END PUBLIC KEY-----
"""
provenance = "example"
"#;
