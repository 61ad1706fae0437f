//! What is backed up and what was opened: it stays here, in locked memory, until it is forgotten. Wires tokens, software keys, the backup room and media.

mod media;
pub(super) mod named;
mod payload;
mod shares;

use std::path::{Path, PathBuf};

use super::config::Media;
use super::world::{RoomWorld, reach};
use crate::backup::{
    self, Everything, Fault, Held, Recipient, Record, Scheme, Share, WRAP_KEY, sheet,
};
use crate::bundle::files;
use crate::ceremony::challenge::Challenge;
use crate::ceremony::event::{Drilled, FileDigest, Sealed};
use crate::ceremony::port::{
    OpenedKey, SealOrder, TokenError, TokenFault, TokenId, TokenKey, Vault, VaultError, WorldError,
};
use crate::ceremony::script::Backup;
use crate::secret::{Secret, SecretError};
use crate::token::software::EphemeralKeys;
use crate::transcript;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, Key, KeyId, Message, PublicKey};

/// The backup of everything, on its medium and in the input of a restoration.
pub(super) const EVERYTHING: &str = "everything.age";
/// The public record of its shares, beside it.
pub(super) const SHARES: &str = "shares.json";
/// A custodian's sealed share, on a medium of its own.
const SHARE: &str = "share.age";
/// The export for the infrastructure, on its medium.
const INFRASTRUCTURE: &str = "infrastructure.age";

/// The secrets of a backup that is made or was opened.
#[derive(Default)]
pub(super) struct RoomVault {
    pub(super) media: Media,
    online: EphemeralKeys,
    wrap_key: Option<Secret>,
    blobs: Vec<(KeyId, PublicKey, Vec<u8>)>,
    /// What is read back or tried: the file as it lies on its medium, and its record.
    file: Option<(PathBuf, Record)>,
    dealt: Vec<Share>,
    typed: Vec<(String, Share)>,
    opened: Option<Everything>,
    /// Of age identities on devices, by their files: for what is done next.
    pins: Vec<(PathBuf, Secret)>,
}

impl RoomVault {
    pub(super) fn new(media: Media) -> Self {
        Self {
            media,
            ..Self::default()
        }
    }

    /// Everything but the online keys, which metadata names already and a backup that begins anew needs again.
    fn clear(&mut self) {
        *self = Self {
            media: std::mem::take(&mut self.media),
            online: std::mem::take(&mut self.online),
            ..Self::default()
        };
    }

    /// The file and its record as they lie on the medium now.
    fn read(&self) -> Result<(Vec<u8>, Record), VaultError> {
        let Some((path, record)) = &self.file else {
            return Err(Finding::error("BACKUP-FILE", "", "no backup is open").into());
        };
        let file = files::read(path, files::CAP).map_err(|fault| disk(path, &fault.to_string()))?;
        Ok((file, record.clone()))
    }

    /// A blob and the key that opens it, from the backup that was opened, or from the one that is made.
    fn wrapped(&self, key: &KeyId) -> Option<(&PublicKey, &[u8], &Secret)> {
        let made = || {
            let (_, public, blob) = self.blobs.iter().find(|(keyid, ..)| keyid == key)?;
            Some((public, blob.as_slice(), self.wrap_key.as_ref()?))
        };
        let opened = self.opened.as_ref().and_then(|opened| {
            let wrapped = opened.wrapped.as_ref()?;
            let found = wrapped
                .keys
                .iter()
                .find(|known| known.half().keyid == *key)?;
            Some((&found.half().public, found.blob(), &wrapped.wrap_key))
        });
        opened.or_else(made)
    }
}

impl Vault for RoomWorld {
    fn make_online(&mut self, algorithm: Algorithm) -> Result<PublicKey, TokenError> {
        let mut made = self.vault.online.make(&[algorithm])?;
        made.pop()
            .ok_or_else(|| failed("make an online key", "no key was made"))
    }

    fn has_online(&self, key: &PublicKey) -> bool {
        self.vault.online.private(key).is_some()
    }

    fn begin_backup(&mut self, backup: &Backup) -> Result<(), VaultError> {
        let pins = std::mem::take(&mut self.vault.pins);
        self.vault.clear();
        let Media {
            everything,
            infrastructure: folder,
            ..
        } = self.vault.media.clone();
        self.medium("everything", everything.as_ref())?;
        if !backup.infrastructure.is_empty() {
            self.medium("infrastructure", folder.as_ref())?;
            self.vault.pins = pins;
            let proven = self.prove_recipients(&recipients(&backup.infrastructure)?);
            self.vault.pins.clear();
            proven?;
        }
        self.vault.wrap_key = Some(Secret::random(WRAP_KEY)?);
        Ok(())
    }

    fn wrap(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        so_pin: &Secret,
        pin: &Secret,
    ) -> Result<Sha256, TokenError> {
        let keyid = Key::from_public(&key.public).map(|key| key.keyid());
        let keyid = keyid.ok_or_else(|| failed("wrap a key", "metadata cannot list it"))?;
        let wrap_key = self.vault.wrap_key.take();
        let wrap_key = wrap_key.ok_or_else(|| failed("wrap a key", "there is no wrapping key"))?;
        let wrapped = self
            .module(token)
            .and_then(|module| module.wrap(token, key, &wrap_key, so_pin, pin));
        self.vault.wrap_key = Some(wrap_key);
        let wrapped = wrapped?;
        let digest = Sha256::of(&wrapped);
        self.vault.blobs.push((keyid, key.public.clone(), wrapped));
        Ok(digest)
    }

    fn seal(&mut self, mut order: SealOrder<'_>) -> Result<Sealed, VaultError> {
        let Media {
            everything: folder,
            infrastructure: other,
            ..
        } = self.vault.media.clone();
        let scheme = Scheme::new("", order.needed, order.of)?;
        let recipients = recipients(order.infrastructure)?;
        let armored = order.armored;
        let (metadata, rest) = std::mem::take(&mut order.files)
            .into_iter()
            .partition(|(path, _)| path.starts_with("metadata/"));
        order.files = metadata;
        let mut payload = self.payload(order)?;
        let exported = if recipients.is_empty() {
            None
        } else {
            let folder = self.medium("infrastructure", other.as_ref())?;
            let sealed = backup::seal_to(&payload.infrastructure, &recipients, armored)?;
            Some((folder, sealed))
        };
        payload.infrastructure.files.extend(rest);
        let path = self.output.join(transcript::NAME);
        let record = files::read(&path, files::CAP);
        let record = record.map_err(|fault| disk(&path, &fault.to_string()))?;
        let so_far = format!("ceremony/{}", transcript::NAME);
        payload.infrastructure.files.insert(so_far, record);
        let set = backup::seal_shared(&payload, scheme, armored)?;
        drop(payload);
        let folder = self.medium("everything", folder.as_ref())?;
        let sealed = self.to_media(&folder, &set, exported.as_ref())?;
        self.vault.file = Some((folder.join(EVERYTHING), set.record));
        self.vault.dealt = set.shares;
        Ok(sealed)
    }

    fn share(&mut self, index: u8) -> Result<Secret, VaultError> {
        Ok(sheet::written(self.vault.dealt(index)?)?)
    }

    fn take_share(&mut self, custodian: &str, typed: &Secret) -> Result<u8, Vec<Finding>> {
        self.vault.take(custodian, typed)
    }

    fn prints(&self) -> bool {
        self.vault.media.printer.is_some()
    }

    fn print_share(&mut self, index: u8, custodian: &str) -> Result<(), VaultError> {
        self.print(index, custodian)
    }

    fn locked(&self, custodian: Option<&str>) -> Vec<String> {
        self.vault.locked(custodian)
    }

    fn unlock(&mut self, identity: &str, pin: Secret) {
        self.vault.pins.push((identity.into(), pin));
    }

    fn has_medium(&self, custodian: &str) -> bool {
        self.vault.custodian(custodian).is_some()
    }

    fn seal_share(
        &mut self,
        index: u8,
        custodian: &str,
        recipient: &str,
    ) -> Result<(), VaultError> {
        let sealed = self.seal_to_custodian(index, custodian, recipient);
        if sealed.is_err() {
            self.vault.pins.clear();
        }
        sealed
    }

    fn take_sealed(&mut self, custodian: &str) -> Result<(u8, FileDigest), VaultError> {
        let taken = self.take_from_custodian(custodian);
        self.vault.pins.clear();
        taken
    }

    fn open_backup(&mut self, sha256: Sha256) -> Result<Sealed, VaultError> {
        self.vault.clear();
        let folder = self.input.join("backup");
        let read = |name: &str, cap| {
            let path = folder.join(name);
            files::read(&path, cap).map_err(|fault| disk(&path, &fault.to_string()))
        };
        let file = read(EVERYTHING, files::CAP)?;
        if Sha256::of(&file) != sha256 {
            let text = format!(
                "the script names the backup with SHA-256 {sha256}, and this file has {}: carry in the backup of these sheets",
                Sha256::of(&file)
            );
            return Err(Finding::error("BACKUP-FILE", EVERYTHING, text).into());
        }
        let shares = read(SHARES, files::SMALL_CAP)?;
        let record = Record::parse(SHARES, &shares)?;
        if record.backup() != sha256 {
            let text = "this record is of shares that open another backup; carry in the one that lay beside it";
            return Err(Finding::error("SHARE-RECORD", SHARES, text).into());
        }
        self.vault.file = Some((folder.join(EVERYTHING), record));
        Ok(Sealed {
            everything: files::digest(EVERYTHING, &file),
            shares: files::digest(SHARES, &shares),
            infrastructure: None,
        })
    }

    fn drill(&mut self) -> Result<(Drilled, Vec<OpenedKey>), VaultError> {
        let (file, record) = self.vault.read()?;
        let held = self.vault.held();
        let drill = backup::drill(&file, &record, &held)?;
        let opened = drill.everything;
        let findings = opened.check()?;
        if !findings.is_empty() {
            return Err(VaultError::Refused(findings));
        }
        let keys: Vec<_> = opened
            .keys()
            .map(|half| OpenedKey {
                keyid: half.keyid.clone(),
                roles: half.roles.clone(),
                public: half.public.clone(),
            })
            .collect();
        let drilled = Drilled {
            everything: Sha256::of(&file),
            opened: drill.restored,
            refused: drill.refused,
            keys: keys.iter().map(|key| key.keyid.clone()).collect(),
        };
        self.vault.opened = Some(opened);
        Ok((drilled, keys))
    }

    fn sign_wrapped(
        &mut self,
        token: &TokenId,
        key: &KeyId,
        challenge: &Challenge,
    ) -> Result<Vec<u8>, TokenError> {
        const WHAT: &str = "sign with a key out of its blob";
        let (public, blob, wrap_key) = self
            .vault
            .wrapped(key)
            .ok_or_else(|| failed(WHAT, "there is no such blob"))?;
        let algorithm = public.algorithm();
        let algorithm = algorithm.ok_or_else(|| failed(WHAT, "keys of this type cannot sign"))?;
        let message = Message::of(algorithm, challenge.bytes());
        let module = reach(&mut self.modules, token)?;
        module.sign_wrapped(token, blob, wrap_key, public, &message)
    }

    fn restore(
        &mut self,
        token: &TokenId,
        key: &KeyId,
        label: &str,
    ) -> Result<TokenKey, TokenError> {
        let found = self.vault.wrapped(key);
        let (public, blob, wrap_key) =
            found.ok_or_else(|| failed("restore a key", "the backup has no blob of it"))?;
        let module = reach(&mut self.modules, token)?;
        module.unwrap(token, blob, wrap_key, label, public)
    }

    fn restore_file(&mut self, key: &KeyId) -> Result<FileDigest, VaultError> {
        let folder = self.vault.media.restored.clone();
        let folder = self.medium("restored", folder.as_ref())?;
        let opened = self.vault.opened.iter();
        let mut online = opened.flat_map(|opened| &opened.infrastructure.online);
        let online = online.find(|online| online.half().keyid == *key);
        let online = online.ok_or_else(|| lost(key))?;
        let name = format!("{key}.pem");
        media::key_to_medium(&folder, &name, online.pem())
    }

    fn is_open(&self) -> bool {
        self.vault.opened.is_some()
    }

    fn forget(&mut self) {
        self.vault.clear();
        self.vault.online.destroy();
    }
}

fn recipients(texts: &[String]) -> Result<Vec<Recipient>, VaultError> {
    let parsed = texts
        .iter()
        .map(|text| Recipient::parse("script.toml", text));
    Ok(parsed.collect::<Result<_, _>>()?)
}

fn copy(secret: &Secret) -> Result<Secret, VaultError> {
    let copied = secret.expose(|bytes| {
        Secret::filled(bytes.len(), |room| {
            room.copy_from_slice(bytes);
            Ok::<(), SecretError>(())
        })
    });
    Ok(copied?)
}

fn refused(fault: Fault) -> Vec<Finding> {
    match VaultError::from(fault) {
        VaultError::Refused(findings) => findings,
        other => vec![Finding::error("SHARE-WORDS", "", other.to_string())],
    }
}

fn lost(keyid: &KeyId) -> VaultError {
    let text = format!(
        "the key {keyid} is not in memory: the program was started again since it was made or wrapped"
    );
    Finding::error("BACKUP-KEY", "", text).into()
}

fn failed(attempted: &str, said: &str) -> TokenError {
    TokenError {
        attempted: attempted.to_owned(),
        said: said.to_owned(),
        fault: TokenFault::Other,
        may_have_signed: false,
    }
}

impl From<Fault> for VaultError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(findings) => Self::Refused(findings),
            // The hint is a part of a share and is shown nowhere.
            Fault::Mistyped(finding, _) => finding.into(),
            Fault::Memory(fault) => fault.into(),
        }
    }
}

fn disk(path: &Path, said: &str) -> VaultError {
    let path = path.display().to_string();
    // Some of what is said names the file already.
    let said = said.strip_prefix(&format!("{path}: ")).unwrap_or(said);
    VaultError::World(WorldError {
        said: said.to_owned(),
        path,
    })
}
