//! The operator of an unattended rehearsal: types every phrase it is shown, agrees to what people agree to, and brings every token that is wanted.

use crate::ceremony::port::{Operator, Stop};
use crate::ceremony::prompt::{Ask, EnvelopePrompt, PinPrompt, Prompt};
use crate::secret::Secret;

/// Answers as well-behaved people would. It never takes a last try and never adopts a key.
#[derive(Debug, Default)]
pub struct Rehearser;

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
            Ask::Phrase { phrase } | Ask::Review { phrase, .. } => Ok(phrase.clone()),
            Ask::Choice { options } => choose(&["agree", "done"], options),
            Ask::Token { tokens, options } if tokens.iter().any(|token| token.wanted) => {
                choose(&["ready"], options)
            }
            Ask::Token { .. } | Ask::Text { .. } => Err(Stop::NoAnswer(prompt.id.clone())),
        }
    }

    fn pin(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop> {
        if prompt.after.is_some() {
            return Err(Stop::NoAnswer(format!("pin:{}", prompt.holder)));
        }
        Secret::take(&mut super::PIN.as_bytes().to_vec())
            .map_err(|fault| Stop::BadAnswer(fault.to_string()))
    }

    fn envelope(&mut self, _prompt: &EnvelopePrompt, fresh: Secret) -> Result<Secret, Stop> {
        Ok(fresh)
    }
}
