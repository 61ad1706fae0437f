//! What makes people look although every signature is right: who else has the key, what happened to the accounts, how well known the name is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::history::days;
use super::{Input, Judge, LookAlikes, Weight};
use crate::pypi::owners::person;
use crate::pypi::requests::{Action, is_identity};
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::KeyId;

/// One key on more projects than this is reported: a key that many depend on is worth more to steal.
const MANY: usize = 20;

/// What is known of all requests and of claimed together.
pub(super) struct Whole<'a> {
    /// The persons who are said to hold a key.
    persons: HashMap<&'a KeyId, BTreeSet<&'a str>>,
    /// On how many projects a key is.
    projects: BTreeMap<&'a KeyId, usize>,
    look_alikes: LookAlikes,
}

impl<'a> Whole<'a> {
    pub(super) fn of(input: &Input<'a>) -> Self {
        let mut persons: HashMap<&KeyId, BTreeSet<&str>> = HashMap::new();
        let mut projects: BTreeMap<&KeyId, usize> = BTreeMap::new();
        for (keyid, label) in input.owners {
            persons.entry(keyid).or_default().insert(person(label));
        }
        let asked = &input.requests.requests;
        for request in asked {
            for (keyid, label) in &request.owners {
                persons.entry(keyid).or_default().insert(person(label));
            }
            for keyid in request.keys.keys() {
                *projects.entry(keyid).or_default() += 1;
            }
        }
        let changed: BTreeSet<_> = asked.iter().map(|request| &request.project).collect();
        let untouched = input
            .claimed
            .projects
            .iter()
            .filter(|(project, _)| !changed.contains(project));
        for (_, delegation) in untouched {
            for (keyid, _) in &delegation.keys {
                *projects.entry(keyid).or_default() += 1;
            }
        }
        let top = input.top.projects();
        let top = &top[..input.policy.top.min(top.len())];
        Self {
            persons,
            projects,
            look_alikes: LookAlikes::of(top),
        }
    }

    /// Keys on many projects, once each.
    pub(super) fn findings(&self, input: &Input<'_>) -> Vec<Finding> {
        let many = self.projects.iter().filter(|(_, count)| **count > MANY);
        let mut findings: Vec<Finding> = many
            .map(|(keyid, count)| {
                let text = format!(
                    "the key {} is on {count} projects; tell its owner what its loss would mean",
                    shown(&keyid.0)
                );
                Finding::note("CLAIM-KEY-MANY", input.file, text)
            })
            .collect();
        if input.top.len() < input.policy.top {
            let text = format!(
                "the script says that the {} most downloaded projects are always looked at, and the list has {}",
                input.policy.top,
                input.top.len()
            );
            findings.push(Finding::warning("CLAIM-TOP", input.file, text));
        }
        findings
    }
}

impl Judge<'_, '_> {
    /// What holds for every action.
    pub(super) fn mark(&mut self) {
        let request = self.request;
        if let Some(rank) = self.input.top.rank(&request.project)
            && rank <= self.input.policy.top
        {
            let text = format!(
                "it is number {rank} of the most downloaded projects; every change to it is looked at"
            );
            self.say(Weight::Shows, "CLAIM-TOP", text);
        }
        if let Some(finding) = request.project.reserved(self.input.file) {
            self.say(Weight::Looks, &finding.rule, finding.text);
        }
        for (keyid, key) in &request.keys {
            if let Some(persons) = self.whole.persons.get(keyid).filter(|them| them.len() > 1) {
                let persons: Vec<_> = persons.iter().map(|person| shown(person)).collect();
                let text = format!(
                    "the key {} is said to be held by {}; a key has one owner (PEP 480: private keys are not shared)",
                    shown(&keyid.0),
                    persons.join(" and by ")
                );
                self.say(Weight::Gates, "CLAIM-KEY-SHARED", text);
            }
            if is_identity(key) {
                for finding in (self.input.remarks)(key) {
                    let weight = match finding.level {
                        crate::tuf::finding::Level::Note => Weight::Reports,
                        _ => Weight::Looks,
                    };
                    self.say(weight, &finding.rule, finding.text);
                }
            }
        }
        if self.is_refused() || request.keys.is_empty() {
            return;
        }
        if request.keys.len() == 1 {
            let text = "it has a single key: its loss needs a reset by the administrators";
            self.say(Weight::Reports, "CLAIM-ONE-KEY", text);
        }
        self.persons();
    }

    /// The smallest set of owners that reaches the threshold: told, never held against a project.
    fn persons(&mut self) {
        let request = self.request;
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        for label in request.owners.values() {
            *held.entry(person(label)).or_default() += 1;
        }
        let mut counts: Vec<(usize, &str)> =
            held.into_iter().map(|(name, keys)| (keys, name)).collect();
        counts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let threshold = request.threshold as usize;
        let (mut keys, mut needed) = (0, Vec::new());
        for (count, name) in counts {
            if keys >= threshold {
                break;
            }
            keys += count;
            needed.push(shown(name));
        }
        if needed.len() < threshold {
            let text = format!(
                "its threshold is {threshold}, and {} can reach it: {}",
                match needed.len() {
                    1 => "one person".to_owned(),
                    count => format!("{count} persons"),
                },
                needed.join(", ")
            );
            self.say(Weight::Reports, "CLAIM-PERSONS", text);
        }
    }

    /// What happened within the probation, and whether another way to the owner was gone.
    pub(super) fn window(&mut self) {
        let policy = self.input.policy;
        let wanted = i64::from(policy.probation_days);
        for event in &self.request.events {
            let before = days(event.at, policy.on);
            if before <= wanted {
                let text = format!(
                    "{} on {}, {before} days before this claim",
                    match event.kind {
                        crate::pypi::requests::EventKind::Recovery =>
                            "an owner's account was recovered",
                        crate::pypi::requests::EventKind::Ownership => "its owners changed",
                        crate::pypi::requests::EventKind::Quarantine => "it was quarantined",
                        crate::pypi::requests::EventKind::Report => "it was reported",
                    },
                    event.at
                );
                self.say(Weight::Gates, "CLAIM-EVENTS", text);
            }
        }
        if self.request.channel.is_none() {
            let text = "no second channel: nobody asked the owner by another way than the account";
            self.say(Weight::Looks, "CLAIM-CHANNEL", text);
        }
    }

    /// A new name that people would take for a well-known one.
    pub(super) fn look_alike(&mut self) {
        if self.request.action != Action::Claim {
            return;
        }
        if let Some(top) = self.whole.look_alikes.find(&self.request.project) {
            let text = format!("its name looks like {top}, one of the most downloaded projects");
            self.say(Weight::Gates, "CLAIM-LOOK-ALIKE", text);
        }
    }
}
