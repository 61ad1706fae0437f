//! What a claim works with: a module, and a person's hands to bring tokens, keys and cards.

use std::fs;
use std::path::{Path, PathBuf};

use tuf_ceremony::ceremony::port::{TokenError, TokenId, TokenInfo, TokenKey};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::token::yubikey::YubikeyModule;
use tuf_ceremony::tuf::key::{Algorithm, Key};
use virtual_yubikey::{Firmware, Inserted};

use super::row::{Keys, Row, Stage};
use super::{SO_PIN, cards, secret, stage};

/// The room's name for the module.
pub const MODULE: &str = "room";

/// Serials of the first and the second card.
pub const CARDS: [u32; 2] = [55_500_001, 55_500_002];

/// A stage that is set.
pub struct Bench<'a> {
    pub row: &'static Row,
    pub place: Place<'a>,
    module: Option<Box<dyn Module>>,
    /// What to load in place of the row's own library.
    library: Option<PathBuf>,
}

/// Where the tokens are.
pub enum Place<'a> {
    Memory,
    Folder(&'a Path),
    Cards(cards::Cards<'a>),
}

impl<'a> Place<'a> {
    pub fn cards(stage: &'a virtual_yubikey::Stage) -> Self {
        Self::Cards(cards::Cards::new(stage))
    }
}

impl<'a> Bench<'a> {
    pub fn new(row: &'static Row, place: Place<'a>) -> Self {
        Self {
            row,
            place,
            module: None,
            library: None,
        }
    }

    /// A folder for this test.
    pub fn folder(&self) -> &Path {
        match &self.place {
            Place::Memory => panic!("software tokens have no folder"),
            Place::Folder(folder) => folder,
            Place::Cards(cards) => cards.stage.folder(),
        }
    }

    /// The module, loaded now if it is not yet.
    pub fn module(&mut self) -> &mut dyn Module {
        let loaded = match self.module.take() {
            Some(module) => module,
            None => self.load(),
        };
        &mut **self.module.insert(loaded)
    }

    /// Ends the module, with all logins.
    pub fn unload(&mut self) {
        self.module = None;
    }

    /// Loads this library in place of the row's own, from now on.
    pub fn load_instead(&mut self, library: PathBuf) {
        self.unload();
        self.library = Some(library);
    }

    fn load(&self) -> Box<dyn Module> {
        let Some(library) = &self.row.library else {
            return match self.row.stage {
                Stage::Memory => Box::new(SoftwareModule::new(MODULE)),
                _ => Box::new(YubikeyModule::new(MODULE).unwrap()),
            };
        };
        let init_args = (self.row.stage == Stage::Nss).then(|| stage::nss_arguments(self.folder()));
        let path = self.library.clone().unwrap_or(library.path.into());
        Box::new(Pkcs11Module::load(MODULE, path, init_args.as_deref()).unwrap())
    }

    /// A token without keys, ready, in which nobody is logged in. Where tokens have labels this is its.
    pub fn token(&mut self, label: &str) -> TokenInfo {
        let pin = secret(self.row.pin);
        match self.row.stage {
            Stage::Memory | Stage::SoftHsm | Stage::Swtpm => {
                let so = secret(SO_PIN);
                self.module().initialise(label, &so, &pin).unwrap()
            }
            Stage::Nss => {
                assert_eq!(label, "one", "an NSS database is one token");
                let wanted = self.row.label;
                let tokens = self.module().list().unwrap();
                let mut found = tokens.into_iter().filter(|token| token.id.label == wanted);
                found.next().unwrap()
            }
            Stage::Cards => {
                let index = usize::from(label != "one");
                self.unload();
                self.cards().bring(CARDS[index], Firmware::V5_7_1);
                cards::provision(CARDS[index], self.row.pin);
                if self.row.keys == Keys::Beforehand {
                    // OpenSC shows no token where there is no key.
                    cards::make_key(CARDS[index], self.row.pin, 0x9a, Algorithm::EcdsaP256);
                }
                self.card_token(index)
            }
        }
    }

    fn card_token(&mut self, index: usize) -> TokenInfo {
        let serial = CARDS[index].to_string();
        let tokens = self.module().list().unwrap();
        let found = tokens.iter().find(|token| token.id.serial == serial);
        found
            .unwrap_or_else(|| panic!("card {serial} is not among {tokens:?}"))
            .clone()
    }

    /// A token in which the user is logged in.
    pub fn logged_in(&mut self, label: &str) -> TokenId {
        let token = self.token(label).id;
        self.login(&token).unwrap();
        token
    }

    pub fn login(&mut self, token: &TokenId) -> Result<(), TokenError> {
        let pin = secret(self.row.pin);
        self.module().login(token, &pin)
    }

    /// What the module says of a token now.
    pub fn listed(&mut self, token: &TokenId) -> TokenInfo {
        let tokens = self.module().list().unwrap();
        let mut found = tokens.into_iter().filter(|listed| listed.id == *token);
        found.next().unwrap()
    }

    /// A new key, the first or the second; the user is logged in afterwards, with a login that was not used yet.
    pub fn key(&mut self, token: &TokenId, label: &str, algorithm: Algorithm) -> TokenKey {
        if self.row.keys == Keys::Ours {
            self.login(token).unwrap();
            let key = self.module().generate(token, label, algorithm).unwrap();
            self.login(token).unwrap();
            return key;
        }
        let slot = if label == "second" { 0x9c } else { 0x9a };
        let serial: u32 = token.serial.parse().unwrap();
        self.unload();
        let made = cards::make_key(serial, self.row.pin, slot, algorithm);
        let pin = secret(self.row.pin);
        // Its label follows the certificate, so the token is found again by its serial.
        let index = usize::from(serial != CARDS[0]);
        let token = self.card_token(index).id;
        self.module().login(&token, &pin).unwrap();
        let keys = self.module().keys(&token).unwrap();
        let found = keys.iter().find(|key| key.public == made);
        found
            .unwrap_or_else(|| panic!("{made:?} is not among {keys:?}"))
            .clone()
    }

    /// A login and one signature.
    pub fn signs(
        &mut self,
        token: &TokenId,
        key: &TokenKey,
        message: &[u8],
    ) -> Result<Vec<u8>, TokenError> {
        self.login(token)?;
        self.module().sign(token, key, message)
    }

    /// Whether a signature by this key came back.
    pub fn assert_signs(&mut self, token: &TokenId, key: &TokenKey) {
        let signature = self.signs(token, key, b"message").unwrap();
        assert!(verifies(key, b"message", &signature));
    }

    pub fn cards(&mut self) -> &mut cards::Cards<'a> {
        match &mut self.place {
            Place::Cards(cards) => cards,
            _ => panic!("{} has no cards", self.row.name),
        }
    }

    /// Takes the first token out.
    pub fn take_out(&mut self) {
        match &mut self.place {
            Place::Cards(cards) => cards.first().remove(),
            Place::Folder(folder) => {
                fs::rename(token_folder(folder), folder.join("drawer")).unwrap();
            }
            Place::Memory => panic!("software tokens are not taken out"),
        }
    }

    /// Puts it back.
    pub fn put_back(&mut self) {
        match &mut self.place {
            Place::Cards(cards) => cards.first().insert(),
            Place::Folder(folder) => {
                fs::rename(folder.join("drawer"), folder.join("tokens/back")).unwrap();
            }
            Place::Memory => panic!("software tokens are not put back"),
        }
    }

    /// The first card's handle, for what only a card has.
    pub fn card(&mut self) -> &Inserted {
        self.cards().first()
    }
}

/// The folder of the only `SoftHSM` token.
pub fn token_folder(folder: &Path) -> PathBuf {
    let mut found = fs::read_dir(folder.join("tokens")).unwrap();
    found.next().unwrap().unwrap().path()
}

/// Whether the public half of `key` says that it signed `message`.
pub fn verifies(key: &TokenKey, message: &[u8], signature: &[u8]) -> bool {
    let key = Key::from_public(&key.public).unwrap();
    key.verifies(message, signature)
}

/// A PIN in locked memory that no token takes.
pub fn empty() -> Secret {
    Secret::new().unwrap()
}
