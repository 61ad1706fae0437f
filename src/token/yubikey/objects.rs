//! Data objects of a PIV card that the crate does not hand out as they are: the certificates of its slots.

use yubikey::{Error, ObjectId, YubiKey};

use super::errors::{guarded, is_lost};

/// The slot of the key with which the maker vouches for others.
pub(super) const ATTESTATION: u8 = 0xf9;

const CERTIFICATE: u8 = 0x70;
const COMPRESSION: u8 = 0x71;

/// The certificate of a slot, DER as it lies there. None: there is none, or it is compressed.
pub(super) fn certificate(card: &mut YubiKey, slot: u8) -> Result<Option<Vec<u8>>, Error> {
    let Some(object) = object_of(slot) else {
        return Ok(None);
    };
    match guarded(|| card.fetch_object(object)) {
        Ok(content) => Ok(unwrapped(&content)),
        Err(error) if is_lost(&error) => Err(error),
        Err(_) => Ok(None),
    }
}

/// NIST SP 800-73-4, part 1, table 3; 0xf9 is Yubico's.
fn object_of(slot: u8) -> Option<ObjectId> {
    Some(match slot {
        0x9a => 0x5f_c105,
        0x9c => 0x5f_c10a,
        0x9d => 0x5f_c10b,
        0x9e => 0x5f_c101,
        0x82..=0x95 => 0x5f_c10d + ObjectId::from(slot - 0x82),
        ATTESTATION => 0x5f_ff01,
        _ => return None,
    })
}

/// The certificate in the object (SP 800-73-4, part 1, table 10): tag 0x70; tag 0x71 not zero says that it is compressed.
fn unwrapped(content: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut certificate) = (content, None);
    while !rest.is_empty() {
        let (tag, value, after) = element(rest)?;
        match (tag, value) {
            (CERTIFICATE, value) if !value.is_empty() => certificate = Some(value.to_vec()),
            (COMPRESSION, [0] | []) => {}
            (COMPRESSION, _) => return None,
            _ => {}
        }
        rest = after;
    }
    certificate
}

/// A tag of one byte, its value, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (length, rest) = rest.split_first()?;
            (usize::from(*length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (value, after) = rest.split_at_checked(length)?;
    Some((tag, value, after))
}

#[cfg(test)]
mod tests {
    use super::{object_of, unwrapped};

    #[test]
    fn certificate_is_unwrapped_and_nothing_else_is() {
        let mut long = vec![0x70, 0x82, 0x01, 0x00];
        long.extend([7; 256]);
        long.extend([0x71, 1, 0, 0xfe, 0]);
        for (content, certificate) in [
            (&b"\x70\x02AB\x71\x01\x00\xfe\x00"[..], Some(b"AB".to_vec())),
            (b"\x70\x81\x02AB", Some(b"AB".to_vec())),
            (&long, Some(vec![7; 256])),
            (b"\x70\x02AB\x71\x01\x01\xfe\x00", None),
            (b"", None),
            (b"\x70\x00", None),
            (b"\x70", None),
            (b"\x70\x05AB", None),
            (b"\x70\x84\x00\x00\x00\x01A", None),
            (b"\x53\x02AB", None),
        ] {
            assert_eq!(unwrapped(content), certificate, "{content:02x?}");
        }
    }

    #[test]
    fn slots_have_the_objects_of_the_standard() {
        assert_eq!(object_of(0x9c), Some(0x5f_c10a));
        assert_eq!(object_of(0x82), Some(0x5f_c10d));
        assert_eq!(object_of(0x95), Some(0x5f_c120));
        assert_eq!(object_of(0x9b), None);
    }
}
