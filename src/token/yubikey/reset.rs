//! Erasing the PIV application and giving it new secrets.
//!
//! A card is erased by whoever holds it: PIN and PUK are blocked by wrong tries, then it obeys RESET. So every state in between can be reset again, and
//! no secret on the way is one that nobody knows: the maker's, or a new one that was in its envelope before.

use yubikey::{Error, MgmKey, YubiKey};

use super::errors::{self, guarded};
use super::{management, pin};
use crate::ceremony::event::Credential;
use crate::ceremony::port::{Reset, TokenError, TokenFault};
use crate::secret::Secret;
use crate::token::failure;

const FACTORY_PIN: &[u8] = b"123456";
const FACTORY_PUK: &[u8] = b"12345678";

/// More tries than a counter of one byte has.
const TRIES: usize = 300;

/// What a card is given, in the form in which it takes it.
pub(super) struct New<'a> {
    pin: &'a Secret,
    puk: &'a Secret,
    management: MgmKey,
}

impl<'a> New<'a> {
    /// Looked at before anything is erased.
    pub(super) fn of(
        reset: &'a Reset,
        card: &YubiKey,
        attempted: &str,
    ) -> Result<Self, TokenError> {
        let refuse = |said: &str| failure(attempted, said, TokenFault::Unsupported);
        let secret = |kind: Credential| {
            reset
                .new_secret(kind)
                .ok_or_else(|| refuse(&format!("no new {} was given", kind.name())))
        };
        let (pin, puk) = (secret(Credential::User)?, secret(Credential::Puk)?);
        if !pin::fits(pin) || !pin::fits(puk) {
            return Err(refuse(
                "this token's PIN and PUK have 6 to 8 characters; nothing was erased",
            ));
        }
        let makers = |secret: &Secret, makers| secret.expose(|bytes| bytes == makers);
        if makers(pin, FACTORY_PIN) || makers(puk, FACTORY_PUK) {
            return Err(refuse(
                "the new PIN or PUK is the maker's; nothing was erased",
            ));
        }
        let management = secret(Credential::Mgmt)?;
        let management = management::parsed(management, management::new_algorithm(card))
            .ok_or_else(|| {
                refuse("this token's management key has 48 hexadecimal digits; nothing was erased")
            })?;
        Ok(Self {
            pin,
            puk,
            management,
        })
    }
}

/// Erases all keys and certificates but the maker's attestation key.
pub(super) fn erase(card: &mut YubiKey, attempted: &str) -> Result<(), TokenError> {
    let failed = |error: Error| errors::failed(attempted, &error);
    exhaust(|wrong| card.verify_pin(wrong)).map_err(failed)?;
    exhaust(|wrong| card.unblock_pin(wrong, wrong)).map_err(failed)?;
    guarded(|| card.reset_device()).map_err(failed)
}

/// Sets the secrets of an erased card. The management key is kept behind the PIN, so that making keys later takes the PIN alone.
pub(super) fn provision(
    card: &mut YubiKey,
    new: &New<'_>,
    attempted: &str,
) -> Result<(), TokenError> {
    let step = |what: &str, done: Result<(), Error>| {
        done.map_err(|error| {
            let failed = errors::failed(attempted, &error);
            let said = format!(
                "{}; the token is erased, and its {what} was not set: reset it again",
                failed.said
            );
            TokenError { said, ..failed }
        })
    };
    let makers = guarded(|| MgmKey::get_default(card));
    step(
        "management key",
        makers
            .and_then(|makers| guarded(|| card.authenticate(&makers)))
            .and_then(|()| guarded(|| new.management.set_protected(card))),
    )?;
    step(
        "PUK",
        guarded(|| new.puk.expose(|puk| card.change_puk(FACTORY_PUK, puk))),
    )?;
    step(
        "PIN",
        guarded(|| new.pin.expose(|pin| card.change_pin(FACTORY_PIN, pin))),
    )
}

/// Uses up a counter with wrong secrets. Each try is another number, in case one is right.
fn exhaust(mut attempt: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
    for number in 0..TRIES {
        let wrong = format!("{:08}", 70_000_000 + number);
        match guarded(|| attempt(wrong.as_bytes())) {
            Err(Error::PinLocked | Error::WrongPin { tries: 0 }) => return Ok(()),
            Ok(()) | Err(Error::WrongPin { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::GenericError)
}

#[cfg(test)]
mod tests {
    use yubikey::Error;

    use super::exhaust;

    #[test]
    fn counter_is_used_up_and_a_right_guess_does_not_end_it() {
        let mut answers = vec![
            Err(Error::WrongPin { tries: 0 }),
            Err(Error::WrongPin { tries: 1 }),
            Ok(()),
            Err(Error::WrongPin { tries: 2 }),
        ];
        let mut tried = Vec::new();
        let exhausted = exhaust(|wrong| {
            tried.push(wrong.to_vec());
            answers.pop().unwrap_or(Ok(()))
        });
        assert_eq!((exhausted, tried.len()), (Ok(()), 4));
        tried.dedup();
        assert_eq!(tried.len(), 4);
    }

    #[test]
    fn card_that_goes_away_or_never_blocks_ends_it() {
        let gone = Error::PcscError {
            inner: Some(pcsc::Error::RemovedCard),
        };
        assert_eq!(exhaust(|_| Err(gone)), Err(gone));
        assert_eq!(exhaust(|_| Ok(())), Err(Error::GenericError));
    }
}
