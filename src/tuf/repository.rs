//! A repository as clients see it: metadata files by name, verified from a trusted root down, role by role and only when asked.
//!
//! There are two ways to know which version of a role is the present one, and a repository says which it went ([`Versions`]):
//! - [`Repository::published`]: as clients do (TUF 1.0.34, 5.3 to 5.6). The timestamp, signed by the keys that the newest root names, says which
//!   snapshot; the snapshot, signed likewise, says which version of each role. A folder that a server publishes, or an archive of one.
//! - [`Repository::unpublished`]: no timestamp and no snapshot are asked for; of each role the newest version that is there is taken. A bundle's
//!   `metadata/` folder before the online side has signed. It does not notice what is missing or held back.
//!
//! Each role is verified by the keys and threshold that its delegator names, each signature once, and what was found is kept. Expiry stops nothing,
//! because archives are old; [`Repository::expired`] tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::chain::{self, ChainedRoot};
use super::finding::{Finding, shown};
use super::key::{Key, KeyId};
use super::lookup::{Listing, Source};
use super::metadata::{Content, Header, RoleKeys, Snapshot, TOP_LEVEL_ROLES, Timestamp};

mod files;
mod online;
mod slot;
#[cfg(test)]
mod tests;

pub use files::{Files, Memory, role_file};
use slot::Slot;

/// How the present version of a role is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// The snapshot says it.
    Snapshot,
    /// It is the newest that is there.
    Newest,
}

/// A repository whose root is verified, and its timestamp and snapshot where they are asked for.
pub struct Repository {
    files: Box<dyn Files>,
    roots: Vec<ChainedRoot>,
    findings: Vec<Finding>,
    online: Option<(Timestamp, Snapshot)>,
    /// By role name.
    roles: BTreeMap<String, Slot>,
}

/// A role that its delegator's keys have signed, and so up to the root.
#[derive(Clone, Copy)]
pub struct Verified<'r> {
    repository: &'r Repository,
    name: &'r str,
    listing: &'r Listing,
}

impl Repository {
    /// A published repository. `trusted` is the trusted root (file name and bytes), `files` are named as servers name them: `N.root.json`, `timestamp.json`,
    /// `N.snapshot.json`, `N.role.json`; without numbers where root says that snapshots are not consistent.
    ///
    /// # Errors
    /// What the root chain, timestamp or snapshot lack: as [`chain::follow`], `REPOSITORY-MISSING`, `REPOSITORY-TIMESTAMP`, `REPOSITORY-SNAPSHOT`.
    pub fn published(
        trusted: (String, Vec<u8>),
        files: impl Files + 'static,
    ) -> Result<Self, Vec<Finding>> {
        let names = files.names();
        let (roots, findings) = follow(trusted, &files, &names)?;
        let online = newest(&roots)
            .and_then(|root| online::read(root, &files, &names))
            .map_err(|finding| vec![finding])?;
        let consistent = is_consistent(&roots);
        let roles = online.1.roles().filter(|role| is_delegated(role));
        let roles = roles.map(|role| {
            let meta = online.1.role(role);
            let version = meta.map(|meta| meta.version).unwrap_or_default();
            let file = role_file(role, consistent.then_some(version));
            let is_there = names.contains(&file);
            let content = meta.map(|meta| meta.content.clone()).unwrap_or_default();
            (
                role.to_owned(),
                Slot::new(file, Some(version), content, is_there),
            )
        });
        Ok(Self {
            roles: roles.collect(),
            files: Box::new(files),
            roots,
            findings,
            online: Some(online),
        })
    }
    /// A folder of metadata that has not been published yet: the newest version of each role.
    ///
    /// # Errors
    /// As [`chain::follow`].
    pub fn unpublished(
        trusted: (String, Vec<u8>),
        files: impl Files + 'static,
    ) -> Result<Self, Vec<Finding>> {
        let names = files.names();
        let (roots, findings) = follow(trusted, &files, &names)?;
        let mut newest: BTreeMap<&str, Option<u64>> = BTreeMap::new();
        for (version, role) in names.iter().filter_map(|name| files::split(name)) {
            if is_delegated(role) {
                let known = newest.entry(role).or_default();
                *known = version.max(*known);
            }
        }
        let roles = newest.into_iter().map(|(role, version)| {
            let file = role_file(role, version);
            let slot = Slot::new(file, version, Content::default(), true);
            (role.to_owned(), slot)
        });
        Ok(Self {
            roles: roles.collect(),
            files: Box::new(files),
            roots,
            findings,
            online: None,
        })
    }
    /// How the present version of a role is known.
    pub fn versions(&self) -> Versions {
        match self.online {
            Some(_) => Versions::Snapshot,
            None => Versions::Newest,
        }
    }
    /// The root chain, the trusted one first; never empty.
    pub fn roots(&self) -> &[ChainedRoot] {
        &self.roots
    }
    /// What the root chain had to say: warnings and notes.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
    /// The timestamp, of a published repository.
    pub fn timestamp(&self) -> Option<&Timestamp> {
        self.online.as_ref().map(|(timestamp, _)| timestamp)
    }
    /// The snapshot, of a published repository.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.online.as_ref().map(|(_, snapshot)| snapshot)
    }
    /// The names of all targets roles that the snapshot lists (of an unpublished repository: that are there), in order; targets is one of them.
    pub fn listed(&self) -> impl Iterator<Item = &str> {
        self.roles.keys().map(String::as_str)
    }
    /// Those of them whose names begin with `prefix`, found without going through the others.
    pub fn listed_with<'r>(&'r self, prefix: &'r str) -> impl Iterator<Item = &'r str> {
        let from = self
            .roles
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        from.map(|(name, _)| name.as_str())
            .take_while(move |name| name.starts_with(prefix))
    }
    /// Whether a role is listed and its file is there; nothing is read.
    pub fn has_file(&self, role: &str) -> bool {
        self.roles.get(role).is_some_and(Slot::is_there)
    }
    /// The top-level targets role.
    ///
    /// # Errors
    /// `REPOSITORY-MISSING`, `REPOSITORY-ROLE`, and what [`Listing::read`] refuses.
    pub fn top(&self) -> Result<Verified<'_>, Finding> {
        let root = newest(&self.roots)?;
        let Some(role) = root.root.role("targets") else {
            return Err(self.missing("targets"));
        };
        let whose = format!("root v{}", root.root.header.version);
        self.verified("root", &whose, "targets", &root.root.keys, role)
    }
    /// The role at the end of a path of delegations from targets: `&["claimed", "project-x"]`; targets itself for an empty one. Each role on the way is verified.
    ///
    /// # Errors
    /// As [`Self::top`], for the first role on the way that fails.
    pub fn role(&self, path: &[&str]) -> Result<Verified<'_>, Finding> {
        path.iter()
            .try_fold(self.top()?, |delegator, name| delegator.delegated(name))
    }
    /// The roles that were read up to now, by name; whoever asked for them said whether they verify.
    pub fn read_so_far(&self) -> impl Iterator<Item = &Listing> {
        self.roles.values().filter_map(Slot::known)
    }
    /// What of root, timestamp, snapshot and the roles read so far has expired at `at`: notes of the rule `REPOSITORY-EXPIRED`, for the caller to
    /// judge.
    pub fn expired(&self, at: jiff::Timestamp) -> Vec<Finding> {
        let root = self
            .roots
            .last()
            .map(|root| (&*root.file, &root.root.header));
        let timestamp = self.timestamp().map(|it| ("timestamp.json", &it.header));
        let snapshot = self.snapshot().map(|it| ("snapshot.json", &it.header));
        let roles = self.read_so_far();
        let roles = roles.map(|role| (role.file(), &role.targets().header));
        let dated = root.into_iter().chain(timestamp).chain(snapshot);
        dated
            .chain(roles)
            .filter(|(_, header)| header.expires.at() <= at)
            .map(|(file, header)| expired(file, header))
            .collect()
    }

    fn verified(
        &self,
        delegator: &str,
        whose: &str,
        name: &str,
        keys: &BTreeMap<KeyId, Key>,
        role: &RoleKeys,
    ) -> Result<Verified<'_>, Finding> {
        let (name, slot) = self
            .roles
            .get_key_value(name)
            .ok_or_else(|| self.missing(name))?;
        let listing = slot.listing(&*self.files)?;
        slot.verify(listing, delegator, || slot::Judge {
            role: name,
            whose,
            keys,
            signers: role,
        })?;
        Ok(Verified {
            repository: self,
            name,
            listing,
        })
    }
    fn missing(&self, role: &str) -> Finding {
        let text = match self.versions() {
            Versions::Snapshot => "the snapshot does not list it, so clients cannot ask it",
            Versions::Newest => "it is not there",
        };
        Finding::error("REPOSITORY-MISSING", &format!("{role}.json"), text)
    }
}

impl<'r> Verified<'r> {
    /// Its name.
    pub fn name(self) -> &'r str {
        self.name
    }
    /// Its bytes and content.
    pub fn listing(self) -> &'r Listing {
        self.listing
    }
    /// The role called `name`, to which this one delegates, verified by the keys and threshold named here.
    ///
    /// # Errors
    /// `REPOSITORY-MISSING`, `REPOSITORY-ROLE`, and what [`Listing::read`] refuses.
    pub fn delegated(self, name: &str) -> Result<Self, Finding> {
        let version = self.listing.targets().header.version;
        let Some(delegation) = self.listing.delegation(name) else {
            let text = format!("{} v{version} does not delegate to it", shown(self.name));
            let file = format!("{name}.json");
            return Err(Finding::error("REPOSITORY-ROLE", &file, text));
        };
        let whose = format!("{} v{version}", shown(self.name));
        self.repository
            .verified(self.name, &whose, name, &delegation.keys, &delegation.role)
    }
}

impl Source for Repository {
    fn targets(&self) -> Result<&Listing, Finding> {
        Ok(self.top()?.listing)
    }
    fn delegated(&self, delegator: &str, role: &str) -> Result<&Listing, Finding> {
        // The walk has come to the delegator by verified delegations, and its file is the same whoever delegates to it.
        let (name, slot) = self
            .roles
            .get_key_value(delegator)
            .ok_or_else(|| self.missing(delegator))?;
        let verified = Verified {
            repository: self,
            name,
            listing: slot.listing(&*self.files)?,
        };
        Ok(verified.delegated(role)?.listing)
    }
}

/// The roots among `names`, followed from the trusted one. An error of the chain is the end: clients would stop there.
fn follow(
    trusted: (String, Vec<u8>),
    files: &dyn Files,
    names: &BTreeSet<String>,
) -> Result<(Vec<ChainedRoot>, Vec<Finding>), Vec<Finding>> {
    let mut roots = Vec::new();
    for name in names {
        if matches!(files::split(name), Some((Some(_), "root"))) {
            let bytes = files.take(name).map_err(|finding| vec![finding])?;
            roots.push((name.clone(), bytes));
        }
    }
    let chain = chain::follow(trusted, roots);
    if chain.holds() && !chain.roots.is_empty() {
        Ok((chain.roots, chain.findings))
    } else {
        Err(chain.findings)
    }
}

fn newest(roots: &[ChainedRoot]) -> Result<&ChainedRoot, Finding> {
    let none = || Finding::error("REPOSITORY-MISSING", "root.json", "it is not there");
    roots.last().ok_or_else(none)
}

fn is_consistent(roots: &[ChainedRoot]) -> bool {
    let newest = roots.last().and_then(|root| root.root.consistent_snapshot);
    newest != Some(false)
}

/// Whether a role's metadata is a targets role: every one but root, timestamp and snapshot (old snapshots list root).
fn is_delegated(role: &str) -> bool {
    role == "targets" || !TOP_LEVEL_ROLES.contains(&role)
}

fn expired(file: &str, header: &Header) -> Finding {
    let text = format!(
        "{} v{} expired at {}; clients stop there today",
        header.role_type.name(),
        header.version,
        header.expires.text()
    );
    Finding::note("REPOSITORY-EXPIRED", file, text)
}
