//! One walk over all new roles: which are no project's first, which stand behind one that comes after them, and which keys stand on more than [`CROWDED`]
//! projects. Of hundreds of thousands of keys a few are crowded, so keyids are counted by a hash first; only those that may be crowded are looked up and
//! counted by their key material.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use super::parts::in_parts;
use super::side::{Place, Side, material, place};
use super::watch::CROWDED;
use crate::pypi::delegation::CUSTODY;
use crate::pypi::project::ProjectRole;
use crate::pypi::shards::is_shard;
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// What is found.
pub(super) struct Walked {
    /// Roles that are not the first of a project, or that another file has too.
    pub(super) odd: Vec<Place>,
    /// Roles that stand behind one that comes after them by name, ascending.
    pub(super) behind: Vec<Place>,
    /// Keys on more than [`CROWDED`] projects, and on how many.
    pub(super) crowded: BTreeMap<Sha256, usize>,
}

/// How often a hash occurs among the keyids that are listed; different ones may share a count, which then is too high and never too low.
struct Counts {
    hasher: RandomState,
    counts: Vec<AtomicU32>,
}

impl Counts {
    fn new(roles: usize) -> Self {
        let counts = roles.clamp(1 << 10, 1 << 20).next_power_of_two();
        Self {
            hasher: RandomState::new(),
            counts: (0..counts).map(|_| AtomicU32::new(0)).collect(),
        }
    }
    fn number(&self, keyid: &str) -> u32 {
        let mask = self.counts.len() as u64 - 1;
        u32::try_from(self.hasher.hash_one(keyid) & mask).unwrap_or_default()
    }
    fn add(&self, number: u32) {
        self.counts[number as usize].fetch_add(1, Ordering::Relaxed);
    }
    /// Looked at in any case.
    fn suspect(&self, number: u32) {
        self.counts[number as usize].store(u32::MAX, Ordering::Relaxed);
    }
    fn may_be_crowded(&self, number: u32) -> bool {
        self.counts[number as usize].load(Ordering::Relaxed) as usize > CROWDED
    }
}

/// What is found in some of the roles.
#[derive(Default)]
struct Part {
    odd: Vec<Place>,
    behind: Vec<Place>,
    /// The number of each keyid that a role lists.
    listed: Vec<(u32, Place)>,
    names: Vec<(u64, Place)>,
}

/// Walks over all roles of a side.
pub(super) fn walk(side: &Side) -> Walked {
    let counts = Counts::new(side.len());
    let (mut odd, mut behind, mut listed, mut names) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for part in in_parts(side.len(), |range| walk_part(side, &counts, range)) {
        odd.extend(part.odd);
        behind.extend(part.behind);
        listed.push(part.listed);
        names.extend(part.names);
    }
    names.sort_unstable();
    let twice = names.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    odd.extend(twice.flatten().map(|(_, at)| *at));
    for keyid in ambiguous(side, &counts.hasher) {
        // None of them may be crowded by itself, and all together are.
        counts.suspect(counts.number(&keyid));
    }
    let suspects = listed.into_iter().flatten();
    let mut suspects: Vec<Place> = suspects
        .filter_map(|(number, at)| counts.may_be_crowded(number).then_some(at))
        .collect();
    suspects.dedup();
    let parts = in_parts(suspects.len(), |range| {
        exact(side, &suspects[range], &counts)
    });
    let mut crowded = BTreeMap::new();
    for (key, count) in parts.into_iter().flatten() {
        *crowded.entry(key).or_insert(0) += count;
    }
    crowded.retain(|_, count| *count > CROWDED);
    Walked {
        odd,
        behind,
        crowded,
    }
}

fn walk_part(side: &Side, counts: &Counts, range: Range<usize>) -> Part {
    // One file has no name twice.
    let several = side.files().len() > 1;
    let mut part = Part::default();
    let mut before = None;
    for at in range.map(place) {
        let (file, number) = side.file(at);
        let name = file.name(number).unwrap_or_default();
        let last = before.take();
        if number > 0 && last.or_else(|| file.name(number - 1)) >= Some(Cow::Borrowed(&*name)) {
            part.behind.push(at);
        }
        let is_first = ProjectRole::first(&name).is_some();
        if !is_first {
            part.odd.push(at);
        }
        if is_first || !(is_shard(&name) || name == CUSTODY) {
            if several {
                part.names.push((counts.hasher.hash_one(&*name), at));
            }
            file.each_keyid(number, &mut |keyid| {
                let number = counts.number(keyid);
                counts.add(number);
                part.listed.push((number, at));
            });
        }
        before = Some(name);
    }
    part
}

/// Counts by key material what may be crowded in these roles.
fn exact(side: &Side, suspects: &[Place], counts: &Counts) -> HashMap<Sha256, usize> {
    let mut known: HashMap<String, Option<Sha256>> = HashMap::new();
    let mut found = HashMap::new();
    for at in suspects {
        let (file, number) = side.file(*at);
        let mut keys = BTreeSet::new();
        file.each_keyid(number, &mut |keyid| {
            if !counts.may_be_crowded(counts.number(keyid)) {
                return;
            }
            let look = || Some(material(file.object(&KeyId(keyid.to_owned()))?)?.fingerprint());
            let key = match known.get(keyid) {
                Some(key) => *key,
                None => *known.entry(keyid.to_owned()).or_insert_with(look),
            };
            keys.extend(key);
        });
        for key in keys {
            *found.entry(key).or_insert(0) += 1;
        }
    }
    found
}

/// Keyids that stand over the same material as another keyid does.
fn ambiguous(side: &Side, hasher: &RandomState) -> Vec<String> {
    let keys = side.files().iter().enumerate().flat_map(|(number, file)| {
        let parts = in_parts(file.keys_len(), |range| {
            let keys = range.filter_map(|at| {
                let key = hasher.hash_one(material(file.key_object(at)?)?);
                Some((key, place(number), place(at)))
            });
            keys.collect::<Vec<_>>()
        });
        parts.into_iter().flatten()
    });
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    let keyid = |key: &(u64, Place, Place)| {
        let (keyid, _) = side.files()[key.1 as usize].key_at(key.2 as usize)?;
        Some(keyid)
    };
    let alike = keys.chunk_by(|one, next| one.0 == next.0);
    let several = alike.filter(|keys| {
        let first = (keys.len() > 1).then(|| keyid(&keys[0]));
        first.is_some_and(|first| keys.iter().any(|key| keyid(key) != first))
    });
    let keyids = several.flatten().filter_map(keyid);
    keyids.map(Cow::into_owned).collect()
}
