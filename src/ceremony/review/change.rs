//! One project whose delegation differs: where it stood, where it stands, and both in rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rows::row;
use super::watch::Reason;
use super::{Mark, Row};
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

/// In what a delegation differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the labels")]
pub enum Kind {
    Added,
    Removed,
    KeysChanged,
    ThresholdUp,
    ThresholdDown,
    PathsChanged,
    NewRoleName,
    OtherFields,
    ReorderedOnly,
    ToCustody,
    FromCustody,
}

impl Kind {
    /// In the order of the summary.
    pub const ALL: [Self; 11] = [
        Self::Added,
        Self::Removed,
        Self::KeysChanged,
        Self::ThresholdUp,
        Self::ThresholdDown,
        Self::PathsChanged,
        Self::NewRoleName,
        Self::OtherFields,
        Self::ReorderedOnly,
        Self::ToCustody,
        Self::FromCustody,
    ];

    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::KeysChanged => "keys changed",
            Self::ThresholdUp => "threshold up",
            Self::ThresholdDown => "threshold down",
            Self::PathsChanged => "paths changed",
            Self::NewRoleName => "new role name",
            Self::OtherFields => "other fields",
            Self::ReorderedOnly => "re-ordered only",
            Self::ToCustody => "to custody",
            Self::FromCustody => "from custody",
        }
    }
}

/// A key as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Under which keyid.
    pub keyid: KeyId,
    /// What stands there; none: nothing does. A key of several projects is held once.
    pub key: Option<Arc<Shown>>,
}

/// A key object in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `Ed25519`.
    pub what: String,
    /// SHA-256 of the public key, however it is written.
    pub fingerprint: Sha256,
    /// SHA-256 of the key object, custom fields and all.
    pub object: Sha256,
    /// Whose it is said to be: untrusted.
    pub owner: Option<String>,
}

/// A delegation with keys of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the TUF specification")]
pub struct Delegated {
    pub role: String,
    pub keys: Vec<Listed>,
    pub threshold: u32,
    pub terminating: bool,
    pub paths: Vec<String>,
    pub prefixes: Vec<String>,
    /// Every other member, as JSON.
    pub other: BTreeMap<String, String>,
}

/// Where a project stands in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not at all.
    Absent,
    /// The keys of the file itself answer for it.
    Custody,
    /// With keys of its own.
    Delegated(Delegated),
}

/// One project, before and after.
#[derive(Clone, Debug)]
pub struct ProjectChangeView {
    /// The project, or the whole name of a role that is no project's.
    pub name: String,
    /// Before.
    pub before: Standing,
    /// After.
    pub after: Standing,
    /// In what it differs; nothing where only its place in the list is wrong.
    pub kinds: Vec<Kind>,
    /// Why it must be looked at, or what is told of it.
    pub reasons: Vec<Reason>,
}

impl Delegated {
    /// How many different keys; a keyid that names none counts as none.
    pub fn distinct_keys(&self) -> usize {
        self.fingerprints().len()
    }
    /// Its different keys.
    pub fn fingerprints(&self) -> BTreeSet<Sha256> {
        let keys = self.keys.iter().filter_map(|listed| listed.key.as_ref());
        keys.map(|key| key.fingerprint).collect()
    }
}

impl Standing {
    fn keys(&self) -> &[Listed] {
        match self {
            Self::Delegated(delegated) => &delegated.keys,
            Self::Absent | Self::Custody => &[],
        }
    }
}

/// In what the two differ.
pub(super) fn kinds(before: &Standing, after: &Standing) -> Vec<Kind> {
    use Standing::{Absent, Custody, Delegated};
    match (before, after) {
        (Absent, Absent) | (Custody, Custody) => Vec::new(),
        (Absent, Custody) => vec![Kind::Added, Kind::ToCustody],
        (Absent, Delegated(_)) => vec![Kind::Added],
        (Custody, Absent) => vec![Kind::Removed, Kind::FromCustody],
        (Delegated(_), Absent) => vec![Kind::Removed],
        (Delegated(_), Custody) => vec![Kind::ToCustody],
        (Custody, Delegated(_)) => vec![Kind::FromCustody],
        (Delegated(before), Delegated(after)) => differences(before, after),
    }
}

fn differences(before: &Delegated, after: &Delegated) -> Vec<Kind> {
    let set = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<_>>();
    let keys = |side: &Delegated| {
        let keys = side.keys.iter().map(Listed::identity);
        keys.collect::<BTreeSet<_>>()
    };
    let paths = |side: &Delegated| (set(&side.paths), set(&side.prefixes));
    let found: Vec<Kind> = [
        (keys(before) != keys(after), Kind::KeysChanged),
        (after.threshold > before.threshold, Kind::ThresholdUp),
        (after.threshold < before.threshold, Kind::ThresholdDown),
        (paths(before) != paths(after), Kind::PathsChanged),
        (before.role != after.role, Kind::NewRoleName),
        (
            before.terminating != after.terminating || before.other != after.other,
            Kind::OtherFields,
        ),
    ]
    .into_iter()
    .filter_map(|(differs, kind)| differs.then_some(kind))
    .collect();
    if found.is_empty() && before != after {
        return vec![Kind::ReorderedOnly];
    }
    found
}

impl ProjectChangeView {
    /// Whether it must be seen for a reason of its own.
    pub fn is_watched(&self) -> bool {
        self.reasons.iter().any(|reason| reason.watch.is_gating())
    }

    /// How it is marked in the list.
    fn mark(&self) -> Mark {
        if self.is_watched() {
            return Mark::Warning;
        }
        match (&self.before, &self.after) {
            (Standing::Absent, Standing::Absent) => Mark::Same,
            (Standing::Absent, _) => Mark::Added,
            (_, Standing::Absent) => Mark::Removed,
            _ if self.kinds.is_empty() => Mark::Same,
            _ => Mark::Changed,
        }
    }

    /// The one line of the list: the name, why to look, what differs. What it leaves out stands in [`Self::detail`].
    pub fn line(&self) -> Row {
        let reasons = self.reasons.iter().map(|reason| {
            let sign = if reason.watch.is_gating() { "!" } else { "+" };
            format!("{sign} {}", reason.watch.label())
        });
        let mut text = format!("{:24}", self.name);
        for part in reasons.chain(self.parts()) {
            text.push_str("  ");
            text.push_str(&part);
        }
        row(self.mark(), text)
    }

    fn parts(&self) -> Vec<String> {
        match (&self.before, &self.after) {
            (Standing::Delegated(before), Standing::Delegated(after)) => {
                let mut parts = Vec::new();
                if self.kinds.contains(&Kind::KeysChanged) {
                    parts.push(format!(
                        "keys {} -> {}",
                        before.keys.len(),
                        after.keys.len()
                    ));
                }
                parts.push(if before.threshold == after.threshold {
                    format!("threshold {}", after.threshold)
                } else {
                    format!("threshold {} -> {}", before.threshold, after.threshold)
                });
                let told = [Kind::KeysChanged, Kind::ThresholdUp, Kind::ThresholdDown];
                let rest = self.kinds.iter().filter(|kind| !told.contains(kind));
                parts.extend(rest.map(|kind| kind.label().to_owned()));
                parts
            }
            (before, Standing::Delegated(after)) => {
                let what = match before {
                    Standing::Custody => "out of custody",
                    _ => "NEW",
                };
                let (threshold, keys) = (after.threshold, after.keys.len());
                vec![what.to_owned(), format!("{threshold} of {keys} keys")]
            }
            (_, Standing::Custody) => vec!["into custody".to_owned()],
            (_, Standing::Absent) => vec!["GONE".to_owned()],
        }
    }

    /// Everything about it, whole.
    pub fn detail(&self) -> Vec<Row> {
        let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.label()).collect();
        let kinds = if kinds.is_empty() {
            "unchanged".to_owned()
        } else {
            kinds.join(", ")
        };
        let mut rows = vec![row(Mark::Heading, format!("{}: {kinds}", self.name))];
        rows.extend(self.reasons.iter().map(|reason| {
            let mark = if reason.watch.is_gating() {
                Mark::Warning
            } else {
                Mark::Note
            };
            row(mark, format!("{}: {}", reason.watch.label(), reason.text))
        }));
        let (before, after) = (self.before.facts(), self.after.facts());
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        rows.extend(
            names
                .into_iter()
                .map(|name| fact(&name.1, before.get(name), after.get(name))),
        );
        rows.extend(keys(self.before.keys(), self.after.keys()));
        rows
    }
}

/// Every key of either side: what stays, what goes, what comes, in this order.
fn keys(before: &[Listed], after: &[Listed]) -> Vec<Row> {
    let index = |listed: &[Listed]| listed.iter().map(Listed::identity).collect::<BTreeSet<_>>();
    let (old, new) = (index(before), index(after));
    let kept = after.iter().filter(|key| old.contains(&key.identity()));
    let gone = before.iter().filter(|key| !new.contains(&key.identity()));
    let came = after.iter().filter(|key| !old.contains(&key.identity()));
    let mut found = Vec::new();
    found.extend(kept.flat_map(|key| key.rows(Mark::Same)));
    found.extend(gone.flat_map(|key| key.rows(Mark::Removed)));
    found.extend(came.flat_map(|key| key.rows(Mark::Added)));
    if old == new && before != after {
        found.push(row(Mark::Changed, "the same keys in another order"));
    }
    found
}

impl Listed {
    /// What makes it another: where it stands and the whole object.
    fn identity(&self) -> (KeyId, Option<Sha256>) {
        let object = self.key.as_ref().map(|key| key.object);
        (self.keyid.clone(), object)
    }

    /// What it is and whose; its keyid, its fingerprint, and the digest of its object where that is not the keyid: whole, each in a row of its own that
    /// fits on the smallest screen.
    fn rows(&self, mark: Mark) -> Vec<Row> {
        let keyid = row(Mark::Plain, format!("keyid {}", self.keyid));
        let Some(key) = &self.key else {
            return vec![row(mark, "a keyid without a key"), keyid];
        };
        let what = match &key.owner {
            Some(owner) => format!("{} key of {owner}", key.what),
            None => format!("{} key", key.what),
        };
        let fingerprint = row(Mark::Plain, format!("sha256 {}", key.fingerprint));
        let mut rows = vec![row(mark, what), keyid, fingerprint];
        let object = key.object.to_string();
        if object != self.keyid.0 {
            rows.push(row(Mark::Plain, format!("object {object}")));
        }
        rows
    }
}

impl Standing {
    /// What it says besides its keys, by its place in the detail and its name.
    fn facts(&self) -> BTreeMap<(usize, String), String> {
        let delegated = match self {
            Self::Delegated(delegated) => delegated,
            Self::Absent => return BTreeMap::new(),
            Self::Custody => {
                let text = "the keys of claimed answer for it".to_owned();
                return BTreeMap::from([((0, "custody".to_owned()), text)]);
            }
        };
        let mut facts = vec![
            ("role", delegated.role.clone()),
            (
                "threshold",
                format!("{} of {}", delegated.threshold, delegated.keys.len()),
            ),
            ("terminating", delegated.terminating.to_string()),
            ("paths", delegated.paths.join(", ")),
        ];
        if !delegated.prefixes.is_empty() {
            facts.push(("path_hash_prefixes", delegated.prefixes.join(", ")));
        }
        let known = facts.into_iter().zip(1..);
        let known = known.map(|((name, value), place)| ((place, name.to_owned()), value));
        let other = delegated.other.iter();
        let other = other.map(|(name, value)| ((usize::MAX, name.clone()), value.clone()));
        known.chain(other).collect()
    }
}

fn fact(name: &str, before: Option<&String>, after: Option<&String>) -> Row {
    let (mark, value) = match (before, after) {
        (Some(before), Some(after)) if before == after => (Mark::Same, after.clone()),
        (Some(before), Some(after)) => (Mark::Changed, format!("{before} -> {after}")),
        (Some(value), None) => (Mark::Removed, value.clone()),
        (None, value) => (Mark::Added, value.cloned().unwrap_or_default()),
    };
    row(mark, format!("{name}: {value}"))
}
