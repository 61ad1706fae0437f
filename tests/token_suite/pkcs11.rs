//! What only PKCS#11 modules can show: the files behind them, and tokens that vanish.

use std::fs;
use std::path::{Path, PathBuf};

use tuf_ceremony::ceremony::port::{Leaves, TokenFault};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;
use tuf_ceremony::tuf::key::Key;

#[path = "pkcs11/cards.rs"]
mod cards;
#[path = "pkcs11/quirks.rs"]
mod quirks;
#[path = "pkcs11/requests.rs"]
mod requests;
#[path = "pkcs11/resetting.rs"]
mod resetting;
#[path = "pkcs11/wrapping.rs"]
mod wrapping;

use super::{PIN, SOFTHSM, in_own_process, initialised, listed, logged_in, secret, shim, softhsm};

#[test]
fn module_says_what_it_is() {
    in_own_process("pkcs11::module_says_what_it_is", |_| {
        let module = softhsm();
        let identity = module.identity();
        assert_eq!(identity.name, "room");
        assert!(
            identity
                .description
                .starts_with("SoftHSM: Implementation of PKCS11 2.")
        );
        assert_eq!(
            identity.sha256,
            Some(Sha256::of(&fs::read(SOFTHSM).unwrap()))
        );
    });
}

/// The folder of the only token.
fn token_folder(folder: &Path) -> PathBuf {
    let mut found = fs::read_dir(folder.join("tokens")).unwrap();
    found.next().unwrap().unwrap().path()
}

#[test]
fn token_taken_out_in_mid_session_gives_no_signature() {
    in_own_process(
        "pkcs11::token_taken_out_in_mid_session_gives_no_signature",
        |folder| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "one");
            let key = module
                .generate(&token, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            module.sign(&token, &key, b"message").unwrap();
            fs::rename(token_folder(folder), folder.join("drawer")).unwrap();
            for error in [
                module.sign(&token, &key, b"message").unwrap_err(),
                module.keys(&token).unwrap_err(),
                module
                    .generate(&token, "other", EcdsaP256, Leaves::Never)
                    .unwrap_err(),
                module.login(&token, &secret(PIN)).unwrap_err(),
            ] {
                assert_eq!(error.fault, TokenFault::Removed, "{error}");
                assert!(!error.may_have_signed, "{error}");
                assert_eq!(
                    error.said,
                    "the token is not plugged in, or the module does not see it"
                );
            }
            assert!(
                module
                    .list()
                    .unwrap()
                    .iter()
                    .all(|listed| listed.id != token)
            );
        },
    );
}

/// `SoftHSM` as after a reset: all its sessions are void.
fn reset() {
    let library = cryptoki::context::Pkcs11::new(SOFTHSM).unwrap();
    library.clone().finalize().unwrap();
    let flags = cryptoki::context::CInitializeFlags::OS_LOCKING_OK;
    library
        .initialize(cryptoki::context::CInitializeArgs::new(flags))
        .unwrap();
}

#[test]
fn token_put_back_wants_its_pin_again_and_signs_only_when_asked_again() {
    in_own_process(
        "pkcs11::token_put_back_wants_its_pin_again_and_signs_only_when_asked_again",
        |folder| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "one");
            let key = module
                .generate(&token, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            let place = token_folder(folder);
            fs::rename(&place, folder.join("drawer")).unwrap();
            let error = module.keys(&token).unwrap_err();
            assert_eq!(error.fault, TokenFault::Removed);
            fs::rename(folder.join("drawer"), &place).unwrap();
            reset();
            module.login(&token, &secret(PIN)).unwrap();
            assert_eq!(module.keys(&token).unwrap(), std::slice::from_ref(&key));

            reset();
            let error = module.sign(&token, &key, b"message").unwrap_err();
            assert_eq!(error.fault, TokenFault::NotLoggedIn);
            assert!(!error.may_have_signed);
            assert_eq!(
                error.said,
                "the token was taken out or reset in between and wants its PIN again"
            );
            // What needs no PIN goes on by itself.
            assert_eq!(module.keys(&token).unwrap()[0].public, key.public);
            reset();
            assert_eq!(module.keys(&token).unwrap()[0].public, key.public);
            module.login(&token, &secret(PIN)).unwrap();
            let signature = module.sign(&token, &key, b"message").unwrap();
            let verifier = Key::from_public(&key.public).unwrap();
            assert!(verifier.verifies(b"message", &signature));
        },
    );
}

#[test]
fn softhsm_counts_wrong_pins_without_saying_how_many_are_left() {
    in_own_process(
        "pkcs11::softhsm_counts_wrong_pins_without_saying_how_many_are_left",
        |_| {
            let mut module = softhsm();
            let token = initialised(&mut module, "one");
            assert_eq!(token.tries, Tries::Unknown);
            for _ in 0..4 {
                let error = module.login(&token.id, &secret("wrong-pin")).unwrap_err();
                assert_eq!(error.said, "the PIN is wrong (CKR_PIN_INCORRECT)");
                assert_eq!(listed(&mut module, &token.id).tries, Tries::Low);
            }
            module.login(&token.id, &secret(PIN)).unwrap();
        },
    );
}

#[test]
fn file_that_is_no_module_is_refused_with_its_reason() {
    in_own_process(
        "pkcs11::file_that_is_no_module_is_refused_with_its_reason",
        |folder| {
            let maps = fs::read_to_string("/proc/self/maps").unwrap();
            let libc = maps
                .split_whitespace()
                .find(|word| word.ends_with("/libc.so.6"))
                .unwrap();
            let text = folder.join("text.so");
            fs::write(&text, "not a library").unwrap();
            for (path, said) in [
                (
                    Path::new("/nowhere/libx.so"),
                    "the file cannot be read (No such file",
                ),
                (
                    Path::new("libsofthsm2.so"),
                    "the file cannot be read (No such file",
                ),
                (&text, "the module could not be loaded ("),
                (Path::new(libc), "the file is not a PKCS#11 module ("),
            ] {
                let error = Pkcs11Module::load("room", path, None).err().unwrap();
                assert_eq!(error.fault, TokenFault::Module);
                let attempted = format!("load the PKCS#11 module room ({})", path.display());
                assert_eq!(error.attempted, attempted);
                assert!(error.said.starts_with(said), "{error}");
            }
        },
    );
}

#[test]
fn module_gets_its_init_arguments_and_may_refuse_them() {
    in_own_process(
        "pkcs11::module_gets_its_init_arguments_and_may_refuse_them",
        |_| {
            // SoftHSM refuses any; PKCS#11 has it so for modules that know no arguments.
            for (init_args, said) in [
                (
                    "configdir=''",
                    "the module could not be started; see its configuration and arguments (CKR_ARGUMENTS_BAD)",
                ),
                (
                    "with a \0",
                    "the module gave an answer that makes no sense (An interior nul byte was found",
                ),
            ] {
                let error = Pkcs11Module::load("room", SOFTHSM, Some(init_args))
                    .err()
                    .unwrap();
                assert!(error.said.starts_with(said), "{error}");
            }
            softhsm();
        },
    );
}

#[test]
fn second_load_of_a_module_is_refused_and_harms_nothing() {
    in_own_process(
        "pkcs11::second_load_of_a_module_is_refused_and_harms_nothing",
        |_| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "one");
            let error = Pkcs11Module::load("again", SOFTHSM, None).err().unwrap();
            assert_eq!(error.fault, TokenFault::Module);
            assert!(
                error.said.ends_with("(CKR_CRYPTOKI_ALREADY_INITIALIZED)"),
                "{error}"
            );
            module
                .generate(&token, "root", EcdsaP256, Leaves::Never)
                .unwrap();
        },
    );
}
