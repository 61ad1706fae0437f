//! `attest verify`: whether a genuine device made exactly this key, for people or as the JSON object that other programs rely on.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::args::{AttestAction, AttestArgs, AttestVerifyArgs};
use super::{Answer, Exit, print};
use crate::attestation::{self, Anchors, Fault, Statement, split};
use crate::bundle::files::{self, FileError};
use crate::plain::escape;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::{Key, KeyError, KeyId, PublicKey};

const SCHEMA: &str = "tuf-ceremony/attestation/1";

/// Most bytes of a file here: a few certificates with text between.
const CAP: u64 = 1 << 20;

/// The verdict as JSON.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    /// False exactly when a finding is an error.
    ok: bool,
    key: Option<KeyLine>,
    statement: Option<Statement>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct KeyLine {
    /// `P-256`.
    description: String,
    /// SHA-256 of the key as DER (`SubjectPublicKeyInfo`).
    fingerprint: Sha256,
    /// The keyid it has in metadata that we write.
    keyid: KeyId,
}

/// Does what the subcommand says.
///
/// # Errors
/// What the writer says.
pub fn run(args: &AttestArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let AttestAction::Verify(args) = &args.action;
    let report = match judge(args) {
        Ok(report) => report,
        Err(error) => return print::unread(err, &error),
    };
    if args.json {
        print::json(out, &report)?;
    } else {
        show(out, &report)?;
    }
    Ok(if report.ok { Exit::Done } else { Exit::Refused })
}

fn judge(args: &AttestVerifyArgs) -> Result<Report, FileError> {
    let key_name = args.key.display().to_string();
    let key = public_key(&files::read(&args.key, CAP)?);
    let mut certificates = Vec::new();
    let mut findings = Vec::new();
    for path in &args.certificates {
        match read(path)? {
            Ok(more) => certificates.extend(more),
            Err(finding) => findings.push(finding),
        }
    }
    let mut anchors = Anchors::yubico();
    for path in &args.test_roots {
        let name = path.display().to_string();
        let roots = read(path)?;
        let added = roots.and_then(|roots| {
            roots.iter().try_fold(anchors.clone(), |anchors, root| {
                anchors
                    .with_test_root(&name, root)
                    .map_err(|fault| fault.finding(&name))
            })
        });
        match added {
            Ok(more) => anchors = more,
            Err(finding) => findings.push(finding),
        }
    }
    let mut statement = None;
    match &key {
        Err(error) => findings.push(Finding::error(error.rule, &key_name, error.text.as_str())),
        Ok(_) if !findings.is_empty() => {}
        Ok(public) => {
            let name = args
                .certificates
                .first()
                .map_or_else(String::new, |path| path.display().to_string());
            match attestation::verify(public, &certificates, &anchors) {
                Ok(genuine) => {
                    findings.extend(genuine.remarks(&name));
                    statement = Some(genuine);
                }
                Err(faults) => findings.extend(faults.iter().map(|fault| fault.finding(&name))),
            }
        }
    }
    Ok(Report {
        schema: SCHEMA,
        ok: statement.is_some(),
        key: key
            .ok()
            .and_then(|public| Key::from_public(&public))
            .map(|key| KeyLine {
                description: key.description(),
                fingerprint: key.public().fingerprint(),
                keyid: key.keyid(),
            }),
        statement,
        findings,
    })
}

/// The certificates in a file, or why there are none.
fn read(path: &Path) -> Result<Result<Vec<Vec<u8>>, Finding>, FileError> {
    let name = path.display().to_string();
    let bytes = files::read(path, CAP)?;
    Ok(split(&name, &bytes).map_err(|fault: Fault| fault.finding(&name)))
}

/// DER begins with SEQUENCE, which neither PEM nor hexadecimal does.
fn public_key(bytes: &[u8]) -> Result<PublicKey, KeyError> {
    if bytes.first() == Some(&0x30) && PublicKey::from_spki_der(bytes).is_ok() {
        return PublicKey::from_spki_der(bytes);
    }
    PublicKey::from_text(&String::from_utf8_lossy(bytes))
}

fn show(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if let Some(statement) = &report.statement {
        for line in statement.lines() {
            writeln!(out, "{line}")?;
        }
    }
    print::findings(out, &report.findings)?;
    if let Some(key) = &report.key {
        writeln!(out, "key {}", escape(&key.description))?;
        writeln!(out, "  fingerprint {}", key.fingerprint)?;
        writeln!(out, "  keyid       {}", key.keyid)?;
    }
    let verdict = match &report.statement {
        None => "NOT PROVEN: no genuine device is shown to have made this key",
        Some(statement) if statement.test_root => {
            "TEST ROOT: bound to this key, but nothing is proven of a real device"
        }
        Some(_) => "GENUINE: this device made this key",
    };
    let count = |level| print::count(&report.findings, level);
    writeln!(
        out,
        "{verdict}; {}, {}, {}",
        count(Level::Error),
        count(Level::Warning),
        count(Level::Note)
    )
}
