//! New secrets of tokens, from the kernel's random numbers: each character is drawn alone, and a draw that would favour some characters is thrown
//! away (a table for dice that did not was printed and used in a ceremony of 2020).

use crate::ceremony::event::Credential;
use crate::ceremony::port::{TokenError, TokenFault};
use crate::secret::Secret;

use super::failure;

/// Letters and digits that cannot be taken for one another in handwriting: no 0 O, 1 l I, 5 S, 2 Z, 8 B.
const LETTERS: &[u8] = b"acdefghjkmnpqrtuvwxyz34679";
/// Decimal digits: what PIN pads and PIV cards all take.
const DIGITS: &[u8] = b"0123456789";
/// Hexadecimal digits.
const HEX: &[u8] = b"0123456789abcdef";

/// A new secret: 8 digits for a PIN or PUK of a PIV card's length (26 bits behind a counter of a few tries), 16 letters for an SO PIN (75 bits: its
/// counter is not always there), 48 hexadecimal digits for a management key (AES-192, or 3DES, which has as many bytes).
///
/// # Errors
/// No locked memory, no randomness.
pub fn fresh(kind: Credential) -> Result<Secret, TokenError> {
    let (alphabet, length) = match kind {
        Credential::User | Credential::Puk => (DIGITS, 8),
        Credential::So => (LETTERS, 16),
        Credential::Mgmt => (HEX, 48),
    };
    let attempted = format!("make a new {}", kind.name());
    let failed = |said: String| failure(&attempted, said, TokenFault::Other);
    let mut secret = Secret::new().map_err(|fault| failed(fault.to_string()))?;
    for _ in 0..length {
        let mut drawn = drawn(alphabet).map_err(&failed)?;
        let pushed = secret.push(drawn);
        zeroize::Zeroize::zeroize(&mut drawn);
        pushed.map_err(|fault| failed(fault.to_string()))?;
    }
    Ok(secret)
}

/// 32 random bytes that are no secret.
///
/// # Errors
/// No randomness.
pub fn nonce() -> Result<[u8; 32], TokenError> {
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(|fault| {
        let said = format!("this machine gives no random numbers ({fault})");
        failure("make a nonce", said, TokenFault::Other)
    })?;
    Ok(nonce)
}

/// One character, each as likely as any other.
fn drawn(alphabet: &[u8]) -> Result<u8, String> {
    let length = u8::try_from(alphabet.len()).map_err(|fault| fault.to_string())?;
    loop {
        let mut byte = [0];
        getrandom::fill(&mut byte)
            .map_err(|fault| format!("this machine gives no random numbers ({fault})"))?;
        if let Some(index) = unbiased(byte[0], length) {
            return Ok(alphabet[usize::from(index)]);
        }
    }
}

/// A byte as a number below `length`; none where the byte is beyond the last whole multiple of it.
fn unbiased(byte: u8, length: u8) -> Option<u8> {
    let whole = u8::MAX - (u8::MAX % length + 1) % length;
    (byte <= whole).then_some(byte % length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_character_is_drawn_from_as_many_bytes() {
        for alphabet in [LETTERS, DIGITS, HEX] {
            let length = u8::try_from(alphabet.len()).unwrap();
            let mut counts = vec![0; alphabet.len()];
            for byte in 0..=u8::MAX {
                if let Some(index) = unbiased(byte, length) {
                    counts[usize::from(index)] += 1;
                }
            }
            assert!(counts.iter().all(|count| *count == 256 / i32::from(length)));
        }
    }

    #[test]
    fn secrets_have_their_kinds_form_and_are_not_repeated() {
        for (kind, length, alphabet) in [
            (Credential::User, 8, DIGITS),
            (Credential::Puk, 8, DIGITS),
            (Credential::So, 16, LETTERS),
            (Credential::Mgmt, 48, HEX),
        ] {
            let one = fresh(kind).unwrap().expose(<[u8]>::to_vec);
            assert_eq!(one.len(), length);
            assert!(one.iter().all(|byte| alphabet.contains(byte)));
            assert_ne!(one, fresh(kind).unwrap().expose(<[u8]>::to_vec));
        }
    }
}
