//! Searching a review: its summary, the list of what differs, and one entry at a time. Only rows of the window are ever made.

use std::sync::Arc;

use ratatui::text::Line;

use super::reading::{Entry, Reading};
use super::text::{Tone, fit, mark};
use crate::ceremony::review::Review;
use crate::ceremony::review::searched::{Filter, Searched};

/// What is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// What is read to its end first.
    Summary,
    /// What differs, one line each.
    List,
    /// One entry, whole.
    Detail,
}

/// Where searching stands.
pub(super) struct Searching {
    review: Arc<Review>,
    entries: Arc<Searched>,
    pub(super) view: View,
    pub(super) summary: Reading,
    /// The entry that is open, and how much of it was shown.
    detail: Option<(usize, Reading)>,
    pub(super) entry: Entry,
    /// What is searched.
    pub(super) wanted: String,
    pub(super) filter: Filter,
    /// The entries that search and filter leave.
    hits: Vec<usize>,
    /// The place among them that the pointer is at.
    selected: usize,
    /// The first of them in the window.
    top: usize,
}

impl Searching {
    /// Of a review that is searched; none for one that is read to its end.
    pub(super) fn new(review: &Arc<Review>, text: &[String]) -> Option<Self> {
        let entries = Arc::clone(review.entries()?);
        let summary = Arc::new(review.part(entries.summary().to_vec()));
        let hits = entries.hits("", Filter::All, None);
        Some(Self {
            summary: Reading::in_full(&summary, text),
            review: Arc::clone(review),
            entries,
            view: View::Summary,
            detail: None,
            entry: Entry::None,
            wanted: String::new(),
            filter: Filter::All,
            hits,
            selected: 0,
            top: 0,
        })
    }

    pub(super) fn entries(&self) -> &Searched {
        &self.entries
    }
    /// Whether the phrase may be typed: the summary was read, and all that must be seen was.
    pub(super) fn is_complete(&self) -> bool {
        self.summary.is_complete() && self.review.is_seen()
    }
    /// How many entries are listed.
    pub(super) fn listed(&self) -> usize {
        self.hits.len()
    }
    /// The entry that is open and how much of it was shown.
    pub(super) fn detail(&self) -> Option<(usize, &Reading)> {
        let (index, reading) = self.detail.as_ref()?;
        Some((*index, reading))
    }
    /// What is read row by row now: the summary or an entry.
    pub(super) fn reading(&mut self) -> Option<&mut Reading> {
        match self.view {
            View::Summary => Some(&mut self.summary),
            View::Detail => self.detail.as_mut().map(|(_, reading)| reading),
            View::List => None,
        }
    }

    /// Searches anew. What is typed further narrows what was found before.
    pub(super) fn search(&mut self, narrows: bool) {
        let within = narrows.then_some(self.hits.as_slice());
        self.hits = self.entries.hits(&self.wanted, self.filter, within);
        self.selected = 0;
        self.top = 0;
        self.view = View::List;
    }
    /// To the next filter that lets anything through.
    pub(super) fn cycle(&mut self, forward: bool) {
        self.filter = self.entries.next_filter(self.filter, forward);
        self.search(false);
    }
    /// Moves the pointer, never past the ends.
    pub(super) fn select(&mut self, lines: isize, height: usize) {
        let last = self.hits.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
        self.top = self.first(height);
    }
    /// Opens the entry at the pointer.
    pub(super) fn open_selected(&mut self) {
        if let Some(index) = self.hits.get(self.selected) {
            self.open(*index);
        }
    }
    /// Opens the next entry that must be seen and was not; false: there is none.
    pub(super) fn open_unseen(&mut self) -> bool {
        let from = match self.view {
            View::Detail => self.detail.as_ref().map(|(index, _)| *index),
            View::List | View::Summary => None,
        };
        let Some(index) = self.entries.next_unseen(from) else {
            return false;
        };
        if let Ok(place) = self.hits.binary_search(&index) {
            self.selected = place;
        }
        self.open(index);
        true
    }
    /// Marks the open entry as seen, if all of it was on the screen; false: not yet.
    pub(super) fn see(&mut self) -> bool {
        let Some((index, reading)) = &self.detail else {
            return false;
        };
        if reading.is_complete() {
            self.entries.see(*index);
        }
        reading.is_complete()
    }

    fn open(&mut self, index: usize) {
        let rows = Arc::new(self.review.part(self.entries.detail(index)));
        self.detail = Some((index, Reading::in_full(&rows, &[])));
        self.view = View::Detail;
    }
    /// The first line of a window of this height that has the pointer in it.
    fn first(&self, height: usize) -> usize {
        let lowest = (self.selected + 1).saturating_sub(height.max(1));
        self.top.clamp(lowest, self.selected)
    }

    /// The list's lines in a window.
    pub(super) fn list(&self, width: usize, height: usize) -> Vec<Line<'static>> {
        let first = self.first(height);
        let places = first..self.hits.len().min(first + height);
        places.map(|place| self.line(place, width)).collect()
    }

    fn line(&self, place: usize, width: usize) -> Line<'static> {
        let index = self.hits[place];
        let Some(row) = self.entries.line(index) else {
            return Line::raw("");
        };
        let (tag, tone) = mark(row.mark);
        let selected = place == self.selected;
        let pointer = if selected { '>' } else { ' ' };
        let seen = match (self.entries.is_seen(index), self.entries.is_required(index)) {
            (true, _) => "[x]",
            (false, true) => "[ ]",
            (false, false) => "   ",
        };
        let text = fit(&row.text, width.saturating_sub(14));
        let tone = if selected { Tone::Reverse } else { tone };
        let text = format!("{pointer}{seen} {tag:8} {text}");
        Line::styled(
            format!("{text:width$}", width = width.saturating_sub(1)),
            tone.style(),
        )
    }
}
