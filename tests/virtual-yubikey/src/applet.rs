//! The PIV application of a `YubiKey`: which command goes where, and what one session may do.

mod access;
mod authenticate;
mod objects;
pub(crate) mod others;
mod slots;

use std::time::Instant;

use crate::apdu::{Command, Status};
use crate::faults::{Controls, Waited};
use crate::keys::policy::TouchPolicy;
use crate::state::State;

/// The application's answer to SELECT (SP 800-73-4 part 2, 3.1.1).
pub(crate) const SELECTED: [u8; 19] = [
    0x61, 0x11, 0x4f, 6, 0, 0, 0x10, 0, 1, 0, 0x79, 7, 0x4f, 5, 0xa0, 0, 0, 3, 8,
];

/// How long a touch counts for keys with the cached policy.
const TOUCH_CACHE_SECONDS: u64 = 15;

/// What became of a command.
pub(crate) enum Reply {
    Data(Vec<u8>),
    Refused(Status),
    Pulled,
}

/// What a command can fail with: a status, or a card that is gone.
pub(crate) enum Failure {
    Refused(Status),
    Pulled,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

pub(crate) type Outcome = Result<Vec<u8>, Failure>;

/// A session: from SELECT to the next SELECT or reset.
#[derive(Default)]
pub(crate) struct Piv {
    /// The PIN was right.
    pin: bool,
    /// It was right, and no key with policy "always" has been used since.
    pin_fresh: bool,
    /// The management key was proven.
    management: bool,
    witness: Option<Vec<u8>>,
    challenge: Option<Vec<u8>>,
    touched: Option<Instant>,
}

impl Piv {
    pub(crate) fn execute(
        &mut self,
        command: &Command,
        state: &mut State,
        controls: &Controls,
    ) -> Reply {
        let outcome = match command.ins {
            0x20 => self.verify(command, state),
            0x24 => self.change_reference(command, state),
            0x2c => Self::reset_retry_counter(command, state),
            0x47 => self.generate(command, state),
            0x87 => self.general_authenticate(command, state, controls),
            0xcb => self.get_data(command, state),
            0xdb => self.put_data(command, state),
            0xf6 if state.firmware.is_5_7() => self.move_key(command, state),
            0xf7 => Self::metadata(command, state),
            0xf8 => {
                let serial = controls.faults().serial.unwrap_or(state.serial);
                Ok(serial.to_be_bytes().to_vec())
            }
            0xf9 => Self::attest(command, state, controls),
            0xfa => self.set_retries(command, state),
            0xfb => self.reset_application(state),
            0xfd => Ok(state.firmware.bytes().to_vec()),
            0xfe => self.import(command, state),
            0xff => self.set_management_key(command, state),
            _ => Err(Status::INSTRUCTION.into()),
        };
        match outcome {
            Ok(data) => Reply::Data(data),
            Err(Failure::Refused(status)) => Reply::Refused(status),
            Err(Failure::Pulled) => Reply::Pulled,
        }
    }

    fn needs_management(&self) -> Result<(), Failure> {
        if self.management {
            Ok(())
        } else {
            Err(Status::SECURITY.into())
        }
    }

    fn needs_touch(&mut self, policy: TouchPolicy, controls: &Controls) -> Result<(), Failure> {
        let cached = self
            .touched
            .is_some_and(|touched| touched.elapsed().as_secs() < TOUCH_CACHE_SECONDS);
        if policy == TouchPolicy::Never || (policy == TouchPolicy::Cached && cached) {
            return Ok(());
        }
        match controls.wait_for_touch() {
            Waited::Touched => {
                self.touched = Some(Instant::now());
                Ok(())
            }
            Waited::TimedOut => Err(Status::SECURITY.into()),
            Waited::Pulled => Err(Failure::Pulled),
        }
    }
}
