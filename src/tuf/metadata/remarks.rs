//! What is unusual but legal in metadata that others made: told, never refused.

use std::collections::{BTreeMap, BTreeSet};

use super::{Header, RoleKeys, Root, TOP_LEVEL_ROLES, Targets};
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::{Key, KeyId, PublicKey};

pub(super) fn of_root(root: &Root, file: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(foreign_expires(&root.header, file));
    findings.extend(consistent_snapshot(root.consistent_snapshot, file));
    findings.extend(extra_roles(root, file));
    findings.extend(of_keys(&root.keys, root.roles.values(), file));
    findings
}

pub(super) fn of_targets(targets: &Targets, file: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(foreign_expires(&targets.header, file));
    if let Some(delegations) = &targets.delegations {
        let roles: Vec<_> = delegations.roles().collect();
        let keys: BTreeMap<KeyId, Key> = delegations.keys().collect();
        let succinct = &delegations.succinct;
        let listed = roles.iter().map(|delegated| &delegated.role);
        let bins = succinct.iter().map(|bins| &bins.role);
        findings.extend(of_keys(&keys, listed.chain(bins), file));
        let names = roles.iter().map(|delegated| &delegated.name);
        let prefixes = succinct.iter().map(|bins| &bins.name_prefix);
        findings.extend(
            names
                .chain(prefixes)
                .filter_map(|name| foreign_name(name, file)),
        );
    }
    findings
}

fn foreign_expires(header: &Header, file: &str) -> Option<Finding> {
    let text = format!(
        "expires is written {}, not YYYY-MM-DDTHH:MM:SSZ; some clients cannot read it",
        shown(header.expires.text())
    );
    (!header.expires.is_strict()).then(|| Finding::warning("EXPIRES-FOREIGN", file, text))
}

fn consistent_snapshot(found: Option<bool>, file: &str) -> Option<Finding> {
    const RULE: &str = "CONSISTENT-SNAPSHOT";
    match found {
        Some(true) => None,
        Some(false) => Some(Finding::note(
            RULE,
            file,
            "consistent_snapshot is false; PEP 458 needs it true",
        )),
        None => Some(Finding::warning(
            RULE,
            file,
            "consistent_snapshot is missing; tough, go-tuf and tuf-js refuse such a root",
        )),
    }
}

fn extra_roles<'a>(root: &'a Root, file: &'a str) -> impl Iterator<Item = Finding> {
    root.roles
        .keys()
        .filter(|name| !TOP_LEVEL_ROLES.contains(&name.as_str()))
        .map(move |name| {
            let text = format!(
                "the role {} is none of root, timestamp, snapshot and targets; python-tuf and tough refuse such a root",
                shown(name)
            );
            Finding::warning("ROOT-EXTRA-ROLE", file, text)
        })
}

fn foreign_name(name: &str, file: &str) -> Option<Finding> {
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let text = format!(
        "the role name {} has characters besides letters, digits, -, _ and .; clients write its file name in different ways",
        shown(name)
    );
    (!is_plain).then(|| Finding::warning("ROLE-NAME-FOREIGN", file, text))
}

fn of_keys<'a>(
    keys: &BTreeMap<KeyId, Key>,
    roles: impl Iterator<Item = &'a RoleKeys>,
    file: &str,
) -> Vec<Finding> {
    let used: BTreeSet<&KeyId> = roles.flat_map(|role| &role.keyids).collect();
    let mut findings: Vec<Finding> = keys
        .iter()
        .filter_map(|(keyid, key)| keyid_mismatch(keyid, key, file))
        .collect();
    findings.extend(same_keys(keys, file));
    findings.extend(about(keys, |_, key| key.is_hex_point()).map(|names| {
        let text = format!(
            "written as hexadecimal points instead of PEM, which python-tuf and go-tuf cannot verify with: {names}"
        );
        Finding::warning("KEY-HEX-POINT", file, text)
    }));
    findings.extend(
        about(keys, |_, key| key.algorithm().is_none()).map(|names| {
            let text = format!(
                "of types we cannot verify with, so their signatures never count here: {names}"
            );
            Finding::warning("KEY-OPAQUE", file, text)
        }),
    );
    findings.extend(
        about(keys, |keyid, _| !used.contains(keyid))
            .map(|names| Finding::note("KEY-UNUSED", file, format!("in no role: {names}"))),
    );
    findings
}

/// TUF 1.0.34, 4.3: the keyid must be the hash of the key. One edited field broke it in production (Sigstore's root 11).
fn keyid_mismatch(keyid: &KeyId, key: &Key, file: &str) -> Option<Finding> {
    let computed = key.keyid();
    let text = format!(
        "the keyid {} is not the SHA-256 of its key, {computed}; tough and rust-tuf refuse such a file",
        shown(&keyid.0)
    );
    (computed != *keyid).then(|| Finding::warning("KEYID-MISMATCH", file, text))
}

fn same_keys(keys: &BTreeMap<KeyId, Key>, file: &str) -> Vec<Finding> {
    let mut by_material: BTreeMap<&PublicKey, Vec<&KeyId>> = BTreeMap::new();
    for (keyid, key) in keys {
        by_material.entry(key.public()).or_default().push(keyid);
    }
    by_material
        .into_values()
        .filter(|keyids| keyids.len() > 1)
        .map(|keyids| {
            let text = format!(
                "the same physical key under {} keyids, which counts once here but more often in python-tuf, tough and tuf-js: {}",
                keyids.len(),
                names(keyids)
            );
            Finding::warning("KEY-TWICE", file, text)
        })
        .collect()
}

/// The names of the keys that `choose` chooses; `None` if there are none.
fn about(keys: &BTreeMap<KeyId, Key>, choose: impl Fn(&KeyId, &Key) -> bool) -> Option<String> {
    let chosen: Vec<&KeyId> = keys
        .iter()
        .filter(|(keyid, key)| choose(keyid, key))
        .map(|(keyid, _)| keyid)
        .collect();
    (!chosen.is_empty()).then(|| names(chosen))
}

fn names<'a>(keyids: impl IntoIterator<Item = &'a KeyId>) -> String {
    let names: Vec<_> = keyids.into_iter().map(|keyid| shown(&keyid.0)).collect();
    names.join(", ")
}
