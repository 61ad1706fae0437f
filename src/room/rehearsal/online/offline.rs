//! What ceremonies have published so far, as far as the online side has to know it.

use std::collections::{BTreeMap, BTreeSet};

use super::Failure;
use crate::bundle::files;
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::shards::is_shard;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::metadata::{Delegations, RoleKeys, Root, SuccinctRoles, Targets};

/// Offline metadata by file name, and what the newest of it says.
#[derive(Default)]
pub(super) struct Offline {
    /// Every file, as it was taken over.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// The newest version of each role but root.
    pub(super) versions: BTreeMap<String, u64>,
    /// Who signs timestamp, snapshot and recently-claimed.
    pub(super) online: BTreeMap<String, RoleKeys>,
    /// The bins, and who signs them.
    pub(super) bins: Option<SuccinctRoles>,
    /// The projects that claimed delegates to, each with its role.
    pub(super) claimed: BTreeMap<Project, Claimed>,
    /// The projects that nobody's keys answer for, for now.
    pub(super) custody: BTreeSet<Project>,
}

/// One delegation of claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) role: String,
    pub(super) keys: RoleKeys,
}

impl Offline {
    /// Takes over what a bundle says, beside what is there already.
    pub(super) fn take(&mut self, metadata: &std::path::Path) -> Result<(), Failure> {
        let found =
            files::read_folder(metadata).map_err(|fault| Failure::disk(fault.to_string()))?;
        for file in found {
            self.files.insert(file.path, file.bytes);
        }
        self.read().map_err(|finding| Failure::refused(&[finding]))
    }

    /// The bytes of a role's newest version.
    pub(super) fn newest(&self, role: &str) -> Option<&[u8]> {
        let version = self.versions.get(role)?;
        let bytes = self.files.get(&format!("{version}.{role}.json"));
        bytes.map(Vec::as_slice)
    }

    fn read(&mut self) -> Result<(), Finding> {
        let mut roots = 0;
        for name in self.files.keys() {
            let Some((version, role)) = split(name) else {
                continue;
            };
            if role == "root" {
                roots = roots.max(version);
            } else {
                let newest = self.versions.entry(role.to_owned()).or_default();
                *newest = version.max(*newest);
            }
        }
        self.online.clear();
        let file = format!("{roots}.root.json");
        let bytes = self.files.get(&file).cloned().unwrap_or_default();
        let root = Root::read(&file, &Envelope::parse(&file, bytes, Limits::LARGE)?)?;
        for role in ["timestamp", "snapshot"] {
            if let Some(keys) = root.roles.get(role) {
                self.online.insert(role.to_owned(), keys.clone());
            }
        }
        let delegations = |role: &str| self.role(role).map(|it| it.and_then(|it| it.delegations));
        let recently = delegations("targets")?.into_iter();
        let recently = recently
            .flat_map(|it| it.roles().collect::<Vec<_>>())
            .find(|role| role.name == "recently-claimed");
        let bins = match delegations("unclaimed")? {
            Some(unclaimed) => unclaimed.succinct,
            None => delegations("bins")?.and_then(|bins| bins.succinct),
        };
        let mut claimed = delegations("claimed")?.map_or_else(Vec::new, |it| it.roles().collect());
        let shards = claimed.extract_if(.., |role| is_shard(&role.name));
        for shard in shards.collect::<Vec<_>>() {
            claimed.extend(
                delegations(&shard.name)?
                    .iter()
                    .flat_map(Delegations::roles),
            );
        }
        self.bins = bins;
        if let Some(recently) = recently {
            self.online.insert(recently.name, recently.role);
        }
        self.claimed.clear();
        self.custody.clear();
        for role in claimed {
            if let Ok(name) = ProjectRole::parse(&role.name) {
                let claimed = Claimed {
                    role: role.name,
                    keys: role.role,
                };
                self.claimed.insert(name.project, claimed);
            } else {
                let names = role.paths.iter();
                let names = names.filter_map(|path| path.strip_suffix("/*"));
                self.custody
                    .extend(names.filter_map(|name| Project::parse(name).ok()));
            }
        }
        Ok(())
    }

    fn role(&self, role: &str) -> Result<Option<Targets>, Finding> {
        let Some(bytes) = self.newest(role) else {
            return Ok(None);
        };
        let envelope = Envelope::parse(role, bytes.to_vec(), Limits::LARGE)?;
        Targets::read(role, &envelope).map(Some)
    }
}

/// `7.targets.json` as version and role.
pub(super) fn split(name: &str) -> Option<(u64, &str)> {
    let (version, role) = name.strip_suffix(".json")?.split_once('.')?;
    Some((version.parse().ok()?, role))
}
