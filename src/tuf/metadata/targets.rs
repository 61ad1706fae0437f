//! Delegations of a targets role (TUF 1.0.34, 4.5; TAP 15).

use std::collections::{BTreeMap, HashSet};

use super::field::Field;
use super::{DelegatedRole, Delegations, RoleKeys, SuccinctRoles, TOP_LEVEL_ROLES, roles};
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::{Key, KeyId};

pub(super) fn delegations(field: &Field<'_>) -> Result<Delegations, Finding> {
    let keys = roles::keys(&field.member("keys")?)?;
    match (field.optional("roles"), field.optional("succinct_roles")) {
        (Some(listed), None) => Ok(Delegations {
            roles: delegated_roles(&listed, &keys)?,
            succinct: None,
            keys,
        }),
        (None, Some(succinct)) => Ok(Delegations {
            roles: Vec::new(),
            succinct: Some(succinct_roles(&succinct, &keys)?),
            keys,
        }),
        _ => Err(field.refuse("must have exactly one of roles and succinct_roles")),
    }
}

fn delegated_roles(
    field: &Field<'_>,
    keys: &BTreeMap<KeyId, Key>,
) -> Result<Vec<DelegatedRole>, Finding> {
    let mut names = HashSet::new();
    let mut found = Vec::new();
    for element in field.elements()? {
        let role = delegated_role(&element, keys)?;
        if !names.insert(role.name.clone()) {
            let text = format!("delegates to {} a second time", shown(&role.name));
            return Err(element.refuse(text));
        }
        found.push(role);
    }
    Ok(found)
}

fn delegated_role(
    field: &Field<'_>,
    keys: &BTreeMap<KeyId, Key>,
) -> Result<DelegatedRole, Finding> {
    let name = field.member("name")?;
    let (paths, path_hash_prefixes) = match (
        field.optional("paths"),
        field.optional("path_hash_prefixes"),
    ) {
        (Some(paths), None) => (paths.strings()?, Vec::new()),
        (None, Some(prefixes)) => (Vec::new(), prefixes.strings()?),
        _ => {
            return Err(field.refuse("must have exactly one of paths and path_hash_prefixes"));
        }
    };
    Ok(DelegatedRole {
        name: role_name(&name)?,
        role: RoleKeys::read(field, keys)?,
        terminating: field.member("terminating")?.boolean()?,
        paths,
        path_hash_prefixes,
    })
}

fn succinct_roles(
    field: &Field<'_>,
    keys: &BTreeMap<KeyId, Key>,
) -> Result<SuccinctRoles, Finding> {
    let bits = field.member("bit_length")?;
    let found = bits.integer()?;
    let bit_length = u32::try_from(found)
        .ok()
        .filter(|length| (1..=32).contains(length))
        .ok_or_else(|| bits.refuse(format!("is {found}; expected 1 to 32")))?;
    Ok(SuccinctRoles {
        role: RoleKeys::read(field, keys)?,
        bit_length,
        name_prefix: role_name(&field.member("name_prefix")?)?,
    })
}

/// Role names become file names: what could leave the folder, or stand for a top-level role, is refused (CVE-2026-24686, CVE-2021-41131).
fn role_name(field: &Field<'_>) -> Result<String, Finding> {
    let name = field.string()?;
    let reason = if TOP_LEVEL_ROLES.contains(&&*name) {
        "is the name of a top-level role"
    } else if let Some(reason) = no_file_name(&name) {
        reason
    } else {
        return Ok(name.into_owned());
    };
    Err(field.refuse_by("ROLE-NAME", format!("is {}, which {reason}", shown(&name))))
}

/// Why a role of this name can have no file.
pub(super) fn no_file_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > 200 {
        Some("is longer than 200 bytes")
    } else if matches!(name, "." | "..") || name.contains(['/', '\\']) {
        Some("would be a path as a file name")
    } else if name.contains(char::is_control) {
        Some("has control characters")
    } else {
        None
    }
}
