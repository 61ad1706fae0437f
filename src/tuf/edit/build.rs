//! Files built anew: what is known is set, what is unknown stays.

use std::collections::{BTreeMap, BTreeSet};

use super::{BinsSpec, CatchAllSpec, RoleSpec, RootSpec, TargetsSpec, splice};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{Header, RoleKeys, Root, Targets};
use crate::tuf::value::Value;

/// A root as `spec` says: version 1 of a new chain (`old` is `None`: `spec_version` 1.0.0, the only style that every client takes, and consistent snapshots), or the successor of `old`. From `old` are kept:
/// `spec_version`, unknown fields at every level, further roles, the keyids and objects of keys that stay (matched by key material), the order of keyids that stay.
/// Keys that no role uses are dropped, and no role lists one key under two keyids.
///
/// # Errors
/// `ROLE-THRESHOLD`, `KEY-TWICE` and `KEYID-TAKEN` in `spec`, and what the readers refuse.
pub fn root(file: &str, old: Option<&Envelope>, spec: &RootSpec) -> Result<Envelope, Finding> {
    let (mut signed, keys, listed) = match old {
        None => (new_root(), BTreeMap::new(), BTreeMap::new()),
        Some(old) => {
            let root = Root::read(file, old)?;
            (Value::from_json(old.signed()), root.keys, root.roles)
        }
    };
    let mut keys = Keys { file, keys };
    let mut used: BTreeSet<KeyId> = listed
        .iter()
        .filter(|(name, _)| !["root", "timestamp", "snapshot", "targets"].contains(&name.as_str()))
        .flat_map(|(_, role)| role.keyids.iter().cloned())
        .collect();
    let mut roles = take_object(&mut signed, "roles");
    for (name, role) in [
        ("root", &spec.root),
        ("timestamp", &spec.timestamp),
        ("snapshot", &spec.snapshot),
        ("targets", &spec.targets),
    ] {
        let keyids = keys.keyids(name, role, listed.get(name))?;
        let mut object = take_object(&mut roles, name);
        set_role(&mut object, &keyids, role.threshold);
        roles.set(name, object);
        used.extend(keyids);
    }
    signed.set("roles", roles);
    signed.set("keys", keys.used(&used));
    finish(file, signed, spec.version, &spec.expires)
}

/// A new targets role that lists no targets and delegates everything.
///
/// # Errors
/// As [`root`].
pub fn targets(file: &str, spec: &TargetsSpec) -> Result<Envelope, Finding> {
    let mut keys = Keys::new(file);
    let mut used = BTreeSet::new();
    let mut roles = Vec::new();
    for delegation in &spec.delegations {
        let keyids = keys.keyids(&delegation.name, &delegation.role, None)?;
        roles.push(catch_all(object([]), delegation, &keyids));
        used.extend(keyids);
    }
    let delegations = object([("keys", keys.used(&used)), ("roles", Value::Array(roles))]);
    finish(file, new_targets(delegations), spec.version, &spec.expires)
}

/// The delegation of a catch-all: what `entry` says otherwise stays.
pub(super) fn catch_all(mut entry: Value, delegation: &CatchAllSpec, keyids: &[KeyId]) -> Value {
    let prefixes = "0123456789abcdef".chars().map(Value::string).collect();
    entry.remove("paths");
    entry.set("name", Value::string(&*delegation.name));
    entry.set("path_hash_prefixes", Value::Array(prefixes));
    entry.set("terminating", Value::Bool(delegation.terminating));
    set_role(&mut entry, keyids, delegation.role.threshold);
    entry
}

/// A new delegator of hash bins.
///
/// # Errors
/// As [`root`].
pub fn bins(file: &str, spec: &BinsSpec) -> Result<Envelope, Finding> {
    let mut keys = Keys::new(file);
    let keyids = keys.keyids(&spec.name_prefix, &spec.role, None)?;
    let mut succinct = object([
        ("bit_length", Value::Integer(spec.bit_length.into())),
        ("name_prefix", Value::string(&*spec.name_prefix)),
    ]);
    set_role(&mut succinct, &keyids, spec.role.threshold);
    let used = keyids.into_iter().collect();
    let delegations = object([("keys", keys.used(&used)), ("succinct_roles", succinct)]);
    finish(file, new_targets(delegations), spec.version, &spec.expires)
}

/// A new delegator that delegates nothing yet: `claimed` before the first project is.
///
/// # Errors
/// As [`root`].
pub fn projects(file: &str, version: u64, expires: &str) -> Result<Envelope, Finding> {
    let delegations = object([("keys", object([])), ("roles", Value::Array(Vec::new()))]);
    finish(file, new_targets(delegations), version, expires)
}

/// The next version of the delegator `old` (targets; or bins, whose succinct roles are meant by their `name_prefix`): `expires` replaced, the keys and thresholds of
/// the delegated roles in `changed` replaced, everything else kept as [`root`] keeps it.
///
/// # Errors
/// As [`root`], and `DELEGATION-UNKNOWN` where `old` does not delegate to one of them.
pub fn with_delegated_keys(
    file: &str,
    old: &Envelope,
    changed: &[(&str, RoleSpec)],
    expires: &str,
) -> Result<Envelope, Finding> {
    let delegator = Targets::read(file, old)?;
    let version = delegator.header.version + 1;
    let mut signed = Value::from_json(old.signed());
    let mut object = take_object(&mut signed, "delegations");
    let (known, roles, succinct) = delegator.delegations.map_or_else(
        || (BTreeMap::new(), Vec::new(), None),
        |it| (it.keys().collect(), it.roles().collect(), it.succinct),
    );
    let mut keys = Keys { file, keys: known };
    let is_changed = |name: &str| changed.iter().any(|(changed, _)| *changed == name);
    let mut used: BTreeSet<KeyId> = roles
        .iter()
        .filter(|role| !is_changed(&role.name))
        .flat_map(|role| role.role.keyids.iter().cloned())
        .collect();
    for (name, role) in changed {
        let unknown = || {
            Finding::error(
                "DELEGATION-UNKNOWN",
                file,
                format!(
                    "{file} does not delegate to a role named {name:?}. Check the name in the ceremony script."
                ),
            )
        };
        let position = roles.iter().position(|role| role.name == *name);
        let listed = match position {
            Some(position) => &roles[position].role,
            None => succinct
                .as_ref()
                .filter(|bins| bins.name_prefix == *name)
                .map(|bins| &bins.role)
                .ok_or_else(unknown)?,
        };
        let keyids = keys.keyids(name, role, Some(listed))?;
        let delegated = match (position, object.get_mut("roles")) {
            (Some(position), Some(Value::Array(roles))) => roles.get_mut(position),
            _ => object.get_mut("succinct_roles"),
        };
        set_role(delegated.ok_or_else(unknown)?, &keyids, role.threshold);
        used.extend(keyids);
    }
    object.set("keys", keys.used(&used));
    signed.set("delegations", object);
    finish(file, signed, version, expires)
}

/// The same file with the member `name` of the signed part set (the rehearsal marker), unsigned; compact stays compact, anything else gets the house style.
///
/// # Errors
/// What the readers refuse.
pub fn with_member(
    file: &str,
    old: &Envelope,
    name: &str,
    value: Value,
) -> Result<Envelope, Finding> {
    if let Some((mut signed, splice)) = old.skeleton() {
        signed.set(name, value);
        return Envelope::around(file, &signed, splice);
    }
    let mut signed = Value::from_json(old.signed());
    signed.set(name, value);
    Envelope::unsigned(file, &signed)
}

/// The keys of one file while its roles are being set.
pub(super) struct Keys<'a> {
    pub(super) file: &'a str,
    pub(super) keys: BTreeMap<KeyId, Key>,
}

impl<'a> Keys<'a> {
    fn new(file: &'a str) -> Self {
        Self {
            file,
            keys: BTreeMap::new(),
        }
    }

    /// The keyids that the role `name` lists from now on: those that stay in the order `listed` had them, then the new ones in the order of `spec`.
    pub(super) fn keyids(
        &mut self,
        name: &str,
        spec: &RoleSpec,
        listed: Option<&RoleKeys>,
    ) -> Result<Vec<KeyId>, Finding> {
        self.check(name, spec)?;
        let listed = listed.map_or(&[][..], |role| &role.keyids);
        let mut keyids: Vec<KeyId> = Vec::new();
        for keyid in listed {
            let wanted = |key: &Key| {
                spec.keys
                    .iter()
                    .any(|wanted| wanted.public() == key.public())
            };
            if self.keys.get(keyid).is_some_and(wanted) && !self.holds(&keyids, &self.keys[keyid]) {
                keyids.push(keyid.clone());
            }
        }
        for key in &spec.keys {
            if !self.holds(&keyids, key) {
                keyids.push(self.keyid(key)?);
            }
        }
        Ok(keyids)
    }

    fn check(&self, name: &str, spec: &RoleSpec) -> Result<(), Finding> {
        let (threshold, count) = (spec.threshold, spec.keys.len());
        if threshold == 0 || threshold as usize > count {
            return Err(Finding::error(
                "ROLE-THRESHOLD",
                self.file,
                format!(
                    "The threshold of role {name} would be {threshold}, the number of its keys {count}. Choose a threshold from 1 to the number of keys."
                ),
            ));
        }
        for (index, key) in spec.keys.iter().enumerate() {
            if spec.keys[..index]
                .iter()
                .any(|before| before.public() == key.public())
            {
                return Err(Finding::error(
                    "KEY-TWICE",
                    self.file,
                    format!(
                        "Role {name} would list the key {} twice. One key counts once; name each key once.",
                        key.keyid()
                    ),
                ));
            }
        }
        Ok(())
    }

    fn holds(&self, keyids: &[KeyId], key: &Key) -> bool {
        keyids
            .iter()
            .any(|keyid| self.keys[keyid].public() == key.public())
    }

    /// The keyid that `key` has here, or its own from now on.
    fn keyid(&mut self, key: &Key) -> Result<KeyId, Finding> {
        let known = self
            .keys
            .iter()
            .find(|(_, known)| known.public() == key.public());
        if let Some((keyid, _)) = known {
            return Ok(keyid.clone());
        }
        let keyid = key.keyid();
        if self.keys.contains_key(&keyid) {
            return Err(Finding::error(
                "KEYID-TAKEN",
                self.file,
                format!(
                    "The keyid {keyid} of a new key stands in the old file over another key. That keyid must be corrected there first."
                ),
            ));
        }
        self.keys.insert(keyid.clone(), key.clone());
        Ok(keyid)
    }

    /// `keys` as it shall be written.
    pub(super) fn used(self, used: &BTreeSet<KeyId>) -> Value {
        let keys = self
            .keys
            .into_iter()
            .filter(|(keyid, _)| used.contains(keyid));
        Value::Object(
            keys.map(|(keyid, key)| (keyid.0, key.value().clone()))
                .collect(),
        )
    }
}

fn new_root() -> Value {
    object([
        ("_type", Value::string("root")),
        ("spec_version", Value::string("1.0.0")),
        ("consistent_snapshot", Value::Bool(true)),
    ])
}

fn new_targets(delegations: Value) -> Value {
    object([
        ("_type", Value::string("targets")),
        ("spec_version", Value::string("1.0.0")),
        ("targets", object([])),
        ("delegations", delegations),
    ])
}

/// Sets the header, writes, and reads back what was written.
pub(super) fn finish(
    file: &str,
    mut signed: Value,
    version: u64,
    expires: &str,
) -> Result<Envelope, Finding> {
    splice::strict(file, expires)?;
    let number = i64::try_from(version).unwrap_or(i64::MAX);
    signed.set("version", Value::Integer(number));
    signed.set("expires", Value::string(expires));
    let envelope = Envelope::unsigned(file, &signed)?;
    Header::read(file, &envelope)?;
    Ok(envelope)
}

pub(super) fn set_role(object: &mut Value, keyids: &[KeyId], threshold: u32) {
    let keyids = keyids
        .iter()
        .map(|keyid| Value::string(&*keyid.0))
        .collect();
    object.set("keyids", Value::Array(keyids));
    object.set("threshold", Value::Integer(threshold.into()));
}

/// The member `name`, taken out to be changed; an empty object where there was none.
pub(super) fn take_object(value: &mut Value, name: &str) -> Value {
    value.remove(name).unwrap_or_else(|| object([]))
}

pub(super) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
}
