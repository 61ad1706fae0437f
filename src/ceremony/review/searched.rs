//! A change that is too large to be read row by row: a summary that is read to its end, entries that are searched and filtered, and among them those that
//! must be seen one by one. Rows are made when they are drawn, never all at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Row;
use super::change::{Kind, ProjectChangeView};
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

/// A change that is searched.
pub struct Searched {
    summary: Vec<Row>,
    entries: Vec<ProjectChangeView>,
    /// All that can be searched, in lower case and as it is shown, entry after entry; and where each entry ends.
    text: String,
    ends: Vec<usize>,
    watch: Vec<usize>,
    spots: Vec<usize>,
    seen: Mutex<BTreeSet<usize>>,
    /// How many rows were made so far: a screen must never need all.
    #[cfg(test)]
    made: std::sync::atomic::AtomicUsize,
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
    pub fn new(summary: Vec<Row>, entries: Vec<ProjectChangeView>, spots: Vec<usize>) -> Self {
        let mut text = String::new();
        let ends = entries
            .iter()
            .map(|entry| {
                text.push_str(&searchable(entry));
                text.len()
            })
            .collect();
        let watch = entries.iter().enumerate();
        let watch = watch.filter(|(_, entry)| entry.is_watched());
        Self {
            watch: watch.map(|(index, _)| index).collect(),
            summary,
            text,
            ends,
            spots,
            seen: Mutex::default(),
            #[cfg(test)]
            made: std::sync::atomic::AtomicUsize::new(0),
            entries,
        }
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
    pub fn name(&self, index: usize) -> Option<&str> {
        Some(&self.entries.get(index)?.name)
    }
    /// An entry in one row, which may leave out what its detail says.
    pub fn line(&self, index: usize) -> Option<Row> {
        #[cfg(test)]
        self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(self.entries.get(index)?.line())
    }
    /// An entry, whole.
    pub fn detail(&self, index: usize) -> Vec<Row> {
        let entry = self.entries.get(index);
        let rows = entry.map(ProjectChangeView::detail).unwrap_or_default();
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
        self.watch.binary_search(&index).is_ok() || self.spots.binary_search(&index).is_ok()
    }

    /// The entries that `filter` lets through and that hold `text`, whatever its case. `within` are those of an earlier search that this one narrows.
    pub fn hits(&self, text: &str, filter: Filter, within: Option<&[usize]>) -> Vec<usize> {
        let text = escape(text).to_lowercase();
        let seen = self.marked();
        let holds = |index: &usize| {
            self.lets_through(*index, filter, &seen) && self.searched_text(*index).contains(&text)
        };
        match within {
            Some(within) => within.iter().copied().filter(holds).collect(),
            None => (0..self.len()).filter(holds).collect(),
        }
    }
    /// The filter behind `filter`, or before it, among those that let any entry through.
    pub fn next_filter(&self, filter: Filter, forward: bool) -> Filter {
        let seen = self.marked();
        let any = |filter: &Filter| {
            *filter == Filter::All
                || (0..self.len()).any(|index| self.lets_through(index, *filter, &seen))
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
        let required: BTreeSet<_> = self.watch.iter().chain(&self.spots).copied().collect();
        let start = from.map_or(0, |from| from + 1);
        let mut round = required.range(start..).chain(required.range(..start));
        round.find(|index| !seen.contains(index)).copied()
    }

    /// An entry was on the screen to its end, and somebody said so.
    pub fn see(&self, index: usize) {
        if index < self.len() {
            self.marked().insert(index);
        }
    }
    /// Whether it was.
    pub fn is_seen(&self, index: usize) -> bool {
        self.marked().contains(&index)
    }
    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        let seen = self.marked();
        let share = |list: &[usize]| Share {
            seen: list.iter().filter(|index| seen.contains(index)).count(),
            of: list.len(),
        };
        let required: BTreeSet<_> = self.watch.iter().chain(&self.spots).collect();
        let names = required
            .into_iter()
            .map(|index| &*self.entries[*index].name);
        let names: BTreeSet<&str> = names.collect();
        let list: String = names.iter().flat_map(|name| [*name, "\n"]).collect();
        Seen {
            entries: self.len(),
            watch: share(&self.watch),
            spots: share(&self.spots),
            list: Sha256::of(list.as_bytes()),
        }
    }
    /// How many rows were shown: the summary's, and those of every entry that was seen.
    pub fn rows_seen(&self) -> usize {
        let seen = self.marked().clone();
        let details = seen.iter().map(|index| self.detail(*index).len());
        self.summary.len() + details.sum::<usize>()
    }
    /// The summary and everything that must be seen, in full, for a printer. Whoever takes it shows it, so all of it counts as seen.
    pub fn in_full(&self) -> Vec<Row> {
        let required: BTreeSet<_> = self.watch.iter().chain(&self.spots).copied().collect();
        let mut rows = self.summary.clone();
        for index in required {
            rows.extend(self.detail(index));
            self.see(index);
        }
        rows
    }
    /// How many rows were made so far.
    #[cfg(test)]
    pub fn made(&self) -> usize {
        self.made.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn marked(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn searched_text(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }
    fn lets_through(&self, index: usize, filter: Filter, seen: &BTreeSet<usize>) -> bool {
        let entry = &self.entries[index];
        match filter {
            Filter::All => true,
            Filter::Unseen => self.is_required(index) && !seen.contains(&index),
            Filter::Watched => self.watch.binary_search(&index).is_ok(),
            Filter::Spots => self.spots.binary_search(&index).is_ok(),
            Filter::Kind(kind) => entry.kinds.contains(&kind),
            Filter::Reason(watch) => entry.reasons.iter().any(|reason| reason.watch == watch),
        }
    }
}

/// All that an entry can be found by, as it is shown and in lower case; `\n` parts what does not belong together.
fn searchable(entry: &ProjectChangeView) -> String {
    let mut text = escape(&entry.line().text).to_lowercase();
    for row in entry.detail() {
        text.push('\n');
        text.push_str(&escape(&row.text).to_lowercase());
    }
    text
}

/// The places of `count` names drawn by `seed`: those with the smallest SHA-256 over seed and name, so that the order of the list does not matter and
/// anybody can draw again.
pub fn draw<'a>(
    seed: &[u8],
    count: usize,
    names: impl Iterator<Item = (usize, &'a str)>,
) -> Vec<usize> {
    let mut drawn = BTreeMap::new();
    for (index, name) in names {
        drawn.insert(Sha256::of(&[seed, name.as_bytes()].concat()), index);
        if drawn.len() > count {
            drawn.pop_last();
        }
    }
    let mut places: Vec<_> = drawn.into_values().collect();
    places.sort_unstable();
    places
}
