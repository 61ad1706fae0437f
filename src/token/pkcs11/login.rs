//! Logging in: one PIN, one try, and always a try. A login that is still there from before proves nothing about the PIN that was given now, and is
//! nothing to a key that wants a fresh one, so it is ended first.

use cryptoki::error::{Error, RvError};
use cryptoki::session::UserType;

use super::session::Open;
use super::{Pkcs11Module, errors, objects};
use crate::ceremony::port::{TokenError, TokenFault, TokenId};
use crate::secret::Secret;
use crate::token::failure;

impl Pkcs11Module {
    pub(super) fn log_in(&mut self, token: &TokenId, pin: &Secret) -> Result<(), TokenError> {
        let attempted = format!("log in to token {}", token.serial);
        self.lost.remove(token);
        if !self.is_current(token) {
            self.open.remove(token);
        }
        self.check_given(pin, token, &attempted)?;
        let was_logged_in = self.open.get(token).is_some_and(|open| open.logged_in);
        if was_logged_in && !logged_out(self.session(token, &attempted)?) {
            self.open.remove(token);
        }
        let open = self.session(token, &attempted)?;
        let first = open.log_in(UserType::User, pin);
        let logged_in = match first {
            // A login is the token's, not the session's: another session of this program made it. The PIN was not looked at, so no try was made.
            Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) if logged_out(open) => {
                open.log_in(UserType::User, pin)
            }
            first => first,
        };
        if let Err(error) = logged_in {
            let quirks = open.quirks;
            self.forget_if_broken(token, &error);
            return Err(errors::login_failed(&attempted, &error, quirks));
        }
        open.logged_in = true;
        open.login_is_used = false;
        open.used = None;
        if open.quirks.plain_login_for_each_signature {
            return Ok(());
        }
        match objects::any_wants_pin_each_time(open) {
            Ok(true) => open.pin_for_one = Some(copy(pin, &attempted)?),
            Ok(false) => {}
            Err(error) => {
                self.forget_if_broken(token, &error);
                return Err(errors::failed(&attempted, &error));
            }
        }
        Ok(())
    }

    /// Refuses an empty PIN where it cannot be typed on the token.
    pub(super) fn check_given(
        &mut self,
        pin: &Secret,
        token: &TokenId,
        attempted: &str,
    ) -> Result<(), TokenError> {
        if !pin.is_empty() {
            return Ok(());
        }
        let slot = self.slot_of(token, attempted)?;
        let info = self.info(slot);
        let info = info.map_err(|error| errors::failed(attempted, &error))?;
        if info.pin_pad {
            return Ok(());
        }
        let said = "an empty PIN was given, and the token has no keys to type one on";
        Err(failure(attempted, said, TokenFault::Unsupported))
    }
}

/// Ends the login of a session; no login is fine. `false`: the session is of no use any more.
fn logged_out(open: &mut Open) -> bool {
    open.logged_in = false;
    open.pin_for_one = None;
    matches!(
        open.session.logout(),
        Ok(()) | Err(Error::Pkcs11(RvError::UserNotLoggedIn, _))
    )
}

/// The PIN once more, in locked memory too.
fn copy(pin: &Secret, attempted: &str) -> Result<Secret, TokenError> {
    let copied = Secret::new().and_then(|mut copy| {
        pin.expose(|bytes| bytes.iter().try_for_each(|byte| copy.push(*byte)))?;
        Ok(copy)
    });
    copied.map_err(|fault| failure(attempted, fault.to_string(), TokenFault::Other))
}
