//! What the whole cycle over a large delegated role costs: read old and new, validate, verify, compare, canonicalise, sign,
//! write, read back. `tests/bench/run` runs the programs of this crate in turn and writes docs/performance.md.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use tuf_ceremony::tuf::finding::Finding;

pub mod cycle;
pub mod hostile;
pub mod limit;
pub mod made;
pub mod review;
pub mod stages;

/// Why a measurement is none.
pub type Failure = Box<dyn Error>;

/// The administrator's key that signs, in every program here.
pub const SIGNER: &str = "admin-claimed-0.pem";

/// What the maker of a data set says about it.
#[derive(Deserialize)]
pub struct Expected {
    /// Projects that only the new list has.
    pub added: usize,
    /// Projects that only the old list has.
    pub removed: usize,
    /// Projects with other keys.
    pub rekeyed: usize,
    /// SHA-256 over the names of the last, sorted, a line each.
    pub rekeyed_sha256: String,
    files: Files,
}

#[derive(Deserialize)]
struct Files {
    #[serde(rename = "1.claimed.json")]
    old: File,
    #[serde(rename = "2.claimed.json")]
    new: File,
}

#[derive(Deserialize)]
struct File {
    signed_sha256: String,
}

impl Expected {
    /// Reads `expected.json` of a data set.
    ///
    /// # Errors
    /// The file is missing or of another form.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        Ok(serde_json::from_slice(&fs::read(
            folder.join("expected.json"),
        )?)?)
    }
    /// Compares the digests of both signed parts.
    ///
    /// # Errors
    /// One is not what the data set's maker signed.
    pub fn digests(&self, old: &str, new: &str) -> Result<(), Failure> {
        if (old, new) == (&self.files.old.signed_sha256, &self.files.new.signed_sha256) {
            Ok(())
        } else {
            Err("the digests of the signed parts are not those of expected.json".into())
        }
    }
}

/// A refusal of ours as a failure.
pub fn refused(finding: &Finding) -> Failure {
    format!("{} {}: {}", finding.rule, finding.file, finding.text).into()
}
