//! Writing a file so that it is on the medium, and seeing that it is.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use super::{FileError, PIECE, opened, system};

/// Writes, syncs the file and its folder, reads back and compares.
pub(super) fn fill(
    file: &fs::File,
    path: &Path,
    folder: &Path,
    pieces: &[&[u8]],
) -> Result<(), FileError> {
    write(file, pieces).map_err(|e| system(path, "write", e))?;
    file.sync_all().map_err(|e| system(path, "sync", e))?;
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| system(folder, "sync", e))?;
    // Ask the kernel to forget its copy, so that the medium is read. Advice only: a file system that ignores it still compares.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    if holds(opened(path, u64::MAX)?.0, pieces).map_err(|e| system(path, "read", e))? {
        Ok(())
    } else {
        Err(FileError::ReadBack(path.to_owned()))
    }
}

/// Writes in blocks that begin where a block of the file begins, which is what a file system likes best.
fn write(mut file: &fs::File, pieces: &[&[u8]]) -> std::io::Result<()> {
    let mut block = Vec::with_capacity(PIECE);
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let (fits, more) = rest.split_at(rest.len().min(PIECE - block.len()));
            block.extend_from_slice(fits);
            rest = more;
            if block.len() == PIECE {
                file.write_all(&block)?;
                block.clear();
            }
        }
    }
    file.write_all(&block)
}

/// Whether a file has these bytes and no others.
pub(super) fn holds(file: fs::File, pieces: &[&[u8]]) -> std::io::Result<bool> {
    let mut file = BufReader::with_capacity(PIECE, file);
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let found = file.fill_buf()?;
            let length = found.len().min(rest.len());
            if length == 0 || found[..length] != rest[..length] {
                return Ok(false);
            }
            file.consume(length);
            rest = &rest[length..];
        }
    }
    Ok(file.fill_buf()?.is_empty())
}
