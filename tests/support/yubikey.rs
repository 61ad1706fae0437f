//! Virtual `YubiKeys` with our secrets on them, for tests of the product.
//!
//! ```ignore
//! on_stage("signs", |stage| {
//!     let (card, token) = provisioned(stage, &mut module(), 12_345_678, Firmware::V5_7_1);
//! });
//! ```

use tuf_ceremony::ceremony::event::Credential;
use tuf_ceremony::ceremony::port::{Reset, TokenId, TokenInfo};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::yubikey::YubikeyModule;
use virtual_yubikey::{Firmware, Inserted, Stage};

/// What [`provisioned`] sets.
pub const PIN: &str = "80417263";
pub const PUK: &str = "63552914";
pub const MANAGEMENT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978";

/// The module under the name that rooms give it.
pub fn module() -> YubikeyModule {
    YubikeyModule::new("yubikey").unwrap()
}

/// A new card that was reset to the secrets above.
pub fn provisioned(
    stage: &Stage,
    module: &mut dyn Module,
    serial: u32,
    firmware: Firmware,
) -> (Inserted, TokenId) {
    let card = stage.insert_new(serial, firmware);
    let token = id(serial);
    module.reset(&token, &reset()).unwrap();
    (card, token)
}

/// The new secrets of a reset.
pub fn reset() -> Reset {
    Reset {
        label: String::new(),
        old_so: None,
        new: vec![
            (Credential::Mgmt, secret(MANAGEMENT)),
            (Credential::Puk, secret(PUK)),
            (Credential::User, secret(PIN)),
        ],
    }
}

/// How the module names a card.
pub fn id(serial: u32) -> TokenId {
    TokenId {
        module: "yubikey".to_owned(),
        serial: serial.to_string(),
        label: format!("YubiKey PIV #{serial}"),
    }
}

/// What the list says of a token.
pub fn listed(module: &mut dyn Module, token: &TokenId) -> TokenInfo {
    let mut tokens = module.list().unwrap().into_iter();
    tokens.find(|listed| listed.id == *token).unwrap()
}

/// Logs in with the PIN above.
pub fn log_in(module: &mut dyn Module, token: &TokenId) {
    module.login(token, &secret(PIN)).unwrap();
}

/// Text as a secret.
pub fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}
