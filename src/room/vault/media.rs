//! The media of backups: folders that the room names, none of them what is carried away, and files with identities.

#![allow(
    clippy::disallowed_methods,
    reason = "media of backups are written here and nowhere else"
)]

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{EVERYTHING, INFRASTRUCTURE, SHARES, disk};
use crate::backup::{self, Identities, Recipient, SealedSet};
use crate::bundle::files;
use crate::ceremony::event::{Event, FileDigest, Sealed};
use crate::ceremony::port::VaultError;
use crate::room::world::{RoomWorld, remove};
use crate::secret::Secret;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

impl RoomWorld {
    /// Writes what was sealed, with the record of its shares: all of it, or nothing.
    pub(super) fn to_media(
        &self,
        folder: &Path,
        set: &SealedSet,
        exported: Option<&(PathBuf, Vec<u8>)>,
    ) -> Result<Sealed, VaultError> {
        let mut written = Vec::new();
        let mut put = |folder: &Path, name: &str, bytes: &[u8]| -> Result<FileDigest, VaultError> {
            let digest = self.to_medium(folder, name, bytes)?;
            written.push(folder.join(name));
            Ok(digest)
        };
        let mut all = || {
            let infrastructure =
                exported.map(|(folder, sealed)| put(folder, INFRASTRUCTURE, sealed));
            Ok(Sealed {
                infrastructure: infrastructure.transpose()?,
                everything: put(folder, EVERYTHING, &set.file)?,
                shares: put(folder, SHARES, &set.record.to_vec())?,
            })
        };
        let sealed = all();
        if sealed.is_err() {
            // Of a backup that is not whole no part may be taken for one. A medium that is gone keeps its part.
            for path in written {
                let _ = remove(&path);
            }
        }
        sealed
    }

    /// Writes a file to a medium of its own. One that an attempt of this ceremony left, cut short, is replaced; any other is somebody's backup.
    pub(super) fn to_medium(
        &self,
        folder: &Path,
        name: &str,
        bytes: &[u8],
    ) -> Result<FileDigest, VaultError> {
        let path = folder.join(name);
        match files::read(&path, files::CAP) {
            Err(fault) if fault.is_absent() => {}
            Ok(found) if self.is_cut_short(&Sha256::of(&found)) => {
                remove(&path).map_err(|fault| disk(&path, &fault.to_string()))?;
            }
            Ok(_) => {
                let text = "a file is there already that this ceremony did not record: it may be the only backup of something. Give an empty folder, or move the file to where it belongs";
                return Err(
                    Finding::error("BACKUP-MEDIUM", &path.display().to_string(), text).into(),
                );
            }
            Err(fault) => return Err(disk(&path, &fault.to_string())),
        }
        files::create_new(&path, bytes).map_err(|fault| disk(&path, &fault.to_string()))?;
        Ok(files::digest(name, bytes))
    }

    /// Whether a file was sealed or restored by this ceremony before.
    fn is_cut_short(&self, sha256: &Sha256) -> bool {
        let transcript = self.record.transcript();
        let mut events = transcript.lines.iter().map(|line| &line.event);
        events.any(|event| match event {
            Event::Sealed(sealed) => [&sealed.everything, &sealed.shares]
                .into_iter()
                .chain(&sealed.infrastructure)
                .any(|file| file.sha256 == *sha256),
            Event::ShareRead(read) => {
                let mut sealed = read.sealed.iter();
                sealed.any(|file| file.sha256 == *sha256)
            }
            _ => false,
        })
    }

    /// A folder that the room names; none of them may lie in what is carried to PyPI. It is not made: where a medium is not plugged in, what was written would
    /// lie on this machine.
    pub(super) fn medium(
        &self,
        what: &str,
        folder: Option<&PathBuf>,
    ) -> Result<PathBuf, VaultError> {
        let refuse = |text: String| VaultError::from(Finding::error("BACKUP-MEDIUM", "", text));
        let folder = folder.ok_or_else(|| {
            refuse(format!(
                "the room names no medium for {what}: give backup.{what}"
            ))
        })?;
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (real_folder, output) = (real(folder), real(&self.output));
        if real_folder.starts_with(&output) || output.starts_with(&real_folder) {
            return Err(refuse(format!(
                "backup.{what} is in the folder that is carried away, or around it: a backup lies on a medium of its own"
            )));
        }
        if !folder.is_dir() {
            return Err(refuse(format!(
                "there is no folder {}: plug in the medium for {what}, and make the folder on it",
                folder.display()
            )));
        }
        Ok(folder.clone())
    }

    /// Refuses a recipient that no identity in this room opens.
    pub(super) fn prove_recipients(&self, recipients: &[Recipient]) -> Result<(), VaultError> {
        let paths = self.vault.media.identities.iter();
        let read = paths.map(|path| {
            let file = secret_file(path)?;
            Ok(Identities::read(&path.display().to_string(), &file, None)?)
        });
        let identities: Vec<_> = read.collect::<Result<_, VaultError>>()?;
        for recipient in recipients {
            let opens = |known: &Identities| backup::proves(recipient, known).is_ok();
            if identities.iter().any(opens) {
                continue;
            }
            let text = format!(
                "nobody in this room can open what is sealed for {recipient}: give the file with its identity (backup.identities in the room file), or leave it out"
            );
            return Err(Finding::error("BACKUP-RECIPIENT", "", text).into());
        }
        Ok(())
    }
}

/// A file of at most a page, straight into locked memory.
pub(super) fn secret_file(path: &Path) -> Result<Secret, VaultError> {
    let failed = |fault: &dyn std::fmt::Display| disk(path, &fault.to_string());
    let mut file = File::open(path).map_err(|fault| failed(&fault))?;
    let length = file.metadata().map_err(|fault| failed(&fault))?.len();
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Secret::filled(length, |room| {
        file.read_exact(room).map_err(|fault| failed(&fault))
    })
}
