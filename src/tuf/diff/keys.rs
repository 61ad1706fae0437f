//! Key objects, matched by key material: a keyid that changes is told as such, and every field of an object that stays is compared.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{ChangeKind, Lines, Pair, fields};
use crate::tuf::json::Json;
use crate::tuf::key::{Key, PublicKey};

/// The keys of one version by keyid.
#[derive(Default)]
pub(super) struct Keys<'a>(HashMap<Cow<'a, str>, Known<'a>>);

/// One key: as it stands, and what it is.
struct Known<'a> {
    object: Json<'a>,
    public: PublicKey,
    /// `None` for a plain Ed25519 key, as nearly every one of 736,344 projects has.
    key: Option<Box<Key>>,
}

/// One key of one version, by its material.
type ByMaterial<'k> = (&'k PublicKey, &'k str);

impl<'a> Known<'a> {
    /// Of an object that was judged.
    fn of(object: Json<'a>) -> Option<Self> {
        if let Some(public) = PublicKey::plain(object) {
            return Some(Self {
                object,
                public,
                key: None,
            });
        }
        let key = Box::new(Key::from_judged(object)?);
        Some(Self {
            object,
            public: key.public().clone(),
            key: Some(key),
        })
    }
    fn description(&self) -> String {
        let key = self.key.as_ref();
        key.map_or_else(|| "Ed25519".to_owned(), |key| key.description())
    }
    /// Whether the object says nothing but the key, in the form that everybody writes.
    fn is_usual(&self) -> bool {
        match &self.key {
            None => {
                let public = self.object.get("keyval").and_then(|it| it.get("public"));
                let hex = public.and_then(Json::as_str).unwrap_or_default();
                !hex.bytes().any(|digit| digit.is_ascii_uppercase())
            }
            Some(key) => {
                Key::from_public(&self.public).is_some_and(|usual| usual.value() == key.value())
            }
        }
    }
}

impl<'a> Keys<'a> {
    /// The members of a `keys` object that was judged.
    pub(super) fn of(keys: Option<Json<'a>>) -> Self {
        let mut found = Self::default();
        for (keyid, object) in keys.into_iter().flat_map(Json::members) {
            found.add(keyid, object);
        }
        found
    }
    /// One more, that was judged.
    pub(super) fn add(&mut self, keyid: Cow<'a, str>, object: Json<'a>) {
        if !self.0.contains_key(&keyid)
            && let Some(known) = Known::of(object)
        {
            self.0.insert(keyid, known);
        }
    }
    pub(super) fn has(&self, keyid: &str) -> bool {
        self.0.contains_key(keyid)
    }
    pub(super) fn material(&self, keyid: &str) -> Option<&PublicKey> {
        self.0.get(keyid).map(|known| &known.public)
    }
    /// A key in words: what it is, its keyid, and the fingerprint that does not depend on how it is written.
    pub(super) fn words(&self, keyid: &str) -> String {
        match self.0.get(keyid) {
            None => format!("unknown key, keyid {keyid}"),
            Some(known) => format!(
                "{}, keyid {keyid}, key sha256 {}",
                known.description(),
                known.public.fingerprint()
            ),
        }
    }
    fn object(&self, keyid: &str) -> Option<Json<'a>> {
        self.0.get(keyid).map(|known| known.object)
    }
    /// What stands under a keyid: in words where the object says nothing but the key, in the form that everybody writes; else the object itself.
    fn told(&self, keyid: &str) -> Option<String> {
        let known = self.0.get(keyid)?;
        Some(if known.is_usual() {
            format!(
                "{} and nothing else, key sha256 {}",
                known.description(),
                known.public.fingerprint()
            )
        } else {
            fields::text(known.object)
        })
    }
    /// All of them, sorted.
    fn by_material(&self) -> Vec<ByMaterial<'_>> {
        let all = self
            .0
            .iter()
            .map(|(keyid, known)| (&known.public, &**keyid));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    }
}

/// Those of this material.
fn of_material<'s, 'k>(sorted: &'s [ByMaterial<'k>], material: &PublicKey) -> &'s [ByMaterial<'k>] {
    let start = sorted.partition_point(|(found, _)| *found < material);
    let found = &sorted[start..];
    &found[..found.partition_point(|(found, _)| *found == material)]
}

/// One line for every key added, removed, renamed or put in another's place, and one for every field that changed in a key that stays.
pub(super) fn compare(lines: &mut Lines, path: &str, old: &Keys<'_>, new: &Keys<'_>) {
    let (before, after) = (old.by_material(), new.by_material());
    // A key put in another's place is told as it comes, with both objects.
    let replaced = |keyid: &str| {
        let material = new.material(keyid);
        material.is_some_and(|material| of_material(&before, material).is_empty())
    };
    for keyids in before.chunk_by(|a, b| a.0 == b.0) {
        let kept = of_material(&after, keyids[0].0);
        let stays = |key: &&ByMaterial<'_>| kept.binary_search(key).is_ok();
        for (_, keyid) in keyids.iter().filter(stays) {
            let objects = (old.object(keyid), new.object(keyid));
            fields::value(lines, &fields::join(path, keyid), objects);
        }
        let mut left = keyids.iter().filter(|key| !stays(key));
        let mut came = kept.iter().filter(|key| keyids.binary_search(key).is_err());
        loop {
            match (left.next(), came.next()) {
                (Some((_, was)), Some((_, is))) => renamed(lines, path, (old, new), (was, is)),
                (Some((_, keyid)), None) if replaced(keyid) => {}
                (Some((_, keyid)), None) => {
                    one_sided(lines, path, (old.told(keyid), None), keyid);
                }
                (None, Some((_, keyid))) => {
                    one_sided(lines, path, (None, new.told(keyid)), keyid);
                }
                (None, None) => break,
            }
        }
    }
    for keyids in after.chunk_by(|a, b| a.0 == b.0) {
        if of_material(&before, keyids[0].0).is_empty() {
            for (_, keyid) in keyids {
                one_sided(lines, path, (old.told(keyid), new.told(keyid)), keyid);
            }
        }
    }
}

fn renamed(
    lines: &mut Lines,
    path: &str,
    (old, new): (&Keys<'_>, &Keys<'_>),
    (was, is): (&str, &str),
) {
    let words = (Some(old.words(was)), Some(new.words(is)));
    lines.push_key(ChangeKind::SameKeyNewKeyid, path, words, is);
    fields::value(
        lines,
        &fields::join(path, is),
        (old.object(was), new.object(is)),
    );
}

/// A key that is only in one version, or (both given) another key under the same keyid.
fn one_sided(lines: &mut Lines, path: &str, told: Pair<String>, keyid: &str) {
    let kind = match &told {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        _ => ChangeKind::Changed,
    };
    lines.push_key(kind, &fields::join(path, keyid), told, keyid);
}
