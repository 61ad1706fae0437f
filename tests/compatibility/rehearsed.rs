//! Golden bundles: what the program itself makes in every rehearsal.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;

use super::peers::Peer;
use super::prediction::{
    all_read_as_predicted, chain_is_followed_as_predicted, metadata_files, predicted,
};
use super::trial;

/// Which kind is rehearsed, and the bundles that come of it.
const REHEARSALS: [(&str, &[&str]); 3] = [
    ("renew", &["genesis-458", "admin-key", "renew"]),
    ("renew-ephemeral", &["genesis-ephemeral", "renew-ephemeral"]),
    ("abort", &["genesis-458", "abort"]),
];

pub(crate) fn trials() -> Vec<Trial> {
    let rehearsals = REHEARSALS.into_iter().map(|(kind, bundles)| {
        trial(
            &format!("bundles_of_rehearsed_{kind}_are_read_as_predicted"),
            move || bundles_are_read_as_predicted(kind, bundles),
        )
    });
    rehearsals.collect()
}

fn bundles_are_read_as_predicted(kind: &str, bundles: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    rehearse(kind, folder.path());
    let mut made: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    made.sort();
    let mut expected = bundles.to_vec();
    expected.sort_unstable();
    assert_eq!(made, expected);
    for bundle in bundles {
        let metadata = folder.path().join(bundle).join("metadata");
        chain_is_followed_as_predicted(&metadata);
        all_read_as_predicted(&metadata_files(&metadata));
    }
    // Not only the same, but what the documentation promises: P-384 keys keep tough out, the others read everything.
    let last = bundles.last().unwrap();
    for file in metadata_files(&folder.path().join(last).join("metadata")) {
        for peer in [Peer::PythonTuf, Peer::TufJs] {
            let verdict = predicted(peer, &file);
            assert!(verdict.accepts(), "{}: {verdict:?}", file.display());
        }
        let name = file.file_name().unwrap().to_string_lossy();
        let read = !name.ends_with(".root.json") && !name.ends_with(".bins.json");
        let verdict = predicted(Peer::Tough, &file);
        assert_eq!(verdict.accepts(), read, "{name}: {verdict:?}");
    }
}

/// `rehearse KIND` with software keys; the bundles lie in `out`.
fn rehearse(kind: &str, out: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"));
    command.args(["rehearse", kind, "--headless", "--software", "--out"]);
    let output = command.arg(out).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
