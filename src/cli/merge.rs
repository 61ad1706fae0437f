//! `merge`: part files in, one part file out, and both quorums in words.

use std::io::Write;
use std::path::Path;

use super::args::MergeArgs;
use super::{Answer, Exit, print};
use crate::bundle::files::{self, FileError};
use crate::bundle::merge::{self, Input, Merged};
use crate::bundle::part::{self, ABANDONED_SCHEMA, AbandonedRecord, Part};
use crate::bundle::rstuf::as_part;
use crate::plain::escape;
use crate::pypi::rstuf;
use crate::tuf::chain;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::json::Limits;
use crate::tuf::metadata::{Header, RoleType, Root, Targets};
use crate::tuf::verification::threshold;

/// Reads, unites, writes, and says who is missing.
///
/// # Errors
/// What the writer says.
pub fn run(args: &MergeArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let given = match read(args) {
        Ok(given) => given,
        Err(error) => {
            let exit = print::unread(err, &error)?;
            writeln!(err, "Nothing was written.")?;
            return Ok(exit);
        }
    };
    let merged = match input(given).and_then(|input| merge::merge(&input)) {
        Ok(merged) => merged,
        Err(findings) => {
            print::findings(err, &findings)?;
            writeln!(err, "Refused. Nothing was written.")?;
            return Ok(Exit::Refused);
        }
    };
    if let Err(error) = write(args, &merged) {
        writeln!(err, "error: {}", escape(&error.to_string()))?;
        if error.exists() {
            writeln!(err, "Existing files are never replaced. Name another file.")?;
        }
        return Ok(Exit::InputOutput);
    }
    show(args, &merged, out)?;
    Ok(if merged.reached() {
        Exit::Done
    } else {
        Exit::Stopped
    })
}

fn show(args: &MergeArgs, merged: &Merged, out: &mut dyn Write) -> std::io::Result<()> {
    print::findings(out, &merged.findings)?;
    writeln!(
        out,
        "{}, SHA-256 of the bytes that are signed:",
        escape(&merged.part.document.to_string())
    )?;
    print::digest(out, merged.part.payload())?;
    for (authority, report) in &merged.quorums {
        writeln!(out, "{}", print::quorum(authority, report))?;
    }
    let written = args.output.display().to_string();
    let state = if merged.reached() {
        "every threshold is reached"
    } else {
        "a threshold is not reached yet; merge again when more parts have come"
    };
    writeln!(out, "Written: {}; {state}.", escape(&written))
}

fn write(args: &MergeArgs, merged: &Merged) -> Result<(), FileError> {
    files::create_new(&args.output, &merged.part.to_vec())?;
    match &args.metadata {
        Some(path) => files::create_new(path, &merged.part.envelope.bytes()),
        None => Ok(()),
    }
}

struct Given {
    trusted_root: Option<(String, Vec<u8>)>,
    files: Vec<(String, Vec<u8>)>,
}

fn read(args: &MergeArgs) -> Result<Given, FileError> {
    let read = |path: &Path| {
        files::read(path, files::SMALL_CAP).map(|bytes| (path.display().to_string(), bytes))
    };
    Ok(Given {
        trusted_root: args.trusted_root.as_deref().map(read).transpose()?,
        files: args
            .parts
            .iter()
            .map(|path| read(path))
            .collect::<Result<_, _>>()?,
    })
}

// What a file is, it says itself; every fault of every file is told at once.
fn input(given: Given) -> Result<Input, Vec<Finding>> {
    let mut input = Input::default();
    let mut faults = Vec::new();
    let mut roots = Vec::new();
    let mut targets = Vec::new();
    let mut payloads = Vec::new();
    for (name, bytes) in given.files {
        let taken = match part::schema_of(&bytes).as_deref() {
            Some(part::SCHEMA) => {
                Part::parse(&name, &bytes).map(|part| input.parts.push((name, part)))
            }
            Some(ABANDONED_SCHEMA) => AbandonedRecord::parse(&name, &bytes)
                .map(|record| input.abandoned.push((name, record))),
            _ if rstuf::looks_like(&bytes) => {
                match rstuf::read(&name, &bytes) {
                    Ok(payload) => payloads.push((name, payload)),
                    Err(found) => faults.extend(found),
                }
                continue;
            }
            _ => metadata(&name, bytes).map(|(role, envelope)| match role {
                RoleType::Root => roots.push((name, envelope.bytes().to_vec())),
                RoleType::Targets => targets.push((name, envelope)),
                RoleType::Timestamp | RoleType::Snapshot => {
                    let text = "it is neither a part file nor metadata that names keys";
                    faults.push(Finding::error("MERGE-INPUT", &name, text));
                }
            }),
        };
        faults.extend(taken.err());
    }
    // Without a part file there is nothing to bring them to, and `merge` says so.
    if let Some(first) = input.parts.first().map(|(_, part)| part.clone()) {
        for (name, payload) in payloads {
            match as_part(&name, &payload, &first) {
                Ok(part) => input.parts.push((name, part)),
                Err(finding) => faults.push(finding),
            }
        }
    }
    if let Err(found) = delegators(&mut input, given.trusted_root, roots, targets) {
        faults.extend(found);
    }
    if faults.is_empty() {
        Ok(input)
    } else {
        Err(faults)
    }
}

fn metadata(name: &str, bytes: Vec<u8>) -> Result<(RoleType, Envelope), Finding> {
    let envelope = Envelope::parse(name, bytes, Limits::SMALL)?;
    Ok((Header::read(name, &envelope)?.role_type, envelope))
}

// Metadata that names keys must itself be signed by those who may: root by the chain, targets by root.
fn delegators(
    input: &mut Input,
    trusted_root: Option<(String, Vec<u8>)>,
    mut roots: Vec<(String, Vec<u8>)>,
    targets: Vec<(String, Envelope)>,
) -> Result<(), Vec<Finding>> {
    if let Some((name, bytes)) = &trusted_root {
        let envelope = Envelope::parse(name, bytes.clone(), Limits::SMALL).map_err(|f| vec![f])?;
        let root = Root::read(name, &envelope).map_err(|f| vec![f])?;
        input.trusted_root = Some((Sha256::of(bytes), root));
    }
    let Some(start) = trusted_root.or_else(|| roots.pop()) else {
        return Ok(());
    };
    let chain = chain::follow(start, roots);
    if !chain.holds() {
        let errors = chain.findings.into_iter();
        return Err(errors
            .filter(|finding| finding.level == Level::Error)
            .collect());
    }
    let newest = chain.newest().map(|newest| newest.root.clone());
    for (name, envelope) in targets {
        let content = Targets::read(&name, &envelope).map_err(|f| vec![f])?;
        let signed = newest.as_ref().is_some_and(|root| {
            root.role("targets")
                .is_some_and(|role| threshold(&envelope, &root.keys, role, &[]).reached())
        });
        if !signed {
            let text = "the keys of root do not sign it by their threshold, so it cannot say whose signatures count";
            return Err(vec![Finding::error("MERGE-AUTHORITY", &name, text)]);
        }
        input.delegators.targets = Some(content);
    }
    input.delegators.root = newest;
    Ok(())
}
