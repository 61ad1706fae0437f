//! Tokens as a ceremony sees them: named, listed, chosen, and what they said when something failed.

use serde::{Deserialize, Serialize};

use crate::ceremony::event::{Credential, Custody, TokenIdentity};
use crate::ceremony::prompt::Tries;
use crate::secret::Secret;
use crate::tuf::key::PublicKey;

/// Which token, for one session of the program: module name and serial (never a slot number).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenId {
    /// The room's name for the module or backend.
    pub module: String,
    /// The token's serial.
    pub serial: String,
    /// The token's label, for tokens that share a serial.
    pub label: String,
}

/// One token as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenInfo {
    /// To name it in later calls.
    pub id: TokenId,
    /// What it says of itself.
    pub identity: TokenIdentity,
    /// Firmware version as it says, if it does.
    pub firmware: Option<String>,
    /// Whether it is initialised and has a user PIN.
    pub ready: bool,
    /// Its PIN counter.
    pub tries: Tries,
    /// Whether the PIN is typed on the token (`CKF_PROTECTED_AUTHENTICATION_PATH`).
    pub pin_pad: bool,
    /// The secrets it is given when it is provisioned, in the order in which they are set.
    pub credentials: Vec<Credential>,
    /// Those that still have the maker's value, as far as the token says.
    pub factory: Vec<Credential>,
}

/// How a token is erased and what it is given.
pub struct Reset {
    /// The new label, where tokens have one.
    pub label: String,
    /// What the token wants to see first: PKCS#11's present SO PIN, if the token is initialised.
    pub old_so: Option<Secret>,
    /// One for each of [`TokenInfo::credentials`].
    pub new: Vec<(Credential, Secret)>,
}

impl Reset {
    /// The new secret of a kind.
    pub fn new_secret(&self, kind: Credential) -> Option<&Secret> {
        let mut new = self.new.iter();
        new.find(|(known, _)| *known == kind)
            .map(|(_, secret)| secret)
    }
}

/// A signing key on a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    /// `CKA_ID`.
    pub id: Vec<u8>,
    /// `CKA_LABEL`; untrusted text.
    pub label: String,
    /// The public half.
    pub public: PublicKey,
    /// How the private half is kept.
    pub custody: Custody,
    /// What using it takes.
    pub usage: Usage,
}

/// Whether a key that is made may ever leave its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaves {
    /// It is not extractable.
    Never,
    /// As a blob, wrapped under a key that the token's security officer trusts (`CKA_WRAP_WITH_TRUSTED`), and in no other way.
    Wrapped,
}

/// What a token says about using a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// When the PIN is wanted.
    pub pin: PinPolicy,
    /// When a touch is wanted.
    pub touch: TouchPolicy,
    /// The longest payload in bytes, where there is a limit: it goes to the token whole (Ed25519).
    pub longest: Option<usize>,
}

/// When a key wants its PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinPolicy {
    /// Nothing is said.
    #[default]
    Unknown,
    /// Never.
    Never,
    /// Once a session.
    Once,
    /// For each signature (`CKA_ALWAYS_AUTHENTICATE`).
    Always,
}

/// When a key wants a touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TouchPolicy {
    /// Nothing is said.
    #[default]
    Unknown,
    /// Never.
    Never,
    /// For each signature.
    Always,
    /// Once in fifteen seconds.
    Cached,
}

/// What the room says of a holder's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenChoice {
    /// For people: `serial 21073412`.
    pub description: String,
    /// Serial that must match, if given.
    pub serial: Option<String>,
    /// Label that must match, if given.
    pub label: Option<String>,
}

impl TokenChoice {
    /// Whether this is the token meant.
    pub fn matches(&self, token: &TokenInfo) -> bool {
        self.serial
            .as_ref()
            .is_none_or(|serial| *serial == token.id.serial)
            && self
                .label
                .as_ref()
                .is_none_or(|label| *label == token.id.label)
    }
}

/// What was attempted and what the device said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{attempted}: {said}")]
pub struct TokenError {
    /// `login to token 21073412`.
    pub attempted: String,
    /// `CKR_PIN_INCORRECT`, with a plain sentence.
    pub said: String,
    /// What it means for us.
    pub fault: TokenFault,
    /// Whether a signature may exist in spite of the error.
    pub may_have_signed: bool,
}

/// What a device failure means for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenFault {
    /// The PIN was wrong; one try is gone.
    PinIncorrect,
    /// The PIN is locked.
    PinLocked,
    /// The token is gone or was changed.
    Removed,
    /// The key is not there.
    KeyAbsent,
    /// Not logged in.
    NotLoggedIn,
    /// The management key is wanted first.
    NotAuthorised,
    /// Nobody touched the token in time.
    TouchMissed,
    /// It did not answer in time; its process was stopped.
    TimedOut,
    /// The token cannot do this.
    Unsupported,
    /// The payload is larger than the token takes.
    PayloadTooLarge,
    /// Something with that name is there already.
    Exists,
    /// The module could not be loaded or initialised.
    Module,
    /// Anything else.
    Other,
}
