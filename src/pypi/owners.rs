//! The developers' register, `owners.jsonl`: who holds which key, by the word of PyPI at the time it was accepted. It goes from bundle to bundle and
//! is never written into metadata, which is public for ever.
//!
//! Developers are shown and reported, never blocked: a project's threshold is its own affair (docs/requests.md). Administrators are judged by
//! [`super::policy`]. Only `OWNER-SHARED` stops a claim until somebody has looked: a key of two people is one that somebody copied, or a mistake.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use super::fault::Fault;
use super::field::{Field, moment_text};
use super::policy::{Role, RoleClass, counted};
use super::project::Project;
use super::quorum::Quorum;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::style;
use crate::tuf::value::Value;

#[cfg(test)]
mod tests;

/// The file's name in a bundle and beside what is carried in.
pub const NAME: &str = "owners.jsonl";

/// The `schema` that the first line says.
pub const SCHEMA: &str = "tuf-ceremony/owners/1";

/// The longest label, in characters.
pub const LONGEST_LABEL: usize = 100;

/// One key on more projects than this is reported.
pub const MANY_PROJECTS: usize = 20;

const FORM: &str = "OWNER-FORM";

/// Who holds a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `alice (laptop)`. Untrusted text.
    pub label: String,
    /// Since when the register says so.
    pub since: jiff::Timestamp,
}

/// The register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// By keyid.
    pub keys: BTreeMap<KeyId, Owner>,
}

/// A project's keys, as claimed or a request has them.
#[derive(Clone, Debug)]
pub struct Team<'a> {
    /// Whose.
    pub project: &'a Project,
    /// The keys under their keyids.
    pub keys: Vec<(&'a KeyId, &'a Key)>,
    /// How many must sign.
    pub threshold: u32,
}

impl Owners {
    /// Reads a register strictly.
    ///
    /// # Errors
    /// `OWNER-FORM`; `OWNER-TWICE` for a keyid that stands in two lines; `OWNER-ORDER`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Finding> {
        Self::read(bytes).map_err(|fault| fault.finding(file))
    }

    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let Some(lines) = bytes.strip_suffix(b"\n") else {
            let text = "the register does not end with a newline: it was cut off";
            return Err(Fault::new(FORM, text));
        };
        let mut owners = Self::default();
        for (index, line) in lines.split(|byte| *byte == b'\n').enumerate() {
            let read = if index == 0 {
                header(line)
            } else {
                owners.take(line)
            };
            read.map_err(|fault| fault.at(&format!("line {}", index + 1)))?;
        }
        Ok(owners)
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Fault> {
        let field = Field::line(FORM, line)?;
        field.only(&["keyid", "owner", "since"])?;
        let keyid = KeyId(field.member("keyid")?.digest()?.to_string());
        let owner = field.member("owner")?;
        let label = owner.string()?.into_owned();
        check_label(&label).map_err(|text| owner.refuse(text))?;
        let since = field.member("since")?.moment(FORM)?;
        if let Some((last, before)) = self.keys.last_key_value() {
            if *last == keyid {
                let text = format!(
                    "{keyid} is held by {} and by {}; a key has one owner",
                    shown(&before.label),
                    shown(&label)
                );
                return Err(Fault::new("OWNER-TWICE", text));
            }
            if *last > keyid {
                let text = format!("{keyid} stands behind {last}; the lines are sorted by keyid");
                return Err(Fault::new("OWNER-ORDER", text));
            }
        }
        self.keys.insert(keyid, Owner { label, since });
        Ok(())
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let object = |members: &[(&str, &str)]| {
            let members = members
                .iter()
                .map(|(name, text)| ((*name).to_owned(), Value::string(*text)));
            style::to_line(&Value::Object(members.collect()))
        };
        let mut bytes = object(&[("schema", SCHEMA)]);
        for (keyid, owner) in &self.keys {
            let since = moment_text(owner.since);
            let line = [
                ("keyid", keyid.0.as_str()),
                ("owner", &owner.label),
                ("since", &since),
            ];
            bytes.extend(object(&line));
        }
        bytes
    }

    /// Takes in whom accepted requests name, each seen `at`. A label that is there already keeps its date; another one takes its place, because
    /// who accepted the request has looked at it.
    pub fn merge<'a>(
        &mut self,
        owners: impl IntoIterator<Item = (&'a KeyId, &'a String)>,
        at: jiff::Timestamp,
    ) {
        for (keyid, label) in owners {
            let known = self.keys.get(keyid);
            if known.is_none_or(|owner| owner.label != *label) {
                let label = label.clone();
                self.keys.insert(keyid.clone(), Owner { label, since: at });
            }
        }
    }

    /// `OWNER-SHARED`, a warning: one key under two persons, in the register and these requests together. Two machines of one person are not two.
    /// What comes back names the keyid, so that every request with it can be held up.
    pub fn shared<'a>(
        &'a self,
        file: &str,
        requests: impl IntoIterator<Item = (&'a KeyId, &'a String)>,
    ) -> BTreeMap<&'a KeyId, Finding> {
        let mut persons: BTreeMap<&KeyId, &str> = BTreeMap::new();
        let mut shared = BTreeMap::new();
        for (keyid, label) in requests {
            let known = self.keys.get(keyid).map(|owner| owner.label.as_str());
            let first = *persons.entry(keyid).or_insert(known.unwrap_or(label));
            if person(first) != person(label) {
                shared.entry(keyid).or_insert_with(|| {
                    let text = format!(
                        "the key {keyid} is said to be held by {} and by {}: one of them has a copy, or the owners are wrong. Ask both.",
                        shown(first),
                        shown(label)
                    );
                    Finding::warning("OWNER-SHARED", file, text)
                });
            }
        }
        shared
    }

    /// Who can sign for a project. A key that the register does not know counts as a person of its own.
    pub fn quorum(&self, team: &Team<'_>) -> Quorum {
        let keys = team.keys.iter();
        let persons = keys.clone().filter_map(|(keyid, _)| {
            let owner = self.keys.get(*keyid)?;
            Some(((*keyid).clone(), person(&owner.label).to_owned()))
        });
        let role = Role {
            name: team.project.role().to_string(),
            class: RoleClass::Project,
            keys: keys
                .clone()
                .map(|(keyid, key)| ((*keyid).clone(), (*key).clone()))
                .collect(),
            threshold: team.threshold,
            header: None,
        };
        Quorum::of(&role, &persons.collect())
    }

    /// The smallest number of persons who reach the project's threshold together; none if all of them do not.
    pub fn persons_needed(&self, team: &Team<'_>) -> Option<usize> {
        self.quorum(team).persons_needed()
    }

    /// What is told of one project and never stops it: `OWNER-SINGLE-KEY`, `OWNER-ONE-PERSON`.
    pub fn remarks(&self, file: &str, team: &Team<'_>) -> Vec<Finding> {
        let quorum = self.quorum(team);
        let project = team.project;
        let mut remarks = Vec::new();
        if quorum.keys() == 1 {
            let text = format!(
                "{project} has one key: whoever loses it must ask for a reset. A second key on another machine would do."
            );
            remarks.push(Finding::note("OWNER-SINGLE-KEY", file, text));
        }
        if let (Some((person, _)), Some(1), 2..) = (
            quorum.holders.first(),
            quorum.persons_needed(),
            quorum.threshold,
        ) {
            let text = format!(
                "{project} needs {} signatures, and 1 person suffices: {}",
                quorum.threshold,
                shown(person)
            );
            remarks.push(Finding::note("OWNER-ONE-PERSON", file, text));
        }
        remarks
    }
}

/// `OWNER-MANY-PROJECTS`, a note for each key that stands on more than [`MANY_PROJECTS`] projects, most first. `keys` are the keys of every project with their keyids.
pub fn many_projects<'a, I>(file: &str, keys: impl Fn() -> I) -> Vec<Finding>
where
    I: Iterator<Item = (&'a Project, Cow<'a, str>, PublicKey)>,
{
    // Nearly every key is on one project: no list of projects is made for it.
    let hasher = RandomState::new();
    let mut counts: HashMap<u64, usize> = HashMap::new();
    for (_, _, public) in keys() {
        *counts.entry(hasher.hash_one(&public)).or_default() += 1;
    }
    counts.retain(|_, count| *count > MANY_PROJECTS);
    // By material: under a second keyid it would be stolen all the same.
    let mut many: BTreeMap<PublicKey, (Cow<'a, str>, BTreeSet<&Project>)> = BTreeMap::new();
    for (project, keyid, public) in keys() {
        if counts.contains_key(&hasher.hash_one(&public)) {
            let (_, projects) = many
                .entry(public)
                .or_insert_with(|| (keyid, BTreeSet::new()));
            projects.insert(project);
        }
    }
    let mut many: Vec<_> = many
        .into_values()
        .filter(|(_, projects)| projects.len() > MANY_PROJECTS)
        .collect();
    many.sort_by_key(|(_, projects)| std::cmp::Reverse(projects.len()));
    let finding = |(keyid, projects): (Cow<'_, str>, BTreeSet<&Project>)| {
        let (first, last) = (projects.first()?, projects.last()?);
        let text = format!(
            "the key {} is on {}, from {first} to {last}: who steals it has them all",
            shown(&keyid),
            counted(projects.len(), "project"),
        );
        Some(Finding::note("OWNER-MANY-PROJECTS", file, text))
    };
    many.into_iter().filter_map(finding).collect()
}

/// Whether `label` can be shown and compared: 1 to [`LONGEST_LABEL`] characters, no control characters, no blanks at its ends.
pub(super) fn check_label(label: &str) -> Result<(), String> {
    let length = label.chars().count();
    let is_right = (1..=LONGEST_LABEL).contains(&length)
        && !label.chars().any(char::is_control)
        && label.trim() == label;
    if is_right {
        return Ok(());
    }
    Err(format!(
        "must be a name of 1 to {LONGEST_LABEL} characters, as alice or alice (laptop)"
    ))
}

/// The person of a label: what stands before ` (`, so that one person with two machines is one.
pub fn person(label: &str) -> &str {
    label.split_once(" (").map_or(label, |(person, _)| person)
}

fn header(line: &[u8]) -> Result<(), Fault> {
    let field = Field::line(FORM, line)?;
    field.only(&["schema"])?;
    let schema = field.member("schema")?;
    let found = schema.string()?;
    if found == SCHEMA {
        return Ok(());
    }
    Err(schema.refuse(format!("is {}; this program reads {SCHEMA}", shown(&found))))
}
