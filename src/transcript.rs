//! The hash-chained record of a ceremony: JSON lines `{seq, prev, time, step, event}`, `prev` the SHA-256 of the line before (without its newline), 64 zeros
//! first. A line is exactly what the writer writes, byte for byte, so no change hides in white space, member order or unknown members.
//!
//! It knows nothing of files but the transcript itself, and nothing of tokens, backups and bundles.

pub mod minutes;
pub mod writer;

use serde::{Deserialize, Serialize};

use crate::ceremony::event::Event;
use crate::ceremony::progress::{IllegalTransition, Progress, Status};
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
    progress: Progress,
    step: Option<usize>,
}

impl Transcript {
    /// SHA-256 of the last line (zeros while there is none): what is read aloud at the close.
    pub fn head(&self) -> Sha256 {
        self.head.unwrap_or(Sha256([0; 32]))
    }
    /// Whether it ends as a finished ceremony does.
    pub fn is_complete(&self) -> bool {
        self.progress.status() == Status::Closed
    }
    /// What its events say, folded.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    // The one line that can come next for this event.
    fn next(&self, time: String, event: Event) -> Line {
        Line {
            seq: self.lines.len() as u64,
            prev: self.head(),
            time,
            step: match event {
                Event::StepStarted { step } => Some(step),
                _ => self.step,
            },
            event,
        }
    }

    fn push(&mut self, line: Line, text: &[u8]) -> Result<(), IllegalTransition> {
        self.progress.apply(&line.event)?;
        self.step = match line.event {
            Event::StepDone { .. } => None,
            _ => line.step,
        };
        self.head = Some(Sha256::of(text));
        self.lines.push(line);
        Ok(())
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
    let mut transcript = Transcript::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let fault = |rule, text: String| TranscriptFault {
            rule,
            line: transcript.lines.len() + 1,
            text,
        };
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err(fault(
                "TRANSCRIPT-TORN",
                "it has no newline; a write was interrupted here".to_owned(),
            ));
        };
        let text = &rest[..end];
        let line: Line = serde_json::from_slice(text)
            .map_err(|error| fault("TRANSCRIPT-FORM", error.to_string()))?;
        if to_vec(&line) != text || !is_time(&line.time) {
            let text = "it is not written as this program writes it; somebody edited it";
            return Err(fault("TRANSCRIPT-FORM", text.to_owned()));
        }
        let expected = transcript.next(line.time.clone(), line.event.clone());
        if (line.seq, line.prev) != (expected.seq, expected.prev) {
            let text = format!(
                "it says number {} after {}; number {} after {} comes here: a line was changed, moved or removed",
                line.seq, line.prev, expected.seq, expected.prev
            );
            return Err(fault("TRANSCRIPT-CHAIN", text));
        }
        if line.step != expected.step {
            let text = "it names another step than the one that is open".to_owned();
            return Err(fault("TRANSCRIPT-ORDER", text));
        }
        let number = transcript.lines.len() + 1;
        transcript
            .push(line, text)
            .map_err(|illegal| TranscriptFault {
                rule: "TRANSCRIPT-ORDER",
                line: number,
                text: illegal.to_string(),
            })?;
        rest = &rest[end + 1..];
    }
    Ok(transcript)
}

fn to_vec(line: &Line) -> Vec<u8> {
    // Serialising fails only for maps whose keys are no strings, and events have none; an empty line would be refused by the reader.
    serde_json::to_vec(line).unwrap_or_default()
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>()
        .is_ok_and(|time| time_text(time) == text)
}

// Whole seconds; a fraction would make the reader refuse the line.
fn time_text(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests;
