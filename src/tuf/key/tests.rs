#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::tuf::json::{Limits, check};

macro_rules! data {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/keys/",
            $name
        ))
    };
}

/// The key object with these members, or why it is refused.
fn read(keytype: &str, scheme: &str, public: &str) -> Result<Key, KeyError> {
    let public = serde_json::to_string(public).unwrap();
    read_json(&format!(
        r#"{{"keytype":"{keytype}","scheme":"{scheme}","keyval":{{"public":{public}}}}}"#
    ))
}

fn read_json(text: &str) -> Result<Key, KeyError> {
    Key::from_json(check(text.as_bytes(), Limits::SMALL).unwrap())
}

fn p256(public: &str) -> Key {
    read("ecdsa", "ecdsa-sha2-nistp256", public).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(text.trim().as_bytes())
        .unwrap()
}

#[test]
fn one_point_has_one_material_in_every_writing() {
    let pem = data!("p256.pem");
    let point = data!("p256-point.hex");
    let compressed = format!("03{}", &point[2..66]);
    let expected = PublicKey::P256(hex(point));
    for (name, public) in [
        ("PEM", pem),
        ("PEM without final newline", pem.trim_end()),
        ("PEM with white space around", &format!("\n  {pem}\n\n")),
        ("PEM with CRLF", &pem.replace('\n', "\r\n")),
        ("PEM of the compressed point", data!("p256-compressed.pem")),
        ("hexadecimal", point),
        ("hexadecimal in upper case", &point.to_uppercase()),
        ("hexadecimal, compressed", &compressed),
    ] {
        assert_eq!(*p256(public).public(), expected, "{name}");
    }
    let legacy = read("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", pem).unwrap();
    assert_eq!(*legacy.public(), expected);
    assert_ne!(legacy.keyid(), p256(pem).keyid());
    assert!(p256(point).is_hex_point());
    assert!(!p256(pem).is_hex_point());
}

#[test]
fn broken_material_is_refused_with_its_reason() {
    let identity = format!("01{}", "00".repeat(31));
    let zero = "00".repeat(32);
    let twice_written = format!("f0{}7f", "ff".repeat(30));
    let off_curve = format!("04{}", "11".repeat(64));
    let hybrid = format!("06{}", &data!("p256-point.hex")[2..]);
    let infinity = "00";
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let (ed, p256, p384) = (
        ("ed25519", "ed25519"),
        ("ecdsa", "ecdsa-sha2-nistp256"),
        ("ecdsa", "ecdsa-sha2-nistp384"),
    );
    let rsa = ("rsa", "rsassa-pss-sha256");
    let material = "KEY-MATERIAL";
    #[rustfmt::skip]
    let cases = [
        ("identity", ed, identity.as_str(), "KEY-WEAK", "its Ed25519 point is of low order"),
        ("order 4", ed, &zero, "KEY-WEAK", "its Ed25519 point is of low order"),
        ("y above p", ed, &twice_written, material, "its Ed25519 point is not written in the one way that RFC 8032 allows"),
        ("not on Ed25519", ed, &format!("02{}", "00".repeat(31)), material, "it is not a point of the curve Ed25519"),
        ("31 bytes", ed, &"11".repeat(31), material, "its keyval.public has 31 bytes, as no key of a type we verify with"),
        ("P-256 as Ed25519", ed, data!("p256.pem"), material, "its keyval.public is not a key of keytype ed25519 and scheme ed25519"),
        ("P-384 as P-256", p256, data!("p384.pem"), material, "its keyval.public is not a key of keytype ecdsa and scheme ecdsa-sha2-nistp256"),
        ("P-256 as P-384", p384, data!("p256.pem"), material, "its keyval.public is not a key of keytype ecdsa and scheme ecdsa-sha2-nistp384"),
        ("off the curve", p256, &off_curve, material, "it is not a point of the curve P-256"),
        ("hybrid point", p256, &hybrid, material, "its point is neither uncompressed nor compressed (SEC1, 2.3.3)"),
        ("infinity", p256, infinity, material, "its keyval.public has 1 bytes, as no key of a type we verify with"),
        ("another curve", p256, data!("secp256k1.pem"), material, "keys of type 1.2.840.10045.2.1 on the curve 1.3.132.0.10 are not known"),
        ("empty", p256, "", material, "its keyval.public has 0 bytes, as no key of a type we verify with"),
        ("words", p256, "none", material, "its keyval.public is neither PEM nor hexadecimal"),
        ("a certificate", p256, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", material, "its PEM is a CERTIFICATE; expected PUBLIC KEY"),
        ("RSA of 1024 bits", rsa, data!("rsa-1024.pem"), "KEY-WEAK", "its RSA modulus has 1024 bits; 2048 or more are needed"),
        ("RSA with e = 3", rsa, data!("rsa-exponent-3.pem"), "KEY-WEAK", "its RSA exponent must be odd and at least 65537"),
        ("private", p256, private, "KEY-PRIVATE", "its keyval.public holds a private key: secret key material must never be in metadata"),
        ("private under an unknown type", ("x", "y"), private, "KEY-PRIVATE", "its keyval.public holds a private key: secret key material must never be in metadata"),
    ];
    for (name, (keytype, scheme), public, rule, text) in cases {
        let error = read(keytype, scheme, public).expect_err(name);
        assert_eq!((error.rule, error.text.as_str()), (rule, text), "{name}");
    }
    let cut = &data!("p256.pem")[..60];
    let error = read("ecdsa", "ecdsa-sha2-nistp256", cut).expect_err("cut PEM");
    assert_eq!(error.rule, "KEY-MATERIAL");
    assert!(
        error.text.starts_with("its PEM cannot be read: "),
        "{error}"
    );
}

#[test]
fn objects_of_the_wrong_form_are_refused_with_their_reason() {
    let private = "it has a member private: secret key material must never be in metadata";
    let cases = [
        (r"{}", "KEY-FORM", "its keytype must be a string"),
        (r"[]", "KEY-FORM", "its keytype must be a string"),
        (
            r#"{"keytype":"x","scheme":1}"#,
            "KEY-FORM",
            "its scheme must be a string",
        ),
        (
            r#"{"keytype":"x","scheme":"y"}"#,
            "KEY-FORM",
            "its keyval must be an object",
        ),
        (
            r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{}}"#,
            "KEY-FORM",
            "its keyval.public must be a string",
        ),
        (
            r#"{"keytype":"x","scheme":"y","keyval":{"private":"s"}}"#,
            "KEY-PRIVATE",
            private,
        ),
        (
            r#"{"keytype":"x","scheme":"y","keyval":{},"private":1}"#,
            "KEY-PRIVATE",
            private,
        ),
    ];
    for (text, rule, reason) in cases {
        let error = read_json(text).expect_err(text);
        assert_eq!((error.rule, error.text.as_str()), (rule, reason), "{text}");
    }
    assert!(read_json(r#"{"keytype":"x","scheme":"y","keyval":{"private":""}}"#).is_ok());
}

#[test]
fn unknown_types_are_kept_and_never_verify() {
    let oidc = read_json(
        r#"{"keytype":"sigstore-oidc","scheme":"Fulcio","keyval":{"issuer":"i","identity":"me"},"x-note":1}"#,
    )
    .unwrap();
    let identity = r#"{"keytype":"sigstore-oidc","keyval":{"identity":"me","issuer":"i"}}"#;
    assert_eq!(*oidc.public(), PublicKey::Opaque(identity.into()));
    assert_eq!(oidc.description(), "sigstore-oidc/Fulcio");
    for (keytype, scheme, public) in [
        ("ml-dsa-44", "ml-dsa-44/1", "00ff"),
        ("rsa", "rsa-pkcs1v15-sha256", data!("rsa-2048.pem")),
        ("ed25519", "ed25519ph", data!("ed25519.pem")),
        ("ecdsa", "ecdsa-sha2-nistp521", "not read"),
    ] {
        let key = read(keytype, scheme, public).unwrap();
        assert_eq!(key.algorithm(), None);
        assert_eq!(key.description(), format!("{keytype}/{scheme}"));
        for sig in [
            data!("rsa-2048.salt-32.sig"),
            data!("rsa-2048.pkcs1v15.sig"),
            data!("ed25519.sig"),
        ] {
            assert!(!key.verifies(b"message", &hex(sig)));
        }
    }
}

#[test]
fn known_material_under_an_unverified_scheme_is_still_the_same_key() {
    let old = read("rsa", "rsa-pkcs1v15-sha256", data!("rsa-2048.pem")).unwrap();
    let new = read("rsa", "rsassa-pss-sha256", data!("rsa-2048.pem")).unwrap();
    assert_eq!(old.public(), new.public());
}

#[test]
fn signatures_of_every_type_verify_and_wrong_forms_do_not() {
    let ed25519 = read("ed25519", "ed25519", data!("ed25519.pem")).unwrap();
    let p256 = p256(data!("p256.pem"));
    let p384 = read("ecdsa", "ecdsa-sha2-nistp384", data!("p384.pem")).unwrap();
    let rsa = read("rsa", "rsassa-pss-sha256", data!("rsa-2048.pem")).unwrap();
    let cases = [
        ("Ed25519", &ed25519, data!("ed25519.sig"), true),
        ("P-256 low s", &p256, data!("p256.low-s.sig"), true),
        ("P-256 high s", &p256, data!("p256.high-s.sig"), true),
        (
            "P-256 r||s instead of DER",
            &p256,
            data!("p256.raw.sig"),
            false,
        ),
        ("P-384 with SHA-384", &p384, data!("p384.sig"), true),
        ("P-384 with SHA-256", &p384, data!("p384.sha256.sig"), false),
        ("RSA-PSS salt 32", &rsa, data!("rsa-2048.salt-32.sig"), true),
        (
            "RSA-PSS longest salt",
            &rsa,
            data!("rsa-2048.salt-max.sig"),
            true,
        ),
        ("RSA-PSS no salt", &rsa, data!("rsa-2048.salt-0.sig"), true),
        (
            "RSA PKCS#1 v1.5",
            &rsa,
            data!("rsa-2048.pkcs1v15.sig"),
            false,
        ),
        ("P-384 by P-256", &p256, data!("p384.sig"), false),
        (
            "RSA by Ed25519",
            &ed25519,
            data!("rsa-2048.salt-32.sig"),
            false,
        ),
    ];
    for (name, key, signature, verifies) in cases {
        let signature = hex(signature);
        assert_eq!(key.verifies(b"message", &signature), verifies, "{name}");
        assert!(
            !key.verifies(b"massage", &signature),
            "{name}, other message"
        );
        assert!(!key.verifies(b"message", &signature[1..]), "{name}, cut");
        assert!(!key.verifies(b"message", b""), "{name}, empty");
    }
}

#[test]
fn what_we_write_reads_back_as_the_same_key() {
    let keys = [
        (
            read("ed25519", "ed25519", data!("ed25519.pem")),
            "ed25519",
            "Ed25519",
        ),
        (Ok(p256(data!("p256-point.hex"))), "ecdsa", "P-256"),
        (
            read(
                "ecdsa-sha2-nistp384",
                "ecdsa-sha2-nistp384",
                data!("p384.pem"),
            ),
            "ecdsa",
            "P-384",
        ),
        (
            read("rsa", "rsassa-pss-sha256", data!("rsa-2048.pem").trim()),
            "rsa",
            "RSA 2048",
        ),
    ];
    for (key, keytype, description) in keys {
        let public = key.unwrap().public().clone();
        let ours = Key::from_public(&public).unwrap();
        assert_eq!(
            (ours.keytype(), ours.description().as_str()),
            (keytype, description)
        );
        assert_eq!(
            Key::from_value(ours.value().clone(), material::from_text).unwrap(),
            ours
        );
        assert_eq!(ours.public(), &public);
        let der = public.to_spki_der().unwrap();
        assert_eq!(PublicKey::from_spki_der(&der).unwrap(), public);
        assert_eq!(public.fingerprint(), Sha256::of(&der));
    }
    let pem = Key::from_public(p256(data!("p256-point.hex")).public()).unwrap();
    let written = pem
        .value()
        .get("keyval")
        .and_then(|keyval| keyval.get("public")?.as_str());
    assert_eq!(written, Some(data!("p256.pem")));
    assert_eq!(Key::from_public(&PublicKey::Opaque(b"{}".to_vec())), None);
}

#[test]
fn keyid_covers_the_whole_object() {
    // The example of Sigstore's root 11: one edited field, another keyid.
    let text = |uri: &str| {
        format!(
            r#"{{"keytype":"ed25519","keyval":{{"public":"{0}"}},"scheme":"ed25519","x-tuf-on-ci-keyowner":"@a","x-tuf-on-ci-online-uri":"{uri}"}}"#,
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        )
    };
    let one = read_json(&text("gcpkms:1")).unwrap();
    let other = read_json(&text("gcpkms:2")).unwrap();
    assert_eq!(
        one.keyid().0,
        Sha256::of(text("gcpkms:1").as_bytes()).to_string()
    );
    assert_ne!(one.keyid(), other.keyid());
    assert_eq!(one.public(), other.public());
    assert_eq!(one.owner(), Some("@a"));
}

#[test]
fn broken_der_is_refused() {
    let good = p256(data!("p256.pem")).public().to_spki_der().unwrap();
    let trailing = [&good[..], &[0]].concat();
    let mut unused_bits = good.clone();
    unused_bits[25] = 7;
    let mut negated = good.clone();
    negated[90] ^= 1;
    let mut indefinite = good.clone();
    indefinite[1] = 0x80;
    // RFC 8410, 3: Ed25519 has no parameters.
    let null_parameters = hex(&format!("302c300706032b65700500032100{}", "11".repeat(32)));
    let cases: [(&str, &[u8]); 7] = [
        ("empty", &[]),
        ("cut", &good[..90]),
        ("trailing byte", &trailing),
        ("unused bits", &unused_bits),
        ("another y", &negated),
        ("indefinite length", &indefinite),
        ("Ed25519 with parameters", &null_parameters),
    ];
    for (name, der) in cases {
        let error = PublicKey::from_spki_der(der).expect_err(name);
        assert_eq!(error.rule, "KEY-MATERIAL", "{name}: {error}");
    }
    assert!(PublicKey::from_spki_der(&good).is_ok());
}
