//! Bundles as requests carry them: over the statement of one project, by a key of metadata.

use super::*;

#[test]
fn a_bundle_in_a_request_proves_the_identity_that_a_key_of_metadata_stands_for() {
    let key =
        |text: String| Key::from_json(check(text.as_bytes(), Limits::SMALL).unwrap()).unwrap();
    let by = |key: &Key| {
        let text = bytes(&order().bundle());
        let bundle = tuf::value::Value::from_json(check(&text, Limits::SMALL).unwrap());
        verify_by_key(&our_root(), "r", key, &bundle, STATEMENT, at())
    };
    let alice = key(format!(
        r#"{{"keytype":"sigstore-oidc","scheme":"Fulcio","keyval":{{"identity":"{ALICE}","issuer":"{ISSUER}"}}}}"#
    ));
    assert_eq!(by(&alice).unwrap().identity, identity(ALICE, ISSUER));
    let bob = key(format!(
        r#"{{"keytype":"sigstore-oidc","scheme":"Fulcio","keyval":{{"identity":"bob@example.org","issuer":"{ISSUER}"}}}}"#
    ));
    refused(by(&bob), "SIGSTORE-IDENTITY", "the key is bob@example.org");
    let public = "01".repeat(32);
    let ordinary = key(format!(
        r#"{{"keytype":"ml-dsa","scheme":"ml-dsa-44/1","keyval":{{"public":"{public}"}}}}"#
    ));
    refused(
        by(&ordinary),
        "SIGSTORE-KEY",
        "is of type ml-dsa, and a Sigstore bundle proves",
    );
}

#[test]
fn a_request_is_proven_by_a_bundle_over_its_own_statement_and_no_other() {
    let text = bytes(&instance::trusted_root());
    let file = InputFile {
        path: "sigstore/trusted_root.json".to_owned(),
        bytes: text,
    };
    let (identities, age) =
        Identities::read(Some(&file), Some("2026-11-20T00:00:00Z"), at()).unwrap();
    assert_eq!(age, None);
    let (none, _) = Identities::read(None, None, at()).unwrap();
    let json = format!(
        r#"{{"keytype":"sigstore-oidc","scheme":"Fulcio","keyval":{{"identity":"{ALICE}","issuer":"{ISSUER}"}}}}"#
    );
    let key = Key::from_json(check(json.as_bytes(), Limits::SMALL).unwrap()).unwrap();
    let anchor = tuf::digest::Sha256::of(b"1.root.json");
    let mut request = Request::new(Action::Claim, Project::parse("sampleproject").unwrap());
    request.keys.insert(key.keyid(), key.clone());
    request.threshold = 1;
    let statement = statement::possession(&anchor, &request);
    let bundle = bytes(&Order::of(ALICE, &statement, order().logged).bundle());
    request.possession.push(Proof {
        keyid: key.keyid(),
        evidence: Evidence::Bundle(tuf::value::Value::from_json(
            check(&bundle, Limits::SMALL).unwrap(),
        )),
    });
    let proven = |request: &Request, identities: &Identities| {
        let judge = |key: &Key, bundle: &_, message: &[u8]| identities.judge(key, bundle, message);
        statement::proven(&anchor, request, &judge)
    };
    assert_eq!(proven(&request, &identities).by, [key.keyid()]);
    let without = proven(&request, &none);
    assert_eq!(without.missing, [key.keyid()]);
    assert!(
        without.uncounted[0]
            .1
            .contains("no trusted root of Sigstore in the input")
    );

    // The same bundle, carried over to another project.
    request.project = Project::parse("django").unwrap();
    let other = proven(&request, &identities);
    assert_eq!(other.missing, [key.keyid()]);
    assert!(
        other.uncounted[0]
            .1
            .starts_with("SIGSTORE-SIGNATURE: the Sigstore bundle is no signature")
    );

    let remarks = Identities::remarks("r", &[request.clone(), request]);
    let rules: Vec<_> = remarks.iter().map(|remark| remark.rule.as_str()).collect();
    assert_eq!(rules, ["SIGSTORE-EMAIL-PUBLIC", "SIGSTORE-CLIENTS"]);
    assert!(
        remarks[1]
            .text
            .starts_with("1 Sigstore identities stand in it")
    );
}
