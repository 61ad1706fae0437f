//! The writer: one line an event, synced before the ceremony goes on, several at once where one sync is enough for them (docs/decisions/0019); an existing transcript is verified whole before a line is added.

#![allow(
    clippy::disallowed_methods,
    reason = "the transcript is the one file that grows"
)]

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags};

use super::{Transcript, TranscriptFault};
use crate::ceremony::event::Event;
use crate::tuf::digest::Sha256;

/// Longest transcript that is read.
const CAP: u64 = 64 << 20;

/// Appends lines durably.
pub struct Writer {
    file: File,
    transcript: Transcript,
    broken: bool,
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
    /// It is a link, a pipe or a device.
    #[error("the transcript is not a regular file; links, devices and pipes are not followed")]
    NotRegular,
    /// Another program holds it.
    #[error("the transcript is in use by another program; close that one first")]
    Busy,
    /// Longer than any ceremony.
    #[error("the transcript is longer than 64 MiB, which no ceremony writes")]
    TooLong,
    /// An earlier line failed.
    #[error(
        "an earlier line could not be recorded, so nothing more is; start the program again to resume"
    )]
    Broken,
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
        let file = open(OpenOptions::new().append(true).create_new(true), path)?;
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(system("sync"))?;
        Ok(Self {
            file,
            transcript: Transcript::default(),
            broken: false,
        })
    }
    /// Verifies an existing transcript and goes on with it.
    ///
    /// # Errors
    /// [`TranscriptError`].
    pub fn resume(path: &Path, torn: Torn) -> Result<(Self, Transcript), TranscriptError> {
        let file = open(OpenOptions::new().read(true).append(true), path)?;
        let mut bytes = Vec::new();
        (&file)
            .take(CAP + 1)
            .read_to_end(&mut bytes)
            .map_err(system("read"))?;
        if bytes.len() as u64 > CAP {
            return Err(TranscriptError::TooLong);
        }
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let transcript = super::read(&bytes[..whole])?;
        if whole < bytes.len() {
            if torn == Torn::Refuse {
                return Err(TranscriptError::Torn {
                    bytes: bytes.len() - whole,
                });
            }
            file.set_len(whole as u64).map_err(system("shorten"))?;
            file.sync_all().map_err(system("sync"))?;
        }
        let writer = Self {
            file,
            transcript: transcript.clone(),
            broken: false,
        };
        Ok((writer, transcript))
    }
    /// Appends one event and syncs. After a failure to write the writer takes no more events.
    ///
    /// # Errors
    /// [`TranscriptError`].
    pub fn append(&mut self, now: jiff::Timestamp, event: &Event) -> Result<(), TranscriptError> {
        self.append_all(now, std::slice::from_ref(event))
    }
    /// Appends events, a line each, and syncs once. What a crash leaves of them is a beginning: whole lines, and perhaps one that is cut short.
    ///
    /// # Errors
    /// [`TranscriptError`].
    pub fn append_all(
        &mut self,
        now: jiff::Timestamp,
        events: &[Event],
    ) -> Result<(), TranscriptError> {
        if self.broken {
            return Err(TranscriptError::Broken);
        }
        let mut text = Vec::new();
        for event in events {
            let line = self.transcript.next(super::time_text(now), event.clone());
            let bytes = super::to_vec(&line);
            // Folded first: nothing illegal reaches the medium.
            if let Err(illegal) = self.transcript.push(line, &bytes) {
                // What was folded before it is not on the medium either.
                self.broken = !text.is_empty();
                return Err(TranscriptError::Illegal(illegal.to_string()));
            }
            text.extend(bytes);
            text.push(b'\n');
        }
        // Until the lines are safe this writer is ahead of the medium.
        self.broken = true;
        self.file.write_all(&text).map_err(system("write"))?;
        self.file.sync_all().map_err(system("sync"))?;
        self.broken = false;
        Ok(())
    }
    /// Everything recorded so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }
    /// SHA-256 of the last line.
    pub fn head(&self) -> Sha256 {
        self.transcript.head()
    }
}

// A link, pipe or device in its place is refused, and so is a second program on the same transcript.
fn open(options: &mut OpenOptions, path: &Path) -> Result<File, TranscriptError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)
        .map_err(system("open"))?;
    if !file.metadata().map_err(system("open"))?.is_file() {
        return Err(TranscriptError::NotRegular);
    }
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| TranscriptError::Busy)?;
    Ok(file)
}

fn system(attempted: &'static str) -> impl Fn(std::io::Error) -> TranscriptError {
    move |source| TranscriptError::System { attempted, source }
}

#[cfg(test)]
mod tests;
