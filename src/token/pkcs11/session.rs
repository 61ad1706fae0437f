//! Sessions with tokens: found by serial and label, checked before each use, opened again once where only reading follows.

use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::{Pkcs11Module, errors};
use crate::ceremony::event::{Credential, TokenIdentity};
use crate::ceremony::port::{TokenError, TokenFault, TokenId, TokenInfo};
use crate::ceremony::prompt::Tries;
use crate::token::failure;

/// A session with a token.
pub(super) struct Open {
    pub(super) session: Session,
    /// Whether the user was logged in through it.
    pub(super) logged_in: bool,
}

impl Pkcs11Module {
    /// All tokens that answer, with the slot they are in just now.
    pub(super) fn slots(&self) -> Result<Vec<(Slot, TokenInfo)>, Error> {
        let slots = self.context.get_slots_with_token()?;
        Ok(slots
            .into_iter()
            .filter_map(|slot| Some((slot, self.info(slot).ok()?)))
            .collect())
    }

    pub(super) fn info(&self, slot: Slot) -> Result<TokenInfo, Error> {
        let info = self.context.get_token_info(slot)?;
        let firmware = info.firmware_version();
        Ok(TokenInfo {
            id: TokenId {
                module: self.identity.name.clone(),
                serial: info.serial_number().to_owned(),
                label: info.label().to_owned(),
            },
            identity: TokenIdentity {
                module: self.identity.name.clone(),
                manufacturer: info.manufacturer_id().to_owned(),
                model: info.model().to_owned(),
                serial: info.serial_number().to_owned(),
                label: info.label().to_owned(),
            },
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

    /// The one slot that the token is in.
    fn slot_of(&self, token: &TokenId, attempted: &str) -> Result<Slot, TokenError> {
        let slots = self
            .slots()
            .map_err(|error| errors::failed(attempted, &error))?;
        let mut found = slots.iter().filter(|(_, info)| info.id == *token);
        match (found.next(), found.next()) {
            (Some((slot, _)), None) => Ok(*slot),
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

    pub(super) fn has_pin_pad(&self, token: &TokenId, attempted: &str) -> Result<bool, TokenError> {
        let slot = self.slot_of(token, attempted)?;
        let info = self.info(slot);
        Ok(info
            .map_err(|error| errors::failed(attempted, &error))?
            .pin_pad)
    }

    /// The session with a token, opened now if there is none.
    pub(super) fn session(
        &mut self,
        token: &TokenId,
        attempted: &str,
    ) -> Result<&mut Open, TokenError> {
        if !self.open.contains_key(token) {
            let slot = self.slot_of(token, attempted)?;
            let session = match self.context.open_rw_session(slot) {
                Err(Error::Pkcs11(RvError::TokenWriteProtected, _)) => {
                    self.context.open_ro_session(slot)
                }
                session => session,
            };
            let session = session.map_err(|error| errors::failed(attempted, &error))?;
            let logged_in = false;
            self.open.insert(token.clone(), Open { session, logged_in });
        }
        self.open
            .get_mut(token)
            .ok_or_else(|| failure(attempted, "the session is gone", TokenFault::Removed))
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
            let said = "the token was taken out or reset in between and wants its PIN again";
            return Err(failure(attempted, said, TokenFault::NotLoggedIn));
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

    /// Sets the user PIN of a token that was just initialised.
    pub(super) fn set_user_pin(
        &self,
        slot: Slot,
        so_pin: &AuthPin,
        user_pin: &AuthPin,
    ) -> Result<(), Error> {
        let session = self.context.open_rw_session(slot)?;
        session.login(UserType::So, Some(so_pin))?;
        session.init_pin(user_pin)?;
        session.logout()
    }
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
