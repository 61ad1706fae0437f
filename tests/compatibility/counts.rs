//! One key under two keyids: python-tuf, tuf-js and tough count it twice; this program does not.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::peers::Peer;
use super::probes::PROBES;
use super::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial(
        "one_key_under_two_keyids_counts_once_here_and_twice_elsewhere",
        counts_once,
    )]
}

fn counts_once() {
    let metadata = PROBES.path().join("fetched/one-key-two-keyids/metadata");
    let root = metadata.join("1.root.json");
    for peer in Peer::ALL {
        let verdict = peer.root_chain(&root, &metadata);
        assert!(verdict.ok, "{peer:?}: {verdict:?}");
        assert_eq!(verdict.root_version, Some(2), "{peer:?}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"));
    command.args(["verify", "--json", "--trusted-root"]);
    let output = command.arg(&root).arg(&metadata).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let findings = report["findings"].as_array().unwrap();
    let threshold = findings
        .iter()
        .find(|finding| finding["rule"] == "ROOT-THRESHOLD-NEW");
    let text = threshold.expect("a finding")["text"].as_str().unwrap();
    assert!(
        text.starts_with("root v2 needs 2 signatures by its own keys (new) and has 1"),
        "{report:#}"
    );
    assert!(text.contains("(a key that has already counted)"), "{text}");
}
