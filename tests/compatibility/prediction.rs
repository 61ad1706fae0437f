//! Predictions beside what clients say.

use std::fs;
use std::path::{Path, PathBuf};

use tuf_ceremony::tuf::compat::{self, Client, Verdict};
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;

use super::peers::{self, Peer};

/// What is predicted of a peer for one file.
pub(crate) fn predicted(peer: Peer, file: &Path) -> Verdict {
    let name = file.display().to_string();
    let envelope = Envelope::parse(&name, fs::read(file).unwrap(), Limits::SMALL).unwrap();
    let client = match peer {
        Peer::PythonTuf => Client::PythonTuf,
        Peer::TufJs => Client::TufJs,
        Peer::Tough => Client::Tough,
    };
    let mut verdicts = compat::verdicts(&envelope).into_iter();
    verdicts.find(|verdict| verdict.client == client).unwrap()
}

/// The difference between a prediction and what the client said, in words; none if they agree.
pub(crate) fn difference(case: &str, predicted: &Verdict, said: &peers::Verdict) -> Option<String> {
    (predicted.accepts() != said.ok).then(|| {
        format!(
            "{case}: {} was predicted to say {:?}, and it said {:?}",
            predicted.version, predicted.reasons, said.error
        )
    })
}

/// Every client must say of every file, read alone, what is predicted of it.
pub(crate) fn all_read_as_predicted(files: &[PathBuf]) {
    let differences = Peer::ALL.into_iter().flat_map(|peer| {
        files.iter().filter_map(move |file| {
            let case = format!("{}, {peer:?}", file.display());
            difference(&case, &predicted(peer, file), &peer.parse(file))
        })
    });
    assert_eq!(differences.collect::<Vec<_>>(), [""; 0]);
}

/// Every client must follow the roots 1, 2, ... of a folder exactly up to the first that it is predicted to refuse.
pub(crate) fn chain_is_followed_as_predicted(metadata: &Path) {
    let path = |version: u64| metadata.join(format!("{version}.root.json"));
    for peer in Peer::ALL {
        let roots = (1..).take_while(|version| path(*version).exists());
        let accepted = roots.take_while(|version| predicted(peer, &path(*version)).accepts());
        let newest = accepted.last();
        let said = peer.root_chain(&path(1), metadata);
        let case = format!("{}, {peer:?}: {said:?}", metadata.display());
        assert_eq!(said.root_version, newest, "{case}");
        assert_eq!(
            said.ok,
            newest.is_some_and(|version| !path(version + 1).exists()),
            "{case}"
        );
    }
}

/// The metadata files of a folder, by name.
pub(crate) fn metadata_files(metadata: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(metadata).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", metadata.display());
    files
}
