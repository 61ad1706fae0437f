//! Keys and the roles that name them, as root and targets both have them.

use std::collections::{BTreeMap, BTreeSet};

use super::RoleKeys;
use super::field::Field;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::{Key, KeyId};

/// Reads a `keys` object.
pub(super) fn keys(field: &Field<'_>) -> Result<BTreeMap<KeyId, Key>, Finding> {
    field
        .members()?
        .map(|(keyid, object)| {
            let key = Key::from_json(object.json()).map_err(|error| {
                object.refuse_by(error.rule, format!("is refused: {}", error.text))
            })?;
            Ok((KeyId(keyid.into_owned()), key))
        })
        .collect()
}

impl RoleKeys {
    /// Reads the members `keyids` and `threshold` of a role whose keys are among `keys`.
    pub(super) fn read(role: &Field<'_>, keys: &BTreeMap<KeyId, Key>) -> Result<Self, Finding> {
        let field = role.member("keyids")?;
        let keyids: Vec<KeyId> = field.strings()?.into_iter().map(KeyId).collect();
        let mut seen = BTreeSet::new();
        for keyid in &keyids {
            let name = shown(&keyid.0);
            if !seen.insert(keyid) {
                return Err(field.refuse_by("ROLE-DUPLICATE-KEYID", format!("lists {name} twice")));
            }
            if !keys.contains_key(keyid) {
                let text = format!("lists {name}, which is not among the keys");
                return Err(field.refuse_by("ROLE-UNKNOWN-KEYID", text));
            }
        }
        let threshold = threshold(
            &role.member("threshold")?.rule("ROLE-THRESHOLD"),
            keyids.len(),
        )?;
        Ok(Self { keyids, threshold })
    }
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
