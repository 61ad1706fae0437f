//! What entries are found by: their names, and what else a person may have on paper. Digests are found by how they begin.

use std::ops::Range;

use super::change::{Delegated, ProjectChangeView, Standing};
use super::parts::in_parts;
use super::searched::Entries;
use crate::plain::escape;
use crate::tuf::digest::Sha256;

/// So many digits of a digest are searched for; fewer would be found in thousands.
const DIGITS: usize = 8;

/// What is searched.
#[derive(Default)]
pub(super) struct Index {
    /// In lower case and as it is shown, entry after entry; `\n` parts what does not belong together.
    text: String,
    ends: Vec<usize>,
    /// How digests begin, and whose they are.
    digests: Vec<(u64, u32)>,
}

impl Index {
    /// Reads all entries.
    pub(super) fn of(entries: &dyn Entries) -> Self {
        let mut index = Self::default();
        for part in in_parts(entries.len(), |range| Self::part(entries, range)) {
            let start = index.text.len();
            index.ends.extend(part.ends.iter().map(|end| start + end));
            index.text.push_str(&part.text);
            index.digests.extend(part.digests);
        }
        index.digests.sort_unstable();
        index.digests.dedup();
        index
    }
    fn part(entries: &dyn Entries, range: Range<usize>) -> Self {
        let mut part = Self::default();
        for (number, entry) in range.clone().zip((0..).skip(range.start)) {
            let view = entries.view(number);
            let mut lines: Vec<String> = Vec::new();
            for line in texts(&view) {
                let line = escape(&line).to_lowercase();
                if !lines.contains(&line) {
                    part.text.push_str(&line);
                    part.text.push('\n');
                    lines.push(line);
                }
            }
            part.ends.push(part.text.len());
            let digests = digests(&view).into_iter();
            part.digests
                .extend(digests.map(|digest| (beginning(&digest), entry)));
        }
        part
    }

    /// Whether an entry holds `text`, which is in lower case and as it is shown.
    pub(super) fn holds(&self, entry: usize, text: &str) -> bool {
        let start = entry.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text[start..self.ends[entry]].contains(text)
    }
    /// The entries with a digest that begins so, ascending.
    pub(super) fn begun(&self, digits: &str, entries: &dyn Entries) -> Vec<usize> {
        let known = digits.len().min(16);
        let first = format!("{:0<16}", &digits[..known]);
        let last = format!("{:f<16}", &digits[..known]);
        let number = |digits: &str| u64::from_str_radix(digits, 16).unwrap_or_default();
        let (first, last) = (number(&first), number(&last));
        let start = self.digests.partition_point(|digest| digest.0 < first);
        let near = self.digests[start..]
            .iter()
            .take_while(|digest| digest.0 <= last);
        let mut found: Vec<usize> = near.map(|digest| digest.1 as usize).collect();
        found.sort_unstable();
        found.dedup();
        if digits.len() > known {
            let begins = |digest: &Sha256| digest.to_string().starts_with(digits);
            found.retain(|entry| digests(&entries.view(*entry)).iter().any(begins));
        }
        found
    }
}

/// Whether `text` is searched for in digests.
pub(super) fn is_digest(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() >= DIGITS && text.bytes().all(is_digit)
}

fn beginning(digest: &Sha256) -> u64 {
    let first = digest.0.first_chunk().copied();
    u64::from_be_bytes(first.unwrap_or_default())
}

fn sides(view: &ProjectChangeView) -> impl Iterator<Item = &Delegated> {
    let sides = [&view.before, &view.after].into_iter();
    sides.filter_map(|side| match side {
        Standing::Delegated(delegated) => Some(delegated),
        Standing::Absent | Standing::Custody => None,
    })
}

/// The name, and what does not follow from it.
fn texts(view: &ProjectChangeView) -> Vec<String> {
    let name = &view.name;
    let mut texts = vec![name.clone()];
    texts.extend(view.reasons.iter().map(|reason| reason.text.clone()));
    let (usual_role, usual_path) = (format!("project-{name}"), format!("{name}/*"));
    for side in sides(view) {
        let named = std::iter::once(&side.role).filter(|role| **role != usual_role);
        let paths = side.paths.iter().filter(|path| **path != usual_path);
        texts.extend(named.chain(paths).chain(&side.prefixes).cloned());
        texts.extend(
            side.other
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        for listed in &side.keys {
            if listed.keyid.0.parse::<Sha256>().is_err() {
                texts.push(listed.keyid.0.clone());
            }
            texts.extend(listed.key.as_ref().and_then(|key| key.owner.clone()));
        }
    }
    texts
}

/// Its keyids and what else its keys are known by.
fn digests(view: &ProjectChangeView) -> Vec<Sha256> {
    let keys = sides(view).flat_map(|side| &side.keys);
    keys.flat_map(|listed| {
        let key = listed.key.as_ref();
        let digests = key.map(|key| [key.fingerprint, key.object]);
        digests.into_iter().flatten().chain(listed.keyid.0.parse())
    })
    .collect()
}
