//! The bundle's ledger against what lies beside it, and against the ledgers of other bundles.

use std::collections::BTreeSet;

use super::Files;
use crate::ceremony::ledger::{PATH, TARGETS};
use crate::pypi::ledger::{Ledger, targets};
use crate::transcript::Transcript;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;

/// Of several bundles the longest ledger seen so far, and which bundle has it.
#[derive(Default)]
pub(super) struct Longest(Option<(String, Ledger)>);

impl Longest {
    /// Judges the ledger of one bundle. Bundles of programs that kept none have none.
    pub(super) fn take(
        &mut self,
        bundle: &str,
        files: &Files<'_>,
        transcript: Option<&Transcript>,
    ) -> Vec<Finding> {
        let mut findings: Vec<Finding> = files
            .find(TARGETS)
            .and_then(|file| targets::read(TARGETS, &file.bytes, &mut |_| {}).err())
            .into_iter()
            .collect();
        let Some(file) = files.find(PATH) else {
            return findings;
        };
        let ledger = match Ledger::parse(PATH, &file.bytes) {
            Ok(ledger) => ledger,
            Err(finding) => {
                findings.push(finding);
                return findings;
            }
        };
        findings.extend(files_beside(files, &ledger));
        findings.extend(transcript.iter().flat_map(|record| signed(record, &ledger)));
        let Some((other, longest)) = &self.0 else {
            self.0 = Some((bundle.to_owned(), ledger));
            return findings;
        };
        let other = format!("{other}/{PATH}");
        findings.extend(ledger.check_prefix(PATH, longest, &other));
        if ledger.entries().len() > longest.entries().len() {
            self.0 = Some((bundle.to_owned(), ledger));
        }
        findings
    }
}

/// Every offline document of `metadata/` is the one that the ledger has.
fn files_beside(files: &Files<'_>, ledger: &Ledger) -> Vec<Finding> {
    let roles: BTreeSet<&str> = ledger
        .entries()
        .iter()
        .map(|entry| entry.role.as_str())
        .collect();
    let mut findings = Vec::new();
    for file in files.under("metadata/") {
        let name = file.path.trim_start_matches("metadata/");
        let Some((version, role)) = name
            .strip_suffix(".json")
            .and_then(|name| name.split_once('.'))
        else {
            continue;
        };
        let (Ok(version), true) = (version.parse(), roles.contains(role)) else {
            continue;
        };
        // A file that cannot be read is told where the metadata is judged.
        let envelope = Envelope::parse(&file.path, file.bytes.clone(), Limits::LARGE);
        findings.extend(envelope.ok().and_then(|envelope| {
            ledger.check(&file.path, role, version, &envelope.payload_digest())
        }));
    }
    findings
}

/// `LEDGER-MISSING`: what the ceremony wrote stands in it.
fn signed(record: &Transcript, ledger: &Ledger) -> Vec<Finding> {
    let progress = record.progress();
    let is_written = |path: &str| progress.written().iter().any(|file| file.path == path);
    let missing = progress.documents().iter().filter(|known| {
        let document = &known.document;
        let path = format!("metadata/{}.{}.json", document.version, document.role);
        let line = ledger.find(&document.role, document.version);
        is_written(&path) && line.is_none_or(|line| line.payload != known.payload)
    });
    missing
        .map(|known| {
            let text = format!(
                "{} was signed in this ceremony with the payload {}, and no line says so",
                known.document, known.payload
            );
            Finding::error("LEDGER-MISSING", PATH, text)
        })
        .collect()
}
