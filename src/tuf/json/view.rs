//! Walking proven text: members and elements found by a scan that only minds strings and brackets.

use std::ops::Range;

use super::text::Text;
use super::{Json, string};

/// The values inside one array or object of proven text, one after the other; of an object keys and values in turn.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a> {
    text: &'a str,
    at: usize,
    document: Option<&'a Text>,
}

impl<'a> Walk<'a> {
    /// Through the array or object whose bracket is at `start`. Any other value has nothing inside.
    pub(crate) fn into(text: &'a str, start: usize, document: Option<&'a Text>) -> Self {
        let is_container = matches!(text.as_bytes().get(start), Some(b'{' | b'['));
        let at = if is_container { start + 1 } else { text.len() };
        // No entry of a list has a list in it.
        let document = document.filter(|document| !document.is_list(start));
        Self { text, at, document }
    }

    /// Where the keys, without quotes, of the object at `start` lie that are proven already: those before `end`.
    pub(super) fn keys_before(
        text: &[u8],
        start: usize,
        end: usize,
    ) -> impl Iterator<Item = Range<usize>> {
        let mut at = start + 1;
        std::iter::from_fn(move || {
            let key = next(text, at).filter(|key| *key < end)?;
            let inner = key + 1..string::end(text, key + 1);
            at = value_end(text, next(text, inner.end + 1)?, None);
            Some(inner)
        })
    }

    /// Behind the closing bracket, once the last value has been given.
    pub(crate) fn end(&self) -> usize {
        self.at + 1
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        let bytes = self.text.as_bytes();
        self.at = next(bytes, self.at)?;
        if matches!(bytes[self.at], b'}' | b']') {
            return None;
        }
        let start = self.at;
        self.at = value_end(bytes, start, self.document);
        Some(Json {
            text: self.text,
            start,
            end: self.at,
            document: self.document,
        })
    }
}

/// The next value or closing bracket: in proven text only white space and separators stand before it.
fn next(text: &[u8], at: usize) -> Option<usize> {
    let between = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
    Some(at + text.get(at..)?.iter().position(|b| !between(b))?)
}

/// Where the value that starts at `start` ends. Of a document it is known where its long lists end.
pub(crate) fn value_end(text: &[u8], start: usize, document: Option<&Text>) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match text.get(at) {
            Some(b'"') => at = string::end(text, at + 1) + 1,
            Some(b'{' | b'[') => {
                if let Some(end) = document.and_then(|document| document.list_end(at)) {
                    at = end;
                } else {
                    depth += 1;
                    at += 1;
                    continue;
                }
            }
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            Some(b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => {
                at += text[at..]
                    .iter()
                    .position(|b| !matches!(b, b'-' | b'0'..=b'9' | b'a'..=b'z'))
                    .unwrap_or(text.len() - at);
            }
            Some(_) => {
                at += 1;
                continue;
            }
            None => return text.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}
