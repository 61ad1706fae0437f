//! What the card was asked and said: instruction, parameters, status; never data, so never a PIN.

use std::fmt;

/// What a command was for, as far as a test wants to count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// GENERAL AUTHENTICATE with a slot's key over a challenge: a signature, or RSA decryption, which is the same.
    Sign,
    /// GENERAL AUTHENTICATE with a slot's key and another's public key.
    Agree,
    /// GENERAL AUTHENTICATE with the management key.
    Manage,
    /// VERIFY with a PIN: a try.
    Verify,
    /// VERIFY without data: how many tries are left, or forget the PIN.
    AskTries,
    /// All else.
    Other,
}

/// One whole command, and the status that the card gave; none where it was pulled before it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// What it was for.
    pub purpose: Purpose,
    /// Status, 9000 also where the answer goes on with GET RESPONSE.
    pub status: Option<u16>,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ins,
            p1,
            p2,
            purpose,
            status,
        } = self;
        write!(f, "{ins:02X} {p1:02X} {p2:02X} {purpose:?} ")?;
        match status {
            Some(status) => write!(f, "{status:04X}"),
            None => f.write_str("PULLED"),
        }
    }
}
