//! Keys of software, in locked memory: ephemeral keys that sign once and are wiped, and tokens that are none, for rehearsals and tests.
//!
//! The private half is a [`Secret`] from the kernel's generator. It leaves this room wrapped, or as a throwaway key's [`EphemeralKeys::private`], and in no
//! other way. While it signs, the signing crates hold copies on the stack, of which they wipe some; what they left is overwritten here. ECDSA is deterministic
//! (RFC 6979), so no signature depends on good random numbers.

use std::collections::BTreeMap;

use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;

use super::failure;
use crate::ceremony::port::{TokenError, TokenFault};
use crate::secret::{Secret, SecretError, wipe_stack};
use crate::tuf::key::{Algorithm, Message, PublicKey};

mod module;
mod wrapping;

pub use module::SoftwareModule;

/// Throwaway keys: they live until [`EphemeralKeys::destroy`] or the end of the program, whichever is first.
#[derive(Default)]
pub struct EphemeralKeys {
    keys: BTreeMap<PublicKey, SoftwareKey>,
}

impl EphemeralKeys {
    /// One new key for each algorithm, in order. Where one cannot be made none is kept.
    ///
    /// # Errors
    /// RSA ([`TokenFault::Unsupported`]), no locked memory, no randomness.
    pub fn make(&mut self, algorithms: &[Algorithm]) -> Result<Vec<PublicKey>, TokenError> {
        let made = algorithms
            .iter()
            .map(|algorithm| SoftwareKey::generate(*algorithm, "make a throwaway key"))
            .collect::<Result<Vec<_>, _>>()?;
        let public = made.iter().map(|key| key.public.clone()).collect();
        self.keys
            .extend(made.into_iter().map(|key| (key.public.clone(), key)));
        Ok(public)
    }

    /// Signs `payload`; the answer is in TUF's form.
    ///
    /// # Errors
    /// [`TokenFault::KeyAbsent`] where the key was not made here or is destroyed.
    pub fn sign(&self, public: &PublicKey, payload: &[u8]) -> Result<Vec<u8>, TokenError> {
        const ATTEMPTED: &str = "sign with a throwaway key";
        let key = self.keys.get(public).ok_or_else(|| {
            let said = "the key is not in memory: it was destroyed, or the program was started again since it was made";
            failure(ATTEMPTED, said, TokenFault::KeyAbsent)
        })?;
        key.private
            .expose(|private| signature(public, private, payload))
            .ok_or_else(|| failure(ATTEMPTED, "the key cannot sign", TokenFault::Other))
    }

    /// The private half of a key that was made here: the number or seed itself. The one way out, for the room's vault alone, which seals online keys that were
    /// made in a ceremony; it is never printed, written or sent as it is.
    pub fn private(&self, public: &PublicKey) -> Option<&Secret> {
        self.keys.get(public).map(|key| &key.private)
    }

    /// Wipes all keys.
    pub fn destroy(&mut self) {
        self.keys.clear();
    }
}

/// A key pair whose private half is in locked memory.
struct SoftwareKey {
    public: PublicKey,
    private: Secret,
}

impl SoftwareKey {
    fn generate(algorithm: Algorithm, attempted: &str) -> Result<Self, TokenError> {
        let length = match algorithm {
            Algorithm::Ed25519 | Algorithm::EcdsaP256 => 32,
            Algorithm::EcdsaP384 => 48,
            Algorithm::RsaPss => {
                let said = "keys of software are Ed25519, P-256 or P-384, not RSA";
                return Err(failure(attempted, said, TokenFault::Unsupported));
            }
        };
        loop {
            let private = Secret::random(length).map_err(|error| no_secret(attempted, &error))?;
            // A number that is zero or beyond the order of the curve is no key: draw again (FIPS 186-5, A.2.2).
            if let Some(public) = private.expose(|bytes| public_half(algorithm, bytes)) {
                return Ok(Self { public, private });
            }
        }
    }

    fn sign(&self, message: &Message<'_>, attempted: &str) -> Result<Vec<u8>, TokenError> {
        self.private
            .expose(|private| signed(&self.public, private, message))
            .ok_or_else(|| failure(attempted, "the key cannot sign", TokenFault::Other))
    }
}

/// The public half of a private one; nothing of it is left on the stack.
pub(crate) fn public_half(algorithm: Algorithm, private: &[u8]) -> Option<PublicKey> {
    let public = computed(algorithm, private);
    wipe_stack();
    public
}

#[inline(never)]
fn computed(algorithm: Algorithm, private: &[u8]) -> Option<PublicKey> {
    match algorithm {
        Algorithm::Ed25519 => {
            let key = ed25519_dalek::SigningKey::from_bytes(private.try_into().ok()?);
            Some(PublicKey::Ed25519(key.verifying_key().to_bytes()))
        }
        Algorithm::EcdsaP256 => {
            let key = p256::ecdsa::SigningKey::from_slice(private).ok()?;
            let point = key.verifying_key().to_sec1_point(false);
            Some(PublicKey::P256(point.as_bytes().to_vec()))
        }
        Algorithm::EcdsaP384 => {
            let key = p384::ecdsa::SigningKey::from_slice(private).ok()?;
            let point = key.verifying_key().to_sec1_point(false);
            Some(PublicKey::P384(point.as_bytes().to_vec()))
        }
        Algorithm::RsaPss => None,
    }
}

pub(crate) fn signature(public: &PublicKey, private: &[u8], payload: &[u8]) -> Option<Vec<u8>> {
    let message = Message::of(public.algorithm()?, payload);
    signed(public, private, &message)
}

fn signed(public: &PublicKey, private: &[u8], message: &Message<'_>) -> Option<Vec<u8>> {
    let signature = sign(public, private, message);
    wipe_stack();
    signature
}

#[inline(never)]
fn sign(public: &PublicKey, private: &[u8], message: &Message<'_>) -> Option<Vec<u8>> {
    match public {
        PublicKey::Ed25519(_) => {
            let key = ed25519_dalek::SigningKey::from_bytes(private.try_into().ok()?);
            Some(key.sign(message.bytes()).to_bytes().to_vec())
        }
        PublicKey::P256(_) => {
            let key = p256::ecdsa::SigningKey::from_slice(private).ok()?;
            let signature: p256::ecdsa::Signature = key.sign_prehash(message.bytes()).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        PublicKey::P384(_) => {
            let key = p384::ecdsa::SigningKey::from_slice(private).ok()?;
            let signature: p384::ecdsa::Signature = key.sign_prehash(message.bytes()).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        PublicKey::Rsa(_) | PublicKey::Opaque(_) => None,
    }
}

fn no_secret(attempted: &str, error: &SecretError) -> TokenError {
    failure(attempted, error.to_string(), TokenFault::Other)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use data_encoding::HEXLOWER_PERMISSIVE as HEX;

    use super::{EphemeralKeys, public_half, signature};
    use crate::ceremony::port::TokenFault;
    use crate::tuf::key::Algorithm::{EcdsaP256, EcdsaP384, Ed25519, RsaPss};
    use crate::tuf::key::PublicKey;

    fn hex(text: &str) -> Vec<u8> {
        HEX.decode(text.as_bytes()).unwrap()
    }

    /// RFC 6979, A.2.5 and A.2.6, message "sample" with the hash of the curve; RFC 8032, 7.1, test 2.
    #[test]
    fn signatures_are_those_of_the_published_vectors() {
        let private = hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let der = signature(
            &public_half(EcdsaP256, &private).unwrap(),
            &private,
            b"sample",
        );
        let published = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                         f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
        let expected = p256::ecdsa::Signature::from_slice(&hex(published)).unwrap();
        assert_eq!(der.unwrap(), expected.to_der().as_bytes());

        let private = hex(
            "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8\
                           96d5724e4c70a825f872c9ea60d2edf5",
        );
        let der = signature(
            &public_half(EcdsaP384, &private).unwrap(),
            &private,
            b"sample",
        );
        let published = "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c\
                         81a648152e44acf96e36dd1e80fabe46\
                         99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f\
                         a329c145786e679e7b82c71a38628ac8";
        let expected = p384::ecdsa::Signature::from_slice(&hex(published)).unwrap();
        assert_eq!(der.unwrap(), expected.to_der().as_bytes());

        let private = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let public = public_half(Ed25519, &private).unwrap();
        let PublicKey::Ed25519(point) = &public else {
            panic!("{public:?}")
        };
        assert_eq!(
            HEX.encode(point),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        assert_eq!(
            HEX.encode(&signature(&public, &private, &[0x72]).unwrap()),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }

    #[test]
    fn number_that_is_no_key_of_the_curve_is_not_taken() {
        assert_eq!(public_half(EcdsaP256, &[0; 32]), None);
        assert_eq!(public_half(EcdsaP256, &[0xff; 32]), None);
        assert_eq!(public_half(EcdsaP384, &[0xff; 48]), None);
    }

    #[test]
    fn throwaway_keys_are_distinct_and_in_the_order_asked() {
        let mut keys = EphemeralKeys::default();
        let public = keys
            .make(&[Ed25519, EcdsaP256, EcdsaP384, EcdsaP256])
            .unwrap();
        assert!(matches!(
            &public[..],
            [
                PublicKey::Ed25519(_),
                PublicKey::P256(_),
                PublicKey::P384(_),
                PublicKey::P256(_)
            ]
        ));
        assert_ne!(public[1], public[3]);
    }

    #[test]
    fn destroyed_key_signs_no_more() {
        let mut keys = EphemeralKeys::default();
        let public = keys.make(&[Ed25519]).unwrap().remove(0);
        assert_eq!(keys.sign(&public, b"payload").unwrap().len(), 64);
        keys.destroy();
        let error = keys.sign(&public, b"payload").unwrap_err();
        assert_eq!(error.fault, TokenFault::KeyAbsent);
        assert!(!error.may_have_signed);
        assert_eq!(
            error.to_string(),
            "sign with a throwaway key: the key is not in memory: it was destroyed, or the program was started again since it was made"
        );
    }

    #[test]
    fn private_half_is_that_of_the_key_until_it_is_destroyed() {
        let mut keys = EphemeralKeys::default();
        for algorithm in [Ed25519, EcdsaP256, EcdsaP384] {
            let public = keys.make(&[algorithm]).unwrap().remove(0);
            let found = keys
                .private(&public)
                .unwrap()
                .expose(|private| public_half(algorithm, private));
            assert_eq!(found.as_ref(), Some(&public));
            keys.destroy();
            assert!(keys.private(&public).is_none());
        }
    }

    #[test]
    fn rsa_is_refused_and_no_key_is_kept() {
        let mut keys = EphemeralKeys::default();
        let error = keys.make(&[Ed25519, RsaPss]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "make a throwaway key: keys of software are Ed25519, P-256 or P-384, not RSA"
        );
        assert!(keys.keys.is_empty());
    }
}
