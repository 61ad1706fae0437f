//! Old delegators that delegate otherwise: to other roles, or to another number of bins.

use std::collections::{BTreeMap, BTreeSet};

use super::CatchAllSpec;
use super::build::{Keys, catch_all, finish, object, take_object};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::metadata::Targets;
use crate::tuf::value::Value;

/// The next version of targets that delegates to exactly these roles, in this order: its own targets and everything unknown stay, and so do the fields and the
/// order of keyids of a role that was delegated to before.
///
/// # Errors
/// As [`super::root`].
pub fn with_catch_alls(
    file: &str,
    old: &Envelope,
    delegations: &[CatchAllSpec],
    expires: &str,
) -> Result<Envelope, Finding> {
    let delegator = Targets::read(file, old)?;
    let mut signed = Value::from_json(old.signed());
    let mut entry = take_object(&mut signed, "delegations");
    let (known, listed) = delegator.delegations.map_or_else(
        || (BTreeMap::new(), Vec::new()),
        |it| (it.keys().collect(), it.roles().collect()),
    );
    let objects = match entry.remove("roles") {
        Some(Value::Array(objects)) => objects,
        _ => Vec::new(),
    };
    let mut before: BTreeMap<&str, _> = listed
        .iter()
        .zip(objects)
        .map(|(role, object)| (role.name.as_str(), (&role.role, object)))
        .collect();
    let mut keys = Keys { file, keys: known };
    let mut used = BTreeSet::new();
    let mut roles = Vec::new();
    for delegation in delegations {
        let (role, value) = match before.remove(delegation.name.as_str()) {
            Some((role, value)) => (Some(role), value),
            None => (None, object([])),
        };
        let keyids = keys.keyids(&delegation.name, &delegation.role, role)?;
        roles.push(catch_all(value, delegation, &keyids));
        used.extend(keyids);
    }
    entry.remove("succinct_roles");
    entry.set("roles", Value::Array(roles));
    entry.set("keys", keys.used(&used));
    signed.set("delegations", entry);
    finish(file, signed, delegator.header.version + 1, expires)
}

/// The next version of a delegator of hash bins with another number or another name of bins; their keys and everything else stay.
///
/// # Errors
/// `DELEGATION-UNKNOWN` where `old` has no bins, and what the readers refuse.
pub fn with_bins(
    file: &str,
    old: &Envelope,
    bit_length: Option<u32>,
    name_prefix: Option<&str>,
    expires: &str,
) -> Result<Envelope, Finding> {
    let version = Targets::read(file, old)?.header.version + 1;
    let mut signed = Value::from_json(old.signed());
    let bins = signed
        .get_mut("delegations")
        .and_then(|delegations| delegations.get_mut("succinct_roles"))
        .ok_or_else(|| {
            let text =
                format!("{file} has no hash bins (TAP 15) whose number or name could change.");
            Finding::error("DELEGATION-UNKNOWN", file, text)
        })?;
    if let Some(bits) = bit_length {
        bins.set("bit_length", Value::Integer(bits.into()));
    }
    if let Some(prefix) = name_prefix {
        bins.set("name_prefix", Value::string(prefix));
    }
    let envelope = finish(file, signed, version, expires)?;
    Targets::read(file, &envelope)?;
    Ok(envelope)
}
