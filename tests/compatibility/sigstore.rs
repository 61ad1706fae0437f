//! Sigstore's production roots; shown as ignored where they are absent.

use std::path::Path;

use libtest_mimic::Trial;

use super::peers::Peer;
use super::prediction::{difference, metadata_files, predicted};
use super::trial;

pub(crate) fn trials() -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/sigstore-root");
    let absent = !folder.is_dir();
    let name = "sigstore_roots_hold_for_each_client_as_predicted";
    vec![trial(name, move || hold_as_predicted(&folder)).with_ignored_flag(absent)]
}

/// Each root alone, by its own keys.
fn hold_as_predicted(folder: &Path) {
    let empty = tempfile::tempdir().unwrap();
    let mut differences = Vec::new();
    for peer in Peer::ALL {
        for file in metadata_files(folder) {
            let case = format!("{}, {peer:?}", file.display());
            let said = peer.root_chain(&file, empty.path());
            differences.extend(difference(&case, &predicted(peer, &file), &said));
        }
    }
    assert_eq!(differences, [""; 0]);
}
