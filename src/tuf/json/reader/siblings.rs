//! Entries of the two long lists that are written as one before them, but for some strings: of 736,344 nearly all are.
//! What an entry has besides was proven with its sibling, so it is compared, and only its strings are read.

use std::ops::Range;

use crate::tuf::json::string;

/// So many forms are learnt in one list; what is written in none of them is read as everything is.
const FORMS: usize = 4;
/// A member's value of so few bytes is a word that siblings share: `ed25519`.
const WORD: usize = 16;
/// The longest entry that is learnt from, in bytes.
const LONGEST: usize = 4096;

/// The forms that entries of the open list had so far.
#[derive(Default)]
pub(super) struct Siblings(Vec<Form>);

/// How an object is written.
struct Form {
    /// What lies before, between and behind its strings, with their quotes; keys and words belong to it.
    parts: Vec<Vec<u8>>,
    /// Which of its strings is the value of its own member `name`.
    name: Option<usize>,
}

/// An entry that is written as a sibling.
pub(super) struct Like {
    /// Where it ends.
    pub(super) end: usize,
    /// Where its member `name` has its value, without the quotes.
    pub(super) name: Option<Range<usize>>,
}

impl Siblings {
    /// Learns from the object at `span`, which was read; its keys ascend.
    pub(super) fn learn(&mut self, text: &[u8], span: Range<usize>) {
        if self.0.len() < FORMS && span.len() <= LONGEST {
            self.0.push(Form::of(text, span));
        }
    }
    /// The object that begins at `at`, if it is there to its end and written like one before, no string longer than `longest`.
    pub(super) fn like(&self, text: &[u8], at: usize, longest: usize) -> Option<Like> {
        self.0.iter().find_map(|form| form.like(text, at, longest))
    }
}

impl Form {
    fn of(text: &[u8], span: Range<usize>) -> Self {
        let mut form = Self {
            parts: Vec::new(),
            name: None,
        };
        let (mut depth, mut part, mut at) = (0_usize, span.start, span.start);
        // The key whose value is due.
        let mut key: Option<&[u8]> = None;
        while at < span.end {
            match text[at] {
                b'{' | b'[' => (depth, key) = (depth + 1, None),
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    let end = string::end(text, at + 1);
                    let mut behind = text[end + 1..span.end].iter();
                    let next = behind.find(|byte| !byte.is_ascii_whitespace());
                    let is_name = depth == 1 && key == Some(b"name");
                    if next == Some(&b':') {
                        key = Some(&text[at + 1..end]);
                    } else if is_name || key.is_none() || end - at > WORD {
                        if is_name {
                            form.name = Some(form.parts.len());
                        }
                        form.parts.push(text[part..=at].to_vec());
                        (part, key) = (end, None);
                    }
                    at = end;
                }
                _ => {}
            }
            at += 1;
        }
        form.parts.push(text[part..span.end].to_vec());
        form
    }

    fn like(&self, text: &[u8], mut at: usize, longest: usize) -> Option<Like> {
        let (last, parts) = self.parts.split_last()?;
        let mut name = None;
        for (number, part) in parts.iter().enumerate() {
            let start = at + part.len();
            if !text[at..].starts_with(part) {
                return None;
            }
            at = string::special(text, start);
            if self.name == Some(number) {
                name = Some(start..at);
            }
            if text.get(at) != Some(&b'"') || at - start > longest {
                return None;
            }
        }
        let end = at + last.len();
        text[at..].starts_with(last).then_some(Like { end, name })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use crate::tuf::canonical::Form;
    use crate::tuf::json::{JsonFault, Limits, check, prove_text};

    const KEY: &str = r#"{"keytype":"ed25519","keyval":{"public":"0f"},"name":"n"}"#;
    const ROLE: &str =
        r#"{"keyids":["ab"],"name":"p","paths":["p/*","q"],"terminating":true,"threshold":1}"#;

    fn file(keys: &str, roles: &str) -> String {
        format!(r#"{{"signed":{{"delegations":{{"keys":{{{keys}}},"roles":[{roles}]}}}}}}"#)
    }

    /// What is said of a file: why it is refused, or whether its signed part is compact and canonical.
    fn said(text: &str) -> Result<[bool; 2], JsonFault> {
        match prove_text(text.as_bytes(), Limits::LARGE) {
            Ok(found) => Ok([found.compact, found.canonical]),
            Err(refused) => Err(refused.at(text.as_bytes()).fault),
        }
    }

    #[test]
    fn what_is_like_its_sibling_is_judged_as_if_it_stood_alone() {
        let mut refused = 0;
        let pretty = |entry: &str| {
            entry
                .replace(':', ": ")
                .replace(',', ",\n ")
                .replace('{', "{ ")
        };
        for entry in [KEY.to_owned(), ROLE.to_owned(), pretty(KEY), pretty(ROLE)] {
            let bytes = "\"\\,:{}[] \n0a\u{1}é".chars();
            let places = (0..entry.len()).flat_map(|at| bytes.clone().map(move |byte| (at, byte)));
            for (at, byte) in places {
                let other = [&entry[..at], &byte.to_string(), &entry[at + 1..]].concat();
                let keys = format!(r#""a":{entry},"b":{other}"#);
                let roles = format!("{entry},{other},{entry}");
                for (keys, roles) in [(&*keys, "{}"), ("", &*roles)] {
                    let beside = file(keys, roles);
                    // In lists elsewhere there are no siblings.
                    let alone = beside.replace("delegations", "delegation_");
                    assert_eq!(said(&beside), said(&alone), "{beside}");
                    refused += usize::from(said(&beside).is_err());
                    if let Ok(document) = check(beside.as_bytes(), Limits::LARGE) {
                        let form = Form::of(document.get("signed").unwrap());
                        assert_eq!(said(&beside), Ok([form.is_compact(), form.is_canonical()]));
                        let found = prove_text(beside.as_bytes(), Limits::LARGE).unwrap();
                        assert_eq!(found.ordered, form.is_ordered(), "{beside}");
                    }
                }
            }
        }
        assert!(refused > 1000, "{refused}");
    }

    #[test]
    fn strings_of_siblings_keep_to_the_limits_and_names_are_noted() {
        let roles = format!("{ROLE},{}", ROLE.replace("\"p\"", "\"longer\""));
        let text = file("", &roles);
        let limits = |string| Limits {
            string,
            ..Limits::SMALL
        };
        assert!(prove_text(text.as_bytes(), limits(11)).is_ok());
        let text = text.replace("longer", "much longer");
        assert!(prove_text(text.as_bytes(), limits(11)).is_ok());
        assert!(prove_text(text.as_bytes(), limits(10)).is_err());
    }
}
