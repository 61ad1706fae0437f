//! `claim`: projects move from recently-claimed to claimed, and claimed ones change as their keys ask (PEP 480, "Producing Consistent Snapshots"). What becomes of
//! `claimed` follows from script, input and decisions alone, and `REQUEST-EXACT` proves that nothing else does.

mod custody;
mod outputs;

use std::collections::BTreeSet;

use super::{Kind, needs_trust, publish_together, refuse};
use crate::ceremony::build;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::decisions;
use crate::ceremony::event::{Document, Mode, REHEARSAL_MARKER};
use crate::ceremony::intake::Trusted;
use crate::ceremony::intake::archives::Archive;
use crate::ceremony::material::Material;
use crate::ceremony::plan::Step;
use crate::ceremony::planning::{listed_documents, metadata_steps};
use crate::ceremony::script::{Custody, Script};
use crate::ceremony::sharding;
use crate::pypi::changes::{self, ChangeSet, Expected};
use crate::pypi::role_names;
use crate::pypi::shards::is_shard;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::json::Limits;
use crate::tuf::metadata::Targets;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "claim",
    about: "projects move to claimed, and claimed projects change, as requests ask and people decide",
    check,
    documents: |script, _| listed_documents(script),
    steps,
    build,
    prove,
    publish: publish_together,
    outputs: outputs::outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = needs_trust(script, trusted);
    if script.claimed.is_none() && script.shards.is_none() {
        findings.push(refuse(
            "a claim makes a new version of claimed: give [claimed]",
        ));
    }
    let strange = ["root", "targets", "unclaimed", "bins"];
    for (name, role) in script.roles() {
        if strange.contains(&name) {
            findings.push(refuse(format!(
                "a claim makes claimed and custody only: remove [{name}]"
            )));
        }
        let own = role.holders.is_some() || role.threshold.is_some();
        if own || role.keys == Some(Custody::Ephemeral) {
            findings.push(refuse(format!(
                "a claim changes nobody's keys but projects': [{name}] may say version and expires only"
            )));
        }
    }
    if !script.online.is_empty() || script.rotate.is_some() {
        findings.push(refuse(
            "a claim has no [[online]] and no [rotate]: remove them",
        ));
    }
    if trusted.root().is_some() {
        findings.extend(custody::check(script, trusted));
        match trusted.vetting(script) {
            Ok(_) => {}
            Err(errors) => findings.extend(errors),
        }
    }
    findings
}

/// As every ceremony that makes metadata; before the candidate is built it is decided what is in it.
fn steps(script: &Script, trusted: &Trusted, documents: &[Document]) -> Vec<Step> {
    let mut steps = metadata_steps(script, trusted, documents);
    let build = steps.iter().position(|step| matches!(step, Step::Build));
    steps.insert(build.unwrap_or(steps.len()), Step::Decide);
    steps
}

/// What is done to claimed. Before anybody could decide, everything that could be accepted stands for accepted.
fn change_set(material: &Material<'_>) -> Result<ChangeSet, Finding> {
    let vetting = material.trusted.vetting(material.script).map_err(first)?;
    if let Some(decisions) = material.decisions {
        let claim = material.script.claim.as_ref();
        let sample = claim.map_or(0, |claim| claim.sample as usize);
        decisions.check(decisions::NAME, &vetting, sample)?;
    }
    Ok(vetting.changes(&|vetted| {
        material
            .decisions
            .is_none_or(|decisions| decisions.accepts(vetted))
    }))
}

fn build(material: &Material<'_>) -> Result<Vec<Candidate>, Finding> {
    let none = || refuse("there is no trusted claimed to change in the input");
    let changes = change_set(material)?;
    let mut candidates = if material.script.shards.is_some() {
        let asked = sharding::Asked {
            changes: &changes,
            custody: None,
            all: false,
        };
        sharding::candidates(material, &asked, &[])?
    } else {
        let role = material.script.claimed.as_ref().ok_or_else(none)?;
        let (old, parsed) = material.trusted.current("claimed").ok_or_else(none)?;
        build::check_version("claimed", role, Some(parsed.header.version))?;
        let new = changes::apply("claimed", old, role.version, &role.expires, &changes, None)?;
        vec![build::finished(material, "claimed", role, new, &[])?]
    };
    if let Some(role) = &material.script.custody {
        let custody = custody::build(material, role, &changes, &candidates)?;
        candidates.push(custody);
    }
    Ok(candidates)
}

fn prove(material: &Material<'_>, candidates: &[Candidate]) -> Vec<Finding> {
    let changes = match change_set(material) {
        Ok(changes) => changes,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::from_iter(one_delegator(material.trusted, candidates));
    if material.script.shards.is_some() {
        findings.extend(sharding::prove(material, candidates, &changes, None));
        return findings;
    }
    for candidate in candidates {
        let role = material.script.role(&candidate.document.role);
        if candidate.document.role == "claimed"
            && let Some(role) = role
        {
            let expected = Expected {
                version: role.version,
                expires: &role.expires,
                marker: (material.mode == Mode::Rehearsal).then_some(REHEARSAL_MARKER),
                changes: &changes,
                custody: None,
            };
            findings.extend(changes::exact(
                &candidate.path(),
                candidate.old.as_ref(),
                &candidate.envelope,
                &expected,
            ));
        }
    }
    findings
}

/// A name that two roles delegate is an attack on clients that keep roles by name. It stands in the snapshot already and a claim makes it no worse, so it is told and
/// does not give whoever put it there the power to stop the month's work.
fn one_delegator(trusted: &Trusted, candidates: &[Candidate]) -> Vec<Finding> {
    let files = sharding::after(trusted, candidates);
    let (Some(newest), Some(files)) = (trusted.archives.first(), files) else {
        return Vec::new();
    };
    let mut roles = delegating(newest);
    let claimed = match Targets::read("claimed", files.claimed) {
        Ok(claimed) => claimed,
        Err(finding) => return vec![finding],
    };
    let delegations = claimed.delegations.as_ref();
    let lists = |role: &str| delegations.is_some_and(|it| it.place(role).is_some());
    for (role, file) in files.shards {
        if lists(role) {
            match Targets::read(role, file) {
                Ok(shard) => roles.push((role.to_owned(), shard)),
                Err(finding) => return vec![finding],
            }
        }
    }
    roles.push(("claimed".to_owned(), claimed));
    let roles = roles.iter().map(|(name, targets)| (name.as_str(), targets));
    let mut findings = role_names::findings(roles);
    for finding in &mut findings {
        finding.level = finding.level.min(Level::Warning);
    }
    findings
}

/// The roles of a snapshot that delegate to others, but claimed. Most are projects' own and delegate nothing: what cannot hold the word is not even parsed.
fn delegating(archive: &Archive) -> Vec<(String, Targets)> {
    let Some(snapshot) = archive.repository.snapshot() else {
        return Vec::new();
    };
    let is_claimed = |role: &str| role == "claimed" || is_shard(role);
    let names: BTreeSet<&str> = snapshot.roles().filter(|role| !is_claimed(role)).collect();
    let mut roles = Vec::new();
    for name in names {
        let Some(bytes) = archive.file(name) else {
            continue;
        };
        // An escaped letter would hide the word.
        let may_delegate = contains(bytes, b"\"delegations\"") || bytes.contains(&b'\\');
        if !may_delegate {
            continue;
        }
        let read = Envelope::parse(name, bytes.to_vec(), Limits::LARGE)
            .and_then(|envelope| Targets::read(name, &envelope));
        if let Ok(targets) = read {
            roles.push((name.to_owned(), targets));
        }
    }
    roles
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

fn first(findings: Vec<Finding>) -> Finding {
    let mut findings = findings.into_iter();
    findings
        .next()
        .unwrap_or_else(|| refuse("the requests cannot be judged"))
}
