//! The ledger of offline roles through a ceremony: what was carried in agrees with the trusted files, and the bundle's has this ceremony's documents more.

use super::candidate::Candidate;
use super::intake::Trusted;
use super::script::Script;
use crate::pypi::ledger::{Entry, Ledger};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// Where it lies in a bundle.
pub const PATH: &str = "ceremony/ledger.jsonl";

/// `LEDGER-DIFFERS`: trusted files that are not what the ledger that was carried in has for their version.
pub(super) fn differing(trusted: &Trusted) -> Vec<Finding> {
    let Some(ledger) = &trusted.asked.ledger else {
        return Vec::new();
    };
    let roots = trusted.chain.iter().flat_map(|chain| &chain.roots);
    let roots = roots.map(|root| ("root", root.root.header.version, &root.envelope));
    let current = trusted.current.iter();
    let current = current.map(|(role, (file, parsed))| (*role, parsed.header.version, file));
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
