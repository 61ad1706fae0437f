#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use ed25519_dalek::{Signer as _, SigningKey};

use super::*;
use crate::tuf::finding::Level;
use crate::tuf::key::{Key, PublicKey};

mod demands;

const SETTINGS: &str = r#"{"roles":{"root":{"expiration":365},"targets":{"expiration":365},"snapshot":{"expiration":1},"timestamp":{"expiration":1},"bins":{"expiration":1,"number_of_delegated_bins":16384}}}"#;

/// A key object as RSTUF wants it: key 1 signs root, key 2 is online.
fn key(number: u8) -> Value {
    let secret = SigningKey::from_bytes(&[number; 32]);
    let public = PublicKey::Ed25519(secret.verifying_key().to_bytes());
    let mut key = Key::from_public(&public).unwrap().value().clone();
    if number == 2 {
        key.set("x-rstuf-online-key-uri", Value::string("fn:online"));
    } else {
        key.set("x-rstuf-key-name", Value::string("alice"));
    }
    key
}

fn keyid(key: &Value) -> String {
    crate::tuf::digest::Sha256::of(&key.canonical()).to_string()
}

fn value(text: &str) -> Value {
    Value::from_json(json::check(text.as_bytes(), Limits::SMALL).unwrap())
}

/// `signed` of a root that RSTUF has nothing to say about, under keyids that are right.
fn signed(version: u64) -> Value {
    let (root, online) = (key(1), key(2));
    let role = |key: &Value| value(&format!(r#"{{"keyids":["{}"],"threshold":1}}"#, keyid(key)));
    let mut signed = value(&format!(
        r#"{{"_type":"root","consistent_snapshot":true,"expires":"2027-06-01T00:00:00Z","spec_version":"1.0.31","version":{version}}}"#
    ));
    let keys = vec![
        (keyid(&root), root.clone()),
        (keyid(&online), online.clone()),
    ];
    signed.set("keys", Value::Object(keys));
    let roles = [
        ("root", &root),
        ("timestamp", &online),
        ("snapshot", &online),
        ("targets", &online),
    ];
    let roles = roles.map(|(name, key)| (name.to_owned(), role(key)));
    signed.set("roles", Value::Object(roles.into()));
    signed
}

/// The root file, signed by key 1 under the first keyid that root lists.
fn root_of(signed: &Value) -> Envelope {
    let envelope = Envelope::unsigned("root.json", signed).unwrap();
    let sig = SigningKey::from_bytes(&[1; 32])
        .sign(&envelope.payload())
        .to_bytes();
    let root = Root::read("root.json", &envelope).unwrap();
    let keyid = root.role("root").unwrap().keyids[0].clone();
    envelope.with_signature(&keyid, &sig, &|_| false)
}

fn told(bytes: &[u8]) -> Vec<(Level, String, String)> {
    let findings = lint("file", bytes).unwrap_or_else(|refused| refused);
    let line = |finding: Finding| (finding.level, finding.rule, finding.text);
    findings.into_iter().map(line).collect()
}

/// The only thing that is told, its rule and level as expected.
fn only(bytes: &[u8], level: Level, rule: &str) -> String {
    let told = told(bytes);
    let [(found, by, text)] = told.as_slice() else {
        panic!("one finding was expected: {told:?}");
    };
    assert_eq!((*found, by.as_str()), (level, rule), "{text}");
    text.clone()
}

/// `payload` with what lies at `path` changed.
fn changed(payload: &[u8], path: &[&str], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut whole = Value::from_json(json::check(payload, Limits::SMALL).unwrap());
    let mut at = &mut whole;
    for name in path {
        at = match at {
            Value::Array(elements) => &mut elements[name.parse::<usize>().unwrap()],
            object => object.get_mut(name).unwrap(),
        };
    }
    change(at);
    style::to_vec(&whole)
}

fn good_bootstrap() -> Vec<u8> {
    bootstrap(&value(SETTINGS), &root_of(&signed(1)), 300)
}

#[test]
fn payloads_that_rstuf_takes_whole_are_read_back_and_nothing_is_told() {
    let (first, second) = (root_of(&signed(1)), root_of(&signed(2)));
    let signature = &second.signatures()[0];
    let payloads = [
        good_bootstrap(),
        update(&second),
        pending(&second, Some(&first)),
        pending(&first, None),
        sign("root", signature),
    ];
    for payload in &payloads {
        assert_eq!(told(payload), []);
        assert!(looks_like(payload));
    }
    let Ok(Payload::Bootstrap { settings, root }) = read("file", &payloads[0]) else {
        panic!("a bootstrap");
    };
    assert_eq!(root.envelope.bytes(), first.bytes());
    assert_eq!(bootstrap(&settings, &root.envelope, 300), payloads[0]);
    let Ok(Payload::Update { root }) = read("file", &payloads[1]) else {
        panic!("an update");
    };
    assert_eq!(root.envelope.bytes(), second.bytes());
    assert_eq!(root.header.version, 2);
    let Ok(Payload::Pending { documents }) = read("file", &payloads[2]) else {
        panic!("what is pending");
    };
    let names: Vec<_> = documents.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["root", "trusted_root"]);
    assert_eq!(documents[1].1.envelope.bytes(), first.bytes());
    let Ok(Payload::Sign {
        role,
        signature: read,
    }) = read("file", &payloads[4])
    else {
        panic!("a signature");
    };
    assert_eq!((role.as_str(), &read), ("root", signature));
    assert!(!looks_like(&first.bytes()));
    assert!(!looks_like(
        br#"{"schema":"tuf-ceremony/part/1","metadata":{}}"#
    ));
}

#[test]
fn what_an_update_loses_is_named_by_its_path() {
    let key = keyid(&key(1));
    let cases = [
        (
            vec!["keys", key.as_str()],
            "keyid_hash_algorithms",
            format!("keys.{key}.keyid_hash_algorithms"),
        ),
        (
            vec!["keys", key.as_str()],
            "x-tuf-on-ci-keyowner",
            format!("keys.{key}.x-tuf-on-ci-keyowner"),
        ),
        (
            vec!["roles", "root"],
            "x-tuf-on-ci-signing-period",
            "roles.root.x-tuf-on-ci-signing-period".to_owned(),
        ),
    ];
    for (path, member, lost) in cases {
        let path: Vec<_> = ["metadata", "root", "signed"]
            .into_iter()
            .chain(path)
            .collect();
        let payload = changed(&update(&root_of(&signed(2))), &path, |object| {
            object.set(member, value(r#"["sha256"]"#));
        });
        let told = told(&payload);
        let errors: Vec<_> = told
            .iter()
            .filter(|(level, ..)| *level == Level::Error)
            .collect();
        let expected = format!(
            "metadata.root.signed.{lost} is dropped by RSTUF before it looks at the signatures, so none of them is right any more. Make a root without it."
        );
        assert_eq!(
            errors,
            [&(Level::Error, "RSTUF-DROPS".to_owned(), expected)]
        );
    }
    // A member of ours that is called as RSTUF wants it stays; null does not.
    let with = |what: Value| {
        changed(
            &update(&root_of(&signed(2))),
            &["metadata", "root", "signed"],
            |signed| {
                signed.set("x-tuf-ceremony-rehearsal", what);
            },
        )
    };
    assert_eq!(told(&with(Value::Bool(true))), []);
    let text = only(&with(Value::Null), Level::Error, "RSTUF-DROPS");
    assert!(
        text.starts_with("metadata.root.signed.x-tuf-ceremony-rehearsal is dropped"),
        "{text}"
    );
    // Outside of what is signed nothing breaks.
    let payload = changed(
        &update(&root_of(&signed(2))),
        &["metadata", "root", "signatures", "0"],
        |entry| {
            entry.set("method", Value::string("x"));
        },
    );
    assert_eq!(
        only(&payload, Level::Warning, "RSTUF-DROPS"),
        "metadata.root.signatures[0].method is dropped by RSTUF; no signature is about it."
    );
}

#[test]
fn a_bootstrap_keeps_what_later_signers_are_not_shown() {
    let mut content = signed(1);
    let role = content.get_mut("roles").unwrap().get_mut("root").unwrap();
    role.set("x-tuf-on-ci-signing-period", Value::Integer(60));
    let root = root_of(&content);
    let expected = |at: &str| {
        format!(
            "{at}.signed.roles.root.x-tuf-on-ci-signing-period is not in what RSTUF shows to those who have yet to sign: they sign something else. Collect all signatures first, or make a root without it."
        )
    };
    let payload = bootstrap(&value(SETTINGS), &root, 300);
    assert_eq!(
        only(&payload, Level::Warning, "RSTUF-DROPS"),
        expected("metadata.root")
    );
    let payload = pending(&root, None);
    assert_eq!(
        only(&payload, Level::Warning, "RSTUF-DROPS"),
        expected("data.metadata.root")
    );
}

#[test]
fn payloads_that_rstuf_answers_with_an_error_are_refused() {
    let of_update = |path: &[&str], member: &str, what: &str| {
        let path: Vec<_> = ["metadata", "root", "signed"]
            .iter()
            .chain(path)
            .copied()
            .collect();
        changed(&update(&root_of(&signed(2))), &path, |object| {
            object.set(member, value(what));
        })
    };
    let of_settings = |path: &[&str], member: &str, what: &str| {
        let path: Vec<_> = ["settings", "roles"].iter().chain(path).copied().collect();
        changed(&good_bootstrap(), &path, |object| {
            object.set(member, value(what));
        })
    };
    let key = keyid(&key(1));
    let cases = [
        (b"{}".to_vec(), "it is none of RSTUF's payloads: a bootstrap has settings and metadata, an update metadata, what is pending data, a signature role and signature".to_owned()),
        (br#"{"metadata":{}}"#.to_vec(), "metadata has no root: RSTUF begins with one and makes every other file itself".to_owned()),
        (br#"{"data":null,"message":"none"}"#.to_vec(), "data is null: RSTUF says that nothing waits for signatures".to_owned()),
        (br#"{"data":{"metadata":{"../../x":{}}}}"#.to_vec(), "data.metadata names a role ../../x; RSTUF takes letters, digits, - and _".to_owned()),
        (br#"{"role":"root","signature":{"keyid":"a","sig":"xyz"}}"#.to_vec(), "signature.sig must be hexadecimal, as RSTUF writes it".to_owned()),
        (br#"{"signature":{"keyid":"a","sig":"00"}}"#.to_vec(), "role is missing".to_owned()),
        (of_update(&[], "comment", "1"), "metadata.root.signed.comment is refused: RSTUF takes no member here that it does not know and that is not called x-<vendor>-<name>".to_owned()),
        (of_update(&["keys", &key, "keyval"], "private", "\"\""), format!("metadata.root.signed.keys.{key}.keyval.private is refused: RSTUF takes only public, issuer, identity here")),
        (of_update(&["roles"], "mirrors", "{}"), "metadata.root.signed.roles.mirrors is refused: RSTUF takes only root, targets, snapshot, timestamp, bins here".to_owned()),
        (of_update(&[], "_type", "\"targets\""), "signed._type is targets; RSTUF has root here".to_owned()),
        (changed(&good_bootstrap(), &["metadata", "root", "signed"], |signed| signed.set("comment", Value::Null)), format!("metadata.root.signed.comment {}", model::STRAY)),
        (of_settings(&["bins"], "number_of_delegated_bins", "16385"), "settings.roles.bins.number_of_delegated_bins must be a number of at least 2 and at most 16384".to_owned()),
        (of_settings(&["bins"], "number_of_delegated_bins", "1"), "settings.roles.bins.number_of_delegated_bins must be a number of at least 2 and at most 16384".to_owned()),
        (of_settings(&["root"], "expiration", "0"), "settings.roles.root.expiration must be a number of at least 1".to_owned()),
    ];
    for (payload, expected) in cases {
        assert_eq!(only(&payload, Level::Error, FORM), expected);
        assert!(read("file", &payload).is_err());
    }
    let settings = super::settings("settings.json", SETTINGS.as_bytes());
    assert_eq!(settings.unwrap(), value(SETTINGS));
    let refused = super::settings("settings.json", br#"{"roles":{}}"#).unwrap_err();
    assert_eq!(refused[0].text, "settings.roles.root is missing");
}

#[test]
fn hostile_payloads_are_refused_soon() {
    for (bytes, what) in [
        (b"{\"metadata\":".to_vec(), "the text ends too early"),
        (vec![b'['; 100_000], "nested deeper than"),
        (br#"{"role":"root","role":"x"}"#.to_vec(), "role"),
    ] {
        let text = only(&bytes, Level::Error, "JSON-STRICT");
        assert!(text.contains(what), "{text}");
    }
    let mut many = String::new();
    for number in 0..300_000 {
        write!(many, ",\"m{number}\":1").unwrap();
    }
    let payload = format!(r#"{{"role":"root","signature":{{"keyid":"a","sig":"00"}}{many}}}"#);
    let told = told(payload.as_bytes());
    assert_eq!(told.len(), 101);
    assert_eq!(told[100].2, "299900 more members are dropped by RSTUF.");
    let payload = format!(r#"{{"metadata":{{"root":1{many}}}}}"#);
    let refused = lint("file", payload.as_bytes()).unwrap_err();
    assert_eq!(refused.len(), 101);
}
