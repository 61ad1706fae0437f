//! The end: files are written and read back, a stranger's verdict over what lies on the medium, the transcript's head read aloud.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ask::{Question, choice};
use super::{Halt, Runner, Subject};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{Abandoned, Event, FileDigest};
use crate::ceremony::intake::Trusted;
use crate::ceremony::plan::Step;
use crate::ceremony::{ledger, lint, roll};
use crate::pypi::holders::Holders;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};

const MINUTES: &str = "ceremony/minutes.md";
/// So many files wait at most for the record to name them.
const GROUP: usize = 64;

/// The trusted files that no candidate replaces, by their path in a bundle.
fn carried<'t>(
    trusted: &'t Trusted,
    candidates: &[Candidate],
) -> impl Iterator<Item = (String, &'t Envelope)> {
    let made: BTreeSet<String> = candidates.iter().map(Candidate::path).collect();
    let roots = trusted.chain.iter().flat_map(|chain| &chain.roots);
    let roots = roots.map(|chained| ("root", chained.root.header.version, &chained.envelope));
    let current = trusted.current.iter();
    let current =
        current.map(|(role, (envelope, parsed))| (&**role, parsed.header.version, envelope));
    let files = roots.chain(current);
    let files = files
        .map(|(role, version, envelope)| (format!("metadata/{version}.{role}.json"), envelope));
    files.filter(move |(path, _)| !made.contains(path))
}

impl Runner<'_> {
    pub(super) fn export(&mut self) -> Result<(), Halt> {
        self.write("ceremony/script.toml", self.subject.script_bytes)?;
        self.write("ceremony/plan.txt", self.subject.planned.text.as_bytes())?;
        if self.subject.signing_only {
            return self.write_parts();
        }
        self.write_metadata()?;
        for (path, bytes) in self.attestation_files() {
            self.write(&path, &bytes)?;
        }
        let steps = self.progress.steps();
        let proves = steps.iter().any(|step| matches!(step, Step::Prove { .. }));
        let moves_keys = |step: &Step| {
            matches!(
                step,
                Step::BackUp { .. } | Step::OpenBackup { .. } | Step::Restore { .. }
            )
        };
        let moves_keys = steps.iter().any(moves_keys);
        if proves || moves_keys || !self.candidates.is_empty() {
            let holders = roll::after(&self.material(), &self.progress, &self.candidates);
            if proves {
                self.tell_margins(&holders)?;
            }
            self.write("ceremony/holders.toml", &holders.to_bytes())?;
        }
        if !self.candidates.is_empty() {
            let outputs = (self.subject.kind.outputs)(&self.material(), &self.candidates)?;
            let actions = self.online_actions(outputs.projects);
            self.write("online/online-actions.json", &actions)?;
            for (path, bytes) in outputs.files {
                self.write(&path, &bytes)?;
            }
        }
        if !self.candidates.is_empty() || self.subject.trusted.asked.ledger.is_some() {
            let Subject {
                trusted, script, ..
            } = *self.subject;
            let ceremony = self.subject.ceremony;
            let ledger = ledger::after(trusted, script, ceremony, &self.candidates)?;
            self.write(ledger::PATH, &ledger.to_bytes())?;
        }
        if let Some(newest) = self.subject.trusted.archives.first() {
            let targets = ledger::targets(newest)?;
            self.write(ledger::TARGETS, &targets)?;
        }
        let given_up = self.given_up();
        if !given_up.is_empty() {
            let record = serde_json::json!({
                "schema": "tuf-ceremony/abandoned/1",
                "ceremony": self.subject.ceremony,
                "abandoned": given_up,
            });
            self.write(
                "ceremony/abandoned.json",
                format!("{record:#}\n").as_bytes(),
            )?;
        }
        // The minutes tell what is on record, so a second writing after an interruption would differ.
        if self
            .progress
            .written()
            .iter()
            .any(|file| file.path == MINUTES)
        {
            return Ok(());
        }
        let (minutes, _) = self.world.minutes()?;
        self.write(MINUTES, minutes.as_bytes())
    }

    pub(super) fn verdict(&mut self) -> Result<(), Halt> {
        let (manifest, findings) = self.world.verdict()?;
        self.emit(Event::Written { file: manifest })?;
        let errors: Vec<_> = findings
            .iter()
            .filter(|finding| finding.level == Level::Error)
            .cloned()
            .collect();
        self.emit(Event::Verdict {
            ok: errors.is_empty(),
            findings,
        })?;
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Halt::Refused(errors))
        }
    }

    pub(super) fn abandon(&mut self) -> Result<(), Halt> {
        let given_up: Vec<_> = self
            .subject
            .script
            .abandons
            .iter()
            .map(Abandoned::from)
            .collect();
        for entry in &given_up {
            let text = vec![
                format!("{} is given up for good. Its payload:", entry.document),
                entry.payload.to_string(),
                format!(
                    "Signed by: {}.",
                    if entry.signed_by.is_empty() {
                        "nobody".to_owned()
                    } else {
                        entry.signed_by.join(", ")
                    }
                ),
                "Nothing lifts this: sign, merge and verify refuse the payload from now on."
                    .to_owned(),
            ];
            let question = Question::new(format!("abandon:{}", entry.payload), "Give it up?", text)
                .with_digest(entry.payload);
            self.ask_phrase(question, &format!("give up {}", entry.document))?;
        }
        self.emit(Event::Aborted {
            reason: self.subject.script.title.clone(),
            abandoned: given_up,
        })
    }

    pub(super) fn close(&mut self) -> Result<(), Halt> {
        let (_, head) = self.world.minutes()?;
        let text = vec![
            "The words are the transcript so far. Read them aloud; witnesses write them down."
                .to_owned(),
            "Then remove the tokens and seal the bags.".to_owned(),
        ];
        let question =
            Question::new("close", "Read the transcript's head aloud", text).with_digest(head);
        self.ask_choice(
            question,
            vec![choice("done", "the words were read and written down")],
        )
        .map(drop)
    }

    /// What the keys that nobody has seen sign would mean, once for all: an interruption does not tell it twice.
    fn tell_margins(&mut self, holders: &Holders) -> Result<(), Halt> {
        for finding in lint::unproven_now(&self.material(), holders) {
            if !self.progress.findings().contains(&finding) {
                self.emit(Event::Found { finding })?;
            }
        }
        Ok(())
    }

    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Halt> {
        let file = self.world.write(path, bytes)?;
        self.emit(Event::Written { file })
    }

    /// Every file of `metadata/`: the trusted chain and roles, and the candidates with their signatures in place of what they replace. One file is in memory
    /// at a time.
    fn write_metadata(&mut self) -> Result<(), Halt> {
        let candidates = Arc::clone(&self.candidates);
        let mut written = Vec::new();
        for (path, envelope) in carried(self.subject.trusted, &candidates) {
            let file = self.world.write(&path, &envelope.bytes())?;
            self.wrote(&mut written, file)?;
        }
        for candidate in &*candidates {
            if let Some(signed) = self.signed(candidate)? {
                let file = self.world.write(&candidate.path(), &signed.bytes())?;
                self.wrote(&mut written, file)?;
            }
        }
        self.emit_all(&written)
    }

    /// A candidate with every signature that it needs; none where it was not built here.
    fn signed(&self, candidate: &Candidate) -> Result<Option<Envelope>, Finding> {
        let Some(known) = self.progress.document(&candidate.document) else {
            return Ok(None);
        };
        let signed = candidate.signed(known);
        let mut reports = candidate.reports(&signed).into_iter();
        if reports.all(|report| report.reached()) {
            return Ok(Some(signed));
        }
        let text = format!(
            "{} does not reach its thresholds with the recorded signatures; it was not written",
            candidate.document
        );
        Err(Finding::error("EXPORT-THRESHOLD", &candidate.path(), text))
    }

    /// What restores the repository beside the keys: all metadata, the script, the plan and the register.
    pub(super) fn backup_files(&self) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
        let carried = carried(self.subject.trusted, &self.candidates);
        let carried = carried.map(|(path, envelope)| (path, envelope.bytes().into_owned()));
        let mut files: BTreeMap<_, _> = carried.collect();
        for candidate in &*self.candidates {
            let signed = self.signed(candidate)?;
            files.extend(signed.map(|signed| (candidate.path(), signed.bytes().into_owned())));
        }
        let holders = roll::after(&self.material(), &self.progress, &self.candidates);
        files.extend([
            (
                "ceremony/script.toml".to_owned(),
                self.subject.script_bytes.to_vec(),
            ),
            (
                "ceremony/plan.txt".to_owned(),
                self.subject.planned.text.clone().into_bytes(),
            ),
            ("ceremony/holders.toml".to_owned(), holders.to_bytes()),
        ]);
        Ok(files)
    }

    /// Files that are on the medium go on record several at a time: one that is not is found there and is the same.
    fn wrote(&mut self, written: &mut Vec<Event>, file: FileDigest) -> Result<(), Halt> {
        written.push(Event::Written { file });
        if written.len() < GROUP {
            return Ok(());
        }
        self.emit_all(&std::mem::take(written))
    }

    fn given_up(&self) -> Vec<Abandoned> {
        let script = self.subject.script;
        let mut given_up = self.subject.trusted.abandoned.clone();
        given_up.extend(
            script
                .supersedes
                .iter()
                .chain(&script.abandons)
                .map(Abandoned::from),
        );
        given_up.dedup();
        given_up
    }

    fn online_actions(&self, projects: Option<serde_json::Value>) -> Vec<u8> {
        let holds: Vec<_> = self
            .progress
            .findings()
            .iter()
            .filter(|finding| finding.rule == "PUBLISH-HOLD")
            .map(|finding| &finding.text)
            .collect();
        let mut actions = serde_json::json!({
            "schema": "tuf-ceremony/online-actions/1",
            "ceremony": self.subject.ceremony,
            "holds": holds,
            "publish": (self.subject.kind.publish)(&self.candidates),
        });
        if let Some(projects) = projects {
            actions["projects"] = projects;
        }
        format!("{actions:#}\n").into_bytes()
    }
}
