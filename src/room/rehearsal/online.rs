//! PyPI's online side, played: developers with keys and projects, the roles that servers sign, archives of earlier days, and the repository that clients
//! see after a ceremony. It is for rehearsals and tests; all its keys are derived from a seed and protect nothing.
//!
//! It knows the offline roles only by the files that ceremonies published ([`Online::take`]) and signs nothing but what the online keys named there may sign.
//! Every project of [`Sizes`] stands in recently-claimed from the day its keys were first seen, until a ceremony's `online-actions.json` takes it out.

#![allow(
    clippy::disallowed_methods,
    reason = "a rehearsal lays out its own temporary folder"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{Timestamp, ToSpan};

mod asked;
mod bins;
mod hostile;
mod incident;
mod offline;
mod paper;
mod people;
mod publishing;
mod ring;
mod signing;

use bins::Bins;
use offline::Offline;
pub use people::{Developer, Group, Sizes, Trouble};
pub use publishing::Published;
use ring::Ring;

use super::super::failure::Failure;
use crate::pypi::changes::{After, Change, ChangeSet};
use crate::pypi::project::Project;
use crate::tuf::key::{Algorithm, Key, KeyId, PublicKey};

/// How long what servers sign stays valid, in days. An archive must still be valid on the day after it was made.
const VALID: i64 = 7;
/// How far apart a project's releases are, in days.
const BETWEEN_RELEASES: i64 = 15;

/// The online side of one rehearsal.
pub struct Online {
    ring: Ring,
    today: Timestamp,
    developers: Vec<Developer>,
    numbers: BTreeMap<Project, usize>,
    offline: Offline,
    bins: Bins,
    /// The newest metadata of projects, by role.
    signed: BTreeMap<String, Signed>,
    /// An intruder's delegation in recently-claimed: the files of the first project to the role of the second.
    impostor: Option<(Project, Project)>,
    /// Projects that a ceremony took out of recently-claimed.
    moved: BTreeSet<Project>,
    /// How often it was published.
    published: u64,
    /// The newest recently-claimed; none in a tree without it.
    recently: Option<Vec<u8>>,
    /// Whether it is said how long the snapshot and what ceremonies sign are, because clients would not read so much unless they are told.
    lengths: bool,
    /// The newest snapshot.
    snapshot: Vec<u8>,
    /// The newest timestamp.
    timestamp: Vec<u8>,
    /// Every role that a snapshot ever listed, with its newest version.
    listed: BTreeMap<String, u64>,
}

/// What a project's developer signed last.
struct Signed {
    version: u64,
    signers: Vec<KeyId>,
    releases: usize,
    expires: String,
    bytes: Vec<u8>,
}

/// Which files are written, besides root, timestamp, snapshot and the delegators. The snapshot lists all of them in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The bins.
    pub bins: bool,
    /// The projects' own metadata.
    pub projects: bool,
}

impl Extent {
    /// Everything: what clients need.
    pub const WHOLE: Self = Self {
        bins: true,
        projects: true,
    };
    /// What the newest archive of a claim must have.
    pub const NEWEST: Self = Self {
        bins: false,
        projects: true,
    };
    /// What its earlier archives must have.
    pub const EARLIER: Self = Self {
        bins: false,
        projects: false,
    };
}

impl Online {
    /// Developers and projects as `sizes` says; `today` is the day on which the ceremonies play.
    pub fn new(sizes: Sizes, seed: &str, today: Timestamp) -> Self {
        let mut ring = Ring::new(seed);
        let developers = people::everybody(sizes, &mut ring);
        let names = developers.iter().map(|it| it.project.clone());
        Self {
            numbers: names.zip(0..).collect(),
            developers,
            ring,
            today,
            offline: Offline::default(),
            bins: Bins::default(),
            signed: BTreeMap::new(),
            impostor: None,
            moved: BTreeSet::new(),
            published: 0,
            recently: None,
            lengths: sizes.before > 0,
            snapshot: Vec::new(),
            timestamp: Vec::new(),
            listed: BTreeMap::new(),
        }
    }

    /// The online key called `name`, as a script of a genesis names it. Only keys that were asked for here are signed with.
    pub fn key(&mut self, name: &str) -> Option<PublicKey> {
        let keyid = self.ring.key(&format!("server {name}"), Algorithm::Ed25519);
        self.ring.public(&keyid).map(|key| key.public().clone())
    }

    /// The day on which the ceremonies play.
    pub fn today(&self) -> Timestamp {
        self.today
    }

    /// Everybody, by number.
    pub fn developers(&self) -> &[Developer] {
        &self.developers
    }

    /// Who has a project.
    pub fn developer(&self, project: &str) -> Option<&Developer> {
        self.numbers
            .get(project)
            .and_then(|number| self.developers.get(*number))
    }

    /// What brings the projects of [`Group::Before`] into an empty claimed.
    pub fn standing(&self) -> ChangeSet {
        let before = self.developers.iter();
        let before = before.filter(|developer| developer.group == Group::Before);
        let changes = before.map(|developer| {
            let keys = developer.keys.iter();
            let keys = keys.filter_map(|id| Some((id.clone(), self.public(id)?.clone())));
            let after = After::Delegate {
                generation: 1,
                keys: keys.collect(),
                threshold: developer.threshold,
            };
            let change = Change {
                before: None,
                after,
            };
            (developer.project.clone(), change)
        });
        ChangeSet {
            changes: changes.collect(),
        }
    }

    /// A developer's key object.
    pub fn public(&self, keyid: &KeyId) -> Option<&Key> {
        self.ring.public(keyid)
    }

    /// Takes over a ceremony's `metadata/`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn take(&mut self, metadata: &Path) -> Result<(), Failure> {
        self.offline.take(metadata)
    }

    /// Takes a project out of recently-claimed.
    pub fn remove(&mut self, project: Project) {
        self.moved.insert(project);
    }

    /// The bytes of a file that a developer, or for an unclaimed project the server, released: the first of its project.
    pub fn first_release(&self, project: &str) -> (String, Vec<u8>) {
        let path = release(project, 0);
        let bytes = content(&path);
        (path, bytes)
    }

    /// [`Self::sign`], and [`Self::write`] into `folder`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn lay(&mut self, folder: &Path, at: Timestamp, extent: Extent) -> Result<(), Failure> {
        self.sign(at)?;
        self.write(folder, extent)
    }

    /// Signs the next version of everything that servers sign, as of `at`. Call it in the order of dates.
    ///
    /// # Errors
    /// [`Failure`]; also where the offline roles name an online key that is not ours.
    pub fn sign(&mut self, at: Timestamp) -> Result<(), Failure> {
        let version = self.published + 1;
        let expires = paper::date(days(at, VALID));
        let mut now = self.offline.versions.clone();
        let recently = self.recently(at);
        self.delegated(at, &recently)?;
        self.sign_as_impostor(at)?;
        self.recently = None;
        let loose = !self.offline.online.contains_key("recently-claimed");
        if !loose {
            self.recently = Some(self.recently_claimed(&recently, version, &expires)?);
            now.insert("recently-claimed".to_owned(), version);
        }
        for (role, signed) in &self.signed {
            now.insert(role.clone(), signed.version);
        }
        // Listed are all, so that snapshots are as long as they would be.
        for claimed in self.offline.claimed.values() {
            now.entry(claimed.role.clone()).or_insert(1);
        }
        if let Some(succinct) = &self.offline.bins {
            let recently: BTreeSet<usize> = recently.iter().map(|(number, _)| *number).collect();
            let answered = |developer: &Developer| {
                let project = &developer.project;
                !loose && recently.contains(&developer.number)
                    || self.offline.claimed.contains_key(project)
                    || self.offline.custody.contains(project)
            };
            let served = self.developers.iter().filter(|it| !answered(it));
            let served = served.map(|developer| {
                let path = release(developer.project.as_str(), 0);
                let bytes = content(&path);
                (path, bytes)
            });
            self.bins
                .update(&self.ring, succinct, &served.collect(), at)?;
            self.bins.list(succinct, &mut now);
        }
        self.listed.append(&mut now);
        let length = |role: &str, version: u64| {
            let file = self.offline.files.get(&format!("{version}.{role}.json"));
            file.filter(|_| self.lengths).map(Vec::len)
        };
        let signed = paper::snapshot(version, &expires, &self.listed, &length);
        self.snapshot = self.by_servers("snapshot", &signed)?;
        let length = Some(self.snapshot.len()).filter(|_| self.lengths);
        let signed = paper::timestamp(version, &expires, (version, length));
        self.timestamp = self.by_servers("timestamp", &signed)?;
        self.published = version;
        Ok(())
    }

    /// Writes what was signed last into `folder`. Nothing is removed: clients may still ask for what was there.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn write(&self, folder: &Path, extent: Extent) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).map_err(|fault| disk(folder, &fault))?;
        let version = self.published;
        for (name, bytes) in &self.offline.files {
            put(folder, name, bytes)?;
        }
        if let Some(recently) = &self.recently {
            put(
                folder,
                &format!("{version}.recently-claimed.json"),
                recently,
            )?;
        }
        if extent.projects {
            for (role, signed) in &self.signed {
                let name = format!("{}.{role}.json", signed.version);
                put(folder, &name, &signed.bytes)?;
            }
        }
        if let Some(succinct) = self.offline.bins.as_ref().filter(|_| extent.bins) {
            self.bins.write(succinct, folder)?;
        }
        put(folder, &format!("{version}.snapshot.json"), &self.snapshot)?;
        let path = folder.join("timestamp.json");
        std::fs::write(&path, &self.timestamp).map_err(|fault| disk(&path, &fault))
    }
}

/// The path of one of a project's files.
fn release(project: &str, number: usize) -> String {
    format!("{project}/{project}-1.{number}.tar.gz")
}

/// What a file holds.
fn content(path: &str) -> Vec<u8> {
    format!("{path}, made for a rehearsal\n").into_bytes()
}

fn days(from: Timestamp, days: i64) -> Timestamp {
    from.checked_add((days * 24).hours()).unwrap_or(from)
}

fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours().div_euclid(24)
}

fn foreign(role: &str) -> Failure {
    Failure::usage(format!(
        "the online side of this rehearsal has no key that may sign {role}; its keys must be in the genesis"
    ))
}

fn disk(path: &Path, fault: &std::io::Error) -> Failure {
    Failure::disk(format!("{}: {fault}", path.display()))
}

/// Writes a file that is not there yet. Names have version numbers, so what is there is the same.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    match std::fs::File::create_new(&path) {
        Ok(mut file) => {
            std::io::Write::write_all(&mut file, bytes).map_err(|fault| disk(&path, &fault))
        }
        Err(fault) if fault.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(fault) => Err(disk(&path, &fault)),
    }
}
