//! The text of a document, and the two long lists that it may have: the members of `signed.delegations.keys` and the elements of
//! `signed.delegations.roles`. PyPI's `claimed` has a million of them, so it is known where each starts, and a version that follows
//! another holds only what is new and the numbers of the entries that it shares with it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub(crate) use super::view::value_end;
use super::{Json, string};
pub(crate) use list::{Entries, List};
pub(crate) use names::{Names, Twice};
pub(crate) use splice::{Entry, Splice};

mod list;
mod names;
mod splice;

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
    /// What is written from entry number `index` to the next one, and where it ends without a search; none of what is held elsewhere. Where that is
    /// the same of two entries, they are.
    pub(crate) fn written(&self, keys: bool, index: usize) -> Option<&[u8]> {
        let (text, list, number) = self.held(keys, index)?;
        let list = list?;
        text.as_bytes()
            .get(list.offset(number)?..list.offset(number + 1)?)
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
        if let Some((b'"', _)) = found
            .strip_prefix(name.as_bytes())
            .and_then(<[u8]>::split_first)
            && string::special(name.as_bytes(), 0) == name.len()
        {
            return Some(Ordering::Equal);
        }
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
    /// What entry number `index` is called as it is written, and what comes behind.
    fn name_bytes(&self, keys: bool, index: usize) -> Option<&[u8]> {
        let (text, start) = self.name_at(keys, index)?;
        text.as_bytes().get(start + 1..)
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
