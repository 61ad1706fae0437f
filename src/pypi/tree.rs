//! Named lints over the shape of PyPI's tree: what targets delegates, in which order, and what stands below. PEP 480 says neither which delegations are
//! terminating nor what a catch-all is; the reasons are in docs/decisions/0015. A repository of another shape is passed over in silence.
//!
//! | rule | asks | ours | others' |
//! |---|---|---|---|
//! | `TREE-ORDER` | claimed, recently-claimed, unclaimed in that order and nothing else; or bins alone | error | warning |
//! | `PEP480-TERMINATING` | claimed and recently-claimed go on, unclaimed and every project end the search | error | warning |
//! | `TREE-CATCH-ALL` | each of the roles of targets is asked for every path | error | warning |
//! | `TREE-ONLINE-FIRST` | no key of a server before claimed or in an offline role | error | warning |
//! | `CUSTODY-SIGNERS` | custody is signed by those who sign claimed | error | warning |
//! | `SHARD-FORM`, `SHARD-DISJOINT`, `SHARD-SIGNERS` | shards of claimed (see [`super::shards`]) | error | warning |
//! | `TREE-BINS` | 16,384 bins | warning | warning |
//! | `TREE-COMPATIBILITY` | what the tree means in clients that read it otherwise | note | note |

use std::collections::BTreeSet;

use super::policy::{Whose, listed};
use super::project::ProjectRole;
use super::shards::{self, is_shard};
use crate::tuf::compat::Client;
use crate::tuf::finding::{Finding, Level, shown};
use crate::tuf::key::PublicKey;
use crate::tuf::metadata::{DelegatedRole, Delegations, RoleKeys, Root, Targets};

mod catch_all;
#[cfg(test)]
mod tests;

/// What PEP 480's targets delegates, in order, and whether each ends the search.
const ORDER: [(&str, bool); 3] = [
    ("claimed", false),
    ("recently-claimed", false),
    ("unclaimed", true),
];

/// The bits of PEP 458's 16,384 bins ("Metadata scalability").
const BIT_LENGTH: u32 = 14;

/// Roles that are named where targets delegates otherwise.
const MOST_NAMED: usize = 8;

/// A tree to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    /// The root, for the keys of timestamp and snapshot.
    pub root: Option<&'a Root>,
    /// targets.
    pub targets: &'a Targets,
    /// Roles below it that are at hand, by name: claimed, unclaimed, bins, custody.
    pub below: &'a [(&'a str, &'a Targets)],
}

/// All lints, in the order of the table. `file` names targets in the findings.
pub fn lint(file: &str, tree: &Layout<'_>, whose: Whose) -> Vec<Finding> {
    let Some(delegations) = tree.targets.delegations.as_ref() else {
        return Vec::new();
    };
    let known = |role: &DelegatedRole| {
        role.name == "bins" || ORDER.iter().any(|(name, _)| role.name == *name)
    };
    if !delegations.roles().any(|role| known(&role)) {
        return Vec::new();
    }
    let mut findings = Vec::from_iter(order(delegations));
    findings.extend(terminating(delegations));
    findings.extend(tree.role("claimed").and_then(projects));
    findings.extend(delegations.roles().filter_map(|role| catch_all(&role)));
    findings.extend(online_first(tree, delegations));
    findings.extend(custody(tree, delegations));
    findings.extend(shards(tree, delegations));
    findings.extend(bins(tree));
    findings.extend(compatibility(tree, delegations));
    for finding in &mut findings {
        file.clone_into(&mut finding.file);
        if whose == Whose::Others {
            finding.level = finding.level.min(Level::Warning);
        }
    }
    findings
}

impl<'a> Layout<'a> {
    fn role(&self, name: &str) -> Option<&'a Targets> {
        let mut below = self.below.iter();
        below
            .find(|(known, _)| *known == name)
            .map(|(_, targets)| *targets)
    }
    /// What the delegator of the hash bins says.
    fn bins(&self) -> Option<&'a Delegations> {
        let delegator = self.role("unclaimed").or_else(|| self.role("bins"))?;
        delegator.delegations.as_ref()
    }
}

/// `TREE-ORDER`: the first role that lists a path answers (TUF 1.0.34, 5.6.7), so the order is who goes before whom.
fn order(delegations: &Delegations) -> Option<Finding> {
    let found: Vec<String> = delegations.roles().map(|role| role.name).collect();
    if found == ["bins"] || found == ORDER.map(|(name, _)| name) {
        return None;
    }
    let mut names: Vec<_> = found
        .iter()
        .take(MOST_NAMED)
        .map(|name| shown(name))
        .collect();
    if found.len() > MOST_NAMED {
        names.push(format!("{} more", found.len() - MOST_NAMED).into());
    }
    let text = format!(
        "targets delegates to {}, in this order. It must be claimed, recently-claimed and unclaimed, or bins alone: what stands before claimed answers for claimed projects, and what stands behind unclaimed is never asked.",
        listed(&names)
    );
    Some(Finding::error("TREE-ORDER", "", text))
}

/// `PEP480-TERMINATING` of the roles of targets.
fn terminating(delegations: &Delegations) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, ends) in ORDER {
        let Some(role) = delegations.role(name) else {
            continue;
        };
        if role.terminating != ends {
            let text = if ends {
                format!("The delegation to {name} must be terminating: behind it nobody is asked.")
            } else {
                format!(
                    "The delegation to {name} must not be terminating: every project that {name} does not list would be lost."
                )
            };
            findings.push(Finding::error("PEP480-TERMINATING", "", text));
        }
    }
    findings
}

/// `PEP480-TERMINATING` of projects: without it a file that the project never listed is taken from an online bin.
fn projects(claimed: &Targets) -> Option<Finding> {
    let delegations = claimed.delegations.as_ref()?;
    let projects = delegations.roles().filter(|role| !is_shard(&role.name));
    let mut open = projects.filter(|role| !role.terminating);
    let first = open.next()?;
    let text = format!(
        "{} of {} delegations of claimed are not terminating, the first is {}: a file that the project did not sign would be taken from an online bin. Make every one terminating.",
        1 + open.count(),
        delegations.len(),
        shown(&first.name)
    );
    Some(Finding::error("PEP480-TERMINATING", "", text))
}

/// `TREE-CATCH-ALL`.
fn catch_all(role: &DelegatedRole) -> Option<Finding> {
    let gap = catch_all::gap(&role.path_hash_prefixes)?;
    let what = if role.path_hash_prefixes.is_empty() {
        "its paths are patterns, and none matches at every depth (\"*\" does not cross \"/\")"
            .to_owned()
    } else {
        format!("no path whose SHA-256 begins with {gap} matches its path_hash_prefixes")
    };
    let text = format!(
        "{} is not asked for every path: {what}. Give it the sixteen path_hash_prefixes \"0\" to \"f\".",
        shown(&role.name)
    );
    Some(Finding::error("TREE-CATCH-ALL", "", text))
}

/// `TREE-ONLINE-FIRST`: who breaks into a server must find no key there that goes before claimed (PEP 480, "Maximum security model").
fn online_first(tree: &Layout<'_>, delegations: &Delegations) -> Vec<Finding> {
    let mut online: BTreeSet<PublicKey> = BTreeSet::new();
    for name in ["timestamp", "snapshot"] {
        let root = tree.root;
        online.extend(root.into_iter().flat_map(|root| {
            let keys = root.role(name).map(|role| of_root(role, root));
            keys.unwrap_or_default()
        }));
    }
    if let Some(role) = delegations.role("recently-claimed") {
        online.extend(publics(&role.role, delegations));
    }
    if let Some(bins) = tree.bins() {
        let listed = bins.roles().map(|role| role.role);
        for role in listed.chain(bins.succinct.iter().map(|bins| bins.role.clone())) {
            online.extend(publics(&role, bins));
        }
    }
    let is_online = |keys: Vec<PublicKey>| keys.iter().any(|key| online.contains(key));
    let mut findings = Vec::new();
    let mut refuse = |text: String| {
        findings.push(Finding::error("TREE-ONLINE-FIRST", "", text));
    };
    let of_targets = tree
        .root
        .and_then(|root| Some((root, root.role("targets")?)));
    if of_targets.is_some_and(|(root, role)| is_online(of_root(role, root))) {
        refuse("A key of a server is a targets key: who breaks into the server decides over every delegation. Give targets keys of its own.".to_owned());
    }
    let claimed = delegations.place("claimed");
    for (place, role) in delegations.roles().enumerate() {
        let offline = ["claimed", "unclaimed", "bins"].contains(&role.name.as_str());
        let before = claimed.is_some_and(|claimed| place < claimed);
        if !(offline || before) || !is_online(publics(&role.role, delegations)) {
            continue;
        }
        let name = shown(&role.name);
        refuse(if offline {
            format!(
                "A key of a server is a key of the offline role {name}: who breaks into the server has it. Give {name} keys of its own."
            )
        } else {
            format!(
                "{name} is signed by a key of a server and stands before claimed: who breaks into the server answers for claimed projects. Put claimed first."
            )
        });
    }
    findings
}

fn publics(role: &RoleKeys, delegations: &Delegations) -> Vec<PublicKey> {
    let keys = role.keyids.iter();
    let keys = keys.filter_map(|keyid| delegations.key(keyid));
    keys.map(|key| key.public().clone()).collect()
}

fn of_root(role: &RoleKeys, root: &Root) -> Vec<PublicKey> {
    let keys = role.keyids.iter();
    let keys = keys.filter_map(|keyid| root.keys.get(keyid));
    keys.map(|key| key.public().clone()).collect()
}

/// `CUSTODY-SIGNERS` (docs/decisions/0017).
fn custody(tree: &Layout<'_>, delegations: &Delegations) -> Option<Finding> {
    let of_claimed = delegations.role("claimed")?;
    let below = tree.role("claimed")?.delegations.as_ref()?;
    let of_custody = below.role("custody")?;
    let set = |role: &RoleKeys, of| publics(role, of).into_iter().collect();
    let one: BTreeSet<PublicKey> = set(&of_claimed.role, delegations);
    let other: BTreeSet<PublicKey> = set(&of_custody.role, below);
    (one != other || of_claimed.role.threshold != of_custody.role.threshold).then(|| {
        let text = "custody must be signed by the keys that sign claimed, as many of them: it answers for projects in claimed's place. Give it claimed's keys and threshold.";
        Finding::error("CUSTODY-SIGNERS", "", text)
    })
}

/// What [`super::shards`] asks of the shards that claimed lists, and of those at hand.
fn shards(tree: &Layout<'_>, delegations: &Delegations) -> Vec<Finding> {
    let of_claimed = delegations.role("claimed");
    let below = (tree.role("claimed")).and_then(|claimed| claimed.delegations.as_ref());
    let (Some(of_claimed), Some(below)) = (of_claimed, below) else {
        return Vec::new();
    };
    let entries: Vec<_> = below.roles().filter(|role| is_shard(&role.name)).collect();
    let listed = entries.iter().map(|role| shards::Entry {
        role: &role.name,
        paths: &role.paths,
        terminating: role.terminating,
    });
    let is_project = |role: &DelegatedRole| ProjectRole::parse(&role.name).is_ok();
    let projects = below.roles().filter(is_project).count();
    let mut findings = shards::checked("", listed, projects)
        .err()
        .unwrap_or_default();
    let keys = publics(&of_claimed.role, delegations);
    let keys: BTreeSet<&PublicKey> = keys.iter().collect();
    let signed: Vec<_> = (entries.iter())
        .map(|role| (role, publics(&role.role, below)))
        .collect();
    let signed = signed.iter().map(|(role, keys)| {
        let keys: BTreeSet<&PublicKey> = keys.iter().collect();
        (role.name.as_str(), keys, role.role.threshold)
    });
    let claimed = (&keys, of_claimed.role.threshold);
    findings.extend(shards::signers("", claimed, signed));
    findings
}

/// `TREE-BINS`: with the numbers of PEP 458 ("Metadata scalability", 2.27 million targets) and 36 bytes a bin in the snapshot.
fn bins(tree: &Layout<'_>) -> Option<Finding> {
    let bits = tree.bins()?.succinct.as_ref()?.bit_length;
    if bits == BIT_LENGTH {
        return None;
    }
    let count = 1_u64.checked_shl(bits).unwrap_or(u64::MAX);
    let bin = (54_u64 << BIT_LENGTH) / count;
    let snapshot = count.saturating_mul(36) / 1000;
    let text = format!(
        "There are {count} hash bins (bit_length {bits}); PEP 458 has 16384 (bit_length 14). With its 2.27 million targets a bin has about {bin} KB where 16384 have 54 KB each, and the bins take about {snapshot} KB of the snapshot, which every client reads, where 16384 take 590 KB. More than 16384 are due from about 22 million targets on."
    );
    Some(Finding::warning("TREE-BINS", "", text))
}

/// `TREE-COMPATIBILITY`: from measurements (docs/compatibility.md).
fn compatibility(tree: &Layout<'_>, delegations: &Delegations) -> Vec<Finding> {
    let succinct = tree.bins().is_some_and(|bins| bins.succinct.is_some());
    let claims = delegations.place("claimed").is_some();
    let about = |client: Client| {
        match client {
        Client::Tough if succinct => Some(
            "cannot read the delegator of the hash bins (TAP 15) and reads every role before it answers, so it finds nothing in this tree".to_owned(),
        ),
        Client::Tough if claims => Some(
            "ignores terminating: a file forged in an online bin is taken for a claimed project".to_owned(),
        ),
        Client::RustTuf => Some(
            "reads neither path_hash_prefixes nor hash bins (TAP 15), so it finds nothing in this tree".to_owned(),
        ),
        Client::GoTuf => Some(
            "resolves path_hash_prefixes rightly only from its change 783 (2026-09-22) on".to_owned(),
        ),
        _ => None,
    }
    };
    let notes = Client::ALL.into_iter().filter_map(|client| {
        let text = format!("{} {}.", client.version(), about(client)?);
        Some(Finding::note("TREE-COMPATIBILITY", "", text))
    });
    notes.collect()
}
