//! age files (age-encryption.org/v1): written, and read only when they were verified to their end. What age says is told again in plain sentences.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::plugin::ResolveError;
use age::stream::StreamWriter;
use age::{DecryptError, Decryptor, EncryptError, Encryptor};

use super::payload::Payload;
use super::{Fault, Identities};
use crate::secret::Secret;
use crate::tuf::finding::{Finding, shown};

/// Seals a payload to these recipients.
pub(super) fn sealed<'a>(
    payload: &Payload<'_>,
    recipients: impl Iterator<Item = &'a dyn age::Recipient>,
    armored: bool,
) -> Result<Vec<u8>, Fault> {
    encrypted(recipients, armored, |out| payload.write(out))
}

/// An age file of what `write` writes.
pub(super) fn encrypted<'a>(
    recipients: impl Iterator<Item = &'a dyn age::Recipient>,
    armored: bool,
    write: impl FnOnce(&mut StreamWriter<ArmoredWriter<Vec<u8>>>) -> Result<(), Fault>,
) -> Result<Vec<u8>, Fault> {
    let format = if armored {
        Format::AsciiArmor
    } else {
        Format::Binary
    };
    let failed = |_| Fault::from(refused("age could not write it"));
    let encryptor = Encryptor::with_recipients(recipients).map_err(not_sealed)?;
    let armor = ArmoredWriter::wrap_output(Vec::new(), format).map_err(failed)?;
    let mut out = encryptor.wrap_output(armor).map_err(failed)?;
    write(&mut out)?;
    // The stream's end and the armor's: without either the file is a truncated one.
    let armor = out.finish().map_err(failed)?;
    armor.finish().map_err(failed)
}

/// The plaintext of an age file that was verified to its last byte before the first is lent.
///
/// # Errors
/// `BACKUP-SEAL`; no memory for secrets.
pub fn plaintext<'f>(file: &'f [u8], identities: &Identities) -> Result<impl Read + 'f, Fault> {
    let mut stream = Decryptor::new_buffered(ArmoredReader::new(Cursor::new(file)))
        .and_then(|age| age.decrypt(identities.iter()))
        .map_err(not_opened)?;
    // Read into locked memory, since it is plaintext.
    let mut read = |room: &mut [u8]| -> io::Result<()> {
        while stream.read(room)? > 0 {}
        stream.seek(SeekFrom::Start(0)).map(drop)
    };
    Secret::filled(Secret::CAPACITY, |room| {
        read(room).map_err(|_| Fault::from(refused(DAMAGED)))
    })?;
    Ok(stream)
}

/// Whether one of these identities opens the header: then it has the key to the rest.
pub(super) fn opens(file: &[u8], identities: &Identities) -> Result<(), Fault> {
    let age = Decryptor::new_buffered(ArmoredReader::new(Cursor::new(file)));
    let opened = age.and_then(|age| age.decrypt(identities.iter()));
    opened.map(drop).map_err(not_opened)
}

const DAMAGED: &str =
    "it is damaged or cut off, and nothing of it was used. Take another copy of the backup";

fn not_opened(error: DecryptError) -> Fault {
    let text = match error {
        DecryptError::NoMatchingKeys => {
            "none of the identities opens it: it was sealed to others. Look for the identity of this backup, or the backup of this identity".to_owned()
        }
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            "it does not open: the passphrase is wrong, or the file is damaged. Type the passphrase again, or take another copy".to_owned()
        }
        DecryptError::ExcessiveWork { required, .. } => format!(
            "its passphrase has the work factor {required}, and at most {} is tried here. It is not one that this program made",
            Identities::MOST_WORK
        ),
        DecryptError::InvalidHeader | DecryptError::InvalidMac | DecryptError::Io(_) => {
            DAMAGED.to_owned()
        }
        DecryptError::UnknownFormat => {
            "it is an age file of a version that is not known here. Take a later version of this program, or age itself".to_owned()
        }
        DecryptError::Plugin(errors) => plugin(&errors),
        DecryptError::PluginResolve(missing) => no_plugin(&missing),
        _ => "age does not open it, and this program does not know why".to_owned(),
    };
    refused(text).into()
}

fn not_sealed(error: EncryptError) -> Fault {
    let text = match error {
        EncryptError::MissingRecipients => {
            "no recipient was named, so nobody could open it".to_owned()
        }
        EncryptError::MixedRecipientAndPassphrase => {
            "a passphrase and recipients do not go together in age. Make two files".to_owned()
        }
        EncryptError::IncompatibleRecipients { .. } => {
            "its recipients do not go together in age: one of them wants no others beside it, or only such as resist quantum computers. Make two files".to_owned()
        }
        EncryptError::Plugin(errors) => plugin(&errors),
        EncryptError::PluginResolve(missing) => no_plugin(&missing),
        _ => "age does not seal it, and this program does not know why".to_owned(),
    };
    refused(text).into()
}

/// What a plugin says is another program's text, and age puts marks for the direction of writing around it.
fn plugin(errors: &[impl ToString]) -> String {
    let said = errors.iter().map(|error| {
        let said = error.to_string().replace(['\u{2068}', '\u{2069}'], "");
        shown(said.trim()).into_owned()
    });
    let said = said.collect::<Vec<_>>().join(", ");
    format!("the plugin of age refused: {said}")
}

pub(super) fn no_plugin(missing: &ResolveError) -> String {
    match missing {
        ResolveError::MissingPlugin { binary_name } => format!(
            "the program {} is not on this machine. Install it where programs are looked for, or name another recipient",
            shown(binary_name)
        ),
        _ => "its plugin of age has a name that no program can have".to_owned(),
    }
}

pub(super) fn refused(text: impl Into<String>) -> Finding {
    Finding::error("BACKUP-SEAL", "", text)
}
