//! Private halves as they lie in a backup: keys of software as PKCS#8 (RFC 5958) PEM, keys of tokens as a token wrapped them (AES-KWP, RFC 5649, over
//! PKCS#8). The public half of each is found again from the private one, so that a backup is known to restore the keys that metadata name.

use aes_kw::{KeyInit as _, KwpAes256};
use ed25519_dalek::pkcs8::KeypairBytes;
use p256::pkcs8::der::{Decode as _, Reader as _, SliceReader};
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding, PrivateKeyInfoRef};

use super::Fault;
use crate::secret::{Secret, SecretError};
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, KeyId, PublicKey};

/// Bytes of a wrap key: AES-256.
pub const WRAP_KEY: usize = 32;

/// What is public of a key in a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicHalf {
    /// As metadata name it.
    pub keyid: KeyId,
    /// The roles that it signs.
    pub roles: Vec<String>,
    /// The key.
    pub public: PublicKey,
}

/// A key of software: one that a server signs with.
pub struct OnlineKey {
    pub(super) half: PublicHalf,
    pub(super) pem: Secret,
}

/// A key that a token let out under a wrap key, on purpose.
pub struct WrappedKey {
    pub(super) half: PublicHalf,
    pub(super) blob: Vec<u8>,
}

/// Keys of tokens, and the wrap key that opens them.
pub struct Wrapped {
    /// The keys.
    pub keys: Vec<WrappedKey>,
    /// The 32 bytes of the AES-256 key under which each was wrapped.
    pub wrap_key: Secret,
}

impl OnlineKey {
    /// Of the private number: 32 bytes for Ed25519 and P-256, 48 for P-384.
    ///
    /// # Errors
    /// `BACKUP-KEY`; no memory for secrets.
    pub fn new(half: PublicHalf, private: &Secret) -> Result<Self, Fault> {
        let pem = private.expose(|private| pem(half.public.algorithm(), private));
        let pem = pem.ok_or_else(|| {
            let text = "its private half is no number of an Ed25519, P-256 or P-384 key. Only such keys of software are backed up";
            Finding::error("BACKUP-KEY", &half.keyid.0, text)
        })??;
        Ok(Self { half, pem })
    }
    /// What is public of it.
    pub fn half(&self) -> &PublicHalf {
        &self.half
    }
    /// The private half as PKCS#8 PEM, as other programs read it.
    pub fn pem(&self) -> &Secret {
        &self.pem
    }
    /// Whether the private half is that of the public one.
    pub(super) fn check(&self) -> Option<Finding> {
        let found = self.pem.expose(|pem| {
            let pem = str::from_utf8(pem).ok()?;
            match self.half.public.algorithm()? {
                Algorithm::Ed25519 => ed25519(KeypairBytes::from_pkcs8_pem(pem).ok()?),
                Algorithm::EcdsaP256 => Some(p256(&p256::SecretKey::from_pkcs8_pem(pem).ok()?)),
                Algorithm::EcdsaP384 => Some(p384(&p384::SecretKey::from_pkcs8_pem(pem).ok()?)),
                Algorithm::RsaPss => None,
            }
        });
        self.half.compared(found)
    }
}

impl WrappedKey {
    /// Of what the token gave.
    pub fn new(half: PublicHalf, blob: Vec<u8>) -> Self {
        Self { half, blob }
    }
    /// What is public of it.
    pub fn half(&self) -> &PublicHalf {
        &self.half
    }
    /// The private half under the wrap key, as a token takes it.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }
    fn check(&self, wrap_key: &Secret) -> Result<Option<Finding>, SecretError> {
        let Some(der) = unwrapped(&self.blob, wrap_key)? else {
            let text = "the wrap key of this backup does not open it: it was damaged, or wrapped under another key. Wrap the key again and make another backup";
            return Ok(Some(Finding::error("BACKUP-KEY", &self.half.keyid.0, text)));
        };
        let found = der.expose(|der| public_half(self.half.public.algorithm()?, der));
        Ok(self.half.compared(found))
    }
}

impl Wrapped {
    pub(super) fn check(&self) -> Result<Vec<Finding>, SecretError> {
        let checked = self.keys.iter().map(|key| key.check(&self.wrap_key));
        checked.filter_map(Result::transpose).collect()
    }
}

impl PublicHalf {
    fn compared(&self, found: Option<PublicKey>) -> Option<Finding> {
        let text = match found {
            Some(found) if found == self.public => return None,
            Some(found) => format!(
                "the private half in the backup is of another key, {}, and not of {}. Nothing that it signs will be trusted: do not rely on this backup",
                found.fingerprint(),
                self.public.fingerprint()
            ),
            None => "the private half in the backup is no PKCS#8 of an Ed25519, P-256 or P-384 key as the public half is. Do not rely on this backup".to_owned(),
        };
        Some(Finding::error("BACKUP-KEY", &self.keyid.0, text))
    }
}

/// PKCS#8 as OpenSSL reads it too: for Ed25519 of version 1, without the public half.
fn pem(algorithm: Option<Algorithm>, private: &[u8]) -> Option<Result<Secret, SecretError>> {
    let pem = match algorithm? {
        Algorithm::Ed25519 => {
            let pair = KeypairBytes {
                secret_key: private.try_into().ok()?,
                public_key: None,
            };
            pair.to_pkcs8_pem(LineEnding::LF).ok()?
        }
        Algorithm::EcdsaP256 => {
            let key = p256::SecretKey::from_slice(private).ok()?;
            key.to_pkcs8_pem(LineEnding::LF).ok()?
        }
        Algorithm::EcdsaP384 => {
            let key = p384::SecretKey::from_slice(private).ok()?;
            key.to_pkcs8_pem(LineEnding::LF).ok()?
        }
        Algorithm::RsaPss => return None,
    };
    Some(Secret::filled(pem.len(), |room| {
        room.copy_from_slice(pem.as_bytes());
        Ok(())
    }))
}

/// What was wrapped, or None where the wrap key does not open it.
fn unwrapped(blob: &[u8], wrap_key: &Secret) -> Result<Option<Secret>, SecretError> {
    let Ok(cipher) = wrap_key.expose(KwpAes256::new_from_slice) else {
        return Ok(None);
    };
    let mut length = None;
    let room = blob.len().saturating_sub(aes_kw::IV_LEN);
    let mut opened = Secret::filled(room, |room| {
        length = cipher.unwrap_key(blob, room).ok().map(<[u8]>::len);
        Ok::<(), SecretError>(())
    })?;
    let Some(length) = length else {
        return Ok(None);
    };
    while opened.len() > length {
        opened.pop();
    }
    Ok(Some(opened))
}

/// The public half of PKCS#8 as tokens wrap it.
fn public_half(algorithm: Algorithm, der: &[u8]) -> Option<PublicKey> {
    let mut reader = SliceReader::new(der).ok()?;
    let info = PrivateKeyInfoRef::decode(&mut reader).ok()?;
    // SoftHSM 2.6 fills PKCS#8 up with zeros to whole blocks before it wraps it.
    let filling = reader.read_slice(reader.remaining_len()).ok()?;
    if filling.len() >= aes_kw::IV_LEN || filling.iter().any(|byte| *byte != 0) {
        return None;
    }
    match algorithm {
        Algorithm::Ed25519 => ed25519(KeypairBytes::try_from(info).ok()?),
        Algorithm::EcdsaP256 => Some(p256(&p256::SecretKey::try_from(info).ok()?)),
        Algorithm::EcdsaP384 => Some(p384(&p384::SecretKey::try_from(info).ok()?)),
        Algorithm::RsaPss => None,
    }
}

fn ed25519(pair: KeypairBytes) -> Option<PublicKey> {
    let key = ed25519_dalek::SigningKey::try_from(pair).ok()?;
    Some(PublicKey::Ed25519(key.verifying_key().to_bytes()))
}

fn p256(key: &p256::SecretKey) -> PublicKey {
    PublicKey::P256(key.public_key().to_sec1_bytes().into_vec())
}

fn p384(key: &p384::SecretKey) -> PublicKey {
    PublicKey::P384(key.public_key().to_sec1_bytes().into_vec())
}
