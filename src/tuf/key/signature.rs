//! Signature verification, all of it by libraries; this file only picks the one.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey as _;

use super::PublicKey;

/// Whether `signature` is by `public` over what [`super::Message`] makes of a message for such a key: its digest, or for Ed25519 the message itself.
///
/// Ed25519 as RFC 8032 with dalek's strict checks. ECDSA in DER; a high s is right (half of the signatures in
/// real roots have one, and no client refuses them). RSA-PSS with a salt of any length, as python-tuf, go-tuf and
/// tuf-js do: we ask for 32 bytes when we make one, because tough takes no other.
pub(super) fn verifies(public: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    match public {
        PublicKey::Ed25519(key) => ed25519(key, message, signature),
        PublicKey::P256(point) => p256(point, message, signature),
        PublicKey::P384(point) => p384(point, message, signature),
        PublicKey::Rsa(spki) => rsa_pss(spki, message, signature),
        PublicKey::Opaque(_) => false,
    }
}

fn ed25519(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        ed25519_dalek::VerifyingKey::from_bytes(key),
        ed25519_dalek::Signature::from_slice(signature),
    ) else {
        return false;
    };
    key.verify_strict(message, &signature).is_ok()
}

fn p256(point: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        p256::ecdsa::VerifyingKey::from_sec1_bytes(point),
        p256::ecdsa::Signature::from_der(signature),
    ) else {
        return false;
    };
    key.verify_prehash(digest, &signature).is_ok()
}

fn p384(point: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        p384::ecdsa::VerifyingKey::from_sec1_bytes(point),
        p384::ecdsa::Signature::from_der(signature),
    ) else {
        return false;
    };
    key.verify_prehash(digest, &signature).is_ok()
}

fn rsa_pss(spki: &[u8], digest: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (
        RsaPublicKey::from_public_key_der(spki),
        rsa::pss::Signature::try_from(signature),
    ) else {
        return false;
    };
    rsa::pss::VerifyingKey::<sha2::Sha256>::new_with_auto_salt_len(key)
        .verify_prehash(digest, &signature)
        .is_ok()
}
