//! The people of a script and their keys.

use serde::Deserialize;

use super::{BackedUpAs, ROLES, keys_role};
use crate::tuf::key::{Algorithm, KeyId};

/// One person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Short name: lower-case letters, digits and hyphens.
    pub name: String,
    /// For people: name and affiliation.
    pub person: String,
    /// Where the PIN of the token is kept, for the register: "envelope 12, safe of the board".
    #[serde(default)]
    pub pin_kept: Option<String>,
    /// The key for root.
    #[serde(default)]
    pub root: Option<HolderKey>,
    /// The key for targets.
    #[serde(default)]
    pub targets: Option<HolderKey>,
    /// The key for claimed, and for custody.
    #[serde(default)]
    pub claimed: Option<HolderKey>,
    /// The key for unclaimed.
    #[serde(default)]
    pub unclaimed: Option<HolderKey>,
    /// The key for bins.
    #[serde(default)]
    pub bins: Option<HolderKey>,
}

impl Holder {
    /// The keys that the script says, by role.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, &HolderKey)> {
        let own = |role: &&str| keys_role(role) == *role;
        let roles = ROLES.into_iter().filter(own);
        roles.filter_map(|role| Some((role, self.key(role)?)))
    }

    /// Where a PIN is kept is said in words: a text without a blank may be the PIN.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        let kept = self.pin_kept.as_deref().map(str::trim);
        if kept.is_none_or(|kept| kept.contains(' ') && !kept.contains(char::is_control)) {
            return Ok(());
        }
        let text = format!(
            "{}.pin_kept says in words where the PIN is kept, on one line; never what it is",
            self.name
        );
        Err(("SCRIPT-HOLDER", text))
    }

    /// The key for a role.
    pub fn key(&self, role: &str) -> Option<&HolderKey> {
        match keys_role(role) {
            "root" => self.root.as_ref(),
            "targets" => self.targets.as_ref(),
            "claimed" => self.claimed.as_ref(),
            "unclaimed" => self.unclaimed.as_ref(),
            "bins" => self.bins.as_ref(),
            _ => None,
        }
    }
}

/// A holder's key for one role: at most one of `keyid`, `public` and `generate` says which key shall be listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderKey {
    /// A key that is listed in trusted metadata, or lies on the holder's token.
    #[serde(default)]
    pub keyid: Option<KeyId>,
    /// A key of a holder who is elsewhere: SPKI PEM, or 64 hexadecimal digits for Ed25519.
    #[serde(default)]
    pub public: Option<String>,
    /// A key that the holder makes on the token in this ceremony.
    #[serde(default)]
    pub generate: Option<Algorithm>,
    /// The key in trusted metadata that is replaced (or removed, if it stands alone); it may still sign as an old one.
    #[serde(default)]
    pub old_keyid: Option<KeyId>,
    /// How the key may leave its token for the backup; none: it never does.
    #[serde(default)]
    pub backup: Option<BackedUpAs>,
}

impl HolderKey {
    /// Whether a key of this holder shall be listed.
    pub fn is_listed(&self) -> bool {
        self.keyid.is_some() || self.public.is_some() || self.generate.is_some()
    }
}
