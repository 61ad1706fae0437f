//! `ROLE-NAME-ONE-DELEGATOR`: over a whole snapshot a role name has one delegator.
//!
//! Metadata files share one flat list of names, and a client may keep a role by its name alone. Who holds the online keys can then delegate `foo/*` to
//! a role *named* `project-django` with his own key; a client that looks up foo and django in one sitting takes his file for django's.
//! python-tuf before 7.0.1 and tuf-js before 6.0.2 do; for go-tuf it is not established. No tree prevents it, so every snapshot is looked
//! through: projects' own delegations, and bins, which are compared as ranges.
//!
//! One double is allowed: while a project moves, `recently-claimed` and `claimed` both delegate to its role, and then say the same of it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::shards::is_shard;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::PublicKey;
use crate::tuf::metadata::{DelegatedRole, Delegations, SuccinctRoles, Targets};
use crate::tuf::repository::{Repository, Verified};

const RULE: &str = "ROLE-NAME-ONE-DELEGATOR";

/// Since when clients do not confuse two roles of one name.
pub const MINIMUM_CLIENTS: &str = "python-tuf 7.0.1 and tuf-js 6.0.2 are the first that keep the two apart; for go-tuf it is not established";

/// Who says something of a name, and at which place.
#[derive(Clone, Copy)]
struct Says<'a> {
    delegator: &'a str,
    delegations: &'a Delegations,
    place: usize,
}

/// What is said of a name: nearly all are said once.
struct Said<'a> {
    first: Says<'a>,
    more: Vec<Says<'a>>,
}

/// Bins by prefix and width of their numbers: two such ranges have the first bin in common.
type Bins<'a> = HashMap<(&'a str, usize), Vec<(&'a str, &'a SuccinctRoles)>>;

/// Judges the delegations of `roles` (each role's name and content, each role once). Linear in them; in order of appearance.
pub fn findings<'a>(roles: impl IntoIterator<Item = (&'a str, &'a Targets)>) -> Vec<Finding> {
    let mut names: HashMap<String, Said<'a>> = HashMap::new();
    let mut all = Vec::new();
    let mut bins: Bins<'a> = HashMap::new();
    let mut ranges = Vec::new();
    for (delegator, targets) in roles {
        let Some(delegations) = &targets.delegations else {
            continue;
        };
        all.push(delegations);
        for (place, role) in delegations.roles().enumerate() {
            let says = Says {
                delegator,
                delegations,
                place,
            };
            match names.entry(role.name) {
                Entry::Occupied(known) => known.into_mut().more.push(says),
                Entry::Vacant(new) => {
                    let more = Vec::new();
                    new.insert(Said { first: says, more });
                }
            }
        }
        if let Some(succinct) = &delegations.succinct {
            let range = (&*succinct.name_prefix, succinct.width());
            let known = bins.entry(range).or_default();
            if known.is_empty() {
                ranges.push(range);
            }
            known.push((delegator, succinct));
        }
    }
    let mut found = Vec::new();
    for delegations in all {
        for role in delegations.roles() {
            // Where it appeared first.
            let said = names.remove(&role.name);
            found.extend(said.and_then(|said| of_name(&role.name, &said, &bins)));
        }
    }
    found.extend(
        ranges
            .into_iter()
            .filter_map(|range| of_bins(bins.get(&range)?)),
    );
    found
}

/// Judges a whole repository: every role that verified delegations lead to and whose file is there, bins included. What does not verify by the first
/// delegator that leads to it is told too. Everything is read and verified once and stays in memory.
pub fn of_repository(repository: &Repository) -> Vec<Finding> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut ranges: HashSet<(&str, usize)> = HashSet::new();
    let mut roles: Vec<Verified<'_>> = Vec::new();
    let mut waiting = VecDeque::new();
    let mut unverified = Vec::new();
    match repository.top() {
        Ok(top) => waiting.push_back(top),
        Err(finding) => return vec![finding],
    }
    while let Some(delegator) = waiting.pop_front() {
        roles.push(delegator);
        let Some(delegations) = &delegator.listing().targets().delegations else {
            continue;
        };
        let listed = delegations.roles().map(|role| role.name);
        let mut children: Vec<String> = listed.filter(|name| repository.has_file(name)).collect();
        // Bins of a range that was gone through belong to two delegators, which is told anyway.
        if let Some(bins) = &delegations.succinct
            && ranges.insert((&bins.name_prefix, bins.width()))
        {
            let names = repository.listed_with(&bins.name_prefix);
            children.extend(
                names
                    .filter(|name| bins.number(name).is_some() && repository.has_file(name))
                    .map(ToOwned::to_owned),
            );
        }
        for name in children {
            // By its first delegator only: a second one is told anyway, and to have the same large file verified by thousands is a way to keep us busy.
            if seen.insert(name.clone()) {
                match delegator.delegated(&name) {
                    Ok(role) => waiting.push_back(role),
                    Err(finding) => unverified.push(finding),
                }
            }
        }
    }
    let named = roles
        .iter()
        .map(|role| (role.name(), role.listing().targets()));
    let mut found = findings(named);
    found.extend(unverified);
    found
}

fn of_name(name: &str, said: &Said<'_>, bins: &Bins<'_>) -> Option<Finding> {
    let as_bins = name
        .rsplit_once('-')
        .and_then(|(prefix, digits)| bins.get(&(prefix, digits.len())))
        .into_iter()
        .flatten()
        .filter(|(_, bins)| bins.number(name).is_some())
        .map(|(delegator, _)| *delegator);
    let listed = [&said.first].into_iter().chain(&said.more);
    let listed = listed.map(|says| says.delegator);
    let delegators: Vec<&str> = listed.chain(as_bins).collect();
    if delegators.len() < 2 || is_move(name, &delegators, said) {
        return None;
    }
    let mut text = format!(
        "the role {} is delegated by {}; a role name has one delegator, because clients may take the one for the other: {MINIMUM_CLIENTS}",
        shown(name),
        both(&delegators)
    );
    if is_between(&delegators) {
        text.push_str(
            ". While a project moves, recently-claimed and claimed must name the same keys, threshold, paths and end for it",
        );
    }
    Some(Finding::error(RULE, &format!("{name}.json"), text))
}

fn of_bins(delegators: &[(&str, &SuccinctRoles)]) -> Option<Finding> {
    let [(_, bins), _, ..] = delegators else {
        return None;
    };
    let names: Vec<&str> = delegators.iter().map(|(name, _)| *name).collect();
    let text = format!(
        "the bins from {} on are delegated by {}; a role name has one delegator, because clients may take the one for the other: {MINIMUM_CLIENTS}. Give one of them another prefix",
        shown(&bins.name(0)),
        both(&names)
    );
    Some(Finding::error(
        RULE,
        &format!("{}.json", bins.name(0)),
        text,
    ))
}

/// A project on its way from recently-claimed to claimed.
fn is_move(name: &str, delegators: &[&str], said: &Said<'_>) -> bool {
    let [other] = said.more.as_slice() else {
        return false;
    };
    name.starts_with("project-") && is_between(delegators) && same(said.first, *other)
}

fn is_between(delegators: &[&str]) -> bool {
    let is_claimed = |role: &str| role == "claimed" || is_shard(role);
    match delegators {
        ["recently-claimed", other] | [other, "recently-claimed"] => is_claimed(other),
        _ => false,
    }
}

fn same(one: Says<'_>, other: Says<'_>) -> bool {
    let role = |says: Says<'_>| says.delegations.at(says.place);
    let (Some(left), Some(right)) = (role(one), role(other)) else {
        return false;
    };
    left.role.threshold == right.role.threshold
        && left.terminating == right.terminating
        && left.paths == right.paths
        && left.path_hash_prefixes == right.path_hash_prefixes
        && one.keys(&left) == other.keys(&right)
}

impl Says<'_> {
    fn keys(&self, role: &DelegatedRole) -> BTreeSet<PublicKey> {
        let keyids = role.role.keyids.iter();
        keyids
            .filter_map(|keyid| Some(self.delegations.key(keyid)?.public().clone()))
            .collect()
    }
}

/// `a and b`; of many the first two and the number.
fn both(delegators: &[&str]) -> String {
    let named: Vec<_> = delegators.iter().take(2).map(|name| shown(name)).collect();
    let more = match delegators.len().saturating_sub(2) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(" and "))
}

#[cfg(test)]
mod tests;
