//! Bundles of our own small instance: one flaw each, and the rule that names it.

use super::*;

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
