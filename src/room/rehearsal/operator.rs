//! The operator of an unattended rehearsal: types every phrase it is shown, agrees to what people agree to, brings every token that is wanted, and
//! keeps what is written into envelopes.

use crate::ceremony::event::Credential;
use crate::ceremony::port::{Operator, Stop};
use crate::ceremony::prompt::{Ask, EnvelopePrompt, PinPrompt, Prompt, SharePrompt};
use crate::secret::Secret;
use crate::tuf::digest::Sha256;

/// So many digits of a batch digest are typed.
const BATCH_DIGITS: usize = 16;

/// Answers as well-behaved people would. It never takes a last try and never adopts a key.
#[derive(Default)]
pub struct Rehearser {
    /// The serial on the token that was wanted last: what people would read from the device.
    serial: String,
    envelopes: Vec<(String, Credential, Secret)>,
    /// What custodians wrote down.
    sheets: Vec<(String, Secret)>,
    /// The batch digest that another machine came to, in a claim.
    batch: String,
}

impl Rehearser {
    /// Is told the batch digest that another machine came to.
    pub fn tell(&mut self, batch: Option<Sha256>) {
        self.batch = batch.map(|digest| digest.to_string()).unwrap_or_default();
    }

    /// What people decide about one request: what needs a look waits for the next claim.
    fn decided(prompt: &Prompt) -> &'static str {
        let doubtful = |line: &String| line.starts_with("LOOK") || line.starts_with("SEE");
        if prompt.text.iter().any(doubtful) {
            "leave"
        } else {
            "accept"
        }
    }

    /// What is printed on the thing that is asked about, or what people would write.
    fn printed(&self, prompt: &Prompt) -> Option<String> {
        let (what, about) = prompt.id.split_once(':')?;
        let holder = about.trim_end_matches(":again");
        match what {
            "claim" if about == "dice" => Some("4 2 6 1 1 5 3 6 2 4".to_owned()),
            "claim" if about.starts_with("batch:") => {
                Some(self.batch.get(..BATCH_DIGITS)?.to_owned())
            }
            "ephemeral" if about == "witnesses" => Some("Wanda Witness, Walt Witness".to_owned()),
            "serial" => Some(self.serial.clone()),
            "bag-opened" => Some("none".to_owned()),
            "bag-closed" => Some(format!("rehearsal bag of {holder}")),
            "sign-off" => Some("a rehearsal: nothing that is signed here counts".to_owned()),
            _ => None,
        }
    }
}

impl Operator for Rehearser {
    fn ask(&mut self, prompt: &Prompt) -> Result<String, Stop> {
        let choose = |wanted: &[&str], options: &[crate::ceremony::prompt::Choice]| {
            let found = wanted
                .iter()
                .find(|id| options.iter().any(|option| option.id == **id));
            found
                .map(|id| (*id).to_owned())
                .ok_or_else(|| Stop::NoAnswer(prompt.id.clone()))
        };
        match &prompt.ask {
            Ask::Phrase { phrase } => Ok(phrase.clone()),
            Ask::Review { review, phrase } => {
                // Nobody looks, and nothing that is signed here counts: what people would see is made all the same.
                drop(review.in_full());
                Ok(phrase.clone())
            }
            Ask::Choice { options } => choose(
                &["agree", "done", "none", "go-on", Self::decided(prompt)],
                options,
            ),
            Ask::Token { tokens, options } => {
                let wanted = tokens.iter().find(|token| token.wanted);
                let wanted = wanted.ok_or_else(|| Stop::NoAnswer(prompt.id.clone()))?;
                self.serial.clone_from(&wanted.token.serial);
                choose(&["ready"], options)
            }
            Ask::Text { .. } => self
                .printed(prompt)
                .ok_or_else(|| Stop::NoAnswer(prompt.id.clone())),
        }
    }

    fn pin(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop> {
        if prompt.after.is_some() {
            return Err(Stop::NoAnswer(format!("pin:{}", prompt.holder)));
        }
        // The token's present SO PIN is asked for before any envelope is written, so the newest one is right whenever there is one.
        let mut written = self.envelopes.iter().rev();
        let written =
            written.find(|(name, kind, _)| *name == prompt.holder && *kind == prompt.kind);
        match written {
            Some((.., secret)) => copy(secret),
            None => taken(&mut super::PIN.as_bytes().to_vec()),
        }
    }

    fn envelope(&mut self, prompt: &EnvelopePrompt, fresh: Secret) -> Result<Secret, Stop> {
        self.envelopes
            .push((prompt.holder.clone(), prompt.kind, copy(&fresh)?));
        Ok(fresh)
    }

    fn share(&mut self, prompt: &SharePrompt, shown: Option<Secret>) -> Result<Secret, Stop> {
        let no_answer = || Stop::NoAnswer(format!("share:{}", prompt.custodian));
        if prompt.after.is_some() {
            return Err(no_answer());
        }
        if let Some(shown) = shown {
            self.sheets.retain(|(name, _)| *name != prompt.custodian);
            self.sheets.push((prompt.custodian.clone(), shown));
        }
        let mut sheets = self.sheets.iter();
        let sheet = sheets.find(|(name, _)| *name == prompt.custodian);
        copy(&sheet.ok_or_else(no_answer)?.1)
    }
}

fn copy(secret: &Secret) -> Result<Secret, Stop> {
    secret.expose(|bytes| taken(&mut bytes.to_vec()))
}

fn taken(bytes: &mut [u8]) -> Result<Secret, Stop> {
    Secret::take(bytes).map_err(|fault| Stop::BadAnswer(fault.to_string()))
}
