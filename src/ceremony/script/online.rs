//! The keys of servers.

use serde::Deserialize;

use super::{Backup, check_name};
use crate::tuf::key::Algorithm;

/// A server's key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Online {
    /// For people.
    pub name: String,
    /// `timestamp`, `snapshot`, `recently-claimed`, `bin-n`.
    pub roles: Vec<String>,
    /// SPKI PEM, or 64 hexadecimal digits for Ed25519.
    #[serde(default)]
    pub public: Option<String>,
    /// Made in memory in this ceremony instead, and sealed for the infrastructure.
    #[serde(default)]
    pub generate: Option<Algorithm>,
    /// Where the private half lives and how that is known; for people and the record.
    pub provenance: String,
}

impl Online {
    /// A key that is made here and sealed for nobody would be lost with this machine's memory.
    pub(super) fn check(&self, backup: Option<&Backup>) -> Result<(), (&'static str, String)> {
        let name = &self.name;
        let sealed = backup.is_some_and(|backup| !backup.infrastructure.is_empty());
        match self.generate {
            _ if self.public.is_some() == self.generate.is_some() => Err((
                "SCRIPT-KEY",
                format!("the online key {name:?} says one of public and generate"),
            )),
            Some(Algorithm::RsaPss) => Err((
                "SCRIPT-KEY",
                format!(
                    "the online key {name:?}: RSA keys are verified, not made; use ed25519 or ecdsa-p256"
                ),
            )),
            Some(_) if !sealed => Err((
                "SCRIPT-BACKUP",
                format!(
                    "the online key {name:?} is made in this ceremony and nobody would get it: give backup.infrastructure"
                ),
            )),
            Some(_) => check_name(name),
            None => Ok(()),
        }
    }
}
