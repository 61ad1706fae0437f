//! Verification as a report, not a bool: per threshold what was needed, who counted, who is missing, and a class for every signature.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::envelope::Envelope;
use super::key::{Key, KeyId};
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
    /// Whether enough distinct keys have signed.
    pub fn reached(&self) -> bool {
        self.signed.len() >= self.needed as usize
    }
}

/// Judges `envelope` against one role. `earlier` are payloads whose signatures shall be called stale instead of invalid.
pub fn threshold(
    envelope: &Envelope,
    keys: &BTreeMap<KeyId, Key>,
    role: &RoleKeys,
    earlier: &[&[u8]],
) -> ThresholdReport {
    let _ = (envelope, keys, role, earlier);
    todo!()
}
