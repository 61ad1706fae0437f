//! What a claim did, derived again from its bundle alone: the claimed before, the requests, what was not accepted, and the claimed after differ by exactly that.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::bundle::files::File;
use crate::ceremony::decisions::{self, Decisions};
use crate::ceremony::event::Decision;
use crate::pypi::changes::{After, Change, ChangeSet};
use crate::pypi::delegation::Place;
use crate::pypi::project::Project;
use crate::pypi::requests::{Action, Request, Requests};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

use super::claimed::Versions;

const REQUESTS: &str = "ceremony/requests.jsonl";
const REFUSED: &str = "online/refused.jsonl";
const RULE: &str = "CLAIM-DECISIONS";

/// A line of the refused list; its reasons are for the projects.
#[derive(Deserialize)]
struct Line {
    project: String,
}

/// Checks a bundle of a ceremony that decided about requests; others say nothing. `recorded` is what the transcript says of the decisions.
pub fn check(
    files: &[File],
    recorded: &Decisions,
    ceremony: Sha256,
    rehearsal: bool,
) -> Vec<Finding> {
    let find = |path: &str| {
        let found = files.iter().find(|file| file.path == path);
        found.map(|file| file.bytes.as_slice())
    };
    if recorded.vetted.is_none() {
        return Vec::new();
    }
    let Some(bytes) = find(decisions::NAME) else {
        let text = "it is not there: what was decided cannot be followed";
        return vec![Finding::error(RULE, decisions::NAME, text)];
    };
    let judged = Decisions::parse(decisions::NAME, bytes, ceremony).and_then(|decisions| {
        if decisions != *recorded {
            let text = "it says other decisions than the transcript";
            return Err(Finding::error(RULE, decisions::NAME, text));
        }
        let missing = |path: &str| {
            Finding::error(
                RULE,
                path,
                "it is not there: what was decided cannot be followed",
            )
        };
        let requests = find(REQUESTS).ok_or_else(|| missing(REQUESTS))?;
        let refused = find(REFUSED).ok_or_else(|| missing(REFUSED))?;
        let none = || missing("metadata/N.claimed.json");
        let versions = Versions::of(files).ok_or_else(none)?;
        let first = |mut findings: Vec<Finding>| findings.pop().unwrap_or_else(none);
        let versions = versions.map_err(first)?;
        let requests = Requests::parse(REQUESTS, requests)?;
        let accepted = accepted(&decisions, &requests, refused)?;
        let changes = changes(&versions, &accepted).map_err(first)?;
        versions.exact(files, &changes, None, rehearsal)
    });
    judged.unwrap_or_else(|finding| vec![finding])
}

/// The requests that were done: all but those on the list of what was not, which must be what the decisions say.
fn accepted<'r>(
    decisions: &Decisions,
    requests: &'r Requests,
    refused: &[u8],
) -> Result<BTreeMap<&'r Project, &'r Request>, Finding> {
    let refuse = |text: String| Finding::error(RULE, REFUSED, text);
    let vetted = decisions.vetted.as_ref();
    if vetted.is_none_or(|vetted| vetted.requests != requests.sha256) {
        let text = "the decisions are about another requests file than the one in the bundle";
        return Err(Finding::error(RULE, decisions::NAME, text));
    }
    let mut accepted: BTreeMap<&Project, _> = requests
        .requests
        .iter()
        .map(|request| (&request.project, request))
        .collect();
    let lines = refused.split(|byte| *byte == b'\n');
    for line in lines.filter(|line| !line.is_empty()) {
        let line: Line = serde_json::from_slice(line).map_err(|error| refuse(error.to_string()))?;
        if let Ok(project) = Project::parse(&line.project) {
            accepted.remove(&project);
        }
    }
    for decided in decisions.decided.values() {
        let project = Project::parse(&decided.project).map_err(|fault| refuse(fault.text))?;
        let done = accepted.contains_key(&project);
        if done != (decided.decision == Decision::Accept) {
            return Err(refuse(format!(
                "{project} was decided: {}; the list of what was not done says otherwise",
                decided.decision.word()
            )));
        }
    }
    Ok(accepted)
}

/// What these requests do to claimed. The generation of a role's name is the new file's word: it is free, and the name must be the project's own.
fn changes(
    versions: &Versions,
    accepted: &BTreeMap<&Project, &Request>,
) -> Result<ChangeSet, Vec<Finding>> {
    let (before, after) = versions.strict()?;
    let change = |(project, request): (&&Project, &&Request)| {
        let generation = match after.place(project) {
            Place::Delegated(delegation) => delegation.role.generation,
            _ => 1,
        };
        let after = match request.action {
            Action::Unclaim => After::Gone,
            _ => After::Delegate {
                generation,
                keys: request.keys.clone(),
                threshold: request.threshold,
            },
        };
        let before = before.pre_image(project);
        ((*project).clone(), Change { before, after })
    };
    Ok(ChangeSet {
        changes: accepted.iter().map(change).collect(),
    })
}
