//! Throwaway keys for the shadow rehearsal, honest and lying.

use tuf_ceremony::ceremony::port::Throwaway;
use tuf_ceremony::token::software::EphemeralKeys;
use tuf_ceremony::tuf::key::{Algorithm, PublicKey};

struct Shadow(EphemeralKeys, PublicKey, PublicKey);

impl Throwaway for Shadow {
    fn public(&self) -> PublicKey {
        self.2.clone()
    }
    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(&self.1, bytes).unwrap()
    }
}

/// A stand-in for the shadow rehearsal; one that lies shows another key than it signs with.
pub fn stand_in(algorithm: Algorithm, shown: Option<PublicKey>) -> Box<dyn Throwaway> {
    let mut keys = EphemeralKeys::default();
    let public = keys.make(&[algorithm]).unwrap().remove(0);
    Box::new(Shadow(keys, public.clone(), shown.unwrap_or(public)))
}
