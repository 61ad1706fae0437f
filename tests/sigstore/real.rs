//! Bundles and trusted roots as Sigstore's public instance and its staging made them (tests/sigstore/real/README.md).

use super::*;

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
