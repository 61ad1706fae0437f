//! One share: 42 bytes in locked memory that were found in order when they were read.

use std::fmt;

use sha2::Digest as _;

use crate::secret::{Secret, SecretError, wipe_stack};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// Bytes of a share.
pub const LENGTH: usize = 42;
/// Bytes of the secret, and of each share of it.
pub(super) const DATA: usize = 32;
/// Where the first bytes of the backup's SHA-256 stand.
const BACKUP: std::ops::Range<usize> = 2..6;
/// Where the data end and the check begins.
const CHECK: usize = BACKUP.end + DATA;
/// The version of the format, in the three high bits of the first byte; the index is in the others.
const VERSION: u8 = 1;
/// Hashed before a share, so that its commitment is no other hash of ours.
const DOMAIN: &[u8] = b"tuf-ceremony/share/1\n";

/// How many shares restore the secret, of how many: 2 <= needed <= of <= 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    needed: u8,
    of: u8,
}

impl Scheme {
    /// The most shares of a set.
    pub const MOST: u8 = 16;

    /// Any `needed` of `of` shares. `file` says who wants it so.
    ///
    /// # Errors
    /// `SHARE-SCHEME`.
    pub fn new(file: &str, needed: u8, of: u8) -> Result<Self, Finding> {
        if (2..=of).contains(&needed) && of <= Self::MOST {
            return Ok(Self { needed, of });
        }
        let text = format!(
            "any {needed} of {of} shares is no way to split a secret: at least 2 restore it, at most all, and there are at most {} shares",
            Self::MOST
        );
        Err(Finding::error("SHARE-SCHEME", file, text))
    }
    /// How many shares restore the secret.
    pub fn needed(self) -> u8 {
        self.needed
    }
    /// How many shares there are.
    pub fn of(self) -> u8 {
        self.of
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "any {} of {}", self.needed, self.of)
    }
}

/// One share of a secret. Like the [`Secret`] that it is, it can be neither printed nor copied.
pub struct Share {
    bytes: Secret,
    index: u8,
    scheme: Scheme,
}

impl Share {
    /// The share of these `data`.
    pub(super) fn new(
        index: u8,
        scheme: Scheme,
        backup: Sha256,
        data: &[u8],
    ) -> Result<Self, SecretError> {
        let bytes = Secret::filled(LENGTH, |room| {
            room[0] = (VERSION << 5) | index;
            room[1] = ((scheme.needed - 1) << 4) | (scheme.of - 1);
            room[BACKUP].copy_from_slice(&prefix(backup));
            room[BACKUP.end..CHECK].copy_from_slice(data);
            let check = check(room);
            room[CHECK..].copy_from_slice(&check);
            Ok::<(), SecretError>(())
        })?;
        Ok(Self {
            bytes,
            index,
            scheme,
        })
    }

    /// Reads a share; `from` says whose it is.
    ///
    /// # Errors
    /// `SHARE-FORM`, `SHARE-CHECK`, `SHARE-SCHEME`, `SHARE-INDEX`.
    pub fn read(from: &str, bytes: Secret) -> Result<Self, Finding> {
        let refused = |rule, text: String| Err(Finding::error(rule, from, text));
        if bytes.len() != LENGTH {
            let text = format!(
                "a share has {LENGTH} bytes, and this has {}: ask for the whole share",
                bytes.len()
            );
            return refused("SHARE-FORM", text);
        }
        let [first, second] = bytes.expose(|bytes| [bytes[0], bytes[1]]);
        if first >> 5 != VERSION {
            let text = format!(
                "its first byte says version {} of the format of shares; this program reads version {VERSION}. It is a later program's, or damaged",
                first >> 5
            );
            return refused("SHARE-FORM", text);
        }
        if !bytes.expose(|bytes| bytes[CHECK..] == check(bytes)) {
            let text = "the check at its end does not fit what stands before it: the share is damaged or mistyped. Enter it again, or ask another custodian";
            return refused("SHARE-CHECK", text.to_owned());
        }
        let index = first & 0x1f;
        let scheme = Scheme::new(from, (second >> 4) + 1, (second & 0xf) + 1)?;
        if !(1..=scheme.of).contains(&index) {
            let text = format!(
                "it says that it is number {index} of {}, and shares are counted from 1: somebody made it who did not split the secret. Do not use it",
                scheme.of
            );
            return refused("SHARE-INDEX", text);
        }
        Ok(Self {
            bytes,
            index,
            scheme,
        })
    }

    /// Its 42 bytes, as [`Self::read`] takes them.
    pub fn bytes(&self) -> &Secret {
        &self.bytes
    }
    /// Which one it is, from 1.
    pub fn index(&self) -> u8 {
        self.index
    }
    /// How many restore the secret, of how many.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }
    /// Whether it says that it opens this backup, by the first four bytes of the file's SHA-256.
    pub fn opens(&self, backup: Sha256) -> bool {
        self.bytes.expose(|bytes| bytes[BACKUP] == prefix(backup))
    }
    /// What the set's record keeps of it. Each share alone is 32 random bytes, so nobody finds it from its hash.
    pub fn commitment(&self) -> Sha256 {
        self.bytes.expose(commitment)
    }
    /// Its number and its data: a point of the polynomials, as the library has it.
    pub(super) fn point(&self) -> Result<Secret, SecretError> {
        Secret::filled(1 + DATA, |room| {
            room[0] = self.index;
            self.bytes
                .expose(|bytes| room[1..].copy_from_slice(&bytes[BACKUP.end..CHECK]));
            Ok(())
        })
    }
}

fn prefix(digest: Sha256) -> [u8; 4] {
    let [a, b, c, d, ..] = digest.0;
    [a, b, c, d]
}

fn commitment(bytes: &[u8]) -> Sha256 {
    let commitment = hash(bytes);
    wipe_stack();
    commitment
}

/// It keeps what it hashes, all of a share, on the stack; so that this is below the caller, the function is one of its own.
#[inline(never)]
fn hash(bytes: &[u8]) -> Sha256 {
    let hash = sha2::Sha256::new().chain_update(DOMAIN);
    Sha256(hash.chain_update(&bytes[..CHECK]).finalize().into())
}

/// The first bytes of the commitment stand in the share itself, as its check.
fn check(bytes: &[u8]) -> [u8; 4] {
    prefix(commitment(bytes))
}
