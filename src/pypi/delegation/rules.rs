//! The rules over entries, and their words.

use std::borrow::Cow;

use super::place;
use crate::pypi::policy::listed;
use crate::pypi::project::Project;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::Json;
use crate::tuf::key::{KeyError, KeyId};

/// Without `terminating` a file forged in an online bin would be accepted for a project that has keys (PEP 480 says nothing of it).
pub(super) fn terminating(
    file: &str,
    place: impl FnOnce() -> String,
    found: Option<Json<'_>>,
) -> Option<Finding> {
    let what = match found.and_then(Json::as_bool) {
        Some(true) => return None,
        Some(false) => "is not terminating",
        None => "does not say whether it is terminating",
    };
    let text = format!(
        "{} {what}: a client that finds no file there would go on and believe an online bin. Set terminating to true.",
        place()
    );
    Some(Finding::error("PEP480-TERMINATING", file, text))
}

pub(super) fn overlap(file: &str, place: &str, project: &Project) -> Finding {
    let text = format!(
        "{place} speaks for the project {project}, and so does another entry: clients would differ in whom they ask. Leave one of them."
    );
    Finding::error("PROJECT-PATHS", file, text)
}

pub(super) fn custody_path(file: &str, place: &str, path: &str) -> Finding {
    let text = format!(
        "{place} has the path {}; every path of it is <project>/* with a normalized name.",
        shown(path)
    );
    Finding::error("PROJECT-PATHS", file, text)
}

pub(super) fn no_shard(file: &str, role: &str) -> Finding {
    let text = format!(
        "{} is called like a shard; only claimed delegates to shards, and they to projects.",
        shown(role)
    );
    Finding::error("SHARD-FORM", file, text)
}

pub(super) fn custody_order(file: &str, place: &str) -> Finding {
    let text = format!("{place} does not list its paths once each in ascending order.");
    Finding::error("CLAIMED-UNSORTED", file, text)
}

/// A key is public, so anybody may write it another way into a project of his own: that refuses nobody, but a person looks.
pub(super) fn key_twice(file: &str, project: &Project, keyid: &KeyId, keyids: &[KeyId]) -> Finding {
    const TOLD: usize = 5;
    let others: Vec<String> = (keyids.iter())
        .filter(|other| *other != keyid)
        .take(TOLD)
        .map(|other| shown(&other.0).into_owned())
        .collect();
    let text = format!(
        "The key {} of the project {project} stands in the file under another keyid as well: {}. Let its owner say how he writes it.",
        shown(&keyid.0),
        listed(&others)
    );
    Finding::warning("KEY-TWICE", file, text)
}

/// A key that no entry lists, and why it could not be one.
pub(super) fn unused(file: &str, keyid: &KeyId, error: Option<&KeyError>) -> Finding {
    let text = format!("in no role: {}", shown(&keyid.0));
    match error {
        None => Finding::note("KEY-UNUSED", file, text),
        Some(error) => Finding::error(error.rule, file, format!("{text}: {}", error.text)),
    }
}

/// `CLAIMED-UNSORTED`: order is priority, and one order for everybody makes two versions easy to compare.
pub(super) fn unsorted<'a>(file: &str, roles: impl Iterator<Item = Json<'a>>) -> Option<Finding> {
    let mut last: Option<Cow<'_, str>> = None;
    for (index, role) in roles.enumerate() {
        let name = role.get("name")?.as_str()?;
        if let Some(last) = last.filter(|last| last.as_ref() >= name.as_ref()) {
            let text = format!(
                "{} stands behind {}; entries stand in ascending order of their names.",
                place(index, &name),
                shown(&last)
            );
            return Some(Finding::error("CLAIMED-UNSORTED", file, text));
        }
        last = Some(name);
    }
    None
}
