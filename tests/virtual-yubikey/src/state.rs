//! What a card keeps without power, and the file it lies in: a card pulled and put back is the same card.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::firmware::Firmware;
use crate::hex::Hex;
use crate::keys::KeyPair;
use crate::keys::policy::{PinPolicy, TouchPolicy};
use crate::management_key::ManagementKey;

/// PIN of a card as it leaves the factory.
pub const DEFAULT_PIN: &str = "123456";
/// PUK of a card as it leaves the factory.
pub const DEFAULT_PUK: &str = "12345678";

/// Slot of the attestation key, and the object with its certificate: both outlive a reset.
pub const ATTESTATION_SLOT: u8 = 0xf9;
/// The object that holds the attestation key's certificate.
pub const ATTESTATION_OBJECT: u32 = 0x5f_ff01;

/// Everything a card remembers. In clear: these are tests' keys and PINs.
#[derive(Clone, Serialize, Deserialize)]
pub struct State {
    /// The number engraved on the device.
    pub serial: u32,
    /// Its firmware.
    pub firmware: Firmware,
    /// What it looks like: 1 is USB-A keychain, 3 is USB-C keychain.
    pub form_factor: u8,
    /// PIN.
    pub pin: Reference,
    /// PUK.
    pub puk: Reference,
    /// Management key.
    pub management: ManagementKey,
    /// Keys by slot.
    pub keys: BTreeMap<u8, StoredKey>,
    /// Data objects by identifier.
    pub objects: BTreeMap<u32, Hex>,
}

/// PIN or PUK with its counter.
#[derive(Clone, Serialize, Deserialize)]
pub struct Reference {
    value: Hex,
    /// How many tries there are after a right one.
    pub total: u8,
    /// How many are left.
    pub left: u8,
}

/// What comparing a PIN or PUK gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It is right; the counter is full again.
    Right,
    /// It is wrong; so many tries are left.
    Wrong(u8),
}

/// A key in its slot.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredKey {
    /// The key.
    pub pair: KeyPair,
    /// When it asks for the PIN.
    pub pin: PinPolicy,
    /// When it asks for a touch.
    pub touch: TouchPolicy,
    /// Made on the device, so that it can be attested; false for an imported key.
    pub generated: bool,
}

impl State {
    /// A card as it leaves the factory.
    pub fn new(serial: u32, firmware: Firmware) -> Self {
        Self {
            serial,
            firmware,
            form_factor: 1,
            pin: Reference::new(DEFAULT_PIN, 3),
            puk: Reference::new(DEFAULT_PUK, 3),
            management: ManagementKey::factory(firmware),
            keys: BTreeMap::new(),
            objects: BTreeMap::new(),
        }
    }

    /// What RESET leaves: identity and attestation.
    pub fn reset(&mut self) {
        let fresh = Self::new(self.serial, self.firmware);
        self.pin = fresh.pin;
        self.puk = fresh.puk;
        self.management = fresh.management;
        self.keys.retain(|slot, _| *slot == ATTESTATION_SLOT);
        self.objects.retain(|id, _| *id == ATTESTATION_OBJECT);
    }

    /// The same fate for PIN and PUK as SET PIN RETRIES gives: default values, new counters.
    pub fn set_retries(&mut self, pin: u8, puk: u8) {
        self.pin = Reference::new(DEFAULT_PIN, pin);
        self.puk = Reference::new(DEFAULT_PUK, puk);
    }
}

impl Reference {
    fn new(value: &str, total: u8) -> Self {
        Self {
            value: Hex(padded(value)),
            total,
            left: total,
        }
    }

    /// Compares, and counts.
    pub fn attempt(&mut self, value: &[u8]) -> Tried {
        if self.left > 0 && self.value.0 == value {
            self.left = self.total;
            return Tried::Right;
        }
        self.left = self.left.saturating_sub(1);
        Tried::Wrong(self.left)
    }

    /// A new value, with a full counter.
    pub fn change(&mut self, value: &[u8]) {
        self.value = Hex(value.to_vec());
        self.left = self.total;
    }

    /// Whether this is still what the factory set.
    pub fn is(&self, value: &str) -> bool {
        self.value.0 == padded(value)
    }
}

/// Eight bytes, filled with FF (SP 800-73-4 part 2, 2.4.3).
fn padded(value: &str) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    bytes.resize(8, 0xff);
    bytes
}

/// A state and where it is kept, if anywhere.
pub struct Store {
    path: Option<PathBuf>,
    saved: Vec<u8>,
    /// The state.
    pub state: State,
}

impl Store {
    /// A card that forgets when the program ends.
    pub fn in_memory(state: State) -> Self {
        Self {
            path: None,
            saved: Vec::new(),
            state,
        }
    }

    /// The card in this file, or `new` written there.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or is no card.
    pub fn open(path: &Path, new: State) -> io::Result<Self> {
        let state = match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => new,
            Err(error) => return Err(error),
        };
        let mut store = Self {
            path: Some(path.to_owned()),
            saved: Vec::new(),
            state,
        };
        store.save()?;
        Ok(store)
    }

    /// Writes the state where it changed: all of it or nothing, before the host hears of it.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn save(&mut self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let bytes = serde_json::to_vec_pretty(&self.state)?;
        if bytes == self.saved {
            return Ok(());
        }
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        self.saved = bytes;
        Ok(())
    }
}
