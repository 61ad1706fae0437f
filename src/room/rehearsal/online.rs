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

mod bins;
mod offline;
mod paper;
mod people;
mod ring;

use bins::Bins;
use offline::Offline;
pub use people::{Developer, Group, Sizes, Trouble};
use ring::Ring;

use super::super::failure::Failure;
use crate::pypi::project::Project;
use crate::tuf::digest::Sha256;
use crate::tuf::key::{Algorithm, Key, KeyId, PublicKey};
use crate::tuf::metadata::RoleKeys;

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
    /// The newest recently-claimed.
    recently: Vec<u8>,
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
            recently: Vec::new(),
            listed: BTreeMap::new(),
        }
    }

    /// The online key called `name`, as a script of a genesis names it. Only keys that were asked for here are signed with.
    pub fn key(&mut self, name: &str) -> Option<PublicKey> {
        let keyid = self.ring.key(&format!("server {name}"), Algorithm::Ed25519);
        self.ring.public(&keyid).map(|key| key.public().clone())
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

    /// An intruder with the online keys puts a file of this project into its bin, with other bytes than the developer's. Gives its path.
    pub fn forge(&mut self, project: &str) -> String {
        let path = release(project, 0);
        self.bins.forge(path.clone());
        path
    }

    /// The attack by a role's name: an intruder with the online keys delegates the files of `lure`, which stands in recently-claimed, to a role that is *named*
    /// like that of `victim` and signed by him; its file lists a forged file of the victim as well. A client that keeps roles by their names alone takes the
    /// one for the other. Gives the paths of the lure's file and of the forged one.
    pub fn impostor(&mut self, lure: &Project, victim: &Project) -> (String, String) {
        self.impostor = Some((lure.clone(), victim.clone()));
        (release(lure.as_str(), 0), release(victim.as_str(), 0))
    }

    /// What an intruder's file of this path holds.
    pub fn forged(path: &str) -> Vec<u8> {
        [b"forged: ", &*content(path)].concat()
    }

    /// Puts a target file where clients of a repository with consistent snapshots look for it, below `targets`.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn store(targets: &Path, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (project, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = targets.join(project);
        std::fs::create_dir_all(&folder).map_err(|fault| disk(&folder, &fault))?;
        put(&folder, &format!("{}.{name}", Sha256::of(bytes)), bytes)
    }

    /// The bytes of a file that a developer, or for an unclaimed project the server, released: the first of its project.
    pub fn first_release(&self, project: &str) -> (String, Vec<u8>) {
        let path = release(project, 0);
        let bytes = content(&path);
        (path, bytes)
    }

    /// Signs the next version of everything that servers sign, as of `at`, and writes the files into `folder`; what is there and still true stays. Call it
    /// in the order of dates.
    ///
    /// # Errors
    /// [`Failure`]; also where the offline roles name an online key that is not ours.
    pub fn lay(&mut self, folder: &Path, at: Timestamp, extent: Extent) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).map_err(|fault| disk(folder, &fault))?;
        self.published += 1;
        let version = self.published;
        let expires = paper::date(days(at, VALID));
        for (name, bytes) in &self.offline.files {
            put(folder, name, bytes)?;
        }
        let mut now = self.offline.versions.clone();
        let recently = self.recently(at);
        self.delegated(at, &recently)?;
        self.sign_as_impostor(at)?;
        let loose = !self.offline.online.contains_key("recently-claimed");
        if !loose {
            let bytes = self.recently_claimed(&recently, version, &expires)?;
            put(folder, &format!("{version}.recently-claimed.json"), &bytes)?;
            self.recently = bytes;
            now.insert("recently-claimed".to_owned(), version);
        }
        for (role, signed) in &self.signed {
            if extent.projects {
                put(
                    folder,
                    &format!("{}.{role}.json", signed.version),
                    &signed.bytes,
                )?;
            }
            now.insert(role.clone(), signed.version);
        }
        let mut served = BTreeMap::new();
        for developer in &self.developers {
            if loose || developer.group == Group::Unclaimed {
                let path = release(developer.project.as_str(), 0);
                served.insert(path.clone(), content(&path));
            }
        }
        if let Some(succinct) = &self.offline.bins {
            self.bins.update(&self.ring, succinct, &served, at)?;
            self.bins.list(succinct, &mut now);
            if extent.bins {
                self.bins.write(succinct, folder)?;
            }
        }
        self.listed.append(&mut now);
        let signed = paper::snapshot(version, &expires, &self.listed);
        let bytes = self.by_servers("snapshot", &signed)?;
        put(folder, &format!("{version}.snapshot.json"), &bytes)?;
        let signed = paper::timestamp(version, &expires, version);
        let bytes = self.by_servers("timestamp", &signed)?;
        let path = folder.join("timestamp.json");
        std::fs::write(&path, bytes).map_err(|fault| disk(&path, &fault))
    }

    /// Who stands in recently-claimed on that day, by number, in order of names, and with which keys.
    fn recently(&mut self, at: Timestamp) -> Vec<(usize, Vec<KeyId>)> {
        let age = days_between(at, self.today);
        let numbers = self.numbers.iter();
        let numbers = numbers.filter(|(project, number)| {
            let developer = &self.developers[**number];
            developer.group != Group::Unclaimed
                && developer.age >= age
                && !self.moved.contains(*project)
        });
        let numbers: Vec<usize> = numbers.map(|(_, number)| *number).collect();
        let keys = numbers.into_iter().map(|number| {
            let project = &self.developers[number].project;
            let lured = self
                .impostor
                .as_ref()
                .is_some_and(|(lure, _)| lure == project);
            let keys = match self.developers[number].trouble {
                _ if lured => vec![self.intruder()],
                Some(Trouble::Inserted) if age <= 2 => vec![self.intruder()],
                Some(Trouble::Disagreeing) if (10..30).contains(&age) => vec![self.intruder()],
                _ => self.developers[number].keys.clone(),
            };
            (number, keys)
        });
        keys.collect()
    }

    /// The key of somebody who has no business here.
    fn intruder(&mut self) -> KeyId {
        self.ring.key("intruder", Algorithm::Ed25519)
    }

    /// Signs the metadata of every project that somebody delegates to, where something is new.
    fn delegated(
        &mut self,
        at: Timestamp,
        recently: &[(usize, Vec<KeyId>)],
    ) -> Result<(), Failure> {
        let mut wanted: BTreeMap<String, (usize, RoleKeys)> = BTreeMap::new();
        for (number, keyids) in recently {
            let developer = &self.developers[*number];
            let keys = RoleKeys {
                keyids: keyids.clone(),
                threshold: developer
                    .threshold
                    .min(keyids.len().try_into().unwrap_or(1)),
            };
            wanted.insert(developer.project.role().to_string(), (*number, keys));
        }
        for (project, claimed) in &self.offline.claimed {
            if let Some(number) = self.numbers.get(project) {
                wanted.insert(claimed.role.clone(), (*number, claimed.keys.clone()));
            }
        }
        for (role, (number, keys)) in wanted {
            self.sign_project(role, number, &keys, at)?;
        }
        Ok(())
    }

    fn sign_project(
        &mut self,
        role: String,
        number: usize,
        keys: &RoleKeys,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let developer = &self.developers[number];
        let ours = keys.keyids.iter();
        let ours = ours.filter(|keyid| self.ring.public(keyid).is_some());
        let signers: Vec<KeyId> = ours.take(keys.threshold as usize).cloned().collect();
        let releases = self.releases(developer, at);
        let expires = self.expires(developer);
        let before = self.signed.get(&role);
        if before.is_some_and(|it| {
            it.signers == signers && it.releases == releases && it.expires == expires
        }) {
            return Ok(());
        }
        let version = before.map_or(1, |before| before.version + 1);
        let name = developer.project.as_str();
        let targets = (0..releases).map(|number| {
            let path = release(name, number);
            let bytes = content(&path);
            (path, bytes)
        });
        let text = paper::targets(version, &expires, None, &targets.collect());
        let bytes = paper::sealed(&self.ring, &text, &signers).ok_or_else(|| foreign(&role))?;
        let signed = Signed {
            version,
            signers,
            releases,
            expires,
            bytes,
        };
        self.signed.insert(role, signed);
        Ok(())
    }

    /// Signs the impostor's file, over whatever the victim's developer signed.
    fn sign_as_impostor(&mut self, at: Timestamp) -> Result<(), Failure> {
        let Some((lure, victim)) = self.impostor.clone() else {
            return Ok(());
        };
        let role = victim.role().to_string();
        let signers = vec![self.intruder()];
        let version = self.signed.get(&role).map_or(1, |it| it.version + 1);
        let expires = paper::date(days(at, VALID));
        let own = release(lure.as_str(), 0);
        let forged = release(victim.as_str(), 0);
        let targets = [
            (own.clone(), content(&own)),
            (forged.clone(), Self::forged(&forged)),
        ];
        let text = paper::targets(version, &expires, None, &BTreeMap::from(targets));
        let bytes = paper::sealed(&self.ring, &text, &signers).ok_or_else(|| foreign(&role))?;
        let signed = Signed {
            version,
            signers,
            releases: 0,
            expires,
            bytes,
        };
        self.signed.insert(role, signed);
        Ok(())
    }

    /// How many files a project has on a day: one to three.
    fn releases(&self, developer: &Developer, at: Timestamp) -> usize {
        let old = developer.age - days_between(at, self.today);
        let most = 1 + developer.number % 3;
        usize::try_from(old / BETWEEN_RELEASES)
            .unwrap_or(0)
            .clamp(0, most - 1)
            + 1
    }

    /// A year; but one in forty of the claimed ones lets it come near, for the list of those that must act.
    fn expires(&self, developer: &Developer) -> String {
        let is_claimed = self.offline.claimed.contains_key(&developer.project);
        let left = match developer.trouble {
            Some(Trouble::Expiring) => 20,
            _ if is_claimed && developer.number % 40 == 11 => 25,
            _ => 365,
        };
        paper::date(days(self.today, left))
    }

    fn recently_claimed(
        &self,
        recently: &[(usize, Vec<KeyId>)],
        version: u64,
        expires: &str,
    ) -> Result<Vec<u8>, Failure> {
        let entries = recently.iter().map(|(number, keyids)| {
            let developer = &self.developers[*number];
            let lure = self
                .impostor
                .as_ref()
                .filter(|(lure, _)| *lure == developer.project);
            paper::Entry {
                role: lure
                    .map_or(&developer.project, |(_, victim)| victim)
                    .role()
                    .to_string(),
                path: developer.project.path(),
                keyids,
                threshold: developer
                    .threshold
                    .min(keyids.len().try_into().unwrap_or(1)),
            }
        });
        let delegations = paper::delegations(&self.ring, &entries.collect::<Vec<_>>());
        let signed = paper::targets(version, expires, Some(&delegations), &BTreeMap::new());
        self.by_servers("recently-claimed", &signed)
    }

    fn by_servers(&self, role: &str, signed: &str) -> Result<Vec<u8>, Failure> {
        let keys = self.offline.online.get(role);
        let keys = keys.ok_or_else(|| foreign(role))?;
        paper::sealed(&self.ring, signed, &keys.keyids).ok_or_else(|| foreign(role))
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
