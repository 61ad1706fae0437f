//! The shadow rehearsal: before any PIN is asked, every public key of the candidate and of the thresholds it must reach is swapped one for one with a
//! throwaway key of the same type, the planned signers sign, every threshold is judged, and swapping back must give exactly the reviewed bytes.
//! What would fail with the real keys fails here, where it costs nothing. Of claimed the keys that sign it are swapped, not those of the developers.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::candidate::Candidate;
use super::port::{Throwaway, TokenError};
use super::thresholds::Threshold;
use crate::pypi::shards::is_shard;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, Key, KeyId, PublicKey};
use crate::tuf::metadata::{Delegations, RoleKeys, Root, Targets};
use crate::tuf::value::Value;
use crate::tuf::verification;

/// Makes a throwaway key.
pub type Maker<'a> = dyn FnMut(Algorithm) -> Result<Box<dyn Throwaway>, TokenError> + 'a;

/// One key's stand-in.
struct StandIn {
    real: (KeyId, Key),
    shadow: (KeyId, Key),
    secret: Rc<dyn Throwaway>,
}

/// The stand-ins' private halves by the keys that they stand for: one physical key has one secret under all its keyids and in all candidates, so that a
/// double counts no more in the shadow than in truth.
pub type Secrets = BTreeMap<PublicKey, Rc<dyn Throwaway>>;

/// Rehearses `candidate` with the keys that `planned` names.
///
/// # Errors
/// Rules `SHADOW-THRESHOLD` (the planned signers would not do), `SHADOW-BYTES` (swapping back gives other bytes), `SHADOW-KEY` (no stand-in could be
/// made).
pub fn rehearse(
    candidate: &Candidate,
    planned: &[KeyId],
    secrets: &mut Secrets,
    make: &mut Maker<'_>,
) -> Result<(), Finding> {
    let path = candidate.path();
    let stand_ins = stand_ins(candidate, secrets, make)?;
    let forth: BTreeMap<_, _> = stand_ins
        .iter()
        .map(|it| (it.real.0.clone(), it.shadow.clone()))
        .collect();
    let back: BTreeMap<_, _> = stand_ins
        .iter()
        .map(|it| (it.shadow.0.clone(), it.real.clone()))
        .collect();

    // A file that names none of the keys stays what it is, however large.
    let names_any = names_any(candidate, forth.keys());
    let mut shadow = if names_any {
        let mut swapped = Value::from_json(candidate.envelope.signed());
        swap(&mut swapped, &forth);
        Envelope::unsigned(&path, &swapped)?
    } else {
        candidate.envelope.without_signatures()
    };
    for it in stand_ins.iter().filter(|it| planned.contains(&it.real.0)) {
        let sig = it.secret.sign(&shadow.payload());
        shadow = shadow.with_signature(&it.shadow.0, &sig, &|_| false);
    }
    for threshold in &candidate.thresholds {
        judge(&path, threshold, &forth, &shadow)?;
    }
    let same = if names_any {
        let mut restored = Value::from_json(shadow.signed());
        swap(&mut restored, &back);
        restored.canonical() == candidate.envelope.payload().as_ref()
    } else {
        shadow.payload_digest() == candidate.payload()
    };
    if same {
        return Ok(());
    }
    Err(Finding::error(
        "SHADOW-BYTES",
        &path,
        "swapping the throwaway keys back does not give the reviewed bytes",
    ))
}

fn judge(
    path: &str,
    threshold: &Threshold,
    forth: &BTreeMap<KeyId, (KeyId, Key)>,
    shadow: &Envelope,
) -> Result<(), Finding> {
    let named = |keyid: &KeyId| {
        forth
            .get(keyid)
            .map_or_else(|| keyid.clone(), |(shadow, _)| shadow.clone())
    };
    let keys = threshold
        .keys
        .iter()
        .map(|(keyid, key)| {
            forth
                .get(keyid)
                .cloned()
                .unwrap_or_else(|| (keyid.clone(), key.clone()))
        })
        .collect();
    let role = RoleKeys {
        keyids: threshold.role.keyids.iter().map(named).collect(),
        threshold: threshold.role.threshold,
    };
    let report = verification::threshold(shadow, &keys, &role, &[]);
    if report.reached() {
        return Ok(());
    }
    Err(Finding::error(
        "SHADOW-THRESHOLD",
        path,
        format!(
            "the planned signers reach {} of the {} signatures needed by {}",
            report.signed.len(),
            report.needed,
            threshold.by
        ),
    ))
}

/// Whether the signed part has any of these keyids in it. One that canonical JSON would escape counts as found.
fn names_any<'a>(candidate: &Candidate, mut keyids: impl Iterator<Item = &'a KeyId>) -> bool {
    let payload = candidate.envelope.payload();
    let Ok(text) = std::str::from_utf8(&payload) else {
        return true;
    };
    keyids.any(|keyid| keyid.0.contains(['"', '\\']) || text.contains(&keyid.0))
}

/// A stand-in for every key that can sign in software; RSA and opaque keys stand for themselves and do not sign.
fn stand_ins(
    candidate: &Candidate,
    secrets: &mut Secrets,
    make: &mut Maker<'_>,
) -> Result<Vec<StandIn>, Finding> {
    let mut stand_ins = Vec::new();
    for (keyid, key) in all_keys(candidate)? {
        let Some(algorithm) = key
            .public()
            .algorithm()
            .filter(|algorithm| *algorithm != Algorithm::RsaPss)
        else {
            continue;
        };
        let secret = if let Some(secret) = secrets.get(key.public()) {
            secret.clone()
        } else {
            let refuse = |fault: TokenError| {
                Finding::error("SHADOW-KEY", &candidate.path(), fault.to_string())
            };
            let secret: Rc<dyn Throwaway> = make(algorithm).map_err(refuse)?.into();
            secrets.insert(key.public().clone(), Rc::clone(&secret));
            secret
        };
        let Some(shadow) = Key::from_public(&secret.public()) else {
            continue;
        };
        let name = if stand_ins
            .iter()
            .any(|it: &StandIn| it.shadow.0 == shadow.keyid())
        {
            KeyId(format!("shadow of {keyid}"))
        } else {
            shadow.keyid()
        };
        stand_ins.push(StandIn {
            real: (keyid, key),
            shadow: (name, shadow),
            secret,
        });
    }
    Ok(stand_ins)
}

/// The keys of the thresholds and those that stand in the candidate itself; of claimed and its shards only the former: developers' keys sign other files, there are tens of
/// thousands of them, and a throwaway key for each would prove nothing about this one (docs/decisions/0016).
fn all_keys(candidate: &Candidate) -> Result<BTreeMap<KeyId, Key>, Finding> {
    let path = candidate.path();
    let mut keys: BTreeMap<_, _> = candidate
        .thresholds
        .iter()
        .flat_map(|threshold| threshold.keys.clone())
        .collect();
    if candidate.document.role == "root" {
        keys.extend(Root::read(&path, &candidate.envelope)?.keys);
    } else if !is_claimed(&candidate.document.role) {
        keys.extend(
            Targets::read(&path, &candidate.envelope)?
                .delegations
                .iter()
                .flat_map(Delegations::keys),
        );
    }
    Ok(keys)
}

/// Whether the keys in a role's file are developers'.
fn is_claimed(role: &str) -> bool {
    role == "claimed" || is_shard(role)
}

/// Renames keyids and replaces key objects where the specification puts them: members of `keys`, elements of `keyids`.
fn swap(value: &mut Value, with: &BTreeMap<KeyId, (KeyId, Key)>) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| swap(element, with)),
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), &mut *member) {
                    ("keys", Value::Object(keys)) => keys.iter_mut().for_each(|(keyid, key)| {
                        if let Some((shadow, replacement)) = with.get(&KeyId(keyid.clone())) {
                            keyid.clone_from(&shadow.0);
                            *key = replacement.value().clone();
                        }
                    }),
                    ("keyids", Value::Array(keyids)) => keyids.iter_mut().for_each(|keyid| {
                        let shadow = keyid
                            .as_str()
                            .and_then(|text| with.get(&KeyId(text.to_owned())));
                        if let Some((shadow, _)) = shadow {
                            *keyid = Value::string(&*shadow.0);
                        }
                    }),
                    _ => swap(member, with),
                }
            }
        }
        _ => {}
    }
}
