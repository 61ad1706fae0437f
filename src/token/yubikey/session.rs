//! A connection with one card after its PIN was taken. The maker's rule for keys with the PIN policy "always" is that the PIN comes right before the
//! signature; so all that has to be read is read before the login, and nothing is sent between it and the signature.

use std::time::{Duration, Instant};

use p256::ecdsa::Signature as P256Signature;
use p384::ecdsa::Signature as P384Signature;
use yubikey::piv::{self, ManagementSlotId, SlotId};
use yubikey::{Error, YubiKey};

use super::errors::{self, guarded};
use super::slots::{self, Slots};
use crate::ceremony::port::{PinPolicy, TokenError, TokenFault, TokenKey, TouchPolicy};
use crate::ceremony::prompt::Tries;
use crate::secret::Secret;
use crate::token::failure;
use crate::tuf::key::{Algorithm, Message, PublicKey};

/// A card refuses for want of a PIN at once, and for want of a touch after 15 seconds, with one and the same code (6982).
const AT_ONCE: Duration = Duration::from_secs(4);

pub(super) struct Session {
    pub(super) card: YubiKey,
    pub(super) slots: Slots,
    /// Read before the login, for firmware that does not say it afterwards. A login puts the counter back, so there are at least as many.
    pub(super) tries: Tries,
    /// No signature was asked for since the PIN was taken.
    pub(super) fresh: bool,
    /// The management key was given.
    pub(super) authorised: bool,
}

impl Session {
    /// The key that has this id or label and this public half.
    pub(super) fn find(&self, key: &TokenKey) -> Option<&TokenKey> {
        self.slots.keys.iter().find(|known| {
            (known.id == key.id || known.label == key.label) && known.public == key.public
        })
    }

    /// One signing command.
    pub(super) fn sign(
        &mut self,
        key: &TokenKey,
        message: &Message<'_>,
        attempted: &str,
    ) -> Result<Vec<u8>, TokenError> {
        let Some((id, input)) = request(&key.public, message) else {
            let said = "the token has no keys of this size";
            return Err(failure(attempted, said, TokenFault::Unsupported));
        };
        let slot = slot_of(key).map_err(|error| errors::failed(attempted, &error))?;
        if key.usage.pin == PinPolicy::Always && !self.fresh {
            let said = "this key wants its PIN for each signature";
            return Err(failure(attempted, said, TokenFault::NotLoggedIn));
        }
        if !self.fresh {
            // Where the PIN need not come right before, the card shows again that it has this key.
            self.check_key(key, slot, attempted)?;
        }
        self.fresh = false;
        let began = Instant::now();
        let signature = guarded(|| piv::sign_data(&mut self.card, &input, id, slot));
        let signature = signature.map_err(|error| match error {
            Error::AuthenticationError
                if began.elapsed() > AT_ONCE && key.usage.touch != TouchPolicy::Never =>
            {
                let said = "nobody touched the token while it blinked (15 seconds); nothing was signed, and the PIN is not to blame";
                failure(attempted, said, TokenFault::TouchMissed)
            }
            error => errors::sign_failed(attempted, &error),
        })?;
        tuf_form(message.algorithm(), &signature).ok_or_else(|| TokenError {
            may_have_signed: true,
            ..failure(
                attempted,
                "what the token gave is no signature",
                TokenFault::Other,
            )
        })
    }

    fn check_key(
        &mut self,
        key: &TokenKey,
        slot: SlotId,
        attempted: &str,
    ) -> Result<(), TokenError> {
        if !slots::has_metadata(self.card.version()) {
            return Ok(());
        }
        let now = slots::key(&mut self.card, u8::from(slot))
            .map_err(|error| errors::failed(attempted, &error))?;
        if now.is_some_and(|now| now.public == key.public) {
            return Ok(());
        }
        let said = "the key is no longer in its slot";
        Err(failure(attempted, said, TokenFault::KeyAbsent))
    }
}

/// Reads what is there and gives the PIN: one try.
pub(super) fn log_in(
    card: &mut YubiKey,
    pin: &Secret,
    attempted: &str,
) -> Result<(Slots, Tries), TokenError> {
    let failed = |error: Error| errors::failed(attempted, &error);
    let slots = slots::read(card).map_err(failed)?;
    let tries = tries(card).map_err(failed)?;
    if tries == Tries::Locked {
        let said = "the PIN is locked after too many wrong ones; no try was used";
        return Err(failure(attempted, said, TokenFault::PinLocked));
    }
    let verified = guarded(|| pin.expose(|pin| card.verify_pin(pin)));
    verified.map_err(|error| match error {
        Error::WrongPin { .. } => failure(attempted, "the PIN is wrong", TokenFault::PinIncorrect),
        error => failed(error),
    })?;
    Ok((slots, tries))
}

/// How many tries of its PIN a card has left. On older firmware the question ends a login.
pub(super) fn tries(card: &mut YubiKey) -> Result<Tries, Error> {
    let left = if slots::has_metadata(card.version()) {
        let pin = SlotId::Management(ManagementSlotId::Pin);
        let retries = guarded(|| piv::metadata(card, pin))?.retries;
        retries.map(|retries| retries.remaining_count)
    } else {
        Some(guarded(|| card.get_pin_retries())?)
    };
    Ok(match left {
        Some(0) => Tries::Locked,
        Some(left) => Tries::Left(left),
        None => Tries::Unknown,
    })
}

/// The slot that is a key's id.
pub(super) fn slot_of(key: &TokenKey) -> Result<SlotId, Error> {
    match key.id.as_slice() {
        [slot] => SlotId::try_from(*slot),
        _ => Err(Error::InvalidObject),
    }
}

/// What is sent to be signed: the digest for ECDSA, the padded digest for RSA, the message itself for Ed25519 (RFC 8032 wants all of it twice).
fn request(public: &PublicKey, message: &Message<'_>) -> Option<(piv::AlgorithmId, Vec<u8>)> {
    let input = match (message.algorithm(), public) {
        (Algorithm::RsaPss, PublicKey::Rsa(spki)) => {
            super::pss::encoded(message.bytes(), super::pss::modulus_bytes(spki)?)?
        }
        (Algorithm::RsaPss, _) => return None,
        _ => message.bytes().to_vec(),
    };
    Some((slots::algorithm_of(public)?, input))
}

/// A signature in TUF's form, which is the card's own: 64 bytes for Ed25519, DER for ECDSA, raw for RSA. None where it has not that form.
fn tuf_form(algorithm: Algorithm, signature: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Ed25519 => (signature.len() == 64).then(|| signature.to_vec()),
        Algorithm::EcdsaP256 => {
            let signature = P256Signature::from_der(signature).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        Algorithm::EcdsaP384 => {
            let signature = P384Signature::from_der(signature).ok()?;
            Some(signature.to_der().as_bytes().to_vec())
        }
        Algorithm::RsaPss => (signature.len() >= 256).then(|| signature.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::{request, tuf_form};
    use crate::tuf::key::Algorithm::{EcdsaP256, EcdsaP384, Ed25519, RsaPss};
    use crate::tuf::key::{Message, PublicKey};

    #[test]
    fn message_goes_whole_for_ed25519_and_as_a_digest_for_ecdsa() {
        let sent = |public, algorithm| {
            request(&public, &Message::of(algorithm, b"message")).map(|sent| sent.1)
        };
        let ed25519 = sent(PublicKey::Ed25519([1; 32]), Ed25519);
        assert_eq!(ed25519.as_deref(), Some(&b"message"[..]));
        let p256 = sent(PublicKey::P256(Vec::new()), EcdsaP256);
        assert_eq!(p256.map(|sent| sent.len()), Some(32));
        let p384 = sent(PublicKey::P384(Vec::new()), EcdsaP384);
        assert_eq!(p384.map(|sent| sent.len()), Some(48));
    }

    #[test]
    fn what_has_not_the_form_of_a_signature_is_none() {
        assert_eq!(tuf_form(Ed25519, &[0; 63]), None);
        assert_eq!(tuf_form(Ed25519, &[0; 64]), Some(vec![0; 64]));
        assert_eq!(tuf_form(EcdsaP256, &[0; 64]), None);
        assert_eq!(
            tuf_form(EcdsaP384, b"\x30\x06\x02\x01\x00\x02\x01\x01"),
            None
        );
        let smallest = b"\x30\x06\x02\x01\x01\x02\x01\x01";
        assert_eq!(tuf_form(EcdsaP384, smallest), Some(smallest.to_vec()));
        assert_eq!(tuf_form(RsaPss, &[0; 70]), None);
    }
}
