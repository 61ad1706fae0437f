//! The entries of a document that shares some with another, and the text of those that it does not share.

use std::sync::Arc;

use super::list::small;
use super::{Text, value_at, value_end};
use crate::tuf::json::Json;

/// The entries of a document that shares some with another.
#[derive(Clone, Debug)]
pub(crate) struct Splice {
    /// The other document: not spliced, its signed part compact.
    pub(crate) base: Arc<Text>,
    /// Whether all entries are canonical as written.
    pub(crate) canonical: bool,
    /// New entries, compact, one behind the other.
    pub(crate) fresh: String,
    pub(crate) keys: Vec<Entry>,
    pub(crate) roles: Vec<Entry>,
}

/// Where one entry of a spliced document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u32);

impl Entry {
    pub(super) const FRESH: u32 = 1 << 31;
    /// Entry number `index` of the base.
    pub(crate) fn shared(index: usize) -> Self {
        Self(small(index))
    }
    /// At `offset` of the new ones.
    pub(crate) fn fresh(offset: usize) -> Self {
        Self(small(offset) | Self::FRESH)
    }
    /// Its number in the base, if it is one of it.
    pub(crate) fn index(self) -> Option<usize> {
        (self.0 & Self::FRESH == 0).then_some(self.0 as usize)
    }
    pub(super) fn offset(self) -> usize {
        (self.0 & !Self::FRESH) as usize
    }
}

impl Splice {
    pub(super) fn value(&self, entry: Entry, keys: bool) -> Json<'_> {
        let list = self.base.list(keys);
        match entry.index().and_then(|index| list?.offset(index)) {
            Some(offset) => value_at(&self.base.own, offset),
            None => value_at(&self.fresh, entry.offset()),
        }
    }
    pub(crate) fn entries(&self, keys: bool) -> &[Entry] {
        if keys { &self.keys } else { &self.roles }
    }
    /// The last of the keys.
    pub(crate) fn last_key(&self) -> Option<Json<'_>> {
        Some(self.value(*self.keys.last()?, true))
    }
    /// The entries with commas between them, neighbours of the base in one piece.
    pub(crate) fn runs(&self, keys: bool) -> impl Iterator<Item = &[u8]> {
        let list = self.base.list(keys);
        let mut rest = self.entries(keys);
        let mut comma = false;
        std::iter::from_fn(move || {
            let first = *rest.first()?;
            if std::mem::replace(&mut comma, true) {
                comma = false;
                return Some(&b","[..]);
            }
            let follows = |pair: &[Entry]| match (pair[0].index(), pair[1].index()) {
                (Some(one), Some(next)) => next == one + 1,
                _ => false,
            };
            let length = 1 + rest.windows(2).take_while(|pair| follows(pair)).count();
            rest = &rest[length..];
            if let Some(index) = first.index() {
                let run = list.map(|list| list.run(index..index + length));
                return Some(&self.base.own.as_bytes()[run.unwrap_or_default()]);
            }
            let start = first.offset();
            let bytes = self.fresh.as_bytes();
            // A member is a string, a colon and a value; an element is a value.
            let mut end = value_end(bytes, start, None);
            if bytes.get(end) == Some(&b':') {
                end = value_end(bytes, end + 1, None);
            }
            Some(&bytes[start..end])
        })
    }
}
