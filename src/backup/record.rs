//! What is public of a set: which backup it opens, and of each share a commitment. It lies beside the backup, and without it shares still restore.

use serde::{Deserialize, Serialize};

use super::share::{Scheme, Share};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::json::{self, Limits};

/// Its schema.
const SCHEMA: &str = "tuf-ceremony/shares/1";

/// The record of a set of shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    backup: Sha256,
    scheme: Scheme,
    commitments: Vec<Sha256>,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    backup: Sha256,
    needed: u8,
    commitments: Vec<Sha256>,
}

impl Record {
    pub(super) fn new(backup: Sha256, scheme: Scheme, shares: &[Share]) -> Self {
        Self {
            backup,
            scheme,
            commitments: shares.iter().map(Share::commitment).collect(),
        }
    }

    /// Reads one strictly. `file` names it in the finding.
    ///
    /// # Errors
    /// `SHARE-RECORD`, `SHARE-SCHEME`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let form = |text: String| {
            Finding::error(
                "SHARE-RECORD",
                file,
                format!(
                    "{text}. Take another copy of the record, or leave it out: then a false share is found by the backup alone"
                ),
            )
        };
        json::check(bytes, Limits::SMALL).map_err(|fault| form(fault.to_string()))?;
        let written: Written =
            serde_json::from_slice(bytes).map_err(|fault| form(fault.to_string()))?;
        if written.schema != SCHEMA {
            return Err(form(format!(
                "the schema is {:?}; this program reads {SCHEMA:?}",
                written.schema
            )));
        }
        let of = u8::try_from(written.commitments.len()).unwrap_or(u8::MAX);
        Ok(Self {
            backup: written.backup,
            scheme: Scheme::new(file, written.needed, of)?,
            commitments: written.commitments,
        })
    }

    /// Its bytes; they end in a newline.
    pub fn to_vec(&self) -> Vec<u8> {
        let written = Written {
            schema: SCHEMA.to_owned(),
            backup: self.backup,
            needed: self.scheme.needed(),
            commitments: self.commitments.clone(),
        };
        let mut bytes = serde_json::to_vec_pretty(&written).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The SHA-256 of the age file that the shares open.
    pub fn backup(&self) -> Sha256 {
        self.backup
    }
    /// How many restore the secret, of how many.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }
    /// Whether this share was dealt in this set. It tells of one share alone, whoever computed its check.
    pub fn has(&self, share: &Share) -> bool {
        let index = usize::from(share.index());
        self.commitments.get(index - 1) == Some(&share.commitment())
    }
}
