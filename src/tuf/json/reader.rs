//! The one pass over a text that nobody has proven yet. It keeps its own stack, so hostile nesting
//! costs nothing but its bytes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::{Json, JsonError, JsonFault, Limits, string};

const LARGEST_INTEGER: u64 = (1 << 53) - 1;
/// What a message quotes of a text, in characters.
const QUOTED: usize = 60;

/// Reads `text` strictly and to its end. Linear in its length; no recursion; no copy (a seeded hash set
/// of keys is built only for objects whose keys are not in strictly ascending order).
///
/// # Errors
/// The first thing refused, with its position. Length, byte order mark and UTF-8 are judged before all else.
pub fn check(text: &[u8], limits: Limits) -> Result<Json<'_>, JsonError> {
    let refused = |(offset, fault)| JsonError::at(text, offset, fault);
    if text.len() > limits.bytes {
        let fault = JsonFault::TooLong(text.len(), limits.bytes);
        return Err(refused((0, fault)));
    }
    if text.starts_with(b"\xEF\xBB\xBF") {
        return Err(refused((0, JsonFault::ByteOrderMark)));
    }
    let text = std::str::from_utf8(text)
        .map_err(|error| refused((error.valid_up_to(), JsonFault::InvalidUtf8)))?;
    let mut reader = Reader {
        text,
        at: 0,
        limits,
        open: Vec::new(),
        keys: Vec::new(),
    };
    let span = reader.document().map_err(refused)?;
    Ok(Json {
        text,
        start: span.start,
        end: span.end,
    })
}

impl JsonError {
    fn at(text: &[u8], offset: usize, fault: JsonFault) -> Self {
        let before = &text[..offset];
        let line_start = before
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |newline| newline + 1);
        Self {
            offset,
            line: before.split(|&b| b == b'\n').count(),
            column: 1 + offset - line_start,
            fault,
        }
    }
}

/// A fault and its offset.
type Refused = (usize, JsonFault);

struct Reader<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
    open: Vec<Open<'a>>,
    /// The keys, without quotes, of the open objects that are ascending so far, innermost last.
    keys: Vec<Range<usize>>,
}

/// An array or object whose end has not come yet.
enum Open<'a> {
    Array,
    /// Its keys in `Reader::keys` start at this index.
    Ascending(usize),
    Unordered(HashSet<Cow<'a, str>>),
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Range<usize>, Refused> {
        self.space();
        let start = self.at;
        loop {
            if !self.value()? {
                continue;
            }
            if !self.after_value()? {
                let end = self.at;
                self.space();
                return if self.at == self.text.len() {
                    Ok(start..end)
                } else {
                    Err((self.at, JsonFault::TrailingData))
                };
            }
        }
    }

    /// Reads a scalar or an empty container (true), or opens a container whose first value is due (false).
    fn value(&mut self) -> Result<bool, Refused> {
        match self.peek()? {
            b'{' => {
                self.enter(Open::Ascending(self.keys.len()))?;
                if self.peek()? == b'}' {
                    return Ok(true);
                }
                self.key()?;
                Ok(false)
            }
            b'[' => {
                self.enter(Open::Array)?;
                Ok(self.peek()? == b']')
            }
            b'"' => self.string().map(|_| true),
            b'-' | b'0'..=b'9' => self.number().map(|()| true),
            _ => self.literal().map(|()| true),
        }
    }

    /// Reads what follows a value: closing brackets, then a separator. False at the end of the document's value.
    fn after_value(&mut self) -> Result<bool, Refused> {
        loop {
            let Some(innermost) = self.open.last() else {
                return Ok(false);
            };
            let is_array = matches!(innermost, Open::Array);
            self.space();
            match (self.peek()?, is_array) {
                (b',', _) => {
                    self.at += 1;
                    self.space();
                    if !is_array {
                        self.key()?;
                    }
                    return Ok(true);
                }
                (b']', true) | (b'}', false) => self.leave(),
                (_, true) => return Err(self.unexpected("a comma or ]")),
                (_, false) => return Err(self.unexpected("a comma or }")),
            }
        }
    }

    fn enter(&mut self, container: Open<'a>) -> Result<(), Refused> {
        let deepest = self.limits.depth.min(Limits::DEEPEST);
        if self.open.len() >= deepest {
            return Err((self.at, JsonFault::TooDeep(deepest)));
        }
        self.open.push(container);
        self.at += 1;
        self.space();
        Ok(())
    }

    fn leave(&mut self) {
        self.at += 1;
        if let Some(Open::Ascending(first)) = self.open.pop() {
            self.keys.truncate(first);
        }
    }

    /// Reads a key and its colon, up to the value.
    fn key(&mut self) -> Result<(), Refused> {
        if self.peek()? != b'"' {
            return Err(self.unexpected("a key"));
        }
        let key = self.string()?;
        self.distinct(key)?;
        self.space();
        if self.peek()? != b':' {
            return Err(self.unexpected("a colon"));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Refuses a key that its object has already. Keys compare unescaped: `"k"` is `"\u006b"`.
    fn distinct(&mut self, key: Range<usize>) -> Result<(), Refused> {
        let text = self.text;
        let meant = |key: &Range<usize>| string::unescape(&text[key.clone()]);
        let Some(innermost) = self.open.last_mut() else {
            return Ok(());
        };
        if let Open::Ascending(first) = *innermost {
            let before = &self.keys[first..];
            if before.last().is_none_or(|last| meant(last) < meant(&key)) {
                self.keys.push(key);
                return Ok(());
            }
            *innermost = Open::Unordered(before.iter().map(meant).collect());
            self.keys.truncate(first);
        }
        if let Open::Unordered(seen) = innermost
            && !seen.insert(meant(&key))
        {
            let fault = JsonFault::DuplicateKey(quoted(&meant(&key)));
            return Err((key.start - 1, fault));
        }
        Ok(())
    }

    /// Reads a string and returns its span without the quotes.
    fn string(&mut self) -> Result<Range<usize>, Refused> {
        let start = self.at + 1;
        let end = string::prove(self.text.as_bytes(), start)?;
        if end - start > self.limits.string {
            return Err((self.at, JsonFault::StringTooLong(self.limits.string)));
        }
        self.at = end + 1;
        Ok(start..end)
    }

    fn number(&mut self) -> Result<(), Refused> {
        let start = self.at;
        let rest = &self.text[start..];
        let unsigned = rest.strip_prefix('-').unwrap_or(rest);
        let digits = &unsigned[..run(unsigned, |b| b.is_ascii_digit())];
        self.at = start + (rest.len() - unsigned.len()) + digits.len();
        if digits.is_empty() {
            self.peek()?;
            return Err(self.unexpected("a digit"));
        }
        let written = &self.text[start..self.at];
        let fault = match self.text.as_bytes().get(self.at) {
            Some(b'.' | b'e' | b'E') => JsonFault::Float,
            _ if digits.len() > 1 && digits.starts_with('0') || written == "-0" => {
                JsonFault::NumberForm(cut(written))
            }
            _ => match digits.parse::<u64>() {
                Ok(value) if value <= LARGEST_INTEGER => return Ok(()),
                _ => JsonFault::IntegerTooLarge,
            },
        };
        Err((start, fault))
    }

    fn literal(&mut self) -> Result<(), Refused> {
        let rest = &self.text[self.at..];
        let word = &rest[..run(rest, |b| b.is_ascii_alphanumeric())];
        if matches!(word, "true" | "false" | "null") {
            self.at += word.len();
            return Ok(());
        }
        let cut_off = word.len() == rest.len()
            && ["true", "false", "null"]
                .iter()
                .any(|whole| !word.is_empty() && whole.starts_with(word));
        if cut_off {
            return Err((self.text.len(), JsonFault::Truncated));
        }
        Err(self.unexpected("a value"))
    }

    fn space(&mut self) {
        let white = |b: u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
        self.at += run(&self.text[self.at..], white);
    }

    fn peek(&self) -> Result<u8, Refused> {
        let next = self.text.as_bytes().get(self.at);
        next.copied().ok_or((self.text.len(), JsonFault::Truncated))
    }

    fn unexpected(&self, expected: &'static str) -> Refused {
        let rest = &self.text[self.at..];
        let word = &rest[..run(rest, |b| b.is_ascii_alphanumeric())];
        let found = if word.is_empty() {
            rest.chars().next().into_iter().collect()
        } else {
            word.to_owned()
        };
        let found = quoted(&found);
        (self.at, JsonFault::Unexpected { expected, found })
    }
}

/// How many bytes at the start of `text` are as `wanted`.
fn run(text: &str, wanted: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|b| !wanted(b)).unwrap_or(text.len())
}

/// `text` in quotes, harmless on a terminal: whatever is not printable ASCII is escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", cut(text).escape_default())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
