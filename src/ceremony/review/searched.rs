//! A change that is too large to be read row by row: a summary that is read to its end, entries that are searched and filtered, and among them those that
//! must be seen one by one. Rows are made when they are drawn, never all at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::Row;
use super::change::{Kind, ProjectChangeView};
use super::index::{Index, is_digest};
use super::marks::Marks;
use super::watch::Watch;
use crate::ceremony::event::{Seen, Share};
use crate::plain::escape;
use crate::tuf::digest::Sha256;

/// Which entries are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All that differ.
    All,
    /// Those that must be seen and were not.
    Unseen,
    /// All of the watch list.
    Watched,
    /// The spot checks.
    Spots,
    /// Those that differ in this.
    Kind(Kind),
    /// Those with this reason.
    Reason(Watch),
}

/// What is listed, in the order of names. Rows are made of one entry when it is drawn.
pub trait Entries: Send + Sync {
    /// How many.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// What one is called.
    fn name(&self, index: usize) -> Cow<'_, str>;
    /// What it is filtered by.
    fn marks(&self, index: usize) -> Marks;
    /// All of it.
    fn view(&self, index: usize) -> ProjectChangeView;
}

impl Entries for Vec<ProjectChangeView> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }
    fn name(&self, index: usize) -> Cow<'_, str> {
        Cow::Borrowed(&self[index].name)
    }
    fn marks(&self, index: usize) -> Marks {
        Marks::of(&self[index].kinds, &self[index].reasons)
    }
    fn view(&self, index: usize) -> ProjectChangeView {
        self[index].clone()
    }
}

/// A change that is searched.
pub struct Searched {
    summary: Vec<Row>,
    entries: Box<dyn Entries>,
    /// All that occur.
    marks: Marks,
    watch: Vec<usize>,
    spots: Vec<usize>,
    /// Both, ascending.
    required: Vec<usize>,
    seen: Mutex<Marked>,
    index: OnceLock<Index>,
    /// How many rows were made so far: a screen must never need all.
    #[cfg(test)]
    made: std::sync::atomic::AtomicUsize,
}

/// What was seen.
#[derive(Default)]
struct Marked {
    entries: BTreeSet<usize>,
    watch: usize,
    spots: usize,
}

impl Filter {
    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::All => "all that differ",
            Self::Unseen => "still to be seen",
            Self::Watched => "watch list",
            Self::Spots => "spot checks",
            Self::Kind(kind) => kind.label(),
            Self::Reason(watch) => watch.label(),
        }
    }

    fn all() -> impl Iterator<Item = Self> {
        [Self::All, Self::Unseen, Self::Watched, Self::Spots]
            .into_iter()
            .chain(Kind::ALL.map(Self::Kind))
            .chain(Watch::ALL.map(Self::Reason))
    }
}

impl Searched {
    /// `entries` in the order of the list; `spots` are places in it.
    pub fn new(summary: Vec<Row>, entries: impl Entries + 'static, spots: Vec<usize>) -> Self {
        let mut marks = Marks::default();
        let mut watch = Vec::new();
        for index in 0..entries.len() {
            let own = entries.marks(index);
            marks = marks.and(own);
            watch.extend(own.is_watched().then_some(index));
        }
        let mut required = [&*watch, &*spots].concat();
        required.sort_unstable();
        required.dedup();
        Self {
            summary,
            entries: Box::new(entries),
            marks,
            watch,
            spots,
            required,
            seen: Mutex::default(),
            index: OnceLock::new(),
            #[cfg(test)]
            made: std::sync::atomic::AtomicUsize::new(0),
        }
    }
    /// Reads what is searched; who asks people does it while they read the summary. Else it is read when it is first asked for.
    pub fn prepare(&self) {
        self.index();
    }
    /// Waits until all that is searched was read.
    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(&*self.entries))
    }

    /// What is read to its end first.
    pub fn summary(&self) -> &[Row] {
        &self.summary
    }
    /// How many entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// What an entry is called.
    pub fn name(&self, index: usize) -> Option<Cow<'_, str>> {
        (index < self.len()).then(|| self.entries.name(index))
    }
    /// An entry in one row, which may leave out what its detail says.
    pub fn line(&self, index: usize) -> Option<Row> {
        #[cfg(test)]
        self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (index < self.len()).then(|| self.entries.view(index).line())
    }
    /// An entry, whole.
    pub fn detail(&self, index: usize) -> Vec<Row> {
        let entry = (index < self.len()).then(|| self.entries.view(index));
        let rows = entry.map_or_else(Vec::new, |entry| entry.detail());
        #[cfg(test)]
        self.made
            .fetch_add(rows.len(), std::sync::atomic::Ordering::Relaxed);
        rows
    }
    /// Entries that must be seen for a reason of their own.
    pub fn watch_list(&self) -> &[usize] {
        &self.watch
    }
    /// Entries that must be seen because they were drawn.
    pub fn spots(&self) -> &[usize] {
        &self.spots
    }
    /// Whether an entry must be seen.
    pub fn is_required(&self, index: usize) -> bool {
        self.required.binary_search(&index).is_ok()
    }

    /// The entries that `filter` lets through and that hold `text`, whatever its case. `within` are those of an earlier search that this one narrows.
    pub fn hits(&self, text: &str, filter: Filter, within: Option<&[usize]>) -> Vec<usize> {
        let text = escape(text).to_lowercase();
        let is_digest = is_digest(&text);
        let digests = is_digest.then(|| self.index().begun(&text, &*self.entries));
        let digests = digests.unwrap_or_default();
        let seen = self.marked();
        let index = (!text.is_empty()).then(|| self.index());
        let holds = |entry: &usize| {
            self.lets_through(*entry, filter, &seen)
                && index.is_none_or(|index| {
                    index.holds(*entry, &text) || digests.binary_search(entry).is_ok()
                })
        };
        // The beginning of a digest is found in others than its own beginning was.
        match within.filter(|_| !is_digest) {
            Some(within) => within.iter().copied().filter(holds).collect(),
            None => (0..self.len()).filter(holds).collect(),
        }
    }
    /// The filter behind `filter`, or before it, among those that let any entry through.
    pub fn next_filter(&self, filter: Filter, forward: bool) -> Filter {
        let left = self.next_unseen(None).is_some();
        let any = |filter: &Filter| match *filter {
            Filter::All => true,
            Filter::Unseen => left,
            Filter::Watched => !self.watch.is_empty(),
            Filter::Spots => !self.spots.is_empty(),
            Filter::Kind(kind) => self.marks.has(kind),
            Filter::Reason(watch) => self.marks.has(watch),
        };
        let all: Vec<_> = Filter::all().collect();
        let at = all.iter().position(|known| *known == filter).unwrap_or(0);
        let (before, after) = all.split_at(at);
        let mut round = after.iter().skip(1).chain(before);
        let next = if forward {
            round.find(|filter| any(filter))
        } else {
            before
                .iter()
                .rev()
                .chain(after.iter().rev())
                .find(|filter| any(filter))
        };
        next.copied().unwrap_or(Filter::All)
    }
    /// The next entry after `from` that must be seen and was not, beginning anew at the end.
    pub fn next_unseen(&self, from: Option<usize>) -> Option<usize> {
        let seen = self.marked();
        let start = from.map_or(0, |from| {
            self.required.partition_point(|entry| *entry <= from)
        });
        let (before, after) = self.required.split_at(start);
        let mut round = after.iter().chain(before);
        round.find(|entry| !seen.entries.contains(entry)).copied()
    }

    /// An entry was on the screen to its end, and somebody said so.
    pub fn see(&self, index: usize) {
        let mut seen = self.marked();
        if index < self.len() && seen.entries.insert(index) {
            seen.watch += usize::from(self.watch.binary_search(&index).is_ok());
            seen.spots += usize::from(self.spots.binary_search(&index).is_ok());
        }
    }
    /// Whether it was.
    pub fn is_seen(&self, index: usize) -> bool {
        self.marked().entries.contains(&index)
    }
    /// How many were seen so far: of the watch list, and of the spot checks.
    pub fn shares(&self) -> [Share; 2] {
        let seen = self.marked();
        let share = |seen, list: &[usize]| Share {
            seen,
            of: list.len(),
        };
        [
            share(seen.watch, &self.watch),
            share(seen.spots, &self.spots),
        ]
    }
    /// What was seen so far, and the digest of what must be.
    pub fn seen(&self) -> Seen {
        let [watch, spots] = self.shares();
        let names: BTreeSet<_> = self
            .required
            .iter()
            .map(|entry| self.entries.name(*entry))
            .collect();
        let list: String = names.iter().flat_map(|name| [name, "\n"]).collect();
        Seen {
            entries: self.len(),
            watch,
            spots,
            list: Sha256::of(list.as_bytes()),
        }
    }
    /// How many rows were shown: the summary's, and those of every entry that was seen.
    pub fn rows_seen(&self) -> usize {
        let seen = self.marked().entries.clone();
        let details = seen.iter().map(|index| self.detail(*index).len());
        self.summary.len() + details.sum::<usize>()
    }
    /// The summary and everything that must be seen, in full, for a printer. Whoever takes it shows it, so all of it counts as seen.
    pub fn in_full(&self) -> Vec<Row> {
        let mut rows = self.summary.clone();
        for index in &self.required {
            rows.extend(self.detail(*index));
            self.see(*index);
        }
        rows
    }
    /// How many rows were made so far.
    #[cfg(test)]
    pub fn made(&self) -> usize {
        self.made.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn marked(&self) -> MutexGuard<'_, Marked> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn lets_through(&self, index: usize, filter: Filter, seen: &Marked) -> bool {
        match filter {
            Filter::All => true,
            Filter::Unseen => self.is_required(index) && !seen.entries.contains(&index),
            Filter::Watched => self.watch.binary_search(&index).is_ok(),
            Filter::Spots => self.spots.binary_search(&index).is_ok(),
            Filter::Kind(kind) => self.entries.marks(index).has(kind),
            Filter::Reason(watch) => self.entries.marks(index).has(watch),
        }
    }
}

/// The places of `count` names drawn by `seed`: those with the smallest SHA-256 over seed and name, so that the order of the list does not matter and
/// anybody can draw again.
pub fn draw<N: AsRef<str>>(
    seed: &[u8],
    count: usize,
    names: impl Iterator<Item = (usize, N)>,
) -> Vec<usize> {
    let mut drawn = BTreeMap::new();
    for (index, name) in names {
        drawn.insert(
            Sha256::of(&[seed, name.as_ref().as_bytes()].concat()),
            index,
        );
        if drawn.len() > count {
            drawn.pop_last();
        }
    }
    let mut places: Vec<_> = drawn.into_values().collect();
    places.sort_unstable();
    places
}
