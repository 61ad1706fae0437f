//! A comparison that reads everything and keeps it in maps.

use super::*;
use crate::ceremony::review::change::{Delegated, Listed, Shown, kinds};
use crate::ceremony::review::watch::{CROWDED, Reason, reasons};
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::shards::is_shard;
use crate::tuf::metadata::Targets;

/// By name, and how many went by it before: none but of roles that have a name of their own because another has the project's.
type At = (String, usize);

/// One side, read whole.
#[derive(Default)]
struct Whole {
    listed: BTreeMap<At, Standing>,
    wrong: BTreeMap<At, Vec<Reason>>,
}

impl Whole {
    fn of(envelopes: &[&Envelope]) -> Self {
        let mut side = Self::default();
        for envelope in envelopes {
            side.read(envelope);
        }
        side
    }
    fn read(&mut self, envelope: &Envelope) {
        let delegations = Targets::read("file", envelope)
            .unwrap()
            .delegations
            .unwrap();
        let keys: BTreeMap<_, _> = delegations.keys().collect();
        let objects = envelope
            .signed()
            .get("delegations")
            .unwrap()
            .get("roles")
            .unwrap();
        let mut last = String::new();
        for (role, object) in delegations.roles().zip(objects.elements()) {
            let behind = (role.name < last).then(|| format!("{} stands behind {last}", role.name));
            last.clone_from(&role.name);
            if is_shard(&role.name) {
                continue;
            }
            if role.name == "custody" {
                for path in &role.paths {
                    let name = path.strip_suffix("/*").unwrap_or(path).to_owned();
                    if Project::parse(&name).is_err() {
                        self.accuse(
                            (name.clone(), 0),
                            Watch::WidePath,
                            format!("custody answers for {path}"),
                        );
                    }
                    if self.listed.contains_key(&(name.clone(), 0)) {
                        self.accuse((name, 0), Watch::Unsorted, "in custody as well".to_owned());
                    } else {
                        self.listed.insert((name, 0), Standing::Custody);
                    }
                }
                continue;
            }
            let project = ProjectRole::parse(&role.name);
            let name = project.map_or_else(|_| role.name.clone(), |role| role.project.to_string());
            let at = match self.listed.get(&(name.clone(), 0)) {
                None => (name, 0),
                Some(first) => {
                    let text = match first {
                        Standing::Custody => {
                            format!("{name} stands in custody as well, and custody answers first")
                        }
                        _ => format!("a second role of {name}"),
                    };
                    let known = self
                        .listed
                        .keys()
                        .filter(|at| at.0 == role.name && at.1 > 0);
                    let at = (role.name.clone(), 1 + known.count());
                    self.accuse(at.clone(), Watch::Unsorted, text);
                    at
                }
            };
            if let Some(text) = behind {
                self.accuse(at.clone(), Watch::Unsorted, text);
            }
            let listed = role.role.keyids.iter().map(|keyid| Listed {
                keyid: keyid.clone(),
                key: keys.get(keyid).map(|key| {
                    Shown {
                        what: key.description(),
                        fingerprint: key.public().fingerprint(),
                        object: Sha256::of(&key.value().canonical()),
                        owner: key.owner().map(ToOwned::to_owned),
                    }
                    .into()
                }),
            });
            let other = object.members().filter(|(name, _)| name.starts_with("x-"));
            let standing = Standing::Delegated(Delegated {
                keys: listed.collect(),
                role: role.name,
                threshold: role.role.threshold,
                terminating: role.terminating,
                paths: role.paths,
                prefixes: role.path_hash_prefixes,
                other: other
                    .map(|(name, value)| {
                        (
                            name.into_owned(),
                            String::from_utf8(value.bytes().into_owned()).unwrap(),
                        )
                    })
                    .collect(),
            });
            self.listed.insert(at, standing);
        }
    }
    fn accuse(&mut self, at: At, watch: Watch, text: String) {
        self.wrong
            .entry(at)
            .or_default()
            .push(Reason::new(watch, text));
    }
    fn crowded(&self) -> BTreeMap<Sha256, usize> {
        let mut counts = BTreeMap::new();
        for standing in self.listed.values() {
            if let Standing::Delegated(delegated) = standing {
                for key in delegated.fingerprints() {
                    *counts.entry(key).or_insert(0) += 1;
                }
            }
        }
        counts.retain(|_, count| *count > CROWDED);
        counts
    }
}

/// All that is told of a project.
pub(super) type Told = (String, Standing, Standing, Vec<Kind>, Vec<(Watch, String)>);

/// Everything that a comparison says: what it counts, what it tells of each project, which keys are crowded.
pub(super) type Said = ([usize; 3], Vec<Told>, Vec<(Sha256, usize)>);

pub(super) fn whole(old: &[&Envelope], new: &[&Envelope]) -> Said {
    let (old, new) = (Whole::of(old), Whole::of(new));
    let crowded = new.crowded();
    let mut names: Vec<_> = old.listed.keys().chain(new.listed.keys()).collect();
    names.sort();
    names.dedup();
    let (mut same, mut told) = (0, Vec::new());
    for name in names {
        let at = |side: &Whole| side.listed.get(name).cloned().unwrap_or(Standing::Absent);
        let (before, after) = (at(&old), at(&new));
        let mut why = reasons(&before, &after);
        why.extend(new.wrong.get(name).cloned().into_iter().flatten());
        if before == after {
            same += 1;
            why.retain(|reason| reason.watch == Watch::Unsorted);
            if why.is_empty() {
                continue;
            }
        } else if let Standing::Delegated(after) = &after {
            let many = after
                .fingerprints()
                .into_iter()
                .filter_map(|key| Some((key, crowded.get(&key)?)));
            why.extend(many.map(|(key, count)| {
                Reason::new(
                    Watch::Crowded,
                    format!("key sha256 {key}: {count} projects"),
                )
            }));
        }
        let kinds = kinds(&before, &after);
        told.push(as_told(&name.0, before, after, kinds, why));
    }
    let mut crowded: Vec<_> = crowded.into_iter().collect();
    crowded.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
    ([old.listed.len(), new.listed.len(), same], told, crowded)
}

pub(super) fn as_told(
    name: &str,
    before: Standing,
    after: Standing,
    kinds: Vec<Kind>,
    why: Vec<Reason>,
) -> Told {
    let mut why: Vec<_> = why
        .into_iter()
        .map(|reason| (reason.watch, reason.text))
        .collect();
    why.sort();
    (name.to_owned(), before, after, kinds, why)
}
