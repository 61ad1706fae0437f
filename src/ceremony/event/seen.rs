//! What people saw of a review that is searched: of everything that must be seen one by one, how much.

use serde::{Deserialize, Serialize};

use crate::tuf::digest::Sha256;

/// What was seen of a change too large to be read row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// How many projects differ.
    pub entries: usize,
    /// Of the watch list.
    pub watch: Share,
    /// Of the spot checks.
    pub spots: Share,
    /// SHA-256 over the names on the watch list and among the spot checks, sorted, each followed by a newline: which they were.
    pub list: Sha256,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// How many were on the screen to their end and marked.
    pub seen: usize,
    /// How many there are.
    pub of: usize,
}

impl Share {
    /// Whether none is left.
    pub fn is_full(self) -> bool {
        self.seen == self.of
    }
}

impl Seen {
    /// Whether all that had to be seen was.
    pub fn is_full(self) -> bool {
        self.watch.is_full() && self.spots.is_full()
    }
}
