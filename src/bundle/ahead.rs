//! Metadata files read ahead: while one part is proven and hashed, a thread waits for the medium. A stick gives 30 to 100 MB in a second, so that
//! a large file is ready when its last byte comes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::files::{FileError, opened};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;

/// How much is read at once, in bytes, and how many of these may wait.
const CHUNK: u64 = 1 << 20;
const WAITING: usize = 4;

/// Reads the metadata file at `path`; next to `base`, an earlier version, what both have is held once. Findings call it `name`.
///
/// # Errors
/// [`FileError`] for what is no file or larger than `limits`; inside, what [`Envelope::read`] refuses.
pub fn envelope(
    path: &Path,
    name: &str,
    limits: Limits,
    base: Option<&Envelope>,
) -> Result<Result<Envelope, Finding>, FileError> {
    let (file, size) = opened(path, limits.bytes as u64)?;
    let size = usize::try_from(size).unwrap_or(limits.bytes);
    Ok(read_ahead(file, |source| {
        Envelope::read(name, source, size, limits, base)
    }))
}

/// What `use_` makes of the file, which is read meanwhile.
fn read_ahead<T>(file: File, use_: impl FnOnce(&mut dyn Read) -> T) -> T {
    let (sender, receiver) = sync_channel(WAITING);
    thread::scope(|scope| {
        scope.spawn(move || {
            loop {
                let mut chunk = Vec::new();
                let read = (&file).take(CHUNK).read_to_end(&mut chunk);
                let last = !matches!(read, Ok(length) if length > 0);
                // Nobody listens any more where the file was refused.
                if sender.send(read.map(|_| chunk)).is_err() || last {
                    return;
                }
            }
        });
        use_(&mut Chunks {
            receiver,
            chunk: Vec::new(),
            at: 0,
            failed: None,
        })
    })
}

/// The other end.
struct Chunks {
    receiver: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
    /// How the medium failed: it is said to everybody who asks.
    failed: Option<(io::ErrorKind, String)>,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() && self.failed.is_none() {
            match self.receiver.recv() {
                Ok(Ok(chunk)) => (self.chunk, self.at) = (chunk, 0),
                Ok(Err(error)) => self.failed = Some((error.kind(), error.to_string())),
                Err(_) => return Ok(0),
            }
        }
        if let Some((kind, text)) = &self.failed {
            return Err(io::Error::new(*kind, text.clone()));
        }
        let rest = &self.chunk[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::bundle::files::create_new;

    fn signed(note: &str) -> String {
        format!(r#"{{"signatures":[],"signed":{{"_type":"targets","x-note":"{note}"}}}}"#)
    }

    #[test]
    fn a_file_read_ahead_is_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let notes: Vec<String> = (0..3_000_000)
            .map(|number| format!("\"{number}\""))
            .collect();
        let large = format!(
            r#"{{"signatures":[],"signed":{{"_type":"targets","x-notes":[{}]}}}}"#,
            notes.join(",")
        );
        for text in [signed("short"), large] {
            let path = folder.path().join(text.len().to_string());
            create_new(&path, text.as_bytes()).unwrap();
            let found = envelope(&path, "file", Limits::LARGE, None)
                .unwrap()
                .unwrap();
            let plain = Envelope::parse("file", text.into_bytes(), Limits::LARGE).unwrap();
            assert_eq!(found.bytes(), plain.bytes());
            assert_eq!(found.payload_digest(), plain.payload_digest());
        }
    }

    #[test]
    fn what_is_no_file_too_large_or_no_json_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let read = |path: &Path, bytes: usize| {
            let limits = Limits {
                bytes,
                ..Limits::SMALL
            };
            envelope(path, "file", limits, None)
        };
        let path = folder.path().join("file");
        create_new(&path, signed("long").as_bytes()).unwrap();
        assert!(read(folder.path(), 1 << 20).is_err());
        assert!(matches!(read(&path, 10), Err(FileError::TooLarge { .. })));
        assert!(read(&path, 1 << 20).unwrap().is_ok());
        let path = folder.path().join("cut");
        create_new(&path, &signed("cut").as_bytes()[..20]).unwrap();
        let finding = read(&path, 1 << 20).unwrap().err().unwrap();
        assert_eq!(finding.rule, "JSON-STRICT");
    }
}
