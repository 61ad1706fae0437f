//! The bytes of a payload: a tar of the POSIX form, the same for the same members. Headers are the library's. What stands between them is written and
//! read here, since the library would copy it through buffers in ordinary memory.

use std::io::{self, Read, Write};

use tar::Header;

use super::manifest::{self, File};
use super::{Content, refused};
use crate::backup::Fault;
use crate::secret::Secret;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, grouped};
use crate::tuf::json::Limits;

const BLOCK: usize = 512;
/// age holds 64 KiB of the plaintext in ordinary memory at a time, and does not wipe them. After a secret so many bytes at least follow that are none,
/// so that the last chunk with a secret is overwritten by a whole other one.
const BEHIND: u64 = 2 * 65_536;

/// Writes all members, and zeros behind them.
pub(super) fn write<'a>(
    out: &mut impl Write,
    members: impl Iterator<Item = (String, Content<'a>)>,
) -> Result<(), Fault> {
    let mut at = 0;
    let mut least = 0;
    let failed = |_| Fault::from(refused("the backup could not be written"));
    for (path, content) in members {
        content.expose(|bytes| {
            let size = bytes.len() as u64;
            out.write_all(header(&path, size)?.as_bytes())
                .and_then(|()| out.write_all(bytes))
                .and_then(|()| out.write_all(&[0; BLOCK][..padding(size)]))
                .map_err(failed)?;
            at += (BLOCK + padding(size)) as u64 + size;
            Ok::<(), Fault>(())
        })?;
        if matches!(content, Content::Secret(_)) {
            least = at + BEHIND;
        }
    }
    // A tar ends in two blocks of zeros at least.
    let end = least
        .max(at + 2 * BLOCK as u64)
        .next_multiple_of(BLOCK as u64);
    let copied = io::copy(&mut io::repeat(0).take(end - at), out);
    copied.map(drop).map_err(failed)
}

/// Reads what [`write`] wrote, member by member, and nothing else.
pub(super) struct Reader<R>(R);

impl<R: Read> Reader<R> {
    pub(super) fn new(stream: R) -> Self {
        Self(stream)
    }

    /// The first member, whose size no manifest has told yet.
    pub(super) fn manifest(&mut self) -> Result<Vec<u8>, Finding> {
        let found = self.block()?;
        let found = Header::from_byte_slice(&found);
        let size = found.size().ok();
        let size = size.filter(|size| *size <= Limits::SMALL.bytes as u64);
        let is_ours = |size: &u64| {
            header(manifest::NAME, *size).is_ok_and(|ours| ours.as_bytes() == found.as_bytes())
        };
        let size = size.filter(is_ours).ok_or_else(|| {
            let text = "it does not begin with a manifest: what was sealed is no backup of this program, or one of a later version. Open it with age itself";
            refused(text)
        })?;
        self.bytes(manifest::NAME, size)
    }

    /// A public file, or a wrapped key.
    pub(super) fn public(&mut self, file: &File) -> Result<Vec<u8>, Finding> {
        self.header(file)?;
        let bytes = self.bytes(&file.path, file.size)?;
        compared(file, Sha256::of(&bytes))?;
        Ok(bytes)
    }

    /// A secret, straight into locked memory.
    pub(super) fn secret(&mut self, file: &File) -> Result<Secret, Fault> {
        self.header(file)?;
        let size = usize::try_from(file.size).unwrap_or(usize::MAX);
        let secret = Secret::filled(size, |room| {
            let read = self.0.read_exact(room);
            read.map_err(|_| Fault::from(cut(&file.path)))
        })?;
        self.zeros(padding(file.size), &file.path)?;
        compared(file, secret.expose(Sha256::of))?;
        Ok(secret)
    }

    /// Zeros, two blocks of them at least, and the end.
    pub(super) fn end(mut self) -> Result<(), Finding> {
        self.zeros(2 * BLOCK, "the end")?;
        let mut block = [0; BLOCK];
        loop {
            let read = self.0.read(&mut block).map_err(|_| cut("the end"))?;
            if read == 0 {
                return Ok(());
            }
            if block[..read].iter().any(|byte| *byte != 0) {
                return Err(refused(
                    "something follows that the manifest does not list. This program does not write such backups",
                ));
            }
        }
    }

    fn header(&mut self, file: &File) -> Result<(), Finding> {
        if self.block()? == *header(&file.path, file.size)?.as_bytes() {
            return Ok(());
        }
        Err(refused(format!(
            "where {} should begin stands something else. This program does not write such backups",
            file.path
        )))
    }

    fn block(&mut self) -> Result<[u8; BLOCK], Finding> {
        let mut block = [0; BLOCK];
        let read = self.0.read_exact(&mut block);
        read.map(|()| block).map_err(|_| cut("a member"))
    }

    fn bytes(&mut self, path: &str, size: u64) -> Result<Vec<u8>, Finding> {
        // Memory grows with what is there, not with what is said to be.
        let mut bytes = Vec::new();
        let read = (&mut self.0).take(size).read_to_end(&mut bytes);
        if read.ok().map(|read| read as u64) != Some(size) {
            return Err(cut(path));
        }
        self.zeros(padding(size), path)?;
        Ok(bytes)
    }

    fn zeros(&mut self, count: usize, path: &str) -> Result<(), Finding> {
        let mut zeros = [0; 2 * BLOCK];
        let zeros = &mut zeros[..count];
        self.0.read_exact(zeros).map_err(|_| cut(path))?;
        if zeros.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        Err(refused(format!(
            "after {path} stands what is no padding. This program does not write such backups"
        )))
    }
}

fn compared(file: &File, found: Sha256) -> Result<(), Finding> {
    if found == file.sha256 {
        return Ok(());
    }
    // No digest is told: it may be a secret's.
    Err(refused(format!(
        "{} has another SHA-256 than the manifest in the backup says. Take another copy of the backup",
        file.path
    )))
}

fn cut(path: &str) -> Finding {
    refused(format!(
        "it ends within {path}. Take another copy of the backup"
    ))
}

/// The header of a file that belongs to nobody and has no time.
fn header(path: &str, size: u64) -> Result<Header, Finding> {
    let mut header = Header::new_ustar();
    header.set_path(path).map_err(|_| {
        refused(format!(
            "{path} has {} bytes and does not fit into a tar: at most 100 after a / and 155 before",
            grouped(path.len())
        ))
    })?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(header)
}

fn padding(size: u64) -> usize {
    let over = size % BLOCK as u64;
    // Both are below the block's size.
    usize::try_from((BLOCK as u64 - over) % BLOCK as u64).unwrap_or(0)
}
