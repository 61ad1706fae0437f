//! The ceremony's ends of the channel to the screen: its questions wait here for people's answers, its events pass on their way to the record.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};

use super::Finish;
use crate::ceremony::event::Event;
use crate::ceremony::port::{Operator, Sink, Stop, WorldError};
use crate::ceremony::prompt::{Ask, EnvelopePrompt, PinPrompt, Prompt, SharePrompt};
use crate::ceremony::review::opening::Opening;
use crate::secret::Secret;

/// Where an answer goes.
pub(super) type Reply<T> = Sender<Result<T, Stop>>;

/// What the ceremony tells the screen.
pub(super) enum Message {
    /// Something happened.
    Event(Box<Event>),
    /// A question.
    Prompt(Box<Prompt>, Reply<String>),
    /// A question for a PIN. The secret goes straight to the asker, past the model.
    Pin(Box<PinPrompt>, Reply<Secret>),
    /// A new secret for its envelope. It goes past the model too.
    Envelope(Box<EnvelopePrompt>, Secret, Reply<Secret>),
    /// A share for its custodian, or a question for one. It goes past the model likewise.
    Share(Box<SharePrompt>, Option<Secret>, Reply<Secret>),
    /// What people must do while a token is asked.
    Told(String),
    /// The first page of a review that is still being made.
    Opening(Box<Opening>),
    /// The ceremony has ended.
    Finished(Finish),
}

/// What the screen tells a ceremony that asks nothing.
#[derive(Clone, Default)]
pub(super) struct Ends {
    /// What to say once the screen is gone; empty while it is there.
    pub(super) gone: Arc<OnceLock<Stop>>,
    /// Set once people want to stop.
    pub(super) stop: Arc<AtomicBool>,
}

/// Asks people through the screen and waits.
pub(super) struct TuiOperator {
    pub(super) screen: Sender<Message>,
    pub(super) ends: Ends,
}

impl TuiOperator {
    fn question<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, Stop> {
        self.question_while(message, || {})
    }

    /// Asks, and does `work` while people read.
    fn question_while<T>(
        &self,
        message: impl FnOnce(Reply<T>) -> Message,
        work: impl FnOnce(),
    ) -> Result<T, Stop> {
        let (reply, answer) = channel();
        // A screen that ends drops its ends of both channels: either call fails, and nobody waits for ever.
        self.screen.send(message(reply)).map_err(|_| self.stop())?;
        work();
        answer.recv().map_err(|_| self.stop())?
    }

    fn stop(&self) -> Stop {
        self.ends
            .gone
            .get()
            .cloned()
            .unwrap_or_else(|| Stop::Terminal("the screen has ended".to_owned()))
    }
}

impl Operator for TuiOperator {
    fn ask(&mut self, prompt: &Prompt) -> Result<String, Stop> {
        let sent = Box::new(prompt.clone());
        let prepare = || {
            if let Ask::Review { review, .. } = &prompt.ask
                && let Some(entries) = review.entries()
            {
                entries.prepare();
            }
        };
        self.question_while(|reply| Message::Prompt(sent, reply), prepare)
    }
    fn wants_stop(&mut self) -> bool {
        self.ends.stop.load(Ordering::Relaxed) || self.ends.gone.get().is_some()
    }
    fn pin(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop> {
        let prompt = Box::new(prompt.clone());
        self.question(|reply| Message::Pin(prompt, reply))
    }
    fn envelope(&mut self, prompt: &EnvelopePrompt, fresh: Secret) -> Result<Secret, Stop> {
        let prompt = Box::new(prompt.clone());
        self.question(|reply| Message::Envelope(prompt, fresh, reply))
    }
    fn share(&mut self, prompt: &SharePrompt, shown: Option<Secret>) -> Result<Secret, Stop> {
        let prompt = Box::new(prompt.clone());
        self.question(|reply| Message::Share(prompt, shown, reply))
    }
    fn tell(&mut self, text: &str) {
        // A screen that is gone tells nobody; the question after it says so.
        let _ = self.screen.send(Message::Told(text.to_owned()));
    }
    fn show(&mut self, opening: &Opening) {
        // Likewise.
        let _ = self
            .screen
            .send(Message::Opening(Box::new(opening.clone())));
    }
}

/// Shows each event. It keeps no record and so cannot fail: recording is the transcript's work, with or without a screen.
pub(super) struct TuiSink {
    pub(super) screen: Sender<Message>,
}

impl Sink for TuiSink {
    fn record(&mut self, event: &Event) -> Result<(), WorldError> {
        // A screen that is gone misses the event; the record does not.
        let _ = self.screen.send(Message::Event(Box::new(event.clone())));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::tuf::digest::Sha256;

    fn prompt() -> Prompt {
        Prompt {
            id: "plan".to_owned(),
            step: 0,
            title: "Type yes".to_owned(),
            text: Vec::new(),
            digest: None,
            ask: Ask::Phrase {
                phrase: "yes".to_owned(),
            },
        }
    }

    fn opening() -> Opening {
        Opening {
            name: "claimed v2".to_owned(),
            digest: Sha256::of(b"claimed"),
            rows: Vec::new(),
        }
    }

    #[test]
    fn the_first_page_of_a_review_is_shown_and_nobody_waits_for_an_answer() {
        let (screen, messages) = channel();
        let mut operator = TuiOperator {
            screen,
            ends: Ends::default(),
        };
        operator.show(&opening());
        let Message::Opening(shown) = messages.recv().unwrap() else {
            panic!("a page was shown");
        };
        assert_eq!(shown.name, "claimed v2");
    }

    #[test]
    fn an_answer_reaches_the_asker() {
        let (screen, messages) = channel();
        let mut operator = TuiOperator {
            screen,
            ends: Ends::default(),
        };
        let asker = std::thread::spawn(move || operator.ask(&prompt()));
        let Message::Prompt(prompt, reply) = messages.recv().unwrap() else {
            panic!("a prompt was asked");
        };
        assert_eq!(prompt.id, "plan");
        reply.send(Ok("yes".to_owned())).unwrap();
        assert_eq!(asker.join().unwrap(), Ok("yes".to_owned()));
    }

    #[test]
    fn a_screen_that_is_gone_stops_the_asker_and_never_the_sink() {
        let (screen, messages) = channel();
        let ends = Ends::default();
        let mut operator = TuiOperator {
            screen: screen.clone(),
            ends: ends.clone(),
        };
        assert!(!operator.wants_stop());
        drop(messages);
        operator.show(&opening());
        let ended = Stop::Terminal("the screen has ended".to_owned());
        assert_eq!(operator.ask(&prompt()), Err(ended));
        ends.gone.set(Stop::Paused).unwrap();
        assert!(operator.wants_stop(), "between two signatures too");
        assert_eq!(operator.ask(&prompt()), Err(Stop::Paused));
        assert_eq!(TuiSink { screen }.record(&Event::Closed), Ok(()));
    }
}
