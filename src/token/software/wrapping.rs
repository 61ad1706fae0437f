//! Keys of software wrapped as tokens wrap theirs: PKCS#8 (RFC 5208) under AES key wrap with padding (RFC 5649).

use aes_kw::{IV_LEN, KeyInit as _, KwpAes256};
use ed25519_dalek::pkcs8::KeypairBytes;
use p256::pkcs8::der::{Decode as _, Reader as _, SliceReader};
use p256::pkcs8::{EncodePrivateKey as _, PrivateKeyInfoRef, SecretDocument};

use super::{SoftwareKey, no_secret, public_half};
use crate::ceremony::port::{TokenError, TokenFault};
use crate::secret::{Secret, SecretError};
use crate::token::failure;
use crate::tuf::key::{Algorithm, PublicKey};

/// The private half of `key` under a wrap key of 32 bytes.
pub(super) fn wrapped(
    key: &SoftwareKey,
    wrap_key: &Secret,
    attempted: &str,
) -> Result<Vec<u8>, TokenError> {
    let wrapped = pkcs8_of(key).and_then(|plain| {
        let plain = plain.as_bytes();
        let mut wrapped = vec![0; plain.len().next_multiple_of(IV_LEN) + IV_LEN];
        let cipher = wrap_key.expose(KwpAes256::new_from_slice).ok()?;
        cipher.wrap_key(plain, &mut wrapped).ok()?;
        Some(wrapped)
    });
    wrapped.ok_or_else(|| failure(attempted, "the key cannot be wrapped", TokenFault::Other))
}

/// The key in a wrapped one, if it is the private half of `public`.
pub(super) fn unwrapped(
    wrapped: &[u8],
    wrap_key: &Secret,
    public: &PublicKey,
    attempted: &str,
) -> Result<SoftwareKey, TokenError> {
    let refused = |said| failure(attempted, said, TokenFault::Other);
    let plain = opened(wrapped, wrap_key).map_err(|error| no_secret(attempted, &error))?;
    let plain = plain
        .ok_or_else(|| refused("the wrapped key is damaged, or was wrapped under another key"))?;
    let private = plain.expose(|plain| private_in(plain, public));
    let mut private = private
        .ok_or_else(|| refused("what was wrapped is not the private half of this public key"))?;
    Ok(SoftwareKey {
        public: public.clone(),
        private: Secret::take(&mut private).map_err(|error| no_secret(attempted, &error))?,
    })
}

/// What was wrapped; none where the wrap key does not open it.
fn opened(wrapped: &[u8], wrap_key: &Secret) -> Result<Option<Secret>, SecretError> {
    // The shortest has one block in it.
    let room = wrapped.len().checked_sub(IV_LEN).filter(|room| *room > 0);
    let cipher = wrap_key.expose(KwpAes256::new_from_slice).ok();
    let Some((room, cipher)) = room.zip(cipher) else {
        return Ok(None);
    };
    let mut length = None;
    let mut plain = Secret::filled(room, |plain| {
        length = cipher.unwrap_key(wrapped, plain).ok().map(<[u8]>::len);
        Ok::<(), SecretError>(())
    })?;
    Ok(length.map(|length| {
        (length..room).for_each(|_| plain.pop());
        plain
    }))
}

fn private_in(plain: &[u8], public: &PublicKey) -> Option<Vec<u8>> {
    let algorithm = public.algorithm()?;
    let mut reader = SliceReader::new(plain).ok()?;
    let info = PrivateKeyInfoRef::decode(&mut reader).ok()?;
    // SoftHSM 2.6 fills PKCS#8 up with zeros to whole blocks before it wraps it.
    let filling = reader.read_slice(reader.remaining_len()).ok()?;
    if filling.len() >= IV_LEN || filling.iter().any(|byte| *byte != 0) {
        return None;
    }
    let private = match algorithm {
        Algorithm::Ed25519 => KeypairBytes::try_from(info).ok()?.secret_key.to_vec(),
        Algorithm::EcdsaP256 => p256::SecretKey::try_from(info).ok()?.to_bytes().to_vec(),
        Algorithm::EcdsaP384 => p384::SecretKey::try_from(info).ok()?.to_bytes().to_vec(),
        Algorithm::RsaPss => return None,
    };
    (public_half(algorithm, &private).as_ref() == Some(public)).then_some(private)
}

fn pkcs8_of(key: &SoftwareKey) -> Option<SecretDocument> {
    key.private.expose(|private| match &key.public {
        PublicKey::Ed25519(_) => {
            let pair = KeypairBytes {
                secret_key: private.try_into().ok()?,
                public_key: None,
            };
            pair.to_pkcs8_der().ok()
        }
        PublicKey::P256(_) => p256::SecretKey::from_slice(private)
            .ok()?
            .to_pkcs8_der()
            .ok(),
        PublicKey::P384(_) => p384::SecretKey::from_slice(private)
            .ok()?
            .to_pkcs8_der()
            .ok(),
        PublicKey::Rsa(_) | PublicKey::Opaque(_) => None,
    })
}
