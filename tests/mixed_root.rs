//! One root of unlike tokens, at the screen: two of `SoftHSM`, a `YubiKey` of firmware 5.7 that makes its key in the ceremony, one of 5.4 whose key is
//! older and is accepted in writing, and a TPM. A card is pulled while it signs, put back, and the ceremony goes on.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portable_pty::CommandBuilder;
use support::ceremony::Ceremony;
use support::peers::Peer;
use support::record;
use support::scripts::{example, keyids, newest_root};
use support::stage::{PIN, Stage};
use support::swtpm::{self, Swtpm};
use support::terminal::Session;
use support::yubikey;
use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::port::Leaves;
use tuf_ceremony::token::Module as _;
use tuf_ceremony::tuf::key::{Algorithm, Key};
use virtual_yubikey::{Firmware, Inserted, attestation, on_stage};

const NEW_CARD: u32 = 21_073_412;
const OLD_CARD: u32 = 11_073_412;
const REASON: &str = "YSA-2024-03 accepted until the rotation of 2027, minute 4";

/// The people's tokens.
struct Room {
    softhsm: Stage,
    new_card: Inserted,
    old_card: Inserted,
    old_keyid: String,
    tpm: PathBuf,
    _swtpm: Swtpm,
}

impl Room {
    fn new(stage: &virtual_yubikey::Stage) -> Self {
        let mut module = yubikey::module();
        let (new_card, _) = yubikey::provisioned(stage, &mut module, NEW_CARD, Firmware::V5_7_1);
        let (old_card, old) = yubikey::provisioned(stage, &mut module, OLD_CARD, Firmware::V5_4_3);
        yubikey::log_in(&mut module, &old);
        let key = module
            .generate(&old, "tuf-root", Algorithm::EcdsaP384, Leaves::Never)
            .unwrap();
        module.logout(&old);
        let tpm = stage.folder().join("swtpm");
        let swtpm = Swtpm::start(&tpm);
        let tool = |arguments: &[&str]| {
            let mut command = Command::new("pkcs11-tool");
            command.args(["--module", swtpm::MODULE]).args(arguments);
            swtpm::succeeds(command.envs(swtpm::variables(&tpm)));
        };
        tool(&[
            "--slot-index",
            "0",
            "--init-token",
            "--label",
            "erin",
            "--so-pin",
            PIN,
        ]);
        let login = ["--token-label", "erin", "--login", "--login-type", "so"];
        tool(&[&login[..], &["--so-pin", PIN, "--init-pin", "--pin", PIN]].concat());
        Self {
            softhsm: Stage::with_tokens(&["alice", "bob"]),
            new_card,
            old_card,
            old_keyid: Key::from_public(&key.public).unwrap().keyid().0,
            tpm,
            _swtpm: swtpm,
        }
    }

    fn file(&self) -> String {
        let root = self.softhsm.path("test-root.pem");
        fs::write(&root, attestation::test_ca_pem().unwrap()).unwrap();
        let mut text = format!(
            "schema = \"tuf-ceremony/room/1\"\nmode = \"rehearsal\"\n\n\
             [[module]]\nname = \"softhsm\"\npath = \"{}\"\n\n\
             [[module]]\nname = \"yubikey\"\nkind = \"yubikey\"\n\n\
             [[module]]\nname = \"tpm\"\npath = \"{}\"\nenv = [\"TPM2_PKCS11_TCTI\", \"TPM2_PKCS11_STORE\", \"TSS2_LOG\"]\n\n\
             [[test_root]]\nname = \"virtual\"\npath = \"{}\"\n",
            support::stage::softhsm(),
            swtpm::MODULE,
            root.display(),
        );
        let serial = |holder| self.softhsm.serial(holder).to_owned();
        for (holder, token) in [
            ("alice", format!("serial={}", serial("alice"))),
            ("bob", format!("serial={}", serial("bob"))),
            ("carol", format!("serial={NEW_CARD}")),
            ("dave", format!("serial={OLD_CARD}")),
            ("erin", "token=erin".to_owned()),
        ] {
            let register = self.softhsm.path(format!("signed-by-{holder}.jsonl"));
            fs::write(&register, "").unwrap();
            write!(
                text,
                "\n[[holder]]\nname = \"{holder}\"\ntoken = \"pkcs11:{token}\"\nregister = \"{}\"\n",
                register.display()
            )
            .unwrap();
        }
        text
    }

    /// The whole ceremony by keys. While `pulled` signs first, its card is pulled.
    fn at_the_screen(&self, ceremony: &Ceremony<'_>, pulled: &Inserted) -> PathBuf {
        let headless = ceremony.command();
        fs::write(
            self.softhsm.path(&ceremony.name).join("room.toml"),
            self.file(),
        )
        .unwrap();
        let mut command = CommandBuilder::new(headless.get_program());
        let arguments = headless.get_args();
        command.args(arguments.take_while(|argument| *argument != "--headless"));
        for (name, value) in headless.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        for (name, value) in swtpm::variables(&self.tpm) {
            command.env(name, value);
        }
        command.env("TERM", "linux");
        let mut session = Session::start(command, 24, 80);
        pulled
            .controls()
            .set(|faults| faults.pull_after_signatures = Some(0));
        let mut put_back = 0;
        session.answers_with("Finished, exit code", PIN, &mut |screen| {
            if screen.contains("PIN: _")
                && ["PIN of carol", "PIN of dave"]
                    .iter()
                    .any(|who| screen.contains(who))
            {
                return Some(format!("{}\r", yubikey::PIN));
            }
            if screen.contains("Waiting for: a text") && screen.contains("\n > _") {
                return Some(format!("{REASON}\r"));
            }
            if screen.contains("may have signed") && !pulled.is_inserted() {
                pulled.insert();
                put_back += 1;
            }
            None
        });
        assert_eq!(put_back, 1, "the card was not pulled while it signed");
        session.sees("Finished, exit code 0");
        let shown = session.bytes();
        for pin in [PIN, yubikey::PIN] {
            let seen = shown.windows(pin.len()).any(|text| text == pin.as_bytes());
            assert!(!seen, "a PIN was shown");
        }
        session.types("q");
        let end = session.end();
        assert!(end.restored && end.code == 0, "{}", end.text());
        ceremony.output()
    }
}

fn genesis(room: &Room) -> String {
    let made = |holder: &str, algorithm: &str| {
        (
            format!("name = \"{holder}\""),
            format!("root.generate = \"{algorithm}\""),
        )
    };
    let mut script = example("genesis-ephemeral", None);
    for ((name, line), wanted) in [
        (
            made("carol", "ed25519"),
            "root.generate = \"ecdsa-p256\"".to_owned(),
        ),
        (
            made("dave", "ecdsa-p256"),
            format!("root.keyid = \"{}\"", room.old_keyid),
        ),
        (
            made("erin", "ecdsa-p384"),
            "root.generate = \"ecdsa-p256\"".to_owned(),
        ),
    ] {
        let at = script.find(&name).unwrap();
        let line_at = at + script[at..].find(&line).unwrap();
        script.replace_range(line_at..line_at + line.len(), &wanted);
    }
    script
}

/// Bob replaces his key by a new one on the same token.
fn rotation(before: &Path) -> String {
    let keyids = keyids(before);
    let mut script = format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"admin-key\"\ntitle = \"Bob replaces his key\"\nprofile = \"room\"\ntrusted_root_sha256 = \"{}\"\n\n[root]\nversion = 2\nexpires = \"{}\"\nthreshold = 3\nholders = [\"alice\", \"bob\", \"carol\", \"dave\", \"erin\"]\n",
        newest_root(before),
        support::scripts::in_days(370)
    );
    for holder in ["alice", "bob", "carol", "dave", "erin"] {
        let keyid = &keyids[&format!("{holder}.root")];
        let key = if holder == "bob" {
            format!("generate = \"ecdsa-p384\", old_keyid = \"{keyid}\"")
        } else {
            format!("keyid = \"{keyid}\"")
        };
        write!(
            script,
            "\n[[holder]]\nname = \"{holder}\"\nperson = \"{holder} Example\"\nroot = {{ {key} }}\n"
        )
        .unwrap();
    }
    script
}

#[test]
fn a_mixed_root_is_made_and_rotated_with_a_card_pulled_while_it_signs() {
    on_stage(
        "a_mixed_root_is_made_and_rotated_with_a_card_pulled_while_it_signs",
        |stage| {
            let room = Room::new(stage);
            // The room file of unlike tokens takes the place of the usual one.
            let ceremony = |name: &str, script: String| {
                let here = vec!["alice".to_owned(), "bob".to_owned()];
                Ceremony::of(&room.softhsm, name, script, here)
            };
            let first = room.at_the_screen(&ceremony("genesis", genesis(&room)), &room.new_card);
            let first_root = first.join("metadata/1.root.json");
            accepted(&room, &first_root, &first, 1);
            let schemes = support::scripts::keytypes(&first_root);
            assert_eq!(schemes, ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"]);
            signed_off(&first, &room.old_keyid);

            let second = ceremony("admin-key", rotation(&first)).after(&first);
            let second = room.at_the_screen(&second, &room.old_card);
            accepted(&room, &first_root, &second, 2);
            signed_off(&second, &room.old_keyid);
        },
    );
}

fn accepted(room: &Room, first_root: &Path, bundle: &Path, version: u64) {
    let (code, report) = room.softhsm.verify(first_root, bundle);
    assert_eq!((code, &report["ok"]), (0, &true.into()), "{report:#}");
    let verdict = Peer::PythonTuf.root_chain(first_root, &bundle.join("metadata"));
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!(verdict.root_version, Some(version));
}

/// The weak card's key was accepted in writing, and only that one.
fn signed_off(bundle: &Path, keyid: &str) {
    let transcript = record::transcript(bundle);
    let events = transcript.lines.iter().map(|line| &line.event);
    let accepted: Vec<_> = events
        .filter_map(|event| match event {
            Event::SignedOff {
                keyid,
                advisory,
                reason,
                ..
            } => Some((keyid.0.as_str(), advisory.as_str(), reason.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(accepted, [(keyid, "YSA-2024-03", REASON)]);
}
