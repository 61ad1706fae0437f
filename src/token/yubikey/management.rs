//! The management key, with which a card lets keys be made. Where it is kept on the card behind the PIN (in the object `PRINTED`, as Yubico's programs
//! do it) the PIN is enough; else the holder gives it.

use data_encoding::HEXLOWER_PERMISSIVE;
use yubikey::piv::{self, ManagementSlotId, SlotAlgorithmId, SlotId};
use yubikey::{Error, MgmAlgorithmId, MgmKey, YubiKey};
use zeroize::Zeroizing;

use super::errors::{self, guarded, is_lost};
use super::slots;
use crate::ceremony::event::Credential;
use crate::ceremony::port::{TokenError, TokenFault};
use crate::secret::Secret;
use crate::token::failure;

/// The order in which a card's secrets are set: the PIN last, so that one that is not finished still has the maker's PIN and is refused.
pub(super) const CREDENTIALS: [Credential; 3] =
    [Credential::Mgmt, Credential::Puk, Credential::User];

/// Those that the card says have the maker's value. Older firmware does not say, and it is not tried: a try costs one.
pub(super) fn factory(card: &mut YubiKey) -> Result<Vec<Credential>, Error> {
    let mut factory = Vec::new();
    if !slots::has_metadata(card.version()) {
        return Ok(factory);
    }
    for credential in CREDENTIALS {
        let slot = match credential {
            Credential::Mgmt => ManagementSlotId::Management,
            Credential::Puk => ManagementSlotId::Puk,
            Credential::User | Credential::So => ManagementSlotId::Pin,
        };
        match guarded(|| piv::metadata(card, SlotId::Management(slot))) {
            Ok(metadata) if metadata.default == Some(true) => factory.push(credential),
            Err(error) if is_lost(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(factory)
}

/// Authorises with the key that lies behind the PIN, which must have been verified.
pub(super) fn by_pin(card: &mut YubiKey, attempted: &str) -> Result<(), TokenError> {
    let authorised =
        guarded(|| MgmKey::get_protected(card)).and_then(|key| guarded(|| card.authenticate(&key)));
    authorised.map_err(|error| match error {
        error if is_lost(&error) => errors::failed(attempted, &error),
        _ => {
            let said = "the token wants its management key, which does not lie behind its PIN";
            failure(attempted, said, TokenFault::NotAuthorised)
        }
    })
}

/// Authorises with a key that a person gave, in hexadecimal.
pub(super) fn by_hand(
    card: &mut YubiKey,
    given: &Secret,
    attempted: &str,
) -> Result<(), TokenError> {
    let Some(key) = parsed(given, algorithm(card)) else {
        let said = "the management key is wrong: it has 48 hexadecimal digits (with AES-128 32, with AES-256 64)";
        return Err(failure(attempted, said, TokenFault::PinIncorrect));
    };
    guarded(|| card.authenticate(&key)).map_err(|error| match error {
        Error::AuthenticationError => {
            let said = "the management key is wrong";
            failure(attempted, said, TokenFault::PinIncorrect)
        }
        error => errors::failed(attempted, &error),
    })
}

/// The key for a card of this algorithm. None: that is not its form.
pub(super) fn parsed(hexadecimal: &Secret, algorithm: MgmAlgorithmId) -> Option<MgmKey> {
    let bytes = hexadecimal
        .expose(|text| HEXLOWER_PERMISSIVE.decode(text))
        .map(Zeroizing::new)
        .ok()?;
    MgmKey::from_bytes(bytes.as_slice(), Some(algorithm)).ok()
}

/// What its management key is for.
fn algorithm(card: &mut YubiKey) -> MgmAlgorithmId {
    let slot = SlotId::Management(ManagementSlotId::Management);
    match guarded(|| piv::metadata(card, slot)).map(|metadata| metadata.algorithm) {
        Ok(SlotAlgorithmId::Management(algorithm)) => algorithm,
        // Before GET METADATA there was no other.
        _ => MgmAlgorithmId::ThreeDes,
    }
}

/// The algorithm of the key that a card is given: what its firmware has from the factory.
pub(super) fn new_algorithm(card: &YubiKey) -> MgmAlgorithmId {
    if slots::is_5_7(card.version()) {
        MgmAlgorithmId::Aes192
    } else {
        MgmAlgorithmId::ThreeDes
    }
}
