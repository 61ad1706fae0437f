//! Reading and writing files that strangers may have prepared: regular files only, no links followed, sizes capped before reading; writing never
//! replaces anything, and what was written is read back.

#![allow(
    clippy::disallowed_methods,
    reason = "the one place that writes what leaves the ceremony"
)]

use std::fs::{self, OpenOptions};
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use sha2::Digest as _;

use crate::ceremony::event::FileDigest;
use crate::tuf::digest::{Sha256, Sha512};
use crate::tuf::finding::Finding;

/// Most bytes of one file: a large delegated role.
pub const CAP: u64 = 1 << 30;
/// Most bytes of a small file: scripts, rooms, part files, manifests.
pub const SMALL_CAP: u64 = 64 << 20;
/// Most files of a folder: 2^14 bins and room for the rest.
pub const MOST_FILES: usize = 40_000;
/// A published repository: a file for every bin and for every project that PyPI has, and what a snapshot of them weighs.
pub const ARCHIVE: Caps = Caps {
    bytes: 4 << 30,
    files: 1_000_000,
};

/// How much is written, read back or hashed at once, in bytes.
const PIECE: usize = 1 << 20;

/// How much of a folder is read.
#[derive(Clone, Copy, Debug)]
pub struct Caps {
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files and folders.
    pub files: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            bytes: CAP,
            files: MOST_FILES,
        }
    }
}

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
    /// The refusal of what no honest medium holds (links, devices, pipes, giants): rule `FILE-READ`. `None` where the system itself failed.
    pub fn refusal(&self) -> Option<Finding> {
        let path = match self {
            Self::System { .. } | Self::ReadBack(_) => return None,
            Self::NotRegular { path, .. }
            | Self::TooLarge { path, .. }
            | Self::TooMany { path, .. }
            | Self::Name(path) => path.display().to_string(),
        };
        let text = self.to_string();
        // The finding names the file already.
        let text = text.strip_prefix(&format!("{path}: ")).unwrap_or(&text);
        Some(Finding::error("FILE-READ", &path, text))
    }
    /// Whether a file of that name was there already.
    pub fn exists(&self) -> bool {
        matches!(self, Self::System { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists)
    }
}

/// A file's name by its bytes.
pub fn digest(path: &str, bytes: &[u8]) -> FileDigest {
    digest_of(path, &[bytes])
}

/// The same of a file that is held in pieces.
pub fn digest_of(path: &str, pieces: &[&[u8]]) -> FileDigest {
    let mut sha256 = sha2::Sha256::new();
    let mut sha512 = sha2::Sha512::new();
    // Both while the processor has the bytes at hand.
    for piece in pieces.iter().flat_map(|piece| piece.chunks(PIECE)) {
        sha256.update(piece);
        sha512.update(piece);
    }
    FileDigest {
        path: path.to_owned(),
        size: pieces.iter().map(|piece| piece.len() as u64).sum(),
        sha256: Sha256(sha256.finalize().into()),
        sha512: Sha512(sha512.finalize().into()),
    }
}

/// Reads a regular file of at most `cap` bytes.
///
/// # Errors
/// [`FileError`].
pub fn read(path: &Path, cap: u64) -> Result<Vec<u8>, FileError> {
    let file = open(CWD, path).map_err(|errno| refused(path, errno))?;
    contents(file, path, cap)
}

/// Reads every file of a folder and its folders, sorted by path.
///
/// # Errors
/// [`FileError`]: one link, device or pipe refuses the whole.
pub fn read_folder(folder: &Path) -> Result<Vec<File>, FileError> {
    read_within(folder, Caps::default(), None)
}

/// As [`read_folder`], with other caps, and without the folder `besides` at its top, which is not even opened.
///
/// # Errors
/// As [`read_folder`].
pub fn read_within(
    folder: &Path,
    caps: Caps,
    besides: Option<&str>,
) -> Result<Vec<File>, FileError> {
    let mut files = Vec::new();
    // Each folder is opened once and its entries by that descriptor, so that a folder exchanged for a link meanwhile is not followed.
    let top = open(CWD, folder).map_err(|errno| refused(folder, errno))?;
    let mut waiting = vec![(top, String::new())];
    let mut left = caps.bytes;
    while let Some((descriptor, prefix)) = waiting.pop() {
        for name in names(&descriptor, &folder.join(&prefix), caps.files)? {
            let inside = format!("{prefix}{name}");
            if besides == Some(inside.as_str()) {
                continue;
            }
            let path = folder.join(&inside);
            let entry = open(&descriptor, Path::new(&name)).map_err(|e| refused(&path, e))?;
            if kind(&entry, &path)? == FileType::Directory {
                waiting.push((entry, format!("{inside}/")));
                continue;
            }
            let bytes = contents(entry, &path, left)?;
            left -= bytes.len() as u64;
            files.push(File {
                path: inside,
                bytes,
            });
            if files.len() + waiting.len() > caps.files {
                return Err(FileError::TooMany {
                    path: folder.to_owned(),
                    cap: caps.files,
                });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Writes a new file, syncs it and its folder, reads it back and compares. Folders on the way are made. An existing file is never touched; one that was only half
/// written is removed again.
///
/// # Errors
/// [`FileError`]; [`FileError::exists`] tells whether something was there.
pub fn create_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    create_new_of(path, &[bytes])
}

/// The same of a file that is held in pieces.
///
/// # Errors
/// As [`create_new`].
pub fn create_new_of(path: &Path, pieces: &[&[u8]]) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|e| system(folder, "create", e))?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|e| system(path, "create", e))?;
    let written = written::fill(&file, path, folder, pieces);
    if written.is_err() {
        // Ours and not whole: better no file than half of one. The first error is the one to tell.
        let _ = fs::remove_file(path);
    }
    written
}

fn open(at: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    // Without NONBLOCK a pipe would make us wait for a writer before we can see that it is one.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(at, path, flags, Mode::empty())
}

fn refused(path: &Path, errno: Errno) -> FileError {
    match errno {
        Errno::LOOP => not_regular(path, "a symbolic link"),
        Errno::NXIO => not_regular(path, "a socket or device"),
        errno => system(path, "read", errno.into()),
    }
}

fn not_regular(path: &Path, found: &'static str) -> FileError {
    FileError::NotRegular {
        path: path.to_owned(),
        found,
    }
}

fn system(path: &Path, attempted: &'static str, source: std::io::Error) -> FileError {
    FileError::System {
        path: path.to_owned(),
        attempted,
        source,
    }
}

fn kind(file: &OwnedFd, path: &Path) -> Result<FileType, FileError> {
    let stat = rustix::fs::fstat(file).map_err(|errno| refused(path, errno))?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

fn names(folder: &OwnedFd, path: &Path, most: usize) -> Result<Vec<String>, FileError> {
    let entries = rustix::fs::Dir::read_from(folder).map_err(|errno| match errno {
        Errno::NOTDIR => not_regular(path, "a file, not a folder"),
        errno => refused(path, errno),
    })?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|errno| refused(path, errno))?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let text = name
            .to_str()
            .map_err(|_| FileError::Name(path.join(name.to_string_lossy().as_ref())))?;
        names.push(text.to_owned());
        if names.len() > most {
            return Err(FileError::TooMany {
                path: path.to_owned(),
                cap: most,
            });
        }
    }
    Ok(names)
}

/// Opens a regular file of at most `cap` bytes; the file and its size.
///
/// # Errors
/// [`FileError`].
pub fn opened(path: &Path, cap: u64) -> Result<(fs::File, u64), FileError> {
    let file = open(CWD, path).map_err(|errno| refused(path, errno))?;
    regular(file, path, cap)
}

fn regular(file: OwnedFd, path: &Path, cap: u64) -> Result<(fs::File, u64), FileError> {
    match kind(&file, path)? {
        FileType::RegularFile => {}
        FileType::Directory => return Err(not_regular(path, "a folder")),
        FileType::Fifo => return Err(not_regular(path, "a pipe")),
        _ => return Err(not_regular(path, "a device or socket")),
    }
    let file = fs::File::from(file);
    let size = file.metadata().map_err(|e| system(path, "read", e))?.len();
    if size > cap {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            size,
            cap,
        });
    }
    Ok((file, size))
}

fn contents(file: OwnedFd, path: &Path, cap: u64) -> Result<Vec<u8>, FileError> {
    let (file, size) = regular(file, path, cap)?;
    let too_large = |size| FileError::TooLarge {
        path: path.to_owned(),
        size,
        cap,
    };
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // One byte more than the cap shows a file that grows while it is read.
    file.take(cap + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| system(path, "read", e))?;
    if bytes.len() as u64 > cap {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
mod written;
