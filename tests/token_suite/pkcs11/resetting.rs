//! Erasing a token that is in use: only that one, only with its SO PIN, and never so that its owner is locked out.

use std::path::Path;

use tuf_ceremony::ceremony::event::Credential;
use tuf_ceremony::ceremony::port::{Leaves, Reset, TokenFault, TokenId};
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;

use super::super::{PIN, SO_PIN, in_own_process, initialised, logged_in, secret, softhsm};
use super::shim::{Plan, Shim};

const NEW_SO: &str = "new-so-8642";
const NEW_PIN: &str = "new-pin-7531";

fn to(label: &str, old_so: Option<&str>) -> Reset {
    Reset {
        label: label.to_owned(),
        old_so: old_so.map(secret),
        new: vec![
            (Credential::So, secret(NEW_SO)),
            (Credential::User, secret(NEW_PIN)),
        ],
    }
}

/// The token is empty and takes the new secrets only.
fn is_new(module: &mut Pkcs11Module, token: &TokenId) {
    let error = module.login(token, &secret(PIN)).unwrap_err();
    assert_eq!(error.fault, TokenFault::PinIncorrect);
    module.login(token, &secret(NEW_PIN)).unwrap();
    assert_eq!(module.keys(token).unwrap(), []);
    module
        .generate(token, "root", EcdsaP256, Leaves::Never)
        .unwrap();
    module.logout(token);
}

#[test]
fn token_is_erased_and_given_new_secrets_and_others_are_left_alone() {
    in_own_process(
        "pkcs11::resetting::token_is_erased_and_given_new_secrets_and_others_are_left_alone",
        |_| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "one");
            module
                .generate(&token, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            let other = logged_in(&mut module, "two");
            let kept = module
                .generate(&other, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            let made = module.reset(&token, &to("alice", Some(SO_PIN))).unwrap();
            assert_eq!(made.id.label, "alice");
            assert!(made.ready);
            let listed = module.list().unwrap();
            assert!(listed.contains(&made), "{listed:?}");
            assert!(listed.iter().all(|listed| listed.id.label != "one"));
            is_new(&mut module, &made.id);
            module.sign(&other, &kept, b"message").unwrap();
            // Its SO PIN is the new one, which erases it again; the label may stay.
            let error = module
                .reset(&made.id, &to("alice", Some(SO_PIN)))
                .unwrap_err();
            assert_eq!(error.fault, TokenFault::PinIncorrect);
            let again = module.reset(&made.id, &to("alice", Some(NEW_SO))).unwrap();
            is_new(&mut module, &again.id);
        },
    );
}

#[test]
fn blank_token_takes_the_new_secrets() {
    in_own_process(
        "pkcs11::resetting::blank_token_takes_the_new_secrets",
        |_| {
            let mut module = softhsm();
            let blank = module
                .list()
                .unwrap()
                .into_iter()
                .find(|token| !token.ready);
            let blank = blank.unwrap();
            assert_eq!(blank.credentials, [Credential::So, Credential::User]);
            let made = module.reset(&blank.id, &to("alice", None)).unwrap();
            is_new(&mut module, &made.id);
            let again = module.reset(&made.id, &to("alice", Some(NEW_SO))).unwrap();
            is_new(&mut module, &again.id);
        },
    );
}

#[test]
fn reset_that_cannot_be_meant_is_refused_and_erases_nothing() {
    in_own_process(
        "pkcs11::resetting::reset_that_cannot_be_meant_is_refused_and_erases_nothing",
        |_| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "one");
            let key = module
                .generate(&token, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            initialised(&mut module, "two");
            let no_user = Reset {
                new: vec![(Credential::So, secret(NEW_SO))],
                ..to("alice", Some(SO_PIN))
            };
            let absent = TokenId {
                serial: "0".to_owned(),
                ..token.clone()
            };
            for (meant, reset, fault, said) in [
                (
                    &token,
                    to("alice", None),
                    TokenFault::Unsupported,
                    "the token is initialised and wants its present SO PIN",
                ),
                (
                    &token,
                    to("two", Some(SO_PIN)),
                    TokenFault::Exists,
                    "a token with this label is there already",
                ),
                (
                    &token,
                    to("", Some(SO_PIN)),
                    TokenFault::Unsupported,
                    "a token's label has 1 to 32 bytes and no space at its end",
                ),
                (
                    &token,
                    no_user,
                    TokenFault::Unsupported,
                    "a new SO PIN and a new user PIN are needed",
                ),
                (
                    &absent,
                    to("alice", Some(SO_PIN)),
                    TokenFault::Removed,
                    "the token is not plugged in, or the module does not see it",
                ),
                (
                    &token,
                    to("alice", Some("not-the-SO-PIN")),
                    TokenFault::PinIncorrect,
                    "the SO PIN is wrong; the token was not erased by this call. If an earlier reset was cut short, the SO PIN may be the new one already: give that as the present one (CKR_PIN_INCORRECT)",
                ),
            ] {
                let error = module.reset(meant, &reset).unwrap_err();
                assert_eq!((error.fault, error.said.as_str()), (fault, said));
                assert_eq!(error.attempted, format!("erase token {}", meant.serial));
                module.login(&token, &secret(PIN)).unwrap();
                assert_eq!(module.keys(&token).unwrap(), std::slice::from_ref(&key));
            }
        },
    );
}

/// A reset that stops at `call`, whoever has the present and the new SO PIN can finish: with `present` as the present one.
fn cut_short(folder: &Path, plan: &Plan, step: &str, present: &str) {
    let token = initialised(&mut softhsm(), "one").id;
    let shim = plan.install(folder);
    let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
    let error = module
        .reset(&token, &to("alice", Some(SO_PIN)))
        .unwrap_err();
    let attempted = format!("{step} of token {}, which is erased", token.serial);
    assert_eq!(error.attempted, attempted);
    assert!(!shim.log().broken().is_empty());
    let mut listed = module.list().unwrap().into_iter();
    let erased = listed.find(|token| token.id.label == "alice").unwrap().id;
    let other = if present == SO_PIN { NEW_SO } else { SO_PIN };
    let error = module
        .reset(&erased, &to("alice", Some(other)))
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::PinIncorrect);
    let tried = shim.log().count("C_InitToken");
    let made = module.reset(&erased, &to("alice", Some(present))).unwrap();
    assert_eq!(
        shim.log().count("C_InitToken"),
        tried + 1,
        "one PIN, one try"
    );
    is_new(&mut module, &made.id);
}

#[test]
fn reset_that_fails_at_the_login_is_finished_with_the_old_so_pin() {
    in_own_process(
        "pkcs11::resetting::reset_that_fails_at_the_login_is_finished_with_the_old_so_pin",
        |folder| {
            let plan = Shim::plan().fault("C_Login", "1", "CKR_FUNCTION_FAILED");
            cut_short(
                folder,
                &plan,
                "log in as SO with the present SO PIN",
                SO_PIN,
            );
        },
    );
}

#[test]
fn reset_that_fails_before_the_so_pin_is_changed_is_finished_with_the_old_one() {
    in_own_process(
        "pkcs11::resetting::reset_that_fails_before_the_so_pin_is_changed_is_finished_with_the_old_one",
        |folder| {
            let plan = Shim::plan().fault("C_SetPIN", "1", "CKR_DEVICE_ERROR");
            let step =
                "change the SO PIN (whether it is the present or the new one is to be tried)";
            cut_short(folder, &plan, step, SO_PIN);
        },
    );
}

#[test]
fn reset_that_fails_after_the_so_pin_is_changed_is_finished_with_the_new_one() {
    in_own_process(
        "pkcs11::resetting::reset_that_fails_after_the_so_pin_is_changed_is_finished_with_the_new_one",
        |folder| {
            let plan = Shim::plan().fault("C_SetPIN", "1", "after CKR_DEVICE_ERROR");
            let step =
                "change the SO PIN (whether it is the present or the new one is to be tried)";
            cut_short(folder, &plan, step, NEW_SO);
        },
    );
}

#[test]
fn reset_that_fails_at_the_user_pin_is_finished_with_the_new_so_pin() {
    in_own_process(
        "pkcs11::resetting::reset_that_fails_at_the_user_pin_is_finished_with_the_new_so_pin",
        |folder| {
            let plan = Shim::plan().fault("C_InitPIN", "1", "CKR_DEVICE_ERROR");
            let step = "set the user PIN (the SO PIN is the new one)";
            cut_short(folder, &plan, step, NEW_SO);
        },
    );
}
