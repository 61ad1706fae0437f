//! Trusted roots: what is read, what is refused, how old they may be.

use super::*;

#[test]
fn a_trusted_root_that_is_too_old_or_wrongly_dated_ends_it() {
    let file = InputFile {
        path: "sigstore/trusted_root.json".to_owned(),
        bytes: bytes(&instance::trusted_root()),
    };
    let read = |dated| Identities::read(Some(&file), dated, at());
    let fault = read(Some("2026-01-02T00:00:00Z")).unwrap_err();
    assert_eq!(
        (fault.rule.as_str(), fault.file),
        ("SIGSTORE-ROOT-AGE", file.path.clone())
    );
    let fault = read(Some("last week")).unwrap_err();
    assert_eq!(
        fault.text,
        "sigstore_dated of the script: \"last week\" is not a date of the form YYYY-MM-DDTHH:MM:SSZ"
    );
    assert_eq!(read(None).unwrap().1.unwrap().rule, "SIGSTORE-ROOT-AGE");
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

/// What is done to a right trusted root.
type Flaw<'a> = &'a dyn Fn(&mut Value);

#[test]
fn a_trusted_root_that_says_too_little_or_two_things_is_refused() {
    let change = |change: &dyn Fn(&mut Value)| {
        let mut root = instance::trusted_root();
        change(&mut root);
        TrustedRoot::parse("root", &bytes(&root))
    };
    let cases: [(Flaw<'_>, &str); 8] = [
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
