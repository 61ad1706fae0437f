//! What the program and a worker say to each other: the public half. Secrets, payloads and signatures follow as frames of their own.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ceremony::event::{Credential, Custody};
use crate::ceremony::port::{Leaves, TokenId, TokenKey, Usage};
use crate::tuf::key::{Algorithm, PublicKey};

/// Most bytes of a request: names and one public key.
pub(super) const REQUEST: usize = 1 << 20;
/// Most bytes of an answer: a token's keys, or certificates.
pub(super) const ANSWER: usize = 4 << 20;
/// Most bytes of a payload; every target of the largest repository is less than a third of it.
pub(super) const PAYLOAD: usize = 1 << 30;
/// Most bytes of a group of signatures.
pub(super) const GROUP: usize = 1 << 20;
/// Most bytes of a wrapped key: RSA of 8192 bits has 4,700.
pub(super) const WRAPPED: usize = 8192;
/// Most bytes of a signature: RSA of 32,768 bits.
pub(super) const SIGNATURE: usize = 4096;

/// What a worker hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Backend {
    /// A PKCS#11 module.
    Pkcs11 {
        /// The room's name for it.
        name: String,
        /// Its library.
        path: PathBuf,
        /// What some modules want at initialisation (NSS).
        init_args: Option<String>,
    },
    /// `YubiKeys` over PC/SC.
    Yubikey {
        /// The room's name for it.
        name: String,
    },
}

impl Backend {
    /// The room's name for it.
    pub fn name(&self) -> &str {
        match self {
            Self::Pkcs11 { name, .. } | Self::Yubikey { name } => name,
        }
    }
}

/// The first frame.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hello {
    pub(super) backend: Backend,
    pub(super) usb: bool,
    pub(super) network: bool,
}

/// A call of [`super::super::Module`]. In brackets: the frames that follow it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Request {
    List,
    /// [SO PIN, user PIN]
    Initialise {
        label: String,
    },
    /// [PIN]
    Login {
        token: TokenId,
    },
    Logout {
        token: TokenId,
    },
    Keys {
        token: TokenId,
    },
    Generate {
        token: TokenId,
        label: String,
        algorithm: Algorithm,
        leaves: Leaves,
    },
    /// [wrap key, SO PIN, PIN]; a frame follows the answer
    Wrap {
        token: TokenId,
        key: WireKey,
    },
    /// [wrap key, wrapped key, the message as the key takes it]; a frame follows the answer
    SignWrapped {
        token: TokenId,
        public: WirePublic,
    },
    /// [wrap key, wrapped key]
    Unwrap {
        token: TokenId,
        label: String,
        public: WirePublic,
    },
    /// [the message as the key takes it]
    Sign {
        token: TokenId,
        key: WireKey,
    },
    /// [so many digests in one]; the answer is made of groups of signatures, an empty one, and how it ended
    SignEach {
        token: TokenId,
        key: WireKey,
        count: usize,
    },
    /// No more signatures are wanted. It has no answer, and where none is being made it means nothing.
    Stop,
    /// [management key]
    Authorise {
        token: TokenId,
    },
    Attestation {
        token: TokenId,
        key: WireKey,
    },
    /// [old SO PIN if said so, then one for each of `new`]
    Reset {
        token: TokenId,
        label: String,
        old_so: bool,
        new: Vec<Credential>,
    },
}

/// A [`TokenKey`] in JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireKey {
    /// Hexadecimal.
    id: String,
    label: String,
    public: WirePublic,
    custody: Custody,
    usage: Usage,
}

impl WireKey {
    /// None for a key of a type that nobody here signs with.
    pub(super) fn of(key: &TokenKey) -> Option<Self> {
        Some(Self {
            id: hex(&key.id),
            label: key.label.clone(),
            public: WirePublic::of(&key.public)?,
            custody: key.custody,
            usage: key.usage,
        })
    }

    /// None where it is no key.
    pub(super) fn key(self) -> Option<TokenKey> {
        Some(TokenKey {
            id: unhex(&self.id)?,
            label: self.label,
            public: self.public.key()?,
            custody: self.custody,
            usage: self.usage,
        })
    }
}

/// A public key in JSON: `SubjectPublicKeyInfo`, hexadecimal.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WirePublic(String);

impl WirePublic {
    /// None for a key of a type that nobody here signs with.
    pub(super) fn of(public: &PublicKey) -> Option<Self> {
        Some(Self(hex(&public.to_spki_der()?)))
    }

    /// None where it is no key.
    pub(super) fn key(&self) -> Option<PublicKey> {
        PublicKey::from_spki_der(&unhex(&self.0)?).ok()
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::WireKey;
    use crate::ceremony::event::Custody;
    use crate::ceremony::port::{TokenKey, Usage};
    use crate::token::software::EphemeralKeys;
    use crate::tuf::key::{Algorithm, PublicKey};

    #[test]
    fn keys_keep_every_field_on_the_way_and_those_that_cannot_sign_do_not_go() {
        let mut keys = EphemeralKeys::default();
        let made = keys.make(&[
            Algorithm::Ed25519,
            Algorithm::EcdsaP256,
            Algorithm::EcdsaP384,
        ]);
        let fixture = include_str!("../../../tests/data/keys/rsa-2048.pem");
        let rsa = PublicKey::from_text(fixture).unwrap();
        for public in made.unwrap().into_iter().chain([rsa]) {
            let sent = TokenKey {
                public,
                label: "\u{1b}[2J\u{202e}".to_owned(),
                usage: Usage {
                    longest: Some(1014),
                    ..Usage::default()
                },
                id: vec![0xab],
                custody: Custody {
                    local: Some(true),
                    ..Custody::default()
                },
            };
            let text = serde_json::to_string(&WireKey::of(&sent).unwrap()).unwrap();
            let came: WireKey = serde_json::from_str(&text).unwrap();
            assert_eq!(came.key(), Some(sent));
        }
        let opaque = TokenKey {
            id: Vec::new(),
            label: String::new(),
            public: PublicKey::Opaque(b"{}".to_vec()),
            custody: Custody::default(),
            usage: Usage::default(),
        };
        assert!(WireKey::of(&opaque).is_none());
    }
}
