//! Any JSON, known or not, flattened to paths and compared as a set of members; arrays keep their order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{ChangeKind, Lines, Pair};
use crate::tuf::canonical;
use crate::tuf::json::{Json, Kind};

/// Compares the members of two objects but those named in `known`; a missing object has no members.
pub(super) fn members(lines: &mut Lines, path: &str, (old, new): Pair<Json<'_>>, known: &[&str]) {
    for (name, pair) in merged(old, new) {
        if !known.contains(&&*name) {
            value(lines, &join(path, &name), pair);
        }
    }
}

/// Compares two values; objects member by member.
pub(super) fn value(lines: &mut Lines, path: &str, (old, new): Pair<Json<'_>>) {
    let (Some(before), Some(after)) = (old, new) else {
        return lines.compare(path, old.map(text), new.map(text));
    };
    if before.is_written_as(after) {
        return;
    }
    match (before.kind(), after.kind()) {
        (Kind::Object, Kind::Object) => members(lines, path, (old, new), &[]),
        (Kind::Array, Kind::Array) if reordered(before, after) => {
            lines.push(
                ChangeKind::Reordered,
                path,
                Some(text(before)),
                Some(text(after)),
            );
        }
        _ => {
            let (before, after) = (text(before), text(after));
            if before != after {
                lines.push(ChangeKind::Changed, path, Some(before), Some(after));
            }
        }
    }
}

/// The net under everything: a member of the signed part that differs although no line is about it becomes a line of its own.
/// So `is_renewal` can be believed whatever the typed comparisons overlook.
pub(super) fn unexplained(lines: &mut Lines, old: Json<'_>, new: Json<'_>) {
    for (name, (old, new)) in merged(Some(old), Some(new)) {
        let path = join("", &name);
        if !lines.told.contains(&path) && !equal(old, new) {
            lines.compare(&path, old.map(text), new.map(text));
        }
    }
}

fn equal(old: Option<Json<'_>>, new: Option<Json<'_>>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            old.is_written_as(new) || canonical::sha256(old) == canonical::sha256(new)
        }
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// The canonical form.
pub(super) fn text(json: Json<'_>) -> String {
    String::from_utf8_lossy(&canonical::to_vec(json)).into_owned()
}

/// A string without quotes, anything else in canonical form.
pub(super) fn plain(json: Json<'_>) -> String {
    json.as_str().map_or_else(|| text(json), Cow::into_owned)
}

/// `path.name`, the name in quotes where a point or anything unusual in it could mislead.
pub(super) fn join(path: &str, name: &str) -> String {
    let usual = |c: char| c.is_ascii_alphanumeric() || "_-/".contains(c);
    let name = if !name.is_empty() && name.chars().all(usual) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("{name:?}"))
    };
    if path.is_empty() {
        return name.into_owned();
    }
    format!("{path}.{name}")
}

/// The first name of a path that [`join`] began.
pub(super) fn first(path: &str) -> &str {
    let mut escaped = false;
    let end = if let Some(quoted) = path.strip_prefix('"') {
        let ends = |c: char| {
            let plain = !std::mem::take(&mut escaped);
            escaped = plain && c == '\\';
            plain && c == '"'
        };
        quoted.find(ends).map(|end| end + 2)
    } else {
        path.find(['.', ' '])
    };
    &path[..end.unwrap_or(path.len())]
}

/// The members of both objects by name.
fn merged<'a>(
    old: Option<Json<'a>>,
    new: Option<Json<'a>>,
) -> BTreeMap<Cow<'a, str>, Pair<Json<'a>>> {
    let mut merged: BTreeMap<Cow<'a, str>, Pair<Json<'a>>> = BTreeMap::new();
    for (name, value) in old.into_iter().flat_map(Json::members) {
        merged.entry(name).or_default().0 = Some(value);
    }
    for (name, value) in new.into_iter().flat_map(Json::members) {
        merged.entry(name).or_default().1 = Some(value);
    }
    merged
}

fn reordered(old: Json<'_>, new: Json<'_>) -> bool {
    let entries =
        |json: Json<'_>| -> Vec<Vec<u8>> { json.elements().map(canonical::to_vec).collect() };
    let (mut old, mut new) = (entries(old), entries(new));
    let differ = old != new;
    old.sort();
    new.sort();
    differ && old == new
}
