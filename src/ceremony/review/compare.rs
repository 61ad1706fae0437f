//! What two files delegate, compared project by project in one walk over both sorted lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::{Delegated, Listed, ProjectChangeView, Shown, Standing, kinds};
use super::watch::{CROWDED, Reason, Watch, reasons};
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::shards::is_shard;
use crate::tuf::canonical;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Json;
use crate::tuf::key::KeyId;
use crate::tuf::metadata::Targets;

/// The role that answers for projects without keys of their own (decision 0017).
const CUSTODY: &str = "custody";

/// Members of a delegation that have a place of their own in [`Delegated`].
const KNOWN: [&str; 6] = [
    "name",
    "keyids",
    "threshold",
    "terminating",
    "paths",
    "path_hash_prefixes",
];

/// Everything in which two files' delegations to projects differ.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// How many projects the old file names.
    pub before: usize,
    /// How many the new one names.
    pub after: usize,
    /// How many are the same in both.
    pub same: usize,
    /// The others, by name; and those that stand where they should not.
    pub changes: Vec<ProjectChangeView>,
    /// Keys on more than [`CROWDED`] projects, and on how many; the most used first.
    pub crowded: Vec<(Sha256, usize)>,
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
    compare_all(old.as_slice(), &[new])
}

/// Compares all projects of `new` with all of `old`, whichever file of a side they stand in. Delegations to shards are no projects.
///
/// # Errors
/// What the typed reader refuses.
pub fn compare_all(old: &[&Envelope], new: &[&Envelope]) -> Result<Comparison, Finding> {
    let old = Side::of("old", old)?;
    let new = Side::of("new", new)?;
    let crowded = new.crowded();
    let mut changes = Vec::new();
    let mut same = 0;
    let names: BTreeSet<&String> = old.names().chain(new.names()).collect();
    for name in names {
        let (before, after) = (old.standing(name), new.standing(name));
        let mut told = reasons(before, after);
        told.extend(new.placed_wrongly(name));
        if before == after {
            same += usize::from(*after != Standing::Absent);
            // What is wrong with an unchanged entry was seen when it came, but for its place, which others give it.
            told.retain(|reason| reason.watch == Watch::Unsorted);
            if told.is_empty() {
                continue;
            }
        } else if let Standing::Delegated(after) = after {
            let fingerprints = after.fingerprints();
            let many = fingerprints
                .iter()
                .filter_map(|key| crowded.get_key_value(key));
            told.extend(many.map(|(key, count)| {
                Reason::new(
                    Watch::Crowded,
                    format!("key sha256 {key}: {count} projects"),
                )
            }));
        }
        changes.push(ProjectChangeView {
            name: name.clone(),
            kinds: kinds(before, after),
            before: before.clone(),
            after: after.clone(),
            reasons: told,
        });
    }
    let mut crowded: Vec<_> = crowded.into_iter().collect();
    crowded.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
    Ok(Comparison {
        before: old.names().count(),
        after: new.names().count(),
        same,
        changes,
        crowded,
    })
}

/// One file's projects.
#[derive(Default)]
struct Side {
    standing: BTreeMap<String, Standing>,
    /// What is wrong with an entry's place or name.
    wrong: BTreeMap<String, Vec<Reason>>,
}

impl Side {
    fn of(file: &str, envelopes: &[&Envelope]) -> Result<Self, Finding> {
        let mut side = Self::default();
        for envelope in envelopes {
            side.read(file, envelope)?;
        }
        Ok(side)
    }

    fn read(&mut self, file: &str, envelope: &Envelope) -> Result<(), Finding> {
        let side = self;
        let Some(delegations) = Targets::read(file, envelope)?.delegations else {
            return Ok(());
        };
        let keys: BTreeMap<KeyId, Arc<Shown>> = delegations
            .keys()
            .map(|(keyid, key)| {
                let shown = Shown {
                    what: key.description(),
                    fingerprint: key.public().fingerprint(),
                    object: Sha256::of(&key.value().canonical()),
                    owner: key.owner().map(ToOwned::to_owned),
                };
                (keyid, Arc::new(shown))
            })
            .collect();
        let objects = envelope.signed().get("delegations");
        let objects = objects.and_then(|delegations| delegations.get("roles"));
        let objects = objects.into_iter().flat_map(Json::elements);
        let mut last = String::new();
        for (role, object) in delegations.roles().zip(objects) {
            if role.name < last {
                let text = format!("{} stands behind {last}", role.name);
                side.accuse(name_of(&role.name), Watch::Unsorted, text);
            }
            last.clone_from(&role.name);
            if is_shard(&role.name) {
                continue;
            }
            if role.name == CUSTODY {
                for path in &role.paths {
                    let name = path.strip_suffix("/*").unwrap_or(path).to_owned();
                    if Project::parse(&name).is_err() {
                        let text = format!("custody answers for {path}");
                        side.accuse(name.clone(), Watch::WidePath, text);
                    }
                    side.stand(name, Standing::Custody);
                }
                continue;
            }
            let keyids = role.role.keyids.iter();
            let keys = keyids.map(|keyid| Listed {
                keyid: keyid.clone(),
                key: keys.get(keyid).cloned(),
            });
            let standing = Standing::Delegated(Delegated {
                role: role.name.clone(),
                keys: keys.collect(),
                threshold: role.role.threshold,
                terminating: role.terminating,
                paths: role.paths.clone(),
                prefixes: role.path_hash_prefixes.clone(),
                other: other(object),
            });
            side.stand(name_of(&role.name), standing);
        }
        Ok(())
    }

    /// The first that names a project has it; whatever names it again is listed under what it is called itself.
    fn stand(&mut self, name: String, standing: Standing) {
        let Some(first) = self.standing.get(&name) else {
            self.standing.insert(name, standing);
            return;
        };
        let in_custody = *first == Standing::Custody;
        match standing {
            Standing::Delegated(second) => {
                let text = if in_custody {
                    format!("{name} stands in custody as well, and custody answers first")
                } else {
                    format!("a second role of {name}")
                };
                let role = second.role.clone();
                self.accuse(role.clone(), Watch::Unsorted, text);
                self.standing.insert(role, Standing::Delegated(second));
            }
            Standing::Custody | Standing::Absent => {
                self.accuse(name, Watch::Unsorted, "in custody as well".to_owned());
            }
        }
    }

    fn accuse(&mut self, name: String, watch: Watch, text: String) {
        let reasons = self.wrong.entry(name).or_default();
        reasons.push(Reason::new(watch, text));
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.standing.keys()
    }

    fn standing(&self, name: &str) -> &Standing {
        self.standing.get(name).unwrap_or(&Standing::Absent)
    }

    fn placed_wrongly(&self, name: &str) -> Vec<Reason> {
        self.wrong.get(name).cloned().unwrap_or_default()
    }

    /// Keys on more than [`CROWDED`] projects.
    fn crowded(&self) -> BTreeMap<Sha256, usize> {
        let mut counts = BTreeMap::new();
        for standing in self.standing.values() {
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

/// The project whose role this is, else the role's own name.
fn name_of(role: &str) -> String {
    let project = ProjectRole::parse(role).map(|role| role.project);
    project.map_or_else(|_| role.to_owned(), |project| project.as_str().to_owned())
}

fn other(object: Json<'_>) -> BTreeMap<String, String> {
    let members = object.members();
    members
        .filter(|(name, _)| !KNOWN.contains(&&**name))
        .map(|(name, value)| {
            let text = canonical::to_vec(value);
            (
                name.into_owned(),
                String::from_utf8_lossy(&text).into_owned(),
            )
        })
        .collect()
}
