//! Shards of `claimed` (docs/decisions/0018): `claimed` may delegate to roles by prefixes of project names, each of which delegates to its projects as an
//! unsharded `claimed` does. A client then reads the shard of the project that it asks for, not the file of all projects.
//!
//! The shard `claimed-re` answers for `re*/*`, every project whose name begins with `re`; where `re` was divided further, `claimed-re` answers for `re/*` alone, the
//! one project of that name. Shards have the keys and the threshold of `claimed`, overlap nowhere and end no search: custody and recently-claimed answer for what
//! no shard lists.
//!
//! | rule | asks |
//! |---|---|
//! | `SHARD-FORM` | the one path that a shard's name says, no end of the search; `claimed` delegates to shards or to projects, not to both |
//! | `SHARD-DISJOINT` | no project belongs to two shards, and each stands in the one that answers for it |
//! | `SHARD-SIGNERS` | a shard has the keys and the threshold of `claimed` |
//! | `SHARD-MISSING` | every shard that `claimed` delegates to is there |
//! | `SHARD-EXPIRES` | a shard ends on the date that its name picks from the script's, and lasts long enough |
//! | `CLAIMED-SIZE` | no client's limits are passed by a file that delegates to projects |

use std::collections::{BTreeMap, BTreeSet};

use super::delegation::{self, Delegations};
use super::project::{LONGEST, Project};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::expires::Expires;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::Json;
use crate::tuf::key::PublicKey;
use crate::tuf::repository::{Repository, Verified};

mod layout;
mod size;
#[cfg(test)]
mod tests;

pub use layout::{Form, Layout, Overlap};
pub use size::size;

/// What the role of every shard begins with.
pub const PREFIX: &str = "claimed-";

/// `claimed` and its shards as they lie there.
#[derive(Clone)]
pub struct Files<'a> {
    /// `claimed` itself.
    pub claimed: &'a Envelope,
    /// Its shards by role; what it does not delegate to is passed over.
    pub shards: BTreeMap<&'a str, &'a Envelope>,
}

impl<'a> Files<'a> {
    /// A `claimed` without shards.
    pub fn unsharded(claimed: &'a Envelope) -> Self {
        let shards = BTreeMap::new();
        Self { claimed, shards }
    }
}

/// Whether a role is called like a shard of `claimed`.
pub fn is_shard(role: &str) -> bool {
    role.strip_prefix(PREFIX).is_some_and(is_prefix)
}

/// Whether some project's normalized name begins with `text`, or is `text`.
fn is_prefix(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= LONGEST
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.contains("--")
}

/// Reads `claimed` and all its shards as one set of delegations, in which every entry keeps every rule.
///
/// # Errors
/// As [`delegation::claimed`]; `SHARD-FORM`, `SHARD-DISJOINT`, `SHARD-MISSING`.
pub fn read(files: &Files<'_>) -> Result<Delegations, Vec<Finding>> {
    let mut found = delegation::top("claimed", files.claimed)?;
    if found.shards.is_empty() {
        return Ok(found);
    }
    let shards = layout("claimed", &found)?;
    let mut findings = Vec::new();
    for (role, _) in shards.shards() {
        let Some(envelope) = files.shards.get(&*role) else {
            let text = "claimed delegates to this shard and it is not there: its projects cannot be read. Carry it in";
            findings.push(Finding::error("SHARD-MISSING", &role, text));
            continue;
        };
        let own = match delegation::claimed(&role, envelope) {
            Ok(own) => own,
            Err(errors) => {
                findings.extend(errors);
                continue;
            }
        };
        if own.custody.is_some() {
            let text = "custody is delegated to by claimed itself, never by a shard.";
            findings.push(Finding::error("SHARD-FORM", &role, text));
        }
        let strange = |project: &&Project| {
            shards.owner(project.as_str()).as_ref() != Some(&role) || found.is_in_custody(project)
        };
        let strangers: Vec<_> = own.projects.names().filter(strange).collect();
        if let [first, more @ ..] = strangers.as_slice() {
            findings.push(stranger(&role, first, more.len()));
        }
        found.projects.append(own.projects);
    }
    if findings.is_empty() {
        Ok(found)
    } else {
        Err(findings)
    }
}

/// `SHARD-DISJOINT` of a project in a shard that does not answer for it, or in custody besides.
fn stranger(role: &str, project: &Project, more: usize) -> Finding {
    let more = match more {
        0 => String::new(),
        more => format!(", nor for {more} more"),
    };
    let text = format!(
        "the shard does not answer for the project {project} alone{more}: another shard or custody does. Clients would not find it here; let each project stand in its own shard."
    );
    Finding::error("SHARD-DISJOINT", role, text)
}

/// The shards that a `claimed` file delegates to; none where it delegates to projects.
///
/// # Errors
/// Of one with shards as [`delegation::claimed`]; `SHARD-FORM`, `SHARD-DISJOINT`. One without is not judged here.
pub fn listed(claimed: &Envelope) -> Result<Layout, Vec<Finding>> {
    let roles = claimed.signed().get("delegations");
    let roles = roles.and_then(|delegations| delegations.get("roles"));
    let mut roles = roles.into_iter().flat_map(Json::elements);
    let is_sharded = roles.any(|role| {
        let name = role.get("name").and_then(Json::as_str);
        name.is_some_and(|name| is_shard(&name))
    });
    if !is_sharded {
        return Ok(Layout::default());
    }
    layout("claimed", &delegation::top("claimed", claimed)?)
}

fn layout(file: &str, claimed: &Delegations) -> Result<Layout, Vec<Finding>> {
    let shards = claimed.shards.iter();
    let entries = shards.map(|(role, shard)| Entry {
        role,
        paths: &shard.paths,
        terminating: shard.terminating,
    });
    let projects = claimed.projects.len() + claimed.refused.len();
    checked(file, entries, projects)
}

/// What is said of a shard.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) role: &'a str,
    pub(super) paths: &'a [String],
    pub(super) terminating: bool,
}

/// The layout of these entries beside `projects` entries that are projects'.
pub(super) fn checked<'a>(
    file: &str,
    entries: impl Iterator<Item = Entry<'a>>,
    projects: usize,
) -> Result<Layout, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut shards = BTreeMap::new();
    let mut wrong = |role: &str, text: String| {
        let text = format!("The shard {} {text}", shown(role));
        findings.push(Finding::error("SHARD-FORM", file, text));
    };
    for entry in entries {
        let Some(prefix) = entry.role.strip_prefix(PREFIX) else {
            continue;
        };
        if entry.terminating {
            wrong(entry.role, "must not be terminating: custody and recently-claimed answer for projects that it does not list.".to_owned());
        }
        let form = match entry.paths {
            [path] => Form::of(prefix, path),
            _ => None,
        };
        if let Some(form) = form {
            shards.insert(prefix.to_owned(), form);
        } else {
            let text = format!("must have exactly one path, {prefix}*/* or {prefix}/*.");
            wrong(entry.role, text);
        }
    }
    if projects > 0 && !shards.is_empty() {
        let text = format!(
            "claimed delegates to {} shards and to {projects} projects itself; it is one or the other.",
            shards.len()
        );
        findings.push(Finding::error("SHARD-FORM", file, text));
    }
    let layout = Layout::new(shards).map_err(|Overlap(one, other)| {
        let text = format!(
            "the shards {PREFIX}{one} and {PREFIX}{other} answer for the same projects: clients would differ in whom they ask."
        );
        Finding::error("SHARD-DISJOINT", file, text)
    });
    match layout {
        Ok(layout) if findings.is_empty() => Ok(layout),
        Ok(_) => Err(findings),
        Err(overlap) => {
            findings.push(overlap);
            Err(findings)
        }
    }
}

/// `SHARD-SIGNERS`: a shard answers for projects in claimed's place. `shards` says who signs each, `claimed` who signs claimed.
pub fn signers<'a>(
    file: &str,
    claimed: (&BTreeSet<&PublicKey>, u32),
    shards: impl Iterator<Item = (&'a str, BTreeSet<&'a PublicKey>, u32)>,
) -> Option<Finding> {
    let mut others = shards.filter(|(_, keys, threshold)| (keys, *threshold) != claimed);
    let (first, ..) = others.next()?;
    let more = others.count();
    let text = format!(
        "{} of the shards have other keys or another threshold than claimed, the first is {}: a shard answers for projects in claimed's place. Give it claimed's keys and threshold.",
        1 + more,
        shown(first)
    );
    Some(Finding::error("SHARD-SIGNERS", file, text))
}

/// The date of `dates` (ascending) for a shard: by its name, so that about as many end on one day as on another, and not before `until`; none where all are.
pub fn expires<'a>(
    role: &str,
    dates: &'a [Expires],
    until: jiff::Timestamp,
) -> Option<&'a Expires> {
    let Sha256(digest) = Sha256::of(role.as_bytes());
    let mut number = [0; 8];
    number.copy_from_slice(&digest[..8]);
    let count = u64::try_from(dates.len()).ok().filter(|count| *count > 0)?;
    let first = usize::try_from(u64::from_be_bytes(number) % count).ok()?;
    dates[first..].iter().find(|date| date.at() >= until)
}

/// The role that delegates to a project's in a published repository: its shard where claimed has shards, else claimed; verified.
///
/// # Errors
/// As [`Repository::role`].
pub fn delegator<'r>(
    repository: &'r Repository,
    project: &Project,
) -> Result<Verified<'r>, Finding> {
    let claimed = repository.role(&["claimed"])?;
    let name = project.as_str();
    let shard = (1..=name.len()).find_map(|length| {
        let prefix = name.get(..length)?;
        let role = format!("{PREFIX}{prefix}");
        let listed = claimed.listing().delegation(&role)?.listed?;
        let form = match listed.paths.as_slice() {
            [path] => Form::of(prefix, path)?,
            _ => return None,
        };
        (form == Form::Beginning || prefix == name).then_some(role)
    });
    match shard {
        Some(role) => claimed.delegated(&role),
        None => Ok(claimed),
    }
}
