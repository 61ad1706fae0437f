//! What is proven about the new `claimed`, by looking at it and not at how it was made.

use std::collections::BTreeSet;

use super::Compromised;
use crate::pypi::delegation::Delegations;
use crate::tuf::finding::Finding;
use crate::tuf::key::PublicKey;

/// `ROTATE-GONE`: no delegation lists a compromised key, under whatever keyid.
pub fn gone(file: &str, new: &Delegations, compromised: &Compromised) -> Vec<Finding> {
    let mut findings = Vec::new();
    for delegation in new.projects.values() {
        let keys = delegation.keys.iter();
        for (keyid, _) in keys.filter(|(_, key)| compromised.contains_key(key.public())) {
            let text = format!(
                "{} still lists the compromised key {keyid}",
                delegation.role
            );
            findings.push(Finding::error("ROTATE-GONE", file, text));
        }
    }
    let signers = new.custody.iter().flat_map(|custody| &custody.signers.keys);
    for (keyid, _) in signers.filter(|(_, key)| compromised.contains_key(key.public())) {
        let text = format!("custody is signed by the compromised key {keyid}");
        findings.push(Finding::error("ROTATE-GONE", file, text));
    }
    if findings.is_empty() {
        let keyids: Vec<&str> = compromised
            .values()
            .flatten()
            .map(|keyid| keyid.0.as_str())
            .collect();
        let text = format!(
            "of {} delegations none lists a compromised key ({})",
            new.projects.len(),
            keyids.join(", ")
        );
        findings.push(Finding::note("ROTATE-GONE", file, text));
    }
    findings
}

/// `ROTATE-LIVE`: every threshold can be reached by the distinct keys that are left.
pub fn live(file: &str, new: &Delegations) -> Vec<Finding> {
    let short = new.projects.values().filter(|delegation| {
        let distinct: BTreeSet<&PublicKey> = delegation
            .keys
            .iter()
            .map(|(_, key)| key.public())
            .collect();
        distinct.len() < delegation.threshold as usize
    });
    short
        .map(|delegation| {
            let text = format!(
                "{} needs {} signatures and has fewer keys: nobody can ever sign it",
                delegation.role, delegation.threshold
            );
            Finding::error("ROTATE-LIVE", file, text)
        })
        .collect()
}
