//! `resolve`: which role answers for a target path, verified on the way, for people or as the JSON object that other programs rely on.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde::Serialize;

use super::args::ResolveArgs;
use super::{Answer as Ended, Exit, print};
use crate::bundle::files;
use crate::bundle::folder::Folder;
use crate::plain::escape;
use crate::pypi::role_names;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::lookup::{Answer, Limits, Step, Walk, dialect, walk};
use crate::tuf::repository::{Repository, Versions};

const SCHEMA: &str = "tuf-ceremony/resolve/1";

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    /// Whether every path has an answer and nothing asked for is an error.
    ok: bool,
    /// How versions are known, in words for people; none if there is no repository.
    #[serde(skip)]
    what: Option<String>,
    /// `snapshot` or `newest`.
    versions: Option<&'static str>,
    walks: Vec<Walk>,
    findings: Vec<Finding>,
}

/// Resolves what the arguments name.
///
/// # Errors
/// What the writer says.
pub fn run(args: &ResolveArgs, out: &mut dyn Write, err: &mut dyn Write) -> Ended {
    let trusted = match files::read(&args.trusted_root, files::SMALL_CAP) {
        Ok(bytes) => (args.trusted_root.display().to_string(), bytes),
        Err(error) => return print::unread(err, &error),
    };
    let folder = match Folder::open(&args.repository) {
        Ok(folder) => folder,
        Err(error) => return print::unread(err, &error),
    };
    let repository = if args.unpublished {
        Repository::unpublished(trusted, folder)
    } else {
        Repository::published(trusted, folder)
    };
    let report = match repository {
        Ok(repository) => resolve(args, &repository),
        Err(findings) => Report {
            schema: SCHEMA,
            ok: false,
            what: None,
            versions: None,
            walks: Vec::new(),
            findings,
        },
    };
    if args.json {
        print::json(out, &report)?;
    } else {
        show(out, &report)?;
    }
    Ok(if report.ok { Exit::Done } else { Exit::Refused })
}

fn resolve(args: &ResolveArgs, repository: &Repository) -> Report {
    let at = args.at.unwrap_or_else(crate::room::clock::now);
    let walks: Vec<Walk> = args
        .paths
        .iter()
        .map(|path| walk(repository, path, Limits::default()))
        .collect();
    let mut findings = repository.findings().to_vec();
    let mut missing = BTreeSet::new();
    for walk in &walks {
        // One missing file may be in the way of many paths.
        if let Answer::Missing { role, finding } = &walk.answer
            && missing.insert(role)
        {
            findings.push(finding.clone());
        }
        findings.extend(dialect::of_walk(walk));
    }
    for role in repository.read_so_far() {
        findings.extend(dialect::of_delegations(role.file(), role.targets()));
    }
    if args.role_names {
        findings.extend(role_names::of_repository(repository));
    }
    findings.extend(repository.expired(at));
    Report {
        schema: SCHEMA,
        ok: findings.iter().all(|finding| finding.level != Level::Error),
        what: Some(what(repository)),
        versions: Some(match repository.versions() {
            Versions::Snapshot => "snapshot",
            Versions::Newest => "newest",
        }),
        walks,
        findings,
    }
}

fn what(repository: &Repository) -> String {
    let root = repository.roots().last();
    let root = root.map_or(0, |root| root.root.header.version);
    match (repository.timestamp(), repository.snapshot()) {
        (Some(timestamp), Some(snapshot)) => format!(
            "Published: root v{root}, timestamp v{}, snapshot v{}",
            timestamp.header.version, snapshot.header.version
        ),
        _ => format!(
            "Not published: root v{root} and the newest version of each role that is there; nothing shows what is missing or held back"
        ),
    }
}

fn show(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if let Some(what) = &report.what {
        writeln!(out, "{what}")?;
    }
    for walk in &report.walks {
        writeln!(out, "{}", escape(&walk.path))?;
        for step in &walk.steps {
            writeln!(out, "  {}", escape(&line(step)))?;
        }
        writeln!(out, "  {}", escape(&answer(&walk.answer)))?;
    }
    print::findings(out, &report.findings)?;
    let found = report.walks.iter().filter(|it| it.answering().is_some());
    let open = report.walks.iter().filter(|it| !it.is_definite()).count();
    let (found, all) = (found.count(), report.walks.len());
    writeln!(
        out,
        "{}: {found} found, {} certainly not there, {open} without an answer; {}",
        if report.ok {
            "RESOLVED"
        } else {
            "NOT RESOLVED"
        },
        all - found - open,
        print::count(&report.findings, Level::Error)
    )
}

/// `project-x (by claimed, terminating): the path matches x/*; v2 lists it`
fn line(step: &Step) -> String {
    let terminating = if step.terminating {
        ", terminating"
    } else {
        ""
    };
    let by = step
        .delegator
        .as_ref()
        .map(|delegator| format!(" (by {delegator}{terminating})"));
    format!(
        "{}{}: {}; {}",
        step.role,
        by.unwrap_or_default(),
        step.why,
        step.visit
    )
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Found {
            role,
            length,
            hashes,
        } => {
            let hashes = hashes.iter().map(|(name, hash)| format!(", {name} {hash}"));
            let hashes: String = hashes.collect();
            format!("FOUND in {role}: {length} bytes{hashes}")
        }
        Answer::Nothing { role, end } => {
            format!("NOTHING: no role lists it; {role} was asked last: {end}")
        }
        Answer::Missing { role, .. } => {
            format!("NO ANSWER: {role} is missing or does not verify; clients stop with an error")
        }
    }
}
