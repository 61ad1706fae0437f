//! Strings: finding their end, proving their escapes, and undoing them.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::JsonFault;

/// Where the string whose first byte is at `at` (behind the quote) ends: the offset of the closing quote.
/// For proven text only.
pub(crate) fn end(text: &[u8], mut at: usize) -> usize {
    loop {
        match text[at..].iter().position(|&b| b == b'"' || b == b'\\') {
            Some(found) if text[at + found] == b'"' => return at + found,
            Some(found) => at += found + 2,
            None => return text.len(),
        }
    }
}

/// Proves the string that begins at `at`, behind its quote, and returns the offset of the closing quote.
pub(super) fn prove(text: &[u8], mut at: usize) -> Result<usize, (usize, JsonFault)> {
    loop {
        let run = text[at..]
            .iter()
            .position(|&b| b == b'"' || b == b'\\' || b < 0x20)
            .ok_or((text.len(), JsonFault::Truncated))?;
        at += run;
        match text[at] {
            b'"' => return Ok(at),
            b'\\' => at += escape(text, at)?,
            _ => return Err((at, JsonFault::ControlCharacter)),
        }
    }
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
    let Some(first) = inner.find('\\') else {
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
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    // UTF-8 sorts as code points do.
    unescape(a).cmp(&unescape(b))
}
