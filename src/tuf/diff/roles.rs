//! Who may sign: thresholds and keys of each role, those that stay told too.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{self, Keys};
use super::{ChangeKind, Lines, Pair, fields, member};
use crate::tuf::json::Json;
use crate::tuf::key::{KeyId, PublicKey};
use crate::tuf::metadata::{RoleKeys, Root};

/// One version of a role, with the keys that its keyids mean.
pub(super) struct Side<'a> {
    pub(super) keys: &'a Keys<'a>,
    pub(super) role: Option<&'a RoleKeys>,
}

impl<'a> Side<'a> {
    pub(super) fn of(keys: &'a Keys<'a>, role: Option<&'a RoleKeys>) -> Self {
        Self { keys, role }
    }
}

/// The roles and keys of a root.
pub(super) fn root(lines: &mut Lines, old: Option<&Root>, new: &Root, signed: Pair<Json<'_>>) {
    let (old_keys, new_keys) = member(signed, "keys");
    let (old_keys, new_keys) = (Keys::of(old_keys), Keys::of(new_keys));
    let first = ["root", "timestamp", "snapshot", "targets"];
    let names: BTreeSet<&str> = old
        .into_iter()
        .chain([new])
        .flat_map(|root| root.roles.keys().map(String::as_str))
        .collect();
    let others = names.iter().copied().filter(|name| !first.contains(name));
    let roles = member(signed, "roles");
    for name in first.into_iter().chain(others) {
        let path = fields::join("roles", name);
        let old = Side {
            keys: &old_keys,
            role: old.and_then(|old| old.role(name)),
        };
        let new = Side {
            keys: &new_keys,
            role: new.role(name),
        };
        role(lines, &path, &old, &new);
        fields::members(lines, &path, member(roles, name), &["keyids", "threshold"]);
    }
    keys::compare(lines, "keys", &old_keys, &new_keys);
}

/// The threshold and the keys of one role.
pub(super) fn role(lines: &mut Lines, path: &str, old: &Side<'_>, new: &Side<'_>) {
    let threshold = |role: &RoleKeys| format!("{} of {}", role.threshold, role.keyids.len());
    lines.compare(
        &format!("{path}.threshold"),
        old.role.map(threshold),
        new.role.map(threshold),
    );
    let subject = format!("{path} key");
    let (before, after) = (keyids(old), keyids(new));
    let matches = matches(old, new);
    let kept: BTreeSet<&KeyId> = matches.values().copied().collect();
    for keyid in before.iter().filter(|keyid| !kept.contains(keyid)) {
        lines.push_key(
            ChangeKind::Removed,
            &subject,
            (Some(old.keys.words(&keyid.0)), None),
            &keyid.0,
        );
    }
    for keyid in after {
        let was = matches.get(keyid).copied();
        let kind = match was {
            None => ChangeKind::Added,
            Some(was) if was == keyid => ChangeKind::Same,
            Some(_) => ChangeKind::SameKeyNewKeyid,
        };
        let words = (
            was.map(|was| old.keys.words(&was.0)),
            Some(new.keys.words(&keyid.0)),
        );
        lines.push_key(kind, &subject, words, &keyid.0);
    }
    if in_common(before, after) != in_common(after, before) {
        let list = |keyids: &[KeyId]| {
            Some(
                keyids
                    .iter()
                    .map(|keyid| keyid.0.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            )
        };
        lines.push(
            ChangeKind::Reordered,
            &format!("{path}.keyids"),
            list(before),
            list(after),
        );
    }
}

fn keyids<'a>(side: &Side<'a>) -> &'a [KeyId] {
    side.role.map_or(&[], |role| &role.keyids)
}

/// The old keyid for every new keyid whose key was in the role before: the same keyid if it can be, else one that no longer stands for the key.
fn matches<'a>(old: &Side<'a>, new: &Side<'a>) -> BTreeMap<&'a KeyId, &'a KeyId> {
    let (before, after) = (keyids(old), keyids(new));
    let old_set: BTreeSet<&KeyId> = before.iter().collect();
    let stays = |keyid: &KeyId| {
        old_set.contains(keyid) && old.keys.material(&keyid.0) == new.keys.material(&keyid.0)
    };
    let mut matches: BTreeMap<_, _> = after
        .iter()
        .filter(|keyid| stays(keyid))
        .map(|keyid| (keyid, keyid))
        .collect();
    let mut left: BTreeMap<&PublicKey, Vec<&KeyId>> = BTreeMap::new();
    for keyid in before
        .iter()
        .rev()
        .filter(|keyid| !matches.contains_key(keyid))
    {
        if let Some(material) = old.keys.material(&keyid.0) {
            left.entry(material).or_default().push(keyid);
        }
    }
    for keyid in after {
        if !matches.contains_key(keyid)
            && let Some(was) = new
                .keys
                .material(&keyid.0)
                .and_then(|material| left.get_mut(material)?.pop())
        {
            matches.insert(keyid, was);
        }
    }
    matches
}

/// The keyids of `these` that are in `others` too, in their order.
fn in_common<'a>(these: &'a [KeyId], others: &[KeyId]) -> Vec<&'a KeyId> {
    let others: BTreeSet<&KeyId> = others.iter().collect();
    these
        .iter()
        .filter(|keyid| others.contains(keyid))
        .collect()
}
