//! Why a text is refused, before it is known which file it stands in.

use crate::tuf::finding::Finding;

/// A broken rule and one plain sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {text}")]
pub struct Fault {
    /// The rule's tag.
    pub rule: &'static str,
    /// One plain sentence, or two.
    pub text: String,
}

impl Fault {
    /// That `rule` is broken.
    pub fn new(rule: &'static str, text: impl Into<String>) -> Self {
        Self {
            rule,
            text: text.into(),
        }
    }
    /// The same as a finding of level error about `file`.
    pub fn finding(&self, file: &str) -> Finding {
        Finding::error(self.rule, file, self.text.as_str())
    }
    /// The same with the place in front of the sentence: `line 3: …`.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        Self::new(self.rule, format!("{place}: {}", self.text))
    }
}
