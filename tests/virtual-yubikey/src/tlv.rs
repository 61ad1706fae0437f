//! BER-TLV as PIV cards use it (ISO/IEC 7816-4), and DER where the two agree.

/// Tag, length and value as bytes; the tag may have two bytes (`0x7f49`).
pub(crate) fn tlv(tag: u16, value: &[u8]) -> Vec<u8> {
    let [high, low] = tag.to_be_bytes();
    let mut out = if high == 0 {
        vec![low]
    } else {
        vec![high, low]
    };
    let [_, _, _, _, _, _, upper, lower] = (value.len() as u64).to_be_bytes();
    match value.len() {
        0..=0x7f => out.push(lower),
        0x80..=0xff => out.extend([0x81, lower]),
        _ => out.extend([0x82, upper, lower]),
    }
    out.extend_from_slice(value);
    out
}

/// Tag, length and several values one after the other.
pub(crate) fn nested(tag: u16, values: &[&[u8]]) -> Vec<u8> {
    tlv(tag, &values.concat())
}

/// One element of one-byte tag and what follows it; nothing where the length is a lie.
pub(crate) fn read(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (&length, rest) = rest.split_first()?;
            (usize::from(length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// Every element of `bytes`; nothing where a byte is left over.
pub(crate) fn read_all(mut bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut elements = Vec::new();
    while !bytes.is_empty() {
        let (tag, value, rest) = read(bytes)?;
        elements.push((tag, value));
        bytes = rest;
    }
    Some(elements)
}

/// The value of the first element with this tag.
pub(crate) fn find<'a>(elements: &[(u8, &'a [u8])], tag: u8) -> Option<&'a [u8]> {
    elements
        .iter()
        .find(|(found, _)| *found == tag)
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_at_every_length_form() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x0bb8] {
            let value = vec![7; length];
            let bytes = tlv(0x53, &value);
            assert_eq!(read(&bytes), Some((0x53, &value[..], &[][..])), "{length}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_no_element() {
        assert_eq!(read(&[0x53, 3, 1, 2]), None);
        assert_eq!(read(&[0x53, 0x84, 0, 0, 0, 1, 1]), None);
        assert_eq!(read_all(&[0x53, 0, 0x53]), None);
    }
}
