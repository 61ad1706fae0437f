//! Metadata files read ahead: while one part is proven and hashed, the kernel fetches the next. A stick gives 30 to 100 MB in a second, so that a large
//! file is ready when its last byte comes.

use std::path::Path;

use rustix::fs::{Advice, fadvise};

use super::files::{FileError, opened};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;

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
    let (mut file, size) = opened(path, limits.bytes as u64)?;
    let size = usize::try_from(size).unwrap_or(limits.bytes);
    // Advice only: what does not take it is read all the same.
    let _ = fadvise(&file, 0, None, Advice::Sequential);
    Ok(Envelope::read(name, &mut file, size, limits, base))
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
