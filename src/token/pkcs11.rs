//! Tokens behind a PKCS#11 module: `SoftHSM`, vendors' libraries, `OpenSC`.
//!
//! A token is found by serial and label whenever it is needed, and both are read again before each use: slot numbers change, and people
//! change tokens. A session that broke is opened again once, for calls that only read; then the PIN is asked for again. Nothing that
//! changes the token, tries a PIN or signs is ever sent twice. What modules do otherwise than the standard is in [`quirks`].
//!
//! `cryptoki` copies a PIN to the heap to hand it over and wipes the copy; what the module copies is out of our hands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use cryptoki::context::Pkcs11;
use cryptoki::error::Error;

use super::{Module, failure, init_args};
use crate::ceremony::event::ModuleIdentity;
use crate::ceremony::port::{
    Leaves, Reset, Taken, TokenError, TokenFault, TokenId, TokenInfo, TokenKey,
};
use crate::secret::Secret;
use crate::tuf::digest;
use crate::tuf::key::{Algorithm, Message, PublicKey};

mod attestation;
mod errors;
mod initialise;
mod login;
mod material;
mod objects;
pub mod quirks;
mod session;
mod signing;
mod single;
mod wrapping;

use session::Open;
use single::Single;

/// Bytes of a token's label (PKCS#11 2.40, `CK_TOKEN_INFO`). `cryptoki` would cut a longer one.
const LABEL: usize = 32;

/// What a call for a second key is told where the device has room for one a login.
const ONE_KEY: &str =
    "the token has room for one key at a time and wants its PIN again for another";

/// A loaded module and the sessions with its tokens. Dropping it logs out everywhere.
pub struct Pkcs11Module {
    identity: ModuleIdentity,
    init_args: Option<String>,
    context: Pkcs11,
    calls: Arc<Single>,
    open: BTreeMap<TokenId, Open>,
    /// Tokens that were listed once.
    seen: BTreeSet<TokenId>,
    /// Tokens whose login ended when the module was started anew, until somebody is told.
    lost: BTreeSet<TokenId>,
    /// Finalised and not started again: with its tokens gone it would not.
    stopped: bool,
}

impl Pkcs11Module {
    /// Loads and initialises the library at `path`. `name` is the room's; `init_args` goes to the module as it is (NSS wants one).
    ///
    /// # Errors
    /// [`TokenFault::Module`].
    pub fn load(
        name: &str,
        path: impl AsRef<Path>,
        init_args: Option<&str>,
    ) -> Result<Self, TokenError> {
        let path = path.as_ref();
        let attempted = format!("load the PKCS#11 module {name} ({})", path.display());
        // Read first: the loader would look for a bare name in places that the room did not mean, and its message is hard to read.
        let file = std::fs::read(path).map_err(|error| {
            let said = format!("the file cannot be read ({error})");
            failure(&attempted, said, TokenFault::Module)
        })?;
        let failed = |error: Error| errors::failed(&attempted, &error);
        let context = Pkcs11::new(path).map_err(failed)?;
        let calls = Single::of(path).map_err(failed)?;
        init_args::initialize(&context, init_args).map_err(|error| match init_args {
            None => errors::not_started(&attempted, &error),
            Some(_) => failed(error),
        })?;
        let mut module = Self {
            identity: ModuleIdentity {
                name: name.to_owned(),
                sha256: Some(digest::Sha256::of(&file)),
                description: String::new(),
                reach: Vec::new(),
            },
            init_args: init_args.map(str::to_owned),
            context,
            calls: Arc::new(calls),
            open: BTreeMap::new(),
            seen: BTreeSet::new(),
            lost: BTreeSet::new(),
            stopped: false,
        };
        if !module.calls.is_initialised().map_err(failed)? {
            let said = "the module gives each caller a state of its own (as p11-kit-proxy does); name the module behind it";
            return Err(failure(&attempted, said, TokenFault::Module));
        }
        let info = module.context.get_library_info().map_err(failed)?;
        let version = info.library_version();
        module.identity.description = format!(
            "{}: {} {}.{}",
            info.manufacturer_id(),
            info.library_description(),
            version.major(),
            version.minor()
        );
        Ok(module)
    }
}

impl Drop for Pkcs11Module {
    fn drop(&mut self) {
        self.open.clear();
        // Nobody is left to tell, and the process ends soon.
        let _ = self.context.clone().finalize();
    }
}

impl Pkcs11Module {
    /// Something that only reads, tried once more in a new session if the session turns out to be stale.
    fn read<T>(
        &mut self,
        token: &TokenId,
        attempted: &str,
        what: impl Fn(&Open) -> Result<T, Error>,
    ) -> Result<T, TokenError> {
        let read = match what(self.current(token, attempted)?) {
            Err(error) if errors::is_stale(&error) => what(self.reopened(token, attempted)?),
            read => read,
        };
        read.map_err(|error| errors::failed(attempted, &error))
    }

    /// A session in which the user is logged in.
    fn with_login(&mut self, token: &TokenId, attempted: &str) -> Result<&mut Open, TokenError> {
        let open = self.current(token, attempted)?;
        if open.logged_in {
            return Ok(open);
        }
        let said = "nobody is logged in to the token";
        Err(failure(attempted, said, TokenFault::NotLoggedIn))
    }

    /// Logs out and closes the session.
    fn end(&mut self, token: &TokenId) {
        self.lost.remove(token);
        if let Some(open) = self.open.remove(token) {
            // Closing the last session logs out too; a module that forgets that is told.
            let _ = open.session.logout();
        }
    }
}

impl Module for Pkcs11Module {
    fn identity(&self) -> &ModuleIdentity {
        &self.identity
    }

    fn list(&mut self) -> Result<Vec<TokenInfo>, TokenError> {
        self.listed().map_err(|error| {
            let attempted = format!("list the tokens of module {}", self.identity.name);
            errors::failed(&attempted, &error)
        })
    }

    fn initialise(
        &mut self,
        label: &str,
        so_pin: &Secret,
        user_pin: &Secret,
    ) -> Result<TokenInfo, TokenError> {
        self.initialise_blank(label, so_pin, user_pin)
    }

    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        self.log_in(token, pin)
    }

    fn logout(&mut self, token: &TokenId) {
        self.end(token);
    }

    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError> {
        let attempted = format!("read the keys of token {}", token.serial);
        self.read(token, &attempted, objects::keys)
    }

    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("make key {label:?} on token {}", token.serial);
        let open = self.with_login(token, &attempted)?;
        if leaves == Leaves::Wrapped {
            wrapping::check(open, algorithm, &attempted)?;
        }
        if open.quirks.one_key_a_login && open.used.is_some() {
            return Err(failure(attempted, ONE_KEY, TokenFault::NotLoggedIn));
        }
        let failed = |error: &Error| errors::failed(&attempted, error);
        let id = new_id(open, label, &attempted)?;
        match objects::generate(open, &id, label, algorithm, leaves) {
            Ok(Some(key)) => {
                open.used = Some(key.public.clone());
                Ok(key)
            }
            Ok(None) => {
                let said = "the token made a key but does not show its public half";
                Err(failure(attempted, said, TokenFault::Other))
            }
            Err(error) => {
                self.forget_if_broken(token, &error);
                Err(failed(&error))
            }
        }
    }

    fn wrap(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        wrap_key: &Secret,
        so_pin: &Secret,
        pin: &Secret,
    ) -> Result<Vec<u8>, TokenError> {
        self.wrapped(token, key, wrap_key, so_pin, pin)
    }

    fn sign_wrapped(
        &mut self,
        token: &TokenId,
        wrapped: &[u8],
        wrap_key: &Secret,
        public: &PublicKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        self.signature_of_wrapped(token, wrapped, wrap_key, public, message)
    }

    fn unwrap(
        &mut self,
        token: &TokenId,
        wrapped: &[u8],
        wrap_key: &Secret,
        label: &str,
        public: &PublicKey,
    ) -> Result<TokenKey, TokenError> {
        self.restored(token, wrapped, wrap_key, label, public)
    }

    fn sign_message(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        self.signature(token, key, message)
    }

    fn sign_each(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        messages: &[Message<'_>],
        give: &mut Taken<'_>,
    ) -> Result<(), TokenError> {
        self.signatures(token, key, messages, give)
    }

    fn attestation(&mut self, token: &TokenId, key: &TokenKey) -> Result<Vec<Vec<u8>>, TokenError> {
        let attempted = format!(
            "read the attestation of key {:?} of token {}",
            key.label, token.serial
        );
        self.read(token, &attempted, |open| {
            if open.quirks.attests {
                attestation::certificates(open, &key.id)
            } else {
                Ok(Vec::new())
            }
        })
    }

    fn reset(&mut self, token: &TokenId, reset: &Reset) -> Result<TokenInfo, TokenError> {
        self.erase(token, reset)
    }
}

/// A random id for a new key, whose label must be free.
fn new_id(open: &Open, label: &str, attempted: &str) -> Result<Vec<u8>, TokenError> {
    let is_taken = objects::has_label(open, label);
    if is_taken.map_err(|error| errors::failed(attempted, &error))? {
        let said = "a key with this label is there already";
        return Err(failure(attempted, said, TokenFault::Exists));
    }
    let mut id = vec![0; open.quirks.id_bytes];
    getrandom::fill(&mut id).map_err(|error| {
        let said = format!("this machine gives no random numbers ({error})");
        failure(attempted, said, TokenFault::Other)
    })?;
    Ok(id)
}
