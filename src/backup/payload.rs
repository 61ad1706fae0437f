//! What a backup holds, in two types: [`Everything`] restores the repository and is sealed to custodians; [`Infrastructure`] is for the people who run
//! the servers, and a key of a token cannot be put into it, wrapped or not:
//!
//! ```compile_fail,E0308
//! use tuf_ceremony::backup::{Infrastructure, WrappedKey};
//! fn put(into: &mut Infrastructure, key: WrappedKey) {
//!     into.online.push(key);
//! }
//! ```
//! ```compile_fail,E0609
//! use tuf_ceremony::backup::{Infrastructure, Wrapped};
//! fn put(into: &mut Infrastructure, keys: Wrapped) {
//!     into.wrapped = Some(keys);
//! }
//! ```

use std::collections::BTreeMap;
use std::io::{Read, Write};

use archive::Reader;
use manifest::Manifest;

use super::Fault;
use super::keys::{OnlineKey, PublicHalf, Wrapped, WrappedKey};
use crate::ceremony::event::Mode;
use crate::secret::{Secret, SecretError, wipe_stack};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

mod archive;
mod manifest;
#[cfg(test)]
mod tests;

/// Where a backup comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The ceremony's id.
    pub ceremony: Sha256,
    /// Rehearsal or production.
    pub mode: Mode,
    /// When it was made; whole seconds are kept.
    pub time: jiff::Timestamp,
}

/// Metadata and online keys.
pub struct Infrastructure {
    /// Where it comes from.
    pub about: About,
    /// Public files, by their path in the backup.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Keys that servers sign with.
    pub online: Vec<OnlineKey>,
}

/// All that restores the repository.
pub struct Everything {
    /// What the infrastructure has too.
    pub infrastructure: Infrastructure,
    /// Keys that tokens let out, if any did.
    pub wrapped: Option<Wrapped>,
}

impl Infrastructure {
    /// Whether each private half is that of its public half.
    pub fn check(&self) -> Vec<Finding> {
        let findings = self.online.iter().filter_map(OnlineKey::check).collect();
        wipe_stack();
        findings
    }
    pub(super) fn payload(&self) -> Payload<'_> {
        Payload {
            infrastructure: self,
            wrapped: None,
        }
    }
}

impl Everything {
    /// Whether each private half is that of its public half; for a wrapped one, whether the wrap key opens it.
    ///
    /// # Errors
    /// No memory for secrets.
    pub fn check(&self) -> Result<Vec<Finding>, SecretError> {
        let mut findings = self.infrastructure.check();
        if let Some(wrapped) = &self.wrapped {
            findings.extend(wrapped.check()?);
            wipe_stack();
        }
        Ok(findings)
    }
    /// What is public of all its keys, first those of software.
    pub fn keys(&self) -> impl Iterator<Item = &PublicHalf> {
        let wrapped = self.wrapped.iter().flat_map(|wrapped| &wrapped.keys);
        let online = self.infrastructure.online.iter();
        online
            .map(|key| &key.half)
            .chain(wrapped.map(|key| &key.half))
    }
    pub(super) fn payload(&self) -> Payload<'_> {
        Payload {
            infrastructure: &self.infrastructure,
            wrapped: self.wrapped.as_ref(),
        }
    }
}

/// Either of them, to be written.
pub(super) struct Payload<'a> {
    pub(super) infrastructure: &'a Infrastructure,
    pub(super) wrapped: Option<&'a Wrapped>,
}

impl Payload<'_> {
    /// Writes it: the manifest, secrets, public files.
    pub(super) fn write(&self, out: &mut impl Write) -> Result<(), Fault> {
        let members = self.members();
        let manifest = Manifest::of(self, &members)?.to_vec();
        let manifest = (manifest::NAME.to_owned(), Content::Public(&manifest));
        archive::write(out, [manifest].into_iter().chain(members))
    }

    /// All but the manifest, in order.
    fn members(&self) -> Vec<(String, Content<'_>)> {
        let Infrastructure { online, files, .. } = self.infrastructure;
        let online = online
            .iter()
            .map(|key| (manifest::online(&key.half.keyid), Content::Secret(&key.pem)));
        let wrapped = self.wrapped.iter().flat_map(|wrapped| {
            let keys = wrapped.keys.iter();
            let keys = keys.map(|key| {
                let path = manifest::wrapped(&key.half.keyid);
                (path, Content::Public(&key.blob))
            });
            let wrap_key = Content::Secret(&wrapped.wrap_key);
            keys.chain([(manifest::WRAP_KEY.to_owned(), wrap_key)])
        });
        let files = files
            .iter()
            .map(|(path, bytes)| (path.clone(), Content::Public(bytes)));
        online.chain(wrapped).chain(files).collect()
    }
}

/// What a member holds.
#[derive(Clone, Copy)]
enum Content<'a> {
    Secret(&'a Secret),
    Public(&'a [u8]),
}

impl Content<'_> {
    fn expose<T>(self, use_: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Secret(secret) => secret.expose(use_),
            Self::Public(bytes) => use_(bytes),
        }
    }
}

/// Reads one strictly: it is what [`Payload::write`] writes, byte for byte, or it is refused. Of a stream that was verified to its end before.
pub(super) fn read(stream: impl Read) -> Result<Everything, Fault> {
    let mut reader = Reader::new(stream);
    let manifest = Manifest::parse(&reader.manifest()?)?;
    let mut online = Vec::new();
    let mut keys = Vec::new();
    for (file, half, is_wrapped) in manifest.keys()? {
        if is_wrapped {
            let blob = reader.public(file)?;
            keys.push(WrappedKey { half, blob });
        } else {
            let pem = reader.secret(file)?;
            online.push(OnlineKey { half, pem });
        }
    }
    let wrap_key = manifest.wrap_key().map(|file| reader.secret(file));
    let wrapped = wrap_key.transpose()?;
    let wrapped = wrapped.map(|wrap_key| Wrapped { keys, wrap_key });
    let mut files = BTreeMap::new();
    for file in manifest.public() {
        files.insert(file.path.clone(), reader.public(file)?);
    }
    reader.end()?;
    let about = manifest.about()?;
    Ok(Everything {
        infrastructure: Infrastructure {
            about,
            files,
            online,
        },
        wrapped,
    })
}

fn refused(text: impl Into<String>) -> Finding {
    Finding::error("BACKUP-PAYLOAD", "", text)
}
