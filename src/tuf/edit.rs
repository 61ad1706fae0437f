//! New versions from old ones. A renewal splices `version` and `expires` into the old text, so every other byte stays; anything more is written anew in
//! the house style ([`super::style`]) with everything unknown kept. All results are unsigned.

use super::envelope::Envelope;
use super::finding::Finding;
use super::key::Key;
use super::value::Value;

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

/// The unsigned next version of `old`: version plus one, `expires` replaced, every other byte of the signed part as it was, no signatures.
///
/// # Errors
/// What the readers refuse.
pub fn renew(file: &str, old: &Envelope, expires: &str) -> Result<Envelope, Finding> {
    let _ = (file, old, expires);
    todo!()
}

/// As [`renew`], with any version.
///
/// # Errors
/// What the readers refuse.
pub fn with_header(
    file: &str,
    old: &Envelope,
    version: u64,
    expires: &str,
) -> Result<Envelope, Finding> {
    let _ = (file, old, version, expires);
    todo!()
}

/// The same file with the member `name` of the signed part set (the rehearsal marker), in the house style, unsigned.
///
/// # Errors
/// What the readers refuse.
pub fn with_member(
    file: &str,
    old: &Envelope,
    name: &str,
    value: Value,
) -> Result<Envelope, Finding> {
    let _ = (file, old, name, value);
    todo!()
}

/// A root as `spec` says: version 1 of a new chain (`old` is `None`: `spec_version` 1.0.0, consistent snapshots), or the successor of `old`. From `old` are kept: `spec_version`, unknown fields at
/// every level, further roles, the keyids and objects of keys that stay (matched by key material), the order of keyids that stay. Keys that no role uses are dropped.
///
/// # Errors
/// `ROLE-THRESHOLD`, `KEY-TWICE` in `spec`, and what the readers refuse.
pub fn root(file: &str, old: Option<&Envelope>, spec: &RootSpec) -> Result<Envelope, Finding> {
    let _ = (file, old, spec);
    todo!()
}

/// A new targets role with catch-all delegations.
///
/// # Errors
/// As [`root`].
pub fn targets(file: &str, spec: &TargetsSpec) -> Result<Envelope, Finding> {
    let _ = (file, spec);
    todo!()
}

/// A new delegator of hash bins.
///
/// # Errors
/// As [`root`].
pub fn bins(file: &str, spec: &BinsSpec) -> Result<Envelope, Finding> {
    let _ = (file, spec);
    todo!()
}

/// The next version of the delegator `old` (targets, or bins for its succinct roles, whose `name` is their `name_prefix`): `expires` replaced, the keys and threshold of the delegated role `name`
/// replaced, everything else kept as [`root`] keeps it.
///
/// # Errors
/// As [`root`], and `DELEGATION-UNKNOWN` where `old` does not delegate to `name`.
pub fn with_delegated_keys(
    file: &str,
    old: &Envelope,
    name: &str,
    role: &RoleSpec,
    expires: &str,
) -> Result<Envelope, Finding> {
    let _ = (file, old, name, role, expires);
    todo!()
}
