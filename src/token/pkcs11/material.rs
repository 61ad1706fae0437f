//! Between PKCS#11's encodings and ours: curves, points, RSA numbers and signatures. All input is the token's, so nothing is trusted: a
//! point is on its curve or it is no key.

use cryptoki::object::{Attribute, KeyType};
use rsa::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, RsaPublicKey};

use crate::tuf::key::{Algorithm, PublicKey};

/// `CKA_EC_PARAMS` as the OID of the curve, what we write (RFC 5480, RFC 8410).
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x22";
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";
/// Ed25519 as the `PrintableString` "edwards25519" (PKCS#11 3.0, 6.3.5), which `OpenSC` writes.
const ED25519_NAME: &[u8] = b"\x13\x0cedwards25519";
/// Ed25519 as the OID of the GNU project, from before RFC 8410.
const ED25519_GNU: &[u8] = b"\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01";

/// Bits of the RSA keys we make: what a `YubiKey` 5.7, TPMs and HSMs all have.
const RSA_BITS: u32 = 3072;

/// The algorithm of `CKA_EC_PARAMS`, if we use that curve.
pub(super) fn algorithm_of(ec_params: &[u8]) -> Option<Algorithm> {
    match ec_params {
        P256 => Some(Algorithm::EcdsaP256),
        P384 => Some(Algorithm::EcdsaP384),
        ED25519 | ED25519_NAME | ED25519_GNU => Some(Algorithm::Ed25519),
        _ => None,
    }
}

/// What the template of a new public key says of its algorithm.
pub(super) fn parameters(algorithm: Algorithm) -> Vec<Attribute> {
    match algorithm {
        Algorithm::Ed25519 => vec![Attribute::EcParams(ED25519.to_vec())],
        Algorithm::EcdsaP256 => vec![Attribute::EcParams(P256.to_vec())],
        Algorithm::EcdsaP384 => vec![Attribute::EcParams(P384.to_vec())],
        Algorithm::RsaPss => vec![
            Attribute::ModulusBits(u64::from(RSA_BITS).into()),
            Attribute::PublicExponent(vec![1, 0, 1]),
        ],
    }
}

/// `CKA_KEY_TYPE` of both halves.
pub(super) fn key_type(algorithm: Algorithm) -> KeyType {
    match algorithm {
        Algorithm::Ed25519 => KeyType::EC_EDWARDS,
        Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => KeyType::EC,
        Algorithm::RsaPss => KeyType::RSA,
    }
}

/// What the template of a public half that is brought in says of it.
pub(super) fn public_half(public: &PublicKey) -> Option<Vec<Attribute>> {
    let algorithm = public.algorithm()?;
    let point = match public {
        PublicKey::Ed25519(point) => &point[..],
        PublicKey::P256(point) | PublicKey::P384(point) => point,
        PublicKey::Rsa(der) => {
            let key = RsaPublicKey::from_public_key_der(der).ok()?;
            return Some(vec![
                Attribute::Modulus(key.n().to_be_bytes_trimmed_vartime().into_vec()),
                Attribute::PublicExponent(key.e().to_be_bytes_trimmed_vartime().into_vec()),
            ]);
        }
        PublicKey::Opaque(_) => return None,
    };
    // A DER OCTET STRING (PKCS#11 2.40, 2.3.3).
    let mut octet_string = vec![0x04, u8::try_from(point.len()).ok()?];
    octet_string.extend_from_slice(point);
    let mut attributes = parameters(algorithm);
    attributes.push(Attribute::EcPoint(octet_string));
    Some(attributes)
}

/// The key of `CKA_EC_POINT`: a DER OCTET STRING with the point in it as the standard says, or the bare point as some modules say.
pub(super) fn ec_key(algorithm: Algorithm, ec_point: &[u8]) -> Option<PublicKey> {
    bare_key(algorithm, ec_point).or_else(|| bare_key(algorithm, unwrapped(ec_point)?))
}

/// The key of `CKA_MODULUS` and `CKA_PUBLIC_EXPONENT`.
pub(super) fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Option<PublicKey> {
    let key = RsaPublicKey::new(
        BoxedUint::from_be_slice_vartime(modulus),
        BoxedUint::from_be_slice_vartime(exponent),
    );
    let der = key.ok()?.to_public_key_der().ok()?;
    Some(PublicKey::Rsa(der.into_vec()))
}

/// A signature in TUF's form: DER for ECDSA, where PKCS#11 has r and s in a row. None where its length or numbers are impossible.
pub(super) fn tuf_form(algorithm: Algorithm, signature: Vec<u8>) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::EcdsaP256 => {
            let signature = p256::ecdsa::Signature::from_slice(&signature).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        Algorithm::EcdsaP384 => {
            let signature = p384::ecdsa::Signature::from_slice(&signature).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        Algorithm::Ed25519 => (signature.len() == 64).then_some(signature),
        Algorithm::RsaPss => (!signature.is_empty()).then_some(signature),
    }
}

fn bare_key(algorithm: Algorithm, point: &[u8]) -> Option<PublicKey> {
    match algorithm {
        Algorithm::Ed25519 => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(point.try_into().ok()?).ok()?;
            (!key.is_weak()).then(|| PublicKey::Ed25519(key.to_bytes()))
        }
        Algorithm::EcdsaP256 => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            Some(PublicKey::P256(
                key.to_sec1_point(false).as_bytes().to_vec(),
            ))
        }
        Algorithm::EcdsaP384 => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
            Some(PublicKey::P384(
                key.to_sec1_point(false).as_bytes().to_vec(),
            ))
        }
        Algorithm::RsaPss => None,
    }
}

/// The contents of a DER OCTET STRING of less than 128 bytes: no point that we use is longer.
fn unwrapped(octet_string: &[u8]) -> Option<&[u8]> {
    match octet_string {
        [0x04, length, point @ ..] if usize::from(*length) == point.len() && *length < 0x80 => {
            Some(point)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use data_encoding::HEXLOWER as HEX;

    use super::{algorithm_of, ec_key, parameters, rsa_key, tuf_form};
    use crate::tuf::key::Algorithm::{EcdsaP256, EcdsaP384, Ed25519, RsaPss};
    use crate::tuf::key::PublicKey;

    /// RFC 8032, 7.1, test 1.
    const EDWARDS: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    /// RFC 6979, A.2.5.
    const NIST: &str = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
                        7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

    fn hex(text: &str) -> Vec<u8> {
        HEX.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn curve_is_known_in_each_of_its_forms() {
        for (params, algorithm) in [
            ("06082a8648ce3d030107", Some(EcdsaP256)),
            ("06052b81040022", Some(EcdsaP384)),
            ("06032b6570", Some(Ed25519)),
            ("130c656477617264733235353139", Some(Ed25519)),
            ("06092b06010401da470f01", Some(Ed25519)),
            ("06052b8104000a", None),
            ("06082a8648ce3d03010700", None),
            ("", None),
        ] {
            assert_eq!(algorithm_of(&hex(params)), algorithm, "{params}");
        }
        assert_eq!(parameters(RsaPss).len(), 2);
    }

    #[test]
    fn point_is_read_wrapped_and_bare() {
        let edwards = PublicKey::Ed25519(hex(EDWARDS).try_into().unwrap());
        for point in [EDWARDS.to_owned(), format!("0420{EDWARDS}")] {
            assert_eq!(
                ec_key(Ed25519, &hex(&point)).as_ref(),
                Some(&edwards),
                "{point}"
            );
        }
        let nist = PublicKey::P256(hex(&format!("04{NIST}")));
        let compressed = format!("03{}", &NIST[..64]);
        for point in [format!("04{NIST}"), format!("044104{NIST}"), compressed] {
            assert_eq!(
                ec_key(EcdsaP256, &hex(&point)).as_ref(),
                Some(&nist),
                "{point}"
            );
        }
    }

    #[test]
    fn point_that_is_not_on_the_curve_is_no_key() {
        let off_curve = format!("04{}", NIST.replace("2299", "2298"));
        for (algorithm, point) in [
            (EcdsaP256, off_curve.as_str()),
            (EcdsaP256, ""),
            (EcdsaP256, "0400"),
            (EcdsaP384, &format!("04{NIST}")),
            (Ed25519, &"00".repeat(32)),
            (Ed25519, &format!("0421{EDWARDS}")),
            (Ed25519, &format!("0420{EDWARDS}00")),
            (RsaPss, EDWARDS),
        ] {
            assert_eq!(ec_key(algorithm, &hex(point)), None, "{point}");
        }
    }

    #[test]
    fn impossible_signature_is_refused() {
        for (algorithm, length) in [(Ed25519, 63), (EcdsaP256, 65), (EcdsaP384, 64), (RsaPss, 0)] {
            assert_eq!(tuf_form(algorithm, vec![1; length]), None);
        }
        assert_eq!(tuf_form(EcdsaP256, vec![0; 64]), None, "r and s of zero");
        assert_eq!(
            tuf_form(EcdsaP256, vec![1; 64]).unwrap()[..4],
            [0x30, 0x44, 0x02, 0x20]
        );
    }

    #[test]
    fn numbers_that_are_no_rsa_key_are_refused() {
        assert_eq!(rsa_key(&[], &[]), None);
        assert_eq!(rsa_key(&[0xff; 384], &[]), None);
    }
}
