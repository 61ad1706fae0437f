//! New versions from old ones. A renewal splices `version` and `expires` into the old text, so every other byte stays; anything more is written anew in
//! the house style ([`super::style`]) with everything unknown kept. All results are unsigned.

use std::collections::BTreeMap;

use super::key::{Key, KeyId};
use super::metadata::{RoleKeys, Root};

mod build;
mod delegations;
mod redelegate;
mod splice;
#[cfg(test)]
mod tests;

pub use build::{bins, projects, root, targets, with_delegated_keys, with_member};
pub use delegations::{Part, RoleEdit, RoleEdits, with_delegations, with_part};
pub use redelegate::{with_bins, with_catch_alls};
pub use splice::{renew, with_header};

/// Who shall sign a role: its keys in the order wanted, and how many of them must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSpec {
    /// Distinct keys.
    pub keys: Vec<Key>,
    /// 1 or more, at most the number of keys.
    pub threshold: u32,
}

/// What a new root shall say.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names of the TUF specification")]
pub struct RootSpec {
    pub version: u64,
    /// `YYYY-MM-DDTHH:MM:SSZ`.
    pub expires: String,
    pub root: RoleSpec,
    pub timestamp: RoleSpec,
    pub snapshot: RoleSpec,
    pub targets: RoleSpec,
}

/// A delegated role that is the catch-all of its level: all sixteen `path_hash_prefixes`, `"0"` to `"f"`.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names of the TUF specification")]
pub struct CatchAllSpec {
    pub name: String,
    pub role: RoleSpec,
    pub terminating: bool,
}

/// A new targets role (version 1 or later) that lists no targets and delegates everything, in order of priority.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names of the TUF specification")]
pub struct TargetsSpec {
    pub version: u64,
    /// `YYYY-MM-DDTHH:MM:SSZ`.
    pub expires: String,
    pub delegations: Vec<CatchAllSpec>,
}

/// The delegator of the bins: TAP 15 succinct roles (2^`bit_length` bins called `name_prefix-<hex>`).
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names of TAP 15")]
pub struct BinsSpec {
    pub version: u64,
    /// `YYYY-MM-DDTHH:MM:SSZ`.
    pub expires: String,
    pub bit_length: u32,
    pub name_prefix: String,
    pub role: RoleSpec,
}

impl RoleSpec {
    /// A role as it stands: its distinct keys among `keys` (its first keyid, where one key has two) and its threshold.
    pub fn of(role: &RoleKeys, keys: &BTreeMap<KeyId, Key>) -> Self {
        let mut distinct: Vec<Key> = Vec::new();
        for key in role.keyids.iter().filter_map(|keyid| keys.get(keyid)) {
            if distinct.iter().all(|known| known.public() != key.public()) {
                distinct.push(key.clone());
            }
        }
        Self {
            keys: distinct,
            threshold: role.threshold,
        }
    }
}

impl RootSpec {
    /// The successor of `old` in which every role stays as it is; `None` where `old` lacks a role.
    pub fn successor(old: &Root, expires: &str) -> Option<Self> {
        let role = |name: &str| Some(RoleSpec::of(old.role(name)?, &old.keys));
        Some(Self {
            version: old.header.version + 1,
            expires: expires.to_owned(),
            root: role("root")?,
            timestamp: role("timestamp")?,
            snapshot: role("snapshot")?,
            targets: role("targets")?,
        })
    }
}
