//! Keys that sign, behind one trait.
//!
//! A [`Module`] is one backend with tokens in it: [`pkcs11`] loads a vendor's library, [`yubikey`]
//! speaks to PIV cards, [`software`] keeps keys in locked memory for
//! rehearsals, tests and ephemeral keys. Which token is meant is said by module and serial (or label), never by slot number: slots are
//! renumbered whenever a reader is plugged in or a token is initialised.
//!
//! This room knows no roles, keyids or ceremonies. It never retries a signature, and it does not verify one: whoever asked compares what
//! came back with the public key in the *metadata*, which a broken or hostile token cannot choose.

use std::time::Instant;

use crate::ceremony::event::ModuleIdentity;
use crate::ceremony::port::{
    Leaves, Reset, Taken, TokenError, TokenFault, TokenId, TokenInfo, TokenKey,
};
use crate::secret::Secret;
use crate::tuf::key::{Algorithm, Message, PublicKey};

pub mod credential;
mod init_args;
pub mod pkcs11;
pub mod software;
pub mod uri;
pub mod worker;
pub mod yubikey;

/// One backend that has tokens.
///
/// Every call is a message: owned or plain values in, owned values out, no handle of any kind survives a call. So a module can live in
/// another process. A module repeats by itself only what reads; whatever tries a PIN, changes a token or signs is sent once.
pub trait Module: Send {
    /// What the module says of itself.
    fn identity(&self) -> &ModuleIdentity;

    /// The room's name for it.
    fn name(&self) -> &str {
        &self.identity().name
    }

    /// The tokens that are plugged in now, in the order of the module's slots. Uninitialised ones are listed with `ready` unset.
    ///
    /// # Errors
    /// A module that cannot list. A single token that does not answer is left out.
    fn list(&mut self) -> Result<Vec<TokenInfo>, TokenError>;

    /// Initialises the first blank token (one that is not initialised: an initialised one is never touched) and sets its user PIN. The
    /// answer names it by what it is called afterwards.
    ///
    /// # Errors
    /// [`TokenFault::Exists`] where a token has that label,
    /// [`TokenFault::Unsupported`] where no token is blank, and what the device said.
    fn initialise(
        &mut self,
        label: &str,
        so_pin: &Secret,
        user_pin: &Secret,
    ) -> Result<TokenInfo, TokenError>;

    /// Logs the user in: exactly one try of the PIN, never repeated. Being logged in already is fine. An empty PIN means that it is typed on
    /// the token ([`TokenInfo::pin_pad`]) and is refused elsewhere.
    ///
    /// # Errors
    /// [`TokenFault::PinIncorrect`],
    /// [`TokenFault::PinLocked`] and what else the device said.
    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError>;

    /// Logs out and closes the session. An error is not worth stopping for.
    fn logout(&mut self, token: &TokenId);

    /// The signing keys: those whose private half is visible (after a login) or whose public half is. Keys of a type that we do not use are
    /// left out.
    ///
    /// # Errors
    /// What the device said.
    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError>;

    /// Makes a key pair, private and sensitive. [`Leaves::Never`] stays on the token for good: not extractable. [`Leaves::Wrapped`] can be wrapped by
    /// [`Self::wrap`], and in no other way. What the token says of it is read back.
    ///
    /// # Errors
    /// [`TokenFault::Exists`] where a key has that label, [`TokenFault::Unsupported`] before anything is made where the module is known not to wrap such a
    /// key, or not to hold it back from other wrap keys, and what the device said.
    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError>;

    /// Gives the private half of a key that was made as [`Leaves::Wrapped`]: PKCS#8, wrapped with AES key wrap with padding (RFC 5649) under `wrap_key`, which has 32
    /// bytes. Whoever was logged in is logged out; the security officer brings the wrap key in as a trusted one, the user wraps. Each PIN is tried at most
    /// once. In every outcome the wrap key is off the token and nobody is logged in.
    ///
    /// # Errors
    /// [`TokenFault::PinIncorrect`] for either PIN, where `attempted` says which; [`TokenFault::Unsupported`] for a key that was not made to leave; and
    /// what the device said.
    fn wrap(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        _wrap_key: &Secret,
        _so_pin: &Secret,
        _pin: &Secret,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("back up key {:?} of token {}", key.label, token.serial);
        Err(failure(attempted, NO_BACKUPS, TokenFault::Unsupported))
    }

    /// Signs a message once, as [`Self::sign_message`] does, with a key that [`Self::wrap`] gave. The user is logged in; the wrap key and the key are in that session
    /// and nowhere else, and are destroyed before the answer: a backup is tried on a second token, which keeps nothing of it.
    ///
    /// # Errors
    /// What the device said. The session is closed then, with everything in it: log in again.
    fn sign_wrapped(
        &mut self,
        token: &TokenId,
        _wrapped: &[u8],
        _wrap_key: &Secret,
        _public: &PublicKey,
        _message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with a backup on token {}", token.serial);
        Err(failure(attempted, NO_BACKUPS, TokenFault::Unsupported))
    }

    /// Restores a key that [`Self::wrap`] gave on a token where the user is logged in: private, sensitive, and not extractable from now on, with its public half
    /// beside it. That the public half is this key's is not proven before it signs. What the token says of it is read back.
    ///
    /// # Errors
    /// [`TokenFault::Exists`] where a key has that label, and what the device said. No half of it is left then, unless the error says so, and the session is
    /// closed: log in again.
    fn unwrap(
        &mut self,
        token: &TokenId,
        _wrapped: &[u8],
        _wrap_key: &Secret,
        label: &str,
        _public: &PublicKey,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("restore key {label:?} on token {}", token.serial);
        Err(failure(attempted, NO_BACKUPS, TokenFault::Unsupported))
    }

    /// Signs a message, in the form in which keys of its algorithm take it, with the key that has this id or label *and* this public half. The answer is in
    /// TUF's form: 64 bytes for Ed25519, DER for ECDSA, raw for RSA. It is not verified, and the call is never repeated.
    ///
    /// # Errors
    /// What the device said; `may_have_signed` is set unless the device certainly did not sign. A key that wants its PIN for each signature
    /// answers the second one with [`TokenFault::NotLoggedIn`]: log in and ask again.
    fn sign_message(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError>;

    /// [`Self::sign_message`] over a payload.
    ///
    /// # Errors
    /// As there.
    fn sign(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        payload: &[u8],
    ) -> Result<Vec<u8>, TokenError> {
        let algorithm = key.public.algorithm().ok_or_else(|| {
            let attempted = format!("sign with key {:?} of token {}", key.label, token.serial);
            let said = "keys of this type cannot sign";
            failure(attempted, said, TokenFault::Unsupported)
        })?;
        self.sign_message(token, key, &Message::of(algorithm, payload))
    }

    /// Signs one message after the other, each once, and hands each signature over with the time that the device took for it, until it is told that no
    /// more are wanted. Signatures may be handed over later than they are made, and then more are made than were wanted.
    ///
    /// # Errors
    /// As [`Self::sign_message`], of the first that was not signed.
    fn sign_each(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        messages: &[Message<'_>],
        give: &mut Taken<'_>,
    ) -> Result<(), TokenError> {
        for message in messages {
            let began = Instant::now();
            let signature = self.sign_message(token, key, message)?;
            if !give(signature, began.elapsed()) {
                break;
            }
        }
        Ok(())
    }

    /// Lets keys be made where the token wants its management key for it ([`TokenFault::NotAuthorised`]).
    ///
    /// # Errors
    /// [`TokenFault::PinIncorrect`] for a wrong one, [`TokenFault::Unsupported`] where tokens have none, and what the device said.
    fn authorise(&mut self, token: &TokenId, _management: &Secret) -> Result<(), TokenError> {
        let attempted = format!("give token {} its management key", token.serial);
        let said = "tokens of this module have no management key";
        Err(failure(attempted, said, TokenFault::Unsupported))
    }

    /// The certificates with which the token's maker vouches for a key: DER, the key's own first. Empty: there are none.
    ///
    /// # Errors
    /// What the device said.
    fn attestation(
        &mut self,
        _token: &TokenId,
        _key: &TokenKey,
    ) -> Result<Vec<Vec<u8>>, TokenError> {
        Ok(Vec::new())
    }

    /// Erases a token, all its keys included, and gives it new secrets in an order that never locks the owner out: whoever has what `reset` holds can
    /// reset it again. The answer names it by what it is called afterwards.
    ///
    /// # Errors
    /// [`TokenFault::Unsupported`] where the module cannot, and what the device said.
    fn reset(&mut self, token: &TokenId, _reset: &Reset) -> Result<TokenInfo, TokenError> {
        let attempted = format!("reset token {}", token.serial);
        let said = "tokens of this module are not reset here; use their maker's program";
        Err(failure(attempted, said, TokenFault::Unsupported))
    }
}

/// What is said where keys are neither wrapped nor restored.
const NO_BACKUPS: &str = "cards never let a key out, and no backup is brought into them";
/// What a key that stays on its token is told.
const STAYS: &str = "the key was not made to be backed up: it never leaves its token";
/// Bytes of a wrap key: AES-256.
const WRAP_KEY: usize = 32;

/// Refuses a wrap key of another length.
fn check_wrap_key(wrap_key: &Secret, attempted: &str) -> Result<(), TokenError> {
    if wrap_key.len() == WRAP_KEY {
        return Ok(());
    }
    let said = format!(
        "a wrap key has {WRAP_KEY} bytes, this one {}",
        wrap_key.len()
    );
    Err(failure(attempted, said, TokenFault::Unsupported))
}

/// A failure before which the device certainly signed nothing.
fn failure(attempted: impl Into<String>, said: impl Into<String>, fault: TokenFault) -> TokenError {
    TokenError {
        attempted: attempted.into(),
        said: said.into(),
        fault,
        may_have_signed: false,
    }
}
