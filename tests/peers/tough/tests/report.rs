//! The peer's own contract: one JSON object on stdout, whatever it is given.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

#[test]
fn an_unreadable_file_is_a_report_and_not_a_crash() {
    let output = Command::new(env!("CARGO_BIN_EXE_tough-peer"))
        .args(["parse", "no-such-file.json"])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let error = report["error"].as_str().unwrap();
    assert!(error.contains("No such file or directory"), "{error}");
}
