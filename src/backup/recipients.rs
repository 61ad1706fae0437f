//! To whom a backup for the infrastructure is sealed.

use std::fmt;
use std::io::Write as _;

use age::{NoCallbacks, plugin, tag, tagpq, x25519};

use super::age_file::{encrypted, no_plugin, opens, refused};
use super::{Fault, Identities};
use crate::tuf::finding::{Finding, shown};

/// A recipient of age: an X25519 key, a key on a device, or a plugin's.
pub struct Recipient {
    text: String,
    age: Box<dyn age::Recipient + Send>,
}

impl Recipient {
    /// Reads `age1…`. `file` says where it stands.
    ///
    /// # Errors
    /// `BACKUP-RECIPIENT`: it is none, or its plugin is not on this machine.
    pub fn parse(file: &str, text: &str) -> Result<Self, Finding> {
        let wrong = |text: String| Finding::error("BACKUP-RECIPIENT", file, text);
        let text = text.trim();
        let age: Box<dyn age::Recipient + Send> = if let Ok(recipient) =
            text.parse::<x25519::Recipient>()
        {
            Box::new(recipient)
        } else if let Ok(recipient) = text.parse::<tag::Recipient>() {
            Box::new(recipient)
        } else if let Ok(recipient) = text.parse::<tagpq::Recipient>() {
            Box::new(recipient)
        } else if let Ok(recipient) = text.parse::<plugin::Recipient>() {
            let name = recipient.plugin().to_owned();
            let of_plugin = plugin::RecipientPluginV1::new(&name, &[recipient], &[], NoCallbacks);
            Box::new(of_plugin.map_err(|missing| wrong(no_plugin(&missing)))?)
        } else if text.to_ascii_uppercase().contains("SECRET-KEY-")
            || text.to_ascii_uppercase().starts_with("AGE-PLUGIN-")
        {
            // Not quoted: it is a secret.
            return Err(wrong(
                    "this is an identity, which opens backups, and it is now where others may read it. Make a new one, and name its recipient, which begins with age1".to_owned(),
                ));
        } else {
            return Err(wrong(format!(
                "{} is no recipient of age: it is mistyped, or of a kind that is not used here. Copy it whole; it begins with age1",
                shown(text)
            )));
        };
        let text = text.to_owned();
        Ok(Self { text, age })
    }

    pub(super) fn age(&self) -> &dyn age::Recipient {
        &*self.age
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.text)
    }
}

/// Proves that one of the identities in the room opens what is sealed to this recipient: a small file is sealed and opened.
///
/// # Errors
/// `BACKUP-RECIPIENT`.
pub fn proves(recipient: &Recipient, identities: &Identities) -> Result<(), Fault> {
    let one = [recipient.age()].into_iter();
    let file = encrypted(one, false, |out| {
        let written = out.write_all(b"a try\n");
        written.map_err(|_| refused("age could not write it").into())
    });
    file.and_then(|file| opens(&file, identities))
        .map_err(|fault| match fault {
            Fault::Refused(findings) => {
                let why = findings.first().map_or("", |finding| &finding.text);
                let text = format!(
                    "nobody in the room can open what is sealed to {}: {why}. Bring its identity, or name another recipient: a backup that nobody opened is none",
                    shown(&recipient.text)
                );
                Finding::error("BACKUP-RECIPIENT", "", text).into()
            }
            other => other,
        })
}
