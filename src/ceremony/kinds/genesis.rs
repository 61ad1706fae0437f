//! `genesis`: the first root and everything offline below it. Two presets: the whole tree of PEP 480, or PEP 458's targets and bins
//! (docs/decisions/0015). Every listed key signs, so each proves that it works.

use super::{Kind, PublishStep, no_outputs, publish_together, refuse};
use crate::ceremony::build;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::intake::Trusted;
use crate::ceremony::planning::{is_ephemeral, listed_documents, metadata_steps};
use crate::ceremony::script::{Custody, Role, Script};
use crate::tuf::finding::Finding;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "genesis",
    about: "the first root and the offline roles below it; every listed key signs",
    check,
    documents: |script, _| listed_documents(script),
    steps: metadata_steps,
    build: build::candidates,
    prove: |_, _| Vec::new(),
    publish,
    outputs: no_outputs,
};

/// What a tree consists of.
struct Preset {
    name: &'static str,
    offline: &'static [&'static str],
    online: &'static [&'static str],
}

const PEP_480: Preset = Preset {
    name: "PEP 480's tree",
    offline: &["root", "targets", "claimed", "unclaimed"],
    online: &["timestamp", "snapshot", "recently-claimed", "bin-n"],
};
const PEP_458: Preset = Preset {
    name: "PEP 458's tree",
    offline: &["root", "targets", "bins"],
    online: &["timestamp", "snapshot", "bin-n"],
};

/// With PEP 480's tree also what only servers sign and every search goes through.
fn publish(candidates: &[Candidate]) -> Vec<PublishStep> {
    let mut steps = publish_together(candidates);
    let projects = candidates
        .iter()
        .any(|candidate| candidate.document.role == "unclaimed");
    if let Some(step) = steps.first_mut().filter(|_| projects) {
        step.action.push_str("; with them an empty recently-claimed of version 1 and every bin, signed by their own keys: no client finds anything before it has asked them");
    }
    steps
}

fn check(script: &Script, _: &Trusted) -> Vec<Finding> {
    let mut findings = Vec::new();
    if script.trusted_root_sha256.is_some() {
        findings.push(refuse(
            "a genesis has no trusted root: remove trusted_root_sha256",
        ));
    }
    match preset(script) {
        Ok(preset) => findings.extend(incomplete(script, preset)),
        Err(finding) => findings.push(finding),
    }
    // Root's keys stand for decades; claimed is signed every month, and in an emergency at once: destroyed keys could do neither.
    for (name, why) in [
        ("root", "root keys are kept by holders"),
        (
            "claimed",
            "claimed is signed every month and whenever developers' keys are stolen, so its keys are kept by holders",
        ),
    ] {
        if is_ephemeral(script.role(name)) {
            findings.push(refuse(format!("{why}; they cannot be ephemeral")));
        }
    }
    if script.custody.is_some() {
        findings.push(refuse(
            "a genesis has no projects, and so none in custody: remove [custody]; rotate-dev makes it when it is needed",
        ));
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

/// Which tree the script means: a mixture would leave two roles that answer for every path.
fn preset(script: &Script) -> Result<&'static Preset, Finding> {
    let projects = script.claimed.is_some() || script.unclaimed.is_some();
    match (projects, script.bins.is_some()) {
        (true, true) => Err(refuse(
            "this script has PEP 480's [claimed] or [unclaimed] and PEP 458's [bins]: remove [bins] for the whole tree, or the others for hash bins only",
        )),
        (true, false) => Ok(&PEP_480),
        (false, true) => Ok(&PEP_458),
        (false, false) => Err(refuse(
            "a genesis delegates everything to somebody: give [claimed] and [unclaimed] (PEP 480), or [bins] alone (PEP 458)",
        )),
    }
}

fn incomplete(script: &Script, preset: &Preset) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in preset.offline {
        match script.role(name) {
            Some(role) => findings.extend(unsaid(name, role)),
            None => findings.push(refuse(format!(
                "a genesis of {} makes {}: [{name}] is missing",
                preset.name,
                preset.offline.join(", ")
            ))),
        }
    }
    for name in preset.online {
        if !script.has_online(name) {
            findings.push(refuse(format!("no [[online]] key has the role {name}")));
        }
    }
    for online in &script.online {
        for name in &online.roles {
            if !preset.online.contains(&name.as_str()) {
                findings.push(refuse(format!(
                    "the online key {} has the role {name:?}; the online roles of {} are {}",
                    online.name,
                    preset.name,
                    preset.online.join(", ")
                )));
            }
        }
    }
    findings
}

/// What version 1 of a role cannot take from an older one.
fn unsaid(name: &str, role: &Role) -> Vec<Finding> {
    let mut findings = Vec::new();
    if role.threshold.is_none() {
        findings.push(refuse(format!("{name}.threshold is missing")));
    }
    if role.holders.is_none() && role.keys != Some(Custody::Ephemeral) {
        findings.push(refuse(format!(
            "{name} lists no holders and is not ephemeral"
        )));
    }
    findings
}
