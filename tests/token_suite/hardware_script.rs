//! `ceremony-scripts/test-hardware` against a virtual `YubiKey`, with a person at a pseudo-terminal: the script itself, and what it must never do.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use virtual_yubikey::state::ATTESTATION_SLOT;
use virtual_yubikey::{Firmware, Inserted, Purpose, Stage, on_stage};

use super::terminal::{End, Session};

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/ceremony-scripts/test-hardware"
);
const SERIAL: u32 = 55_500_007;
const OTHER: u32 = 55_500_008;
const QUESTION: &str = "Type the serial to erase it, anything else to stop:";

/// The script in a terminal. The suite is this program, so that nothing is built.
fn script(stage: &Stage, rows: &[&str]) -> Session {
    let mut command = CommandBuilder::new(SCRIPT);
    command.args(rows);
    command.env("YUBIKEY_SERIAL", SERIAL.to_string());
    command.env("TOKEN_SUITE", std::env::current_exe().unwrap());
    // ykman and OpenSC keep settings and caches there.
    command.env("HOME", stage.folder());
    command.env("XDG_CACHE_HOME", stage.folder());
    Session::start(command, 120, 150)
}

fn ended_with(session: Session, code: u32) -> End {
    let end = session.end();
    assert_eq!(end.code, code, "{}", String::from_utf8_lossy(&end.bytes));
    end
}

/// It has no key, and nobody tried a PIN or asked it for anything but to read.
fn untouched(card: &Inserted) {
    assert_eq!((card.state().pin.left, keys(card)), (3, 0));
    for purpose in [Purpose::Verify, Purpose::Sign, Purpose::Manage] {
        assert_eq!(card.controls().count(purpose), 0, "{purpose:?}");
    }
}

/// Keys of a holder: the maker's attestation key outlives everything.
fn keys(card: &Inserted) -> usize {
    let state = card.state();
    let slots = state.keys.keys();
    slots.filter(|slot| **slot != ATTESTATION_SLOT).count()
}

#[test]
fn script_holds_the_rows_on_the_named_card_and_leaves_it_as_from_the_factory() {
    on_stage(
        "hardware_script::script_holds_the_rows_on_the_named_card_and_leaves_it_as_from_the_factory",
        |stage| {
            let other = stage.insert_new(OTHER, Firmware::V5_7_1);
            let card = stage.insert_new(SERIAL, Firmware::V5_7_1);
            let mut session = script(stage, &["native", "ykcs11", "opensc"]);
            session.sees(QUESTION);
            for said in [
                "This ERASES the PIV application of YubiKey 55500007, several times:",
                "every PIV key and certificate in it, for good;",
            ] {
                session.sees(said);
            }
            assert_eq!(card.controls().count(Purpose::Verify), 0);
            session.types(&format!("{SERIAL}\r"));
            obeys(&session, &card);
            let end = ended_with(session, 0);
            assert!(end.contains("All claims hold."));
            for row in ["native YubiKey backend", "ykcs11", "OpenSC"] {
                assert!(end.contains(&format!("| {row}")), "no line of {row}");
            }
            assert!(!end.contains("0 passed"));

            let left = card.state();
            assert!(left.pin.is("123456") && left.puk.is("12345678"));
            assert_eq!(keys(&card), 0);
            untouched(&other);
        },
    );
}

/// Takes the card out and puts it back as often as the screen asks.
fn obeys(session: &Session, card: &Inserted) {
    let began = Instant::now();
    let count = |text: &str| {
        String::from_utf8_lossy(&session.bytes())
            .matches(text)
            .count()
    };
    let (mut out, mut back) = (0, 0);
    loop {
        if count(&format!("==> Take YubiKey {SERIAL} out now.")) > out {
            out += 1;
            card.remove();
        } else if count(&format!("==> Put YubiKey {SERIAL} back now.")) > back {
            back += 1;
            card.insert();
        } else if count("== End") > 0 {
            // Three claims of the first row, one of each other.
            assert_eq!(
                (out, back),
                (5, 5),
                "{}",
                String::from_utf8_lossy(&session.bytes())
            );
            return;
        }
        assert!(
            began.elapsed() < Duration::from_mins(4),
            "{}",
            session.screen()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn script_changes_nothing_without_the_typed_serial() {
    on_stage(
        "hardware_script::script_changes_nothing_without_the_typed_serial",
        |stage| {
            let card = stage.insert_new(SERIAL, Firmware::V5_7_1);
            for typed in ["", "yes", "55500008", "055500007"] {
                let mut session = script(stage, &[]);
                session.sees(QUESTION);
                session.types(&format!("{typed}\r"));
                let end = ended_with(session, 3);
                assert!(end.contains("Stopped. Nothing was changed."));
            }
            untouched(&card);
        },
    );
}

#[test]
fn script_refuses_what_it_cannot_do_safely() {
    on_stage(
        "hardware_script::script_refuses_what_it_cannot_do_safely",
        |stage| {
            let card = stage.insert_new(OTHER, Firmware::V5_7_1);
            // The one that is named is not there; another is.
            let end = ended_with(script(stage, &[]), 2);
            assert!(end.contains("YubiKey 55500007 does not answer; nothing was changed."));
            let end = ended_with(script(stage, &["softhsm2"]), 2);
            assert!(end.contains("There is no row softhsm2; nothing was changed."));
            untouched(&card);
        },
    );
    // Without a terminal, or without a serial.
    for (serial, said) in [
        (
            "55500007",
            "nobody is at a terminal to agree to it; nothing was changed.",
        ),
        ("", "No YubiKey is named; nothing was changed."),
        ("1; rm -r /", "No YubiKey is named; nothing was changed."),
    ] {
        let mut script = Command::new(SCRIPT);
        script.env("YUBIKEY_SERIAL", serial).stdin(Stdio::null());
        let ran = script.output().unwrap();
        assert_eq!(ran.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&ran.stderr).contains(said),
            "{ran:?}"
        );
    }
}

#[test]
fn nothing_is_erased_where_nobody_agreed() {
    let exe = std::env::current_exe().unwrap();
    for agreed in [None, Some("55500009"), Some("yes")] {
        let mut suite = Command::new(&exe);
        suite
            .args(["hardware::native::empty_pin_is_refused_and_costs_no_try"])
            .args(["--exact", "--ignored", "--nocapture"])
            .env("YUBIKEY_SERIAL", SERIAL.to_string())
            .env_remove("YUBIKEY_ERASE_AGREED")
            .stdin(Stdio::null());
        if let Some(agreed) = agreed {
            suite.env("YUBIKEY_ERASE_AGREED", agreed);
        }
        let ran = suite.output().unwrap();
        assert!(!ran.status.success());
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        let refused = said.contains("this erases a YubiKey; run ./ceremony-scripts/test-hardware")
            || said.contains("another YubiKey than the one that may be erased");
        assert!(refused, "{said}");
    }
}
