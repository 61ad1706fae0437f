//! The house rules over what others made: never more than warnings.

use super::record::Claims;
use crate::pypi::policy::{self, RoleClass, Tree, Whose};
use crate::pypi::shards::is_shard;
use crate::pypi::tree::{self, Layout};
use crate::tuf::chain::ChainedRoot;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::metadata::{Header, RoleType, Root, Targets};

/// What the house rules say of one file and its step from `old`.
///
/// # Errors
/// What the readers of metadata refuse.
pub fn step(
    old: &Envelope,
    new: (&str, &Envelope),
    at: jiff::Timestamp,
) -> Result<Vec<Finding>, Finding> {
    let (old, new) = (tree("", old)?, tree(new.0, new.1)?);
    Ok(policy::lint(Some(&old), &new, at, Whose::Others))
}

fn tree(file: &str, envelope: &Envelope) -> Result<Tree, Finding> {
    let mut tree = Tree::default();
    match Header::read(file, envelope)?.role_type {
        RoleType::Root => tree.add_root(&Root::read(file, envelope)?, class_of("targets")),
        RoleType::Targets => {
            tree.add_targets("targets", &Targets::read(file, envelope)?, &class_of);
        }
        RoleType::Timestamp | RoleType::Snapshot => {}
    }
    Ok(tree)
}

// What PEP 458 and PEP 480 call the roles; a name they do not know is a project's.
fn class_of(role: &str) -> RoleClass {
    match role {
        "targets" | "bins" | "unclaimed" | "claimed" => RoleClass::RetainedOffline,
        "custody" => RoleClass::Custody,
        shard if is_shard(shard) => RoleClass::Custody,
        "recently-claimed" | "bin" => RoleClass::Online,
        bins if bins.starts_with("bin-") || bins.starts_with("bins-") => RoleClass::Online,
        _ => RoleClass::Project,
    }
}

/// What the lints say of the tree's shape, from the files that were judged.
fn shape(newest: &ChainedRoot, roles: &[(String, Targets)]) -> Vec<Finding> {
    let roles: Vec<_> = roles
        .iter()
        .map(|(name, targets)| (name.as_str(), targets))
        .collect();
    let Some((("targets", targets), below)) = roles.split_first() else {
        return Vec::new();
    };
    let tree = Layout {
        root: Some(&newest.root),
        targets,
        below,
    };
    tree::lint("", &tree, Whose::Others)
}

/// What the house rules say of the newest root and the roles that were judged (name and content, targets first).
pub(super) fn findings(
    newest: &ChainedRoot,
    roles: &[(String, Targets)],
    claims: &Claims,
    at: jiff::Timestamp,
) -> Vec<Finding> {
    let class = |role: &str| {
        if claims.ephemeral.contains(role) {
            RoleClass::EphemeralOffline
        } else {
            class_of(role)
        }
    };
    let mut tree = Tree::default();
    tree.add_root(&newest.root, class("targets"));
    for (name, targets) in roles {
        tree.add_targets(name, targets, &class);
    }
    let mut findings = shape(newest, roles);
    findings.extend(policy::lint(None, &tree, at, Whose::Others));
    findings
        .into_iter()
        // Expiry is judged with the file at hand: ROOT-EXPIRED, EXPIRES.
        .filter(|finding| finding.rule != "EXPIRY-PAST")
        .collect()
}
