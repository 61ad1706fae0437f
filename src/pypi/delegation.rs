//! The delegations to projects in `claimed` and `recently-claimed` (PEP 480), judged once and found by project.
//!
//! A file that a server signs may hold anything, so nothing here fails for one entry: what breaks a rule is set aside with its findings, and
//! [`Delegations::projects`] has only what may be relied on. Of a file that we sign nothing may be set aside: [`claimed`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::Digest as _;

use super::project::{Project, ProjectRole};
use crate::tuf::canonical;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level, shown};
use crate::tuf::json::{Json, Kind};
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{Header, RoleType, Targets};
use crate::tuf::value::Value;

mod entry;
mod projects;
mod reader;
mod rules;
#[cfg(test)]
pub(super) mod tests;

pub use projects::Projects;

/// The one role of `claimed` that is no project's: it answers for projects without trusted keys (decision 0017).
pub const CUSTODY: &str = "custody";

/// What one entry says of who signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers {
    /// In the order listed; a key that several projects use is held once.
    pub keys: Vec<(KeyId, Arc<Key>)>,
    /// From 1 to the number of keys.
    pub threshold: u32,
}

/// One project's delegation, with every rule kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// Whose it is, and the generation of its name.
    pub role: ProjectRole,
    /// In the order listed; a key that several projects use is held once.
    pub keys: Vec<(KeyId, Arc<Key>)>,
    /// From 1 to the number of keys.
    pub threshold: u32,
    /// Always true: an entry that is not terminating is set aside.
    pub terminating: bool,
    /// The project's one path.
    pub paths: Vec<String>,
    /// The pre-image: SHA-256 over the canonical form of `{"keys":{…},"role":…}`, the key objects that the entry lists and the entry as it stands, unknown fields and all.
    pub digest: Sha256,
    /// SHA-256 of what the entry holds beside the five members that we know.
    pub unknown: Sha256,
}

/// The role that answers for every project without trusted keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Custody {
    /// Who signs for them: the keys of `claimed` itself.
    pub signers: Signers,
    /// The projects, by its paths.
    pub projects: BTreeSet<Project>,
    /// As [`Delegation::digest`].
    pub digest: Sha256,
    /// As [`Delegation::unknown`].
    pub unknown: Sha256,
}

/// What `claimed` says of a shard (docs/decisions/0018); whether it may is [`super::shards`]'s to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Who signs it.
    pub signers: Signers,
    /// Which projects it answers for.
    pub paths: Vec<String>,
    /// Whether the search ends with it.
    pub terminating: bool,
}

/// Where a project stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// With keys of its own.
    Delegated(Box<Delegation>),
    /// In custody.
    Custody,
    /// Named, but not to be relied on: see [`Delegations::refused`].
    Refused,
    /// Not at all.
    Absent,
}

/// What a file delegates.
#[derive(Clone, Debug)]
pub struct Delegations {
    /// Of the file.
    pub header: Header,
    /// Every project whose entry keeps every rule.
    pub projects: Projects,
    /// The role `custody`.
    pub custody: Option<Custody>,
    /// The shards of a `claimed`, by role.
    pub shards: BTreeMap<String, Shard>,
    /// Every project with an entry that breaks a rule, and what is wrong with it.
    pub refused: BTreeMap<Project, Vec<Finding>>,
    /// What is wrong besides: entries that are no project's, keys that nobody can use, an entry out of order.
    pub findings: Vec<Finding>,
    /// Of projects that stand, what a person should look at: a key that stands under another keyid elsewhere in the file.
    pub remarks: BTreeMap<Project, Vec<Finding>>,
}

impl Delegations {
    /// Where `project` stands.
    pub fn place(&self, project: &Project) -> Place {
        if self.refused.contains_key(project) {
            Place::Refused
        } else if let Some(delegation) = self.projects.get(project) {
            Place::Delegated(Box::new(delegation))
        } else if self.is_in_custody(project) {
            Place::Custody
        } else {
            Place::Absent
        }
    }

    /// What a request that changes `project` must name as what it replaces: the digest of its delegation, or [`custody_digest`].
    pub fn pre_image(&self, project: &Project) -> Option<Sha256> {
        let custody = || self.is_in_custody(project).then(|| custody_digest(project));
        let found = self.projects.digest(project).or_else(custody);
        found.filter(|_| !self.refused.contains_key(project))
    }

    /// Whether nobody's keys answer for `project`, for now.
    pub fn is_in_custody(&self, project: &Project) -> bool {
        let custody = self.custody.as_ref();
        custody.is_some_and(|custody| custody.projects.contains(project))
    }

    /// Everything that is wrong with the file, in the order of projects.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        (self.findings.iter())
            .chain(self.refused.values().flatten())
            .chain(self.remarks.values().flatten())
    }
}

/// The pre-image of a project in custody. It names the project alone: the entry itself changes whenever another project comes or goes.
pub fn custody_digest(project: &Project) -> Sha256 {
    let path = Value::string(project.path());
    Sha256::of(&Value::Object(vec![(CUSTODY.to_owned(), path)]).canonical())
}

/// Reads the delegations of a file that others sign: per entry, as far as it goes.
///
/// # Errors
/// What makes the file as a whole unreadable: `DELEGATION-FORM`, `TARGETS-TYPE`, and what [`Header::read`] refuses.
pub fn delegations(file: &str, envelope: &Envelope) -> Result<Delegations, Finding> {
    any(file, envelope, false).map(|found| without_shards(file, found))
}

fn without_shards(file: &str, mut found: Delegations) -> Delegations {
    let shards = std::mem::take(&mut found.shards);
    found
        .findings
        .extend(shards.keys().map(|role| rules::no_shard(file, role)));
    found
}

/// `judged`: whether every key in it is known to be one.
fn any(file: &str, envelope: &Envelope, judged: bool) -> Result<Delegations, Finding> {
    let header = header(file, envelope)?;
    let delegations = envelope.signed().get("delegations");
    let keys = keys(file, delegations)?;
    let mut reader = reader::Reader::new(file, envelope, keys, judged);
    for (index, role) in roles(file, delegations)?.enumerate() {
        reader.read(index, role);
    }
    Ok(reader.finish(header))
}

/// Reads a file of ours that delegates to projects, an unsharded `claimed` or a shard, in which every entry keeps every rule and all stand in the order of their names.
/// A `claimed` that may have shards is read by [`super::shards::read`].
///
/// # Errors
/// As [`delegations`], and everything that it would set aside; `CLAIMED-UNSORTED`.
pub fn claimed(file: &str, envelope: &Envelope) -> Result<Delegations, Vec<Finding>> {
    let found = ours(file, envelope).map(|found| without_shards(file, found));
    strict(file, envelope, found)
}

/// The same of a `claimed` that may delegate to shards.
pub(super) fn top(file: &str, envelope: &Envelope) -> Result<Delegations, Vec<Finding>> {
    strict(file, envelope, ours(file, envelope))
}

/// Keys of ours are judged with the file, once and in no version again (docs/decisions/0021). What is wrong with a file that does not pass there is told here.
fn ours(file: &str, envelope: &Envelope) -> Result<Delegations, Finding> {
    any(file, envelope, Targets::read(file, envelope).is_ok())
}

fn strict(
    file: &str,
    envelope: &Envelope,
    found: Result<Delegations, Finding>,
) -> Result<Delegations, Vec<Finding>> {
    let found = found.map_err(|finding| vec![finding])?;
    let delegations = envelope.signed().get("delegations");
    let roles = roles(file, delegations).map_err(|finding| vec![finding])?;
    let mut findings: Vec<Finding> = found.all_findings().cloned().collect();
    for finding in &mut findings {
        finding.level = Level::Error;
    }
    findings.extend(rules::unsorted(file, roles));
    if findings.is_empty() {
        Ok(found)
    } else {
        Err(findings)
    }
}

fn header(file: &str, envelope: &Envelope) -> Result<Header, Finding> {
    let header = Header::read(file, envelope)?;
    if header.role_type == RoleType::Targets {
        return Ok(header);
    }
    let found = header.role_type.name();
    let text = format!("signed._type is {found}; expected targets");
    Err(Finding::error("TARGETS-TYPE", file, text))
}

/// The members of `keys` as they stand; a file that delegates nothing may have none.
fn keys<'a>(
    file: &str,
    delegations: Option<Json<'a>>,
) -> Result<impl Iterator<Item = (Cow<'a, str>, Json<'a>)>, Finding> {
    let keys = match delegations {
        None => None,
        Some(delegations) => match delegations.get("keys") {
            Some(keys) if keys.kind() == Kind::Object => Some(keys),
            _ => return Err(form(file, "signed.delegations needs an object keys")),
        },
    };
    Ok(keys.into_iter().flat_map(Json::members))
}

fn roles<'a>(
    file: &str,
    delegations: Option<Json<'a>>,
) -> Result<impl Iterator<Item = Json<'a>>, Finding> {
    let roles = match delegations {
        None => None,
        Some(delegations) => match delegations.get("roles") {
            Some(roles) if roles.kind() == Kind::Array => Some(roles),
            _ => {
                let text = "signed.delegations needs a list roles: projects are delegated to one by one, never by succinct_roles";
                return Err(form(file, text));
            }
        },
    };
    Ok(roles.into_iter().flat_map(Json::elements))
}

fn form(file: &str, text: &str) -> Finding {
    Finding::error("DELEGATION-FORM", file, format!("{text}."))
}

/// The pre-image digest of an entry: the objects of the keys that it lists, and itself.
pub(super) fn digest<K: AsRef<str>>(role: Json<'_>, keys: &BTreeMap<K, Json<'_>>) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    hasher.update(b"{\"keys\":{");
    for (index, (keyid, object)) in keys.iter().enumerate() {
        if index > 0 {
            hasher.update(b",");
        }
        hasher.update(Value::string(keyid.as_ref()).canonical());
        hasher.update(b":");
        canonical::write(*object, &mut |piece| hasher.update(piece));
    }
    hasher.update(b"},\"role\":");
    canonical::write(role, &mut |piece| hasher.update(piece));
    hasher.update(b"}");
    Sha256(hasher.finalize().into())
}

/// SHA-256 over the canonical form of the members of an entry that we do not know.
fn unknown(members: &BTreeMap<Cow<'_, str>, Json<'_>>) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    for (name, value) in members {
        hasher.update(Value::string(&**name).canonical());
        hasher.update(b":");
        canonical::write(*value, &mut |piece| hasher.update(piece));
        hasher.update(b",");
    }
    Sha256(hasher.finalize().into())
}

/// `signed.delegations.roles[3] (project-x)`.
fn place(index: usize, name: &str) -> String {
    format!("signed.delegations.roles[{index}] ({})", shown(name))
}
