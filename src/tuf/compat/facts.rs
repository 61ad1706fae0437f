//! What the predictions look at, read leniently: a file that our own readers refuse gets its verdicts too.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::keys::Kind;
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::shown;
use crate::tuf::json::Json;

/// One file.
pub(super) struct Facts<'a> {
    pub(super) bytes: usize,
    pub(super) signed: Json<'a>,
    pub(super) role_type: String,
    /// `keys` of a root, `delegations.keys` of targets.
    pub(super) keys: Vec<KeyFacts<'a>>,
    /// The roles that these keys are for.
    pub(super) roles: Vec<RoleFacts>,
    pub(super) delegations: Option<Json<'a>>,
    /// Names of the roles that list each keyid, once they are asked for.
    users: OnceCell<BTreeMap<String, Vec<String>>>,
}

/// One key object under its keyid.
pub(super) struct KeyFacts<'a> {
    pub(super) keyid: String,
    pub(super) kind: &'static Kind,
    pub(super) object: Json<'a>,
}

/// One role.
pub(super) struct RoleFacts {
    pub(super) name: String,
    pub(super) keyids: Vec<String>,
    pub(super) threshold: usize,
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
        let keys = holder.and_then(|holder| holder.get("keys"));
        let roles = holder.map_or_else(Vec::new, roles);
        Self {
            bytes: envelope.length(),
            signed,
            role_type,
            keys: keys
                .into_iter()
                .flat_map(Json::members)
                .map(|(keyid, object)| KeyFacts {
                    keyid: keyid.into_owned(),
                    kind: Kind::of(object),
                    object,
                })
                .collect(),
            users: OnceCell::new(),
            roles,
            delegations,
        }
    }
    /// The roles that list a keyid, in words.
    pub(super) fn users(&self, keyid: &str) -> String {
        let users = self.users.get_or_init(|| users(&self.roles));
        let users = users.get(keyid).into_iter().flatten();
        let names: Vec<&str> = users.map(String::as_str).collect();
        match names.as_slice() {
            [] => "of no role".to_owned(),
            [name] => format!("of role {name}"),
            names => format!("of roles {}", names.join(", ")),
        }
    }
}

/// By keyid, because a file may list thousands of keys in thousands of roles.
fn users(roles: &[RoleFacts]) -> BTreeMap<String, Vec<String>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for role in roles {
        let name = shown(&role.name);
        for keyid in &role.keyids {
            let names = users.entry(keyid.clone()).or_default();
            if names.last().is_none_or(|last| *last != name) {
                names.push(name.clone().into_owned());
            }
        }
    }
    users
}

/// The string member `name`, or an empty string.
pub(super) fn string(json: Json<'_>, name: &str) -> String {
    let value = json.get(name);
    value
        .and_then(Json::as_str)
        .unwrap_or_default()
        .into_owned()
}

/// The roles of a root (an object by name), of delegations (an array), or TAP 15 roles.
fn roles(holder: Json<'_>) -> Vec<RoleFacts> {
    let mut found = Vec::new();
    if let Some(roles) = holder.get("roles") {
        found.extend(
            roles
                .members()
                .map(|(name, role)| role_facts(name.into_owned(), role)),
        );
        found.extend(
            roles
                .elements()
                .map(|role| role_facts(string(role, "name"), role)),
        );
    }
    if let Some(role) = holder.get("succinct_roles") {
        found.push(role_facts(string(role, "name_prefix"), role));
    }
    found
}

fn role_facts(name: String, role: Json<'_>) -> RoleFacts {
    let threshold = role
        .get("threshold")
        .and_then(Json::as_i64)
        .unwrap_or_default();
    RoleFacts {
        name,
        keyids: role
            .get("keyids")
            .into_iter()
            .flat_map(Json::elements)
            .filter_map(|keyid| keyid.as_str().map(std::borrow::Cow::into_owned))
            .collect(),
        threshold: usize::try_from(threshold).unwrap_or_default(),
    }
}
