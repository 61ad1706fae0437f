//! ECDSA signatures that share their random number.
//!
//! Two signatures of one key with the same r over different payloads were made with the same secret nonce, and whoever sees both
//! can compute the private key (SEC 1, 4.1.3). A token that makes such a pair is broken or was tampered with. The same payload
//! signed twice with the same r is what RFC 6979 asks for.

use std::collections::BTreeMap;

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::Digest as _;

use super::digest::Sha256;
use super::finding::Finding;
use super::key::PublicKey;

/// Two payloads that one key signed with one nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedNonce {
    /// The key; its private half is public now.
    pub public: PublicKey,
    /// SHA-256 of one payload.
    pub first: Sha256,
    /// SHA-256 of the other.
    pub second: Sha256,
}

/// The first repeated nonce among `signatures`: key, SHA-256 of the payload, signature as TUF carries it (DER). Give signatures
/// that verify: of others anybody can make a pair. What is no ECDSA signature is passed over.
pub fn repeated_nonce<'a>(
    signatures: impl IntoIterator<Item = (&'a PublicKey, Sha256, &'a [u8])>,
) -> Option<RepeatedNonce> {
    let mut seen: BTreeMap<(&PublicKey, Vec<u8>), Sha256> = BTreeMap::new();
    for (public, payload, signature) in signatures {
        let Some(nonce) = nonce(public, signature) else {
            continue;
        };
        let first = *seen.entry((public, nonce)).or_insert(payload);
        if first != payload {
            return Some(RepeatedNonce {
                public: public.clone(),
                first,
                second: payload,
            });
        }
    }
    None
}

/// One ECDSA signature with what is needed to verify it later, without its payload.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The key that is said to have signed.
    pub public: PublicKey,
    /// SHA-256 of the payload.
    pub payload: Sha256,
    /// DER.
    pub signature: Vec<u8>,
    /// What ECDSA signs: SHA-256 for P-256, SHA-384 for P-384.
    digest: Vec<u8>,
}

impl Signed {
    /// `None` for keys without a nonce.
    pub fn new(public: &PublicKey, payload: &[u8], signature: &[u8]) -> Option<Self> {
        let digest = match public {
            PublicKey::P256(_) => sha2::Sha256::digest(payload).to_vec(),
            PublicKey::P384(_) => sha2::Sha384::digest(payload).to_vec(),
            _ => return None,
        };
        Some(Self {
            public: public.clone(),
            payload: Sha256::of(payload),
            signature: signature.to_vec(),
            digest,
        })
    }

    /// As [`repeated_nonce`] takes it.
    pub fn triple(&self) -> (&PublicKey, Sha256, &[u8]) {
        (&self.public, self.payload, &self.signature)
    }

    /// Whether the key made the signature.
    pub fn verifies(&self) -> bool {
        match &self.public {
            PublicKey::P256(point) => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point);
                let signature = p256::ecdsa::Signature::from_der(&self.signature);
                matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(&self.digest, &signature).is_ok())
            }
            PublicKey::P384(point) => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point);
                let signature = p384::ecdsa::Signature::from_der(&self.signature);
                matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(&self.digest, &signature).is_ok())
            }
            _ => false,
        }
    }
}

impl RepeatedNonce {
    /// As an error about `file`.
    pub fn finding(&self, file: &str) -> Finding {
        let text = format!(
            "the key with the fingerprint {} signed the payloads {} and {} with the same random number, so its private half can be computed \
             from them; the key must not be trusted any more. Replace the key and the token that signed",
            self.public.fingerprint(),
            self.first,
            self.second
        );
        Finding::error("SIG-NONCE", file, text)
    }
}

/// r, the one part of a signature that depends on nothing but the curve and the nonce. `None` for what is no ECDSA signature.
pub fn nonce(public: &PublicKey, signature: &[u8]) -> Option<Vec<u8>> {
    match public {
        PublicKey::P256(_) => p256::ecdsa::Signature::from_der(signature)
            .ok()
            .map(|signature| signature.r().to_bytes().to_vec()),
        PublicKey::P384(_) => p384::ecdsa::Signature::from_der(signature)
            .ok()
            .map(|signature| signature.r().to_bytes().to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use p256::ecdsa::signature::Signer as _;
    use p256::ecdsa::{DerSignature, Signature, SigningKey, VerifyingKey};
    use p256::pkcs8::EncodePublicKey as _;

    use super::*;

    fn key(number: u8) -> (SigningKey, PublicKey) {
        let key = SigningKey::from_slice(&[number; 32]).unwrap();
        let spki = VerifyingKey::from(&key).to_public_key_der().unwrap();
        let public = PublicKey::from_spki_der(spki.as_bytes()).unwrap();
        (key, public)
    }

    fn signed(key: &SigningKey, payload: &[u8]) -> (Sha256, Vec<u8>) {
        let signature: DerSignature = key.sign(payload);
        (Sha256::of(payload), signature.as_bytes().to_vec())
    }

    /// The r of one signature with the s of another: as a token with a stuck generator would write it, and what this looks at.
    fn planted(r: &[u8], s: &[u8]) -> Vec<u8> {
        let (r, s) = (
            Signature::from_der(r).unwrap(),
            Signature::from_der(s).unwrap(),
        );
        let (r, s) = (r.r().to_bytes(), s.s().to_bytes());
        let signature = Signature::from_scalars(r, s).unwrap();
        signature.to_der().as_bytes().to_vec()
    }

    #[test]
    fn one_nonce_for_two_payloads_is_refused() {
        let ((key, public), (other, stranger)) = (key(1), key(2));
        let (first, one) = signed(&key, b"one");
        let (second, two) = signed(&key, b"two");
        let bad = planted(&one, &two);
        let repeated = RepeatedNonce {
            public: public.clone(),
            first,
            second,
        };
        assert_eq!(
            repeated_nonce([(&public, first, &*one), (&public, second, &*bad)]),
            Some(repeated.clone())
        );
        // With others between, and with the sign of s turned, which keeps r.
        let turned = {
            let signature = Signature::from_der(&bad).unwrap();
            let s = -*signature.s();
            Signature::from_scalars(signature.r().to_bytes(), s.to_bytes()).unwrap()
        };
        let turned = turned.to_der().as_bytes().to_vec();
        let (payload, between) = signed(&other, b"one");
        let list = [
            (&public, first, &*one),
            (&stranger, payload, &*between),
            (&public, second, &*two),
            (&public, second, &*turned),
        ];
        assert_eq!(repeated_nonce(list), Some(repeated.clone()));
        let finding = repeated.finding("2.root.json");
        assert_eq!(finding.rule, "SIG-NONCE");
        assert_eq!(
            finding.text,
            format!(
                "the key with the fingerprint {} signed the payloads {first} and {second} with the same random number, so its private half \
                 can be computed from them; the key must not be trusted any more. Replace the key and the token that signed",
                public.fingerprint()
            )
        );
    }

    #[test]
    fn deterministic_and_random_signatures_are_no_repetition() {
        let ((key, public), (other, stranger)) = (key(1), key(2));
        let (first, one) = signed(&key, b"one");
        let (second, two) = signed(&key, b"two");
        // RFC 6979: the same payload gives the same signature.
        assert_eq!(signed(&key, b"one").1, one);
        let (_, theirs) = signed(&other, b"two");
        let same_r = planted(&one, &theirs);
        let list = [
            (&public, first, &*one),
            (&public, first, &*one),
            (&public, second, &*two),
            // One r under two keys: each key has its own secret.
            (&stranger, second, &*same_r),
            (&public, second, b"no signature"),
            (&public, first, b""),
        ];
        assert_eq!(repeated_nonce(list), None);
        let ed25519 = PublicKey::Ed25519([1; 32]);
        assert_eq!(
            repeated_nonce([(&ed25519, first, &*one), (&ed25519, second, &*one)]),
            None
        );
    }

    #[test]
    fn p384_is_looked_at_too() {
        let key = p384::ecdsa::SigningKey::from_slice(&[3; 48]).unwrap();
        let spki = p384::ecdsa::VerifyingKey::from(&key)
            .to_public_key_der()
            .unwrap();
        let public = PublicKey::from_spki_der(spki.as_bytes()).unwrap();
        let signature: p384::ecdsa::DerSignature = key.sign(b"one");
        let (first, second) = (Sha256::of(b"one"), Sha256::of(b"two"));
        let bytes = signature.as_bytes();
        assert!(repeated_nonce([(&public, first, bytes), (&public, second, bytes)]).is_some());
        assert!(repeated_nonce([(&public, first, bytes), (&public, first, bytes)]).is_none());
        assert!(Signed::new(&public, b"one", bytes).unwrap().verifies());
        assert!(!Signed::new(&public, b"two", bytes).unwrap().verifies());
    }
}
