//! The union of part files by payload and keyid: order independent, only verified signatures, one payload per role and version.

use std::collections::BTreeMap;

use super::part::{AbandonedRecord, Part};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{RoleKeys, Root, Targets};
use crate::tuf::verification::ThresholdReport;

/// What is merged, and what says whose signatures count.
#[derive(Default)]
pub struct Input {
    /// The trusted root and the SHA-256 of its file; none at genesis.
    pub trusted_root: Option<(Sha256, Root)>,
    /// Newer roots and other delegators whose keys sign the document (a targets part after a root of the same ceremony, bins after targets): role name and content.
    pub delegators: Delegators,
    /// File name and part.
    pub parts: Vec<(String, Part)>,
    /// File name and record.
    pub abandoned: Vec<(String, AbandonedRecord)>,
}

/// Metadata that says whose signatures count for the roles it delegates.
#[derive(Clone, Default)]
pub struct Delegators {
    /// The root whose keys sign targets, if it is newer than the trusted one.
    pub root: Option<Root>,
    /// Targets, whose delegations name the keys of bins and the like.
    pub targets: Option<Targets>,
}

/// One threshold of a document: whose keys, in words, and the keys.
#[derive(Clone, Debug)]
pub struct Authority {
    /// `the keys of root v7 (old)`.
    pub by: String,
    /// Keys by keyid.
    pub keys: BTreeMap<KeyId, Key>,
    /// Which of them, and how many.
    pub role: RoleKeys,
}

/// The union.
pub struct Merged {
    /// With every valid signature.
    pub part: Part,
    /// Every threshold of the document, judged.
    pub quorums: Vec<(Authority, ThresholdReport)>,
    /// Warnings and notes: signatures that were left out, and why.
    pub findings: Vec<Finding>,
}

impl Merged {
    /// Whether every threshold is reached.
    pub fn reached(&self) -> bool {
        self.quorums.iter().all(|(_, report)| report.reached())
    }
}

/// The thresholds that `part` must reach.
///
/// # Errors
/// `MERGE-AUTHORITY`: what would name the keys is not at hand.
pub fn authorities(
    file: &str,
    part: &Part,
    trusted_root: Option<&Root>,
    delegators: &Delegators,
) -> Result<Vec<Authority>, Finding> {
    let _ = (file, part, trusted_root, delegators);
    todo!()
}

/// Unites the parts. The result is the same bytes in whatever order they are given.
///
/// # Errors
/// `PART-FOREIGN` (another ceremony, mode or trusted root), `ONE-PAYLOAD`, `ABANDONED`, `MERGE-AUTHORITY`, `SIG-INVALID` (a wrong signature by a key of the role).
pub fn merge(input: &Input) -> Result<Merged, Vec<Finding>> {
    let _ = input;
    todo!()
}
