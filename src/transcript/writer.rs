//! The writer: one line an event, synced before the ceremony goes on; an existing transcript is verified whole before a line is added.

use std::path::Path;

use super::{Transcript, TranscriptFault};
use crate::ceremony::event::Event;
use crate::tuf::digest::Sha256;

/// Appends lines durably.
pub struct Writer {
    _todo: (),
}

/// What to do with a last line that a crash left without its newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    /// Say so ([`TranscriptError::Torn`]).
    Refuse,
    /// Cut it off: people were told.
    Cut,
}

/// Why there is no writer, or no line.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The system refused.
    #[error(
        "the transcript: cannot {attempted}: {source}; nothing more is recorded, so the ceremony stops"
    )]
    System {
        /// `open`, `read`, `write`, `sync`.
        attempted: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is there is no sound transcript.
    #[error("the transcript is not sound: {0}")]
    Fault(#[from] TranscriptFault),
    /// The last line was only half written.
    #[error(
        "the last line of the transcript was cut short by a crash ({bytes} bytes); everything before it is sound"
    )]
    Torn {
        /// Bytes after the last newline.
        bytes: usize,
    },
    /// The event cannot happen now.
    #[error("this cannot happen now: {0}")]
    Illegal(String),
}

impl Writer {
    /// Starts a new transcript; an existing file is refused.
    ///
    /// # Errors
    /// [`TranscriptError`].
    pub fn create(path: &Path) -> Result<Self, TranscriptError> {
        let _ = path;
        todo!()
    }
    /// Verifies an existing transcript and goes on with it.
    ///
    /// # Errors
    /// [`TranscriptError`].
    pub fn resume(path: &Path, torn: Torn) -> Result<(Self, Transcript), TranscriptError> {
        let _ = (path, torn);
        todo!()
    }
    /// Appends one event and syncs. After an error the writer takes no more events.
    ///
    /// # Errors
    /// [`TranscriptError`].
    pub fn append(&mut self, now: jiff::Timestamp, event: &Event) -> Result<(), TranscriptError> {
        let _ = (now, event);
        todo!()
    }
    /// SHA-256 of the last line.
    pub fn head(&self) -> Sha256 {
        todo!()
    }
}
