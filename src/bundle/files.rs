//! Reading and writing files that strangers may have prepared: regular files only, no links followed, sizes capped before reading; writing never
//! replaces anything, and what was written is read back.

use std::path::{Path, PathBuf};

use crate::ceremony::event::FileDigest;

/// Most bytes of one file: a large delegated role.
pub const CAP: u64 = 1 << 30;
/// Most bytes of a small file: scripts, rooms, part files, manifests.
pub const SMALL_CAP: u64 = 64 << 20;

/// A file of a folder, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path inside the folder, `/` as separator.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("{}: cannot {attempted}: {source}", .path.display())]
    System {
        /// The file or folder.
        path: PathBuf,
        /// `read`, `create`, `sync`.
        attempted: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A link, device, pipe or socket, or a folder where a file is wanted.
    #[error("{}: is not a regular file ({found}); links, devices and pipes are not followed", .path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// Too large.
    #[error("{}: is {size} bytes long; at most {cap} are read", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
        /// The cap.
        cap: u64,
    },
    /// More files than a bundle may have.
    #[error("{}: holds more than {cap} files", .path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The cap.
        cap: usize,
    },
    /// A name that is not UTF-8.
    #[error("{}: the name is not UTF-8", .0.display())]
    Name(PathBuf),
    /// What was read back is not what was written.
    #[error("{}: what was read back differs from what was written; the medium may be broken, use another", .0.display())]
    ReadBack(PathBuf),
}

impl FileError {
    /// Whether the file is simply not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::System { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }
    /// Whether a file of that name was there already.
    pub fn exists(&self) -> bool {
        matches!(self, Self::System { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists)
    }
}

/// A file's name by its bytes.
pub fn digest(path: &str, bytes: &[u8]) -> FileDigest {
    let _ = (path, bytes);
    todo!()
}

/// Reads a regular file of at most `cap` bytes.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path, cap: u64) -> Result<Vec<u8>, FileError> {
    let _ = (path, cap);
    todo!()
}

/// Reads every file of a folder and its folders, sorted by path.
///
/// # Errors
/// [`FileError`]: one link, device or pipe refuses the whole.
pub fn read_folder(folder: &Path) -> Result<Vec<File>, FileError> {
    let _ = folder;
    todo!()
}

/// Writes a new file, syncs it and its folder, reads it back and compares. Folders on the way are made. An existing file is never touched; one that was only half
/// written is removed again.
///
/// # Errors
/// [`FileError`]; [`FileError::exists`] tells whether something was there.
pub fn create_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let _ = (path, bytes);
    todo!()
}
