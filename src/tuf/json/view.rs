//! Walking proven text: members and elements found by a scan that only minds strings and brackets.

use super::{Json, string};

/// The members of an object, keys as written.
pub(super) fn entries(object: Json<'_>) -> impl Iterator<Item = (Json<'_>, Json<'_>)> {
    let mut at = first(object, b'{');
    std::iter::from_fn(move || {
        let key = next(object, &mut at)?;
        let value = next(object, &mut at)?;
        Some((key, value))
    })
}

/// The elements of an array.
pub(super) fn elements(array: Json<'_>) -> impl Iterator<Item = Json<'_>> {
    let mut at = first(array, b'[');
    std::iter::from_fn(move || next(array, &mut at))
}

/// Behind the opening bracket; behind everything, if `container` is not of that kind.
fn first(container: Json<'_>, bracket: u8) -> usize {
    if container.bytes().first() == Some(&bracket) {
        container.start + 1
    } else {
        container.end
    }
}

/// The next value at or behind `at`; `None` behind the last. `at` moves behind it.
fn next<'a>(container: Json<'a>, at: &mut usize) -> Option<Json<'a>> {
    // In proven text only white space and separators stand between two values, and only the
    // closing bracket behind the last.
    let inside = container.text.as_bytes().get(*at..container.end - 1)?;
    let gap = inside
        .iter()
        .position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':'))?;
    let value = value_at(container.text, *at + gap);
    *at = value.end;
    Some(value)
}

/// The value that starts at `start`.
pub(super) fn value_at(text: &str, start: usize) -> Json<'_> {
    let end = end(text.as_bytes(), start);
    Json { text, start, end }
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
