//! Key objects, matched by key material: a keyid that changes is told as such, and every field of an object that stays is compared.

use std::collections::{BTreeMap, BTreeSet};

use super::{ChangeKind, Lines, Pair, fields};
use crate::tuf::json::Json;
use crate::tuf::key::{Key, KeyId, PublicKey};

/// The keys of one version: typed, and as they stand.
pub(super) struct Keys<'a> {
    typed: &'a BTreeMap<KeyId, Key>,
    objects: &'a BTreeMap<KeyId, Json<'a>>,
}

/// Keys as [`Keys`] borrows them.
pub(super) type Keyed<'a> = (BTreeMap<KeyId, Key>, BTreeMap<KeyId, Json<'a>>);

/// The keys of one object by keyid.
pub(super) fn objects(of: Option<Json<'_>>) -> BTreeMap<KeyId, Json<'_>> {
    let members = of.into_iter().flat_map(Json::members);
    members
        .map(|(keyid, object)| (KeyId(keyid.into_owned()), object))
        .collect()
}

impl<'a> Keys<'a> {
    pub(super) fn new(
        typed: &'a BTreeMap<KeyId, Key>,
        objects: &'a BTreeMap<KeyId, Json<'a>>,
    ) -> Self {
        Self { typed, objects }
    }
    pub(super) fn of((typed, objects): &'a Keyed<'a>) -> Self {
        Self::new(typed, objects)
    }
    pub(super) fn none() -> Self {
        static NONE: Keyed<'_> = (BTreeMap::new(), BTreeMap::new());
        Self::of(&NONE)
    }
    pub(super) fn material(&self, keyid: &KeyId) -> Option<&'a PublicKey> {
        self.typed.get(keyid).map(Key::public)
    }
    /// A key in words: what it is, its keyid, and the fingerprint that does not depend on how it is written.
    pub(super) fn words(&self, keyid: &KeyId) -> String {
        match self.typed.get(keyid) {
            None => format!("unknown key, keyid {keyid}"),
            Some(key) => format!(
                "{}, keyid {keyid}, key sha256 {}",
                key.description(),
                key.public().fingerprint()
            ),
        }
    }
    fn object(&self, keyid: &KeyId) -> Option<Json<'a>> {
        self.objects.get(keyid).copied()
    }
    /// What stands under a keyid: in words where the object says nothing but the key, in the form that everybody writes; else the object itself.
    fn told(&self, keyid: &KeyId) -> Option<String> {
        let object = self.object(keyid)?;
        let plain = self.typed.get(keyid).filter(|key| {
            Key::from_public(key.public()).is_some_and(|usual| usual.value() == key.value())
        });
        Some(match plain {
            Some(key) => format!(
                "{} and nothing else, key sha256 {}",
                key.description(),
                key.public().fingerprint()
            ),
            None => fields::text(object),
        })
    }
    fn by_material(&self) -> BTreeMap<&'a PublicKey, BTreeSet<&'a KeyId>> {
        let mut by_material: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (keyid, key) in self.typed {
            by_material.entry(key.public()).or_default().insert(keyid);
        }
        by_material
    }
}

/// One line for every key added, removed, renamed or put in another's place, and one for every field that changed in a key that stays.
pub(super) fn compare(lines: &mut Lines, path: &str, old: &Keys<'_>, new: &Keys<'_>) {
    let (before, after) = (old.by_material(), new.by_material());
    // A key put in another's place is told as it comes, with both objects.
    let replaced = |keyid: &KeyId| {
        let material = new.material(keyid);
        material.is_some_and(|material| !before.contains_key(material))
    };
    for (material, keyids) in &before {
        let none = BTreeSet::new();
        let kept = after.get(material).unwrap_or(&none);
        for keyid in keyids.intersection(kept) {
            let objects = (old.object(keyid), new.object(keyid));
            fields::value(lines, &fields::join(path, &keyid.0), objects);
        }
        let mut left = keyids.difference(kept);
        let mut came = kept.difference(keyids);
        loop {
            match (left.next(), came.next()) {
                (Some(was), Some(is)) => renamed(lines, path, (old, new), (was, is)),
                (Some(keyid), None) if replaced(keyid) => {}
                (Some(keyid), None) => one_sided(lines, path, (old.told(keyid), None), keyid),
                (None, Some(keyid)) => one_sided(lines, path, (None, new.told(keyid)), keyid),
                (None, None) => break,
            }
        }
    }
    let fresh = after
        .iter()
        .filter(|(material, _)| !before.contains_key(*material));
    for keyid in fresh.flat_map(|(_, keyids)| keyids) {
        one_sided(lines, path, (old.told(keyid), new.told(keyid)), keyid);
    }
}

fn renamed(
    lines: &mut Lines,
    path: &str,
    (old, new): (&Keys<'_>, &Keys<'_>),
    (was, is): (&KeyId, &KeyId),
) {
    let words = (Some(old.words(was)), Some(new.words(is)));
    lines.push_key(ChangeKind::SameKeyNewKeyid, path, words, is);
    fields::value(
        lines,
        &fields::join(path, &is.0),
        (old.object(was), new.object(is)),
    );
}

/// A key that is only in one version, or (both given) another key under the same keyid.
fn one_sided(lines: &mut Lines, path: &str, told: Pair<String>, keyid: &KeyId) {
    let kind = match &told {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        _ => ChangeKind::Changed,
    };
    lines.push_key(kind, &fields::join(path, &keyid.0), told, keyid);
}
