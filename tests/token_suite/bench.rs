//! What a claim works with: a module, and a person's hands to bring tokens, keys and cards.

use std::fs;
use std::path::{Path, PathBuf};

use tuf_ceremony::ceremony::port::{Leaves, TokenError, TokenId, TokenInfo, TokenKey};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::token::worker::{Backend, Keeper, Limits, Setup, WorkerModule};
use tuf_ceremony::token::yubikey::YubikeyModule;
use tuf_ceremony::tuf::key::{Algorithm, Key};
use virtual_yubikey::{Firmware, Inserted};

use super::row::{Keys, Row, Stage};
use super::{SO_PIN, cards, hardware, secret, stage};

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
    /// Whether the module is loaded in a worker, as the program does it.
    in_worker: bool,
    keeper: Option<Keeper>,
}

/// Where the tokens are.
pub enum Place<'a> {
    Memory,
    Folder(&'a Path),
    Cards(cards::Cards<'a>),
    Real(hardware::Real),
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
            in_worker: true,
            keeper: None,
        }
    }

    /// Loads the module into this process from now on.
    pub fn without_worker(&mut self) {
        self.in_worker = false;
    }

    /// A folder for this test.
    pub fn folder(&self) -> &Path {
        match &self.place {
            Place::Memory | Place::Real(_) => panic!("{} has no folder", self.row.name),
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

    /// Nobody is logged in any more, and what the module remembers is gone; tokens of software would go with it.
    pub fn begin_anew(&mut self, token: &TokenId) {
        self.module().logout(token);
        if self.row.stage != Stage::Memory {
            self.unload();
        }
    }

    /// Loads this library in place of the row's own, from now on.
    pub fn load_instead(&mut self, library: PathBuf) {
        self.unload();
        self.library = Some(library);
    }

    fn load(&mut self) -> Box<dyn Module> {
        if self.row.stage == Stage::Memory {
            return Box::new(SoftwareModule::new(MODULE));
        }
        let init_args = (self.row.stage == Stage::Nss).then(|| stage::nss_arguments(self.folder()));
        let library = self.row.library.as_ref().map(|library| library.path.into());
        let name = MODULE.to_owned();
        let backend = match self.library.clone().or(library) {
            Some(path) => Backend::Pkcs11 {
                name,
                path,
                init_args,
            },
            None => Backend::Yubikey { name },
        };
        if self.in_worker {
            let program = Path::new(env!("CARGO_BIN_EXE_tuf-ceremony"));
            let keeper = self
                .keeper
                .get_or_insert_with(|| Keeper::start(program).unwrap());
            let setup = Setup::of(backend);
            return Box::new(WorkerModule::start(keeper, setup, Limits::default()).unwrap());
        }
        match backend {
            Backend::Pkcs11 {
                name,
                path,
                init_args,
            } => Box::new(Pkcs11Module::load(&name, path, init_args.as_deref()).unwrap()),
            Backend::Yubikey { name } => Box::new(YubikeyModule::new(&name).unwrap()),
        }
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
                let card = usize::from(label != "one");
                let serial = self.card_serial(card);
                self.unload();
                if let Place::Cards(cards) = &mut self.place {
                    cards.bring(serial, Firmware::V5_7_1);
                }
                cards::provision(serial, self.row.pin);
                if self.row.keys == Keys::Beforehand {
                    // OpenSC shows no token where there is no key.
                    cards::make_key(serial, self.row.pin, 0x9a, Algorithm::EcdsaP256);
                }
                let wanted = self.row.serial_of(serial);
                let tokens = self.module().list().unwrap();
                let mut found = tokens.iter().filter(|token| token.id.serial == wanted);
                found
                    .next()
                    .unwrap_or_else(|| panic!("{wanted} is not among {tokens:?}"))
                    .clone()
            }
        }
    }

    /// The serial on the case of the first or second card.
    pub fn card_serial(&self, card: usize) -> u32 {
        match &self.place {
            Place::Real(real) => {
                assert_eq!(card, 0, "there is one real card");
                real.serial
            }
            _ => CARDS[card],
        }
    }

    /// What it signs with; Ed25519 came with firmware 5.7.
    pub fn algorithms(&mut self, token: &TokenId) -> Vec<Algorithm> {
        let mut algorithms = self.row.signs.to_vec();
        if let (Place::Real(_), None) = (&self.place, &self.row.library) {
            let firmware = self.listed(token).firmware.unwrap();
            let mut parts = firmware.split('.').map(|part| part.parse::<u32>().unwrap());
            let version = (parts.next().unwrap(), parts.next().unwrap());
            algorithms.retain(|algorithm| *algorithm != Algorithm::Ed25519 || version >= (5, 7));
        }
        algorithms
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
            let key = self
                .module()
                .generate(token, label, algorithm, Leaves::Never)
                .unwrap();
            self.login(token).unwrap();
            return key;
        }
        let key = self.try_key(token, label, algorithm).unwrap();
        key.expect("the module shows the key")
    }

    /// A key that somebody else makes; none where the module does not show it, an error where it shows none at all then.
    pub fn try_key(
        &mut self,
        token: &TokenId,
        label: &str,
        algorithm: Algorithm,
    ) -> Result<Option<TokenKey>, TokenError> {
        let slot = if label == "second" { 0x9c } else { 0x9a };
        let is_first = token.serial == self.row.serial_of(self.card_serial(0));
        let card = self.card_serial(usize::from(!is_first));
        self.unload();
        let made = cards::make_key(card, self.row.pin, slot, algorithm);
        self.login(token).unwrap();
        let keys = self.module().keys(token)?;
        Ok(keys.into_iter().find(|key| key.public == made))
    }

    /// The keys that were made here.
    pub fn keys(&mut self, token: &TokenId) -> Vec<TokenKey> {
        let also = self.row.also_lists;
        let mut keys = self.module().keys(token).unwrap();
        keys.retain(|key| !also.contains(&key.label.as_str()));
        keys
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
            Place::Real(real) => real.take_out(),
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
            Place::Real(real) => real.put_back(),
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
