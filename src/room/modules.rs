//! From a room's word to the module itself.

use super::config::{self, Backend};
use crate::ceremony::port::TokenError;
use crate::token::Module;
use crate::token::pkcs11::Pkcs11Module;
use crate::token::yubikey::YubikeyModule;

/// Loads a module that a room names.
///
/// # Errors
/// The module cannot be loaded.
pub fn load(module: &config::Module) -> Result<Box<dyn Module>, TokenError> {
    let name = &module.name;
    Ok(match &module.backend {
        Backend::Pkcs11 {
            path, init_args, ..
        } => Box::new(Pkcs11Module::load(name, path, init_args.as_deref())?),
        Backend::Yubikey => Box::new(YubikeyModule::new(name)?),
    })
}
