//! The keys a script means: found in trusted metadata, written in the script, or made in this ceremony.

use super::decisions::Decisions;
use super::event::Mode;
use super::intake::Trusted;
use super::progress::Enrolled;
use super::script::{Custody, HolderKey, Online, ROLES, Role, Script, keys_role};
use super::{EPHEMERAL, ONLINE, made_online};
use crate::tuf::edit::RoleSpec;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::{self, Limits};
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::metadata::{Root, Targets};

/// Everything candidates are built from.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    /// The script.
    pub script: &'a Script,
    /// What was carried in.
    pub trusted: &'a Trusted,
    /// Keys that showed themselves.
    pub enrolled: &'a [Enrolled],
    /// What people decided about requests; none before they could, where everything that could be accepted stands for accepted.
    pub decisions: Option<&'a Decisions>,
    /// Rehearsal or production.
    pub mode: Mode,
}

impl Material<'_> {
    /// Whether the script gives a role other keys or another threshold than it has.
    pub fn changes_keys(&self, role: &Role) -> bool {
        role.holders.is_some() || role.threshold.is_some() || role.keys == Some(Custody::Ephemeral)
    }

    /// The keys and threshold of an offline role as they shall be.
    ///
    /// # Errors
    /// Rules `SCRIPT-ROLE` and `KEY-*`.
    pub fn role(&self, name: &str) -> Result<RoleSpec, Finding> {
        let refuse = |text: String| Finding::error("SCRIPT-ROLE", "", text);
        let current = self.trusted.role(name);
        let wanted = self.script.role(name);
        let threshold = wanted
            .and_then(|role| role.threshold)
            .or(current.as_ref().map(|(_, keys)| keys.threshold))
            .ok_or_else(|| refuse(format!("the script says no threshold for {name}")))?;
        let keys = match wanted {
            Some(role) if role.keys == Some(Custody::Ephemeral) => self.ephemeral(name),
            Some(Role {
                holders: Some(holders),
                ..
            }) => holders
                .iter()
                .map(|holder| self.listed(holder, name))
                .collect::<Result<_, _>>()?,
            _ => current
                .map(|(keys, _)| keys.into_iter().map(|(_, key)| key).collect())
                .ok_or_else(|| {
                    refuse(format!(
                        "the script lists no holders for {name}, and nothing trusted has it"
                    ))
                })?,
        };
        Ok(RoleSpec { keys, threshold })
    }

    /// The keys of servers for one online role.
    ///
    /// # Errors
    /// Rule `KEY-FORM` and its kin.
    pub fn online(&self, role: &str) -> Result<RoleSpec, Finding> {
        let keys = self
            .script
            .online
            .iter()
            .filter(|online| online.roles.iter().any(|name| name == role))
            .map(|online| self.online_key(online))
            .collect::<Result<Vec<_>, _>>()?;
        if !keys.is_empty() {
            return Ok(RoleSpec { keys, threshold: 1 });
        }
        let (keys, current) = self.trusted.role(role).ok_or_else(|| {
            Finding::error(
                "SCRIPT-ONLINE",
                "",
                format!("the script lists no online key for {role}, and nothing trusted has one"),
            )
        })?;
        Ok(RoleSpec {
            keys: keys.into_iter().map(|(_, key)| key).collect(),
            threshold: current.threshold,
        })
    }

    /// A server's key: the script says its public half, or it is made in this ceremony.
    ///
    /// # Errors
    /// Rule `KEY-FORM` and its kin, `SCRIPT-ONLINE`.
    pub fn online_key(&self, online: &Online) -> Result<Key, Finding> {
        if let Some(public) = &online.public {
            return parse_public(public, &online.name);
        }
        let made = self.made(&made_online(&online.name), ONLINE);
        made.map(|(_, key)| key).ok_or_else(|| {
            let text = format!("the online key {} was not made yet", online.name);
            Finding::error("SCRIPT-ONLINE", "", text)
        })
    }

    /// The root that will hold: the new one, else the trusted one.
    ///
    /// # Errors
    /// What the reader refuses.
    pub fn root_in_force(&self, new: Option<&Envelope>) -> Result<Option<Root>, Finding> {
        match new {
            Some(new) => Root::read("root", new).map(Some),
            None => Ok(self.trusted.root().map(|chained| chained.root.clone())),
        }
    }

    /// The targets or bins that will hold: the new one, else the trusted one.
    ///
    /// # Errors
    /// What the reader refuses.
    pub fn targets_in_force(
        &self,
        role: &str,
        new: Option<&Envelope>,
    ) -> Result<Option<Targets>, Finding> {
        let envelope = new.or_else(|| self.trusted.envelope(role));
        envelope
            .map(|envelope| Targets::read(role, envelope))
            .transpose()
    }

    /// The key a holder enrolled for a role.
    pub fn made(&self, holder: &str, role: &str) -> Option<(KeyId, Key)> {
        let enrolled = self
            .enrolled
            .iter()
            .rev()
            .find(|key| key.holder == holder && key.role == role)?;
        Some((enrolled.keyid.clone(), parse_object(&enrolled.key)?))
    }

    /// The name for a key in plans, quorums and minutes.
    pub fn holder_name(&self, keyid: &KeyId, key: &Key) -> String {
        let enrolled = self
            .enrolled
            .iter()
            .find(|enrolled| enrolled.keyid == *keyid)
            .map(|enrolled| enrolled.holder.clone());
        let listed = || {
            self.script
                .holders
                .iter()
                .find(|holder| has_public(holder, keyid))
                .map(|holder| holder.name.clone())
        };
        enrolled
            .or_else(|| {
                self.trusted
                    .holder_of(self.script, keyid)
                    .map(|(name, _)| name.to_owned())
            })
            .or_else(listed)
            .or_else(|| key.owner().map(ToOwned::to_owned))
            .unwrap_or_else(|| format!("unnamed holder of {keyid}"))
    }

    /// The keys made in memory for a role.
    fn ephemeral(&self, name: &str) -> Vec<Key> {
        self.enrolled
            .iter()
            .filter(|key| key.holder == EPHEMERAL && key.role == name)
            .filter_map(|key| parse_object(&key.key))
            .collect()
    }

    /// The key of a holder that shall be listed for a role.
    fn listed(&self, holder: &str, role: &str) -> Result<Key, Finding> {
        let said = self.script.holder(holder).and_then(|known| known.key(role));
        let found = match said {
            Some(HolderKey {
                public: Some(public),
                ..
            }) => Some(parse_public(public, holder)?),
            Some(HolderKey {
                generate: Some(_), ..
            }) => self.made(holder, role).map(|(_, key)| key),
            Some(HolderKey {
                keyid: Some(keyid), ..
            }) => self
                .trusted_key(keyid)
                .or_else(|| self.made(holder, role).map(|(_, key)| key)),
            _ => None,
        };
        found.ok_or_else(|| {
            Finding::error("SCRIPT-ROLE", "", format!("the key of {holder} for {role} is neither in trusted metadata nor did it show itself"))
        })
    }

    fn trusted_key(&self, keyid: &KeyId) -> Option<Key> {
        ROLES.into_iter().find_map(|role| {
            let (keys, _) = self.trusted.role(role)?;
            keys.into_iter()
                .find(|(known, _)| known == keyid)
                .map(|(_, key)| key)
        })
    }
}

fn has_public(holder: &super::script::Holder, keyid: &KeyId) -> bool {
    holder
        .keys()
        .filter_map(|(_, key)| key.public.as_ref())
        .any(|public| parse_public(public, &holder.name).is_ok_and(|key| key.keyid() == *keyid))
}

/// Whether a keyid is in the trusted metadata of a role.
pub fn is_trusted(trusted: &Trusted, role: &str, keyid: &KeyId) -> bool {
    // Custody has no keys of its own: its first version is signed by keys that are trusted for claimed.
    [role, keys_role(role)].into_iter().any(|role| {
        let keys = trusted.role(role);
        keys.is_some_and(|(keys, _)| keys.iter().any(|(known, _)| known == keyid))
    })
}

/// Reads a public key as scripts write it: SPKI PEM, or 64 hexadecimal digits for Ed25519.
///
/// # Errors
/// Rule `KEY-FORM` and its kin; `owner` names whose key it is.
pub fn parse_public(text: &str, owner: &str) -> Result<Key, Finding> {
    let refuse = |rule: &str, text: &str| {
        Finding::error(rule, "", format!("the public key of {owner}: {text}"))
    };
    let public = PublicKey::from_text(text).map_err(|fault| refuse(fault.rule, &fault.text))?;
    Key::from_public(&public).ok_or_else(|| refuse("KEY-FORM", "a type that cannot be listed"))
}

/// Reads a key object from its JSON text.
pub fn parse_object(text: &str) -> Option<Key> {
    json::check(text.as_bytes(), Limits::SMALL)
        .ok()
        .and_then(|object| Key::from_json(object).ok())
}
