//! `rstuf`: payloads of RSTUF read, written and judged. Nothing is sent anywhere.

mod export;

use std::io::Write;
use std::path::Path;

use super::args::{RstufArgs, RstufCommand};
use super::{Answer, Exit, print};
use crate::bundle::files::{self, FileError};
use crate::plain::escape;
use crate::pypi::rstuf::{self, Document, Payload};
use crate::tuf::finding::{Finding, Level};
use crate::tuf::style;

const SCHEMA: &str = "tuf-ceremony/rstuf/1";

/// Does what the arguments say.
///
/// # Errors
/// What the writer says.
pub fn run(args: &RstufArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    match &args.command {
        RstufCommand::Lint { file, json } => lint(file, *json, out, err),
        RstufCommand::Import { file, output } => import(file, output, out, err),
        RstufCommand::Export(args) => export::run(args, out, err),
    }
}

fn lint(file: &Path, json: bool, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let bytes = match files::read(file, files::SMALL_CAP) {
        Ok(bytes) => bytes,
        Err(error) => return print::unread(err, &error),
    };
    let name = file.display().to_string();
    let findings = rstuf::lint(&name, &bytes).unwrap_or_else(|refused| refused);
    if json {
        print::refusal(out, SCHEMA, &findings)?;
    } else {
        print::findings(out, &findings)?;
        writeln!(out, "{}", summary(&findings))?;
    }
    Ok(exit(&findings))
}

fn import(file: &Path, output: &Path, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let bytes = match files::read(file, files::SMALL_CAP) {
        Ok(bytes) => bytes,
        Err(error) => return print::unread(err, &error),
    };
    let name = file.display().to_string();
    let taken = match rstuf::read(&name, &bytes).and_then(|payload| taken_out(&name, payload)) {
        Ok(taken) => taken,
        Err(findings) => {
            print::findings(err, &findings)?;
            writeln!(err, "Refused. Nothing was written.")?;
            return Ok(Exit::Refused);
        }
    };
    for (path, bytes) in &taken {
        if let Err(error) = write(output, path, bytes, out)? {
            return unwritten(err, &error);
        }
    }
    Ok(Exit::Done)
}

type Files = Vec<(String, Vec<u8>)>;

/// The files in a payload, by their paths.
fn taken_out(file: &str, payload: Payload) -> Result<Files, Vec<Finding>> {
    let at = |folder: &str, role: &str, document: &Document| {
        let path = format!("{folder}/{}.{role}.json", document.header.version);
        (path, document.envelope.bytes().to_vec())
    };
    Ok(match payload {
        Payload::Bootstrap { settings, root } => vec![
            at("metadata", "root", &root),
            ("settings.json".to_owned(), style::to_vec(&settings)),
        ],
        Payload::Update { root } => vec![at("candidate", "root", &root)],
        Payload::Pending { documents } => documents
            .iter()
            .map(|(name, document)| match name.strip_prefix("trusted_") {
                Some(role) => at("metadata", role, document),
                None => at("candidate", name, document),
            })
            .collect(),
        Payload::Sign { .. } => {
            let text = "one signature is no metadata: give this file to `merge`, together with the part file that it is for";
            return Err(vec![Finding::error("RSTUF-SIGN-ALONE", file, text)]);
        }
    })
}

/// Writes a new file below `folder` and says so.
fn write(
    folder: &Path,
    path: &str,
    bytes: &[u8],
    out: &mut dyn Write,
) -> std::io::Result<Result<(), FileError>> {
    let path = folder.join(path);
    let written = files::create_new(&path, bytes);
    if written.is_ok() {
        writeln!(out, "Written: {}", escape(&path.display().to_string()))?;
    }
    Ok(written)
}

fn unwritten(err: &mut dyn Write, error: &FileError) -> Answer {
    writeln!(err, "error: {}", escape(&error.to_string()))?;
    if error.exists() {
        writeln!(
            err,
            "Existing files are never replaced. Name another folder."
        )?;
    }
    Ok(Exit::InputOutput)
}

fn summary(findings: &[Finding]) -> String {
    let of = |level| print::count(findings, level);
    format!("{}, {}", of(Level::Error), of(Level::Warning))
}

fn exit(findings: &[Finding]) -> Exit {
    if findings.iter().any(|finding| finding.level == Level::Error) {
        Exit::Refused
    } else {
        Exit::Done
    }
}
