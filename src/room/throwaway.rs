//! Keys that protect nothing: they sign a rehearsal in memory.

use crate::ceremony::port::{Throwaway, TokenError, TokenFault};
use crate::token::software::EphemeralKeys;
use crate::tuf::key::{Algorithm, PublicKey};

/// The software key of a shadow.
struct Shadow(EphemeralKeys, PublicKey);

impl Throwaway for Shadow {
    fn public(&self) -> PublicKey {
        self.1.clone()
    }
    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(&self.1, bytes).unwrap_or_default()
    }
}

/// A throwaway key in software.
///
/// # Errors
/// No locked memory, no randomness, or RSA.
pub(super) fn throwaway(algorithm: Algorithm) -> Result<Box<dyn Throwaway>, TokenError> {
    let mut keys = EphemeralKeys::default();
    let public = keys.make(&[algorithm])?.pop().ok_or_else(|| TokenError {
        attempted: "make a throwaway key".to_owned(),
        said: "none was made".to_owned(),
        fault: TokenFault::Other,
        may_have_signed: false,
    })?;
    Ok(Box::new(Shadow(keys, public)))
}
