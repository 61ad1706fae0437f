//! The house rules over what others made: never more than warnings.

use super::record::Claims;
use crate::pypi::policy::{self, RoleClass, Tree, Whose};
use crate::tuf::chain::ChainedRoot;
use crate::tuf::finding::Finding;
use crate::tuf::metadata::Targets;

/// What the house rules say of the newest root and the roles that were judged (name and content, targets first).
pub(super) fn findings(
    newest: &ChainedRoot,
    roles: &[(String, Targets)],
    claims: &Claims,
    at: jiff::Timestamp,
) -> Vec<Finding> {
    let class = |role: &str| match role {
        ephemeral if claims.ephemeral.contains(ephemeral) => RoleClass::EphemeralOffline,
        "targets" | "bins" | "unclaimed" | "claimed" => RoleClass::RetainedOffline,
        "recently-claimed" => RoleClass::Online,
        bins if bins.starts_with("bin-") || bins.starts_with("bins-") => RoleClass::Online,
        _ => RoleClass::Project,
    };
    let mut tree = Tree::default();
    tree.add_root(&newest.root, class("targets"));
    for (name, targets) in roles {
        tree.add_targets(name, targets, &class);
    }
    policy::lint(None, &tree, at, Whose::Others)
        .into_iter()
        // Expiry is judged with the file at hand: ROOT-EXPIRED, EXPIRES.
        .filter(|finding| finding.rule != "EXPIRY-PAST")
        .collect()
}
