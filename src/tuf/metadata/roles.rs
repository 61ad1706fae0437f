//! Keys and the roles that name them, as root and targets both have them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::RoleKeys;
use super::field::Field;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::{Key, KeyId};

/// Reads a `keys` object.
pub(super) fn keys(field: &Field<'_>) -> Result<BTreeMap<KeyId, Key>, Finding> {
    field
        .members()?
        .map(|(keyid, object)| Ok((KeyId(keyid.into_owned()), key(&object)?)))
        .collect()
}

/// Reads a key object.
pub(super) fn key(object: &Field<'_>) -> Result<Key, Finding> {
    Key::from_json(object.json())
        .map_err(|error| object.refuse_by(error.rule, format!("is refused: {}", error.text)))
}

impl RoleKeys {
    /// Reads the members `keyids` and `threshold` of a role whose keys are all `known`.
    pub(super) fn read(role: &Field<'_>, known: &dyn Fn(&str) -> bool) -> Result<Self, Finding> {
        let [keyids, threshold] = role.these(["keyids", "threshold"])?;
        let (keyids, threshold) = judge(role, keyids, threshold, known)?;
        let keyids = keyids.into_iter().map(|keyid| KeyId(keyid.into_owned()));
        Ok(Self {
            keyids: keyids.collect(),
            threshold,
        })
    }
}

/// The keyids and the threshold of a role whose members of these names are given.
pub(super) fn judge<'f>(
    role: &Field<'_>,
    keyids: Option<Field<'f>>,
    required: Option<Field<'_>>,
    known: &dyn Fn(&str) -> bool,
) -> Result<(Vec<Cow<'f, str>>, u32), Finding> {
    /// Up to so many keyids are compared with each other, more are looked up.
    const FEW: usize = 16;
    let field = keyids.ok_or_else(|| role.lacks("keyids"))?;
    let mut listed: Vec<Cow<'f, str>> = Vec::new();
    let mut seen: BTreeSet<Cow<'f, str>> = BTreeSet::new();
    for (index, json) in field.list()?.enumerate() {
        let Some(keyid) = json.as_str() else {
            return Err(field.element(index, json).refuse("must be a string"));
        };
        let twice = if listed.len() < FEW {
            listed.contains(&keyid)
        } else {
            if listed.len() == FEW {
                seen.extend(listed.iter().cloned());
            }
            !seen.insert(keyid.clone())
        };
        if twice {
            let text = format!("lists {} twice", shown(&keyid));
            return Err(field.refuse_by("ROLE-DUPLICATE-KEYID", text));
        }
        if !known(&keyid) {
            let text = format!("lists {}, which is not among the keys", shown(&keyid));
            return Err(field.refuse_by("ROLE-UNKNOWN-KEYID", text));
        }
        listed.push(keyid);
    }
    let required = required.ok_or_else(|| role.lacks("threshold"))?;
    let threshold = threshold(&required.rule("ROLE-THRESHOLD"), listed.len())?;
    Ok((listed, threshold))
}

/// From 1 to the number of keys: 0 or less would need no signature at all (CVE-2026-23992, go-tuf), more can never be reached.
fn threshold(field: &Field<'_>, keys: usize) -> Result<u32, Finding> {
    let found = field.integer()?;
    match u32::try_from(found) {
        Ok(0) | Err(_) if found < 1 => {
            Err(field.refuse(format!("is {found}; it must be 1 or more")))
        }
        Ok(threshold) if threshold as usize <= keys => Ok(threshold),
        _ => Err(field.refuse(format!(
            "is {found}, but the role has {}",
            counted(keys, "key")
        ))),
    }
}

/// `1 key`, `2 keys`.
fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
