//! claimed and its shards in a bundle, before and after: what lies there in two versions was made by the ceremony, and so was a shard that claimed did not list before.

use std::collections::BTreeMap;

use crate::bundle::files::File;
use crate::ceremony::event::REHEARSAL_MARKER;
use crate::ceremony::script::Script;
use crate::ceremony::sharding::as_scripted;
use crate::ceremony::thresholds::delegated;
use crate::pypi::changes::{ChangeSet, Expected, ExpectedShards, exact, exact_sharded};
use crate::pypi::delegation::Delegations;
use crate::pypi::shards::{self, Files, Layout};
use crate::tuf::edit::RoleSpec;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::json::Limits;
use crate::tuf::metadata::{Header, Targets};

#[cfg(test)]
mod tests;

const SCRIPT: &str = "ceremony/script.toml";

/// One state.
struct State {
    claimed: Envelope,
    shards: BTreeMap<String, Envelope>,
}

/// Both states.
pub(super) struct Versions {
    before: State,
    after: State,
    /// The newest claimed.
    pub(super) path: String,
    /// Whether one of the two has shards.
    sharded: bool,
}

/// The files of `metadata/` by role and version.
struct Metadata<'a>(BTreeMap<&'a str, BTreeMap<u64, &'a File>>);

impl<'a> Metadata<'a> {
    fn of(files: &'a [File]) -> Self {
        let mut roles: BTreeMap<&str, BTreeMap<u64, &File>> = BTreeMap::new();
        for file in files {
            let name = file.path.strip_prefix("metadata/");
            let name = name.and_then(|name| name.strip_suffix(".json")?.split_once('.'));
            if let Some((version, role)) = name
                && let Ok(version) = version.parse()
            {
                roles.entry(role).or_default().insert(version, file);
            }
        }
        Self(roles)
    }

    fn newest(&self, role: &str) -> Option<&'a File> {
        self.0.get(role)?.last_key_value().map(|(_, file)| *file)
    }

    fn oldest(&self, role: &str) -> Option<&'a File> {
        self.0.get(role)?.first_key_value().map(|(_, file)| *file)
    }
}

/// Next to the version before, what both have is held and judged once.
fn read(file: &File, before: Option<&Envelope>) -> Result<Envelope, Finding> {
    let (mut bytes, length) = (&*file.bytes, file.bytes.len());
    Envelope::read(&file.path, &mut bytes, length, Limits::LARGE, before)
}

impl State {
    /// With the shards that `claimed` lists; one that is not there is told by who reads them.
    fn of<'a>(
        claimed: Envelope,
        pick: impl Fn(&str) -> Option<&'a File>,
        before: Option<&Self>,
    ) -> Result<Self, Vec<Finding>> {
        let mut shards = BTreeMap::new();
        for (role, _) in shards::listed(&claimed)?.shards() {
            if let Some(file) = pick(&role) {
                let before = before.and_then(|before| before.shards.get(&role));
                let shard = read(file, before).map_err(|finding| vec![finding])?;
                shards.insert(role, shard);
            }
        }
        Ok(Self { claimed, shards })
    }

    fn files(&self) -> Files<'_> {
        let shards = self.shards.iter();
        Files {
            claimed: &self.claimed,
            shards: shards.map(|(role, file)| (role.as_str(), file)).collect(),
        }
    }
}

impl Versions {
    /// None where there are not two versions of claimed, nor shards.
    pub(super) fn of(files: &[File]) -> Option<Result<Self, Vec<Finding>>> {
        let metadata = Metadata::of(files);
        let claimed = metadata.0.get("claimed")?;
        let (newest, new) = claimed.last_key_value()?;
        let old = claimed.get(&newest.checked_sub(1)?).copied();
        let one = |finding| vec![finding];
        let read_both = || {
            let before = old.map(|old| read(old, None)).transpose().map_err(one)?;
            let new = read(new, before.as_ref()).map_err(one)?;
            // Where claimed itself was not signed, its shards were.
            let layout: Layout = shards::listed(&new)?;
            if before.is_none() && layout.is_empty() {
                return Ok(None);
            }
            let sharded = !layout.is_empty();
            Ok(Some((before.unwrap_or_else(|| new.clone()), new, sharded)))
        };
        let (old, newer, sharded) = match read_both() {
            Ok(Some(read)) => read,
            Ok(None) => return None,
            Err(findings) => return Some(Err(findings)),
        };
        let states = State::of(old, |role| metadata.oldest(role), None).and_then(|before| {
            let after = State::of(newer, |role| metadata.newest(role), Some(&before))?;
            Ok((before, after))
        });
        Some(states.map(|(before, after)| Self {
            before,
            after,
            path: new.path.clone(),
            sharded,
        }))
    }

    /// claimed and its shards before and after, in which every entry keeps every rule.
    pub(super) fn strict(&self) -> Result<(Delegations, Delegations), Vec<Finding>> {
        let before = shards::read(&self.before.files())?;
        Ok((before, shards::read(&self.after.files())?))
    }

    /// `REQUEST-EXACT`. Versions and dates are the new files' own word.
    ///
    /// # Errors
    /// What cannot be read; `SHARD-SIGNERS` where nothing says who signs, `SHARD-LAYOUT` where nothing says how claimed is divided.
    pub(super) fn exact(
        &self,
        files: &[File],
        changes: &ChangeSet,
        custody: Option<&RoleSpec>,
        rehearsal: bool,
    ) -> Result<Vec<Finding>, Finding> {
        let marker = rehearsal.then_some(REHEARSAL_MARKER);
        let header = Header::read(&self.path, &self.after.claimed)?;
        let (version, expires) = (header.version, header.expires.text());
        if !self.sharded {
            let expected = Expected {
                version,
                expires,
                marker,
                changes,
                custody,
            };
            let (old, new) = (&self.before.claimed, &self.after.claimed);
            return Ok(exact(&self.path, Some(old), new, &expected));
        }
        let none = || {
            let text = "the bundle has no targets, which says who signs claimed and its shards";
            Finding::error("SHARD-SIGNERS", "metadata", text)
        };
        let signers = signers(files).map_err(first)?.ok_or_else(none)?;
        let mut made = BTreeMap::new();
        for (role, file) in &self.after.shards {
            let before = self.before.shards.get(role);
            if before.is_none_or(|before| !before.is_written_as(file)) {
                let header = Header::read(role, file)?;
                let expires = header.expires.text().to_owned();
                made.insert(role.clone(), (header.version, expires));
            }
        }
        let same = self.before.claimed.is_written_as(&self.after.claimed);
        let expected = ExpectedShards {
            claimed: (!same).then_some((version, expires)),
            shards: &made,
            marker,
            changes,
            signers: &signers,
            custody,
        };
        let (old, new) = (self.before.files(), self.after.files());
        let mut findings = exact_sharded(&old, &new, &expected);
        if findings.iter().any(|finding| finding.level == Level::Error) {
            return Ok(findings);
        }
        let script = files
            .iter()
            .find(|file| file.path == SCRIPT)
            .ok_or_else(|| {
                let text = "it is not there: how claimed is divided cannot be followed";
                Finding::error("SHARD-LAYOUT", SCRIPT, text)
            })?;
        let script = Script::parse(SCRIPT, &script.bytes)?;
        findings.extend(as_scripted(&script, (&old, &new), changes, &made));
        Ok(findings)
    }
}

/// The keys of claimed, which sign custody and shards; none where the bundle has no targets.
pub(super) fn signers(files: &[File]) -> Result<Option<RoleSpec>, Vec<Finding>> {
    let Some(newest) = Metadata::of(files).newest("targets") else {
        return Ok(None);
    };
    let read = read(newest, None).and_then(|envelope| Targets::read(&newest.path, &envelope));
    let targets = read.map_err(|finding| vec![finding])?;
    Ok(delegated(&targets, "claimed").map(|(keys, role)| RoleSpec {
        keys: keys.into_iter().map(|(_, key)| key).collect(),
        threshold: role.threshold,
    }))
}

fn first(findings: Vec<Finding>) -> Finding {
    let mut findings = findings.into_iter();
    let unreadable = || Finding::error("DELEGATION-FORM", "metadata", "It cannot be read.");
    findings.next().unwrap_or_else(unreadable)
}
