//! Signing a batch: one login, then one signature after the other. Each is verified in software before it counts, several at a time while the token signs
//! on, and they are put on record in groups (docs/decisions/0019).

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::ask::Question;
use super::nonce::Nonces;
use super::sign::metadata_key;
use super::turn::{Bring, Turn, tell_touch};
use super::{Halt, Runner, record};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{BatchEnded, BatchIntended, Event, Signer};
use crate::ceremony::plan::KeyChoice;
use crate::ceremony::port::{
    Operator, Payload, PinPolicy, Sink, Stop, TokenError, TokenFault, TokenInfo, TokenKey,
    TouchPolicy,
};
use crate::ceremony::progress::Progress;
use crate::ceremony::review::Reviewed;
use crate::tuf::finding::Finding;

/// After so much of the token's time what it signed goes on record: a sync costs little beside it.
const PERIOD: Duration = Duration::from_millis(50);
/// So many signatures wait for it at most.
const GROUP: usize = 256;
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
        let counting = |known: &&_| count_of(known, signer);
        let all = self.progress.batch().filter(counting).count();
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
                known.batched && count_of(known, signer) && !known.is_signed_by(&signer.keyid)
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
        let minutes = (count * each).div_ceil(60);
        let text = vec![
            format!("This key wants {wants} for each signature, and {count} are due: about {minutes} minutes of somebody's attention, without a pause."),
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
        let mut taking = Taking {
            nonces: Nonces::of(&key.public, trusted, &candidates, &self.progress),
            progress: &mut self.progress,
            sink: &mut *self.sink,
            operator: &mut *self.operator,
            left,
            signer,
            touch: key.usage.touch,
            group: Vec::new(),
            since: Duration::ZERO,
            busy: Duration::ZERO,
            signed: 0,
            stopped: false,
            halt: None,
        };
        taking.tell();
        let asked = self
            .world
            .sign_each(&reviewed, &token.id, key, &mut |signature, took| {
                taking.take(signature, took)
            });
        let ended = taking.end(asked);
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

fn count_of(known: &crate::ceremony::progress::DocumentProgress, signer: &Signer) -> bool {
    known.counts(&signer.keyid)
}

/// Signatures on their way from the token to the record.
struct Taking<'t> {
    progress: &'t mut Progress,
    sink: &'t mut dyn Sink,
    operator: &'t mut dyn Operator,
    nonces: Nonces<'t>,
    /// What the token is asked for, in order; so many of it are on record.
    left: &'t [&'t Candidate],
    signed: usize,
    signer: &'t Signer,
    touch: TouchPolicy,
    /// Not on record yet.
    group: Vec<Vec<u8>>,
    /// The token's time for the group, and for all.
    since: Duration,
    busy: Duration,
    stopped: bool,
    halt: Option<Halt>,
}

impl Taking<'_> {
    /// Takes the next signature; `false`: no more.
    fn take(&mut self, signature: Vec<u8>, took: Duration) -> bool {
        if self.halt.is_some() {
            return false;
        }
        self.group.push(signature);
        self.since += took;
        self.busy += took;
        if self.since >= PERIOD || self.group.len() >= GROUP {
            self.commit();
        }
        self.stopped = self.stopped || self.operator.wants_stop();
        let goes_on = self.halt.is_none() && !self.stopped;
        if goes_on {
            self.tell();
        }
        goes_on
    }

    /// Tells people of the touch that the token waits for next.
    fn tell(&mut self) {
        if self.signed + self.group.len() < self.left.len() {
            tell_touch(self.operator, self.touch);
        }
    }

    /// Puts the group on record: up to the first that does not verify, or gives the key away.
    fn commit(&mut self) {
        let group = std::mem::take(&mut self.group);
        self.since = Duration::ZERO;
        let of = self.left.get(self.signed..).unwrap_or_default();
        let verified = verified(of, self.signer, &group);
        let mut events = Vec::with_capacity(group.len());
        for ((candidate, sig), right) in of.iter().zip(&group).zip(verified) {
            let (document, payload) = (&candidate.document, candidate.payload());
            if !right {
                self.halt = Some(Halt::Token(TokenError {
                    attempted: format!("sign {document} for {}", self.signer.holder),
                    said: "the token returned a signature that does not verify with the key in the metadata; it was thrown away".to_owned(),
                    fault: TokenFault::Other,
                    may_have_signed: false,
                }));
                break;
            }
            let what = format!("{} for {document}", self.signer.holder);
            if let Some(repeated) = self.nonces.repeated(payload, sig, &what) {
                self.halt = Some(repeated.into());
                break;
            }
            self.nonces.add(payload, sig);
            events.push(Event::Signed {
                document: document.clone(),
                payload,
                signer: self.signer.clone(),
                sig: HEXLOWER.encode(sig),
            });
        }
        match record(self.progress, self.sink, &events) {
            Ok(()) => self.signed += events.len(),
            Err(halt) => self.halt = Some(halt),
        }
    }

    /// Says on record how it ended, if anybody knows.
    fn end(mut self, asked: Result<(), TokenError>) -> Result<(), Halt> {
        if self.halt.is_none() {
            self.commit();
        }
        let whole = self.signed == self.left.len();
        let ended = match (self.halt.take(), asked) {
            (Some(halt), _) => Err(halt),
            (None, Err(failed)) => Err(failed.into()),
            (None, Ok(())) if whole => Ok(()),
            (None, Ok(())) if self.stopped => Err(Stop::Paused.into()),
            (None, Ok(())) => Err(Halt::Token(TokenError {
                attempted: format!("sign the batch for {}", self.signer.holder),
                said: "the token gave fewer signatures than it was asked for".to_owned(),
                fault: TokenFault::Other,
                may_have_signed: false,
            })),
        };
        let unknown = match &ended {
            Err(Halt::Token(failed)) => failed.may_have_signed,
            Err(Halt::World(_) | Halt::Illegal(_)) => true,
            _ => false,
        };
        if unknown {
            return ended;
        }
        let said = Event::BatchEnded(BatchEnded {
            signer: self.signer.clone(),
            signed: self.signed,
            micros: u64::try_from(self.busy.as_micros()).unwrap_or(u64::MAX),
            stopped: ended.as_ref().err().map(ToString::to_string),
        });
        record(self.progress, self.sink, &[said])?;
        ended
    }
}

/// Whether each signature is by the signer's key over its candidate, judged on all processors at once.
fn verified(of: &[&Candidate], signer: &Signer, group: &[Vec<u8>]) -> Vec<bool> {
    let pairs: Vec<_> = of.iter().zip(group).collect();
    let judge = |pairs: &[(&&Candidate, &Vec<u8>)]| -> Vec<bool> {
        let judged = pairs.iter();
        judged
            .map(|(candidate, sig)| candidate.verifies(&signer.keyid, sig))
            .collect()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = pairs.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let mut shares = pairs.chunks(share);
        let own = shares.next();
        let others: Vec<_> = shares
            .map(|share| scope.spawn(move || judge(share)))
            .collect();
        let mut judged = own.map(judge).unwrap_or_default();
        for other in others {
            // A thread that ended otherwise judged nothing: what it had counts for nothing.
            judged.extend(other.join().unwrap_or_default());
        }
        judged.resize(pairs.len(), false);
        judged
    })
}
