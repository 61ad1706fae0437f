//! What a rotation did, derived again from its bundle alone: the incident, the requests and the claimed before give exactly the claimed after, and no compromised
//! key is left. Which files were good is the archive's word, which is not in the bundle; which sigstore bundles held was judged in the ceremony.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::bundle::files::File;
use crate::pypi::delegation::Delegations;
use crate::pypi::incident::Incident;
use crate::pypi::owners::Owners;
use crate::pypi::project::Project;
use crate::pypi::requests::{Request, Requests};
use crate::pypi::rotation::{Subject, derive, gone, live};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, Level};

use super::claimed::{Versions, signers};

const INCIDENT: &str = "ceremony/incident.toml";
const REQUESTS: &str = "ceremony/requests.jsonl";
const OWNERS: &str = "ceremony/owners.jsonl";
const ANCHOR: &str = "metadata/1.root.json";
/// What is missing from a rotation's bundle, or says something else.
const RULE: &str = "ROTATE-RECORD";

/// Checks the bundle of a rotation.
pub(super) fn check(files: &[File], rehearsal: bool) -> Vec<Finding> {
    judge(files, rehearsal).unwrap_or_else(|findings| findings)
}

fn judge(files: &[File], rehearsal: bool) -> Result<Vec<Finding>, Vec<Finding>> {
    let one = |finding: Finding| vec![finding];
    let find = |path: &str| files.iter().find(|file| file.path == path);
    let missing = |path: &str| {
        let text = "it is not there: what the incident came to cannot be followed";
        vec![Finding::error(RULE, path, text)]
    };
    let incident = find(INCIDENT).ok_or_else(|| missing(INCIDENT))?;
    let mut incident = Incident::parse(INCIDENT, &incident.bytes).map_err(one)?;
    let versions = Versions::of(files).ok_or_else(|| missing("metadata/N.claimed.json"))??;
    let (before, after) = versions.strict()?;
    let path = &versions.path;
    // A key that only recently-claimed listed was the online side's to drop.
    let keys = before.projects.keys().map(|(_, keyid, _)| keyid);
    let listed: HashSet<Cow<'_, str>> = keys.collect();
    incident
        .compromised
        .retain(|keyid, _| listed.contains(&*keyid.0));
    let requests = find(REQUESTS).map(|file| Requests::parse(REQUESTS, &file.bytes));
    let requests = requests.transpose().map_err(one)?;
    let asked = requests.as_ref().map_or(&[][..], |file| &file.requests);
    let owners = find(OWNERS).map(|file| Owners::parse(OWNERS, &file.bytes));
    let owners = owners.transpose().map_err(one)?;
    let anchor = find(ANCHOR).ok_or_else(|| missing(ANCHOR))?;
    let rotation = derive(&Subject {
        incident: &incident,
        claimed: &before,
        recently: None,
        owners: owners.as_ref(),
        requests: asked,
        anchor: Sha256::of(&anchor.bytes),
        sigstore: &|_, _, _| Ok(()),
        good: &|_| None,
        generation: &|project| generation(&incident, asked, &after, project),
    })?;
    let signers = signers(files)?;
    let exact = versions.exact(files, &rotation.changes, signers.as_ref(), rehearsal);
    let mut findings = exact.map_err(one)?;
    findings.extend(gone(path, &after, &rotation.compromised));
    findings.extend(live(path, after.projects.all()));
    findings.retain(|finding| finding.level == Level::Error || finding.rule == "REQUEST-EXACT");
    Ok(findings)
}

/// The generation that a project's role had in snapshots before, by the new file's word: which snapshots there were is not in the bundle.
fn generation(
    incident: &Incident,
    requests: &[Request],
    after: &Delegations,
    project: &Project,
) -> u32 {
    let Some(delegation) = after.projects.get(project) else {
        return 1;
    };
    let mut asked = requests
        .iter()
        .filter(|request| request.project == *project);
    let forwarded =
        incident.fast_forwarded.contains(project) || asked.any(|request| request.new_name);
    delegation
        .role
        .generation
        .saturating_sub(u32::from(forwarded))
}
