#![allow(
    clippy::expect_used,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "tests, tables"
)]
use super::*;
use crate::tuf::finding::Level;
use crate::tuf::fixture;

mod delegations;
mod files;
mod judged;

fn read_root(signed: &str) -> Result<Root, Finding> {
    Root::read(
        "1.root.json",
        &fixture::parse(fixture::envelope(signed, &[])),
    )
}

fn assert_refused<T: std::fmt::Debug>(
    name: &str,
    found: Result<T, Finding>,
    rule: &str,
    text: &str,
) {
    let finding = found.expect_err(name);
    assert_eq!(
        (finding.level, finding.rule.as_str(), finding.text.as_str()),
        (Level::Error, rule, text),
        "{name}"
    );
}

#[test]
fn a_root_is_read_whole() {
    let root = read_root(&fixture::root(7, &[1, 2, 3], 2)).unwrap();
    assert_eq!(root.header.version, 7);
    assert_eq!(root.header.role_type, RoleType::Root);
    assert_eq!(root.header.spec_version, "1.0.0");
    assert_eq!(root.header.expires.text(), "2027-11-22T00:00:00Z");
    assert_eq!(root.consistent_snapshot, Some(true));
    assert_eq!(root.keys[&fixture::keyid(2)], fixture::key(2));
    let role = RoleKeys {
        keyids: [1, 2, 3].map(fixture::keyid).to_vec(),
        threshold: 2,
    };
    assert_eq!(root.role("timestamp"), Some(&role));
    assert_eq!(root.role("mirrors"), None);
    assert_eq!(root.remarks("1.root.json"), []);
}

#[test]
fn headers_of_the_wrong_form_are_refused_with_their_path() {
    let good = fixture::root(1, &[1], 1);
    let cases = [
        (
            r#""_type":"root","#,
            "",
            "SIGNED-FORM",
            "signed has no member _type",
        ),
        (
            r#""_type":"root""#,
            r#""_type":"Root""#,
            "SIGNED-FORM",
            "signed._type is Root; expected root, timestamp, snapshot or targets",
        ),
        (
            r#""_type":"root""#,
            r#""_type":"targets""#,
            "ROOT-TYPE",
            "signed._type is targets; expected root",
        ),
        (
            r#""1.0.0""#,
            r#""2.0.0""#,
            "SPEC-VERSION",
            "signed.spec_version is 2.0.0; expected 1.x or 1.x.y",
        ),
        (
            r#""1.0.0""#,
            r#""1""#,
            "SPEC-VERSION",
            "signed.spec_version is 1; expected 1.x or 1.x.y",
        ),
        (
            r#""1.0.0""#,
            r#""01.0.0""#,
            "SPEC-VERSION",
            "signed.spec_version is 01.0.0; expected 1.x or 1.x.y",
        ),
        (
            r#""1.0.0""#,
            r#""1.0.0-rc1""#,
            "SPEC-VERSION",
            "signed.spec_version is 1.0.0-rc1; expected 1.x or 1.x.y",
        ),
        (
            r#""1.0.0""#,
            r#""1..0""#,
            "SPEC-VERSION",
            "signed.spec_version is 1..0; expected 1.x or 1.x.y",
        ),
        (
            r#""1.0.0""#,
            "1",
            "SPEC-VERSION",
            "signed.spec_version must be a string",
        ),
        (
            r#""version":1"#,
            r#""version":0"#,
            "VERSION-FORM",
            "signed.version is 0; versions begin with 1",
        ),
        (
            r#""version":1"#,
            r#""version":-1"#,
            "VERSION-FORM",
            "signed.version is -1; versions begin with 1",
        ),
        (
            r#""version":1"#,
            r#""version":true"#,
            "VERSION-FORM",
            "signed.version must be an integer",
        ),
        (
            r#""version":1"#,
            r#""version":"1""#,
            "VERSION-FORM",
            "signed.version must be an integer",
        ),
        (
            "2027-11-22T00:00:00Z",
            "never",
            "EXPIRES-FORM",
            "signed.expires is never; expected a date of the form YYYY-MM-DDTHH:MM:SSZ",
        ),
        (
            "2027-11-22T00:00:00Z",
            "2027-11-31T00:00:00Z",
            "EXPIRES-FORM",
            "signed.expires is 2027-11-31T00:00:00Z; expected a date of the form YYYY-MM-DDTHH:MM:SSZ",
        ),
    ];
    for (found, replacement, rule, text) in cases {
        assert!(good.contains(found));
        let signed = good.replace(found, replacement);
        assert_refused(replacement, read_root(&signed), rule, text);
    }
}

#[test]
fn roots_that_could_be_read_in_two_ways_are_refused() {
    let (one, two) = (fixture::keyid(1), fixture::keyid(2));
    let with_role = |role: &str| fixture::root_with(1, &fixture::keys(&[1]), role);
    let with_keys = |keys: &str| fixture::root_with(1, keys, &fixture::role(&[1], 1));
    let threshold = |threshold| with_role(&fixture::role(&[1], threshold));
    let good = fixture::root(1, &[1], 1);
    let without = |name: &str| {
        let role = fixture::role(&[1], 1);
        good.replace(&format!(r#""{name}":{role},"#), "")
    };
    let cases = [
        // CVE-2026-23992 (go-tuf): no threshold is no check.
        (
            "threshold 0",
            threshold(0),
            "ROLE-THRESHOLD",
            "signed.roles.root.threshold is 0; it must be 1 or more".to_owned(),
        ),
        (
            "threshold -1",
            threshold(-1),
            "ROLE-THRESHOLD",
            "signed.roles.root.threshold is -1; it must be 1 or more".to_owned(),
        ),
        (
            "threshold 2 of 1",
            threshold(2),
            "ROLE-THRESHOLD",
            "signed.roles.root.threshold is 2, but the role has 1 key".to_owned(),
        ),
        (
            "threshold 2^32 + 1",
            threshold((1 << 32) + 1),
            "ROLE-THRESHOLD",
            "signed.roles.root.threshold is 4294967297, but the role has 1 key".to_owned(),
        ),
        (
            "threshold true",
            with_role(r#"{"keyids":[],"threshold":true}"#),
            "ROLE-THRESHOLD",
            "signed.roles.root.threshold must be an integer".to_owned(),
        ),
        (
            "no keys",
            with_role(r#"{"keyids":[],"threshold":1}"#),
            "ROLE-THRESHOLD",
            "signed.roles.root.threshold is 1, but the role has 0 keys".to_owned(),
        ),
        (
            "keyid twice",
            with_role(&fixture::role(&[1, 1], 2)),
            "ROLE-DUPLICATE-KEYID",
            format!("signed.roles.root.keyids lists {one} twice"),
        ),
        (
            "unknown keyid",
            with_role(&fixture::role(&[1, 2], 1)),
            "ROLE-UNKNOWN-KEYID",
            format!("signed.roles.root.keyids lists {two}, which is not among the keys"),
        ),
        (
            "keyid not a string",
            with_role(r#"{"keyids":[1],"threshold":1}"#),
            "SIGNED-FORM",
            "signed.roles.root.keyids[0] must be a string".to_owned(),
        ),
        (
            "role without keyids",
            with_role(r#"{"threshold":1}"#),
            "SIGNED-FORM",
            "signed.roles.root has no member keyids".to_owned(),
        ),
        (
            "no root role",
            without("root"),
            "ROOT-ROLES",
            "signed.roles has no role root".to_owned(),
        ),
        (
            "no snapshot role",
            without("snapshot"),
            "ROOT-ROLES",
            "signed.roles has no role snapshot".to_owned(),
        ),
        (
            "keys a list",
            with_keys("[]"),
            "SIGNED-FORM",
            "signed.keys must be an object".to_owned(),
        ),
        (
            "key of no form",
            with_keys(r#"{"a":{}}"#),
            "KEY-FORM",
            "signed.keys.a is refused: its keytype must be a string".to_owned(),
        ),
        (
            "weak key",
            with_keys(&format!(
                r#"{{"a b":{{"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}}}}"#,
                "00".repeat(32)
            )),
            "KEY-WEAK",
            r#"signed.keys."a b" is refused: its Ed25519 point is of low order"#.to_owned(),
        ),
        (
            "consistent_snapshot",
            good.replace("true", "1"),
            "SIGNED-FORM",
            "signed.consistent_snapshot must be true or false".to_owned(),
        ),
    ];
    for (name, signed, rule, text) in cases {
        assert_refused(name, read_root(&signed), rule, &text);
    }
}

#[test]
fn unusual_but_legal_roots_are_remarked() {
    let (one, two) = (fixture::keyid(1), fixture::keyid(2));
    let point = include_str!("../../../tests/data/keys/p256-point.hex");
    let keys = format!(
        r#"{{"alice":{0},"{one}":{0},"hex":{{"keytype":"ecdsa","keyval":{{"public":"{point}"}},"scheme":"ecdsa-sha2-nistp256"}},"oidc":{{"keytype":"sigstore-oidc","keyval":{{}},"scheme":"Fulcio"}},"{two}":{1}}}"#,
        fixture::key_json(1),
        fixture::key_json(2),
    );
    let role = fixture::role(&[1], 1);
    let signed = fixture::root_with(1, &keys, &role)
        .replace("2027-11-22T00:00:00Z", "2027-11-22T00:00:00.5Z")
        .replace(r#""consistent_snapshot":true,"#, "")
        .replace(
            r#""snapshot":"#,
            &format!(r#""mirrors":{role},"snapshot":"#),
        );
    let root = read_root(&signed).unwrap();
    let mismatch = |keyid: &str| {
        let computed = root.keys[&KeyId(keyid.to_owned())].keyid();
        format!(
            "the keyid {keyid} is not the SHA-256 of its key, {computed}; tough and rust-tuf refuse such a file"
        )
    };
    let expected = [
        (Level::Warning, "EXPIRES-FOREIGN", "expires is written 2027-11-22T00:00:00.5Z, not YYYY-MM-DDTHH:MM:SSZ; some clients cannot read it".to_owned()),
        (Level::Warning, "CONSISTENT-SNAPSHOT", "consistent_snapshot is missing; tough, go-tuf and tuf-js refuse such a root".to_owned()),
        (Level::Warning, "ROOT-EXTRA-ROLE", "the role mirrors is none of root, timestamp, snapshot and targets; python-tuf and tough refuse such a root".to_owned()),
        (Level::Warning, "KEYID-MISMATCH", mismatch("alice")),
        (Level::Warning, "KEYID-MISMATCH", mismatch("hex")),
        (Level::Warning, "KEYID-MISMATCH", mismatch("oidc")),
        (Level::Warning, "KEY-TWICE", format!("the same physical key under 2 keyids, which counts once here but more often in python-tuf, tough and tuf-js: {one}, alice")),
        (Level::Warning, "KEY-HEX-POINT", "written as hexadecimal points instead of PEM, which python-tuf and go-tuf cannot verify with: hex".to_owned()),
        (Level::Warning, "KEY-OPAQUE", "of types we cannot verify with, so their signatures never count here: oidc".to_owned()),
        (Level::Note, "KEY-UNUSED", format!("in no role: alice, {two}, hex, oidc")),
    ];
    let found: Vec<_> = root
        .remarks("1.root.json")
        .into_iter()
        .map(|finding| (finding.level, finding.rule, finding.text))
        .collect();
    let expected = expected.map(|(level, rule, text)| (level, rule.to_owned(), text));
    assert_eq!(found, expected);

    let signed = fixture::root(1, &[1], 1).replace("true", "false");
    assert_eq!(
        read_root(&signed).unwrap().remarks("f"),
        [Finding::note(
            "CONSISTENT-SNAPSHOT",
            "f",
            "consistent_snapshot is false; PEP 458 needs it true"
        )]
    );
}
