//! Whether a Sigstore bundle is a signature by an identity that a delegation names (TAP 18), checked offline against a trusted root that was
//! carried to the ceremony. Pure: no network, no disk, no clock of ours; it knows keys and findings from `tuf` and nothing of ceremonies.
//!
//! Cryptography, certificates, proofs and timestamps are the work of the library sigstore-verify, over the crates that the rest of the program
//! verifies with (`provider`). Here stands what it leaves open: a strict reading first, one name and one issuer in a certificate, one log
//! entry, a message signature and nothing wrapped, dates for everything in a trusted root, no time after the ceremony's. docs/sigstore.md says
//! what is checked and what is not.

mod fault;
mod identity;
mod leaf;
mod provider;
mod root;

pub use identity::{Identity, clients};
pub use root::{Entry, TrustedRoot, Vouches};

use jiff::Timestamp;
use sha2::Digest as _;
use sigstore_verify::types::{Bundle, HashAlgorithm, SignatureContent};
use sigstore_verify::{CertificateError, Error, VerificationPolicy};

use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{self, Limits};
use crate::tuf::key::Key;
use crate::tuf::style;
use crate::tuf::value::Value;

use fault::{Fault, told};
use leaf::Leaf;

/// Bundles over a statement have 5 to 7 kB.
const LIMITS: Limits = Limits {
    bytes: 64 << 10,
    depth: 16,
    string: 32 << 10,
};

/// Most timestamps that are verified in one bundle: each costs a chain of certificates, and one is usual.
const MOST_TIMESTAMPS: usize = 4;

/// A signature that was found good, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who signed.
    pub identity: Identity,
    /// Every time that somebody vouches for, in the bundle's order: by RFC 3161, then by the log of signatures. At least one.
    pub times: Vec<Timestamp>,
    /// The address of the log that has the signature, from the trusted root; empty where the entry names it by another of its names.
    pub log: String,
    /// What the entry names its log by.
    pub log_id: Vec<u8>,
    /// The place in the log, where anybody can look it up.
    pub log_index: u64,
    /// SHA-256 of the signing certificate.
    pub certificate: Sha256,
}

/// Checks that `bundle` (JSON, versions 0.1 to 0.3) is a signature over `artifact` by `wanted`, made no later than `at`, as far as `root` vouches
/// for it. `file` is what findings name.
///
/// # Errors
/// The first thing that is wrong: `SIGSTORE-BUNDLE`, `SIGSTORE-CHAIN`, `SIGSTORE-IDENTITY`, `SIGSTORE-LOG`, `SIGSTORE-TIME`,
/// `SIGSTORE-SIGNATURE`.
pub fn verify(
    root: &TrustedRoot,
    file: &str,
    bundle: &[u8],
    artifact: &[u8],
    wanted: &Identity,
    at: Timestamp,
) -> Result<Verified, Finding> {
    judge(root, bundle, artifact, wanted, at).map_err(|fault| fault.finding(file))
}

/// The same for a key of metadata and a bundle as a request carries it.
///
/// # Errors
/// As [`verify`], and `SIGSTORE-KEY`: the key is no identity, or none as TAP 18 has it.
pub fn verify_by_key(
    root: &TrustedRoot,
    file: &str,
    key: &Key,
    bundle: &Value,
    artifact: &[u8],
    at: Timestamp,
) -> Result<Verified, Finding> {
    let wanted = Identity::of_key(file, key)?.ok_or_else(|| {
        let text = format!(
            "the key {} is of type {}, and a Sigstore bundle proves Sigstore identities only. Ask for a signature by the key itself",
            key.keyid(),
            shown(key.keytype())
        );
        Finding::error("SIGSTORE-KEY", file, text)
    })?;
    verify(root, file, &style::to_line(bundle), artifact, &wanted, at)
}

fn judge(
    root: &TrustedRoot,
    bundle: &[u8],
    artifact: &[u8],
    wanted: &Identity,
    at: Timestamp,
) -> Result<Verified, Fault> {
    let bundle = read(bundle)?;
    let certificate = bundle
        .signing_certificate()
        .ok_or_else(|| Fault::Bundle("it has no certificate".to_owned()))?;
    let leaf = Leaf::parse(certificate.as_bytes())?;
    let material = &bundle.verification_material;
    let [entry] = material.tlog_entries.as_slice() else {
        let found = material.tlog_entries.len();
        return Err(Fault::Log(format!(
            "it has {found} entries of logs; there must be one"
        )));
    };
    // The library finds this too, but tells it as it tells an entry of the log for other bytes.
    if is_for_other_bytes(&bundle.content, artifact) {
        let reason = "the digest in it is of other bytes";
        return Err(Fault::Signature(reason.to_owned()));
    }
    // The library would compare it with the machine's clock, and say so with the time of day: another answer on every call.
    if let Some(late) = entry.integrated_time.filter(|time| *time > at) {
        return Err(Fault::Time(format!("it is from {late}, after {at}")));
    }
    let policy = VerificationPolicy::new(wanted.identity.as_str(), wanted.issuer.as_str());
    let result = root
        .verifier
        .verify(artifact, &bundle, &policy)
        .map_err(|error| too_late(&error, entry.integrated_time, &leaf, wanted))?;
    let times = result.verified_timestamps().to_vec();
    if let Some(late) = times.iter().find(|time| **time > at) {
        return Err(Fault::Time(format!("it is from {late}, after {at}")));
    }
    // The library was asked for all of this; nothing is accepted should it ever answer without.
    let whole = result.certificate_verified()
        && result.sct_verified()
        && result.tlog_verified()
        && result.identity_policy_checked()
        && !times.is_empty();
    if !whole {
        return Err(Fault::Log("not everything in it was verified".to_owned()));
    }
    let log_id = entry.log_id.key_id.as_bytes().to_vec();
    Ok(Verified {
        identity: wanted.clone(),
        times,
        log: root.log(&log_id).unwrap_or_default().to_owned(),
        log_id,
        log_index: entry.log_index.get(),
        certificate: leaf.sha256,
    })
}

/// The bundle, if it is a message signature: a DSSE envelope says something *about* a file, which its signer need not have agreed to.
fn read(bytes: &[u8]) -> Result<Bundle, Fault> {
    let json = json::check(bytes, LIMITS).map_err(|error| Fault::Bundle(error.to_string()))?;
    // `check` has proven the bytes to be UTF-8.
    let bytes = json.bytes();
    let text = String::from_utf8_lossy(&bytes);
    let bundle =
        Bundle::from_json(&text).map_err(|error| Fault::Bundle(told(&error.to_string())))?;
    if !matches!(bundle.content, SignatureContent::MessageSignature(_)) {
        let reason = "it attests something about a file (DSSE) instead of signing it";
        return Err(Fault::Bundle(reason.to_owned()));
    }
    let timestamps = &bundle.verification_material.timestamp_verification_data;
    let found = timestamps.rfc3161_timestamps.len();
    if found > MOST_TIMESTAMPS {
        return Err(Fault::Bundle(format!(
            "it has {found} timestamps; at most {MOST_TIMESTAMPS} are verified"
        )));
    }
    Ok(bundle)
}

/// The digest in a bundle is a hint and may be missing; the signature is verified over the artifact all the same.
fn is_for_other_bytes(content: &SignatureContent, artifact: &[u8]) -> bool {
    let SignatureContent::MessageSignature(message) = content else {
        return false;
    };
    message.message_digest.as_ref().is_some_and(|hint| {
        let digest = match hint.algorithm {
            HashAlgorithm::Sha2256 => sha2::Sha256::digest(artifact).to_vec(),
            HashAlgorithm::Sha2384 => sha2::Sha384::digest(artifact).to_vec(),
            HashAlgorithm::Sha2512 => sha2::Sha512::digest(artifact).to_vec(),
            _ => return true,
        };
        hint.digest.as_bytes() != digest
    })
}

/// The library judges the path at the time of the signature and tells a certificate that was not valid then as a bad path.
fn too_late(error: &Error, integrated: Option<Timestamp>, leaf: &Leaf, wanted: &Identity) -> Fault {
    let Error::Certificate(CertificateError::ChainInvalid(_)) = error else {
        return Fault::of(error, wanted);
    };
    match integrated {
        Some(time) if time < leaf.from || time > leaf.until => Fault::Time(format!(
            "it is from {time}, its certificate is for {} to {}",
            leaf.from, leaf.until
        )),
        _ => Fault::of(error, wanted),
    }
}
