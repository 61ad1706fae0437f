//! Tokens behind a PKCS#11 module: `SoftHSM`, vendors' libraries, `OpenSC`.
//!
//! A token is found by serial and label whenever it is needed, and both are read again before each use: slot numbers change, and people
//! change tokens. A session that broke is opened again once, for calls that only read; then the PIN is asked for again. Nothing that
//! changes the token, tries a PIN or signs is ever sent twice.
//!
//! `cryptoki` copies a PIN to the heap to hand it over and wipes the copy; what the module copies is out of our hands.

use std::collections::BTreeMap;
use std::path::Path;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::MechanismType;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::{AuthPin, RawAuthPin};
use sha2::{Digest as _, Sha256, Sha384};

use super::{Module, failure, init_args};
use crate::ceremony::event::ModuleIdentity;
use crate::ceremony::port::{TokenError, TokenFault, TokenId, TokenInfo, TokenKey};
use crate::secret::Secret;
use crate::tuf::digest;
use crate::tuf::key::Algorithm;

mod errors;
mod material;
mod objects;
mod session;

use session::Open;

/// Bytes of a token's label (PKCS#11 2.40, `CK_TOKEN_INFO`). `cryptoki` would cut a longer one.
const LABEL: usize = 32;

/// Bytes of the `CKA_ID` of keys that we make.
const ID: usize = 8;

/// A loaded module and the sessions with its tokens. Dropping it logs out everywhere.
pub struct Pkcs11Module {
    identity: ModuleIdentity,
    context: Pkcs11,
    open: BTreeMap<TokenId, Open>,
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
        init_args::initialize(&context, init_args).map_err(failed)?;
        let mut module = Self {
            identity: ModuleIdentity {
                name: name.to_owned(),
                sha256: Some(digest::Sha256::of(&file)),
                description: String::new(),
                reach: Vec::new(),
            },
            context,
            open: BTreeMap::new(),
        };
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

impl Module for Pkcs11Module {
    fn identity(&self) -> &ModuleIdentity {
        &self.identity
    }

    fn list(&mut self) -> Result<Vec<TokenInfo>, TokenError> {
        let slots = self.slots().map_err(|error| {
            let attempted = format!("list the tokens of module {}", self.identity.name);
            errors::failed(&attempted, &error)
        })?;
        Ok(slots.into_iter().map(|(_, info)| info).collect())
    }

    fn initialise(
        &mut self,
        label: &str,
        so_pin: &Secret,
        user_pin: &Secret,
    ) -> Result<TokenInfo, TokenError> {
        let attempted = format!("initialise a token as {label:?}");
        let failed = |error: Error| errors::failed(&attempted, &error);
        if label.is_empty() || label.len() > LABEL || label.ends_with(' ') {
            let said = "a token's label has 1 to 32 bytes and no space at its end";
            return Err(failure(&attempted, said, TokenFault::Unsupported));
        }
        let before = self.slots().map_err(failed)?;
        if before.iter().any(|(_, info)| info.id.label == label) {
            let said = "a token with this label is there already";
            return Err(failure(&attempted, said, TokenFault::Exists));
        }
        let so_pin = text_pin(so_pin, &attempted)?;
        let user_pin = text_pin(user_pin, &attempted)?;
        let blank = before.iter().find(|(slot, _)| {
            let info = self.context.get_token_info(*slot);
            info.is_ok_and(|info| !info.token_initialized())
        });
        let Some((blank, _)) = blank else {
            let said = "no blank token is plugged in";
            return Err(failure(&attempted, said, TokenFault::Unsupported));
        };
        self.context
            .init_token(*blank, &so_pin, label)
            .map_err(failed)?;
        // The token may be in another slot now; its label was given to no other.
        let find = |slots: Vec<(Slot, TokenInfo)>| {
            let mut slots = slots.into_iter();
            slots
                .find(|(_, info)| info.id.label == label)
                .ok_or_else(|| {
                    let said = "the token cannot be found again under its new label";
                    failure(&attempted, said, TokenFault::Removed)
                })
        };
        let (slot, _) = find(self.slots().map_err(failed)?)?;
        self.set_user_pin(slot, &so_pin, &user_pin)
            .map_err(failed)?;
        let (_, info) = find(self.slots().map_err(failed)?)?;
        Ok(info)
    }

    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        let attempted = format!("log in to token {}", token.serial);
        if !self.is_current(token) {
            self.open.remove(token);
        }
        if pin.is_empty() && !self.has_pin_pad(token, &attempted)? {
            let said = "an empty PIN was given, and the token has no keys to type one on";
            return Err(failure(attempted, said, TokenFault::Unsupported));
        }
        let open = self.session(token, &attempted)?;
        let logged_in = if pin.is_empty() {
            open.session.login(UserType::User, None)
        } else {
            let pin = RawAuthPin::new(Box::new(pin.expose(<[u8]>::to_vec)));
            open.session.login_with_raw(UserType::User, &pin)
        };
        match logged_in {
            // A login is the token's, not the session's: another session of this program may have made it.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                open.logged_in = true;
                Ok(())
            }
            Err(error) => {
                self.forget_if_broken(token, &error);
                Err(errors::failed(&attempted, &error))
            }
        }
    }

    fn logout(&mut self, token: &TokenId) {
        if let Some(open) = self.open.remove(token) {
            // Closing the last session logs out too; a module that forgets that is told.
            let _ = open.session.logout();
        }
    }

    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError> {
        let attempted = format!("read the keys of token {}", token.serial);
        let open = self.current(token, &attempted)?;
        let keys = match objects::keys(&open.session, open.logged_in) {
            Err(error) if errors::is_stale(&error) => {
                let open = self.reopened(token, &attempted)?;
                objects::keys(&open.session, open.logged_in)
            }
            keys => keys,
        };
        keys.map_err(|error| errors::failed(&attempted, &error))
    }

    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("make key {label:?} on token {}", token.serial);
        let open = self.current(token, &attempted)?;
        if !open.logged_in {
            let said = "nobody is logged in to the token";
            return Err(failure(attempted, said, TokenFault::NotLoggedIn));
        }
        let failed = |error: &Error| errors::failed(&attempted, error);
        if objects::has_label(&open.session, label).map_err(|error| failed(&error))? {
            let said = "a key with this label is there already";
            return Err(failure(attempted, said, TokenFault::Exists));
        }
        let mut id = [0; ID];
        getrandom::fill(&mut id).map_err(|error| {
            let said = format!("this machine gives no random numbers ({error})");
            failure(&attempted, said, TokenFault::Other)
        })?;
        match objects::generate(&open.session, &id, label, algorithm) {
            Ok(Some(key)) => Ok(key),
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

    fn sign(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        payload: &[u8],
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with key {:?} of token {}", key.label, token.serial);
        let Some(algorithm) = key.public.algorithm() else {
            let said = "keys of this type cannot sign";
            return Err(failure(attempted, said, TokenFault::Unsupported));
        };
        let open = self.current(token, &attempted)?;
        if !open.logged_in {
            let said = "nobody is logged in to the token";
            return Err(failure(attempted, said, TokenFault::NotLoggedIn));
        }
        let private = match objects::private_half(&open.session, key) {
            Ok(Some(private)) => private,
            Ok(None) => {
                let said = "no key on the token has this name and this public half";
                return Err(failure(attempted, said, TokenFault::KeyAbsent));
            }
            Err(error) => {
                self.forget_if_broken(token, &error);
                return Err(errors::failed(&attempted, &error));
            }
        };
        let signature = match signed(&open.session, private, algorithm, payload) {
            Ok(signature) => signature,
            Err(error) => {
                self.forget_if_broken(token, &error);
                return Err(errors::sign_failed(&attempted, &error));
            }
        };
        material::tuf_form(algorithm, signature).ok_or_else(|| TokenError {
            may_have_signed: true,
            ..failure(
                attempted,
                "what the token gave is no signature",
                TokenFault::Other,
            )
        })
    }
}

/// One request to the device. ECDSA and RSA get the digest, hashed here: no module tested has the mechanisms that hash, and all have these.
/// Ed25519 gets the whole message in one part, as there is no other way.
fn signed(
    session: &Session,
    private: ObjectHandle,
    algorithm: Algorithm,
    payload: &[u8],
) -> Result<Vec<u8>, Error> {
    match algorithm {
        Algorithm::Ed25519 => {
            let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
            session.sign(&pure, private, payload)
        }
        Algorithm::EcdsaP256 => session.sign(&Mechanism::Ecdsa, private, &Sha256::digest(payload)),
        Algorithm::EcdsaP384 => session.sign(&Mechanism::Ecdsa, private, &Sha384::digest(payload)),
        Algorithm::RsaPss => {
            let pss = Mechanism::RsaPkcsPss(PkcsPssParams {
                hash_alg: MechanismType::SHA256,
                mgf: PkcsMgfType::MGF1_SHA256,
                s_len: 32.into(),
            });
            session.sign(&pss, private, &Sha256::digest(payload))
        }
    }
}

/// A PIN in the form that `C_InitToken` and `C_InitPIN` are given through `cryptoki`, wiped when dropped.
fn text_pin(pin: &Secret, attempted: &str) -> Result<AuthPin, TokenError> {
    pin.expose(|bytes| match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() => Ok(AuthPin::new(Box::from(text))),
        _ => {
            let said = "a PIN is text and not empty";
            Err(failure(attempted, said, TokenFault::Unsupported))
        }
    })
}
