//! Timestamp and snapshot (TUF 1.0.34, 5.4 and 5.5), by the keys that the newest root names.

use std::collections::BTreeSet;

use super::files::{Files, role_file};
use super::slot;
use crate::tuf::chain::ChainedRoot;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::metadata::{Snapshot, Timestamp};

pub(super) fn read(
    root: &ChainedRoot,
    files: &dyn Files,
    names: &BTreeSet<String>,
) -> Result<(Timestamp, Snapshot), Finding> {
    let rule = "REPOSITORY-TIMESTAMP";
    let file = "timestamp.json";
    let envelope = Envelope::parse(file, take(files, names, file)?, Limits::SMALL)?;
    signed(rule, file, "timestamp", &envelope, root)?;
    let timestamp = Timestamp::read(file, &envelope)?;

    let rule = "REPOSITORY-SNAPSHOT";
    let meta = &timestamp.snapshot;
    let is_consistent = root.root.consistent_snapshot != Some(false);
    let file = role_file("snapshot", is_consistent.then_some(meta.version));
    let bytes = take(files, names, &file)?;
    if let Some(reason) = meta.content.differs(&bytes) {
        let text = format!("it is not the snapshot that the timestamp means: {reason}");
        return Err(Finding::error(rule, &file, text));
    }
    let envelope = Envelope::parse(&file, bytes, Limits::LARGE)?;
    signed(rule, &file, "snapshot", &envelope, root)?;
    let snapshot = Snapshot::read(&file, &envelope)?;
    let found = snapshot.header.version;
    if found != meta.version {
        let text = format!(
            "it is snapshot v{found}, but the timestamp means v{}",
            meta.version
        );
        return Err(Finding::error(rule, &file, text));
    }
    Ok((timestamp, snapshot))
}

fn take(files: &dyn Files, names: &BTreeSet<String>, file: &str) -> Result<Vec<u8>, Finding> {
    if names.contains(file) {
        return files.take(file);
    }
    let text = "it is not there; a published repository has it. For a folder that is not published yet, ask for the newest versions instead";
    Err(Finding::error("REPOSITORY-MISSING", file, text))
}

fn signed(
    rule: &'static str,
    file: &str,
    name: &str,
    envelope: &Envelope,
    root: &ChainedRoot,
) -> Result<(), Finding> {
    let whose = format!("root v{}", root.root.header.version);
    let Some(signers) = root.root.role(name) else {
        let text = format!("{whose} names no keys for {name}");
        return Err(Finding::error(rule, file, text));
    };
    let judge = slot::Judge {
        role: name,
        whose: &whose,
        keys: &root.root.keys,
        signers,
    };
    judge.judge(rule, file, envelope)
}
