//! Asking: phrases until they fit, choices until one is chosen; every answer is on record.

use super::{Halt, Runner};
use crate::ceremony::event::Event;
use crate::ceremony::port::Stop;
use crate::ceremony::prompt::{Ask, Choice, OTP_TYPED, Prompt, is_typed_otp};
use crate::tuf::digest::Sha256;

/// The words of one question.
#[derive(Clone)]
pub(super) struct Question<'q> {
    pub(super) id: String,
    pub(super) title: &'q str,
    pub(super) text: Vec<String>,
    pub(super) digest: Option<Sha256>,
}

impl<'q> Question<'q> {
    pub(super) fn new(id: impl Into<String>, title: &'q str, text: Vec<String>) -> Self {
        Self {
            id: id.into(),
            title,
            text,
            digest: None,
        }
    }
    pub(super) fn with_digest(self, digest: Sha256) -> Self {
        Self {
            digest: Some(digest),
            ..self
        }
    }
}

/// `id`, what it does.
pub(super) fn choice(id: &str, label: &str) -> Choice {
    Choice {
        id: id.to_owned(),
        label: label.to_owned(),
    }
}

/// Longest number that is printed on a device or a bag, in characters.
pub(super) const LONGEST_TEXT: usize = 64;

impl Runner<'_> {
    /// Asks for exactly this phrase.
    pub(super) fn ask_phrase(&mut self, question: Question<'_>, phrase: &str) -> Result<(), Halt> {
        let ask = Ask::Phrase {
            phrase: phrase.to_owned(),
        };
        self.ask(question, ask, &|answer| answer == phrase)
            .map(drop)
    }

    /// Asks for one of the choices; `pause` stops the ceremony.
    pub(super) fn ask_choice(
        &mut self,
        question: Question<'_>,
        mut options: Vec<Choice>,
    ) -> Result<String, Halt> {
        if !options.iter().any(|option| option.id == "pause") {
            options.push(self.pause());
        }
        let ids: Vec<_> = options.iter().map(|option| option.id.clone()).collect();
        let answer = self.ask(question, Ask::Choice { options }, &|answer| {
            ids.iter().any(|id| id == answer)
        })?;
        if answer == "pause" {
            Err(Stop::Paused.into())
        } else {
            Ok(answer)
        }
    }

    /// Stopping, as a choice.
    pub(super) fn pause(&self) -> Choice {
        let label = if self.progress.has_keys_in_memory() {
            "stop here; the keys that are in memory only are lost, and the ceremony begins anew"
        } else {
            "stop here; the ceremony can be resumed"
        };
        choice("pause", label)
    }

    /// Puts a question until the answer fits.
    pub(super) fn ask(
        &mut self,
        question: Question<'_>,
        ask: Ask,
        fits: &dyn Fn(&str) -> bool,
    ) -> Result<String, Halt> {
        let mut prompt = Prompt {
            id: question.id,
            step: self.index(),
            title: question.title.to_owned(),
            text: question.text,
            digest: question.digest,
            ask,
        };
        let told = prompt.text.len();
        loop {
            let answer = self.operator.ask(&prompt)?;
            let touched = is_typed_otp(answer.trim().as_bytes());
            if !touched && fits(&answer) {
                self.emit(Event::Answered {
                    prompt: prompt.id,
                    answer: answer.clone(),
                })?;
                return Ok(answer);
            }
            prompt.text.truncate(told);
            let said = if touched {
                OTP_TYPED
            } else {
                "That was not it. Nothing happened; look again and type it exactly."
            };
            prompt.text.push(said.to_owned());
        }
    }

    /// Asks for what is printed on something: a line of plain characters without spaces around it.
    pub(super) fn ask_text(
        &mut self,
        question: Question<'_>,
        wanted: &str,
    ) -> Result<String, Halt> {
        let ask = Ask::Text {
            wanted: wanted.to_owned(),
        };
        let answer = self.ask(question, ask, &|answer| {
            let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
            let answer = answer.trim();
            (1..=LONGEST_TEXT).contains(&answer.len()) && answer.bytes().all(plain)
        })?;
        Ok(answer.trim().to_owned())
    }
}
