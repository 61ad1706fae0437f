//! What a script says of backups: what may be sealed, for whom, and what is brought back.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::check_name;
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// What is backed up, and who opens it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// So many custodians together open the backup of everything.
    pub needed: u8,
    /// Who gets a share, in the order of the shares.
    pub custodians: Vec<String>,
    /// Custodians whose shares are not on paper: the age recipient that a share is sealed to, for a medium of the custodian's own.
    #[serde(default)]
    pub sealed: BTreeMap<String, String>,
    /// age recipients, each of whom alone opens the export for the infrastructure: metadata and online keys. None: there is no such export.
    #[serde(default)]
    pub infrastructure: Vec<String>,
    /// Whether the files are text (age's armor) instead of bytes.
    #[serde(default)]
    pub armored: bool,
}

/// Which backup is opened, and what is taken out of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// SHA-256 of the backup's age file.
    pub backup_sha256: Sha256,
    /// Who come with their shares; every group of them that is large enough is tried.
    pub custodians: Vec<String>,
    /// What is restored; none in a drill, where nothing leaves locked memory.
    #[serde(default, rename = "key")]
    pub keys: Vec<RestoredKey>,
}

/// One key that is brought back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoredKey {
    /// As trusted metadata lists it.
    pub keyid: KeyId,
    /// To whose token; none: it is an online key and goes into a file.
    #[serde(default)]
    pub holder: Option<String>,
}

/// How a holder's key that is made may leave its token later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackedUpAs {
    /// As a blob under a trusted wrapping key, which is in the backup.
    Wrapped,
}

impl Backup {
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        distinct("backup.custodians", &self.custodians)?;
        let of = self.custodians.len();
        if !(2..=of).contains(&usize::from(self.needed)) || of > 16 {
            let text = format!(
                "backup: any {} of {of} custodians; at least 2 and at most all of them open a backup, and there are at most 16",
                self.needed
            );
            return Err(("SCRIPT-BACKUP", text));
        }
        let mut sealed = self.sealed.keys();
        match sealed.find(|name| !self.custodians.contains(name)) {
            Some(name) => Err((
                "SCRIPT-BACKUP",
                format!("backup.sealed.{name}: backup.custodians does not list {name}"),
            )),
            None => Ok(()),
        }
    }
}

impl Restore {
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        distinct("restore.custodians", &self.custodians)?;
        let mut keyids = BTreeSet::new();
        match self.keys.iter().find(|key| !keyids.insert(&key.keyid)) {
            Some(twice) => Err((
                "SCRIPT-RESTORE",
                format!("restore: the key {} is listed twice", twice.keyid),
            )),
            None => Ok(()),
        }
    }
}

fn distinct(place: &str, names: &[String]) -> Result<(), (&'static str, String)> {
    let mut seen = BTreeSet::new();
    for name in names {
        check_name(name)?;
        if !seen.insert(name) {
            return Err((
                "SCRIPT-BACKUP",
                format!("{place} lists {name} twice: nobody holds two shares"),
            ));
        }
    }
    Ok(())
}
