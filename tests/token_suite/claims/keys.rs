//! Keys and tokens as they are listed: names, custody, usage, attestation.

use tuf_ceremony::ceremony::port::{Leaves, PinPolicy, TokenFault, TokenId, TokenKey};
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;
use tuf_ceremony::tuf::key::{Algorithm, PublicKey};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use super::super::bench::{Bench, empty};
use super::super::row::{Keys, Stage};
use super::super::{SO_PIN, secret};

pub fn key_is_listed_again_with_its_custody_and_usage(bench: &mut Bench) {
    let token = bench.token("one").id;
    let row = bench.row;
    // Keys that somebody else makes go into the two slots that every module shows.
    let algorithms = bench.algorithms(&token);
    let most = if row.keys == Keys::Ours {
        algorithms.len()
    } else {
        2
    };
    let named = |index: usize| ["first", "second", "third", "fourth"][index];
    let made: Vec<TokenKey> = (0..most)
        .map(|index| bench.key(&token, named(index), algorithms[index]))
        .collect();
    let mut listed = bench.keys(&token);
    assert_eq!(listed.len(), made.len(), "{listed:?}");
    for key in &made {
        assert_eq!(key.custody, row.custody, "{}", key.label);
        let mut expected = row.usage;
        expected.longest = key.usage.longest;
        if row.keys == Keys::Beforehand && key.id == made[1].id {
            // PIV's own default: the key for signatures, in slot 9c, asks each time.
            expected.pin = PinPolicy::Always;
        }
        assert_eq!(key.usage, expected, "{}", key.label);
        listed.retain(|listed| listed != key);
    }
    assert_eq!(listed, []);
}

pub fn public_halves_show_before_a_login(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    bench.begin_anew(&token);
    let shown = bench.keys(&token);
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (&shown[0].label, &shown[0].public),
        (&key.label, &key.public)
    );
}

pub fn token_label_that_is_taken_is_refused(bench: &mut Bench) {
    bench.token("one");
    let pin = secret(bench.row.pin);
    let error = bench
        .module()
        .initialise("one", &secret(SO_PIN), &pin)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "initialise a token as \"one\": a token with this label is there already"
    );
    assert_eq!(error.fault, TokenFault::Exists);
}

pub fn empty_pin_for_a_new_token_is_refused(bench: &mut Bench) {
    let error = bench
        .module()
        .initialise("two", &secret(SO_PIN), &empty())
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported);
    let tokens = bench.module().list().unwrap();
    assert!(tokens.iter().all(|token| token.id.label != "two"));
}

pub fn token_is_not_initialised_behind_its_makers_back(bench: &mut Bench) {
    bench.token("one");
    let before = bench.module().list().unwrap();
    let pin = secret(bench.row.pin);
    let error = bench
        .module()
        .initialise("two", &secret(SO_PIN), &pin)
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported, "{error}");
    assert_eq!(bench.module().list().unwrap(), before);
}

pub fn key_label_that_is_taken_is_refused(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "root", EcdsaP256);
    for algorithm in [EcdsaP256, Algorithm::EcdsaP384] {
        let error = bench
            .module()
            .generate(&token, "root", algorithm, Leaves::Never)
            .unwrap_err();
        assert_eq!(error.said, "a key with this label is there already");
        assert_eq!(error.fault, TokenFault::Exists);
    }
    assert_eq!(bench.module().keys(&token).unwrap(), [key]);
}

pub fn token_is_listed_by_what_it_is_called(bench: &mut Bench) {
    let row = bench.row;
    let initialised = matches!(row.stage, Stage::Memory | Stage::SoftHsm | Stage::Swtpm);
    let label = if initialised {
        "Grüße aus PyPI"
    } else {
        "one"
    };
    let token = bench.token(label);
    assert_eq!(token, bench.listed(&token.id));
    let own = row.label_of(bench.card_serial(0));
    assert_eq!(token.id.label, if initialised { label } else { &own });
    assert_eq!(token.id.module, super::super::bench::MODULE);
    assert_eq!(token.identity.serial, token.id.serial);
    assert!(token.ready && !token.pin_pad);
    assert!(!token.id.serial.is_empty() && !token.identity.model.is_empty());
    match row.stage {
        // All of them say the same, so rooms choose these by their labels.
        Stage::Swtpm | Stage::Nss => assert_eq!(token.id.serial, "0".repeat(16)),
        Stage::Cards => assert_eq!(token.id.serial, row.serial_of(bench.card_serial(0))),
        Stage::Memory | Stage::SoftHsm => assert_ne!(token.id.serial, "0".repeat(16)),
    }
}

pub fn token_that_is_not_there_is_removed(bench: &mut Bench) {
    let there = bench.token("one").id;
    let key = bench.key(&there, "first", EcdsaP256);
    let pin = secret(bench.row.pin);
    for absent in [
        TokenId {
            serial: "1".to_owned(),
            ..there.clone()
        },
        TokenId {
            label: "other".to_owned(),
            ..there.clone()
        },
    ] {
        let module = bench.module();
        for error in [
            module.login(&absent, &pin).unwrap_err(),
            module.keys(&absent).unwrap_err(),
            module
                .generate(&absent, "root", EcdsaP256, Leaves::Never)
                .unwrap_err(),
            module.sign(&absent, &key, b"message").unwrap_err(),
        ] {
            assert_eq!(error.fault, TokenFault::Removed);
            assert!(!error.may_have_signed);
            assert!(
                error.said.starts_with("the token is not plugged in"),
                "{error}"
            );
        }
        module.logout(&absent);
    }
    bench.assert_signs(&there, &key);
}

/// That the chain is genuine is for others to judge; here it is about this key, or there is none.
pub fn attestation_is_of_the_key_or_absent(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    let chain = bench.module().attestation(&token, &key).unwrap();
    assert_eq!(chain.len(), bench.row.attestation);
    let Some(leaf) = chain.first() else { return };
    let leaf = Certificate::from_der(leaf).unwrap();
    let spki = leaf
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .unwrap();
    assert_eq!(PublicKey::from_spki_der(&spki).unwrap(), key.public);
    let device = Certificate::from_der(&chain[1]).unwrap();
    assert_eq!(
        leaf.tbs_certificate().issuer(),
        device.tbs_certificate().subject()
    );
}

/// A key that was outside once may be outside still.
pub fn imported_key_is_not_called_made_there(bench: &mut Bench) {
    let token = bench.token("one").id;
    bench.unload();
    let brought = super::super::cards::import_key(bench.card_serial(0), bench.row.pin);
    bench.login(&token).unwrap();
    let keys = bench.keys(&token);
    let key = keys.into_iter().find(|key| key.public == brought);
    let custody = key.as_ref().map(|key| key.custody);
    assert_eq!(custody, bench.row.custody_of_imported);
    if let Some(key) = key {
        bench.assert_signs(&token, &key);
    }
}
