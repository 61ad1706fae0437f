//! The next version of a role that delegates to thousands: entries are put, changed and taken out by name, all others are shared with the old text.
//! It holds the old text, the new entries, and four bytes for each of the others.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::splice;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::Json;
use crate::tuf::json::text::{Entry, Splice};
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::Header;
use crate::tuf::style;
use crate::tuf::value::Value;

/// A delegated role as it shall stand.
#[derive(Clone, Debug)]
pub struct RoleEdit {
    /// The entry that it continues, whose unknown fields it keeps; `None` for a new one.
    pub from: Option<String>,
    /// In the order listed.
    pub keyids: Vec<KeyId>,
    /// The objects of keyids that the old file may not have.
    pub keys: BTreeMap<KeyId, Key>,
    /// How many of them must sign.
    pub threshold: u32,
    /// Its path patterns.
    pub paths: Vec<String>,
    /// Whether the search ends with it.
    pub terminating: bool,
}

/// What is done to a list of delegations.
#[derive(Clone, Debug, Default)]
pub struct RoleEdits {
    /// Roles as they shall stand, by name.
    pub put: BTreeMap<String, RoleEdit>,
    /// Names of entries that go.
    pub drop: BTreeSet<String>,
}

/// Version `version` of `old` with its delegations edited: entries in ascending order of names, keys that no entry lists dropped, everything else kept,
/// unsigned. It is compact: a file of this size is written without white space, as python-tuf does with `compact=True`.
///
/// # Errors
/// `EXPIRES-FORM`, `KEYID-TAKEN`, `ROLE-UNKNOWN-KEYID`, and what the readers refuse.
pub fn with_delegations(
    file: &str,
    old: &Envelope,
    version: u64,
    expires: &str,
    edits: &RoleEdits,
) -> Result<Envelope, Finding> {
    splice::strict(file, expires)?;
    let old = with_lists(file, old)?;
    let Some((mut signed, shared)) = old.skeleton() else {
        let text = "The file has no signed.delegations that can be edited.";
        return Err(Finding::error("DELEGATION-FORM", file, text));
    };
    let number = i64::try_from(version).unwrap_or(i64::MAX);
    signed.set("version", Value::Integer(number));
    signed.set("expires", Value::string(expires));
    let mut fresh = Fresh {
        text: shared.fresh.clone(),
        canonical: shared.canonical,
    };
    let kept = kept(&old, &shared, edits);
    let keys = keys(file, &old, &shared, (&kept, edits), &mut fresh)?;
    let mut roles: Vec<(Cow<'_, str>, Entry)> = kept;
    let before = |name: &str| role_named(&old, name);
    for (name, edit) in &edits.put {
        let from = edit.from.as_deref().and_then(before);
        let entry = fresh.push(None, &edited(name, edit, from));
        roles.push((Cow::Borrowed(name), entry));
    }
    roles.sort_by(|(a, _), (b, _)| a.cmp(b));
    let roles = roles.into_iter().map(|(_, entry)| entry).collect();
    let splice = Splice {
        base: shared.base,
        canonical: fresh.canonical,
        fresh: fresh.text,
        keys,
        roles,
    };
    let new = Envelope::around(file, &signed, splice)?;
    Header::read(file, &new)?;
    Ok(new)
}

/// `old` in the form that can be shared: compact, with both lists.
fn with_lists<'a>(file: &str, old: &'a Envelope) -> Result<Cow<'a, Envelope>, Finding> {
    if old.skeleton().is_some() {
        return Ok(Cow::Borrowed(old));
    }
    let compact = old.compact(file)?;
    if compact.skeleton().is_some() {
        return Ok(Cow::Owned(compact));
    }
    // A file that delegates to nobody yet.
    let mut signed = Value::from_json(old.signed());
    let mut delegations = signed
        .remove("delegations")
        .unwrap_or_else(|| Value::Object(Vec::new()));
    for (name, empty) in [
        ("keys", Value::Object(Vec::new())),
        ("roles", Value::Array(Vec::new())),
    ] {
        if delegations.get(name).is_none() {
            delegations.set(name, empty);
        }
    }
    signed.set("delegations", delegations);
    let unsigned = Envelope::unsigned(file, &signed)?;
    Ok(Cow::Owned(unsigned.compact(file)?))
}

/// Entries made here, in one text.
struct Fresh {
    text: String,
    canonical: bool,
}

impl Fresh {
    /// Adds an element, or the member called `name`.
    fn push(&mut self, name: Option<&str>, value: &Value) -> Entry {
        let offset = self.text.len();
        if let Some(name) = name {
            style::write_string(name, &mut self.text);
            self.text.push(':');
        }
        style::write_compact(value, &mut self.text);
        self.canonical &= crate::tuf::canonical::is_canonical_run(&self.text.as_bytes()[offset..]);
        Entry::fresh(offset)
    }
}

/// The roles that stay as they are, by name.
fn kept<'a>(old: &'a Envelope, shared: &Splice, edits: &RoleEdits) -> Vec<(Cow<'a, str>, Entry)> {
    let entries = shared.roles.iter().enumerate();
    let named = entries.filter_map(|(index, entry)| {
        let role = old.text().entry(false, index)?;
        Some((role.get("name")?.as_str()?, *entry))
    });
    named
        .filter(|(name, _)| !edits.drop.contains(&**name) && !edits.put.contains_key(&**name))
        .collect()
}

/// The role called `name` as it stands.
fn role_named<'a>(old: &'a Envelope, name: &str) -> Option<Json<'a>> {
    let is = |role: &Json<'_>| role.get("name").and_then(Json::as_str).is_some_and(|it| it == name);
    (0..old.text().count(false))
        .filter_map(|index| old.text().entry(false, index))
        .find(is)
}

fn edited(name: &str, edit: &RoleEdit, from: Option<Json<'_>>) -> Value {
    let mut role = from.map_or_else(|| Value::Object(Vec::new()), Value::from_json);
    let texts =
        |texts: &mut dyn Iterator<Item = &String>| Value::Array(texts.map(Value::string).collect());
    role.set("name", Value::string(name));
    role.set(
        "keyids",
        texts(&mut edit.keyids.iter().map(|keyid| &keyid.0)),
    );
    role.set("threshold", Value::Integer(edit.threshold.into()));
    role.set("paths", texts(&mut edit.paths.iter()));
    role.set("terminating", Value::Bool(edit.terminating));
    role
}

/// The objects of the keys that roles list.
fn keys(
    file: &str,
    old: &Envelope,
    shared: &Splice,
    (kept, edits): (&[(Cow<'_, str>, Entry)], &RoleEdits),
    fresh: &mut Fresh,
) -> Result<Vec<Entry>, Finding> {
    let known: HashMap<Cow<'_, str>, usize> = (0..shared.keys.len())
        .filter_map(|index| Some((old.text().entry(true, index)?.as_str()?, index)))
        .collect();
    let mut new: BTreeMap<&str, &Key> = BTreeMap::new();
    for (keyid, key) in edits.put.values().flat_map(|edit| &edit.keys) {
        let other = new.insert(&keyid.0, key).is_some_and(|other| other != key);
        let stands = known.get(&*keyid.0).and_then(|index| old.text().key(*index));
        if other || stands.is_some_and(|stands| !is(stands, key)) {
            return Err(Finding::error(
                "KEYID-TAKEN",
                file,
                format!(
                    "The keyid {} of a new key stands over another key object. Let the key's owner hand it in under the SHA-256 of its object.",
                    shown(&keyid.0)
                ),
            ));
        }
    }
    let mut used = vec![false; shared.keys.len()];
    let mut made: BTreeSet<&str> = BTreeSet::new();
    let unknown = |name: &str, keyid: &str| {
        let text = format!(
            "The role {} would list {}, which is not among the keys. Hand the key in with it.",
            shown(name),
            shown(keyid)
        );
        Finding::error("ROLE-UNKNOWN-KEYID", file, text)
    };
    for (name, entry) in kept {
        for keyid in shared.role(*entry).get("keyids").into_iter().flat_map(Json::elements) {
            let keyid = keyid.as_str().unwrap_or_default();
            match known.get(&keyid) {
                Some(index) => used[*index] = true,
                None if new.contains_key(&*keyid) => {
                    made.extend(new.get_key_value(&*keyid).map(|(keyid, _)| *keyid));
                }
                None => return Err(unknown(name, &keyid)),
            }
        }
    }
    for (name, edit) in &edits.put {
        for keyid in &edit.keyids {
            match (known.get(&*keyid.0), new.get_key_value(&*keyid.0)) {
                (Some(index), _) => used[*index] = true,
                (None, Some((keyid, _))) => {
                    made.insert(keyid);
                }
                (None, None) => return Err(unknown(name, &keyid.0)),
            }
        }
    }
    let stay = used.iter().zip(&shared.keys).enumerate();
    let stay = stay.filter(|(_, (used, _))| **used);
    let mut keys: Vec<(Cow<'_, str>, Entry)> = stay
        .filter_map(|(index, (_, entry))| Some((old.text().entry(true, index)?.as_str()?, *entry)))
        .collect();
    for keyid in made {
        let entry = fresh.push(Some(keyid), new[keyid].value());
        keys.push((Cow::Borrowed(keyid), entry));
    }
    keys.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(keys.into_iter().map(|(_, entry)| entry).collect())
}

/// Whether `object` says the same as `key`, member for member.
fn is(object: Json<'_>, key: &Key) -> bool {
    Value::from_json(object).canonical() == key.value().canonical()
}
