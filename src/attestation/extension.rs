//! Extensions of certificates: the two of RFC 5280 that decide who may issue, and the values that Yubico's own hold.

use der::Decode as _;
use der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

use super::certificate::Certificate;
use super::fault::Fault;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");

/// What may be critical, because it is judged here.
pub(super) const UNDERSTOOD: [ObjectIdentifier; 2] = [BASIC_CONSTRAINTS, KEY_USAGE];

/// Whether it has any extension directly below `arc`.
pub(super) fn has_arc(certificate: &Certificate, arc: ObjectIdentifier) -> bool {
    certificate
        .extensions()
        .iter()
        .any(|extension| extension.extn_id.parent() == Some(arc))
}

/// The bytes of the extension `arc.last`.
pub(super) fn value(certificate: &Certificate, arc: ObjectIdentifier, last: u32) -> Option<&[u8]> {
    let oid = arc.push_arc(last).ok()?;
    find(certificate, oid)
}

/// As [`value`], of one that must be there.
pub(super) fn needed(
    certificate: &Certificate,
    arc: ObjectIdentifier,
    last: u32,
) -> Result<&[u8], Fault> {
    value(certificate, arc, last).ok_or_else(|| {
        Fault::form(
            certificate.name(),
            format!("lacks the extension {arc}.{last}"),
        )
    })
}

fn find(certificate: &Certificate, oid: ObjectIdentifier) -> Option<&[u8]> {
    certificate
        .extensions()
        .iter()
        .find(|extension| extension.extn_id == oid)
        .map(|extension| extension.extn_value.as_bytes())
}

/// Why the certificate may not issue one that has `below` certificates of issuers between itself and the attestation.
pub(super) fn why_not_issue(certificate: &Certificate, below: usize) -> Option<String> {
    let Some(constraints) = find(certificate, BASIC_CONSTRAINTS) else {
        return Some("it has no basicConstraints".to_owned());
    };
    match BasicConstraints::from_der(constraints) {
        Err(_) => return Some("its basicConstraints cannot be read".to_owned()),
        Ok(BasicConstraints { ca: false, .. }) => {
            return Some("it is no issuer (cA is false)".to_owned());
        }
        Ok(BasicConstraints {
            path_len_constraint: Some(most),
            ..
        }) if below > usize::from(most) => {
            return Some(format!(
                "{below} issuers stand below it and its pathLenConstraint is {most}"
            ));
        }
        Ok(_) => {}
    }
    // RFC 5280, 4.2.1.3 wants keyUsage in every issuer; genuine device certificates have none.
    match find(certificate, KEY_USAGE).map(KeyUsage::from_der) {
        Some(Ok(usage)) if !usage.key_cert_sign() => {
            Some("its keyUsage lacks keyCertSign".to_owned())
        }
        Some(Err(_)) => Some("its keyUsage cannot be read".to_owned()),
        _ => None,
    }
}

/// An INTEGER of at most 32 bits, not negative. Serial numbers are four bytes on the wire in every attestation that was
/// published, so those are taken as they stand even where DER would drop a leading zero.
pub(super) fn integer(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [0x02, 4, number @ ..] => number.try_into().ok().map(u32::from_be_bytes),
        _ => u32::from_der(bytes).ok(),
    }
}

/// A BIT STRING of exactly `N` whole bytes.
pub(super) fn bits<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    der::asn1::BitString::from_der(bytes)
        .ok()?
        .as_bytes()?
        .try_into()
        .ok()
}

/// `N` bytes, bare as a YubiKey writes them, or in an OCTET STRING as a YubiHSM does. The two differ in length, so neither can be
/// taken for the other.
pub(super) fn octets<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    if let Ok(bare) = bytes.try_into() {
        return Some(bare);
    }
    der::asn1::OctetString::from_der(bytes)
        .ok()?
        .as_bytes()
        .try_into()
        .ok()
}
