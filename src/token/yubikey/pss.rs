//! RSASSA-PSS on a card that has only the bare RSA operation: the message's encoding is made here (RFC 8017, 9.1.1), with SHA-256, MGF1 over it and a
//! salt of 32 bytes, as TUF's `rsassa-pss-sha256`. No library offers the encoding without the private key. It holds no secret, and a mistake in it
//! cannot pass: whoever asked verifies the signature.

use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use sha2::{Digest as _, Sha256};

const HASH: usize = 32;

/// Length of the modulus.
pub(super) fn modulus_bytes(spki: &[u8]) -> Option<usize> {
    Some(RsaPublicKey::from_public_key_der(spki).ok()?.size())
}

/// EMSA-PSS-ENCODE of a message by its SHA-256, for a modulus of `length` whole bytes. None: the modulus is too short, or the machine gives no random numbers.
pub(super) fn encoded(hash: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut salt = [0; HASH];
    getrandom::fill(&mut salt).ok()?;
    with_salt(hash, length, &salt)
}

fn with_salt(hash: &[u8], length: usize, salt: &[u8; HASH]) -> Option<Vec<u8>> {
    let block = length.checked_sub(HASH + 1)?;
    let zeros = block.checked_sub(HASH + 1)?;
    let digest = Sha256::new()
        .chain_update([0; 8])
        .chain_update(hash)
        .chain_update(salt)
        .finalize();
    let mut encoded = vec![0; zeros];
    encoded.push(1);
    encoded.extend(salt);
    for (byte, mask) in encoded.iter_mut().zip(mask(&digest)) {
        *byte ^= mask;
    }
    // The encoding has one bit less than the modulus.
    *encoded.first_mut()? &= 0x7f;
    encoded.extend(digest);
    encoded.push(0xbc);
    Some(encoded)
}

/// MGF1 (RFC 8017, B.2.1), without an end: no modulus needs 2^32 blocks.
fn mask(seed: &[u8]) -> impl Iterator<Item = u8> {
    (0_u32..).flat_map(move |counter| {
        Sha256::new()
            .chain_update(seed)
            .chain_update(counter.to_be_bytes())
            .finalize()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{HASH, encoded, mask, with_salt};

    /// Undone by the rule of RFC 8017, 9.1.2, steps 4 to 13, written from the standard and not from the function under test.
    #[test]
    fn encoding_opens_by_the_standards_rule() {
        use sha2::{Digest as _, Sha256};
        let salt = [7; HASH];
        for length in [256, 384, 512] {
            let em = with_salt(&Sha256::digest(b"message"), length, &salt).unwrap();
            assert_eq!((em.len(), em[length - 1], em[0] >> 7), (length, 0xbc, 0));
            let (masked, rest) = em.split_at(length - HASH - 1);
            let digest = &rest[..HASH];
            let mut block: Vec<u8> = masked
                .iter()
                .zip(mask(digest))
                .map(|(a, b)| a ^ b)
                .collect();
            block[0] &= 0x7f;
            let (zeros, found) = block.split_at(length - 2 * HASH - 2);
            assert!(zeros.iter().all(|byte| *byte == 0));
            assert_eq!((found[0], &found[1..]), (1, &salt[..]));
            let mut expected = vec![0; 8];
            expected.extend(Sha256::digest(b"message"));
            expected.extend(salt);
            assert_eq!(digest, &Sha256::digest(expected)[..]);
        }
    }

    #[test]
    fn no_two_encodings_are_the_same_and_short_moduli_have_none() {
        assert_ne!(encoded(b"message", 256), encoded(b"message", 256));
        assert_eq!(encoded(b"message", 65), None);
        assert_eq!(encoded(b"message", 0), None);
    }
}
