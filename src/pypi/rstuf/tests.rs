#![allow(clippy::unwrap_used, reason = "tests")]

use ed25519_dalek::{Signer as _, SigningKey};

use super::*;
use crate::tuf::finding::Level;
use crate::tuf::key::{Key, PublicKey};

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
    assert!(!looks_like(first.bytes()));
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
            object.set(member, value(what))
        })
    };
    let of_settings = |path: &[&str], member: &str, what: &str| {
        let path: Vec<_> = ["settings", "roles"].iter().chain(path).copied().collect();
        changed(&good_bootstrap(), &path, |object| {
            object.set(member, value(what))
        })
    };
    let key = keyid(&key(1));
    let cases = [
        (b"{}".to_vec(), "it is none of RSTUF's payloads: a bootstrap has settings and metadata, an update metadata, what is pending data, a signature role and signature".to_owned()),
        (br#"{"metadata":{}}"#.to_vec(), "metadata has no root: RSTUF begins with one and makes every other file itself".to_owned()),
        (br#"{"data":null,"message":"none"}"#.to_vec(), "data is null: RSTUF says that nothing waits for signatures".to_owned()),
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
    let many: String = (0..300_000).map(|n| format!(",\"m{n}\":1")).collect();
    let payload = format!(r#"{{"role":"root","signature":{{"keyid":"a","sig":"00"}}{many}}}"#);
    let told = told(payload.as_bytes());
    assert_eq!(told.len(), 101);
    assert_eq!(told[100].2, "299900 more members are dropped by RSTUF.");
    let many: String = (0..300_000).map(|n| format!(",\"m{n}\":1")).collect();
    let payload = format!(r#"{{"metadata":{{"root":1{many}}}}}"#);
    let refused = lint("file", payload.as_bytes()).unwrap_err();
    assert_eq!(refused.len(), 101);
}

#[test]
fn keyids_that_rstufs_command_line_left_wrong_are_named() {
    let mut plain = key(1);
    plain.remove("x-rstuf-key-name");
    let under = |keyid_of: &str| {
        let mut content = signed(2);
        content.get_mut("keys").unwrap().remove(&keyid(&key(1)));
        content.get_mut("keys").unwrap().set(keyid_of, key(1));
        let role = format!(r#"{{"keyids":["{keyid_of}"],"threshold":1}}"#);
        content.get_mut("roles").unwrap().set("root", value(&role));
        only(&update(&root_of(&content)), Level::Warning, "RSTUF-KEYID")
    };
    let (stale, right) = (keyid(&plain), keyid(&key(1)));
    let rest = format!(
        "it should be {right}. tough and what is built on it refuse the whole root. List the key under its own keyid in the next root; it signs that under both."
    );
    assert_eq!(
        under(&stale),
        format!(
            "the keyid {stale} was computed before RSTUF's command line added its own members to the key; {rest}"
        )
    );
    assert_eq!(
        under("alice"),
        format!("the keyid alice is not the digest of the key; {rest}")
    );
}

#[test]
fn an_online_key_that_rstuf_cannot_use_is_told() {
    let mut content = signed(2);
    let role = content.get("roles").unwrap().get("root").unwrap().clone();
    content.get_mut("roles").unwrap().set("targets", role);
    let text = only(
        &update(&root_of(&content)),
        Level::Warning,
        "RSTUF-ONLINE-KEY",
    );
    assert!(
        text.starts_with("timestamp, snapshot and targets do not have one online key in common."),
        "{text}"
    );

    let mut content = signed(2);
    let mut bare = key(2);
    bare.remove("x-rstuf-online-key-uri");
    content.get_mut("keys").unwrap().remove(&keyid(&key(2)));
    content
        .get_mut("keys")
        .unwrap()
        .set(&keyid(&bare), bare.clone());
    for role in ["timestamp", "snapshot", "targets"] {
        let keys = format!(r#"{{"keyids":["{}"],"threshold":1}}"#, keyid(&bare));
        content.get_mut("roles").unwrap().set(role, value(&keys));
    }
    assert_eq!(
        only(
            &update(&root_of(&content)),
            Level::Warning,
            "RSTUF-ONLINE-URI"
        ),
        format!(
            "the online key {} has no x-rstuf-online-key-uri, by which RSTUF's worker finds its private half; it cannot sign anything.",
            keyid(&bare)
        )
    );
}

#[test]
fn settings_have_bins_or_delegations_as_rstuf_takes_them() {
    let roles =
        |change: &dyn Fn(&mut Value)| changed(&good_bootstrap(), &["settings", "roles"], change);
    let delegations = |name: &str, path: &str| {
        value(&format!(
            r#"{{"keys":{{}},"roles":[{{"name":"{name}","terminating":true,"keyids":[],"threshold":1,"paths":["{path}"],"x-rstuf-expire-policy":3}}]}}"#
        ))
    };
    let instead = |name: &'static str, path: &'static str| {
        roles(&|roles: &mut Value| {
            roles.remove("bins");
            roles.set("delegations", delegations(name, path));
        })
    };
    assert_eq!(told(&instead("dev", "dev/*")), []);
    let one_of = "settings.roles must have exactly one of bins and delegations";
    let none = roles(&|roles: &mut Value| drop(roles.remove("bins")));
    let both = roles(&|roles: &mut Value| roles.set("delegations", delegations("dev", "dev/*")));
    assert_eq!(only(&none, Level::Error, "RSTUF-SETTINGS"), one_of);
    assert_eq!(only(&both, Level::Error, "RSTUF-SETTINGS"), one_of);
    assert_eq!(
        only(&instead("a/b", "dev/*"), Level::Error, "RSTUF-SETTINGS"),
        "settings.roles.delegations names a role a/b; RSTUF takes letters, digits, - and _"
    );
    assert_eq!(
        only(&instead("dev", ""), Level::Error, "RSTUF-SETTINGS"),
        "settings.roles.delegations gives dev an empty path; RSTUF refuses that"
    );
    let hundred = changed(&good_bootstrap(), &["settings", "roles", "bins"], |bins| {
        bins.set("number_of_delegated_bins", Value::Integer(100));
    });
    assert_eq!(
        only(&hundred, Level::Warning, "RSTUF-SETTINGS"),
        "settings.roles.bins asks for 100 bins, which is no power of two; RSTUF makes 64. Give 64 or 128."
    );
}

#[test]
fn a_bootstrap_is_signed_and_every_signature_is_right() {
    let root = root_of(&signed(1));
    let of = |root: &Envelope| bootstrap(&value(SETTINGS), root, 300);
    let keyid = root.signatures()[0].keyid.clone();
    assert_eq!(told(&of(&root)), []);
    assert_eq!(
        only(
            &of(&root.without_signatures()),
            Level::Error,
            "RSTUF-SIGNATURES"
        ),
        "root has no signature; RSTUF refuses a bootstrap without one. Let one holder sign first."
    );
    let wrong = root
        .without_signatures()
        .with_signature(&keyid, &[7; 64], &|_| false);
    let text = format!(
        "the signature of {keyid} is not a right one by a root key; RSTUF refuses the whole bootstrap for it. Take it out."
    );
    assert_eq!(only(&of(&wrong), Level::Error, "RSTUF-SIGNATURES"), text);
    // An update may be signed by the old root's keys, which it does not show.
    assert_eq!(told(&update(&wrong)), []);
    let twice = changed(
        &update(&root),
        &["metadata", "root", "signatures"],
        |list| {
            if let Value::Array(entries) = list {
                entries.push(entries[0].clone());
            }
        },
    );
    assert_eq!(
        only(&twice, Level::Error, "RSTUF-SIGNATURES"),
        format!(
            "signatures has the keyid {keyid} twice; RSTUF cannot read that. Leave one of them."
        )
    );
}

#[test]
fn offline_roles_have_no_payload() {
    assert_eq!(tree(["root", "snapshot", "timestamp"]), None);
    let roles = [
        "root",
        "targets",
        "claimed",
        "custody",
        "unclaimed",
        "bins",
        "claimed-re",
        "claimed-ro",
    ];
    let finding = tree(roles).unwrap();
    assert_eq!(
        (finding.level, finding.rule.as_str()),
        (Level::Warning, "RSTUF-TREE")
    );
    assert_eq!(
        finding.text,
        "RSTUF has no payload for bins, claimed, claimed-re, claimed-ro, custody and 2 more: it makes targets and what it delegates itself. Publish the folder metadata/ as plain files; see docs/rstuf.md."
    );
}
