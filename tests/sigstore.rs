//! Sigstore bundles against a carried trusted root: real ones of the public instance and of staging with their real roots, and those of a small instance of
//! our own (tests/support/sigstore.rs), which also signs what no real one would.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[path = "support/sigstore.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "not every test program uses every helper"
)]
mod instance;

use std::path::Path;

use data_encoding::BASE64;
use instance::{ISSUER, Order, STRANGER};
use jiff::Timestamp;
use serde_json::{Value, json};
use tuf_ceremony::sigstore::{Identity, TrustedRoot, Verified, Vouches, verify};
use tuf_ceremony::tuf::finding::{Finding, Level};

/// When the bundles are judged.
const AT: &str = "2026-11-22T12:00:00Z";
const ALICE: &str = "alice@example.org";
const STATEMENT: &[u8] = b"tuf-ceremony possession v1\n{}";

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn identity(identity: &str, issuer: &str) -> Identity {
    Identity {
        identity: identity.to_owned(),
        issuer: issuer.to_owned(),
    }
}

fn real(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sigstore/real");
    std::fs::read(folder.join(name)).unwrap()
}

fn real_root(name: &str) -> TrustedRoot {
    TrustedRoot::parse("trusted_root.json", &real(name)).unwrap()
}

/// The real blob of the public instance, by a person.
fn blob_by(text: &str, issuer: &str, bundle: &[u8], artifact: &[u8]) -> Result<Verified, Finding> {
    let root = real_root("public-good.trusted_root.json");
    verify(&root, "r", bundle, artifact, &identity(text, issuer), at())
}

fn blob(bundle: &[u8]) -> Result<Verified, Finding> {
    const PERSON: (&str, &str) = ("w.vollprecht@gmail.com", "https://github.com/login/oauth");
    blob_by(PERSON.0, PERSON.1, bundle, &real("blob.txt"))
}

fn our_root() -> TrustedRoot {
    TrustedRoot::parse("trusted_root.json", &bytes(&instance::trusted_root())).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn order() -> Order {
    Order::of(ALICE, STATEMENT, "2026-11-20T10:00:00Z".parse().unwrap())
}

/// What is made of a bundle of our own instance.
fn judged(bundle: &Value) -> Result<Verified, Finding> {
    let wanted = identity(ALICE, ISSUER);
    verify(&our_root(), "r", &bytes(bundle), STATEMENT, &wanted, at())
}

#[track_caller]
fn refused(result: Result<Verified, Finding>, rule: &str, part: &str) {
    let fault = result.expect_err(part);
    assert_eq!(fault.rule, rule, "{}", fault.text);
    assert_eq!((fault.level, fault.file.as_str()), (Level::Error, "r"));
    assert!(fault.text.contains(part), "{}", fault.text);
    assert!(fault.text.len() < 1200, "{}", fault.text.len());
}

#[test]
fn a_real_bundle_by_a_person_verifies_against_the_real_root() {
    let verified = blob(&real("blob.bundle.json")).unwrap();
    assert_eq!(verified.identity.identity, "w.vollprecht@gmail.com");
    assert_eq!(verified.log, "https://rekor.sigstore.dev");
    assert_eq!(verified.log_index, 738_312_748);
    let times: Vec<String> = verified.times.iter().map(ToString::to_string).collect();
    assert_eq!(times, ["2025-12-03T18:36:42Z", "2025-12-03T18:36:43Z"]);
}

#[test]
fn a_real_bundle_by_a_workflow_verifies_and_its_ref_is_remarked() {
    let wanted = identity(
        "https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/v0.1.2",
        "https://token.actions.githubusercontent.com",
    );
    let root = real_root("public-good.trusted_root.json");
    let wheel = real("rfc8785-0.1.2-py3-none-any.whl");
    let bundle = real("workflow.bundle.json");
    let verified = verify(&root, "r", &bundle, &wheel, &wanted, at()).unwrap();
    assert_eq!(verified.times.len(), 1);
    assert_eq!(wanted.remarks("r")[0].rule, "SIGSTORE-REF");

    // The next tag of the same workflow is somebody else.
    let next = identity(&wanted.identity.replace("v0.1.2", "v0.1.3"), &wanted.issuer);
    refused(
        verify(&root, "r", &bundle, &wheel, &next, at()),
        "SIGSTORE-IDENTITY",
        "@refs/tags/v0.1.2, the key is ",
    );
}

#[test]
fn a_real_bundle_of_the_second_rekor_verifies_by_its_timestamp() {
    let wanted = identity("jku@goto.fi", "https://github.com/login/oauth");
    let root = real_root("staging.trusted_root.json");
    let (bundle, text) = (real("rekor2.bundle.json"), real("rekor2.txt"));
    let verified = verify(&root, "r", &bundle, &text, &wanted, at()).unwrap();
    assert_eq!(verified.times.len(), 1);
    let mut without: Value = serde_json::from_slice(&bundle).unwrap();
    without["verificationMaterial"]["timestampVerificationData"] = json!({});
    refused(
        verify(&root, "r", &bytes(&without), &text, &wanted, at()),
        "SIGSTORE-TIME",
        "requires RFC3161 timestamp",
    );
}

#[test]
fn a_real_bundle_against_the_root_of_another_instance_is_refused() {
    let wanted = identity("w.vollprecht@gmail.com", "https://github.com/login/oauth");
    let root = real_root("staging.trusted_root.json");
    let bundle = real("blob.bundle.json");
    let fault = verify(&root, "r", &bundle, &real("blob.txt"), &wanted, at()).unwrap_err();
    assert_eq!(fault.rule, "SIGSTORE-TIME", "{}", fault.text);
}

#[test]
fn real_bundles_that_are_no_signature_by_an_address_are_refused() {
    let attests = real("attestation.bundle.json");
    refused(
        blob(&attests),
        "SIGSTORE-BUNDLE",
        "attests something about a file",
    );
    let username = real("username.bundle.json");
    refused(
        blob(&username),
        "SIGSTORE-IDENTITY",
        "neither by an e-mail address nor by a URI",
    );
}

#[test]
fn every_change_to_a_real_bundle_is_refused_by_its_rule() {
    let whole: Value = serde_json::from_slice(&real("blob.bundle.json")).unwrap();
    let entry = "/verificationMaterial/tlogEntries/0";
    let cases = [
        ("/messageSignature/signature".to_owned(), "SIGSTORE-TIME"),
        (
            "/messageSignature/messageDigest/digest".to_owned(),
            "SIGSTORE-SIGNATURE",
        ),
        (
            "/verificationMaterial/certificate/rawBytes".to_owned(),
            "SIGSTORE-CHAIN",
        ),
        (format!("{entry}/canonicalizedBody"), "SIGSTORE-LOG"),
        (
            format!("{entry}/inclusionPromise/signedEntryTimestamp"),
            "SIGSTORE-LOG",
        ),
        (format!("{entry}/inclusionProof/hashes/0"), "SIGSTORE-LOG"),
        (format!("{entry}/inclusionProof/rootHash"), "SIGSTORE-LOG"),
        (format!("{entry}/logId/keyId"), "SIGSTORE-LOG"),
    ];
    for (place, rule) in cases {
        let mut changed = whole.clone();
        let text = changed.pointer_mut(&place).expect(&place);
        let mut data = BASE64.decode(text.as_str().unwrap().as_bytes()).unwrap();
        // The last byte but three: in a signature or a hash, never in a length.
        let last = data.len() - 4;
        data[last] ^= 1;
        *text = json!(BASE64.encode(&data));
        let fault = blob(&bytes(&changed)).expect_err(&place);
        assert_eq!(fault.rule, rule, "{place}: {}", fault.text);
    }
    let mut later = whole.clone();
    *later
        .pointer_mut(&format!("{entry}/integratedTime"))
        .unwrap() = json!("1764787004");
    refused(
        blob(&bytes(&later)),
        "SIGSTORE-LOG",
        "SET verification failed",
    );
    let bundle = real("blob.bundle.json");
    let by = |text, issuer| blob_by(text, issuer, &bundle, &real("blob.txt"));
    refused(
        by("w.vollprecht@gmail.com", "https://accounts.google.com"),
        "SIGSTORE-IDENTITY",
        "its issuer is https://github.com/login/oauth, the key's is https://accounts.google.com",
    );
    refused(
        by("W.vollprecht@gmail.com", "https://github.com/login/oauth"),
        "SIGSTORE-IDENTITY",
        "it is by w.vollprecht@gmail.com, the key is W.vollprecht@gmail.com",
    );
    let other = blob_by(
        "w.vollprecht@gmail.com",
        "https://github.com/login/oauth",
        &bundle,
        b"other",
    );
    refused(
        other,
        "SIGSTORE-SIGNATURE",
        "the digest in it is of other bytes",
    );
}

#[test]
fn a_bundle_of_our_own_instance_verifies() {
    let verified = judged(&order().bundle()).unwrap();
    assert_eq!(verified.identity, identity(ALICE, ISSUER));
    assert_eq!(verified.log, "https://log.example.org");
    assert_eq!(verified.times, [order().logged]);
    let workflow = "https://github.com/o/r/.github/workflows/w.yml@refs/heads/main";
    let by = Order {
        names: vec![workflow.to_owned()],
        ..order()
    };
    let wanted = identity(workflow, ISSUER);
    verify(
        &our_root(),
        "r",
        &bytes(&by.bundle()),
        STATEMENT,
        &wanted,
        at(),
    )
    .unwrap();
}

#[test]
fn who_signed_must_be_the_identity_of_the_key() {
    let cases = [
        (
            Order {
                names: vec!["mallory@example.org".to_owned()],
                ..order()
            },
            "it is by mallory@example.org, the key is alice@example.org",
        ),
        (
            Order {
                issuer: "https://evil.example.org".to_owned(),
                old_issuer: "https://evil.example.org".to_owned(),
                ..order()
            },
            "its issuer is https://evil.example.org, the key's is https://accounts.example.org",
        ),
        (
            Order {
                old_issuer: "https://evil.example.org".to_owned(),
                ..order()
            },
            "its certificate names two issuers",
        ),
        (
            Order {
                names: vec![ALICE.to_owned(), "mallory@example.org".to_owned()],
                ..order()
            },
            "its certificate has 2 names; exactly one can be compared",
        ),
        (
            Order {
                names: Vec::new(),
                ..order()
            },
            "its certificate has 0 names",
        ),
        (
            Order {
                names: vec!["alice\u{1b}[2J".to_owned()],
                ..order()
            },
            "it is by \"alice\\u{1b}[2J\", the key is alice@example.org",
        ),
    ];
    for (order, part) in cases {
        refused(judged(&order.bundle()), "SIGSTORE-IDENTITY", part);
    }
}

#[test]
fn the_certificate_must_come_from_an_authority_of_the_root() {
    let stranger = Order {
        authority: STRANGER,
        ..order()
    };
    refused(
        judged(&stranger.bundle()),
        "SIGSTORE-CHAIN",
        "certificate chain",
    );
    let purpose = Order {
        code_signing: false,
        ..order()
    };
    refused(
        judged(&purpose.bundle()),
        "SIGSTORE-CHAIN",
        "certificate chain",
    );

    // An authority that was withdrawn before the signature.
    let mut root = instance::trusted_root();
    root["certificateAuthorities"][0]["validFor"]["end"] = json!("2026-11-01T00:00:00Z");
    let root = TrustedRoot::parse("root", &bytes(&root)).unwrap();
    let (bundle, wanted) = (bytes(&order().bundle()), identity(ALICE, ISSUER));
    refused(
        verify(&root, "r", &bundle, STATEMENT, &wanted, at()),
        "SIGSTORE-CHAIN",
        "no trusted certificate authority is valid at 2026-11-20T10:00:00Z",
    );
}

#[test]
fn both_logs_must_vouch_for_the_signature() {
    let unknown = Order {
        certificates: STRANGER,
        ..order()
    };
    refused(judged(&unknown.bundle()), "SIGSTORE-LOG", "timestamp");
    let unknown = Order {
        signatures: STRANGER,
        ..order()
    };
    refused(
        judged(&unknown.bundle()),
        "SIGSTORE-LOG",
        "No log key valid",
    );
    let other = Order {
        logged_artifact: Some(b"other".to_vec()),
        ..order()
    };
    refused(
        judged(&other.bundle()),
        "SIGSTORE-LOG",
        "hash mismatch for hashedrekord entry",
    );

    let entry = "/verificationMaterial/tlogEntries/0";
    let mut cut = order().bundle();
    let hashes = cut
        .pointer_mut(&format!("{entry}/inclusionProof/hashes"))
        .unwrap();
    hashes.as_array_mut().unwrap().pop();
    refused(judged(&cut), "SIGSTORE-LOG", "inclusion proof");
    let mut moved = order().bundle();
    *moved
        .pointer_mut(&format!("{entry}/inclusionProof/logIndex"))
        .unwrap() = json!("2");
    refused(judged(&moved), "SIGSTORE-LOG", "inclusion proof");
    for missing in ["inclusionProof", "inclusionPromise"] {
        let mut bundle = order().bundle();
        bundle
            .pointer_mut(entry)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(missing);
        let fault = judged(&bundle).unwrap_err();
        let rule = if missing == "inclusionProof" {
            "SIGSTORE-LOG"
        } else {
            "SIGSTORE-TIME"
        };
        assert_eq!(fault.rule, rule, "{}", fault.text);
    }
    let mut twice = order().bundle();
    let entries = twice["verificationMaterial"]["tlogEntries"]
        .as_array_mut()
        .unwrap();
    entries.push(entries[0].clone());
    refused(
        judged(&twice),
        "SIGSTORE-LOG",
        "2 entries of logs; there must be one",
    );
    twice["verificationMaterial"]["tlogEntries"] = json!([]);
    refused(judged(&twice), "SIGSTORE-LOG", "0 entries of logs");
}

#[test]
fn the_time_must_lie_in_the_certificate_and_before_the_ceremony() {
    let minutes = jiff::SignedDuration::from_mins;
    let late = Order {
        logged: order().from + minutes(11),
        ..order()
    };
    refused(
        judged(&late.bundle()),
        "SIGSTORE-TIME",
        "it is from 2026-11-20T10:10:55Z, its certificate is for 2026-11-20T09:59:55Z to 2026-11-20T10:09:55Z",
    );
    let early = Order {
        logged: order().from - minutes(1),
        ..order()
    };
    refused(
        judged(&early.bundle()),
        "SIGSTORE-TIME",
        "its certificate is for",
    );
    let edge = Order {
        logged: order().from + minutes(10),
        ..order()
    };
    judged(&edge.bundle()).unwrap();

    let (bundle, wanted) = (bytes(&order().bundle()), identity(ALICE, ISSUER));
    let before = order().logged - minutes(1);
    refused(
        verify(&our_root(), "r", &bundle, STATEMENT, &wanted, before),
        "SIGSTORE-TIME",
        "it is from 2026-11-20T10:00:00Z, after 2026-11-20T09:59:00Z",
    );
    verify(
        &our_root(),
        "r",
        &bundle,
        STATEMENT,
        &wanted,
        order().logged,
    )
    .unwrap();
}

#[test]
fn the_signature_must_be_over_this_statement() {
    let wanted = identity(ALICE, ISSUER);
    let bundle = bytes(&order().bundle());
    refused(
        verify(
            &our_root(),
            "r",
            &bundle,
            b"tuf-ceremony possession v1\n[]",
            &wanted,
            at(),
        ),
        "SIGSTORE-SIGNATURE",
        "the digest in it is of other bytes",
    );
    // The digest of the right statement over the signature of another.
    let mut mixed = order().bundle();
    let other = Order {
        artifact: b"other".to_vec(),
        ..order()
    };
    mixed["messageSignature"]["signature"] =
        other.bundle()["messageSignature"]["signature"].clone();
    refused(
        judged(&mixed),
        "SIGSTORE-SIGNATURE",
        "signature verification failed",
    );
}

#[test]
fn bundles_that_two_readers_could_take_for_two_things_are_refused() {
    let good = String::from_utf8(bytes(&order().bundle())).unwrap();
    let wanted = identity(ALICE, ISSUER);
    let root = our_root();
    let judge = |text: &[u8]| verify(&root, "r", text, STATEMENT, &wanted, at());
    judge(good.as_bytes()).unwrap();
    let twice = good.replacen(
        '{',
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",",
        1,
    );
    refused(judge(twice.as_bytes()), "SIGSTORE-BUNDLE", "occurs twice");
    let wide = good.replacen(
        '{',
        &format!("{{\"padding\":\"{}\",", "x".repeat(1 << 20)),
        1,
    );
    refused(
        judge(wide.as_bytes()),
        "SIGSTORE-BUNDLE",
        "at most 65536 are read",
    );
    let cut = &good.as_bytes()[..good.len() - 1];
    refused(judge(cut), "SIGSTORE-BUNDLE", "the text ends too early");
    let future = good.replace("bundle.v0.3+json", "bundle.v0.9+json");
    refused(judge(future.as_bytes()), "SIGSTORE-BUNDLE", "v0.9");
    refused(judge(b"[]"), "SIGSTORE-BUNDLE", "none that is taken");

    let mut by_key = order().bundle();
    let material = by_key["verificationMaterial"].as_object_mut().unwrap();
    material.remove("certificate");
    material.insert("publicKey".to_owned(), json!({"hint": "x"}));
    refused(judged(&by_key), "SIGSTORE-BUNDLE", "it has no certificate");
    let mut times = order().bundle();
    let token = json!({"signedTimestamp": "AAAA"});
    times["verificationMaterial"]["timestampVerificationData"] =
        json!({"rfc3161Timestamps": vec![token; 5]});
    refused(judged(&times), "SIGSTORE-BUNDLE", "5 timestamps; at most 4");
    let twice = Order {
        twice: true,
        ..order()
    };
    refused(
        judged(&twice.bundle()),
        "SIGSTORE-BUNDLE",
        "has the extension 1.3.6.1.4.1.57264.1.8 twice",
    );
    let mut longer = order().bundle();
    let der = longer
        .pointer_mut("/verificationMaterial/certificate/rawBytes")
        .unwrap();
    let mut data = BASE64.decode(der.as_str().unwrap().as_bytes()).unwrap();
    data.push(0);
    *der = json!(BASE64.encode(&data));
    refused(
        judged(&longer),
        "SIGSTORE-BUNDLE",
        "its certificate cannot be read",
    );
}

#[test]
fn a_real_trusted_root_is_read_with_all_that_it_vouches_for() {
    let root = real_root("public-good.trusted_root.json");
    let count = |kind| {
        root.entries()
            .iter()
            .filter(|entry| entry.vouches == kind)
            .count()
    };
    assert_eq!(count(Vouches::Identities), 2);
    assert_eq!(count(Vouches::Signatures), 2);
    assert_eq!(count(Vouches::Certificates), 2);
    assert_eq!(count(Vouches::Times), 1);
    assert_eq!(root.newest().to_string(), "2025-09-23T00:00:00Z");
    assert_eq!(
        root.entries()[0].until.unwrap().to_string(),
        "2022-12-31T23:59:59.999Z"
    );
    let digest = tuf_ceremony::tuf::digest::Sha256::of(&real("public-good.trusted_root.json"));
    assert_eq!(root.sha256(), digest);
}

#[test]
fn a_trusted_root_that_says_too_little_or_two_things_is_refused() {
    let change = |change: &dyn Fn(&mut Value)| {
        let mut root = instance::trusted_root();
        change(&mut root);
        TrustedRoot::parse("root", &bytes(&root))
    };
    let cases: [(&dyn Fn(&mut Value), &str); 8] = [
        (
            &|root| root["mediaType"] = json!("application/json"),
            "its mediaType is not",
        ),
        (
            &|root| root["tlogs"] = json!([]),
            "it has no log of signatures",
        ),
        (
            &|root| root["ctlogs"] = json!([]),
            "it has no log of certificates",
        ),
        (
            &|root| root["certificateAuthorities"] = json!([]),
            "it has no certificate authority",
        ),
        (
            &|root| root["certificateAuthorities"][0]["validFor"] = Value::Null,
            "the certificate authority https://authority.example.org has no validFor",
        ),
        (
            &|root| {
                root["tlogs"][0]["publicKey"]
                    .as_object_mut()
                    .unwrap()
                    .remove("validFor");
            },
            "the log of signatures https://log.example.org has no validFor",
        ),
        (
            &|root| root["ctlogs"][0]["publicKey"]["rawBytes"] = json!("AAAA"),
            "no trusted root that can",
        ),
        (
            &|root| {
                let again = root["tlogs"][0].clone();
                root["tlogs"].as_array_mut().unwrap().push(again);
            },
            "duplicate",
        ),
    ];
    change(&|_| {}).unwrap();
    for (flaw, part) in cases {
        let fault = change(flaw).unwrap_err();
        assert_eq!(
            (fault.rule.as_str(), fault.file.as_str()),
            ("SIGSTORE-ROOT", "root")
        );
        assert!(fault.text.contains(part), "{}", fault.text);
    }
    let text = String::from_utf8(bytes(&instance::trusted_root())).unwrap();
    let twice = text.replacen('{', "{\"tlogs\":[],", 1);
    let fault = TrustedRoot::parse("root", twice.as_bytes()).unwrap_err();
    assert!(
        fault.text.contains("the key \"tlogs\" occurs twice"),
        "{}",
        fault.text
    );
}

#[test]
fn an_old_trusted_root_is_told_and_a_very_old_one_refused() {
    let root = our_root();
    let age = |dated: &str| root.age("trusted_root.json", Some(dated.parse().unwrap()), at());
    assert_eq!(age("2026-11-22T12:00:00Z"), None);
    assert_eq!(age("2026-10-23T12:00:00Z"), None);
    let old = age("2026-10-20T00:00:00Z").unwrap();
    assert_eq!(
        (old.rule.as_str(), old.level),
        ("SIGSTORE-ROOT-AGE", Level::Warning)
    );
    assert_eq!(
        old.text,
        "the trusted root is 33 days old; its newest entry is from 2026-01-01T00:00:00Z. A key that Sigstore withdrew since then is still believed. Fetch it again with a Sigstore client"
    );
    let very_old = age("2026-05-01T00:00:00Z").unwrap();
    assert_eq!(very_old.level, Level::Error);
    assert!(
        very_old
            .text
            .starts_with("the trusted root is 205 days old; ")
    );
    let tomorrow = age("2026-11-23T00:00:00Z").unwrap();
    assert_eq!(tomorrow.level, Level::Error);
    assert!(tomorrow.text.contains("one of the two dates is wrong"));
    let unknown = root.age("trusted_root.json", None, at()).unwrap();
    assert_eq!(unknown.level, Level::Warning);
    assert!(
        unknown
            .text
            .starts_with("nobody says when the trusted root was fetched; ")
    );
}
