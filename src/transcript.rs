//! The hash-chained record of a ceremony: JSON lines `{seq, prev, time, step, event}`, `prev` the SHA-256 of the line before (without its newline), 64 zeros
//! first. A line is exactly what the writer writes, byte for byte, so no change hides in white space, member order or unknown members.
//!
//! It knows nothing of files but the transcript itself, and nothing of tokens, backups and bundles.

pub mod minutes;
pub mod writer;

use serde::{Deserialize, Serialize};

use crate::ceremony::event::Event;
use crate::tuf::digest::Sha256;

/// Its name in a bundle.
pub const NAME: &str = "transcript.jsonl";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// From 0.
    pub seq: u64,
    /// SHA-256 of the line before.
    pub prev: Sha256,
    /// UTC, `YYYY-MM-DDTHH:MM:SSZ`.
    pub time: String,
    /// Index of the plan's step that was open when it happened, `StepStarted` and `StepDone` included.
    pub step: Option<usize>,
    /// What happened.
    pub event: Event,
}

/// A transcript that passed every check.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    /// All lines.
    pub lines: Vec<Line>,
    head: Option<Sha256>,
}

impl Transcript {
    /// SHA-256 of the last line (zeros while there is none): what is read aloud at the close.
    pub fn head(&self) -> Sha256 {
        self.head.unwrap_or(Sha256([0; 32]))
    }
    /// Whether it ends as a finished ceremony does.
    pub fn is_complete(&self) -> bool {
        matches!(self.lines.last(), Some(line) if line.event == Event::Closed)
    }
}

/// Why a transcript is refused, and at which line (from 1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct TranscriptFault {
    /// `TRANSCRIPT-FORM`, `TRANSCRIPT-CHAIN`, `TRANSCRIPT-ORDER` or `TRANSCRIPT-TORN` (the last line has no newline: a write was interrupted).
    pub rule: &'static str,
    /// From 1.
    pub line: usize,
    /// One plain sentence.
    pub text: String,
}

/// Reads and checks a whole transcript: form, chain, order of events. Whether it is complete is asked of the result.
///
/// # Errors
/// The first fault.
pub fn read(bytes: &[u8]) -> Result<Transcript, TranscriptFault> {
    let _ = bytes;
    todo!()
}
