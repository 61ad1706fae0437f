//! One signature: the token's public key must be the one in the metadata, the intent is on record before the token is asked, and what comes back counts
//! only after software has verified it with the key from the metadata.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use super::ask::Question;
use super::turn::{Bring, Turn, too_long, wants_pin_again};
use super::{Halt, Runner};
use crate::ceremony::EPHEMERAL;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{Document, Event, Signer};
use crate::ceremony::plan::KeyChoice;
use crate::ceremony::port::{Payload, SignRequest, TokenError, TokenFault, TokenInfo, TokenKey};
use crate::ceremony::review::Reviewed;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::Key;

impl Runner<'_> {
    pub(super) fn sign_ephemeral(&mut self, document: &Document) -> Result<(), Halt> {
        let candidate = self.candidate(document)?.clone();
        let own = self
            .quorums(&candidate)
            .into_iter()
            .flat_map(|quorum| quorum.signers)
            .filter(|signer| signer.holder == EPHEMERAL);
        for signer in own.collect::<Vec<_>>() {
            if self.is_signed(document, &signer) {
                continue;
            }
            let key = metadata_key(&candidate, &signer)?;
            let request = self.request(&candidate)?;
            self.intend(&candidate, &signer)?;
            let sig = self.world.sign_ephemeral(&request, key.public());
            self.count(&candidate, &signer, sig)?;
        }
        Ok(())
    }

    pub(super) fn sign_planned(
        &mut self,
        document: &Document,
        holder: &str,
        key: &KeyChoice,
    ) -> Result<(), Halt> {
        let keyid = self.keyid(holder, key).ok_or_else(|| {
            Finding::error(
                "PLAN-KEY",
                "",
                format!("{holder} made no key for {document}"),
            )
        })?;
        let signer = Signer {
            holder: holder.to_owned(),
            keyid,
        };
        self.import_parts()?;
        if self.is_signed(document, &signer) {
            return Ok(());
        }
        if !self.sign(document, &signer)? {
            self.emit(Event::Skipped {
                document: document.clone(),
                signer,
            })?;
        }
        Ok(())
    }

    /// Asks the holder's token for one signature; `false`: passed over.
    pub(super) fn sign(&mut self, document: &Document, signer: &Signer) -> Result<bool, Halt> {
        let candidate = self.candidate(document)?.clone();
        let wanted = metadata_key(&candidate, signer)?;
        let id = format!(
            "token:sign:{}-{}:{}",
            document.role, document.version, signer.holder
        );
        let text = format!(
            "{} signs {document} with the {} key {}.",
            signer.holder,
            wanted.description(),
            signer.keyid
        );
        let title = format!("Sign {document}: these bytes and no others");
        let question = Question::new(id, &title, vec![text]).with_digest(candidate.payload());
        let turn = &mut |runner: &mut Self, token: &TokenInfo| {
            runner.sign_on(&candidate, signer, token, &wanted)
        };
        let done = self.take_turn(&question, &signer.holder, Bring::OrPass, turn)?;
        Ok(done.is_some())
    }

    /// One signature by the token that is there.
    fn sign_on(
        &mut self,
        candidate: &Candidate,
        signer: &Signer,
        token: &TokenInfo,
        wanted: &Key,
    ) -> Result<Turn<()>, Halt> {
        if let Some(why) = self.is_unfit(token, wanted, candidate.envelope.payload().len())? {
            return Ok(Turn::Refused(why));
        }
        self.refuse_given_away(wanted.public())?;
        self.check_register(&[candidate], signer)?;
        self.sign_off_token(&signer.holder, &signer.keyid, wanted.public(), token)?;
        if !self.log_in(&signer.holder, token)? {
            return Ok(Turn::Passed);
        }
        let key = self.find(token, |key| key.public() == wanted.public())?;
        self.ask_token(candidate, signer, token, &key)
    }

    /// An intent without a result: the token may have signed, and a person decides to go on.
    pub(super) fn settle_pending(&mut self) -> Result<(), Halt> {
        let Some((document, signer)) = self.progress.pending().cloned() else {
            return self.settle_batch();
        };
        let text = vec![
            format!("{} was asked to sign {document}, and no answer is on record.", signer.holder),
            "The token may have signed. A signature that nobody holds harms nobody, if the payload stays the same: it does.".to_owned(),
        ];
        let id = format!(
            "intent:{}-{}:{}",
            document.role, document.version, signer.holder
        );
        self.ask_phrase(
            Question::new(id, "The token may have signed", text),
            "ask the token again",
        )?;
        self.emit(Event::IntentDecided { document, signer })
    }

    pub(super) fn is_signed(&self, document: &Document, signer: &Signer) -> bool {
        self.progress
            .document(document)
            .is_some_and(|known| known.is_signed_by(&signer.keyid))
    }

    fn ask_token(
        &mut self,
        candidate: &Candidate,
        signer: &Signer,
        token: &TokenInfo,
        key: &TokenKey,
    ) -> Result<Turn<()>, Halt> {
        let request = self.request(candidate)?;
        let payload = (candidate.document.clone(), candidate.payload());
        self.world.register(signer, &[payload])?;
        self.intend(candidate, signer)?;
        let mut sig = self.ask_once(&request, token, key);
        if wants_pin_again(key, &sig) {
            // One PIN a signature: it is asked for again, and never kept for this.
            match self.count(candidate, signer, sig) {
                Ok(()) | Err(Halt::Token(_)) => self.end_session(),
                Err(halt) => return Err(halt),
            }
            if !self.log_in(&signer.holder, token)? {
                return Ok(Turn::Passed);
            }
            self.intend(candidate, signer)?;
            sig = self.ask_once(&request, token, key);
        }
        self.count(candidate, signer, sig).map(Turn::Done)
    }

    fn request<'c>(&self, candidate: &'c Candidate) -> Result<SignRequest<'c>, Halt> {
        self.reviewed(candidate).map(SignRequest::Metadata)
    }

    /// The candidate as it was reviewed: only this is signed.
    pub(super) fn reviewed<'c>(&self, candidate: &'c Candidate) -> Result<Reviewed<'c>, Halt> {
        let reviewed = Reviewed::of(candidate, &self.progress);
        reviewed.ok_or_else(|| {
            Finding::error(
                "NOT-REVIEWED",
                "",
                format!(
                    "{} was not reviewed; nothing was signed",
                    candidate.document
                ),
            )
            .into()
        })
    }

    fn intend(&mut self, candidate: &Candidate, signer: &Signer) -> Result<(), Halt> {
        self.emit(Event::SigningIntended {
            document: candidate.document.clone(),
            payload: candidate.payload(),
            signer: signer.clone(),
        })
    }

    /// Why a signature that verifies does not count all the same.
    pub(super) fn repeats(
        &self,
        candidate: &Candidate,
        signer: &Signer,
        sig: &[u8],
    ) -> Option<Finding> {
        let key = candidate.key(&signer.keyid)?;
        let what = format!("{} for {}", signer.holder, candidate.document);
        candidate
            .verifies(&signer.keyid, sig)
            .then(|| self.repeated(key.public(), candidate.payload(), sig, &what))?
    }

    /// Counts what a key returned, or says why not.
    fn count(
        &mut self,
        candidate: &Candidate,
        signer: &Signer,
        sig: Result<Vec<u8>, TokenError>,
    ) -> Result<(), Halt> {
        let (document, payload) = (candidate.document.clone(), candidate.payload());
        let repeated = sig
            .as_ref()
            .ok()
            .and_then(|sig| self.repeats(candidate, signer, sig));
        if let Some(repeated) = repeated {
            self.emit(Event::SigningFailed {
                document,
                signer: signer.clone(),
                reason: repeated.text.clone(),
            })?;
            return Err(self.refuse_repeated(repeated));
        }
        match sig {
            Ok(sig) if candidate.verifies(&signer.keyid, &sig) => self.emit(Event::Signed {
                document,
                payload,
                signer: signer.clone(),
                sig: HEXLOWER.encode(&sig),
            }),
            Ok(_) => {
                let error = TokenError {
                    attempted: format!("sign {document} for {}", signer.holder),
                    said: "the token returned a signature that does not verify with the key in the metadata; it was thrown away".to_owned(),
                    fault: TokenFault::Other,
                    may_have_signed: false,
                };
                self.emit(Event::SigningFailed {
                    document,
                    signer: signer.clone(),
                    reason: error.to_string(),
                })?;
                Err(error.into())
            }
            Err(error) => {
                if !error.may_have_signed {
                    self.emit(Event::SigningFailed {
                        document,
                        signer: signer.clone(),
                        reason: error.to_string(),
                    })?;
                }
                Err(error.into())
            }
        }
    }

    /// Why a token is refused before its PIN: it shows its public keys and not this one, or the key cannot sign so many bytes.
    pub(super) fn is_unfit(
        &mut self,
        token: &TokenInfo,
        wanted: &Key,
        size: usize,
    ) -> Result<Option<String>, Halt> {
        let mut shown = self.world.keys(&token.id)?;
        let shows_any = !shown.is_empty();
        shown.retain(|key| key.public == *wanted.public());
        if shows_any && shown.is_empty() {
            return Ok(Some("That token does not hold this key. It was refused before its PIN; nothing was signed.".to_owned()));
        }
        Ok(too_long(&shown, size))
    }

    /// One payload per role and version: what this holder has signed before decides.
    pub(super) fn check_register(
        &mut self,
        candidates: &[&Candidate],
        signer: &Signer,
    ) -> Result<(), Halt> {
        let holder = &signer.holder;
        let registered = self.world.registered(signer)?;
        let open: Vec<_> = candidates
            .iter()
            .map(|candidate| &candidate.document)
            .filter(|document| !self.progress.is_acknowledged(holder, document))
            .cloned()
            .collect();
        if let Some(payloads) = &registered {
            self.refuse_other(candidates, holder, payloads)?;
        } else if let Some(first) = open.first() {
            let text = vec![
                format!("There is no register of what {holder} has signed: the room names none, or its file is not there. Nobody can look it up."),
                "Merge and verify refuse two payloads of one version; this is the holder's own word.".to_owned(),
            ];
            let (id, which) = match candidates {
                [_] => (
                    format!("{}-{}", first.role, first.version),
                    first.to_string(),
                ),
                several => (
                    "batch".to_owned(),
                    format!("version of these {}", several.len()),
                ),
            };
            let question = Question::new(
                format!("register:{id}:{holder}"),
                "No register of signed digests",
                text,
            );
            self.ask_phrase(question, &format!("I have signed no other {which}"))?;
        }
        let checked = open.into_iter().map(|document| Event::RegisterChecked {
            holder: holder.clone(),
            document,
            register: registered.is_some(),
        });
        self.emit_all(&checked.collect::<Vec<_>>())
    }

    /// Refuses a second payload of any of these, unless the script gives the first up by name.
    fn refuse_other(
        &self,
        candidates: &[&Candidate],
        holder: &str,
        registered: &[Payload],
    ) -> Result<(), Finding> {
        let candidates: BTreeMap<_, _> = candidates
            .iter()
            .map(|candidate| (&candidate.document, candidate.payload()))
            .collect();
        let given_up = |document: &Document, digest: Sha256| {
            self.subject.script.supersedes.iter().any(|entry| {
                entry.sha256 == digest
                    && entry.role == document.role
                    && entry.version == document.version
            })
        };
        let other = registered.iter().find(|(document, digest)| {
            let own = candidates.get(document);
            own.is_some_and(|own| own != digest) && !given_up(document, *digest)
        });
        let Some((document, digest)) = other else {
            return Ok(());
        };
        let text = format!(
            "{holder} has signed another {document} before, with payload {digest}; a second one is signed only by a script that supersedes it by name"
        );
        Err(Finding::error("ONE-PAYLOAD", "", text))
    }
}

/// The key by the metadata's word.
pub(super) fn metadata_key(candidate: &Candidate, signer: &Signer) -> Result<Key, Halt> {
    candidate.key(&signer.keyid).cloned().ok_or_else(|| {
        Finding::error(
            "SIGNER-COUNTS",
            "",
            format!(
                "the key of {} counts for nothing in {}",
                signer.holder, candidate.document
            ),
        )
        .into()
    })
}
