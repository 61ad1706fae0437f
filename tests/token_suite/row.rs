//! What a row of the matrix is: a kind of token and the way to it, described as data.

use tuf_ceremony::ceremony::event::Custody;
use tuf_ceremony::ceremony::port::{TokenFault, Usage};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::tuf::key::Algorithm;

/// One row: what it is, how its stage is set, and what the claims may expect of it.
pub struct Row {
    /// As docs/tokens.md calls it.
    pub name: &'static str,
    /// Where its tokens are.
    pub stage: Stage,
    /// Its library; none where the program speaks to the tokens itself.
    pub library: Option<Needed>,
    /// What else has to be installed.
    pub needs: &'static [Needed],
    /// The user PIN that the tokens are given.
    pub pin: &'static str,
    /// PINs of the right form that are wrong.
    pub wrong: &'static str,
    /// Who makes its keys.
    pub keys: Keys,
    /// Its serials are from the cards' CHUIDs, not from their cases.
    pub calls_cards_by_chuid: bool,
    /// The label of a token that was called `one`; `#` stands for `#` and a card's serial.
    pub label: &'static str,
    /// What keys it signs with.
    pub signs: &'static [Algorithm],
    /// What it says of how it keeps a key.
    pub custody: Custody,
    /// What it says of how it keeps a key that was made elsewhere and brought in; none: it does not show it.
    pub custody_of_imported: Option<Custody>,
    /// What it says of using a key.
    pub usage: Usage,
    /// What it tells of its PIN counter: at first, and after each of four wrong PINs.
    pub tries: [Tries; 5],
    /// What wrong PINs are answered with.
    pub refusals: [TokenFault; 4],
    /// After how many wrong PINs the right one is refused too; none: not after four.
    pub locks_after: Option<usize>,
    /// Whether a right PIN puts the counter back.
    pub right_pin_resets: bool,
    /// How many certificates vouch for a key.
    pub attestation: usize,
    /// Labels of keys that are there from the factory on.
    pub also_lists: &'static [&'static str],
    /// What no claim can hold, for docs/tokens.md.
    pub gaps: &'static str,
}

/// A file and the Debian package that has it.
pub struct Needed {
    pub path: &'static str,
    pub package: &'static str,
}

/// Where the tokens of a row are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// In this process.
    Memory,
    /// In a folder, through `SOFTHSM2_CONF`.
    SoftHsm,
    /// A database in a folder, through the module's init arguments.
    Nss,
    /// A swtpm behind a socket in a folder, through `TPM2_PKCS11_TCTI` and `TPM2_PKCS11_STORE`.
    Swtpm,
    /// Virtual `YubiKeys` in the readers of a private pcscd.
    Cards,
}

/// Who makes the keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// This program, through the module.
    Ours,
    /// Somebody else, before the module is loaded.
    Beforehand,
}

impl Row {
    /// What this row calls the card with this serial on its case.
    pub fn serial_of(&self, card: u32) -> String {
        if self.calls_cards_by_chuid {
            // The end of the UUID that the suite gives a card: there is room for 16 digits.
            format!("5a5a5a5a{card:08x}")
        } else {
            card.to_string()
        }
    }

    /// The label of the first token, or of the card with this serial.
    pub fn label_of(&self, card: u32) -> String {
        self.label.replace('#', &format!("#{card}"))
    }
}

impl Needed {
    /// Complains where it is missing.
    pub fn check(&self) {
        let Self { path, package } = self;
        let there = if path.starts_with('/') {
            std::path::Path::new(path).exists()
        } else {
            let folders = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&folders).any(|folder| folder.join(path).exists())
        };
        assert!(
            there,
            "{path} is missing.\nInstall the Debian package {package}: apt-get install {package}"
        );
    }
}

#[test]
fn missing_package_is_named() {
    let needed = Needed {
        path: "/usr/lib/no-such-module.so",
        package: "no-such-package",
    };
    let refused = std::panic::catch_unwind(|| needed.check()).unwrap_err();
    assert_eq!(
        refused.downcast_ref::<String>().unwrap(),
        "/usr/lib/no-such-module.so is missing.\nInstall the Debian package no-such-package: apt-get install no-such-package"
    );
    for row in super::rows::ALL {
        let mut needs = row.library.iter().chain(row.needs);
        assert!(needs.all(|needed| !needed.package.is_empty() && !needed.path.is_empty()));
    }
}
