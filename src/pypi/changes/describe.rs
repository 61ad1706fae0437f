//! What differs between two versions of `claimed`, project by project, for people: one row each, in the order of names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::pypi::delegation::{Delegation, Delegations, Place};
use crate::pypi::project::Project;
use crate::tuf::key::{Key, KeyId, PublicKey};

/// What became of a project. A row may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// In every token.
    Same,
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// It has keys of its own no longer.
    ToCustody,
    /// It has keys of its own again.
    FromCustody,
    /// A key is new.
    KeysAdded,
    /// A key is gone.
    KeysRemoved,
    /// A key that stays is written another way: another keyid.
    KeyRewritten,
    /// The same keyids in another order.
    Reordered,
    /// More signatures are needed.
    ThresholdRaised,
    /// Fewer signatures are needed.
    ThresholdLowered,
    /// It may sign for other paths.
    PathsChanged,
    /// The search ends with it, or does so no longer.
    TerminatingChanged,
    /// Its role has another name: the next generation.
    RoleRenamed,
    /// Fields that we do not know, of the entry or of a key object.
    UnknownFields,
    /// Its entry breaks a rule in one of the two files, so the rest cannot be told.
    Refused,
}

/// A key under the keyid that it has there.
pub type Listed = (KeyId, Arc<Key>);

/// One project in both versions.
#[derive(Clone, Debug)]
pub struct ProjectChange<'a> {
    /// Which.
    pub project: &'a Project,
    /// What became of it, at least one.
    pub kinds: Vec<Kind>,
    /// How it stood: keys, threshold, role name.
    pub old: Place<'a>,
    /// How it stands.
    pub new: Place<'a>,
    /// Keys that are in the new version alone, by material.
    pub keys_added: Vec<&'a Listed>,
    /// Keys that are in the old version alone, by material.
    pub keys_removed: Vec<&'a Listed>,
}

impl ProjectChange<'_> {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.kinds == [Kind::Same]
    }
}

/// All rows in the order of names, those that are the same too. One pass over both files; `None` as `old`: everything is added.
pub fn describe<'a>(old: Option<&'a Delegations>, new: &'a Delegations) -> Vec<ProjectChange<'a>> {
    let mut projects: BTreeSet<&'a Project> = named(new).collect();
    projects.extend(old.into_iter().flat_map(named));
    let row = |project: &'a Project| {
        let before = old.map_or(Place::Absent, |old| old.place(project));
        row(project, before, new.place(project))
    };
    projects.into_iter().map(row).collect()
}

/// How many rows are of each kind.
pub fn counts(rows: &[ProjectChange<'_>]) -> BTreeMap<Kind, usize> {
    let mut counts = BTreeMap::new();
    for kind in rows.iter().flat_map(|row| &row.kinds) {
        *counts.entry(*kind).or_default() += 1;
    }
    counts
}

fn named(file: &Delegations) -> impl Iterator<Item = &Project> {
    let custody = file.custody.iter().flat_map(|custody| &custody.projects);
    (file.projects.keys())
        .chain(file.refused.keys())
        .chain(custody)
}

fn row<'a>(project: &'a Project, old: Place<'a>, new: Place<'a>) -> ProjectChange<'a> {
    let mut row = ProjectChange {
        project,
        kinds: Vec::new(),
        old,
        new,
        keys_added: Vec::new(),
        keys_removed: Vec::new(),
    };
    match (old, new) {
        (Place::Refused, _) | (_, Place::Refused) => row.kinds.push(Kind::Refused),
        (Place::Absent, Place::Delegated(_)) => row.kinds.push(Kind::Added),
        (Place::Absent, Place::Custody) => row.kinds.extend([Kind::Added, Kind::ToCustody]),
        (_, Place::Absent) => row.kinds.push(Kind::Removed),
        (Place::Custody, Place::Custody) => row.kinds.push(Kind::Same),
        (Place::Custody, Place::Delegated(_)) => row.kinds.push(Kind::FromCustody),
        (Place::Delegated(_), Place::Custody) => row.kinds.push(Kind::ToCustody),
        (Place::Delegated(old), Place::Delegated(new)) => compare(&mut row, old, new),
    }
    let keys = |place| match place {
        Place::Delegated(delegation) => &delegation.keys[..],
        _ => &[],
    };
    row.keys_added = without(keys(new), keys(old));
    row.keys_removed = without(keys(old), keys(new));
    row
}

/// Those of `keys` whose material `others` lack.
fn without<'a>(keys: &'a [Listed], others: &[Listed]) -> Vec<&'a Listed> {
    let known: BTreeSet<&PublicKey> = others.iter().map(|(_, key)| key.public()).collect();
    let is_new = |(_, key): &&Listed| !known.contains(key.public());
    keys.iter().filter(is_new).collect()
}

fn compare(row: &mut ProjectChange<'_>, old: &Delegation, new: &Delegation) {
    if old.digest == new.digest {
        return row.kinds.push(Kind::Same);
    }
    let added = !without(&new.keys, &old.keys).is_empty();
    let removed = !without(&old.keys, &new.keys).is_empty();
    let keyids = |delegation: &Delegation| -> Vec<KeyId> {
        let keyids = delegation.keys.iter().map(|(keyid, _)| keyid.clone());
        keyids.collect()
    };
    let sorted = |mut keyids: Vec<KeyId>| {
        keyids.sort_unstable();
        keyids
    };
    let (before, after) = (keyids(old), keyids(new));
    let is_reordered = before != after && sorted(before) == sorted(after);
    let rewritten = rewritten(old, new);
    let object_changed = (old.keys.iter())
        .filter_map(|(keyid, key)| Some((key, new.keys.iter().find(|(other, _)| other == keyid)?)))
        .any(|(key, (_, other))| key.public() == other.public() && key != other);
    let kinds = [
        (added, Kind::KeysAdded),
        (removed, Kind::KeysRemoved),
        (rewritten, Kind::KeyRewritten),
        (is_reordered, Kind::Reordered),
        (new.threshold > old.threshold, Kind::ThresholdRaised),
        (new.threshold < old.threshold, Kind::ThresholdLowered),
        (new.paths != old.paths, Kind::PathsChanged),
        (new.terminating != old.terminating, Kind::TerminatingChanged),
        (new.role != old.role, Kind::RoleRenamed),
        (
            object_changed || new.unknown != old.unknown,
            Kind::UnknownFields,
        ),
    ];
    row.kinds.extend(
        kinds
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, kind)| kind),
    );
    if row.kinds.is_empty() {
        // The digests differ, so something does, whatever was overlooked above.
        row.kinds.push(Kind::UnknownFields);
    }
}

/// Whether a key of both stands under another keyid.
fn rewritten(old: &Delegation, new: &Delegation) -> bool {
    let known: BTreeMap<&PublicKey, &KeyId> = (old.keys.iter())
        .map(|(keyid, key)| (key.public(), keyid))
        .collect();
    (new.keys.iter()).any(|(keyid, key)| known.get(key.public()).is_some_and(|old| *old != keyid))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Value, json};

    use super::*;
    use crate::pypi::delegation::delegations;
    use crate::pypi::delegation::tests::{FILE, envelope, keyid, role, signed};

    const KEYS: [u16; 5] = [1, 2, 3, 8, 9];

    fn read(roles: &[Value], change: fn(&mut Value)) -> Delegations {
        let mut signed = signed(roles, &KEYS);
        change(&mut signed);
        delegations(FILE, &envelope(&signed)).unwrap()
    }

    #[test]
    fn every_kind_of_change_has_its_row() {
        use Kind::{
            KeyRewritten, KeysAdded, KeysRemoved, PathsChanged, Refused, Removed, Reordered,
            RoleRenamed, Same, TerminatingChanged, ThresholdLowered, ThresholdRaised,
            UnknownFields,
        };
        type Change = fn(&mut Value);
        // One entry of the keys 1 and 2 at threshold 1, and what is done to it in the new file.
        let table: [(Change, &[Kind]); 13] = [
            (|_| (), &[Same]),
            (|e| e["keyids"] = json!([keyid(1)]), &[KeysRemoved]),
            (
                |e| e["keyids"] = json!([keyid(1), keyid(2), keyid(3)]),
                &[KeysAdded],
            ),
            (
                |e| e["keyids"] = json!([keyid(1), keyid(3)]),
                &[KeysAdded, KeysRemoved],
            ),
            (|e| e["keyids"] = json!([keyid(2), keyid(1)]), &[Reordered]),
            (|e| e["keyids"] = json!([keyid(1), "twin"]), &[KeyRewritten]),
            (|e| e["threshold"] = json!(2), &[ThresholdRaised]),
            (|e| e["name"] = json!("project-a_2"), &[RoleRenamed]),
            (|e| e["x-note"] = json!(1), &[UnknownFields]),
            (|e| e["paths"] = json!(["*"]), &[Refused]),
            (|e| e["terminating"] = json!(false), &[Refused]),
            (|e| e["name"] = json!("project-b"), &[Removed]),
            (
                |e| {
                    e["keyids"] = json!([keyid(3)]);
                    e["name"] = json!("project-a_2");
                    e["x-note"] = json!(1);
                },
                &[KeysAdded, KeysRemoved, RoleRenamed, UnknownFields],
            ),
        ];
        let old = role("project-a", "a/*", &[1, 2], 1);
        let twin: Change = |signed| {
            let keys = &mut signed["delegations"]["keys"];
            keys["twin"] = keys[keyid(2)].clone();
        };
        for (change, kinds) in table {
            let mut new = old.clone();
            change(&mut new);
            if new["name"] == "project-b" {
                new["paths"] = json!(["b/*"]);
            }
            let (old, new) = (read(std::slice::from_ref(&old), twin), read(&[new], twin));
            let rows = describe(Some(&old), &new);
            assert_eq!(rows[0].project.as_str(), "a");
            assert_eq!(rows[0].kinds, kinds);
            assert_eq!(rows[0].is_same(), kinds == [Same]);
            assert_eq!(rows[0].keys_added.is_empty(), !kinds.contains(&KeysAdded));
            let reversed = describe(Some(&new), &old);
            if kinds == [ThresholdRaised] {
                assert_eq!(reversed[0].kinds, [ThresholdLowered]);
            }
        }
        // What the reader sets aside can still be compared by whoever has it.
        let file = read(&[old], twin);
        let stands = file.projects.values().next().unwrap();
        let mut other = stands.clone();
        other.paths = vec!["*".to_owned()];
        other.terminating = false;
        other.digest = crate::tuf::digest::Sha256([0; 32]);
        let place = (Place::Delegated(stands), Place::Delegated(&other));
        let row = row(&stands.role.project, place.0, place.1);
        assert_eq!(row.kinds, [PathsChanged, TerminatingChanged]);
    }

    #[test]
    fn a_field_of_a_key_object_is_told_at_every_project_that_lists_it() {
        let roles = [
            role("project-a", "a/*", &[1], 1),
            role("project-b", "b/*", &[1, 2], 1),
            role("project-c", "c/*", &[2], 1),
        ];
        let old = read(&roles, |_| ());
        let new = read(&roles, |signed| {
            signed["delegations"]["keys"][keyid(1)]["x-note"] = json!(1);
        });
        let rows = describe(Some(&old), &new);
        let expected = BTreeMap::from([(Kind::Same, 1), (Kind::UnknownFields, 2)]);
        assert_eq!(counts(&rows), expected);
    }

    #[test]
    fn custody_is_told_by_project() {
        let old = read(
            &[
                role("custody", "a/*", &[8, 9], 2),
                role("project-b", "b/*", &[1], 1),
            ],
            |_| (),
        );
        let new = read(
            &[
                role("custody", "b/*", &[8, 9], 2),
                role("project-a_2", "a/*", &[2], 1),
            ],
            |_| (),
        );
        let rows = describe(Some(&old), &new);
        assert_eq!(rows[0].kinds, [Kind::FromCustody]);
        assert_eq!(rows[1].kinds, [Kind::ToCustody]);
        assert_eq!(rows[1].keys_removed[0].0.0, keyid(1));
        let first = describe(None, &new);
        assert_eq!(first[0].kinds, [Kind::Added]);
        assert_eq!(first[1].kinds, [Kind::Added, Kind::ToCustody]);
        assert!(
            describe(Some(&new), &new)
                .iter()
                .all(ProjectChange::is_same)
        );
    }
}
