//! Named house rules over the roles of a repository.

use std::collections::BTreeMap;

use crate::tuf::finding::Finding;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{Header, Root, Targets};

/// What a role is to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleClass {
    /// The root role.
    Root,
    /// Offline, its keys kept by holders between ceremonies: targets, bins (unclaimed), claimed.
    RetainedOffline,
    /// Offline, its keys made for one ceremony and destroyed in it (PEP 458, "targets" keys).
    EphemeralOffline,
    /// Signed by a key on a server: timestamp, snapshot, bin-n, recently-claimed.
    Online,
    /// A project's own role.
    Project,
}

/// Whose files are judged: in others' files the house rules are at most warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// What this program creates.
    Ours,
    /// What somebody else made.
    Others,
}

/// One role, its keys and, where its metadata is at hand, its version and expiry.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What it is to the rules.
    pub class: RoleClass,
    /// Its keys, under the keyids it lists.
    pub keys: Vec<(KeyId, Key)>,
    /// How many of them must sign.
    pub threshold: u32,
    /// Of its metadata, if at hand.
    pub header: Option<Header>,
}

/// The roles of a repository at one moment, and which person holds which key.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// In order of trust: root first.
    pub roles: Vec<Role>,
    /// Holder by keyid; a key that is absent here counts as its own person.
    pub persons: BTreeMap<KeyId, String>,
}

impl Tree {
    /// Adds root and the top-level roles that it names; `targets` is the class of targets.
    pub fn add_root(&mut self, root: &Root, targets: RoleClass) {
        let _ = (root, targets);
        todo!()
    }
    /// Adds the roles that `delegator` delegates to, and its own header to the role called `name`. Succinct roles are added as one role named by their prefix.
    pub fn add_targets(
        &mut self,
        name: &str,
        delegator: &Targets,
        class: &dyn Fn(&str) -> RoleClass,
    ) {
        let _ = (name, delegator, class);
        todo!()
    }
}

/// All house rules over `new` (and its step from `old`), in the order of the roles.
pub fn lint(old: Option<&Tree>, new: &Tree, now: jiff::Timestamp, whose: Whose) -> Vec<Finding> {
    let _ = (old, new, now, whose);
    todo!()
}
