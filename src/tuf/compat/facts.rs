//! What the predictions look at, read leniently: a file that our own readers refuse gets its verdicts too. Of 736,344 entries each is read when it is its turn, and
//! none is kept.

use std::borrow::Cow;
use std::fmt;

use crate::tuf::envelope::Envelope;
use crate::tuf::finding::shown;
use crate::tuf::json::Json;
use crate::tuf::json::text::Text;

/// One file.
pub(super) struct Facts<'a> {
    pub(super) bytes: usize,
    pub(super) signed: Json<'a>,
    pub(super) role_type: String,
    pub(super) delegations: Option<Json<'a>>,
    /// What has the keys and the roles that they are for: a root, or delegations.
    holder: Option<Json<'a>>,
    text: &'a Text,
}

/// One role.
pub(super) struct Role<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) keyids: Vec<Cow<'a, str>>,
    pub(super) threshold: usize,
    /// Of one in the list of delegated roles: what else it says.
    pub(super) delegated: Option<Delegated<'a>>,
}

/// What only delegated roles have.
#[derive(Default)]
pub(super) struct Delegated<'a> {
    pub(super) paths: Option<Json<'a>>,
    pub(super) has_prefixes: bool,
    pub(super) is_terminating: bool,
    /// Fields that TUF does not have.
    pub(super) other: Vec<Cow<'a, str>>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(envelope: &'a Envelope) -> Self {
        let signed = envelope.signed();
        let role_type = string(signed, "_type");
        let delegations = signed.get("delegations").filter(|_| role_type == "targets");
        let holder = if role_type == "root" {
            Some(signed)
        } else {
            delegations
        };
        Self {
            bytes: envelope.length(),
            signed,
            role_type,
            delegations,
            holder,
            text: envelope.text(),
        }
    }
    /// `keys` of a root, `delegations.keys` of targets.
    pub(super) fn keys(&self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        let keys = self.holder.and_then(|holder| holder.get("keys"));
        keys.into_iter().flat_map(Json::members)
    }
    /// The roles that these keys are for: of a root (an object by name), of delegations (a list), or TAP 15 roles.
    pub(super) fn roles(&self) -> impl Iterator<Item = Role<'a>> {
        let member = |name| self.holder.and_then(|holder| holder.get(name));
        let (roles, bins) = (member("roles"), member("succinct_roles"));
        let (root, text) = (self.delegations.is_none(), self.text);
        let named = roles.into_iter().flat_map(Json::members);
        let listed = roles.filter(|_| root).into_iter().flat_map(Json::elements);
        // Where each stands is known, and where it ends is found when it is read.
        let delegated = (0..text.count(false)).filter(move |_| !root);
        let delegated = delegated.filter_map(|place| text.role(place));
        let prefix = |bins| string(bins, "name_prefix").into();
        named
            .map(|(name, role)| Role::of(Some(name), role, false))
            .chain(listed.map(|role| Role::of(None, role, false)))
            .chain(delegated.map(|role| Role::of(None, role, true)))
            .chain(bins.map(|bins| Role::of(Some(prefix(bins)), bins, false)))
    }
}

impl<'a> Role<'a> {
    /// A role, read in one walk over its members; one without a name before says itself what it is called.
    fn of(name: Option<Cow<'a, str>>, role: Json<'a>, is_delegated: bool) -> Self {
        let is_listed = name.is_none();
        let mut delegated = Delegated::default();
        let mut read = Self {
            name: name.unwrap_or_default(),
            keyids: Vec::new(),
            threshold: 0,
            delegated: None,
        };
        for (member, value) in role.members() {
            match &*member {
                "name" if is_listed => read.name = value.as_str().unwrap_or_default(),
                "keyids" => read.keyids = value.elements().filter_map(Json::as_str).collect(),
                "threshold" => {
                    let threshold = value.as_i64().unwrap_or_default();
                    read.threshold = usize::try_from(threshold).unwrap_or_default();
                }
                "paths" => delegated.paths = Some(value),
                "path_hash_prefixes" => delegated.has_prefixes = true,
                "terminating" => delegated.is_terminating = value.as_bool() == Some(true),
                _ => delegated.other.push(member),
            }
        }
        read.delegated = is_delegated.then_some(delegated);
        read
    }
    /// Its name as shown to people, made where it is written only.
    pub(super) fn shown(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|out| out.write_str(&shown(&self.name)))
    }
}

/// The string member `name`, or an empty string.
pub(super) fn string(json: Json<'_>, name: &str) -> String {
    let value = json.get(name);
    value
        .and_then(Json::as_str)
        .unwrap_or_default()
        .into_owned()
}
