//! New keys: in the first free slot, with PIN and touch for each signature, and only on a card that has no secret of its maker any more.

use yubikey::piv::{self, AlgorithmId, SlotId};
use yubikey::{Error, PinPolicy, TouchPolicy, YubiKey};

use super::errors::{failed, guarded};
use super::session::Session;
use super::{labels, management, slots};
use crate::ceremony::port::{TokenError, TokenFault, TokenKey};
use crate::token::failure;
use crate::tuf::key::{Algorithm, PublicKey};

/// A card with a maker's secret is nobody's.
pub(super) fn refuse_factory(card: &mut YubiKey, attempted: &str) -> Result<(), TokenError> {
    let factory = management::factory(card).map_err(|error| failed(attempted, &error))?;
    let names: Vec<&str> = factory.iter().map(|one| one.name()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let said = format!(
        "the token still has the maker's {}, which everybody knows; no key is made on it before it is provisioned",
        names.join(" and ")
    );
    Err(failure(attempted, said, TokenFault::Unsupported))
}

/// A new key in the first free slot, named.
pub(super) fn generate(
    session: &mut Session,
    label: &str,
    algorithm: Algorithm,
    attempted: &str,
) -> Result<TokenKey, TokenError> {
    let refuse = |said: String, fault| Err(failure(attempted, said, fault));
    let version = session.card.version();
    let keys = &session.slots.keys;
    if keys.iter().any(|key| key.label == label) {
        let said = "a key with this label is there already".to_owned();
        return refuse(said, TokenFault::Exists);
    }
    if label.is_empty() || label.encode_utf16().count() > labels::LONGEST {
        let said = format!("a key's label has 1 to {} characters", labels::LONGEST);
        return refuse(said, TokenFault::Unsupported);
    }
    let Some(id) = new_algorithm(algorithm, &session.card) else {
        let said = format!(
            "firmware {version} has no keys of this type, which came with 5.7; or it is older than 5.3 and does not say which slots are free"
        );
        return refuse(said, TokenFault::Unsupported);
    };
    let Some(slot) = slots::for_new_keys().find(|slot| session.slots.free.contains(slot)) else {
        let said = "the slots 9c and 82 to 95 all hold keys, and none is overwritten".to_owned();
        return refuse(said, TokenFault::Exists);
    };
    let slot = SlotId::try_from(slot).map_err(|error| failed(attempted, &error))?;
    refuse_factory(&mut session.card, attempted)?;
    if !session.authorised {
        management::by_pin(&mut session.card, attempted)?;
        session.authorised = true;
    }
    made(session, label, slot, id, attempted)
}

fn made(
    session: &mut Session,
    label: &str,
    slot: SlotId,
    id: AlgorithmId,
    attempted: &str,
) -> Result<TokenKey, TokenError> {
    let card = &mut session.card;
    let made = guarded(|| piv::generate(card, slot, id, PinPolicy::Always, TouchPolicy::Always));
    let made = made.map_err(|error| match error {
        Error::AuthenticationError => {
            session.authorised = false;
            let said = "the token wants its management key (again)";
            failure(attempted, said, TokenFault::NotAuthorised)
        }
        error => failed(attempted, &error),
    })?;
    let there = |error: Error| {
        let failed = failed(attempted, &error);
        let said = format!(
            "{}; a key was made in slot {:02x}",
            failed.said,
            u8::from(slot)
        );
        TokenError { said, ..failed }
    };
    let made = spki_of(&made).ok_or(Error::ParseError).map_err(there)?;
    let named = labels::write(card, slot, label, &made);
    session.slots = slots::read(card).map_err(there)?;
    named.map_err(there)?;
    let mut keys = session.slots.keys.iter();
    // What the card answered and what it says of the slot afterwards must be one key.
    keys.find(|key| key.id == [u8::from(slot)] && key.public == made)
        .cloned()
        .ok_or_else(|| there(Error::KeyError))
}

fn spki_of(made: &x509_cert::spki::SubjectPublicKeyInfoOwned) -> Option<PublicKey> {
    use x509_cert::der::Encode as _;
    PublicKey::from_spki_der(&made.to_der().ok()?).ok()
}

/// What a key is made as; none where the firmware has no such keys.
fn new_algorithm(algorithm: Algorithm, card: &YubiKey) -> Option<AlgorithmId> {
    let version = card.version();
    if !slots::has_metadata(version) {
        return None;
    }
    match algorithm {
        Algorithm::EcdsaP256 => Some(AlgorithmId::EccP256),
        Algorithm::EcdsaP384 => Some(AlgorithmId::EccP384),
        Algorithm::Ed25519 if slots::is_5_7(version) => Some(AlgorithmId::Ed25519),
        Algorithm::RsaPss if slots::is_5_7(version) => Some(AlgorithmId::Rsa3072),
        Algorithm::RsaPss => Some(AlgorithmId::Rsa2048),
        Algorithm::Ed25519 => None,
    }
}
