//! Strings that clients canonicalise differently (docs/compatibility.md).

use std::borrow::Cow;

use unicode_normalization::is_nfc;

use super::Client::{RustTuf, Tough, TufJs};
use super::Report;
use super::facts::Facts;
use crate::tuf::json::{Json, Kind, string};

/// The first string of each kind that a client signs or verifies otherwise than the rest.
#[derive(Default)]
struct Odd {
    /// Not NFC: tough normalises it.
    decomposed: Option<String>,
    /// With control characters: rust-tuf escapes them.
    control: Option<String>,
    /// A name whose place depends on UTF-16 or code point order.
    order: Option<String>,
}

/// Looks at every string of the signed part that is more than plain ASCII.
pub(super) fn strings(facts: &Facts<'_>, report: &mut Report) {
    let mut odd = Odd::default();
    let mut beyond = false;
    for piece in facts.signed.pieces() {
        each_unusual(piece, &mut |text| {
            beyond |= text.chars().any(|c| c > '\u{ffff}');
            look(text, &mut odd);
        });
    }
    if beyond {
        odd.order = first_misplaced(facts.signed);
    }
    if let Some(text) = odd.decomposed {
        report.refuse(&[Tough], format_args!("The text {text:?} is not in Unicode form NFC; it is normalised here before the signatures are checked, so none of them is valid."));
    }
    if let Some(text) = odd.control {
        report.refuse(&[RustTuf], format_args!("The text that begins with {text:?} has control characters (such as line ends), which are canonicalised otherwise here, so no signature is valid."));
    }
    if let Some(name) = odd.order {
        report.refuse(&[TufJs], format_args!("The name {name:?} is sorted otherwise here, so no signature is valid. Use no characters beyond U+FFFF in names."));
    }
}

/// The strings of a piece of proven text that have an escape or a character beyond ASCII. Neither stands outside of strings, so the others are passed over
/// without being parted.
fn each_unusual(piece: &[u8], look: &mut dyn FnMut(&str)) {
    let mut at = 0;
    while let Some(found) = unusual(&piece[at..]) {
        // The first such byte of its string: the quote before it is the one that opens.
        let before = piece[at..at + found].iter().rposition(|byte| *byte == b'"');
        let start = before.map_or(at, |quote| at + quote + 1);
        let end = string::end(piece, start);
        look(&string::unescape(&String::from_utf8_lossy(
            &piece[start..end],
        )));
        at = piece.len().min(end + 1);
    }
}

/// The place of the first backslash or byte beyond ASCII, found a block at a time.
fn unusual(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 128;
    let is_unusual = |byte: &u8| !byte.is_ascii() || *byte == b'\\';
    let any = |block: &[u8]| block.iter().fold(false, |any, byte| any | is_unusual(byte));
    let block = bytes.chunks(BLOCK).position(any)? * BLOCK;
    Some(block + bytes[block..].iter().position(is_unusual)?)
}

fn look(text: &str, odd: &mut Odd) {
    if odd.decomposed.is_none() && !text.is_ascii() && !is_nfc(text) {
        odd.decomposed = Some(text.to_owned());
    }
    if odd.control.is_none() && text.bytes().any(|byte| byte < 0x20) {
        // What stands before the first one names it: a PEM text is long, and a person reads this.
        let plain = text.split(|c: char| c < ' ').next().unwrap_or_default();
        odd.control = Some(plain.to_owned());
    }
}

/// The first name of an object that UTF-16 order puts elsewhere. Recurses no deeper than the reader's limit.
fn first_misplaced(json: Json<'_>) -> Option<String> {
    if json.kind() == Kind::Array {
        return json.elements().find_map(first_misplaced);
    }
    let inside = json.members().find_map(|(_, value)| first_misplaced(value));
    inside.or_else(|| {
        let names = json.members().map(|(name, _)| name);
        let names: Vec<_> = names.filter(|name| !name.is_ascii()).collect();
        let beyond = names
            .iter()
            .any(|name| name.chars().any(|c| c > '\u{ffff}'));
        beyond.then(|| misplaced(names)).flatten()
    })
}

/// The first name that UTF-16 order puts elsewhere.
fn misplaced(mut names: Vec<Cow<'_, str>>) -> Option<String> {
    names.sort();
    let mut units = names.clone();
    units.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    let pair = names.iter().zip(&units).find(|(name, unit)| name != unit);
    pair.map(|(name, _)| name.clone().into_owned())
}
