//! Tokens made empty: a blank one initialised, and one that is in use erased and given new secrets.

use cryptoki::error::{Error, RvError};
use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::{LABEL, Pkcs11Module, errors};
use crate::ceremony::event::Credential;
use crate::ceremony::port::{Reset, TokenError, TokenFault, TokenId, TokenInfo};
use crate::secret::Secret;
use crate::token::failure;

/// What an SO PIN that is refused may mean after a reset that was cut short.
const WRONG_SO: &str = "the SO PIN is wrong; the token was not erased by this call. If an earlier reset was cut short, the SO PIN may be the new one \
     already: give that as the present one (CKR_PIN_INCORRECT)";

impl Pkcs11Module {
    pub(super) fn initialise_blank(
        &mut self,
        label: &str,
        so_pin: &Secret,
        user_pin: &Secret,
    ) -> Result<TokenInfo, TokenError> {
        let attempted = format!("initialise a token as {label:?}");
        let failed = |error: Error| errors::failed(&attempted, &error);
        check_label(label, &attempted)?;
        let before = self.slots().map_err(failed)?;
        if before.iter().any(|(_, info)| info.id.label == label) {
            return Err(failure(&attempted, LABEL_TAKEN, TokenFault::Exists));
        }
        let so_pin = text_pin(so_pin, &attempted)?;
        let user_pin = text_pin(user_pin, &attempted)?;
        let blank = before.iter().find(|(slot, info)| {
            self.quirks_of(&info.identity).initialised_by.is_none()
                && self.is_blank(*slot).is_ok_and(|blank| blank)
        });
        let Some((blank, _)) = blank else {
            let said = "no blank token is plugged in";
            return Err(failure(&attempted, said, TokenFault::Unsupported));
        };
        self.context
            .init_token(*blank, &so_pin, label)
            .map_err(failed)?;
        let slot = self.renamed(label, &attempted)?;
        self.set_pins(slot, &so_pin, None, &user_pin)
            .map_err(|(_, error)| failed(error))?;
        self.described(label, &attempted)
    }

    /// The order keeps whoever has the present and the new SO PIN in control: erased with the present one, then that one changed, then the user's set. Cut
    /// short anywhere, the same call works again, with the new SO PIN as the present one if that step was reached. Two PINs are never tried in turn: a
    /// wrong one costs a try.
    pub(super) fn erase(
        &mut self,
        token: &TokenId,
        reset: &Reset,
    ) -> Result<TokenInfo, TokenError> {
        let attempted = format!("erase token {}", token.serial);
        check_label(&reset.label, &attempted)?;
        let secret = |kind: Credential| {
            let said = "a new SO PIN and a new user PIN are needed";
            reset
                .new_secret(kind)
                .ok_or_else(|| failure(&attempted, said, TokenFault::Unsupported))
                .and_then(|secret| text_pin(secret, &attempted))
        };
        let (new_so, user) = (secret(Credential::So)?, secret(Credential::User)?);
        let failed = |error: Error| errors::failed(&attempted, &error);

        let slot = self.slot_of(token, &attempted)?;
        let info = self.info(slot).map_err(failed)?;
        let is_blank = self.is_blank(slot).map_err(failed)?;
        let quirks = self.quirks_of(&info.identity);
        if let Some(way) = quirks
            .initialised_by
            .or(quirks.erased_by.filter(|_| !is_blank))
        {
            let said = format!("such a token is not reset through its module: {way}");
            return Err(failure(&attempted, said, TokenFault::Unsupported));
        }
        let others = self.slots().map_err(failed)?;
        if others
            .iter()
            .any(|(_, other)| other.id != *token && other.id.label == reset.label)
        {
            return Err(failure(&attempted, LABEL_TAKEN, TokenFault::Exists));
        }
        // A blank token takes the SO PIN that it is given; another wants to see its own.
        let old_so = match (&reset.old_so, is_blank) {
            (_, true) => None,
            (Some(old), false) => Some(text_pin(old, &attempted)?),
            (None, false) => {
                let said = "the token is initialised and wants its present SO PIN";
                return Err(failure(&attempted, said, TokenFault::Unsupported));
            }
        };
        // PKCS#11 2.40, 5.5: C_InitToken fails while a session is open.
        self.end(token);
        self.context
            .init_token(slot, old_so.as_ref().unwrap_or(&new_so), &reset.label)
            .map_err(|error| match error {
                Error::Pkcs11(RvError::PinIncorrect, _) => {
                    failure(&attempted, WRONG_SO, TokenFault::PinIncorrect)
                }
                error => failed(error),
            })?;
        let slot = self.renamed(&reset.label, &attempted)?;
        let so_pin = old_so.as_ref().unwrap_or(&new_so);
        let change = old_so.as_ref().map(|_| &new_so);
        self.set_pins(slot, so_pin, change, &user)
            .map_err(|(step, error)| {
                let attempted = format!("{step} of token {}, which is erased", token.serial);
                errors::failed(&attempted, &error)
            })?;
        self.described(&reset.label, &attempted)
    }

    fn is_blank(&self, slot: Slot) -> Result<bool, Error> {
        let info = self.context.get_token_info(slot)?;
        Ok(!info.token_initialized())
    }

    /// The slot of a token that was just initialised: it may be another one now. Its label was given to no other.
    fn renamed(&mut self, label: &str, attempted: &str) -> Result<Slot, TokenError> {
        self.labelled(label, attempted).map(|(slot, _)| slot)
    }

    fn described(&mut self, label: &str, attempted: &str) -> Result<TokenInfo, TokenError> {
        let (_, info) = self.labelled(label, attempted)?;
        self.seen.insert(info.id.clone());
        Ok(info)
    }

    fn labelled(&mut self, label: &str, attempted: &str) -> Result<(Slot, TokenInfo), TokenError> {
        let slots = self.slots();
        let slots = slots.map_err(|error| errors::failed(attempted, &error))?;
        let mut found = slots.into_iter().filter(|(_, info)| info.id.label == label);
        found.next().ok_or_else(|| {
            let said = "the token cannot be found again under its new label";
            failure(attempted, said, TokenFault::Removed)
        })
    }

    /// As SO: changes the SO PIN if `new_so` says so, then sets the user PIN. An error says at which step, and what holds then.
    fn set_pins(
        &self,
        slot: Slot,
        so_pin: &AuthPin,
        new_so: Option<&AuthPin>,
        user_pin: &AuthPin,
    ) -> Result<(), (&'static str, Error)> {
        let before = "log in as SO with the present SO PIN";
        let session = self
            .context
            .open_rw_session(slot)
            .map_err(|error| (before, error))?;
        let logged_in = session.login(UserType::So, Some(so_pin));
        logged_in.map_err(|error| (before, error))?;
        if let Some(new_so) = new_so.filter(|new_so| !same(new_so, so_pin)) {
            let changed = session.set_pin(so_pin, new_so);
            changed.map_err(|error| {
                let step =
                    "change the SO PIN (whether it is the present or the new one is to be tried)";
                (step, error)
            })?;
        }
        let set = session.init_pin(user_pin);
        set.map_err(|error| ("set the user PIN (the SO PIN is the new one)", error))?;
        let out = session.logout();
        out.map_err(|error| ("log out as SO (both PINs are set)", error))
    }
}

const LABEL_TAKEN: &str = "a token with this label is there already";

fn check_label(label: &str, attempted: &str) -> Result<(), TokenError> {
    if label.is_empty() || label.len() > LABEL || label.ends_with(' ') {
        let said = "a token's label has 1 to 32 bytes and no space at its end";
        return Err(failure(attempted, said, TokenFault::Unsupported));
    }
    Ok(())
}

fn same(one: &AuthPin, other: &AuthPin) -> bool {
    use secrecy::ExposeSecret as _;
    one.expose_secret() == other.expose_secret()
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
