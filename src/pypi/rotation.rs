//! What an incident means for every project: which delegations hold a compromised key, and what each becomes. Everything is derived from the incident
//! file, the signed metadata and the requests, so that holders in different places come to the same bytes.
//!
//! No project is ever dropped from `claimed` here: an online bin would answer for it, and that is what an intruder waits for. A project whose keys are
//! gone is in custody ([`super::custody`]) until it has keys again.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{After, Change, ChangeSet};
use super::delegation::{Delegation, Delegations, Place};
use super::incident::Incident;
use super::owners::{self, Owners};
use super::project::{Project, ProjectRole};
use super::requests::statement::{self, Sigstore};
use super::requests::{Action, Custody, Request};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::metadata::TargetFile;

mod proof;
pub mod sheet;

pub use proof::{gone, live};

/// Name of the incident file in findings.
const INCIDENT: &str = "requests/incident.toml";
/// Name of the request file in findings.
const REQUESTS: &str = "requests/requests.jsonl";

/// Files of one project by target path.
pub type GoodFiles = BTreeMap<String, TargetFile>;

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
    /// The compromised keys, by material, with the keyids under which they were found.
    pub compromised: BTreeMap<PublicKey, BTreeSet<KeyId>>,
    /// What people must know.
    pub findings: Vec<Finding>,
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
    let mut compromised = compromised(subject)?;
    let mut findings = Vec::new();
    others_of_the_owners(subject, &mut compromised, &mut findings);
    let requests = usable(subject, &compromised, &mut findings);
    let mut rotation = Rotation {
        hits: Vec::new(),
        changes: ChangeSet::default(),
        compromised,
        findings,
    };
    for delegation in subject.claimed.projects.values() {
        let lost = lost(delegation, &rotation.compromised);
        if !lost.is_empty() {
            let request = requests.get(&delegation.role.project).copied();
            rotation.touch(subject, delegation, lost, request);
        }
    }
    let in_custody = subject.claimed.custody.iter();
    for project in in_custody.flat_map(|custody| &custody.projects) {
        if let Some(request) = requests.get(project).filter(|it| it.custody.is_none()) {
            rotation.free(subject, project, request);
        }
    }
    let recently = subject.recently.iter();
    for delegation in recently.flat_map(|recently| recently.projects.values()) {
        let lost = lost(delegation, &rotation.compromised);
        let claimed = subject.claimed.place(&delegation.role.project);
        if !lost.is_empty() && claimed == Place::Absent {
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
    Ok(rotation)
}

/// The material of the keys that the incident names, found wherever a delegation lists them.
fn compromised(
    subject: &Subject<'_>,
) -> Result<BTreeMap<PublicKey, BTreeSet<KeyId>>, Vec<Finding>> {
    let mut named: BTreeMap<PublicKey, BTreeSet<KeyId>> = BTreeMap::new();
    for (keyid, key) in listed(subject) {
        if subject.incident.compromised.contains_key(keyid) {
            let keyids = named.entry(key.public().clone()).or_default();
            keyids.insert(keyid.clone());
        }
    }
    let found: BTreeSet<&KeyId> = named.values().flatten().collect();
    let absent = subject.incident.compromised.keys();
    let absent: Vec<Finding> = absent
        .filter(|keyid| !found.contains(keyid))
        .map(|keyid| {
            let text = format!(
                "the compromised key {} is listed neither in claimed nor in recently-claimed. Correct the keyid, or remove it if it is gone already.",
                shown(&keyid.0)
            );
            Finding::error("ROTATE-UNKNOWN-KEY", INCIDENT, text)
        })
        .collect();
    if !absent.is_empty() {
        return Err(absent);
    }
    // The same key under another keyid is as lost.
    for (keyid, key) in listed(subject) {
        if let Some(keyids) = named.get_mut(key.public()) {
            keyids.insert(keyid.clone());
        }
    }
    Ok(named)
}

/// Every key of every project, as often as it is listed.
fn listed<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a KeyId, &'a Key)> {
    let files = [Some(subject.claimed), subject.recently];
    let delegations = files
        .into_iter()
        .flatten()
        .flat_map(|file| file.projects.values());
    delegations.flat_map(|delegation| {
        let keys = delegation.keys.iter();
        keys.map(|(keyid, key)| (keyid, &**key))
    })
}

/// Who lost one key may have lost the others: they are told, and rotated too if the incident says so.
fn others_of_the_owners(
    subject: &Subject<'_>,
    compromised: &mut BTreeMap<PublicKey, BTreeSet<KeyId>>,
    findings: &mut Vec<Finding>,
) {
    let Some(register) = subject.owners else {
        let text = "there is no register of developers (owners.jsonl) in the input: other keys of the same owners were not looked for";
        findings.push(Finding::warning("ROTATE-OWNERS", INCIDENT, text));
        return;
    };
    let owner = |keyid: &KeyId| register.owner(keyid).map(owners::person);
    let persons: BTreeSet<&str> = compromised.values().flatten().filter_map(owner).collect();
    let mut others: BTreeMap<PublicKey, BTreeSet<KeyId>> = BTreeMap::new();
    for (keyid, key) in listed(subject) {
        let is_theirs = owner(keyid).is_some_and(|person| persons.contains(person));
        if is_theirs && !compromised.contains_key(key.public()) {
            let keyids = others.entry(key.public().clone()).or_default();
            keyids.insert(keyid.clone());
        }
    }
    for keyid in others.values().flatten() {
        let what = if subject.incident.also_owner_keys {
            "it is rotated too, as the incident says"
        } else {
            "it is NOT rotated, as the incident says"
        };
        let text = format!(
            "{} also holds the key {keyid}: {what}",
            shown(owner(keyid).unwrap_or_default())
        );
        findings.push(Finding::warning("ROTATE-OWNERS", INCIDENT, text));
    }
    if subject.incident.also_owner_keys {
        compromised.extend(others);
    }
}

/// The requests that may be followed, by project. One that may not leaves its project to the incident's own rule, which is the safe one.
fn usable<'a>(
    subject: &Subject<'a>,
    compromised: &BTreeMap<PublicKey, BTreeSet<KeyId>>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<&'a Project, &'a Request> {
    let mut usable = BTreeMap::new();
    for request in subject.requests {
        match refusal(subject, compromised, request) {
            None => {
                usable.insert(&request.project, request);
            }
            Some(why) => findings.push(Finding::warning(
                "ROTATE-REPLACEMENT",
                REQUESTS,
                format!("line {}, {}: the request is not followed: {why}", request.line, request.project),
            )),
        }
    }
    usable
}

/// Why a request is not followed.
fn refusal(
    subject: &Subject<'_>,
    compromised: &BTreeMap<PublicKey, BTreeSet<KeyId>>,
    request: &Request,
) -> Option<String> {
    if request.action != Action::Rotate {
        return Some(format!("a rotation follows rotate requests only, not {}", request.action));
    }
    let Some(pre_image) = subject.claimed.pre_image(&request.project) else {
        return Some("the project is not in claimed; hand in a claim".to_owned());
    };
    if request.replaces != Some(pre_image) {
        return Some(format!(
            "it was made for another state of the delegation; claimed has {pre_image}"
        ));
    }
    let bad = request
        .keys
        .iter()
        .find(|(_, key)| compromised.contains_key(key.public()));
    if let Some((keyid, _)) = bad {
        return Some(format!("it lists the compromised key {keyid}"));
    }
    if request.custody.is_some() {
        return None;
    }
    let proven = statement::proven(&subject.anchor, request, subject.sigstore);
    statement::check_possession(REQUESTS, request, &proven).map(|finding| finding.text)
}

/// The compromised keys that a delegation lists.
fn lost(
    delegation: &Delegation,
    compromised: &BTreeMap<PublicKey, BTreeSet<KeyId>>,
) -> Vec<KeyId> {
    let keys = delegation.keys.iter();
    let lost = keys.filter(|(_, key)| compromised.contains_key(key.public()));
    lost.map(|(keyid, _)| keyid.clone()).collect()
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
            project.generation(delegation.role.generation.max((subject.generation)(project)) + 1)
        } else {
            delegation.role.clone()
        };
        let left = delegation.keys.iter();
        let left = left.filter(|(keyid, _)| !lost.contains(keyid));
        let left: BTreeMap<KeyId, Key> = left
            .map(|(keyid, key)| (keyid.clone(), Key::clone(key)))
            .collect();
        let after = match request {
            Some(request) if request.custody.is_none() => delegate(&role, &request.keys, request.threshold),
            None if left.len() >= delegation.threshold as usize => {
                delegate(&role, &left, delegation.threshold)
            }
            _ => After::Custody,
        };
        let way = match (&after, request) {
            (After::Delegate { keys, threshold, .. }, Some(_)) => Way::Replace {
                role,
                keys: keys.keys().cloned().collect(),
                threshold: *threshold,
            },
            (After::Delegate { keys, threshold, .. }, None) => Way::Remove {
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
        let good = if way == Way::Tombstone { GoodFiles::new() } else { good };
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
        if asked == Custody::Tombstone {
            return Way::Tombstone;
        }
        if !good.is_empty() {
            return Way::Files;
        }
        let text = format!(
            "{project}: no files known to be good were found before the last moment of trust, so nothing of it installs until it has keys again"
        );
        self.findings
            .push(Finding::warning("ROTATE-NO-GOOD-FILES", INCIDENT, text));
        Way::Tombstone
    }

    /// A project leaves custody: it has keys again.
    fn free(&mut self, subject: &Subject<'_>, project: &Project, request: &Request) {
        let known = (subject.generation)(project).max(1);
        let role = project.generation(known + u32::from(request.new_name));
        let pre_image = super::delegation::custody_digest(project);
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
        let asked = requests.iter().filter(|(project, _)| !touched.contains(*project));
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
