//! `REQUEST-EXACT` over a `claimed` with shards: every entry that stood, and every change, belongs to one shard of the new layout at most, and there the shard is set
//! beside the file that answered for its projects before: itself, the shard that was divided, or the `claimed` that had none.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{self, Keys};
use super::places::Places;
use super::roles::{self, Entry, Roles};
use super::{Counts, Frame, Head, NOTHING, Side, custody, frames};
use crate::pypi::changes::ChangeSet;
use crate::pypi::delegation::CUSTODY;
use crate::pypi::project::{Project, ProjectRole};
use crate::pypi::shards::{Files, Form, Layout, PREFIX, is_shard};
use crate::tuf::edit::RoleSpec;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::{Json, Limits, check};
use crate::tuf::value::Value;

/// What `claimed` and its shards shall be.
#[derive(Clone, Copy)]
pub struct ExpectedShards<'a> {
    /// Version and expiry of `claimed`; `None`: it stays as it is.
    pub claimed: Option<(u64, &'a str)>,
    /// Version and expiry of each shard that is made anew, by role; others stay as they are.
    pub shards: &'a BTreeMap<String, (u64, String)>,
    /// The member that marks what a rehearsal signs; `None` in production.
    pub marker: Option<&'a str>,
    /// What was asked for.
    pub changes: &'a ChangeSet,
    /// Who signs `claimed`, and so its shards.
    pub signers: &'a RoleSpec,
    /// Who signs for projects in custody; `None`: as it stands.
    pub custody: Option<&'a RoleSpec>,
}

/// Judges `new` (all of it, with the shards that stay) against `old` and the changes: as [`super::exact`], one note over all files or errors by file.
pub fn exact_sharded(
    old: &Files<'_>,
    new: &Files<'_>,
    expected: &ExpectedShards<'_>,
) -> Vec<Finding> {
    let mut places = Places::new("claimed");
    match judge(&mut places, old, new, expected) {
        Some(counts) if places.is_empty() => {
            vec![Finding::note("REQUEST-EXACT", "claimed", counts.summary())]
        }
        _ => places.into_findings(),
    }
}

fn judge(
    places: &mut Places,
    old: &Files<'_>,
    new: &Files<'_>,
    expected: &ExpectedShards<'_>,
) -> Option<Counts> {
    let (old_top, new_top) = (
        Frame::new(old.claimed.signed()),
        Frame::new(new.claimed.signed()),
    );
    let head = expected.claimed.map(|(version, expires)| Head {
        version,
        expires,
        marker: expected.marker,
        follows: true,
    });
    frames(places, &old_top, &new_top, head)?;
    let before = old_top.side(places, "the old file")?;
    let after = new_top.side(places, "the new file")?;
    let in_custody = custody::projects(places, before.roles.get(CUSTODY));
    let (was, is) = (layout(places, &before)?, layout(places, &after)?);
    let mut counts = top(places, (&before, &after), &in_custody, expected);

    let mut changes: BTreeMap<Option<String>, ChangeSet> = BTreeMap::new();
    for (project, change) in &expected.changes.changes {
        let shard = is.owner(project.as_str());
        let own = changes.entry(shard).or_default();
        own.changes.insert(project.clone(), change.clone());
    }
    let shards = Shards {
        was: &was,
        new,
        expected,
        changes,
        in_custody,
    };
    // What belongs to no shard stood in none: it left custody, or stays there.
    if let Some(changes) = shards.changes.get(&None) {
        let none = Side::default();
        let old = (&none.roles, &none.keys);
        counts.add(roles::compare(
            places,
            old,
            &none.roles,
            changes,
            &shards.in_custody,
        ));
    }
    if was.is_empty() {
        counts.add(shards.divided(places, &old_top, &before, (&is, "")));
        return Some(counts);
    }
    for (role, form) in was.shards() {
        places.in_file(&role);
        let Some(file) = old.shards.get(&*role) else {
            places.add(|| "signed: the old file is not there".to_owned());
            continue;
        };
        if let Some(identical) = shards.stays(&role, file, is.form(&role) == Some(form)) {
            counts.identical += identical;
            continue;
        }
        let frame = Frame::new(file.signed());
        let side = frame.side(places, "the old file")?;
        counts.add(if is.form(&role) == Some(form) {
            shards.judge(places, &role, &frame, (&side.roles, &side.keys))
        } else {
            let prefix = role.strip_prefix(PREFIX).unwrap_or_default();
            shards.divided(places, &frame, &side, (&is, prefix))
        });
    }
    let nothing = Frame::new(check(NOTHING, Limits::SMALL).ok()?);
    let none = Side::default();
    for (role, _) in is.shards() {
        let prefix = role.strip_prefix(PREFIX).unwrap_or_default();
        if was.parent(prefix).is_none() {
            counts.add(shards.judge(places, &role, &nothing, (&none.roles, &none.keys)));
        }
    }
    Some(counts)
}

/// The shards that a file lists.
fn layout(places: &mut Places, side: &Side<'_>) -> Option<Layout> {
    let mut shards = Vec::new();
    for entry in side
        .roles
        .entries
        .iter()
        .filter(|entry| is_shard(&entry.name))
    {
        let prefix = entry.name.strip_prefix(PREFIX).unwrap_or_default();
        let paths = entry.json.get("paths").into_iter().flat_map(Json::elements);
        let paths: Vec<_> = paths.filter_map(Json::as_str).collect();
        let form = match paths.as_slice() {
            [path] => Form::of(prefix, path),
            _ => None,
        };
        let Some(form) = form else {
            places.add(|| format!("{}: its paths are not those of such a shard", entry.path()));
            return None;
        };
        shards.push((prefix.to_owned(), form));
    }
    let layout = Layout::new(shards);
    if let Err(overlap) = &layout {
        places.add(|| {
            let (one, other) = (&overlap.0, &overlap.1);
            format!("signed.delegations.roles: {PREFIX}{one} and {PREFIX}{other} answer for the same projects")
        });
    }
    layout.ok()
}

/// `claimed` itself: the entries of shards, custody, and the keys of both.
fn top(
    places: &mut Places,
    (old, new): (&Side<'_>, &Side<'_>),
    in_custody: &BTreeSet<Project>,
    expected: &ExpectedShards<'_>,
) -> Counts {
    let mut counts = Counts::default();
    let custody = (old.roles.get(CUSTODY), new.roles.get(CUSTODY));
    let asked = (expected.changes, expected.custody);
    let unchanged = custody::compare(places, custody, in_custody, &old.keys, asked);
    counts.identical += usize::from(unchanged);
    let mut entries = old.roles.entries.iter();
    let stood = entries.find(|entry| is_shard(&entry.name)).or(custody.0);
    let keyids = custody::keyids(stood, &old.keys, expected.signers);
    for entry in &new.roles.entries {
        if entry.name == CUSTODY {
            continue;
        }
        if !is_shard(&entry.name) {
            places.add(|| format!("{}: is no shard's entry", entry.path()));
            continue;
        }
        // Its name and its one path made the layout, in which every project has been looked for.
        let paths = entry.json.get("paths").map(Value::from_json);
        let set = [
            ("keyids", Value::Array(keyids.clone())),
            ("name", Value::string(&*entry.name)),
            ("paths", paths.unwrap_or(Value::Null)),
            ("terminating", Value::Bool(false)),
            (
                "threshold",
                Value::Integer(expected.signers.threshold.into()),
            ),
        ];
        roles::members(places, entry, old.roles.get(&entry.name), &set);
    }
    let signers: Vec<&RoleSpec> = (expected.custody.into_iter())
        .chain([expected.signers])
        .collect();
    keys::compare(places, &old.keys, new, &ChangeSet::default(), &signers);
    counts
}

struct Shards<'a> {
    was: &'a Layout,
    new: &'a Files<'a>,
    expected: &'a ExpectedShards<'a>,
    /// By shard.
    changes: BTreeMap<Option<String>, ChangeSet>,
    in_custody: BTreeSet<Project>,
}

impl Shards<'_> {
    /// How many entries a shard has to which nothing happens: the same bytes answer for the same projects. `None` where it must be looked into.
    fn stays(&self, role: &str, old: &Envelope, same_form: bool) -> Option<usize> {
        let new = self.new.shards.get(role)?;
        let changes = self.changes.contains_key(&Some(role.to_owned()));
        let same = new.signed().bytes() == old.signed().bytes();
        if changes || !same_form || !same || self.expected.shards.contains_key(role) {
            return None;
        }
        let roles = new.signed().get("delegations")?.get("roles")?;
        Some(roles.elements().count())
    }

    /// The shards in place of a file that answered for a prefix, each beside its part of that file's entries.
    fn divided(
        &self,
        places: &mut Places,
        frame: &Frame<'_>,
        old: &Side<'_>,
        (is, prefix): (&Layout, &str),
    ) -> Counts {
        let parts = is.below(prefix).map(|role| (role, Vec::new()));
        let mut parts: BTreeMap<String, Vec<Entry<'_>>> = parts.collect();
        for entry in old.roles.entries.iter().filter(|it| it.name != CUSTODY) {
            let project = ProjectRole::parse(&entry.name).map(|role| role.project);
            let owner = project.ok().and_then(|it| is.owner(it.as_str()));
            match owner.and_then(|owner| parts.get_mut(&owner)) {
                Some(part) => part.push(entry.clone()),
                None => {
                    places.add(|| format!("{}: no shard answers for it any more", entry.path()));
                }
            }
        }
        let mut counts = Counts::default();
        for (role, entries) in parts {
            let roles = Roles { entries };
            counts.add(self.judge(places, &role, frame, (&roles, &old.keys)));
        }
        counts
    }

    /// The shard `role` beside what stood for its projects in the file `source`.
    fn judge(
        &self,
        places: &mut Places,
        role: &str,
        source: &Frame<'_>,
        stood: (&Roles<'_>, &Keys<'_>),
    ) -> Counts {
        places.in_file(role);
        let Some(new) = self.new.shards.get(role) else {
            places.add(|| "signed: the file is not there".to_owned());
            return Counts::default();
        };
        let Some((version, expires)) = self.expected.shards.get(role) else {
            places.add(|| "signed: the shard changes and is not made anew".to_owned());
            return Counts::default();
        };
        let head = Head {
            version: *version,
            expires,
            marker: self.expected.marker,
            follows: self.was.form(role).is_some(),
        };
        let new = Frame::new(new.signed());
        let side = frames(places, source, &new, Some(head))
            .and_then(|()| new.side(places, "the new file"));
        let Some(new) = side else {
            return Counts::default();
        };
        if let Some(custody) = new.roles.get(CUSTODY) {
            places.add(|| format!("{}: only claimed itself has it", custody.path()));
        }
        let none = ChangeSet::default();
        let changes = self.changes.get(&Some(role.to_owned())).unwrap_or(&none);
        let counts = roles::compare(places, stood, &new.roles, changes, &self.in_custody);
        keys::compare(places, stood.1, &new, changes, &[]);
        counts
    }
}

impl Default for Side<'_> {
    fn default() -> Self {
        Self {
            roles: Roles {
                entries: Vec::new(),
            },
            keys: Keys::new(None),
        }
    }
}
