//! `genesis`: the first root, targets and bins. Every listed key signs, so each proves that it works.

use super::{Kind, publish_together, refuse};
use crate::ceremony::build;
use crate::ceremony::intake::Trusted;
use crate::ceremony::planning::{listed_documents, metadata_steps};
use crate::ceremony::script::{Custody, Script};
use crate::tuf::finding::Finding;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "genesis",
    about: "the first root, with targets and bins; every listed key signs",
    check,
    documents: |script, _| listed_documents(script),
    steps: metadata_steps,
    build: build::candidates,
    prove: |_, _| Vec::new(),
    publish: publish_together,
};

fn check(script: &Script, _: &Trusted) -> Vec<Finding> {
    let mut findings = Vec::new();
    if script.trusted_root_sha256.is_some() {
        findings.push(refuse(
            "a genesis has no trusted root: remove trusted_root_sha256",
        ));
    }
    for (name, role) in [
        ("root", &script.root),
        ("targets", &script.targets),
        ("bins", &script.bins),
    ] {
        let Some(role) = role else {
            findings.push(refuse(format!(
                "a genesis makes root, targets and bins: [{name}] is missing"
            )));
            continue;
        };
        if role.threshold.is_none() {
            findings.push(refuse(format!("{name}.threshold is missing")));
        }
        if role.holders.is_none() && role.keys != Some(Custody::Ephemeral) {
            findings.push(refuse(format!(
                "{name} lists no holders and is not ephemeral"
            )));
        }
    }
    if script
        .root
        .as_ref()
        .is_some_and(|root| root.keys == Some(Custody::Ephemeral))
    {
        findings.push(refuse(
            "root keys are kept by holders; they cannot be ephemeral",
        ));
    }
    for role in ["timestamp", "snapshot", "bin-n"] {
        if !script
            .online
            .iter()
            .any(|online| online.roles.iter().any(|name| name == role))
        {
            findings.push(refuse(format!("no [[online]] key has the role {role}")));
        }
    }
    if !script.supersedes.is_empty()
        && script
            .supersedes
            .iter()
            .any(|given_up| given_up.version != 1)
    {
        findings.push(refuse(
            "a genesis makes version 1 only; it can supersede nothing else",
        ));
    }
    findings
}
