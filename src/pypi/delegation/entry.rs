//! One entry as it stands.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::place;
use crate::tuf::json::{Json, Kind};

/// One element of `roles`, its members found in one walk.
#[derive(Default)]
pub(super) struct Entry<'a> {
    pub(super) index: usize,
    pub(super) name: Option<Json<'a>>,
    pub(super) keyids: Option<Json<'a>>,
    pub(super) threshold: Option<Json<'a>>,
    pub(super) paths: Option<Json<'a>>,
    pub(super) path_hash_prefixes: Option<Json<'a>>,
    pub(super) terminating: Option<Json<'a>>,
    /// What we do not know, by name.
    pub(super) unknown: BTreeMap<Cow<'a, str>, Json<'a>>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(index: usize, json: Json<'a>) -> Self {
        let mut entry = Self {
            index,
            ..Self::default()
        };
        for (name, value) in json.members() {
            match &*name {
                "name" => entry.name = Some(value),
                "keyids" => entry.keyids = Some(value),
                "threshold" => entry.threshold = Some(value),
                "paths" => entry.paths = Some(value),
                "terminating" => entry.terminating = Some(value),
                other => {
                    if other == "path_hash_prefixes" {
                        entry.path_hash_prefixes = Some(value);
                    }
                    entry.unknown.insert(name, value);
                }
            }
        }
        entry
    }

    pub(super) fn place(&self) -> String {
        let name = self.name.and_then(Json::as_str);
        place(self.index, &name.unwrap_or_default())
    }
}

pub(super) fn strings(json: Json<'_>) -> Option<Vec<String>> {
    if json.kind() != Kind::Array {
        return None;
    }
    json.elements()
        .map(|element| element.as_str().map(Cow::into_owned))
        .collect()
}
