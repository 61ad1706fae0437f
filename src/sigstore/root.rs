//! The trusted root: the keys and certificates that Sigstore publishes for verifying offline, carried to the ceremony as a file.

use std::fmt;

use jiff::Timestamp;
use sigstore_verify::Verifier;
use sigstore_verify::trust_root;
use sigstore_verify::types::TimeRange;

use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{self, Limits};

use super::fault::told;
use super::provider;

/// The public instance's has 7 kB, the largest known one 32 kB.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    depth: 16,
    string: 64 << 10,
};

/// The two spellings of its media type (protobuf-specs: readers must take the older one too).
const MEDIA_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
];

/// After so many days a root is told to be old.
const OLD: i64 = 30;
/// After so many days it is refused: Sigstore's own metadata that vouches for it expires about every half year.
const TOO_OLD: i64 = 183;

/// What an entry of a trusted root vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouches {
    /// For identities (Fulcio).
    Identities,
    /// For signatures being public (Rekor).
    Signatures,
    /// For certificates being public.
    Certificates,
    /// For times (RFC 3161).
    Times,
}

impl fmt::Display for Vouches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identities => "certificate authority",
            Self::Signatures => "log of signatures",
            Self::Certificates => "log of certificates",
            Self::Times => "timestamp authority",
        })
    }
}

/// One entry of a trusted root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What for.
    pub vouches: Vouches,
    /// Its address, as the file has it.
    pub address: String,
    /// What its signatures name it by (logs), or the SHA-256 of its first certificate.
    pub id: Vec<u8>,
    /// From when it is believed.
    pub from: Timestamp,
    /// Until when; none for one in use.
    pub until: Option<Timestamp>,
}

/// A trusted root that was read whole and can be verified with.
pub struct TrustedRoot {
    sha256: Sha256,
    entries: Vec<Entry>,
    pub(super) verifier: Verifier,
}

impl TrustedRoot {
    /// Reads `trusted_root.json`.
    ///
    /// # Errors
    /// `SIGSTORE-ROOT`: another format, a key or certificate that cannot be read, one without a date, or none for something that is needed.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        provider::install();
        let fault = |reason: String| {
            let text = format!(
                "it is no trusted root that can be verified with: {reason}. Fetch trusted_root.json with a Sigstore client again"
            );
            Finding::error("SIGSTORE-ROOT", file, text)
        };
        let json = json::check(bytes, LIMITS).map_err(|error| fault(error.to_string()))?;
        let media_type = json.get("mediaType").and_then(json::Json::as_str);
        if !media_type.is_some_and(|found| MEDIA_TYPES.contains(&found.as_ref())) {
            return Err(fault(format!("its mediaType is not {}", MEDIA_TYPES[0])));
        }
        // `check` has proven the bytes to be UTF-8.
        let written = json.bytes();
        let text = String::from_utf8_lossy(&written);
        let root = trust_root::TrustedRoot::from_json(&text)
            .map_err(|error| fault(told(&error.to_string())))?;
        let entries = entries(&root).map_err(fault)?;
        let verifier = Verifier::new(&root).map_err(|error| fault(told(&error.to_string())))?;
        Ok(Self {
            sha256: Sha256::of(bytes),
            entries,
            verifier,
        })
    }

    /// Of the file.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }
    /// All that is in it, in its order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
    /// When the youngest of its entries began: the file cannot have been made long before that.
    pub fn newest(&self) -> Timestamp {
        let starts = self.entries.iter().map(|entry| entry.from);
        starts.max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What its age means, where it was fetched on `dated` and is used on `at`. The file has no date of its own, so a person says it.
    pub fn age(&self, file: &str, dated: Option<Timestamp>, at: Timestamp) -> Option<Finding> {
        const RULE: &str = "SIGSTORE-ROOT-AGE";
        const DAY: i64 = 24 * 60 * 60;
        const ADVICE: &str = "A key that Sigstore withdrew since then is still believed. Fetch it again with a Sigstore client";
        let newest = self.newest();
        let Some(dated) = dated else {
            let text = format!(
                "nobody says when the trusted root was fetched; its newest entry is from {newest}. A key that Sigstore withdrew since is still believed. See that it was fetched for this ceremony"
            );
            return Some(Finding::warning(RULE, file, text));
        };
        let seconds = at.as_second().saturating_sub(dated.as_second());
        let days = seconds.div_euclid(DAY);
        if seconds < 0 {
            let text = format!(
                "the trusted root is dated {dated}, after {at}, when it is used; one of the two dates is wrong"
            );
            Some(Finding::error(RULE, file, text))
        } else if days > TOO_OLD {
            let text = format!(
                "the trusted root is {days} days old; Sigstore's own metadata that vouched for it has expired (more than {TOO_OLD} days). {ADVICE}"
            );
            Some(Finding::error(RULE, file, text))
        } else if days > OLD {
            let text = format!(
                "the trusted root is {days} days old; its newest entry is from {newest}. {ADVICE}"
            );
            Some(Finding::warning(RULE, file, text))
        } else {
            None
        }
    }

    /// The address of the log of signatures that is named by `id`.
    pub(super) fn log(&self, id: &[u8]) -> Option<&str> {
        let mut logs = self.entries.iter();
        let log = logs.find(|entry| entry.vouches == Vouches::Signatures && entry.id == id)?;
        Some(&log.address)
    }
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedRoot")
            .field("sha256", &self.sha256)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

fn entries(root: &trust_root::TrustedRoot) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    let mut add = |vouches, address: &str, id: &[u8], range: Option<TimeRange>| {
        // The library takes an entry without dates for one that always was and will be valid.
        let range = range.ok_or_else(|| {
            format!(
                "the {vouches} {} has no validFor, so nobody can tell when it was believed",
                shown(address)
            )
        })?;
        entries.push(Entry {
            vouches,
            address: address.to_owned(),
            id: id.to_vec(),
            from: range.start,
            until: range.end,
        });
        Ok::<_, String>(())
    };
    for authority in &root.certificate_authorities {
        let id = first_id(
            authority
                .cert_chain
                .certificates
                .first()
                .map(|first| first.raw_bytes.as_bytes()),
        );
        add(
            Vouches::Identities,
            &authority.uri,
            &id,
            authority.valid_for,
        )?;
    }
    for log in &root.tlogs {
        let id = log.log_id.key_id.as_bytes();
        add(
            Vouches::Signatures,
            &log.base_url,
            id,
            log.public_key.valid_for,
        )?;
    }
    for log in &root.ctlogs {
        let id = log.log_id.key_id.as_bytes();
        add(
            Vouches::Certificates,
            &log.base_url,
            id,
            log.public_key.valid_for,
        )?;
    }
    for authority in &root.timestamp_authorities {
        let address = authority.uri.as_deref().unwrap_or_default();
        let id = first_id(
            authority
                .cert_chain
                .certificates
                .first()
                .map(|first| first.raw_bytes.as_bytes()),
        );
        add(Vouches::Times, address, &id, authority.valid_for)?;
    }
    // Times may come from the log of signatures as well.
    for needed in [
        Vouches::Identities,
        Vouches::Signatures,
        Vouches::Certificates,
    ] {
        if !entries.iter().any(|entry| entry.vouches == needed) {
            return Err(format!("it has no {needed}"));
        }
    }
    Ok(entries)
}

fn first_id(certificate: Option<&[u8]>) -> Vec<u8> {
    certificate.map_or_else(Vec::new, |der| Sha256::of(der).0.to_vec())
}
