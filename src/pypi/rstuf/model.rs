//! What RSTUF's API takes, as a table: its pydantic models of release 1.0.1 (`common_models.py`, `bootstrap.py`, `metadata.py`). They know their members and
//! drop every other one without a word, and a member that may be absent and is null. One walk over a payload finds what is dropped and what is refused.

use std::borrow::Cow;

use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{Json, Kind};

/// One value of a payload.
pub(super) enum Shape {
    Text,
    Flag,
    /// From, to.
    Number(i64, i64),
    /// Any object, taken as it is.
    Raw,
    /// At least so many.
    List(usize, &'static Shape),
    /// An object with any names.
    Map(&'static Shape),
    /// An object with no names but these.
    Only(&'static [&'static str], &'static Shape),
    /// A model: what it does not know is dropped.
    Model(&'static [Member]),
    /// A model that keeps what it does not know if it is called `x-<vendor>-<name>`, and refuses it otherwise.
    Open(&'static [Member]),
    /// As the inner one, or null.
    OrNull(&'static Shape),
}

/// A member that a model knows.
pub(super) struct Member {
    name: &'static str,
    shape: &'static Shape,
    needed: bool,
}

const fn needs(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        shape,
        needed: true,
    }
}

const fn may(name: &'static str, shape: &'static Shape) -> Member {
    Member {
        name,
        shape,
        needed: false,
    }
}

use Shape::{Flag, List, Map, Model, Number, Only, Open, OrNull, Raw, Text};

static ANY_NUMBER: Shape = Number(i64::MIN, i64::MAX);
static POSITIVE: Shape = Number(1, i64::MAX);
static TEXTS: Shape = List(0, &Text);

static KEY: Shape = Model(&[
    needs("keytype", &Text),
    needs("scheme", &Text),
    needs("keyval", &Only(&["public", "issuer", "identity"], &Text)),
    may("name", &Text),
    may("x-rstuf-key-name", &Text),
    may("x-rstuf-online-key-uri", &Text),
]);
static ROLE_KEYS: Shape = Model(&[needs("keyids", &TEXTS), needs("threshold", &ANY_NUMBER)]);
static SIGNATURE: Shape = Model(&[
    needs("keyid", &Text),
    needs("sig", &Text),
    may("bundle", &Raw),
]);
/// `signed` of a root.
static SIGNED: &[Member] = &[
    needs("_type", &Text),
    needs("version", &ANY_NUMBER),
    needs("spec_version", &Text),
    needs("expires", &Text),
    may("keys", &Map(&KEY)),
    may("consistent_snapshot", &Flag),
    may(
        "roles",
        &Only(
            &["root", "targets", "snapshot", "timestamp", "bins"],
            &ROLE_KEYS,
        ),
    ),
];
/// A root in an update, and in what RSTUF shows to those who still have to sign.
pub(super) static ROOT: Shape = Model(&[
    needs("signatures", &List(0, &SIGNATURE)),
    needs("signed", &Open(SIGNED)),
]);

static ROLE: Shape = Model(&[needs("expiration", &POSITIVE)]);
static DELEGATIONS: Shape = Model(&[
    needs("keys", &Map(&KEY)),
    needs(
        "roles",
        &List(
            0,
            &Model(&[
                needs("name", &Text),
                needs("terminating", &Flag),
                needs("keyids", &TEXTS),
                needs("threshold", &ANY_NUMBER),
                needs("paths", &List(1, &Text)),
                may("path_hash_prefixes", &TEXTS),
                // The API lets it be absent; the worker that then makes the role does not.
                needs("x-rstuf-expire-policy", &ANY_NUMBER),
            ]),
        ),
    ),
]);
pub(super) static SETTINGS: Shape = Model(&[needs(
    "roles",
    &Model(&[
        needs("root", &ROLE),
        needs("targets", &ROLE),
        needs("snapshot", &ROLE),
        needs("timestamp", &ROLE),
        may(
            "bins",
            &Model(&[
                needs("expiration", &POSITIVE),
                needs("number_of_delegated_bins", &Number(2, 16384)),
            ]),
        ),
        may("delegations", &DELEGATIONS),
    ]),
)]);

pub(super) static BOOTSTRAP: Shape = Model(&[
    needs("settings", &SETTINGS),
    needs("metadata", &Map(&Raw)),
    may("timeout", &ANY_NUMBER),
]);
pub(super) static UPDATE: Shape = Model(&[needs("metadata", &Only(&["root"], &ROOT))]);
pub(super) static PENDING: Shape = Model(&[
    needs("data", &OrNull(&Model(&[needs("metadata", &Map(&Raw))]))),
    may("message", &Text),
]);
pub(super) static SIGN: Shape = Model(&[needs("role", &Text), needs("signature", &SIGNATURE)]);

/// JSON paths, each with a sentence about it; counted, and kept up to a number.
#[derive(Default)]
pub(super) struct Paths {
    pub(super) kept: Vec<String>,
    pub(super) more: usize,
}

/// Most paths that are told: a hostile payload has a million.
const MOST: usize = 100;

impl Paths {
    fn push(&mut self, path: impl FnOnce() -> String) {
        if self.kept.len() < MOST {
            self.kept.push(path());
        } else {
            self.more += 1;
        }
    }

    /// An error for each.
    pub(super) fn findings(&self, file: &str) -> Vec<Finding> {
        let mut findings: Vec<_> = self
            .kept
            .iter()
            .map(|text| Finding::error(super::FORM, file, text))
            .collect();
        if self.more > 0 {
            let text = format!("{} more members are refused", self.more);
            findings.push(Finding::error(super::FORM, file, text));
        }
        findings
    }
}

/// What a walk over a payload found.
#[derive(Default)]
pub(super) struct Walk {
    /// JSON paths of members that RSTUF drops.
    pub(super) dropped: Paths,
    /// Sentences about members for which RSTUF refuses the payload.
    pub(super) refused: Paths,
}

/// Walks a value that lies at `path` of its payload (empty for the payload itself).
pub(super) fn walk(json: Json<'_>, shape: &Shape, path: &str) -> Walk {
    let mut walk = Walk::default();
    walk.value(json, shape, path);
    walk
}

impl Walk {
    fn value(&mut self, json: Json<'_>, shape: &Shape, path: &str) {
        match shape {
            Text => self.kind(json, Kind::String, "a string", path),
            Flag => self.kind(json, Kind::Bool, "true or false", path),
            Raw => self.kind(json, Kind::Object, "an object", path),
            Number(from, to) => {
                let number = json.as_i64();
                if !number.is_some_and(|number| (*from..=*to).contains(&number)) {
                    let to = if *to == i64::MAX {
                        String::new()
                    } else {
                        format!(" and at most {to}")
                    };
                    let what = if *from == i64::MIN {
                        "a number".to_owned()
                    } else {
                        format!("a number of at least {from}{to}")
                    };
                    self.refuse(path, &format!("must be {what}"));
                }
            }
            List(least, inner) => {
                self.kind(json, Kind::Array, "a list", path);
                if json.elements().take(*least).count() < *least {
                    self.refuse(path, "must not be empty");
                }
                for (index, element) in json.elements().enumerate() {
                    self.value(element, inner, &format!("{path}[{index}]"));
                }
            }
            Map(inner) => {
                self.kind(json, Kind::Object, "an object", path);
                for (name, value) in json.members() {
                    self.value(value, inner, &under(path, &name));
                }
            }
            Only(names, inner) => {
                self.kind(json, Kind::Object, "an object", path);
                for (name, value) in json.members() {
                    let path = under(path, &name);
                    if names.contains(&name.as_ref()) {
                        self.value(value, inner, &path);
                    } else {
                        let names = names.join(", ");
                        self.refuse(&path, &format!("is refused: RSTUF takes only {names} here"));
                    }
                }
            }
            Model(members) => self.model(json, members, false, path),
            Open(members) => self.model(json, members, true, path),
            OrNull(inner) => {
                if json.kind() != Kind::Null {
                    self.value(json, inner, path);
                }
            }
        }
    }

    fn model(&mut self, json: Json<'_>, members: &[Member], open: bool, path: &str) {
        self.kind(json, Kind::Object, "an object", path);
        if json.kind() != Kind::Object {
            return;
        }
        let mut missing: Vec<_> = members.iter().filter(|member| member.needed).collect();
        for (name, value) in json.members() {
            missing.retain(|member| member.name != name);
            match members.iter().find(|member| member.name == name) {
                Some(member) if member.needed || value.kind() != Kind::Null => {
                    self.value(value, member.shape, &under(path, &name));
                }
                None if open && !is_extension(&name) => self.refuse(&under(path, &name), STRAY),
                None if open && value.kind() != Kind::Null => {}
                Some(_) | None => self.dropped.push(|| under(path, &name)),
            }
        }
        for member in missing {
            self.refuse(&under(path, member.name), "is missing");
        }
    }

    fn kind(&mut self, json: Json<'_>, kind: Kind, what: &str, path: &str) {
        if json.kind() != kind {
            self.refuse(path, &format!("must be {what}"));
        }
    }

    fn refuse(&mut self, path: &str, what: &str) {
        let path = if path.is_empty() { "the payload" } else { path };
        self.refused.push(|| format!("{path} {what}"));
    }
}

/// Why an unknown member of `signed` is refused.
pub(super) const STRAY: &str = "is refused: RSTUF takes no member here that it does not know and that is not called x-<vendor>-<name>";

/// The first member of `signed` that is refused by its name.
pub(super) fn stray(signed: Json<'_>) -> Option<Cow<'_, str>> {
    let mut names = signed.members().map(|(name, _)| name);
    names.find(|name| {
        let known = SIGNED.iter().any(|member| member.name == name);
        !known && !is_extension(name)
    })
}

fn is_extension(name: &str) -> bool {
    name.starts_with("x-") && name.split('-').count() >= 3
}

fn under(path: &str, name: &str) -> String {
    let name = shown(name);
    if path.is_empty() {
        name.into_owned()
    } else {
        format!("{path}.{name}")
    }
}
