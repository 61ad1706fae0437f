//! Projects by name. Of each only where its entry and its keys stand is held; what they say is read from the file when it is asked for, so that 736,344 projects
//! cost a hundred bytes each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Entry, strings};
use super::{Delegation, digest, unknown};
use crate::pypi::project::{Project, ProjectRole};
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::json::Json;
use crate::tuf::key::{Key, KeyId, PublicKey};

/// The projects of a file, or of `claimed` and its shards together, each with an entry that keeps every rule.
#[derive(Clone, Debug, Default)]
pub struct Projects {
    files: Vec<Envelope>,
    rows: BTreeMap<Project, Row>,
}

/// Where a project stands, by numbers from 0.
#[derive(Clone, Debug)]
struct Row {
    file: u32,
    /// Among the roles of the file.
    role: u32,
    /// Among its keys, in the order in which the role lists them.
    keys: Box<[u32]>,
}

impl Projects {
    /// None yet, of this file.
    pub(super) fn of(file: &Envelope) -> Self {
        Self {
            files: vec![file.clone()],
            rows: BTreeMap::new(),
        }
    }
    /// A project of the first file.
    pub(super) fn insert(&mut self, project: Project, role: usize, keys: &[usize]) {
        // A file has fewer entries than bytes, and those fit.
        let place = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let row = Row {
            file: 0,
            role: place(role),
            keys: keys.iter().map(|key| place(*key)).collect(),
        };
        self.rows.insert(project, row);
    }
    /// Sets one aside; whether it was there.
    pub(super) fn remove(&mut self, project: &Project) -> bool {
        self.rows.remove(project).is_some()
    }
    /// Takes in those of another file.
    pub(in crate::pypi) fn append(&mut self, other: Self) {
        let before = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.extend(other.files);
        self.rows
            .extend(other.rows.into_iter().map(|(project, row)| {
                let file = before + row.file;
                (project, Row { file, ..row })
            }));
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// Whether this one is among them.
    pub fn contains(&self, project: &Project) -> bool {
        self.rows.contains_key(project)
    }
    /// Their names, ascending.
    pub fn names(&self) -> impl Iterator<Item = &Project> {
        self.rows.keys()
    }
    /// What is delegated to a project.
    pub fn get(&self, project: &Project) -> Option<Delegation> {
        self.delegation(self.rows.get(project)?)
    }
    /// [`Delegation::digest`] of a project's, with nothing else read.
    pub fn digest(&self, project: &Project) -> Option<Sha256> {
        let row = self.rows.get(project)?;
        Some(digest(self.role(row)?, &self.objects(row).collect()))
    }
    /// What is delegated to each, in order of their names.
    pub fn all(&self) -> impl Iterator<Item = Delegation> {
        let rows = self.rows.values();
        rows.filter_map(|row| self.delegation(row))
    }
    /// What each project's role is called.
    pub fn roles(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let rows = self.rows.values();
        rows.filter_map(|row| self.role(row)?.get("name")?.as_str())
    }
    /// Every key of every project, with the keyid under which it stands.
    pub fn keys(&self) -> impl Iterator<Item = (&Project, Cow<'_, str>, PublicKey)> {
        self.rows.iter().flat_map(|(project, row)| {
            let keys = self.objects(row);
            keys.filter_map(move |(keyid, object)| Some((project, keyid, public(object)?)))
        })
    }

    fn role(&self, row: &Row) -> Option<Json<'_>> {
        self.files
            .get(row.file as usize)?
            .role_at(row.role as usize)
    }
    fn objects(&self, row: &Row) -> impl Iterator<Item = (Cow<'_, str>, Json<'_>)> {
        let file = self.files.get(row.file as usize);
        let keys = row.keys.iter();
        keys.filter_map(move |key| file?.key_at(*key as usize))
    }
    /// None would be an entry that was never judged.
    fn delegation(&self, row: &Row) -> Option<Delegation> {
        let json = self.role(row)?;
        let entry = Entry::new(row.role as usize, json);
        let keys = self.objects(row).map(|(keyid, object)| {
            let key = Key::from_json(object).ok()?;
            Some((KeyId(keyid.into_owned()), Arc::new(key)))
        });
        Some(Delegation {
            role: ProjectRole::parse(&entry.name?.as_str()?).ok()?,
            keys: keys.collect::<Option<_>>()?,
            threshold: entry.threshold?.as_i64()?.try_into().ok()?,
            terminating: true,
            paths: entry.paths.and_then(strings)?,
            digest: digest(json, &self.objects(row).collect()),
            unknown: unknown(&entry.unknown),
        })
    }
}

/// The material of a key that was judged.
pub(super) fn public(object: Json<'_>) -> Option<PublicKey> {
    PublicKey::plain(object).or_else(|| Some(Key::from_json(object).ok()?.public().clone()))
}
