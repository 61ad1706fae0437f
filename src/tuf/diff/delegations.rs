//! Delegations: roles matched by name, their order (which is priority), their fields, and TAP 15 succinct roles.

use std::collections::BTreeMap;

use super::keys::{self, Keys};
use super::roles::{self, Side};
use super::{ChangeKind, Lines, Pair, fields, member};
use crate::tuf::json::Json;
use crate::tuf::metadata::{DelegatedRole, Delegations, Targets};

/// Up to so many delegated roles are told one by one when they are the same; of more only the number.
const TOLD_WHEN_SAME: usize = 32;

/// One version of the delegations, typed and as they stand.
struct Version<'a> {
    keys: Keys<'a>,
    typed: Option<&'a Delegations>,
    roles: BTreeMap<&'a str, (usize, &'a DelegatedRole, Json<'a>)>,
    order: Vec<&'a str>,
}

/// The delegations of targets or a delegated role.
pub(super) fn targets(
    lines: &mut Lines,
    old: Option<&Targets>,
    new: &Targets,
    signed: Pair<Json<'_>>,
) {
    let objects = member(signed, "delegations");
    let typed = (
        old.and_then(|old| old.delegations.as_ref()),
        new.delegations.as_ref(),
    );
    let (old, new) = (version(typed.0, objects.0), version(typed.1, objects.1));
    order(lines, &old, &new);
    asked(lines, &old, &new);
    delegated(lines, &old, &new);
    succinct(lines, &old, &new, member(objects, "succinct_roles"));
    keys::compare(lines, "delegations.keys", &old.keys, &new.keys);
    fields::members(
        lines,
        "delegations",
        objects,
        &["keys", "roles", "succinct_roles"],
    );
}

fn version<'a>(typed: Option<&'a Delegations>, object: Option<Json<'a>>) -> Version<'a> {
    let roles = typed.map_or(&[][..], |typed| &typed.roles);
    let objects = object.and_then(|object| object.get("roles"));
    let objects = objects.into_iter().flat_map(Json::elements);
    let entries = roles.iter().zip(objects).enumerate();
    Version {
        keys: typed.map_or_else(Keys::none, |typed| {
            Keys::new(&typed.keys, object.and_then(|object| object.get("keys")))
        }),
        typed,
        roles: entries
            .map(|(position, (role, json))| (&*role.name, (position + 1, role, json)))
            .collect(),
        order: roles.iter().map(|role| &*role.name).collect(),
    }
}

/// Names that both versions have and that do not stand in the same order; what is equal before and after them is left out.
fn order(lines: &mut Lines, old: &Version<'_>, new: &Version<'_>) {
    let common = |these: &Version<'_>, those: &Version<'_>| -> Vec<String> {
        these
            .order
            .iter()
            .filter(|name| those.roles.contains_key(*name))
            .map(|name| (*name).to_owned())
            .collect()
    };
    let (before, after) = (common(old, new), common(new, old));
    if before == after {
        return;
    }
    let equal = |(a, b): &(&String, &String)| a == b;
    let first = before.iter().zip(&after).take_while(equal).count();
    let (before, after) = (&before[first..], &after[first..]);
    let backwards = before.iter().rev().zip(after.iter().rev());
    let tail = backwards.take_while(equal).count();
    let list = |names: &[String]| Some(names[..names.len() - tail].join(", "));
    let subject = "delegations.roles";
    lines.push(ChangeKind::Reordered, subject, list(before), list(after));
}

/// Where roles come or go: whom a search asks before and after, in words. Of long lists every role is told by itself only.
fn asked(lines: &mut Lines, old: &Version<'_>, new: &Version<'_>) {
    let same = old.order.len() == new.order.len()
        && (old.order.iter()).all(|name| new.roles.contains_key(name));
    let most = old.order.len().max(new.order.len());
    if same || old.typed.is_none() || most > TOLD_WHEN_SAME {
        return;
    }
    let subject = "delegations.roles asked in this order";
    lines.compare(subject, in_words(old), in_words(new));
}

/// `claimed, recently-claimed, unclaimed (ends the search)`.
fn in_words(version: &Version<'_>) -> Option<String> {
    let role = |name: &&str| {
        let (_, role, _) = version.roles.get(name)?;
        let ends = if role.terminating {
            " (ends the search)"
        } else {
            ""
        };
        Some(format!("{}{ends}", fields::join("", name)))
    };
    let roles: Vec<_> = version.order.iter().filter_map(role).collect();
    (!roles.is_empty()).then(|| roles.join(", "))
}

fn delegated(lines: &mut Lines, old: &Version<'_>, new: &Version<'_>) {
    let gone = old
        .order
        .iter()
        .filter(|name| !new.roles.contains_key(*name));
    let many = new.order.len() > TOLD_WHEN_SAME;
    let mut same = 0;
    for name in gone.chain(&new.order) {
        let (before, after) = (old.roles.get(name), new.roles.get(name));
        let path = format!("delegations.roles {}", fields::join("", name));
        let mut about = Lines::default();
        if before.is_none() || after.is_none() {
            let words = |version: &Version<'_>, position: usize| {
                format!("place {position} of {}", version.order.len())
            };
            about.compare(
                &path,
                before.map(|entry| words(old, entry.0)),
                after.map(|entry| words(new, entry.0)),
            );
        }
        let side = |version| before_or_after(version, name);
        roles::role(&mut about, &path, &side(old), &side(new));
        let objects = (before.map(|entry| entry.2), after.map(|entry| entry.2));
        fields::members(&mut about, &path, objects, &["name", "keyids", "threshold"]);
        if about.all_same() && many {
            same += 1;
        } else {
            lines.0.append(&mut about.0);
        }
    }
    if same > 0 {
        let words = format!("{same} roles");
        lines.compare(
            "delegations.roles unchanged",
            Some(words.clone()),
            Some(words),
        );
    }
}

fn before_or_after<'a>(version: &'a Version<'a>, name: &str) -> Side<'a> {
    Side {
        keys: &version.keys,
        role: version.roles.get(name).map(|(_, role, _)| &role.role),
    }
}

fn succinct(lines: &mut Lines, old: &Version<'_>, new: &Version<'_>, objects: Pair<Json<'_>>) {
    let path = "delegations.succinct_roles";
    let side = |version| bins(version);
    roles::role(lines, path, &side(old), &side(new));
    for name in ["bit_length", "name_prefix"] {
        let (old, new) = member(objects, name);
        lines.compare(
            &fields::join(path, name),
            old.map(fields::plain),
            new.map(fields::plain),
        );
    }
    fields::members(
        lines,
        path,
        objects,
        &["keyids", "threshold", "bit_length", "name_prefix"],
    );
}

fn bins<'a>(version: &'a Version<'a>) -> Side<'a> {
    Side {
        keys: &version.keys,
        role: version
            .typed
            .and_then(|typed| typed.succinct.as_ref())
            .map(|bins| &bins.role),
    }
}
