//! What opens backups: identities of age, and passphrases. age keeps them in ordinary memory while they live and wipes them when they are dropped.

use std::sync::{Arc, Mutex};

use age::secrecy::SecretString;
use age::{plugin, scrypt, x25519};
use bech32::{Bech32, Hrp};

use super::Fault;
use super::age_file::no_plugin;
use crate::secret::{Secret, SecretError};
use crate::tuf::finding::Finding;

/// What may open an age file; the first that fits does.
pub struct Identities(Vec<Box<dyn age::Identity + Send + Sync>>);

impl Identities {
    /// The most work that a passphrase may ask for, as a power of two. Ours ask for 18.
    pub const MOST_WORK: u8 = 22;

    /// Reads an identity file of age: `AGE-SECRET-KEY-1…` and `AGE-PLUGIN-…` a line. `from` says whose it is. The PIN is for the one plugin that asks for one;
    /// it is given once, since a wrong one may be the last that the device takes.
    ///
    /// # Errors
    /// `BACKUP-IDENTITY`.
    pub fn read(from: &str, file: &Secret, pin: Option<Secret>) -> Result<Self, Fault> {
        let pin = Pin(Arc::new(Mutex::new(pin)));
        let refused = |text: String| Fault::from(Finding::error("BACKUP-IDENTITY", from, text));
        let identities = file.expose(|file| {
            let lines = (1..).zip(file.split(|byte| *byte == b'\n'));
            let lines = lines.map(|(number, line)| (number, line.trim_ascii()));
            let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"));
            let read = lines.map(|(number, line)| {
                let identity = identity(line, &pin).ok_or_else(|| {
                    format!("line {number} is no identity of age. Give the file that age-keygen or a plugin wrote, unencrypted")
                });
                identity.flatten().map_err(refused)
            });
            read.collect::<Result<Vec<_>, Fault>>()
        })?;
        if identities.is_empty() {
            return Err(refused("there is no identity in it".to_owned()));
        }
        Ok(Self(identities))
    }

    /// Whether a plugin opens with one of the identities in this file: its device may want a PIN.
    pub fn need_plugin(file: &Secret) -> bool {
        file.expose(|file| {
            let mut lines = file.split(|byte| *byte == b'\n');
            lines.any(|line| line.trim_ascii().starts_with(b"AGE-PLUGIN-"))
        })
    }

    /// A passphrase. It opens files that are sealed with it, and no others.
    ///
    /// # Errors
    /// `BACKUP-IDENTITY`: it is no UTF-8.
    pub fn passphrase(typed: &Secret) -> Result<Self, Fault> {
        let mut identity = scrypt::Identity::new(text(typed)?);
        identity.set_max_work_factor(Self::MOST_WORK);
        Ok(Self(vec![Box::new(identity)]))
    }

    /// The identity that these 32 bytes are, and its recipient.
    pub(super) fn of(secret: &Secret) -> Result<(Self, x25519::Recipient), Fault> {
        let text = written(secret)?;
        let identity = text.expose(|text| {
            let text = str::from_utf8(text).ok();
            text.and_then(|text| text.parse::<x25519::Identity>().ok())
        });
        let identity = identity.ok_or_else(|| {
            let text = "what the shares give is no identity of age";
            Finding::error("BACKUP-IDENTITY", "", text)
        })?;
        let recipient = identity.to_public();
        Ok((Self(vec![Box::new(identity)]), recipient))
    }

    /// A new identity of software, as its file has it, and who is sealed for: a rehearsal makes one for its infrastructure.
    ///
    /// # Errors
    /// No memory for secrets, no randomness.
    pub fn fresh() -> Result<(Secret, String), Fault> {
        let secret = Secret::random(32)?;
        let (_, recipient) = Self::of(&secret)?;
        Ok((written(&secret)?, recipient.to_string()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| &**identity as _)
    }
}

/// An identity's secret as age writes it, in locked memory.
fn written(secret: &Secret) -> Result<Secret, Fault> {
    let mut text = Text(Secret::new()?);
    let hrp = Hrp::parse_unchecked("AGE-SECRET-KEY-");
    let written =
        secret.expose(|secret| bech32::encode_upper_to_fmt::<Bech32, _>(&mut text, hrp, secret));
    written.map_err(|_| SecretError::TooLong(Secret::CAPACITY))?;
    Ok(text.0)
}

/// age wants passphrases as its own type, which is wiped when it is dropped.
pub(super) fn text(secret: &Secret) -> Result<SecretString, Finding> {
    secret.expose(|secret| {
        let text = str::from_utf8(secret);
        text.map(SecretString::from).map_err(|_| {
            let text = "the passphrase is no UTF-8 text. Type it in letters that this terminal has";
            Finding::error("BACKUP-IDENTITY", "", text)
        })
    })
}

type Read = Result<Box<dyn age::Identity + Send + Sync>, String>;

fn identity(line: &[u8], pin: &Pin) -> Option<Read> {
    let line = str::from_utf8(line).ok()?;
    if let Ok(identity) = line.parse::<x25519::Identity>() {
        return Some(Ok(Box::new(identity)));
    }
    let identity = line.parse::<plugin::Identity>().ok()?;
    let name = identity.plugin().to_owned();
    Some(
        plugin::IdentityPluginV1::new(&name, &[identity], pin.clone())
            .map(|identity| Box::new(identity) as _)
            .map_err(|missing| no_plugin(&missing)),
    )
}

/// Locked memory that is written to as text.
struct Text(Secret);

impl std::fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let pushed = text.bytes().try_for_each(|byte| self.0.push(byte));
        pushed.map_err(|_: SecretError| std::fmt::Error)
    }
}

/// Answers a plugin: it has one PIN to give, and nobody to ask.
#[derive(Clone)]
struct Pin(Arc<Mutex<Option<Secret>>>);

impl age::Callbacks for Pin {
    fn display_message(&self, _: &str) {}
    fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        None
    }
    fn request_public_string(&self, _: &str) -> Option<String> {
        None
    }
    fn request_passphrase(&self, _: &str) -> Option<SecretString> {
        let pin = self.0.lock().ok()?.take()?;
        text(&pin).ok()
    }
}
