//! Delegations of a targets role (TUF 1.0.34, 4.5; TAP 15): proven once, and then asked for by name or number. What a role or a key says is read from the
//! file when it is wanted, so that 736,344 projects cost a few bytes each.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Weak};

use super::field::Field;
use super::{DelegatedRole, RoleKeys, SuccinctRoles, TOP_LEVEL_ROLES, roles};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::text::{Judged, List, Names, Text, Twice};
use crate::tuf::json::{Json, Kind};
use crate::tuf::key::{Key, KeyId};
use keyids::Keyids;
use pairs::Paired;
use role_name::{role_name, why_no_role};

mod keyids;
pub(crate) mod pairs;
pub(super) mod role_name;

/// `delegations`: keys and roles, or TAP 15 succinct roles.
#[derive(Clone, Debug)]
pub struct Delegations {
    text: Arc<Text>,
    names: Judged,
    /// The earlier version beside which this one was judged, and how they pair.
    since: Option<Since>,
    /// TAP 15.
    pub succinct: Option<SuccinctRoles>,
}

/// An earlier version, which is not kept for this, and how a later one pairs with it.
type Since = (Weak<Text>, Arc<Paired>);

/// Whose word there is for the entries of a file.
#[derive(Clone, Copy)]
pub(super) enum Judge<'a> {
    /// Nobody's: each is judged, but those shared with a version that was.
    Nobody,
    /// That of an earlier version: entries that it has too, written alike, are good.
    Earlier(&'a Delegations),
    /// That of the keys which signed the file.
    Signers,
}

impl Delegations {
    /// Reads it, and judges what nobody has judged before.
    pub(super) fn read(
        field: &Field<'_>,
        envelope: &Envelope,
        judge: Judge<'_>,
    ) -> Result<Self, Finding> {
        let [keys, listed, succinct] = field.these(["keys", "roles", "succinct_roles"])?;
        let keys = keys.ok_or_else(|| field.lacks("keys"))?;
        keys.expect(Kind::Object, "an object")?;
        if let Some(listed) = &listed {
            listed.expect(Kind::Array, "an array")?;
        }
        if listed.is_some() == succinct.is_some() {
            return Err(field.refuse("must have exactly one of roles and succinct_roles"));
        }
        let text = Arc::clone(envelope.text());
        let names = |keys| Names::of(&text, keys, envelope.is_ordered());
        let mut read = Self {
            // No reader lets an object pass that has a key twice.
            names: Arc::new([
                names(true).map_err(|_| keys.refuse("has a keyid twice"))?,
                names(false)
                    .map_err(|Twice(place)| second_time(&text, listed.as_ref(), place, field))?,
            ]),
            text,
            since: None,
            succinct: None,
        };
        read.since = read.judge(&keys, listed.as_ref(), judge)?;
        let known = |keyid: &str| read.find(true, keyid).is_some();
        let bins = succinct.map(|succinct| succinct_roles(&succinct, &known));
        read.succinct = bins.transpose()?;
        read.text.set_judged(Arc::clone(&read.names));
        Ok(read)
    }
    /// Judges the entries that stand on nobody's word. Gives the earlier version that has a word, and how they pair.
    fn judge(
        &self,
        keys: &Field<'_>,
        listed: Option<&Field<'_>>,
        judge: Judge<'_>,
    ) -> Result<Option<Since>, Finding> {
        let base = self.base();
        let known = match judge {
            Judge::Earlier(known) => Some(known),
            Judge::Nobody | Judge::Signers => base.as_ref(),
        };
        let by_signers = matches!(judge, Judge::Signers);
        let paired = Paired::of(known, Some(self));
        let Paired { keys: named, roles } = &*paired;
        let since = known.map(|known| (Arc::downgrade(&known.text), Arc::clone(&paired)));
        let mut fresh: HashSet<Cow<'_, str>> = HashSet::new();
        for place in (0..self.text.count(true)).filter(|_| !by_signers) {
            if !named.is_alike(place)
                && let Some((keyid, object)) = self.text.name(true, place).zip(self.text.key(place))
            {
                super::roles::key(&keys.entry(keyid.clone(), object))?;
                fresh.insert(keyid);
            }
        }
        let Some(listed) = listed else {
            return Ok(since);
        };
        // A role stays as it was, and a key that it lists goes.
        let name = |place| known?.text.name(true, place);
        let gone: Keyids<'_> = named.gone().filter_map(name).collect();
        // New roles list new keys, mostly; what an earlier version has and this one too is known from there.
        let is_known = |keyid: &str| {
            fresh.contains(keyid)
                || match known {
                    Some(known) => known.find(true, keyid).is_some() && !gone.has(keyid),
                    None => self.find(true, keyid).is_some(),
                }
        };
        if by_signers && self.names_are_usual() {
            return Ok(since);
        }
        for place in 0..self.len() {
            let stands = if by_signers {
                let name = self.text.name(false, place);
                name.is_some_and(|name| why_no_role(&name).is_none())
            } else {
                roles.is_alike(place) && !self.lists_one_of(place, &gone)
            };
            if stands {
                continue;
            }
            let Some(json) = self.text.entry(false, place) else {
                continue;
            };
            let role = listed.element(place, json);
            if by_signers {
                role_name(&role.member("name")?)?;
            } else {
                delegated_role(&role, &is_known)?;
            }
        }
        Ok(since)
    }
    /// Whether the reader saw that every role has a name which stands.
    fn names_are_usual(&self) -> bool {
        let usual = |list: &List| list.names_are_usual();
        self.text.splice().is_none()
            && self.text.list(false).is_some_and(usual)
            && TOP_LEVEL_ROLES.map(|name| self.find(false, name)) == [None; 4]
    }
    /// Whether the role at a place lists one of these keyids.
    fn lists_one_of(&self, place: usize, keyids: &Keyids<'_>) -> bool {
        !keyids.is_empty() && self.text.lists(place, &|keyid| keyids.has(keyid))
    }
    /// The version whose entries this one shares, if those were judged.
    fn base(&self) -> Option<Self> {
        let base = &self.text.splice()?.base;
        Some(Self {
            text: Arc::clone(base),
            names: Arc::clone(base.judged()?),
            since: None,
            succinct: None,
        })
    }
    /// How it pairs with this earlier version, if it was judged beside it.
    fn since(&self, earlier: &Self) -> Option<Arc<Paired>> {
        let (text, paired) = self.since.as_ref()?;
        // The allocation stays as long as there is a weak reference, so no other text can be there.
        std::ptr::eq(text.as_ptr(), Arc::as_ptr(&earlier.text)).then(|| Arc::clone(paired))
    }
    /// The place of the key or the role of this name.
    fn find(&self, keys: bool, name: &str) -> Option<usize> {
        self.names[usize::from(!keys)].find(&self.text, keys, name)
    }
    /// Whether the names of the keys, or of the roles, are known to ascend.
    fn ascend(&self, keys: bool) -> bool {
        matches!(self.names[usize::from(!keys)], Names::Ascending)
    }
    /// The keyid at a place of the keys.
    pub(in crate::tuf) fn keyid(&self, place: usize) -> Option<KeyId> {
        Some(KeyId(self.text.name(true, place)?.into_owned()))
    }
    /// The same, as it stands.
    pub(in crate::tuf) fn key_name(&self, place: usize) -> Option<Cow<'_, str>> {
        self.text.name(true, place)
    }
    /// The object that stands under a keyid.
    pub fn object(&self, keyid: &KeyId) -> Option<Json<'_>> {
        self.text.key(self.find(true, &keyid.0)?)
    }
    /// How many roles are listed.
    pub fn len(&self) -> usize {
        self.text.count(false)
    }
    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The roles in order of priority.
    pub fn roles(&self) -> impl Iterator<Item = DelegatedRole> {
        (0..self.len()).filter_map(|place| self.at(place))
    }
    /// The role at a place of the list, from 0, as it stands.
    pub fn entry(&self, place: usize) -> Option<Json<'_>> {
        self.text.entry(false, place)
    }
    /// The keyids that the role at a place lists.
    pub(in crate::tuf) fn keyids(&self, place: usize) -> impl Iterator<Item = Cow<'_, str>> {
        let keyids = self.text.role(place).and_then(|role| role.get("keyids"));
        let keyids = keyids.into_iter().flat_map(Json::elements);
        keyids.filter_map(Json::as_str)
    }
    /// What the role at a place is called.
    pub fn name(&self, place: usize) -> Option<Cow<'_, str>> {
        self.text.name(false, place)
    }
    /// How many keys are listed.
    pub fn keys_len(&self) -> usize {
        self.text.count(true)
    }
    /// The place of the key that stands under `keyid`.
    pub(in crate::tuf) fn key_place(&self, keyid: &str) -> Option<usize> {
        self.find(true, keyid)
    }
    /// The key at a place of the list, from 0: its keyid and its object.
    pub fn key_at(&self, place: usize) -> Option<(Cow<'_, str>, Json<'_>)> {
        Some((self.text.name(true, place)?, self.text.key(place)?))
    }
    /// The object of the key at a place of the list, from 0.
    pub fn key_object(&self, place: usize) -> Option<Json<'_>> {
        self.text.key(place)
    }
    /// The keyids that the role at a place lists; where it is written as usual nothing else of it is read, and where it is not some may come twice.
    pub fn each_keyid(&self, place: usize, each: &mut dyn FnMut(&str)) {
        let each = RefCell::new(each);
        self.text.lists(place, &|keyid| {
            each.borrow_mut()(keyid);
            false
        });
    }
    /// The role at a place of the list, from 0.
    pub fn at(&self, place: usize) -> Option<DelegatedRole> {
        let json = self.text.entry(false, place)?;
        Some(DelegatedRole::of(json))
    }
    /// The place of the role called `name`.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.find(false, name)
    }
    /// The role called `name`.
    pub fn role(&self, name: &str) -> Option<DelegatedRole> {
        self.at(self.place(name)?)
    }
    /// The keys by the keyid they stand under, in the order listed.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, Key)> {
        let entry = |place| Some((self.keyid(place)?, Key::from_judged(self.text.key(place)?)?));
        (0..self.text.count(true)).filter_map(entry)
    }
    /// The key that stands under `keyid`.
    pub fn key(&self, keyid: &KeyId) -> Option<Key> {
        Key::from_judged(self.object(keyid)?)
    }
    /// The keys of a role.
    pub fn keys_of(&self, role: &RoleKeys) -> BTreeMap<KeyId, Key> {
        let keyids = role.keyids.iter();
        keyids
            .filter_map(|keyid| Some((keyid.clone(), self.key(keyid)?)))
            .collect()
    }
}

impl DelegatedRole {
    /// One that was judged.
    fn of(json: Json<'_>) -> Self {
        let strings = |name: &str| -> Vec<String> {
            let list = json.get(name).into_iter().flat_map(Json::elements);
            list.filter_map(Json::as_str).map(Cow::into_owned).collect()
        };
        let threshold = json.get("threshold").and_then(Json::as_i64);
        Self {
            name: json
                .get("name")
                .and_then(Json::as_str)
                .unwrap_or_default()
                .into_owned(),
            role: RoleKeys {
                keyids: strings("keyids").into_iter().map(KeyId).collect(),
                // A threshold of 0 is never reached.
                threshold: threshold
                    .and_then(|it| it.try_into().ok())
                    .unwrap_or_default(),
            },
            terminating: json
                .get("terminating")
                .and_then(Json::as_bool)
                .unwrap_or_default(),
            paths: strings("paths"),
            path_hash_prefixes: strings("path_hash_prefixes"),
        }
    }
}

#[cfg(test)]
mod made;

fn second_time(
    text: &Text,
    listed: Option<&Field<'_>>,
    place: usize,
    field: &Field<'_>,
) -> Finding {
    let name = text.name(false, place).unwrap_or_default();
    let what = format!("delegates to {} a second time", shown(&name));
    match listed.zip(text.entry(false, place)) {
        Some((listed, json)) => listed.element(place, json).refuse(what),
        None => field.refuse(what),
    }
}

/// A place in a list, which has fewer entries than the text has bytes.
fn place_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// Judges an entry.
fn delegated_role(field: &Field<'_>, known: &dyn Fn(&str) -> bool) -> Result<(), Finding> {
    let [name, paths, prefixes, terminating, keyids, threshold] = field.these([
        "name",
        "paths",
        "path_hash_prefixes",
        "terminating",
        "keyids",
        "threshold",
    ])?;
    let name = name.ok_or_else(|| field.lacks("name"))?;
    match (paths, prefixes) {
        (Some(list), None) | (None, Some(list)) => {
            for element in list.elements()? {
                element.string()?;
            }
        }
        _ => return Err(field.refuse("must have exactly one of paths and path_hash_prefixes")),
    }
    role_name(&name)?;
    roles::judge(field, keyids, threshold, known)?;
    terminating
        .ok_or_else(|| field.lacks("terminating"))?
        .boolean()?;
    Ok(())
}

fn succinct_roles(
    field: &Field<'_>,
    known: &dyn Fn(&str) -> bool,
) -> Result<SuccinctRoles, Finding> {
    let bits = field.member("bit_length")?;
    let found = bits.integer()?;
    let bit_length = u32::try_from(found)
        .ok()
        .filter(|length| (1..=32).contains(length))
        .ok_or_else(|| bits.refuse(format!("is {found}; expected 1 to 32")))?;
    Ok(SuccinctRoles {
        role: RoleKeys::read(field, known)?,
        bit_length,
        name_prefix: role_name(&field.member("name_prefix")?)?.into_owned(),
    })
}
