//! What makes people look although every signature is right: who else has the key, what happened to the accounts, how well known the name is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::history::days;
use super::{Input, Judge, LookAlikes, Weight};
use crate::pypi::owners::{self, Owners, Team};
use crate::pypi::project::Project;
use crate::pypi::requests::{Action, EventKind, Request, is_identity};
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::KeyId;

/// What is known of all requests and of claimed together.
pub(super) struct Whole<'a> {
    /// Keys that two persons are said to hold.
    shared: BTreeMap<&'a KeyId, Finding>,
    /// The register with what the requests say.
    owners: Owners,
    look_alikes: LookAlikes,
}

impl<'a> Whole<'a> {
    pub(super) fn of(input: &Input<'a>) -> Self {
        let asked = || input.requests.requests.iter();
        let labels = asked().flat_map(|request| &request.owners);
        let mut owners = input.owners.clone();
        owners.merge(labels.clone(), input.policy.on);
        let top = input.top.projects();
        let top = &top[..input.policy.top.min(top.len())];
        Self {
            shared: input.owners.shared(input.file, labels),
            owners,
            look_alikes: LookAlikes::of(top),
        }
    }

    /// What is said of no project alone.
    pub(super) fn findings(input: &Input<'_>) -> Vec<Finding> {
        let mut findings = many(input);
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

/// Keys on many projects, once each: projects as they would be if every request were accepted.
fn many(input: &Input<'_>) -> Vec<Finding> {
    let requests = &input.requests.requests;
    let asked: BTreeSet<&Project> = requests.iter().map(|request| &request.project).collect();
    owners::many_projects(input.file, || {
        let stay = input.claimed.projects.keys();
        let stay = stay.filter(|(project, ..)| !asked.contains(project));
        stay.chain(requests.iter().flat_map(|request| {
            let keys = request.keys.iter();
            keys.map(|(keyid, key)| {
                let keyid = Cow::Borrowed(keyid.0.as_str());
                (&request.project, keyid, key.public().clone())
            })
        }))
    })
}

fn team(request: &Request) -> Team<'_> {
    Team {
        project: &request.project,
        keys: request.keys.iter().collect(),
        threshold: request.threshold,
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
            if let Some(finding) = self.whole.shared.get(keyid) {
                self.say(Weight::Gates, &finding.rule, &finding.text);
            }
            if is_identity(key) {
                for finding in (self.input.remarks)(key) {
                    let weight = match finding.level {
                        Level::Note => Weight::Reports,
                        _ => Weight::Looks,
                    };
                    self.say(weight, &finding.rule, finding.text);
                }
            }
        }
        if self.is_refused() || request.keys.is_empty() {
            return;
        }
        for remark in self.whole.owners.remarks(self.input.file, &team(request)) {
            self.add(Weight::Reports, remark);
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
                        EventKind::Recovery => "an owner's account was recovered",
                        EventKind::Ownership => "its owners changed",
                        EventKind::Quarantine => "it was quarantined",
                        EventKind::Report => "it was reported",
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
