//! Public keys between the writings that metadata and tokens have (hexadecimal, PEM, DER) and the one form in which they are compared.

use std::borrow::Cow;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ed25519_dalek::VerifyingKey;
use p256::pkcs8::der::{Decode as _, Document};
use p256::pkcs8::spki::{DecodePublicKey as _, EncodePublicKey as _, SubjectPublicKeyInfoRef};
use p256::pkcs8::{AssociatedOid as _, LineEnding};
use rsa::RsaPublicKey;
use rsa::traits::PublicKeyParts as _;

use super::{KeyError, PublicKey, weakness};
use crate::tuf::json::Json;

const PEM_LABEL: &str = "PUBLIC KEY";

/// Whether `keyval.public` is (meant to be) PEM; otherwise it is hexadecimal.
pub(super) fn is_pem(text: &str) -> bool {
    text.trim_start().starts_with("-----BEGIN")
}

/// Reads `keyval.public`: `SubjectPublicKeyInfo` PEM with or without white space around it, a raw Ed25519 key of 64
/// hexadecimal digits, or a SEC1 point in hexadecimal, as go-tuf wrote before 2022.
pub(super) fn from_text(text: &str) -> Result<PublicKey, KeyError> {
    if is_pem(text) {
        let (label, document) = Document::from_pem(text.trim())
            .map_err(|error| KeyError::material(format!("its PEM cannot be read: {error}")))?;
        return if label == PEM_LABEL {
            from_spki_der(document.as_bytes())
        } else {
            Err(KeyError::material(format!(
                "its PEM is a {label}; expected {PEM_LABEL}"
            )))
        };
    }
    let bytes = HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .map_err(|_| KeyError::material("its keyval.public is neither PEM nor hexadecimal"))?;
    match bytes.len() {
        32 => ed25519(&bytes),
        33 | 65 => p256(&bytes),
        49 | 97 => p384(&bytes),
        length => Err(KeyError::material(format!(
            "its keyval.public has {length} bytes, as no key of a type we verify with"
        ))),
    }
}

/// See [`PublicKey::plain`].
pub(super) fn plain(object: Json<'_>) -> Option<PublicKey> {
    let mut members = object.members();
    let mut next = |name: &str| {
        let member = members.next().filter(|member| member.0 == name);
        member.map(|member| member.1)
    };
    let is_ed25519 = |value: &Json<'_>| value.as_str().is_some_and(|text| text == "ed25519");
    next("keytype").filter(is_ed25519)?;
    let keyval = next("keyval")?;
    next("scheme").filter(is_ed25519)?;
    if members.next().is_some() {
        return None;
    }
    let mut keyval = keyval.members();
    let (name, public) = keyval.next()?;
    if name != "public" || keyval.next().is_some() {
        return None;
    }
    bytes_of_ed25519(&public.as_str()?)
}

/// 64 hexadecimal digits as an Ed25519 key, unproven.
pub(super) fn bytes_of_ed25519(text: &str) -> Option<PublicKey> {
    let mut bytes = [0; 32];
    let is_key = text.len() == 64;
    let read = HEXLOWER_PERMISSIVE.decode_mut(text.as_bytes().get(..64)?, &mut bytes);
    (is_key && read.is_ok()).then_some(PublicKey::Ed25519(bytes))
}

/// What [`super::Key::from_public`] writes as `keyval.public`.
pub(super) fn to_text(public: &PublicKey) -> Option<String> {
    match public {
        PublicKey::Ed25519(bytes) => Some(HEXLOWER.encode(bytes)),
        other => Document::try_from(other.to_spki_der()?)
            .ok()?
            .to_pem(PEM_LABEL, LineEnding::LF)
            .ok(),
    }
}

pub(super) fn from_spki_der(der: &[u8]) -> Result<PublicKey, KeyError> {
    let broken =
        |error| KeyError::material(format!("its SubjectPublicKeyInfo cannot be read: {error}"));
    let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(broken)?;
    let bytes = spki.subject_public_key.as_bytes().ok_or_else(|| {
        KeyError::material("its SubjectPublicKeyInfo holds a part of a byte, not a key")
    })?;
    let curve = || spki.algorithm.parameters_oid().ok();
    match spki.algorithm.oid {
        ed25519_dalek::pkcs8::ALGORITHM_OID if spki.algorithm.parameters.is_none() => {
            ed25519(bytes)
        }
        p256::elliptic_curve::ALGORITHM_OID if curve() == Some(p256::NistP256::OID) => p256(bytes),
        p256::elliptic_curve::ALGORITHM_OID if curve() == Some(p384::NistP384::OID) => p384(bytes),
        rsa::pkcs1::ALGORITHM_OID => rsa(der, bytes),
        oid => Err(KeyError::material(match curve() {
            Some(curve) => format!("keys of type {oid} on the curve {curve} are not known"),
            None => format!("keys of type {oid} are not known"),
        })),
    }
}

pub(super) fn to_spki_der(public: &PublicKey) -> Option<Vec<u8>> {
    let document = match public {
        PublicKey::Ed25519(bytes) => {
            ed25519_dalek::pkcs8::PublicKeyBytes(*bytes).to_public_key_der()
        }
        PublicKey::P256(point) => p256::PublicKey::from_sec1_bytes(point)
            .ok()?
            .to_public_key_der(),
        PublicKey::P384(point) => p384::PublicKey::from_sec1_bytes(point)
            .ok()?
            .to_public_key_der(),
        PublicKey::Rsa(der) => return Some(der.clone()),
        PublicKey::Opaque(_) => return None,
    };
    Some(document.ok()?.into_vec())
}

/// The length of an RSA modulus.
pub(super) fn rsa_bits(public: &PublicKey) -> Option<u32> {
    match public {
        PublicKey::Rsa(der) => Some(RsaPublicKey::from_public_key_der(der).ok()?.n().bits()),
        _ => None,
    }
}

fn ed25519(bytes: &[u8]) -> Result<PublicKey, KeyError> {
    let broken = || KeyError::material("it is not a point of the curve Ed25519");
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| broken())?;
    let key = VerifyingKey::from_bytes(&bytes).map_err(|_| broken())?;
    // The identity verifies everything under a lenient verifier; RFC 8032, 5.1.3 refuses y >= p, which
    // would give one key two writings.
    if key.is_weak() {
        return Err(KeyError::weak("its Ed25519 point is of low order"));
    }
    if !is_below_p(&bytes) {
        return Err(KeyError::material(
            "its Ed25519 point is not written in the one way that RFC 8032 allows",
        ));
    }
    Ok(PublicKey::Ed25519(bytes))
}

/// Whether y, the lower 255 bits, is less than p = 2^255 - 19. (What RFC 8032 refuses besides, x = 0 with a sign, only points of low order have.)
fn is_below_p(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *low < 0xED || high & 0x7F != 0x7F || middle.iter().any(|byte| *byte != 0xFF)
}

fn p256(point: &[u8]) -> Result<PublicKey, KeyError> {
    let point = p256::PublicKey::from_sec1_bytes(known_form(point)?)
        .map_err(|_| KeyError::material("it is not a point of the curve P-256"))?;
    Ok(PublicKey::P256(point.to_sec1_bytes().into()))
}

fn p384(point: &[u8]) -> Result<PublicKey, KeyError> {
    let point = p384::PublicKey::from_sec1_bytes(known_form(point)?)
        .map_err(|_| KeyError::material("it is not a point of the curve P-384"))?;
    Ok(PublicKey::P384(point.to_sec1_bytes().into()))
}

/// SEC1 points of the three forms that RFC 5480 knows; the library would also take "compact" ones.
fn known_form(point: &[u8]) -> Result<&[u8], KeyError> {
    match point.first() {
        Some(2..=4) => Ok(point),
        _ => Err(KeyError::material(
            "its point is neither uncompressed nor compressed (SEC1, 2.3.3)",
        )),
    }
}

fn rsa(spki: &[u8], numbers: &[u8]) -> Result<PublicKey, KeyError> {
    let broken = |error: Cow<'static, str>| {
        KeyError::material(format!("its RSA key cannot be read: {error}"))
    };
    let numbers = rsa::pkcs1::RsaPublicKeyRef::from_der(numbers)
        .map_err(|error| broken(error.to_string().into()))?;
    if let Some(weakness) = weakness::of_rsa(
        numbers.modulus.as_bytes(),
        numbers.public_exponent.as_bytes(),
    ) {
        return Err(KeyError::weak(weakness));
    }
    // Read and written anew, so that one key has one form: parameters NULL, lengths minimal.
    RsaPublicKey::from_public_key_der(spki)
        .and_then(|key| key.to_public_key_der())
        .map(|document| PublicKey::Rsa(document.into_vec()))
        .map_err(|_| broken("the modulus is over 8192 bits or the exponent over 2^33".into()))
}
