//! The part file, the travelling document: one candidate with the signatures it has so far, bound to its ceremony, on its way between holders.

use serde::{Deserialize, Serialize};

use crate::ceremony::event::{Abandoned, Document, Mode};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;

/// The schema of part files.
pub const SCHEMA: &str = "tuf-ceremony/part/1";
/// The schema of abandonment records.
pub const ABANDONED_SCHEMA: &str = "tuf-ceremony/abandoned/1";

/// A travelling document. Role, version and payload are read from the envelope, so they cannot disagree with it.
#[derive(Clone)]
pub struct Part {
    /// Rehearsal or production.
    pub mode: Mode,
    /// The ceremony's id.
    pub ceremony: Sha256,
    /// SHA-256 of the trusted root's file; none at genesis.
    pub trusted_root: Option<Sha256>,
    /// Which version of which role.
    pub document: Document,
    /// Payloads of the same role and version that were given up for this one.
    pub supersedes: Vec<Superseded>,
    /// Who acknowledged, or has a register that says, that he signed no other payload of this version.
    pub acknowledgements: Vec<Acknowledgement>,
    /// The candidate, exactly.
    pub envelope: Envelope,
}

/// A payload given up, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Superseded {
    /// Digest of the payload given up.
    pub sha256: Sha256,
    /// Holders whose signatures over it exist or may exist.
    pub signed_by: Vec<String>,
}

/// A holder's word that this is the only payload of the version he signs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Whose.
    pub holder: String,
    /// True: his register was checked. False: he has none here and typed it.
    pub register: bool,
}

/// A ceremony's record of what it gave up for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbandonedRecord {
    schema: String,
    /// The ceremony that gave up.
    pub ceremony: Sha256,
    /// What.
    pub abandoned: Vec<Abandoned>,
}

impl Part {
    /// SHA-256 of the bytes that are signed: the review digest.
    pub fn payload(&self) -> Sha256 {
        self.envelope.payload_digest()
    }
    /// Reads a part file strictly.
    ///
    /// # Errors
    /// `PART-FORM` (not such a document), `PART-ENVELOPE` (its role, version or payload are not those of the envelope; the marker and the mode disagree),
    /// and what the readers of metadata refuse.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let _ = (file, bytes);
        todo!()
    }
    /// The bytes of the part file; ends in a newline.
    pub fn to_vec(&self) -> Vec<u8> {
        todo!()
    }
}

impl AbandonedRecord {
    /// A record.
    pub fn new(ceremony: Sha256, abandoned: Vec<Abandoned>) -> Self {
        Self {
            schema: ABANDONED_SCHEMA.to_owned(),
            ceremony,
            abandoned,
        }
    }
    /// Reads one strictly.
    ///
    /// # Errors
    /// `ABANDONED-FORM`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let _ = (file, bytes);
        todo!()
    }
    /// Its bytes; ends in a newline.
    pub fn to_vec(&self) -> Vec<u8> {
        todo!()
    }
}
