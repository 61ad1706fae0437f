//! What a check has to say: a named rule, how bad it is, where, and one plain sentence.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Worth stopping for, by a person's decision.
    Warning,
    /// Refused.
    Error,
}

/// One finding. The rule's tag is the same in code, event, minutes, docs/assurance.md and test name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The rule's tag, such as `TUF-ROOT-CHAIN`.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// The file it is about, as the person named it; empty where no file is meant.
    pub file: String,
    /// One plain sentence, or two.
    pub text: String,
}

impl Finding {
    /// A finding of level `Error`.
    pub fn error(rule: &str, file: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Error, rule, file, text)
    }
    /// A finding of level `Warning`.
    pub fn warning(rule: &str, file: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Warning, rule, file, text)
    }
    /// A finding of level `Note`.
    pub fn note(rule: &str, file: &str, text: impl Into<String>) -> Self {
        Self::new(Level::Note, rule, file, text)
    }
    fn new(level: Level, rule: &str, file: &str, text: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            level,
            file: file.to_owned(),
            text: text.into(),
        }
    }
}
