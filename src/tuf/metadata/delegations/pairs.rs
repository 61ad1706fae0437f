//! The entries of two versions by name: which came, which went, and which of the others are written alike.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Delegations, Keyids, place_of};
use crate::tuf::json::Json;

/// Every entry of the new list with its place in the old one, and what went.
#[derive(Debug, Default)]
pub struct Pairs {
    new: Vec<Was>,
    gone: Vec<u32>,
}

/// The keys and the roles of two versions.
#[derive(Debug, Default)]
pub struct Paired {
    /// By keyid.
    pub keys: Pairs,
    /// By name; those are alike that are written alike and whose keys are.
    pub roles: Pairs,
}

impl Paired {
    /// Pairs two versions, unless that was done where the later one was judged.
    pub(in crate::tuf) fn of(old: Option<&Delegations>, new: Option<&Delegations>) -> Arc<Self> {
        let known = old.zip(new).and_then(|(old, new)| new.since(old));
        known.unwrap_or_else(|| {
            let keys = Pairs::of((old, new), true);
            let roles = Pairs::roles((old, new), &keys);
            Arc::new(Self { keys, roles })
        })
    }
}

/// Where an entry stood before: its place in four bytes, and whether it was written as it is now, byte for byte.
#[derive(Clone, Copy, Debug)]
struct Was(u32);

/// One entry in both lists.
#[derive(Clone, Copy, Debug)]
pub struct Both {
    /// Its place in the old one.
    pub old: usize,
    /// Its place in the new one.
    pub new: usize,
    /// Whether it is written alike.
    pub alike: bool,
}

impl Was {
    const NOWHERE: Self = Self(u32::MAX);
    const ALIKE: u32 = 1 << 31;
    fn at(place: usize, alike: bool) -> Self {
        Self(place_of(place) | if alike { Self::ALIKE } else { 0 })
    }
    fn place(self) -> Option<usize> {
        (self.0 != Self::NOWHERE.0).then_some((self.0 & !Self::ALIKE) as usize)
    }
    fn alike(self) -> bool {
        self.0 != Self::NOWHERE.0 && self.0 & Self::ALIKE != 0
    }
}

impl Pairs {
    /// Pairs the keys or the roles of two versions. What one shares with the other is alike without being looked at.
    fn of((old, new): (Option<&Delegations>, Option<&Delegations>), keys: bool) -> Self {
        let count = |of: Option<&Delegations>| of.map_or(0, |of| of.text.count(keys));
        let mut pairs = Self {
            new: vec![Was::NOWHERE; count(new)],
            gone: Vec::new(),
        };
        let mut stays = vec![false; count(old)];
        if let (Some(old), Some(new)) = (old, new) {
            let splice = new.text.splice();
            let shares = splice.is_some_and(|splice| Arc::ptr_eq(&splice.base, &old.text));
            if shares {
                pairs.shared(old, new, keys);
            } else {
                pairs.apart(old, new, keys);
            }
            for place in pairs.new.iter().filter_map(|was| was.place()) {
                stays[place] = true;
            }
        }
        let gone = (0..).zip(stays).filter(|(_, stays)| !stays);
        pairs.gone = gone.map(|(place, _)| place).collect();
        pairs
    }
    /// Pairs the roles of two versions; `keys` are their keys.
    fn roles((old, new): (Option<&Delegations>, Option<&Delegations>), keys: &Self) -> Self {
        let mut pairs = Self::of((old, new), false);
        let other = keys.both().filter(|pair| !pair.alike);
        let other: Keyids<'_> = other
            .filter_map(|pair| new?.text.name(true, pair.new))
            .collect();
        if let Some(new) = new {
            for (place, was) in pairs.new.iter_mut().enumerate() {
                if was.alike() && new.lists_one_of(place, &other) {
                    was.0 &= !Was::ALIKE;
                }
            }
        }
        pairs
    }
    /// Of a version that shares entries of the old one: only the new ones are looked for.
    fn shared(&mut self, old: &Delegations, new: &Delegations, keys: bool) {
        let entries = new.text.splice().map(|splice| splice.entries(keys));
        let mut search = Search::of(old, new, keys);
        for (place, entry) in entries.unwrap_or_default().iter().enumerate() {
            if let Some(number) = entry.index() {
                self.new[place] = Was::at(number, true);
                search.next = number + 1;
            } else {
                self.new[place] = search.was(place);
            }
        }
    }
    /// Of two versions that share nothing.
    fn apart(&mut self, old: &Delegations, new: &Delegations, keys: bool) {
        let mut search = Search::of(old, new, keys);
        for (place, found) in self.new.iter_mut().enumerate() {
            *found = search.was(place);
        }
    }
    /// Only in the old one, in its order.
    pub fn gone(&self) -> impl ExactSizeIterator<Item = usize> {
        self.gone.iter().map(|place| *place as usize)
    }
    /// Only in the new one, in its order.
    pub fn came(&self) -> impl Iterator<Item = usize> {
        let came = self.new_order().filter(|(old, _)| old.is_none());
        came.map(|(_, new)| new)
    }
    /// In both, in the order of the new one.
    pub fn both(&self) -> impl Iterator<Item = Both> {
        self.new.iter().enumerate().filter_map(|(new, was)| {
            Some(Both {
                old: was.place()?,
                new,
                alike: was.alike(),
            })
        })
    }
    /// The entries of the new list, each with its place in the old one.
    pub(in crate::tuf) fn new_order(&self) -> impl Iterator<Item = (Option<usize>, usize)> {
        let places = self.new.iter().enumerate();
        places.map(|(place, was)| (was.place(), place))
    }
    /// Where the entry at a place of the new list was.
    pub(in crate::tuf) fn was(&self, new: usize) -> Option<usize> {
        self.new.get(new)?.place()
    }
    /// Whether the entry at a place of the new list stood in the old one as it is.
    pub(in crate::tuf) fn is_alike(&self, new: usize) -> bool {
        self.new.get(new).is_some_and(|was| was.alike())
    }
}

/// Looks for the entries of the new list in the old one, in the order of the new one.
struct Search<'a> {
    old: &'a Delegations,
    new: &'a Delegations,
    keys: bool,
    /// Where both lists ascend, they are gone through side by side.
    ascend: bool,
    /// The place in the old list behind that of the entry found last.
    next: usize,
}

impl<'a> Search<'a> {
    fn of(old: &'a Delegations, new: &'a Delegations, keys: bool) -> Self {
        Self {
            old,
            new,
            keys,
            ascend: old.ascend(keys) && new.ascend(keys),
            next: 0,
        }
    }
    /// Where the entry at a place of the new list was.
    fn was(&mut self, place: usize) -> Was {
        let Some(was) = self.place(place) else {
            return Was::NOWHERE;
        };
        self.next = was + 1;
        let written = |of: &'a Delegations, place| of.text.written(self.keys, place);
        let same = written(self.old, was).is_some_and(|it| written(self.new, place) == Some(it));
        let alike = same
            || match (
                entry(self.old, self.keys, was),
                entry(self.new, self.keys, place),
            ) {
                (Some(was), Some(is)) => was.is_written_as(is),
                _ => false,
            };
        Was::at(was, alike)
    }
    fn place(&mut self, place: usize) -> Option<usize> {
        let name = self.new.text.name(self.keys, place)?;
        loop {
            // Most entries follow the one that they followed before.
            match self.old.text.compare_name(self.keys, self.next, &name) {
                Some(Ordering::Equal) => return Some(self.next),
                Some(Ordering::Less) if self.ascend => self.next += 1,
                _ if self.ascend => return None,
                _ => return self.old.find(self.keys, &name),
            }
        }
    }
}

/// The entry at a place of the keys (its value) or of the roles.
fn entry(of: &Delegations, keys: bool, place: usize) -> Option<Json<'_>> {
    if keys {
        of.text.key(place)
    } else {
        of.text.entry(false, place)
    }
}
