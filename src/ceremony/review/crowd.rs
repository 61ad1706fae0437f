//! One walk over all new roles: which are no project's first, and which keys stand on more than [`CROWDED`] projects. Of hundreds of thousands of keys a few are
//! crowded, so keyids are counted by a hash first; only those that may be crowded are looked up and counted by their key material.

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
use crate::tuf::json::Json;
use crate::tuf::key::KeyId;

/// What is found.
pub(super) struct Walked {
    /// Roles that are not the first of a project, or that another file has too.
    pub(super) odd: Vec<Place>,
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

/// Walks over all roles of a side.
pub(super) fn walk(side: &Side) -> Walked {
    let counts = Counts::new(side.len());
    // One file has no name twice.
    let several = side.files().len() > 1;
    let roles = |range: Range<usize>| {
        let (mut odd, mut listed, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for at in range.map(place) {
            let (file, number) = side.file(at);
            let Some(entry) = file.entry(number) else {
                continue;
            };
            let (keyids, name) = keyids_and_name(entry);
            let name = name.unwrap_or_default();
            if ProjectRole::first(&name).is_none() {
                odd.push(at);
                if is_shard(&name) || name == CUSTODY {
                    continue;
                }
            }
            if several {
                names.push((counts.hasher.hash_one(&*name), at));
            }
            for keyid in keyids
                .into_iter()
                .flat_map(Json::elements)
                .filter_map(Json::as_str)
            {
                let number = counts.number(&keyid);
                counts.add(number);
                listed.push((number, at));
            }
        }
        (odd, listed, names)
    };
    let (mut odd, mut listed, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for part in in_parts(side.len(), roles) {
        odd.extend(part.0);
        listed.push(part.1);
        names.extend(part.2);
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
    Walked { odd, crowded }
}

fn keyids_and_name(entry: Json<'_>) -> (Option<Json<'_>>, Option<std::borrow::Cow<'_, str>>) {
    let (mut keyids, mut name) = (None, None);
    for (member, value) in entry.members() {
        match &*member {
            "keyids" => keyids = Some(value),
            "name" => name = value.as_str(),
            _ => continue,
        }
        if keyids.is_some() && name.is_some() {
            break;
        }
    }
    (keyids, name)
}

/// Counts by key material what may be crowded in these roles.
fn exact(side: &Side, suspects: &[Place], counts: &Counts) -> HashMap<Sha256, usize> {
    let mut known: HashMap<String, Option<Sha256>> = HashMap::new();
    let mut found = HashMap::new();
    for at in suspects {
        let (file, number) = side.file(*at);
        let Some(entry) = file.entry(number) else {
            continue;
        };
        let keyids = keyids_and_name(entry)
            .0
            .into_iter()
            .flat_map(Json::elements);
        let mut keys = BTreeSet::new();
        for keyid in keyids.filter_map(Json::as_str) {
            if !counts.may_be_crowded(counts.number(&keyid)) {
                continue;
            }
            let look =
                || Some(material(file.object(&KeyId(keyid.clone().into_owned()))?)?.fingerprint());
            let key = match known.get(&*keyid) {
                Some(key) => *key,
                None => *known.entry(keyid.clone().into_owned()).or_insert_with(look),
            };
            keys.extend(key);
        }
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
                let (keyid, object) = file.key_at(at)?;
                Some((
                    hasher.hash_one(material(object)?),
                    hasher.hash_one(&*keyid),
                    place(number),
                    place(at),
                ))
            });
            keys.collect::<Vec<_>>()
        });
        parts.into_iter().flatten()
    });
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    let alike = keys.chunk_by(|one, next| one.0 == next.0);
    let several = alike.filter(|keys| keys.iter().any(|key| key.1 != keys[0].1));
    let keyids = several.flatten().filter_map(|(_, _, file, at)| {
        let (keyid, _) = side.files()[*file as usize].key_at(*at as usize)?;
        Some(keyid.into_owned())
    });
    keyids.collect()
}
