//! Signatures on certificates: the three algorithms of genuine devices and their makers, all verified by libraries.

use der::asn1::AnyRef;
use der::oid::ObjectIdentifier;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1v15;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::signature::Verifier as _;
use sha2::{Digest as _, Sha256, Sha384};

use crate::tuf::key::PublicKey;

use super::certificate::Certificate;
use super::fault::Fault;

const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");

/// How a certificate is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    RsaSha256,
    EcdsaSha256,
    EcdsaSha384,
}

/// The algorithm that a certificate names. Yubico's intermediates of 2025 leave out the NULL that RFC 4055, 5 wants beside
/// sha256WithRSAEncryption, so both writings are taken; ECDSA has no parameters (RFC 5758, 3.2).
pub(super) fn algorithm(certificate: &Certificate) -> Result<Algorithm, Fault> {
    let found = certificate.algorithm();
    let no_parameters = found.parameters.is_none();
    let null = found
        .parameters
        .as_ref()
        .is_some_and(|any| AnyRef::from(any) == AnyRef::NULL);
    match found.oid {
        SHA256_WITH_RSA if no_parameters || null => Ok(Algorithm::RsaSha256),
        ECDSA_WITH_SHA256 if no_parameters => Ok(Algorithm::EcdsaSha256),
        ECDSA_WITH_SHA384 if no_parameters => Ok(Algorithm::EcdsaSha384),
        oid => Err(Fault::Algorithm {
            certificate: certificate.name().to_owned(),
            algorithm: oid.to_string(),
        }),
    }
}

/// Whether the key `issuer` signed the certificate. A key of another type than the algorithm's did not.
pub(super) fn is_by(certificate: &Certificate, algorithm: Algorithm, issuer: &PublicKey) -> bool {
    let (signed, Some(signature)) = (certificate.signed(), certificate.signature()) else {
        return false;
    };
    match (algorithm, issuer) {
        (Algorithm::RsaSha256, PublicKey::Rsa(spki)) => rsa(spki, signed, signature),
        (Algorithm::EcdsaSha256, key) => ecdsa(key, &Sha256::digest(signed), signature),
        (Algorithm::EcdsaSha384, key) => ecdsa(key, &Sha384::digest(signed), signature),
        _ => false,
    }
}

fn rsa(spki: &[u8], signed: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        rsa::RsaPublicKey::from_public_key_der(spki),
        pkcs1v15::Signature::try_from(signature),
    ) else {
        return false;
    };
    pkcs1v15::VerifyingKey::<Sha256>::new(key)
        .verify(signed, &signature)
        .is_ok()
}

fn ecdsa(key: &PublicKey, digest: &[u8], signature: &[u8]) -> bool {
    match key {
        PublicKey::P256(point) => {
            let (Ok(key), Ok(signature)) = (
                p256::ecdsa::VerifyingKey::from_sec1_bytes(point),
                p256::ecdsa::DerSignature::from_bytes(signature),
            ) else {
                return false;
            };
            key.verify_prehash(digest, &signature).is_ok()
        }
        PublicKey::P384(point) => {
            let (Ok(key), Ok(signature)) = (
                p384::ecdsa::VerifyingKey::from_sec1_bytes(point),
                p384::ecdsa::DerSignature::from_bytes(signature),
            ) else {
                return false;
            };
            key.verify_prehash(digest, &signature).is_ok()
        }
        _ => false,
    }
}
