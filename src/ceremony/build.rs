//! Candidates from a script: one builder for every kind. What stays unchanged is carried over byte for byte; what a kind forbids, its own check
//! refuses afterwards by looking at the difference.

use super::candidate::Candidate;
use super::event::{Document, Mode, REHEARSAL_MARKER};
use super::material::Material;
use super::planning::is_ephemeral;
use super::script::Role;
use super::thresholds::{self, Threshold};
use crate::tuf::edit::{self, BinsSpec, CatchAllSpec, RoleSpec, RootSpec, TargetsSpec};
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
    let delegator =
        material.targets_in_force("targets", targets.as_ref().map(|targets| &targets.envelope))?;
    let bins = material
        .script
        .bins
        .as_ref()
        .map(|role| bins(material, role, delegator.as_ref()))
        .transpose()?;
    Ok([targets, bins, root].into_iter().flatten().collect())
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
    let targets = material.targets_in_force("targets", newest("targets"))?;
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
            "bins" => targets.as_ref().map(thresholds::bins).unwrap_or_default(),
            other => {
                return Err(Finding::error(
                    "PART-FOREIGN",
                    "parts",
                    format!("this program signs no role called {other}"),
                ));
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
        .targets
        .as_ref()
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
    let old = material.trusted.targets.as_ref();
    check_version(file, role, old.map(|(_, old)| old.header.version))?;
    let bins_change = material
        .script
        .bins
        .as_ref()
        .is_some_and(|bins| material.changes_keys(bins));
    let envelope = match old {
        Some((old, _)) if bins_change => {
            edit::with_delegated_keys(file, old, "bins", &material.role("bins")?, &role.expires)?
        }
        Some((old, _)) => edit::renew(file, old, &role.expires)?,
        None => {
            let bins = CatchAllSpec {
                name: "bins".to_owned(),
                role: material.role("bins")?,
                terminating: true,
            };
            edit::targets(
                file,
                &TargetsSpec {
                    version: role.version,
                    expires: role.expires.clone(),
                    delegations: vec![bins],
                },
            )?
        }
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

fn bins(
    material: &Material<'_>,
    role: &Role,
    delegator: Option<&Targets>,
) -> Result<Candidate, Finding> {
    let file = "bins";
    let old = material.trusted.bins.as_ref();
    check_version(file, role, old.map(|(_, old)| old.header.version))?;
    let online_change = material
        .script
        .online
        .iter()
        .any(|online| online.roles.iter().any(|name| name == "bin-n"));
    let envelope = match old {
        Some((old, parsed)) if online_change => {
            let prefix = parsed
                .delegations
                .as_ref()
                .and_then(|delegations| delegations.succinct.as_ref())
                .map(|bins| bins.name_prefix.clone());
            let prefix = prefix.ok_or_else(|| {
                Finding::error(
                    "SCRIPT-ROLE",
                    "",
                    "the trusted bins role has no succinct roles",
                )
            })?;
            edit::with_delegated_keys(
                file,
                old,
                &prefix,
                &material.online("bin-n")?,
                &role.expires,
            )?
        }
        Some((old, _)) => edit::renew(file, old, &role.expires)?,
        None => edit::bins(file, &bins_spec(role, material.online("bin-n")?))?,
    };
    let envelope = marked(material.mode, file, envelope)?;
    let delegator = delegator.ok_or_else(|| {
        Finding::error(
            "SCRIPT-ROLE",
            "",
            "bins needs targets: give [targets] or a trusted targets file",
        )
    })?;
    let thresholds = thresholds::bins(delegator);
    Ok(candidate(
        file,
        role.version,
        envelope,
        old.map(|(old, _)| old.clone()),
        thresholds,
    ))
}

fn bins_spec(role: &Role, online: RoleSpec) -> BinsSpec {
    BinsSpec {
        version: role.version,
        expires: role.expires.clone(),
        bit_length: role.bit_length.unwrap_or(14),
        name_prefix: role.name_prefix.clone().unwrap_or_else(|| "bin".to_owned()),
        role: online,
    }
}

fn check_version(name: &str, role: &Role, old: Option<u64>) -> Result<(), Finding> {
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

fn marked(mode: Mode, file: &str, envelope: Envelope) -> Result<Envelope, Finding> {
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
