//! What a module really gets, and what comes of its lies: over the fault shim, which counts every call.

use std::path::Path;

use tuf_ceremony::ceremony::port::{Leaves, PinPolicy, TokenFault, TokenId, TokenKey};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::tuf::key::Algorithm::{self, EcdsaP256, EcdsaP384, Ed25519, RsaPss};
use tuf_ceremony::tuf::key::Key;

use super::super::{PIN, in_own_process, logged_in, secret, softhsm};
use super::shim::{Plan, Shim};

/// What ykcs11 says of itself.
pub(super) const YKCS11: &str = "PKCS#11 PIV Library (SP-800-73)";

/// A module that says that it is another.
pub(super) fn posing_as(plan: Plan, description: &str) -> Plan {
    plan.order(&format!("C_GetInfo * description text:{description}"))
}

/// A token with one key, made without the shim; then the shim with a plan, logged in.
pub(super) fn behind(
    folder: &Path,
    plan: &Plan,
    algorithm: Algorithm,
) -> (Shim, Pkcs11Module, TokenId, TokenKey) {
    let mut unshimmed = softhsm();
    let token = logged_in(&mut unshimmed, "one");
    let key = unshimmed
        .generate(&token, "root", algorithm, Leaves::Never)
        .unwrap();
    drop(unshimmed);
    let shim = plan.install(folder);
    let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
    module.login(&token, &secret(PIN)).unwrap();
    (shim, module, token, key)
}

fn verifies(key: &TokenKey, message: &[u8], signature: &[u8]) -> bool {
    let verifier = Key::from_public(&key.public).unwrap();
    verifier.verifies(message, signature)
}

#[test]
fn signature_is_one_request_and_login_one_try() {
    in_own_process(
        "pkcs11::requests::signature_is_one_request_and_login_one_try",
        |folder| {
            let (shim, mut module, token, key) = behind(folder, &Shim::plan(), EcdsaP256);
            let mut keys = vec![key];
            for algorithm in [EcdsaP384, Ed25519, RsaPss] {
                let label = format!("{algorithm:?}");
                keys.push(
                    module
                        .generate(&token, &label, algorithm, Leaves::Never)
                        .unwrap(),
                );
            }
            for (index, key) in keys.iter().enumerate() {
                let signature = module.sign(&token, key, b"message").unwrap();
                assert!(verifies(key, b"message", &signature));
                let log = shim.log();
                assert_eq!(
                    (log.count("C_Sign"), log.signatures()),
                    (index + 1, index + 1)
                );
                assert_eq!(log.count("C_SignInit"), index + 1);
            }
            let log = shim.log();
            assert_eq!((log.count("C_Login"), log.logins("user")), (1, 1));
            assert_eq!(log.broken(), Vec::<&super::shim::Logged>::new());
        },
    );
}

/// Signs, is refused before the device is asked again, logs in and signs: with so many logins within a signature.
fn one_signature_a_login(folder: &Path, plan: &Plan, context: usize) {
    let (shim, mut module, token, key) = behind(folder, plan, EcdsaP256);
    let listed = module.keys(&token).unwrap();
    assert_eq!(listed[0].usage.pin, PinPolicy::Always);
    for times in 1..=3 {
        let signature = module.sign(&token, &key, b"message").unwrap();
        assert!(verifies(&key, b"message", &signature));
        let error = module.sign(&token, &key, b"message").unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn);
        assert_eq!(error.said, "this key wants its PIN for each signature");
        assert!(!error.may_have_signed);
        let log = shim.log();
        assert_eq!((log.count("C_Sign"), log.signatures()), (times, times));
        assert_eq!(log.logins("user"), times);
        assert_eq!(log.logins("context"), times * context);
        assert_eq!(
            log.broken().len(),
            log.lied("C_GetInfo") + log.lied("C_GetAttributeValue")
        );
        module.login(&token, &secret(PIN)).unwrap();
    }
    // A login that is not used is as good as another.
    module.login(&token, &secret(PIN)).unwrap();
    module.sign(&token, &key, b"message").unwrap();
}

#[test]
fn key_that_wants_its_pin_each_time_gets_it_within_the_signature_as_the_standard_says() {
    in_own_process(
        "pkcs11::requests::key_that_wants_its_pin_each_time_gets_it_within_the_signature_as_the_standard_says",
        |folder| one_signature_a_login(folder, &Shim::plan().order("always-authenticate"), 1),
    );
}

#[test]
fn key_that_wants_its_pin_each_time_signs_once_a_plain_login_where_the_module_has_it_so() {
    in_own_process(
        "pkcs11::requests::key_that_wants_its_pin_each_time_signs_once_a_plain_login_where_the_module_has_it_so",
        |folder| {
            let plan = Shim::plan().order("always-authenticate");
            one_signature_a_login(folder, &posing_as(plan, YKCS11), 0);
        },
    );
}

#[test]
fn token_that_wants_its_pin_after_all_is_logged_in_to_anew() {
    in_own_process(
        "pkcs11::requests::token_that_wants_its_pin_after_all_is_logged_in_to_anew",
        |folder| {
            // A card that forgets its login, and a module that keeps it: the next login must not take the old one for a new one.
            let plan = Shim::plan()
                .fault("C_SignInit", "1", "CKR_USER_NOT_LOGGED_IN")
                .fault("C_Login", "2", "CKR_USER_ALREADY_LOGGED_IN");
            let (shim, mut module, token, key) = behind(folder, &plan, EcdsaP256);
            let error = module.sign(&token, &key, b"message").unwrap_err();
            assert_eq!(error.fault, TokenFault::NotLoggedIn);
            let error = module.sign(&token, &key, b"message").unwrap_err();
            assert_eq!(error.said, "nobody is logged in to the token");
            module.login(&token, &secret(PIN)).unwrap();
            let log = shim.log();
            let calls: Vec<&str> = log.points().iter().map(|(name, _)| *name).collect();
            let logins: Vec<&str> = calls
                .into_iter()
                .filter(|name| ["C_Login", "C_Logout"].contains(name))
                .collect();
            assert_eq!(logins, ["C_Login", "C_Login", "C_Logout", "C_Login"]);
            module.sign(&token, &key, b"message").unwrap();
        },
    );
}

#[test]
fn second_login_tries_its_pin() {
    in_own_process("pkcs11::requests::second_login_tries_its_pin", |folder| {
        let (shim, mut module, token, key) = behind(folder, &Shim::plan(), EcdsaP256);
        let error = module.login(&token, &secret("not-the-PIN")).unwrap_err();
        assert_eq!(error.fault, TokenFault::PinIncorrect);
        let error = module.sign(&token, &key, b"message").unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn);
        assert_eq!(shim.log().logins("user"), 2);
    });
}

#[test]
fn pin_pad_is_asked_by_an_empty_pin() {
    in_own_process(
        "pkcs11::requests::pin_pad_is_asked_by_an_empty_pin",
        |folder| {
            let plan = Shim::plan()
                .order(&format!("pin-pad {PIN}"))
                .order("always-authenticate");
            let (shim, mut module, token, key) = behind(folder, &plan, EcdsaP256);
            assert!(module.list().unwrap().iter().any(|listed| listed.pin_pad));
            module.login(&token, &Secret::new().unwrap()).unwrap();
            module.sign(&token, &key, b"message").unwrap();
            assert_eq!(shim.log().logins("context"), 1);
        },
    );
}

#[test]
fn buffer_that_is_said_to_be_too_small_is_not_asked_twice() {
    in_own_process(
        "pkcs11::requests::buffer_that_is_said_to_be_too_small_is_not_asked_twice",
        |folder| {
            let plan = Shim::plan().fault("C_Sign", "1", "CKR_BUFFER_TOO_SMALL");
            let (shim, mut module, token, key) = behind(folder, &plan, EcdsaP256);
            let error = module.sign(&token, &key, b"message").unwrap_err();
            assert!(error.may_have_signed);
            assert_eq!(
                error.said,
                "what the token gives is longer than anything that this program uses (CKR_BUFFER_TOO_SMALL)"
            );
            assert_eq!(shim.log().count("C_Sign"), 1);
            // The session may be in mid-signature: it is not used again.
            let error = module.sign(&token, &key, b"message").unwrap_err();
            assert_eq!(error.fault, TokenFault::NotLoggedIn);
            module.login(&token, &secret(PIN)).unwrap();
            module.sign(&token, &key, b"message").unwrap();
        },
    );
}

#[test]
fn lie_about_a_length_is_an_error_and_no_memory() {
    in_own_process(
        "pkcs11::requests::lie_about_a_length_is_an_error_and_no_memory",
        |folder| {
            let plan = Shim::plan().fault("C_Sign", "1", "claims 1099511627776");
            let (shim, mut module, token, key) = behind(folder, &plan, EcdsaP256);
            let error = module.sign(&token, &key, b"message").unwrap_err();
            assert!(error.may_have_signed);
            assert_eq!(error.fault, TokenFault::Other);
            let senseless = "the module gave an answer that makes no sense";
            assert!(error.said.starts_with(senseless), "{error}");
            drop(module);
            for (lie, said) in [
                ("C_GetSlotList 2+ claims 1099511627776", senseless),
                ("C_FindObjects * claims 4294967296", senseless),
                ("C_GetAttributeValue * CKA_EC_POINT huge", senseless),
            ] {
                shim.replan(&Shim::plan().order(lie));
                let module = Pkcs11Module::load("room", shim.module(), None);
                let mut module = module.unwrap();
                let error = module.keys(&token).unwrap_err();
                assert!(error.said.starts_with(said), "{lie}: {error}");
                let error = module.sign(&token, &key, b"message").unwrap_err();
                assert!(!error.may_have_signed, "{lie}: {error}");
                drop(module);
                assert!(!shim.log().broken().is_empty(), "{lie}");
            }
            // A length that means "not told" is believed: the key is not shown.
            shim.replan(&Shim::plan().order("C_GetAttributeValue * CKA_EC_POINT unavailable"));
            let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
            assert_eq!(module.keys(&token).unwrap(), []);
        },
    );
}

#[test]
fn million_slots_are_refused_in_a_sentence() {
    in_own_process(
        "pkcs11::requests::million_slots_are_refused_in_a_sentence",
        |folder| {
            let shim = Shim::plan()
                .order("C_GetSlotList * count 1048576")
                .install(folder);
            let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
            let error = module.list().unwrap_err();
            assert_eq!(error.fault, TokenFault::Unsupported);
            assert_eq!(
                error.to_string(),
                "list the tokens of module room: there are more tokens than 64 or more objects of a kind than 4096, which is as many as are looked at"
            );
        },
    );
}

#[test]
fn labels_that_are_hostile_are_texts_like_others() {
    in_own_process(
        "pkcs11::requests::labels_that_are_hostile_are_texts_like_others",
        |folder| {
            let (shim, module, token, key) = behind(folder, &Shim::plan(), EcdsaP256);
            drop(module);
            for lie in ["esc", "bidi", "invalid-utf8", "nul"] {
                shim.replan(
                    &Shim::plan()
                        .order(&format!("C_GetAttributeValue * CKA_LABEL {lie}"))
                        .order(&format!("C_GetTokenInfo * model {lie}"))
                        .order(&format!("C_GetInfo * description {lie}")),
                );
                let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
                assert!(
                    module
                        .list()
                        .unwrap()
                        .iter()
                        .any(|listed| listed.id == token)
                );
                let keys = module.keys(&token).unwrap();
                assert_eq!(keys.len(), 1, "{lie}");
                assert_ne!(keys[0].label, key.label, "{lie}");
                assert_eq!(keys[0].public, key.public, "{lie}");
            }
        },
    );
}

#[test]
fn reading_is_begun_anew_once_after_each_code_of_a_lost_token() {
    in_own_process(
        "pkcs11::requests::reading_is_begun_anew_once_after_each_code_of_a_lost_token",
        |folder| {
            let (shim, module, token, key) = behind(folder, &Shim::plan(), EcdsaP256);
            drop(module);
            for code in [
                "CKR_DEVICE_REMOVED",
                "CKR_DEVICE_ERROR",
                "CKR_TOKEN_NOT_PRESENT",
                "CKR_SESSION_HANDLE_INVALID",
                "CKR_OBJECT_HANDLE_INVALID",
                "CKR_KEY_HANDLE_INVALID",
                "CKR_GENERAL_ERROR",
            ] {
                shim.replan(&Shim::plan().fault("C_GetAttributeValue", "3", code));
                let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
                assert_eq!(module.keys(&token).unwrap()[0].public, key.public, "{code}");
                let log = shim.log();
                assert_eq!(
                    (log.count("C_OpenSession"), log.broken().len()),
                    (2, 1),
                    "{code}"
                );
                drop(module);

                // With a login the PIN is asked for again, and not by itself.
                shim.replan(&Shim::plan().fault("C_FindObjectsInit", "2", code));
                let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
                module.login(&token, &secret(PIN)).unwrap();
                let error = module.keys(&token).unwrap_err();
                assert_eq!(error.fault, TokenFault::NotLoggedIn, "{code}");
                assert_eq!(shim.log().logins("user"), 1, "{code}");
                module.login(&token, &secret(PIN)).unwrap();
                assert_eq!(
                    module.keys(&token).unwrap(),
                    std::slice::from_ref(&key),
                    "{code}"
                );
            }
        },
    );
}

#[test]
fn module_with_a_state_for_each_caller_is_refused() {
    in_own_process(
        "pkcs11::requests::module_with_a_state_for_each_caller_is_refused",
        |folder| {
            let shim = Shim::plan()
                .fault("C_GetInfo", "1", "CKR_CRYPTOKI_NOT_INITIALIZED")
                .install(folder);
            let loaded = Pkcs11Module::load("room", shim.module(), None);
            let error = loaded.err().unwrap();
            assert_eq!(error.fault, TokenFault::Module);
            assert_eq!(
                error.said,
                "the module gives each caller a state of its own (as p11-kit-proxy does); name the module behind it"
            );
        },
    );
}
