//! The role `custody`: its projects follow from the changes alone, its keys from who was named.

use std::collections::BTreeSet;

use super::keys::Keys;
use super::places::Places;
use super::roles::{self, Entry};
use crate::pypi::changes::{After, ChangeSet};
use crate::pypi::delegation::CUSTODY;
use crate::pypi::project::Project;
use crate::tuf::edit::RoleSpec;
use crate::tuf::json::Json;
use crate::tuf::key::{Key, PublicKey};
use crate::tuf::value::Value;

/// The projects in custody by the entry's paths.
pub(super) fn projects(places: &mut Places, entry: Option<&Entry<'_>>) -> BTreeSet<Project> {
    let paths = entry.and_then(|entry| entry.json.get("paths"));
    let mut projects = BTreeSet::new();
    for (index, path) in paths.into_iter().flat_map(Json::elements).enumerate() {
        let path = path.as_str().unwrap_or_default();
        match path.strip_suffix("/*").map(Project::parse) {
            Some(Ok(project)) => {
                projects.insert(project);
            }
            _ => places.add(|| {
                format!("signed.delegations.roles ({CUSTODY}): path {index} of the old file is no project's")
            }),
        }
    }
    projects
}

/// Whether the entry stood and did not change at all; what is wrong with it has been told.
pub(super) fn compare(
    places: &mut Places,
    (old, new): (Option<&Entry<'_>>, Option<&Entry<'_>>),
    before: &BTreeSet<Project>,
    old_keys: &Keys<'_>,
    (changes, signers): (&ChangeSet, Option<&RoleSpec>),
) -> bool {
    let mut paths: BTreeSet<String> = before.iter().map(Project::path).collect();
    for (project, change) in &changes.changes {
        if matches!(change.after, After::Custody) {
            paths.insert(project.path());
        } else {
            paths.remove(&project.path());
        }
    }
    let new = match (paths.is_empty(), new) {
        (true, None) => return false,
        (true, Some(new)) => {
            let path = new.inner();
            places.add(|| format!("{path} ({CUSTODY}): is there, though no project is in custody"));
            return false;
        }
        (false, None) => {
            places.add(|| {
                format!(
                    "signed.delegations.roles: has no {CUSTODY}, though projects are in custody"
                )
            });
            return false;
        }
        (false, Some(new)) => new,
    };
    let mut set = vec![
        ("name", Value::string(CUSTODY)),
        (
            "paths",
            Value::Array(paths.into_iter().map(Value::String).collect()),
        ),
        ("terminating", Value::Bool(true)),
    ];
    match (signers, old) {
        (Some(spec), _) => {
            set.push(("keyids", Value::Array(keyids(old, old_keys, spec))));
            set.push(("threshold", Value::Integer(spec.threshold.into())));
        }
        (None, Some(_)) => {}
        (None, None) => {
            let path = new.inner();
            places.add(|| format!("{path} ({CUSTODY}): nobody was named to sign for it"));
        }
    }
    roles::members(places, new, old, &set);
    old.is_some_and(|old| super::places::equal(Some(old.json), Some(new.json)))
}

/// The keyids that the entry must list: as it did where the same keys are meant; else ascending, each key under the keyid that it had there or its own.
pub(super) fn keyids(old: Option<&Entry<'_>>, old_keys: &Keys<'_>, spec: &RoleSpec) -> Vec<Value> {
    let material = |keyid: &str| {
        let key = Key::from_json(old_keys.get(keyid)?).ok()?;
        Some(key.public().clone())
    };
    let stood: Vec<(String, Option<PublicKey>)> = (old.into_iter())
        .flat_map(Entry::keyids)
        .map(|keyid| (keyid.to_string(), material(&keyid)))
        .collect();
    let is_meant = |public: &Option<PublicKey>| {
        (spec.keys.iter()).any(|key| public.as_ref() == Some(key.public()))
    };
    let stays =
        |key: &Key| (stood.iter()).find(|(_, public)| public.as_ref() == Some(key.public()));
    let is_same = stood.iter().all(|(_, public)| is_meant(public))
        && spec.keys.iter().all(|key| stays(key).is_some());
    let mut keyids: Vec<String> = if is_same {
        stood.iter().map(|(keyid, _)| keyid.clone()).collect()
    } else {
        let keyid =
            |key: &Key| stays(key).map_or_else(|| key.keyid().0, |(keyid, _)| keyid.clone());
        spec.keys.iter().map(keyid).collect()
    };
    if !is_same {
        keyids.sort_unstable();
    }
    keyids.into_iter().map(Value::String).collect()
}
