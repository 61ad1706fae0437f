//! What is typed before it goes to a card: a PIN of a wrong form is not sent, so it costs no try.

use crate::ceremony::port::{TokenError, TokenFault};
use crate::secret::Secret;
use crate::token::failure;

/// Bytes of a PIN or PUK (SP 800-73-4, part 2, 2.4.3: 6 to 8).
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=8;

/// The alphabet of one-time passwords: the letters that keyboards everywhere have in one place.
const MODHEX: &[u8] = b"cbdefghijklnrtuv";
/// The shortest that a touch types; 44 is usual.
const PASSWORD: usize = 32;

/// Refuses what no PIV card takes.
pub(super) fn check(pin: &Secret, attempted: &str) -> Result<(), TokenError> {
    if pin.is_empty() {
        let said = "an empty PIN was given, and the token has no keys to type one on";
        return Err(failure(attempted, said, TokenFault::Unsupported));
    }
    if is_one_time_password(pin) {
        let said = "a YubiKey was touched by accident and typed a one-time password where the PIN belongs; no try was used";
        return Err(failure(attempted, said, TokenFault::Other));
    }
    if !fits(pin) {
        let said = "the PIN is wrong: this token's PINs have 6 to 8 characters; no try was used";
        return Err(failure(attempted, said, TokenFault::PinIncorrect));
    }
    Ok(())
}

/// Whether it has the length of a PIN or PUK.
pub(super) fn fits(secret: &Secret) -> bool {
    LENGTHS.contains(&secret.len())
}

fn is_one_time_password(typed: &Secret) -> bool {
    typed.len() >= PASSWORD
        && typed.expose(|bytes| {
            let mut letters = bytes.iter().map(u8::to_ascii_lowercase);
            letters.all(|letter| MODHEX.contains(&letter))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_what_may_be_a_pin_goes_to_the_card() {
        for (typed, fault) in [
            ("123456", None),
            ("12345678", None),
            ("", Some(TokenFault::Unsupported)),
            ("12345", Some(TokenFault::PinIncorrect)),
            ("123456789", Some(TokenFault::PinIncorrect)),
            ("cccccc", None),
            (
                "cccccckdvvulgjvtkjdhtlrbjjctggdihuevikehtlil",
                Some(TokenFault::Other),
            ),
            (
                "CCCCCCKDVVULGJVTKJDHTLRBJJCTGGDIHUEVIKEHTLIL",
                Some(TokenFault::Other),
            ),
            (
                "xccccckdvvulgjvtkjdhtlrbjjctggdihuevikehtlil",
                Some(TokenFault::PinIncorrect),
            ),
        ] {
            let secret = Secret::take(&mut typed.as_bytes().to_vec()).unwrap();
            let refused = check(&secret, "log in").err().map(|error| error.fault);
            assert_eq!(refused, fault, "{typed}");
        }
    }
}
