//! The entries of both files side by side, in the order of their names.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::keys::Keys;
use super::places::{self, Places};
use super::{Counts, merged};
use crate::pypi::changes::{After, Change, ChangeSet};
use crate::pypi::delegation::{self, CUSTODY};
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::shards::is_shard;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::shown;
use crate::tuf::json::Json;
use crate::tuf::value::Value;

/// One element of `roles`.
#[derive(Clone)]
pub(super) struct Entry<'a> {
    pub(super) index: usize,
    pub(super) name: Cow<'a, str>,
    pub(super) json: Json<'a>,
}

/// The entries of one file, whose names ascend.
pub(super) struct Roles<'a> {
    pub(super) entries: Vec<Entry<'a>>,
}

/// What is asked of an entry that shall stand.
struct Wanted<'a> {
    project: &'a Project,
    after: &'a After,
    /// As the project stood, if it had keys.
    old: Option<&'a Entry<'a>>,
}

impl Entry<'_> {
    /// `signed.delegations.roles[3] (project-x)`
    pub(super) fn path(&self) -> String {
        format!(
            "signed.delegations.roles[{}] ({})",
            self.index,
            shown(&self.name)
        )
    }
    /// `signed.delegations.roles[3].threshold (project-x)`, without the last part.
    pub(super) fn inner(&self) -> String {
        format!("signed.delegations.roles[{}]", self.index)
    }
    pub(super) fn keyids(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let keyids = self.json.get("keyids").into_iter();
        keyids.flat_map(Json::elements).filter_map(Json::as_str)
    }
}

impl<'a> Roles<'a> {
    /// `None`, and the place told, where names are missing or do not ascend: then nothing can be set side by side.
    pub(super) fn new(places: &mut Places, whose: &str, list: Option<Json<'a>>) -> Option<Self> {
        let mut entries: Vec<Entry<'a>> = Vec::new();
        for (index, json) in list.into_iter().flat_map(Json::elements).enumerate() {
            let Some(name) = json.get("name").and_then(Json::as_str) else {
                places.add(|| format!("signed.delegations.roles[{index}]: has no name in {whose}"));
                return None;
            };
            let entry = Entry { index, name, json };
            if let Some(last) = entries.last().filter(|last| last.name >= entry.name) {
                places.add(|| {
                    let (path, before) = (entry.path(), shown(&last.name));
                    format!("{path}: stands behind {before} in {whose}; entries stand in ascending order of their names")
                });
                return None;
            }
            entries.push(entry);
        }
        Some(Self { entries })
    }
    pub(super) fn get(&self, name: &str) -> Option<&Entry<'a>> {
        let found = self
            .entries
            .binary_search_by(|entry| (*entry.name).cmp(name));
        found.ok().map(|index| &self.entries[index])
    }
    /// The entry of each project; a second one of a project is told.
    fn by_project(&self, places: &mut Places) -> BTreeMap<Project, &Entry<'a>> {
        let mut entries = BTreeMap::new();
        for entry in &self.entries {
            if let Ok(role) = ProjectRole::parse(&entry.name)
                && entries.insert(role.project, entry).is_some()
            {
                places.add(|| format!("{}: a second entry of its project", entry.path()));
            }
        }
        entries
    }
}

/// Sets the entries of projects side by side; `in_custody` are those that were without keys.
pub(super) fn compare(
    places: &mut Places,
    (old, old_keys): (&Roles<'_>, &Keys<'_>),
    new: &Roles<'_>,
    changes: &ChangeSet,
    in_custody: &BTreeSet<Project>,
) -> Counts {
    let mut counts = Counts::default();
    let before = old.by_project(places);
    new.by_project(places);
    let mut wanted: BTreeMap<String, Wanted<'_>> = BTreeMap::new();
    let mut leaving: BTreeSet<&str> = BTreeSet::new();
    for (project, change) in &changes.changes {
        let old = before.get(project).copied();
        let stood_in_custody = in_custody.contains(project);
        pre_image(places, project, change, old, old_keys, stood_in_custody);
        leaving.extend(old.map(|old| &*old.name));
        match &change.after {
            After::Delegate { generation, .. } => {
                let name = project.generation(*generation).to_string();
                let after = &change.after;
                let stood = old.is_some() || stood_in_custody;
                *if stood {
                    &mut counts.changed
                } else {
                    &mut counts.added
                } += 1;
                wanted.insert(
                    name,
                    Wanted {
                        project,
                        after,
                        old,
                    },
                );
            }
            After::Custody if stood_in_custody => counts.idle += 1,
            After::Custody => counts.to_custody += 1,
            After::Gone => counts.removed += 1,
        }
    }

    let (mut left, mut right) = (old.entries.iter().peekable(), new.entries.iter().peekable());
    loop {
        let side = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.name.cmp(&b.name),
        };
        let a = left.next_if(|_| side != Ordering::Greater);
        let b = right.next_if(|_| side != Ordering::Less);
        let Some(name) = a.or(b).map(|entry| &*entry.name) else {
            break;
        };
        if name == CUSTODY || is_shard(name) {
            continue;
        }
        match (a, b, wanted.remove(name)) {
            (_, Some(b), Some(wanted)) => {
                let idle = wanted.old.is_some_and(|old| equal(old, b));
                if idle {
                    counts.changed -= 1;
                    counts.idle += 1;
                }
                put(places, b, &wanted);
            }
            (_, None, Some(wanted)) => not_there(places, name, wanted.project),
            (Some(a), None, None) if !leaving.contains(name) => {
                places.add(|| format!("{}: was there and is gone", a.path()));
            }
            (None, Some(b), None) => places.add(|| format!("{}: is new", b.path())),
            (Some(_), Some(b), None) if leaving.contains(name) => {
                places.add(|| format!("{}: is still there, though it shall go", b.path()));
            }
            (Some(a), Some(b), None) => {
                counts.identical += usize::from(untouched(places, a, b));
            }
            (_, None, None) => {}
        }
    }
    for (name, wanted) in &wanted {
        not_there(places, name, wanted.project);
    }
    counts
}

/// The entries differ in nothing.
pub(super) fn untouched(places: &mut Places, old: &Entry<'_>, new: &Entry<'_>) -> bool {
    if equal(old, new) {
        return true;
    }
    places.same(&new.inner(), Some(old.json), Some(new.json))
}

fn equal(old: &Entry<'_>, new: &Entry<'_>) -> bool {
    places::equal(Some(old.json), Some(new.json))
}

fn not_there(places: &mut Places, name: &str, project: &Project) {
    places.add(|| {
        format!(
            "signed.delegations.roles: has no {name}, though the project {project} shall have it"
        )
    });
}

/// The entry is what the change asks for, and besides as it was.
fn put(places: &mut Places, new: &Entry<'_>, wanted: &Wanted<'_>) {
    let After::Delegate {
        keys, threshold, ..
    } = wanted.after
    else {
        return;
    };
    let keyids = keys.keys().map(|keyid| Value::string(&*keyid.0)).collect();
    let set = [
        ("keyids", Value::Array(keyids)),
        ("name", Value::string(&*new.name)),
        (
            "paths",
            Value::Array(vec![Value::string(wanted.project.path())]),
        ),
        ("terminating", Value::Bool(true)),
        ("threshold", Value::Integer((*threshold).into())),
    ];
    members(places, new, wanted.old, &set);
}

/// The members in `set` are as they must be, and all others as they were.
pub(super) fn members(
    places: &mut Places,
    new: &Entry<'_>,
    old: Option<&Entry<'_>>,
    set: &[(&str, Value)],
) {
    let path = new.inner();
    for (name, value) in set {
        places.must(&places::member(&path, name), value, new.json.get(name));
    }
    for (name, (old, new)) in merged(old.map(|old| old.json), Some(new.json)) {
        if set.iter().all(|(known, _)| *known != name) {
            places.same(&places::member(&path, &name), old, new);
        }
    }
}

/// What the change replaces is what stood there.
fn pre_image(
    places: &mut Places,
    project: &Project,
    change: &Change,
    old: Option<&Entry<'_>>,
    keys: &Keys<'_>,
    in_custody: bool,
) {
    let stood: Option<Sha256> = match old {
        Some(old) => {
            let keyids: Vec<Cow<'_, str>> = old.keyids().collect();
            let objects = keyids.iter().filter_map(|keyid| {
                let object = keys.get(keyid)?;
                Some((&**keyid, object))
            });
            Some(delegation::digest(old.json, &objects.collect()))
        }
        None if in_custody => Some(delegation::custody_digest(project)),
        None => None,
    };
    if stood != change.before {
        let words = |digest: Option<Sha256>| digest.map_or("nothing".to_owned(), |d| d.to_string());
        places.add(|| {
            format!(
                "signed.delegations.roles: the change of the project {project} replaces {}, but there stood {}",
                words(change.before),
                words(stood)
            )
        });
    }
}
