//! Answers for a headless run, in rehearsals and tests only: a list of prompt and answer. A prompt that comes again takes the next answer for it; nothing
//! is ever guessed.

use std::collections::VecDeque;
use std::path::Path;

use serde::Deserialize;

use crate::bundle::files;
use crate::ceremony::port::Stop;
use crate::ceremony::prompt::{Ask, Prompt};
use crate::plain::toml_fault;
use crate::tuf::finding::Finding;

/// The `schema` every answers file says.
pub const SCHEMA: &str = "tuf-ceremony/answers/1";

/// Answers that are still to be given.
#[derive(Debug, Default)]
pub struct Answers {
    left: VecDeque<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: String,
    #[serde(default, rename = "answer")]
    answers: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    prompt: String,
    answer: String,
}

impl Answers {
    /// Reads an answers file.
    ///
    /// # Errors
    /// Rule `ANSWERS-FORM`.
    pub fn read(path: &Path) -> Result<Self, Finding> {
        let name = path.display().to_string();
        let refuse = |text: String| Finding::error("ANSWERS-FORM", &name, text);
        let bytes =
            files::read(path, files::SMALL_CAP).map_err(|fault| refuse(fault.to_string()))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| refuse("the answers file is not UTF-8".to_owned()))?;
        let wire: Wire =
            toml::from_str(&text).map_err(|fault| refuse(toml_fault(&text, &fault)))?;
        if wire.schema != SCHEMA {
            return Err(refuse(format!(
                "schema is {:?}; this program reads {SCHEMA:?}",
                wire.schema
            )));
        }
        Ok(Self {
            left: wire.answers.into(),
        })
    }

    /// The next answer for this prompt.
    ///
    /// # Errors
    /// [`Stop::NoAnswer`]; [`Stop::BadAnswer`] for an answer that the prompt cannot take, which asking again would not change.
    pub fn next(&mut self, prompt: &Prompt) -> Result<String, Stop> {
        let found = self.left.iter().position(|entry| entry.prompt == prompt.id);
        let entry = found
            .and_then(|index| self.left.remove(index))
            .ok_or_else(|| Stop::NoAnswer(told(prompt)))?;
        if fits(&prompt.ask, &entry.answer) {
            Ok(entry.answer)
        } else {
            Err(Stop::BadAnswer(format!(
                "the answers file answers the prompt {} with {:?}, which it does not take",
                prompt.id, entry.answer
            )))
        }
    }
}

/// The prompt, and what it said last: why it was put again, if it was.
fn told(prompt: &Prompt) -> String {
    match (&prompt.ask, prompt.text.last()) {
        (Ask::Token { .. }, Some(last)) => format!("{} ({last})", prompt.id),
        _ => prompt.id.clone(),
    }
}

fn fits(ask: &Ask, answer: &str) -> bool {
    match ask {
        Ask::Phrase { phrase } => answer == phrase,
        Ask::Text { .. } => true,
        Ask::Review { phrase, .. } => answer == phrase || answer == "reject",
        Ask::Choice { options } | Ask::Token { options, .. } => {
            options.iter().any(|option| option.id == answer)
        }
    }
}
