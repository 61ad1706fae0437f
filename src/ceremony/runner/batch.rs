//! Signing a batch: one login, then one signature after the other. Each is verified in software before it counts, several at a time while the token signs
//! on, and they are put on record in groups (docs/decisions/0019).

mod judges;
mod taking;

use std::sync::Arc;

use self::judges::Judges;
use self::taking::{Ports, Taking};
use super::ask::Question;
use super::nonce::Nonces;
use super::sign::metadata_key;
use super::turn::{Bring, Turn};
use super::{Halt, Runner};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{BatchIntended, Event, Signer};
use crate::ceremony::plan::KeyChoice;
use crate::ceremony::port::{Payload, PinPolicy, TokenFault, TokenInfo, TokenKey, TouchPolicy};
use crate::ceremony::review::Reviewed;
use crate::tuf::finding::Finding;

/// What a touch takes, and a PIN, in seconds: people grow slow over hundreds.
const TOUCH: usize = 5;
const PIN: usize = 15;

impl Runner<'_> {
    pub(super) fn sign_batch(&mut self, holder: &str, key: &KeyChoice) -> Result<(), Halt> {
        let keyid = self.keyid(holder, key).ok_or_else(|| {
            let text = format!("{holder} made no key for the batch");
            Finding::error("PLAN-KEY", "", text)
        })?;
        let signer = Signer {
            holder: holder.to_owned(),
            keyid,
        };
        self.import_parts()?;
        if self.sign_left(&signer)? {
            return Ok(());
        }
        let left = self.left(&signer);
        let skipped = left.into_iter().map(|place| Event::Skipped {
            document: self.candidates[place].document.clone(),
            signer: signer.clone(),
        });
        let skipped: Vec<_> = skipped.collect();
        self.emit_all(&skipped)
    }

    /// Asks the holder's token for every signature of the batch that is not on record; `false`: passed over.
    pub(super) fn sign_left(&mut self, signer: &Signer) -> Result<bool, Halt> {
        let left = self.left(signer);
        let Some(first) = left.first() else {
            return Ok(true);
        };
        let wanted = metadata_key(&self.candidates[*first], signer)?;
        let count = left.len();
        let title = format!("Sign {count} documents: these bytes and no others");
        let mut text = vec![format!(
            "{} signs the batch with the {} key {}.",
            signer.holder,
            wanted.description(),
            signer.keyid
        )];
        let batch = self.progress.batch();
        let all = batch.filter(|known| known.counts(&signer.keyid)).count();
        if all > count {
            let done = all - count;
            text.push(format!(
                "{done} of its {all} signatures are on record; the token is asked for the others."
            ));
        }
        let question = Question::new(format!("token:sign-batch:{}", signer.holder), &title, text)
            .with_digest(self.progress.batch_digest());
        let mut warned = false;
        let turn =
            &mut |runner: &mut Self, token: &TokenInfo| runner.batch_on(signer, token, &mut warned);
        let done = self.take_turn(&question, &signer.holder, Bring::OrPass, turn)?;
        Ok(done.is_some())
    }

    /// The places of the candidates of the batch on which this key's signature counts and is not on record.
    fn left(&self, signer: &Signer) -> Vec<usize> {
        let candidates = self.candidates.iter().enumerate();
        let left = candidates.filter(|(_, candidate)| {
            let known = self.progress.document(&candidate.document);
            known.is_some_and(|known| {
                known.batched && known.counts(&signer.keyid) && !known.is_signed_by(&signer.keyid)
            })
        });
        left.map(|(place, _)| place).collect()
    }

    /// The signatures of the token that is there.
    fn batch_on(
        &mut self,
        signer: &Signer,
        token: &TokenInfo,
        warned: &mut bool,
    ) -> Result<Turn<()>, Halt> {
        let left = self.left(signer);
        let candidates = Arc::clone(&self.candidates);
        let left: Vec<&Candidate> = left.into_iter().map(|place| &candidates[place]).collect();
        let Some(first) = left.first() else {
            return Ok(Turn::Done(()));
        };
        let wanted = metadata_key(first, signer)?;
        let sizes = left
            .iter()
            .map(|candidate| candidate.envelope.payload().len());
        if let Some(why) = self.is_unfit(token, &wanted, sizes.max().unwrap_or(0))? {
            return Ok(Turn::Refused(why));
        }
        self.refuse_given_away(wanted.public())?;
        self.check_register(&left, signer)?;
        self.sign_off_token(&signer.holder, &signer.keyid, wanted.public(), token)?;
        if !self.log_in(&signer.holder, token)? {
            return Ok(Turn::Passed);
        }
        let key = self.find(token, |key| key.public() == wanted.public())?;
        if !std::mem::replace(warned, true) {
            self.warn(&signer.holder, &key, left.len())?;
        }
        loop {
            let before = self.left(signer).len();
            match self.ask_for_each(&left[left.len() - before..], signer, token, &key) {
                // One PIN a signature: it is asked for again, and never kept for this.
                Err(Halt::Token(failed))
                    if failed.fault == TokenFault::NotLoggedIn
                        && key.usage.pin == PinPolicy::Always
                        && self.left(signer).len() < before =>
                {
                    self.end_session();
                    if !self.log_in(&signer.holder, token)? {
                        return Ok(Turn::Passed);
                    }
                }
                asked => return asked.map(Turn::Done),
            }
        }
    }

    /// What it takes to sign so many with a key that wants people each time: said before the first, and agreed to in writing.
    fn warn(&mut self, holder: &str, key: &TokenKey, count: usize) -> Result<(), Halt> {
        let touches = key.usage.touch == TouchPolicy::Always;
        let pins = key.usage.pin == PinPolicy::Always;
        let (wants, phrase) = match (touches, pins) {
            (false, false) => return Ok(()),
            (true, false) => ("a touch", format!("touch it {count} times")),
            (false, true) => ("its PIN", format!("type the PIN {count} times")),
            (true, true) => (
                "its PIN and a touch",
                format!("type the PIN and touch it {count} times"),
            ),
        };
        let each = TOUCH * usize::from(touches) + PIN * usize::from(pins);
        let minutes = match (count * each).div_ceil(60) {
            1 => "a minute".to_owned(),
            minutes => format!("{minutes} minutes"),
        };
        let text = vec![
            format!("This key wants {wants} for each signature, and {count} are due: about {minutes} of somebody's attention, without a pause."),
            "Whatever was signed when you stop is kept. A key that wants neither signs all of them in a few minutes; plan one for the next time.".to_owned(),
        ];
        let question = Question::new(
            format!("batch-attention:{holder}"),
            "This key wants somebody for each signature",
            text,
        );
        self.ask_phrase(question, &phrase)
    }

    /// Asks the token for these, once.
    fn ask_for_each(
        &mut self,
        left: &[&Candidate],
        signer: &Signer,
        token: &TokenInfo,
        key: &TokenKey,
    ) -> Result<(), Halt> {
        let reviewed = left
            .iter()
            .map(|candidate| self.reviewed(candidate))
            .collect::<Result<Vec<Reviewed<'_>>, _>>()?;
        let payloads: Vec<Payload> = left
            .iter()
            .map(|candidate| (candidate.document.clone(), candidate.payload()))
            .collect();
        self.world.register(signer, &payloads)?;
        self.emit(Event::BatchIntended(BatchIntended {
            batch: self.progress.batch_digest(),
            signatures: left.len(),
            signer: signer.clone(),
        }))?;
        let trusted = self.subject.trusted;
        let candidates = Arc::clone(&self.candidates);
        let nonces = Nonces::of(&key.public, trusted, &candidates, &self.progress);
        let judge = |place: usize, sig: &[u8]| {
            left.get(place)
                .is_some_and(|asked| asked.verifies(&signer.keyid, sig))
        };
        let (progress, sink, operator, world) = (
            &mut self.progress,
            &mut *self.sink,
            &mut *self.operator,
            &mut *self.world,
        );
        let ended = std::thread::scope(|scope| {
            let judges = Judges::start(scope, &judge);
            let ports = Ports {
                progress,
                sink,
                operator,
            };
            let mut taking = Taking::new(ports, judges, nonces, left, signer, key.usage.touch);
            taking.tell();
            let asked = world.sign_each(&reviewed, &token.id, key, &mut |signature, took| {
                taking.take(signature, took)
            });
            taking.end(asked)
        });
        match ended {
            Err(Halt::Refused(findings)) => Err(match findings.into_iter().next() {
                Some(repeated) => self.refuse_repeated(repeated),
                None => Halt::Refused(Vec::new()),
            }),
            ended => ended,
        }
    }

    /// A batch without an end: the token may have signed more than is on record, and a person decides to go on.
    pub(super) fn settle_batch(&mut self) -> Result<(), Halt> {
        let Some(signer) = self.progress.asked().cloned() else {
            return Ok(());
        };
        let left = self.left(&signer).len();
        let text = vec![
            format!("{} was asked to sign the batch, and no end is on record. {left} signatures are missing.", signer.holder),
            "The token may have made some of them. Signatures that nobody holds harm nobody, if the payloads stay the same: they do. What is on record is not asked for again.".to_owned(),
        ];
        let question = Question::new(
            format!("intent:batch:{}", signer.holder),
            "The token may have signed",
            text,
        );
        self.ask_phrase(question, "ask the token again")?;
        self.emit(Event::BatchDecided { signer })
    }
}
