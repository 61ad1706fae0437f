//! The room file: everything that belongs to this machine and this day, and to no reviewed script. Modules, tokens, media, rehearsal or production.

use std::collections::BTreeSet;
use std::path::PathBuf;

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
    /// PKCS#11 modules.
    #[serde(default, rename = "module")]
    pub modules: Vec<Module>,
    /// Who is here, with which token.
    #[serde(default, rename = "holder")]
    pub holders: Vec<Holder>,
    /// Roots of attestation that a rehearsal trusts beside the makers' own.
    #[serde(default, rename = "test_root")]
    pub test_roots: Vec<TestRoot>,
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

/// A PKCS#11 module.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// A short name.
    pub name: String,
    /// Its library.
    pub path: PathBuf,
    /// What some modules want at initialisation (NSS).
    #[serde(default)]
    pub init_args: Option<String>,
    /// It needs the kernel's messages on USB devices (libusb).
    #[serde(default)]
    pub usb: bool,
    /// It needs the network; in rehearsals only.
    #[serde(default)]
    pub network: bool,
    /// Variables of the environment that its process is given beside the usual ones, by name.
    #[serde(default)]
    pub env: Vec<String>,
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
        let more = uri.manufacturer.is_some()
            || uri.model.is_some()
            || uri.id.is_some()
            || uri.object.is_some()
            || uri.module_path.is_some();
        if !named || more {
            return Err(format!(
                "the token of {:?} is named by its serial or its label and nothing else: keys are found by their public halves, modules are listed in [[module]]",
                self.name
            ));
        }
        Ok(uri)
    }
}
