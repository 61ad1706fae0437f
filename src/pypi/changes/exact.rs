//! `REQUEST-EXACT`: that two versions of `claimed` differ by exactly the changes asked for, in any token.
//!
//! Nothing here knows how the new version was made. Both files are walked side by side; whatever differs must be the version, the expiry, the marker of a
//! rehearsal, or what one change asks of one entry and its keys; and every change must be found wholly done. One pass over entries and keys in their
//! order: 736,344 entries are a matter of seconds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::ChangeSet;
use crate::pypi::delegation::CUSTODY;
use crate::tuf::edit::RoleSpec;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::{Json, Kind, Limits, check};
use crate::tuf::value::Value;

mod custody;
mod keys;
mod places;
mod roles;
mod sharded;

use places::Places;
pub use sharded::{ExpectedShards, exact_sharded};

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
    let (before, after) = (Frame::new(old), Frame::new(new));
    let head = Head {
        version: expected.version,
        expires: expected.expires,
        marker: expected.marker,
        follows: true,
    };
    frames(places, &before, &after, Some(head))?;
    let before = before.side(places, "the old file")?;
    let after = after.side(places, "the new file")?;
    let in_custody = custody::projects(places, before.roles.get(CUSTODY));
    let old = (&before.roles, &before.keys);
    let mut counts = roles::compare(places, old, &after.roles, expected.changes, &in_custody);
    let unchanged = custody::compare(
        places,
        (before.roles.get(CUSTODY), after.roles.get(CUSTODY)),
        &in_custody,
        &before.keys,
        (expected.changes, expected.custody),
    );
    counts.identical += usize::from(unchanged);
    let signers: Vec<&RoleSpec> = expected.custody.into_iter().collect();
    let changes = expected.changes;
    keys::compare(places, &before.keys, &after, changes, &signers);
    Some(counts)
}

/// The members of a file's signed part and of its delegations: a large file is walked as few times as may be.
struct Frame<'a> {
    members: BTreeMap<Cow<'a, str>, Json<'a>>,
    inner: BTreeMap<Cow<'a, str>, Json<'a>>,
}

/// The entries and keys of a file.
struct Side<'a> {
    roles: roles::Roles<'a>,
    keys: keys::Keys<'a>,
}

impl<'a> Frame<'a> {
    fn new(signed: Json<'a>) -> Self {
        let members: BTreeMap<_, _> = signed.members().collect();
        let inner = members.get("delegations").copied();
        Self {
            inner: inner.into_iter().flat_map(Json::members).collect(),
            members,
        }
    }

    /// `None` where its entries cannot be set beside others.
    fn side(&self, places: &mut Places, whose: &str) -> Option<Side<'a>> {
        Some(Side {
            roles: roles::Roles::new(places, whose, self.inner.get("roles").copied())?,
            keys: keys::Keys::new(self.inner.get("keys").copied()),
        })
    }
}

/// What the head of a file shall say.
#[derive(Clone, Copy)]
struct Head<'a> {
    version: u64,
    expires: &'a str,
    marker: Option<&'a str>,
    /// Whether the file that it is set beside is the version before, not one that it takes entries from.
    follows: bool,
}

/// Sets everything of two files but their entries and keys side by side; without a head those of both must be the same.
fn frames(
    places: &mut Places,
    old: &Frame<'_>,
    new: &Frame<'_>,
    head: Option<Head<'_>>,
) -> Option<()> {
    header(places, (old, new), head);
    for (name, kind) in [("keys", Kind::Object), ("roles", Kind::Array)] {
        if new.inner.get(name).is_none_or(|json| json.kind() != kind) {
            places.add(|| format!("signed.delegations.{name}: not there as it must be"));
            return None;
        }
    }
    for (name, (old, new)) in paired(&old.inner, &new.inner) {
        if !matches!(name, "keys" | "roles") {
            places.same(&places::member("signed.delegations", name), old, new);
        }
    }
    Some(())
}

fn header(places: &mut Places, (old, new): (&Frame<'_>, &Frame<'_>), head: Option<Head<'_>>) {
    if let Some(head) = head {
        let version = i64::try_from(head.version).unwrap_or(i64::MAX);
        let before = old.members.get("version").and_then(|it| it.as_i64());
        if head.follows && before.and_then(|before| before.checked_add(1)) != Some(version) {
            places.add(|| format!("signed.version: {version} does not follow the old version"));
        }
        let member = |name: &str| new.members.get(name).copied();
        places.must(
            "signed.version",
            &Value::Integer(version),
            member("version"),
        );
        let expires = Value::string(head.expires);
        places.must("signed.expires", &expires, member("expires"));
        if let Some(marker) = head.marker {
            let path = places::member("signed", marker);
            places.must(&path, &Value::Bool(true), member(marker));
        }
    }
    for (name, (old, new)) in paired(&old.members, &new.members) {
        let judged = match head {
            Some(head) => SET.contains(&name) || head.marker == Some(name),
            None => name == "delegations",
        };
        if !judged {
            places.same(&places::member("signed", name), old, new);
        }
    }
}

/// The members of both by name.
fn paired<'m, 'a>(
    old: &'m BTreeMap<Cow<'a, str>, Json<'a>>,
    new: &'m BTreeMap<Cow<'a, str>, Json<'a>>,
) -> BTreeMap<&'m str, Pair<'a>> {
    let mut paired: BTreeMap<&'m str, Pair<'a>> = BTreeMap::new();
    for (name, value) in old {
        paired.entry(name).or_default().0 = Some(*value);
    }
    for (name, value) in new {
        paired.entry(name).or_default().1 = Some(*value);
    }
    paired
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
    fn add(&mut self, other: Self) {
        self.added += other.added;
        self.changed += other.changed;
        self.to_custody += other.to_custody;
        self.removed += other.removed;
        self.idle += other.idle;
        self.identical += other.identical;
    }

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
