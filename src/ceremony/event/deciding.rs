//! What is decided about requests, one by one and all at once.

use serde::{Deserialize, Serialize};

use crate::tuf::digest::Sha256;

/// How the requests were judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vetted {
    /// SHA-256 of the requests file.
    pub requests: Sha256,
    /// The digest over all green requests.
    pub batch: Sha256,
    /// How many nothing speaks against.
    pub green: usize,
    /// How many a person decides.
    pub look: usize,
    /// How many nobody can accept.
    pub refused: usize,
    /// The projects that are decided one by one whatever the dice say, in order.
    pub single: Vec<String>,
}

/// The green requests were accepted all at once: two machines came to one digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchAccepted {
    /// The digest.
    pub batch: Sha256,
    /// How many requests.
    pub count: usize,
}

/// The witnesses' dice drew the spot checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// The throws, digits only.
    pub dice: String,
    /// The projects that they drew, in order.
    pub projects: Vec<String>,
}

/// One request was decided by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// The project.
    pub project: String,
    /// How.
    pub decision: Decision,
    /// The sentence that was typed; empty where none is asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// How a request is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It is done now.
    Accept,
    /// It is judged again at the next claim.
    Leave,
    /// It is not done; whoever asked must ask anew.
    Refuse,
}

impl Decision {
    /// As it is chosen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Leave => "leave",
            Self::Refuse => "refuse",
        }
    }
    /// Which one is meant.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Accept, Self::Leave, Self::Refuse]
            .into_iter()
            .find(|decision| decision.word() == word)
    }
}
