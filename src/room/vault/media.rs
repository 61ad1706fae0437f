//! The media of backups: folders that the room names, none of them what is carried away, and files with identities.

#![allow(
    clippy::disallowed_methods,
    reason = "media of backups are written here and nowhere else"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::named::unnamed;
use super::{EVERYTHING, INFRASTRUCTURE, SHARES, disk};
use crate::backup::{self, Identities, Recipient, SealedSet};
use crate::bundle::files;
use crate::ceremony::event::{Event, FileDigest, Sealed};
use crate::ceremony::port::VaultError;
use crate::room::world::{RoomWorld, remove};
use crate::secret::{Secret, wipe_stack};
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
            Ok(_) => return Err(occupied(&path)),
            Err(fault) => return Err(disk(&path, &fault.to_string())),
        }
        files::create_new(&path, bytes).map_err(|fault| disk(&path, &fault.to_string()))?;
        Ok(files::digest(name, bytes))
    }

    /// Whether a file was sealed by this ceremony before.
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
        let folder = folder.ok_or_else(|| refuse(unnamed(what)))?;
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
        let read = paths.map(|path| self.vault.identities(path));
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

fn occupied(path: &Path) -> VaultError {
    let text = "a file is there already that this ceremony did not record: it may be the only backup of something. Give an empty folder, or move the file to where it belongs";
    Finding::error("BACKUP-MEDIUM", &path.display().to_string(), text).into()
}

/// Writes a private key as it is, for its owner alone to read, and compares what lies there then. From locked memory and into it: nothing else that writes
/// files wipes its buffers.
pub(super) fn key_to_medium(
    folder: &Path,
    name: &str,
    key: &Secret,
) -> Result<FileDigest, VaultError> {
    let path = folder.join(name);
    let failed = |fault: io::Error| disk(&path, &fault.to_string());
    let mut options = OpenOptions::new();
    let created = options.write(true).create_new(true).mode(0o600).open(&path);
    let mut file = match created {
        Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => return Err(occupied(&path)),
        created => created.map_err(failed)?,
    };
    let written = key
        .expose(|key| file.write_all(key))
        .and_then(|()| file.sync_all())
        .and_then(|()| File::open(folder)?.sync_all());
    // The kernel is asked to forget its copy, so that the medium is read.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    let compared = written.map_err(failed).and_then(|()| {
        let found = secret_file(&path)?;
        if found.expose(|found| key.expose(|key| found == key)) {
            Ok(())
        } else {
            let fault = files::FileError::ReadBack(path.clone());
            Err(disk(&path, &fault.to_string()))
        }
    });
    if compared.is_err() {
        // Ours and not whole. The first error is the one to tell.
        let _ = remove(&path);
    }
    compared?;
    let digest = key.expose(|key| files::digest(name, key));
    // Hashes keep their last blocks there.
    wipe_stack();
    Ok(digest)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::{key_to_medium, secret_file};
    use crate::secret::Secret;

    #[test]
    fn a_private_key_is_its_owners_alone_and_nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let keys = [(); 2].map(|()| Secret::random(119).unwrap());
        let digest = key_to_medium(folder.path(), "key.pem", &keys[0]).unwrap();
        assert_eq!((digest.path.as_str(), digest.size), ("key.pem", 119));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let refused = key_to_medium(folder.path(), "key.pem", &keys[1]).unwrap_err();
        assert!(
            refused.to_string().contains("a file is there already"),
            "{refused}"
        );
        let found = secret_file(&path).unwrap();
        assert!(found.expose(|found| keys[0].expose(|key| found == key)));
    }
}
