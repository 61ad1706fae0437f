//! Reading a review to its end: which rows were on the screen, where the window is, what is searched. A review may have 700,000 rows: only those of
//! the window are ever wrapped.

use std::sync::Arc;

use ratatui::text::Line;

use super::text::drawn;
use crate::ceremony::review::{Mark, Review, Row};

/// Up to this many rows a review must be read in full; of a longer one every row of the watch list and the last row.
const READ_IN_FULL: usize = 2_000;

/// What the keyboard is for, besides moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Nothing.
    None,
    /// A text to search.
    Search,
    /// The word `reject`.
    Reject,
}

/// Where reading stands.
pub(super) struct Reading {
    review: Arc<Review>,
    /// What the prompt says before the first row; read like rows.
    text: Vec<String>,
    /// The first row of the window, and the first of its lines.
    top: (usize, usize),
    /// Whether a row has to be read, and was not yet.
    unread: Vec<bool>,
    pub(super) entry: Entry,
    pub(super) wanted: String,
    /// The row that a search found.
    pub(super) hit: Option<usize>,
}

impl Reading {
    pub(super) fn new(review: &Arc<Review>, text: &[String]) -> Self {
        let rows = text.len() + review.len();
        let mut unread = vec![rows <= READ_IN_FULL; rows];
        let watched = review.watch_list();
        for row in watched.into_iter().map(|row| row + text.len()) {
            unread[row] = true;
        }
        if let Some(last) = unread.last_mut() {
            *last = true;
        }
        Self {
            review: Arc::clone(review),
            text: text.to_vec(),
            top: (0, 0),
            unread,
            entry: Entry::None,
            wanted: String::new(),
            hit: None,
        }
    }

    /// Of rows that must be read one by one, however many they are.
    pub(super) fn in_full(review: &Arc<Review>, text: &[String]) -> Self {
        let mut reading = Self::new(review, text);
        reading.unread.fill(true);
        reading
    }

    pub(super) fn len(&self) -> usize {
        self.unread.len()
    }
    /// Whether everything that must be was on the screen.
    pub(super) fn is_complete(&self) -> bool {
        !self.unread.contains(&true)
    }
    /// Rows that need not be read any more.
    pub(super) fn read(&self) -> usize {
        self.unread.iter().filter(|unread| !**unread).count()
    }
    /// How many rows are marked as warnings or errors.
    pub(super) fn watched(&self) -> usize {
        self.review.watch_list().len()
    }

    /// The window's lines, and the number of the last row that is shown to its end.
    pub(super) fn window(&self, width: usize, height: usize) -> (Vec<Line<'static>>, usize) {
        let mut lines = Vec::with_capacity(height);
        let (mut row, mut skip) = self.top;
        while row < self.len() {
            let drawn = self.draw(row, width);
            let room = height - lines.len();
            let rest = drawn.len().saturating_sub(skip);
            lines.extend(drawn.into_iter().skip(skip).take(room));
            if rest > room {
                break;
            }
            row += 1;
            skip = 0;
        }
        (lines, row)
    }

    /// Marks what the window shows as read.
    pub(super) fn observe(&mut self, width: usize, height: usize) {
        let (_, end) = self.window(width, height);
        if let Some(shown) = self.unread.get_mut(self.top.0..end) {
            shown.fill(false);
        }
    }

    /// Moves the window by whole lines, never past the end.
    pub(super) fn scroll(&mut self, lines: isize, width: usize, height: usize) {
        for _ in 0..lines.unsigned_abs() {
            if lines < 0 {
                self.up(width);
            } else if self.window(width, height).1 < self.len() {
                self.down(width);
            }
        }
    }
    /// To the first row.
    pub(super) fn first(&mut self) {
        self.top = (0, 0);
    }
    /// To what has to be read next, else to the end: nobody passes unread rows by one key.
    pub(super) fn last(&mut self, width: usize, height: usize) {
        match self.unread.iter().position(|unread| *unread) {
            Some(row) => self.top = (row, 0),
            None => self.top = (self.len().saturating_sub(1), 0),
        }
        self.fill(width, height);
    }
    /// Moves on to the end where the end was in sight in a window of a few rows more.
    pub(super) fn keep_end(&mut self, width: usize, height: usize) {
        self.scroll(isize::try_from(height).unwrap_or(0), width, height);
    }
    /// To the next or previous row that holds the searched text, beginning anew at the end. False: there is none.
    pub(super) fn search(&mut self, forward: bool, width: usize, height: usize) -> bool {
        if self.wanted.is_empty() {
            return false;
        }
        let from = self.hit.unwrap_or(self.top.0);
        let found = if forward {
            let start = self.hit.map_or(from, |hit| hit + 1);
            self.find(start).or_else(|| self.find(0))
        } else {
            let before = |row: &usize| self.holds(*row);
            (0..from)
                .rev()
                .find(before)
                .or_else(|| (from..self.len()).rev().find(before))
        };
        self.show(found, width, height)
    }
    /// To the next row marked as a warning or an error, beginning anew at the end.
    pub(super) fn next_watched(&mut self, width: usize, height: usize) -> bool {
        let after = self.hit.map_or(0, |hit| hit + 1);
        let rows = self.review.watch_list();
        let rows = || rows.iter().map(|row| row + self.text.len());
        let found = rows().find(|row| *row >= after).or_else(|| rows().next());
        self.show(found, width, height)
    }

    fn show(&mut self, found: Option<usize>, width: usize, height: usize) -> bool {
        self.hit = found;
        if let Some(row) = found {
            self.top = (row, 0);
            self.fill(width, height);
        }
        found.is_some()
    }
    fn find(&self, from: usize) -> Option<usize> {
        let text = self.text.len();
        (from..text).find(|row| self.holds(*row)).or_else(|| {
            self.review
                .search(&self.wanted, from.saturating_sub(text))
                .map(|row| row + text)
        })
    }
    fn holds(&self, row: usize) -> bool {
        let wanted = self.wanted.to_lowercase();
        self.row(row)
            .is_some_and(|row| row.text.to_lowercase().contains(&wanted))
    }
    fn row(&self, row: usize) -> Option<Row> {
        if let Some(text) = self.text.get(row) {
            let (mark, text) = (Mark::Plain, text.clone());
            return Some(Row { mark, text });
        }
        let row = row - self.text.len();
        self.review.rows(row..row + 1).pop()
    }
    fn draw(&self, index: usize, width: usize) -> Vec<Line<'static>> {
        let Some(row) = self.row(index) else {
            return Vec::new();
        };
        let pointer = if self.hit == Some(index) { '>' } else { ' ' };
        drawn(&row, pointer, width)
    }
    fn up(&mut self, width: usize) {
        self.top = match self.top {
            (0, 0) => (0, 0),
            (row, 0) => (row - 1, self.draw(row - 1, width).len().saturating_sub(1)),
            (row, line) => (row, line - 1),
        };
    }
    fn down(&mut self, width: usize) {
        let (row, line) = self.top;
        self.top = if line + 1 < self.draw(row, width).len() {
            (row, line + 1)
        } else {
            (row + 1, 0)
        };
    }
    /// Moves up until the window is full, so that the end stands at its foot.
    fn fill(&mut self, width: usize, height: usize) {
        while self.top != (0, 0) && self.window(width, height).0.len() < height {
            self.up(width);
        }
    }
}
