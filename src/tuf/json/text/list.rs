//! The two long lists of a document as the reader leaves them: where their entries start, and what roles are called. Names are looked at while the
//! processor still has them at hand.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

use super::Entry;
use crate::tuf::json::{Limits, string};

/// Where one of the two lists lies, and where its entries start.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    /// Offset of the opening bracket.
    pub(super) open: usize,
    /// Offset of the closing one.
    pub(super) close: usize,
    /// Offsets of the entries from the opening bracket, ascending; four bytes do, because no text is longer.
    starts: Vec<u32>,
    /// Of roles: their names, as far as one was found.
    names: Vec<Name>,
    /// How many of the names were looked at.
    seen: usize,
    /// Whether one of those cannot be the name of a file as it is written.
    unusual: bool,
    state: RandomState,
}

/// The two lists; `None` where a text has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries {
    pub(crate) keys: Option<List>,
    pub(crate) roles: Option<List>,
}

/// The name of a role.
#[derive(Clone, Copy, Debug)]
struct Name {
    /// Its offset from the opening bracket; `NONE` where it has to be looked for.
    at: u32,
    /// Of what it means, once it was looked at.
    hash: u32,
}

/// Offsets fit: [`Limits::LARGE`] is far below. What is longer could not have been read.
pub(super) fn small(offset: usize) -> u32 {
    const { assert!(Limits::LARGE.bytes < Entry::FRESH as usize) };
    u32::try_from(offset).unwrap_or(u32::MAX)
}

impl List {
    const NONE: u32 = u32::MAX;
    /// A longer name is looked at again by who judges it.
    const LONGEST: usize = 100;
    pub(crate) fn opened(at: usize) -> Self {
        Self {
            open: at,
            close: at,
            ..Self::default()
        }
    }
    pub(crate) fn start(&mut self, at: usize) {
        self.starts.push(small(at - self.open));
    }
    /// The name of the entry started last begins at `at`, at its quote.
    pub(crate) fn named(&mut self, at: usize) {
        self.note(at, 0);
    }
    /// That name was read: it lies at `span`, without its quotes, and has no escapes.
    pub(crate) fn named_plainly(&mut self, span: &Range<usize>, text: &[u8]) {
        let written = &text[span.clone()];
        self.note(span.start - 1, hash(&self.state, written));
        self.seen += 1;
        let unusual = |byte: u8| matches!(byte, b'/' | b'\\') || !(b' '..=b'~').contains(&byte);
        let any = written.iter().fold(false, |any, byte| any | unusual(*byte));
        self.unusual |= any || !(3..=Self::LONGEST).contains(&written.len());
    }
    fn note(&mut self, at: usize, hash: u32) {
        let none = Name {
            at: Self::NONE,
            hash: 0,
        };
        let before = self.starts.len().saturating_sub(1);
        if self.names.len() != before {
            self.names.resize(before, none);
        }
        let at = small(at - self.open);
        self.names.push(Name { at, hash });
    }
    /// The entry started last was read to its end, not as one before it.
    pub(crate) fn ended(&mut self, text: &[u8]) {
        let last = self
            .names
            .last()
            .filter(|_| self.names.len() == self.starts.len());
        let start = last.map(|name| self.open + name.at as usize + 1);
        if let Some(start) = start.filter(|start| text[start - 1] == b'"') {
            let end = string::special(text, start);
            if text.get(end) == Some(&b'"') {
                self.names.pop();
                self.named_plainly(&(start..end), text);
            }
        }
    }
    /// How names are hashed, and the hash of each entry's, if all have one that was looked at.
    pub(crate) fn hashes(&self) -> Option<(&RandomState, impl Iterator<Item = u32>)> {
        let all = self.seen == self.starts.len();
        all.then(|| (&self.state, self.names.iter().map(|name| name.hash)))
    }
    /// Whether all entries have names that are ASCII without a slash, a backslash or a control character, neither short nor long.
    pub(crate) fn names_are_usual(&self) -> bool {
        self.seen == self.starts.len() && !self.unusual
    }
    pub(crate) fn close(&mut self, at: usize) {
        self.close = at;
        self.starts.shrink_to_fit();
        self.names.shrink_to_fit();
    }
    pub(super) fn name_offset(&self, index: usize) -> Option<usize> {
        let name = self.names.get(index).filter(|name| name.at != Self::NONE);
        name.map(|name| self.open + name.at as usize)
    }
    /// How many entries.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }
    pub(super) fn offset(&self, index: usize) -> Option<usize> {
        Some(self.open + *self.starts.get(index)? as usize)
    }
    /// The entry that has byte `offset` of those from entry `from` on, in it or in the comma before it.
    pub(crate) fn reached(&self, from: usize, offset: usize) -> usize {
        let at = self.starts.get(from).map_or(0, |start| *start as usize) + offset;
        let behind = self.starts[from..].partition_point(|start| *start as usize <= at);
        (from + behind).saturating_sub(1)
    }
    /// Entries `range` of a list that is written without white space, with the commas between them.
    pub(crate) fn run(&self, range: Range<usize>) -> Range<usize> {
        let end = match self.offset(range.end) {
            Some(next) => next - 1,
            None => self.close,
        };
        self.offset(range.start).unwrap_or(end)..end
    }
    pub(super) fn shifted(&mut self, from: usize, by: isize) {
        if self.open >= from {
            self.open = self.open.saturating_add_signed(by);
            self.close = self.close.saturating_add_signed(by);
        }
    }
}

impl Entries {
    pub(super) fn each(&self) -> impl Iterator<Item = &List> {
        self.keys.iter().chain(&self.roles)
    }
}

/// Of a name; seeded, so that nobody can make many of one hash.
pub(super) fn hash(state: &RandomState, name: &[u8]) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "half of it is enough")]
    let half = state.hash_one(name) as u32;
    half
}
