//! `REDELEGATE-LOOKUP`: paths are looked up in the tree as it is and as it will be, and get the same answers.

use std::collections::BTreeMap;

use crate::ceremony::candidate::Candidate;
use crate::ceremony::material::Material;
use crate::ceremony::script::ROLES;
use crate::pypi::equivalence::{self, Comparison};
use crate::pypi::project::ProjectRole;
use crate::pypi::shards::{self, is_shard};
use crate::tuf::edit;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::lookup::{Listing, Source};
use crate::tuf::metadata::{Delegations, SuccinctRoles};
use crate::tuf::repository::Repository;

#[cfg(test)]
mod tests;

const RULE: &str = "REDELEGATE-LOOKUP";

/// One tree. What the online side and developers sign comes from the newest archive; what is not there lists nothing, and a search goes on or ends at it as it
/// would.
struct Side<'a> {
    roles: BTreeMap<String, Listing>,
    nothing: Listing,
    archive: Option<&'a Repository>,
}

impl Source for Side<'_> {
    fn targets(&self) -> Result<&Listing, Finding> {
        self.delegated("root", "targets")
    }
    fn delegated(&self, delegator: &str, role: &str) -> Result<&Listing, Finding> {
        if let Some(known) = self.roles.get(role) {
            return Ok(known);
        }
        if ROLES.contains(&role) {
            let text = "its file is not in the input";
            return Err(Finding::error(RULE, role, text));
        }
        let archive = self.archive.filter(|archive| archive.has_file(role));
        let Some(archive) = archive else {
            return Ok(&self.nothing);
        };
        // The archive is older than the names that change here.
        let known = |delegator: &&str| archive.has_file(delegator);
        let mut delegators = [delegator, "bins"].into_iter();
        archive.delegated(delegators.find(known).unwrap_or(delegator), role)
    }
}

/// Every path that is asked gets the same answer before and after; how many were asked is told.
pub(super) fn prove(material: &Material<'_>, candidates: &[Candidate]) -> Vec<Finding> {
    match compare(material, candidates) {
        Ok(finding) | Err(finding) => vec![finding],
    }
}

fn compare(material: &Material<'_>, candidates: &[Candidate]) -> Result<Finding, Finding> {
    let old = |role: &str| material.trusted.envelope(role).cloned();
    let new = |role: &str| {
        let newest = candidates
            .iter()
            .rfind(|candidate| candidate.document.role == role);
        newest
            .map(|candidate| candidate.envelope.clone())
            .or_else(|| old(role))
    };
    let archive = material.trusted.archives.first();
    let repository = archive.map(|archive| &archive.repository);
    let known = material.trusted.current.keys().map(String::as_str);
    let shards: Vec<&str> = known.filter(|role| is_shard(role)).collect();
    let mut before = side(&old, &shards, repository)?;
    let mut after = side(&new, &shards, repository)?;
    let ((_, old_bins), (_, new_bins)) = (bins(&before)?, bins(&after)?);
    if old_bins != new_bins {
        // Other bins: what is in them is put there by the online side, so only which bin is asked can be compared.
        (before.archive, after.archive) = (None, None);
    }
    let ((from, old_bins), (to, new_bins)) = (bins(&before)?, bins(&after)?);
    let mut paths = paths(&before, old_bins);
    let sampled = paths.len();
    paths.extend(repository.into_iter().flat_map(archived));
    let comparison = Comparison {
        before: &before,
        after: &after,
        delegators: (from, to),
        bins: (old_bins, new_bins),
    };
    let walked = comparison.walk_all(paths.iter().map(String::as_str));
    let walked = walked.map_err(|mismatch| {
        let text = format!(
            "a path would be answered otherwise. {mismatch}. A redelegation keeps every answer"
        );
        Finding::error(RULE, "metadata", text)
    })?;
    let archived = archive.map_or_else(
        || "no archive is named".to_owned(),
        |archive| {
            let targets = walked - sampled;
            format!(
                "{targets} of them are the targets of the archive {}",
                archive.name
            )
        },
    );
    let text = format!(
        "{walked} paths were looked up, so that each of {} bins is asked ({archived}): they get the same answers before and after; the bins are asked through {from} before and through {to} after",
        1_u64 << old_bins.bit_length.min(14)
    );
    Ok(Finding::note(RULE, "metadata", text))
}

fn side<'a>(
    envelope: &dyn Fn(&str) -> Option<Envelope>,
    shards: &[&str],
    archive: Option<&'a Repository>,
) -> Result<Side<'a>, Finding> {
    let mut roles = BTreeMap::new();
    for role in ROLES.iter().skip(1).chain(shards) {
        if let Some(envelope) = envelope(role) {
            roles.insert((*role).to_owned(), Listing::read(role, envelope)?);
        }
    }
    // Its date is never asked.
    let nothing = edit::projects("online", 1, "2000-01-01T00:00:00Z")?;
    Ok(Side {
        roles,
        nothing: Listing::read("online", nothing)?,
        archive,
    })
}

/// The delegator of the bins in a tree: the one that targets delegates to.
fn bins<'s>(side: &'s Side<'_>) -> Result<(&'static str, &'s SuccinctRoles), Finding> {
    let targets = side.targets()?;
    let mut delegators = ["unclaimed", "bins"].into_iter();
    let delegator = delegators.find(|name| targets.delegation(name).is_some());
    let found = delegator.and_then(|name| {
        let delegations = side.roles.get(name)?.targets().delegations.as_ref()?;
        Some((name, delegations.succinct.as_ref()?))
    });
    found.ok_or_else(|| {
        let text = "targets delegates to no role with hash bins (TAP 15), so nothing can be compared; only trees with such bins are redelegated";
        Finding::error(RULE, "metadata", text)
    })
}

/// One path a bin, one of each project that claimed delegates to, and every target that the offline roles list themselves.
fn paths(before: &Side<'_>, bins: &SuccinctRoles) -> Vec<String> {
    let mut paths = equivalence::sample(bins);
    for listing in before.roles.values() {
        paths.extend(listing.files().keys().cloned());
        let delegations = listing.targets().delegations.iter();
        let patterns = delegations
            .flat_map(Delegations::roles)
            .flat_map(|role| role.paths);
        paths.extend(patterns.map(|pattern| pattern.replace('*', "lookup-1.0.tar.gz")));
    }
    paths
}

/// Every target of every file in an archive that verifies under one of the roles that delegate to it: bins and projects.
fn archived(archive: &Repository) -> Vec<String> {
    let delegators = ["claimed", "recently-claimed", "unclaimed", "bins"];
    let by_shard = |role: &str| {
        let project = ProjectRole::parse(role).ok()?.project;
        let delegator = shards::delegator(archive, &project).ok()?.name();
        archive.delegated(delegator, role).ok()
    };
    let listings = archive.listed().filter_map(|role| {
        let mut delegators = delegators.iter().filter(|name| archive.has_file(name));
        if !archive.has_file(role) || ROLES.contains(&role) {
            return None;
        }
        let found = delegators.find_map(|delegator| archive.delegated(delegator, role).ok());
        found.or_else(|| by_shard(role))
    });
    listings
        .flat_map(|listing| listing.files().keys().cloned())
        .collect()
}
