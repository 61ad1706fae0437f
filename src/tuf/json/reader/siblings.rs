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
    /// Where the value of its member `name` begins.
    pub(super) name: Option<usize>,
}

impl Siblings {
    /// Learns from the object at `span`, which was read and is canonical as written.
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
        let mut key: &[u8] = b"";
        while at < span.end {
            match text[at] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    let end = string::end(text, at + 1);
                    let is_name = depth == 1 && key == b"name";
                    if text.get(end + 1) == Some(&b':') {
                        key = &text[at + 1..end];
                    } else if end - at > WORD || text[at - 1] != b':' || is_name {
                        if is_name {
                            form.name = Some(form.parts.len());
                        }
                        form.parts.push(text[part..=at].to_vec());
                        part = end;
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
            if self.name == Some(number) {
                name = Some(start - 1);
            }
            at = string::special(text, start);
            if text.get(at) != Some(&b'"') || at - start > longest {
                return None;
            }
        }
        let end = at + last.len();
        text[at..].starts_with(last).then_some(Like { end, name })
    }
}
