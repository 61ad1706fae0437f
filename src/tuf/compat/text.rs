//! Strings that clients canonicalise differently (docs/compatibility.md).

use std::borrow::Cow;

use unicode_normalization::is_nfc;

use super::Client::{RustTuf, Tough, TufJs};
use super::Report;
use super::facts::Facts;
use crate::tuf::json::{Json, Kind};

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

/// Looks at every string of the signed part.
pub(super) fn strings(facts: &Facts<'_>, report: &mut Report) {
    let mut odd = Odd::default();
    walk(facts.signed, &mut odd);
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

/// Recurses no deeper than the reader's limit.
fn walk(json: Json<'_>, odd: &mut Odd) {
    match json.kind() {
        Kind::Object => {
            let mut names: Vec<Cow<'_, str>> = Vec::new();
            let mut beyond = false;
            for (name, value) in json.members() {
                look(&name, odd);
                beyond |= name.chars().any(|c| c > '\u{ffff}');
                if !name.is_ascii() {
                    names.push(name);
                }
                walk(value, odd);
            }
            if beyond && odd.order.is_none() {
                odd.order = misplaced(names);
            }
        }
        Kind::Array => json.elements().for_each(|element| walk(element, odd)),
        _ => {
            if let Some(text) = json.as_str() {
                look(&text, odd);
            }
        }
    }
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

/// The first name that UTF-16 order puts elsewhere.
fn misplaced(mut names: Vec<Cow<'_, str>>) -> Option<String> {
    names.sort();
    let mut units = names.clone();
    units.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    let pair = names.iter().zip(&units).find(|(name, unit)| name != unit);
    pair.map(|(name, _)| name.clone().into_owned())
}
