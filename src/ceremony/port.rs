//! The three ports: all a ceremony knows of the world.

mod token;
mod vault;

pub use token::{
    Leaves, PinPolicy, Reset, TokenChoice, TokenError, TokenFault, TokenId, TokenInfo, TokenKey,
    TouchPolicy, Usage,
};

pub use vault::{OpenedKey, SealOrder, Vault, VaultError};

use std::borrow::Cow;
use std::time::Duration;

use super::challenge::Challenge;
use super::event::{Abandoned, Credential, Document, Event, FileDigest, Signer};
use super::prompt::{EnvelopePrompt, PinPrompt, Prompt, SharePrompt};
use super::review::Reviewed;
use super::review::opening::Opening;
use crate::secret::Secret;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, Message, PublicKey};

/// Takes a signature and the time that the device took for it; `false`: no more are wanted.
pub type Taken<'a> = dyn FnMut(Vec<u8>, Duration) -> bool + 'a;

/// Asks people.
pub trait Operator {
    /// Puts the question and waits. The answer is checked by the runner, which asks again if it does not fit.
    ///
    /// # Errors
    /// [`Stop`] if nobody can or will answer.
    fn ask(&mut self, prompt: &Prompt) -> Result<String, Stop>;
    /// Whether somebody wants to stop while nothing is asked: looked at between two signatures.
    fn wants_stop(&mut self) -> bool {
        false
    }
    /// Asks for a PIN, straight into locked memory.
    ///
    /// # Errors
    /// [`Stop`] if nobody can or will answer.
    fn pin(&mut self, prompt: &PinPrompt) -> Result<Secret, Stop>;
    /// Shows a new secret once, with the camera off, to be written down for its envelope, and asks for it back from the paper. Gives the secret that is in
    /// the envelope: a headless rehearsal has written its own envelope before.
    ///
    /// # Errors
    /// [`Stop`] if nobody can or will answer.
    fn envelope(&mut self, prompt: &EnvelopePrompt, fresh: Secret) -> Result<Secret, Stop>;
    /// Shows a share once, with the camera off, to be written down by its custodian, and asks for it back from the paper, where `shown` is given; otherwise
    /// asks for it. Gives what was typed: lines of words.
    ///
    /// # Errors
    /// [`Stop`] if nobody can or will answer.
    fn share(&mut self, prompt: &SharePrompt, shown: Option<Secret>) -> Result<Secret, Stop>;
    /// Says what people must do while a token is being asked, before it is: `Touch the key that blinks`. It stands until something else happens, and
    /// nothing is answered.
    fn tell(&mut self, _text: &str) {}
    /// Shows the first page of a review before the review is there. It stands until the review is asked, and nothing is answered.
    fn show(&mut self, _opening: &Opening) {}
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// A person asked to stop; the ceremony can be resumed.
    #[error("stopped by a person")]
    Paused,
    /// A headless run reached a question without an answer.
    #[error("no answer is given for the prompt {0}")]
    NoAnswer(String),
    /// An answers file or PIN list is at fault.
    #[error("{0}")]
    BadAnswer(String),
    /// The terminal is gone.
    #[error("the terminal cannot be read or written: {0}")]
    Terminal(String),
}

/// Takes events. A failure to record ends the ceremony: nothing happens that is not on record.
pub trait Sink {
    /// Records one event durably before returning.
    ///
    /// # Errors
    /// What the disk said.
    fn record(&mut self, event: &Event) -> Result<(), WorldError>;
    /// Records several, durably before returning. After a crash in between there may be the first few of them and no others.
    ///
    /// # Errors
    /// What the disk said.
    fn record_all(&mut self, events: &[Event]) -> Result<(), WorldError> {
        events.iter().try_for_each(|event| self.record(event))
    }
}

/// Tokens, disk and clock.
pub trait World: Vault {
    /// UTC, whole seconds.
    fn now(&mut self) -> jiff::Timestamp;
    /// What is plugged in now, over all modules of the room.
    ///
    /// # Errors
    /// A module that cannot list.
    fn tokens(&mut self) -> Result<Vec<TokenInfo>, TokenError>;
    /// Which token the room names for a holder; none: the holder is not here.
    fn assigned(&self, holder: &str) -> Option<TokenChoice>;
    /// Logs the user in. A second login is fine.
    ///
    /// # Errors
    /// [`TokenFault::PinIncorrect`] and the rest.
    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError>;
    /// Logs out; an error is not worth stopping for.
    fn logout(&mut self, token: &TokenId);
    /// The signing keys on a token (public halves; before a login a token may show fewer).
    ///
    /// # Errors
    /// What the token said.
    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError>;
    /// Makes a key pair on a token. An existing label is refused.
    ///
    /// # Errors
    /// What the token said.
    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError>;
    /// Signs a reviewed payload with a token's key; the answer is in TUF's form (ECDSA as DER), not verified yet.
    ///
    /// # Errors
    /// What the token said. Where `may_have_signed` is set nobody knows whether it did.
    fn sign(
        &mut self,
        request: &SignRequest<'_>,
        token: &TokenId,
        key: &TokenKey,
    ) -> Result<Vec<u8>, TokenError>;
    /// Signs reviewed payloads with a token's key, in order, each once, and hands over each signature, not verified yet. See
    /// [`crate::token::Module::sign_each`].
    ///
    /// # Errors
    /// What the token said of the first that it did not sign. Where `may_have_signed` is set nobody knows whether it signed more than were handed over.
    fn sign_each(
        &mut self,
        payloads: &[Reviewed<'_>],
        token: &TokenId,
        key: &TokenKey,
        give: &mut Taken<'_>,
    ) -> Result<(), TokenError>;
    /// Lets keys be made on a token that wants its management key for it.
    ///
    /// # Errors
    /// [`TokenFault::PinIncorrect`] and the rest.
    fn authorise(&mut self, token: &TokenId, management: &Secret) -> Result<(), TokenError>;
    /// The certificates with which the token's maker vouches for a key: DER, the key's own first. Empty: the token has none.
    ///
    /// # Errors
    /// What the token said.
    fn attestation(&mut self, token: &TokenId, key: &TokenKey) -> Result<Vec<Vec<u8>>, TokenError>;
    /// Roots of attestation that this room adds in a rehearsal: name and DER.
    fn test_roots(&self) -> Vec<(String, Vec<u8>)>;
    /// Erases a token and gives it new secrets. The answer names it by what it is called afterwards.
    ///
    /// # Errors
    /// What the token said; what it was doing then is in `attempted`.
    fn reset(&mut self, token: &TokenId, reset: &Reset) -> Result<TokenInfo, TokenError>;
    /// A new secret of the form that this kind has, from the kernel's random numbers, without bias.
    ///
    /// # Errors
    /// No locked memory, no randomness.
    fn new_secret(&mut self, kind: Credential) -> Result<Secret, TokenError>;
    /// 32 random bytes that are no secret.
    ///
    /// # Errors
    /// No randomness.
    fn nonce(&mut self) -> Result<[u8; 32], TokenError>;
    /// Makes throwaway keys in locked memory.
    ///
    /// # Errors
    /// No locked memory, no randomness.
    fn make_ephemeral(&mut self, algorithms: &[Algorithm]) -> Result<Vec<PublicKey>, TokenError>;
    /// Signs with a throwaway key.
    ///
    /// # Errors
    /// [`TokenFault::KeyAbsent`] after a restart.
    fn sign_ephemeral(
        &mut self,
        request: &SignRequest<'_>,
        key: &PublicKey,
    ) -> Result<Vec<u8>, TokenError>;
    /// Wipes all throwaway keys.
    fn destroy_ephemeral(&mut self);
    /// A throwaway key for the shadow rehearsal.
    ///
    /// # Errors
    /// [`TokenFault::Unsupported`] for a type that cannot be made in software.
    fn throwaway(&mut self, algorithm: Algorithm) -> Result<Box<dyn Throwaway>, TokenError>;
    /// Every payload that the holder's signed-digest register has; none if the room names no register for the holder, or there is no such file yet.
    ///
    /// # Errors
    /// A register that is there and cannot be read or does not parse.
    fn registered(&mut self, signer: &Signer) -> Result<Option<Vec<Payload>>, WorldError>;
    /// Appends what it has not yet to the holder's register, synced, before the token signs.
    ///
    /// # Errors
    /// What the disk said.
    fn register(&mut self, signer: &Signer, payloads: &[Payload]) -> Result<(), WorldError>;
    /// Writes a file of the bundle: created new, synced, read back, compared. A file with exactly these bytes is fine.
    ///
    /// # Errors
    /// What the disk said, or other bytes there.
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FileDigest, WorldError>;
    /// The travelling documents that lie in `--in` now.
    ///
    /// # Errors
    /// A part file that cannot be read or does not parse, or is of the other mode.
    fn parts(&mut self) -> Result<Vec<PartFile>, Finding>;
    /// Writes or replaces a travelling document in the bundle's `parts/`.
    ///
    /// # Errors
    /// What the disk said.
    fn write_part(&mut self, part: &PartFile) -> Result<FileDigest, WorldError>;
    /// The minutes for people over what is on record so far, and the digest of the transcript's last line.
    ///
    /// # Errors
    /// What the disk said.
    fn minutes(&mut self) -> Result<(String, Sha256), WorldError>;
    /// Writes the manifest over what lies in the bundle and verifies it as a stranger would.
    ///
    /// # Errors
    /// What the disk said.
    fn verdict(&mut self) -> Result<(FileDigest, Vec<Finding>), WorldError>;
}

/// A key that exists for one rehearsal in memory and protects nothing.
pub trait Throwaway {
    /// Its public half.
    fn public(&self) -> PublicKey;
    /// A signature in TUF's form.
    fn sign(&self, bytes: &[u8]) -> Vec<u8>;
}

/// What is signed of which version.
pub type Payload = (Document, Sha256);

/// A travelling document: a candidate and the signatures it has so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartFile {
    /// SHA-256 of the file it was read from; of nothing yet for one to be written.
    pub sha256: Option<Sha256>,
    /// The ceremony it belongs to.
    pub ceremony: Sha256,
    /// SHA-256 of the trusted root's file; none at genesis.
    pub trusted_root: Option<Sha256>,
    /// Which version of which role.
    pub document: Document,
    /// Payloads of the same version that were given up for this one.
    pub supersedes: Vec<Abandoned>,
    /// Holders who signed, and whether a register was checked (true) or the acknowledgement typed (false).
    pub acknowledgements: Vec<(String, bool)>,
    /// The exact metadata file.
    pub envelope: Vec<u8>,
}

/// What a key is asked to sign. Each kind but metadata has a fixed prefix that cannot begin canonical JSON.
pub enum SignRequest<'a> {
    /// Metadata that went through the review.
    Metadata(Reviewed<'a>),
    /// A challenge that proves a key alive.
    Challenge(Challenge),
}

impl SignRequest<'_> {
    /// The exact bytes.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Metadata(reviewed) => reviewed.bytes(),
            Self::Challenge(challenge) => challenge.bytes().into(),
        }
    }
    /// Those bytes as keys of `algorithm` sign them.
    pub fn message(&self, algorithm: Algorithm) -> Message<'_> {
        match self {
            Self::Metadata(reviewed) => reviewed.message(algorithm),
            Self::Challenge(challenge) => Message::of(algorithm, challenge.bytes()),
        }
    }
}

/// Disk trouble: what happened, to what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {said}")]
pub struct WorldError {
    /// The file or folder.
    pub path: String,
    /// What the system said, in a sentence.
    pub said: String,
}
