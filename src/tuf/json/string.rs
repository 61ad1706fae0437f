//! Strings: finding their end, proving their escapes, and undoing them.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::JsonFault;

/// Where the string whose first byte is at `at` (behind the quote) ends: the offset of the closing quote.
/// For proven text only.
pub(crate) fn end(text: &[u8], mut at: usize) -> usize {
    loop {
        at = special(text, at);
        match text.get(at) {
            Some(b'"') => return at,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return text.len(),
        }
    }
}

/// How far a string could be proven.
pub(super) enum Proof {
    /// To its closing quote, at this offset; whether it has only escapes that the canonical form has.
    Closed(usize, bool),
    /// Up to this offset, where the text ends; another attempt may begin there. Whether the part before is canonical.
    Open(usize, bool),
}

/// Proves the string that goes on at `at`, behind its quote.
pub(super) fn prove(text: &[u8], mut at: usize) -> Result<Proof, (usize, JsonFault)> {
    let mut canonical = true;
    loop {
        at = special(text, at);
        match text.get(at) {
            Some(b'"') => return Ok(Proof::Closed(at, canonical)),
            Some(b'\\') => match escape(text, at) {
                Ok(length) => {
                    canonical &= matches!(text[at + 1], b'"' | b'\\');
                    at += length;
                }
                Err((_, JsonFault::Truncated)) => return Ok(Proof::Open(at, canonical)),
                Err(fault) => return Err(fault),
            },
            Some(_) => return Err((at, JsonFault::ControlCharacter)),
            None => return Ok(Proof::Open(at, canonical)),
        }
    }
}

/// The first quote, backslash or control character at or behind `at`: eight bytes at a time, and of a long string 32.
pub(crate) fn special(text: &[u8], mut at: usize) -> usize {
    // A borrow can only mark bytes behind a true one, and the first is asked for.
    let first = |found: u64| (found.trailing_zeros() / 8) as usize;
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = marked(u64::from_le_bytes(*word));
        if found != 0 {
            return at + first(found);
        }
        at += 8;
        while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<32>) {
            let (words, _) = block.as_chunks::<8>();
            let found = [0, 1, 2, 3].map(|number| marked(u64::from_le_bytes(words[number])));
            if found.iter().fold(0, |all, found| all | found) != 0 {
                let number = found.iter().take_while(|found| **found == 0).count();
                return at + 8 * number + first(found[number]);
            }
            at += 32;
        }
    }
    let rest = text.get(at..).unwrap_or_default();
    let hit = rest
        .iter()
        .position(|&b| matches!(b, b'"' | b'\\') || b < 0x20);
    hit.map_or(text.len(), |hit| at + hit)
}

/// The high bits of the bytes of a word that are a quote, a backslash or a control character, and perhaps of some above the lowest of them.
fn marked(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5C)) | control) & HIGH
}

/// Proves the escape at `at` and returns its length: 2, 6, or 12 for a surrogate pair.
fn escape(text: &[u8], at: usize) -> Result<usize, (usize, JsonFault)> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') => match unit(text, at)? {
            0xD800..=0xDBFF => match text.get(at + 6..at + 8) {
                Some(br"\u") if (0xDC00..=0xDFFF).contains(&unit(text, at + 6)?) => Ok(12),
                _ => Err((at, JsonFault::LoneSurrogate)),
            },
            0xDC00..=0xDFFF => Err((at, JsonFault::LoneSurrogate)),
            _ => Ok(6),
        },
        Some(_) => Err((at, JsonFault::BadEscape)),
        None => Err((text.len(), JsonFault::Truncated)),
    }
}

/// The UTF-16 unit of the `\uXXXX` at `at`.
fn unit(text: &[u8], at: usize) -> Result<u32, (usize, JsonFault)> {
    let digits = &text[at + 2..text.len().min(at + 6)];
    let unit = digits
        .iter()
        .try_fold(0, |unit, &b| Some(unit * 16 + char::from(b).to_digit(16)?))
        .ok_or((at, JsonFault::BadEscape))?;
    if digits.len() == 4 {
        Ok(unit)
    } else {
        Err((text.len(), JsonFault::Truncated))
    }
}

/// The text that `inner` (a proven string without its quotes) stands for.
pub(crate) fn unescape(inner: &str) -> Cow<'_, str> {
    let first = inner.as_bytes().iter().position(|b| *b == b'\\');
    let Some(first) = first else {
        return Cow::Borrowed(inner);
    };
    let mut plain = String::with_capacity(inner.len());
    let mut rest = inner;
    let mut next = Some(first);
    while let Some(at) = next {
        plain.push_str(&rest[..at]);
        let (meant, length) = decode(&rest.as_bytes()[at..]);
        plain.push(meant);
        rest = &rest[at + length..];
        next = rest.find('\\');
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The character that the proven escape at the start of `text` stands for, and the length of the escape.
pub(crate) fn decode(text: &[u8]) -> (char, usize) {
    let short = match text.get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return decode_units(text),
        Some(&itself) => char::from(itself),
        None => char::REPLACEMENT_CHARACTER,
    };
    (short, 2)
}

fn decode_units(text: &[u8]) -> (char, usize) {
    let first = unit(text, 0).unwrap_or_default();
    let (code, length) = if (0xD800..=0xDBFF).contains(&first) {
        let second = unit(text, 6).unwrap_or_default();
        let low = second.wrapping_sub(0xDC00) & 0x3FF;
        (0x1_0000 + ((first - 0xD800) << 10) + low, 12)
    } else {
        (first, 6)
    };
    (
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
        length,
    )
}

/// Compares what two proven strings without their quotes stand for, by code point.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    // UTF-8 sorts as code points do, so the first byte that differs decides unless an escape stands there.
    let same = a
        .iter()
        .zip(b)
        .take_while(|(a, b)| a == b && **a != b'\\')
        .count();
    match (a.get(same), b.get(same)) {
        (Some(b'\\'), _) | (_, Some(b'\\')) => meant(&a[same..]).cmp(&meant(&b[same..])),
        (a, b) => a.cmp(&b),
    }
}

/// What a proven string without its quotes stands for, where nobody knows yet that it is UTF-8.
pub(super) fn meant(inner: &[u8]) -> Vec<u8> {
    let mut meant = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.iter().position(|&b| b == b'\\') {
        meant.extend_from_slice(&rest[..at]);
        let (character, length) = decode(&rest[at..]);
        meant.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + length..];
    }
    meant.extend_from_slice(rest);
    meant
}
