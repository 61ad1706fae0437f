//! The next version of a role that delegates to thousands: entries are put, changed and taken out by name, all others are shared with the old text.
//! It holds the old text, the new entries, and four bytes for each of the others.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

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
    let old = shareable(file, old)?;
    let source = Source::of(file, &old)?;
    let all: Vec<usize> = (0..source.roles().len()).collect();
    source.edited(file, &all, version, expires, edits)
}

/// A file whose entries its successors share.
pub struct Source<'a> {
    /// The signed part with empty lists.
    signed: Value,
    shared: Splice,
    roles: Vec<Json<'a>>,
    /// Names and objects of its keys, and the number of each by its name.
    keys: Vec<(Cow<'a, str>, Json<'a>)>,
    numbers: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Source<'a> {
    /// The entries of `old`, which is [`shareable`].
    ///
    /// # Errors
    /// `DELEGATION-FORM` where it is not.
    pub fn of(file: &str, old: &'a Envelope) -> Result<Self, Finding> {
        let (signed, shared) = old.skeleton().ok_or_else(|| {
            let text = "The file has no signed.delegations that can be edited.";
            Finding::error("DELEGATION-FORM", file, text)
        })?;
        let member = |name: &str| old.signed().get("delegations")?.get(name);
        let keys: Vec<_> = member("keys").into_iter().flat_map(Json::members).collect();
        let numbers = keys.iter().enumerate();
        Ok(Self {
            signed,
            shared,
            roles: member("roles")
                .into_iter()
                .flat_map(Json::elements)
                .collect(),
            numbers: numbers
                .map(|(number, (name, _))| (name.clone(), number))
                .collect(),
            keys,
        })
    }
    /// Its roles, in the order listed; what is taken over of them is told by their numbers.
    pub fn roles(&self) -> &[Json<'a>] {
        &self.roles
    }
    /// As [`with_delegations`], of a file that would have the roles of these numbers alone.
    ///
    /// # Errors
    /// As [`with_delegations`].
    pub fn edited(
        &self,
        file: &str,
        roles: &[usize],
        version: u64,
        expires: &str,
        edits: &RoleEdits,
    ) -> Result<Envelope, Finding> {
        splice::strict(file, expires)?;
        let mut signed = self.signed.clone();
        let number = i64::try_from(version).unwrap_or(i64::MAX);
        signed.set("version", Value::Integer(number));
        signed.set("expires", Value::string(expires));
        let mut fresh = Fresh {
            text: self.shared.fresh.clone(),
            canonical: self.shared.canonical,
        };
        let mut listed: Vec<(Cow<'_, str>, usize)> = roles
            .iter()
            .filter_map(|number| Some((self.roles[*number].get("name")?.as_str()?, *number)))
            .collect();
        listed.sort_by(|(a, _), (b, _)| a.cmp(b));
        let stays = |name: &str| !edits.drop.contains(name) && !edits.put.contains_key(name);
        let kept = listed.iter().filter(|(name, _)| stays(name));
        let kept: Vec<(&str, usize)> = kept.map(|(name, number)| (&**name, *number)).collect();
        let keys = self.keys(file, &kept, edits, &mut fresh)?;
        let mut entries: Vec<(&str, Entry)> = kept
            .iter()
            .map(|(name, number)| (*name, self.shared.roles[*number]))
            .collect();
        for (name, edit) in &edits.put {
            let from = edit.from.as_deref().and_then(|from| {
                let found = listed.binary_search_by(|(name, _)| (**name).cmp(from));
                Some(self.roles[listed[found.ok()?].1])
            });
            entries.push((name, fresh.push(None, &edited(name, edit, from))));
        }
        entries.sort_by_key(|(name, _)| *name);
        let splice = Splice {
            base: Arc::clone(&self.shared.base),
            canonical: fresh.canonical,
            fresh: fresh.text,
            keys,
            roles: entries.into_iter().map(|(_, entry)| entry).collect(),
        };
        let new = Envelope::around(file, &signed, splice)?;
        Header::read(file, &new)?;
        Ok(new)
    }

    /// The objects of the keys that roles list.
    fn keys(
        &self,
        file: &str,
        kept: &[(&str, usize)],
        edits: &RoleEdits,
        fresh: &mut Fresh,
    ) -> Result<Vec<Entry>, Finding> {
        let new = self.new_keys(file, edits)?;
        let mut used = vec![false; self.keys.len()];
        let mut made: BTreeSet<&str> = BTreeSet::new();
        let mut list = |name: &str, keyid: &str| match (
            self.numbers.get(keyid),
            new.get_key_value(keyid),
        ) {
            (Some(number), _) => {
                used[*number] = true;
                Ok(())
            }
            (None, Some((keyid, _))) => {
                made.insert(keyid);
                Ok(())
            }
            (None, None) => {
                let text = format!(
                    "The role {} would list {}, which is not among the keys. Hand the key in with it.",
                    shown(name),
                    shown(keyid)
                );
                Err(Finding::error("ROLE-UNKNOWN-KEYID", file, text))
            }
        };
        for (name, number) in kept {
            let keyids = self.roles[*number].get("keyids");
            for keyid in keyids.into_iter().flat_map(Json::elements) {
                list(name, &keyid.as_str().unwrap_or_default())?;
            }
        }
        for (name, edit) in &edits.put {
            for keyid in &edit.keyids {
                list(name, &keyid.0)?;
            }
        }
        let numbers = used.iter().enumerate().filter(|(_, used)| **used);
        let mut keys: Vec<(&str, Entry)> = numbers
            .map(|(number, _)| (&*self.keys[number].0, self.shared.keys[number]))
            .collect();
        for keyid in made {
            keys.push((keyid, fresh.push(Some(keyid), new[keyid].value())));
        }
        keys.sort_by_key(|(keyid, _)| *keyid);
        Ok(keys.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The keys that are handed in, by keyid.
    fn new_keys<'e>(
        &self,
        file: &str,
        edits: &'e RoleEdits,
    ) -> Result<BTreeMap<&'e str, &'e Key>, Finding> {
        let mut new: BTreeMap<&str, &Key> = BTreeMap::new();
        for (keyid, key) in edits.put.values().flat_map(|edit| &edit.keys) {
            let other = new.insert(&keyid.0, key).is_some_and(|other| other != key);
            let stands = self
                .numbers
                .get(&*keyid.0)
                .map(|number| self.keys[*number].1);
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
        Ok(new)
    }
}

/// `old` in the form that can be shared: compact, with both lists.
///
/// # Errors
/// What the readers refuse.
pub fn shareable<'a>(file: &str, old: &'a Envelope) -> Result<Cow<'a, Envelope>, Finding> {
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

/// Whether `object` says the same as `key`, member for member.
fn is(object: Json<'_>, key: &Key) -> bool {
    Value::from_json(object).canonical() == key.value().canonical()
}
