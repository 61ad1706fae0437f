//! `rotate-dev`: compromised developer keys go from every project that lists them, in hours. Everything that is decided stands in the incident file and
//! the requests, whose digests the script says, so holders in different places build the same candidates ([`crate::ceremony::rotation`]).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{Kind, Outputs, needs_trust, publish_together, refuse};
use crate::ceremony::build;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{Mode, REHEARSAL_MARKER};
use crate::ceremony::intake::Trusted;
use crate::ceremony::material::Material;
use crate::ceremony::planning::{listed_documents, metadata_steps};
use crate::ceremony::rotation::{self, Derived};
use crate::ceremony::script::{Role, Script};
use crate::ceremony::sharding;
use crate::pypi::changes::{self, Expected};
use crate::pypi::custody::{self, Held};
use crate::pypi::delegation::Delegations;
use crate::pypi::online_actions::{self, Action};
use crate::pypi::rotation::{Way, gone, live, sheet};
use crate::pypi::shards;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Finding;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "rotate-dev",
    about: "compromised developer keys are replaced, removed, or their projects taken into custody",
    check,
    documents: |script, _| listed_documents(script),
    steps: metadata_steps,
    build: candidates,
    prove,
    publish: publish_together,
    outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = needs_trust(script, trusted);
    if script.rotate.is_none() {
        findings.push(refuse("[rotate] is missing: it says the incident's digest"));
    }
    if script.claim.is_some() {
        findings.push(refuse("a rotation claims nothing: remove [claim]"));
    }
    if script.claimed.is_none() && script.shards.is_none() {
        findings.push(refuse(
            "a rotation makes a new claimed: [claimed] is missing",
        ));
    }
    for (name, role) in script.roles() {
        if !["claimed", "custody"].contains(&name) {
            findings.push(refuse(format!(
                "a rotation makes no new {name}: remove [{name}]"
            )));
        } else if role.holders.is_some() || role.threshold.is_some() || role.keys.is_some() {
            findings.push(refuse(format!(
                "a rotation changes no administrators' keys: [{name}] may say version and expires only"
            )));
        }
    }
    if !script.online.is_empty() {
        findings.push(refuse(
            "a rotation changes no online key: remove [[online]]",
        ));
    }
    if findings.is_empty() {
        findings.extend(custody_fits(script, trusted));
    }
    findings
}

/// `[custody]` is there exactly if somebody goes into custody or leaves it and somebody is left there.
fn custody_fits(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let derived = match rotation::derive(script, trusted) {
        Ok(derived) => derived,
        Err(findings) => return findings,
    };
    if derived.rotation.changes.changes.is_empty() {
        return vec![refuse(
            "no project of claimed lists a compromised key: nothing is to be signed; recently-claimed is edited online, `incident plan` says how",
        )];
    }
    let kept = derived.kept(trusted.envelope("custody"));
    let is_kept = !kept.files.is_empty() || !kept.tombstoned.is_empty();
    let needed = derived.changes_custody() && is_kept;
    match (needed, script.custody.is_some()) {
        (true, false) => vec![refuse(
            "projects go into custody or leave it: give [custody] with its next version",
        )],
        (false, true) if !is_kept => {
            vec![refuse("no project is left in custody: remove [custody]")]
        }
        _ => Vec::new(),
    }
}

fn derive(material: &Material<'_>) -> Result<Derived, Finding> {
    let first = |findings: Vec<Finding>| {
        let none = || Finding::error("SCRIPT-ROLE", "", "nothing could be derived");
        findings.into_iter().next().unwrap_or_else(none)
    };
    rotation::derive(material.script, material.trusted).map_err(first)
}

fn candidates(material: &Material<'_>) -> Result<Vec<Candidate>, Finding> {
    let derived = derive(material)?;
    let mut candidates = claimed(material, &derived)?;
    let Some(role) = material.script.custody.as_ref() else {
        return Ok(candidates);
    };
    build::check_version("custody", role, version_of(material, "custody"))?;
    let old = material.trusted.envelope("custody");
    let kept = derived.kept(old);
    let held = Held {
        files: &kept.files,
        tombstoned: &kept.tombstoned,
    };
    let envelope = custody::build(
        "custody",
        old,
        role.version,
        &role.expires,
        held,
        &kept.known_good,
    )?;
    let custody = build::finished(material, "custody", role, envelope, &candidates)?;
    candidates.push(custody);
    Ok(candidates)
}

/// claimed, or claimed and the shards that change.
fn claimed(material: &Material<'_>, derived: &Derived) -> Result<Vec<Candidate>, Finding> {
    let spec = material.role("claimed")?;
    let changes = &derived.rotation.changes;
    if material.script.shards.is_some() {
        let asked = sharding::Asked {
            changes,
            custody: Some(&spec),
            all: false,
        };
        return sharding::candidates(material, &asked, &[]);
    }
    let role = wanted(material, "claimed")?;
    let old = material.trusted.envelope("claimed");
    let old = old.ok_or_else(|| refuse("there is no trusted claimed in the input"))?;
    build::check_version("claimed", role, version_of(material, "claimed"))?;
    let envelope = changes::apply(
        "claimed",
        old,
        role.version,
        &role.expires,
        changes,
        Some(&spec),
    )?;
    let claimed = build::finished(material, "claimed", role, envelope, &[])?;
    Ok(vec![claimed])
}

fn wanted<'a>(material: &Material<'a>, name: &str) -> Result<&'a Role, Finding> {
    let missing = || refuse(format!("[{name}] is missing"));
    material.script.role(name).ok_or_else(missing)
}

fn version_of(material: &Material<'_>, role: &str) -> Option<u64> {
    let (_, targets) = material.trusted.current(role)?;
    Some(targets.header.version)
}

/// The compromised keys are gone, what is left can sign, and nothing else differs.
fn prove(material: &Material<'_>, candidates: &[Candidate]) -> Vec<Finding> {
    let derived = match derive(material) {
        Ok(derived) => derived,
        Err(finding) => return vec![finding],
    };
    let mut findings = derived.rotation.findings.clone();
    findings.extend(prove_claimed(material, &derived, candidates));
    for candidate in candidates {
        let path = candidate.path();
        if candidate.document.role != "custody" {
            continue;
        }
        let kept = derived.kept(candidate.old.as_ref());
        let held = Held {
            files: &kept.files,
            tombstoned: &kept.tombstoned,
        };
        findings.extend(custody::lint(&path, &candidate.envelope, held));
    }
    findings
}

fn prove_claimed(
    material: &Material<'_>,
    derived: &Derived,
    candidates: &[Candidate],
) -> Vec<Finding> {
    let Some(files) = sharding::after(material.trusted, candidates) else {
        return Vec::new();
    };
    let new = match shards::read(&files) {
        Ok(new) => new,
        Err(findings) => return findings,
    };
    let mut findings = exact(material, derived, candidates);
    findings.extend(gone("claimed", &new, &derived.rotation.compromised));
    findings.extend(live("claimed", new.projects.all()));
    findings
}

fn exact(material: &Material<'_>, derived: &Derived, candidates: &[Candidate]) -> Vec<Finding> {
    let spec = match material.role("claimed") {
        Ok(spec) => spec,
        Err(finding) => return vec![finding],
    };
    if material.script.shards.is_some() {
        let changes = &derived.rotation.changes;
        return sharding::prove(material, candidates, changes, Some(&spec));
    }
    let mut all = candidates.iter();
    let Some(candidate) = all.find(|it| it.document.role == "claimed") else {
        return Vec::new();
    };
    let path = &candidate.path();
    let Ok(role) = wanted(material, "claimed") else {
        return Vec::new();
    };
    let expected = Expected {
        version: candidate.document.version,
        expires: &role.expires,
        marker: (material.mode == Mode::Rehearsal).then_some(REHEARSAL_MARKER),
        changes: &derived.rotation.changes,
        custody: Some(&spec),
    };
    changes::exact(path, candidate.old.as_ref(), &candidate.envelope, &expected)
}

/// Sheets for the projects, what the online side does, and what a stranger needs to derive all this again.
fn outputs(material: &Material<'_>, _: &[Candidate]) -> Result<Outputs, Finding> {
    let derived = derive(material)?;
    let trusted = material.trusted;
    let mut files = Vec::new();
    for hit in &derived.rotation.hits {
        let path = format!("online/sheets/{}", sheet::name(&hit.project));
        files.push((path, sheet::sheet(&derived.incident, hit).into_bytes()));
    }
    let asked = &trusted.asked;
    if let Some(incident) = &asked.incident {
        files.push(("ceremony/incident.toml".to_owned(), incident.bytes.clone()));
    }
    if let Some(file) = &asked.requests_file {
        files.push(("ceremony/requests.jsonl".to_owned(), file.bytes.clone()));
    }
    if let Some(owners) = owners(material, &derived) {
        files.push(("ceremony/owners.jsonl".to_owned(), owners));
    }
    let projects = online(&derived, recently(trusted));
    Ok(Outputs {
        files,
        projects: Some(json!(projects)),
    })
}

/// The developers' register with the owners of the new keys.
fn owners(material: &Material<'_>, derived: &Derived) -> Option<Vec<u8>> {
    let asked = &material.trusted.asked;
    let on = Expires::parse(&material.script.rotate.as_ref()?.on).ok()?;
    let mut owners = asked.owners.clone().unwrap_or_default();
    let replaced = derived.rotation.hits.iter();
    let replaced: BTreeSet<_> = replaced
        .filter(|hit| matches!(hit.way, Way::Replace { .. }))
        .map(|hit| &hit.project)
        .collect();
    let requests = asked.requests.iter().flat_map(|file| &file.requests);
    for request in requests.filter(|request| replaced.contains(&request.project)) {
        owners.merge(&request.owners, on.at());
    }
    Some(owners.to_bytes())
}

fn recently(trusted: &Trusted) -> Option<&Delegations> {
    trusted.archives.first()?.recently.as_ref()
}

/// Every project that is touched is quarantined until its owners have spoken: what was published by its lost keys still lies there.
fn online(derived: &Derived, recently: Option<&Delegations>) -> Vec<online_actions::ProjectAction> {
    let hits = derived.rotation.hits.iter();
    let actions: BTreeMap<_, _> = hits
        .map(|hit| (hit.project.clone(), Action::Quarantine))
        .collect();
    online_actions::projects(&actions, recently)
}
