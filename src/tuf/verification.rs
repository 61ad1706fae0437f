//! Verification as a report, not a bool: per threshold what was needed, who counted, who is missing, and a class for every signature.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};

use super::envelope::{Envelope, Signature};
use super::finding::{Finding, shown};
use super::key::{Key, KeyId, PublicKey};
use super::metadata::RoleKeys;

/// What one entry of `signatures` is worth to one threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureClass {
    /// By a key of the role, over these bytes, the first by that key material.
    Valid,
    /// By a key of the role, and right, but the same physical key has counted already (another keyid, or listed twice).
    DuplicateKey,
    /// By a key of the role, over an earlier payload that was given to compare with.
    Stale,
    /// By a key of the role, wrong.
    Invalid,
    /// The keyid is not in the role.
    UnknownKey,
    /// A placeholder.
    Empty,
}

/// One threshold, judged. Distinct *public keys* count, never keyids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdReport {
    /// The threshold.
    pub needed: u32,
    /// Keyids of the signatures that count.
    pub signed: Vec<KeyId>,
    /// Keyids of the role that have not signed (by no keyid of the same key).
    pub missing: Vec<KeyId>,
    /// Every entry of `signatures`, in order, with its class.
    pub signatures: Vec<(KeyId, SignatureClass)>,
}

impl ThresholdReport {
    /// Whether enough distinct keys have signed. A threshold of 0 is never reached (CVE-2026-23992, go-tuf).
    pub fn reached(&self) -> bool {
        self.needed > 0 && self.signed.len() >= self.needed as usize
    }

    /// What is missing, in words: `root v3 needs 3 signatures by the keys of root v2 (old) and has 2; missing: <keyid>, <keyid>`,
    /// followed by signatures that were found but do not count.
    pub fn shortfall(&self, what: &str, whose: &str) -> String {
        let plural = if self.needed == 1 { "" } else { "s" };
        let mut text = format!(
            "{what} needs {} signature{plural} by {whose} and has {}",
            self.needed,
            self.signed.len()
        );
        let missing: Vec<_> = self.missing.iter().map(|keyid| shown(&keyid.0)).collect();
        if !missing.is_empty() {
            text.push_str("; missing: ");
            text.push_str(&missing.join(", "));
        }
        let uncounted: Vec<String> = self
            .signatures
            .iter()
            .filter_map(|(keyid, class)| Some((keyid, class.complaint()?)))
            .map(|(keyid, complaint)| format!("{} ({complaint})", shown(&keyid.0)))
            .collect();
        if !uncounted.is_empty() {
            text.push_str("; found but not counted: ");
            text.push_str(&uncounted.join(", "));
        }
        text
    }
}

impl SignatureClass {
    /// Why a signature by a key of the role does not count.
    fn complaint(self) -> Option<&'static str> {
        match self {
            Self::DuplicateKey => Some("a key that has already counted"),
            Self::Stale => Some("signed an earlier text"),
            Self::Invalid => Some("wrong"),
            Self::Valid | Self::UnknownKey | Self::Empty => None,
        }
    }
}

/// Judges `envelope` against one role. `earlier` are payloads whose signatures shall be called stale instead of invalid.
pub fn threshold(
    envelope: &Envelope,
    keys: &BTreeMap<KeyId, Key>,
    role: &RoleKeys,
    earlier: &[&[u8]],
) -> ThresholdReport {
    let members: BTreeMap<&KeyId, &Key> = role
        .keyids
        .iter()
        .filter_map(|keyid| keys.get_key_value(keyid))
        .collect();
    let signatures = classify(envelope, &members, earlier);
    let signed: Vec<KeyId> = signatures
        .iter()
        .filter(|(_, class)| *class == SignatureClass::Valid)
        .map(|(keyid, _)| keyid.clone())
        .collect();
    let counted: BTreeSet<&PublicKey> = signed
        .iter()
        .filter_map(|keyid| members.get(keyid))
        .map(|key| key.public())
        .collect();
    let has_signed = |keyid: &KeyId| {
        members
            .get(keyid)
            .is_some_and(|key| counted.contains(key.public()))
    };
    ThresholdReport {
        needed: role.threshold,
        missing: role
            .keyids
            .iter()
            .filter(|keyid| !has_signed(keyid))
            .cloned()
            .collect(),
        signed,
        signatures,
    }
}

/// Each signature with its class; `members` are the keys of the role. The first by a key is valid, a further one a duplicate.
fn classify(
    envelope: &Envelope,
    members: &BTreeMap<&KeyId, &Key>,
    earlier: &[&[u8]],
) -> Vec<(KeyId, SignatureClass)> {
    let mut counted: BTreeSet<&PublicKey> = BTreeSet::new();
    envelope
        .signatures()
        .iter()
        .map(|signature| {
            let class = match members.get(&signature.keyid) {
                None => SignatureClass::UnknownKey,
                Some(key) => match judge(key, signature, envelope, earlier) {
                    SignatureClass::Valid if !counted.insert(key.public()) => {
                        SignatureClass::DuplicateKey
                    }
                    class => class,
                },
            };
            (signature.keyid.clone(), class)
        })
        .collect()
}

/// `SIGNATURE-KEYID-TWICE`: several entries under one keyid, which count once here and make the clients refuse the whole file.
pub fn remarks(file: &str, envelope: &Envelope) -> Vec<Finding> {
    let mut entries: BTreeMap<&KeyId, usize> = BTreeMap::new();
    for signature in envelope.signatures() {
        *entries.entry(&signature.keyid).or_default() += 1;
    }
    entries
        .into_iter()
        .filter(|(_, number)| *number > 1)
        .map(|(keyid, number)| {
            let text = format!(
                "signatures has {number} entries for {}; python-tuf, tough, go-tuf and tuf-js refuse such a file",
                shown(&keyid.0)
            );
            Finding::warning("SIGNATURE-KEYID-TWICE", file, text)
        })
        .collect()
}

/// What one signature by `key` is worth by itself.
fn judge(
    key: &Key,
    signature: &Signature,
    envelope: &Envelope,
    earlier: &[&[u8]],
) -> SignatureClass {
    if signature.sig.is_empty() {
        return SignatureClass::Empty;
    }
    let Ok(sig) = HEXLOWER_PERMISSIVE.decode(signature.sig.as_bytes()) else {
        return SignatureClass::Invalid;
    };
    let is_right = |algorithm| key.signed(&envelope.message(algorithm), &sig);
    if key.algorithm().is_some_and(is_right) {
        SignatureClass::Valid
    } else if earlier.iter().any(|payload| key.verifies(payload, &sig)) {
        SignatureClass::Stale
    } else {
        SignatureClass::Invalid
    }
}

#[cfg(test)]
mod tests;
