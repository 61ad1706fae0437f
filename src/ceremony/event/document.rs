//! What is signed, by whom, and what must never be published.

use serde::{Deserialize, Serialize};

use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// One version of one role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// `root`, `targets`, `bins`.
    pub role: String,
    /// Its version.
    pub version: u64,
}

impl std::fmt::Display for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} v{}", self.role, self.version)
    }
}

/// A key of somebody who may sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The holder's name in the script; `ephemeral` for keys made in the ceremony.
    pub holder: String,
    /// The key.
    pub keyid: KeyId,
}

/// One threshold that a document must reach, in words for people and with the keys that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// `the keys of root v7 (old)`.
    pub by: String,
    /// How many distinct keys.
    pub needed: u32,
    /// Whose keys count. Entries of one physical key are listed once.
    pub signers: Vec<Signer>,
}

/// A payload that must never be published, and who has signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abandoned {
    /// Which version.
    pub document: Document,
    /// The payload.
    pub payload: Sha256,
    /// Names of holders whose signatures over it exist or may exist.
    pub signed_by: Vec<String>,
}
