//! What a claim gives beside metadata: what the online side does to each project, who is told what, and everything that a stranger needs to derive the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;

use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::Decision;
use crate::ceremony::intake::archives::Archive;
use crate::ceremony::kinds::Outputs;
use crate::ceremony::material::Material;
use crate::ceremony::sharding;
use crate::pypi::online_actions::{self, Action};
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::requests;
use crate::pypi::shards::{self, Files};
use crate::pypi::vetting::{Bucket, Policy, Vetted, Vetting, Weight};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::{Json, Limits};
use crate::tuf::key::KeyId;
use crate::tuf::metadata::Header;

/// After so many days without a word a project counts as abandoned (docs/policy-abandoned-projects.md). Nothing happens to it by itself.
const ABANDONED_DAYS: i64 = 90;

pub(super) fn outputs(
    material: &Material<'_>,
    candidates: &[Candidate],
) -> Result<Outputs, Finding> {
    let vetting = material
        .trusted
        .vetting(material.script)
        .map_err(super::first)?;
    let newest = material.trusted.archives.first();
    let accepts = |vetted: &Vetted| {
        let decisions = material.decisions;
        vetted.bucket() != Bucket::Refused && decisions.is_some_and(|it| it.accepts(vetted))
    };
    let mut actions = BTreeMap::new();
    for vetted in &vetting.vetted {
        if vetted.request.action == requests::Action::Claim {
            let action = if accepts(vetted) {
                Action::RemoveFromRecentlyClaimed
            } else {
                Action::Leave
            };
            actions.insert(vetted.request.project.clone(), action);
        }
    }
    let recently = newest.and_then(|newest| newest.recently.as_ref());
    let projects = online_actions::projects(&actions, recently);
    let mut files = vec![(
        "online/refused.jsonl".to_owned(),
        refused(material, &vetting, &accepts),
    )];
    if let (Some(newest), Some(claim)) = (newest, &material.script.claim) {
        let policy = crate::ceremony::vetting::policy(claim)?;
        let text = expiring(material, candidates, newest, &policy)?;
        files.push(("online/expiring.jsonl".to_owned(), text));
        let mut owners = material.trusted.asked.owners.clone().unwrap_or_default();
        for vetted in vetting.vetted.iter().filter(|vetted| accepts(vetted)) {
            owners.merge(&vetted.request.owners, policy.on);
        }
        files.push(("ceremony/owners.jsonl".to_owned(), owners.to_bytes()));
    }
    for archive in &material.trusted.archives {
        let listing = archive.listing().into_bytes();
        files.push((
            format!("evidence/archives/{}.sha256sums", archive.name),
            listing,
        ));
    }
    if let Some(file) = &material.trusted.asked.requests_file {
        files.push(("ceremony/requests.jsonl".to_owned(), file.bytes.clone()));
    }
    Ok(Outputs {
        files,
        projects: serde_json::to_value(projects).ok(),
    })
}

/// Everything that is not done, with its reasons: for the projects.
fn refused(
    material: &Material<'_>,
    vetting: &Vetting,
    accepts: &dyn Fn(&Vetted) -> bool,
) -> Vec<u8> {
    let mut lines = Vec::new();
    for vetted in vetting.vetted.iter().filter(|vetted| !accepts(vetted)) {
        let project = vetted.request.project.as_str();
        let decided = material
            .decisions
            .and_then(|decisions| decisions.decided.get(project));
        let decision = match decided.map(|decided| decided.decision) {
            Some(Decision::Leave) => "left for the next claim",
            Some(Decision::Refuse) => "refused by decision",
            _ => "refused",
        };
        let reasons = vetted
            .reasons
            .iter()
            .filter(|reason| reason.weight >= Weight::Looks)
            .map(|reason| json!({"rule": reason.finding.rule, "text": reason.finding.text}));
        let reasons: Vec<_> = reasons.collect();
        lines.push(json!({
            "project": project,
            "request": vetted.request.action.word(),
            "decision": decision,
            "reasons": reasons,
        }));
    }
    for unread in &vetting.unread {
        lines.push(json!({
            "project": unread.project,
            "decision": "refused",
            "reasons": [{"rule": unread.finding.rule, "text": unread.finding.text}],
        }));
    }
    jsonl(&lines)
}

/// Claimed projects whose metadata ends before the next claim. Their owners are asked; nothing is dropped by itself.
fn expiring(
    material: &Material<'_>,
    candidates: &[Candidate],
    newest: &Archive,
    policy: &Policy,
) -> Result<Vec<u8>, Finding> {
    let Some(files) = sharding::after(material.trusted, candidates) else {
        return Ok(Vec::new());
    };
    let owners = material.trusted.asked.owners.clone().unwrap_or_default();
    let mut lines = Vec::new();
    for (project, (role, entry)) in entries(&files)? {
        let header = newest.file(&role).and_then(|bytes| expiry(&role, bytes));
        let is_late = |header: &Header| header.expires.at() < policy.next_ceremony;
        if header.as_ref().is_some_and(|header| !is_late(header)) {
            continue;
        }
        let days = header
            .as_ref()
            .map(|header| policy.on.duration_since(header.expires.at()).as_hours() / 24);
        let text = header.as_ref().map(|header| header.expires.text());
        let keyids = entry.get("keyids").into_iter().flat_map(Json::elements);
        let names = keyids.filter_map(Json::as_str).map(|keyid| {
            let owner = owners.keys.get(&KeyId(keyid.to_string()));
            owner.map_or_else(|| keyid.to_string(), |owner| owner.label.clone())
        });
        let names: Vec<_> = names.collect();
        lines.push(json!({
            "project": project.as_str(),
            "role": role,
            "expires": text,
            "owners": names,
            "abandoned": days.is_some_and(|days| days >= ABANDONED_DAYS),
        }));
    }
    Ok(jsonl(&lines))
}

/// The entry of each project in claimed and in the shards that it lists, with its role's name. What they are was judged with the candidates.
fn entries<'a>(files: &Files<'a>) -> Result<BTreeMap<Project, (Cow<'a, str>, Json<'a>)>, Finding> {
    let shards = shards::listed(files.claimed).map_err(super::first)?;
    let shards = shards
        .shards()
        .filter_map(|(role, _)| files.shards.get(&*role));
    let all = [files.claimed].into_iter().chain(shards.copied());
    let lists = all.filter_map(|file| file.signed().get("delegations")?.get("roles"));
    let entries = lists.flat_map(Json::elements).filter_map(|entry| {
        let role = entry.get("name").and_then(Json::as_str)?;
        let project = ProjectRole::parse(&role).ok()?.project;
        Some((project, (role, entry)))
    });
    Ok(entries.collect())
}

fn expiry(role: &str, bytes: &[u8]) -> Option<Header> {
    let envelope = Envelope::parse(role, bytes.to_vec(), Limits::LARGE).ok()?;
    Header::read(role, &envelope).ok()
}

fn jsonl(lines: &[serde_json::Value]) -> Vec<u8> {
    let lines = lines.iter().map(|line| format!("{line}\n"));
    lines.collect::<String>().into_bytes()
}
