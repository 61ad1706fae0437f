//! Candidates from a script: one builder for every kind. What stays unchanged is carried over byte for byte; what a kind forbids, its own check
//! refuses afterwards by looking at the difference.

mod below;
#[cfg(test)]
mod tests;

use super::candidate::Candidate;
use super::event::{Document, Mode, REHEARSAL_MARKER};
use super::material::Material;
use super::planning::is_ephemeral;
use super::script::{Role, delegator_of};
use super::sharding;
use super::thresholds::{self, Threshold};
use crate::tuf::edit::{self, CatchAllSpec, RoleSpec, RootSpec, TargetsSpec};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;

use crate::tuf::metadata::{Root, Targets};
use crate::tuf::value::Value;

/// Builds every candidate the script asks for, in the order they are published: targets and bins before root where an old key overlaps.
///
/// # Errors
/// Rules `VERSION-SKIP`, `SCRIPT-ROLE`, `SCRIPT-ONLINE`, and those of the builders.
pub fn candidates(material: &Material<'_>) -> Result<Vec<Candidate>, Finding> {
    let root = material
        .script
        .root
        .as_ref()
        .map(|role| root(material, role))
        .transpose()?;
    let holding = material
        .root_in_force(root.as_ref().map(|root| &root.envelope))?
        .ok_or_else(|| {
            Finding::error(
                "SCRIPT-ROLE",
                "",
                "there is no root: not in the script and not in the input",
            )
        })?;
    let targets = material
        .script
        .targets
        .as_ref()
        .map(|role| targets(material, role, &holding))
        .transpose()?;
    let mut candidates = Vec::from_iter(targets);
    let shards = material.script.shards.is_some();
    if shards {
        let renewed = sharding::renewed(material, &candidates)?;
        candidates.extend(renewed);
    }
    for (name, role) in material.script.roles() {
        let made = ["root", "targets"].contains(&name) || shards && name == "claimed";
        if !made {
            let candidate = delegated(material, name, role, &candidates)?;
            candidates.push(candidate);
        }
    }
    candidates.extend(root);
    Ok(candidates)
}

/// The role that names the keys of `name`: newest among the candidates, else the trusted one.
///
/// # Errors
/// Rule `SCRIPT-ROLE`, and what the reader refuses.
pub fn delegator(
    material: &Material<'_>,
    name: &str,
    candidates: &[Candidate],
) -> Result<Targets, Finding> {
    let delegator = delegator_of(name).unwrap_or("targets");
    let newest = candidates
        .iter()
        .rfind(|candidate| candidate.document.role == delegator)
        .map(|candidate| &candidate.envelope);
    material
        .targets_in_force(delegator, newest)?
        .ok_or_else(|| {
            let text = format!(
                "{name} needs {delegator}: give [{delegator}] or a trusted {delegator} file"
            );
            Finding::error("SCRIPT-ROLE", "", text)
        })
}

/// Candidates that travelled here as files: their thresholds come from the trusted metadata and from a root among them.
///
/// # Errors
/// Rule `PART-FOREIGN`, and those of the readers.
pub fn travelled(
    material: &Material<'_>,
    envelopes: &[(Document, Envelope)],
) -> Result<Vec<Candidate>, Finding> {
    let newest = |role: &str| {
        envelopes
            .iter()
            .filter(|(document, _)| document.role == role)
            .max_by_key(|(document, _)| document.version)
            .map(|(_, envelope)| envelope)
    };
    let root = material.root_in_force(newest("root"))?;
    let old_root = material.trusted.root().map(|chained| &chained.root);
    let mut candidates = Vec::new();
    for (document, envelope) in envelopes {
        let thresholds = match document.role.as_str() {
            "root" => thresholds::root(old_root, root.as_ref()),
            "targets" => thresholds::targets(
                old_root,
                root.as_ref(),
                overlaps(material, document.version),
            ),
            other => {
                let delegator = delegator_of(other).ok_or_else(|| {
                    let text = format!("this program signs no role called {other}");
                    Finding::error("PART-FOREIGN", "parts", text)
                })?;
                let delegator = material.targets_in_force(delegator, newest(delegator))?;
                delegator
                    .map(|delegator| thresholds::delegated_role(other, &delegator))
                    .unwrap_or_default()
            }
        };
        let old = material.trusted.envelope(&document.role).cloned();
        candidates.push(candidate(
            &document.role,
            document.version,
            envelope.clone(),
            old,
            thresholds,
        ));
    }
    Ok(candidates)
}

/// Whether the keys that targets had before sign this version too. Ephemeral ones are gone, and a version that stands already was signed by them.
fn overlaps(material: &Material<'_>, version: u64) -> bool {
    let replaces = material
        .trusted
        .current("targets")
        .is_some_and(|(_, targets)| targets.header.version < version);
    replaces && !is_ephemeral(material.script.targets.as_ref())
}

fn root(material: &Material<'_>, role: &Role) -> Result<Candidate, Finding> {
    let file = "root";
    let old = material.trusted.root();
    check_version("root", role, old.map(|old| old.root.header.version))?;
    let targets_change = material
        .script
        .targets
        .as_ref()
        .is_some_and(|targets| material.changes_keys(targets));
    let keys_change =
        material.changes_keys(role) || targets_change || !material.script.online.is_empty();
    let envelope = match old {
        Some(old) if !keys_change => edit::renew(file, &old.envelope, &role.expires)?,
        _ => {
            let spec = RootSpec {
                version: role.version,
                expires: role.expires.clone(),
                root: material.role("root")?,
                timestamp: material.online("timestamp")?,
                snapshot: material.online("snapshot")?,
                targets: material.role("targets")?,
            };
            edit::root(file, old.map(|old| &old.envelope), &spec)?
        }
    };
    let envelope = marked(material.mode, file, envelope)?;
    let new = Root::read(file, &envelope)?;
    let thresholds = thresholds::root(old.map(|old| &old.root), Some(&new));
    Ok(candidate(
        "root",
        role.version,
        envelope,
        old.map(|old| old.envelope.clone()),
        thresholds,
    ))
}

fn targets(material: &Material<'_>, role: &Role, root: &Root) -> Result<Candidate, Finding> {
    let file = "targets";
    let old = material.trusted.current(file);
    check_version(file, role, old.map(|(_, old)| old.header.version))?;
    let envelope = match old {
        Some((old, _)) if migrates(material) => {
            edit::with_catch_alls(file, old, &tree(material)?, &role.expires)?
        }
        Some((old, _)) => {
            let changed = changed_delegations(material)?;
            if changed.is_empty() {
                edit::renew(file, old, &role.expires)?
            } else {
                edit::with_delegated_keys(file, old, &changed, &role.expires)?
            }
        }
        None => edit::targets(
            file,
            &TargetsSpec {
                version: role.version,
                expires: role.expires.clone(),
                delegations: tree(material)?,
            },
        )?,
    };
    let envelope = marked(material.mode, file, envelope)?;
    let thresholds = thresholds::targets(
        material.trusted.root().map(|chained| &chained.root),
        Some(root),
        overlaps(material, role.version),
    );
    Ok(candidate(
        file,
        role.version,
        envelope,
        old.map(|(old, _)| old.clone()),
        thresholds,
    ))
}

/// The delegated roles whose keys the script changes, with the keys they shall have.
fn changed_delegations(material: &Material<'_>) -> Result<Vec<(&'static str, RoleSpec)>, Finding> {
    let mut changed = Vec::new();
    for (name, role) in material.script.roles() {
        if delegator_of(name) == Some("targets") && material.changes_keys(role) {
            changed.push((name, material.role(name)?));
        }
    }
    if material.script.has_online("recently-claimed") {
        changed.push(("recently-claimed", material.online("recently-claimed")?));
    }
    Ok(changed)
}

/// Whether the script puts PEP 480's roles in place of those that targets delegates to now.
fn migrates(material: &Material<'_>) -> bool {
    let trusted = material.trusted;
    material.script.unclaimed.is_some()
        && trusted.current("targets").is_some()
        && trusted.role("unclaimed").is_none()
}

/// What a new targets delegates, in order of priority: PEP 480's three roles, or PEP 458's bins.
fn tree(material: &Material<'_>) -> Result<Vec<CatchAllSpec>, Finding> {
    let catch_all = |name: &str, role: RoleSpec, terminating: bool| CatchAllSpec {
        name: name.to_owned(),
        role,
        terminating,
    };
    if material.script.unclaimed.is_none() {
        return Ok(vec![catch_all("bins", material.role("bins")?, true)]);
    }
    // Only unclaimed ends a search; without that order an online role would answer for claimed projects (PEP 480, "Maximum security model").
    Ok(vec![
        catch_all("claimed", material.role("claimed")?, false),
        catch_all(
            "recently-claimed",
            material.online("recently-claimed")?,
            false,
        ),
        catch_all("unclaimed", material.role("unclaimed")?, true),
    ])
}

/// An offline role under targets or claimed, whose content nobody changes here but the bins' online keys.
fn delegated(
    material: &Material<'_>,
    name: &'static str,
    role: &Role,
    candidates: &[Candidate],
) -> Result<Candidate, Finding> {
    let old = material.trusted.current(name);
    check_version(name, role, old.map(|(_, old)| old.header.version))?;
    let envelope = match old {
        Some((old, parsed)) => below::successor(material, name, role, (old, parsed))?,
        None => below::first(material, name, role)?,
    };
    finished(material, name, role, envelope, candidates)
}

/// A candidate of a delegated role: marked in a rehearsal, with what it replaces and what it must reach.
///
/// # Errors
/// As [`delegator`].
pub fn finished(
    material: &Material<'_>,
    name: &str,
    role: &Role,
    envelope: Envelope,
    candidates: &[Candidate],
) -> Result<Candidate, Finding> {
    let envelope = marked(material.mode, name, envelope)?;
    let delegator = delegator(material, name, candidates)?;
    Ok(candidate(
        name,
        role.version,
        envelope,
        material.trusted.envelope(name).cloned(),
        thresholds::delegated_role(name, &delegator),
    ))
}

/// A version follows the trusted one without a gap.
///
/// # Errors
/// Rule `VERSION-SKIP`.
pub fn check_version(name: &str, role: &Role, old: Option<u64>) -> Result<(), Finding> {
    let next = old.unwrap_or(0) + 1;
    if role.version == next {
        return Ok(());
    }
    Err(Finding::error(
        "VERSION-SKIP",
        "",
        format!(
            "the script asks for {name} v{}; the next version is v{next}",
            role.version
        ),
    ))
}

/// What a rehearsal signs says so.
///
/// # Errors
/// What the readers refuse.
pub fn marked(mode: Mode, file: &str, envelope: Envelope) -> Result<Envelope, Finding> {
    if mode == Mode::Production || envelope.signed().get(REHEARSAL_MARKER).is_some() {
        return Ok(envelope);
    }
    edit::with_member(file, &envelope, REHEARSAL_MARKER, Value::Bool(true))
}

fn candidate(
    role: &str,
    version: u64,
    envelope: Envelope,
    old: Option<Envelope>,
    thresholds: Vec<Threshold>,
) -> Candidate {
    Candidate {
        document: Document {
            role: role.to_owned(),
            version,
        },
        envelope,
        old,
        thresholds,
    }
}
