//! Tokens of software: they behave as a token with a PIN and three tries does, and are gone when the program ends.

use super::{SoftwareKey, no_secret};
use crate::ceremony::event::{Credential, Custody, ModuleIdentity, TokenIdentity};
use crate::ceremony::port::{Reset, TokenError, TokenFault, TokenId, TokenInfo, TokenKey, Usage};
use crate::ceremony::prompt::Tries;
use crate::secret::Secret;
use crate::token::{Module, failure};
use crate::tuf::key::{Algorithm, Message};

/// How often a PIN may be wrong in a row.
const TRIES: u8 = 3;

/// A backend of tokens in memory. There is always one more blank token to initialise.
pub struct SoftwareModule {
    identity: ModuleIdentity,
    tokens: Vec<SoftwareToken>,
}

struct SoftwareToken {
    id: TokenId,
    pin: Secret,
    tries: u8,
    plugged_in: bool,
    logged_in: bool,
    keys: Vec<(TokenKey, SoftwareKey)>,
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
            tries: match self.tries {
                0 => Tries::Locked,
                left => Tries::Left(left),
            },
            pin_pad: false,
            credentials: vec![Credential::User],
            factory: Vec::new(),
        }
    }

    fn login(&mut self, pin: &Secret, attempted: &str) -> Result<(), TokenError> {
        // A login from before proves nothing about the PIN that is given now.
        self.logged_in = false;
        if self.tries == 0 {
            let said = "the PIN is locked after too many wrong ones";
            return Err(failure(attempted, said, TokenFault::PinLocked));
        }
        // A plain comparison: who can time this already reads the memory that the PIN is in.
        if !pin.expose(|given| self.pin.expose(|right| given == right)) {
            self.tries -= 1;
            let said = "the PIN is wrong";
            return Err(failure(attempted, said, TokenFault::PinIncorrect));
        }
        self.tries = TRIES;
        self.logged_in = true;
        Ok(())
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
        let pin = user_pin
            .expose(|pin| Secret::take(&mut pin.to_vec()))
            .map_err(|error| no_secret(&attempted, &error))?;
        let token = SoftwareToken {
            id: TokenId {
                module: self.identity.name.clone(),
                serial: serial.expose(|bytes| data_encoding::HEXLOWER.encode(bytes)),
                label: label.to_owned(),
            },
            pin,
            tries: TRIES,
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
        let pin = pin
            .expose(|pin| Secret::take(&mut pin.to_vec()))
            .map_err(|error| no_secret(&attempted, &error))?;
        let token = self.token(token, &attempted)?;
        token.id.label.clone_from(label);
        token.pin = pin;
        token.tries = TRIES;
        token.logged_in = false;
        token.keys.clear();
        Ok(token.info())
    }

    fn login(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        let attempted = format!("log in to token {}", token.serial);
        let token = self.token(token, &attempted)?;
        if pin.is_empty() {
            let said = "an empty PIN was given, and the token has no keys to type one on";
            return Err(failure(attempted, said, TokenFault::Unsupported));
        }
        token.login(pin, &attempted)
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
    ) -> Result<TokenKey, TokenError> {
        let attempted = format!("make key {label:?} on token {}", token.serial);
        let token = self.logged_in(token, &attempted)?;
        if token.keys.iter().any(|(key, _)| key.label == label) {
            let said = "a key with this label is there already";
            return Err(failure(attempted, said, TokenFault::Exists));
        }
        let pair = SoftwareKey::generate(algorithm, &attempted)?;
        let key = TokenKey {
            id: vec![u8::try_from(token.keys.len() + 1).unwrap_or(u8::MAX)],
            label: label.to_owned(),
            public: pair.public.clone(),
            // True of this process: nothing hands the private half out. That it is no hardware is in the module's identity.
            custody: Custody {
                always_sensitive: Some(true),
                never_extractable: Some(true),
                local: Some(true),
            },
            usage: Usage::default(),
        };
        token.keys.push((key.clone(), pair));
        Ok(key)
    }

    fn sign_message(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        message: &Message<'_>,
    ) -> Result<Vec<u8>, TokenError> {
        let attempted = format!("sign with key {:?} of token {}", key.label, token.serial);
        let token = self.logged_in(token, &attempted)?;
        let wanted = |one: &TokenKey| {
            (one.id == key.id || one.label == key.label) && one.public == key.public
        };
        let Some((_, pair)) = token.keys.iter().find(|(one, _)| wanted(one)) else {
            let said = "no key on the token has this name and this public half";
            return Err(failure(attempted, said, TokenFault::KeyAbsent));
        };
        pair.sign(message, &attempted)
    }
}
