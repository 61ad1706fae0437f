//! The next version of a `claimed` with shards (docs/decisions/0018): the shards that change or end too soon, and `claimed` itself where its list does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{After, ChangeSet, check, entry, first, in_custody};
use crate::pypi::delegation::{self, Delegations};
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::shards::{self, Files, Form, Layout, PREFIX};
use crate::tuf::edit::{self, RoleEdit, RoleEdits, RoleSpec, Source};
use crate::tuf::envelope::Envelope;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Finding;
use crate::tuf::json::Json;
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::metadata::Header;

#[cfg(test)]
mod tests;

/// How `claimed` is divided.
#[derive(Clone, Copy)]
pub struct Sharding<'a> {
    /// At most so many projects stand in one shard, as far as their names differ.
    pub projects: usize,
    /// The dates on which shards end, ascending.
    pub expires: &'a [Expires],
    /// A shard that would end before is signed again.
    pub until: jiff::Timestamp,
    /// Who signs `claimed`, and so its shards.
    pub signers: &'a RoleSpec,
    /// Whether every shard is signed again, because who signs changes.
    pub all: bool,
    /// The highest version that a role of this name is known to have had; 0: none.
    pub known: &'a dyn Fn(&str) -> u64,
}

/// What is to be signed.
pub struct Sharded {
    /// `claimed`, where there is a version for it.
    pub claimed: Option<Envelope>,
    /// The shards, in order of their roles.
    pub shards: Vec<NewShard>,
}

/// A shard that is to be signed.
pub struct NewShard {
    /// Its role.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// The file, unsigned.
    pub envelope: Envelope,
}

/// `claimed` (`header`: its next version and expiry, none where it is not signed) and the shards with exactly `changes`, unsigned. A `claimed` without shards is divided:
/// each entry goes into its shard token for token. Shards that have no change and last long enough are not among them.
///
/// # Errors
/// As [`super::apply`] and [`shards::read`]; `SHARD-EXPIRES` where every date is too soon; `SCRIPT-ROLE` where `claimed` itself changes and has no header.
pub fn apply_sharded(
    old: &Files<'_>,
    header: Option<(u64, &str)>,
    changes: &ChangeSet,
    custody: Option<&RoleSpec>,
    sharding: &Sharding<'_>,
) -> Result<Sharded, Finding> {
    let before = shards::read(old).map_err(first)?;
    for (project, change) in &changes.changes {
        check("claimed", &before, project, change)?;
    }
    let was = shards::listed(old.claimed).map_err(first)?;
    let is = was.successor(&names(&before, changes), sharding.projects);
    let work = Work {
        old,
        sharding,
        was: &was,
        is: &is,
        edits: by_shard(&before, changes, &is),
    };
    let shards = work.shards()?;
    let claimed = work.claimed(&before, header, changes, custody)?;
    Ok(Sharded { claimed, shards })
}

/// The shards that follow from `old` when `changes` are made, with at most `projects` in each as far as names can be told apart.
///
/// # Errors
/// As [`shards::read`].
pub fn divided(
    old: &Files<'_>,
    changes: &ChangeSet,
    projects: usize,
) -> Result<Layout, Vec<Finding>> {
    let was = shards::listed(old.claimed)?;
    Ok(was.successor(&names(&shards::read(old)?, changes), projects))
}

/// The projects that stand or stood, so that what is refused or given up never makes a shard more.
fn names<'a>(before: &'a Delegations, changes: &'a ChangeSet) -> Vec<&'a str> {
    let new = changes.changes.iter();
    let new = new.filter(|(_, change)| matches!(change.after, After::Delegate { .. }));
    let new = new.map(|(project, _)| project.as_str());
    let mut names: Vec<&str> = before.projects.names().map(Project::as_str).collect();
    names.extend(new);
    names.sort_unstable();
    names.dedup();
    names
}

/// What is done to each shard.
fn by_shard(
    before: &Delegations,
    changes: &ChangeSet,
    layout: &Layout,
) -> BTreeMap<String, RoleEdits> {
    let mut edits: BTreeMap<String, RoleEdits> = BTreeMap::new();
    for (project, change) in &changes.changes {
        let old = before.projects.get(project);
        let stays_away = old.is_none() && !matches!(change.after, After::Delegate { .. });
        if let Some(shard) = layout.owner(project.as_str()).filter(|_| !stays_away) {
            entry(
                old.as_ref(),
                project,
                change,
                edits.entry(shard).or_default(),
            );
        }
    }
    edits
}

struct Work<'a> {
    old: &'a Files<'a>,
    sharding: &'a Sharding<'a>,
    was: &'a Layout,
    is: &'a Layout,
    edits: BTreeMap<String, RoleEdits>,
}

impl<'a> Work<'a> {
    fn shards(&self) -> Result<Vec<NewShard>, Finding> {
        let mut shards = Vec::new();
        if self.was.is_empty() {
            shards.extend(self.divided(self.old.claimed, "")?);
        }
        for (role, form) in self.was.shards() {
            let Some(envelope) = self.old.shards.get(&*role) else {
                continue;
            };
            if self.is.form(&role) == Some(form) {
                shards.extend(self.continued(&role, envelope)?);
            } else {
                let prefix = role.strip_prefix(PREFIX).unwrap_or_default();
                shards.extend(self.divided(envelope, prefix)?);
            }
        }
        for (role, _) in self.is.shards() {
            let prefix = role.strip_prefix(PREFIX).unwrap_or_default();
            if !self.was.is_empty() && self.was.parent(prefix).is_none() {
                let none = edit::projects(&role, 1, "2000-01-01T00:00:00Z")?;
                let none = edit::shareable(&role, &none)?;
                shards.push(self.made(&role, &Source::of(&role, &none)?, &[])?);
            }
        }
        shards.sort_by(|a, b| a.role.cmp(&b.role));
        Ok(shards)
    }

    /// The next version of a shard that stays; none where the old one will do.
    fn continued(&self, role: &str, old: &Envelope) -> Result<Option<NewShard>, Finding> {
        let header = Header::read(role, old)?;
        let edits = self.edits.get(role);
        let lasts = header.expires.at() >= self.sharding.until;
        if edits.is_none() && lasts && !self.sharding.all {
            return Ok(None);
        }
        let (version, none) = (header.version + 1, RoleEdits::default());
        let edits = edits.unwrap_or(&none);
        let envelope = edit::with_delegations(role, old, version, self.expires(role)?, edits)?;
        finished(role, version, envelope).map(Some)
    }

    /// The shards into which the file that answered for a prefix is divided.
    fn divided(&self, old: &Envelope, prefix: &str) -> Result<Vec<NewShard>, Finding> {
        let old = edit::shareable(prefix, old)?;
        let source = Source::of(prefix, &old)?;
        let parts = self.is.below(prefix).map(|role| (role, Vec::new()));
        let mut parts: BTreeMap<String, Vec<usize>> = parts.collect();
        for (number, json) in source.roles().iter().enumerate() {
            let name = json.get("name").and_then(Json::as_str).unwrap_or_default();
            let project = ProjectRole::parse(&name).map(|role| role.project);
            let owner = project.ok().and_then(|it| self.is.owner(it.as_str()));
            if let Some(part) = owner.and_then(|owner| parts.get_mut(&owner)) {
                part.push(number);
            }
        }
        let made = parts.iter();
        made.map(|(role, roles)| self.made(role, &source, roles))
            .collect()
    }

    /// A shard that was not there in this form.
    fn made(&self, role: &str, source: &Source<'_>, roles: &[usize]) -> Result<NewShard, Finding> {
        let before = self
            .old
            .shards
            .get(role)
            .filter(|_| self.was.form(role).is_some());
        let before = before
            .map(|before| Header::read(role, before))
            .transpose()?;
        let before = before.map_or_else(|| (self.sharding.known)(role), |header| header.version);
        let version = before.saturating_add(1);
        let none = RoleEdits::default();
        let edits = self.edits.get(role).unwrap_or(&none);
        let envelope = source.edited(role, roles, version, self.expires(role)?, edits)?;
        finished(role, version, envelope)
    }

    fn expires(&self, role: &str) -> Result<&'a str, Finding> {
        let Sharding { expires, until, .. } = *self.sharding;
        let found = shards::expires(role, expires, until);
        found.map(Expires::text).ok_or_else(|| {
            let text = format!(
                "no date is left for this shard: it would end before {until}. Give [shards] later dates in expires."
            );
            Finding::error("SHARD-EXPIRES", role, text)
        })
    }

    /// `claimed` itself: the shards that it lists, and custody.
    fn claimed(
        &self,
        before: &Delegations,
        header: Option<(u64, &str)>,
        changes: &ChangeSet,
        custody: Option<&RoleSpec>,
    ) -> Result<Option<Envelope>, Finding> {
        let mut edits = RoleEdits::default();
        if self.was.is_empty() {
            let roles = before.projects.roles();
            edits.drop.extend(roles.map(Cow::into_owned));
        }
        for (role, _) in self.was.shards() {
            if self.is.form(&role).is_none() {
                edits.drop.insert(role);
            }
        }
        let keys = self.keys(before);
        for (role, form) in self.is.shards() {
            if self.sharding.all || self.was.form(&role) != Some(form) {
                let edit = self.listed(&role, form, &keys);
                edits.put.insert(role, edit);
            }
        }
        let lists = !edits.drop.is_empty() || !edits.put.is_empty();
        let keeps = (changes.changes.iter()).all(|(project, change)| {
            before.is_in_custody(project) == (change.after == After::Custody)
        });
        let Some((version, expires)) = header else {
            if !lists && keeps {
                return Ok(None);
            }
            let text = "the list of shards or of projects in custody changes, and claimed has it: give [claimed] its next version";
            return Err(Finding::error("SCRIPT-ROLE", "", text));
        };
        in_custody(
            "claimed",
            before.custody.as_ref(),
            changes,
            custody,
            &mut edits,
        )?;
        let new = edit::with_delegations("claimed", self.old.claimed, version, expires, &edits)?;
        delegation::top("claimed", &new).map_err(first)?;
        Ok(Some(new))
    }

    /// The keys of `claimed` by keyid: under those that shards or custody list, or their own.
    fn keys(&self, before: &Delegations) -> BTreeMap<KeyId, Key> {
        let shards = before.shards.values().map(|shard| &shard.signers);
        let custody = before.custody.iter().map(|custody| &custody.signers);
        let mut known: BTreeMap<&PublicKey, &KeyId> = BTreeMap::new();
        for (keyid, key) in shards.chain(custody).flat_map(|signers| &signers.keys) {
            known.entry(key.public()).or_insert(keyid);
        }
        let keys = self.sharding.signers.keys.iter();
        let keys = keys.map(|key| {
            let keyid = known.get(key.public());
            (
                keyid.map_or_else(|| key.keyid(), |&keyid| keyid.clone()),
                key.clone(),
            )
        });
        keys.collect()
    }

    fn listed(&self, role: &str, form: Form, keys: &BTreeMap<KeyId, Key>) -> RoleEdit {
        let prefix = role.strip_prefix(PREFIX).unwrap_or_default();
        RoleEdit {
            from: self.was.form(role).map(|_| role.to_owned()),
            keyids: keys.keys().cloned().collect(),
            keys: keys.clone(),
            threshold: self.sharding.signers.threshold,
            paths: vec![form.path(prefix)],
            terminating: false,
        }
    }
}

fn finished(role: &str, version: u64, envelope: Envelope) -> Result<NewShard, Finding> {
    delegation::claimed(role, &envelope).map_err(first)?;
    let role = role.to_owned();
    Ok(NewShard {
        role,
        version,
        envelope,
    })
}
