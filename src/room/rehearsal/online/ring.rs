//! Throwaway key pairs that are derived from a seed, so that twenty thousand projects cost nothing to describe and come out the same each time. They
//! protect nothing.

use std::collections::BTreeMap;

use sha2::Digest as _;

use crate::token::software::{public_half, signature};
use crate::tuf::key::{Algorithm, Key, KeyId};

/// All key pairs that were asked for so far.
pub(super) struct Ring {
    seed: String,
    pairs: BTreeMap<KeyId, Pair>,
    names: BTreeMap<String, KeyId>,
}

/// A key, its private half, and what people would call it.
struct Pair {
    key: Key,
    private: Vec<u8>,
    name: String,
}

impl Ring {
    pub(super) fn new(seed: &str) -> Self {
        Self {
            seed: seed.to_owned(),
            pairs: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// The key called so; always the same one.
    pub(super) fn key(&mut self, name: &str, algorithm: Algorithm) -> KeyId {
        if let Some(keyid) = self.names.get(name) {
            return keyid.clone();
        }
        let mut attempt = 0_u32;
        let (key, private) = loop {
            let private = self.private(name, attempt, algorithm);
            let public = public_half(algorithm, &private);
            if let Some(key) = public.and_then(|public| Key::from_public(&public)) {
                break (key, private);
            }
            // A number beyond the order of the curve is no key.
            attempt += 1;
        };
        let keyid = key.keyid();
        let name = name.to_owned();
        self.names.insert(name.clone(), keyid.clone());
        let pair = Pair { key, private, name };
        self.pairs.insert(keyid.clone(), pair);
        keyid
    }

    fn private(&self, name: &str, attempt: u32, algorithm: Algorithm) -> Vec<u8> {
        let block = |number: u8| {
            let mut hasher = sha2::Sha256::new();
            hasher.update(format!("{}/{name}/{attempt}/{number}", self.seed));
            hasher.finalize()
        };
        let mut private = block(0).to_vec();
        if algorithm == Algorithm::EcdsaP384 {
            private.extend_from_slice(&block(1)[..16]);
        }
        private
    }

    /// A key that was asked for before.
    pub(super) fn public(&self, keyid: &KeyId) -> Option<&Key> {
        self.pairs.get(keyid).map(|pair| &pair.key)
    }

    /// What people would call it.
    pub(super) fn name(&self, keyid: &KeyId) -> Option<&str> {
        self.pairs.get(keyid).map(|pair| pair.name.as_str())
    }

    /// None for a key that is not ours.
    pub(super) fn sign(&self, keyid: &KeyId, payload: &[u8]) -> Option<Vec<u8>> {
        let pair = self.pairs.get(keyid)?;
        signature(pair.key.public(), &pair.private, payload)
    }
}
