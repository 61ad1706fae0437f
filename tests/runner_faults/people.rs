//! People who answer as they should, and once as a test says.

use std::collections::BTreeMap;

use tuf_ceremony::ceremony::event::Credential;
use tuf_ceremony::ceremony::port::{Operator, Stop};
use tuf_ceremony::ceremony::prompt::{Ask, Choice, EnvelopePrompt, PinPrompt, Prompt, SharePrompt};
use tuf_ceremony::ceremony::review::Row;
use tuf_ceremony::secret::Secret;

use super::record::{Entry, Log};

/// The PIN of every token.
pub const PIN: &str = "654321";

/// More questions than any ceremony here has: a runner that asks for ever is stopped.
const PATIENCE: usize = 300;

pub struct People {
    log: Log,
    /// Answers that come before the usual ones, by prompt, each once.
    pub answers: Vec<(&'static str, &'static str)>,
    /// PINs that come before the right one.
    pub pins: Vec<&'static str>,
    /// Other secrets than PINs, in the order in which they are asked for.
    pub secrets: Vec<&'static str>,
    /// Whether a holder whose signature was not counted tries again.
    pub try_again: bool,
    /// Where they go home.
    pub stop_at: Option<&'static str>,
    /// They want to stop once so many signatures came.
    pub wants_stop_after: Option<usize>,
    asked: usize,
    /// The serial on the device that is wanted.
    serial: String,
    /// Secrets in envelopes: whose, which, what.
    pub envelopes: Vec<(String, Credential, Vec<u8>)>,
    /// What was last said with each prompt.
    pub told: BTreeMap<String, String>,
    /// Every PIN prompt.
    pub pin_prompts: Vec<PinPrompt>,
    /// Whether anybody writes a reason for accepting a known weakness.
    pub reasons: bool,
    /// Rows of every review, with their marks.
    pub reviewed: Vec<Row>,
}

impl People {
    pub fn new(log: &Log) -> Self {
        Self {
            log: log.clone(),
            answers: Vec::new(),
            pins: Vec::new(),
            secrets: Vec::new(),
            try_again: true,
            stop_at: None,
            wants_stop_after: None,
            asked: 0,
            serial: String::new(),
            envelopes: Vec::new(),
            told: BTreeMap::new(),
            pin_prompts: Vec::new(),
            reasons: true,
            reviewed: Vec::new(),
        }
    }

    fn usual(&self, prompt: &Prompt) -> Option<String> {
        let first = |wanted: &[&str], options: &[Choice]| {
            let mut found = wanted.iter().copied();
            let id = found.find(|id| options.iter().any(|option| option.id == *id));
            id.map(ToOwned::to_owned)
        };
        match &prompt.ask {
            Ask::Phrase { phrase } | Ask::Review { phrase, .. } => Some(phrase.clone()),
            Ask::Text { .. } if prompt.id.starts_with("claim:") => None,
            Ask::Text { .. } => {
                let (what, about) = prompt.id.split_once(':')?;
                Some(match what {
                    "serial" => self.serial.clone(),
                    "sign-off" if !self.reasons => return None,
                    "sign-off" => "it is replaced next month".to_owned(),
                    "bag-opened" => format!("old bag of {about}"),
                    "ephemeral" => "Wanda Witness, Walt Witness".to_owned(),
                    _ => format!("bag of {}", about.trim_end_matches(":again")),
                })
            }
            Ask::Choice { options } => {
                first(&["agree", "done", "none", "use", "try", "blank"], options).or_else(|| {
                    let mut ids = options.iter().map(|option| option.id.clone());
                    ids.find(|id| id.starts_with("sign:"))
                })
            }
            Ask::Token { .. } => {
                let told = prompt.text.join(" ");
                let failed = ["Nothing was counted", "refused before its PIN"];
                let failed = failed.iter().any(|words| told.contains(words));
                Some(
                    if failed && !self.try_again {
                        "pause"
                    } else {
                        "ready"
                    }
                    .to_owned(),
                )
            }
        }
    }
}

impl Operator for People {
    fn wants_stop(&mut self) -> bool {
        let left = self.wants_stop_after.as_mut();
        left.is_some_and(|left| {
            *left = left.saturating_sub(1);
            *left == 0
        })
    }

    fn ask(&mut self, prompt: &Prompt) -> Result<String, Stop> {
        self.log.add(Entry::Asked(prompt.id.clone()));
        self.told.insert(prompt.id.clone(), prompt.text.join("\n"));
        self.asked += 1;
        if self.stop_at == Some(prompt.id.as_str()) {
            return Err(Stop::NoAnswer(prompt.id.clone()));
        }
        if let Ask::Review { review, .. } = &prompt.ask {
            self.reviewed.extend(review.in_full());
        }
        if let Ask::Token { tokens, .. } = &prompt.ask
            && let Some(wanted) = tokens.iter().find(|row| row.wanted)
        {
            self.serial.clone_from(&wanted.token.serial);
        }
        let said = self.answers.iter().position(|(id, _)| *id == prompt.id);
        if let Some(said) = said {
            return Ok(self.answers.remove(said).1.to_owned());
        }
        let answer = self.usual(prompt).filter(|_| self.asked < PATIENCE);
        answer.ok_or_else(|| Stop::NoAnswer(prompt.id.clone()))
    }

    fn share(&mut self, prompt: &SharePrompt, _: Option<Secret>) -> Result<Secret, Stop> {
        Err(Stop::NoAnswer(format!("share:{}", prompt.custodian)))
    }

    fn pin(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop> {
        self.pin_prompts.push(prompt.clone());
        if prompt.kind != Credential::User {
            let secret = match self.secrets.as_slice() {
                [] => "a secret",
                _ => self.secrets.remove(0),
            };
            return Ok(Secret::take(&mut secret.as_bytes().to_vec()).unwrap());
        }
        self.log.add(Entry::PinAsked);
        let mut written = self.envelopes.iter().rev();
        let written =
            written.find(|(name, kind, _)| *name == prompt.holder && *kind == prompt.kind);
        if let Some((.., secret)) = written.filter(|_| self.pins.is_empty()) {
            return Ok(Secret::take(&mut secret.clone()).unwrap());
        }
        let pin = if self.pins.is_empty() {
            PIN
        } else {
            self.pins.remove(0)
        };
        Ok(Secret::take(&mut pin.as_bytes().to_vec()).unwrap())
    }

    fn tell(&mut self, text: &str) {
        self.log.add(Entry::Told(text.to_owned()));
    }

    fn envelope(&mut self, prompt: &EnvelopePrompt, fresh: Secret) -> Result<Secret, Stop> {
        self.log.add(Entry::Envelope(prompt.kind));
        let written = fresh.expose(<[u8]>::to_vec);
        self.envelopes
            .push((prompt.holder.clone(), prompt.kind, written));
        Ok(fresh)
    }
}
