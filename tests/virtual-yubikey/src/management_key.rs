//! The management key: which cipher, and the two ways to prove that one holds it (SP 800-73-4 part 2, 3.2.4).

use cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use serde::{Deserialize, Serialize};

use crate::firmware::Firmware;
use crate::hex::Hex;
use crate::keys::policy::TouchPolicy;

/// What every card leaves the factory with, under either cipher.
const FACTORY: [u8; 24] = [
    1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8,
];

const TRIPLE_DES: u8 = 0x03;
const AES_128: u8 = 0x08;
const AES_192: u8 = 0x0a;
const AES_256: u8 = 0x0c;

/// The key, its cipher and whether it wants a touch.
#[derive(Clone, Serialize, Deserialize)]
pub struct ManagementKey {
    algorithm: u8,
    key: Hex,
    /// When using it asks for a touch.
    pub touch: TouchPolicy,
}

impl ManagementKey {
    /// The factory's: 3DES before firmware 5.7, AES-192 from then on.
    pub fn factory(firmware: Firmware) -> Self {
        Self {
            algorithm: factory_algorithm(firmware),
            key: Hex(FACTORY.to_vec()),
            touch: TouchPolicy::Never,
        }
    }

    /// A new key, where algorithm and length agree and the firmware has the cipher.
    pub fn new(algorithm: u8, key: &[u8], touch: TouchPolicy, firmware: Firmware) -> Option<Self> {
        let length = match algorithm {
            TRIPLE_DES => 24,
            AES_128 if firmware >= Firmware(5, 4, 0) => 16,
            AES_192 if firmware >= Firmware(5, 4, 0) => 24,
            AES_256 if firmware >= Firmware(5, 4, 0) => 32,
            _ => return None,
        };
        (key.len() == length).then(|| Self {
            algorithm,
            key: Hex(key.to_vec()),
            touch,
        })
    }

    /// What P1 is for this key's cipher.
    pub fn algorithm(&self) -> u8 {
        self.algorithm
    }

    /// Whether P1 names this key's cipher; 0 has always meant 3DES (SP 800-78-4, table 6-2).
    pub fn answers_to(&self, p1: u8) -> bool {
        p1 == self.algorithm || (p1 == 0 && self.algorithm == TRIPLE_DES)
    }

    /// Whether anybody knows this key.
    pub fn is_factory(&self, firmware: Firmware) -> bool {
        self.algorithm == factory_algorithm(firmware) && self.key.0 == FACTORY
    }

    /// Bytes of a block, and so of a challenge.
    pub fn block_length(&self) -> usize {
        if self.algorithm == TRIPLE_DES { 8 } else { 16 }
    }

    /// One block encrypted; nothing where it is no block.
    pub fn encrypt(&self, block: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm {
            TRIPLE_DES => encrypt::<des::TdesEde3>(&self.key.0, block),
            AES_128 => encrypt::<aes::Aes128>(&self.key.0, block),
            AES_192 => encrypt::<aes::Aes192>(&self.key.0, block),
            _ => encrypt::<aes::Aes256>(&self.key.0, block),
        }
    }

    /// One block decrypted, as a host does it; nothing where it is no block.
    pub fn decrypt(&self, block: &[u8]) -> Option<Vec<u8>> {
        match self.algorithm {
            TRIPLE_DES => decrypt::<des::TdesEde3>(&self.key.0, block),
            AES_128 => decrypt::<aes::Aes128>(&self.key.0, block),
            AES_192 => decrypt::<aes::Aes192>(&self.key.0, block),
            _ => decrypt::<aes::Aes256>(&self.key.0, block),
        }
    }
}

fn factory_algorithm(firmware: Firmware) -> u8 {
    if firmware.is_5_7() {
        AES_192
    } else {
        TRIPLE_DES
    }
}

fn encrypt<C: KeyInit + BlockCipherEncrypt>(key: &[u8], block: &[u8]) -> Option<Vec<u8>> {
    let mut block = Block::<C>::try_from(block).ok()?;
    C::new_from_slice(key).ok()?.encrypt_block(&mut block);
    Some(block.to_vec())
}

fn decrypt<C: KeyInit + BlockCipherDecrypt>(key: &[u8], block: &[u8]) -> Option<Vec<u8>> {
    let mut block = Block::<C>::try_from(block).ok()?;
    C::new_from_slice(key).ok()?.decrypt_block(&mut block);
    Some(block.to_vec())
}
