use super::lines::{expect, expect_text, refusal, x};
use super::*;

#[test]
fn a_key_stands_under_its_own_digest() {
    let good = line(&request(Action::Claim, "x", &[1], 1));
    let other = "0".repeat(64);
    let text = format!(
        "keys.{other} is listed under a keyid that is not its digest; it is {}",
        keyid(1)
    );
    expect_text(&good.replace(&keyid(1).0, &other), "REQUEST-KEYID", &text);
}

#[test]
fn one_key_under_two_keyids_is_refused() {
    // The same point, its keyval in capitals: another object, another keyid, the same key.
    let hex = HEXLOWER
        .encode(&secret(1).verifying_key().to_bytes())
        .to_uppercase();
    let object =
        format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{hex}"}},"scheme":"ed25519"}}"#);
    let twin = Key::from_json(json::check(object.as_bytes(), Limits::SMALL).unwrap()).unwrap();
    let mut request = x(Action::Claim);
    request.keys.remove(&keyid(2));
    request.owners.remove(&keyid(2));
    request.first_seen.remove(&keyid(2));
    request.owners.insert(twin.keyid(), "alice".to_owned());
    request.keys.insert(twin.keyid(), twin.clone());
    let mut keyids = [keyid(1), twin.keyid()];
    keyids.sort();
    let text = format!(
        "keys.{} is the same key as {}; list a key once",
        keyids[1], keyids[0]
    );
    expect(&request, "REQUEST-KEY-TWICE", &text);
}

/// The line of a claim whose one key is this object, under its right keyid.
fn with_key(object: &str) -> String {
    let object = object.replace('\n', "\\n");
    let json = json::check(object.as_bytes(), Limits::SMALL).unwrap();
    let keyid = Key::from_json(json).map_or_else(|_| "k".to_owned(), |key| key.keyid().0);
    format!(
        r#"{{"keys":{{"{keyid}":{object}}},"owners":{{"{keyid}":"alice"}},"project":"x","request":"claim","threshold":1}}"#
    )
}

#[test]
fn developers_have_keys_of_four_kinds() {
    const P256: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n";
    const P384_POINT: &str = "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";
    let ed = HEXLOWER.encode(&secret(1).verifying_key().to_bytes());
    let p384 = PublicKey::from_text(P384_POINT).unwrap();
    let p384 = String::from_utf8(Key::from_public(&p384).unwrap().value().canonical()).unwrap();
    let good = [
        format!(r#"{{"keytype":"ed25519","keyval":{{"public":"{ed}"}},"scheme":"ed25519"}}"#),
        format!(
            r#"{{"keytype":"ecdsa","keyval":{{"public":"{P256}"}},"scheme":"ecdsa-sha2-nistp256"}}"#
        ),
        p384,
        String::from_utf8(identity().value().canonical()).unwrap(),
    ];
    for object in &good {
        let read = Requests::parse(FILE, &around(&[&with_key(object)])).unwrap();
        assert_eq!(read.refused, [], "{object}");
    }
    let only = |members: &str| {
        format!(
            "must have keytype, scheme and keyval with {members}, and nothing else: some clients drop the rest, and with it the keyid"
        )
    };
    let plain = |name: &str| {
        format!("must have an {name} of 1 to 2048 printable ASCII characters without blanks")
    };
    let table = [
        (r#"{"keytype":"ml-dsa","keyval":{"public":"00"},"scheme":"ml-dsa-65/1"}"#.to_owned(), "is a key of type ml-dsa/ml-dsa-65/1; a project's keys are Ed25519, ECDSA on P-256 or P-384, or a Sigstore identity".to_owned()),
        (r#"{"keytype":"sigstore-oidc","keyval":{"identity":"a","issuer":"b"},"scheme":"Other"}"#.to_owned(), "is a key of type sigstore-oidc/Other; a project's keys are Ed25519, ECDSA on P-256 or P-384, or a Sigstore identity".to_owned()),
        (r#"{"keytype":"sigstore-oidc","keyval":{"identity":"a"},"scheme":"Fulcio"}"#.to_owned(), only("identity and issuer")),
        (r#"{"keytype":"sigstore-oidc","keyval":{"identity":"a","issuer":""},"scheme":"Fulcio"}"#.to_owned(), plain("issuer")),
        (r#"{"keytype":"sigstore-oidc","keyval":{"identity":"a b","issuer":"c"},"scheme":"Fulcio"}"#.to_owned(), plain("identity")),
        (r#"{"keytype":"sigstore-oidc","keyval":{"identity":7,"issuer":"c"},"scheme":"Fulcio"}"#.to_owned(), plain("identity")),
        (good[0].replacen("{\"keytype\"", "{\"x-owner\":\"alice\",\"keytype\"", 1), only("public")),
        (format!(r#"{{"keytype":"ecdsa","keyval":{{"public":"{P384_POINT}"}},"scheme":"ecdsa-sha2-nistp384"}}"#), "is a curve point in hexadecimal digits, which clients do not read; write it as PEM".to_owned()),
    ];
    for (object, text) in table {
        let keyid = Key::from_json(json::check(object.as_bytes(), Limits::SMALL).unwrap())
            .unwrap()
            .keyid();
        expect_text(
            &with_key(&object),
            "REQUEST-KEY-KIND",
            &format!("keys.{keyid} {text}"),
        );
    }
    // What is wrong with a key by itself keeps the rule that it has everywhere.
    let broken = format!(
        r#"{{"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}}"#,
        &ed[2..]
    );
    let (rule, text) = refusal(&with_key(&broken));
    assert_eq!(rule, "KEY-MATERIAL");
    assert!(
        text.starts_with("line 2, x: keys.k is refused: its keyval.public has 31 bytes"),
        "{text}"
    );
}
