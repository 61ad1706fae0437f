//! The room file: everything that belongs to this machine and this day, and to no reviewed script. Modules, tokens, media, rehearsal or production.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::ceremony::event::Mode;
use crate::plain::toml_fault;
use crate::token::uri::TokenUri;
use crate::tuf::finding::Finding;

/// The `schema` every room file says.
pub const SCHEMA: &str = "tuf-ceremony/room/1";

/// A parsed room file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    schema: String,
    /// Rehearsal or production.
    pub mode: Mode,
    /// The whole ceremony, or one holder's signature on what travelled here.
    #[serde(default)]
    pub task: Task,
    /// Modules with tokens.
    #[serde(default, rename = "module")]
    pub modules: Vec<Module>,
    /// Who is here, with which token.
    #[serde(default, rename = "holder")]
    pub holders: Vec<Holder>,
    /// Where backups go, and who can open them.
    #[serde(default)]
    pub backup: Media,
    /// Roots of attestation that a rehearsal trusts beside the makers' own.
    #[serde(default, rename = "test_root")]
    pub test_roots: Vec<TestRoot>,
}

/// The media of backups. None of them is the one that goes to PyPI.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Folder for the backup of everything and the record of its shares.
    #[serde(default)]
    pub everything: Option<PathBuf>,
    /// Folder for the export for the infrastructure.
    #[serde(default)]
    pub infrastructure: Option<PathBuf>,
    /// Files with age identities, which prove in this room that what is sealed can be opened.
    #[serde(default)]
    pub identities: Vec<PathBuf>,
    /// Folder for keys that are restored into files.
    #[serde(default)]
    pub restored: Option<PathBuf>,
    /// Those of custodians who keep their shares sealed.
    #[serde(default, rename = "custodian")]
    pub custodians: Vec<CustodianMedium>,
    /// A printer that is attached directly, for shares on paper: a device such as `/dev/usb/lp0`.
    #[serde(default)]
    pub printer: Option<PathBuf>,
}

/// Where a custodian keeps a sealed share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodianMedium {
    /// As the script calls the custodian.
    pub name: String,
    /// Folder on a medium of the custodian's own.
    pub medium: PathBuf,
    /// File with the age identity that opens the share; it lies elsewhere.
    pub identity: PathBuf,
}

/// A root of attestation that is nobody's but this rehearsal's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestRoot {
    /// A short name.
    pub name: String,
    /// The certificate, PEM or DER.
    pub path: PathBuf,
}

/// What is done here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// The ceremony.
    #[default]
    Ceremony,
    /// A signature on a travelling document.
    Sign,
}

/// A module with tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ModuleEntry")]
pub struct Module {
    /// A short name.
    pub name: String,
    /// What it is.
    pub backend: Backend,
}

/// What speaks to the tokens.
#[derive(Clone, Debug)]
pub enum Backend {
    /// A PKCS#11 module.
    Pkcs11 {
        /// Its library.
        path: PathBuf,
        /// What some modules want at initialisation (NSS).
        init_args: Option<String>,
        /// It needs the kernel's messages on USB devices (libusb).
        usb: bool,
        /// It needs the network; in rehearsals only.
        network: bool,
        /// Variables of the environment that its process is given beside the usual ones, by name.
        env: Vec<String>,
    },
    /// `YubiKeys` over PC/SC, without a library.
    Yubikey,
}

/// A `[[module]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleEntry {
    name: String,
    #[serde(default)]
    kind: ModuleKind,
    path: Option<PathBuf>,
    init_args: Option<String>,
    usb: Option<bool>,
    network: Option<bool>,
    env: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ModuleKind {
    #[default]
    Pkcs11,
    Yubikey,
}

impl Module {
    /// A PKCS#11 module that needs nothing more.
    pub fn library(name: String, path: &Path) -> Self {
        Self {
            name,
            backend: Backend::Pkcs11 {
                path: path.to_owned(),
                init_args: None,
                usb: false,
                network: false,
                env: Vec::new(),
            },
        }
    }
}

impl TryFrom<ModuleEntry> for Module {
    type Error = String;

    fn try_from(entry: ModuleEntry) -> Result<Self, String> {
        let backend = match entry.kind {
            ModuleKind::Pkcs11 => Backend::Pkcs11 {
                path: entry.path.ok_or_else(|| {
                    format!("the module {:?} names no library (path)", entry.name)
                })?,
                init_args: entry.init_args,
                usb: entry.usb.unwrap_or_default(),
                network: entry.network.unwrap_or_default(),
                env: entry.env.unwrap_or_default(),
            },
            ModuleKind::Yubikey => {
                let library = entry.path.is_some()
                    || entry.init_args.is_some()
                    || entry.usb.is_some()
                    || entry.network.is_some()
                    || entry.env.is_some();
                if library {
                    return Err(format!(
                        "the module {:?} is of the kind yubikey, which has no library: path, init_args, usb, network and env belong to the kind pkcs11",
                        entry.name
                    ));
                }
                Backend::Yubikey
            }
        };
        Ok(Self {
            name: entry.name,
            backend,
        })
    }
}

/// A holder who is here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// The name in the script.
    pub name: String,
    /// Which token: an RFC 7512 URI with a serial or a token label.
    pub token: String,
    /// The holder's register of signed digests, on the holder's own medium.
    #[serde(default)]
    pub register: Option<PathBuf>,
}

impl Room {
    /// Reads a room file strictly.
    ///
    /// # Errors
    /// Rule `ROOM-FORM`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let refuse = |text: String| Finding::error("ROOM-FORM", file, text);
        let text = std::str::from_utf8(bytes)
            .map_err(|_| refuse("the room file is not UTF-8".to_owned()))?;
        let room: Self = toml::from_str(text).map_err(|fault| refuse(toml_fault(text, &fault)))?;
        if room.schema != SCHEMA {
            return Err(refuse(format!(
                "schema is {:?}; this program reads {SCHEMA:?}",
                room.schema
            )));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = room
            .modules
            .iter()
            .map(|module| &module.name)
            .find(|name| !names.insert(*name))
        {
            return Err(refuse(format!("the module {twice:?} is listed twice")));
        }
        names.clear();
        for holder in &room.holders {
            if !names.insert(&holder.name) {
                return Err(refuse(format!(
                    "the holder {:?} is listed twice",
                    holder.name
                )));
            }
            holder.uri().map_err(refuse)?;
        }
        Ok(room)
    }
}

impl Holder {
    /// The token meant.
    ///
    /// # Errors
    /// A sentence.
    pub fn uri(&self) -> Result<TokenUri, String> {
        let uri = self
            .token
            .parse::<TokenUri>()
            .map_err(|fault| format!("the token of {:?}: {fault}", self.name))?;
        let named = uri.serial.is_some() || uri.token.is_some();
        if !named || uri.says_more() {
            return Err(format!(
                "the token of {:?} is named by its serial or its label and nothing else: keys are found by their public halves, modules are listed in [[module]]",
                self.name
            ));
        }
        Ok(uri)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Backend, Room};

    fn room(module: &str) -> Result<Room, String> {
        let text = format!(
            "schema = \"tuf-ceremony/room/1\"\nmode = \"rehearsal\"\n[[module]]\nname = \"m\"\n{module}"
        );
        Room::parse("room.toml", text.as_bytes())
            .map_err(|finding| format!("{} {}", finding.rule, finding.text))
    }

    #[test]
    fn module_is_a_library_with_its_path_or_yubikeys_without() {
        for pkcs11 in ["", "kind = \"pkcs11\"\n"] {
            let room = room(&format!("{pkcs11}path = \"/lib/p11.so\"\nusb = true")).unwrap();
            let Backend::Pkcs11 {
                path, usb, network, ..
            } = &room.modules[0].backend
            else {
                panic!("{:?}", room.modules)
            };
            assert_eq!(path.to_str(), Some("/lib/p11.so"));
            assert!(*usb && !*network);
        }
        let room = room("kind = \"yubikey\"").unwrap();
        assert!(matches!(room.modules[0].backend, Backend::Yubikey));
    }

    #[test]
    fn token_of_a_holder_is_named_by_serial_or_label_and_nothing_else() {
        let holder = |token: &str| {
            room(&format!(
                "kind = \"yubikey\"\n[[holder]]\nname = \"alice\"\ntoken = \"{token}\""
            ))
        };
        for token in ["serial=1", "pkcs11:token=x", "hsm:2?label=YubiKey+PIV+%231"] {
            assert!(holder(token).is_ok(), "{token}");
        }
        for token in ["pkcs11:serial=1;id=%02", "hsm:2?label=x&model=y"] {
            let refused = holder(token).unwrap_err();
            assert!(
                refused.contains("by its serial or its label and nothing else"),
                "{refused}"
            );
        }
    }

    #[test]
    fn module_of_another_form_is_refused() {
        for (module, said) in [
            ("", "names no library (path)"),
            ("kind = \"pkcs11\"", "names no library (path)"),
            (
                "kind = \"yubikey\"\npath = \"/lib/p11.so\"",
                "has no library",
            ),
            ("kind = \"yubikey\"\ninit_args = \"x\"", "has no library"),
            ("kind = \"yubikey\"\nusb = false", "has no library"),
            ("kind = \"yubikey\"\nnetwork = true", "has no library"),
            ("kind = \"yubikey\"\nenv = []", "has no library"),
            ("kind = \"smartcard\"", "smartcard"),
            ("path = \"/lib/p11.so\"\nslot = 1", "slot"),
        ] {
            let refused = room(module).unwrap_err();
            assert!(
                refused.contains("ROOM-FORM") && refused.contains(said),
                "{module}: {refused}"
            );
        }
    }
}
