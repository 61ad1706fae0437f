//! Shares on their way to those who keep them: words for the screen, bytes for a printer, or a file that is sealed to its custodian. And back.

#![allow(
    clippy::disallowed_methods,
    reason = "a printer is written to here and nowhere else"
)]

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::media::secret_file;
use super::named::without_medium;
use super::{Held, RoomVault, SHARE, copy, disk, refused};
use crate::backup::{self, Identities, Recipient, Record, Share, sheet};
use crate::bundle::files;
use crate::ceremony::event::{FileDigest, Mode};
use crate::ceremony::port::VaultError;
use crate::room::config::CustodianMedium;
use crate::room::world::RoomWorld;
use crate::secret::{Secret, SecretError};
use crate::tuf::finding::Finding;

impl RoomVault {
    /// A share that is dealt.
    pub(super) fn dealt(&self, index: u8) -> Result<&Share, VaultError> {
        let mut dealt = self.dealt.iter();
        let share = dealt.find(|share| share.index() == index);
        share.ok_or_else(|| {
            let text = format!("there is no share {index}");
            Finding::error("SHARE-INDEX", "", text).into()
        })
    }

    pub(super) fn held(&self) -> Vec<Held<'_>> {
        let typed = self.typed.iter();
        typed.map(|(from, share)| Held { from, share }).collect()
    }

    /// Takes a share as words; judged with those before it, because the same sheet twice is two people's.
    pub(super) fn take(&mut self, custodian: &str, words: &Secret) -> Result<u8, Vec<Finding>> {
        if !self.dealt.is_empty() && sheet::has_worn(words) {
            let text = "this sheet is new, and a word on it cannot be read: write it again";
            return Err(vec![Finding::error("SHARE-WORDS", custodian, text)]);
        }
        let share = sheet::read(custodian, words).map_err(refused)?;
        let index = share.index();
        let Some((_, record)) = &self.file else {
            return Err(vec![Finding::error("BACKUP-FILE", "", "no backup is open")]);
        };
        self.typed.push((custodian.to_owned(), share));
        let mut refused = backup::judge(record.backup(), Some(record), &self.held());
        let strange = !self.dealt.is_empty() && self.dealt(index).is_err();
        if refused.is_empty() && strange {
            let text = "this share was not dealt here";
            refused.push(Finding::error("SHARE-INDEX", custodian, text));
        }
        if refused.is_empty() {
            return Ok(index);
        }
        self.typed.pop();
        Err(refused)
    }

    /// An identity file, with the PIN that was given for it.
    pub(super) fn identities(&self, path: &Path) -> Result<Identities, VaultError> {
        let file = secret_file(path)?;
        let mut pins = self.pins.iter();
        let pin = pins.find(|(of, _)| of == path);
        let pin = pin.map(|(_, pin)| copy(pin)).transpose()?;
        Ok(Identities::read(&path.display().to_string(), &file, pin)?)
    }

    /// The identity files of a custodian, or of the infrastructure, that a plugin opens and that have no PIN yet.
    pub(super) fn locked(&self, custodian: Option<&str>) -> Vec<String> {
        let paths: Vec<&PathBuf> = match custodian {
            None => self.media.identities.iter().collect(),
            Some(name) => self
                .custodian(name)
                .map(|it| &it.identity)
                .into_iter()
                .collect(),
        };
        let locked = paths.into_iter().filter(|path| {
            let is_given = self.pins.iter().any(|(of, _)| of == *path);
            !is_given && secret_file(path).is_ok_and(|file| Identities::need_plugin(&file))
        });
        locked.map(|path| path.display().to_string()).collect()
    }

    /// The medium of a custodian who keeps a share sealed.
    pub(super) fn custodian(&self, name: &str) -> Option<&CustodianMedium> {
        let mut known = self.media.custodians.iter();
        known.find(|known| known.name == name)
    }

    fn medium_of(&self, name: &str) -> Result<&CustodianMedium, VaultError> {
        self.custodian(name)
            .ok_or_else(|| Finding::error("BACKUP-MEDIUM", "", without_medium(name)).into())
    }
}

impl RoomWorld {
    /// A custodian's medium has one share, and nothing that it opens.
    fn custodians_medium(&self, custodian: &CustodianMedium) -> Result<(), VaultError> {
        let what = format!("custodian.{}", custodian.name);
        let folder = self.medium(&what, Some(&custodian.medium))?;
        let media = &self.vault.media;
        let others = media.custodians.iter();
        let others = others.filter(|other| other.name != custodian.name);
        let others = others.map(|other| &other.medium);
        let others = others.chain(&media.everything).chain(&media.restored);
        let others = others.chain(&media.infrastructure);
        for other in others {
            if beside(&folder, other, self.mode) {
                let text = format!(
                    "backup.{what} is beside {}: a share lies neither with the backup nor with another share",
                    other.display()
                );
                return Err(Finding::error("BACKUP-MEDIUM", "", text).into());
            }
        }
        Ok(())
    }

    pub(super) fn seal_to_custodian(
        &mut self,
        index: u8,
        name: &str,
        recipient: &str,
    ) -> Result<(), VaultError> {
        let recipient = Recipient::parse("script.toml", recipient)?;
        let custodian = self.vault.medium_of(name)?;
        self.custodians_medium(custodian)?;
        let identities = self.vault.identities(&custodian.identity)?;
        backup::proves(&recipient, &identities)?;
        // Written before a medium was pulled out: it is the one that is wanted if it opens as such.
        let there = files::read(&custodian.medium.join(SHARE), files::SMALL_CAP);
        let share = self.vault.dealt(index)?;
        let same = there.is_ok_and(|file| {
            let words = backup::open_share(&file, &identities);
            let opened = words.and_then(|words| sheet::read(name, &words));
            opened.is_ok_and(|opened| opened.commitment() == share.commitment())
        });
        if same {
            return Ok(());
        }
        let sealed = backup::seal_share(share, &recipient)?;
        self.to_medium(&custodian.medium, SHARE, &sealed).map(drop)
    }

    pub(super) fn take_from_custodian(
        &mut self,
        name: &str,
    ) -> Result<(u8, FileDigest), VaultError> {
        let custodian = self.vault.medium_of(name)?;
        let path = custodian.medium.join(SHARE);
        let file = files::read(&path, files::SMALL_CAP);
        let file = file.map_err(|fault| disk(&path, &fault.to_string()))?;
        let words = backup::open_share(&file, &self.vault.identities(&custodian.identity)?)?;
        let index = self.vault.take(name, &words);
        let index = index.map_err(VaultError::Refused)?;
        Ok((index, files::digest(SHARE, &file)))
    }

    /// The page of a share, to a printer. A file would be a copy that nobody counts, so only a device is written to.
    pub(super) fn print(&self, index: u8, custodian: &str) -> Result<(), VaultError> {
        let refuse = |text: String| VaultError::from(Finding::error("BACKUP-PRINTER", "", text));
        let path = self.vault.media.printer.as_deref();
        let path = path.ok_or_else(|| refuse("the room names no printer".to_owned()))?;
        let failed = |fault: std::io::Error| disk(path, &fault.to_string());
        let mut printer = OpenOptions::new().write(true).open(path).map_err(failed)?;
        let kind = printer.metadata().map_err(failed)?.file_type();
        if !kind.is_char_device() {
            return Err(refuse(format!(
                "{} is no printer that is attached directly: a share is never written into a file or a queue",
                path.display()
            )));
        }
        let Some((_, record)) = &self.vault.file else {
            return Err(Finding::error("BACKUP-FILE", "", "no backup is open").into());
        };
        let page = printed(self.vault.dealt(index)?, record, custodian)?;
        page.expose(|page| printer.write_all(page).and_then(|()| printer.flush()))
            .map_err(failed)
    }
}

/// The sheet as a line printer takes it: a heading, six numbered lines, a form feed.
fn printed(share: &Share, record: &Record, custodian: &str) -> Result<Secret, SecretError> {
    let scheme = share.scheme();
    let heading = format!(
        "\r\n  backup {:.16}   share {} of {} for {custodian}; any {} open it\r\n\r\n",
        record.backup().to_string(),
        share.index(),
        scheme.of(),
        scheme.needed()
    );
    let mut page = Secret::new()?;
    let mut put = |bytes: &[u8]| bytes.iter().try_for_each(|byte| page.push(*byte));
    put(heading.as_bytes())?;
    sheet::written(share)?.expose(|words| {
        let lines = words.split(|byte| *byte == b'\n');
        for (number, line) in (1..).zip(lines.filter(|line| !line.is_empty())) {
            // Four words in a row, as on the screen.
            let middle = line.iter().enumerate().filter(|(_, byte)| **byte == b' ');
            let middle = middle.map(|(at, _)| at).nth(3).unwrap_or(line.len());
            put(format!("  {number}  ").as_bytes())?;
            put(&line[..middle])?;
            put(b"\r\n    ")?;
            put(&line[middle..])?;
            put(b"\r\n\r\n")?;
        }
        put(b"\x0c")
    })?;
    Ok(page)
}

/// Whether two folders are one place. In production two folders of one medium are, too.
fn beside(folder: &Path, other: &Path, mode: Mode) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let device = |path: &Path| path.metadata().map(|found| found.dev()).ok();
    let one_medium = mode == Mode::Production
        && device(folder).is_some_and(|found| device(other) == Some(found));
    let (folder, other) = (real(folder), real(other));
    one_medium || folder.starts_with(&other) || other.starts_with(&folder)
}
