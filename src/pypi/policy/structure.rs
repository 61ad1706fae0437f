//! Thresholds of one, and keys that stand where they should not.

use std::collections::{BTreeMap, BTreeSet};

use super::{Role, RoleClass, Tree, listed};
use crate::tuf::finding::Finding;
use crate::tuf::key::PublicKey;

/// Rules about one role alone.
pub(super) fn findings(role: &Role) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = &role.name;
    if role.threshold == 1 && role.class.is_offline() {
        findings.push(Finding::error(
            "THRESHOLD-ONE",
            "",
            format!("Role {name} needs 1 signature: one stolen key is enough to take it over. Give it a threshold of 2 or more."),
        ));
    }
    let mut keyids: BTreeMap<&PublicKey, Vec<&str>> = BTreeMap::new();
    for (keyid, key) in &role.keys {
        keyids.entry(key.public()).or_default().push(&keyid.0);
    }
    for keyids in keyids.values().filter(|keyids| keyids.len() > 1) {
        findings.push(Finding::error(
            "KEY-TWICE",
            "",
            format!(
                "Role {name} lists one key under {} keyids ({}), and some clients count it as often. Keep one of them.",
                keyids.len(),
                listed(keyids)
            ),
        ));
    }
    findings
}

/// `KEY-SHARED`: one key in roles that must not fall together.
pub(super) fn shared_keys(tree: &Tree) -> Vec<Finding> {
    let own = || {
        let own_keys = |role: &&Role| role.class != RoleClass::Custody;
        tree.roles.iter().filter(own_keys)
    };
    let known: BTreeSet<&PublicKey> = own().flat_map(|role| role.distinct().into_keys()).collect();
    let projects = tree.projects.iter();
    let projects = projects.flat_map(|projects| projects.with_keys(|key| known.contains(key)));
    let projects: Vec<Role> = projects.collect();
    let roles = || own().chain(&projects);
    let mut users: BTreeMap<&PublicKey, Vec<&Role>> = BTreeMap::new();
    for role in roles() {
        for material in role.distinct().into_keys() {
            users.entry(material).or_default().push(role);
        }
    }
    let mut findings = Vec::new();
    for role in roles() {
        for (material, keyid) in role.distinct() {
            let users = &users[material];
            // One finding a key, told at the first role that has it.
            if !std::ptr::eq(users[0], role) || may_share(users) {
                continue;
            }
            let names: Vec<&str> = users.iter().map(|role| role.name.as_str()).collect();
            let holder = tree
                .persons
                .get(keyid)
                .map(|person| format!(" of {person}"))
                .unwrap_or_default();
            findings.push(Finding::error(
                "KEY-SHARED",
                "",
                format!(
                    "Roles {} share one key (keyid {keyid}{holder}): who takes it has all of them. Make a key of its own for each offline role.",
                    listed(&names)
                ),
            ));
        }
    }
    findings
}

/// Online roles may share a key (PEP 458 uses one for all), and so may projects of one developer.
fn may_share(users: &[&Role]) -> bool {
    let all = |class| users.iter().all(|role| role.class == class);
    users.len() == 1 || all(RoleClass::Online) || all(RoleClass::Project)
}
