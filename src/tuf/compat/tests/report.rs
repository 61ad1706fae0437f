//! What is told of a file that breaks much: in order, the first few, the others counted, and alike however the file is held.

use super::super::Client::{GoTuf, PythonTuf, RustTuf, Tough};
use super::*;

/// Projects with something for every chapter: keys of many kinds, keyids twice, unknown and wrong, patterns, prefixes, fields.
fn full_of_faults() -> String {
    let objects = [
        fixture::key_json(1),
        key("ecdsa", "ecdsa-sha2-nistp256", P256),
        key("ecdsa", "ecdsa-sha2-nistp384", P256),
        key("rsa", "rsa-pkcs1v15-sha256", "x"),
        key("tin", "can", "00"),
        fixture::key_json(2).replace("{\"keytype\"", "{\"x-owner\":\"a\",\"keytype\""),
    ];
    let mut keys: Vec<_> = objects
        .iter()
        .map(|object| (canonical_sha256(object), object.clone()))
        .collect();
    keys.push(("alice".to_owned(), fixture::key_json(3)));
    keys.sort();
    let ids: Vec<_> = keys.iter().map(|(keyid, _)| keyid.clone()).collect();
    let role = |number: usize| {
        let (one, other) = (&ids[number % ids.len()], &ids[(number * 3 + 1) % ids.len()]);
        let third = if number.is_multiple_of(5) {
            one
        } else {
            "missing"
        };
        let rest = match number % 4 {
            0 => r#""paths":["a[","b/*"]"#,
            1 => r#""path_hash_prefixes":["0"]"#,
            2 => r#""paths":["e\u0301/*"],"x-note":"\u0001""#,
            _ => r#""paths":["plain"]"#,
        };
        let name = number / 2;
        format!(
            r#"{{"keyids":["{one}","{other}","{third}"],"name":"r{name}","terminating":true,"threshold":2,{rest}}}"#
        )
    };
    let roles: Vec<_> = (0..30).map(role).collect();
    let keys: Vec<_> = keys
        .iter()
        .map(|(keyid, object)| format!("\"{keyid}\":{object}"))
        .collect();
    format!(
        r#"{{"_type":"targets","delegations":{{"keys":{{{}}},"roles":[{}],"x":1}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.0","targets":{{}},"version":1}}"#,
        keys.join(","),
        roles.join(",")
    )
}

#[test]
fn of_many_sentences_the_first_are_told_and_the_others_counted() {
    let envelope = fixture::parse(fixture::envelope(&full_of_faults(), &[]));
    let all = verdicts(&envelope);
    for most in [1, 4, 25, 1_000] {
        for (short, whole) in verdicts_of(&envelope, most).iter().zip(&all) {
            for (short, whole) in [
                (&short.reasons, &whole.reasons),
                (&short.notes, &whole.notes),
            ] {
                let told = whole.len().min(most);
                assert_eq!(short[..told], whole[..told], "{most}");
                let more = whole.len() - told;
                let said = (more > 0).then(|| format!("and {more} more of this sort."));
                assert_eq!(short.get(told), said.as_ref(), "{most}");
            }
        }
    }
    let go = of(&all, GoTuf);
    let missing = go
        .reasons
        .iter()
        .filter(|text| text.ends_with("there is no such key."));
    assert_eq!(missing.count(), 24);
    let python = &of(&all, PythonTuf).reasons;
    let twice = python.iter().filter(|text| text.ends_with(" twice."));
    assert_eq!(twice.count(), 10);
    let named = python
        .iter()
        .filter(|text| text.starts_with("Two delegated roles"));
    assert_eq!(named.count(), 15);
}

#[test]
fn a_version_that_shares_entries_with_another_is_judged_as_one_that_does_not() {
    let old = full_of_faults().replace("\"name\":\"r", "\"name\":\"s");
    let base = fixture::parse(fixture::envelope(&old, &[]));
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("e\\u0301", "i\\u0301"),
        ("\"s7\"", "\"s70\""),
    ] {
        let new = fixture::envelope(&old.replace(from, to), &[]);
        let beside = Envelope::read("new", &mut &*new, new.len(), Limits::LARGE, Some(&base));
        let beside = beside.unwrap();
        assert_eq!(beside.bytes(), new);
        assert_eq!(verdicts(&beside), verdicts(&fixture::parse(new)), "{to}");
    }
}

#[test]
fn a_sentence_names_the_text_that_is_canonicalised_otherwise() {
    let root = fixture::root(1, &[1], 1);
    let member = |text: &str| judge(&root.replace("\"_type\"", &format!("{text},\"_type\"")));
    let odd = member("\"x\":[\"\\\"\u{e9}\",\"a\\u0301b\\u0007\",\"e\u{301}\",\"one\\ntwo\"]");
    let said = |client, text: &str| {
        let reasons = &of(&odd, client).reasons;
        assert!(
            reasons.iter().any(|reason| reason.contains(text)),
            "{reasons:?}"
        );
    };
    said(Tough, "The text \"a\\u{301}b\\u{7}\" is not");
    said(
        RustTuf,
        "The text that begins with \"a\\u{301}b\" has control characters",
    );
}
