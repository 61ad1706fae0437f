//! Keys that leave wrapped and come back, and those that never leave.

use tuf_ceremony::ceremony::event::Custody;
use tuf_ceremony::ceremony::port::{Leaves, TokenFault, TokenId, TokenKey};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::tuf::key::Algorithm::{self, EcdsaP256, EcdsaP384, Ed25519};
use tuf_ceremony::tuf::key::{Key, Message};

use super::super::bench::{Bench, empty};
use super::super::row::Stage;
use super::super::{PIN, SO_PIN, secret};

/// A key that may leave, on a token in which the user is logged in.
fn key(bench: &mut Bench, token: &TokenId, label: &str, algorithm: Algorithm) -> TokenKey {
    bench.login(token).unwrap();
    let made = bench
        .module()
        .generate(token, label, algorithm, Leaves::Wrapped);
    made.unwrap()
}

pub fn key_that_may_leave_signs_on_another_token_and_is_restored_there(bench: &mut Bench) {
    let one = bench.token("one").id;
    let two = bench.token("two").id;
    for algorithm in [EcdsaP256, EcdsaP384] {
        let label = format!("{algorithm:?}");
        let key = key(bench, &one, &label, algorithm);
        let made = Custody {
            always_sensitive: Some(true),
            never_extractable: Some(false),
            local: Some(true),
            wrapped_only: Some(true),
        };
        assert_eq!(key.custody, made);
        let wrap_key = Secret::random(32).unwrap();
        let (so_pin, pin) = (secret(SO_PIN), secret(PIN));
        let module = bench.module();
        let wrapped = module.wrap(&one, &key, &wrap_key, &so_pin, &pin).unwrap();
        // Nobody is logged in any more, and the key signs on.
        let error = module.sign(&one, &key, b"message").unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn);
        bench.assert_signs(&one, &key);

        // Tried on the other token, which keeps nothing of it.
        let verifier = Key::from_public(&key.public).unwrap();
        let message = Message::of(algorithm, b"message");
        bench.login(&two).unwrap();
        let before = bench.keys(&two);
        let module = bench.module();
        let signature = module.sign_wrapped(&two, &wrapped, &wrap_key, &key.public, &message);
        assert!(verifier.verifies(b"message", &signature.unwrap()));
        assert_eq!(bench.keys(&two), before);

        // Restored there it stays for good.
        let module = bench.module();
        let restored = module
            .unwrap(&two, &wrapped, &wrap_key, &label, &key.public)
            .unwrap();
        assert_eq!((&restored.label, &restored.public), (&label, &key.public));
        assert_eq!(restored.custody, brought_in());
        assert!(bench.keys(&two).contains(&restored));
        bench.begin_anew(&two);
        bench.assert_signs(&two, &restored);
        assert!(bench.keys(&two).contains(&restored));
        let module = bench.module();
        let error = module
            .wrap(&two, &restored, &wrap_key, &so_pin, &pin)
            .unwrap_err();
        assert_eq!(error.fault, TokenFault::Unsupported);
        bench.login(&two).unwrap();
        let module = bench.module();
        let error = module
            .unwrap(&two, &wrapped, &wrap_key, &label, &key.public)
            .unwrap_err();
        assert_eq!(error.fault, TokenFault::Exists);
        assert_eq!(error.said, "a key with this label is there already");
    }
}

/// A key that was outside once.
fn brought_in() -> Custody {
    Custody {
        always_sensitive: Some(false),
        never_extractable: Some(false),
        local: Some(false),
        wrapped_only: None,
    }
}

pub fn key_that_was_not_made_to_leave_is_not_wrapped(bench: &mut Bench) {
    let token = bench.token("one").id;
    bench.login(&token).unwrap();
    let module = bench.module();
    let key = module.generate(&token, "root", EcdsaP256, Leaves::Never);
    let key = key.unwrap();
    assert_eq!(key.custody.wrapped_only, None);
    let (wrap_key, so_pin, pin) = (Secret::random(32).unwrap(), secret(SO_PIN), secret(PIN));
    let error = module
        .wrap(&token, &key, &wrap_key, &so_pin, &pin)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "back up key \"root\" of token {}: the key was not made to be backed up: it never leaves its token",
            token.serial
        )
    );
    assert_eq!(error.fault, TokenFault::Unsupported);
    bench.assert_signs(&token, &key);
}

pub fn wrong_pin_of_a_backup_is_told_and_is_one_try(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = key(bench, &token, "root", EcdsaP256);
    let wrap_key = Secret::random(32).unwrap();
    let wrap = |bench: &mut Bench, so_pin: &str, pin: &str| {
        let module = bench.module();
        let (so_pin, pin) = (secret(so_pin), secret(pin));
        module.wrap(&token, &key, &wrap_key, &so_pin, &pin)
    };
    for (so_pin, pin, whose) in [
        ("not-the-SO-PIN", PIN, "the SO PIN"),
        (SO_PIN, "not-the-PIN", "the user's PIN"),
        // The other PIN is not tried where the first is wrong.
        ("not-the-SO-PIN", "not-the-PIN", "the SO PIN"),
    ] {
        let error = wrap(bench, so_pin, pin).unwrap_err();
        assert_eq!(error.fault, TokenFault::PinIncorrect);
        let attempted = format!("log in to token {} with {whose}", token.serial);
        assert_eq!(error.attempted, attempted);
        assert!(error.said.starts_with("the PIN is wrong"), "{error}");
    }
    for (so_pin, pin) in [("", PIN), (SO_PIN, "")] {
        let error = wrap(bench, so_pin, pin).unwrap_err();
        assert_eq!(error.fault, TokenFault::Unsupported);
        assert_eq!(
            error.said,
            "an empty PIN was given, and the token has no keys to type one on"
        );
    }
    wrap(bench, SO_PIN, PIN).unwrap();
}

pub fn wrapped_key_that_is_damaged_or_another_is_refused_and_leaves_nothing(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = key(bench, &token, "root", EcdsaP256);
    let wrap_key = Secret::random(32).unwrap();
    let (so_pin, pin) = (secret(SO_PIN), secret(PIN));
    let module = bench.module();
    let wrapped = module.wrap(&token, &key, &wrap_key, &so_pin, &pin).unwrap();
    let message = Message::of(EcdsaP256, b"message");
    let (other, short) = (Secret::random(32).unwrap(), Secret::random(31).unwrap());
    let mut flipped = wrapped.clone();
    flipped[20] ^= 1;
    let cut = &wrapped[..wrapped.len() - 8];
    for (blob, wrap_key) in [
        (&wrapped[..], &other),
        (&flipped, &wrap_key),
        (cut, &wrap_key),
        (&wrapped[..8], &wrap_key),
        (&wrapped[..15], &wrap_key),
        (&[], &wrap_key),
        (&wrapped, &short),
        (&wrapped, &empty()),
    ] {
        bench.login(&token).unwrap();
        let module = bench.module();
        module
            .sign_wrapped(&token, blob, wrap_key, &key.public, &message)
            .unwrap_err();
        bench.login(&token).unwrap();
        let module = bench.module();
        module
            .unwrap(&token, blob, wrap_key, "restored", &key.public)
            .unwrap_err();
        bench.login(&token).unwrap();
        assert_eq!(bench.keys(&token), std::slice::from_ref(&key));
    }
    bench.module().logout(&token);
    let module = bench.module();
    for error in [
        module
            .sign_wrapped(&token, &wrapped, &wrap_key, &key.public, &message)
            .unwrap_err(),
        module
            .unwrap(&token, &wrapped, &wrap_key, "restored", &key.public)
            .unwrap_err(),
    ] {
        assert_eq!(error.fault, TokenFault::NotLoggedIn);
    }
}

pub fn key_that_could_not_leave_wrapped_is_not_made(bench: &mut Bench) {
    let token = bench.token("one").id;
    bench.login(&token).unwrap();
    let before = bench.module().keys(&token).unwrap();
    let algorithm = match bench.row.stage {
        Stage::SoftHsm => Ed25519,
        _ => EcdsaP256,
    };
    let module = bench.module();
    let error = module
        .generate(&token, "root", algorithm, Leaves::Wrapped)
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported);
    let said = match (bench.row.stage, &bench.row.library) {
        (Stage::SoftHsm, _) => {
            "the token does not wrap Ed25519 keys; make a P-256 key, which can be backed up"
        }
        (Stage::Nss, _) => {
            "this token has no security officer to trust a wrap key, and wraps keys under any other"
        }
        (_, None) => "cards never let a key out, and no backup is brought into them",
        (_, Some(_)) => "the token does not have AES key wrap with padding (CKM_AES_KEY_WRAP_KWP)",
    };
    assert_eq!(error.said, said);
    assert_eq!(bench.module().keys(&token).unwrap(), before);
}
