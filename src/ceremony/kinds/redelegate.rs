//! `redelegate`: targets delegates to other roles than before, or the bins become more or fewer. PEP 458's tree becomes PEP 480's: `unclaimed` takes over
//! the delegations of `bins`, behind an empty `claimed` and `recently-claimed`, so that every path is answered by the bin that answered before, which is
//! proven by looking paths up in both trees (`REDELEGATE-LOOKUP`).

use super::{
    Kind, PublishStep, needs_trust, no_outputs, publish_together, refuse, renew_ephemeral,
    stands_in_delegator,
};
use crate::ceremony::build;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::Document;
use crate::ceremony::intake::Trusted;
use crate::ceremony::material::Material;
use crate::ceremony::planning::{is_ephemeral, listed_documents, metadata_steps};
use crate::ceremony::script::{Role, Script};
use crate::tuf::finding::Finding;
use crate::tuf::metadata::Targets;

mod lookup;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "redelegate",
    about: "other roles below targets, or another number of bins; every path keeps its answer",
    check,
    documents,
    steps: metadata_steps,
    build: candidates,
    prove: lookup::prove,
    publish,
    outputs: no_outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = needs_trust(script, trusted);
    findings.extend(check_root(script));
    findings.extend(stands_in_delegator(script, trusted));
    if trusted.root().is_none() {
        return findings;
    }
    if trusted.current("targets").is_none() {
        findings.push(refuse("there is no trusted targets file in the input"));
        return findings;
    }
    let migrates = script.claimed.is_some() || script.unclaimed.is_some();
    if migrates && trusted.role("unclaimed").is_none() {
        findings.extend(check_migration(script, trusted));
    } else {
        findings.extend(check_bins(script, trusted));
    }
    findings
}

/// Root takes part only where the targets keys were destroyed.
fn check_root(script: &Script) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&script.root, is_ephemeral(script.targets.as_ref())) {
        (Some(_), false) => findings.push(refuse(
            "a redelegation by targets keys that holders keep changes no root: remove [root]",
        )),
        (None, true) => findings.push(refuse(
            "the targets keys were destroyed, and root names the new ones: give [root] its next version",
        )),
        (Some(root), true) if root.holders.is_some() || root.threshold.is_some() => findings.push(
            refuse("root keys do not change here; use admin-key for that"),
        ),
        _ => {}
    }
    findings
}

/// PEP 458's tree becomes PEP 480's.
fn check_migration(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["targets", "claimed", "unclaimed"] {
        if script.role(name).is_none() {
            findings.push(refuse(format!(
                "PEP 480's tree is made by new targets, claimed and unclaimed: [{name}] is missing"
            )));
        }
    }
    for name in ["bins", "custody"] {
        if script.role(name).is_some() {
            findings.push(refuse(format!(
                "{name} has no place in the first version of PEP 480's tree: remove [{name}]"
            )));
        }
    }
    for name in ["claimed", "unclaimed"] {
        let said = script.role(name);
        if said.is_some_and(|role| role.threshold.is_none()) {
            findings.push(refuse(format!("{name}.threshold is missing")));
        }
        if said.is_some_and(|role| role.holders.is_none() && !is_ephemeral(Some(role))) {
            findings.push(refuse(format!(
                "{name} lists no holders and is not ephemeral"
            )));
        }
    }
    if is_ephemeral(script.claimed.as_ref()) {
        findings.push(refuse("claimed is signed every month and whenever developers' keys are stolen, so its keys are kept by holders; they cannot be ephemeral"));
    }
    if script.unclaimed.as_ref().is_some_and(changes_bins) {
        findings.push(refuse("unclaimed takes over the bins as they are: remove bit_length and name_prefix, and change them by a redelegation afterwards"));
    }
    if !script.has_online("recently-claimed") {
        findings.push(refuse("no [[online]] key has the role recently-claimed"));
    }
    let others = script.online.iter().flat_map(|online| &online.roles);
    if others.into_iter().any(|role| role != "recently-claimed") {
        findings.push(refuse("a redelegation adds the key of recently-claimed and changes no other online key: let every [[online]] have the role recently-claimed alone"));
    }
    if trusted.current("bins").is_none() {
        findings.push(refuse(
            "there is no trusted bins file in the input: unclaimed takes over what it delegates",
        ));
    }
    findings.extend(trusted.current("targets").and_then(|(_, it)| only_bins(it)));
    findings
}

/// What this program did not make is not thrown away.
fn only_bins(targets: &Targets) -> Option<Finding> {
    let delegations = targets.delegations.as_ref()?;
    let mut others = delegations.roles().filter(|role| role.name != "bins");
    let other = others.next()?;
    Some(refuse(format!(
        "targets delegates to {} besides bins; a redelegation would lose it. Only a tree in which targets delegates to bins alone becomes PEP 480's",
        crate::tuf::finding::shown(&other.name)
    )))
}

/// Other bins in the tree that is there.
fn check_bins(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !script.online.is_empty() {
        findings.push(refuse(
            "online keys are replaced by admin-key: remove [[online]]",
        ));
    }
    if !script.roles().iter().any(|(_, role)| changes_bins(role)) {
        findings.push(refuse("nothing is delegated otherwise here: give [claimed] and [unclaimed] for PEP 480's tree, or unclaimed.bit_length for other bins; keys change by admin-key"));
    }
    for (name, role) in script.roles() {
        if trusted.envelope(name).is_none() {
            findings.push(refuse(format!("there is no trusted {name} in the input")));
        }
        let bits = role.bit_length.unwrap_or(14);
        if !(1..=32).contains(&bits) {
            findings.push(refuse(format!(
                "{name}.bit_length is {bits}; it is 1 to 32 (TAP 15), and 14 in PEP 458"
            )));
        }
        if role
            .name_prefix
            .as_deref()
            .is_some_and(|prefix| !is_prefix(prefix))
        {
            findings.push(refuse(format!(
                "{name}.name_prefix is 1 to 32 lower-case letters, digits and hyphens"
            )));
        }
    }
    findings
}

fn changes_bins(role: &Role) -> bool {
    role.bit_length.is_some() || role.name_prefix.is_some()
}

fn is_prefix(prefix: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&prefix.len()) && prefix.bytes().all(plain)
}

fn documents(script: &Script, trusted: &Trusted) -> Vec<Document> {
    if is_ephemeral(script.targets.as_ref()) {
        renew_ephemeral::documents(script, trusted)
    } else {
        listed_documents(script)
    }
}

fn candidates(material: &Material<'_>) -> Result<Vec<Candidate>, Finding> {
    if is_ephemeral(material.script.targets.as_ref()) {
        renew_ephemeral::candidates(material)
    } else {
        build::candidates(material)
    }
}

/// As any publication, or in three steps where the targets keys are new; and what has no place in the tree any more stays published.
fn publish(candidates: &[Candidate]) -> Vec<PublishStep> {
    let targets = candidates
        .iter()
        .filter(|candidate| candidate.document.role == "targets");
    let mut steps = if targets.count() > 1 {
        renew_ephemeral::publish(candidates)
    } else {
        publish_together(candidates)
    };
    let Some(step) = steps.last_mut() else {
        return steps;
    };
    let new = |role: &str| {
        let mut candidates = candidates.iter();
        candidates.any(|candidate| candidate.document.role == role && candidate.old.is_none())
    };
    if new("unclaimed") {
        step.action.push_str("; with them an empty recently-claimed of version 1, signed by its own key. Keep bins in every later snapshot, at its last version: clients refuse a snapshot from which a role vanished");
    }
    let mut bins = candidates.iter().filter_map(other_bins);
    if let Some((old, new)) = bins.next() {
        let more = format!(
            "; with them every one of the bins {new}, with the targets that were in {old}. Keep the bins that are no longer asked in every later snapshot, empty: clients refuse a snapshot from which a role vanished"
        );
        step.action.push_str(&more);
    }
    steps
}

/// `bin-0000 to bin-3fff`, before and after, where the bins change.
fn other_bins(candidate: &Candidate) -> Option<(String, String)> {
    let bins = |envelope| {
        let targets = Targets::read("bins", envelope).ok()?;
        let bins = targets.delegations?.succinct?;
        let last = u32::try_from((1_u64 << bins.bit_length) - 1).ok()?;
        Some(format!("{} to {}", bins.name(0), bins.name(last)))
    };
    let (old, new) = (bins(candidate.old.as_ref()?)?, bins(&candidate.envelope)?);
    (old != new).then_some((old, new))
}
