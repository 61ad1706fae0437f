//! The card as a program, as a developer plays with it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output};

use der::{Decode as _, pem};
use x509_cert::Certificate;

fn virtual_yubikey(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_virtual-yubikey");
    Command::new(program).args(arguments).output().unwrap()
}

#[test]
fn play_runs_a_command_beside_a_card_with_the_faults_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let [log, state, socket] =
        ["log", "state.json", "control"].map(|name| folder.path().join(name).display().to_string());
    // Python's standard library speaks to the socket; the tool finds the card by itself.
    let script = format!(
        "yubico-piv-tool -a status && python3 -c 'import socket\n\
         s = socket.socket(socket.AF_UNIX)\n\
         s.connect(\"{socket}\")\n\
         s.send(b\"finger\\nlog\\n\")\n\
         print(s.recv(999).decode())'"
    );
    let played = virtual_yubikey(&[
        "play",
        "--serial",
        "7",
        "--firmware",
        "5.4.3",
        "--fault",
        "serial 9",
        "--log",
        &log,
        "--state",
        &state,
        "--control",
        &socket,
        "--",
        "sh",
        "-c",
        &script,
    ]);
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(
        played.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&played.stderr)
    );
    assert!(
        said.contains("Serial Number:\t9") && said.contains("5.4.3"),
        "{said}"
    );
    assert!(said.contains("it does not blink"), "{said}");
    assert!(
        std::fs::read_to_string(log)
            .unwrap()
            .contains("20 00 80 AskTries 63C3")
    );
    assert!(
        std::fs::read_to_string(state)
            .unwrap()
            .contains("\"serial\": 7")
    );
}

#[test]
fn play_fails_with_its_command() {
    assert_eq!(
        virtual_yubikey(&["play", "--", "false"]).status.code(),
        Some(1)
    );
}

#[test]
fn the_test_ca_is_printed_and_calls_itself_a_test() {
    let printed = virtual_yubikey(&["--print-ca"]);
    let (label, bytes) = pem::decode_vec(&printed.stdout).unwrap();
    let certificate = Certificate::from_der(&bytes).unwrap();
    let subject = certificate.tbs_certificate().subject().to_string();
    assert_eq!(label, "CERTIFICATE");
    assert!(subject.starts_with("CN=TEST ONLY"), "{subject}");
}

#[test]
fn what_is_not_understood_is_refused_with_what_would_be() {
    let wrong: [&[&str]; 4] = [
        &[],
        &["card"],
        &["card", "--port", "1", "--fault", "explode"],
        &["play", "--firmware", "five", "--", "true"],
    ];
    for arguments in wrong {
        let ran = virtual_yubikey(arguments);
        assert_ne!(ran.status.code(), Some(0), "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
}
