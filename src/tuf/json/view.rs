//! Walking proven text: members and elements found by a scan that only minds strings and brackets.

use super::{Json, string};

/// The values inside one array or object of proven text, one after the other; of an object keys and values in turn.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    /// Through the array or object whose bracket is at `start`. Any other value has nothing inside.
    pub(crate) fn into(text: &'a str, start: usize) -> Self {
        let is_container = matches!(text.as_bytes().get(start), Some(b'{' | b'['));
        let at = if is_container { start + 1 } else { text.len() };
        Self { text, at }
    }

    /// Behind the closing bracket, once the last value has been given.
    pub(crate) fn end(&self) -> usize {
        self.at + 1
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Json<'a>> {
        // In proven text only white space and separators stand between two values.
        let bytes = self.text.as_bytes();
        let between = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
        self.at += bytes[self.at..].iter().position(|b| !between(b))?;
        if matches!(bytes[self.at], b'}' | b']') {
            return None;
        }
        let start = self.at;
        self.at = end(bytes, start);
        Some(Json {
            text: self.text,
            start,
            end: self.at,
        })
    }
}

/// Where the value that starts at `start` ends.
fn end(text: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match text.get(at) {
            Some(b'"') => at = string::end(text, at + 1) + 1,
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
                continue;
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
