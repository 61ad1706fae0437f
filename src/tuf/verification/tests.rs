#![allow(clippy::unwrap_used, reason = "tests")]
use super::SignatureClass::{DuplicateKey, Empty, Invalid, Stale, UnknownKey, Valid};
use super::*;
use crate::tuf::fixture;
use crate::tuf::metadata::Root;

/// The classes of `signatures` to the root role of `signed`, and the number that counts.
fn judged(signed: &str, signatures: &[(&str, &str)]) -> (Vec<SignatureClass>, usize) {
    let envelope = fixture::parse(fixture::envelope(signed, signatures));
    let root = Root::read("file", &envelope).unwrap();
    let report = threshold(&envelope, &root.keys, root.role("root").unwrap(), &[]);
    let classes = report.signatures.iter().map(|(_, class)| *class).collect();
    (classes, report.signed.len())
}

fn payload(signed: &str) -> Vec<u8> {
    fixture::parse(fixture::envelope(signed, &[]))
        .payload()
        .into_owned()
}

#[test]
fn every_signature_has_its_class() {
    let signed = fixture::root(2, &[1, 2, 3, 4, 5], 3);
    let earlier = payload(&fixture::root(2, &[1, 2, 3, 4], 3));
    let payload = payload(&signed);
    let id = |number| fixture::keyid(number).0;
    let sig = |number| fixture::sign(number, &payload);
    let bytes = fixture::envelope(
        &signed,
        &[
            (&id(1), &sig(1)),
            (&id(2), ""),
            (&id(3), &fixture::sign(3, &earlier)),
            (&id(4), &sig(1)),
            (&id(9), &sig(9)),
        ],
    );
    let envelope = fixture::parse(bytes);
    let root = Root::read("file", &envelope).unwrap();
    let role = root.role("root").unwrap();
    let report = threshold(&envelope, &root.keys, role, &[&earlier]);
    assert_eq!(
        report,
        ThresholdReport {
            needed: 3,
            signed: vec![fixture::keyid(1)],
            missing: [2, 3, 4, 5].map(fixture::keyid).to_vec(),
            signatures: vec![
                (fixture::keyid(1), Valid),
                (fixture::keyid(2), Empty),
                (fixture::keyid(3), Stale),
                (fixture::keyid(4), Invalid),
                (fixture::keyid(9), UnknownKey),
            ],
        }
    );
    assert!(!report.reached());
    assert_eq!(
        report.shortfall("root v2", "its own keys (new)"),
        format!(
            "root v2 needs 3 signatures by its own keys (new) and has 1; missing: {}, {}, {}, {}; found but not counted: {} (signed an earlier text), {} (wrong)",
            id(2),
            id(3),
            id(4),
            id(5),
            id(3),
            id(4)
        )
    );
}

#[test]
fn cve_2020_6174_second_signature_by_same_key_does_not_count() {
    // Also CVE-2020-15093 (tough), GMS-2022-4197, php-tuf#154 and rust-tuf#283.
    let signed = fixture::root(1, &[1, 2], 2);
    let (keyid, sig) = (fixture::keyid(1).0, fixture::sign(1, &payload(&signed)));
    let upper = sig.to_uppercase();
    let entries = [
        (keyid.as_str(), sig.as_str()),
        (keyid.as_str(), sig.as_str()),
        (keyid.as_str(), upper.as_str()),
    ];
    let classes = vec![Valid, DuplicateKey, DuplicateKey];
    assert_eq!(judged(&signed, &entries), (classes, 1));
    let envelope = fixture::parse(fixture::envelope(&signed, &entries));
    assert_eq!(
        remarks("1.root.json", &envelope),
        [Finding::warning(
            "SIGNATURE-KEYID-TWICE",
            "1.root.json",
            format!(
                "signatures has 3 entries for {keyid}; python-tuf, tough, go-tuf and tuf-js refuse such a file"
            )
        )]
    );
    let once = fixture::parse(fixture::envelope(&signed, &entries[..1]));
    assert_eq!(remarks("1.root.json", &once), []);
}

#[test]
fn ghsa_3633_5h82_39pq_same_key_under_two_keyids_counts_once() {
    let keys = format!(
        r#"{{"alice":{0},"bob":{0},"{1}":{2}}}"#,
        fixture::key_json(1),
        fixture::keyid(2),
        fixture::key_json(2)
    );
    let keyids = ["alice".to_owned(), "bob".to_owned(), fixture::keyid(2).0];
    let signed = fixture::root_with(1, &keys, &fixture::role_json(&keyids, 2));
    let sig = fixture::sign(1, &payload(&signed));
    let twice = judged(&signed, &[("alice", &sig), ("bob", &sig)]);
    assert_eq!(twice, (vec![Valid, DuplicateKey], 1));

    let envelope = fixture::parse(fixture::envelope(&signed, &[("bob", &sig)]));
    let root = Root::read("file", &envelope).unwrap();
    let report = threshold(&envelope, &root.keys, root.role("root").unwrap(), &[]);
    assert_eq!(
        report.missing,
        [fixture::keyid(2)],
        "alice has signed as bob"
    );
}

#[test]
fn signature_under_another_keyid_or_of_another_form_does_not_count() {
    let signed = fixture::root(1, &[1, 2], 2);
    let payload = payload(&signed);
    let (one, two) = (fixture::keyid(1).0, fixture::keyid(2).0);
    let good = fixture::sign(1, &payload);
    let cases: [(&str, &str, &str, SignatureClass); 6] = [
        ("its own", &one, &good, Valid),
        ("upper case", &one, &good.to_uppercase(), Valid),
        ("of the other key", &two, &good, Invalid),
        ("cut", &one, &good[..126], Invalid),
        ("not hexadecimal", &one, "zz", Invalid),
        ("by a key outside the role", "carol", &good, UnknownKey),
    ];
    for (name, keyid, sig, class) in cases {
        assert_eq!(judged(&signed, &[(keyid, sig)]).0, [class], "{name}");
    }
}

#[test]
fn cve_2026_23992_threshold_of_zero_is_never_reached() {
    let envelope = fixture::parse(fixture::signed_by(&fixture::root(1, &[1], 1), &[1]));
    let root = Root::read("file", &envelope).unwrap();
    let mut role = root.role("root").unwrap().clone();
    assert!(threshold(&envelope, &root.keys, &role, &[]).reached());
    role.threshold = 0;
    assert!(!threshold(&envelope, &root.keys, &role, &[]).reached());
}

#[test]
fn signature_by_a_key_of_another_role_does_not_count() {
    let text = fixture::root(1, &[1, 2], 1);
    let envelope = fixture::parse(fixture::signed_by(&text, &[2]));
    let root = Root::read("file", &envelope).unwrap();
    let role = RoleKeys {
        keyids: vec![fixture::keyid(1)],
        threshold: 1,
    };
    let report = threshold(&envelope, &root.keys, &role, &[]);
    assert_eq!(report.signatures, [(fixture::keyid(2), UnknownKey)]);
    assert!(!report.reached());
}
