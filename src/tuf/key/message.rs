//! What a key is given to sign: the digest where its algorithm signs one, else the message itself. A payload of any size is 32 or 48 bytes for all but
//! Ed25519, so it is hashed once, however many keys sign it and whoever verifies.

use std::borrow::Cow;

use sha2::Digest as _;

use super::Algorithm;
use crate::tuf::digest::Sha256;

/// A message as keys of one algorithm sign it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    algorithm: Algorithm,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Message<'a> {
    /// `payload` for keys of `algorithm`.
    pub fn of(algorithm: Algorithm, payload: &'a [u8]) -> Self {
        Self::known(algorithm, || Sha256::of(payload), || payload.into())
    }
    /// As [`Self::of`], where the payload's SHA-256 may be known: each of the two is asked for only if it is needed.
    pub fn known(
        algorithm: Algorithm,
        sha256: impl FnOnce() -> Sha256,
        payload: impl FnOnce() -> Cow<'a, [u8]>,
    ) -> Self {
        let bytes = match algorithm {
            Algorithm::Ed25519 => payload(),
            Algorithm::EcdsaP256 | Algorithm::RsaPss => sha256().0.to_vec().into(),
            Algorithm::EcdsaP384 => sha2::Sha384::digest(payload()).to_vec().into(),
        };
        Self { algorithm, bytes }
    }
    /// A digest that was made elsewhere; none where keys of `algorithm` sign none of this length.
    pub fn of_digest(algorithm: Algorithm, digest: &'a [u8]) -> Option<Self> {
        (Self::digest_length(algorithm)? == digest.len()).then_some(Self {
            algorithm,
            bytes: digest.into(),
        })
    }
    /// How long the digest is that keys of `algorithm` sign; none: they sign the message itself.
    pub fn digest_length(algorithm: Algorithm) -> Option<usize> {
        match algorithm {
            Algorithm::Ed25519 => None,
            Algorithm::EcdsaP256 | Algorithm::RsaPss => Some(32),
            Algorithm::EcdsaP384 => Some(48),
        }
    }
    /// For keys of which algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
    /// The digest, or the message itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
