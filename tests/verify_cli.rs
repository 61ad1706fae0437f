//! `verify`, `inspect` and `review` as other programs use them.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/forge.rs"]
mod forge;
#[path = "verify_cli/reading.rs"]
mod reading;
#[path = "support/scene.rs"]
mod scene;
#[path = "verify_cli/tampering.rs"]
mod tampering;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use scene::{Bundle, bundle, replace};
use serde_json::Value;
use tuf_ceremony::tuf::edit;

const AT: [&str; 2] = ["--at", "2026-12-01T00:00:00Z"];

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn verify(folder: &Path, more: &[&str]) -> (i32, Value) {
    let arguments = [
        &["verify", "--trusted-root", "1.root.json", "--json"],
        more,
        &AT,
    ]
    .concat();
    let output = run(folder, &arguments);
    let value = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), value)
}

/// `rule file: text` of every error.
fn errors(report: &Value) -> Vec<String> {
    let member = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .filter(|finding| finding["level"] == "error")
        .map(|finding| {
            let [rule, file, text] = ["rule", "file", "text"].map(|name| member(finding, name));
            format!("{rule} {file}: {text}")
        })
        .collect()
}

fn refused(bundle: &Bundle, more: &[&str], expected: &str) {
    let (code, report) = verify(bundle.folder.path(), more);
    let errors = errors(&report);
    assert_eq!(
        (code, &report["ok"]),
        (1, &Value::Bool(false)),
        "{expected}"
    );
    assert!(
        errors.iter().any(|error| error.starts_with(expected)),
        "{expected}\n{errors:#?}"
    );
}

#[test]
fn a_sound_bundle_verifies_and_the_json_has_exactly_the_promised_members() {
    let bundle = bundle(|_| {});
    let (code, report) = verify(bundle.folder.path(), &["bundle"]);
    assert_eq!(errors(&report), [""; 0]);
    assert_eq!(code, 0);
    let members: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(members, ["findings", "ok", "roots", "schema"]);
    assert_eq!(report["schema"], "tuf-ceremony/verify/1");
    let roots = report["roots"].as_array().unwrap();
    assert_eq!(roots[0]["old"], Value::Null);
    let second = serde_json::json!({
        "version": 2,
        "old": {"needed": 2, "signed": 3},
        "new": {"needed": 2, "signed": 2},
        "signed_by": sorted([1, 2, 3]),
    });
    assert_eq!(roots[1], second);
    for finding in report["findings"].as_array().unwrap() {
        let members: Vec<&String> = finding.as_object().unwrap().keys().collect();
        assert_eq!(members, ["file", "level", "rule", "text"]);
    }
}

fn sorted(numbers: [u8; 3]) -> Vec<String> {
    let mut keyids = numbers.map(|number| forge::keyid(number).0).to_vec();
    keyids.sort();
    keyids
}

#[test]
fn the_output_for_people_spells_out_both_quorums() {
    let bundle = bundle(|_| {});
    let arguments = [
        &["verify", "--trusted-root", "1.root.json", "bundle"],
        AT.as_slice(),
    ]
    .concat();
    let told = text(&run(bundle.folder.path(), &arguments).stdout);
    let second = "root v2: by the keys of root v1 (old): 2 needed, 3 signed; by the keys of root v2 (new): 2 needed, 2 signed\n";
    assert!(
        told.starts_with("root v1: trusted; by its own keys: 2 needed, 2 signed\n"),
        "{told}"
    );
    assert!(told.contains(second), "{told}");
    assert!(
        told.contains("VERIFIED: 2 of 2 roots signature-valid; 0 errors, "),
        "{told}"
    );
}

#[test]
fn an_expired_newest_root_is_an_error_and_an_expired_older_one_is_not() {
    let bundle = bundle(|_| {});
    let folder = bundle.folder.path();
    let late = run(
        folder,
        &[
            "verify",
            "--trusted-root",
            "1.root.json",
            "bundle",
            "--json",
            "--at",
            "2027-06-01T00:00:00Z",
        ],
    );
    assert_eq!(late.status.code(), Some(1));
    let report = serde_json::from_slice(&late.stdout).unwrap();
    let expected = "ROOT-EXPIRED bundle/metadata/2.root.json: root v2 expired at 2027-06-01T00:00:00Z; clients that reach it stop there until a newer root is published";
    assert_eq!(errors(&report), [expected]);

    let renewed = edit::renew("x", &bundle.new, "2030-01-01T00:00:00Z").unwrap();
    replace(
        &bundle.path("3.root.json"),
        &forge::signed(&renewed, &[2, 3]).bytes(),
    );
    let arguments = [
        "verify",
        "--trusted-root",
        "1.root.json",
        "bundle/metadata",
        "3.root.json",
        "--at",
        "2027-06-02T00:00:00Z",
    ];
    let output = run(folder, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn targets_and_bins_are_judged_by_those_who_delegate_to_them() {
    let bundle = bundle(|_| {});
    let folder = bundle.path("repository");
    fs::create_dir_all(folder.join("root_history")).unwrap();
    let put = |name: &str, bytes: &[u8]| replace(&folder.join(name), bytes);
    put("root_history/1.root.json", &bundle.old.bytes());
    put("root_history/2.root.json", &bundle.new.bytes());
    put("root.json", &bundle.new.bytes());
    put(
        "targets.json",
        &forge::signed(&forge::targets(1), &[11, 12]).bytes(),
    );
    put(
        "bins.json",
        &forge::signed(&forge::leaf(1, forge::EXPIRES), &[13, 14]).bytes(),
    );
    put("timestamp.json", b"{}");
    put("notes.txt", b"?");
    let (code, report) = verify(bundle.folder.path(), &["repository"]);
    assert_eq!((code, errors(&report)), (0, Vec::new()));
    let ignored = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["rule"] == "FILE-IGNORED")
        .unwrap();
    assert_eq!(
        ignored["text"],
        "2 files here are not judged (online roles and what is no metadata of root, targets or a delegated role), such as notes.txt"
    );

    put(
        "targets.json",
        &forge::signed(&forge::targets(1), &[11, 13]).bytes(),
    );
    put(
        "bins.json",
        &forge::signed(&forge::leaf(1, "2026-01-01T00:00:00Z"), &[13, 12]).bytes(),
    );
    let expected = format!(
        "TARGETS-THRESHOLD repository/targets.json: targets v1 needs 2 signatures by the keys that root v2 names for targets and has 1; missing: {}",
        forge::keyid(12)
    );
    refused(&bundle, &["repository"], &expected);
    let expected = format!(
        "DELEGATION-THRESHOLD repository/bins.json: bins v1 needs 2 signatures by the keys that targets v1 names for bins and has 1; missing: {}",
        forge::keyid(14)
    );
    refused(&bundle, &["repository"], &expected);
    let (_, report) = verify(bundle.folder.path(), &["repository"]);
    let expired = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["rule"] == "EXPIRES")
        .unwrap();
    assert_eq!(
        (&expired["level"], &expired["text"]),
        (
            &"warning".into(),
            &"bins v1 expired at 2026-01-01T00:00:00Z".into()
        )
    );
}

#[test]
fn two_payloads_of_one_version_of_targets_are_refused() {
    let bundle = bundle(|_| {});
    let second = edit::with_header("x", &forge::targets(1), 1, "2027-07-01T00:00:00Z").unwrap();
    replace(
        &bundle.path("targets.json"),
        &forge::signed(&forge::targets(1), &[11, 12]).bytes(),
    );
    replace(
        &bundle.path("1.targets.json"),
        &forge::signed(&second, &[11, 12]).bytes(),
    );
    refused(&bundle, &["targets.json", "1.targets.json"], "ONE-PAYLOAD ");
}

#[test]
fn a_file_asked_for_by_name_is_judged_or_refused() {
    let bundle = bundle(|_| {});
    replace(
        &bundle.path("unclaimed.json"),
        &forge::leaf(1, forge::EXPIRES).bytes(),
    );
    let expected = "DELEGATION-UNKNOWN unclaimed.json: nothing that was judged delegates to it by name, so nothing says who must sign it; it is not judged";
    refused(&bundle, &["unclaimed.json"], expected);
}

#[test]
fn there_is_one_json_object_for_every_unreadable_input() {
    let bundle = bundle(|_| {});
    fs::create_dir(bundle.path("empty")).unwrap();
    std::os::unix::fs::symlink("1.root.json", bundle.path("link.json")).unwrap();
    replace(&bundle.path("junk.json"), b"\xff\xfe");
    let cases = [
        (
            "none.json",
            "FILE-READ none.json: cannot read: No such file or directory",
        ),
        (
            "link.json",
            "FILE-READ link.json: is not a regular file (a symbolic link); links, devices and pipes are not followed",
        ),
        (
            "junk.json",
            "JSON-STRICT junk.json: This is not strict JSON: line 1, column 1: bytes that are not UTF-8.",
        ),
        (
            "/dev/null",
            "FILE-READ /dev/null: is not a regular file (a device or socket)",
        ),
    ];
    for (path, expected) in cases {
        refused(&bundle, &[path], expected);
    }
    for trusted in ["none.json", "junk.json", "empty"] {
        let output = run(
            bundle.folder.path(),
            &["verify", "--trusted-root", trusted, "empty", "--json"],
        );
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (output.status.code(), &report["ok"]),
            (Some(1), &Value::Bool(false)),
            "{trusted}"
        );
        assert_eq!(report["roots"], Value::Array(Vec::new()));
    }
}

#[test]
fn bad_usage_is_exit_code_2_and_help_teaches() {
    let here = Path::new(".");
    for arguments in [
        &["verify"][..],
        &["verify", "--trusted-root", "x", "y", "--at", "yesterday"],
        &["nonsense"],
    ] {
        assert_eq!(run(here, arguments).status.code(), Some(2));
    }
    for command in [
        "run", "rehearse", "verify", "inspect", "review", "tokens", "merge",
    ] {
        let output = run(here, &[command, "--help"]);
        let help = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            help.contains("Example") && help.contains("Exit codes:"),
            "{help}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let bundle = bundle(|_| {});
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(bundle.folder.path())
        .args([
            "verify",
            "--trusted-root",
            "1.root.json",
            "bundle",
            "--json",
        ])
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(5));
}
