//! The way we write metadata files: as python-tuf does (indent 1, sorted keys, ASCII, no final newline), so
//! that existing repositories see small differences.
//!
//! Byte for byte what Python writes with
//! `json.dumps(value, indent=1, separators=(",", ": "), sort_keys=True)`, and for a line of JSON lines with
//! `json.dumps(value, separators=(",", ":"), sort_keys=True)`.

use std::fmt::Write as _;

use super::value::{Value, sorted};

/// Writes `value` in that style.
pub fn to_vec(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    write(value, 0, &mut out);
    out.into_bytes()
}

/// Writes `value` as one line, with its newline. The canonical form would not do: it leaves a newline in a string as it is.
pub fn to_line(value: &Value) -> Vec<u8> {
    let mut out = String::new();
    write_compact(value, &mut out);
    out.push('\n');
    out.into_bytes()
}

/// Writes `value` without white space.
pub(super) fn write_compact(value: &Value, out: &mut String) {
    match value {
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_compact(element, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (key, value)) in sorted(members).into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_string(key, out);
                out.push(':');
                write_compact(value, out);
            }
            out.push('}');
        }
        plain => write(plain, 0, out),
    }
}

/// Writes `value` as it stands `depth` levels deep in a file.
pub(super) fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Integer(value) => out.push_str(&value.to_string()),
        Value::String(text) => write_string(text, out),
        Value::Array(elements) => {
            write_list('[', ']', elements, depth, out, |element, out| {
                write(element, depth + 1, out);
            });
        }
        Value::Object(members) => {
            write_list(
                '{',
                '}',
                sorted(members),
                depth,
                out,
                |(key, value), out| {
                    write_string(key, out);
                    out.push_str(": ");
                    write(value, depth + 1, out);
                },
            );
        }
    }
}

/// Writes a container that stands `depth` levels deep, item by item.
pub(super) fn write_list<T>(
    opening: char,
    closing: char,
    items: impl IntoIterator<Item = T>,
    depth: usize,
    out: &mut String,
    mut write_item: impl FnMut(T, &mut String),
) {
    out.push(opening);
    let mut is_empty = true;
    for item in items {
        if !is_empty {
            out.push(',');
        }
        is_empty = false;
        new_line(depth + 1, out);
        write_item(item, out);
    }
    if !is_empty {
        new_line(depth, out);
    }
    out.push(closing);
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', depth));
}

/// Writes `text` as Python's `ensure_ascii` does: everything outside printable ASCII as UTF-16 escapes.
pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                // Writing to a String cannot fail.
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}
