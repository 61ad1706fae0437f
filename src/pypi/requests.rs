//! What the online side asks the administrators for: `requests.jsonl` (docs/requests.md).
//!
//! JSON lines, so that a file of any length is read a line at a time. The first line is the header, then one line a project in ascending order of
//! names, then the end line with count and digest: a file that was cut off, or lost or gained a line, shows it. Because the lines are in order,
//! one project asked for twice stands in two lines that follow each other, and claimed and archives are compared with the file by one walk.
//!
//! What only a broken writer makes (`REQUEST-FORM`, order, count, digest) refuses the file. What one developer can cause (a weak key, a threshold
//! that nobody reaches) refuses that line alone, or a single project could stop the whole month's work: see [`Entry`].
//!
//! A line is judged here by itself. Whether its signatures are right is asked of [`statement`]; what it means beside the tree is for the vetting.

use std::collections::BTreeMap;

use super::project::Project;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::value::Value;

mod keys;
mod line;
mod reader;
mod shape;
pub mod statement;
#[cfg(test)]
mod tests;
mod writer;

pub use keys::is_identity;
pub use reader::Reader;
pub use writer::write;

/// The `schema` that the header says.
pub const SCHEMA: &str = "tuf-ceremony/requests/1";

/// The longest line, in bytes: twenty keys with a Sigstore bundle each (10 KiB).
pub const LONGEST_LINE: usize = 256 << 10;

/// What is wrong with the form of the file or of a line, by which the whole file is refused.
const FORM: &str = "REQUEST-FORM";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// SHA-256 of the file `1.root.json`: which repository is meant, through all its later roots.
    pub anchor: Sha256,
    /// When the file was made.
    pub made: jiff::Timestamp,
    /// How many lines follow before the end line.
    pub requests: u64,
}

impl Header {
    /// `REQUEST-ANCHOR`: the file must be about the repository whose first root has this digest.
    pub fn check_anchor(&self, file: &str, anchor: &Sha256) -> Option<Finding> {
        if self.anchor == *anchor {
            return None;
        }
        let text = format!(
            "the requests are for the repository whose 1.root.json has the digest {}; this one's has {anchor}. Fetch the requests of this repository.",
            self.anchor
        );
        Some(Finding::error("REQUEST-ANCHOR", file, text))
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The project enters `claimed`.
    Claim,
    /// One key more, signed by the present keys.
    AddKey,
    /// One key less, signed by the present keys.
    RemoveKey,
    /// Another threshold, signed by the present keys.
    Threshold,
    /// The keys are lost: others take their place, by decision of the administrators.
    Reset,
    /// The project has another owner (PEP 541).
    Transfer,
    /// The project leaves `claimed`.
    Unclaim,
    /// A key is compromised.
    Rotate,
}

/// What stands in a project's place while nobody's key is trusted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Custody {
    /// The last files known to be good.
    Files,
    /// Nothing: every file of the project is refused.
    Tombstone,
}

/// One line: how one project shall be afterwards, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The line, from 1; 0 where it was not read from a file.
    pub line: usize,
    /// What is asked for.
    pub action: Action,
    /// For which project.
    pub project: Project,
    /// The project's keys afterwards; none for [`Action::Unclaim`] and where there is a [`Custody`].
    pub keys: BTreeMap<KeyId, Key>,
    /// How many of them must sign; 0 without keys.
    pub threshold: u32,
    /// Who holds each key: `alice (laptop)`.
    pub owners: BTreeMap<KeyId, String>,
    /// When PyPI first saw a key, by its own word.
    pub first_seen: BTreeMap<KeyId, jiff::Timestamp>,
    /// Digest of the present delegation; none for [`Action::Claim`].
    pub replaces: Option<Sha256>,
    /// Each key signs that it is meant for this project (see [`statement::possession`]).
    pub possession: Vec<Proof>,
    /// The present keys sign the change (see [`statement::change`]).
    pub authorised: Vec<Proof>,
    /// What happened to the project's accounts, by PyPI's word.
    pub events: Vec<Event>,
    /// What another way to the owner said.
    pub channel: Option<Channel>,
    /// Whether the project must get a role of another name, because versions of the present one were driven up.
    pub new_name: bool,
    /// What [`Action::Rotate`] without keys leaves behind.
    pub custody: Option<Custody>,
}

impl Request {
    /// A request without anything in it, to be filled by whoever writes one.
    pub fn new(action: Action, project: Project) -> Self {
        Self {
            line: 0,
            action,
            project,
            keys: BTreeMap::new(),
            threshold: 0,
            owners: BTreeMap::new(),
            first_seen: BTreeMap::new(),
            replaces: None,
            possession: Vec::new(),
            authorised: Vec::new(),
            events: Vec::new(),
            channel: None,
            new_name: false,
            custody: None,
        }
    }
}

/// What one key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// By which key.
    pub keyid: KeyId,
    /// What it gave.
    pub evidence: Evidence,
}

/// What a key gives to prove itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A signature as TUF carries it: 64 bytes for Ed25519, DER for ECDSA.
    Signature(Vec<u8>),
    /// A Sigstore bundle, for an identity.
    Bundle(Value),
}

/// Something that happened to a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: jiff::Timestamp,
}

/// Kinds of [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// An owner's account was recovered.
    Recovery,
    /// The owners changed.
    Ownership,
    /// The project was quarantined.
    Quarantine,
    /// Somebody reported it.
    Report,
}

/// A second way to the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Which.
    pub kind: ChannelKind,
    /// What came through it. Untrusted text.
    pub says: String,
}

/// Kinds of [`Channel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelKind {
    /// The owner answered a mail with the fingerprint.
    MailReply,
    /// A PEP 740 attestation by the registered identity.
    Attestation,
}

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It is a request.
    Request(Box<Request>),
    /// It is refused; the others are not.
    Refused(Refused),
}

/// A line that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// From 1.
    pub line: usize,
    /// The project as written: it may be no project name at all.
    pub project: String,
    /// Why.
    pub finding: Finding,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// The first line.
    pub header: Header,
    /// In order of project names.
    pub requests: Vec<Request>,
    /// Lines that are refused by themselves.
    pub refused: Vec<Refused>,
    /// Digest of the file.
    pub sha256: Sha256,
}

impl Requests {
    /// Reads a whole file strictly; [`Reader`] gives one request after the other.
    ///
    /// # Errors
    /// What refuses the file as a whole.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let reader = Reader::open(file, bytes)?;
        let mut whole = Self {
            header: reader.header().clone(),
            requests: Vec::new(),
            refused: Vec::new(),
            sha256: Sha256::of(bytes),
        };
        for entry in reader {
            match entry? {
                Entry::Request(request) => whole.requests.push(*request),
                Entry::Refused(refused) => whole.refused.push(refused),
            }
        }
        Ok(whole)
    }
}

/// Words of the format: each variant with its text, both ways.
macro_rules! words {
    ($kind:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// As the file writes it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// Which one the file means.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words!(Action {
    Claim = "claim",
    AddKey = "add-key",
    RemoveKey = "remove-key",
    Threshold = "threshold",
    Reset = "reset",
    Transfer = "transfer",
    Unclaim = "unclaim",
    Rotate = "rotate",
});
words!(Custody {
    Files = "files",
    Tombstone = "tombstone",
});
words!(EventKind {
    Recovery = "recovery",
    Ownership = "ownership",
    Quarantine = "quarantine",
    Report = "report",
});
words!(ChannelKind {
    MailReply = "mail-reply",
    Attestation = "attestation",
});
