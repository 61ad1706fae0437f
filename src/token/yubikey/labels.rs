//! Names of keys. PIV has none, so they lie in the container map of Microsoft's minidriver, which Yubico's programs know too: a name for each slot. A
//! record counts only while the slot still holds the key that was named: it carries the beginning of that key's digest. Anyone with the management key
//! can write the map, so a name proves nothing; it is how a key is found again that was made right before power failed.

use sha2::{Digest as _, Sha256};
use yubikey::piv::SlotId;
use yubikey::{Error, MsContainer, YubiKey};

use super::errors::{guarded, is_lost};
use crate::tuf::key::PublicKey;

/// UTF-16 units of a name; the last of the record's 40 ends it.
pub(super) const LONGEST: usize = 39;

/// For signatures (`AT_SIGNATURE`).
const KEY_SPEC: u8 = 2;

/// The records on the card; an unreadable map counts as none.
pub(super) fn read(card: &mut YubiKey) -> Result<Vec<MsContainer>, Error> {
    match guarded(|| MsContainer::read_mscmap(card)) {
        Ok(records) => Ok(records),
        Err(error) if is_lost(&error) => Err(error),
        Err(_) => Ok(Vec::new()),
    }
}

/// The name of the key in a slot.
pub(super) fn find(records: &[MsContainer], slot: u8, public: &PublicKey) -> Option<String> {
    let mark = mark(public)?;
    let named = records
        .iter()
        .find(|record| u8::from(record.slot) == slot && record.cert_fingerprint == mark)?;
    let name = named.name.split(|unit| *unit == 0).next()?;
    let name = String::from_utf16(name).ok()?;
    (!name.is_empty()).then_some(name)
}

/// Names the key in a slot. Wants the management key. A map that cannot be read is somebody else's and is left alone.
pub(super) fn write(
    card: &mut YubiKey,
    slot: SlotId,
    label: &str,
    public: &PublicKey,
) -> Result<(), Error> {
    let mut records = match guarded(|| MsContainer::read_mscmap(card)) {
        Err(Error::NotFound) => Vec::new(),
        records => records?,
    };
    records.retain(|record| record.slot != slot);
    records.push(record(slot, label, public).ok_or(Error::ArgumentError)?);
    guarded(|| MsContainer::write_mscmap(card, &records))
}

fn record(slot: SlotId, label: &str, public: &PublicKey) -> Option<MsContainer> {
    let mut name = [0; LONGEST + 1];
    let units: Vec<u16> = label.encode_utf16().collect();
    name.get_mut(..units.len())
        .filter(|_| units.len() <= LONGEST)?
        .copy_from_slice(&units);
    Some(MsContainer {
        name,
        slot,
        key_spec: KEY_SPEC,
        key_size_bits: match public {
            PublicKey::P384(_) => 384,
            PublicKey::Rsa(spki) => u16::try_from(super::pss::modulus_bytes(spki)? * 8).ok()?,
            _ => 256,
        },
        flags: 1,
        pin_id: 1,
        associated_echd_container: 0,
        cert_fingerprint: mark(public)?,
    })
}

fn mark(public: &PublicKey) -> Option<[u8; 20]> {
    let digest = Sha256::digest(public.to_spki_der()?);
    digest.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use yubikey::piv::RetiredSlotId;

    use super::*;

    const RETIRED: SlotId = SlotId::Retired(RetiredSlotId::R1);

    #[test]
    fn name_is_read_back_for_the_same_key_in_the_same_slot_only() {
        let (key, other) = (PublicKey::Ed25519([1; 32]), PublicKey::Ed25519([2; 32]));
        let written = record(RETIRED, "tuf-root-v1", &key).unwrap().to_bytes();
        let records = [MsContainer::new(&written).unwrap()];
        assert_eq!(find(&records, 0x82, &key).as_deref(), Some("tuf-root-v1"));
        assert_eq!(find(&records, 0x83, &key), None);
        assert_eq!(find(&records, 0x82, &other), None);
    }

    #[test]
    fn name_that_does_not_fit_is_not_cut() {
        let key = PublicKey::Ed25519([1; 32]);
        assert!(record(RETIRED, &"x".repeat(LONGEST), &key).is_some());
        assert!(record(RETIRED, &"x".repeat(LONGEST + 1), &key).is_none());
        assert!(record(RETIRED, &"x".repeat(500), &key).is_none());
    }
}
