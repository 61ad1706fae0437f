//! Sessions with tokens: found by serial and label, checked before each use, opened again once where only reading follows.

use std::sync::Arc;

use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;

use super::quirks::Quirks;
use super::single::Single;
use super::{Pkcs11Module, errors};
use crate::ceremony::event::{Credential, TokenIdentity};
use crate::ceremony::port::{TokenError, TokenFault, TokenId, TokenInfo};
use crate::ceremony::prompt::Tries;
use crate::secret::Secret;
use crate::token::{failure, init_args};
use crate::tuf::key::PublicKey;

/// What a call is told whose login went with a session that broke.
const LOGIN_GONE: &str = "the token was taken out or reset in between and wants its PIN again";

/// A session with a token.
pub(super) struct Open {
    pub(super) session: Session,
    pub(super) calls: Arc<Single>,
    pub(super) quirks: &'static Quirks,
    /// Whether the user was logged in through it.
    pub(super) logged_in: bool,
    /// Whether a key that wants its PIN for each signature signed since that login.
    pub(super) login_is_used: bool,
    /// The PIN of that login, kept for the one `C_Login` that such a key wants within its signature; empty where it is typed on the token.
    pub(super) pin_for_one: Option<Secret>,
    /// The key that signed or was made since that login.
    pub(super) used: Option<PublicKey>,
}

impl Open {
    pub(super) fn objects(&self, template: &[Attribute]) -> Result<Vec<ObjectHandle>, Error> {
        self.calls.objects(&self.session, template)
    }

    pub(super) fn attribute(
        &self,
        object: ObjectHandle,
        kind: AttributeType,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.calls.attribute(&self.session, object, kind)
    }

    /// One `C_Login`. An empty PIN is one that is typed on the token.
    pub(super) fn log_in(&self, user: UserType, pin: &Secret) -> Result<(), Error> {
        if pin.is_empty() {
            return self.session.login(user, None);
        }
        let pin = RawAuthPin::new(Box::new(pin.expose(<[u8]>::to_vec)));
        self.session.login_with_raw(user, &pin)
    }

    /// Whether another key than this one was used, and the device has room for one a login.
    pub(super) fn is_full_for(&self, key: &PublicKey) -> bool {
        self.quirks.one_key_a_login && self.used.as_ref().is_some_and(|used| used != key)
    }
}

impl Pkcs11Module {
    /// All tokens that answer, with the slot they are in just now.
    pub(super) fn slots(&mut self) -> Result<Vec<(Slot, TokenInfo)>, Error> {
        if self.stopped && !self.starts() {
            return Ok(Vec::new());
        }
        let slots = self.calls.slots()?;
        Ok(slots
            .into_iter()
            .filter_map(|slot| Some((slot, self.info(slot).ok()?)))
            .collect())
    }

    /// Whether a module that was finalised is started again. `SoftHSM` does not start while the folder of its tokens is away.
    fn starts(&mut self) -> bool {
        self.stopped = init_args::initialize(&self.context, self.init_args.as_deref()).is_err();
        !self.stopped
    }

    /// What is peculiar to the module, whatever token is in it.
    pub(super) fn quirks(&self) -> &'static Quirks {
        Quirks::of(&self.identity.description, "")
    }

    /// What is peculiar to a token.
    pub(super) fn quirks_of(&self, token: &TokenIdentity) -> &'static Quirks {
        let kind = format!("{} {}", token.manufacturer, token.model);
        Quirks::of(&self.identity.description, &kind)
    }

    pub(super) fn info(&self, slot: Slot) -> Result<TokenInfo, Error> {
        let info = self.context.get_token_info(slot)?;
        let firmware = info.firmware_version();
        let mut identity = TokenIdentity {
            module: self.identity.name.clone(),
            manufacturer: unpadded(info.manufacturer_id()).to_owned(),
            model: unpadded(info.model()).to_owned(),
            serial: info.serial_number().to_owned(),
            label: String::new(),
        };
        let label = self.quirks_of(&identity).label(info.label());
        label.clone_into(&mut identity.label);
        Ok(TokenInfo {
            id: TokenId {
                module: identity.module.clone(),
                serial: identity.serial.clone(),
                label: identity.label.clone(),
            },
            identity,
            firmware: (firmware.major() != 0 || firmware.minor() != 0)
                .then(|| format!("{}.{}", firmware.major(), firmware.minor())),
            ready: info.token_initialized() && info.user_pin_initialized(),
            tries: tries(
                info.user_pin_locked(),
                info.user_pin_final_try(),
                info.user_pin_count_low(),
            ),
            pin_pad: info.protected_authentication_path(),
            credentials: vec![Credential::So, Credential::User],
            factory: Vec::new(),
        })
    }

    /// All tokens, as they are listed. Those that were seen and are gone are looked for again where a module has to be started anew for it.
    pub(super) fn listed(&mut self) -> Result<Vec<TokenInfo>, Error> {
        let mut slots = self.slots()?;
        if !self.seen.iter().all(|token| is_in(&slots, token)) && self.restarted(&slots)? {
            slots = self.slots()?;
        }
        let tokens: Vec<TokenInfo> = slots.into_iter().map(|(_, info)| info).collect();
        self.seen
            .extend(tokens.iter().map(|token| token.id.clone()));
        Ok(tokens)
    }

    /// The one slot that the token is in.
    pub(super) fn slot_of(&mut self, token: &TokenId, attempted: &str) -> Result<Slot, TokenError> {
        let failed = |error: Error| errors::failed(attempted, &error);
        let mut slots = self.slots().map_err(failed)?;
        // Nothing was asked of the token yet, so looking twice is safe.
        if !is_in(&slots, token) && self.restarted(&slots).map_err(failed)? {
            slots = self.slots().map_err(failed)?;
        }
        let mut found = slots.iter().filter(|(_, info)| info.id == *token);
        match (found.next(), found.next()) {
            (Some((slot, info)), None) => {
                self.seen.insert(info.id.clone());
                Ok(*slot)
            }
            (None, _) => {
                let said = "the token is not plugged in, or the module does not see it";
                Err(failure(attempted, said, TokenFault::Removed))
            }
            (Some(_), Some(_)) => {
                let said = "two tokens have this serial and label; take one of them out";
                Err(failure(attempted, said, TokenFault::Other))
            }
        }
    }

    /// `C_Finalize` and `C_Initialize`, where the module needs it to see a token again, and unless somebody is logged in to a token that is there: it
    /// would end that login. Logins to tokens that are gone are remembered, to be told.
    fn restarted(&mut self, slots: &[(Slot, TokenInfo)]) -> Result<bool, Error> {
        let is_busy = |(token, open): (&TokenId, &Open)| open.logged_in && is_in(slots, token);
        if self.stopped || !self.quirks().restarts || self.open.iter().any(is_busy) {
            return Ok(false);
        }
        for (token, open) in std::mem::take(&mut self.open) {
            if open.logged_in {
                self.lost.insert(token);
            }
        }
        self.context.clone().finalize()?;
        self.stopped = true;
        Ok(self.starts())
    }

    /// The session with a token, opened now if there is none.
    pub(super) fn session(
        &mut self,
        token: &TokenId,
        attempted: &str,
    ) -> Result<&mut Open, TokenError> {
        if !self.open.contains_key(token) {
            let open = self.opened(token, attempted)?;
            self.open.insert(token.clone(), open);
        }
        self.open
            .get_mut(token)
            .ok_or_else(|| failure(attempted, "the session is gone", TokenFault::Removed))
    }

    fn opened(&mut self, token: &TokenId, attempted: &str) -> Result<Open, TokenError> {
        let failed = |error: Error| errors::failed(attempted, &error);
        let slot = self.slot_of(token, attempted)?;
        let info = self.info(slot).map_err(failed)?;
        let session = match self.context.open_rw_session(slot) {
            Err(Error::Pkcs11(RvError::TokenWriteProtected, _)) => {
                self.context.open_ro_session(slot)
            }
            session => session,
        };
        Ok(Open {
            session: session.map_err(failed)?,
            calls: Arc::clone(&self.calls),
            quirks: self.quirks_of(&info.identity),
            logged_in: false,
            login_is_used: false,
            pin_for_one: None,
            used: None,
        })
    }

    /// Whether the token's session, if there is one, still is with that token.
    pub(super) fn is_current(&self, token: &TokenId) -> bool {
        self.open.get(token).is_none_or(|open| {
            open.session
                .get_session_info()
                .and_then(|session| self.info(session.slot_id()))
                .is_ok_and(|info| info.id == *token)
        })
    }

    /// A session that was just seen to be with this token.
    pub(super) fn current(
        &mut self,
        token: &TokenId,
        attempted: &str,
    ) -> Result<&mut Open, TokenError> {
        if self.lost.remove(token) {
            return Err(failure(attempted, LOGIN_GONE, TokenFault::NotLoggedIn));
        }
        if self.is_current(token) {
            self.session(token, attempted)
        } else {
            self.reopened(token, attempted)
        }
    }

    /// A new session in place of one that broke. A login that went with the old one is an error: whoever asks must ask for the PIN.
    pub(super) fn reopened(
        &mut self,
        token: &TokenId,
        attempted: &str,
    ) -> Result<&mut Open, TokenError> {
        let had_login = self.open.remove(token).is_some_and(|open| open.logged_in);
        let open = self.session(token, attempted)?;
        if had_login {
            return Err(failure(attempted, LOGIN_GONE, TokenFault::NotLoggedIn));
        }
        Ok(open)
    }

    /// Drops a session that an error has shown to be of no use, so that the next call begins anew.
    pub(super) fn forget_if_broken(&mut self, token: &TokenId, error: &Error) {
        let login_is_gone = matches!(error, Error::Pkcs11(RvError::UserNotLoggedIn, _));
        if login_is_gone || errors::is_stale(error) {
            self.open.remove(token);
        }
    }
}

/// Without the zeros that tpm2-pkcs11 pads a field with, where the standard has blanks.
fn unpadded(field: &str) -> &str {
    field.trim_end_matches(['\0', ' '])
}

fn is_in(slots: &[(Slot, TokenInfo)], token: &TokenId) -> bool {
    slots.iter().any(|(_, info)| info.id == *token)
}

/// The flags of a token's PIN counter. No flag says nothing: many modules never set one.
fn tries(locked: bool, last: bool, low: bool) -> Tries {
    match (locked, last, low) {
        (true, _, _) => Tries::Locked,
        (_, true, _) => Tries::Final,
        (_, _, true) => Tries::Low,
        _ => Tries::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::{Tries, tries};

    #[test]
    fn worst_flag_of_the_pin_counter_counts_and_none_is_unknown() {
        for (locked, last, low, expected) in [
            (false, false, false, Tries::Unknown),
            (false, false, true, Tries::Low),
            (false, true, true, Tries::Final),
            (true, true, true, Tries::Locked),
        ] {
            assert_eq!(tries(locked, last, low), expected);
        }
    }
}
