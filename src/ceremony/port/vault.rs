//! What backs up and restores: secrets stay behind this port, in locked memory. A ceremony learns digests, counts and public keys.

use std::collections::BTreeMap;

use super::{TokenError, TokenFault, TokenId, TokenKey, WorldError};
use crate::ceremony::challenge::Challenge;
use crate::ceremony::event::{BackedUp, Drilled, FileDigest, Sealed};
use crate::ceremony::script::Backup;
use crate::secret::{Secret, SecretError};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, KeyId, PublicKey};

/// Holds what is backed up and what was opened, until it is told to forget. A world without backups refuses.
pub trait Vault {
    /// Makes an online key of software.
    ///
    /// # Errors
    /// No locked memory, no randomness.
    fn make_online(&mut self, _algorithm: Algorithm) -> Result<PublicKey, TokenError> {
        Err(none())
    }
    /// Whether the private half of an online key that was made here is in memory.
    fn has_online(&self, _key: &PublicKey) -> bool {
        false
    }
    /// Forgets an earlier attempt and makes a new wrapping key. Refuses recipients that nobody in this room can open, and custodians without media.
    ///
    /// # Errors
    /// `BACKUP-RECIPIENT`, `BACKUP-MEDIUM`, no locked memory.
    fn begin_backup(&mut self, _backup: &Backup) -> Result<(), VaultError> {
        Err(none().into())
    }
    /// Has a token give a key away under the wrapping key; gives the blob's digest. The token is logged out afterwards.
    ///
    /// # Errors
    /// What the token said; a PIN is tried once.
    fn wrap(
        &mut self,
        _token: &TokenId,
        _key: &TokenKey,
        _so_pin: &Secret,
        _pin: &Secret,
    ) -> Result<Sha256, TokenError> {
        Err(none())
    }
    /// Seals everything and the export for the infrastructure, writes both to their media, reads them back, and deals the shares.
    ///
    /// # Errors
    /// What the disk said.
    fn seal(&mut self, _order: SealOrder<'_>) -> Result<Sealed, VaultError> {
        Err(none().into())
    }
    /// A share as words, for its custodian's eyes; `index` is from 1.
    ///
    /// # Errors
    /// There is none.
    fn share(&mut self, _index: u8) -> Result<Secret, VaultError> {
        Err(none().into())
    }
    /// Takes a share as it was typed from `custodian`'s paper; gives its number. Of a share that was dealt here it must be the one.
    ///
    /// # Errors
    /// `SHARE-*`.
    fn take_share(&mut self, _custodian: &str, _typed: &Secret) -> Result<u8, Vec<Finding>> {
        Err(vec![Finding::error("SHARE-FOREIGN", "", NONE)])
    }
    /// Whether shares that are dealt go to a printer instead of the screen.
    fn prints(&self) -> bool {
        false
    }
    /// Sends a share to the printer, from locked memory, for `custodian` to take.
    ///
    /// # Errors
    /// `BACKUP-PRINTER`, what the printer said.
    fn print_share(&mut self, _index: u8, _custodian: &str) -> Result<(), VaultError> {
        Err(none().into())
    }
    /// Identities whose plugin may want a PIN that was not given: of a custodian, or of the infrastructure. Each by the name of its file.
    fn locked(&self, _custodian: Option<&str>) -> Vec<String> {
        Vec::new()
    }
    /// The PIN for the identity in this file: for what is done next with it, and forgotten when that fails.
    fn unlock(&mut self, _identity: &str, _pin: Secret) {}
    /// Whether this custodian keeps a share sealed on a medium of the custodian's own.
    fn has_medium(&self, _custodian: &str) -> bool {
        false
    }
    /// Seals a share to its custodian's recipient and writes it to the custodian's medium.
    ///
    /// # Errors
    /// `BACKUP-RECIPIENT` where the identity that is here does not open it, `BACKUP-MEDIUM`, what the disk said.
    fn seal_share(
        &mut self,
        _index: u8,
        _custodian: &str,
        _recipient: &str,
    ) -> Result<(), VaultError> {
        Err(none().into())
    }
    /// Opens the share on a custodian's medium with the custodian's identity, and takes it as [`Self::take_share`] does; gives its number and the file.
    ///
    /// # Errors
    /// `BACKUP-SEAL`, `SHARE-*`, what the disk said.
    fn take_sealed(&mut self, _custodian: &str) -> Result<(u8, FileDigest), VaultError> {
        Err(none().into())
    }
    /// Reads a backup that was carried in: its shares are to be taken next.
    ///
    /// # Errors
    /// `BACKUP-FILE` where it is another, `SHARE-RECORD`, what the disk said.
    fn open_backup(&mut self, _sha256: Sha256) -> Result<Sealed, VaultError> {
        Err(none().into())
    }
    /// Tries every group of the shares taken on the file as it lies on its medium, and compares every key in it with its public half. What a backup that was
    /// carried in holds stays open until it is forgotten.
    ///
    /// # Errors
    /// `SHARE-*`, `BACKUP-*`.
    fn drill(&mut self) -> Result<(Drilled, Vec<OpenedKey>), VaultError> {
        Err(none().into())
    }
    /// Has a token unwrap a key for one signature over a challenge; nothing stays on it.
    ///
    /// # Errors
    /// What the token said.
    fn sign_wrapped(
        &mut self,
        _token: &TokenId,
        _key: &KeyId,
        _challenge: &Challenge,
    ) -> Result<Vec<u8>, TokenError> {
        Err(none())
    }
    /// Brings a key to a token, where it stays.
    ///
    /// # Errors
    /// What the token said.
    fn restore(
        &mut self,
        _token: &TokenId,
        _key: &KeyId,
        _label: &str,
    ) -> Result<TokenKey, TokenError> {
        Err(none())
    }
    /// Writes an online key to the room's medium for restored keys.
    ///
    /// # Errors
    /// What the disk said.
    fn restore_file(&mut self, _key: &KeyId) -> Result<FileDigest, VaultError> {
        Err(none().into())
    }
    /// Whether a backup was opened and not forgotten since.
    fn is_open(&self) -> bool {
        false
    }
    /// Wipes everything.
    fn forget(&mut self) {}
}

const NONE: &str = "this room keeps no backups";

fn none() -> TokenError {
    TokenError {
        attempted: "reach the backup".to_owned(),
        said: NONE.to_owned(),
        fault: TokenFault::Unsupported,
        may_have_signed: false,
    }
}

/// What is sealed.
pub struct SealOrder<'a> {
    /// So many shares open it.
    pub needed: u8,
    /// Of so many.
    pub of: u8,
    /// The keys, each with its public half.
    pub keys: &'a [(BackedUp, PublicKey)],
    /// Whether the files are text (armored) instead of bytes.
    pub armored: bool,
    /// Recipients of the export for the infrastructure.
    pub infrastructure: &'a [String],
    /// What is in it beside keys, by path: `metadata/` goes into both, the rest into the backup of everything.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A key that lies in a backup, its private half compared with its public one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedKey {
    /// Its keyid in metadata.
    pub keyid: KeyId,
    /// The roles that it signs, as the backup says.
    pub roles: Vec<String>,
    /// Its public half.
    pub public: PublicKey,
}

/// Why a vault did not do it.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Refused by rules.
    #[error("refused: {}", .0.iter().map(|finding| format!("{}: {}", finding.rule, finding.text)).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Finding>),
    /// The disk failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Memory or randomness failed.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl From<SecretError> for VaultError {
    fn from(fault: SecretError) -> Self {
        Self::Token(TokenError {
            attempted: "keep a secret".to_owned(),
            said: fault.to_string(),
            fault: TokenFault::Other,
            may_have_signed: false,
        })
    }
}

impl From<Finding> for VaultError {
    fn from(finding: Finding) -> Self {
        Self::Refused(vec![finding])
    }
}
