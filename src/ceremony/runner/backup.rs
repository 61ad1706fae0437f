//! A backup is made: what may leave is shown and agreed, tokens give their keys away as blobs, everything is sealed to an identity that nobody keeps, and
//! its shares are handed out. It counts only once every share was typed from the paper, every blob worked on another token, and every group of shares
//! opened the file as it lies on its medium. Cut short anywhere it begins anew: what was sealed before opens with no share that is handed out later.

use data_encoding::HEXLOWER;

use super::ask::Question;
use super::turn::{Bring, Turn};
use super::{Halt, Runner};
use crate::ceremony::challenge::Challenge;
use crate::ceremony::event::{
    BackedUp, BackupBegun, BlobProven, Credential, Custody, Event, Kept, KeyWrapped,
};
use crate::ceremony::planning::wrapped;
use crate::ceremony::port::{SealOrder, TokenError, TokenFault, TokenInfo, VaultError};
use crate::ceremony::prompt::Tries;
use crate::ceremony::script::Backup;
use crate::ceremony::{ONLINE, SPARE, made_online};
use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId, PublicKey};

/// Typed to agree to what leaves.
const PHRASE: &str = "seal this backup";

impl From<VaultError> for Halt {
    fn from(failed: VaultError) -> Self {
        match failed {
            VaultError::Refused(findings) => Self::Refused(findings),
            VaultError::World(failed) => Self::World(failed),
            VaultError::Token(failed) => Self::Token(failed),
        }
    }
}

/// A token's key that is backed up.
struct Blob {
    holder: String,
    role: &'static str,
    keyid: KeyId,
    key: Key,
}

impl Runner<'_> {
    /// Makes an online key in locked memory.
    pub(super) fn make_online(
        &mut self,
        name: &str,
        algorithm: crate::tuf::key::Algorithm,
    ) -> Result<(), Halt> {
        let holder = made_online(name);
        let mut enrolled = self.progress.enrolled().iter();
        if enrolled.any(|known| known.holder == holder) {
            return Ok(());
        }
        let public = self.world.make_online(algorithm)?;
        self.enter(&holder, ONLINE, &public, true, None, Custody::default())
    }

    /// An online key is in memory only until it is sealed: metadata that name one that is gone are worth nothing.
    pub(super) fn refuse_lost_online(&self) -> Result<(), Finding> {
        if self.progress.backup().drilled().is_some() {
            return Ok(());
        }
        let material = self.material();
        for online in &self.subject.script.online {
            let made = material.made(&made_online(&online.name), ONLINE);
            if made.is_some_and(|(_, key)| !self.world.has_online(key.public())) {
                let text = format!(
                    "the online key {} was in memory only and is gone before it was sealed; nothing that names it left this machine: start again with an empty output folder",
                    online.name
                );
                return Err(Finding::error("ONLINE-LOST", "", text));
            }
        }
        Ok(())
    }

    pub(super) fn back_up(&mut self) -> Result<(), Halt> {
        if self.progress.backup().drilled().is_some() {
            return Ok(());
        }
        let Some(backup) = &self.subject.script.backup else {
            return Err(missing("backup").into());
        };
        self.end_session();
        let blobs = self.blobs()?;
        let keys = self.backed_up(&blobs)?;
        self.agree(backup, &keys)?;
        self.on_media(&mut |runner| {
            if !backup.infrastructure.is_empty() {
                runner.unlock(None)?;
            }
            Ok(runner.world.begin_backup(backup)?)
        })?;
        self.emit(Event::BackupBegun(BackupBegun {
            needed: backup.needed,
            custodians: backup.custodians.clone(),
            infrastructure: backup.infrastructure.clone(),
            keys: keys.iter().map(|(said, _)| said.clone()).collect(),
        }))?;
        for blob in &blobs {
            self.wrap(blob)?;
        }
        let of = u8::try_from(backup.custodians.len()).unwrap_or(u8::MAX);
        let sealed = self.on_media(&mut |runner| {
            let files = runner.backup_files()?;
            Ok(runner.world.seal(SealOrder {
                needed: backup.needed,
                of,
                keys: &keys,
                armored: backup.armored,
                infrastructure: &backup.infrastructure,
                files,
            })?)
        })?;
        self.emit(Event::Sealed(sealed))?;
        for (index, custodian) in (1..).zip(&backup.custodians) {
            let sealed = backup.sealed.get(custodian);
            self.hand_out((index, of), custodian, sealed)?;
        }
        for blob in &blobs {
            self.try_blob(blob)?;
        }
        let (drilled, _) = self.on_media(&mut |runner| Ok(runner.world.drill()?))?;
        self.world.forget();
        self.emit(Event::Drilled(drilled))
    }

    /// The tokens' keys that the script wants to have backed up.
    fn blobs(&self) -> Result<Vec<Blob>, Finding> {
        let material = self.material();
        let wanted = wrapped(self.subject.script);
        wanted
            .map(|(holder, role, said)| {
                let found = match &said.keyid {
                    Some(keyid) => {
                        let listed = self.subject.trusted.listed_key(keyid);
                        listed
                            .map(|(_, key)| (keyid.clone(), key))
                            .or_else(|| material.made(holder, role))
                    }
                    None => material.made(holder, role),
                };
                let (keyid, key) = found.ok_or_else(|| {
                    let text = format!("{holder} has no {role} key that could be backed up: it is neither trusted nor did it show itself");
                    Finding::error("BACKUP-KEY", "", text)
                })?;
                Ok(Blob {
                    holder: holder.to_owned(),
                    role,
                    keyid,
                    key,
                })
            })
            .collect()
    }

    /// Every key that goes into the backup, with its public half.
    fn backed_up(&self, blobs: &[Blob]) -> Result<Vec<(BackedUp, PublicKey)>, Finding> {
        let material = self.material();
        let mut keys = Vec::new();
        for online in &self.subject.script.online {
            if online.generate.is_none() {
                continue;
            }
            let key = material.online_key(online)?;
            let said = BackedUp {
                keyid: key.keyid(),
                of: online.name.clone(),
                roles: online.roles.clone(),
                kept: Kept::Online,
            };
            keys.push((said, key.public().clone()));
        }
        keys.extend(blobs.iter().map(|blob| {
            let said = BackedUp {
                keyid: blob.keyid.clone(),
                of: blob.holder.clone(),
                roles: vec![blob.role.to_owned()],
                kept: Kept::Wrapped,
            };
            (said, blob.key.public().clone())
        }));
        Ok(keys)
    }

    /// What leaves and what never does, in full, and a phrase.
    fn agree(&mut self, backup: &Backup, keys: &[(BackedUp, PublicKey)]) -> Result<(), Halt> {
        let mut text = vec![format!(
            "Any {} of these {} open the backup of everything, and fewer learn nothing: {}.",
            backup.needed,
            backup.custodians.len(),
            backup.custodians.join(", ")
        )];
        text.extend(keys.iter().map(|(said, _)| match said.kept {
            Kept::Online => format!(
                "ONLINE KEY {} (for {}), keyid {}: its private half goes into the backup and into the export for the infrastructure.",
                said.of,
                said.roles.join(", "),
                said.keyid
            ),
            Kept::Wrapped => format!(
                "TOKEN KEY {} of {}, keyid {}: leaves its token as a blob under a wrapping key that is in the backup too. It was extractable under a trusted wrapping key.",
                said.roles.join(", "),
                said.of,
                said.keyid
            ),
        }));
        text.extend(backup.sealed.iter().map(|(custodian, recipient)| {
            format!("The share of {custodian} is sealed for {recipient}; the others are on paper.")
        }));
        text.extend(backup.infrastructure.iter().map(|recipient| {
            format!("Metadata and online keys alone are sealed for {recipient}.")
        }));
        text.push("All metadata and the state of this ceremony are in the backup. Every other key of a token stays where it is; PINs, and keys that were destroyed, are nowhere.".to_owned());
        if self.progress.backup().begun().is_some() {
            text.push("A backup was begun before and cut short. It begins anew: destroy every share that was written down, none of them opens what is sealed now.".to_owned());
        }
        let question = Question::new("backup:policy", "What leaves this room, sealed", text);
        self.ask_phrase(question, PHRASE)
    }

    /// A token gives its key away as a blob.
    fn wrap(&mut self, blob: &Blob) -> Result<(), Halt> {
        let Blob {
            holder, role, key, ..
        } = blob;
        let text = vec![
            format!("The token of {holder} gives its {role} key away, under a wrapping key that was made now and is in locked memory only."),
            "It asks for the SO PIN, which lets the wrapping key in, and for the PIN. The wrapping key is taken off the token again.".to_owned(),
        ];
        let id = format!("token:wrap:{role}:{holder}");
        let question = Question::new(id, "Take a key out as a blob", text);
        let mut wrong = 0;
        let turn = &mut |runner: &mut Self, token: &TokenInfo| {
            runner.end_session();
            let so_pin = runner.secret(holder, Credential::So, token, Tries::Unknown, None)?;
            let tries = runner.tries(token)?;
            let pin = runner.secret(holder, Credential::User, token, tries, None)?;
            let known = runner.find(token, |known| known.public() == key.public())?;
            let wrapped = match runner.world.wrap(&token.id, &known, &so_pin, &pin) {
                Err(refused) if refused.fault == TokenFault::PinIncorrect => {
                    wrong += 1;
                    let said = format!(
                        "{refused}. Nothing was taken out. Check the labels of the envelopes."
                    );
                    runner.refused_pin(holder, tries, wrong, refused)?;
                    return Ok(Turn::Refused(said));
                }
                wrapped => wrapped?,
            };
            Ok(Turn::Done((token.identity.clone(), wrapped)))
        };
        let Some((token, wrapped)) = self.take_turn(&question, holder, Bring::Ready, turn)? else {
            return Err(absent(holder, "its key cannot be backed up"));
        };
        self.emit(Event::KeyWrapped(KeyWrapped {
            holder: holder.clone(),
            keyid: blob.keyid.clone(),
            token,
            wrapped,
        }))
    }

    /// Another token unwraps the blob, signs a challenge and forgets it.
    fn try_blob(&mut self, blob: &Blob) -> Result<(), Halt> {
        let Blob {
            holder,
            role,
            keyid,
            key,
        } = blob;
        let text = vec![format!(
            "The blob of the {role} key of {holder} is tried on another token: it unwraps the key, signs a challenge with it, and keeps nothing."
        )];
        let id = format!("token:try:{role}:{holder}");
        let question = Question::new(id, "Try the blob on another token", text);
        let given = self.progress.backup().wrapped().iter();
        let mut given = given.filter(|known| known.keyid == *keyid);
        let first = given.next_back().map(|known| known.token.serial.clone());
        let turn = &mut |runner: &mut Self, token: &TokenInfo| {
            if first.as_ref() == Some(&token.identity.serial) {
                return Ok(Turn::Refused(
                    "This is the token that the key came from. A backup is proven on another one."
                        .to_owned(),
                ));
            }
            if !runner.log_in(SPARE, token)? {
                return Ok(Turn::Refused("The token was passed over.".to_owned()));
            }
            let nonce = runner.world.nonce()?;
            let challenge = Challenge::new(runner.subject.ceremony, keyid, &nonce);
            let sig = runner.world.sign_wrapped(&token.id, keyid, &challenge)?;
            if !key.verifies(challenge.bytes(), &sig) {
                return Err(TokenError {
                    attempted: format!("try the blob of the {role} key of {holder}"),
                    said: "the signature does not verify with the listed key: the blob is no backup of it".to_owned(),
                    fault: TokenFault::Other,
                    may_have_signed: false,
                }
                .into());
            }
            Ok(Turn::Done(BlobProven {
                keyid: keyid.clone(),
                token: token.identity.clone(),
                nonce: HEXLOWER.encode(&nonce),
                sig: HEXLOWER.encode(&sig),
            }))
        };
        match self.take_turn(&question, SPARE, Bring::Ready, turn)? {
            Some(proven) => self.emit(Event::BlobProven(proven)),
            None => Err(absent(SPARE, "no blob can be tried")),
        }
    }
}

pub(super) fn missing(section: &str) -> Finding {
    let text = format!("the plan wants what the script does not say: [{section}] is missing");
    Finding::error("SCRIPT-BACKUP", "", text)
}

fn absent(holder: &str, so: &str) -> Halt {
    Halt::Waiting {
        what: format!("{holder} has no token in this room, and {so}"),
        then: "Name a token for it in the room file, by its serial or label. The same command goes on from here.",
    }
}
