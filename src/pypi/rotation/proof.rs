//! What is proven about the new `claimed`, by looking at it and not at how it was made.

use std::collections::BTreeSet;

use super::Compromised;
use crate::pypi::delegation::{Delegation, Delegations};
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::PublicKey;

/// `ROTATE-GONE`: no delegation lists a compromised key, under whatever keyid.
pub fn gone(file: &str, new: &Delegations, compromised: &Compromised) -> Vec<Finding> {
    let mut findings = Vec::new();
    let keys = new.projects.keys();
    for (project, keyid, _) in keys.filter(|(_, _, public)| compromised.contains_key(public)) {
        let role = new.projects.get(project).map(|delegation| delegation.role);
        let role = role.unwrap_or_else(|| project.role());
        let text = format!("{role} still lists the compromised key {}", shown(&keyid));
        findings.push(Finding::error("ROTATE-GONE", file, text));
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
pub fn live(file: &str, new: impl Iterator<Item = Delegation>) -> Vec<Finding> {
    let short = new.filter(|delegation| {
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
