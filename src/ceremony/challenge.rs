//! A challenge: what a key signs to prove that it is alive. It begins with a line that no canonical JSON begins with, so that its signature can
//! never stand under metadata, and it names the ceremony and the key, so that it says nothing anywhere else.

use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// The first line of every challenge. Canonical JSON of metadata begins with `{`.
pub const PREFIX: &str = "tuf-ceremony challenge 1: this is not metadata\n";

/// The bytes of one challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge(Vec<u8>);

impl Challenge {
    /// The challenge of a ceremony to a key, with 32 random bytes.
    pub fn new(ceremony: Sha256, keyid: &KeyId, nonce: &[u8; 32]) -> Self {
        let nonce = data_encoding::HEXLOWER.encode(nonce);
        Self(format!("{PREFIX}ceremony {ceremony}\nkeyid {keyid}\nnonce {nonce}\n").into_bytes())
    }

    /// What is signed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Challenge, PREFIX};
    use crate::tuf::digest::Sha256;
    use crate::tuf::key::KeyId;

    #[test]
    fn a_challenge_is_no_metadata_and_differs_by_ceremony_key_and_nonce() {
        let of = |ceremony: u8, keyid: &str, nonce: u8| {
            Challenge::new(
                Sha256([ceremony; 32]),
                &KeyId(keyid.to_owned()),
                &[nonce; 32],
            )
        };
        let one = of(1, "aa", 1);
        assert!(one.bytes().starts_with(PREFIX.as_bytes()));
        assert!(crate::tuf::json::check(one.bytes(), crate::tuf::json::Limits::LARGE).is_err());
        for other in [of(2, "aa", 1), of(1, "ab", 1), of(1, "aa", 2)] {
            assert_ne!(one, other);
        }
    }
}
