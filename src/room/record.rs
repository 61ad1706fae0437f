//! The transcript as the ceremony's sink: an event is on disk before the next thing happens, and then shown.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock;
use crate::ceremony::event::Event;
use crate::ceremony::port::{Sink, WorldError};
use crate::transcript::writer::{Torn, TranscriptError, Writer};
use crate::transcript::{self, Transcript};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// The transcript of one ceremony, shared between the sink that writes it and the world that reads it.
#[derive(Clone)]
pub(super) struct Record {
    /// Bytes of a last line that a crash had cut short, if there was one.
    pub(super) torn: Option<usize>,
    path: PathBuf,
    writer: Arc<Mutex<Option<Writer>>>,
}

impl Record {
    /// The record in the folder `out`: an existing transcript is verified and continued, a new one is created with its first event.
    pub(super) fn open(out: &std::path::Path) -> Result<Self, TranscriptError> {
        let path = out.join(transcript::NAME);
        let (mut torn, mut writer) = (None, None);
        if path.exists() {
            writer = Some(match Writer::resume(&path, Torn::Refuse) {
                Err(TranscriptError::Torn { bytes }) => {
                    torn = Some(bytes);
                    Writer::resume(&path, Torn::Cut)?.0
                }
                resumed => resumed?.0,
            });
        }
        Ok(Self {
            torn,
            path,
            writer: Arc::new(Mutex::new(writer)),
        })
    }

    /// Puts on record that a line was cut off.
    pub(super) fn tell_torn(&self) -> Result<(), TranscriptError> {
        let Some(bytes) = self
            .torn
            .filter(|_| self.transcript().progress().opening().is_some())
        else {
            return Ok(());
        };
        let text = format!(
            "the last line of the transcript was cut short by a crash; its {bytes} bytes were taken off"
        );
        self.append(&Event::Found {
            finding: Finding::warning("TRANSCRIPT-TORN", transcript::NAME, text),
        })
    }

    /// What is on record.
    pub(super) fn transcript(&self) -> Transcript {
        self.lock()
            .as_ref()
            .map(|writer| writer.transcript().clone())
            .unwrap_or_default()
    }

    /// SHA-256 of the last line.
    pub(super) fn head(&self) -> Option<Sha256> {
        self.lock().as_ref().map(Writer::head)
    }

    fn append(&self, event: &Event) -> Result<(), TranscriptError> {
        self.append_all(std::slice::from_ref(event))
    }

    fn append_all(&self, events: &[Event]) -> Result<(), TranscriptError> {
        let mut writer = self.lock();
        let writer = match writer.as_mut() {
            Some(writer) => writer,
            None => writer.insert(self.create()?),
        };
        writer.append_all(clock::now(), events)
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the folder that is carried away begins with its transcript"
    )]
    fn create(&self) -> Result<Writer, TranscriptError> {
        let folder = self.path.parent().unwrap_or(std::path::Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| TranscriptError::System {
            attempted: "create",
            source,
        })?;
        Writer::create(&self.path)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records, then shows.
pub(super) struct RecordingSink<'a> {
    pub(super) record: Record,
    pub(super) observer: &'a mut dyn Sink,
}

impl Sink for RecordingSink<'_> {
    fn record(&mut self, event: &Event) -> Result<(), WorldError> {
        self.record_all(std::slice::from_ref(event))
    }

    fn record_all(&mut self, events: &[Event]) -> Result<(), WorldError> {
        self.record.append_all(events).map_err(|fault| WorldError {
            path: transcript::NAME.to_owned(),
            said: fault.to_string(),
        })?;
        self.observer.record_all(events)
    }
}
