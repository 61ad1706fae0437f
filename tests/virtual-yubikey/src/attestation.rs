//! Attestation certificates with the shape of Yubico's, under a TEST CA.
//!
//! The quirks are kept, because a verifier must live with them: version and policies are bare bytes where DER is
//! expected, the leaf has neither basic constraints nor key usage, the validity runs from `UTCTime` to
//! `GeneralizedTime`, and the device certificate is a CA without the right to sign in a key usage.

use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey as _;
use sha2::{Digest as _, Sha256, Sha384};

use crate::keys::{Algorithm, KeyPair};
use crate::state::{State, StoredKey};
use crate::tlv::{nested, read, tlv};

/// A key that everybody has: it vouches for nothing outside tests.
const TEST_CA_KEY: &str = include_str!("attestation/test-ca-key.pem");
const TEST_CA_NAME: &str = "TEST ONLY Virtual YubiKey PIV Root CA";
const DEVICE_NAME: &str = "Yubico PIV Attestation";

/// 1.3.6.1.4.1.41482.3, Yubico's arc for PIV.
const YUBICO_PIV: [u8; 9] = [0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 3];
const FIRMWARE: u8 = 3;
const SERIAL: u8 = 7;
const POLICIES: u8 = 8;
const FORM_FACTOR: u8 = 9;

/// The test CA's own certificate, the same in every run.
pub fn test_ca_certificate() -> Option<Vec<u8>> {
    let ca = test_ca()?;
    let constraints = extension(&[0x55, 0x1d, 0x13], false, &[0x30, 6, 1, 1, 0xff, 2, 1, 1]);
    // keyCertSign and cRLSign.
    let usage = extension(&[0x55, 0x1d, 0x0f], true, &[3, 2, 1, 6]);
    certificate(&Request {
        serial: &[4, 6, 0x47],
        issuer: &name(TEST_CA_NAME),
        subject: &name(TEST_CA_NAME),
        validity: &validity(),
        public: &ca.public_der()?,
        extensions: &[constraints, usage],
        signer: &ca,
    })
}

/// The test CA's certificate as PEM, for a room file's test roots.
pub fn test_ca_pem() -> Option<String> {
    let der = test_ca_certificate()?;
    der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, &der).ok()
}

/// The certificate of a card's attestation key, as the factory would put it into the card.
pub fn device_certificate(state: &State, key: &KeyPair) -> Option<Vec<u8>> {
    let constraints = extension(&[0x55, 0x1d, 0x13], true, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]);
    certificate(&Request {
        serial: &serial_number(&key.public_der()?, 8),
        issuer: &name(TEST_CA_NAME),
        subject: &name(DEVICE_NAME),
        validity: &validity(),
        public: &key.public_der()?,
        extensions: &[yubico(FIRMWARE, &state.firmware.bytes()), constraints],
        signer: &test_ca()?,
    })
}

/// What ATTEST answers: the slot's key, vouched for by the card's attestation key.
///
/// Issuer and validity come from the certificate in the card, whoever wrote it.
pub fn attest(
    state: &State,
    slot: u8,
    key: &StoredKey,
    signer: &KeyPair,
    signer_certificate: &[u8],
) -> Option<Vec<u8>> {
    let (subject, validity) = subject_and_validity(signer_certificate)?;
    let public = key.pair.public_der()?;
    let mut serial = serial_number(&[&public[..], &[slot]].concat(), 16);
    serial[0] &= 0x7f;
    certificate(&Request {
        serial: &serial,
        issuer: &subject,
        subject: &name(&format!("YubiKey PIV Attestation {slot:02x}")),
        validity: &validity,
        public: &public,
        extensions: &[
            yubico(FIRMWARE, &state.firmware.bytes()),
            yubico(SERIAL, &integer(&state.serial.to_be_bytes())),
            yubico(POLICIES, &[key.pin.byte(), key.touch.byte()]),
            yubico(FORM_FACTOR, &[state.form_factor]),
        ],
        signer,
    })
}

struct Request<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    validity: &'a [u8],
    public: &'a [u8],
    extensions: &'a [Vec<u8>],
    signer: &'a KeyPair,
}

fn test_ca() -> Option<KeyPair> {
    KeyPair::rsa_2048(&RsaPrivateKey::from_pkcs8_pem(TEST_CA_KEY).ok()?)
}

/// RFC 5280, 4.1.
fn certificate(request: &Request) -> Option<Vec<u8>> {
    let algorithm = signature_algorithm(request.signer.algorithm())?;
    let tbs = nested(
        0x30,
        &[
            &[0xa0, 3, 2, 1, 2],
            &integer(request.serial),
            &algorithm,
            request.issuer,
            request.validity,
            request.subject,
            request.public,
            &tlv(0xa3, &tlv(0x30, &request.extensions.concat())),
        ],
    );
    let signature = sign(request.signer, &tbs)?;
    let bits = [&[0], &signature[..]].concat();
    Some(nested(0x30, &[&tbs, &algorithm, &tlv(3, &bits)]))
}

fn signature_algorithm(algorithm: Algorithm) -> Option<Vec<u8>> {
    const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b];
    const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
    match algorithm {
        Algorithm::P256 => Some(tlv(0x30, &tlv(6, ECDSA_SHA256))),
        Algorithm::P384 => Some(tlv(0x30, &tlv(6, ECDSA_SHA384))),
        Algorithm::Ed25519 | Algorithm::X25519 => None,
        _ => Some(nested(0x30, &[&tlv(6, RSA_SHA256), &tlv(5, &[])])),
    }
}

fn sign(signer: &KeyPair, tbs: &[u8]) -> Option<Vec<u8>> {
    match signer.algorithm() {
        Algorithm::P256 => signer.sign(&Sha256::digest(tbs)),
        Algorithm::P384 => signer.sign(&Sha384::digest(tbs)),
        algorithm => signer.raw_rsa(&pkcs1_block(tbs, algorithm.rsa_bits()? / 8)?),
    }
}

/// EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 9.2).
fn pkcs1_block(message: &[u8], length: usize) -> Option<Vec<u8>> {
    const SHA256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20,
    ];
    let digest = Sha256::digest(message);
    let fill = length.checked_sub(3 + SHA256.len() + digest.len())?;
    Some([&[0, 1], &vec![0xff; fill][..], &[0], &SHA256, &digest].concat())
}

fn name(common: &str) -> Vec<u8> {
    let attribute = nested(0x30, &[&[6, 3, 0x55, 4, 3], &tlv(0x0c, common.as_bytes())]);
    tlv(0x30, &tlv(0x31, &attribute))
}

/// 2016-03-14 to 2052-04-17, Yubico's own dates.
fn validity() -> Vec<u8> {
    nested(
        0x30,
        &[&tlv(0x17, b"160314000000Z"), &tlv(0x18, b"20520417000000Z")],
    )
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    nested(0x30, &[&tlv(6, oid), critical, &tlv(4, value)])
}

fn yubico(last: u8, value: &[u8]) -> Vec<u8> {
    extension(&[&YUBICO_PIV[..], &[last]].concat(), false, value)
}

/// An unsigned number as DER wants it: no needless zeros, and one where the highest bit would make it negative.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut value = bytes[zeros.min(bytes.len().saturating_sub(1))..].to_vec();
    if value.first().is_some_and(|byte| byte & 0x80 != 0) {
        value.insert(0, 0);
    }
    tlv(2, &value)
}

/// A serial number that a key always gets again, so that a certificate can be compared.
fn serial_number(of: &[u8], length: usize) -> Vec<u8> {
    Sha256::digest(of)[..length].to_vec()
}

/// Subject and validity of a certificate, with their tags.
fn subject_and_validity(certificate: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_, certificate, _) = read(certificate)?;
    let (_, mut tbs, _) = read(certificate)?;
    let mut fields = Vec::new();
    for _ in 0..6 {
        let (tag, value, rest) = read(tbs)?;
        fields.push(tlv(u16::from(tag), value));
        tbs = rest;
    }
    // Version, serial, algorithm, issuer, validity, subject.
    Some((fields.pop()?, fields.pop()?))
}
