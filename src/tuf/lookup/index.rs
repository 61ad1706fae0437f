//! Delegations by what a path or its hash must begin with, so that one lookup among 20,000 roles looks at a few of them.

use std::collections::{BTreeSet, HashMap};

use super::listing::TargetPath;
use super::pattern;
use crate::tuf::metadata::DelegatedRole;

/// A pattern or prefix: the role's place in the list, and its own place in the role.
type Place = (usize, usize);

/// Longest prefix that is looked at; what it leaves to decide the pattern decides.
const LONGEST: usize = 256;

#[derive(Default)]
pub(super) struct Index {
    by_prefix: Prefixes,
    by_hash: Prefixes,
}

/// Places by prefix. A lookup asks once for each length that occurs.
#[derive(Default)]
struct Prefixes {
    places: HashMap<String, Vec<Place>>,
    lengths: BTreeSet<usize>,
}

impl Index {
    pub(super) fn of(roles: impl Iterator<Item = DelegatedRole>) -> Self {
        let mut index = Self::default();
        for (place, role) in roles.enumerate() {
            for (at, pattern) in role.paths.iter().enumerate() {
                let prefix = pattern::literal_prefix(pattern);
                index.by_prefix.insert(cut(prefix), (place, at));
            }
            for (at, prefix) in role.path_hash_prefixes.iter().enumerate() {
                index.by_hash.insert(cut(prefix), (place, at));
            }
        }
        index
    }
    /// The patterns and hash prefixes that may match, in order of appearance; whether they do is not said.
    pub(super) fn candidates(&self, target: &TargetPath<'_>) -> Vec<Place> {
        let mut places = Vec::new();
        self.by_prefix.collect(target.path(), &mut places);
        self.by_hash.collect(target.hash(), &mut places);
        places.sort_unstable();
        places
    }
}

impl Prefixes {
    fn insert(&mut self, prefix: &str, place: Place) {
        self.lengths.insert(prefix.len());
        self.places
            .entry(prefix.to_owned())
            .or_default()
            .push(place);
    }
    fn collect(&self, text: &str, places: &mut Vec<Place>) {
        for length in self.lengths.range(..=text.len()) {
            let found = text.get(..*length).and_then(|start| self.places.get(start));
            places.extend(found.into_iter().flatten());
        }
    }
}

fn cut(prefix: &str) -> &str {
    let mut end = prefix.len().min(LONGEST);
    while !prefix.is_char_boundary(end) {
        end -= 1;
    }
    &prefix[..end]
}
