//! Which keys are meant, wherever they stand, and which requests may be followed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Compromised, INCIDENT, REQUESTS, Subject};
use crate::pypi::delegation::{Delegation, Delegations};
use crate::pypi::owners;
use crate::pypi::project::Project;
use crate::pypi::requests::statement;
use crate::pypi::requests::{Action, Request};
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::{KeyId, PublicKey};

/// The material of the keys that the incident names, found wherever a delegation lists them.
pub(super) fn compromised(subject: &Subject<'_>) -> Result<Compromised, Vec<Finding>> {
    let mut named: Compromised = BTreeMap::new();
    for (keyid, key) in listed(subject) {
        if subject.incident.compromised.contains_key(&keyid) {
            named.entry(key).or_default().insert(keyid);
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
        if let Some(keyids) = named.get_mut(&key) {
            keyids.insert(keyid);
        }
    }
    Ok(named)
}

/// Every key of every project, as often as it is listed.
fn listed(subject: &Subject<'_>) -> impl Iterator<Item = (KeyId, PublicKey)> {
    let files = [Some(subject.claimed), subject.recently];
    let files = files.into_iter().flatten();
    let keys = files.flat_map(|file| file.projects.keys());
    keys.map(|(_, keyid, public)| (KeyId(keyid.into_owned()), public))
}

/// Who lost one key may have lost the others: they are told, and rotated too if the incident says so.
pub(super) fn others_of_the_owners(
    subject: &Subject<'_>,
    compromised: &mut Compromised,
    findings: &mut Vec<Finding>,
) {
    let Some(register) = subject.owners else {
        let text = "there is no register of developers (owners.jsonl) in the input: other keys of the same owners were not looked for";
        findings.push(Finding::warning("ROTATE-OWNERS", INCIDENT, text));
        return;
    };
    let owner = |keyid: &KeyId| Some(owners::person(&register.keys.get(keyid)?.label));
    let persons: BTreeSet<&str> = compromised.values().flatten().filter_map(owner).collect();
    let mut others: Compromised = BTreeMap::new();
    for (keyid, key) in listed(subject) {
        let is_theirs = owner(&keyid).is_some_and(|person| persons.contains(person));
        if is_theirs && !compromised.contains_key(&key) {
            others.entry(key).or_default().insert(keyid);
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
pub(super) fn usable<'a>(
    subject: &Subject<'a>,
    compromised: &Compromised,
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
                format!(
                    "line {}, {}: the request is not followed: {why}",
                    request.line, request.project
                ),
            )),
        }
    }
    usable
}

/// Why a request is not followed.
fn refusal(subject: &Subject<'_>, compromised: &Compromised, request: &Request) -> Option<String> {
    if request.action != Action::Rotate {
        return Some(format!(
            "a rotation follows rotate requests only, not {}",
            request.action
        ));
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

/// The projects of a file that list a compromised key.
pub(super) fn losing<'a>(
    file: &'a Delegations,
    compromised: &Compromised,
) -> impl Iterator<Item = Delegation> + use<'a> {
    let keys = file.projects.keys();
    let lost = keys.filter(|(_, _, public)| compromised.contains_key(public));
    let losing: BTreeSet<&Project> = lost.map(|(project, ..)| project).collect();
    let projects = losing.into_iter();
    projects.filter_map(|project| file.projects.get(project))
}

/// The compromised keys that a delegation lists.
pub(super) fn lost(delegation: &Delegation, compromised: &Compromised) -> Vec<KeyId> {
    let keys = delegation.keys.iter();
    let lost = keys.filter(|(_, key)| compromised.contains_key(key.public()));
    lost.map(|(keyid, _)| keyid.clone()).collect()
}
