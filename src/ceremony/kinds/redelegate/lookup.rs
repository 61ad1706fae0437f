//! `REDELEGATE-LOOKUP`: paths are looked up in the tree as it is and as it will be, and get the same answers.

use std::collections::BTreeMap;

use crate::ceremony::candidate::Candidate;
use crate::ceremony::material::Material;
use crate::ceremony::script::ROLES;
use crate::pypi::equivalence::{self, Comparison};
use crate::tuf::edit;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::lookup::{Listing, Source};
use crate::tuf::metadata::SuccinctRoles;

const RULE: &str = "REDELEGATE-LOOKUP";

/// One tree. What the online side signs is not here: it lists nothing, which is what a search goes through until it finds the role that would answer.
struct Side {
    roles: BTreeMap<String, Listing>,
    online: Listing,
}

impl Source for Side {
    fn targets(&self) -> Result<&Listing, Finding> {
        self.delegated("root", "targets")
    }
    fn delegated(&self, _delegator: &str, role: &str) -> Result<&Listing, Finding> {
        let known = self.roles.get(role);
        match ROLES.contains(&role) {
            true => known.ok_or_else(|| Finding::error(RULE, role, "its file is not in the input")),
            false => Ok(known.unwrap_or(&self.online)),
        }
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
    let (before, after) = (side(&old)?, side(&new)?);
    let ((from, old_bins), (to, new_bins)) = (bins(&before)?, bins(&after)?);
    let paths = paths(&before, old_bins);
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
    let text = format!(
        "{walked} paths were looked up, at least one in each of {} bins: before and after the same role answers, the bins by {from} before and by {to} after",
        1_u64 << old_bins.bit_length.min(14)
    );
    Ok(Finding::note(RULE, "metadata", text))
}

fn side(envelope: &dyn Fn(&str) -> Option<Envelope>) -> Result<Side, Finding> {
    let mut roles = BTreeMap::new();
    for role in ROLES.into_iter().skip(1) {
        if let Some(envelope) = envelope(role) {
            roles.insert(role.to_owned(), Listing::read(role, envelope)?);
        }
    }
    // Its date is never asked.
    let nothing = edit::projects("online", 1, "2000-01-01T00:00:00Z")?;
    let online = Listing::read("online", nothing)?;
    Ok(Side { roles, online })
}

/// The delegator of the bins in a tree: the one that targets delegates to.
fn bins(side: &Side) -> Result<(&'static str, &SuccinctRoles), Finding> {
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
fn paths(before: &Side, bins: &SuccinctRoles) -> Vec<String> {
    let mut paths = equivalence::sample(bins);
    for listing in before.roles.values() {
        paths.extend(listing.files().keys().cloned());
        let delegations = listing.targets().delegations.iter();
        let patterns = delegations
            .flat_map(|delegations| &delegations.roles)
            .flat_map(|role| &role.paths);
        paths.extend(patterns.map(|pattern| pattern.replace('*', "lookup-1.0.tar.gz")));
    }
    paths
}
