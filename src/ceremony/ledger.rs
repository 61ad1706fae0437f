//! The ledgers of a ceremony. Of offline roles: what was carried in agrees with the trusted files, and the bundle's has this ceremony's documents more. Of targets: all
//! that the newest archive lists.

use std::collections::BTreeMap;

use super::candidate::Candidate;
use super::intake::Trusted;
use super::intake::archives::Archive;
use super::script::Script;
use crate::pypi::ledger::{Entry, Ledger, targets as lines_of_targets};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::metadata::{Snapshot, target_files};

/// Where it lies in a bundle.
pub const PATH: &str = "ceremony/ledger.jsonl";

/// Where that of targets lies.
pub const TARGETS: &str = "evidence/targets.ledger";

/// `LEDGER-DIFFERS`: trusted files that are not what the ledger that was carried in has for their version.
pub(super) fn differing(trusted: &Trusted) -> Vec<Finding> {
    let Some(ledger) = &trusted.asked.ledger else {
        return Vec::new();
    };
    let roots = trusted.chain.iter().flat_map(|chain| &chain.roots);
    let roots = roots.map(|root| ("root", root.root.header.version, &root.envelope));
    let current = trusted.current.iter();
    let current =
        current.map(|(role, (file, parsed))| (role.as_str(), parsed.header.version, file));
    roots
        .chain(current)
        .filter_map(|(role, version, envelope)| {
            let name = format!("trusted/{version}.{role}.json");
            ledger.check(&name, role, version, &envelope.payload_digest())
        })
        .collect()
}

/// The ledger with the candidates of the ceremony `ceremony`; a payload that the script gives up is named by the one in its place.
///
/// # Errors
/// `LEDGER-ORDER`.
pub fn after(
    trusted: &Trusted,
    script: &Script,
    ceremony: Sha256,
    candidates: &[Candidate],
) -> Result<Ledger, Finding> {
    let before = trusted.asked.ledger.clone().unwrap_or_default();
    let mut entries = Vec::new();
    for candidate in candidates {
        let (document, payload) = (&candidate.document, candidate.payload());
        let present = before.find(&document.role, document.version);
        let present = present.map(|entry| entry.payload);
        if present == Some(payload) {
            continue;
        }
        let is_given_up = |present: &Sha256| {
            script.supersedes.iter().any(|given_up| {
                (given_up.role.as_str(), given_up.version, given_up.sha256)
                    == (document.role.as_str(), document.version, *present)
            })
        };
        entries.push(Entry {
            role: document.role.clone(),
            version: document.version,
            payload,
            ceremony,
            supersedes: present.filter(is_given_up),
        });
    }
    before.extended(crate::pypi::ledger::NAME, entries)
}

/// Every target of a snapshot with its digest, as it was when the ceremony was held: what a later audit compares with. A target without SHA-256 and a role that cannot be
/// read are not in it.
///
/// # Errors
/// `LEDGER-ORDER`.
pub fn targets(newest: &Archive) -> Result<Vec<u8>, Finding> {
    let mut lines = BTreeMap::new();
    let roles = newest.repository.snapshot();
    for role in roles.into_iter().flat_map(Snapshot::roles) {
        let Some(bytes) = newest.file(role) else {
            continue;
        };
        let Ok(envelope) = Envelope::parse(role, bytes.to_vec(), Limits::LARGE) else {
            continue;
        };
        for (path, target) in target_files(role, &envelope).unwrap_or_default() {
            let digest: Option<Sha256> = target.hashes.get("sha256").and_then(|it| it.parse().ok());
            if let Some(digest) = digest {
                let length = target.length;
                let line = format!(
                    "{} {digest} {length} {role}",
                    lines_of_targets::sort_key(&path)
                );
                lines.insert(line, (path, digest, length, role));
            }
        }
    }
    let mut writer = lines_of_targets::Writer::default();
    for (path, digest, length, role) in lines.into_values() {
        writer
            .push(&path, &digest, length, role)
            .map_err(|fault| fault.finding(lines_of_targets::NAME))?;
    }
    Ok(writer.finish().0)
}
