//! Tokens that are taken out and put back, and others in their place.

use std::process::Command;

use tuf_ceremony::ceremony::port::{Leaves, TokenFault};
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;
use virtual_yubikey::{Firmware, Purpose};

use super::super::bench::{Bench, CARDS};
use super::super::row::{Keys, Stage};
use super::super::{cards, secret, stage};

pub fn token_taken_out_in_mid_session_gives_nothing(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    bench.assert_signs(&token, &key);
    bench.login(&token).unwrap();
    bench.take_out();
    let pin = secret(bench.row.pin);
    let module = bench.module();
    let error = module.sign(&token, &key, b"message").unwrap_err();
    // Whether it signed before it left is not for the module to know, so it may say that it may have.
    assert_eq!(error.fault, TokenFault::Removed, "{error}");
    for error in [
        module.keys(&token).unwrap_err(),
        module
            .generate(&token, "other", EcdsaP256, Leaves::Never)
            .unwrap_err(),
        module.login(&token, &pin).unwrap_err(),
    ] {
        assert_eq!(error.fault, TokenFault::Removed, "{error}");
        assert!(!error.may_have_signed, "{error}");
    }
    let tokens = module.list().unwrap();
    assert!(tokens.iter().all(|listed| listed.id != token));
}

pub fn token_put_back_wants_its_pin_again(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    bench.take_out();
    let tokens = bench.module().list().unwrap();
    assert!(tokens.iter().all(|listed| listed.id != token));
    bench.put_back();
    let error = bench.module().sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn, "{error}");
    assert!(!error.may_have_signed);
    bench.assert_signs(&token, &key);
    assert!(bench.keys(&token).contains(&key));
}

pub fn token_out_and_in_again_unseen_wants_its_pin_again(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    bench.take_out();
    bench.put_back();
    let error = bench.module().sign(&token, &key, b"message").unwrap_err();
    assert!(
        [TokenFault::NotLoggedIn, TokenFault::Removed].contains(&error.fault),
        "{error}"
    );
    bench.assert_signs(&token, &key);
}

pub fn other_card_in_its_place_is_refused(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    bench.take_out();
    bench.cards().bring(CARDS[1], Firmware::V5_7_1);
    let pin = secret(bench.row.pin);
    let module = bench.module();
    for error in [
        module.sign(&token, &key, b"message").unwrap_err(),
        module.keys(&token).unwrap_err(),
        module.login(&token, &pin).unwrap_err(),
    ] {
        assert_eq!(error.fault, TokenFault::Removed, "{error}");
    }
    let other = &bench.cards().brought[1];
    for purpose in [Purpose::Verify, Purpose::Sign] {
        assert_eq!(other.controls().count(purpose), 0, "{purpose:?}");
    }
    assert_eq!(other.state().pin.left, 3);
}

/// The card signs and is gone before it says so: nobody can know, and nothing is asked twice.
pub fn card_pulled_in_mid_sign_may_have_signed(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    let controls = bench.card().controls().clone();
    controls.set(|faults| faults.pull_after_signatures = Some(0));
    controls.clear_log();
    let error = bench.signs(&token, &key, b"message").unwrap_err();
    assert!(error.may_have_signed, "{error}");
    assert_eq!(controls.count(Purpose::Sign), 1);
    bench.card().remove();
    bench.put_back();
    bench.assert_signs(&token, &key);
}

/// Yubico's way on a card; pkcs11-tool on the others.
pub fn key_made_by_another_program_meanwhile_is_found(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    bench.unload();
    if bench.row.stage == Stage::Cards {
        // The free one of the two slots that each module shows.
        let slot = if bench.row.keys == Keys::Ours {
            0x9a
        } else {
            0x9c
        };
        cards::make_key(CARDS[0], bench.row.pin, slot, EcdsaP256);
    } else {
        let mut tool = Command::new("pkcs11-tool");
        tool.args(["--module", bench.row.library.as_ref().unwrap().path])
            .args([
                "--token-label",
                &token.label,
                "--login",
                "--pin",
                bench.row.pin,
            ])
            .args(["--keypairgen", "--key-type", "EC:prime256v1"])
            .args(["--id", "4711", "--label", "theirs"]);
        stage::succeeds(&mut tool);
    }
    bench.login(&token).unwrap();
    let mut keys = bench.keys(&token);
    assert_eq!(keys.len(), 2, "{keys:?}");
    keys.retain(|listed| listed.public != key.public);
    bench.assert_signs(&token, &keys[0]);
    bench.assert_signs(&token, &key);
}
