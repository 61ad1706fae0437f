//! `REQUEST-EXACT`: that two versions of `claimed` differ by exactly the changes asked for, in any token.
//!
//! Nothing here knows how the new version was made. Both files are walked side by side; whatever differs must be the version, the expiry, the marker of a
//! rehearsal, or what one change asks of one entry and its keys; and every change must be found wholly done. One pass over entries and keys in their
//! order: 736,344 entries are a matter of seconds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::ChangeSet;
use crate::tuf::edit::RoleSpec;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::{Json, Kind, Limits, check};
use crate::tuf::value::Value;

mod custody;
mod keys;
mod places;
mod roles;

use places::Places;

/// What the new version shall be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Its version: one more than the old one's, 1 for the first.
    pub version: u64,
    /// Its expiry.
    pub expires: &'a str,
    /// The member that marks what a rehearsal signs; `None` in production.
    pub marker: Option<&'a str>,
    /// What was asked for.
    pub changes: &'a ChangeSet,
    /// Who signs for projects in custody; `None`: as it stands.
    pub custody: Option<&'a RoleSpec>,
}

/// What the first version follows: a role that delegates nothing.
const NOTHING: &[u8] = br#"{"_type":"targets","spec_version":"1.0.0","targets":{},"version":0}"#;

/// Members of the signed part that are judged one by one.
const SET: [&str; 3] = ["delegations", "expires", "version"];

/// What the changes came to.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    added: usize,
    changed: usize,
    to_custody: usize,
    removed: usize,
    idle: usize,
    identical: usize,
}

/// Judges `new` against `old` (`None`: it is the first version) and the changes: one note that says what they came to, or errors of rule `REQUEST-EXACT`
/// that name the first places, five at most, where something else differs or a change is missing.
pub fn exact(
    file: &str,
    old: Option<&Envelope>,
    new: &Envelope,
    expected: &Expected<'_>,
) -> Vec<Finding> {
    let mut places = Places::new(file);
    let nothing = check(NOTHING, Limits::SMALL).ok();
    let counts = match old.map(Envelope::signed).or(nothing) {
        Some(old) => judge(&mut places, old, new.signed(), expected),
        None => None,
    };
    match counts {
        Some(counts) if places.is_empty() => {
            vec![Finding::note("REQUEST-EXACT", file, counts.summary())]
        }
        _ => places.into_findings(),
    }
}

/// `None` where the delegations are of a form that cannot be compared; the place has been told.
fn judge(
    places: &mut Places,
    old: Json<'_>,
    new: Json<'_>,
    expected: &Expected<'_>,
) -> Option<Counts> {
    // Large files: each is walked as few times as may be.
    let members = merged(Some(old), Some(new));
    header(places, &members, expected);
    let (before, after) = members.get("delegations").copied().unwrap_or_default();
    let inner = merged(before, after);
    let member = |name: &str| inner.get(name).copied().unwrap_or_default();
    let ((old_keys, new_keys), (old_roles, new_roles)) = (member("keys"), member("roles"));
    for (path, json, kind) in [
        ("signed.delegations.keys", new_keys, Kind::Object),
        ("signed.delegations.roles", new_roles, Kind::Array),
    ] {
        if json.is_none_or(|json| json.kind() != kind) {
            places.add(|| format!("{path}: not there as it must be"));
            return None;
        }
    }
    for (name, (old, new)) in &inner {
        if !matches!(&**name, "keys" | "roles") {
            places.same(&places::member("signed.delegations", name), *old, *new);
        }
    }
    let old_keys = keys::Keys::new(old_keys);
    let new_keys = keys::Keys::new(new_keys);
    let old_roles = roles::Roles::new(places, "the old file", old_roles)?;
    let new_roles = roles::Roles::new(places, "the new file", new_roles)?;
    let counts = roles::compare(places, &old_roles, &new_roles, &old_keys, expected);
    keys::compare(places, &old_keys, &new_keys, &new_roles, expected);
    Some(counts)
}

fn header(
    places: &mut Places,
    members: &BTreeMap<Cow<'_, str>, Pair<'_>>,
    expected: &Expected<'_>,
) {
    let member = |name: &str| members.get(name).copied().unwrap_or_default();
    let version = i64::try_from(expected.version).unwrap_or(i64::MAX);
    let (before, found) = member("version");
    let before = before.and_then(Json::as_i64);
    if before.and_then(|before| before.checked_add(1)) != Some(version) {
        places.add(|| format!("signed.version: {version} does not follow the old version"));
    }
    places.must("signed.version", &Value::Integer(version), found);
    let expires = Value::string(expected.expires);
    places.must("signed.expires", &expires, member("expires").1);
    if let Some(marker) = expected.marker {
        let path = places::member("signed", marker);
        places.must(&path, &Value::Bool(true), member(marker).1);
    }
    for (name, (old, new)) in members {
        if !SET.contains(&&**name) && expected.marker != Some(&**name) {
            places.same(&places::member("signed", name), *old, *new);
        }
    }
}

/// A member before and after.
type Pair<'a> = (Option<Json<'a>>, Option<Json<'a>>);

/// The members of both objects by name.
fn merged<'a>(old: Option<Json<'a>>, new: Option<Json<'a>>) -> BTreeMap<Cow<'a, str>, Pair<'a>> {
    let mut merged: BTreeMap<Cow<'a, str>, Pair<'a>> = BTreeMap::new();
    for (name, value) in old.into_iter().flat_map(Json::members) {
        merged.entry(name).or_default().0 = Some(value);
    }
    for (name, value) in new.into_iter().flat_map(Json::members) {
        merged.entry(name).or_default().1 = Some(value);
    }
    merged
}

impl Counts {
    /// `4,500 added, 12 changed, 3 to custody; 19,985 entries identical; nothing else differs`
    fn summary(&self) -> String {
        let parts: Vec<String> = [
            (self.added, "added"),
            (self.changed, "changed"),
            (self.to_custody, "to custody"),
            (self.removed, "removed"),
            (self.idle, "asked to be as they were"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", grouped(count)))
        .collect();
        let changes = if parts.is_empty() {
            "no project changed".to_owned()
        } else {
            parts.join(", ")
        };
        let entries = if self.identical == 1 {
            "entry"
        } else {
            "entries"
        };
        format!(
            "{changes}; {} {entries} identical; nothing else differs",
            grouped(self.identical)
        )
    }
}

/// `19,985`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_for_people() {
        let table = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (19_985, "19,985"),
            (736_344, "736,344"),
            (1_000_000, "1,000,000"),
        ];
        for (number, text) in table {
            assert_eq!(grouped(number), text);
        }
        let counts = Counts {
            added: 4500,
            changed: 12,
            to_custody: 3,
            identical: 1,
            ..Counts::default()
        };
        assert_eq!(
            counts.summary(),
            "4,500 added, 12 changed, 3 to custody; 1 entry identical; nothing else differs"
        );
        let none = Counts::default().summary();
        assert_eq!(
            none,
            "no project changed; 0 entries identical; nothing else differs"
        );
    }
}
