//! The key objects: exactly those that entries of the new file list, each as it stood or as it was handed in.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Side;
use super::places::{self, Places};
use super::roles::Entry;
use crate::pypi::changes::{After, ChangeSet};
use crate::tuf::edit::RoleSpec;
use crate::tuf::json::Json;
use crate::tuf::key::Key;

const PATH: &str = "signed.delegations.keys";

/// The `keys` of one file as they stand.
pub(super) struct Keys<'a>(BTreeMap<Cow<'a, str>, Json<'a>>);

impl<'a> Keys<'a> {
    pub(super) fn new(object: Option<Json<'a>>) -> Self {
        Self(object.into_iter().flat_map(Json::members).collect())
    }
    pub(super) fn get(&self, keyid: &str) -> Option<Json<'a>> {
        self.0.get(keyid).copied()
    }
}

/// Every key of the new file is listed, stood there or was handed in, and none is missing.
pub(super) fn compare(
    places: &mut Places,
    old: &Keys<'_>,
    Side { roles, keys: new }: &Side<'_>,
    changes: &ChangeSet,
    signers: &[&RoleSpec],
) {
    let used: BTreeSet<Cow<'_, str>> = (roles.entries.iter()).flat_map(Entry::keyids).collect();
    let handed_in = handed_in(changes, signers);
    for keyid in used.iter().filter(|keyid| new.get(keyid).is_none()) {
        places.add(|| format!("{}: is listed and not there", places::member(PATH, keyid)));
    }
    for (keyid, object) in &new.0 {
        let path = || places::member(PATH, keyid);
        if !used.contains(keyid) {
            places.add(|| format!("{}: is there and nobody lists it", path()));
            continue;
        }
        let (stood, given) = (old.get(keyid), handed_in.get(&**keyid));
        if stood.is_none() && given.is_none() {
            places.add(|| format!("{}: is new and nobody handed it in", path()));
        }
        if let Some(stood) = stood {
            places.same(&path(), Some(stood), Some(*object));
        }
        for key in given.into_iter().flatten() {
            places.must(&path(), key.value(), Some(*object));
        }
    }
}

/// The keys of the changes, by the keyid under which each is handed in, and those named for custody and shards.
fn handed_in<'a>(
    changes: &'a ChangeSet,
    signers: &[&'a RoleSpec],
) -> BTreeMap<Cow<'a, str>, Vec<&'a Key>> {
    let mut keys: BTreeMap<Cow<'a, str>, Vec<&'a Key>> = BTreeMap::new();
    for change in changes.changes.values() {
        if let After::Delegate { keys: given, .. } = &change.after {
            for (keyid, key) in given {
                let known = keys.entry(Cow::Borrowed(&keyid.0)).or_default();
                // One key on a thousand projects is compared once.
                if known.last() != Some(&key) {
                    known.push(key);
                }
            }
        }
    }
    for key in signers.iter().flat_map(|spec| &spec.keys) {
        keys.entry(Cow::Owned(key.keyid().0)).or_default().push(key);
    }
    keys
}
