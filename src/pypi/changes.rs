//! What a ceremony does to `claimed`: a set of changes, one a project; the next version that has exactly them; and the proof that it has.
//!
//! [`apply`] writes and [`exact`] judges. The two share no logic: `exact` derives from both files, token by token, what may differ, so that a mistake in
//! `apply`, or a candidate that somebody else built, is found before anything is signed.

use std::collections::{BTreeMap, BTreeSet};

use super::delegation::{self, CUSTODY, Custody, Delegation, Delegations};
use super::project::Project;
use crate::tuf::digest::Sha256;
use crate::tuf::edit::{self, RoleEdit, RoleEdits, RoleSpec};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId, PublicKey};

mod exact;
mod sharded;
#[cfg(test)]
mod tests;

pub use exact::{Expected, ExpectedShards, exact, exact_sharded};
pub use sharded::{NewShard, Sharded, Sharding, apply_sharded, divided};

/// What shall become of projects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// One change a project.
    pub changes: BTreeMap<Project, Change>,
}

/// What shall become of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The pre-image that the request replaces ([`Delegations::pre_image`]); `None` where the project must not be there yet.
    pub before: Option<Sha256>,
    /// How it shall be.
    pub after: After,
}

/// How a project shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Delegated to its own keys.
    Delegate {
        /// Of the role's name, from 1.
        generation: u32,
        /// By the keyid under which they are handed in.
        keys: BTreeMap<KeyId, Key>,
        /// How many of them must sign.
        threshold: u32,
    },
    /// Without trusted keys: the role `custody` answers.
    Custody,
    /// Not in `claimed` any more: `recently-claimed` or a bin answers.
    Gone,
}

/// Version `version` of the `claimed` file `old`, with exactly `changes`, unsigned. Untouched entries keep every token; a changed entry keeps its unknown
/// fields and lists its keyids in ascending order; keys that nobody lists any more go; entries stand in the order of their names. `custody` says who signs
/// for projects in custody; without it they stay as they are.
///
/// # Errors
/// `REQUEST-ABSENT`, `REQUEST-PRESENT`, `REQUEST-STALE`, `CUSTODY-KEYS`, what [`delegation::claimed`] finds in `old` or in the result, and what
/// [`edit::with_delegations`] refuses.
pub fn apply(
    file: &str,
    old: &Envelope,
    version: u64,
    expires: &str,
    changes: &ChangeSet,
    custody: Option<&RoleSpec>,
) -> Result<Envelope, Finding> {
    let strict = |envelope| delegation::claimed(file, envelope).map_err(first);
    let before = strict(old)?;
    let mut edits = RoleEdits::default();
    for (project, change) in &changes.changes {
        check(file, &before, project, change)?;
        let old = before.projects.get(project);
        entry(old.as_ref(), project, change, &mut edits);
    }
    in_custody(file, before.custody.as_ref(), changes, custody, &mut edits)?;
    let new = edit::with_delegations(file, old, version, expires, &edits)?;
    strict(&new)?;
    Ok(new)
}

/// Puts, changes or drops the entry of `project`.
fn entry(old: Option<&Delegation>, project: &Project, change: &Change, edits: &mut RoleEdits) {
    edits.drop.extend(old.map(|old| old.role.to_string()));
    if let After::Delegate {
        generation,
        keys,
        threshold,
    } = &change.after
    {
        let name = project.generation(*generation).to_string();
        let edit = RoleEdit {
            from: old.map(|old| old.role.to_string()),
            keyids: keys.keys().cloned().collect(),
            keys: keys.clone(),
            threshold: *threshold,
            paths: vec![project.path()],
            terminating: true,
        };
        edits.put.insert(name, edit);
    }
}

/// Whether `change` was made for what stands in `old`.
fn check(file: &str, old: &Delegations, project: &Project, change: &Change) -> Result<(), Finding> {
    let refuse = |rule, text: String| Err(Finding::error(rule, file, text));
    match (old.pre_image(project), change.before) {
        (None, None) if matches!(change.after, After::Delegate { .. }) => Ok(()),
        (None, _) => refuse(
            "REQUEST-ABSENT",
            format!(
                "The project {project} is not in claimed, so there is nothing to change. Hand in a claim, or drop the request."
            ),
        ),
        (Some(found), None) => refuse(
            "REQUEST-PRESENT",
            format!(
                "The project {project} is in claimed already (pre-image {found}). Hand in a request that changes it and names what it replaces."
            ),
        ),
        (Some(found), Some(named)) if found != named => refuse(
            "REQUEST-STALE",
            format!(
                "The request for the project {project} replaces {named}, but claimed has {found}: it was made for an older state. Let it be made again."
            ),
        ),
        _ => Ok(()),
    }
}

/// Adds, changes or drops the role `custody`.
fn in_custody(
    file: &str,
    old: Option<&Custody>,
    changes: &ChangeSet,
    spec: Option<&RoleSpec>,
    edits: &mut RoleEdits,
) -> Result<(), Finding> {
    let before = old.map(|old| old.projects.clone()).unwrap_or_default();
    let mut after = before.clone();
    for (project, change) in &changes.changes {
        if change.after == After::Custody {
            after.insert(project.clone());
        } else {
            after.remove(project);
        }
    }
    if after.is_empty() {
        edits.drop.extend(old.map(|_| CUSTODY.to_owned()));
        return Ok(());
    }
    let (keys, threshold) = match (spec, old) {
        (Some(spec), _) => (custody_keys(old, spec), spec.threshold),
        (None, Some(old)) => {
            let keys = old.signers.keys.iter();
            let keys = keys.map(|(keyid, key)| (keyid.clone(), Key::clone(key)));
            (keys.collect(), old.signers.threshold)
        }
        (None, None) => {
            return Err(Finding::error(
                "CUSTODY-KEYS",
                file,
                "Projects go into custody and no keys are named to sign for them. Name the keys and the threshold of claimed.",
            ));
        }
    };
    let mut paths: Vec<String> = after.iter().map(Project::path).collect();
    paths.sort_unstable();
    let edit = RoleEdit {
        from: old.map(|_| CUSTODY.to_owned()),
        keyids: keys.iter().map(|(keyid, _)| keyid.clone()).collect(),
        keys: keys.into_iter().collect(),
        threshold,
        paths,
        terminating: true,
    };
    edits.put.insert(CUSTODY.to_owned(), edit);
    Ok(())
}

/// The keys of `spec`: as they stand where they are the same, else in ascending order of keyids, each under the keyid that it has there.
fn custody_keys(old: Option<&Custody>, spec: &RoleSpec) -> Vec<(KeyId, Key)> {
    let old = old.map_or(&[][..], |old| &old.signers.keys);
    let known: BTreeMap<&PublicKey, &(KeyId, _)> =
        old.iter().map(|entry| (entry.1.public(), entry)).collect();
    let wanted: BTreeSet<&PublicKey> = spec.keys.iter().map(Key::public).collect();
    if known.keys().copied().collect::<BTreeSet<_>>() == wanted {
        let keys = old.iter();
        return keys
            .map(|(keyid, key)| (keyid.clone(), Key::clone(key)))
            .collect();
    }
    let mut keys: Vec<(KeyId, Key)> = (spec.keys.iter())
        .map(|key| match known.get(key.public()) {
            Some((keyid, key)) => (keyid.clone(), Key::clone(key)),
            None => (key.keyid(), key.clone()),
        })
        .collect();
    keys.sort_by(|(a, _), (b, _)| a.cmp(b));
    keys
}

fn first(findings: Vec<Finding>) -> Finding {
    let mut findings = findings.into_iter();
    // There is one at least, or it would not be an error.
    findings
        .next()
        .unwrap_or_else(|| Finding::error("DELEGATION-FORM", "", "The file cannot be read."))
}
