//! One entry after the other, each judged by itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::{Entry, strings};
use super::projects::{Projects, public};
use super::{CUSTODY, Custody, Delegations, Shard, Signers, digest, rules, unknown};
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::shards::is_shard;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::Json;
use crate::tuf::key::{Key, KeyError, KeyId, PublicKey};
use crate::tuf::metadata::Header;

/// What has been read so far.
pub(super) struct Reader<'a> {
    file: &'a str,
    /// In ascending order of keyids.
    keys: Vec<KeyObject<'a>>,
    projects: Projects,
    custody: Option<Custody>,
    shards: BTreeMap<String, Shard>,
    refused: BTreeMap<Project, Vec<Finding>>,
    findings: Vec<Finding>,
}

/// A key object as it stands, and what it is.
struct KeyObject<'a> {
    keyid: Cow<'a, str>,
    json: Json<'a>,
    /// Where it stands in the file.
    place: usize,
    public: Result<PublicKey, KeyError>,
    /// Whether an entry lists it.
    is_used: bool,
}

/// Who signs an entry: places among [`Reader::keys`], and how many of them must.
struct Listed {
    keys: Vec<usize>,
    threshold: u32,
}

impl<'a> Reader<'a> {
    /// `judged`: whether every object is known to be a key.
    pub(super) fn new(
        file: &'a str,
        envelope: &Envelope,
        objects: impl Iterator<Item = (Cow<'a, str>, Json<'a>)>,
        judged: bool,
    ) -> Self {
        let read = |json| {
            let known = judged.then(|| public(json)).flatten();
            known.map_or_else(|| Key::from_json(json).map(|key| key.public().clone()), Ok)
        };
        let keys = objects.enumerate().map(|(place, (keyid, json))| KeyObject {
            keyid,
            json,
            place,
            public: read(json),
            is_used: false,
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by(|one, other| one.keyid.cmp(&other.keyid));
        Self {
            file,
            keys,
            projects: Projects::of(envelope),
            custody: None,
            shards: BTreeMap::new(),
            refused: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    pub(super) fn read(&mut self, index: usize, json: Json<'a>) {
        let entry = Entry::new(index, json);
        let Some(name) = entry.name.and_then(Json::as_str) else {
            let text = format!("signed.delegations.roles[{index}] has no name that is a string.");
            self.findings
                .push(Finding::error("DELEGATION-FORM", self.file, text));
            return;
        };
        if name == CUSTODY {
            return self.read_custody(&entry, json);
        }
        if is_shard(&name) {
            return self.read_shard(&name, &entry);
        }
        match ProjectRole::parse(&name) {
            Ok(role) => self.read_project(role, &entry),
            Err(fault) => {
                let finding = fault.at(&entry.place()).finding(self.file);
                self.findings.push(finding);
            }
        }
    }

    fn read_project(&mut self, role: ProjectRole, entry: &Entry<'a>) {
        let mut findings = Vec::new();
        let listed = self.listed(entry, &mut findings);
        let paths = self.paths(entry, &mut findings).unwrap_or_default();
        if findings
            .iter()
            .all(|finding| finding.rule != "PROJECT-PATHS")
        {
            findings.extend(role.check_paths(self.file, &paths));
        }
        findings.extend(rules::terminating(
            self.file,
            || entry.place(),
            entry.terminating,
        ));
        if self.projects.contains(&role.project) || self.refused.contains_key(&role.project) {
            // Who of the two would answer depends on the client, so neither may be relied on.
            self.projects.remove(&role.project);
            findings.push(rules::overlap(self.file, &entry.place(), &role.project));
        }
        match listed {
            Some(listed) if findings.is_empty() => {
                let keys = listed.keys.iter().map(|at| self.keys[*at].place);
                let keys: Vec<usize> = keys.collect();
                self.projects.insert(role.project, entry.index, &keys);
            }
            _ => {
                let refused = self.refused.entry(role.project).or_default();
                refused.append(&mut findings);
            }
        }
    }

    fn read_custody(&mut self, entry: &Entry<'a>, json: Json<'a>) {
        let mut findings = Vec::new();
        let signers = self.signers(entry, &mut findings);
        let paths = self.paths(entry, &mut findings).unwrap_or_default();
        findings.extend(rules::terminating(
            self.file,
            || entry.place(),
            entry.terminating,
        ));
        let mut projects = BTreeSet::new();
        for path in &paths {
            match path.strip_suffix("/*").map(Project::parse) {
                Some(Ok(project)) => {
                    projects.insert(project);
                }
                _ => findings.push(rules::custody_path(self.file, &entry.place(), path)),
            }
        }
        if findings.is_empty() && !paths.is_sorted_by(|a, b| a < b) {
            findings.push(rules::custody_order(self.file, &entry.place()));
        }
        if self.custody.is_some() {
            let text = format!("{} stands there a second time.", entry.place());
            findings.push(Finding::error("DELEGATION-FORM", self.file, text));
        }
        if let (Some(signers), true) = (signers, findings.is_empty()) {
            self.custody = Some(Custody {
                digest: self.digest(json, &signers),
                unknown: unknown(&entry.unknown),
                signers,
                projects,
            });
        }
        self.findings.append(&mut findings);
    }

    fn read_shard(&mut self, name: &str, entry: &Entry<'a>) {
        let mut findings = Vec::new();
        let signers = self.signers(entry, &mut findings);
        let paths = self.paths(entry, &mut findings);
        if self.shards.contains_key(name) {
            let text = format!("{} stands there a second time.", entry.place());
            findings.push(Finding::error("DELEGATION-FORM", self.file, text));
        }
        if let (Some(signers), Some(paths)) = (signers, paths) {
            let shard = Shard {
                signers,
                paths,
                // Where nothing is said the search would end in some clients.
                terminating: entry.terminating.and_then(Json::as_bool) != Some(false),
            };
            self.shards.insert(name.to_owned(), shard);
        }
        self.findings.append(&mut findings);
    }

    fn paths(&self, entry: &Entry<'a>, findings: &mut Vec<Finding>) -> Option<Vec<String>> {
        let paths = entry.paths.and_then(strings);
        if paths.is_some() && entry.path_hash_prefixes.is_none() {
            return paths;
        }
        let text = format!(
            "{} needs paths, a list of strings, and no path_hash_prefixes.",
            entry.place()
        );
        findings.push(Finding::error("PROJECT-PATHS", self.file, text));
        None
    }

    fn signers(&mut self, entry: &Entry<'a>, findings: &mut Vec<Finding>) -> Option<Signers> {
        let listed = self.listed(entry, findings)?;
        let keys = listed.keys.iter().filter_map(|at| {
            let object = &self.keys[*at];
            let key = Key::from_json(object.json).ok()?;
            Some((KeyId(object.keyid.to_string()), Arc::new(key)))
        });
        Some(Signers {
            keys: keys.collect(),
            threshold: listed.threshold,
        })
    }

    /// The place of a keyid among the keys.
    fn find(&self, keyid: &str) -> Option<usize> {
        let found = self
            .keys
            .binary_search_by(|object| (*object.keyid).cmp(keyid));
        found.ok()
    }

    fn listed(&mut self, entry: &Entry<'a>, findings: &mut Vec<Finding>) -> Option<Listed> {
        let before = findings.len();
        let file = self.file;
        let mut refuse = |rule, text: String| {
            findings.push(Finding::error(
                rule,
                file,
                format!("{} {text}.", entry.place()),
            ));
        };
        let Some(keyids) = entry.keyids.and_then(strings) else {
            refuse(
                "DELEGATION-FORM",
                "needs keyids, a list of strings".to_owned(),
            );
            return None;
        };
        let mut keys: Vec<usize> = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut material: BTreeMap<&PublicKey, &str> = BTreeMap::new();
        for keyid in &keyids {
            let name = shown(keyid);
            if !seen.insert(keyid) {
                refuse("ROLE-DUPLICATE-KEYID", format!("lists {name} twice"));
                continue;
            }
            let at = self.find(keyid);
            match at.map(|at| (at, &self.keys[at].public)) {
                None => refuse(
                    "ROLE-UNKNOWN-KEYID",
                    format!("lists {name}, which is not among the keys"),
                ),
                Some((_, Err(error))) => refuse(
                    error.rule,
                    format!("lists the key {name}, which is refused: {}", error.text),
                ),
                Some((at, Ok(public))) => {
                    if let Some(first) = material.insert(public, keyid) {
                        let first = shown(first);
                        let text = format!(
                            "lists one physical key under two keyids, {first} and {name}; some clients count it twice"
                        );
                        refuse("KEY-TWICE", text);
                    }
                    keys.push(at);
                }
            }
        }
        let found = entry.threshold.and_then(Json::as_i64);
        let threshold = found
            .and_then(|found| u32::try_from(found).ok())
            .filter(|threshold| (1..=material.len()).contains(&(*threshold as usize)));
        if threshold.is_none() {
            let found = found.map_or("that is no number".to_owned(), |found| found.to_string());
            let count = material.len();
            let text = format!(
                "has a threshold {found} and {count} usable keys; choose one from 1 to the number of keys"
            );
            refuse("ROLE-THRESHOLD", text);
        }
        for keyid in &keyids {
            if let Some(at) = self.find(keyid) {
                self.keys[at].is_used = true;
            }
        }
        let threshold = threshold?;
        (findings.len() == before).then_some(Listed { keys, threshold })
    }

    fn digest(&self, json: Json<'a>, signers: &Signers) -> Sha256 {
        let objects = signers.keys.iter().filter_map(|(keyid, _)| {
            let object = &self.keys[self.find(&keyid.0)?];
            Some((object.keyid.clone(), object.json))
        });
        digest(json, &objects.collect())
    }

    pub(super) fn finish(mut self, header: Header) -> Delegations {
        let custody = self.custody.iter().flat_map(|custody| &custody.projects);
        for project in custody {
            let is_delegated = self.projects.remove(project);
            if is_delegated || self.refused.contains_key(project) {
                let finding = rules::overlap(self.file, CUSTODY, project);
                let refused = self.refused.entry(project.clone()).or_default();
                refused.push(finding);
            }
        }
        let mut remarks: BTreeMap<Project, Vec<Finding>> = BTreeMap::new();
        let twice = twice(&self.keys);
        if !twice.is_empty() {
            for (project, keyid, public) in self.projects.keys() {
                if let Some(keyids) = twice.get(&public) {
                    let keyid = KeyId(keyid.into_owned());
                    let finding = rules::key_twice(self.file, project, &keyid, keyids);
                    remarks.entry(project.clone()).or_default().push(finding);
                }
            }
        }
        for object in self.keys.iter().filter(|object| !object.is_used) {
            let keyid = KeyId(object.keyid.to_string());
            let error = object.public.as_ref().err();
            self.findings.push(rules::unused(self.file, &keyid, error));
        }
        Delegations {
            header,
            projects: self.projects,
            custody: self.custody,
            shards: self.shards,
            refused: self.refused,
            findings: self.findings,
            remarks,
        }
    }
}

/// The keyids of each physical key that has several.
fn twice<'k>(keys: &'k [KeyObject<'_>]) -> BTreeMap<&'k PublicKey, Vec<KeyId>> {
    let usable = keys
        .iter()
        .filter_map(|object| Some((object.public.as_ref().ok()?, &*object.keyid)));
    let mut usable: Vec<_> = usable.collect();
    usable.sort_unstable();
    let same = usable.chunk_by(|one, other| one.0 == other.0);
    let same = same.filter(|keyids| keyids.len() > 1);
    let twice = same.map(|keyids| {
        let ids = keyids.iter().map(|(_, keyid)| KeyId((*keyid).to_owned()));
        (keyids[0].0, ids.collect())
    });
    twice.collect()
}
