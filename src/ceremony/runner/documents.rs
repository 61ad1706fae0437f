//! Candidates: built and put before the rules, read to their end by people, rehearsed as a shadow.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ask::Question;
use super::{Halt, Runner};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{Document, Event, Quorum, Signer};
use crate::ceremony::plan::{KeyChoice, Step};
use crate::ceremony::prompt::Ask;
use crate::ceremony::review::Review;
use crate::ceremony::review::claimed::Checks;
use crate::ceremony::review::watch::{self, Reason};
use crate::ceremony::{EPHEMERAL, attested, prepare, shadow};
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::KeyId;

impl Runner<'_> {
    pub(super) fn build(&mut self) -> Result<(), Halt> {
        self.take_carried()?;
        self.candidates = self.built()?;
        let now = self.world.now();
        let findings = prepare::judge(self.subject.kind, &self.material(), &self.candidates, now);
        for finding in &findings {
            self.emit(Event::Found {
                finding: finding.clone(),
            })?;
        }
        let errors: Vec<_> = findings
            .into_iter()
            .filter(|finding| finding.level == Level::Error)
            .collect();
        if !errors.is_empty() {
            return Err(Halt::Refused(errors));
        }
        for candidate in self.candidates.clone() {
            let quorums = self.quorums(&candidate);
            if self.progress.document(&candidate.document).is_none() {
                self.emit(Event::Built {
                    document: candidate.document.clone(),
                    payload: candidate.payload(),
                    size: candidate.envelope.payload().len() as u64,
                    quorums,
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn review(&mut self, document: &Document) -> Result<(), Halt> {
        let candidate = self.candidate(document)?.clone();
        let findings: Vec<_> = self.progress.findings().to_vec();
        let material = self.material();
        let anchors = self.anchors()?;
        let mut vouchers =
            attested::rows(&candidate, &self.progress, self.subject.trusted, &anchors);
        vouchers.extend(attested::online_rows(&candidate, self.subject.script));
        let holder_of = |keyid: &KeyId| {
            let key = candidate.key(keyid)?;
            Some(material.holder_name(keyid, key)).filter(|name| !name.starts_with("unnamed"))
        };
        let dice = self.progress.decisions().drawn.as_ref();
        let dice = dice.map(|drawn| drawn.dice.clone());
        let checks = Checks {
            reasons: self.watched(&findings)?,
            seed: dice.as_ref().map(String::as_bytes),
            ..Checks::default()
        };
        let review = Arc::new(Review::of_claimed(
            &candidate,
            &self.quorums(&candidate),
            &findings,
            vouchers,
            &holder_of,
            &checks,
        )?);
        let phrase = format!("sign {document}");
        let title = format!("Review {document} before anybody signs it");
        let how = if review.entries().is_some() {
            "Read the summary, then see the watch list and the spot checks one by one."
        } else {
            "Read to the end."
        };
        let text = vec![format!(
            "{how} What you see is derived from the exact bytes that the tokens will sign."
        )];
        let question = Question::new(
            format!("review:{}-{}", document.role, document.version),
            &title,
            text,
        )
        .with_digest(candidate.payload());
        let ask = Ask::Review {
            review: Arc::clone(&review),
            phrase: phrase.clone(),
        };
        // Whoever asks people marks what they saw; a phrase before all of it is none.
        if self.ask(question, ask, &|answer| {
            (answer == phrase && review.is_seen()) || answer == "reject"
        })? == "reject"
        {
            return Err(Finding::error(
                "REVIEW-REJECTED",
                "",
                format!("{document} was rejected in the review; nothing was signed"),
            )
            .into());
        }
        self.emit(Event::Reviewed {
            document: document.clone(),
            payload: candidate.payload(),
            rows: review.rows_seen(),
            seen: review.seen(),
        })
    }

    /// Why projects must be seen, but for what the two files say themselves.
    fn watched(&self, findings: &[Finding]) -> Result<Vec<(String, Reason)>, Halt> {
        /// So many of the most downloaded projects where no script says how many.
        const TOP: usize = 1000;
        let (script, trusted) = (self.subject.script, self.subject.trusted);
        let mut reasons: Vec<_> = findings.iter().filter_map(watch::of_finding).collect();
        if script.claim.is_some() {
            let vetting = trusted.vetting(script).map_err(Halt::Refused)?;
            reasons.extend(watch::of_vetting(&vetting));
        } else {
            reasons.extend(watch::of_top(&trusted.asked.top, TOP));
        }
        Ok(reasons)
    }

    pub(super) fn shadow(&mut self) -> Result<(), Halt> {
        for candidate in self.candidates.clone() {
            let signers = self.planned_signers(&candidate);
            let keyids: Vec<_> = signers.iter().map(|signer| signer.keyid.clone()).collect();
            let world = &mut *self.world;
            shadow::rehearse(&candidate, &keyids, &mut |algorithm| {
                world.throwaway(algorithm)
            })?;
            self.emit(Event::ShadowPassed {
                document: candidate.document.clone(),
                signers,
            })?;
        }
        Ok(())
    }

    /// The candidates from the script and the keys so far; in a remote signing those that travelled here, which must be what the script makes.
    pub(super) fn built(&mut self) -> Result<Vec<Candidate>, Halt> {
        if self.subject.signing_only {
            return self.travelled();
        }
        Ok((self.subject.kind.build)(&self.material())?)
    }

    pub(super) fn candidate(&self, document: &Document) -> Result<&Candidate, Halt> {
        self.candidates
            .iter()
            .find(|candidate| candidate.document == *document)
            .ok_or_else(|| {
                Finding::error(
                    "PLAN-DOCUMENT",
                    "",
                    format!("the plan names {document}, and the script does not make it"),
                )
                .into()
            })
    }

    pub(super) fn quorums(&self, candidate: &Candidate) -> Vec<Quorum> {
        let material = self.material();
        candidate.quorums(&|keyid, key| material.holder_name(keyid, key))
    }

    /// The key that a planned step means.
    pub(super) fn keyid(&self, holder: &str, key: &KeyChoice) -> Option<KeyId> {
        match key {
            KeyChoice::Keyid(keyid) => Some(keyid.clone()),
            KeyChoice::Made { role } => self.material().made(holder, role).map(|(keyid, _)| keyid),
        }
    }

    /// Who signs by the plan. In a remote signing all who may: the others sign elsewhere.
    fn planned_signers(&self, candidate: &Candidate) -> Vec<Signer> {
        let everyone = || {
            self.quorums(candidate)
                .into_iter()
                .flat_map(|quorum| quorum.signers)
        };
        let ephemeral = self.progress.steps().iter().any(|step| matches!(step, Step::SignEphemeral { document } if document.role == candidate.document.role));
        let steps = self.progress.steps().iter().filter_map(|step| match step {
            Step::Sign {
                document,
                holder,
                key,
            } if *document == candidate.document => Some(Signer {
                holder: holder.clone(),
                keyid: self.keyid(holder, key)?,
            }),
            _ => None,
        });
        let mut signers: Vec<Signer> = if self.subject.signing_only {
            everyone().collect()
        } else {
            steps.collect()
        };
        if ephemeral {
            signers.extend(everyone().filter(|signer| signer.holder == EPHEMERAL));
        }
        // In the order in which people come, each key once.
        let mut known = BTreeSet::new();
        signers.retain(|signer| known.insert(signer.keyid.clone()));
        signers
    }
}
