//! `manifest.json`: every file of a bundle but itself, the transcript and the seal, with size and digests.

use serde::{Deserialize, Serialize};

use super::files::File;
use crate::ceremony::event::{FileDigest, Mode};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// The manifest's own name.
pub const NAME: &str = "manifest.json";
/// Files that the manifest does not list: itself, and what is finished after it.
pub const UNLISTED: [&str; 3] = [NAME, "transcript.jsonl", "seal.json"];
/// Its schema.
pub const SCHEMA: &str = "tuf-ceremony/manifest/1";

/// What a bundle holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: String,
    /// The ceremony's id.
    pub ceremony: Sha256,
    /// Rehearsal or production.
    pub mode: Mode,
    /// Sorted by path.
    pub files: Vec<FileDigest>,
}

impl Manifest {
    /// The manifest of `files` (those of [`UNLISTED`] are left out).
    ///
    /// # Errors
    /// `MANIFEST-NAME` and `MANIFEST-TWINS`: names that not every medium can carry.
    pub fn of(ceremony: Sha256, mode: Mode, files: &[File]) -> Result<Self, Vec<Finding>> {
        let _ = (ceremony, mode, files);
        todo!()
    }
    /// Reads one strictly. `file` names it in the finding.
    ///
    /// # Errors
    /// `MANIFEST-FORM`, `MANIFEST-NAME`, `MANIFEST-TWINS`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let _ = (file, bytes);
        todo!()
    }
    /// The bytes of `manifest.json`.
    pub fn to_vec(&self) -> Vec<u8> {
        todo!()
    }
    /// Compares with what lies in the folder: `MANIFEST-MISSING`, `MANIFEST-EXTRA`, `MANIFEST-CHANGED`, all errors; none: the bundle is complete and unchanged.
    pub fn check(&self, files: &[File]) -> Vec<Finding> {
        let _ = files;
        todo!()
    }
}
