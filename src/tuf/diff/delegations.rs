//! Delegations: roles matched by name, their order (which is priority), their fields, and TAP 15 succinct roles. Entries that are written alike in
//! both versions are not looked at: of 736,344 a few thousand are left.

use std::collections::HashMap;

use super::keys::{self, Keys};
use super::roles::{self, Side};
use super::{ChangeKind, Lines, Pair, fields, member};
use crate::tuf::json::Json;
use crate::tuf::metadata::pairs::{Paired, Pairs};
use crate::tuf::metadata::{DelegatedRole, Delegations, Targets};

/// Up to so many delegated roles are told one by one when they are the same; of more only the number.
const TOLD_WHEN_SAME: usize = 32;

/// A role of one version: its place, what it says, and as it stands.
type Role<'a> = (usize, DelegatedRole, Json<'a>);

/// The delegations of targets or a delegated role.
pub(super) fn targets(
    lines: &mut Lines,
    old: Option<&Targets>,
    new: &Targets,
    signed: Pair<Json<'_>>,
    apart: Option<&dyn Fn(&str) -> bool>,
) {
    let objects = member(signed, "delegations");
    let old = old.and_then(|old| old.delegations.as_ref());
    let new = new.delegations.as_ref();
    let many = new.map_or(0, Delegations::len) > TOLD_WHEN_SAME;
    let paired = Paired::of(old, new);
    let (named, listed) = (&paired.keys, &paired.roles);
    order(lines, old, listed);
    asked(lines, (old, new), listed);

    let mut told = if many { differing(listed) } else { all(listed) };
    let of_both = told
        .iter()
        .filter(|pair| pair.0.is_some() && pair.1.is_some());
    let same = listed.both().count() - of_both.count();
    if let Some(apart) = apart {
        let before = told.len();
        told.retain(|pair| {
            let name = match pair {
                (Some(_), Some(_)) | (None, None) => None,
                (Some(place), None) => old.and_then(|old| old.name(*place)),
                (None, Some(place)) => new.and_then(|new| new.name(*place)),
            };
            !name.is_some_and(|name| apart(&name))
        });
        let keys = named.both().all(|pair| pair.alike)
            && named.gone().len() == 0
            && named.came().next().is_none();
        if told.len() < before || !keys {
            lines.push(ChangeKind::Changed, "delegations.keys", None, None);
        }
    }
    let keys = needed((old, new), named, &told, (many, apart.is_none()));
    delegated(lines, told, &keys, (old, new), same);
    succinct(lines, (old, new), &keys, member(objects, "succinct_roles"));
    if apart.is_none() {
        keys::compare(lines, "delegations.keys", &keys.0, &keys.1);
    }
    fields::members(
        lines,
        "delegations",
        objects,
        &["keys", "roles", "succinct_roles"],
    );
}

fn role(of: Option<&Delegations>, place: Option<usize>) -> Option<Role<'_>> {
    let (of, place) = (of?, place?);
    Some((place, of.at(place)?, of.entry(place)?))
}

/// Those that go in their old order, then the others in their new one.
fn all(listed: &Pairs) -> Vec<Pair<usize>> {
    let gone = listed.gone().map(|place| (Some(place), None));
    let others = listed.new_order().map(|(old, new)| (old, Some(new)));
    gone.chain(others).collect()
}

/// Those that are not alike in both versions.
fn differing(listed: &Pairs) -> Vec<Pair<usize>> {
    let gone = listed.gone().map(|place| (Some(place), None));
    let others = listed.new_order().filter(|(_, new)| !listed.is_alike(*new));
    gone.chain(others.map(|(old, new)| (old, Some(new))))
        .collect()
}

/// The keys of both versions that are needed to tell the difference: all of them if there are not `many`; else those of the told roles, and
/// where keys are told `themselves` those that came, went or changed. A key that is in both versions is in both results.
fn needed<'a>(
    (old, new): Pair<&'a Delegations>,
    named: &Pairs,
    told: &[Pair<usize>],
    (many, themselves): (bool, bool),
) -> (Keys<'a>, Keys<'a>) {
    let mut keys = (Keys::default(), Keys::default());
    let add = |keys: &mut Keys<'a>, of: Option<&'a Delegations>, place: Option<usize>| {
        if let Some((keyid, object)) = of.zip(place).and_then(|(of, place)| of.key_at(place)) {
            keys.add(keyid, object);
        }
    };
    for (was, is) in named.new_order() {
        let alike = named.is_alike(is);
        if !many || (themselves && !alike) {
            add(&mut keys.0, old, was);
            add(&mut keys.1, new, Some(is));
        }
    }
    if !many || themselves {
        named
            .gone()
            .for_each(|was| add(&mut keys.0, old, Some(was)));
    }
    let keyid = |of: Option<&'a Delegations>, place| Some((of?.key_name(place)?, place));
    let gone: HashMap<_, _> = named.gone().filter_map(|was| keyid(old, was)).collect();
    let came: HashMap<_, _> = named.came().filter_map(|is| keyid(new, is)).collect();
    for (before, after) in told.iter().filter(|_| many) {
        let sides = [(old, *before), (new, *after)];
        let sides = sides.into_iter().filter_map(|(of, place)| of.zip(place));
        for keyid in sides.flat_map(|(of, place)| of.keyids(place)) {
            if keys.0.has(&keyid) || keys.1.has(&keyid) {
                continue;
            }
            if let Some(was) = gone.get(&keyid) {
                add(&mut keys.0, old, Some(*was));
            } else if let Some(is) = came.get(&keyid) {
                add(&mut keys.1, new, Some(*is));
            } else if let Some(is) = new.and_then(|new| new.key_place(&keyid)) {
                add(&mut keys.0, old, named.was(is));
                add(&mut keys.1, new, Some(is));
            }
        }
    }
    keys
}

/// Names that both versions have and that do not stand in the same order; what is equal before and after them is left out.
fn order(lines: &mut Lines, old: Option<&Delegations>, listed: &Pairs) {
    let after = || listed.both().map(|pair| pair.old);
    if after().is_sorted() {
        return;
    }
    let after: Vec<usize> = after().collect();
    let mut before = after.clone();
    before.sort_unstable();
    let equal = |(a, b): &(&usize, &usize)| a == b;
    let first = before.iter().zip(&after).take_while(equal).count();
    let (before, after) = (&before[first..], &after[first..]);
    let backwards = before.iter().rev().zip(after.iter().rev());
    let tail = backwards.take_while(equal).count();
    let name = |place: &usize| Some(old?.at(*place)?.name);
    let list = |places: &[usize]| {
        let names = places[..places.len() - tail].iter().filter_map(name);
        Some(names.collect::<Vec<_>>().join(", "))
    };
    let subject = "delegations.roles";
    lines.push(ChangeKind::Reordered, subject, list(before), list(after));
}

/// Where roles come or go: whom a search asks before and after, in words. Of long lists every role is told by itself only.
fn asked(lines: &mut Lines, (old, new): Pair<&Delegations>, listed: &Pairs) {
    let count = |of: Option<&Delegations>| of.map_or(0, Delegations::len);
    let same = listed.gone().len() == 0 && listed.came().next().is_none();
    if same || old.is_none() || count(old).max(count(new)) > TOLD_WHEN_SAME {
        return;
    }
    let subject = "delegations.roles asked in this order";
    lines.compare(subject, in_words(old), in_words(new));
}

/// `claimed, recently-claimed, unclaimed (ends the search)`.
fn in_words(of: Option<&Delegations>) -> Option<String> {
    let role = |role: DelegatedRole| {
        let ends = if role.terminating {
            " (ends the search)"
        } else {
            ""
        };
        format!("{}{ends}", fields::join("", &role.name))
    };
    let roles: Vec<_> = of?.roles().map(role).collect();
    (!roles.is_empty()).then(|| roles.join(", "))
}

fn delegated(
    lines: &mut Lines,
    told: Vec<Pair<usize>>,
    keys: &(Keys<'_>, Keys<'_>),
    (old, new): Pair<&Delegations>,
    mut same: usize,
) {
    let many = new.map_or(0, Delegations::len) > TOLD_WHEN_SAME;
    for (before, after) in told {
        let (before, after) = (role(old, before), role(new, after));
        let either = before.as_ref().or(after.as_ref());
        let name = either.map_or("", |(_, role, _)| &role.name);
        let path = format!("delegations.roles {}", fields::join("", name));
        let mut about = Lines::default();
        if before.is_none() || after.is_none() {
            let words = |of: Option<&Delegations>, place: usize| {
                format!("place {} of {}", place + 1, of.map_or(0, Delegations::len))
            };
            about.compare(
                &path,
                before.as_ref().map(|entry| words(old, entry.0)),
                after.as_ref().map(|entry| words(new, entry.0)),
            );
        }
        let sides = (
            Side::of(&keys.0, before.as_ref().map(|(_, role, _)| &role.role)),
            Side::of(&keys.1, after.as_ref().map(|(_, role, _)| &role.role)),
        );
        roles::role(&mut about, &path, &sides.0, &sides.1);
        let objects = (
            before.as_ref().map(|entry| entry.2),
            after.as_ref().map(|entry| entry.2),
        );
        fields::members(&mut about, &path, objects, &["name", "keyids", "threshold"]);
        let is_same = about
            .written
            .iter()
            .all(|line| line.kind == ChangeKind::Same);
        if many && is_same {
            same += 1;
        } else {
            about.written.into_iter().for_each(|line| lines.write(line));
        }
    }
    if same > 0 && many {
        let words = format!("{same} roles");
        lines.compare(
            "delegations.roles unchanged",
            Some(words.clone()),
            Some(words),
        );
    }
}

fn succinct(
    lines: &mut Lines,
    (old, new): Pair<&Delegations>,
    keys: &(Keys<'_>, Keys<'_>),
    objects: Pair<Json<'_>>,
) {
    let path = "delegations.succinct_roles";
    let bins = |of: Option<&Delegations>| of?.succinct.clone().map(|bins| bins.role);
    let (before, after) = (bins(old), bins(new));
    let sides = (
        Side::of(&keys.0, before.as_ref()),
        Side::of(&keys.1, after.as_ref()),
    );
    roles::role(lines, path, &sides.0, &sides.1);
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
