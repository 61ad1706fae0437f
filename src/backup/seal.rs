//! Backups sealed and opened.

use std::io::{Read as _, Write as _};

use age::scrypt;

use super::age_file::{encrypted, plaintext, refused, sealed};
use super::identities::text;
use super::payload::{self, Everything, Infrastructure};
use super::{Fault, Held, Identities, Recipient, Record, Scheme, Share, combine, sheet, split};
use crate::secret::{Secret, SecretError, wipe_stack};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::words;

/// The work that a passphrase of ours asks for, as a power of two: not what the machine that seals is good for, since another one opens.
const WORK: u8 = 18;
/// Words of a passphrase: 96 bits.
const WORDS: usize = 12;

/// A backup and the shares of what opens it.
pub struct SealedSet {
    /// The age file.
    pub file: Vec<u8>,
    /// What is public of the shares; it lies beside the file.
    pub record: Record,
    /// One for each custodian.
    pub shares: Vec<Share>,
}

/// Seals it to a fresh identity, and splits that one's secret. The identity is then nowhere but in the shares.
///
/// # Errors
/// `BACKUP-KEY`, `BACKUP-PAYLOAD`: it would not restore what it says; no memory for secrets, no randomness.
pub fn seal_shared(
    everything: &Everything,
    scheme: Scheme,
    armored: bool,
) -> Result<SealedSet, Fault> {
    none(everything.check()?)?;
    let secret = Secret::random(32)?;
    let (_, recipient) = Identities::of(&secret)?;
    let recipients = [&recipient as &dyn age::Recipient].into_iter();
    let file = sealed(&everything.payload(), recipients, armored)?;
    let (record, shares) = split(&secret, scheme, Sha256::of(&file))?;
    Ok(SealedSet {
        file,
        record,
        shares,
    })
}

/// Opens it with enough shares. Nothing is given before the whole file was verified.
///
/// # Errors
/// What [`combine`] says, `BACKUP-SEAL`, `BACKUP-PAYLOAD`; no memory for secrets.
pub fn open_shared(
    backup: &[u8],
    record: Option<&Record>,
    held: &[Held<'_>],
) -> Result<Everything, Fault> {
    let secret = combine(Sha256::of(backup), record, held)?;
    open(backup, &Identities::of(&secret)?.0)
}

/// Seals it to recipients, any of whom opens it. That each can be opened is for [`super::proves`].
///
/// # Errors
/// `BACKUP-SEAL`, `BACKUP-KEY`, `BACKUP-PAYLOAD`.
pub fn seal_to(
    infrastructure: &Infrastructure,
    recipients: &[Recipient],
    armored: bool,
) -> Result<Vec<u8>, Fault> {
    none(infrastructure.check())?;
    let recipients = recipients.iter().map(Recipient::age);
    sealed(&infrastructure.payload(), recipients, armored)
}

/// Seals it with a passphrase; [`passphrase`] makes one that is strong enough.
///
/// # Errors
/// `BACKUP-IDENTITY`, `BACKUP-KEY`, `BACKUP-PAYLOAD`.
pub fn seal_passphrase(
    infrastructure: &Infrastructure,
    passphrase: &Secret,
    armored: bool,
) -> Result<Vec<u8>, Fault> {
    none(infrastructure.check())?;
    let mut recipient = scrypt::Recipient::new(text(passphrase)?);
    recipient.set_work_factor(WORK);
    let recipients = [&recipient as &dyn age::Recipient].into_iter();
    sealed(&infrastructure.payload(), recipients, armored)
}

/// Opens a backup. Nothing is given before the whole file was verified. Whether its keys are those that it says is for [`Everything::check`]; whether they
/// are those of trusted metadata, for the caller.
///
/// # Errors
/// `BACKUP-SEAL`, `BACKUP-PAYLOAD`; no memory for secrets.
pub fn open(backup: &[u8], identities: &Identities) -> Result<Everything, Fault> {
    payload::read(plaintext(backup, identities)?)
}

/// Seals a share to its custodian: the words of a sheet, so that the `age` program gives what paper would say.
///
/// # Errors
/// `BACKUP-SEAL`; no memory for secrets.
pub fn seal_share(share: &Share, custodian: &Recipient) -> Result<Vec<u8>, Fault> {
    let words = sheet::written(share)?;
    let sealed = encrypted([custodian.age()].into_iter(), true, |out| {
        let written = words.expose(|words| out.write_all(words));
        written.map_err(|_| refused("age could not write it").into())
    });
    // The cipher keeps its last blocks there.
    wipe_stack();
    sealed
}

/// The words of a share that was sealed to its custodian, for [`sheet::read`].
///
/// # Errors
/// `BACKUP-SEAL`; no memory for secrets.
pub fn open_share(file: &[u8], identities: &Identities) -> Result<Secret, Fault> {
    let mut stream = plaintext(file, identities)?;
    let mut length = 0;
    let mut words = Secret::filled(Secret::CAPACITY, |room| {
        while length < room.len() {
            match stream.read(&mut room[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(_) => return Err(Fault::from(refused("the file is damaged"))),
            }
        }
        Ok(())
    })?;
    wipe_stack();
    while words.len() > length {
        words.pop();
    }
    Ok(words)
}

/// A fresh passphrase: 12 PGP words, joined by hyphens. Each is a random byte's, so none is likelier than another.
///
/// # Errors
/// No memory for secrets, no randomness.
pub fn passphrase() -> Result<Secret, SecretError> {
    let mut text = Secret::new()?;
    Secret::random(WORDS)?.expose(|bytes| {
        for (place, byte) in bytes.iter().enumerate() {
            if place > 0 {
                text.push(b'-')?;
            }
            let mut word = words::word(place, *byte).bytes();
            word.try_for_each(|letter| text.push(letter))?;
        }
        Ok(text)
    })
}

fn none(findings: Vec<Finding>) -> Result<(), Fault> {
    if findings.is_empty() {
        Ok(())
    } else {
        Err(Fault::Refused(findings))
    }
}
