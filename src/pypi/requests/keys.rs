//! The keys of a request: of a kind that developers may have, each once, under its own keyid.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::pypi::fault::Fault;
use crate::pypi::field::Field;
use crate::tuf::finding::shown;
use crate::tuf::key::{Algorithm, Key, KeyId, PublicKey};
use crate::tuf::value::Value;

/// Keytype and scheme of an identity (TAP 18).
const IDENTITY: (&str, &str) = ("sigstore-oidc", "Fulcio");

/// The longest identity or issuer, in bytes.
const LONGEST_IDENTITY: usize = 2048;

/// Whether the key is a Sigstore identity, which proves itself by a bundle and not by a signature.
pub fn is_identity(key: &Key) -> bool {
    (key.keytype(), key.scheme()) == IDENTITY
}

pub(super) fn read(field: &Field<'_>) -> Result<BTreeMap<KeyId, Key>, Fault> {
    let mut keys = BTreeMap::new();
    let mut materials: BTreeMap<PublicKey, KeyId> = BTreeMap::new();
    for (keyid, object) in field.members()? {
        let key = Key::from_json(object.json())
            .map_err(|error| object.refuse_by(error.rule, format!("is refused: {}", error.text)))?;
        kind(&object, &key)?;
        let keyid = KeyId(keyid.into_owned());
        let found = key.keyid();
        match materials.entry(key.public().clone()) {
            Entry::Occupied(first) => {
                let text = format!(
                    "is the same key as {}; list a key once",
                    shown(&first.get().0)
                );
                return Err(object.refuse_by("REQUEST-KEY-TWICE", text));
            }
            Entry::Vacant(place) => place.insert(keyid.clone()),
        };
        if keyid != found {
            let text = format!("is listed under a keyid that is not its digest; it is {found}");
            return Err(object.refuse_by("REQUEST-KEYID", text));
        }
        keys.insert(keyid, key);
    }
    Ok(keys)
}

/// From 1; whether the keys reach it is judged when they are known.
pub(super) fn threshold(field: &Field<'_>) -> Result<u32, Fault> {
    match field.number()? {
        0 => Err(field.refuse_by(
            "REQUEST-THRESHOLD",
            "is 0; it must be 1 or more, or left out where there are no keys",
        )),
        threshold => Ok(threshold.try_into().unwrap_or(u32::MAX)),
    }
}

/// `REQUEST-KEY-KIND`: Ed25519, ECDSA on P-256 or P-384, or an identity; and nothing in the object that one client keeps and another drops.
fn kind(field: &Field<'_>, key: &Key) -> Result<(), Fault> {
    let refuse = |what: &str| Err(field.refuse_by("REQUEST-KEY-KIND", what));
    let members: &[&str] = if is_identity(key) {
        &["identity", "issuer"]
    } else {
        match key.algorithm() {
            Some(Algorithm::Ed25519 | Algorithm::EcdsaP256 | Algorithm::EcdsaP384) => &["public"],
            Some(Algorithm::RsaPss) | None => {
                return refuse(&format!(
                    "is a key of type {}; a project's keys are Ed25519, ECDSA on P-256 or P-384, or a Sigstore identity",
                    key.description()
                ));
            }
        }
    };
    if key.is_hex_point() {
        return refuse(
            "is a curve point in hexadecimal digits, which clients do not read; write it as PEM",
        );
    }
    let keyval = key.value().get("keyval");
    if !has_only(Some(key.value()), &["keytype", "scheme", "keyval"]) || !has_only(keyval, members)
    {
        return refuse(&format!(
            "must have keytype, scheme and keyval with {}, and nothing else: some clients drop the rest, and with it the keyid",
            members.join(" and ")
        ));
    }
    if is_identity(key) {
        for name in members {
            let text = keyval.and_then(|keyval| keyval.get(name)?.as_str());
            let is_plain = |text: &str| {
                (1..=LONGEST_IDENTITY).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_graphic())
            };
            if !text.is_some_and(is_plain) {
                return refuse(&format!(
                    "must have an {name} of 1 to {LONGEST_IDENTITY} printable ASCII characters without blanks"
                ));
            }
        }
    }
    Ok(())
}

/// Whether `value` is an object of exactly these members.
fn has_only(value: Option<&Value>, names: &[&str]) -> bool {
    let Some(Value::Object(members)) = value else {
        return false;
    };
    members.len() == names.len()
        && members
            .iter()
            .all(|(name, _)| names.contains(&name.as_str()))
}
