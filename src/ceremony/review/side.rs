//! The files of one side of a comparison as one list of places: delegated roles, file after file, and behind them the projects in custody. What stands at a
//! place is read from the file when it is asked for.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::change::{Delegated, Listed, Shown, Standing};
use super::watch::{Reason, Watch};
use crate::pypi::delegation::CUSTODY;
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::shards::is_shard;
use crate::tuf::canonical;
use crate::tuf::json::Json;
use crate::tuf::key::{Key, PublicKey};
use crate::tuf::metadata::Delegations;

/// Members of a delegation that have a place of their own in [`Delegated`].
const KNOWN: [&str; 6] = [
    "name",
    "keyids",
    "threshold",
    "terminating",
    "paths",
    "path_hash_prefixes",
];

/// A place; four bytes do, because no text is longer.
pub(super) type Place = u32;
/// Where nothing stands.
pub(super) const NOWHERE: Place = Place::MAX;

/// One side.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    files: Vec<Delegations>,
    /// The first place of each file.
    starts: Vec<Place>,
    /// How many roles all files have.
    roles: Place,
    /// Paths of custody that were listed.
    custody: Vec<String>,
}

/// Who is listed under which name.
#[derive(Default)]
pub(super) struct Names {
    /// By name.
    pub(super) stands: Vec<Stand>,
    /// What is wrong with the name of what stands at a place.
    pub(super) wrong: BTreeMap<Place, Vec<Reason>>,
}

/// One of them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stand {
    pub(super) name: String,
    /// Whether that is what the role is called, because another has the project's name.
    pub(super) own: bool,
    pub(super) at: Place,
}

impl Side {
    /// Adds a file, and gives its first place.
    pub(super) fn push(&mut self, file: Option<Delegations>) -> Place {
        let start = self.roles;
        if let Some(file) = file {
            self.roles += place(file.len());
            self.files.push(file);
            self.starts.push(start);
        }
        start
    }
    pub(super) fn files(&self) -> &[Delegations] {
        &self.files
    }
    /// How many places have roles.
    pub(super) fn len(&self) -> usize {
        self.roles as usize
    }
    /// The file of a role's place, and its place there.
    pub(super) fn file(&self, at: Place) -> (&Delegations, usize) {
        let file = self.starts.partition_point(|start| *start <= at) - 1;
        (&self.files[file], (at - self.starts[file]) as usize)
    }
    /// What the role at a place is called.
    pub(super) fn role(&self, at: Place) -> Cow<'_, str> {
        let (file, at) = self.file(at);
        file.name(at).unwrap_or_default()
    }
    /// What an entry is called: `own` by its role and never by the project.
    pub(super) fn name(&self, at: Place, own: bool) -> Cow<'_, str> {
        match self.path(at) {
            Some(path) => Cow::Borrowed(in_custody(path)),
            None if own => self.role(at),
            None => name_of(self.role(at)),
        }
    }
    /// The path of custody at a place.
    fn path(&self, at: Place) -> Option<&str> {
        let number = at.checked_sub(self.roles)? as usize;
        self.custody.get(number).map(|path| &**path)
    }

    /// The projects that a role goes by.
    pub(super) fn named_by(&self, at: Place) -> Vec<String> {
        let role = self.role(at);
        if role == CUSTODY {
            return self
                .custody_of(at)
                .iter()
                .map(|path| in_custody(path).to_owned())
                .collect();
        }
        vec![name_of(role).into_owned()]
    }
    fn custody_of(&self, at: Place) -> Vec<String> {
        let (file, number) = self.file(at);
        file.at(number).map(|role| role.paths).unwrap_or_default()
    }
    /// The places of the first roles of these projects.
    pub(super) fn firsts(&self, projects: &HashSet<String>) -> Vec<Place> {
        if let [only] = self.files.as_slice() {
            let first = |project: &String| only.place(&format!("project-{project}"));
            return projects.iter().filter_map(first).map(place).collect();
        }
        let is_first = |at: &Place| {
            !projects.is_empty()
                && ProjectRole::first(&self.role(*at)).is_some_and(|name| projects.contains(name))
        };
        (0..self.roles).filter(is_first).collect()
    }
    /// Whom the role at a place stands behind.
    pub(super) fn reason_behind(&self, at: Place) -> Reason {
        let text = format!("{} stands behind {}", self.role(at), self.role(at - 1));
        Reason::new(Watch::Unsorted, text)
    }

    /// Lists what stands at the places that are wanted. The first that names a project has it; whatever names it again is listed under what it is called itself.
    pub(super) fn list(&mut self, wanted: &[bool]) -> Names {
        let mut names = Names::default();
        let mut stands: Vec<(String, Place, Place)> = Vec::new();
        for at in (0..self.roles).filter(|at| wanted[*at as usize]) {
            let role = self.role(at);
            if is_shard(&role) {
                continue;
            }
            if role != CUSTODY {
                stands.push((name_of(role).into_owned(), at, at));
                continue;
            }
            for path in self.custody_of(at) {
                let number = self.roles + place(self.custody.len());
                stands.push((in_custody(&path).to_owned(), at, number));
                self.custody.push(path);
            }
        }
        // Of one name the first of the list comes first.
        stands.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let mut seconds = Vec::new();
        for (name, _, at) in stands {
            let first = names.stands.last().filter(|first| first.name == name);
            let first = first.map(|first| first.at);
            if let Some(path) = self.path(at) {
                let whose = first.unwrap_or(at);
                if Project::parse(&name).is_err() {
                    let text = format!("custody answers for {path}");
                    names.accuse(whose, Watch::WidePath, text);
                }
                if first.is_some() {
                    let text = "in custody as well".to_owned();
                    names.accuse(whose, Watch::Unsorted, text);
                    continue;
                }
            }
            let Some(first) = first else {
                let own = false;
                names.stands.push(Stand { name, own, at });
                continue;
            };
            let text = if first >= self.roles {
                format!("{name} stands in custody as well, and custody answers first")
            } else {
                format!("a second role of {name}")
            };
            names.accuse(at, Watch::Unsorted, text);
            let (name, own) = (self.role(at).into_owned(), true);
            seconds.push(Stand { name, own, at });
        }
        if !seconds.is_empty() {
            names.stands.append(&mut seconds);
            names.stands.sort();
        }
        names
    }
    /// What stands at a place.
    pub(super) fn standing(&self, at: Place) -> Standing {
        if at == NOWHERE {
            return Standing::Absent;
        }
        if at >= self.roles {
            return Standing::Custody;
        }
        let (file, number) = self.file(at);
        let Some((role, entry)) = file.at(number).zip(file.entry(number)) else {
            return Standing::Absent;
        };
        let keys = role.role.keyids.into_iter().map(|keyid| Listed {
            key: file.object(&keyid).and_then(shown).map(Arc::new),
            keyid,
        });
        Standing::Delegated(Delegated {
            keys: keys.collect(),
            role: role.name,
            threshold: role.role.threshold,
            terminating: role.terminating,
            paths: role.paths,
            prefixes: role.path_hash_prefixes,
            other: other(entry),
        })
    }
}

impl Names {
    fn accuse(&mut self, at: Place, watch: Watch, text: String) {
        let reasons = self.wrong.entry(at).or_default();
        reasons.push(Reason::new(watch, text));
    }
}

/// A number of a list as a place.
pub(super) fn place(number: usize) -> Place {
    Place::try_from(number).unwrap_or(NOWHERE)
}

/// The project that a path of custody is for.
fn in_custody(path: &str) -> &str {
    path.strip_suffix("/*").unwrap_or(path)
}

/// The project whose role this is, else the role's own name.
fn name_of(role: Cow<'_, str>) -> Cow<'_, str> {
    if let Some(project) = ProjectRole::first(&role) {
        return Cow::Owned(project.to_owned());
    }
    match ProjectRole::parse(&role) {
        Ok(role) => Cow::Owned(role.project.as_str().to_owned()),
        Err(_) => role,
    }
}

/// A key object in words.
fn shown(object: Json<'_>) -> Option<Shown> {
    if let Some(public) = PublicKey::plain(object) {
        return Some(Shown {
            what: "Ed25519".to_owned(),
            fingerprint: public.fingerprint(),
            object: canonical::sha256(object),
            owner: None,
        });
    }
    let key = Key::from_json(object).ok()?;
    Some(Shown {
        what: key.description(),
        fingerprint: key.public().fingerprint(),
        object: canonical::sha256(object),
        owner: key.owner().map(ToOwned::to_owned),
    })
}

/// The key material of an object that was judged.
pub(super) fn material(object: Json<'_>) -> Option<PublicKey> {
    PublicKey::plain(object).or_else(|| Some(Key::from_json(object).ok()?.public().clone()))
}

fn other(object: Json<'_>) -> BTreeMap<String, String> {
    let members = object.members();
    members
        .filter(|(name, _)| !KNOWN.contains(&&**name))
        .map(|(name, value)| {
            let text = canonical::to_vec(value);
            (
                name.into_owned(),
                String::from_utf8_lossy(&text).into_owned(),
            )
        })
        .collect()
}
