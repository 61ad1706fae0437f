//! A bundle's own claims against its bytes: the manifest, the transcript, and that both speak of the files that lie there.

mod attestations;
mod ledger;
mod proofs;

use std::collections::{BTreeMap, BTreeSet};

use super::Bundle;
use crate::bundle::files::{self, File};
use crate::bundle::manifest::{self, Manifest};
use crate::bundle::part::{self, AbandonedRecord, Part};
use crate::ceremony::event::{Event, Mode, ceremony_id};
use crate::ceremony::progress::{Opening, Progress};
use crate::transcript::{self, Transcript};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::{Envelope, Signature};
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;

/// What the transcript calls the holder of keys made in the ceremony.
const EPHEMERAL: &str = "ephemeral";

/// What bundles say that bears on the metadata.
#[derive(Default)]
pub(super) struct Claims {
    /// Files that a ceremony took in, by SHA-256: it did not make them.
    pub taken_in: BTreeSet<Sha256>,
    /// Payloads given up, and which file says so.
    pub abandoned: BTreeMap<Sha256, String>,
    /// The ledger that the others must begin, or begin with.
    ledgers: ledger::Longest,
    /// Roles signed with keys that were made for the ceremony and destroyed in it.
    pub ephemeral: BTreeSet<String>,
}

impl Claims {
    /// Checks one bundle and remembers what it says.
    pub(super) fn take(
        &mut self,
        bundle: &Bundle,
        trusted_root: &[u8],
        rehearsal: bool,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let manifest = match read_manifest(bundle) {
            Ok(manifest) => {
                findings.extend(manifest.check(&bundle.files));
                findings.extend(mode(manifest.mode, rehearsal));
                Some(manifest)
            }
            Err(refused) => {
                findings.extend(refused);
                None
            }
        };
        self.take_records(bundle);
        let transcript = read_transcript(bundle);
        let record = transcript.as_ref().ok();
        findings.extend(
            self.ledgers
                .take(&bundle.name, &Files(&bundle.files), record),
        );
        match transcript {
            Ok(transcript) => {
                self.take_events(bundle, &transcript);
                let files = Files(&bundle.files);
                findings.extend(compare(
                    &files,
                    &transcript,
                    manifest.as_ref(),
                    trusted_root,
                ));
                if bundle.finished {
                    findings.extend(finished(&files, &transcript));
                }
            }
            Err(finding) => findings.push(finding),
        }
        for finding in &mut findings {
            finding.file = format!("{}/{}", bundle.name, finding.file);
        }
        findings
    }

    fn take_records(&mut self, bundle: &Bundle) {
        for file in &bundle.files {
            self.take_record(&format!("{}/{}", bundle.name, file.path), &file.bytes);
        }
    }

    /// Takes in what a record of payloads that were given up says; false: the file is no such record.
    pub(super) fn take_record(&mut self, name: &str, bytes: &[u8]) -> bool {
        let Ok(record) = AbandonedRecord::parse(name, bytes) else {
            return false;
        };
        self.abandoned.extend(
            record
                .abandoned
                .iter()
                .map(|given_up| (given_up.payload, name.to_owned())),
        );
        true
    }

    fn take_events(&mut self, bundle: &Bundle, transcript: &Transcript) {
        let by = format!("{}/{}", bundle.name, transcript::NAME);
        for line in &transcript.lines {
            match &line.event {
                Event::TakenIn { file } => {
                    self.taken_in.insert(file.sha256);
                }
                Event::KeyEnrolled {
                    holder,
                    role,
                    token: None,
                    ..
                } if holder == EPHEMERAL => {
                    self.ephemeral.insert(role.clone());
                }
                Event::Superseded { abandoned, .. } => {
                    self.abandoned.insert(*abandoned, by.clone());
                }
                Event::Aborted { abandoned, .. } => {
                    self.abandoned.extend(
                        abandoned
                            .iter()
                            .map(|given_up| (given_up.payload, by.clone())),
                    );
                }
                _ => {}
            }
        }
    }
}

struct Files<'a>(&'a [File]);

impl<'a> Files<'a> {
    fn find(&self, path: &str) -> Option<&'a File> {
        self.0.iter().find(|file| file.path == path)
    }
    fn under(&self, folder: &'static str) -> impl Iterator<Item = &'a File> {
        self.0
            .iter()
            .filter(move |file| file.path.starts_with(folder))
    }
    // Every candidate that lies in the bundle: published metadata and travelling documents.
    fn envelopes(&self) -> impl Iterator<Item = Envelope> {
        let metadata = self
            .under("metadata/")
            .filter_map(|file| Envelope::parse(&file.path, file.bytes.clone(), Limits::LARGE).ok());
        let parts = self.0.iter().filter_map(|file| {
            let is_part = part::schema_of(&file.bytes).as_deref() == Some(part::SCHEMA);
            is_part.then(|| Part::parse(&file.path, &file.bytes).ok())?
        });
        metadata.chain(parts.map(|part| part.envelope))
    }
}

fn read_manifest(bundle: &Bundle) -> Result<Manifest, Vec<Finding>> {
    let file = Files(&bundle.files).find(manifest::NAME).ok_or_else(|| {
        vec![Finding::error(
            "MANIFEST-FORM",
            manifest::NAME,
            "the bundle has no manifest",
        )]
    })?;
    Manifest::parse(manifest::NAME, &file.bytes)
}

fn mode(mode: Mode, rehearsal: bool) -> Option<Finding> {
    let text = match (mode, rehearsal) {
        (Mode::Rehearsal, false) => {
            "the bundle is of a rehearsal; nothing of it is trusted in production"
        }
        (Mode::Production, true) => {
            "the bundle is of production; --rehearsal demands one of a rehearsal"
        }
        _ => return None,
    };
    Some(Finding::error("REHEARSAL-MARKER", manifest::NAME, text))
}

fn read_transcript(bundle: &Bundle) -> Result<Transcript, Finding> {
    let file = Files(&bundle.files).find(transcript::NAME).ok_or_else(|| {
        Finding::error(
            "BUNDLE-TRANSCRIPT",
            transcript::NAME,
            "the bundle has no transcript",
        )
    })?;
    transcript::read(&file.bytes)
        .map_err(|fault| Finding::error(fault.rule, transcript::NAME, fault.to_string()))
}

fn compare(
    files: &Files<'_>,
    transcript: &Transcript,
    manifest: Option<&Manifest>,
    trusted_root: &[u8],
) -> Vec<Finding> {
    let progress = transcript.progress();
    let Some(opening) = progress.opening() else {
        let text = "it is empty: no ceremony was opened";
        return vec![Finding::error(
            "TRANSCRIPT-INCOMPLETE",
            transcript::NAME,
            text,
        )];
    };
    let mut findings = Vec::new();
    findings.extend(manifest.and_then(|manifest| same_ceremony(opening, manifest)));
    findings.extend(script(files, opening));
    findings.extend(starting_point(files, opening, trusted_root));
    findings.extend(written(files, progress));
    findings.extend(proofs::check(
        files,
        transcript,
        opening.ceremony,
        trusted_root,
    ));
    findings.extend(attestations::check(files, transcript, opening.mode));
    if !gave_up(transcript) {
        findings.extend(signatures(files, progress));
        let rehearsal = opening.mode == Mode::Rehearsal;
        findings.extend(super::claim::check(
            files.0,
            progress.decisions(),
            opening.ceremony,
            rehearsal,
        ));
        if opening.kind == "rotate-dev" {
            findings.extend(super::rotation::check(files.0, rehearsal));
        }
    }
    findings
}

fn same_ceremony(opening: &Opening, manifest: &Manifest) -> Option<Finding> {
    let text = if opening.ceremony != manifest.ceremony {
        format!(
            "it is of the ceremony {}; the transcript is of {}",
            manifest.ceremony, opening.ceremony
        )
    } else if opening.mode != manifest.mode {
        "its mode is not that of the transcript".to_owned()
    } else {
        return None;
    };
    Some(Finding::error("BUNDLE-CEREMONY", manifest::NAME, text))
}

fn script(files: &Files<'_>, opening: &Opening) -> Option<Finding> {
    let Some(script) = files
        .under("ceremony/")
        .find(|file| Sha256::of(&file.bytes) == opening.script)
    else {
        let text = format!(
            "no file there is the script with SHA-256 {} that the transcript names",
            opening.script
        );
        return Some(Finding::error("BUNDLE-SCRIPT", "ceremony", text));
    };
    let id = ceremony_id(&script.bytes, opening.trusted_root);
    (id != opening.ceremony).then(|| {
        let text = format!(
            "script and trusted root make the ceremony's id {id}; the transcript says {}",
            opening.ceremony
        );
        Finding::error("BUNDLE-CEREMONY", transcript::NAME, text)
    })
}

// The root that the ceremony started from is the one given, or lies in the bundle, where the chain proves it.
fn starting_point(files: &Files<'_>, opening: &Opening, trusted_root: &[u8]) -> Option<Finding> {
    let wanted = opening.trusted_root?;
    let mut metadata = files.under("metadata/");
    let known = Sha256::of(trusted_root) == wanted
        || metadata.any(|file| Sha256::of(&file.bytes) == wanted);
    (!known).then(|| {
        let text = format!("the ceremony started from the root with SHA-256 {wanted}, which is neither the trusted root nor in the bundle");
        Finding::error("BUNDLE-TRUSTED-ROOT", transcript::NAME, text)
    })
}

fn written(files: &Files<'_>, progress: &Progress) -> Vec<Finding> {
    progress
        .written()
        .iter()
        .filter_map(|recorded| {
            let text = match files.find(&recorded.path) {
                None => "the transcript says that it was written, and it is not there",
                Some(file) if files::digest(&file.path, &file.bytes) == *recorded => return None,
                Some(_) => "it is not what the transcript says was written",
            };
            Some(Finding::error("TRANSCRIPT-WRITTEN", &recorded.path, text))
        })
        .collect()
}

fn gave_up(transcript: &Transcript) -> bool {
    transcript
        .lines
        .iter()
        .any(|line| matches!(line.event, Event::Aborted { .. }))
}

fn signatures(files: &Files<'_>, progress: &Progress) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut carried = BTreeMap::<Sha256, Vec<Signature>>::new();
    for envelope in files.envelopes() {
        let signatures = carried.entry(envelope.payload_digest()).or_default();
        signatures.extend_from_slice(envelope.signatures());
    }
    for document in progress.documents() {
        let carried = carried.get(&document.payload);
        for (signer, sig, _) in &document.signatures {
            let mut carried = carried
                .into_iter()
                .flatten()
                .filter(|signature| signature.keyid == signer.keyid);
            // Of two right ECDSA signatures by one key the smaller one stays.
            if carried.any(|signature| !signature.sig.is_empty() && signature.sig <= *sig) {
                continue;
            }
            let text = format!(
                "{} signed {} with the key {}, and no file in the bundle carries that signature",
                signer.holder, document.document, signer.keyid
            );
            findings.push(Finding::error(
                "TRANSCRIPT-SIGNATURE",
                transcript::NAME,
                text,
            ));
        }
    }
    findings
}

fn finished(files: &Files<'_>, transcript: &Transcript) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !transcript.is_complete() {
        let text = "it does not end with the close of the ceremony: lines are missing, or the ceremony is not over";
        findings.push(Finding::error(
            "TRANSCRIPT-INCOMPLETE",
            transcript::NAME,
            text,
        ));
    }
    let recorded = transcript
        .progress()
        .written()
        .iter()
        .any(|file| file.path == manifest::NAME);
    if files.find(manifest::NAME).is_some() && !recorded {
        let text = "the transcript does not record it, so nothing ties the two together";
        findings.push(Finding::error("BUNDLE-MANIFEST", manifest::NAME, text));
    }
    findings
}
