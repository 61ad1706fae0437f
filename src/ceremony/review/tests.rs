#![allow(clippy::unwrap_used, reason = "tests")]

mod compared;
mod opening;
mod searched;
mod whole;

use std::collections::BTreeMap;

use super::change::{Kind, ProjectChangeView, Standing};
use super::claimed::{Checks, counts};
use super::compare::{Comparison, compare, delegates_projects};
use super::searched::Entries as _;
use super::watch::Watch;
use super::{Review, Row};
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::Document;
use crate::tuf::digest::Sha256;
use crate::tuf::envelope::Envelope;
use crate::tuf::json::Limits;
use crate::tuf::key::{Key, PublicKey};

fn key(number: u8) -> Key {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[number; 32]);
    Key::from_public(&PublicKey::Ed25519(secret.verifying_key().to_bytes())).unwrap()
}

/// One entry as JSON: its role, keys by number, threshold, paths.
fn entry(role: &str, keys: &[u8], threshold: u32, paths: &[&str]) -> String {
    let keyids: Vec<_> = keys.iter().map(|number| key(*number).keyid().0).collect();
    format!(
        r#"{{"keyids":{keyids:?},"name":"{role}","paths":{paths:?},"terminating":true,"threshold":{threshold}}}"#
    )
}

/// A project's usual entry.
fn usual(project: &str, keys: &[u8], threshold: u32) -> String {
    entry(
        &format!("project-{project}"),
        keys,
        threshold,
        &[&format!("{project}/*")],
    )
}

fn claimed(version: u64, entries: &[String]) -> Envelope {
    let keys: BTreeMap<_, _> = (1..=60)
        .map(|number| (key(number).keyid(), key(number)))
        .collect();
    let keys: Vec<_> = keys
        .into_iter()
        .map(|(keyid, key)| {
            let object = String::from_utf8(key.value().canonical()).unwrap();
            format!("\"{keyid}\":{object}")
        })
        .collect();
    let signed = format!(
        r#"{{"_type":"targets","delegations":{{"keys":{{{}}},"roles":[{}]}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.31","targets":{{}},"version":{version}}}"#,
        keys.join(","),
        entries.join(",")
    );
    let bytes = format!(r#"{{"signatures":[],"signed":{signed}}}"#).into_bytes();
    Envelope::parse("claimed", bytes, Limits::LARGE).unwrap()
}

fn candidate(old: &[String], new: &[String]) -> Candidate {
    Candidate {
        document: Document {
            role: "claimed".to_owned(),
            version: 2,
        },
        envelope: claimed(2, new),
        old: Some(claimed(1, old)),
        thresholds: Vec::new(),
    }
}

fn review(candidate: &Candidate, checks: &Checks<'_>) -> Review {
    Review::of_claimed(candidate, &[], &[], Vec::new(), &|_| None, checks).unwrap()
}

/// Some two hundred projects, `p000` and so on.
fn many() -> Vec<String> {
    (0..200)
        .map(|number| usual(&format!("p{number:03}"), &[number % 50 + 1], 1))
        .collect()
}

fn texts(rows: &[Row]) -> String {
    let lines: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", row.mark.tag(), row.text))
        .collect();
    lines.join("\n")
}

fn changes(comparison: &Comparison) -> Vec<ProjectChangeView> {
    (0..comparison.len())
        .map(|index| comparison.view(index))
        .collect()
}

/// What the comparison says of the one project that differs.
fn told(old: &[String], new: &[String]) -> (Vec<Kind>, Vec<Watch>, String) {
    let comparison = compare(Some(&claimed(1, old)), &claimed(2, new)).unwrap();
    let changes = changes(&comparison);
    let [change] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    let reasons = change.reasons.iter().map(|reason| reason.watch).collect();
    (change.kinds.clone(), reasons, texts(&change.detail()))
}

#[test]
fn every_kind_of_change_is_named_and_what_must_be_seen_is_watched() {
    let two = || usual("six", &[1, 2], 2);
    let cases = [
        (
            two(),
            usual("six", &[1, 2, 3], 2),
            vec![Kind::KeysChanged],
            vec![],
        ),
        (
            two(),
            usual("six", &[1, 3], 2),
            vec![Kind::KeysChanged],
            vec![],
        ),
        (
            usual("six", &[1, 2], 1),
            two(),
            vec![Kind::ThresholdUp],
            vec![],
        ),
        (
            two(),
            usual("six", &[1, 2], 1),
            vec![Kind::ThresholdDown],
            vec![Watch::ThresholdLowered],
        ),
        (
            two(),
            entry("project-six", &[1, 2], 2, &["six/*", "seven/*"]),
            vec![Kind::PathsChanged],
            vec![Watch::ForeignPath],
        ),
        (
            two(),
            entry("project-six", &[1, 2], 2, &["six*"]),
            vec![Kind::PathsChanged],
            vec![Watch::WidePath],
        ),
        (
            two(),
            two().replace("\"paths\":[\"six/*\"]", "\"path_hash_prefixes\":[\"0\"]"),
            vec![Kind::PathsChanged],
            vec![Watch::WidePath],
        ),
        (
            two(),
            usual("six", &[2, 1], 2),
            vec![Kind::ReorderedOnly],
            vec![],
        ),
        (
            two(),
            two().replace("\"terminating\":true", "\"terminating\":false"),
            vec![Kind::OtherFields],
            vec![Watch::Other],
        ),
        (
            two(),
            two().replace("\"threshold\"", "\"x-note\":\"hello\",\"threshold\""),
            vec![Kind::OtherFields],
            vec![],
        ),
        (
            two(),
            two().replace("project-six", "project-six_2"),
            vec![Kind::NewRoleName],
            vec![],
        ),
        (
            two(),
            entry("custody", &[1], 1, &["six/*"]),
            vec![Kind::ToCustody],
            vec![],
        ),
        (
            entry("custody", &[1], 1, &["six/*"]),
            two(),
            vec![Kind::FromCustody],
            vec![],
        ),
    ];
    for (old, new, kinds, reasons) in cases {
        let (found, watched, detail) = told(&[old], std::slice::from_ref(&new));
        assert_eq!((found, watched), (kinds, reasons), "{new}\n{detail}");
    }
    let (added, _, detail) = told(&[], &[two()]);
    assert_eq!(added, [Kind::Added]);
    assert!(detail.contains("ADDED Ed25519 key\n keyid "), "{detail}");
    let (removed, _, detail) = told(&[two()], &[]);
    assert_eq!(removed, [Kind::Removed]);
    assert!(detail.contains("REMOVED threshold: 2 of 2"), "{detail}");
    let (_, _, detail) = told(&[two()], &[usual("six", &[2, 1], 2)]);
    assert!(
        detail.contains("the same keys in another order"),
        "{detail}"
    );
}

#[test]
fn an_entry_holds_every_keyid_and_fingerprint_whole() {
    let (_, _, detail) = told(&[usual("six", &[1, 2], 2)], &[usual("six", &[2, 3], 1)]);
    for (number, tag) in [(1, "REMOVED"), (2, "same"), (3, "ADDED")] {
        let key = key(number);
        let line = format!(
            "{tag} Ed25519 key\n keyid {}\n sha256 {}",
            key.keyid(),
            key.public().fingerprint()
        );
        assert!(detail.contains(&line), "{line}\n{detail}");
    }
    for line in [
        "[WARN] threshold lowered: 2 -> 1",
        "CHANGED threshold: 2 of 2 -> 1 of 2",
        "same paths: six/*",
    ] {
        assert!(detail.contains(line), "{line}\n{detail}");
    }
}

#[test]
fn places_that_mislead_are_watched_even_where_nothing_differs() {
    let names = |comparison: &Comparison| {
        let changes = changes(comparison).into_iter();
        let watched = changes.filter(ProjectChangeView::is_watched);
        watched.map(|change| change.name).collect::<Vec<_>>()
    };
    let cases = [
        (vec![usual("b", &[1], 1), usual("a", &[1], 1)], vec!["a"]),
        (
            vec![
                usual("a", &[1], 1),
                usual("a", &[2], 1).replace("project-a", "project-a_2"),
            ],
            vec!["project-a_2"],
        ),
        (
            vec![entry("custody", &[1], 1, &["a/*"]), usual("a", &[1], 1)],
            vec!["project-a"],
        ),
        (vec![entry("custody", &[1], 1, &["*"])], vec!["*"]),
        (vec![entry("evil", &[1], 1, &["a/*"])], vec!["evil"]),
        (vec![usual("a", &[1], 1), usual("b", &[1], 1)], vec![]),
    ];
    for (entries, expected) in cases {
        let comparison = compare(None, &claimed(1, &entries)).unwrap();
        assert_eq!(names(&comparison), expected, "{entries:?}");
    }
    // What stands out of order is seen again with every version; the rest was seen when it came.
    let unsorted = claimed(1, &[usual("b", &[1], 1), usual("a", &[1], 1)]);
    assert_eq!(names(&compare(Some(&unsorted), &unsorted).unwrap()), ["a"]);
    let odd = claimed(1, &[entry("project-a", &[1], 1, &["*"])]);
    assert!(compare(Some(&odd), &odd).unwrap().is_empty());
}

#[test]
fn a_key_on_many_projects_is_told_and_never_in_the_way() {
    let entries: Vec<_> = (0..21)
        .map(|number| usual(&format!("p{number:02}"), &[1], 1))
        .collect();
    let comparison = compare(Some(&claimed(1, &entries[..20])), &claimed(2, &entries)).unwrap();
    assert_eq!(comparison.crowded(), [(key(1).public().fingerprint(), 21)]);
    let changes = changes(&comparison);
    let [change] = changes.as_slice() else {
        panic!("one project was added");
    };
    assert_eq!(change.reasons[0].watch, Watch::Crowded);
    assert!(!change.is_watched());
    let twenty = compare(None, &claimed(1, &entries[..20])).unwrap();
    assert!(twenty.crowded().is_empty());
}

#[test]
fn the_summary_counts_by_kind_and_by_reason() {
    let old = many();
    let mut new = many();
    new[3] = usual("p003", &[9, 10], 2);
    new[4] = entry("project-p004", &[5], 1, &["p004/*", "pip/*"]);
    new.remove(7);
    new.push(usual("zz", &[1], 1));
    let comparison = compare(Some(&claimed(1, &old)), &claimed(2, &new)).unwrap();
    let rows = texts(&counts(&comparison));
    for line in [
        " 200 projects -> 200; 4 differ. Delegations, and what to look at:",
        " same                 197  |   threshold lowered                     0",
        " added                  1  |   threshold above its keys              0",
        "[WARN] removed                1  | ! path pattern not own project          1",
        " keys changed           1  |   wildcard wider than project/*         0",
        " threshold up           1  |   top project changed                   0",
        " paths changed          1  |   duplicate or unsorted name            0",
    ] {
        assert!(rows.contains(line), "{line}\n{rows}");
    }
    assert!(
        counts(&comparison).iter().all(|row| row.text.len() <= 71),
        "{rows}"
    );
}
