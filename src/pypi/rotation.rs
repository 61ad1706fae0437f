//! What an incident means for every project: which delegations hold a compromised key, and what each becomes. Everything is derived from the incident
//! file, the signed metadata and the requests, so that holders in different places come to the same bytes.
//!
//! No project is ever dropped from `claimed` here: an online bin would answer for it, and that is what an intruder waits for. A project whose keys are
//! gone is in custody ([`super::custody`]) until it has keys again.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{After, Change, ChangeSet};
use super::delegation::{Delegation, Delegations, Place, custody_digest};
use super::incident::Incident;
use super::owners::Owners;
use super::project::{Project, ProjectRole};
use super::requests::statement::Sigstore;
use super::requests::{Custody, Request};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::metadata::TargetFile;

mod proof;
mod search;
pub mod sheet;
#[cfg(test)]
mod tests;

pub use proof::{gone, live};

/// Name of the incident file in findings.
const INCIDENT: &str = "requests/incident.toml";
/// Name of the request file in findings.
const REQUESTS: &str = "requests/requests.jsonl";

/// Files of one project by target path.
pub type GoodFiles = BTreeMap<String, TargetFile>;

/// Keys that count no longer, by material, with the keyids under which they were found.
pub type Compromised = BTreeMap<PublicKey, BTreeSet<KeyId>>;

/// What a rotation is derived from.
pub struct Subject<'a> {
    /// What happened.
    pub incident: &'a Incident,
    /// `claimed` as it stands.
    pub claimed: &'a Delegations,
    /// `recently-claimed` of the newest archive; none if none was carried in.
    pub recently: Option<&'a Delegations>,
    /// The developers' register.
    pub owners: Option<&'a Owners>,
    /// The requests that were carried in.
    pub requests: &'a [Request],
    /// SHA-256 of 1.root.json.
    pub anchor: Sha256,
    /// Judges Sigstore bundles.
    pub sigstore: Sigstore<'a>,
    /// The last files of a project known to be good: what its role listed in the newest archive before the last moment of trust; none if it listed
    /// nothing then.
    pub good: &'a dyn Fn(&Project) -> Option<GoodFiles>,
    /// The highest generation of a project's role that any snapshot carried in names; names are never used twice.
    pub generation: &'a dyn Fn(&Project) -> u32,
}

/// What becomes of the projects.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Every project that is touched, in order.
    pub hits: Vec<Hit>,
    /// The changes of `claimed`.
    pub changes: ChangeSet,
    /// The compromised keys.
    pub compromised: Compromised,
    /// What people must know.
    pub findings: Vec<Finding>,
    /// Projects whose files should go on and are not known.
    unknown: Vec<Project>,
}

/// One project that an incident touches.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Which.
    pub project: Project,
    /// Its role before; none where it was in custody.
    pub before: Option<ProjectRole>,
    /// Digest of its delegation before.
    pub pre_image: Sha256,
    /// The compromised keys that it listed.
    pub lost: Vec<KeyId>,
    /// What it becomes.
    pub way: Way,
    /// Its last files known to be good; empty where none are known.
    pub good: GoodFiles,
}

/// What a project becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It has other keys.
    Replace {
        /// Its role from now on.
        role: ProjectRole,
        /// The keys.
        keys: Vec<KeyId>,
        /// How many must sign.
        threshold: u32,
    },
    /// The compromised keys are gone; enough others are left.
    Remove {
        /// Its role from now on.
        role: ProjectRole,
        /// The keys that are left.
        keys: Vec<KeyId>,
        /// How many must sign, as before.
        threshold: u32,
    },
    /// The last files known to be good install, nothing else does.
    Files,
    /// Nothing installs.
    Tombstone,
    /// It stands in `recently-claimed` only: the online side drops it, no offline signature is needed.
    Online,
}

/// Derives the rotation.
///
/// # Errors
/// `ROTATE-UNKNOWN-KEY`: a compromised key that nothing lists, which is how a mistyped keyid would look.
pub fn derive(subject: &Subject<'_>) -> Result<Rotation, Vec<Finding>> {
    let mut compromised = search::compromised(subject)?;
    let mut findings = Vec::new();
    search::others_of_the_owners(subject, &mut compromised, &mut findings);
    let requests = search::usable(subject, &compromised, &mut findings);
    let mut rotation = Rotation {
        hits: Vec::new(),
        changes: ChangeSet::default(),
        compromised,
        findings,
        unknown: Vec::new(),
    };
    for delegation in search::losing(subject.claimed, &rotation.compromised) {
        let lost = search::lost(&delegation, &rotation.compromised);
        let request = requests.get(&delegation.role.project).copied();
        rotation.touch(subject, &delegation, lost, request);
    }
    let in_custody = subject.claimed.custody.iter();
    for project in in_custody.flat_map(|custody| &custody.projects) {
        if let Some(request) = requests.get(project).filter(|it| it.custody.is_none()) {
            rotation.free(subject, project, request);
        }
    }
    let recently = subject.recently.iter();
    for delegation in recently.flat_map(|it| search::losing(it, &rotation.compromised)) {
        let lost = search::lost(&delegation, &rotation.compromised);
        let claimed = subject.claimed.place(&delegation.role.project);
        if claimed == Place::Absent {
            rotation.hits.push(Hit {
                project: delegation.role.project.clone(),
                before: Some(delegation.role.clone()),
                pre_image: delegation.digest,
                lost,
                way: Way::Online,
                good: GoodFiles::new(),
            });
        }
    }
    rotation.hits.sort_by(|a, b| a.project.cmp(&b.project));
    rotation.stray(subject, &requests);
    rotation.unknown_files();
    Ok(rotation)
}

impl Rotation {
    /// One project of `claimed` that lists a compromised key.
    fn touch(
        &mut self,
        subject: &Subject<'_>,
        delegation: &Delegation,
        lost: Vec<KeyId>,
        request: Option<&Request>,
    ) {
        let project = &delegation.role.project;
        let good = (subject.good)(project).unwrap_or_default();
        let forwarded = subject.incident.fast_forwarded.contains(project)
            || request.is_some_and(|request| request.new_name);
        let role = if forwarded {
            project.generation(
                delegation
                    .role
                    .generation
                    .max((subject.generation)(project))
                    + 1,
            )
        } else {
            delegation.role.clone()
        };
        let left = delegation.keys.iter();
        let left = left.filter(|(keyid, _)| !lost.contains(keyid));
        let left: BTreeMap<KeyId, Key> = left
            .map(|(keyid, key)| (keyid.clone(), Key::clone(key)))
            .collect();
        let after = match request {
            Some(request) if request.custody.is_none() => {
                delegate(&role, &request.keys, request.threshold)
            }
            None if left.len() >= delegation.threshold as usize => {
                delegate(&role, &left, delegation.threshold)
            }
            _ => After::Custody,
        };
        let way = match (&after, request) {
            (
                After::Delegate {
                    keys, threshold, ..
                },
                Some(_),
            ) => Way::Replace {
                role,
                keys: keys.keys().cloned().collect(),
                threshold: *threshold,
            },
            (
                After::Delegate {
                    keys, threshold, ..
                },
                None,
            ) => Way::Remove {
                role,
                keys: keys.keys().cloned().collect(),
                threshold: *threshold,
            },
            _ => {
                let asked = request.and_then(|request| request.custody);
                let asked = asked.unwrap_or_else(|| subject.incident.custody_of(project));
                self.custody(project, asked, &good)
            }
        };
        let good = if way == Way::Tombstone {
            GoodFiles::new()
        } else {
            good
        };
        let change = Change {
            before: Some(delegation.digest),
            after,
        };
        self.changes.changes.insert(project.clone(), change);
        self.hits.push(Hit {
            project: project.clone(),
            before: Some(delegation.role.clone()),
            pre_image: delegation.digest,
            lost,
            way,
            good,
        });
    }

    /// Files where there are some, else nothing.
    fn custody(&mut self, project: &Project, asked: Custody, good: &GoodFiles) -> Way {
        if asked == Custody::Files && !good.is_empty() {
            return Way::Files;
        }
        if asked == Custody::Files {
            self.unknown.push(project.clone());
        }
        Way::Tombstone
    }

    /// Projects whose files should go on and of which none is known to be good: told once, there may be a thousand.
    fn unknown_files(&mut self) {
        let Some(first) = self.unknown.first() else {
            return;
        };
        let text = format!(
            "of {} projects no file is known to be good from before the last moment of trust, {first} the first: nothing of them installs until they have keys again",
            self.unknown.len()
        );
        self.findings
            .push(Finding::warning("ROTATE-NO-GOOD-FILES", INCIDENT, text));
    }

    /// A project leaves custody: it has keys again.
    fn free(&mut self, subject: &Subject<'_>, project: &Project, request: &Request) {
        let known = (subject.generation)(project).max(1);
        let role = project.generation(known + u32::from(request.new_name));
        let pre_image = custody_digest(project);
        let change = Change {
            before: Some(pre_image),
            after: delegate(&role, &request.keys, request.threshold),
        };
        self.changes.changes.insert(project.clone(), change);
        self.hits.push(Hit {
            project: project.clone(),
            before: None,
            pre_image,
            lost: Vec::new(),
            way: Way::Replace {
                role,
                keys: request.keys.keys().cloned().collect(),
                threshold: request.threshold,
            },
            good: (subject.good)(project).unwrap_or_default(),
        });
    }

    /// Requests and entries of the incident that nothing came of.
    fn stray(&mut self, subject: &Subject<'_>, requests: &BTreeMap<&Project, &Request>) {
        let touched: BTreeSet<&Project> = self.hits.iter().map(|hit| &hit.project).collect();
        let asked = requests
            .iter()
            .filter(|(project, _)| !touched.contains(*project));
        let mut findings: Vec<Finding> = asked
            .map(|(project, request)| {
                let text = format!(
                    "line {}, {project}: the request is not followed: the project lists no compromised key; hand it in for a claim",
                    request.line
                );
                Finding::warning("ROTATE-REPLACEMENT", REQUESTS, text)
            })
            .collect();
        let named = subject.incident.overrides.keys();
        let named = named.chain(&subject.incident.fast_forwarded);
        findings.extend(named.filter(|project| !touched.contains(project)).map(|project| {
            let text = format!(
                "the incident names {project}, which lists no compromised key: nothing is done about it"
            );
            Finding::warning("ROTATE-STRAY", INCIDENT, text)
        }));
        self.findings.extend(findings);
    }
}

fn delegate(role: &ProjectRole, keys: &BTreeMap<KeyId, Key>, threshold: u32) -> After {
    After::Delegate {
        generation: role.generation,
        keys: keys.clone(),
        threshold,
    }
}
