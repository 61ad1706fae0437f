//! Signatures: by which keys, over what, and how often the device is asked.

use std::fs;
use std::process::Command;

use tuf_ceremony::ceremony::port::{Leaves, TokenFault, TokenKey};
use tuf_ceremony::tuf::key::Algorithm::{EcdsaP256, EcdsaP384, Ed25519, RsaPss};
use virtual_yubikey::Purpose;

use super::super::bench::{Bench, Place, verifies};
use super::super::row::Needed;
use super::super::shim::Shim;
use super::super::stage;

pub fn signature_of_each_algorithm_verifies_and_only_over_its_message(bench: &mut Bench) {
    let token = bench.token("one").id;
    let long = vec![b'{'; 200_000];
    for algorithm in bench.algorithms(&token) {
        let key = bench.key(&token, &format!("{algorithm:?}"), algorithm);
        assert_eq!(key.public.algorithm(), Some(algorithm));
        for message in [&b"{\"_type\":\"root\"}"[..], &long, b""] {
            let signature = bench.signs(&token, &key, message);
            if key.usage.longest.is_some_and(|most| message.len() > most) {
                let error = signature.unwrap_err();
                assert_eq!(error.fault, TokenFault::PayloadTooLarge);
                assert!(!error.may_have_signed, "{error}");
                continue;
            }
            let signature = signature.unwrap();
            assert!(verifies(&key, message, &signature), "{algorithm:?}");
            assert!(
                !verifies(&key, b"another message", &signature),
                "{algorithm:?}"
            );
        }
    }
}

pub fn key_that_is_not_there_does_not_sign(bench: &mut Bench) {
    let token = bench.token("one").id;
    let one = bench.key(&token, "first", EcdsaP256);
    let other = bench.key(&token, "second", EcdsaP256);
    let named_so_but_another = TokenKey {
        public: other.public.clone(),
        ..one.clone()
    };
    let not_there = TokenKey {
        id: b"absent".to_vec(),
        label: "absent".to_owned(),
        ..one
    };
    for key in [named_so_but_another, not_there] {
        let error = bench.signs(&token, &key, b"message").unwrap_err();
        assert_eq!(error.fault, TokenFault::KeyAbsent);
        assert!(!error.may_have_signed);
        assert_eq!(
            error.said,
            "no key on the token has this name and this public half"
        );
    }
}

pub fn nothing_signs_before_a_login_or_after_a_logout(bench: &mut Bench) {
    let token = bench.token("one").id;
    if bench.row.keys == super::super::row::Keys::Ours {
        let error = bench
            .module()
            .generate(&token, "root", EcdsaP256, Leaves::Never)
            .unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn);
    }
    let key = bench.key(&token, "first", EcdsaP256);
    bench.module().logout(&token);
    let error = bench.module().sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn, "{error}");
    assert!(!error.may_have_signed);
    bench.begin_anew(&token);
    let error = bench.module().sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn, "{error}");
    bench.assert_signs(&token, &key);
}

pub fn two_tokens_are_told_apart(bench: &mut Bench) {
    let tokens = ["one", "two"].map(|label| bench.token(label).id);
    let keys = tokens
        .each_ref()
        .map(|token| bench.key(token, "first", EcdsaP256));
    assert_ne!(keys[0].public, keys[1].public);
    for token in &tokens {
        bench.login(token).unwrap();
    }
    // Both are logged in now, and what is asked of one is not done by the other.
    let error = bench
        .module()
        .sign(&tokens[0], &keys[1], b"message")
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::KeyAbsent, "{error}");
    for (token, key) in tokens.iter().zip(&keys) {
        let signature = bench.module().sign(token, key, b"message").unwrap();
        assert!(verifies(key, b"message", &signature));
    }
}

/// Counted outside of this program: by a module in between, and by the card.
pub fn one_signature_is_one_request_to_the_device(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    bench.unload();
    let shim = bench.row.library.as_ref().map(|library| {
        let plan = Shim::plan().real(std::path::Path::new(library.path));
        let shim = plan.install(bench.folder());
        bench.load_instead(shim.module().to_owned());
        shim
    });
    if let Place::Cards(cards) = &bench.place {
        cards.first().controls().clear_log();
    }
    bench.assert_signs(&token, &key);
    if let Some(shim) = shim {
        let log = shim.log();
        assert_eq!(log.signatures(), 1);
        assert_eq!(log.logins("user"), 1);
        assert_eq!(log.count("C_SignInit"), 1);
        assert_eq!(log.broken(), Vec::<&super::super::shim::Logged>::new());
    }
    if let Place::Cards(cards) = &bench.place {
        assert_eq!(cards.first().controls().count(Purpose::Sign), 1);
        assert_eq!(cards.first().controls().count(Purpose::Verify), 1);
    }
}

pub fn algorithm_that_it_does_not_have_is_refused(bench: &mut Bench) {
    assert!(!bench.row.signs.contains(&Ed25519));
    let token = bench.logged_in("one");
    let error = bench
        .module()
        .generate(&token, "ed", Ed25519, Leaves::Never)
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported, "{error}");
    assert_eq!(bench.module().keys(&token).unwrap(), []);
}

/// A second opinion, by code that is not ours and knows nothing of tokens.
pub fn openssl_verifies_what_it_signs(bench: &mut Bench) {
    Needed {
        path: "openssl",
        package: "openssl",
    }
    .check();
    let folder = tempfile::tempdir().unwrap();
    let [message, spki, signature] =
        ["message", "key.der", "signature"].map(|name| folder.path().join(name));
    fs::write(&message, b"a message").unwrap();
    let token = bench.token("one").id;
    for algorithm in bench.algorithms(&token) {
        let key = bench.key(&token, &format!("{algorithm:?}"), algorithm);
        fs::write(&spki, key.public.to_spki_der().unwrap()).unwrap();
        let signed = bench.signs(&token, &key, b"a message").unwrap();
        fs::write(&signature, signed).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin"]);
        openssl
            .arg("-inkey")
            .arg(&spki)
            .arg("-sigfile")
            .arg(&signature);
        match algorithm {
            Ed25519 => {}
            EcdsaP256 => _ = openssl.args(["-digest", "sha256"]),
            EcdsaP384 => _ = openssl.args(["-digest", "sha384"]),
            RsaPss => {
                openssl.args(["-digest", "sha256", "-pkeyopt", "rsa_padding_mode:pss"]);
                openssl.args(["-pkeyopt", "rsa_pss_saltlen:32"]);
            }
        }
        let said = stage::succeeds(openssl.arg("-in").arg(&message));
        assert!(said.contains("Signature Verified Successfully"), "{said}");
    }
}
