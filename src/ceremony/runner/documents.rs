//! Candidates: built and put before the rules, read to their end by people, rehearsed as a shadow.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ask::Question;
use super::{Halt, Runner};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{BatchReviewed, Document, Event, Quorum, Signer};
use crate::ceremony::intake::Trusted;
use crate::ceremony::plan::{KeyChoice, Step};
use crate::ceremony::prompt::Ask;
use crate::ceremony::review::Review;
use crate::ceremony::review::batch::Beside;
use crate::ceremony::review::claimed::Checks;
use crate::ceremony::review::opening::Opening;
use crate::ceremony::review::watch::{self, Reason};
use crate::ceremony::{EPHEMERAL, attested, prepare, shadow};
use crate::pypi::shards::is_shard;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::KeyId;
use crate::tuf::metadata::Targets;

impl Runner<'_> {
    pub(super) fn build(&mut self) -> Result<(), Halt> {
        self.take_carried()?;
        self.candidates = self.built()?.into();
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
        let new = self.candidates.iter();
        let new = new.filter(|new| self.progress.document(&new.document).is_none());
        let built = new.map(|candidate| Event::Built {
            document: candidate.document.clone(),
            payload: candidate.payload(),
            size: candidate.envelope.payload().len() as u64,
            quorums: self.quorums(candidate),
        });
        let built: Vec<_> = built.collect();
        self.emit_all(&built)
    }

    pub(super) fn review(&mut self, document: &Document) -> Result<(), Halt> {
        let candidate = self.candidate(document)?.clone();
        let findings: Vec<_> = self.progress.findings().to_vec();
        let quorums = self.quorums(&candidate);
        if let Some(opening) = Opening::of(&candidate, &quorums, &findings) {
            self.operator.show(&opening);
        }
        let material = self.material();
        let anchors = self.anchors()?;
        let mut vouchers =
            attested::rows(&candidate, &self.progress, self.subject.trusted, &anchors);
        vouchers.extend(attested::online_rows(&candidate, &material));
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
            &candidate, &quorums, &findings, vouchers, &holder_of, &checks,
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
        self.ask_review(question, &review, &phrase, &document.to_string())?;
        self.emit(Event::Reviewed {
            document: document.clone(),
            payload: candidate.payload(),
            rows: review.rows_seen(),
            seen: review.seen(),
        })
    }

    /// One review and one phrase for all candidates that no other step names.
    pub(super) fn review_batch(&mut self) -> Result<(), Halt> {
        let candidates = Arc::clone(&self.candidates);
        let is_batched = |candidate: &&Candidate| {
            let known = self.progress.document(&candidate.document);
            known.is_some_and(|known| known.batched)
        };
        let batch: Vec<_> = candidates.iter().filter(is_batched).collect();
        if batch.is_empty() {
            return Ok(());
        }
        let findings = self.progress.findings().to_vec();
        let gone = gone(self.subject.trusted, &batch);
        let quorums: Vec<_> = batch.iter().flat_map(|one| self.quorums(one)).collect();
        if let Some(opening) = Opening::of_batch(&batch, &gone, &quorums, &findings) {
            self.operator.show(&opening);
        }
        let material = self.material();
        let anchors = self.anchors()?;
        let mut vouchers = Vec::new();
        for candidate in batch.iter().filter(|one| !is_shard(&one.document.role)) {
            let (progress, trusted) = (&self.progress, self.subject.trusted);
            vouchers.extend(attested::rows(candidate, progress, trusted, &anchors));
        }
        let holder_of = |keyid: &KeyId| {
            let key = batch.iter().find_map(|candidate| candidate.key(keyid))?;
            Some(material.holder_name(keyid, key)).filter(|name| !name.starts_with("unnamed"))
        };
        let dice = self.progress.decisions().drawn.as_ref();
        let dice = dice.map(|drawn| drawn.dice.clone());
        let beside = Beside {
            gone,
            quorums,
            findings: &findings,
            vouchers,
            holder_of: &holder_of,
            checks: Checks {
                reasons: self.watched(&findings)?,
                seed: dice.as_ref().map(String::as_bytes),
                ..Checks::default()
            },
        };
        let review = Arc::new(Review::of_batch(&batch, beside)?);
        let count = batch.len();
        let phrase = format!("sign all {count}");
        let title = format!("Review all {count} documents before anybody signs them");
        let text = vec!["Read the summary, then see the watch list and the spot checks one by one. What you see is derived from the exact bytes that the tokens will sign.".to_owned()];
        let digest = self.progress.batch_digest();
        let question = Question::new("review:batch", &title, text).with_digest(digest);
        self.ask_review(question, &review, &phrase, review.name())?;
        self.emit(Event::BatchReviewed(BatchReviewed {
            batch: digest,
            documents: count,
            rows: review.rows_seen(),
            seen: review.seen(),
        }))
    }

    /// Whoever asks people marks what they saw; a phrase before all of it is none.
    fn ask_review(
        &mut self,
        question: Question<'_>,
        review: &Arc<Review>,
        phrase: &str,
        what: &str,
    ) -> Result<(), Halt> {
        let ask = Ask::Review {
            review: Arc::clone(review),
            phrase: phrase.to_owned(),
        };
        let answer = self.ask(question, ask, &|answer| {
            (answer == phrase && review.is_seen()) || answer == "reject"
        })?;
        if answer == "reject" {
            let text = format!("{what} was rejected in the review; nothing was signed");
            return Err(Finding::error("REVIEW-REJECTED", "", text).into());
        }
        Ok(())
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
        let candidates = Arc::clone(&self.candidates);
        let mut passed = Vec::with_capacity(candidates.len());
        let mut secrets = shadow::Secrets::default();
        for candidate in &*candidates {
            let signers = self.planned_signers(candidate);
            let keyids: Vec<_> = signers.iter().map(|signer| signer.keyid.clone()).collect();
            let world = &mut *self.world;
            shadow::rehearse(candidate, &keyids, &mut secrets, &mut |algorithm| {
                world.throwaway(algorithm)
            })?;
            passed.push(Event::ShadowPassed {
                document: candidate.document.clone(),
                signers,
            });
        }
        self.emit_all(&passed)
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
        let known = self.progress.document(&candidate.document);
        let batched = known.is_some_and(|known| known.batched);
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
            Step::SignBatch { holder, key } if batched => Some(Signer {
                holder: holder.clone(),
                keyid: self
                    .keyid(holder, key)
                    .filter(|keyid| candidate.key(keyid).is_some())?,
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

/// Trusted shards that claimed, as it is built here, no longer delegates to.
fn gone<'t>(trusted: &'t Trusted, batch: &[&Candidate]) -> Vec<&'t Envelope> {
    let Some(claimed) = batch.iter().find(|one| one.document.role == "claimed") else {
        return Vec::new();
    };
    let Ok(Some(delegations)) =
        Targets::read("claimed", &claimed.envelope).map(|claimed| claimed.delegations)
    else {
        return Vec::new();
    };
    let trusted = trusted.current.iter();
    let gone = trusted.filter(|(role, _)| is_shard(role) && delegations.place(role).is_none());
    gone.map(|(_, (envelope, _))| envelope).collect()
}
