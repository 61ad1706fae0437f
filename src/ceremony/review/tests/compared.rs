//! The comparison, which reads only what may differ, against one that reads everything and keeps it in maps.

use proptest::prelude::*;

use super::whole::{Said, as_told, whole};
use super::*;
use crate::ceremony::review::claimed::{besides, difference};
use crate::ceremony::review::compare::compare_all;
use crate::ceremony::review::marks::Marks;
use crate::tuf::diff;

fn said(comparison: &Comparison) -> Said {
    let told = changes(comparison)
        .into_iter()
        .enumerate()
        .map(|(index, view)| {
            assert_eq!(
                comparison.marks(index),
                Marks::of(&view.kinds, &view.reasons)
            );
            assert_eq!(comparison.name(index), view.name);
            as_told(
                &view.name,
                view.before,
                view.after,
                view.kinds,
                view.reasons,
            )
        });
    let counts = [comparison.before, comparison.after, comparison.same];
    (counts, told.collect(), comparison.crowded())
}

/// One entry: whose, which role of it, keys, threshold, paths, whether it ends the search, another member.
#[derive(Clone, Debug)]
struct Entry {
    role: String,
    keys: Vec<u8>,
    threshold: u32,
    paths: Vec<String>,
    terminating: bool,
    note: Option<u8>,
}

/// Keys 0 to 3 are keys, 4 to 7 the same with another member, under keyids of their own.
fn object(number: u8, note: u8) -> String {
    let public = key(number % 4 + 1);
    let public = public
        .value()
        .get("keyval")
        .unwrap()
        .get("public")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    let more = match (number / 4, note) {
        (0, 0) => String::new(),
        (other, note) => format!(",\"x-rstuf-key-name\":\"{other} {note}\""),
    };
    format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"{more}}}"#)
}

/// A file; `notes` change key objects under their keyids.
fn file(entries: &[Entry], notes: [u8; 8]) -> String {
    let mut roles: Vec<String> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for entry in entries.iter().filter(|entry| known.insert(&entry.role)) {
        let keyids: Vec<_> = entry
            .keys
            .iter()
            .map(|number| Sha256::of(&[*number]).to_string())
            .collect();
        let note = entry
            .note
            .map_or_else(String::new, |note| format!(",\"x-note\":{note}"));
        let threshold = entry.threshold.min(u32::try_from(keyids.len()).unwrap());
        roles.push(format!(
            r#"{{"keyids":{keyids:?},"name":"{}","paths":{:?},"terminating":{},"threshold":{threshold}{note}}}"#,
            entry.role, entry.paths, entry.terminating
        ).replace(", ", ","));
    }
    let keys: BTreeMap<_, _> = (0..8)
        .map(|number| {
            (
                Sha256::of(&[number]).to_string(),
                object(number, notes[usize::from(number)]),
            )
        })
        .collect();
    let keys: Vec<_> = keys
        .iter()
        .map(|(keyid, object)| format!("\"{keyid}\":{object}"))
        .collect();
    format!(
        r#"{{"signatures":[],"signed":{{"_type":"targets","delegations":{{"keys":{{{}}},"roles":[{}]}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.31","targets":{{}},"version":1}}}}"#,
        keys.join(","),
        roles.join(",")
    )
}

fn parsed(text: &str) -> Envelope {
    Envelope::parse("claimed", text.as_bytes().to_vec(), Limits::LARGE).unwrap()
}

fn beside(base: &Envelope, text: &str) -> Envelope {
    let source = &mut text.as_bytes();
    Envelope::read("claimed", source, text.len(), Limits::LARGE, Some(base)).unwrap()
}

fn entry_of(project: u8) -> impl Strategy<Value = Entry> {
    let role = prop_oneof![
        20 => Just(format!("project-p{project:02}")),
        2 => (2..4).prop_map(move |generation| format!("project-p{project:02}_{generation}")),
        1 => Just("custody".to_owned()),
        1 => Just("claimed-p".to_owned()),
        1 => Just("evil".to_owned()),
        1 => Just("project-P1".to_owned()),
    ];
    let keys = proptest::sample::subsequence((0..8).collect::<Vec<u8>>(), 1..4).prop_shuffle();
    let paths = prop_oneof![
        8 => Just(vec![project]),
        1 => Just(vec![]),
        1 => proptest::collection::vec(0..12_u8, 1..4),
    ];
    let paths = paths.prop_map(|paths| {
        paths
            .iter()
            .map(|path| format!("p{path:02}/*"))
            .collect::<Vec<_>>()
    });
    let more = (
        1..3_u32,
        prop::bool::weighted(0.9),
        prop::option::weighted(0.1, 0..3_u8),
    );
    (role, keys, paths, more).prop_map(|(role, keys, paths, (threshold, terminating, note))| {
        Entry {
            role,
            keys,
            threshold,
            paths,
            terminating,
            note,
        }
    })
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    proptest::collection::vec((0..40_u8).prop_flat_map(entry_of), 0..60)
}

/// An old list, and what becomes of it: entries go, come, change places, and are written anew; and keys under the same keyid.
fn edited() -> impl Strategy<Value = [String; 2]> {
    let edits = proptest::collection::vec(
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            0..5_u8,
        ),
        0..12,
    );
    let notes = proptest::array::uniform8(prop_oneof![20 => Just(0_u8), 1 => Just(1)]);
    (entries(), entries(), edits, notes, any::<bool>()).prop_map(
        |(mut old, fresh, edits, notes, sorted)| {
            if sorted {
                old.sort_by(|a, b| a.role.cmp(&b.role));
            }
            let mut new = old.clone();
            for (from, to, edit) in edits {
                if new.is_empty() {
                    break;
                }
                let (from, to) = (from.index(new.len()), to.index(new.len()));
                let other = fresh.get(to);
                match (edit, other) {
                    (0, _) => drop(new.remove(from)),
                    (1, _) => new.swap(from, to),
                    (2, Some(other)) => new.insert(from, other.clone()),
                    (3, Some(other)) => {
                        new[from] = Entry {
                            role: new[from].role.clone(),
                            ..other.clone()
                        }
                    }
                    (_, _) => new[from].keys.rotate_left(1),
                }
            }
            [file(&old, [0; 8]), file(&new, notes)]
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_is_missed_that_is_not_read([old, new] in edited()) {
        let old = parsed(&old);
        for new in [parsed(&new), beside(&old, &new)] {
            prop_assert_eq!(said(&compare(Some(&old), &new).unwrap()), whole(&[&old], &[&new]));
            prop_assert_eq!(said(&compare(None, &new).unwrap()), whole(&[], &[&new]));
            let all = diff::between(Some(&old), &new).unwrap();
            let apart = difference(Some(&old), &new).unwrap();
            prop_assert_eq!(all.is_renewal(), apart.is_renewal());
            prop_assert_eq!(besides(all), besides(apart));
        }
    }

    #[test]
    fn files_of_a_batch_are_compared_as_one(one in edited(), two in edited()) {
        let [old, other] = [&one[0], &two[0]].map(|text| parsed(text));
        let (new, came) = (beside(&old, &one[1]), parsed(&two[1]));
        let pairs = [(Some(&old), Some(&new)), (None, Some(&came)), (Some(&other), None)];
        let comparison = compare_all(pairs).unwrap();
        prop_assert_eq!(said(&comparison), whole(&[&old, &other], &[&new, &came]));
    }
}
