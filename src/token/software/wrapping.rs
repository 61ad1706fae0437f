//! Keys of software wrapped as tokens wrap theirs: PKCS#8 (RFC 5208) under AES key wrap with padding (RFC 5649). What is between the two is in locked memory
//! only.

use aes_kw::{KeyInit as _, KwpAes256};
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{AnyRef, Decode as _, Encode};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use sec1::EcPrivateKey;

use super::{SoftwareKey, no_secret, public_half};
use crate::ceremony::port::{TokenError, TokenFault};
use crate::secret::{Secret, SecretError};
use crate::token::failure;
use crate::tuf::key::{Algorithm, PublicKey};

/// RFC 8410, 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 5480, 2.1.1.
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Bytes by which a wrapped key is longer than what is in it, and of which it has a multiple.
const BLOCK: usize = 8;

/// Why something was not wrapped or unwrapped.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Secret(#[from] SecretError),
    #[error("the key cannot be written as PKCS#8")]
    Form,
    #[error("the wrapped key is damaged, or was wrapped under another key")]
    Wrapped,
    #[error("what is in the wrapped key is no private half of this key")]
    Other,
}

impl From<pkcs8::der::Error> for Fault {
    fn from(_: pkcs8::der::Error) -> Self {
        Self::Form
    }
}

/// The private half of `key` under a wrap key of 32 bytes.
pub(super) fn wrapped(
    key: &SoftwareKey,
    wrap_key: &Secret,
    attempted: &str,
) -> Result<Vec<u8>, TokenError> {
    let wrapped = pkcs8_of(key).and_then(|plain| {
        let mut wrapped = vec![0; plain.len().next_multiple_of(BLOCK) + BLOCK];
        let done = wrap_key.expose(|wrap_key| {
            let cipher = KwpAes256::new_from_slice(wrap_key).ok()?;
            plain.expose(|plain| cipher.wrap_key(plain, &mut wrapped).ok().map(drop))
        });
        done.map(|()| wrapped).ok_or(Fault::Form)
    });
    wrapped.map_err(|fault| told(fault, attempted))
}

/// The key in a wrapped one, if it is the private half of `public`.
pub(super) fn unwrapped(
    wrapped: &[u8],
    wrap_key: &Secret,
    public: &PublicKey,
    attempted: &str,
) -> Result<SoftwareKey, TokenError> {
    let key = plain_of(wrapped, wrap_key).and_then(|plain| key_in(&plain, public));
    key.map_err(|fault| told(fault, attempted))
}

fn told(fault: Fault, attempted: &str) -> TokenError {
    match fault {
        Fault::Secret(error) => no_secret(attempted, &error),
        fault => failure(attempted, fault.to_string(), TokenFault::Other),
    }
}

fn plain_of(wrapped: &[u8], wrap_key: &Secret) -> Result<Secret, Fault> {
    // The shortest has one block of plain text.
    let room = wrapped.len().checked_sub(BLOCK).filter(|room| *room > 0);
    let room = room.ok_or(Fault::Wrapped)?;
    let mut length = 0;
    let mut plain = Secret::filled(room, |plain| {
        wrap_key.expose(|wrap_key| {
            let cipher = KwpAes256::new_from_slice(wrap_key).map_err(|_| Fault::Wrapped)?;
            let unwrapped = cipher.unwrap_key(wrapped, plain);
            length = unwrapped.map_err(|_| Fault::Wrapped)?.len();
            Ok::<(), Fault>(())
        })
    })?;
    (length..room).for_each(|_| plain.pop());
    Ok(plain)
}

fn key_in(plain: &Secret, public: &PublicKey) -> Result<SoftwareKey, Fault> {
    let algorithm = public.algorithm().ok_or(Fault::Other)?;
    plain.expose(|plain| {
        let info = PrivateKeyInfoRef::from_der(plain).map_err(|_| Fault::Other)?;
        let inner = info.private_key.as_bytes();
        let private = match algorithm {
            Algorithm::Ed25519 => <&OctetStringRef>::from_der(inner).map(OctetStringRef::as_bytes),
            Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => {
                EcPrivateKey::from_der(inner).map(|key| key.private_key)
            }
            Algorithm::RsaPss => return Err(Fault::Other),
        };
        let private = private.map_err(|_| Fault::Other)?;
        // The algorithm that is named needs no look of its own: the number is this key's private half or it is not.
        if public_half(algorithm, private).as_ref() != Some(public) {
            return Err(Fault::Other);
        }
        Ok(SoftwareKey {
            public: public.clone(),
            private: Secret::filled(private.len(), |room| {
                room.copy_from_slice(private);
                Ok::<(), Fault>(())
            })?,
        })
    })
}

fn pkcs8_of(key: &SoftwareKey) -> Result<Secret, Fault> {
    let (oid, curve, point) = match &key.public {
        PublicKey::Ed25519(_) => (ED25519, None, None),
        PublicKey::P256(point) => (sec1::ALGORITHM_OID, Some(P256), Some(&point[..])),
        PublicKey::P384(point) => (sec1::ALGORITHM_OID, Some(P384), Some(&point[..])),
        PublicKey::Rsa(_) | PublicKey::Opaque(_) => return Err(Fault::Form),
    };
    let inner = key.private.expose(|private| match point {
        None => encoded(&OctetStringRef::new(private)?),
        Some(point) => encoded(&EcPrivateKey {
            private_key: private,
            parameters: None,
            public_key: Some(point),
        }),
    })?;
    inner.expose(|inner| {
        let algorithm = AlgorithmIdentifierRef {
            oid,
            parameters: curve.as_ref().map(AnyRef::from),
        };
        encoded(&PrivateKeyInfoRef::new(
            algorithm,
            OctetStringRef::new(inner)?,
        ))
    })
}

/// DER, straight into locked memory.
fn encoded(value: &impl Encode) -> Result<Secret, Fault> {
    let length = usize::try_from(value.encoded_len()?).map_err(|_| Fault::Form)?;
    Secret::filled(length, |room| {
        value.encode_to_slice(room)?;
        Ok(())
    })
}
