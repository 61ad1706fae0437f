//! Signatures on their way from the token to the record.

use std::sync::mpsc::Receiver;
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::judges::Judges;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{BatchEnded, Event, Signer};
use crate::ceremony::port::{Operator, Sink, Stop, TokenError, TokenFault, TouchPolicy};
use crate::ceremony::progress::Progress;
use crate::ceremony::runner::nonce::Nonces;
use crate::ceremony::runner::turn::tell_touch;
use crate::ceremony::runner::{Halt, record};

/// After so much of the token's time what it signed goes on record: a sync costs little beside it.
const PERIOD: Duration = Duration::from_millis(25);
/// So many signatures wait for it at most.
const GROUP: usize = 256;

/// What is left of the runner while its world is busy.
pub(super) struct Ports<'t> {
    pub(super) progress: &'t mut Progress,
    pub(super) sink: &'t mut dyn Sink,
    pub(super) operator: &'t mut dyn Operator,
}

/// Signatures that come, and how many of them are on record.
pub(super) struct Taking<'t> {
    ports: Ports<'t>,
    judges: Judges,
    nonces: Nonces<'t>,
    /// What the token is asked for, in order; so many of it are on record.
    left: &'t [&'t Candidate],
    signed: usize,
    signer: &'t Signer,
    touch: TouchPolicy,
    /// Not on record yet, and being verified.
    group: Vec<(Vec<u8>, Receiver<bool>)>,
    /// The token's time for the group, and for all.
    since: Duration,
    busy: Duration,
    stopped: bool,
    halt: Option<Halt>,
}

impl<'t> Taking<'t> {
    pub(super) fn new(
        ports: Ports<'t>,
        judges: Judges,
        nonces: Nonces<'t>,
        left: &'t [&'t Candidate],
        signer: &'t Signer,
        touch: TouchPolicy,
    ) -> Self {
        Self {
            ports,
            judges,
            nonces,
            left,
            signer,
            touch,
            group: Vec::new(),
            since: Duration::ZERO,
            busy: Duration::ZERO,
            signed: 0,
            stopped: false,
            halt: None,
        }
    }

    /// Takes the next signature; `false`: no more.
    pub(super) fn take(&mut self, signature: Vec<u8>, took: Duration) -> bool {
        if self.halt.is_some() {
            return false;
        }
        let place = self.signed + self.group.len();
        let judged = self.judges.ask(place, signature.clone());
        self.group.push((signature, judged));
        self.since += took;
        self.busy += took;
        if self.since >= PERIOD || self.group.len() >= GROUP {
            self.commit();
        }
        self.stopped = self.stopped || self.ports.operator.wants_stop();
        let goes_on = self.halt.is_none() && !self.stopped;
        if goes_on {
            self.tell();
        }
        goes_on
    }

    /// Tells people of the touch that the token waits for next.
    pub(super) fn tell(&mut self) {
        if self.signed + self.group.len() < self.left.len() {
            tell_touch(self.ports.operator, self.touch);
        }
    }

    /// Puts the group on record.
    fn commit(&mut self) {
        let events = self.judge();
        match record(self.ports.progress, self.ports.sink, &events) {
            Ok(()) => self.signed += events.len(),
            Err(halt) => self.halt = Some(halt),
        }
    }

    /// What of the group counts: up to the first that does not verify, or gives the key away.
    fn judge(&mut self) -> Vec<Event> {
        let group = std::mem::take(&mut self.group);
        self.since = Duration::ZERO;
        let of = self.left.get(self.signed..).unwrap_or_default();
        let mut events = Vec::with_capacity(group.len());
        for (candidate, (sig, judged)) in of.iter().zip(&group) {
            let (document, payload) = (&candidate.document, candidate.payload());
            if !judged.recv().unwrap_or(false) {
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
        events
    }

    /// Says on record how it ended, if anybody knows.
    pub(super) fn end(mut self, asked: Result<(), TokenError>) -> Result<(), Halt> {
        let mut events = match self.halt {
            None => self.judge(),
            Some(_) => Vec::new(),
        };
        let signed = self.signed + events.len();
        let whole = signed == self.left.len();
        let open = matches!(&asked, Err(failed) if failed.may_have_signed);
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
        let unknown = open || matches!(&ended, Err(Halt::World(_) | Halt::Illegal(_)));
        if !unknown {
            events.push(Event::BatchEnded(BatchEnded {
                signer: self.signer.clone(),
                signed,
                micros: u64::try_from(self.busy.as_micros()).unwrap_or(u64::MAX),
                stopped: ended.as_ref().err().map(ToString::to_string),
            }));
        }
        record(self.ports.progress, self.ports.sink, &events)?;
        ended
    }
}
