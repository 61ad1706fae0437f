//! `renew-ephemeral`: targets (and bins) whose keys were destroyed get new keys. Root v+1 alone would break the old targets file for cached and fresh
//! clients, and the destroyed keys cannot sign an overlap (docs/runbooks/renew-ephemeral.md). So the new keys first sign the existing targets bytes.

use super::{Kind, PublishStep, needs_trust, no_outputs, refuse};
use crate::ceremony::build;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::Document;
use crate::ceremony::intake::Trusted;
use crate::ceremony::material::Material;
use crate::ceremony::planning::{is_ephemeral, listed_documents, metadata_steps};
use crate::ceremony::script::Script;
use crate::ceremony::thresholds::{Threshold, top_level};
use crate::tuf::finding::Finding;
use crate::tuf::metadata::Root;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "renew-ephemeral",
    about: "new throwaway keys for targets and bins, published in three steps that break no client",
    check,
    documents,
    steps: metadata_steps,
    build: candidates,
    prove: |_, _| Vec::new(),
    publish,
    outputs: no_outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = needs_trust(script, trusted);
    for (name, role) in [("root", &script.root), ("targets", &script.targets)] {
        if role.is_none() {
            findings.push(refuse(format!(
                "new targets keys need a new root and a new targets: [{name}] is missing"
            )));
        }
    }
    if script
        .targets
        .as_ref()
        .is_some_and(|role| !is_ephemeral(Some(role)))
    {
        findings.push(refuse(
            "targets.keys must be \"ephemeral\"; for keys that holders keep use admin-key",
        ));
    }
    if script
        .root
        .as_ref()
        .is_some_and(|role| role.holders.is_some() || role.threshold.is_some())
    {
        findings.push(refuse(
            "root keys do not change here; use admin-key for that",
        ));
    }
    if trusted.root().is_some() && trusted.current("targets").is_none() {
        findings.push(refuse("there is no trusted targets file in the input"));
    }
    findings
}

pub(super) fn documents(script: &Script, trusted: &Trusted) -> Vec<Document> {
    let again = trusted
        .current("targets")
        .into_iter()
        .map(|(_, targets)| Document {
            role: "targets".to_owned(),
            version: targets.header.version,
        });
    again.chain(listed_documents(script)).collect()
}

pub(super) fn candidates(material: &Material<'_>) -> Result<Vec<Candidate>, Finding> {
    let mut candidates = build::candidates(material)?;
    let root = candidates
        .iter()
        .find(|candidate| candidate.document.role == "root");
    let root = root.ok_or_else(|| refuse("[root] is missing"))?;
    let root = Root::read(&root.path(), &root.envelope)?;
    let (envelope, targets) = material
        .trusted
        .current("targets")
        .ok_or_else(|| refuse("there is no trusted targets file in the input"))?;
    let by = format!("the targets keys of root v{} (new)", root.header.version);
    candidates.insert(
        0,
        Candidate {
            document: Document {
                role: "targets".to_owned(),
                version: targets.header.version,
            },
            envelope: envelope.clone(),
            old: Some(envelope.clone()),
            thresholds: top_level(&root, "targets")
                .map(|(keys, role)| Threshold::over(by, keys, role))
                .into_iter()
                .collect(),
        },
    );
    Ok(candidates)
}

pub(super) fn publish(candidates: &[Candidate]) -> Vec<PublishStep> {
    let path = |index: usize| {
        candidates
            .get(index)
            .map(Candidate::path)
            .into_iter()
            .collect::<Vec<_>>()
    };
    let roots = candidates
        .iter()
        .filter(|candidate| candidate.document.role == "root")
        .map(Candidate::path)
        .collect();
    let rest = candidates
        .iter()
        .skip(1)
        .filter(|candidate| candidate.document.role != "root")
        .map(Candidate::path)
        .collect();
    let step = |files: Vec<String>, action: &str| PublishStep {
        files,
        action: action.to_owned(),
    };
    vec![
        step(
            path(0),
            "replace the published file of the same version (its bytes signed by the new keys too); if the snapshot lists its hash, publish a new snapshot and timestamp with it; purge this one file from the CDN",
        ),
        step(
            roots,
            "publish the root, when the first step is visible everywhere",
        ),
        step(
            rest,
            "publish with a new snapshot and timestamp that list them, when the root is visible everywhere",
        ),
    ]
}
