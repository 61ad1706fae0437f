//! The ceremony script: what is to become true, and whose keys make it so. It names no module, slot, serial, PIN, path or mode: its bytes are the
//! same in rehearsal and in production, and its digest is part of the ceremony id.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::event::{Abandoned, Document};
use crate::plain::toml_fault;
use crate::pypi::shards::is_shard;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::key::{Algorithm, KeyId};

mod backup;
mod changes;
mod holder;
mod online;
mod role;

pub use backup::{BackedUpAs, Backup, Restore, RestoredKey};
pub use changes::{Archive, Claim, Rotate, Shards};
pub use holder::{Holder, HolderKey};
pub use online::Online;
pub use role::{Custody, Role};

/// The offline roles that ceremonies sign, in order of trust: a role is delegated by one before it. `bins` belongs to a PEP 458 tree, the three before it to
/// PEP 480's.
pub const ROLES: [&str; 6] = ["root", "targets", "claimed", "custody", "unclaimed", "bins"];

/// The role that names the keys of another; none for root, which names its own.
pub fn delegator_of(role: &str) -> Option<&'static str> {
    match role {
        "targets" => Some("root"),
        "claimed" | "unclaimed" | "bins" => Some("targets"),
        "custody" => Some("claimed"),
        shard if is_shard(shard) => Some("claimed"),
        _ => None,
    }
}

/// The role whose holders sign another: custody and the shards are signed by those who sign claimed.
pub fn keys_role(role: &str) -> &str {
    if role == "custody" || is_shard(role) {
        "claimed"
    } else {
        role
    }
}

/// The `schema` every script says.
pub const SCHEMA: &str = "tuf-ceremony/script/1";
/// Longest script, in bytes.
pub const LONGEST: usize = 1 << 20;

/// A parsed script.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    schema: String,
    /// Which ceremony.
    pub kind: String,
    /// One line for people.
    pub title: String,
    /// Several people in one room, or one holder alone.
    pub profile: Profile,
    /// SHA-256 of the trusted root's file; none at genesis.
    #[serde(default)]
    pub trusted_root_sha256: Option<Sha256>,
    /// What root shall say.
    #[serde(default)]
    pub root: Option<Role>,
    /// What targets shall say.
    #[serde(default)]
    pub targets: Option<Role>,
    /// What the delegator of claimed projects shall say (PEP 480).
    #[serde(default)]
    pub claimed: Option<Role>,
    /// What the role of projects without trusted developer keys shall say (docs/decisions/0017).
    #[serde(default)]
    pub custody: Option<Role>,
    /// What the delegator of the hash bins shall say, in a PEP 480 tree.
    #[serde(default)]
    pub unclaimed: Option<Role>,
    /// What the delegator of the hash bins shall say, in a PEP 458 tree.
    #[serde(default)]
    pub bins: Option<Role>,
    /// The people.
    #[serde(default, rename = "holder")]
    pub holders: Vec<Holder>,
    /// Keys of servers, by their public halves.
    #[serde(default)]
    pub online: Vec<Online>,
    /// What a claim goes by.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// What a rotation of developers' keys goes by.
    #[serde(default)]
    pub rotate: Option<Rotate>,
    /// What is backed up, and who opens it.
    #[serde(default)]
    pub backup: Option<Backup>,
    /// Which backup is opened.
    #[serde(default)]
    pub restore: Option<Restore>,
    /// How claimed is divided; none where it has no shards.
    #[serde(default)]
    pub shards: Option<Shards>,
    /// Published repositories carried in, the newest first.
    #[serde(default, rename = "archive")]
    pub archives: Vec<Archive>,
    /// Payloads of the same version given up for this ceremony's.
    #[serde(default)]
    pub supersedes: Vec<GivenUp>,
    /// For `abort`: what is given up.
    #[serde(default)]
    pub abandons: Vec<GivenUp>,
}

/// Who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Several people and witnesses.
    Room,
    /// One holder.
    Alone,
}

/// A payload that shall never be published.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenUp {
    /// Which role.
    pub role: String,
    /// Which version.
    pub version: u64,
    /// SHA-256 of the payload.
    pub sha256: Sha256,
    /// Holders whose signatures over it exist or may exist.
    pub signed_by: Vec<String>,
}

impl From<&GivenUp> for Abandoned {
    fn from(given_up: &GivenUp) -> Self {
        Self {
            document: Document {
                role: given_up.role.clone(),
                version: given_up.version,
            },
            payload: given_up.sha256,
            signed_by: given_up.signed_by.clone(),
        }
    }
}

impl Script {
    /// Reads a script strictly: unknown keys are errors, and so is anything two readers could take differently.
    ///
    /// # Errors
    /// Rules `SCRIPT-TOML` (with line and column), `SCRIPT-SCHEMA`, `SCRIPT-NAME`, `SCRIPT-HOLDER`, `SCRIPT-KEY`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        let refuse = |rule: &str, text: String| Finding::error(rule, file, text);
        if bytes.len() > LONGEST {
            return Err(refuse(
                "SCRIPT-TOML",
                format!(
                    "the script is {} bytes long; at most {LONGEST} are read",
                    bytes.len()
                ),
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|fault| {
            refuse(
                "SCRIPT-TOML",
                format!("bytes that are not UTF-8 at offset {}", fault.valid_up_to()),
            )
        })?;
        let script: Self = toml::from_str(text)
            .map_err(|fault| refuse("SCRIPT-TOML", toml_fault(text, &fault)))?;
        if script.schema != SCHEMA {
            return Err(refuse(
                "SCRIPT-SCHEMA",
                format!(
                    "schema is {:?}; this program reads {SCHEMA:?}",
                    script.schema
                ),
            ));
        }
        script.check().map_err(|(rule, text)| refuse(rule, text))?;
        Ok(script)
    }

    /// The roles this script makes a version of, in the order of [`ROLES`].
    pub fn roles(&self) -> Vec<(&'static str, &Role)> {
        ROLES
            .into_iter()
            .filter_map(|name| Some((name, self.role(name)?)))
            .collect()
    }

    /// What the script says of a role.
    pub fn role(&self, name: &str) -> Option<&Role> {
        match name {
            "root" => self.root.as_ref(),
            "targets" => self.targets.as_ref(),
            "claimed" => self.claimed.as_ref(),
            "custody" => self.custody.as_ref(),
            "unclaimed" => self.unclaimed.as_ref(),
            "bins" => self.bins.as_ref(),
            _ => None,
        }
    }

    /// Whether a new key is given for an online role.
    pub fn has_online(&self, role: &str) -> bool {
        let mut roles = self.online.iter().flat_map(|online| &online.roles);
        roles.any(|name| name == role)
    }

    /// A holder by name.
    pub fn holder(&self, name: &str) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.name == name)
    }

    /// The holder whose key this is or was, by the script.
    pub fn holder_of(&self, keyid: &KeyId) -> Option<&Holder> {
        self.holders.iter().find(|holder| {
            holder.keys().any(|(_, key)| {
                key.keyid.as_ref() == Some(keyid) || key.old_keyid.as_ref() == Some(keyid)
            })
        })
    }

    fn check(&self) -> Result<(), (&'static str, String)> {
        let mut names = BTreeSet::new();
        for holder in &self.holders {
            check_name(&holder.name)?;
            if !names.insert(&holder.name) {
                return Err((
                    "SCRIPT-HOLDER",
                    format!("the holder {} is listed twice", holder.name),
                ));
            }
            holder.check()?;
            for (role, key) in holder.keys() {
                check_key(&holder.name, role, key)?;
            }
        }
        for (name, role) in self.roles() {
            self.check_role(name, role)?;
        }
        for online in &self.online {
            online.check(self.backup.as_ref())?;
        }
        match &self.backup {
            Some(backup) => backup.check()?,
            None => self.check_unsealed()?,
        }
        if let Some(restore) = &self.restore {
            restore.check()?;
        }
        if let Some(shards) = &self.shards {
            shards.dates().map_err(|text| ("SHARD-EXPIRES", text))?;
            if shards.projects == 0 {
                let text = "shards.projects is 0: a shard holds one project at least";
                return Err(("SCRIPT-KEY", text.to_owned()));
            }
        }
        Ok(())
    }

    /// A key that can leave its token and is in no backup is the worst of both.
    fn check_unsealed(&self) -> Result<(), (&'static str, String)> {
        let keys = self.holders.iter().flat_map(|holder| {
            let keys = holder.keys();
            keys.map(|(role, key)| (&holder.name, role, key))
        });
        let mut leaving = keys.filter(|(_, _, key)| key.backup.is_some());
        leaving.next().map_or(Ok(()), |(holder, role, _)| {
            let text = format!("{holder}.{role}.backup lets the key leave its token, and nothing is backed up: give [backup], or remove it");
            Err(("SCRIPT-BACKUP", text))
        })
    }

    fn check_role(&self, name: &str, role: &Role) -> Result<(), (&'static str, String)> {
        let mut seen = BTreeSet::new();
        for holder in role.holders.iter().flatten() {
            if !seen.insert(holder) {
                return Err((
                    "SCRIPT-HOLDER",
                    format!("{name}.holders lists {holder} twice"),
                ));
            }
            let listed = self.holder(holder).and_then(|known| known.key(name));
            if !listed.is_some_and(HolderKey::is_listed) {
                return Err((
                    "SCRIPT-HOLDER",
                    format!(
                        "{name}.holders lists {holder}, who has no key for {name} in this script"
                    ),
                ));
            }
        }
        let has_bins = ["bins", "unclaimed"].contains(&name);
        if !has_bins && (role.bit_length.is_some() || role.name_prefix.is_some()) {
            return Err((
                "SCRIPT-KEY",
                format!(
                    "{name} has no bins; bit_length and name_prefix belong to [unclaimed] or [bins]"
                ),
            ));
        }
        let own_keys = role.keys.is_some() || role.holders.is_some() || role.threshold.is_some();
        if name == "custody" && own_keys {
            return Err((
                "SCRIPT-KEY",
                "custody has no keys of its own: claimed's sign it; [custody] may say version and expires only".to_owned(),
            ));
        }
        match role.keys {
            Some(Custody::Ephemeral) if role.holders.is_some() => Err((
                "SCRIPT-KEY",
                format!("{name} has ephemeral keys and lists holders; it can have one of them"),
            )),
            Some(Custody::Ephemeral) if role.algorithms.as_ref().is_none_or(Vec::is_empty) => {
                Err((
                    "SCRIPT-KEY",
                    format!("{name} has ephemeral keys and no algorithms: say one for each key"),
                ))
            }
            Some(Custody::Retained) | None if role.algorithms.is_some() => Err((
                "SCRIPT-KEY",
                format!("{name}.algorithms is for ephemeral keys; holders say generate"),
            )),
            _ => Ok(()),
        }
    }
}

fn check_name(name: &str) -> Result<(), (&'static str, String)> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let taken = [super::EPHEMERAL, super::SPARE];
    if !plain || name.is_empty() || name.len() > 32 || taken.contains(&name) {
        return Err((
            "SCRIPT-NAME",
            format!(
                "{name:?} cannot be a name: 1 to 32 of a-z, 0-9 and -, and not {}",
                taken.join(" or ")
            ),
        ));
    }
    Ok(())
}

fn check_key(holder: &str, role: &str, key: &HolderKey) -> Result<(), (&'static str, String)> {
    let ways = usize::from(key.keyid.is_some())
        + usize::from(key.public.is_some())
        + usize::from(key.generate.is_some());
    if ways > 1 {
        return Err((
            "SCRIPT-KEY",
            format!("{holder}.{role} says more than one of keyid, public and generate"),
        ));
    }
    if key.backup.is_some() && key.generate.is_none() && key.keyid.is_none() {
        return Err((
            "SCRIPT-BACKUP",
            format!(
                "{holder}.{role}.backup: a token's key is backed up where it is made or shown; give generate or keyid"
            ),
        ));
    }
    if ways == 0 && key.old_keyid.is_none() {
        return Err((
            "SCRIPT-KEY",
            format!("{holder}.{role} says no key: give keyid, public, generate or old_keyid"),
        ));
    }
    if key.generate == Some(Algorithm::RsaPss) {
        return Err((
            "SCRIPT-KEY",
            format!("{holder}.{role}: RSA keys are verified, not made; use ecdsa-p256"),
        ));
    }
    Ok(())
}
