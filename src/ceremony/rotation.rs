//! An incident beside what was carried in: the one place that derives a rotation for building, proving, planning and the sheets.

use std::collections::BTreeSet;

use super::identities::Identities;
use super::intake::Trusted;
use super::intake::archives::Archive;
use super::intake::requests::REQUESTS;
use super::script::Script;
use crate::pypi::custody::KnownGood;
use crate::pypi::delegation::Delegations;
use crate::pypi::incident::Incident;
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::requests::Requests;
use crate::pypi::rotation::{self, GoodFiles, Rotation, Subject, Way};
use crate::pypi::shards;
use crate::tuf::envelope::Envelope;
use crate::tuf::expires::Expires;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::lookup::Listing;

/// A rotation and what it was derived from.
pub struct Derived {
    /// What happened.
    pub incident: Incident,
    /// `claimed` as it stands.
    pub claimed: Delegations,
    /// What becomes of the projects.
    pub rotation: Rotation,
    /// The archive whose files are known to be good; none if none is old enough.
    pub good_archive: Option<String>,
}

/// Who is in custody afterwards, and which files are listed.
#[derive(Debug, Default)]
pub struct Kept {
    /// Projects whose files are listed.
    pub files: BTreeSet<Project>,
    /// Projects that answer nothing.
    pub tombstoned: BTreeSet<Project>,
    /// The files.
    pub known_good: Vec<KnownGood>,
}

/// Derives the rotation that the script asks for.
///
/// # Errors
/// Rules `SCRIPT-ROLE`, `INCIDENT-*`, `OWNERS-FORM`, `ROTATE-UNKNOWN-KEY`, and what is wrong with the trusted claimed.
pub fn derive(script: &Script, trusted: &Trusted) -> Result<Derived, Vec<Finding>> {
    let one = |finding: Finding| vec![finding];
    let missing = |what: &str| {
        let text = format!("a rotation needs {what}");
        vec![Finding::error("SCRIPT-ROLE", "", text)]
    };
    let rotate = (script.rotate.as_ref()).ok_or_else(|| missing("[rotate]"))?;
    let on = Expires::parse(&rotate.on).map_err(|fault| {
        vec![Finding::error(
            "SCRIPT-ROLE",
            "",
            format!("rotate.on: {fault}"),
        )]
    })?;
    let asked = &trusted.asked;
    let dated = rotate.sigstore_dated.as_deref();
    let (identities, age) =
        Identities::read(asked.sigstore.as_ref(), dated, on.at()).map_err(one)?;
    let file =
        (trusted.asked.incident.as_ref()).ok_or_else(|| missing("requests/incident.toml"))?;
    let incident = Incident::parse(&file.path, &file.bytes).map_err(one)?;
    let claimed = trusted.claimed();
    let claimed = shards::read(&claimed.ok_or_else(|| missing("a trusted claimed"))?)?;
    // `verify` follows a rotation from it; without it the bundle would be refused after it was signed.
    let anchor = trusted.anchor();
    let anchor = anchor.ok_or_else(|| missing("the root chain from 1.root.json on"))?;
    let good = good_archive(trusted, &incident);
    let mut rotation = rotation::derive(&Subject {
        incident: &incident,
        claimed: &claimed,
        recently: trusted
            .archives
            .first()
            .and_then(|archive| archive.recently.as_ref()),
        owners: asked.owners.as_ref(),
        requests: trusted
            .asked
            .requests
            .as_ref()
            .map_or(&[], |file| &file.requests),
        anchor,
        sigstore: &|key, bundle, message| identities.judge(key, bundle, message),
        good: &|project| good_files(good?, project),
        generation: &|project| generation(&trusted.archives, project),
    })?;
    rotation.findings.extend(age);
    if let Some(requests) = &asked.requests {
        rotation.findings.extend(refused_lines(requests));
        rotation
            .findings
            .extend(Identities::remarks(REQUESTS, &requests.requests));
    }
    Ok(Derived {
        good_archive: good.map(|archive| archive.name.clone()),
        incident,
        claimed,
        rotation,
    })
}

/// Lines that are wrong by themselves: their projects go the safe way, as for any request that does not hold.
fn refused_lines(requests: &Requests) -> impl Iterator<Item = Finding> {
    requests.refused.iter().map(|refused| {
        let (line, project) = (refused.line, shown(&refused.project));
        let why = &refused.finding;
        let text = format!(
            "line {line}, {project}: the request is not followed: {}: {}",
            why.rule, why.text
        );
        Finding::warning("ROTATE-REPLACEMENT", REQUESTS, text)
    })
}

/// The newest archive that was whole before the keys were lost. An archive of a day may have been taken at its end.
fn good_archive<'a>(trusted: &'a Trusted, incident: &Incident) -> Option<&'a Archive> {
    let day = jiff::SignedDuration::from_hours(24);
    let mut archives = trusted.archives.iter();
    archives.find(|archive| {
        let end = archive.day.checked_add(day);
        end.is_ok_and(|end| end <= incident.last_trusted.at())
    })
}

/// What a project's own role listed then, if it was signed by its keys of then.
fn good_files(archive: &Archive, project: &Project) -> Option<GoodFiles> {
    let repository = &archive.repository;
    let claimed = shards::delegator(repository, project);
    let delegators = [claimed, repository.role(&["recently-claimed"])];
    let listing = delegators.into_iter().flatten().find_map(|top| {
        let role = newest_role(top.listing(), project)?;
        top.delegated(&role.to_string()).ok()
    })?;
    let prefix = format!("{project}/");
    let files = listing.listing().files().iter();
    let own = files.filter(|(path, _)| path.starts_with(&prefix));
    Some(
        own.map(|(path, file)| (path.clone(), file.clone()))
            .collect(),
    )
}

/// The role of a project that a delegator names, whatever its generation.
fn newest_role(delegator: &Listing, project: &Project) -> Option<ProjectRole> {
    let known = |generation: u32| {
        let role = project.generation(generation);
        delegator.delegation(&role.to_string()).map(|_| role)
    };
    (1..=32).rev().find_map(known)
}

/// The highest generation of a project's role in any archive: a snapshot never drops a name.
fn generation(archives: &[Archive], project: &Project) -> u32 {
    let later = format!("{}_", project.role());
    let names = archives
        .iter()
        .flat_map(|archive| archive.repository.listed_with(&later));
    let later = names.filter_map(|name| ProjectRole::parse(name).ok());
    let later = later.map(|role| role.generation).max();
    later.unwrap_or(1)
}

impl Derived {
    /// Who is in custody afterwards. What was listed stays listed while its project stays in custody.
    pub fn kept(&self, old: Option<&Envelope>) -> Kept {
        let mut kept = Kept::default();
        let listed = old.map(|old| Listing::read("custody", old.clone()));
        let listed = listed.and_then(Result::ok);
        let stays = |project: &&Project| !self.rotation.changes.changes.contains_key(*project);
        let before = self.claimed.custody.iter();
        for project in before.flat_map(|custody| &custody.projects).filter(stays) {
            let prefix = format!("{project}/");
            let files = listed.iter().flat_map(|listed| {
                let from = listed.files().range(prefix.clone()..);
                from.take_while(|(path, _)| path.starts_with(&prefix))
            });
            kept.add(project, files);
        }
        for hit in &self.rotation.hits {
            match hit.way {
                Way::Files => kept.add(&hit.project, hit.good.iter()),
                Way::Tombstone => kept.add(&hit.project, std::iter::empty()),
                _ => {}
            }
        }
        kept
    }

    /// Whether somebody goes into custody or leaves it.
    pub fn changes_custody(&self) -> bool {
        let hits = &self.rotation.hits;
        hits.iter()
            .any(|hit| matches!(hit.way, Way::Files | Way::Tombstone) || hit.before.is_none())
    }
}

impl Kept {
    fn add<'a>(
        &mut self,
        project: &Project,
        files: impl Iterator<Item = (&'a String, &'a crate::tuf::metadata::TargetFile)>,
    ) {
        let before = self.known_good.len();
        self.known_good.extend(files.map(|(path, file)| KnownGood {
            path: path.clone(),
            length: file.length,
            hashes: file.hashes.clone(),
        }));
        if self.known_good.len() > before {
            self.files.insert(project.clone());
        } else {
            self.tombstoned.insert(project.clone());
        }
    }
}
