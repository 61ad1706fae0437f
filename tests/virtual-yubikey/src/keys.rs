//! Key pairs: made, imported, used; one algorithm a key.

pub mod policy;

use curve25519_dalek::MontgomeryPoint;
use getrandom::SysRng;
use p256::ecdsa::signature::hazmat::RandomizedPrehashSigner;
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::point::AffineCoordinates as _;
use rand_core::UnwrapErr;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, RsaPrivateKey};
use serde::{Deserialize, Serialize};

use crate::firmware::Firmware;
use crate::hex::Hex;
use crate::tlv::{find, nested, tlv};

/// A key's algorithm, with the identifiers of SP 800-78 and of Yubico beyond it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// RSA of 1024 bits.
    Rsa1024,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 3072 bits, from firmware 5.7.
    Rsa3072,
    /// RSA of 4096 bits, from firmware 5.7.
    Rsa4096,
    /// ECDSA and ECDH on P-256.
    P256,
    /// ECDSA and ECDH on P-384.
    P384,
    /// Pure Ed25519, from firmware 5.7.
    Ed25519,
    /// X25519, from firmware 5.7.
    X25519,
}

const IDS: [(u8, Algorithm); 8] = [
    (0x06, Algorithm::Rsa1024),
    (0x07, Algorithm::Rsa2048),
    (0x05, Algorithm::Rsa3072),
    (0x16, Algorithm::Rsa4096),
    (0x11, Algorithm::P256),
    (0x14, Algorithm::P384),
    (0xe0, Algorithm::Ed25519),
    (0xe1, Algorithm::X25519),
];

impl Algorithm {
    /// The algorithm that P1 names, where this firmware has it.
    pub fn of(id: u8, firmware: Firmware) -> Option<Self> {
        let (_, algorithm) = IDS.into_iter().find(|(known, _)| *known == id)?;
        let newer = matches!(
            algorithm,
            Self::Rsa3072 | Self::Rsa4096 | Self::Ed25519 | Self::X25519
        );
        (!newer || firmware.is_5_7()).then_some(algorithm)
    }

    /// What P1 is for this algorithm.
    pub fn id(self) -> u8 {
        IDS.into_iter()
            .find(|(_, algorithm)| *algorithm == self)
            .map_or(0, |(id, _)| id)
    }

    /// Bits of an RSA modulus; nothing for curves.
    pub fn rsa_bits(self) -> Option<usize> {
        match self {
            Self::Rsa1024 => Some(1024),
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
            _ => None,
        }
    }
}

/// A private key of the card. It is a test's key, and still has no Debug.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPair {
    algorithm: Algorithm,
    /// PKCS#1 for RSA, the scalar for P-256 and P-384, the 32 bytes for Curve25519.
    secret: Hex,
}

impl KeyPair {
    /// A new key from the system's random numbers.
    pub fn generate(algorithm: Algorithm) -> Option<Self> {
        let rng = &mut UnwrapErr(SysRng);
        let secret = match algorithm {
            Algorithm::P256 => p256::SecretKey::generate_from_rng(rng).to_bytes().to_vec(),
            Algorithm::P384 => p384::SecretKey::generate_from_rng(rng).to_bytes().to_vec(),
            Algorithm::Ed25519 | Algorithm::X25519 => {
                let mut secret = [0; 32];
                getrandom::fill(&mut secret).ok()?;
                secret.to_vec()
            }
            rsa => {
                // Keys of 1024 bits are below the crate's limit; the card has them (SP 800-78-4).
                let key = RsaPrivateKey::new_unchecked(rng, rsa.rsa_bits()?).ok()?;
                key.to_pkcs1_der().ok()?.as_bytes().to_vec()
            }
        };
        Some(Self {
            algorithm,
            secret: Hex(secret),
        })
    }

    /// A key from the elements of IMPORT KEY.
    pub fn import(algorithm: Algorithm, elements: &[(u8, &[u8])]) -> Option<Self> {
        let secret = match algorithm {
            Algorithm::P256 => {
                let scalar = find(elements, 0x06)?;
                p256::SecretKey::from_slice(scalar)
                    .ok()?
                    .to_bytes()
                    .to_vec()
            }
            Algorithm::P384 => {
                let scalar = find(elements, 0x06)?;
                p384::SecretKey::from_slice(scalar)
                    .ok()?
                    .to_bytes()
                    .to_vec()
            }
            Algorithm::Ed25519 => curve25519_secret(find(elements, 0x07)?)?,
            Algorithm::X25519 => curve25519_secret(find(elements, 0x08)?)?,
            rsa => imported_rsa(rsa.rsa_bits()?, find(elements, 1)?, find(elements, 2)?)?,
        };
        Some(Self {
            algorithm,
            secret: Hex(secret),
        })
    }

    /// A key in PKCS#1, as the test CA's is.
    pub fn rsa_2048(key: &RsaPrivateKey) -> Option<Self> {
        Some(Self {
            algorithm: Algorithm::Rsa2048,
            secret: Hex(key.to_pkcs1_der().ok()?.as_bytes().to_vec()),
        })
    }

    /// What the key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key as GENERATE and GET METADATA give it, without the tag around it.
    pub fn public_template(&self) -> Option<Vec<u8>> {
        if self.algorithm.rsa_bits().is_some() {
            let key = self.rsa()?;
            let modulus = key.n().to_be_bytes();
            return Some([tlv(0x81, &modulus), tlv(0x82, &[1, 0, 1])].concat());
        }
        Some(tlv(0x86, &self.public_point()?))
    }

    /// The public key as `SubjectPublicKeyInfo` (RFC 5280, 4.1.2.7).
    pub fn public_der(&self) -> Option<Vec<u8>> {
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
        const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
        let (identifier, key) = match self.algorithm {
            Algorithm::P256 => ([tlv(6, EC), tlv(6, P256)].concat(), self.public_point()?),
            Algorithm::P384 => ([tlv(6, EC), tlv(6, P384)].concat(), self.public_point()?),
            Algorithm::Ed25519 => (tlv(6, &[0x2b, 0x65, 0x70]), self.public_point()?),
            Algorithm::X25519 => (tlv(6, &[0x2b, 0x65, 0x6e]), self.public_point()?),
            _ => {
                // The leading zero: a modulus has its highest bit set, and DER's INTEGER is signed.
                let modulus = [vec![0], self.rsa()?.n().to_be_bytes().to_vec()].concat();
                let key = nested(0x30, &[&tlv(2, &modulus), &tlv(2, &[1, 0, 1])]);
                ([tlv(6, RSA), tlv(5, &[])].concat(), key)
            }
        };
        let bits = [&[0], &key[..]].concat();
        Some(nested(0x30, &[&tlv(0x30, &identifier), &tlv(3, &bits)]))
    }

    /// A signature over what the host sent: a padded block for RSA, a digest for ECDSA, the message for Ed25519.
    pub fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        let rng = &mut UnwrapErr(SysRng);
        match self.algorithm {
            Algorithm::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&self.secret.0).ok()?;
                let signature: p256::ecdsa::Signature = key
                    .sign_prehash_with_rng(rng, &padded_left(input, 32)?)
                    .ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            Algorithm::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&self.secret.0).ok()?;
                let signature: p384::ecdsa::Signature = key
                    .sign_prehash_with_rng(rng, &padded_left(input, 48)?)
                    .ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
            Algorithm::Ed25519 => {
                use ed25519_dalek::Signer as _;
                let key = ed25519_dalek::SigningKey::from_bytes(&self.curve25519()?);
                Some(key.sign(input).to_bytes().to_vec())
            }
            Algorithm::X25519 => None,
            _ => self.raw_rsa(input),
        }
    }

    /// A P-256 signature whose nonce is always the same: two of them give the private key away.
    pub fn sign_with_one_nonce(&self, digest: &[u8]) -> Option<Vec<u8>> {
        let secret = p256::SecretKey::from_slice(&self.secret.0).ok()?;
        let nonce = p256::SecretKey::from_slice(&[0x42; 32]).ok()?;
        let (signature, _) = ecdsa::hazmat::sign_prehashed(
            &secret.to_nonzero_scalar(),
            &nonce.to_nonzero_scalar(),
            &padded_left(digest, 32)?,
        )
        .ok()?;
        Some(signature.to_der().as_bytes().to_vec())
    }

    /// The shared secret with the other side's public key.
    pub fn agree(&self, other: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm {
            Algorithm::P256 => {
                let key = p256::SecretKey::from_slice(&self.secret.0).ok()?;
                let other = p256::PublicKey::from_sec1_bytes(other).ok()?;
                let shared = other.to_projective() * *key.to_nonzero_scalar();
                Some(shared.to_affine().x().to_vec())
            }
            Algorithm::P384 => {
                let key = p384::SecretKey::from_slice(&self.secret.0).ok()?;
                let other = p384::PublicKey::from_sec1_bytes(other).ok()?;
                let shared = other.to_projective() * *key.to_nonzero_scalar();
                Some(shared.to_affine().x().to_vec())
            }
            Algorithm::X25519 => {
                let other = MontgomeryPoint(other.try_into().ok()?);
                Some(other.mul_clamped(self.curve25519()?).to_bytes().to_vec())
            }
            _ => None,
        }
    }

    /// The block to the private exponent, as long as the modulus: signing and decryption are the same to the card.
    pub fn raw_rsa(&self, block: &[u8]) -> Option<Vec<u8>> {
        let key = self.rsa()?;
        let length = self.algorithm.rsa_bits()? / 8;
        if block.len() != length {
            return None;
        }
        let bits = u32::try_from(length * 8).ok()?;
        let block = BoxedUint::from_be_slice(block, bits).ok()?;
        let rng = Some(&mut UnwrapErr(SysRng));
        let result = rsa::hazmat::rsa_decrypt_and_check(&key, rng, &block).ok()?;
        let bytes = result.to_be_bytes();
        let significant = bytes.get(bytes.len().saturating_sub(length)..)?;
        padded_left(significant, length)
    }

    fn public_point(&self) -> Option<Vec<u8>> {
        let secret = &self.secret.0;
        match self.algorithm {
            Algorithm::P256 => {
                let key = p256::SecretKey::from_slice(secret).ok()?.public_key();
                Some(
                    p256::ecdsa::VerifyingKey::from(key)
                        .to_sec1_point(false)
                        .as_bytes()
                        .to_vec(),
                )
            }
            Algorithm::P384 => {
                let key = p384::SecretKey::from_slice(secret).ok()?.public_key();
                Some(
                    p384::ecdsa::VerifyingKey::from(key)
                        .to_sec1_point(false)
                        .as_bytes()
                        .to_vec(),
                )
            }
            Algorithm::Ed25519 => {
                let key = ed25519_dalek::SigningKey::from_bytes(&self.curve25519()?);
                Some(key.verifying_key().to_bytes().to_vec())
            }
            Algorithm::X25519 => {
                let point = MontgomeryPoint::mul_base_clamped(self.curve25519()?);
                Some(point.to_bytes().to_vec())
            }
            _ => None,
        }
    }

    fn rsa(&self) -> Option<RsaPrivateKey> {
        RsaPrivateKey::from_pkcs1_der(&self.secret.0).ok()
    }

    fn curve25519(&self) -> Option<[u8; 32]> {
        self.secret.0.as_slice().try_into().ok()
    }
}

fn curve25519_secret(bytes: &[u8]) -> Option<Vec<u8>> {
    (bytes.len() == 32).then(|| bytes.to_vec())
}

fn imported_rsa(bits: usize, p: &[u8], q: &[u8]) -> Option<Vec<u8>> {
    let half = bits / 16;
    if p.len() != half || q.len() != half {
        return None;
    }
    let precision = u32::try_from(half * 8).ok()?;
    let prime = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, precision).ok();
    let exponent = BoxedUint::from(65_537_u64);
    let key = RsaPrivateKey::from_p_q(prime(p)?, prime(q)?, exponent).ok()?;
    Some(key.to_pkcs1_der().ok()?.as_bytes().to_vec())
}

/// Zeros before `bytes` up to `length`; nothing where they are longer.
fn padded_left(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    let zeros = length.checked_sub(bytes.len())?;
    Some([vec![0; zeros], bytes.to_vec()].concat())
}
