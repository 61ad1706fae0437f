//! Every reader of the library that is given bytes from outside. A reader says whether it took the document.

use tuf_ceremony::bundle::manifest::Manifest;
use tuf_ceremony::bundle::part::{AbandonedRecord, Part};
use tuf_ceremony::ceremony::script::Script;
use tuf_ceremony::pypi::holders::Holders;
use tuf_ceremony::pypi::ledger::{Ledger, targets};
use tuf_ceremony::pypi::owners::Owners;
use tuf_ceremony::pypi::requests::Requests;
use tuf_ceremony::room::answers::Answers;
use tuf_ceremony::room::config::Room;
use tuf_ceremony::transcript;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::metadata::{Root, Targets};
use tuf_ceremony::tuf::{chain, compat, diff, verification};

/// Reads bytes; true: they are such a document.
pub(crate) type Reader = fn(&[u8]) -> bool;

pub(crate) const READERS: [(&str, Reader); 13] = [
    ("metadata", metadata),
    ("part", |bytes| Part::parse("", bytes).is_ok()),
    ("abandoned", |bytes| {
        AbandonedRecord::parse("", bytes).is_ok()
    }),
    ("manifest", |bytes| Manifest::parse("", bytes).is_ok()),
    ("transcript", |bytes| transcript::read(bytes).is_ok()),
    ("script", |bytes| Script::parse("", bytes).is_ok()),
    ("room", |bytes| Room::parse("", bytes).is_ok()),
    ("holders", |bytes| Holders::parse("", bytes).is_ok()),
    ("requests", |bytes| Requests::parse("", bytes).is_ok()),
    ("owners", |bytes| Owners::parse("", bytes).is_ok()),
    ("ledger", |bytes| Ledger::parse("", bytes).is_ok()),
    ("targets ledger", |bytes| {
        targets::read("", bytes, &mut |_| {}).is_ok()
    }),
    ("answers", answers),
];

/// All that is ever asked of one metadata file.
pub(crate) fn metadata(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::parse("", bytes.to_vec(), Limits::SMALL) else {
        return false;
    };
    verification::remarks("", &envelope);
    compat::verdicts(&envelope);
    let _ = diff::between(None, &envelope);
    let _ = diff::between(Some(&envelope), &envelope);
    let file = || ("1.root.json".to_owned(), bytes.to_vec());
    chain::follow(file(), vec![file()]);
    let root = Root::read("", &envelope);
    if let Ok(root) = &root {
        root.remarks("");
        for role in ["root", "timestamp", "snapshot", "targets"] {
            if let Some(role) = root.role(role) {
                verification::threshold(&envelope, &root.keys, role, &[]);
            }
        }
    }
    let targets = Targets::read("", &envelope);
    if let Ok(targets) = &targets {
        targets.remarks("");
    }
    root.is_ok() || targets.is_ok()
}

fn answers(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answers.toml");
    std::fs::write(&path, bytes).unwrap();
    Answers::read(&path).is_ok()
}
