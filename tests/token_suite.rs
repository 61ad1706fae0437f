//! What every backend of tokens has to keep, over software tokens and `SoftHSM`. Each test over `SoftHSM` runs in a process of its own:
//! the library is configured by the environment and initialised once a process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "tests"
)]

use std::path::Path;
use std::process::{Command, Stdio};

use tuf_ceremony::ceremony::event::Custody;
use tuf_ceremony::ceremony::port::{TokenFault, TokenId, TokenInfo, TokenKey};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::tuf::key::Algorithm::{self, EcdsaP256, EcdsaP384, Ed25519, RsaPss};
use tuf_ceremony::tuf::key::Key;

#[path = "token_suite/pkcs11.rs"]
mod pkcs11;
#[path = "token_suite/second_opinion.rs"]
mod second_opinion;

const PIN: &str = "Zx9-PIN-7f3Q";
const SO_PIN: &str = "so-8642-pin";

/// Each claim, once a backend.
macro_rules! over_every_backend {
    ($($claim:ident)*) => {
        mod software {
            use super::*;
            $(#[test] fn $claim() {
                super::$claim(&mut SoftwareModule::new("room"), &[Ed25519, EcdsaP256, EcdsaP384]);
            })*
        }
        mod softhsm {
            use super::*;
            $(#[test] fn $claim() {
                in_own_process(concat!("softhsm::", stringify!($claim)), |_| {
                    super::$claim(&mut softhsm(), &[Ed25519, EcdsaP256, EcdsaP384, RsaPss]);
                });
            })*
        }
    };
}

over_every_backend! {
    signature_of_each_algorithm_verifies_and_only_over_its_message
    generated_key_is_listed_again_with_its_custody_proven
    wrong_pin_is_said_so_and_the_right_one_still_works
    empty_pin_is_refused
    key_that_is_not_there_does_not_sign
    two_tokens_are_told_apart
    label_that_is_taken_is_refused
    nothing_signs_before_a_login_or_after_a_logout
    public_halves_show_before_a_login
    second_login_is_fine
    token_that_is_not_there_is_removed
    token_is_listed_as_it_was_initialised
}

fn signature_of_each_algorithm_verifies_and_only_over_its_message(
    module: &mut dyn Module,
    algorithms: &[Algorithm],
) {
    let token = logged_in(module, "one");
    let long = vec![b'{'; 200_000];
    for algorithm in algorithms {
        let label = format!("{algorithm:?}");
        let key = module.generate(&token, &label, *algorithm).unwrap();
        assert_eq!(key.public.algorithm(), Some(*algorithm));
        for message in [&b"{\"_type\":\"root\"}"[..], &long, b""] {
            let signature = module.sign(&token, &key, message).unwrap();
            let key = Key::from_public(&key.public).unwrap();
            assert!(key.verifies(message, &signature), "{algorithm:?}");
            assert!(
                !key.verifies(b"another message", &signature),
                "{algorithm:?}"
            );
        }
    }
}

fn generated_key_is_listed_again_with_its_custody_proven(
    module: &mut dyn Module,
    algorithms: &[Algorithm],
) {
    let token = logged_in(module, "one");
    let made: Vec<TokenKey> = algorithms
        .iter()
        .map(|algorithm| {
            module
                .generate(&token, &format!("{algorithm:?}"), *algorithm)
                .unwrap()
        })
        .collect();
    let mut listed = module.keys(&token).unwrap();
    assert_eq!(listed.len(), made.len());
    for key in &made {
        let proven = Custody {
            always_sensitive: Some(true),
            never_extractable: Some(true),
            local: Some(true),
        };
        assert_eq!(key.custody, proven);
        listed.retain(|listed| listed != key);
    }
    assert_eq!(listed, []);
}

fn wrong_pin_is_said_so_and_the_right_one_still_works(module: &mut dyn Module, _: &[Algorithm]) {
    let token = initialised(module, "one").id;
    let error = module.login(&token, &secret("not the PIN")).unwrap_err();
    assert_eq!(error.fault, TokenFault::PinIncorrect);
    let attempted = format!("log in to token {}: the PIN is wrong", token.serial);
    assert!(error.to_string().starts_with(&attempted), "{error}");
    assert!(!error.to_string().contains("not the PIN"), "{error}");
    // SoftHSM says only that a PIN was wrong, not how many tries are left.
    let tries = listed(module, &token).tries;
    assert!(matches!(tries, Tries::Left(2) | Tries::Low), "{tries:?}");
    module.login(&token, &secret(PIN)).unwrap();
    let tries = listed(module, &token).tries;
    assert!(
        matches!(tries, Tries::Left(3) | Tries::Unknown),
        "{tries:?}"
    );
}

fn empty_pin_is_refused(module: &mut dyn Module, _: &[Algorithm]) {
    let token = initialised(module, "one").id;
    let error = module.login(&token, &Secret::new().unwrap()).unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported);
    assert_eq!(
        error.said,
        "an empty PIN was given, and the token has no keys to type one on"
    );
    let error = module
        .initialise("two", &secret(SO_PIN), &Secret::new().unwrap())
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported);
    assert!(
        module
            .list()
            .unwrap()
            .iter()
            .all(|token| token.id.label != "two")
    );
}

fn key_that_is_not_there_does_not_sign(module: &mut dyn Module, _: &[Algorithm]) {
    let token = logged_in(module, "one");
    let one = module.generate(&token, "one", EcdsaP256).unwrap();
    let other = module.generate(&token, "other", EcdsaP256).unwrap();
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
        let error = module.sign(&token, &key, b"message").unwrap_err();
        assert_eq!(error.fault, TokenFault::KeyAbsent);
        assert!(!error.may_have_signed);
        assert_eq!(
            error.said,
            "no key on the token has this name and this public half"
        );
    }
}

fn two_tokens_are_told_apart(module: &mut dyn Module, _: &[Algorithm]) {
    let tokens = ["one", "two"].map(|label| logged_in(module, label));
    let keys = tokens
        .each_ref()
        .map(|token| module.generate(token, "root", EcdsaP256).unwrap());
    assert_ne!(keys[0].public, keys[1].public);
    for (token, key) in tokens.iter().zip(&keys) {
        let signature = module.sign(token, key, b"message").unwrap();
        assert!(
            Key::from_public(&key.public)
                .unwrap()
                .verifies(b"message", &signature)
        );
    }
    let error = module.sign(&tokens[0], &keys[1], b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::KeyAbsent);
}

fn label_that_is_taken_is_refused(module: &mut dyn Module, _: &[Algorithm]) {
    let token = logged_in(module, "one");
    let error = module
        .initialise("one", &secret(SO_PIN), &secret(PIN))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "initialise a token as \"one\": a token with this label is there already"
    );
    assert_eq!(error.fault, TokenFault::Exists);

    let key = module.generate(&token, "root", EcdsaP256).unwrap();
    let error = module.generate(&token, "root", Ed25519).unwrap_err();
    assert_eq!(error.said, "a key with this label is there already");
    assert_eq!(error.fault, TokenFault::Exists);
    assert_eq!(module.keys(&token).unwrap(), [key]);
}

fn nothing_signs_before_a_login_or_after_a_logout(module: &mut dyn Module, _: &[Algorithm]) {
    let token = initialised(module, "one").id;
    let error = module.generate(&token, "root", EcdsaP256).unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn);
    module.login(&token, &secret(PIN)).unwrap();
    let key = module.generate(&token, "root", EcdsaP256).unwrap();
    module.logout(&token);
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn);
    assert!(!error.may_have_signed);
    module.login(&token, &secret(PIN)).unwrap();
    module.sign(&token, &key, b"message").unwrap();
}

fn public_halves_show_before_a_login(module: &mut dyn Module, _: &[Algorithm]) {
    let token = logged_in(module, "one");
    let key = module.generate(&token, "root", EcdsaP256).unwrap();
    module.logout(&token);
    let shown = module.keys(&token).unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (&shown[0].label, &shown[0].public),
        (&key.label, &key.public)
    );
}

fn second_login_is_fine(module: &mut dyn Module, _: &[Algorithm]) {
    let token = logged_in(module, "one");
    let key = module.generate(&token, "root", EcdsaP256).unwrap();
    module.login(&token, &secret(PIN)).unwrap();
    module.sign(&token, &key, b"message").unwrap();
}

fn token_that_is_not_there_is_removed(module: &mut dyn Module, _: &[Algorithm]) {
    let there = logged_in(module, "one");
    let key = module.generate(&there, "root", EcdsaP256).unwrap();
    for absent in [
        TokenId {
            serial: "0".to_owned(),
            ..there.clone()
        },
        TokenId {
            label: "other".to_owned(),
            ..there.clone()
        },
    ] {
        for error in [
            module.login(&absent, &secret(PIN)).unwrap_err(),
            module.keys(&absent).unwrap_err(),
            module.generate(&absent, "root", EcdsaP256).unwrap_err(),
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
    module.sign(&there, &key, b"message").unwrap();
}

fn token_is_listed_as_it_was_initialised(module: &mut dyn Module, _: &[Algorithm]) {
    let name = module.name().to_owned();
    let token = initialised(module, "Grüße aus PyPI");
    assert_eq!(token, listed(module, &token.id));
    assert_eq!(token.id.label, "Grüße aus PyPI");
    assert_eq!(token.id.module, name);
    assert_eq!(token.identity.serial, token.id.serial);
    assert!(token.ready && !token.pin_pad);
    assert!(!token.id.serial.is_empty() && !token.identity.model.is_empty());
}

#[test]
fn software_token_locks_after_three_wrong_pins_and_forgets_its_login_when_taken_out() {
    let mut module = SoftwareModule::new("room");
    let token = logged_in(&mut module, "one");
    let key = module.generate(&token, "root", EcdsaP256).unwrap();
    module.plug(&token, false);
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::Removed);
    assert_eq!(module.list().unwrap(), []);
    module.plug(&token, true);
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn);
    for left in [Tries::Left(2), Tries::Left(1), Tries::Locked] {
        let error = module.login(&token, &secret("wrong-pin")).unwrap_err();
        assert_eq!(error.fault, TokenFault::PinIncorrect);
        assert_eq!(listed(&mut module, &token).tries, left);
    }
    let error = module.login(&token, &secret(PIN)).unwrap_err();
    assert_eq!(error.fault, TokenFault::PinLocked);
    assert_eq!(error.said, "the PIN is locked after too many wrong ones");
}

fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

fn initialised(module: &mut dyn Module, label: &str) -> TokenInfo {
    module
        .initialise(label, &secret(SO_PIN), &secret(PIN))
        .unwrap()
}

fn logged_in(module: &mut dyn Module, label: &str) -> TokenId {
    let token = initialised(module, label).id;
    module.login(&token, &secret(PIN)).unwrap();
    token
}

fn listed(module: &mut dyn Module, token: &TokenId) -> TokenInfo {
    let mut tokens = module.list().unwrap().into_iter();
    tokens.find(|listed| listed.id == *token).unwrap()
}

/// Debian's path of `SoftHSM`.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

fn softhsm() -> Pkcs11Module {
    assert!(
        Path::new(SOFTHSM).exists(),
        "{SOFTHSM} is missing: install softhsm2"
    );
    Pkcs11Module::load("room", SOFTHSM, None).unwrap()
}

/// Runs `claim` in a new process of this test program, with `SoftHSM` configured to keep its tokens in `tokens/` of the folder it is given.
fn in_own_process(test: &str, claim: fn(&Path)) {
    const FOLDER: &str = "TUF_CEREMONY_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        return claim(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    let configuration = folder.path().join("softhsm2.conf");
    std::fs::create_dir(&tokens).unwrap();
    let settings = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nslots.removable = true\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(&configuration, settings).unwrap();
    let ran = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--include-ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SOFTHSM2_CONF", configuration)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{test} failed:\n{said}");
    assert!(said.contains("1 passed"), "{test} did not run:\n{said}");
}
