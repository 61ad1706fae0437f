//! What a role may be called.

use std::borrow::Cow;

use super::{Field, TOP_LEVEL_ROLES};
use crate::tuf::finding::{Finding, shown};

/// Role names become file names: what could leave the folder, or stand for a top-level role, is refused (CVE-2026-24686, CVE-2021-41131).
pub(super) fn role_name<'a>(field: &Field<'a>) -> Result<Cow<'a, str>, Finding> {
    let name = field.string()?;
    match why_no_role(&name) {
        None => Ok(name),
        Some(why) => Err(field.refuse_by("ROLE-NAME", format!("is {}, which {why}", shown(&name)))),
    }
}

/// Why no delegated role can have this name.
pub(super) fn why_no_role(name: &str) -> Option<&'static str> {
    if TOP_LEVEL_ROLES.contains(&name) {
        return Some("is the name of a top-level role");
    }
    no_file_name(name)
}

/// Why a role of this name can have no file.
pub(in crate::tuf::metadata) fn no_file_name(name: &str) -> Option<&'static str> {
    let unusual = |byte: u8| matches!(byte, b'/' | b'\\') || !(b' '..=b'~').contains(&byte);
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > 200 {
        Some("is longer than 200 bytes")
    } else if matches!(name, "." | "..") {
        Some("would be a path as a file name")
    } else if !name
        .bytes()
        .fold(false, |found, byte| found | unusual(byte))
    {
        None
    } else if name.contains(['/', '\\']) {
        Some("would be a path as a file name")
    } else if name.contains(char::is_control) {
        Some("has control characters")
    } else {
        None
    }
}
