//! Named house rules over the roles of a repository. They judge what we create; in what others made, and in what stood so before, they warn at most.
//!
//! | rule | root | retained offline | ephemeral offline | online | project |
//! |---|---|---|---|---|---|
//! | `THRESHOLD-ONE` | error | error | error | right | right |
//! | `KEY-TWICE`, `KEY-SHARED` | error | error | error | error, but right among online roles | error, but right among projects |
//! | `QUORUM-UNREACHABLE` | error | error | error | error | error |
//! | `QUORUM-NO-SPARE`, `QUORUM-LOSS-ONE` | error | error | right | - | - |
//! | `QUORUM-LOSS-TWO` | warning | warning | right | - | - |
//! | `QUORUM-PERSONS` | error | error | - | - | note |
//! | `QUORUM-THEFT-ONE` | error | error | - | - | - |
//! | `VERSION-SKIP` | error | error | error | error | error |
//! | `EXPIRY-PAST` | error | error | error | error | error |
//! | `EXPIRY-SOON` | warning | warning | warning | - | - |
//! | `EXPIRY-FAR` | error | error | error | - | - |

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::quorum;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::metadata::{Delegations, Header, RoleKeys, Root, Targets};

mod dates;
mod structure;
#[cfg(test)]
mod tests;

/// Offline roles are renewed every year (PEP 458, "Metadata expiry times"); a month is left for the ceremony to be late or early.
pub const LONGEST_OFFLINE_DAYS: i64 = 400;

/// An offline role that expires sooner than this leaves no time for a second ceremony.
pub const SHORTEST_OFFLINE_DAYS: i64 = 7;

/// What a role is to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleClass {
    /// The root role.
    Root,
    /// Offline, its keys kept by holders between ceremonies: targets, bins (unclaimed), claimed.
    RetainedOffline,
    /// Offline, its keys made for one ceremony and destroyed in it (PEP 458, "targets" keys).
    EphemeralOffline,
    /// Offline, signed by those who sign claimed and by the same keys (docs/decisions/0017): what is wrong with the keys is told of claimed.
    Custody,
    /// Signed by a key on a server: timestamp, snapshot, bin-n, recently-claimed.
    Online,
    /// A project's own role.
    Project,
}

impl RoleClass {
    /// Whether administrators sign it, away from the network.
    pub fn is_offline(self) -> bool {
        matches!(
            self,
            Self::Root | Self::RetainedOffline | Self::EphemeralOffline | Self::Custody
        )
    }
    /// Whether its keys are held by people from one ceremony to the next.
    pub fn is_retained(self) -> bool {
        matches!(self, Self::Root | Self::RetainedOffline)
    }
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
    /// Projects, which are too many to be held as roles.
    projects: Vec<Projects>,
}

/// The projects that one role delegates to.
#[derive(Clone, Debug)]
struct Projects {
    delegations: Delegations,
    /// Their places in it.
    places: Vec<usize>,
    /// The places of those about which there is something to say by themselves: one key that signs alone is neither listed twice nor too few.
    several: Vec<usize>,
}

impl Tree {
    /// Adds root and the top-level roles that it names; `targets` is the class of targets.
    pub fn add_root(&mut self, root: &Root, targets: RoleClass) {
        for (name, class) in [
            ("root", RoleClass::Root),
            ("targets", targets),
            ("snapshot", RoleClass::Online),
            ("timestamp", RoleClass::Online),
        ] {
            if let Some(role) = root.role(name) {
                self.add(name, class, role, &root.keys);
            }
        }
        self.add_header("root", &root.header);
    }
    /// Adds the roles that `delegator` delegates to, and its own header to the role called `name`. Succinct roles are added as one role named by their prefix.
    pub fn add_targets(
        &mut self,
        name: &str,
        delegator: &Targets,
        class: &dyn Fn(&str) -> RoleClass,
    ) {
        self.add_header(name, &delegator.header);
        self.add_projects(delegator, class);
        let Some(delegations) = &delegator.delegations else {
            return;
        };
        for place in 0..delegations.len() {
            let class = delegations.name(place).map(|name| class(&name));
            if let Some(class) = class.filter(|class| *class != RoleClass::Project)
                && let Some(role) = delegations.at(place)
            {
                let keys = delegations.keys_of(&role.role);
                self.add(&role.name, class, &role.role, &keys);
            }
        }
        if let Some(bins) = &delegations.succinct {
            self.add(
                &bins.name_prefix,
                class(&bins.name_prefix),
                &bins.role,
                &delegations.keys_of(&bins.role),
            );
        }
    }
    /// Adds the projects that `delegator`, claimed or a shard of it, delegates to, and nothing else of it.
    pub fn add_projects(&mut self, delegator: &Targets, class: &dyn Fn(&str) -> RoleClass) {
        let Some(delegations) = &delegator.delegations else {
            return;
        };
        let mut projects = Projects {
            delegations: delegations.clone(),
            places: Vec::new(),
            several: Vec::new(),
        };
        for (place, role) in delegations.roles().enumerate() {
            if class(&role.name) == RoleClass::Project {
                projects.places.push(place);
                if role.role.keyids.len() != 1 || role.role.threshold != 1 {
                    projects.several.push(place);
                }
            }
        }
        if !projects.places.is_empty() {
            self.projects.push(projects);
        }
    }
    /// Tells version and expiry of the metadata of the role called `name`.
    pub fn add_header(&mut self, name: &str, header: &Header) {
        if let Some(role) = self.roles.iter_mut().find(|role| role.name == name) {
            role.header = Some(header.clone());
        }
    }
    /// The role called `name`.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }
    fn add(&mut self, name: &str, class: RoleClass, role: &RoleKeys, keys: &BTreeMap<KeyId, Key>) {
        let keys = role
            .keyids
            .iter()
            .filter_map(|keyid| Some((keyid.clone(), keys.get(keyid)?.clone())));
        self.roles.push(Role {
            name: name.to_owned(),
            class,
            keys: keys.collect(),
            threshold: role.threshold,
            header: None,
        });
    }
}

impl Projects {
    /// Those that have several keys or need several.
    fn several(&self) -> impl Iterator<Item = Role> {
        self.several.iter().filter_map(|place| self.role(*place))
    }
    /// Those that list a key of which `is_meant` is true.
    fn with_keys(&self, is_meant: impl Fn(&PublicKey) -> bool) -> Vec<Role> {
        let keys = self.delegations.keys();
        let meant: BTreeSet<KeyId> = keys
            .filter(|(_, key)| is_meant(key.public()))
            .map(|(keyid, _)| keyid)
            .collect();
        if meant.is_empty() {
            return Vec::new();
        }
        let roles = self.places.iter().filter_map(|place| self.role(*place));
        let lists = |role: &Role| role.keys.iter().any(|(keyid, _)| meant.contains(keyid));
        roles.filter(lists).collect()
    }
    fn role(&self, place: usize) -> Option<Role> {
        let role = self.delegations.at(place)?;
        let keyids = role.role.keyids.into_iter();
        let keys = keyids.filter_map(|keyid| {
            let key = self.delegations.key(&keyid)?;
            Some((keyid, key))
        });
        Some(Role {
            name: role.name,
            class: RoleClass::Project,
            keys: keys.collect(),
            threshold: role.role.threshold,
            header: None,
        })
    }
}

impl Role {
    /// Its distinct keys, each with its first keyid.
    pub fn distinct(&self) -> BTreeMap<&PublicKey, &KeyId> {
        let mut distinct = BTreeMap::new();
        for (keyid, key) in &self.keys {
            distinct.entry(key.public()).or_insert(keyid);
        }
        distinct
    }
}

/// All house rules over `new` and its step from `old`: first the roles and their keys, then versions and dates.
pub fn lint(old: Option<&Tree>, new: &Tree, now: jiff::Timestamp, whose: Whose) -> Vec<Finding> {
    let mut findings = about_roles(new);
    let before = old.map(about_roles).unwrap_or_default();
    let before: HashSet<(&str, &str)> = before
        .iter()
        .map(|finding| (&*finding.rule, &*finding.text))
        .collect();
    for finding in &mut findings {
        // What nobody changes today shall not stop a renewal: it is told, and mended by an admin-key ceremony.
        if before.contains(&(&*finding.rule, &*finding.text)) {
            finding.level = finding.level.min(Level::Warning);
        }
    }
    findings.extend(dates::findings(old, new, now));
    if whose == Whose::Others {
        for finding in &mut findings {
            finding.level = finding.level.min(Level::Warning);
        }
    }
    findings
}

fn about_roles(tree: &Tree) -> Vec<Finding> {
    let mut findings = structure::shared_keys(tree);
    let mut about = |role: &Role| {
        findings.extend(structure::findings(role));
        findings.extend(quorum::findings(role, &tree.persons));
    };
    tree.roles.iter().for_each(&mut about);
    let projects = tree.projects.iter().flat_map(Projects::several);
    projects.for_each(|role| about(&role));
    findings
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [name] => name.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `1 key`, `2 keys`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
