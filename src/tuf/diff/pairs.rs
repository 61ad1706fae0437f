//! The entries of two versions by name: which came, which went, and which of the others are written alike.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Pair;
use crate::tuf::json::Json;
use crate::tuf::key::KeyId;
use crate::tuf::metadata::{DelegatedRole, Delegations};

/// Entries by their places in the old and the new list.
#[derive(Default)]
pub struct Pairs {
    /// Only in the old one, in its order.
    pub gone: Vec<usize>,
    /// Only in the new one, in its order.
    pub came: Vec<usize>,
    /// In both, in the order of the new one.
    pub both: Vec<Both>,
}

/// One entry in both lists.
pub struct Both {
    /// Its place in the old one.
    pub old: usize,
    /// Its place in the new one.
    pub new: usize,
    /// Whether it is written alike, byte for byte, and so are the keys that it lists.
    pub alike: bool,
}

impl Pairs {
    /// The entries of the new list, each with its place in the old one.
    pub(super) fn new_order(&self) -> impl Iterator<Item = Pair<usize>> {
        let (mut both, mut came) = (self.both.iter().peekable(), self.came.iter().peekable());
        std::iter::from_fn(move || {
            let takes_both = match (both.peek(), came.peek()) {
                (Some(pair), Some(place)) => pair.new < **place,
                (pair, _) => pair.is_some(),
            };
            if takes_both {
                both.next().map(|pair| (Some(pair.old), Some(pair.new)))
            } else {
                came.next().map(|place| (None, Some(*place)))
            }
        })
    }
}

/// The entry at a place of the keys (its value) or of the roles.
pub(super) fn entry(of: &Delegations, keys: bool, place: usize) -> Option<Json<'_>> {
    let text = of.text();
    if keys {
        text.key(place)
    } else {
        text.entry(false, place)
    }
}

/// Pairs the roles of two versions.
pub(super) fn roles((old, new): Pair<&Delegations>, keys: &Pairs) -> Pairs {
    let mut listed = pairs((old, new), false);
    let changed = keys.both.iter().filter(|pair| !pair.alike);
    let changed: BTreeSet<KeyId> = changed.filter_map(|pair| new?.keyid(pair.new)).collect();
    if changed.is_empty() {
        return listed;
    }
    for pair in &mut listed.both {
        let role = old.and_then(|old| old.at(pair.old));
        let lists = |role: DelegatedRole| role.role.keyids.iter().any(|id| changed.contains(id));
        pair.alike &= !role.is_some_and(lists);
    }
    listed
}

/// Pairs the keys or the roles of two versions, roles by what they say themselves. What one shares with the other is alike without being looked at.
pub(super) fn pairs((old, new): Pair<&Delegations>, keys: bool) -> Pairs {
    let count = |of: Option<&Delegations>| of.map_or(0, |of| of.text().count(keys));
    let (Some(before), Some(after)) = (old, new) else {
        return Pairs {
            gone: (0..count(old)).collect(),
            came: (0..count(new)).collect(),
            both: Vec::new(),
        };
    };
    let mut pairs = Pairs::default();
    let mut known = Known {
        of: before,
        keys,
        places: None,
    };
    let mut used = vec![false; count(old)];
    let splice = after.text().splice();
    let splice = splice.filter(|splice| Arc::ptr_eq(&splice.base, before.text()));
    for place in 0..count(new) {
        let shared = splice.and_then(|splice| splice.entries(keys)[place].index());
        let found = shared.or_else(|| known.place(&name(after, keys, place)?));
        let Some(was) = found else {
            pairs.came.push(place);
            continue;
        };
        used[was] = true;
        let written = || Some(entry(before, keys, was)?.is_written_as(entry(after, keys, place)?));
        pairs.both.push(Both {
            old: was,
            new: place,
            alike: shared.is_some() || written().unwrap_or_default(),
        });
    }
    pairs.gone = (0..used.len()).filter(|place| !used[*place]).collect();
    pairs
}

fn name(of: &Delegations, keys: bool, place: usize) -> Option<Cow<'_, str>> {
    let entry = of.text().entry(keys, place)?;
    if keys {
        entry.as_str()
    } else {
        entry.get("name")?.as_str()
    }
}

/// The places of a version's entries by name, once one is asked for.
struct Known<'a> {
    of: &'a Delegations,
    keys: bool,
    places: Option<HashMap<Cow<'a, str>, usize>>,
}

impl Known<'_> {
    fn place(&mut self, wanted: &str) -> Option<usize> {
        let places = self.places.get_or_insert_with(|| {
            (0..self.of.text().count(self.keys))
                .filter_map(|place| Some((name(self.of, self.keys, place)?, place)))
                .collect()
        });
        places.get(wanted).copied()
    }
}
