//! Delegations of a targets role (TUF 1.0.34, 4.5; TAP 15): proven once, and then asked for by name or number. What a role or a key says is read from the
//! file when it is wanted, so that 736,344 projects cost a few bytes each.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::field::Field;
use super::{DelegatedRole, RoleKeys, SuccinctRoles, TOP_LEVEL_ROLES, roles};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::Json;
use crate::tuf::json::text::Text;
use crate::tuf::key::{Key, KeyId};

/// `delegations`: keys and roles, or TAP 15 succinct roles.
#[derive(Clone, Debug)]
pub struct Delegations {
    listed: Arc<Listed>,
    /// TAP 15.
    pub succinct: Option<SuccinctRoles>,
}

/// What is known of the two lists.
#[derive(Debug)]
struct Listed {
    text: Arc<Text>,
    keys: Names,
    roles: Names,
}

/// The entries of a list by name: none where they stand in the order of their names, else their numbers in that order.
#[derive(Debug, Default)]
struct Names(Option<Vec<u32>>);

impl Names {
    /// Of names that do not ascend all the way.
    fn sorted(names: &[Cow<'_, str>]) -> Self {
        if names.windows(2).all(|pair| pair[0] < pair[1]) {
            return Self(None);
        }
        let mut numbers: Vec<u32> = (0..).take(names.len()).collect();
        numbers.sort_by_key(|number| &names[*number as usize]);
        Self(Some(numbers))
    }
    /// The number of the entry that compares equal.
    fn find(&self, count: usize, compare: impl Fn(usize) -> std::cmp::Ordering) -> Option<usize> {
        let number = |place: usize| {
            let numbers = self.0.as_ref();
            numbers.map_or(place, |numbers| numbers[place] as usize)
        };
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = usize::midpoint(low, high);
            match compare(number(middle)) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(number(middle)),
            }
        }
        None
    }
}

impl Delegations {
    /// Reads and judges all of it.
    pub(super) fn read(field: &Field<'_>, envelope: &Envelope) -> Result<Self, Finding> {
        let [keys, listed, succinct] = field.these(["keys", "roles", "succinct_roles"])?;
        let keys = keys.ok_or_else(|| field.lacks("keys"))?;
        let mut names: Vec<Cow<'_, str>> = Vec::new();
        for (keyid, object) in keys.members()? {
            roles::key(&object)?;
            names.push(keyid);
        }
        let known: HashSet<&str> = names.iter().map(|name| &**name).collect();
        let (roles, succinct) = match (listed, succinct) {
            (Some(listed), None) => (delegated_roles(&listed, &known)?, None),
            (None, Some(succinct)) => (Names::default(), Some(succinct_roles(&succinct, &known)?)),
            _ => return Err(field.refuse("must have exactly one of roles and succinct_roles")),
        };
        Ok(Self {
            listed: Arc::new(Listed {
                text: Arc::clone(envelope.text()),
                keys: Names::sorted(&names),
                roles,
            }),
            succinct,
        })
    }
    /// The text with the two lists.
    pub(in crate::tuf) fn text(&self) -> &Arc<Text> {
        &self.listed.text
    }
    /// The keyid at a place of the keys.
    pub(in crate::tuf) fn keyid(&self, place: usize) -> Option<KeyId> {
        let name = self.text().entry(true, place)?;
        Some(KeyId(name.as_str()?.into_owned()))
    }
    /// The object that stands under a keyid.
    pub fn object(&self, keyid: &KeyId) -> Option<Json<'_>> {
        let text = self.text();
        let compare = |place| {
            let name = text.entry(true, place).and_then(Json::as_str);
            name.as_deref().cmp(&Some(&*keyid.0))
        };
        text.key(self.listed.keys.find(text.count(true), compare)?)
    }
    /// How many roles are listed.
    pub fn len(&self) -> usize {
        self.text().count(false)
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
        self.text().entry(false, place)
    }
    /// What the role at a place is called.
    pub fn name(&self, place: usize) -> Option<Cow<'_, str>> {
        self.entry(place)?.get("name")?.as_str()
    }
    /// The places of the roles in the order of their names; none: it is the order in which they are listed.
    pub fn by_name(&self) -> Option<&[u32]> {
        self.listed.roles.0.as_deref()
    }
    /// How many keys are listed.
    pub fn keys_len(&self) -> usize {
        self.text().count(true)
    }
    /// The key at a place of the list, from 0: its keyid and its object.
    pub fn key_at(&self, place: usize) -> Option<(Cow<'_, str>, Json<'_>)> {
        let text = self.text();
        Some((text.entry(true, place)?.as_str()?, text.key(place)?))
    }
    /// The role at a place of the list, from 0.
    pub fn at(&self, place: usize) -> Option<DelegatedRole> {
        let json = self.text().entry(false, place)?;
        Some(DelegatedRole::of(json))
    }
    /// The place of the role called `name`.
    pub fn place(&self, name: &str) -> Option<usize> {
        let text = self.text();
        let compare = |place| {
            let role = text
                .entry(false, place)
                .and_then(|role| role.get("name")?.as_str());
            role.as_deref().cmp(&Some(name))
        };
        self.listed.roles.find(self.len(), compare)
    }
    /// The role called `name`.
    pub fn role(&self, name: &str) -> Option<DelegatedRole> {
        self.at(self.place(name)?)
    }
    /// The keys by the keyid they stand under, in ascending order.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, Key)> {
        let text = self.text();
        (0..text.count(true)).filter_map(move |place| {
            let place = match &self.listed.keys.0 {
                None => place,
                Some(numbers) => numbers[place] as usize,
            };
            let keyid = text.entry(true, place)?.as_str()?.into_owned();
            Some((KeyId(keyid), Key::from_json(text.key(place)?).ok()?))
        })
    }
    /// The key that stands under `keyid`.
    pub fn key(&self, keyid: &KeyId) -> Option<Key> {
        Key::from_json(self.object(keyid)?).ok()
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

fn delegated_roles(field: &Field<'_>, known: &HashSet<&str>) -> Result<Names, Finding> {
    let mut names: Vec<Cow<'_, str>> = Vec::new();
    for element in field.elements()? {
        names.push(delegated_role(&element, known)?);
    }
    let sorted = Names::sorted(&names);
    if sorted.0.is_some() {
        let mut seen = HashSet::new();
        for (place, name) in names.iter().enumerate() {
            if !seen.insert(name) {
                let text = format!("delegates to {} a second time", shown(name));
                return Err(field.element(place, field.json()).refuse(text));
            }
        }
    }
    Ok(sorted)
}

/// Judges an entry and gives its name.
fn delegated_role<'a>(field: &Field<'a>, known: &HashSet<&str>) -> Result<Cow<'a, str>, Finding> {
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
    roles::judge(field, keyids, threshold, &|keyid| known.contains(keyid))?;
    terminating
        .ok_or_else(|| field.lacks("terminating"))?
        .boolean()?;
    Ok(field
        .json()
        .get("name")
        .and_then(Json::as_str)
        .unwrap_or_default())
}

fn succinct_roles(field: &Field<'_>, known: &HashSet<&str>) -> Result<SuccinctRoles, Finding> {
    let bits = field.member("bit_length")?;
    let found = bits.integer()?;
    let bit_length = u32::try_from(found)
        .ok()
        .filter(|length| (1..=32).contains(length))
        .ok_or_else(|| bits.refuse(format!("is {found}; expected 1 to 32")))?;
    Ok(SuccinctRoles {
        role: RoleKeys::read(field, &|keyid| known.contains(keyid))?,
        bit_length,
        name_prefix: role_name(&field.member("name_prefix")?)?,
    })
}

/// Role names become file names: what could leave the folder, or stand for a top-level role, is refused (CVE-2026-24686, CVE-2021-41131).
fn role_name(field: &Field<'_>) -> Result<String, Finding> {
    let name = field.string()?;
    let reason = if TOP_LEVEL_ROLES.contains(&&*name) {
        "is the name of a top-level role"
    } else if let Some(reason) = no_file_name(&name) {
        reason
    } else {
        return Ok(name.into_owned());
    };
    Err(field.refuse_by("ROLE-NAME", format!("is {}, which {reason}", shown(&name))))
}

/// Why a role of this name can have no file.
pub(super) fn no_file_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > 200 {
        Some("is longer than 200 bytes")
    } else if matches!(name, "." | "..") || name.contains(['/', '\\']) {
        Some("would be a path as a file name")
    } else if name.contains(char::is_control) {
        Some("has control characters")
    } else {
        None
    }
}
