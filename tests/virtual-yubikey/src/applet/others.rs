//! As much of the management and OTP applications as hosts ask before they look at PIV.

use crate::apdu::{Command, Status};
use crate::state::State;
use crate::tlv::tlv;

use super::Reply;

/// PIV is all that this device has.
const CAPABILITIES: [u8; 2] = [0, 0x10];

/// Management: READ CONFIG.
pub(crate) fn management(command: &Command, state: &State, serial: Option<u32>) -> Reply {
    if command.ins != 0x1d {
        return Reply::Refused(Status::INSTRUCTION);
    }
    // Firmware 5.7 pages its answer; there is one page.
    if command.p1 != 0 {
        return Reply::Refused(Status::DATA);
    }
    let config = [
        tlv(1, &CAPABILITIES),
        tlv(2, &serial.unwrap_or(state.serial).to_be_bytes()),
        tlv(3, &CAPABILITIES),
        tlv(4, &[state.form_factor]),
        tlv(5, &state.firmware.bytes()),
        tlv(6, &[0, 0]),
        tlv(7, &[15]),
        tlv(8, &[0]),
        tlv(0x0a, &[0]),
    ]
    .concat();
    let [.., length] = config.len().to_be_bytes();
    Reply::Data([vec![length], config].concat())
}

/// OTP: the serial number (API request, slot 10).
pub(crate) fn otp(command: &Command, state: &State, serial: Option<u32>) -> Reply {
    match (command.ins, command.p1) {
        (0x01, 0x10) => Reply::Data(serial.unwrap_or(state.serial).to_be_bytes().to_vec()),
        (0x03, _) => Reply::Data(otp_status(state)),
        _ => Reply::Refused(Status::INSTRUCTION),
    }
}

/// OTP's answer to SELECT: version, no slot programmed.
pub(crate) fn otp_status(state: &State) -> Vec<u8> {
    [&state.firmware.bytes()[..], &[0, 0, 0]].concat()
}
