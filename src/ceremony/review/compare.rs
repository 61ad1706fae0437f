//! What two files delegate, compared project by project. Entries that both versions share are not read again: of 736,344 a few thousand are left. What is known
//! of a difference is where it stood, where it stands, and its marks; what is shown of it is read from the two files when it is drawn.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashSet};

use super::change::{ProjectChangeView, Standing, kinds};
use super::crowd::walk;
use super::marks::Marks;
use super::parts::in_parts;
use super::searched::Entries;
use super::side::{NOWHERE, Place, Side, Stand, place};
use super::watch::{Reason, Watch, reasons};
use crate::pypi::project::ProjectRole;
use crate::tuf::diff;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::metadata::{Delegations, Targets};

/// Everything in which two files' delegations to projects differ.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// How many projects the old file names.
    pub before: usize,
    /// How many the new one names.
    pub after: usize,
    /// How many are the same in both.
    pub same: usize,
    old: Side,
    new: Side,
    /// The others, by name; and those that stand where they should not.
    changes: Vec<Change>,
    /// What is wrong with the name of what stands at a new place.
    wrong: BTreeMap<Place, Vec<Reason>>,
    /// New roles that stand behind one that comes after them, ascending.
    behind: Vec<Place>,
    crowded: BTreeMap<Sha256, usize>,
    /// What other checks found, by the entry's number.
    told: BTreeMap<usize, Vec<Reason>>,
}

/// One difference.
#[derive(Clone, Copy, Debug)]
struct Change {
    before: Place,
    after: Place,
    marks: Marks,
    /// Whether it is listed by its role's name, because another has the project's.
    own: bool,
}

/// Whether a file delegates to projects.
pub fn delegates_projects(envelope: &Envelope) -> bool {
    let roles = envelope.signed().get("delegations");
    let mut roles = roles.and_then(|delegations| delegations.get("roles"));
    let names = roles.iter_mut().flat_map(|roles| roles.elements());
    let mut names = names.filter_map(|role| role.get("name")?.as_str());
    names.any(|name| ProjectRole::parse(&name).is_ok())
}

/// Compares `new` with `old`; without one everything is added.
///
/// # Errors
/// What the typed reader refuses.
pub fn compare(old: Option<&Envelope>, new: &Envelope) -> Result<Comparison, Finding> {
    compare_all([(old, Some(new))])
}

/// Compares all projects of the new files with all of the old ones, whichever file of a side they stand in; of each pair both are versions of one role.
/// Delegations to shards are no projects.
///
/// # Errors
/// What the typed reader refuses.
pub fn compare_all<'a>(
    files: impl IntoIterator<Item = (Option<&'a Envelope>, Option<&'a Envelope>)>,
) -> Result<Comparison, Finding> {
    let (mut old, mut new) = (Side::default(), Side::default());
    let mut looked = Looked::default();
    for (before, after) in files {
        let (before, after) = (delegations("old", before)?, delegations("new", after)?);
        let pairs = diff::delegated(before.as_ref(), after.as_ref());
        let starts = (old.push(before), new.push(after));
        looked.add(&pairs.roles, starts, (old.len(), new.len()));
    }
    let walked = walk(&new);
    looked.at_new(walked.odd.iter().chain(&walked.behind).copied());
    looked.complete(&old, &new, &walked.odd);
    let unread = looked.like.iter().zip(&looked.new);
    let unread = unread
        .filter(|(like, looked)| **like != NOWHERE && !**looked)
        .count();
    let (before, after) = (old.list(&looked.old), new.list(&looked.new));
    let mut comparison = Comparison {
        before: unread + before.stands.len(),
        after: unread + after.stands.len(),
        same: unread,
        old,
        new,
        changes: Vec::new(),
        wrong: after.wrong,
        behind: walked.behind,
        crowded: walked.crowded,
        told: BTreeMap::new(),
    };
    let pairs = paired(&before.stands, &after.stands);
    let parts = in_parts(pairs.len(), |range| {
        let pairs = pairs[range].iter();
        let changes = pairs.map(|pair| comparison.judge(*pair, &looked.like));
        changes.collect::<Vec<_>>()
    });
    for (is_same, change) in parts.into_iter().flatten() {
        comparison.same += usize::from(is_same);
        comparison.changes.extend(change);
    }
    comparison.changes.shrink_to_fit();
    Ok(comparison)
}

fn delegations(file: &str, envelope: Option<&Envelope>) -> Result<Option<Delegations>, Finding> {
    let read = envelope
        .map(|envelope| Targets::read(file, envelope))
        .transpose()?;
    Ok(read.and_then(|targets| targets.delegations))
}

/// The places that are read.
#[derive(Default)]
struct Looked {
    old: Vec<bool>,
    new: Vec<bool>,
    /// For each new place the old one that is alike, keys and all.
    like: Vec<Place>,
}

impl Looked {
    /// Those that differ in one more pair of files.
    fn add(&mut self, pairs: &diff::Pairs, starts: (Place, Place), lengths: (usize, usize)) {
        self.old.resize(lengths.0, false);
        self.new.resize(lengths.1, false);
        self.like.resize(lengths.1, NOWHERE);
        let (old, new) = (starts.0 as usize, starts.1 as usize);
        for gone in pairs.gone() {
            self.old[old + gone] = true;
        }
        for came in pairs.came() {
            self.new[new + came] = true;
        }
        for both in pairs.both() {
            if both.alike {
                self.like[new + both.new] = place(old + both.old);
            } else {
                (self.old[old + both.old], self.new[new + both.new]) = (true, true);
            }
        }
    }
    /// New places, and with each the old one that is alike.
    fn at_new(&mut self, places: impl Iterator<Item = Place>) {
        for at in places {
            self.new[at as usize] = true;
            if let Some(like) = self.old.get_mut(self.like[at as usize] as usize) {
                *like = true;
            }
        }
    }
    /// Whoever else goes by the name of a role that is not the first of its project, or not the only one.
    fn complete(&mut self, old: &Side, new: &Side, odd: &[Place]) {
        let mut names = HashSet::new();
        for at in odd {
            names.extend(new.named_by(*at));
        }
        // One file has no name twice.
        let several = old.files().len() > 1;
        let looked = (0..).zip(&self.old).filter(|(_, looked)| **looked);
        for (at, _) in looked {
            if several || ProjectRole::first(&old.role(at)).is_none() {
                names.extend(old.named_by(at));
            }
        }
        self.at_new(new.firsts(&names).into_iter());
    }
}

/// Who stands on either side under one name.
type Pair<'a> = (Option<&'a Stand>, Option<&'a Stand>);

/// Both sides by name.
fn paired<'a>(old: &'a [Stand], new: &'a [Stand]) -> Vec<Pair<'a>> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let of = |stand: &&'a Stand| (&stand.name, stand.own);
    let mut pairs = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (Some(before), Some(after)) => of(before).cmp(&of(after)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return pairs,
        };
        let before = if order.is_le() { old.next() } else { None };
        let after = if order.is_ge() { new.next() } else { None };
        pairs.push((before, after));
    }
}

impl Comparison {
    /// Whether a project is the same in both, and what is to be told of it.
    fn judge(&self, pair: Pair<'_>, like: &[Place]) -> (bool, Option<Change>) {
        let place = |stand: Option<&Stand>| stand.map_or(NOWHERE, |stand| stand.at);
        let (before, after) = (place(pair.0), place(pair.1));
        let Some(Stand { name, own, .. }) = pair.1.or(pair.0) else {
            return (false, None);
        };
        let is_alike = before != NOWHERE && like.get(after as usize) == Some(&before);
        let view = if is_alike {
            self.unchanged(name, after)
        } else {
            self.made(name, before, after)
        };
        let marks = Marks::of(&view.kinds, &view.reasons);
        let change = (marks != Marks::default()).then_some(Change {
            before,
            after,
            marks,
            own: *own,
        });
        (view.kinds.is_empty(), change)
    }

    /// A project that does not differ. What is wrong with an unchanged entry was seen when it came, but for its place, which others give it.
    fn unchanged(&self, name: &str, after: Place) -> ProjectChangeView {
        let mut reasons = self.misplaced(after);
        reasons.retain(|reason| reason.watch == Watch::Unsorted);
        ProjectChangeView {
            name: name.to_owned(),
            before: Standing::Absent,
            after: Standing::Absent,
            kinds: Vec::new(),
            reasons,
        }
    }

    /// A project, read from both files.
    fn made(&self, name: &str, before: Place, after: Place) -> ProjectChangeView {
        let (before, stands) = (self.old.standing(before), self.new.standing(after));
        let mut view = self.unchanged(name, after);
        view.kinds = kinds(&before, &stands);
        if !view.kinds.is_empty() {
            view.reasons = reasons(&before, &stands);
            view.reasons.extend(self.misplaced(after));
            view.reasons.extend(self.crowds(&stands));
        }
        ProjectChangeView {
            before,
            after: stands,
            ..view
        }
    }

    /// What is wrong with a new entry's place or name.
    fn misplaced(&self, after: Place) -> Vec<Reason> {
        let behind = self.behind.binary_search(&after).is_ok();
        let behind = behind.then(|| self.new.reason_behind(after));
        let wrong = self.wrong.get(&after).into_iter().flatten();
        behind.into_iter().chain(wrong.cloned()).collect()
    }

    /// Which of its keys are crowded.
    fn crowds(&self, after: &Standing) -> Vec<Reason> {
        let Standing::Delegated(after) = after else {
            return Vec::new();
        };
        let keys = after.fingerprints();
        let many = keys
            .iter()
            .filter_map(|key| self.crowded.get_key_value(key));
        let told = many.map(|(key, count)| {
            let text = format!("key sha256 {key}: {count} projects");
            Reason::new(Watch::Crowded, text)
        });
        told.collect()
    }

    /// Keys on more than [`super::watch::CROWDED`] projects, and on how many; the most used first.
    pub fn crowded(&self) -> Vec<(Sha256, usize)> {
        let mut crowded: Vec<_> = self
            .crowded
            .iter()
            .map(|(key, count)| (*key, *count))
            .collect();
        crowded.sort_by_key(|(key, count)| (Reverse(*count), *key));
        crowded
    }

    /// Adds what another check found. A project that does not differ has no entry and needs none.
    pub fn add(&mut self, name: &str, reason: &Reason) {
        let (mut low, mut high) = (0, self.changes.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if (&*self.name(middle), self.changes[middle].own) < (name, false) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low < self.changes.len() && self.name(low) == name {
            let marks = &mut self.changes[low].marks;
            *marks = marks.and(reason.watch.into());
            self.told.entry(low).or_default().push(reason.clone());
        }
    }
}

impl Entries for Comparison {
    fn len(&self) -> usize {
        self.changes.len()
    }
    fn marks(&self, index: usize) -> Marks {
        self.changes[index].marks
    }
    fn name(&self, index: usize) -> Cow<'_, str> {
        let Change {
            before, after, own, ..
        } = self.changes[index];
        if after == NOWHERE {
            self.old.name(before, own)
        } else {
            self.new.name(after, own)
        }
    }
    fn view(&self, index: usize) -> ProjectChangeView {
        let Change { before, after, .. } = self.changes[index];
        let mut view = self.made(&self.name(index), before, after);
        let told = self.told.get(&index).into_iter().flatten();
        view.reasons.extend(told.cloned());
        view
    }
}
