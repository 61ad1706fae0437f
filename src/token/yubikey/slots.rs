//! The keys in a card's slots: from GET METADATA (firmware 5.3 and later), else from an attestation, else from the certificate that lies beside the key.

use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};
use yubikey::piv::{self, AlgorithmId, Origin, SlotAlgorithmId, SlotId, SlotMetadata};
use yubikey::{Error, Version, YubiKey};

use super::errors::{guarded, is_lost};
use super::{labels, objects};
use crate::ceremony::event::Custody;
use crate::ceremony::port::{PinPolicy, TokenKey, TouchPolicy, Usage};
use crate::tuf::key::{Algorithm, PublicKey};

/// The longest message for Ed25519: it goes to the card whole, and the crate's buffer of 1024 bytes holds its 10 bytes of tags too.
pub(super) const LONGEST: usize = 1014;

/// Where new keys go, the first free one: 9c is for signatures (SP 800-73-4), the retired slots hold further ones. 9a, 9d and 9e have other purposes,
/// and other programs fill them.
pub(super) fn for_new_keys() -> impl Iterator<Item = u8> {
    std::iter::once(0x9c).chain(0x82..=0x95)
}

/// Yubico's extension with the policies of an attested key: two bytes, PIN and touch.
const POLICIES: &str = "1.3.6.1.4.1.41482.3.8";

/// What the slots hold.
pub(super) struct Slots {
    /// Keys of types that we use.
    pub(super) keys: Vec<TokenKey>,
    /// Slots that the card says are empty.
    pub(super) free: Vec<u8>,
}

/// Whether the firmware tells of a slot whether it is empty, how its key is used, and which secrets still are the maker's.
pub(super) fn has_metadata(version: Version) -> bool {
    (version.major, version.minor) >= (5, 3)
}

/// Whether the firmware has Ed25519, RSA beyond 2048 bits, and AES for its management key from the factory on.
pub(super) fn is_5_7(version: Version) -> bool {
    (version.major, version.minor) >= (5, 7)
}

/// Reads all slots. Only a lost connection is an error: a slot that cannot be read holds no key of ours, and is not free.
pub(super) fn read(card: &mut YubiKey) -> Result<Slots, Error> {
    let named = labels::read(card)?;
    let mut slots = Slots {
        keys: Vec::new(),
        free: Vec::new(),
    };
    for slot in [0x9a, 0x9c, 0x9d, 0x9e].into_iter().chain(0x82..=0x95) {
        match content(card, slot)? {
            Content::Key(mut key) => {
                if let Some(label) = labels::find(&named, slot, &key.public) {
                    key.label = label;
                }
                slots.keys.push(*key);
            }
            Content::Empty => slots.free.push(slot),
            Content::Unknown => {}
        }
    }
    Ok(slots)
}

enum Content {
    Key(Box<TokenKey>),
    Empty,
    Unknown,
}

/// The key in a slot, without its name.
pub(super) fn key(card: &mut YubiKey, slot: u8) -> Result<Option<TokenKey>, Error> {
    Ok(match content(card, slot)? {
        Content::Key(key) => Some(*key),
        Content::Empty | Content::Unknown => None,
    })
}

fn content(card: &mut YubiKey, slot: u8) -> Result<Content, Error> {
    let id = SlotId::try_from(slot)?;
    if has_metadata(card.version()) {
        match guarded(|| piv::metadata(card, id)) {
            Ok(metadata) => {
                if let Some(key) = of_metadata(slot, &metadata) {
                    return Ok(Content::Key(Box::new(key)));
                }
                if matches!(metadata.algorithm, SlotAlgorithmId::Asymmetric(_)) {
                    return Ok(Content::Unknown);
                }
            }
            Err(Error::NotFound) => return Ok(Content::Empty),
            Err(error) if is_lost(&error) => return Err(error),
            // Policies of the Bio series, which the crate does not know: the attestation tells more.
            Err(_) => {}
        }
    }
    let key = match attested(card, slot)? {
        Some(key) => Some(key),
        None => objects::certificate(card, slot)?.and_then(|der| of_certificate(slot, &der)),
    };
    Ok(key.map_or(Content::Unknown, |key| Content::Key(Box::new(key))))
}

/// The attestation of a key that was made on the card, DER; none for others and for empty slots.
pub(super) fn attestation(card: &mut YubiKey, slot: u8) -> Result<Option<Vec<u8>>, Error> {
    let id = SlotId::try_from(slot)?;
    match guarded(|| piv::attest(card, id)) {
        Ok(der) => Ok(Some(der.to_vec())),
        Err(error) if is_lost(&error) => Err(error),
        Err(_) => Ok(None),
    }
}

fn attested(card: &mut YubiKey, slot: u8) -> Result<Option<TokenKey>, Error> {
    Ok(attestation(card, slot)?
        .and_then(|der| of_certificate(slot, &der))
        // Only keys made on the card are attested.
        .map(|key| TokenKey {
            custody: made(true),
            ..key
        }))
}

fn of_metadata(slot: u8, metadata: &SlotMetadata) -> Option<TokenKey> {
    let der = metadata.public.as_ref()?.to_der().ok()?;
    let (pin, touch) = metadata.policy?;
    Some(TokenKey {
        custody: metadata
            .origin
            .map_or_else(Custody::default, |origin| made(origin == Origin::Generated)),
        ..described(slot, &der, u8::from(pin), u8::from(touch))?
    })
}

fn of_certificate(slot: u8, der: &[u8]) -> Option<TokenKey> {
    let certificate = Certificate::from_der(der).ok()?;
    let certificate = certificate.tbs_certificate();
    let mut extensions = certificate.extensions().into_iter().flatten();
    let policies = extensions
        .find(|extension| extension.extn_id.to_string() == POLICIES)
        .and_then(|extension| <[u8; 2]>::try_from(extension.extn_value.as_bytes()).ok());
    let [pin, touch] = policies.unwrap_or_default();
    let spki = certificate.subject_public_key_info().to_der().ok()?;
    described(slot, &spki, pin, touch)
}

fn described(slot: u8, spki: &[u8], pin: u8, touch: u8) -> Option<TokenKey> {
    let public = PublicKey::from_spki_der(spki).ok()?;
    let algorithm = public.algorithm()?;
    Some(TokenKey {
        id: vec![slot],
        label: format!("{slot:02x}"),
        public,
        custody: Custody::default(),
        usage: Usage {
            pin: pin_policy(slot, pin),
            touch: touch_policy(touch),
            longest: (algorithm == Algorithm::Ed25519).then_some(LONGEST),
        },
    })
}

/// No private key of a PIV card can be read; one that was brought in was readable before.
fn made(on_card: bool) -> Custody {
    Custody {
        always_sensitive: Some(on_card),
        never_extractable: Some(on_card),
        local: Some(on_card),
        wrapped_only: None,
    }
}

/// Yubico's values; 0 and none stand for the slot's own policy.
fn pin_policy(slot: u8, policy: u8) -> PinPolicy {
    match (policy, slot) {
        (1, _) | (0, 0x9e) => PinPolicy::Never,
        (3, _) | (0, 0x9c) => PinPolicy::Always,
        (0 | 2, _) => PinPolicy::Once,
        _ => PinPolicy::Unknown,
    }
}

fn touch_policy(policy: u8) -> TouchPolicy {
    match policy {
        1 => TouchPolicy::Never,
        2 => TouchPolicy::Always,
        3 => TouchPolicy::Cached,
        _ => TouchPolicy::Unknown,
    }
}

/// How the card calls the algorithm of a public key. None: it has no such keys.
pub(super) fn algorithm_of(public: &PublicKey) -> Option<AlgorithmId> {
    match public {
        PublicKey::Ed25519(_) => Some(AlgorithmId::Ed25519),
        PublicKey::P256(_) => Some(AlgorithmId::EccP256),
        PublicKey::P384(_) => Some(AlgorithmId::EccP384),
        PublicKey::Rsa(spki) => match super::pss::modulus_bytes(spki)? {
            256 => Some(AlgorithmId::Rsa2048),
            384 => Some(AlgorithmId::Rsa3072),
            512 => Some(AlgorithmId::Rsa4096),
            _ => None,
        },
        PublicKey::Opaque(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{for_new_keys, pin_policy, touch_policy};
    use crate::ceremony::port::{PinPolicy, TouchPolicy};

    #[test]
    fn policy_that_is_left_to_the_slot_is_the_slots() {
        for (slot, policy, expected) in [
            (0x9c, 0, PinPolicy::Always),
            (0x9e, 0, PinPolicy::Never),
            (0x9a, 0, PinPolicy::Once),
            (0x82, 0, PinPolicy::Once),
            (0x9c, 2, PinPolicy::Once),
            (0x82, 3, PinPolicy::Always),
            (0x9a, 5, PinPolicy::Unknown),
        ] {
            assert_eq!(pin_policy(slot, policy), expected, "{slot:02x} {policy}");
        }
        assert_eq!(touch_policy(0), TouchPolicy::Unknown);
        assert_eq!(touch_policy(2), TouchPolicy::Always);
    }

    #[test]
    fn new_keys_go_to_9c_and_then_to_the_retired_slots() {
        let slots: Vec<u8> = for_new_keys().collect();
        assert_eq!((slots.len(), &slots[..3]), (21, &[0x9c, 0x82, 0x83][..]));
        assert_eq!(slots.last(), Some(&0x95));
    }
}
