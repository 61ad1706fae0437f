//! The text of a document, and the two long lists that it may have: the members of `signed.delegations.keys` and the elements of
//! `signed.delegations.roles`. PyPI's `claimed` has a million of them, so it is known where each starts, and a version that follows
//! another holds only what is new and the numbers of the entries that it shares with it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub(crate) use super::view::value_end;
use super::{Json, Limits, string};
pub(crate) use names::{Names, Twice};
pub(crate) use splice::{Entry, Splice};

mod names;
mod splice;

/// Where one of the two lists lies, and where its entries start.
#[derive(Clone, Debug, Default)]
pub(crate) struct List {
    /// Offset of the opening bracket.
    open: usize,
    /// Offset of the closing one.
    close: usize,
    /// Offsets of the entries from the opening bracket, ascending; four bytes do, because no text is longer.
    starts: Vec<u32>,
    /// Of roles: offsets of their names, likewise; `NONE` where one has to be looked for.
    names: Vec<u32>,
}

/// The two lists; `None` where a text has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries {
    pub(crate) keys: Option<List>,
    pub(crate) roles: Option<List>,
}

/// A document in memory, proven.
#[derive(Debug, Default)]
pub(crate) struct Text {
    /// The text; of a spliced document without the entries of its lists.
    own: String,
    lists: Entries,
    splice: Option<Splice>,
    judged: OnceLock<Judged>,
}

/// What is known of the keys and the roles once they were judged.
pub(crate) type Judged = Arc<[Names; 2]>;

/// Offsets fit: [`Limits::LARGE`] is far below. What is longer could not have been read.
fn small(offset: usize) -> u32 {
    const { assert!(Limits::LARGE.bytes < Entry::FRESH as usize) };
    u32::try_from(offset).unwrap_or(u32::MAX)
}

impl List {
    const NONE: u32 = u32::MAX;
    pub(crate) fn opened(at: usize) -> Self {
        Self {
            open: at,
            close: at,
            starts: Vec::new(),
            names: Vec::new(),
        }
    }
    pub(crate) fn start(&mut self, at: usize) {
        self.starts.push(small(at - self.open));
    }
    /// The name of the entry started last begins here.
    pub(crate) fn named(&mut self, at: usize) {
        self.names
            .resize(self.starts.len().saturating_sub(1), Self::NONE);
        self.names.push(small(at - self.open));
    }
    pub(crate) fn close(&mut self, at: usize) {
        self.close = at;
        self.starts.shrink_to_fit();
        self.names.shrink_to_fit();
    }
    fn name_offset(&self, index: usize) -> Option<usize> {
        let offset = self
            .names
            .get(index)
            .filter(|offset| **offset != Self::NONE);
        offset.map(|offset| self.open + *offset as usize)
    }
    /// How many entries.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }
    fn offset(&self, index: usize) -> Option<usize> {
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
    fn shifted(&mut self, from: usize, by: isize) {
        if self.open >= from {
            self.open = self.open.saturating_add_signed(by);
            self.close = self.close.saturating_add_signed(by);
        }
    }
}

impl Entries {
    fn each(&self) -> impl Iterator<Item = &List> {
        self.keys.iter().chain(&self.roles)
    }
}

impl Text {
    /// A text that passed the reader.
    pub(crate) fn new(own: String, lists: Entries) -> Self {
        Self {
            own,
            lists,
            ..Self::default()
        }
    }
    /// A text that passed the reader with both its lists empty, and what lies in them.
    pub(crate) fn spliced(own: String, lists: Entries, splice: Splice) -> Self {
        Self {
            own,
            lists,
            splice: Some(splice),
            judged: OnceLock::new(),
        }
    }
    /// Its entries by name, once they were judged; a version that shares them need not do it again.
    pub(crate) fn judged(&self) -> Option<&Judged> {
        self.judged.get()
    }
    pub(crate) fn set_judged(&self, judged: Judged) {
        let _ = self.judged.set(judged);
    }
    /// The text; of a spliced document without its entries.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }
    pub(crate) fn splice(&self) -> Option<&Splice> {
        self.splice.as_ref()
    }
    /// The list of keys, or of roles.
    pub(crate) fn list(&self, keys: bool) -> Option<&List> {
        let lists = &self.lists;
        if keys { &lists.keys } else { &lists.roles }.as_ref()
    }
    /// Where the two lists begin in its own text.
    pub(crate) fn opens(&self) -> [Option<usize>; 2] {
        [true, false].map(|keys| self.list(keys).map(|list| list.open))
    }
    /// Its own text without the entries of the lists; `None` if it has not both.
    pub(crate) fn without_entries(&self) -> Option<String> {
        let mut lists = [self.list(true)?, self.list(false)?];
        lists.sort_unstable_by_key(|list| list.open);
        let [first, second] = lists;
        let parts = [
            0..first.open + 1,
            first.close..second.open + 1,
            second.close..self.own.len(),
        ];
        Some(parts.map(|part| &self.own[part]).concat())
    }
    /// The same with `new` in place of what lies at `span` of its own text, outside the lists.
    pub(crate) fn edited(&self, span: &Range<usize>, new: &str) -> Self {
        let own = [&self.own[..span.start], new, &self.own[span.end..]].concat();
        let by = own.len().cast_signed() - self.own.len().cast_signed();
        let mut lists = self.lists.clone();
        for list in lists.keys.iter_mut().chain(&mut lists.roles) {
            list.shifted(span.end, by);
        }
        Self {
            own,
            lists,
            splice: self.splice.clone(),
            judged: self.judged.clone(),
        }
    }
    /// How long the document is, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.pieces(0..self.own.len()).map(<[u8]>::len).sum()
    }
    /// Whether one of the lists begins at `at`.
    pub(crate) fn is_list(&self, at: usize) -> bool {
        self.lists.each().any(|list| list.open == at)
    }
    /// Behind the list that begins at `at`.
    pub(crate) fn list_end(&self, at: usize) -> Option<usize> {
        let list = self.lists.each().find(|list| list.open == at)?;
        Some(list.close + 1)
    }
    /// Whether `span` of the own text has entries in it that are held elsewhere.
    pub(crate) fn is_spliced(&self, span: Range<usize>) -> bool {
        self.splice.is_some() && self.lists.each().any(|list| span.contains(&list.open))
    }
    /// What lies in the list that begins at `at`, where it is held elsewhere: of members key and value in turn.
    pub(crate) fn held_at(&self, at: usize) -> Option<impl Iterator<Item = Json<'_>>> {
        let splice = self.splice.as_ref()?;
        let is_at = |list: &Option<List>| list.as_ref().is_some_and(|list| list.open == at);
        let keys = is_at(&self.lists.keys);
        if !keys && !is_at(&self.lists.roles) {
            return None;
        }
        Some(splice.entries(keys).iter().flat_map(move |entry| {
            let first = splice.value(*entry, keys);
            let second = keys.then(|| value_after(first));
            std::iter::once(first).chain(second)
        }))
    }
    /// Entry number `index` of the keys (the name) or the roles.
    pub(crate) fn entry(&self, keys: bool, index: usize) -> Option<Json<'_>> {
        match &self.splice {
            Some(splice) => Some(splice.value(*splice.entries(keys).get(index)?, keys)),
            None => Some(value_at(&self.own, self.list(keys)?.offset(index)?)),
        }
    }
    /// Key number `index`: the object.
    pub(crate) fn key(&self, index: usize) -> Option<Json<'_>> {
        self.entry(true, index).map(value_after)
    }
    /// What entry number `index` is called: the keyid of a key, the name of a role.
    pub(crate) fn name(&self, keys: bool, index: usize) -> Option<Cow<'_, str>> {
        let (text, start) = self.name_at(keys, index)?;
        let end = string::special(text.as_bytes(), start + 1);
        if text.as_bytes().get(end) == Some(&b'"') {
            return Some(Cow::Borrowed(&text[start + 1..end]));
        }
        value_at(text, start).as_str()
    }
    /// How that compares with `name`.
    pub(crate) fn compare_name(&self, keys: bool, index: usize, name: &str) -> Option<Ordering> {
        let (text, start) = self.name_at(keys, index)?;
        // Behind the quote. Most names differ soon, so their ends are not looked for.
        let found = text.as_bytes().get(start + 1..)?;
        let same = found
            .iter()
            .zip(name.bytes())
            .take_while(|(a, b)| **a == *b);
        let same = same.take_while(|(a, _)| !matches!(a, b'"' | b'\\')).count();
        Some(match (found.get(same)?, name.as_bytes().get(same)) {
            (b'\\', _) => (*value_at(text, start).as_str()?).cmp(name),
            (b'"', None) => Ordering::Equal,
            (b'"', Some(_)) => Ordering::Less,
            (_, None) => Ordering::Greater,
            (a, Some(b)) => a.cmp(b),
        })
    }
    /// The text that holds the name of entry number `index`, and where it begins there.
    fn name_at(&self, keys: bool, index: usize) -> Option<(&str, usize)> {
        let (text, list, number) = self.held(keys, index)?;
        let Some(list) = list else {
            let entry = object_at(text, number);
            let at = if keys {
                number
            } else {
                entry.get("name")?.start
            };
            return Some((text, at));
        };
        let known = if keys {
            list.offset(number)
        } else {
            list.name_offset(number)
        };
        let at = known.or_else(|| Some(object_at(text, list.offset(number)?).get("name")?.start));
        Some((text, at?))
    }
    /// Role number `index`, its end not looked for: to be asked for its members.
    pub(crate) fn role(&self, index: usize) -> Option<Json<'_>> {
        let (text, list, number) = self.held(false, index)?;
        let start = list.map_or(Some(number), |list| list.offset(number))?;
        Some(object_at(text, start))
    }
    /// Whether role number `index` lists a keyid that `is` is true of.
    pub(crate) fn lists(&self, index: usize, is: &dyn Fn(&str) -> bool) -> bool {
        /// As nearly every role is written: found without walking its members.
        const USUAL: &str = r#"{"keyids":["#;
        let Some(role) = self.role(index) else {
            return false;
        };
        let text = &role.text()[role.start..];
        let mut rest = text.strip_prefix(USUAL).unwrap_or_default();
        while let Some(keyid) = rest.strip_prefix('"') {
            let end = string::special(keyid.as_bytes(), 0);
            if keyid.as_bytes().get(end) != Some(&b'"') {
                break;
            }
            if is(&keyid[..end]) {
                return true;
            }
            match keyid[end + 1..].strip_prefix(',') {
                Some(more) => rest = more,
                None if keyid[end + 1..].starts_with(']') => return false,
                None => break,
            }
        }
        let listed = role.get("keyids").into_iter().flat_map(Json::elements);
        listed.filter_map(Json::as_str).any(|keyid| is(&keyid))
    }
    /// The text that holds entry number `index`, and its number in the list of that text; without one where it begins.
    fn held(&self, keys: bool, index: usize) -> Option<(&str, Option<&List>, usize)> {
        let Some(splice) = &self.splice else {
            return Some((&self.own, Some(self.list(keys)?), index));
        };
        let entry = *splice.entries(keys).get(index)?;
        Some(match entry.index() {
            Some(number) => (&splice.base.own, Some(splice.base.list(keys)?), number),
            None => (&splice.fresh, None, entry.offset()),
        })
    }
    /// How many keys, or roles.
    pub(crate) fn count(&self, keys: bool) -> usize {
        match &self.splice {
            Some(splice) => splice.entries(keys).len(),
            None => self.list(keys).map_or(0, List::len),
        }
    }
    /// What is written at `span` of the own text, entries and all, in pieces.
    pub(crate) fn pieces(&self, span: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let own = self.own.as_bytes();
        let mut lists = Vec::new();
        if let Some(splice) = &self.splice {
            for keys in [true, false] {
                let list = self.list(keys).filter(|list| span.contains(&list.open));
                lists.extend(list.map(|list| (list.open + 1, splice.runs(keys))));
            }
            lists.sort_unstable_by_key(|(at, _)| *at);
        }
        let mut start = span.start;
        let mut parts: Vec<(&[u8], Option<_>)> = Vec::new();
        for (at, runs) in lists {
            parts.push((&own[start..at], Some(runs)));
            start = at;
        }
        parts.push((&own[start..span.end], None));
        parts
            .into_iter()
            .flat_map(|(part, runs)| std::iter::once(part).chain(runs.into_iter().flatten()))
    }
}

fn value_at(text: &str, start: usize) -> Json<'_> {
    Json::proven(text, start..value_end(text.as_bytes(), start, None))
}

/// An object whose end is not looked for: who walks one stops there.
fn object_at(text: &str, start: usize) -> Json<'_> {
    Json::proven(text, start..text.len())
}

/// The value of the member whose name is `name`, in canonical text or any other.
fn value_after(name: Json<'_>) -> Json<'_> {
    let text = name.text();
    let bytes = &text.as_bytes()[name.span().end..];
    let between = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b':');
    let gap = bytes.iter().take_while(|b| between(b)).count();
    value_at(text, name.span().end + gap)
}

/// Whether the pieces of two texts are the same bytes, however they are cut; what is the same memory is not read.
pub(crate) fn alike<'a, 'b>(
    mut first: impl Iterator<Item = &'a [u8]>,
    mut second: impl Iterator<Item = &'b [u8]>,
) -> bool {
    let (mut this, mut that): (&[u8], &[u8]) = (&[], &[]);
    loop {
        if this.is_empty() {
            match first.find(|piece| !piece.is_empty()) {
                Some(piece) => this = piece,
                None => return that.is_empty() && second.all(<[u8]>::is_empty),
            }
        }
        if that.is_empty() {
            match second.find(|piece| !piece.is_empty()) {
                Some(piece) => that = piece,
                None => return false,
            }
        }
        let length = this.len().min(that.len());
        if !std::ptr::eq(this.as_ptr(), that.as_ptr()) && this[..length] != that[..length] {
            return false;
        }
        (this, that) = (&this[length..], &that[length..]);
    }
}
