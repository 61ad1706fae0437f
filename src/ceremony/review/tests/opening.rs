//! What is told of a large change before its entries were compared.

use super::super::Mark;
use super::super::opening::Opening;
use super::{Candidate, candidate, review, texts, usual};
use crate::ceremony::event::{Quorum, Signer};
use crate::ceremony::review::claimed::Checks;
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

fn projects(count: usize) -> Vec<String> {
    let like = usual("NAME", &[1], 1);
    let names = (0..count).map(|number| format!("p{number:05}"));
    names.map(|name| like.replace("NAME", &name)).collect()
}

fn quorum() -> Quorum {
    Quorum {
        by: "the keys of claimed in targets v3".to_owned(),
        needed: 1,
        signers: vec![Signer {
            holder: "alice".to_owned(),
            keyid: KeyId("ab".to_owned()),
        }],
    }
}

fn large() -> Candidate {
    candidate(&projects(10_001), &projects(10_002))
}

#[test]
fn the_first_page_of_a_large_change_says_what_is_known_and_what_is_not() {
    let candidate = large();
    let finding = Finding::note("REQUEST-EXACT", "claimed", "1 added");
    let opening = Opening::of(&candidate, &[quorum()], &[finding]).unwrap();
    assert_eq!(opening.digest, candidate.payload());
    assert_eq!(opening.name, "claimed v2");
    let page = texts(&opening.rows);
    let whole = review(&candidate, &Checks::default());
    let summary = texts(whole.entries().unwrap().summary());
    let head: Vec<_> = page.lines().take(4).collect();
    assert_eq!(head, summary.lines().take(4).collect::<Vec<_>>());
    for line in [
        "CHANGED version: 1 -> 2",
        "same expires: 2027-11-22T00:00:00Z",
        "CHANGED delegated roles: 10,001 -> 10,002",
        "same their keys: 60",
        " by the keys of claimed in targets v3: 1 of these 1 must sign: alice",
        "[NOTE] REQUEST-EXACT: 1 added",
        "Still being counted",
        "[NOTE] which clients accept it",
    ] {
        assert!(
            page.lines().any(|found| found.trim() == line.trim()),
            "{line}\n{page}"
        );
    }
    assert!(!page.contains("accepts it\n"), "{page}");
}

#[test]
fn a_rule_that_warns_is_on_the_first_page_as_it_is_in_the_review() {
    let finding = Finding::warning("CLAIM-TOP", "project-p00001", "is looked at");
    let opening = Opening::of(&large(), &[], &[finding]).unwrap();
    let warned = opening.rows.iter().filter(|row| row.mark == Mark::Warning);
    let warned: Vec<_> = warned.map(|row| row.text.as_str()).collect();
    assert_eq!(warned, ["CLAIM-TOP: is looked at"]);
}

#[test]
fn a_review_that_is_there_at_once_has_no_page_before_it() {
    let few = candidate(&projects(200), &projects(201));
    assert!(Opening::of(&few, &[], &[]).is_none());
    assert!(Opening::of_batch(&[&few], &[], &[], &[]).is_none());
}

#[test]
fn the_first_page_of_a_batch_counts_all_its_files() {
    let half = || candidate(&projects(6_000), &projects(6_001));
    let (one, other) = (half(), half());
    let gone = candidate(&[], &projects(7));
    let batch = [&one, &other];
    let opening = Opening::of_batch(&batch, &[&gone.envelope], &[quorum()], &[]).unwrap();
    assert_eq!(opening.name, "the batch of 2");
    let page = texts(&opening.rows);
    for line in [
        "2 documents: the bytes to be signed",
        "CHANGED delegated roles: 12,007 -> 12,002",
        "CHANGED their keys: 180 -> 120",
        "Still being counted",
    ] {
        assert!(
            page.lines().any(|found| found.trim() == line),
            "{line}\n{page}"
        );
    }
    assert!(page.contains(&format!("SHA-256 of the batch {}", opening.digest)));
}
