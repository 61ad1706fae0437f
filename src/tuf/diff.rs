//! What differs between two versions, in words: keys matched by key bytes, never by JSON text (root-signing#1437), every changed field listed with
//! its old and new value, unknown ones too; list order is meaning and its change is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::envelope::Envelope;
use super::finding::Finding;
use super::json::Json;
use super::key::KeyId;
pub use super::metadata::pairs::{Both, Paired, Pairs};
use super::metadata::{Delegations, Header, RoleType, Root, Targets};

mod delegations;
mod fields;
mod keys;
mod roles;
#[cfg(test)]
mod tests;

/// What kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Told because a reviewer wants to see that it is the same.
    Same,
    /// Another value.
    Changed,
    /// Only in the new version.
    Added,
    /// Only in the old version.
    Removed,
    /// The same entries in another order, which is meaning in TUF.
    Reordered,
    /// One physical key that stands under another keyid from now on.
    SameKeyNewKeyid,
}

/// One line of the diff.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// What kind.
    pub kind: ChangeKind,
    /// Where: `expires`, `roles.root.threshold`, `roles.root key`, `keys.<keyid>.x-owner`, `delegations.roles bins`, `x-foo.bar`. Names with other characters than letters, digits, `_`, `-`
    /// and `/` stand in quotes, their control characters escaped.
    pub subject: String,
    /// The old value in words (unknown fields: canonical JSON, which may hold control characters: escape it on a screen); `None` where there was none. Never shortened.
    pub old: Option<String>,
    /// The new value in words; `None` where there is none.
    pub new: Option<String>,
    /// The keyid meant, if it is about a key (for holders' names).
    pub keyid: Option<KeyId>,
}

/// The whole comparison.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Diff {
    /// In the order of reading: header, roles, keys, delegations, unknown fields.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Whether nothing but `version` and `expires` differs: a pure renewal.
    pub fn is_renewal(&self) -> bool {
        self.changes.iter().all(|change| match change.kind {
            ChangeKind::Same => true,
            ChangeKind::Changed => RENEWED.contains(&change.subject.as_str()),
            _ => false,
        })
    }
}

/// Compares `new` with `old` (`None`: everything is added).
///
/// # Errors
/// What the typed readers refuse, or two different `_type`s (`SIGNED-FORM`).
pub fn between(old: Option<&Envelope>, new: &Envelope) -> Result<Diff, Finding> {
    between_but(old, new, None)
}

/// As [`between`] but for delegated roles that came or went and are `apart`, and for the keys of delegations: whoever looks at thousands of them has a better way to tell
/// them. Where anything of that is left out, one line about `delegations.keys` says so.
///
/// # Errors
/// As [`between`].
pub fn besides(
    old: Option<&Envelope>,
    new: &Envelope,
    apart: &dyn Fn(&str) -> bool,
) -> Result<Diff, Finding> {
    between_but(old, new, Some(apart))
}

fn between_but(
    old: Option<&Envelope>,
    new: &Envelope,
    apart: Option<&dyn Fn(&str) -> bool>,
) -> Result<Diff, Finding> {
    let header = Header::read("new", new)?;
    let before = old.map(|old| Header::read("old", old)).transpose()?;
    if let Some(before) = before
        && before.role_type != header.role_type
    {
        return Err(Finding::error(
            "SIGNED-FORM",
            "new",
            "The two files are of different types (_type), so there is nothing to compare. Name two versions of one role.",
        ));
    }
    let signed = (old.map(Envelope::signed), Some(new.signed()));
    let mut lines = Lines::default();
    for name in HEADER {
        let (old, new) = member(signed, name);
        lines.compare(name, old.map(fields::plain), new.map(fields::plain));
    }
    let known = match header.role_type {
        RoleType::Root => {
            let old = old.map(|old| Root::read("old", old)).transpose()?;
            roles::root(&mut lines, old.as_ref(), &Root::read("new", new)?, signed);
            &["keys", "roles"][..]
        }
        RoleType::Targets => {
            let old = old.map(|old| Targets::read("old", old)).transpose()?;
            delegations::targets(
                &mut lines,
                old.as_ref(),
                &match &old {
                    Some(old) => Targets::following("new", new, old)?,
                    None => Targets::read("new", new)?,
                },
                signed,
                apart,
            );
            &["delegations"][..]
        }
        RoleType::Timestamp | RoleType::Snapshot => &[],
    };
    fields::members(
        &mut lines,
        "",
        signed,
        &[&HEADER[..], known, &["_type"]].concat(),
    );
    if let (Some(old), Some(new)) = signed {
        fields::unexplained(&mut lines, old, new);
    }
    Ok(Diff {
        changes: lines.written,
    })
}

/// Which delegated keys and roles came, which went, and which of the others are alike: found without reading what the new version shares with the old
/// one.
pub fn delegated(old: Option<&Delegations>, new: Option<&Delegations>) -> Arc<Paired> {
    Paired::of(old, new)
}

/// What a renewal changes.
const RENEWED: [&str; 2] = ["version", "expires"];

/// Members of the signed part that are told first, in this order.
const HEADER: [&str; 4] = ["version", "expires", "spec_version", "consistent_snapshot"];

/// An old and a new value; `None` where there is none.
type Pair<T> = (Option<T>, Option<T>);

fn member<'a>(pair: Pair<Json<'a>>, name: &str) -> Pair<Json<'a>> {
    let of = |json: Option<Json<'a>>| json.and_then(|json| json.get(name));
    (of(pair.0), of(pair.1))
}

/// The lines written so far.
#[derive(Default)]
struct Lines {
    written: Vec<Change>,
    /// The members of the signed part of which a line says that they differ, as their names begin it.
    told: BTreeSet<String>,
}

impl Lines {
    fn write(&mut self, change: Change) {
        let member = fields::first(&change.subject);
        if change.kind != ChangeKind::Same && !self.told.contains(member) {
            self.told.insert(member.to_owned());
        }
        self.written.push(change);
    }
    fn push(&mut self, kind: ChangeKind, subject: &str, old: Option<String>, new: Option<String>) {
        self.write(Change {
            kind,
            subject: subject.to_owned(),
            old,
            new,
            keyid: None,
        });
    }
    fn push_key(&mut self, kind: ChangeKind, subject: &str, (old, new): Pair<String>, keyid: &str) {
        self.write(Change {
            kind,
            subject: subject.to_owned(),
            old,
            new,
            keyid: Some(KeyId(keyid.to_owned())),
        });
    }
    /// A line of the kind that follows from the two values; none where there is neither.
    fn compare(&mut self, subject: &str, old: Option<String>, new: Option<String>) {
        let kind = match (&old, &new) {
            (None, None) => return,
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), None) => ChangeKind::Removed,
            (Some(old), Some(new)) if old == new => ChangeKind::Same,
            (Some(_), Some(_)) => ChangeKind::Changed,
        };
        self.push(kind, subject, old, new);
    }
}
