#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::tuf::fixture::{self, envelope, keyid, parse, root, sign, signed_by};

fn file(name: &str, bytes: Vec<u8>) -> (String, Vec<u8>) {
    (name.to_owned(), bytes)
}

/// Root `version` with threshold 2 of the keys `holders`, signed by `signers`.
fn version(version: i64, holders: &[u8], signers: &[u8]) -> (String, Vec<u8>) {
    let signed = root(version, holders, 2);
    file(&format!("{version}.root.json"), signed_by(&signed, signers))
}

fn versions(chain: &Chain) -> Vec<u64> {
    chain
        .roots
        .iter()
        .map(|root| root.root.header.version)
        .collect()
}

/// Rule and text of the error findings.
fn errors(chain: &Chain) -> Vec<(&str, &str)> {
    chain
        .findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .map(|finding| (finding.rule.as_str(), finding.text.as_str()))
        .collect()
}

#[test]
fn roots_follow_each_other_in_whatever_order_they_are_given() {
    let chain = follow(
        version(1, &[1, 2, 3], &[1, 2]),
        vec![
            version(3, &[2, 3, 4], &[2, 3]),
            version(1, &[1, 2, 3], &[1, 2]),
            version(2, &[1, 2, 3], &[2, 3]),
        ],
    );
    assert_eq!(errors(&chain), []);
    assert!(chain.holds());
    assert_eq!(versions(&chain), [1, 2, 3]);
    let newest = chain.newest().unwrap();
    assert_eq!(newest.old.as_ref().unwrap().signed, [keyid(2), keyid(3)]);
    assert_eq!(newest.new.missing, [keyid(4)]);
    assert!(chain.roots[0].old.is_none());
}

#[test]
fn every_holder_may_be_replaced_when_both_thresholds_sign() {
    let chain = follow(
        version(1, &[1, 2], &[1, 2]),
        vec![version(2, &[3, 4], &[1, 2, 3, 4])],
    );
    assert!(chain.holds());
    assert_eq!(versions(&chain), [1, 2]);
}

#[test]
fn cve_2020_15163_a_root_that_failed_verification_is_not_kept() {
    let chain = follow(
        version(1, &[1, 2, 3], &[1, 2]),
        vec![
            version(2, &[1, 2, 3], &[3]),
            version(3, &[1, 2, 3], &[1, 2, 3]),
        ],
    );
    let (one, two) = (keyid(1), keyid(2));
    let old = format!(
        "root v2 needs 2 signatures by the keys of root v1 (old) and has 1; missing: {one}, {two}"
    );
    let new = format!(
        "root v2 needs 2 signatures by its own keys (new) and has 1; missing: {one}, {two}"
    );
    assert_eq!(
        errors(&chain),
        [
            ("ROOT-THRESHOLD-OLD", old.as_str()),
            ("ROOT-THRESHOLD-NEW", new.as_str())
        ]
    );
    assert_eq!(versions(&chain), [1], "nor is what came after it");
    assert!(!chain.holds());
}

#[test]
fn either_threshold_alone_is_not_enough() {
    let (old, new) = ([1, 2], [3, 4]);
    let signed_by_new = follow(version(1, &old, &old), vec![version(2, &new, &new)]);
    let text = format!(
        "root v2 needs 2 signatures by the keys of root v1 (old) and has 0; missing: {}, {}",
        keyid(1),
        keyid(2)
    );
    assert_eq!(
        errors(&signed_by_new),
        [("ROOT-THRESHOLD-OLD", text.as_str())]
    );

    let signed_by_old = follow(version(1, &old, &old), vec![version(2, &new, &old)]);
    let text = format!(
        "root v2 needs 2 signatures by its own keys (new) and has 0; missing: {}, {}",
        keyid(3),
        keyid(4)
    );
    assert_eq!(
        errors(&signed_by_old),
        [("ROOT-THRESHOLD-NEW", text.as_str())]
    );
}

#[test]
fn gms_2022_4197_one_key_under_two_keyids_does_not_reach_the_new_threshold() {
    let keys = format!(r#"{{"{}":{},"alice":{1}}}"#, keyid(1), fixture::key_json(1));
    let role = fixture::role_json(&[keyid(1).0, "alice".to_owned()], 2);
    let signed = fixture::root_with(1, &keys, &role);
    let sig = sign(1, &parse(envelope(&signed, &[])).payload());
    let bytes = envelope(&signed, &[(&keyid(1).0, &sig), ("alice", &sig)]);
    let chain = follow(file("1.root.json", bytes), Vec::new());
    assert_eq!(
        errors(&chain),
        [(
            "ROOT-THRESHOLD-NEW",
            "root v1 needs 2 signatures by its own keys (new) and has 1; found but not counted: alice (a key that has already counted)"
        )]
    );
    assert!(chain.newest().is_none());
}

#[test]
fn cve_2025_2885_the_version_must_be_exactly_one_more() {
    let holders = [1, 2];
    let chain = follow(
        version(1, &holders, &holders),
        vec![
            version(3, &holders, &holders),
            version(4, &holders, &holders),
        ],
    );
    assert_eq!(
        errors(&chain),
        [(
            "ROOT-VERSION",
            "root v3 cannot follow root v1: root v2 is missing"
        )]
    );
    assert_eq!(versions(&chain), [1]);
}

#[test]
fn cve_2022_29173_an_older_root_is_passed_over() {
    let holders = [1, 2];
    let chain = follow(
        version(2, &holders, &holders),
        vec![
            version(1, &holders, &holders),
            version(3, &holders, &holders),
        ],
    );
    assert!(chain.holds());
    assert_eq!(versions(&chain), [2, 3]);
    assert_eq!(
        chain.findings,
        [Finding::note(
            "ROOT-OLDER",
            "1.root.json",
            "root v1 is older than the trusted root v2 and was passed over"
        )]
    );
}

#[test]
fn two_payloads_of_one_version_stop_the_chain() {
    let holders = [1, 2];
    let fork = |number, name: &str| {
        let signed = root(number, &holders, 2).replace("2027-11", "2028-11");
        file(name, signed_by(&signed, &holders))
    };
    let digest = |(_, bytes): (String, Vec<u8>)| parse(bytes).payload_digest().to_string();
    for (number, kept) in [(1, vec![1]), (2, vec![1])] {
        let chain = follow(
            version(1, &holders, &holders),
            vec![version(2, &holders, &holders), fork(number, "fork.json")],
        );
        let text = format!(
            "root v{number} is not the same in {number}.root.json (payload SHA-256 {}) and fork.json (payload SHA-256 {}); find out which one is right",
            digest(version(number, &holders, &holders)),
            digest(fork(number, "fork.json"))
        );
        assert_eq!(errors(&chain), [("ROOT-VERSION", text.as_str())]);
        assert_eq!(versions(&chain), kept);
    }
}

#[test]
fn of_copies_with_one_payload_the_most_complete_is_taken() {
    let holders = [1, 2];
    let partial =
        |name: &str, signers: &[u8]| file(name, signed_by(&root(2, &holders, 2), signers));
    let chain = follow(
        version(1, &holders, &holders),
        vec![
            partial("a.json", &[1]),
            partial("b.json", &[2, 1]),
            partial("c.json", &[1, 2]),
            partial("d.json", &[]),
        ],
    );
    assert!(chain.holds());
    assert_eq!(chain.newest().unwrap().file, "b.json");
}

#[test]
fn unreadable_files_are_errors_and_the_rest_is_still_judged() {
    let holders = [1, 2];
    let chain = follow(
        version(1, &holders, &holders),
        vec![
            file("broken.json", b"{".to_vec()),
            version(2, &holders, &holders),
            file(
                "targets.json",
                signed_by(
                    &root(3, &holders, 2).replace("\"root\",", "\"targets\","),
                    &holders,
                ),
            ),
        ],
    );
    assert_eq!(versions(&chain), [1, 2]);
    let found: Vec<_> = chain
        .findings
        .iter()
        .map(|finding| (finding.rule.as_str(), finding.file.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("JSON-STRICT", "broken.json"),
            ("ROOT-TYPE", "targets.json")
        ]
    );
}

#[test]
fn a_trusted_root_that_cannot_be_read_gives_no_chain() {
    let chain = follow(
        file("t.json", b"[]".to_vec()),
        vec![version(1, &[1, 2], &[1, 2])],
    );
    assert!(!chain.holds());
    assert!(chain.newest().is_none());
    assert_eq!(chain.findings.len(), 1);
}

#[test]
fn a_root_that_would_take_long_to_verify_is_refused() {
    let many = |number| {
        let (signed, keyid) = (root(1, &[1], 1), keyid(1).0);
        let sig = sign(1, &parse(envelope(&signed, &[])).payload());
        let entries = vec![(keyid.as_str(), sig.as_str()); number];
        follow(file("1.root.json", envelope(&signed, &entries)), Vec::new())
    };
    assert!(many(256).holds());
    assert_eq!(
        errors(&many(257)),
        [(
            "ROOT-SIGNATURES",
            "signatures has 257 entries; at most 256 are read"
        )]
    );

    let long = format!("{}{}", root(1, &[1], 1), " ".repeat(512_000));
    let chain = follow(file("1.root.json", signed_by(&long, &[1])), Vec::new());
    assert_eq!(chain.findings[0].rule, "JSON-STRICT");
    assert!(chain.newest().is_none());
}
