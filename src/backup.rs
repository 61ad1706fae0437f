//! Backups that several people restore together. A secret of 32 random bytes, that of the age identity to which a backup is sealed, is split among N
//! custodians so that any M of them give it back and fewer learn nothing of it. What lies on paper, byte by byte, and why: decision 0022.
//!
//! It owns the shares, how they are written as words and read again, and what is said of a wrong one *before* any are put together. It refuses to know
//! screens, disks and who the custodians are: the caller names where each share comes from.
//!
//! ```
//! use tuf_ceremony::backup::{Held, Scheme, combine, sheet, split};
//! use tuf_ceremony::secret::Secret;
//! use tuf_ceremony::tuf::digest::Sha256;
//!
//! let backup = Sha256::of(b"the age file");
//! let secret = Secret::random(32)?;
//! let (record, shares) = split(&secret, Scheme::new("script.toml", 2, 3)?, backup)?;
//! let paper = sheet::written(&shares[0])?;
//! let typed = sheet::read("Ada", &paper)?;
//! let held = [Held { from: "Ada", share: &typed }, Held { from: "Grace", share: &shares[2] }];
//! let restored = combine(backup, Some(&record), &held)?;
//! assert!(secret.expose(|secret| restored.expose(|restored| secret == restored)));
//! # Ok::<(), tuf_ceremony::backup::Fault>(())
//! ```

use std::fmt;

use crate::secret::{Secret, SecretError};
use crate::tuf::finding::Finding;

mod age_file;
mod drill;
mod identities;
mod keys;
mod payload;
mod recipients;
mod record;
mod seal;
mod set;
mod share;
pub mod sheet;
#[cfg(test)]
mod tests;

pub use age_file::plaintext;
pub use drill::{Drill, drill};
pub use identities::Identities;
pub use keys::{OnlineKey, PublicHalf, WRAP_KEY, Wrapped, WrappedKey};
pub use payload::{About, Everything, Infrastructure};
pub use recipients::{Recipient, proves};
pub use record::Record;
pub use seal::{
    SealedSet, open, open_share, open_shared, passphrase, seal_passphrase, seal_share, seal_shared,
    seal_to,
};
pub use set::{Held, combine, judge, split, subsets};
pub use share::{LENGTH, Scheme, Share};

/// Why there is no share, no set or no secret. Nothing in it can print a secret.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Refused by rules; each finding names where its share came from.
    #[error("refused: {}", .0.iter().map(|finding| format!("{}: {}", finding.file, finding.text)).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Finding>),
    /// A share was mistyped: where, and, where the checks tell it, what should stand there.
    #[error("mistyped: {}: {}", .0.file, .0.text)]
    Mistyped(Finding, Option<Hint>),
    /// No memory for secrets.
    #[error(transparent)]
    Memory(#[from] SecretError),
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        Self::Refused(vec![finding])
    }
}

/// Words that should probably stand where others were typed. They are part of the share: only a page that no camera sees may show them.
pub struct Hint(Secret);

impl Hint {
    /// Lends lines such as `line 3, word 5: Istanbul`.
    pub fn expose<T>(&self, use_: impl FnOnce(&[u8]) -> T) -> T {
        self.0.expose(use_)
    }
}

impl fmt::Debug for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hint")
    }
}
