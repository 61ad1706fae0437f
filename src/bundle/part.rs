//! The part file, the travelling document: one candidate with the signatures it has so far, bound to its ceremony, on its way between holders.

use serde::{Deserialize, Serialize};

use crate::ceremony::event::{Abandoned, Document, Mode, REHEARSAL_MARKER};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::{self, Json, Limits};
use crate::tuf::metadata::{Header, RoleType};

/// The schema of part files.
pub const SCHEMA: &str = "tuf-ceremony/part/1";
/// The schema of abandonment records.
pub const ABANDONED_SCHEMA: &str = "tuf-ceremony/abandoned/1";

/// A travelling document. What it says of role, version and payload was compared with the envelope, so they cannot disagree.
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
        let wire: Wire = strict(file, "PART-FORM", bytes, SCHEMA)?;
        let part = Self {
            mode: wire.mode,
            ceremony: wire.ceremony,
            trusted_root: wire.trusted_root,
            document: Document {
                role: wire.role,
                version: wire.version,
            },
            supersedes: wire.supersedes,
            acknowledgements: wire.acknowledgements,
            envelope: Envelope::parse(file, wire.envelope.into_bytes(), Limits::SMALL)?,
        };
        part.check(file, wire.payload)?;
        Ok(part)
    }
    /// The bytes of the part file; ends in a newline.
    pub fn to_vec(&self) -> Vec<u8> {
        text(&Wire {
            schema: SCHEMA.to_owned(),
            mode: self.mode,
            ceremony: self.ceremony,
            trusted_root: self.trusted_root,
            role: self.document.role.clone(),
            version: self.document.version,
            payload: self.payload(),
            supersedes: self.supersedes.clone(),
            acknowledgements: self.acknowledgements.clone(),
            envelope: String::from_utf8_lossy(&self.envelope.bytes()).into_owned(),
        })
    }

    // Everything said twice must be said alike: a person reads the outer members, a token signs the inner ones.
    fn check(&self, file: &str, payload: Sha256) -> Result<(), Finding> {
        let refuse = |text| Err(Finding::error("PART-ENVELOPE", file, text));
        let header = Header::read(file, &self.envelope)?;
        let Document { role, version } = &self.document;
        if !fits(role, header.role_type) {
            return refuse(format!(
                "it says that it carries {role:?}; the envelope is of type {}",
                type_name(header.role_type)
            ));
        }
        if *version != header.version {
            return refuse(format!(
                "it says version {version}; the envelope is version {}",
                header.version
            ));
        }
        if payload != self.payload() {
            return refuse(format!(
                "it says that the payload is {payload}; the envelope's is {}",
                self.payload()
            ));
        }
        match (self.mode, is_rehearsal(&self.envelope)) {
            (Mode::Production, true) => refuse(
                "its mode is production; the envelope carries the rehearsal marker".to_owned(),
            ),
            (Mode::Rehearsal, false) => {
                refuse("its mode is rehearsal; the envelope lacks the rehearsal marker".to_owned())
            }
            _ => Ok(()),
        }
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
        strict(file, "ABANDONED-FORM", bytes, ABANDONED_SCHEMA)
    }
    /// Its bytes; ends in a newline.
    pub fn to_vec(&self) -> Vec<u8> {
        text(self)
    }
}

/// Whether the signed part carries the rehearsal marker.
pub fn is_rehearsal(envelope: &Envelope) -> bool {
    envelope
        .signed()
        .get(REHEARSAL_MARKER)
        .and_then(Json::as_bool)
        == Some(true)
}

/// `schema` of one of our JSON files, if it is one.
pub fn schema_of(bytes: &[u8]) -> Option<String> {
    let json = json::check(bytes, PART_LIMITS).ok()?;
    Some(json.get("schema")?.as_str()?.into_owned())
}

/// Our JSON files: indented for people, members in a fixed order, a newline at the end.
pub(super) fn text(value: &impl Serialize) -> Vec<u8> {
    // Serialising fails only for maps whose keys are no strings, and ours have none; an empty file would be refused by every reader.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

// The envelope is one long string, and escaping may double it.
const PART_LIMITS: Limits = Limits {
    bytes: 64 << 20,
    depth: 8,
    string: 64 << 20,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: String,
    mode: Mode,
    ceremony: Sha256,
    // Written as null at genesis, never left out.
    #[serde(deserialize_with = "Option::deserialize")]
    trusted_root: Option<Sha256>,
    role: String,
    version: u64,
    payload: Sha256,
    supersedes: Vec<Superseded>,
    acknowledgements: Vec<Acknowledgement>,
    envelope: String,
}

fn strict<T: serde::de::DeserializeOwned>(
    file: &str,
    rule: &str,
    bytes: &[u8],
    schema: &str,
) -> Result<T, Finding> {
    let refuse = |text: String| Finding::error(rule, file, text);
    let json = json::check(bytes, PART_LIMITS).map_err(|fault| refuse(fault.to_string()))?;
    let found = json.get("schema").and_then(Json::as_str);
    if found.as_deref() != Some(schema) {
        return Err(refuse(format!(
            "its schema is {}; {schema:?} is wanted here",
            found.map_or_else(|| "absent".to_owned(), |found| format!("{found:?}"))
        )));
    }
    serde_json::from_slice(bytes).map_err(|fault| refuse(fault.to_string()))
}

fn fits(role: &str, role_type: RoleType) -> bool {
    match role {
        "root" => role_type == RoleType::Root,
        "timestamp" => role_type == RoleType::Timestamp,
        "snapshot" => role_type == RoleType::Snapshot,
        _ => role_type == RoleType::Targets,
    }
}

/// `_type` as text.
pub fn type_name(role_type: RoleType) -> &'static str {
    match role_type {
        RoleType::Root => "root",
        RoleType::Timestamp => "timestamp",
        RoleType::Snapshot => "snapshot",
        RoleType::Targets => "targets",
    }
}
