//! The firmware a card claims, and what that decides.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A firmware version as GET VERSION gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Firmware(pub u8, pub u8, pub u8);

impl Firmware {
    /// The last generation on Infineon's library: 3DES management key, no Curve25519, under YSA-2024-03.
    pub const V5_4_3: Self = Self(5, 4, 3);
    /// The generation on Yubico's own library: AES-192 management key, Curve25519, RSA to 4096 bits.
    pub const V5_7_1: Self = Self(5, 7, 1);

    /// Whether this firmware has what came with 5.7.
    pub fn is_5_7(self) -> bool {
        self >= Self(5, 7, 0)
    }

    /// The three bytes that GET VERSION and the attestation carry.
    pub fn bytes(self) -> [u8; 3] {
        [self.0, self.1, self.2]
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for Firmware {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Result<Vec<u8>, _> = text.split('.').map(str::parse).collect();
        match parts.as_deref() {
            Ok([major, minor, patch]) => Ok(Self(*major, *minor, *patch)),
            _ => Err(format!("{text} is no firmware version like 5.7.1")),
        }
    }
}
