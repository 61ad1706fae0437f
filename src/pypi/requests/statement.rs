//! What a project's keys sign for a request: possession ("this key is meant for this project") and change ("we who hold the present keys want this").
//!
//! Each is a fixed first line and then canonical JSON. The first line keeps the two apart, and from TUF metadata too: canonical JSON never begins so.
//! Both name the anchor, so that what was signed for a test repository counts for nothing here, and neither names a root's version, so that a
//! renewed root voids nothing. A change names the delegation that it replaces: it cannot be played again once that has changed.

use std::collections::{BTreeMap, BTreeSet};

use super::writer::object;
use super::{Evidence, Proof, Request};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::value::Value;

/// The first line of a statement of possession.
pub const POSSESSION: &str = "tuf-ceremony possession v1\n";

/// The first line of a statement of change.
pub const CHANGE: &str = "tuf-ceremony request v1\n";

/// Judges a Sigstore bundle: identity, bundle, the bytes it must be over. An error says in words why it proves nothing.
pub type Sigstore<'a> = &'a dyn Fn(&Key, &Value, &[u8]) -> Result<(), String>;

/// For a program that has no trusted root of Sigstore at hand: no bundle proves anything.
///
/// # Errors
/// Always.
pub fn no_sigstore(_: &Key, _: &Value, _: &[u8]) -> Result<(), String> {
    Err("there is no trusted root of Sigstore to check its bundle with".to_owned())
}

/// The bytes that each key of the request signs.
pub fn possession(anchor: &Sha256, request: &Request) -> Vec<u8> {
    statement(POSSESSION, common(anchor, request))
}

/// The bytes that the threshold of the present keys signs. Custody and a new role name are in it where the request has them: the online side
/// could turn one into the other otherwise.
pub fn change(anchor: &Sha256, request: &Request) -> Vec<u8> {
    let mut members = common(anchor, request);
    members.push(("request", Value::string(request.action.word())));
    if let Some(digest) = request.replaces {
        members.push(("replaces", Value::string(digest.to_string())));
    }
    if let Some(custody) = request.custody {
        members.push(("custody", Value::string(custody.word())));
    }
    if request.new_name {
        members.push(("new_name", Value::Bool(true)));
    }
    statement(CHANGE, members)
}

fn common(anchor: &Sha256, request: &Request) -> Vec<(&'static str, Value)> {
    // A map gives them sorted.
    let keyids = request.keys.keys().map(|keyid| Value::string(&keyid.0));
    vec![
        ("anchor", Value::string(anchor.to_string())),
        ("keyids", Value::Array(keyids.collect())),
        ("project", Value::string(request.project.as_str())),
        ("threshold", Value::Integer(request.threshold.into())),
    ]
}

fn statement(first: &str, members: Vec<(&'static str, Value)>) -> Vec<u8> {
    let mut bytes = first.as_bytes().to_vec();
    bytes.extend(object(members).canonical());
    bytes
}

/// Who has proven what. Each key counts once, by its material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Keyids whose proof counts.
    pub by: Vec<KeyId>,
    /// Keyids that gave no proof that counts.
    pub missing: Vec<KeyId>,
    /// Proofs that count for nothing, each with the reason.
    pub uncounted: Vec<(KeyId, String)>,
}

impl Proven {
    /// `(<keyid>: reason; …)` for a sentence; empty if every proof counts.
    fn reasons(&self) -> String {
        let reasons: Vec<String> = self
            .uncounted
            .iter()
            .map(|(keyid, reason)| format!("{}: {reason}", shown(&keyid.0)))
            .collect();
        match reasons.as_slice() {
            [] => String::new(),
            reasons => format!(" Found but not counted: {}.", reasons.join("; ")),
        }
    }
}

/// Which keys of the request have proven themselves.
pub fn proven(anchor: &Sha256, request: &Request, sigstore: Sigstore<'_>) -> Proven {
    let keys = request.keys.iter().collect();
    let message = possession(anchor, request);
    judge(&message, &keys, &request.possession, sigstore)
}

/// `REQUEST-POSSESSION`: every key of the request must have proven itself, or somebody puts another's key into his project.
pub fn check_possession(file: &str, request: &Request, proven: &Proven) -> Option<Finding> {
    if proven.missing.is_empty() {
        return None;
    }
    let missing: Vec<&str> = proven
        .missing
        .iter()
        .map(|keyid| keyid.0.as_str())
        .collect();
    let text = format!(
        "line {}, {}: no proof of possession by {}; each key must sign the statement.{}",
        request.line,
        request.project,
        missing.join(", "),
        proven.reasons()
    );
    Some(Finding::error("REQUEST-POSSESSION", file, text))
}

/// Which of the *present* keys have signed the change. A key that is not among them, because it was removed or never was, counts for nothing.
pub fn authorised<'a>(
    anchor: &Sha256,
    request: &Request,
    present: impl IntoIterator<Item = (&'a KeyId, &'a Key)>,
    sigstore: Sigstore<'_>,
) -> Proven {
    let present = present.into_iter().collect();
    let message = change(anchor, request);
    judge(&message, &present, &request.authorised, sigstore)
}

fn judge(
    message: &[u8],
    keys: &BTreeMap<&KeyId, &Key>,
    proofs: &[Proof],
    sigstore: Sigstore<'_>,
) -> Proven {
    let mut counted: BTreeSet<&PublicKey> = BTreeSet::new();
    let (mut by, mut uncounted) = (Vec::new(), Vec::new());
    for proof in proofs {
        let judged = match (keys.get(&proof.keyid), &proof.evidence) {
            (None, _) => Err("not one of the keys that are asked".to_owned()),
            (Some(key), Evidence::Signature(sig)) if key.verifies(message, sig) => Ok(*key),
            (Some(_), Evidence::Signature(_)) => Err("a wrong signature".to_owned()),
            (Some(key), Evidence::Bundle(_)) if !super::keys::is_identity(key) => {
                Err("a bundle by what is no identity".to_owned())
            }
            (Some(key), Evidence::Bundle(bundle)) => sigstore(key, bundle, message).map(|()| *key),
        };
        match judged {
            Ok(key) if counted.insert(key.public()) => by.push(proof.keyid.clone()),
            Ok(_) => uncounted.push((
                proof.keyid.clone(),
                "a key that has already counted".to_owned(),
            )),
            Err(reason) => uncounted.push((proof.keyid.clone(), reason)),
        }
    }
    let missing = keys
        .iter()
        .filter(|(_, key)| !counted.contains(key.public()));
    Proven {
        missing: missing.map(|(keyid, _)| (*keyid).clone()).collect(),
        by,
        uncounted,
    }
}
