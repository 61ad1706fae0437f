//! The role of projects without trusted keys, renewed with claimed: projects that got keys leave it, nothing else changes.

use std::collections::BTreeSet;

use super::refuse;
use crate::ceremony::build;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::intake::Trusted;
use crate::ceremony::material::Material;
use crate::ceremony::script::{Role, Script};
use crate::pypi::changes::ChangeSet;
use crate::pypi::custody::{self, Held, KnownGood};
use crate::pypi::delegation;
use crate::pypi::project::Project;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Finding;
use crate::tuf::metadata::target_files;

/// Where there is a custody role it must not end before the next ceremonies could renew it.
pub(super) fn check(script: &Script, trusted: &Trusted) -> Option<Finding> {
    let Some((_, custody)) = trusted.current("custody") else {
        let asks = script.custody.is_some();
        return asks.then(|| refuse("there is no trusted custody to renew in the input"));
    };
    let claim = script.claim.as_ref()?;
    let until = Expires::parse(&claim.next_but_one).ok()?;
    let ends = match &script.custody {
        Some(role) => Expires::parse(&role.expires).ok()?,
        None => custody.header.expires.clone(),
    };
    (ends.at() < until.at()).then(|| {
        refuse(format!(
            "custody ends on {}, before the next claim but one: give [custody] with a later expiry",
            ends.text()
        ))
    })
}

pub(super) fn build(
    material: &Material<'_>,
    role: &Role,
    changes: &ChangeSet,
    candidates: &[Candidate],
) -> Result<Candidate, Finding> {
    let none = || refuse("there is no trusted custody to renew in the input");
    let (old, parsed) = material.trusted.current("custody").ok_or_else(none)?;
    build::check_version("custody", role, Some(parsed.header.version))?;
    let claimed = material.trusted.envelope("claimed").ok_or_else(none)?;
    let held = delegation::delegations("claimed", claimed)?.custody;
    let held: BTreeSet<Project> = held
        .into_iter()
        .flat_map(|custody| custody.projects)
        .filter(|project| !changes.changes.contains_key(project))
        .collect();
    if held.is_empty() {
        return Err(refuse(
            "every project leaves custody, and with the last the role goes: remove [custody]",
        ));
    }
    let mut files = Vec::new();
    let mut with_files = BTreeSet::new();
    for (path, target) in target_files("custody", old)? {
        let project = path
            .split_once('/')
            .map(|(project, _)| Project::parse(project));
        if let Some(Ok(project)) = project
            && held.contains(&project)
        {
            with_files.insert(project);
            files.push(KnownGood {
                path,
                length: target.length,
                hashes: target.hashes,
            });
        }
    }
    let tombstoned = held.difference(&with_files).cloned().collect();
    let kept = Held {
        files: &with_files,
        tombstoned: &tombstoned,
    };
    let new = custody::build(
        "custody",
        Some(old),
        role.version,
        &role.expires,
        kept,
        &files,
    )?;
    build::finished(material, "custody", role, new, candidates)
}
