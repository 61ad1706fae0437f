//! PIN, PUK, their counters, the management key's replacement and the reset that needs both blocked.

use crate::apdu::{Command, Status};
use crate::keys::policy::TouchPolicy;
use crate::management_key::ManagementKey;
use crate::state::{Reference, State, Tried};

use super::{Outcome, Piv};

const PIN: u8 = 0x80;
const PUK: u8 = 0x81;
const MANAGEMENT: u8 = 0x9b;

impl Piv {
    /// VERIFY: a try, a question for the tries left (no data), or P1 FF: forget that the PIN was right.
    pub(super) fn verify(&mut self, command: &Command, state: &mut State) -> Outcome {
        match (command.p1, command.p2, command.data.len()) {
            (0, PIN, 0) if self.pin => Ok(Vec::new()),
            (0, PIN, 0) => Err(Status::tries(state.pin.left).into()),
            (0xff, PIN, 0) => {
                self.forget_pin();
                Ok(Vec::new())
            }
            (0, PIN, 8) => {
                self.forget_pin();
                right(&mut state.pin, &command.data)?;
                self.pin = true;
                self.pin_fresh = true;
                Ok(Vec::new())
            }
            (0, PIN, _) => Err(Status::DATA.into()),
            _ => Err(Status::PARAMETERS.into()),
        }
    }

    /// CHANGE REFERENCE DATA, of PIN or PUK.
    pub(super) fn change_reference(&mut self, command: &Command, state: &mut State) -> Outcome {
        let (old, new) = old_and_new(command)?;
        let reference = match command.p2 {
            PIN => &mut state.pin,
            PUK => &mut state.puk,
            _ => return Err(Status::PARAMETERS.into()),
        };
        if command.p2 == PIN {
            self.forget_pin();
        }
        right(reference, old)?;
        acceptable(new)?;
        reference.change(new);
        Ok(Vec::new())
    }

    /// RESET RETRY COUNTER: the PUK gives a new PIN.
    pub(super) fn reset_retry_counter(command: &Command, state: &mut State) -> Outcome {
        let (puk, new) = old_and_new(command)?;
        if command.p2 != PIN {
            return Err(Status::PARAMETERS.into());
        }
        right(&mut state.puk, puk)?;
        acceptable(new)?;
        state.pin.change(new);
        Ok(Vec::new())
    }

    /// SET PIN RETRIES: also makes PIN and PUK the factory's again.
    pub(super) fn set_retries(&mut self, command: &Command, state: &mut State) -> Outcome {
        self.needs_management()?;
        if !self.pin {
            return Err(Status::SECURITY.into());
        }
        if command.p1 == 0 || command.p2 == 0 {
            return Err(Status::DATA.into());
        }
        state.set_retries(command.p1, command.p2);
        self.forget_pin();
        Ok(Vec::new())
    }

    /// RESET: only when neither PIN nor PUK can let anybody in.
    pub(super) fn reset_application(&mut self, state: &mut State) -> Outcome {
        if state.pin.left > 0 || state.puk.left > 0 {
            return Err(Status::CONDITIONS.into());
        }
        state.reset();
        *self = Self::default();
        Ok(Vec::new())
    }

    /// SET MANAGEMENT KEY; P2 FE and FD ask for a touch from then on.
    pub(super) fn set_management_key(&mut self, command: &Command, state: &mut State) -> Outcome {
        self.needs_management()?;
        let touch = match (command.p1, command.p2) {
            (0xff, 0xff) => TouchPolicy::Never,
            (0xff, 0xfe) => TouchPolicy::Always,
            (0xff, 0xfd) => TouchPolicy::Cached,
            _ => return Err(Status::PARAMETERS.into()),
        };
        let [algorithm, MANAGEMENT, length, key @ ..] = command.data.as_slice() else {
            return Err(Status::DATA.into());
        };
        if usize::from(*length) != key.len() {
            return Err(Status::DATA.into());
        }
        state.management =
            ManagementKey::new(*algorithm, key, touch, state.firmware).ok_or(Status::DATA)?;
        Ok(Vec::new())
    }

    fn forget_pin(&mut self) {
        self.pin = false;
        self.pin_fresh = false;
    }
}

fn right(reference: &mut Reference, value: &[u8]) -> Result<(), Status> {
    match reference.attempt(value) {
        Tried::Right => Ok(()),
        Tried::Wrong(left) => Err(Status::tries(left)),
    }
}

fn old_and_new(command: &Command) -> Result<(&[u8], &[u8]), Status> {
    if command.p1 != 0 {
        return Err(Status::PARAMETERS);
    }
    match command.data.split_at_checked(8) {
        Some((old, new)) if new.len() == 8 => Ok((old, new)),
        _ => Err(Status::DATA),
    }
}

/// Six to eight bytes, then FF (SP 800-73-4 part 2, 2.4.3).
fn acceptable(new: &[u8]) -> Result<(), Status> {
    let length = new.iter().take_while(|byte| **byte != 0xff).count();
    if length >= 6 && new[length..].iter().all(|byte| *byte == 0xff) {
        Ok(())
    } else {
        Err(Status::DATA)
    }
}
