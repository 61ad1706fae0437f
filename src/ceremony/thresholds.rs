//! The thresholds that a document must reach, in words and with the keys to judge them by. The one place that says whose signatures count: building,
//! remote signing and merging all ask here.

use std::collections::BTreeMap;

use super::script::delegator_of;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{RoleKeys, Root, Targets};

/// One threshold, with the keys to judge it by.
#[derive(Clone, Debug)]
pub struct Threshold {
    /// `the keys of root v7 (old)`.
    pub by: String,
    /// Keys by keyid.
    pub keys: BTreeMap<KeyId, Key>,
    /// Who counts and how many must.
    pub role: RoleKeys,
}

impl Threshold {
    /// A threshold over these keys.
    pub fn over(by: String, keys: Vec<(KeyId, Key)>, role: RoleKeys) -> Self {
        Self {
            by,
            keys: keys.into_iter().collect(),
            role,
        }
    }

    /// The keys that count, each physical key once, in the order listed.
    pub fn distinct(&self) -> impl Iterator<Item = (&KeyId, &Key)> {
        let mut seen = std::collections::BTreeSet::new();
        self.role
            .keyids
            .iter()
            .filter_map(|keyid| self.keys.get_key_value(keyid))
            .filter(move |(_, key)| seen.insert(key.public().clone()))
    }
}

/// What a root must reach: the keys of the root before, and its own.
pub fn root(old: Option<&Root>, new: Option<&Root>) -> Vec<Threshold> {
    let mut thresholds = Vec::new();
    if let Some(old) = old {
        let by = format!("the keys of root v{} (old)", old.header.version);
        thresholds
            .extend(top_level(old, "root").map(|(keys, role)| Threshold::over(by, keys, role)));
    }
    if let Some(new) = new {
        let by = format!(
            "the keys of root v{}{}",
            new.header.version,
            if old.is_some() { " (new)" } else { "" }
        );
        thresholds
            .extend(top_level(new, "root").map(|(keys, role)| Threshold::over(by, keys, role)));
    }
    thresholds
}

/// What targets must reach: the keys that the new root gives them; while both roots are about, the old ones too (`overlaps`), or clients between the two would fail.
pub fn targets(old: Option<&Root>, new: Option<&Root>, overlaps: bool) -> Vec<Threshold> {
    let mut thresholds = Vec::new();
    let after = new.and_then(|new| top_level(new, "targets"));
    if let Some(old) = old.filter(|_| overlaps) {
        let before = top_level(old, "targets").filter(|before| Some(before) != after.as_ref());
        let by = format!("the targets keys of root v{} (old)", old.header.version);
        thresholds.extend(before.map(|(keys, role)| Threshold::over(by, keys, role)));
    }
    if let Some(new) = new {
        let by = format!("the targets keys of root v{}", new.header.version);
        thresholds.extend(after.map(|(keys, role)| Threshold::over(by, keys, role)));
    }
    thresholds
}

/// What an offline role under targets or claimed must reach: the keys that its delegator gives it.
pub fn delegated_role(role: &str, delegator: &Targets) -> Vec<Threshold> {
    let name = delegator_of(role).unwrap_or_default();
    let by = format!("the {role} keys of {name} v{}", delegator.header.version);
    delegated(delegator, role)
        .map(|(keys, role)| Threshold::over(by, keys, role))
        .into_iter()
        .collect()
}

/// The keys of a top-level role.
pub fn top_level(root: &Root, role: &str) -> Option<(Vec<(KeyId, Key)>, RoleKeys)> {
    let role = root.role(role)?.clone();
    let keys = role
        .keyids
        .iter()
        .filter_map(|keyid| Some((keyid.clone(), root.keys.get(keyid)?.clone())))
        .collect();
    Some((keys, role))
}

/// The keys of a delegated role.
pub fn delegated(delegator: &Targets, name: &str) -> Option<(Vec<(KeyId, Key)>, RoleKeys)> {
    let delegations = delegator.delegations.as_ref()?;
    let role = delegations.role(name)?.role;
    let keys = role.keyids.iter();
    let keys = keys.filter_map(|keyid| Some((keyid.clone(), delegations.key(keyid)?)));
    Some((keys.collect(), role))
}
