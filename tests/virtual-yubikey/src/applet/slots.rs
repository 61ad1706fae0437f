//! Keys come into slots, are told about, attested, moved and deleted.

use crate::apdu::{Command, Status};
use crate::attestation;
use crate::faults::Controls;
use crate::hex::Hex;
use crate::keys::policy::{PinPolicy, TouchPolicy};
use crate::keys::{Algorithm, KeyPair};
use crate::state::{
    ATTESTATION_OBJECT, ATTESTATION_SLOT, DEFAULT_PIN, DEFAULT_PUK, Reference, State, StoredKey,
};
use crate::tlv::{find, read, read_all, tlv};

use super::{Failure, Outcome, Piv};

const PIN_POLICY: u8 = 0xaa;
const TOUCH_POLICY: u8 = 0xab;

impl Piv {
    /// GENERATE ASYMMETRIC KEY PAIR.
    pub(super) fn generate(&self, command: &Command, state: &mut State) -> Outcome {
        self.needs_management()?;
        let slot = slot(command.p2)?;
        let (_, template, _) = read(&command.data).ok_or(Status::DATA)?;
        let elements = read_all(template).ok_or(Status::DATA)?;
        let Some([algorithm]) = find(&elements, 0x80) else {
            return Err(Status::DATA.into());
        };
        let algorithm = Algorithm::of(*algorithm, state.firmware).ok_or(Status::DATA)?;
        let (pin, touch) = policies(&elements, slot)?;
        let pair = KeyPair::generate(algorithm).ok_or(Status::INTERNAL)?;
        let public = pair.public_template().ok_or(Status::INTERNAL)?;
        put(
            state,
            slot,
            StoredKey {
                pair,
                pin,
                touch,
                generated: true,
            },
        )?;
        Ok(tlv(0x7f49, &public))
    }

    /// IMPORT ASYMMETRIC KEY.
    pub(super) fn import(&self, command: &Command, state: &mut State) -> Outcome {
        self.needs_management()?;
        let slot = slot(command.p2)?;
        let algorithm = Algorithm::of(command.p1, state.firmware).ok_or(Status::DATA)?;
        let elements = read_all(&command.data).ok_or(Status::DATA)?;
        let (pin, touch) = policies(&elements, slot)?;
        let pair = KeyPair::import(algorithm, &elements).ok_or(Status::DATA)?;
        put(
            state,
            slot,
            StoredKey {
                pair,
                pin,
                touch,
                generated: false,
            },
        )?;
        Ok(Vec::new())
    }

    /// MOVE KEY, and DELETE KEY where P1 is FF (firmware 5.7).
    pub(super) fn move_key(&self, command: &Command, state: &mut State) -> Outcome {
        self.needs_management()?;
        let from = slot(command.p2)?;
        if command.p1 == 0xff {
            state.keys.remove(&from).ok_or(Status::NO_KEY)?;
            return Ok(Vec::new());
        }
        let to = slot(command.p1)?;
        if from == ATTESTATION_SLOT || to == ATTESTATION_SLOT {
            return Err(Status::SLOT.into());
        }
        if state.keys.contains_key(&to) {
            return Err(Status::DATA.into());
        }
        let key = state.keys.remove(&from).ok_or(Status::NO_KEY)?;
        state.keys.insert(to, key);
        Ok(Vec::new())
    }

    /// GET METADATA, of PIN, PUK, management key or a slot.
    pub(super) fn metadata(command: &Command, state: &mut State) -> Outcome {
        match command.p2 {
            0x80 => Ok(reference_metadata(&state.pin, DEFAULT_PIN)),
            0x81 => Ok(reference_metadata(&state.puk, DEFAULT_PUK)),
            0x9b => {
                let key = &state.management;
                let default = u8::from(key.is_factory(state.firmware));
                Ok([
                    tlv(1, &[key.algorithm()]),
                    tlv(2, &[0, key.touch.byte()]),
                    tlv(5, &[default]),
                ]
                .concat())
            }
            p2 => {
                let slot = slot(p2)?;
                if slot == ATTESTATION_SLOT {
                    ensure_attestation_key(state)?;
                }
                let key = state.keys.get(&slot).ok_or(Status::NO_KEY)?;
                let public = key.pair.public_template().ok_or(Status::INTERNAL)?;
                let origin = if key.generated { 1 } else { 2 };
                Ok([
                    tlv(1, &[key.pair.algorithm().id()]),
                    tlv(2, &[key.pin.byte(), key.touch.byte()]),
                    tlv(3, &[origin]),
                    tlv(4, &public),
                ]
                .concat())
            }
        }
    }

    /// ATTEST: only keys made here can be vouched for, and the attestation key not by itself.
    pub(super) fn attest(command: &Command, state: &mut State, controls: &Controls) -> Outcome {
        let slot = slot(command.p1)?;
        ensure_attestation_key(state)?;
        let mut key = state.keys.get(&slot).ok_or(Status::DATA)?.clone();
        if !key.generated || slot == ATTESTATION_SLOT {
            return Err(Status::DATA.into());
        }
        if controls.faults().attest_other_key {
            key.pair = KeyPair::generate(key.pair.algorithm()).ok_or(Status::INTERNAL)?;
        }
        let signer = state.keys.get(&ATTESTATION_SLOT).ok_or(Status::DATA)?;
        let object = state.objects.get(&ATTESTATION_OBJECT).ok_or(Status::DATA)?;
        let elements = read_all(&object.0).ok_or(Status::DATA)?;
        let certificate = find(&elements, 0x70).ok_or(Status::DATA)?;
        let attested = attestation::attest(state, slot, &key, &signer.pair, certificate);
        Ok(attested.ok_or(Status::INTERNAL)?)
    }
}

/// The factory's key in F9, made when it is first looked at: an RSA key costs seconds that most tests can spare.
///
/// Once it was made, deleting or replacing it is for ever, as on the device: the object tells.
pub(super) fn ensure_attestation_key(state: &mut State) -> Result<(), Failure> {
    if state.keys.contains_key(&ATTESTATION_SLOT) || state.objects.contains_key(&ATTESTATION_OBJECT)
    {
        return Ok(());
    }
    let pair = KeyPair::generate(Algorithm::Rsa2048).ok_or(Status::INTERNAL)?;
    let certificate = attestation::device_certificate(state, &pair).ok_or(Status::INTERNAL)?;
    let object = [tlv(0x70, &certificate), tlv(0x71, &[0]), tlv(0xfe, &[])].concat();
    state.objects.insert(ATTESTATION_OBJECT, Hex(object));
    let key = StoredKey {
        pair,
        pin: PinPolicy::Never,
        touch: TouchPolicy::Never,
        generated: true,
    };
    state.keys.insert(ATTESTATION_SLOT, key);
    Ok(())
}

fn put(state: &mut State, slot: u8, key: StoredKey) -> Result<(), Failure> {
    if slot == ATTESTATION_SLOT {
        // The factory's certificate stays until the owner replaces it too.
        ensure_attestation_key(state)?;
    }
    state.keys.insert(slot, key);
    Ok(())
}

fn slot(id: u8) -> Result<u8, Status> {
    match id {
        0x9a | 0x9c | 0x9d | 0x9e | 0x82..=0x95 | ATTESTATION_SLOT => Ok(id),
        _ => Err(Status::SLOT),
    }
}

fn policies(elements: &[(u8, &[u8])], slot: u8) -> Result<(PinPolicy, TouchPolicy), Status> {
    let pin = PinPolicy::requested(find(elements, PIN_POLICY), slot);
    let touch = TouchPolicy::requested(find(elements, TOUCH_POLICY));
    pin.zip(touch).ok_or(Status::DATA)
}

fn reference_metadata(reference: &Reference, default: &str) -> Vec<u8> {
    [
        tlv(1, &[0xff]),
        tlv(5, &[u8::from(reference.is(default))]),
        tlv(6, &[reference.total, reference.left]),
    ]
    .concat()
}
