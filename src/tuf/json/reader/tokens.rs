//! The smallest parts: strings, numbers, words, white space.

use std::ops::Range;

use super::{Reader, Refused, Supply};
use crate::tuf::json::JsonFault;
use crate::tuf::json::string::{self, Proof};

const LARGEST_INTEGER: u64 = (1 << 53) - 1;
/// What a message quotes of a text, in characters.
const QUOTED: usize = 60;

impl<S: Supply> Reader<'_, S> {
    /// Reads a string and returns its span without the quotes.
    pub(super) fn string(&mut self) -> Result<Range<usize>, Refused> {
        let start = self.at + 1;
        let mut from = start;
        let too_long = |end: usize, limit: usize| end - start > limit;
        loop {
            let proof = string::prove(self.supply.text(), from)
                .map_err(|(at, fault)| Refused::Fault(at, fault))?;
            let (end, canonical, closed) = match proof {
                Proof::Closed(end, canonical) => (end, canonical, true),
                Proof::Open(end, canonical) => (end, canonical, false),
            };
            if !canonical && self.trail > 1 {
                self.found.canonical = false;
            }
            if closed {
                if too_long(end, self.limits.string) {
                    break;
                }
                self.at = end + 1;
                return Ok(start..end);
            }
            if too_long(end, self.limits.string) {
                break;
            }
            from = end;
            if !self.more()? {
                return Err(self.truncated());
            }
        }
        Err(Refused::Fault(
            self.at,
            JsonFault::StringTooLong(self.limits.string),
        ))
    }

    pub(super) fn number(&mut self) -> Result<(), Refused> {
        let start = self.at;
        if self.supply.text()[start] == b'-' {
            self.at += 1;
        }
        let digits = self.at;
        self.run(|b| b.is_ascii_digit())?;
        if self.at == digits {
            self.peek()?;
            return Err(self.unexpected("a digit"));
        }
        let text = self.supply.text();
        let number = std::str::from_utf8(&text[digits..self.at]).unwrap_or_default();
        let written = || String::from_utf8_lossy(&text[start..self.at]).into_owned();
        let fault = match text.get(self.at) {
            Some(b'.' | b'e' | b'E') => JsonFault::Float,
            _ if number.len() > 1 && number.starts_with('0') || text[start..self.at] == *b"-0" => {
                JsonFault::NumberForm(cut(&written()))
            }
            _ => match number.parse::<u64>() {
                Ok(value) if value <= LARGEST_INTEGER => return Ok(()),
                _ => JsonFault::IntegerTooLarge,
            },
        };
        Err(Refused::Fault(start, fault))
    }

    pub(super) fn literal(&mut self) -> Result<(), Refused> {
        const WORDS: [&[u8]; 3] = [b"true", b"false", b"null"];
        let start = self.at;
        self.run(|b| b.is_ascii_alphanumeric())?;
        let text = self.supply.text();
        let word = &text[start..self.at];
        if WORDS.contains(&word) {
            return Ok(());
        }
        let cut_off = self.at == text.len()
            && WORDS
                .iter()
                .any(|whole| !word.is_empty() && whole.starts_with(word));
        self.at = start;
        if cut_off {
            return Err(self.truncated());
        }
        Err(self.unexpected("a value"))
    }

    /// Goes on as long as the bytes are `wanted`.
    pub(super) fn run(&mut self, wanted: impl Fn(u8) -> bool) -> Result<(), Refused> {
        loop {
            match self.supply.text().get(self.at).copied() {
                Some(b) if wanted(b) => self.at += 1,
                None if self.more()? => {}
                _ => return Ok(()),
            }
        }
    }

    #[inline]
    pub(super) fn space(&mut self) -> Result<(), Refused> {
        match self.supply.text().get(self.at) {
            Some(b' ' | b'\t' | b'\n' | b'\r') | None => self.spaces(),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn spaces(&mut self) -> Result<(), Refused> {
        let start = self.at;
        self.run(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r'))?;
        if self.at > start {
            self.not_compact();
        }
        Ok(())
    }

    pub(super) fn not_compact(&mut self) {
        if self.trail > 1 {
            self.found.compact = false;
            self.found.canonical = false;
        }
    }

    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Refused> {
        match self.supply.text().get(self.at).copied() {
            Some(next) => Ok(next),
            None if self.more()? => self.peek(),
            None => Err(self.truncated()),
        }
    }

    pub(super) fn truncated(&self) -> Refused {
        Refused::Fault(self.supply.text().len(), JsonFault::Truncated)
    }

    pub(super) fn unexpected(&self, expected: &'static str) -> Refused {
        let rest = &self.supply.text()[self.at..];
        let word = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric())
            .count();
        let found = if word == 0 {
            let first = String::from_utf8_lossy(&rest[..rest.len().min(4)]);
            first.chars().take(1).collect()
        } else {
            String::from_utf8_lossy(&rest[..word]).into_owned()
        };
        let found = quoted(&found);
        Refused::Fault(self.at, JsonFault::Unexpected { expected, found })
    }
}

/// `text` in quotes, harmless on a terminal: whatever is not printable ASCII is escaped.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", cut(text).escape_default())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
