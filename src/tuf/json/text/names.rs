//! The entries of the two long lists by name: the members of the keys by their keyids, the roles by what they are called.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::RandomState;

use super::list::hash;
use super::{List, Splice, Text};

/// How an entry of one list is found by its name.
#[derive(Debug)]
pub(crate) enum Names {
    /// They ascend.
    Ascending,
    /// By a seeded hash.
    Hashed(Hashed),
    /// As in the base, which was judged, and those that it has not by themselves.
    Beside {
        /// Of every entry of the base its place here, `NOWHERE` if it is not shared.
        shared: Vec<u32>,
        /// The others.
        fresh: HashMap<String, u32>,
    },
}

const NOWHERE: u32 = u32::MAX;

/// Places by the hashes of their names: the upper half of each number is of the hash, the lower half the place.
#[derive(Debug)]
pub(crate) struct Hashed {
    state: RandomState,
    sorted: Vec<u64>,
}

/// Two entries of one name: the place of the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Twice(pub(crate) usize);

impl Names {
    /// Of the keys or the roles of `text`. Keys are known to ascend where the text is `ordered`.
    ///
    /// # Errors
    /// The first place whose name an earlier entry has too.
    pub(crate) fn of(text: &Text, keys: bool, ordered: bool) -> Result<Self, Twice> {
        if (keys && ordered) || ascend(text, keys) {
            return Ok(Self::Ascending);
        }
        match text
            .splice()
            .filter(|splice| splice.base.judged().is_some())
        {
            Some(splice) => beside(text, splice, keys),
            None => Hashed::of(text, keys).map(Self::Hashed),
        }
    }
    /// The place of the entry called `name`.
    pub(crate) fn find(&self, text: &Text, keys: bool, name: &str) -> Option<usize> {
        match self {
            Self::Ascending => ascending(text, keys, name),
            Self::Hashed(hashed) => hashed.find(text, keys, name),
            Self::Beside { shared, fresh } => {
                let fresh = fresh.get(name).copied();
                let place = fresh.or_else(|| shared_place(text.splice()?, shared, keys, name))?;
                Some(place as usize)
            }
        }
    }
}

/// Finds a name where they ascend. Keyids are hashes, so where one stands can be guessed from its first digits and narrowed down; after a few guesses,
/// or where names are no hashes, it is the middle that is tried.
fn ascending(text: &Text, keys: bool, name: &str) -> Option<usize> {
    let wanted = digits(name.as_bytes());
    let (mut low, mut high) = (0, text.count(keys));
    let (mut from, mut to) = (0, 1 << 32);
    let mut guesses = 6;
    while low < high {
        let place = if guesses > 0 && from <= wanted && wanted < to {
            guesses -= 1;
            low + usize::try_from((high - low) as u64 * (wanted - from) / (to - from)).ok()?
        } else {
            usize::midpoint(low, high)
        };
        let tried = || text.name_bytes(keys, place).map_or(0, digits);
        match text.compare_name(keys, place, name)? {
            Ordering::Less => (low, from) = (place + 1, tried()),
            Ordering::Greater => (high, to) = (place, tried()),
            Ordering::Equal => return Some(place),
        }
    }
    None
}

/// The first eight hexadecimal digits of a name as a number; of another name something from the same range.
fn digits(name: &[u8]) -> u64 {
    let digit = |byte: u8| match byte {
        0..b'0' => 0,
        b'0'..=b'9' => byte - b'0',
        b':'..=b'f' => byte.max(b'a') - b'a' + 10,
        _ => 15,
    };
    let first = name.iter().copied().chain(std::iter::repeat(b'0')).take(8);
    first.fold(0, |number, byte| number << 4 | u64::from(digit(byte)))
}

impl Hashed {
    fn of(text: &Text, keys: bool) -> Result<Self, Twice> {
        let number = |hash: u32, place: u32| u64::from(hash) << 32 | u64::from(place);
        // Of a document that shares entries the list is empty.
        let list = text.list(keys).filter(|_| text.splice().is_none());
        let (state, mut sorted): (_, Vec<u64>) =
            if let Some((state, hashes)) = list.and_then(List::hashes) {
                let numbers = hashes.zip(0..).map(|(hash, place)| number(hash, place));
                (state.clone(), numbers.collect())
            } else {
                let state = RandomState::new();
                let numbers = (0..).take(text.count(keys)).filter_map(|place| {
                    let name = text.name(keys, place as usize)?;
                    Some(number(hash(&state, name.as_bytes()), place))
                });
                let numbers = numbers.collect();
                (state, numbers)
            };
        sorted.sort_unstable();
        let mut twice: Option<usize> = None;
        for run in sorted
            .chunk_by(|a, b| a >> 32 == b >> 32)
            .filter(|run| run.len() > 1)
        {
            // Different names may have one hash, but never many of them: the hash is seeded.
            let mut seen: Vec<_> = Vec::new();
            for number in run {
                let name = text.name(keys, place(*number));
                if seen.contains(&name) {
                    let later = place(*number);
                    twice = Some(twice.map_or(later, |found| found.min(later)));
                    break;
                }
                seen.push(name);
            }
        }
        twice.map_or(Ok(Self { state, sorted }), |later| Err(Twice(later)))
    }
    fn find(&self, text: &Text, keys: bool, name: &str) -> Option<usize> {
        let wanted = u64::from(hash(&self.state, name.as_bytes()));
        let first = self.sorted.partition_point(|number| *number >> 32 < wanted);
        let run = self.sorted[first..].iter();
        let run = run.take_while(|number| **number >> 32 == wanted);
        run.map(|number| place(*number))
            .find(|place| text.compare_name(keys, *place, name) == Some(Ordering::Equal))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
fn place(number: u64) -> usize {
    (number as u32) as usize
}

fn beside(text: &Text, splice: &Splice, keys: bool) -> Result<Names, Twice> {
    let mut shared = vec![NOWHERE; splice.base.count(keys)];
    let mut fresh = HashMap::new();
    let mut twice = None;
    for (place, entry) in (0..).zip(splice.entries(keys)) {
        let before = if let Some(number) = entry.index() {
            std::mem::replace(&mut shared[number], place) != NOWHERE
        } else {
            let name = text.name(keys, place as usize).unwrap_or_default();
            fresh.insert(name.into_owned(), place).is_some()
        };
        if before && twice.is_none() {
            twice = Some(place);
        }
    }
    // A new entry of the name of one that is shared: whichever comes later.
    for (name, place) in &fresh {
        if let Some(other) = shared_place(splice, &shared, keys, name) {
            let later = other.max(*place);
            twice = Some(twice.map_or(later, |found: u32| found.min(later)));
        }
    }
    twice.map_or(Ok(Names::Beside { shared, fresh }), |later| {
        Err(Twice(later as usize))
    })
}

/// The place here of the entry of the base that has this name, if it is shared.
fn shared_place(splice: &Splice, shared: &[u32], keys: bool, name: &str) -> Option<u32> {
    let names = &splice.base.judged()?[usize::from(!keys)];
    let number = names.find(&splice.base, keys, name)?;
    shared
        .get(number)
        .copied()
        .filter(|place| *place != NOWHERE)
}

/// Whether every name is greater than the one before it.
fn ascend(text: &Text, keys: bool) -> bool {
    // Neighbours of a base that ascends need no look.
    let entries = text.splice().and_then(|splice| {
        let names = &splice.base.judged()?[usize::from(!keys)];
        matches!(names, Names::Ascending).then(|| splice.entries(keys))
    });
    let are_neighbours = |place: usize| {
        let entry = |place: usize| entries?.get(place)?.index();
        entry(place - 1).is_some_and(|before| entry(place) == Some(before + 1))
    };
    let mut last = None;
    for place in 0..text.count(keys) {
        if place > 0 && are_neighbours(place) {
            last = None;
            continue;
        }
        let name = text.name(keys, place);
        if place > 0 && last.unwrap_or_else(|| text.name(keys, place - 1)) >= name {
            return false;
        }
        last = Some(name);
    }
    true
}
