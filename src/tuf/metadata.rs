//! Typed views of the signed part: what the ceremony needs to know, read from the exact bytes; everything else stays in the envelope.

use std::collections::BTreeMap;

use super::envelope::Envelope;
use super::expires::Expires;
use super::finding::Finding;
use super::key::{Key, KeyId};

/// `_type` of the top-level roles we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names of the TUF specification")]
pub enum RoleType {
    Root,
    Timestamp,
    Snapshot,
    Targets,
}

/// What every signed part begins with.
#[derive(Clone, Debug)]
pub struct Header {
    /// `_type`.
    pub role_type: RoleType,
    /// `spec_version` as found (`1.x`, `1.x.y`).
    pub spec_version: String,
    /// 1 or more, below 2^53.
    pub version: u64,
    /// `expires`.
    pub expires: Expires,
}

/// Who may sign a role: keyids and how many of them must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleKeys {
    /// Distinct, in the order found.
    pub keyids: Vec<KeyId>,
    /// 1 or more.
    pub threshold: u32,
}

/// `root`: the top-level keys and roles.
#[derive(Clone, Debug)]
pub struct Root {
    /// Type, version, expiry.
    pub header: Header,
    /// `None` where the member is missing (breaks tough, go-tuf and tuf-js).
    pub consistent_snapshot: Option<bool>,
    /// Keys by the keyid they stand under.
    pub keys: BTreeMap<KeyId, Key>,
    /// Exactly root, timestamp, snapshot, targets in ours; foreign files may have more (`mirrors`).
    pub roles: BTreeMap<String, RoleKeys>,
}

/// `targets` and delegated roles.
#[derive(Clone, Debug)]
pub struct Targets {
    /// Type, version, expiry.
    pub header: Header,
    /// How many targets are listed.
    pub targets: usize,
    /// Delegations, if any.
    pub delegations: Option<Delegations>,
}

/// `delegations`: keys and roles, or TAP 15 succinct roles.
#[derive(Clone, Debug)]
pub struct Delegations {
    /// Keys by the keyid they stand under.
    pub keys: BTreeMap<KeyId, Key>,
    /// In order of priority.
    pub roles: Vec<DelegatedRole>,
    /// TAP 15.
    pub succinct: Option<SuccinctRoles>,
}

/// One delegated role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the TUF specification")]
pub struct DelegatedRole {
    pub name: String,
    pub role: RoleKeys,
    pub terminating: bool,
    pub paths: Vec<String>,
    pub path_hash_prefixes: Vec<String>,
}

/// TAP 15: 2^`bit_length` bins called `name_prefix-<hex>`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of TAP 15")]
pub struct SuccinctRoles {
    pub role: RoleKeys,
    pub bit_length: u32,
    pub name_prefix: String,
}

impl Header {
    /// Reads the four members. `file` names the file in the finding.
    ///
    /// # Errors
    /// Rules `SIGNED-FORM`, `SPEC-VERSION`, `VERSION-FORM`, `EXPIRES-FORM`; the text names the JSON path.
    pub fn read(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        let _ = (file, envelope);
        todo!()
    }
}

impl Root {
    /// Reads a root.
    ///
    /// # Errors
    /// As [`Header::read`], and `ROOT-TYPE`, `ROOT-ROLES` (a role missing), `ROLE-THRESHOLD` (0, negative, above 2^31, above the number of keys),
    /// `ROLE-DUPLICATE-KEYID`, `ROLE-UNKNOWN-KEYID`, `KEY-*`.
    pub fn read(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        let _ = (file, envelope);
        todo!()
    }
    /// What is unusual but legal: `KEYID-MISMATCH` (sigstore v11), `KEY-TWICE` (one key under two keyids), `EXPIRES-FOREIGN`, `KEY-HEX-POINT`,
    /// `ROOT-EXTRA-ROLE`, `CONSISTENT-SNAPSHOT`, `KEY-UNUSED`; all warnings or notes.
    pub fn remarks(&self, file: &str) -> Vec<Finding> {
        let _ = file;
        todo!()
    }
    /// The keys of a top-level role; `None` for a name that is not there.
    pub fn role(&self, name: &str) -> Option<&RoleKeys> {
        self.roles.get(name)
    }
}

impl Targets {
    /// Reads targets or a delegated role.
    ///
    /// # Errors
    /// As [`Root::read`] for its parts, and `TARGETS-TYPE`, `DELEGATION-FORM` (not exactly one of paths, path_hash_prefixes or succinct roles), `ROLE-NAME`.
    pub fn read(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        let _ = (file, envelope);
        todo!()
    }
}
