//! `attest verify` as people and programs use it: exit codes, exact text, exact JSON.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "attestation/forge.rs"]
#[allow(dead_code, reason = "tests/attestation_rules.rs uses the rest")]
mod forge;

use std::fs;
use std::process::Command;

use forge::{ATTESTED, DEVICE, Draft, Key, PIV, ROOT, device, extension, piv, with};
use serde_json::{Value, json};
use tempfile::TempDir;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::{Key as TufKey, PublicKey};

/// A folder with a YubiKey's papers: key.der, leaf.der, device.der, root.der.
fn papers(leaf: &Draft, device: &Draft) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        ("key.der", Key::new(ATTESTED).spki()),
        ("leaf.der", leaf.sign(&Key::new(DEVICE))),
        ("device.der", device.sign(&Key::new(ROOT))),
        ("root.der", forge::root()),
    ];
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(folder.path())
        .args(["attest", "verify"])
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn public() -> PublicKey {
    PublicKey::from_spki_der(&Key::new(ATTESTED).spki()).unwrap()
}

fn key_lines() -> String {
    let keyid = TufKey::from_public(&public()).unwrap().keyid();
    format!(
        "key P-256\n  fingerprint {}\n  keyid       {keyid}\n",
        public().fingerprint()
    )
}

const TEST: [&str; 6] = [
    "--key",
    "key.der",
    "--test-root",
    "root.der",
    "leaf.der",
    "device.der",
];

#[test]
fn a_device_under_a_test_root_is_told_and_said_to_prove_nothing() {
    let old = with(piv(), &format!("{PIV}.3"), vec![5, 4, 3]);
    let careless = with(old, &format!("{PIV}.8"), vec![1, 1]);
    let folder = papers(&careless, &device());
    let (code, out, err) = run(&folder, &TEST);
    let digest = |name: &str| Sha256::of(&fs::read(folder.path().join(name)).unwrap());
    let expected = format!(
        "YubiKey, serial 12345678, firmware 5.4.3\n\
         key in PIV slot 9c, made in the device\n\
         PIN: never asked for; touch: never needed\n\
         device certificate {}\n\
         TEST ROOT root.der {}\n\
         warning ATTEST-TEST-ROOT leaf.der: the root is one of tests: nothing is proven of a real device\n\
         warning ATTEST-PIN leaf.der: the device signs without its PIN: whoever holds it can sign\n\
         note ATTEST-TOUCH leaf.der: the device signs without a touch: a program on its computer can sign unseen once the PIN was typed\n\
         warning YSA-2024-03 leaf.der: YSA-2024-03 (EUCLEAK, CVE-2024-45678): who has the device open on a bench for some minutes, and its \
         PIN, can compute its ECDSA keys. With firmware 5.4.3 no new key of this type is made, and one that exists signs with a sign-off \
         in writing\n\
         {}\
         TEST ROOT: bound to this key, but nothing is proven of a real device; 0 errors, 3 warnings, 1 note\n",
        digest("device.der"),
        digest("root.der"),
        key_lines()
    );
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (0, expected.as_str(), "")
    );
}

#[test]
fn the_json_has_exactly_the_promised_members() {
    let folder = papers(&piv(), &device());
    let (code, out, _) = run(&folder, &[&TEST[..], &["--json"]].concat());
    let digest = |name: &str| Sha256::of(&fs::read(folder.path().join(name)).unwrap()).to_string();
    let expected = json!({
        "schema": "tuf-ceremony/attestation/1",
        "ok": true,
        "key": {
            "description": "P-256",
            "fingerprint": public().fingerprint().to_string(),
            "keyid": TufKey::from_public(&public()).unwrap().keyid().0,
        },
        "statement": {
            "product": "yubikey",
            "serial": 12_345_678,
            "firmware": "5.7.1",
            "object": { "kind": "piv", "slot": "9c", "pin_policy": "always", "touch_policy": "always" },
            "origin": "generated",
            "form_factor": "usb-a-keychain",
            "fips": false,
            "cspn": false,
            "algorithm": "ecdsa-p256",
            "fingerprint": public().fingerprint().to_string(),
            "attestation": digest("leaf.der"),
            "device_certificate": digest("device.der"),
            "anchor": { "name": "root.der", "sha256": digest("root.der") },
            "test_root": true,
        },
        "findings": [{
            "rule": "ATTEST-TEST-ROOT",
            "level": "warning",
            "file": "leaf.der",
            "text": "the root is one of tests: nothing is proven of a real device",
        }],
    });
    assert_eq!(
        (code, serde_json::from_str::<Value>(&out).unwrap()),
        (0, expected)
    );
}

#[test]
fn what_is_not_proven_ends_with_1_and_says_why() {
    let folder = papers(&piv(), &device());
    // Nobody but a test believes this root.
    let (code, out, err) = run(&folder, &["--key", "key.der", "leaf.der", "device.der"]);
    let expected = format!(
        "error ATTEST-CHAIN leaf.der: the path from \"Yubico PIV Attestation\" to a root ends early: its issuer \"Test Attestation Root\" \
         is missing. Give the device's certificate and every certificate between it and the root\n\
         {}NOT PROVEN: no genuine device is shown to have made this key; 1 error, 0 warnings, 0 notes\n",
        key_lines()
    );
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (1, expected.as_str(), "")
    );
    let rules = |arguments: &[&str]| {
        let (code, out, _) = run(&folder, &[arguments, &["--json"]].concat());
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (code, &report["ok"], &report["statement"]),
            (1, &json!(false), &Value::Null)
        );
        let findings = report["findings"].as_array().unwrap().clone();
        let name = |finding: &Value| {
            format!(
                "{} {}",
                finding["rule"].as_str().unwrap(),
                finding["file"].as_str().unwrap()
            )
        };
        findings.iter().map(name).collect::<Vec<_>>()
    };
    fs::write(folder.path().join("other.der"), Key::new(9).spki()).unwrap();
    let other = [
        "--key",
        "other.der",
        "--test-root",
        "root.der",
        "leaf.der",
        "device.der",
    ];
    assert_eq!(rules(&other), ["ATTEST-KEY leaf.der"]);
    fs::write(folder.path().join("rubbish"), "rubbish").unwrap();
    assert_eq!(
        rules(&["--key", "rubbish", "leaf.der"]),
        ["KEY-MATERIAL rubbish"]
    );
    assert_eq!(
        rules(&["--key", "key.der", "rubbish", "device.der"]),
        ["ATTEST-FORM rubbish"]
    );
    assert_eq!(
        rules(&["--key", "key.der", "leaf.der", "--test-root", "rubbish"]),
        ["ATTEST-FORM rubbish"]
    );
    // The order of arguments is the order of certificates: the attestation is the first.
    let turned = [
        "--key",
        "key.der",
        "--test-root",
        "root.der",
        "device.der",
        "leaf.der",
    ];
    assert!(rules(&turned).contains(&"ATTEST-KEY device.der".to_owned()));
}

#[test]
fn usage_and_unreadable_files_have_their_own_exit_codes() {
    let folder = papers(&piv(), &device());
    for usage in [
        &["leaf.der"][..],
        &["--key", "key.der"],
        &["--key", "key.der", "leaf.der", "--pin", "1"],
    ] {
        let (code, out, err) = run(&folder, usage);
        assert_eq!((code, out.as_str()), (2, ""), "{usage:?}");
        assert!(!err.is_empty(), "{usage:?}");
    }
    for absent in [["absent", "leaf.der"], ["key.der", "absent"]] {
        let (code, out, err) = run(&folder, &["--key", absent[0], absent[1]]);
        assert_eq!((code, out.as_str()), (5, ""));
        assert!(
            err.starts_with("error: absent: cannot read: No such file"),
            "{err}"
        );
    }
    let (code, _, err) = run(&folder, &["--key", "key.der", "."]);
    assert_eq!(code, 1);
    assert!(err.starts_with("error FILE-READ .: "), "{err}");
}

#[test]
fn untrusted_names_are_escaped() {
    let mut hostile = piv();
    hostile.subject = "YubiKey PIV Attestation \u{1b}[2J\u{202e}".to_owned();
    hostile.extensions.push(extension("1.2.3", &[0]));
    let folder = papers(&hostile, &device());
    let (code, out, _) = run(&folder, &TEST);
    assert_eq!(code, 1);
    assert!(
        out.contains("\\u{1b}[2J\\u{202e}\" names no PIV slot"),
        "{out}"
    );
    assert!(
        out.bytes()
            .all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)),
        "{out}"
    );
}
