//! The holder register: which person holds which key, on which device. It lives on the ceremony medium and in the bundle, is committed by hash in
//! the transcript, and is never written into metadata, which is public for ever.

use serde::{Deserialize, Serialize};

use crate::plain::toml_fault;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

/// The `schema` every register says.
pub const SCHEMA: &str = "tuf-ceremony/holders/1";

/// `holders.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holders {
    schema: String,
    /// The people.
    #[serde(default, rename = "holder")]
    pub holders: Vec<Holder>,
    /// Servers' keys that ceremonies made and sealed.
    #[serde(default, rename = "online", skip_serializing_if = "Vec::is_empty")]
    pub online: Vec<OnlineKey>,
}

/// One person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Short name, as scripts use it.
    pub name: String,
    /// Name and affiliation.
    pub person: String,
    /// Keys listed in current metadata, and provisioned ones that were never listed.
    #[serde(default, rename = "key")]
    pub keys: Vec<HeldKey>,
}

/// One key of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldKey {
    /// For which role.
    pub role: String,
    /// Its keyid in metadata.
    pub keyid: KeyId,
    /// Where the private half lives: `token`, `elsewhere`.
    pub storage: String,
    /// The device's serial, if it lives on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The number of the tamper-evident bag that the device lies in; none: it was taken out of its bag since, or never was in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bag: Option<String>,
    /// The ceremony's date on which it last signed, metadata or a challenge, `YYYY-MM-DD`; none: never seen to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_proven: Option<String>,
    /// Where its PIN is kept, in the script's words; none: nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin_kept: Option<String>,
    /// The newest backup that has it; none: it never left its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<InBackup>,
}

/// A server's key that a ceremony made; it stays here as long as trusted metadata lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlineKey {
    /// As the script called it.
    pub name: String,
    /// The roles that it signs.
    pub roles: Vec<String>,
    /// Its keyid in metadata.
    pub keyid: KeyId,
    /// Where the ceremony left the private half: `medium`, sealed in the files of the backup.
    pub storage: String,
    /// Where it lives, in the script's words.
    pub provenance: String,
    /// The age recipients whose identities open the export with it.
    pub opened_by: Vec<String>,
    /// The newest backup that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<InBackup>,
}

/// A backup that was opened with its shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InBackup {
    /// Of the age file.
    pub sha256: Sha256,
    /// The ceremony's date on which it was last opened, `YYYY-MM-DD`.
    pub opened: String,
}

impl Holders {
    /// A register of these people and servers.
    pub fn new(holders: Vec<Holder>, online: Vec<OnlineKey>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            holders,
            online,
        }
    }

    /// Reads a register strictly.
    ///
    /// # Errors
    /// Rule `HOLDER-REGISTER`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let refuse = |text: String| Finding::error("HOLDER-REGISTER", file, text);
        let text = std::str::from_utf8(bytes)
            .map_err(|_| refuse("the register is not UTF-8".to_owned()))?;
        let holders: Self =
            toml::from_str(text).map_err(|fault| refuse(toml_fault(text, &fault)))?;
        if holders.schema != SCHEMA {
            return Err(refuse(format!(
                "schema is {:?}; this program reads {SCHEMA:?}",
                holders.schema
            )));
        }
        Ok(holders)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        toml::to_string(self).unwrap_or_default().into_bytes()
    }

    /// A key of anybody.
    pub fn key(&self, keyid: &KeyId) -> Option<&HeldKey> {
        let mut keys = self.holders.iter().flat_map(|holder| &holder.keys);
        keys.find(|key| key.keyid == *keyid)
    }

    /// Who holds a key.
    pub fn holder_of(&self, keyid: &KeyId) -> Option<&Holder> {
        self.holders
            .iter()
            .find(|holder| holder.keys.iter().any(|key| key.keyid == *keyid))
    }
}
