//! The cryptography under the Sigstore library: the crates that the rest of the program verifies with, behind the library's interface.
//! It verifies only; what nobody in Sigstore's public instances signs with (RSA-PSS, ML-DSA) it refuses.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::Pkcs1v15Sign;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use sha2::{Digest, Sha256, Sha384, Sha512};
use sigstore_verify::crypto::{
    CryptoProvider, Error, HashContext, Result, SigningScheme, install_default_provider,
};
use sigstore_verify::types::HashAlgorithm;

static OURS: Ours = Ours;

/// Gives the library its cryptography; without it the library stops the program. A second call changes nothing.
pub(super) fn install() {
    // An error says that one is there already, and nobody else installs one.
    let _ = install_default_provider(&OURS);
}

#[derive(Debug)]
struct Ours;

struct Hashing<D>(D);

impl<D: Digest + Send> HashContext for Hashing<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }
    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl CryptoProvider for Ours {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        match algorithm {
            HashAlgorithm::Sha2256 => Ok(Box::new(Hashing(Sha256::new()))),
            HashAlgorithm::Sha2384 => Ok(Box::new(Hashing(Sha384::new()))),
            HashAlgorithm::Sha2512 => Ok(Box::new(Hashing(Sha512::new()))),
            other => Err(Error::UnsupportedAlgorithm(other.to_string())),
        }
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        if scheme == SigningScheme::Ed25519 {
            return judged(scheme, ed25519(key, data, signature));
        }
        let algorithm = scheme
            .hash_algorithm()
            .ok_or_else(|| Error::UnsupportedAlgorithm(scheme.name().to_owned()))?;
        let mut context = self.hash(algorithm)?;
        context.update(data);
        self.verify_prehashed(scheme, key, &context.finalize(), signature)
    }

    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        let good = match scheme {
            SigningScheme::EcdsaP256Sha256 | SigningScheme::EcdsaP256Sha384 => {
                on_p256(key, digest, signature)
            }
            SigningScheme::EcdsaP384Sha256 | SigningScheme::EcdsaP384Sha384 => {
                on_p384(key, digest, signature)
            }
            SigningScheme::RsaPkcs1Sha256 => {
                pkcs1(key, Pkcs1v15Sign::new::<Sha256>(), digest, signature)
            }
            SigningScheme::RsaPkcs1Sha384 => {
                pkcs1(key, Pkcs1v15Sign::new::<Sha384>(), digest, signature)
            }
            SigningScheme::RsaPkcs1Sha512 => {
                pkcs1(key, Pkcs1v15Sign::new::<Sha512>(), digest, signature)
            }
            other => return Err(Error::UnsupportedAlgorithm(other.name().to_owned())),
        };
        judged(scheme, good)
    }
}

fn judged(scheme: SigningScheme, good: Option<()>) -> Result<()> {
    good.ok_or_else(|| Error::Verification(format!("no {} signature by this key", scheme.name())))
}

/// Strictly: no key or point of small order, as everywhere in the program.
fn ed25519(key: &[u8], data: &[u8], signature: &[u8]) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    key.verify_strict(data, &signature).ok()
}

fn on_p256(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = p256::ecdsa::DerSignature::from_bytes(signature).ok()?;
    key.verify_prehash(digest, &signature).ok()
}

fn on_p384(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
    let signature = p384::ecdsa::DerSignature::from_bytes(signature).ok()?;
    key.verify_prehash(digest, &signature).ok()
}

fn pkcs1(key: &[u8], padding: Pkcs1v15Sign, digest: &[u8], signature: &[u8]) -> Option<()> {
    let key = rsa::RsaPublicKey::from_pkcs1_der(key).ok()?;
    key.verify(padding, digest, signature).ok()
}
