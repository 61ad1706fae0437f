//! A backup is opened: with the shares of those who came, every large enough group of them tried, and every key compared with its public half. A drill ends
//! there, and nothing has left locked memory. A restoration goes on: to a token, or, after a typed phrase, into a file.

use super::ask::Question;
use super::backup::missing;
use super::prove::Subject;
use super::turn::{Bring, Turn};
use super::{Halt, Runner};
use crate::ceremony::event::{Event, Restored};
use crate::ceremony::plan::Step;
use crate::ceremony::port::{OpenedKey, TokenInfo};
use crate::ceremony::script::{Restore, Script};
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId};

/// Enough of a keyid in a label to tell keys of one role apart.
const LABEL: usize = 8;

impl Runner<'_> {
    pub(super) fn open_backup(&mut self) -> Result<(), Halt> {
        if self.progress.backup().drilled().is_some() {
            return Ok(());
        }
        self.open()?;
        let restores =
            |step: &Step| matches!(step, Step::Restore { .. } | Step::RestoreFile { .. });
        if !self.progress.steps().iter().any(restores) {
            self.world.forget();
        }
        Ok(())
    }

    /// Reads the backup, asks for the shares and tries them.
    fn open(&mut self) -> Result<(), Halt> {
        let subject = self.subject;
        let restore = to_restore(subject.script)?;
        let sealed = self.world.open_backup(restore.backup_sha256)?;
        self.emit(Event::BackupOpened(sealed))?;
        for custodian in &restore.custodians {
            self.read_share(custodian)?;
        }
        let (drilled, keys) = self.on_media(&mut |runner| Ok(runner.world.drill()?))?;
        self.compare(restore, &keys)?;
        self.emit(Event::Drilled(drilled))
    }

    /// What is restored must be listed today; of the rest it is told.
    fn compare(&mut self, restore: &Restore, keys: &[OpenedKey]) -> Result<(), Halt> {
        for wanted in &restore.keys {
            if !keys.iter().any(|key| key.keyid == wanted.keyid) {
                let text = format!(
                    "the backup does not hold the key {}; it holds {}",
                    wanted.keyid,
                    listing(keys)
                );
                return Err(Finding::error("RESTORE-KEY", "", text).into());
            }
        }
        for key in keys {
            let OpenedKey {
                keyid,
                roles,
                public,
            } = key;
            let listed = self.subject.trusted.listed_key(keyid);
            if listed.is_some_and(|(_, listed)| listed.public() == public) {
                continue;
            }
            let text = format!(
                "the {} key {keyid} is in the backup and not in trusted metadata",
                roles.join(", ")
            );
            if restore.keys.iter().any(|wanted| wanted.keyid == *keyid) {
                let text = format!(
                    "{text}: it was replaced, or the backup is another repository's; it was not restored"
                );
                return Err(Finding::error("RESTORE-UNKNOWN", "", text).into());
            }
            let finding = Finding::note("RESTORE-UNKNOWN", "", text);
            self.emit(Event::Found { finding })?;
        }
        Ok(())
    }

    pub(super) fn restore(&mut self, holder: &str, keyid: &KeyId) -> Result<(), Halt> {
        if self.is_restored(keyid) {
            return Ok(());
        }
        self.open_again()?;
        let (role, key) = self.restorable(keyid)?;
        let text = vec![
            format!(
                "The {role} key {keyid} is brought to the token of {holder}, where it stays: it cannot be taken out of it again."
            ),
            "It proves itself with a signature over a challenge, which is no metadata.".to_owned(),
        ];
        let id = format!("token:restore:{role}:{holder}");
        let question = Question::new(id, "Restore a key to a token", text);
        let label = format!("tuf-{role}-{}", keyid.0.get(..LABEL).unwrap_or(&keyid.0));
        let subject = Subject {
            holder,
            role: &role,
            keyid: keyid.clone(),
            key,
        };
        let turn = &mut |runner: &mut Self, token: &TokenInfo| {
            if !runner.log_in(holder, token)? {
                return Ok(Turn::Refused("The token was passed over.".to_owned()));
            }
            // There already: power failed after it was brought, or it never was lost.
            let known = runner.world.keys(&token.id)?;
            if !known
                .iter()
                .any(|known| known.public == *subject.key.public())
            {
                runner.world.restore(&token.id, keyid, &label)?;
            }
            Ok(match runner.prove_on(&subject, token)? {
                Turn::Done(()) => Turn::Done(token.identity.clone()),
                Turn::Passed => Turn::Passed,
                Turn::Refused(why) => Turn::Refused(why),
            })
        };
        let Some(token) = self.take_turn(&question, holder, Bring::Ready, turn)? else {
            return Err(Halt::Waiting {
                what: format!(
                    "{holder} has no token in this room to which the key could be brought"
                ),
                then: "Name a token for this holder in the room file. The same command goes on from here.",
            });
        };
        self.restored(Restored {
            keyid: keyid.clone(),
            token: Some(token),
            file: None,
        })
    }

    pub(super) fn restore_file(&mut self, keyid: &KeyId) -> Result<(), Halt> {
        if self.is_restored(keyid) {
            return Ok(());
        }
        self.open_again()?;
        let (role, _) = self.restorable(keyid)?;
        let text = vec![
            format!("The private half of the {role} key {keyid} is written into a file, unsealed, on the medium that the room names for it."),
            "Whoever reads the file can sign. Bring it to its server and destroy the medium in front of two witnesses.".to_owned(),
        ];
        let question = Question::new(
            format!("restore:file:{keyid}"),
            "Write a private key into a file?",
            text,
        );
        self.ask_phrase(question, "write this key unsealed")?;
        let file = self.on_media(&mut |runner| Ok(runner.world.restore_file(keyid)?))?;
        self.restored(Restored {
            keyid: keyid.clone(),
            token: None,
            file: Some(file),
        })
    }

    /// Once all is restored nothing of the backup is needed any more.
    fn restored(&mut self, restored: Restored) -> Result<(), Halt> {
        self.emit(Event::Restored(restored))?;
        let wanted = &to_restore(self.subject.script)?.keys;
        if wanted.iter().all(|wanted| self.is_restored(&wanted.keyid)) {
            self.world.forget();
        }
        Ok(())
    }

    fn is_restored(&self, keyid: &KeyId) -> bool {
        let mut restored = self.progress.backup().restored().iter();
        restored.any(|known| known.keyid == *keyid)
    }

    /// After a restart the shares are asked for once more: nothing of them was kept.
    fn open_again(&mut self) -> Result<(), Halt> {
        if self.world.is_open() {
            return Ok(());
        }
        self.open()
    }

    fn restorable(&self, keyid: &KeyId) -> Result<(String, Key), Finding> {
        let roles = self.subject.trusted.listed_key(keyid);
        roles.ok_or_else(|| {
            let text = format!("no trusted metadata lists the key {keyid}; it was not restored");
            Finding::error("RESTORE-UNKNOWN", "", text)
        })
    }
}

fn to_restore(script: &Script) -> Result<&Restore, Finding> {
    script.restore.as_ref().ok_or_else(|| missing("restore"))
}

fn listing(keys: &[OpenedKey]) -> String {
    let keyids = keys.iter().map(|key| key.keyid.to_string());
    keyids.collect::<Vec<_>>().join(", ")
}
