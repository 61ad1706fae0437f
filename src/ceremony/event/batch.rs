//! Many documents, reviewed at once and signed one after the other.

use serde::{Deserialize, Serialize};

use super::{Document, Seen, Signer};
use crate::tuf::digest::Sha256;

/// What a batch is: SHA-256 over a line for each document, sorted: role, version and payload with a blank between, and a newline.
pub fn batch_digest<'a>(documents: impl Iterator<Item = (&'a Document, Sha256)>) -> Sha256 {
    let lines = documents.map(|(document, payload)| {
        let Document { role, version } = document;
        format!("{role} {version} {payload}\n")
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    Sha256::of(lines.concat().as_bytes())
}

/// One review for all documents of the batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchReviewed {
    /// Which batch.
    pub batch: Sha256,
    /// How many documents.
    pub documents: usize,
    /// Rows shown.
    pub rows: usize,
    /// Where it was searched instead of read from end to end: what had to be seen one by one, and was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// A token will be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchIntended {
    /// Which batch.
    pub batch: Sha256,
    /// For how many signatures: those that are not on record.
    pub signatures: usize,
    /// By whom.
    pub signer: Signer,
}

/// A token was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchEnded {
    /// By whom.
    pub signer: Signer,
    /// How many signatures came and were verified.
    pub signed: usize,
    /// Microseconds that the token took for them.
    pub micros: u64,
    /// Why it stopped before the last one, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}
