//! The next version of a role that delegates to thousands: entries are put, changed and taken out by name, all others pass from the old text to the
//! new one after the other. It holds the two texts and one entry, never a tree of the file.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::splice;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{Json, Limits};
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

/// Some of the entries of a file, with the keys that they may list: what a role that takes them over begins with.
#[derive(Clone)]
pub struct Part<'a> {
    /// The file. All beside its delegations' keys and roles is taken over too.
    pub old: &'a Envelope,
    /// The entries.
    pub roles: Vec<Json<'a>>,
    /// The keys of the file, by keyid.
    pub keys: &'a BTreeMap<Cow<'a, str>, Json<'a>>,
}

/// One member of `keys` or element of `roles`: as it stands in the old text, or a new one.
enum Item<'a> {
    Old(Json<'a>),
    New(Value),
}

/// Version `version` of `old` with its delegations edited: entries in ascending order of names, keys that no entry lists dropped, everything else kept,
/// in the house style, unsigned.
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
    let delegations = old.signed().get("delegations");
    let member = |name: &str| delegations.and_then(|delegations| delegations.get(name));
    let roles = member("roles").into_iter().flat_map(Json::elements);
    let keys = member("keys").into_iter().flat_map(Json::members).collect();
    let part = Part {
        old,
        roles: roles.collect(),
        keys: &keys,
    };
    with_part(file, &part, version, expires, edits)
}

/// The same of a file that would have the entries of `part` alone.
///
/// # Errors
/// As [`with_delegations`].
pub fn with_part(
    file: &str,
    part: &Part<'_>,
    version: u64,
    expires: &str,
    edits: &RoleEdits,
) -> Result<Envelope, Finding> {
    splice::strict(file, expires)?;
    let signed = part.old.signed();
    let delegations = signed.get("delegations");
    let roles = roles(&part.roles, edits);
    let keys = keys(file, part.keys, &roles, edits)?;

    let mut members: BTreeMap<Cow<'_, str>, Item<'_>> = items(signed);
    let number = i64::try_from(version).unwrap_or(i64::MAX);
    members.insert("version".into(), Item::New(Value::Integer(number)));
    members.insert("expires".into(), Item::New(Value::string(expires)));
    members.insert("delegations".into(), Item::New(Value::Null));
    let mut inner = delegations.map(items).unwrap_or_default();
    inner.insert("keys".into(), Item::New(Value::Null));
    inner.insert("roles".into(), Item::New(Value::Null));

    let length: usize = part.roles.iter().map(|role| role.bytes().len()).sum();
    let mut text = String::with_capacity(3 * length + (64 << 10));
    text.push_str("{\n \"signatures\": [],\n \"signed\": ");
    style::write_list('{', '}', members, 1, &mut text, |(name, item), out| {
        write_name(&name, out);
        if name != "delegations" {
            return write(&item, 2, out);
        }
        let inner = std::mem::take(&mut inner);
        style::write_list('{', '}', inner, 2, out, |(name, item), out| {
            write_name(&name, out);
            match &*name {
                "keys" => style::write_list('{', '}', &keys, 3, out, |(keyid, item), out| {
                    write_name(keyid, out);
                    write(item, 4, out);
                }),
                "roles" => style::write_list('[', ']', &roles, 3, out, |(_, item), out| {
                    write(item, 4, out);
                }),
                _ => write(&item, 3, out),
            }
        });
    });
    text.push_str("\n}");
    let envelope = Envelope::parse(file, text.into_bytes(), Limits::LARGE)?;
    Header::read(file, &envelope)?;
    Ok(envelope)
}

/// The roles of the new version, by name.
fn roles<'a>(old: &[Json<'a>], edits: &'a RoleEdits) -> BTreeMap<Cow<'a, str>, Item<'a>> {
    let mut roles: BTreeMap<Cow<'a, str>, Item<'a>> = (old.iter().copied())
        .filter_map(|role| Some((role.get("name")?.as_str()?, Item::Old(role))))
        .collect();
    // A continued entry may be taken out under its old name, so all are made before any goes.
    let put: Vec<_> = (edits.put.iter())
        .map(|(name, edit)| {
            let from = edit.from.as_deref().and_then(|from| roles.get(from));
            (name, Item::New(edited(name, edit, from)))
        })
        .collect();
    for name in &edits.drop {
        roles.remove(&**name);
    }
    for (name, item) in put {
        roles.insert(Cow::Borrowed(name), item);
    }
    roles
}

fn edited(name: &str, edit: &RoleEdit, from: Option<&Item<'_>>) -> Value {
    let mut role = match from {
        Some(Item::Old(role)) => Value::from_json(*role),
        _ => Value::Object(Vec::new()),
    };
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

/// The objects of the keys that `roles` list.
fn keys<'a>(
    file: &str,
    old: &BTreeMap<Cow<'a, str>, Json<'a>>,
    roles: &BTreeMap<Cow<'a, str>, Item<'a>>,
    edits: &RoleEdits,
) -> Result<BTreeMap<Cow<'a, str>, Item<'a>>, Finding> {
    let mut new: BTreeMap<&str, &Key> = BTreeMap::new();
    for (keyid, key) in edits.put.values().flat_map(|edit| &edit.keys) {
        let other = new.insert(&keyid.0, key).is_some_and(|other| other != key);
        let stands = old.get(&*keyid.0);
        if other || stands.is_some_and(|stands| !is(*stands, key)) {
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
    let mut keys: BTreeMap<Cow<'a, str>, Item<'a>> = BTreeMap::new();
    for (name, role) in roles {
        for keyid in listed(role) {
            if keys.contains_key(&keyid) {
                continue;
            }
            let item = match (old.get(&*keyid), new.get(&*keyid)) {
                (Some(object), _) => Item::Old(*object),
                (None, Some(key)) => Item::New(key.value().clone()),
                (None, None) => {
                    let text = format!(
                        "The role {} would list {}, which is not among the keys. Hand the key in with it.",
                        shown(name),
                        shown(&keyid)
                    );
                    return Err(Finding::error("ROLE-UNKNOWN-KEYID", file, text));
                }
            };
            keys.insert(keyid, item);
        }
    }
    Ok(keys)
}

fn listed<'a>(role: &Item<'a>) -> Vec<Cow<'a, str>> {
    match role {
        Item::Old(role) => {
            let keyids = role.get("keyids").into_iter().flat_map(Json::elements);
            keyids.filter_map(Json::as_str).collect()
        }
        Item::New(role) => {
            let Some(Value::Array(keyids)) = role.get("keyids") else {
                return Vec::new();
            };
            let texts = keyids.iter().filter_map(Value::as_str);
            texts.map(|keyid| Cow::Owned(keyid.to_owned())).collect()
        }
    }
}

/// Whether `object` says the same as `key`, member for member.
fn is(object: Json<'_>, key: &Key) -> bool {
    Value::from_json(object).canonical() == key.value().canonical()
}

fn items(object: Json<'_>) -> BTreeMap<Cow<'_, str>, Item<'_>> {
    (object.members())
        .map(|(name, value)| (name, Item::Old(value)))
        .collect()
}

fn write_name(name: &str, out: &mut String) {
    style::write_string(name, out);
    out.push_str(": ");
}

fn write(item: &Item<'_>, depth: usize, out: &mut String) {
    match item {
        Item::Old(json) => style::write(&Value::from_json(*json), depth, out),
        Item::New(value) => style::write(value, depth, out),
    }
}
