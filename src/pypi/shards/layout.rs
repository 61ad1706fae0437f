//! Which shards there are, and which follow from them when projects come.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::PREFIX;

/// What a shard answers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every project whose name begins with the prefix.
    Beginning,
    /// The one project that is called like the prefix.
    Exact,
}

/// The shards of a `claimed`, by prefix: no project belongs to two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout(BTreeMap<String, Form>);

/// Two shards that would answer for one project, by prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap(pub String, pub String);

impl Form {
    /// The one path of the shard of `prefix`.
    pub fn path(self, prefix: &str) -> String {
        match self {
            Self::Beginning => format!("{prefix}*/*"),
            Self::Exact => format!("{prefix}/*"),
        }
    }

    /// Of the shard of `prefix` with this path; none where it is neither.
    pub fn of(prefix: &str, path: &str) -> Option<Self> {
        let forms = [Self::Beginning, Self::Exact];
        forms.into_iter().find(|form| form.path(prefix) == path)
    }
}

impl Layout {
    /// The shards of these prefixes.
    ///
    /// # Errors
    /// The first two that overlap.
    pub fn new(shards: impl IntoIterator<Item = (String, Form)>) -> Result<Self, Overlap> {
        let shards: BTreeMap<String, Form> = shards.into_iter().collect();
        // What begins with a prefix stands right behind it, so neighbours are enough.
        for ((prefix, form), (next, _)) in shards.iter().zip(shards.iter().skip(1)) {
            if *form == Form::Beginning && next.starts_with(&**prefix) {
                return Err(Overlap(prefix.clone(), next.clone()));
            }
        }
        Ok(Self(shards))
    }

    /// Whether there is no shard.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The shards, by role.
    pub fn shards(&self) -> impl Iterator<Item = (String, Form)> {
        let shards = self.0.iter();
        shards.map(|(prefix, form)| (role(prefix), *form))
    }

    /// The roles of the shards whose prefixes begin with `prefix`.
    pub(in crate::pypi) fn below<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = String> + 'a {
        let range = (self.0).range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let below = range.take_while(move |(known, _)| known.starts_with(prefix));
        below.map(|(prefix, _)| role(prefix))
    }

    /// What the shard `role` answers for.
    pub fn form(&self, role: &str) -> Option<Form> {
        self.0.get(role.strip_prefix(PREFIX)?).copied()
    }

    /// The role of the shard that answers for the project `name`.
    pub fn owner(&self, name: &str) -> Option<String> {
        self.prefix_of(name).map(role)
    }

    /// The shard that a shard of `prefix` continues or was divided from.
    pub(in crate::pypi) fn parent(&self, prefix: &str) -> Option<String> {
        let own = self.0.contains_key(prefix).then_some(prefix);
        own.or_else(|| self.prefix_of(prefix)).map(role)
    }

    /// Of all prefixes up to a name the last one is the only one that can hold it: nothing but what begins with that prefix stands between the two.
    fn prefix_of(&self, name: &str) -> Option<&str> {
        let (prefix, form) = self.up_to(name)?;
        let holds = match form {
            Form::Beginning => name.starts_with(prefix),
            Form::Exact => name == prefix,
        };
        holds.then_some(prefix)
    }

    fn up_to(&self, name: &str) -> Option<(&str, Form)> {
        let mut range = (self.0).range::<str, _>((Bound::Unbounded, Bound::Included(name)));
        range
            .next_back()
            .map(|(prefix, form)| (prefix.as_str(), *form))
    }

    /// The shards that hold `names` (ascending, each once) with at most `most` in each, as far as names can be told apart. Shards stay as they are, empty ones too, but
    /// for those that grew too big: such a one is divided by the next character of its names, and again where that is not enough. Names of no shard get the shortest
    /// prefix that no other shard begins with.
    #[must_use]
    pub fn successor(&self, names: &[&str], most: usize) -> Self {
        let most = most.max(1);
        let mut next = self.clone();
        let mut rest = names;
        while let [first, ..] = rest {
            let (prefix, form) = match next.prefix_of(first) {
                Some(prefix) => (prefix.to_owned(), next.0[prefix]),
                None => next.shortest(first),
            };
            let held = match form {
                Form::Exact => 1,
                Form::Beginning => rest.partition_point(|name| name.starts_with(&*prefix)),
            };
            let (own, others) = rest.split_at(held.max(1));
            rest = others;
            if own.len() > most {
                next.0.remove(&prefix);
                next.divide(own, prefix.len(), most);
            } else {
                next.0.insert(prefix, form);
            }
        }
        next
    }

    /// The shortest prefix of `name` with which no shard begins; the whole name alone where every one is taken.
    fn shortest(&self, name: &str) -> (String, Form) {
        let mut behind = (self.0).range::<str, _>((Bound::Excluded(name), Bound::Unbounded));
        let behind = behind.next().map(|(prefix, _)| prefix.as_str());
        let neighbours = behind
            .into_iter()
            .chain(self.up_to(name).map(|(prefix, _)| prefix));
        let length = 1 + neighbours.map(|near| common(near, name)).max().unwrap_or(0);
        match name.get(..length) {
            Some(prefix) => (prefix.to_owned(), Form::Beginning),
            None => (name.to_owned(), Form::Exact),
        }
    }

    /// Shards for `names`, more than `most`, which have their first `length` bytes in common.
    fn divide(&mut self, names: &[&str], length: usize, most: usize) {
        // As deep as there are bytes in a name at most, because each group below is divided behind a longer beginning.
        let mut waiting = vec![(names, length)];
        while let Some((names, length)) = waiting.pop() {
            let (Some(first), Some(last)) = (names.first(), names.last()) else {
                continue;
            };
            if names.len() <= most && length > 0 {
                self.0.insert(first[..length].to_owned(), Form::Beginning);
                continue;
            }
            // What all have in common divides nobody: a million names with a long common beginning cost one step, not one for each of its characters.
            let shared = common(first, last);
            let mut rest = names;
            if first.len() == shared {
                self.0.insert((*first).to_owned(), Form::Exact);
                rest = &names[1..];
            }
            while let [first, ..] = rest {
                let beginning = &first[..=shared];
                let held = rest.partition_point(|name| name.starts_with(beginning));
                let (group, others) = rest.split_at(held.max(1));
                waiting.push((group, shared + 1));
                rest = others;
            }
        }
    }
}

/// How many bytes two names begin with in common.
fn common(one: &str, other: &str) -> usize {
    let pairs = one.bytes().zip(other.bytes());
    pairs.take_while(|(a, b)| a == b).count()
}

/// The role of the shard of a prefix.
fn role(prefix: &str) -> String {
    format!("{PREFIX}{prefix}")
}
