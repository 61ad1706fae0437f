//! The entries of the two long lists by name: the members of the keys by their keyids, the roles by what they are called.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Text;

/// The entries of one list in ascending order of their names: none where they are listed so, else their places in that order.
#[derive(Debug, Default)]
pub(crate) struct Names(Option<Vec<u32>>);

impl Names {
    /// Of the keys or the roles of `text`. Keys are known to ascend where the text is `compact`.
    pub(crate) fn of(text: &Text, keys: bool, compact: bool) -> Self {
        if (keys && compact) || ascend(text, keys) {
            return Self(None);
        }
        let count = text.count(keys);
        let names: Vec<_> = (0..count).map(|place| text.name(keys, place)).collect();
        let mut places: Vec<u32> = (0..).take(count).collect();
        places.sort_by(|a, b| names[*a as usize].cmp(&names[*b as usize]));
        Self(Some(places))
    }
    /// The place in the list of the entry that is number `number` by name.
    pub(crate) fn nth(&self, number: usize) -> usize {
        let places = self.0.as_ref();
        places.map_or(number, |places| places[number] as usize)
    }
    /// The place of the entry called `name`.
    pub(crate) fn find(&self, text: &Text, keys: bool, name: &str) -> Option<usize> {
        let (mut low, mut high) = (0, text.count(keys));
        while low < high {
            let middle = usize::midpoint(low, high);
            let place = self.nth(middle);
            match text.name(keys, place).as_deref().cmp(&Some(name)) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(place),
            }
        }
        None
    }
    /// The first place whose name an earlier entry has too.
    pub(crate) fn twice(&self, text: &Text, keys: bool) -> Option<usize> {
        let places = self.0.as_ref()?;
        let name = |place: u32| text.name(keys, place as usize);
        // Equal ones stand in the order of the list: sorting kept it.
        let pairs = places.windows(2);
        let again = pairs.filter(|pair| name(pair[0]).is_some() && name(pair[0]) == name(pair[1]));
        again.map(|pair| pair[1] as usize).min()
    }
}

/// Whether every name is greater than the one before it.
fn ascend(text: &Text, keys: bool) -> bool {
    // Neighbours of a base that ascends need no look.
    let splice = text.splice().filter(|splice| {
        let judged = splice.base.judged();
        judged.is_some_and(|names| names[usize::from(!keys)].0.is_none())
    });
    let neighbours = |place: usize| {
        let entries = splice.map(|splice| splice.entries(keys));
        let number = |place: usize| entries?[place].index();
        number(place)
            .is_some_and(|number_of| number(place - 1).is_some_and(|it| it + 1 == number_of))
    };
    let mut last: Option<(usize, Option<Cow<'_, str>>)> = None;
    for place in 0..text.count(keys) {
        if place > 0 && neighbours(place) {
            continue;
        }
        let before = match last.take() {
            Some((at, name)) if at + 1 == place => name,
            _ if place > 0 => text.name(keys, place - 1),
            _ => None,
        };
        let name = text.name(keys, place);
        if place > 0 && before >= name {
            return false;
        }
        last = Some((place, name));
    }
    true
}
