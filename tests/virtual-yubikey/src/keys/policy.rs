//! When a key asks for its PIN and for a finger.

use serde::{Deserialize, Serialize};

/// When the PIN is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PinPolicy {
    /// Never.
    Never,
    /// Once after the application was selected.
    Once,
    /// Before each use of the key.
    Always,
}

/// When a touch is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TouchPolicy {
    /// Never.
    Never,
    /// For each use of the key.
    Always,
    /// Unless one was given in the last 15 seconds.
    Cached,
}

impl PinPolicy {
    /// The policy that tag AA asks for; absent or 0 is what the slot has by default.
    pub fn requested(value: Option<&[u8]>, slot: u8) -> Option<Self> {
        match value {
            None | Some([0]) => Some(match slot {
                0x9c => Self::Always,
                0x9e | 0xf9 => Self::Never,
                _ => Self::Once,
            }),
            Some([1]) => Some(Self::Never),
            Some([2]) => Some(Self::Once),
            Some([3]) => Some(Self::Always),
            Some(_) => None,
        }
    }

    /// The byte in metadata and attestation.
    pub fn byte(self) -> u8 {
        match self {
            Self::Never => 1,
            Self::Once => 2,
            Self::Always => 3,
        }
    }
}

impl TouchPolicy {
    /// The policy that tag AB asks for; absent or 0 is never.
    pub fn requested(value: Option<&[u8]>) -> Option<Self> {
        match value {
            None | Some([0 | 1]) => Some(Self::Never),
            Some([2]) => Some(Self::Always),
            Some([3]) => Some(Self::Cached),
            Some(_) => None,
        }
    }

    /// The byte in metadata and attestation.
    pub fn byte(self) -> u8 {
        match self {
            Self::Never => 1,
            Self::Always => 2,
            Self::Cached => 3,
        }
    }
}
