//! Tokens of software: they behave as a token with a PIN and three tries does, and are gone when the program ends.

use super::{SoftwareKey, no_secret, wrapping};
use crate::ceremony::event::{Credential, Custody, ModuleIdentity, TokenIdentity};
use crate::ceremony::port::{
    Leaves, Reset, TokenError, TokenFault, TokenId, TokenInfo, TokenKey, Usage,
};
use crate::ceremony::prompt::Tries;
use crate::secret::Secret;
use crate::token::{Module, STAYS, check_wrap_key, failure};
use crate::tuf::key::{Algorithm, Message, PublicKey};

/// How often a PIN may be wrong in a row.
const TRIES: u8 = 3;

/// A backend of tokens in memory. There is always one more blank token to initialise.
pub struct SoftwareModule {
    identity: ModuleIdentity,
    tokens: Vec<SoftwareToken>,
}

struct SoftwareToken {
    id: TokenId,
    user: Pin,
    officer: Pin,
    plugged_in: bool,
    logged_in: bool,
    keys: Vec<(TokenKey, SoftwareKey)>,
}

/// One of a token's two PINs and its counter.
struct Pin {
    right: Secret,
    tries: u8,
}

impl Pin {
    fn new(pin: &Secret, attempted: &str) -> Result<Self, TokenError> {
        let right = pin.expose(|pin| Secret::take(&mut pin.to_vec()));
        Ok(Self {
            right: right.map_err(|error| no_secret(attempted, &error))?,
            tries: TRIES,
        })
    }

    fn check(&mut self, given: &Secret, attempted: &str) -> Result<(), TokenError> {
        if given.is_empty() {
            let said = "an empty PIN was given, and the token has no keys to type one on";
            return Err(failure(attempted, said, TokenFault::Unsupported));
        }
        if self.tries == 0 {
            let said = "the PIN is locked after too many wrong ones";
            return Err(failure(attempted, said, TokenFault::PinLocked));
        }
        // A plain comparison: who can time this already reads the memory that the PIN is in.
        if !given.expose(|given| self.right.expose(|right| given == right)) {
            self.tries -= 1;
            let said = "the PIN is wrong";
            return Err(failure(attempted, said, TokenFault::PinIncorrect));
        }
        self.tries = TRIES;
        Ok(())
    }
}

impl SoftwareModule {
    /// A module without tokens, under the room's name for it.
    pub fn new(name: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self {
            identity: ModuleIdentity {
                name: name.to_owned(),
                sha256: None,
                description: format!("tuf-ceremony: software keys in memory, {version}"),
                reach: Vec::new(),
            },
            tokens: Vec::new(),
        }
    }

    /// Takes a token out or puts it back. Taken out it is not listed and forgets its login.
    pub fn plug(&mut self, token: &TokenId, plugged_in: bool) {
        for one in self.tokens.iter_mut().filter(|one| one.id == *token) {
            one.plugged_in = plugged_in;
            one.logged_in = false;
        }
    }

    fn token(
        &mut self,
        token: &TokenId,
        attempted: &str,
    ) -> Result<&mut SoftwareToken, TokenError> {
        self.tokens
            .iter_mut()
            .find(|one| one.plugged_in && one.id == *token)
            .ok_or_else(|| {
                let said = "the token is not plugged in";
                failure(attempted, said, TokenFault::Removed)
            })
    }

    fn logged_in(
        &mut self,
        token: &TokenId,
        attempted: &str,
    ) -> Result<&mut SoftwareToken, TokenError> {
        let token = self.token(token, attempted)?;
        if token.logged_in {
            Ok(token)
        } else {
            let said = "nobody is logged in to the token";
            Err(failure(attempted, said, TokenFault::NotLoggedIn))
        }
    }
}

impl SoftwareToken {
    fn info(&self) -> TokenInfo {
        TokenInfo {
            id: self.id.clone(),
            identity: TokenIdentity {
                module: self.id.module.clone(),
                manufacturer: "tuf-ceremony".to_owned(),
                model: "software".to_owned(),
                serial: self.id.serial.clone(),
                label: self.id.label.clone(),
            },
            firmware: None,
            ready: true,
            tries: match self.user.tries {
                0 => Tries::Locked,
                left => Tries::Left(left),
            },
            pin_pad: false,
            credentials: vec![Credential::User],
            factory: Vec::new(),
        }
    }

    /// A login from before proves nothing about the PIN that is given now, and is ended first.
    fn login(&mut self, pin: &Secret, attempted: &str) -> Result<(), TokenError> {
        self.logged_in = false;
        self.user.check(pin, attempted)?;
        self.logged_in = true;
        Ok(())
    }

    /// The key with this id or label and this public half.
    fn find(
        &self,
        key: &TokenKey,
        attempted: &str,
    ) -> Result<&(TokenKey, SoftwareKey), TokenError> {
        let wanted = |(one, _): &&(TokenKey, SoftwareKey)| {
            (one.id == key.id || one.label == key.label) && one.public == key.public
        };
        self.keys.iter().find(wanted).ok_or_else(|| {
            let said = "no key on the token has this name and this public half";
            failure(attempted, said, TokenFault::KeyAbsent)
        })
    }

    fn add(
        &mut self,
        label: &str,
        custody: Custody,
        attempted: &str,
        pair: impl FnOnce() -> Result<SoftwareKey, TokenError>,
    ) -> Result<TokenKey, TokenError> {
        if self.keys.iter().any(|(key, _)| key.label == label) {
            let said = "a key with this label is there already";
            return Err(failure(attempted, said, TokenFault::Exists));
        }
        let pair = pair()?;
        let key = TokenKey {
            id: vec![u8::try_from(self.keys.len() + 1).unwrap_or(u8::MAX)],
            label: label.to_owned(),
            public: pair.public.clone(),
            custody,
            usage: Usage::default(),
        };
        self.keys.push((key.clone(), pair));
        Ok(key)
    }
}

impl Module for SoftwareModule {
    fn identity(&self) -> &ModuleIdentity {
        &self.identity
    }

    fn list(&mut self) -> Result<Vec<TokenInfo>, TokenError> {
        let plugged_in = self.tokens.iter().filter(|token| token.plugged_in);
        Ok(plugged_in.map(SoftwareToken::info).collect())
    }

    fn initialise(
        &mut self,
        label: &str,
        so_pin: &Secret,
        user_pin: &Secret,
    ) -> Result<TokenInfo, TokenError> {
        let attempted = format!("initialise a token as {label:?}");
        if self.tokens.iter().any(|token| token.id.label == label) {
            let said = "a token with this label is there already";
            return Err(failure(attempted, said, TokenFault::Exists));
        }
        if so_pin.is_empty() || user_pin.is_empty() {
            let said = "an empty PIN is no PIN";
            return Err(failure(attempted, said, TokenFault::Unsupported));
        }
        let serial = Secret::random(8).map_err(|error| no_secret(&attempted, &error))?;
        let token = SoftwareToken {
            id: TokenId {
                module: self.identity.name.clone(),
                serial: serial.expose(|bytes| data_encoding::HEXLOWER.encode(bytes)),
                label: label.to_owned(),
            },
            user: Pin::new(user_pin, &attempted)?,
            officer: Pin::new(so_pin, &attempted)?,
            plugged_in: true,
            logged_in: false,
            keys: Vec::new(),
        };
        let info = token.info();
        self.tokens.push(token);
        Ok(info)
    }

    fn reset(&mut self, token: &TokenId, reset: &Reset) -> Result<TokenInfo, TokenError> {
        let attempted = format!("erase token {}", token.serial);
        let label = &reset.label;
        let is_taken = |one: &SoftwareToken| one.id != *token && one.id.label == *label;
        if self.tokens.iter().any(is_taken) {
            let said = "another token with this label is there already";
            return Err(failure(attempted, said, TokenFault::Exists));
        }
        let pin = reset.new_secret(Credential::User).ok_or_else(|| {
            let said = "a new PIN is needed; nothing was erased";
            failure(&attempted, said, TokenFault::Unsupported)
        })?;
        let pin = Pin::new(pin, &attempted)?;
        let token = self.token(token, &attempted)?;
        token.id.label.clone_from(label);
        token.user = pin;
        token.logged_in = false;
        token.keys.clear();
        Ok(token.info())
    }

    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        let attempted = format!("log in to token {}", token.serial);
        self.token(token, &attempted)?.login(pin, &attempted)
    }

    fn logout(&mut self, token: &TokenId) {
        for one in self.tokens.iter_mut().filter(|one| one.id == *token) {
            one.logged_in = false;
        }
    }

    fn keys(&mut self, token: &TokenId) -> Result<Vec<TokenKey>, TokenError> {
        let attempted = format!("read the keys of token {}", token.serial);
        let token = self.token(token, &attempted)?;
        Ok(token.keys.iter().map(|(key, _)| key.clone()).collect())
    }

    fn generate(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
        leaves: Leaves,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("make key {label:?} on token {}", token.serial);
        let token = self.logged_in(token, &attempted)?;
        // True of this process: nothing hands the private half out, or only wrapped. That it is no hardware is in the module's identity.
        let custody = Custody {
            always_sensitive: Some(true),
            never_extractable: Some(leaves == Leaves::Never),
            local: Some(true),
            wrapped_only: (leaves == Leaves::Wrapped).then_some(true),
        };
        token.add(label, custody, &attempted, || {
            SoftwareKey::generate(algorithm, &attempted)
        })
    }

    fn wrap(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        wrap_key: &Secret,
        so_pin: &Secret,
        pin: &Secret,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("back up key {:?} of token {}", key.label, token.serial);
        check_wrap_key(wrap_key, &attempted)?;
        let officer = format!("log in to token {} with the SO PIN", token.serial);
        let user = format!("log in to token {} with the user's PIN", token.serial);
        let token = self.token(token, &attempted)?;
        token.logged_in = false;
        token.officer.check(so_pin, &officer)?;
        token.user.check(pin, &user)?;
        let (known, pair) = token.find(key, &attempted)?;
        if known.custody.wrapped_only != Some(true) {
            return Err(failure(attempted, STAYS, TokenFault::Unsupported));
        }
        wrapping::wrapped(pair, wrap_key, &attempted)
    }

    fn sign_wrapped(
        &mut self,
        token: &TokenId,
        wrapped: &[u8],
        wrap_key: &Secret,
        public: &PublicKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with a backup on token {}", token.serial);
        check_wrap_key(wrap_key, &attempted)?;
        let token = self.logged_in(token, &attempted)?;
        let signature = wrapping::unwrapped(wrapped, wrap_key, public, &attempted)
            .and_then(|pair| pair.sign(message, &attempted));
        token.logged_in = signature.is_ok();
        signature
    }

    fn unwrap(
        &mut self,
        token: &TokenId,
        wrapped: &[u8],
        wrap_key: &Secret,
        label: &str,
        public: &PublicKey,
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("restore key {label:?} on token {}", token.serial);
        check_wrap_key(wrap_key, &attempted)?;
        let token = self.logged_in(token, &attempted)?;
        let brought_in = Custody {
            always_sensitive: Some(false),
            never_extractable: Some(false),
            local: Some(false),
            wrapped_only: None,
        };
        let restored = token.add(label, brought_in, &attempted, || {
            wrapping::unwrapped(wrapped, wrap_key, public, &attempted)
        });
        token.logged_in = restored.is_ok();
        restored
    }

    fn sign_message(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with key {:?} of token {}", key.label, token.serial);
        let token = self.logged_in(token, &attempted)?;
        let (_, pair) = token.find(key, &attempted)?;
        pair.sign(message, &attempted)
    }
}
