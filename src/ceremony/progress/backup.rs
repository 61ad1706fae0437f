//! How far a backup is: it counts once every share was read back, every blob worked on another token and every group of shares was tried.

use std::collections::BTreeSet;

use super::Progress;
use crate::ceremony::event::{BackupBegun, Drilled, Event, Kept, KeyWrapped, Restored, Sealed};
use crate::ceremony::plan::Step;
use crate::tuf::key::KeyId;

/// A backup that is made, or one that is opened.
#[derive(Clone, Debug, Default)]
pub struct Backup {
    begun: Option<BackupBegun>,
    wrapped: Vec<KeyWrapped>,
    sealed: Option<Sealed>,
    /// Whose shares were read.
    read: Vec<(String, u8)>,
    proven: BTreeSet<KeyId>,
    drilled: Option<Drilled>,
    restored: Vec<Restored>,
}

impl Backup {
    /// What it was begun with; none where one is opened.
    pub fn begun(&self) -> Option<&BackupBegun> {
        self.begun.as_ref()
    }
    /// Its files.
    pub fn sealed(&self) -> Option<&Sealed> {
        self.sealed.as_ref()
    }
    /// The drill.
    pub fn drilled(&self) -> Option<&Drilled> {
        self.drilled.as_ref()
    }
    /// What was brought back.
    pub fn restored(&self) -> &[Restored] {
        &self.restored
    }
    /// The blobs that tokens gave away.
    pub fn wrapped(&self) -> &[KeyWrapped] {
        &self.wrapped
    }
    /// Whether a key is in a backup that was proven to open.
    pub fn holds(&self, keyid: &KeyId) -> bool {
        let mut keys = self.drilled.iter().flat_map(|drilled| &drilled.keys);
        keys.any(|known| known == keyid)
    }

    /// Why an event cannot follow; none: it can.
    fn refusal(&self, event: &Event) -> Option<&'static str> {
        let whole = |fits: bool, why: &'static str| (!fits).then_some(why);
        match event {
            Event::BackupBegun(_) => whole(self.drilled.is_none(), "the backup is done already"),
            Event::KeyWrapped(_) => whole(self.begun.is_some(), "no backup was begun"),
            Event::Sealed(_) => whole(
                self.wanted(Kept::Wrapped)
                    .all(|keyid| self.wrapped.iter().any(|known| known.keyid == *keyid)),
                "not every blob is there",
            ),
            Event::ShareRead(share) => whole(
                self.sealed.is_some()
                    && !self
                        .read
                        .iter()
                        .any(|(name, index)| *name == share.custodian || *index == share.index),
                "the share was read already, or there is nothing to open",
            ),
            Event::BlobProven(proven) => whole(
                self.sealed.is_some()
                    && self.wrapped.iter().any(|known| {
                        known.keyid == proven.keyid && known.token.serial != proven.token.serial
                    }),
                "a blob is proven on another token than the one that gave it away",
            ),
            Event::Drilled(drilled) => whole(
                self.may_be_drilled(drilled),
                "not every share was read, or it is another file",
            ),
            Event::Restored(restored) => whole(
                self.holds(&restored.keyid),
                "the key is in no backup that was opened",
            ),
            _ => None,
        }
    }

    fn wanted(&self, kept: Kept) -> impl Iterator<Item = &KeyId> {
        let keys = self.begun.iter().flat_map(|begun| &begun.keys);
        keys.filter(move |key| key.kept == kept)
            .map(|key| &key.keyid)
    }

    fn may_be_drilled(&self, drilled: &Drilled) -> bool {
        let file = self
            .sealed
            .as_ref()
            .is_some_and(|sealed| sealed.everything.sha256 == drilled.everything);
        let read = |name: &String| self.read.iter().any(|(known, _)| known == name);
        let shares = self
            .begun
            .as_ref()
            .is_none_or(|begun| begun.custodians.iter().all(read));
        let blobs = self
            .wanted(Kept::Wrapped)
            .all(|keyid| self.proven.contains(keyid));
        let keys = self.begun.as_ref().is_none_or(|begun| {
            begun
                .keys
                .iter()
                .all(|key| drilled.keys.contains(&key.keyid))
        });
        file && shares && blobs && keys && drilled.opened > 0
    }

    fn fold(&mut self, event: &Event) {
        match event {
            Event::BackupBegun(begun) => {
                *self = Self {
                    begun: Some(begun.clone()),
                    ..Self::default()
                }
            }
            Event::KeyWrapped(wrapped) => self.wrapped.push(wrapped.clone()),
            Event::Sealed(sealed) => self.sealed = Some(sealed.clone()),
            Event::BackupOpened(sealed) => {
                *self = Self {
                    sealed: Some(sealed.clone()),
                    restored: std::mem::take(&mut self.restored),
                    ..Self::default()
                }
            }
            Event::ShareRead(share) => self.read.push((share.custodian.clone(), share.index)),
            Event::BlobProven(proven) => {
                self.proven.insert(proven.keyid.clone());
            }
            Event::Drilled(drilled) => self.drilled = Some(drilled.clone()),
            Event::Restored(restored) => self.restored.push(restored.clone()),
            _ => {}
        }
    }
}

impl Progress {
    /// The backup that is made or opened.
    pub fn backup(&self) -> &Backup {
        &self.backup
    }

    pub(super) fn fold_backup(&mut self, event: &Event) {
        self.backup.fold(event);
    }

    /// Whether an event of a backup fits the step that runs.
    ///
    /// # Errors
    /// Why it does not follow.
    pub(super) fn allows_backup(&self, event: &Event, step: &Step) -> Result<bool, String> {
        if let Some(why) = self.backup.refusal(event) {
            return Err(why.to_owned());
        }
        let seals = matches!(step, Step::BackUp { .. });
        let opens = matches!(step, Step::OpenBackup { .. });
        let restores = matches!(step, Step::Restore { .. } | Step::RestoreFile { .. });
        Ok(match event {
            Event::BackupBegun(_)
            | Event::KeyWrapped(_)
            | Event::Sealed(_)
            | Event::BlobProven(_) => seals,
            // A restart has forgotten what was opened: it is opened again where it is needed.
            Event::BackupOpened(_) => opens || restores,
            Event::ShareRead(_) | Event::Drilled(_) => seals || opens || restores,
            Event::Restored(_) => restores,
            _ => false,
        })
    }

    /// A step with a backup in it ends when the backup was proven.
    pub(super) fn is_backup_done(&self, step: &Step) -> bool {
        match step {
            Step::BackUp { .. } | Step::OpenBackup { .. } => self.backup.drilled.is_some(),
            Step::Restore { keyid, .. } | Step::RestoreFile { keyid } => self
                .backup
                .restored
                .iter()
                .any(|known| known.keyid == *keyid),
            _ => true,
        }
    }
}
