//! Attestation certificates that a module shows as certificate objects. They are found by name and handed on as they are: whether they are genuine and
//! about this key is for others to judge.

use cryptoki::error::Error;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};

use super::session::Open;

/// What ykcs11 calls the certificate of the attestation key in slot f9; that of another slot has the slot's name behind it.
const SIGNER: &str = "X.509 Certificate for PIV Attestation";

/// Whether a key of this label is the one that attests: it vouches for others and signs nothing else.
pub(super) fn is_its_key(label: &str) -> bool {
    label.ends_with(" key for PIV Attestation")
}

/// The certificates for the key with this id, DER, its own first; empty where there is none of its own.
pub(super) fn certificates(open: &Open, id: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let (mut own, mut signer) = (None, None);
    for object in open.objects(&[Attribute::Class(ObjectClass::CERTIFICATE)])? {
        let label = open.attribute(object, AttributeType::Label)?;
        let place = match label.as_deref().map(slot_of) {
            Some(Some([])) => &mut signer,
            Some(Some(_)) => {
                let theirs = open.attribute(object, AttributeType::Id)?;
                if theirs.as_deref() != Some(id) {
                    continue;
                }
                &mut own
            }
            _ => continue,
        };
        let value = open.attribute(object, AttributeType::Value)?;
        if place.is_none() {
            *place = value.filter(|der| !der.is_empty());
        }
    }
    Ok(own
        .map(|own| std::iter::once(own).chain(signer).collect())
        .unwrap_or_default())
}

/// The slot that an attestation certificate's label names, empty for that of f9 itself; none where it is the label of something else.
fn slot_of(label: &[u8]) -> Option<&[u8]> {
    match label.strip_prefix(SIGNER.as_bytes())? {
        [] => Some(&[]),
        [b' ', slot @ ..] if slot.len() == 2 => Some(slot),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_its_key, slot_of};

    #[test]
    fn key_that_attests_is_told_by_its_label() {
        assert!(is_its_key("Public key for PIV Attestation"));
        assert!(is_its_key("Private key for PIV Attestation"));
        assert!(!is_its_key("Private key for Digital Signature"));
    }

    #[test]
    fn attestation_is_told_from_other_certificates_by_its_label() {
        for (label, slot) in [
            ("X.509 Certificate for PIV Attestation 9c", Some("9c")),
            ("X.509 Certificate for PIV Attestation", Some("")),
            ("X.509 Certificate for PIV Attestation of Eve", None),
            ("X.509 Certificate for Digital Signature", None),
            ("", None),
        ] {
            assert_eq!(
                slot_of(label.as_bytes()),
                slot.map(str::as_bytes),
                "{label}"
            );
        }
    }
}
