//! Modules, tokens and their secrets, by name: what events say of them.

use serde::{Deserialize, Serialize};

use crate::tuf::digest::Sha256;

/// The token a key was found or made on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenIdentity {
    /// The room's name for the module or backend.
    pub module: String,
    /// As the token says; untrusted text, escaped when shown.
    pub manufacturer: String,
    /// As the token says.
    pub model: String,
    /// As the token says.
    pub serial: String,
    /// As the token says.
    pub label: String,
}

/// What a token said about how it keeps a private key. `None` = it did not say: not proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custody {
    /// `CKA_SENSITIVE` and `CKA_ALWAYS_SENSITIVE`.
    pub always_sensitive: Option<bool>,
    /// Not `CKA_EXTRACTABLE`, and `CKA_NEVER_EXTRACTABLE`.
    pub never_extractable: Option<bool>,
    /// `CKA_LOCAL`: made on the token.
    pub local: Option<bool>,
    /// Of a key that is `CKA_EXTRACTABLE`: `CKA_WRAP_WITH_TRUSTED`, so that it leaves under a trusted key only. Nothing of one that is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped_only: Option<bool>,
}

/// One of a token's secrets. The names are those of PIN lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// The user's PIN: it signs.
    User,
    /// A PIV card's PIN unblocking key.
    Puk,
    /// PKCS#11's security officer PIN: it initialises the token.
    So,
    /// A PIV card's management key, in hexadecimal: it makes keys.
    Mgmt,
}

impl Credential {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "PIN",
            Self::Puk => "PUK",
            Self::So => "SO PIN",
            Self::Mgmt => "management key",
        }
    }
}

/// A PKCS#11 module or other backend of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleIdentity {
    /// The room's name for it.
    pub name: String,
    /// SHA-256 of its file; none for software keys.
    pub sha256: Option<Sha256>,
    /// Manufacturer, description and version as it says; untrusted text.
    pub description: String,
    /// What beyond this machine's files and the smart card service it may reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<Reach>,
}

/// What the room lets a module's process reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// The kernel's messages on devices, without which libusb does not start.
    Usb,
    /// The network; in rehearsals only.
    Network,
}

impl Reach {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Usb => "sees USB devices come and go",
            Self::Network => "MAY REACH THE NETWORK",
        }
    }
}

impl ModuleIdentity {
    /// What it may reach beyond the usual, in words; none for most modules.
    pub fn reach_in_words(&self) -> Option<String> {
        let words: Vec<_> = self.reach.iter().map(|reach| reach.words()).collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::Custody;

    #[test]
    fn custody_of_a_key_that_stays_is_written_as_before_there_were_others() {
        let old = r#"{"always_sensitive":true,"never_extractable":null,"local":false}"#;
        let read: Custody = serde_json::from_str(old).unwrap();
        assert_eq!(read.wrapped_only, None);
        assert_eq!(serde_json::to_string(&read).unwrap(), old);
        let wrapped = Custody {
            wrapped_only: Some(true),
            ..read
        };
        let text = serde_json::to_string(&wrapped).unwrap();
        assert!(text.ends_with(r#","wrapped_only":true}"#), "{text}");
        assert_eq!(serde_json::from_str::<Custody>(&text).unwrap(), wrapped);
    }
}
