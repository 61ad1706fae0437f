//! Backups, as events say of them. Nothing here opens one.

use serde::{Deserialize, Serialize};

use super::{FileDigest, TokenIdentity};
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// What a backup holds of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// An online key's private half.
    Online,
    /// A token's key as a blob under the wrapping key, which is in the backup too.
    Wrapped,
}

/// A key in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackedUp {
    /// Its keyid in metadata.
    pub keyid: KeyId,
    /// Whose: a holder, or an online key's name.
    pub of: String,
    /// The roles that it signs.
    pub roles: Vec<String>,
    /// What is kept of it.
    pub kept: Kept,
}

/// A backup begins, anew if one was begun before: what that one sealed opens with nothing that is handed out from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupBegun {
    /// So many custodians open it together.
    pub needed: u8,
    /// Who get shares, in the order of the shares.
    pub custodians: Vec<String>,
    /// Whose identities open the export for the infrastructure.
    pub infrastructure: Vec<String>,
    /// The keys in it.
    pub keys: Vec<BackedUp>,
}

/// A token gave a key away as a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyWrapped {
    /// Whose.
    pub holder: String,
    /// The key.
    pub keyid: KeyId,
    /// From which token.
    pub token: TokenIdentity,
    /// SHA-256 of the blob.
    pub wrapped: Sha256,
}

/// The files are written and were read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The backup of everything, for the custodians.
    pub everything: FileDigest,
    /// The public record of its shares.
    pub shares: FileDigest,
    /// The export for the infrastructure, where there is one.
    pub infrastructure: Option<FileDigest>,
}

/// A custodian's share was typed from the paper, or opened on the custodian's medium, and is the one that was dealt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareRead {
    /// Whose.
    pub custodian: String,
    /// Its number, from 1.
    pub index: u8,
    /// The file on the custodian's medium; none: it was typed from paper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<FileDigest>,
}

/// A blob was brought to another token, which signed a challenge with what was in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobProven {
    /// The key.
    pub keyid: KeyId,
    /// Which token.
    pub token: TokenIdentity,
    /// 32 random bytes, in hexadecimal: the challenge follows from them, the ceremony id and the keyid.
    pub nonce: String,
    /// Hexadecimal, in TUF's form.
    pub sig: String,
}

/// Every group of shares was tried on the file as it lies on the medium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drilled {
    /// SHA-256 of the file.
    pub everything: Sha256,
    /// So many groups of as many shares as are needed opened it: all.
    pub opened: u32,
    /// So many groups of one share less did not: all.
    pub refused: u32,
    /// The keys whose private halves were opened and gave the public halves that metadata lists.
    pub keys: Vec<KeyId>,
}

/// A key of the backup was brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// The key.
    pub keyid: KeyId,
    /// To this token, where it stays; none: into a file.
    pub token: Option<TokenIdentity>,
    /// Into this file; none: to a token.
    pub file: Option<FileDigest>,
}
