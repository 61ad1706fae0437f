//! Data objects: certificates, CHUID, CCC, the printed information that needs the PIN, and what hosts invent.

use crate::apdu::{Command, Status};
use crate::hex::Hex;
use crate::state::{ATTESTATION_OBJECT, State};
use crate::tlv::{find, read_all, tlv};

use super::{Outcome, Piv, slots};

/// Fingerprints, facial image, printed information, iris: readable after the PIN (SP 800-73-4 part 1, table 2).
const BEHIND_PIN: [u32; 4] = [0x5f_c103, 0x5f_c108, 0x5f_c109, 0x5f_c121];

/// SP 800-73-4 part 1, 3.3.2: the application's name, and that only its own PIN is there.
const DISCOVERY: [u8; 20] = [
    0x7e, 0x12, 0x4f, 0x0b, 0xa0, 0, 0, 3, 8, 0, 0, 0x10, 0, 1, 0, 0x5f, 0x2f, 2, 0x40, 0,
];

/// As much as one object may hold.
const LARGEST: usize = 3052;

impl Piv {
    pub(super) fn get_data(&self, command: &Command, state: &mut State) -> Outcome {
        let elements = elements(command)?;
        let name = find(&elements, 0x5c).ok_or(Status::DATA)?;
        if name == [0x7e] {
            return Ok(DISCOVERY.to_vec());
        }
        let id = identifier(name)?;
        if BEHIND_PIN.contains(&id) && !self.pin {
            return Err(Status::SECURITY.into());
        }
        if id == ATTESTATION_OBJECT {
            slots::ensure_attestation_key(state)?;
        }
        let object = state.objects.get(&id).ok_or(Status::NOT_FOUND)?;
        Ok(tlv(0x53, &object.0))
    }

    /// PUT DATA; an empty object deletes it.
    pub(super) fn put_data(&self, command: &Command, state: &mut State) -> Outcome {
        self.needs_management()?;
        let elements = elements(command)?;
        let id = identifier(find(&elements, 0x5c).ok_or(Status::DATA)?)?;
        let value = find(&elements, 0x53).ok_or(Status::DATA)?;
        if value.len() > LARGEST {
            return Err(Status::NO_SPACE.into());
        }
        if id == ATTESTATION_OBJECT {
            slots::ensure_attestation_key(state)?;
        }
        if value.is_empty() {
            state.objects.remove(&id);
        } else {
            state.objects.insert(id, Hex(value.to_vec()));
        }
        Ok(Vec::new())
    }
}

fn elements(command: &Command) -> Result<Vec<(u8, &[u8])>, Status> {
    if (command.p1, command.p2) != (0x3f, 0xff) {
        return Err(Status::PARAMETERS);
    }
    read_all(&command.data).ok_or(Status::DATA)
}

/// The card has objects under 5F C1 (PIV) and 5F FF (Yubico).
fn identifier(name: &[u8]) -> Result<u32, Status> {
    match name {
        [0x5f, group @ (0xc1 | 0xff), last] => Ok(u32::from_be_bytes([0, 0x5f, *group, *last])),
        _ => Err(Status::NOT_FOUND),
    }
}
