//! Where two files differ: the first few places in words, all of them counted.

use super::merged;
use crate::tuf::canonical;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::json::{Json, Kind};
use crate::tuf::value::Value;

/// So many places are told.
const TOLD: usize = 5;

/// The places found so far.
pub(super) struct Places {
    file: String,
    /// Files and words.
    told: Vec<(String, String)>,
    count: usize,
}

impl Places {
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            told: Vec::new(),
            count: 0,
        }
    }

    /// What is told from now on is of another file.
    pub(super) fn in_file(&mut self, file: &str) {
        file.clone_into(&mut self.file);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One more place; its words are made only if they will be told.
    pub(super) fn add(&mut self, words: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push((self.file.clone(), words()));
        }
    }

    /// That nothing differs between `old` and `new`, or where.
    pub(super) fn same(
        &mut self,
        path: &str,
        old: Option<Json<'_>>,
        new: Option<Json<'_>>,
    ) -> bool {
        if equal(old, new) {
            return true;
        }
        match (old, new) {
            (Some(a), Some(b)) if a.kind() == Kind::Object && b.kind() == Kind::Object => {
                for (name, (old, new)) in merged(old, new) {
                    self.same(&member(path, &name), old, new);
                }
            }
            (Some(a), Some(b)) if a.kind() == Kind::Array && b.kind() == Kind::Array => {
                let (mut old, mut new) = (a.elements(), b.elements());
                for index in 0.. {
                    let pair = (old.next(), new.next());
                    if pair.0.is_none() && pair.1.is_none() {
                        break;
                    }
                    self.same(&format!("{path}[{index}]"), pair.0, pair.1);
                }
            }
            _ => self.add(|| format!("{path}: was {}, is {}", words(old), words(new))),
        }
        false
    }

    /// That `found` says exactly `value`.
    pub(super) fn must(&mut self, path: &str, value: &Value, found: Option<Json<'_>>) {
        let value = value.canonical();
        if found.is_none_or(|found| canonical::to_vec(found) != value) {
            let value = String::from_utf8_lossy(&value).into_owned();
            self.add(|| format!("{path}: must be {}, is {}", cut(&value), words(found)));
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        let more = self.count - self.told.len();
        let last = self.told.len().saturating_sub(1);
        let findings = self
            .told
            .into_iter()
            .enumerate()
            .map(|(index, (file, place))| {
                let more = if index == last && more > 0 {
                    format!(" There are {more} more such places.")
                } else {
                    String::new()
                };
                Finding::error(
                    "REQUEST-EXACT",
                    &file,
                    format!("{place}. The requests do not say so; sign nothing.{more}"),
                )
            });
        findings.collect()
    }
}

/// Whether two values are one in canonical form.
pub(super) fn equal(old: Option<Json<'_>>, new: Option<Json<'_>>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            old.bytes() == new.bytes() || canonical::to_vec(old) == canonical::to_vec(new)
        }
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// `path.name`, the name in quotes where it is unusual.
pub(super) fn member(path: &str, name: &str) -> String {
    let usual = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !name.is_empty() && name.chars().all(usual) {
        return format!("{path}.{}", shown(name));
    }
    format!("{path}[\"{}\"]", name.escape_default())
}

fn words(json: Option<Json<'_>>) -> String {
    match json {
        None => "absent".to_owned(),
        Some(json) => cut(&String::from_utf8_lossy(&canonical::to_vec(json))),
    }
}

/// Canonical text for a sentence: nothing hidden in it, and not longer than a line or two.
fn cut(text: &str) -> String {
    const LONGEST: usize = 160;
    let plain = |c: char| c.is_ascii_graphic() || c == ' ';
    let mut cut: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| {
            let escaped = (!plain(c)).then(|| c.escape_default());
            let whole = plain(c).then_some(c);
            whole.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        cut.push_str("...");
    }
    cut
}
