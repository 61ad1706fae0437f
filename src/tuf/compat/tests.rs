#![allow(clippy::unwrap_used, reason = "tests")]
mod report;

use super::Client::{GoTuf, PythonTuf, RustTuf, Tough, TufJs};
use super::*;
use crate::tuf::fixture;
use crate::tuf::json::Limits;

const P256: &str = r"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcLYSZyFGeKdWNt5dWFbnv6N9NyHC\noUNLcG6GZIxLwN8Q8MUdHdOOxGkDnyBRSJpIZ/r/oDECSTwfCYhdogweLA==\n-----END PUBLIC KEY-----\n";

fn judge(signed: &str) -> Vec<Verdict> {
    verdicts(&fixture::parse(fixture::envelope(signed, &[])))
}

fn refusing(verdicts: &[Verdict]) -> Vec<Client> {
    verdicts
        .iter()
        .filter(|verdict| !verdict.accepts())
        .map(|verdict| verdict.client)
        .collect()
}

fn of(verdicts: &[Verdict], client: Client) -> &Verdict {
    verdicts
        .iter()
        .find(|verdict| verdict.client == client)
        .unwrap()
}

/// A root with an Ed25519 key 1 in every role and one more key, under its right keyid, in the role targets.
fn with_key(object: &str) -> String {
    let keyid = canonical_sha256(object);
    let targets = format!(
        r#""targets":{{"keyids":["{}","{keyid}"],"threshold":1}}"#,
        fixture::keyid(1)
    );
    let alone = format!(r#""targets":{}"#, fixture::role(&[1], 1));
    let keys = format!(r#"{{"{keyid}":{object},"#);
    fixture::root(1, &[1], 1)
        .replace(&alone, &targets)
        .replacen("\"keys\":{", &format!("\"keys\":{keys}"), 1)
}

fn canonical_sha256(object: &str) -> String {
    let json = crate::tuf::json::check(object.as_bytes(), Limits::SMALL).unwrap();
    crate::tuf::canonical::sha256(json).to_string()
}

fn key(keytype: &str, scheme: &str, public: &str) -> String {
    format!(r#"{{"keytype":"{keytype}","keyval":{{"public":"{public}"}},"scheme":"{scheme}"}}"#)
}

#[test]
fn what_we_write_is_accepted_by_all_but_where_it_says_so() {
    assert_eq!(refusing(&judge(&fixture::root(1, &[1, 2], 2))), []);
}

#[test]
fn each_kind_of_key_is_refused_by_the_clients_that_cannot_read_it() {
    let hex = "04".repeat(65);
    for (name, object, expected) in [
        ("p256", key("ecdsa", "ecdsa-sha2-nistp256", P256), &[RustTuf][..]),
        ("p256 old keytype", key("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", P256), &[RustTuf]),
        ("p256 hex", key("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", &hex), &[RustTuf]),
        ("p384", key("ecdsa", "ecdsa-sha2-nistp384", P256), &[Tough, RustTuf]),
        ("p384 old keytype", key("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", P256), &[Tough, RustTuf]),
        ("p384 hex", key("ecdsa", "ecdsa-sha2-nistp384", &hex), &[Tough, RustTuf]),
        ("ed25519 pem", key("ed25519", "ed25519", P256), &[Tough, RustTuf]),
        ("pkcs1", key("rsa", "rsa-pkcs1v15-sha256", P256), &[Tough, RustTuf]),
        ("pss sha512", key("rsa", "rsassa-pss-sha512", P256), &[Tough, RustTuf]),
        ("ml-dsa", key("ml-dsa", "ml-dsa-44/1", "00"), &[Tough]),
        ("unknown", key("tin", "can", "00"), &[PythonTuf, Tough]),
        ("identity", r#"{"keytype":"sigstore-oidc","keyval":{"identity":"a@b","issuer":"https://c"},"scheme":"Fulcio"}"#.to_owned(), &[PythonTuf, Tough, GoTuf]),
        ("custom field", fixture::key_json(2).replace("{\"keytype\"", "{\"x-owner\":\"a\",\"keytype\""), &[RustTuf]),
    ] {
        assert_eq!(refusing(&judge(&with_key(&object))), expected, "{name}");
    }
}

#[test]
fn reasons_name_the_key_its_kind_and_its_roles() {
    let object = key("ecdsa", "ecdsa-sha2-nistp384", P256);
    let verdicts = judge(&with_key(&object));
    let keyid = canonical_sha256(&object);
    assert_eq!(
        of(&verdicts, Tough).reasons,
        [format!(
            "Key {keyid} (P-384, of role targets) cannot be read here, so the whole file is refused."
        )]
    );
}

#[test]
fn threshold_that_a_client_cannot_reach_is_a_reason_and_one_that_it_can_is_a_note() {
    let object = key("rsa", "rsa-pkcs1v15-sha256", "x");
    let keyid = canonical_sha256(&object);
    let reachable = with_key(&object);
    let verdicts_reachable = judge(&reachable);
    let note = of(&verdicts_reachable, GoTuf);
    assert!(note.accepts());
    assert_eq!(
        note.notes,
        [format!(
            "Role targets has a threshold of 1, to be reached by the 1 of its 2 keys that can be verified here (not {keyid})."
        )]
    );
    let both = reachable.replace(
        &format!("\"{keyid}\"],\"threshold\":1"),
        &format!("\"{keyid}\"],\"threshold\":2"),
    );
    let verdicts = judge(&both);
    assert_eq!(
        of(&verdicts, GoTuf).reasons,
        [format!(
            "Role targets has a threshold of 2, and only 1 of its 2 keys can be verified here (not {keyid})."
        )]
    );
    assert!(of(&verdicts, PythonTuf).accepts());
}

#[test]
fn forms_of_a_root_are_refused_by_the_clients_that_trip_over_them() {
    let root = fixture::root(1, &[1], 1);
    let version = |text: &str| root.replace("\"1.0.0\"", text);
    let expires = |text: &str| root.replace("2027-11-22T00:00:00Z", text);
    let member = |text: &str| root.replace("\"_type\"", &format!("{text},\"_type\""));
    for (name, signed, expected) in [
        ("spec 1.0", version("\"1.0\""), &[][..]),
        ("spec 1.0.31", version("\"1.0.31\""), &[RustTuf]),
        ("spec 1", version("\"1\""), &[PythonTuf, TufJs, RustTuf]),
        (
            "spec 2.0.0",
            version("\"2.0.0\""),
            &[PythonTuf, TufJs, RustTuf],
        ),
        (
            "spec with suffix",
            version("\"1.0.0-rc1\""),
            &[PythonTuf, TufJs, RustTuf],
        ),
        (
            "sigstore v1",
            expires("2021-12-18T13:28:12.99008-06:00"),
            &[PythonTuf, Tough, RustTuf],
        ),
        (
            "sigstore v2",
            expires("2022-05-11T19:09:02.663975009Z"),
            &[PythonTuf, RustTuf],
        ),
        (
            "offset of zero",
            expires("2027-11-22T00:00:00+00:00"),
            &[PythonTuf, Tough, GoTuf, RustTuf],
        ),
        (
            "fraction with a zero",
            expires("2027-11-22T00:00:00.120Z"),
            &[PythonTuf, GoTuf, RustTuf],
        ),
        (
            "no date",
            expires("tomorrow"),
            &[PythonTuf, Tough, GoTuf, TufJs, RustTuf],
        ),
        (
            "no consistent_snapshot",
            root.replace("\"consistent_snapshot\":true,", ""),
            &[Tough, GoTuf, TufJs],
        ),
        (
            "extra role",
            root.replace(
                "\"roles\":{",
                &format!("\"roles\":{{\"mirrors\":{},", fixture::role(&[1], 1)),
            ),
            &[PythonTuf, Tough],
        ),
        (
            "keyid twice",
            root.replacen(&fixture::role(&[1], 1), &fixture::role(&[1, 1], 1), 1),
            &[PythonTuf, TufJs],
        ),
        (
            "keyid of no key",
            root.replacen(&fixture::role(&[1], 1), &fixture::role(&[1, 2], 1), 1),
            &[GoTuf],
        ),
        (
            "wrong keyid",
            root.replace(&fixture::keyid(1).0, "alice"),
            &[Tough, RustTuf],
        ),
        ("decomposed text", member("\"x\":\"e\u{301}\""), &[Tough]),
        ("decomposed name", member("\"e\u{301}\":1"), &[Tough]),
        ("control character", member("\"x\":\"\\u0001\""), &[RustTuf]),
        (
            "names beyond U+FFFF that sort alike",
            member("\"x\":{\"a\":1,\"\u{10000}\":1}"),
            &[],
        ),
        (
            "names beyond U+FFFF that sort otherwise",
            member("\"x\":{\"\u{ff5e}\":1,\"\u{10000}\":1}"),
            &[TufJs],
        ),
    ] {
        assert_ne!(signed, root, "{name}");
        assert_eq!(refusing(&judge(&signed)), expected, "{name}");
    }
}

#[test]
fn forms_of_delegations_are_refused_by_the_clients_that_trip_over_them() {
    let delegations = |roles: &str| {
        format!(
            r#"{{"_type":"targets","delegations":{{"keys":{},{roles}}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.0","targets":{{}},"version":1}}"#,
            fixture::keys(&[1])
        )
    };
    let role = |name: &str, rest: &str| {
        format!(
            r#"{{"keyids":["{}"],"name":"{name}","terminating":true,"threshold":1,{rest}}}"#,
            fixture::keyid(1)
        )
    };
    let roles = |rest: &str| delegations(&format!("\"roles\":[{}]", role("r", rest)));
    let succinct = format!(
        r#""succinct_roles":{{"bit_length":14,"keyids":["{}"],"name_prefix":"bin","threshold":1}}"#,
        fixture::keyid(1)
    );
    for (name, signed, expected) in [
        ("paths", roles(r#""paths":["a/b"]"#), &[][..]),
        ("open bracket", roles(r#""paths":["a["]"#), &[Tough]),
        (
            "prefixes",
            roles(r#""path_hash_prefixes":["0"]"#),
            &[RustTuf],
        ),
        ("succinct", delegations(&succinct), &[Tough, RustTuf]),
        (
            "field of a role",
            roles(r#""paths":[],"x-rstuf-expire-policy":1"#),
            &[Tough],
        ),
        (
            "field of delegations",
            delegations(r#""roles":[],"x":1"#),
            &[Tough],
        ),
        (
            "top-level name",
            delegations(&format!("\"roles\":[{}]", role("snapshot", "\"paths\":[]"))),
            &[PythonTuf, TufJs],
        ),
        (
            "name twice",
            delegations(&format!("\"roles\":[{0},{0}]", role("r", "\"paths\":[]"))),
            &[PythonTuf, TufJs],
        ),
    ] {
        assert_eq!(refusing(&judge(&signed)), expected, "{name}");
    }
    let verdicts = judge(&roles(r#""paths":["a/*"]"#));
    assert_eq!(
        of(&verdicts, Tough).notes,
        [
            "terminating of the delegated role r is ignored here: roles after it are asked too.",
            "The delegated role r has the pattern \"a/*\", whose wildcards match \"/\" too here.",
        ]
    );
}

#[test]
fn forms_of_signatures_are_refused_by_the_clients_that_trip_over_them() {
    let root = fixture::root(1, &[1], 1);
    for (name, signatures, expected) in [
        ("placeholder", &[("ab", "")][..], &[][..]),
        ("not hexadecimal", &[("ab", "zz")], &[Tough, GoTuf]),
        (
            "keyid twice",
            &[("ab", "00"), ("ab", "11")],
            &[PythonTuf, Tough, GoTuf, TufJs],
        ),
        ("keyid not hexadecimal", &[("alice", "00")], &[Tough]),
    ] {
        let envelope = fixture::parse(fixture::envelope(&root, signatures));
        assert_eq!(refusing(&verdicts(&envelope)), expected, "{name}");
    }
}

#[test]
fn complete_root_whose_signatures_a_client_cannot_count_is_refused_by_it() {
    use p256::ecdsa::signature::Signer as _;
    let secret = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = secret.verifying_key().to_sec1_point(false);
    let object = key(
        "ecdsa",
        "ecdsa-sha2-nistp256",
        &data_encoding::HEXLOWER.encode(point.as_bytes()),
    );
    let keyid = canonical_sha256(&object);
    let ids = [fixture::keyid(1).0, fixture::keyid(2).0, keyid.clone()];
    let keys = fixture::keys(&[1, 2]).replacen('{', &format!("{{\"{keyid}\":{object},"), 1);
    let signed = fixture::root_with(1, &keys, &fixture::role_json(&ids, 2));
    let payload = fixture::parse(fixture::envelope(&signed, &[]))
        .payload()
        .into_owned();
    let signature: p256::ecdsa::Signature = secret.sign(&payload);
    let odd = data_encoding::HEXLOWER.encode(signature.to_der().as_bytes());
    let (one, two) = (fixture::sign(1, &payload), fixture::sign(2, &payload));
    let judged = |signatures: &[(&str, &str)]| {
        verdicts(&fixture::parse(fixture::envelope(&signed, signatures)))
    };
    let short = judged(&[(&ids[0], &one), (&keyid, &odd)]);
    assert_eq!(refusing(&short), [PythonTuf, GoTuf, RustTuf]);
    assert_eq!(
        of(&short, PythonTuf).reasons,
        [
            "Of the 2 valid signatures by role root only 1 can be verified here, and 2 are needed. Let a holder of another key sign too."
        ]
    );
    let full = judged(&[(&ids[0], &one), (&ids[1], &two), (&keyid, &odd)]);
    assert_eq!(refusing(&full), [RustTuf]);
}

#[test]
fn files_beyond_the_default_limits_are_refused() {
    let padding = format!("\"x\":[{}],\"_type\"", vec!["0"; 300_000].join(","));
    let signed = fixture::root(1, &[1], 1).replace("\"_type\"", &padding);
    let verdicts = judge(&signed);
    assert_eq!(refusing(&verdicts), [PythonTuf, TufJs]);
    assert!(of(&verdicts, TufJs).reasons[0].ends_with(
        "at most 512000 are read here unless the program that uses the client raises the limit."
    ));
}
