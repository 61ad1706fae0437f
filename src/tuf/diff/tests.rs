#![allow(clippy::unwrap_used, reason = "tests")]
use super::ChangeKind::{Added, Changed, Removed, Reordered, Same, SameKeyNewKeyid};
use super::*;
use crate::tuf::fixture;

mod completeness;
mod delegations;

fn parse(signed: &str) -> Envelope {
    fixture::parse(fixture::envelope(signed, &[]))
}

fn words(number: u8, keyid: &str) -> String {
    let key = fixture::key(number);
    format!(
        "{}, keyid {keyid}, key sha256 {}",
        key.description(),
        key.public().fingerprint()
    )
}

/// A key object in the usual form.
fn alone(number: u8) -> String {
    let key = fixture::key(number);
    let fingerprint = key.public().fingerprint();
    format!(
        "{} and nothing else, key sha256 {fingerprint}",
        key.description()
    )
}

#[test]
fn key_object_with_a_member_of_its_own_is_told_whole() {
    let old = fixture::root(1, &[1], 1);
    let object = fixture::key_json(2).replace("\"keytype\"", "\"x-owner\":\"@ada\",\"keytype\"");
    let keys = fixture::keys(&[1]).replacen('{', &format!(r#"{{"two":{object},"#), 1);
    let new = fixture::root_with(1, &keys, &fixture::role(&[1], 1));
    let told = told(&old, &new);
    let (.., whole) = told.last().unwrap();
    assert!(
        whole.as_ref().unwrap().contains("\"x-owner\":\"@ada\""),
        "{told:?}"
    );
}

/// Everything that is not the same, as `(kind, subject, old, new)`.
fn told(old: &str, new: &str) -> Vec<(ChangeKind, String, Option<String>, Option<String>)> {
    let diff = between(Some(&parse(old)), &parse(new)).unwrap();
    diff.changes
        .into_iter()
        .filter(|change| change.kind != Same)
        .map(|change| (change.kind, change.subject, change.old, change.new))
        .collect()
}

fn line(
    kind: ChangeKind,
    subject: &str,
    old: &str,
    new: &str,
) -> (ChangeKind, String, Option<String>, Option<String>) {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (kind, subject.to_owned(), some(old), some(new))
}

/// A targets role with two delegations and two targets.
fn targets() -> String {
    let delegated = |name: &str, signers: &[u8], rest: &str| {
        let keyids: Vec<String> = signers
            .iter()
            .map(|signer| fixture::keyid(*signer).0)
            .collect();
        format!(
            r#"{{"keyids":{keyids:?},"name":"{name}","terminating":false,"threshold":1,{rest}}}"#
        )
    };
    format!(
        r#"{{"_type":"targets","delegations":{{"keys":{keys},"roles":[{claimed},{bins}]}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.0","targets":{{"a/b.whl":{{"hashes":{{"sha256":"00"}},"length":1}},"c":{{"hashes":{{"sha256":"11"}},"length":2}}}},"version":3}}"#,
        keys = fixture::keys(&[1, 2, 3]),
        claimed = delegated("claimed", &[1, 2], r#""paths":["a/*","b/*"]"#),
        bins = delegated("bins", &[3], r#""path_hash_prefixes":["0","1"]"#),
    )
}

#[test]
fn renewal_changes_version_and_expiry_only() {
    let old = parse(&fixture::root(1, &[1, 2], 2));
    let new = parse(&fixture::root(2, &[1, 2], 2).replace("2027", "2028"));
    let diff = between(Some(&old), &new).unwrap();
    assert!(diff.is_renewal());
    let lines: Vec<_> = diff
        .changes
        .iter()
        .map(|change| (change.kind, change.subject.as_str()))
        .collect();
    assert_eq!(
        lines[..7],
        [
            (Changed, "version"),
            (Changed, "expires"),
            (Same, "spec_version"),
            (Same, "consistent_snapshot"),
            (Same, "roles.root.threshold"),
            (Same, "roles.root key"),
            (Same, "roles.root key"),
        ]
    );
    assert_eq!(diff.changes[1].old.as_deref(), Some("2027-11-22T00:00:00Z"));
    assert_eq!(diff.changes[1].new.as_deref(), Some("2028-11-22T00:00:00Z"));
    assert_eq!(diff.changes[4].new.as_deref(), Some("2 of 2"));
    assert_eq!(diff.changes[5].keyid, Some(fixture::keyid(1)));
    assert_eq!(lines.len(), 4 + 4 * 3);
}

#[test]
fn style_and_member_order_are_no_difference() {
    let old = fixture::root(1, &[1], 1);
    let new = old
        .replace(',', " ,\n ")
        .replace("\"1.0.0\"", "\"1\\u002e0.0\"");
    assert_eq!(told(&old, &new), []);
}

#[test]
fn exchange_of_a_key_is_told_at_the_role_and_among_the_keys() {
    let old = fixture::root_with(1, &fixture::keys(&[1, 2]), &fixture::role(&[1, 2], 1));
    let all = fixture::keys(&[1, 3]);
    let new = fixture::root_with(1, &all, &fixture::role(&[3, 1], 2));
    let (one, two, three) = (
        fixture::keyid(1).0,
        fixture::keyid(2).0,
        fixture::keyid(3).0,
    );
    let lines = told(&old, &new);
    assert_eq!(
        lines[..3],
        [
            line(Changed, "roles.root.threshold", "1 of 2", "2 of 2"),
            line(Removed, "roles.root key", &words(2, &two), ""),
            line(Added, "roles.root key", "", &words(3, &three)),
        ]
    );
    let keys = &lines[lines.len() - 2..];
    assert_eq!(
        keys[0],
        line(Removed, &format!("keys.{two}"), &alone(2), "")
    );
    assert_eq!(
        keys[1],
        line(Added, &format!("keys.{three}"), "", &alone(3))
    );
    assert_ne!(one, two);
}

#[test]
fn same_key_under_a_new_keyid_is_not_another_key() {
    let old = fixture::root_with(
        1,
        &format!(r#"{{"old-id":{}}}"#, fixture::key_json(1)),
        &fixture::role_json(&["old-id".to_owned()], 1),
    );
    let new = fixture::root(1, &[1], 1);
    let id = fixture::keyid(1).0;
    let lines = told(&old, &new);
    assert_eq!(
        lines[0],
        line(
            SameKeyNewKeyid,
            "roles.root key",
            &words(1, "old-id"),
            &words(1, &id)
        )
    );
    assert_eq!(
        lines.last(),
        Some(&line(
            SameKeyNewKeyid,
            "keys",
            &words(1, "old-id"),
            &words(1, &id)
        ))
    );
    assert_eq!(lines.len(), 5);
}

#[test]
fn other_key_under_the_same_keyid_is_told() {
    let key = |number| format!(r#"{{"id":{}}}"#, fixture::key_json(number));
    let role = fixture::role_json(&["id".to_owned()], 1);
    let lines = told(
        &fixture::root_with(1, &key(1), &role),
        &fixture::root_with(1, &key(2), &role),
    );
    assert_eq!(
        lines[..2],
        [
            line(Removed, "roles.root key", &words(1, "id"), ""),
            line(Added, "roles.root key", "", &words(2, "id")),
        ]
    );
    assert_eq!(
        lines.last(),
        Some(&line(Changed, "keys.id", &alone(1), &alone(2)))
    );
}

#[test]
fn swapped_keyids_are_told_for_both_keys() {
    let keys = |a, b| {
        format!(
            r#"{{"a":{},"b":{}}}"#,
            fixture::key_json(a),
            fixture::key_json(b)
        )
    };
    let role = fixture::role_json(&["a".to_owned(), "b".to_owned()], 1);
    let lines = told(
        &fixture::root_with(1, &keys(1, 2), &role),
        &fixture::root_with(1, &keys(2, 1), &role),
    );
    let renamed = lines
        .iter()
        .filter(|(kind, subject, ..)| *kind == SameKeyNewKeyid && subject == "keys");
    assert_eq!(renamed.count(), 2);
}

#[test]
fn keyid_that_passes_to_another_known_key_leaves_its_old_key_told_as_removed() {
    let keys = format!(
        r#"{{"a":{},"b":{}}}"#,
        fixture::key_json(1),
        fixture::key_json(2)
    );
    let old = fixture::root_with(1, &keys, &fixture::role_json(&["a".to_owned()], 1));
    let keys = format!(r#"{{"b":{}}}"#, fixture::key_json(1));
    let new = fixture::root_with(1, &keys, &fixture::role_json(&["b".to_owned()], 1));
    assert!(told(&old, &new).contains(&line(Removed, "keys.b", &alone(2), "")));
}

#[test]
fn custom_fields_are_told_with_both_values() {
    let field = |text: &str| {
        fixture::root(1, &[1], 1)
            .replacen("\"keytype\"", text, 1)
            .replace("\"_type\"", "\"x-a\":{\"b\":[1,2],\"c.d\":true},\"_type\"")
    };
    let old = field("\"x-owner\":\"@ada\",\"keytype\"");
    let new = field("\"x-owner\":\"@bo\",\"keytype\"")
        .replace("[1,2]", "[2,1]")
        .replace("\"c.d\":true", "\"c.d\":null")
        .replace("\"threshold\":1}", "\"threshold\":1,\"x-r\":0}");
    let id = fixture::keyid(1).0;
    let lines = told(&old, &new);
    assert_eq!(lines[0], line(Added, "roles.root.x-r", "", "0"));
    assert_eq!(
        lines[4],
        line(
            Changed,
            &format!("keys.{id}.x-owner"),
            "\"@ada\"",
            "\"@bo\""
        )
    );
    assert_eq!(lines[5], line(Reordered, "x-a.b", "[1,2]", "[2,1]"));
    assert_eq!(lines[6], line(Changed, "x-a.\"c.d\"", "true", "null"));
    assert_eq!(lines.len(), 7);
}

#[test]
fn order_of_keyids_is_told() {
    let keys = fixture::keys(&[1, 2, 3]);
    let root = |signers: &[u8]| fixture::root_with(1, &keys, &fixture::role(signers, 1));
    let list = |numbers: [u8; 3]| numbers.map(|number| fixture::keyid(number).0).join(", ");
    let lines = told(&root(&[1, 2, 3]), &root(&[2, 1, 3]));
    assert_eq!(
        lines[0],
        line(
            Reordered,
            "roles.root.keyids",
            &list([1, 2, 3]),
            &list([2, 1, 3])
        )
    );
    assert_eq!(lines.len(), 4);
}

#[test]
fn without_an_old_version_everything_is_added() {
    for signed in [fixture::root(1, &[1, 2], 2), targets()] {
        let diff = between(None, &parse(&signed)).unwrap();
        assert!(
            diff.changes
                .iter()
                .all(|change| change.kind == Added && change.old.is_none())
        );
        assert!(!diff.is_renewal());
    }
}

#[test]
fn two_types_are_not_compared() {
    let finding =
        between(Some(&parse(&targets())), &parse(&fixture::root(1, &[1], 1))).unwrap_err();
    assert_eq!(finding.rule, "SIGNED-FORM");
    assert_eq!(
        finding.text,
        "The two files are of different types (_type), so there is nothing to compare. Name two versions of one role."
    );
}
