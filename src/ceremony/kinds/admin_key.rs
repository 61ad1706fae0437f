//! `admin-key`: holders come, go, or replace their keys, one or a threshold of them at once. A person who replaces a key signs with the old and with the
//! new one in one sitting (tuf-on-ci#505).

use super::{Kind, needs_trust, no_outputs, publish_together, refuse, stands_in_delegator};
use crate::ceremony::build;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::intake::Trusted;
use crate::ceremony::material::{Material, is_trusted};
use crate::ceremony::planning::{listed_documents, metadata_steps};
use crate::ceremony::script::{Custody, Role, Script};
use crate::ceremony::sharding;
use crate::tuf::finding::Finding;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "admin-key",
    about: "holders come, go or replace their keys",
    check,
    documents: |script, _| listed_documents(script),
    steps: metadata_steps,
    build: build::candidates,
    prove,
    publish: publish_together,
    outputs: no_outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = needs_trust(script, trusted);
    for (name, role) in script.roles() {
        if role.keys == Some(Custody::Ephemeral) {
            findings.push(refuse(format!(
                "{name}: new ephemeral keys are the work of renew-ephemeral"
            )));
        }
        if role.bit_length.is_some() || role.name_prefix.is_some() {
            findings.push(refuse(format!(
                "{name}: the number and the name of the bins change by redelegate"
            )));
        }
        if trusted.root().is_some() && trusted.envelope(name).is_none() {
            findings.push(refuse(format!("there is no trusted {name} in the input")));
        }
    }
    findings.extend(stands_in_delegator(script, trusted));
    let changes = |role: &Role| role.holders.is_some() || role.threshold.is_some();
    if !script.roles().into_iter().any(|(_, role)| changes(role)) && script.online.is_empty() {
        findings.push(refuse(
            "nothing changes here: list holders or a threshold, or use renew",
        ));
    }
    for holder in &script.holders {
        for (role, _) in script.roles() {
            let old = holder.key(role).and_then(|key| key.old_keyid.as_ref());
            if let Some(keyid) =
                old.filter(|keyid| trusted.root().is_some() && !is_trusted(trusted, role, keyid))
            {
                findings.push(refuse(format!(
                    "{}.{role}.old_keyid {keyid} is not a {role} key in trusted metadata",
                    holder.name
                )));
            }
        }
    }
    findings
}

/// What was to be replaced or removed is gone.
fn prove(material: &Material<'_>, candidates: &[Candidate]) -> Vec<Finding> {
    let mut findings = sharding::prove_renewed(material, candidates);
    for holder in &material.script.holders {
        for (role, said) in material.script.roles() {
            let Some(old) = holder.key(role).and_then(|key| key.old_keyid.as_ref()) else {
                continue;
            };
            let listed = candidates
                .iter()
                .filter_map(|candidate| candidate.thresholds.last().map(|last| (candidate, last)))
                .any(|(candidate, last)| {
                    candidate.document.role == role && last.role.keyids.contains(old)
                });
            if listed && said.holders.is_some() {
                findings.push(Finding::error(
                    "ADMIN-KEY-GONE",
                    "",
                    format!("the old {role} key of {} is still listed", holder.name),
                ));
            }
        }
    }
    findings
}
