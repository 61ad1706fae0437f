//! Probes: files with one oddity each (tests/peers/probes/make.py), and the differences between prediction and reality that are meant.

use std::path::Path;
use std::sync::LazyLock;

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::peers::{Client, Peer, Verdict, make_probes};
use super::prediction::{difference, metadata_files, predicted};
use super::trial;

/// Where a prediction and a client may differ: the probe, the client, whether it really accepts, and why this is no flaw of the prediction.
const EXCEPTIONS: [(&str, Peer, bool, &str); 3] = [
    (
        "expires-lower-case",
        Peer::TufJs,
        true,
        "it takes whatever JavaScript calls a date; our own reader refuses the file",
    ),
    (
        "expires-space",
        Peer::TufJs,
        true,
        "it takes whatever JavaScript calls a date; our own reader refuses the file",
    ),
    (
        "only-rsa-pss-sha256-longest-salt",
        Peer::Tough,
        false,
        "a prediction is by the key; the salt is in the signature, and ours are of 32 bytes",
    ),
];

/// The probes, written once.
pub(crate) static PROBES: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    make_probes(folder.path());
    folder
});

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = Peer::ALL
        .into_iter()
        .map(|peer| {
            trial(
                &format!("probes_are_judged_by_{peer:?}_as_predicted"),
                move || {
                    judged_as_predicted(peer);
                },
            )
        })
        .collect();
    trials.push(trial("second_roots_are_fetched_as_predicted", second_roots));
    trials
}

fn judged_as_predicted(peer: Peer) {
    let empty = tempfile::tempdir().unwrap();
    let mut differences = Vec::new();
    let mut exceptions = Vec::new();
    let mut judge = |name: String, file: &Path, said: &Verdict| {
        let predicted = predicted(peer, file);
        let exception = EXCEPTIONS
            .iter()
            .find(|(probe, client, ..)| *probe == name && *client == peer);
        match (exception, difference(&name, &predicted, said)) {
            (Some((.., really, _)), Some(_)) if *really == said.ok => exceptions.push(name),
            (Some(_), _) => differences.push(format!("{name}: no longer an exception")),
            (None, difference) => differences.extend(difference),
        }
    };
    for file in metadata_files(&PROBES.path().join("root")) {
        judge(stem(&file), &file, &peer.root_chain(&file, empty.path()));
    }
    for file in metadata_files(&PROBES.path().join("targets")) {
        judge(stem(&file), &file, &peer.parse(&file));
    }
    for folder in metadata_files(&PROBES.path().join("served")) {
        let cache = tempfile::tempdir().unwrap();
        let said = refreshed(peer, &folder, cache.path());
        judge(
            stem(&folder),
            &folder.join("metadata/1.targets.json"),
            &said,
        );
    }
    assert_eq!(differences, [""; 0]);
    let expected = EXCEPTIONS.iter().filter(|(_, client, ..)| *client == peer);
    assert_eq!(exceptions.len(), expected.count(), "{exceptions:?}");
}

fn second_roots() {
    for folder in metadata_files(&PROBES.path().join("fetched")) {
        for peer in Peer::ALL {
            let cache = tempfile::tempdir().unwrap();
            let root = folder.join("metadata/2.root.json");
            let expected = if predicted(peer, &root).accepts() {
                2
            } else {
                1
            };
            // There is no timestamp, so none comes further than the root.
            let said = refreshed(peer, &folder, cache.path());
            let case = format!("{}, {peer:?}: {said:?}", folder.display());
            assert_eq!(said.root_version, Some(expected), "{case}");
        }
    }
}

fn refreshed(peer: Peer, published: &Path, cache: &Path) -> Verdict {
    peer.client(&Client {
        trusted_root: &published.join("metadata/1.root.json"),
        cache,
        published,
        target: None,
        at: None,
    })
}

fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy();
    name.trim_end_matches(".json").to_owned()
}
