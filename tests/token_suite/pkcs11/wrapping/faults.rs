//! A backup or a restore that breaks in the middle: said, and nothing left on the token.

use super::super::super::stage;
use super::super::shim::{Plan, Shim};
use super::{
    EcdsaP256, Message, Module as _, ObjectClass, PIN, Path, SO_PIN, SOFTHSM, Secret, Session,
    TokenFault, TokenId, TokenKey, beside, in_own_process, logged_in, may_leave, objects, secret,
    softhsm, wrap,
};
use tuf_ceremony::token::pkcs11::Pkcs11Module;

/// A token with a key that may leave, behind the shim.
struct Scene {
    shim: Shim,
    module: Pkcs11Module,
    token: TokenId,
    key: TokenKey,
    wrap_key: Secret,
    /// Of nobody who is logged in while the module is not.
    beside: Session,
}

impl Scene {
    fn set(folder: &Path, plan: &Plan) -> Self {
        let mut unshimmed = softhsm();
        let token = logged_in(&mut unshimmed, "one");
        let key = may_leave(&mut unshimmed, &token, "root", EcdsaP256);
        drop(unshimmed);
        let shim = plan.install(folder);
        let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
        module.list().unwrap();
        Self {
            shim,
            module,
            token,
            key,
            wrap_key: Secret::random(32).unwrap(),
            beside: beside(SOFTHSM, "one"),
        }
    }

    fn wrap(&mut self) -> Result<Vec<u8>, tuf_ceremony::ceremony::port::TokenError> {
        wrap(&mut self.module, &self.token, &self.key, &self.wrap_key)
    }

    /// Wrap keys, in any session, before and after a login.
    fn wrap_keys(&mut self) -> usize {
        let public = objects(&self.beside, ObjectClass::SECRET_KEY).len();
        self.module.login(&self.token, &secret(PIN)).unwrap();
        let all = objects(&self.beside, ObjectClass::SECRET_KEY).len();
        assert!(all >= public);
        all
    }

    /// Nobody is logged in, no wrap key is there, and the key is the only one.
    fn is_clean(&mut self) {
        assert_eq!(objects(&self.beside, ObjectClass::PRIVATE_KEY), []);
        assert_eq!(self.wrap_keys(), 0);
        assert_eq!(objects(&self.beside, ObjectClass::PRIVATE_KEY).len(), 1);
        let keys = self.module.keys(&self.token).unwrap();
        assert_eq!(keys, std::slice::from_ref(&self.key));
        let signature = self.module.sign(&self.token, &self.key, b"message");
        signature.unwrap();
    }
}

pub(super) fn wraps_once(folder: &Path) {
    let mut scene = Scene::set(folder, &Shim::plan());
    scene.wrap().unwrap();
    let log = scene.shim.log();
    assert_eq!((log.logins("so"), log.logins("user")), (1, 1));
    assert_eq!(
        (log.count("C_WrapKey"), log.count("C_CreateObject")),
        (1, 1)
    );
    assert_eq!(log.count("C_DestroyObject"), 1);
    scene.is_clean();
}

/// A backup that `fault` breaks at a call: told in these words, and nothing is left.
fn broken(
    test: &str,
    function: &'static str,
    calls: &'static str,
    what: &'static str,
    said: &'static str,
) {
    stage::in_own_process(test, stage::prepare_softhsm, |folder| {
        let plan = Shim::plan().fault(function, calls, what);
        let mut scene = Scene::set(folder, &plan);
        let error = scene.wrap().unwrap_err();
        let serial = &scene.token.serial;
        assert_eq!(error.to_string(), said.replace("SERIAL", serial));
        assert!(!error.may_have_signed);
        assert!(!scene.shim.log().broken().is_empty());
        scene.is_clean();
        scene.wrap().unwrap();
        scene.is_clean();
    });
}

/// One test a fault.
macro_rules! broken {
    ($($name:ident: $function:literal $calls:literal $what:literal $said:literal;)*) => { $(
        #[test]
        fn $name() {
            let test = concat!("pkcs11::wrapping::faults::", stringify!($name));
            broken(test, $function, $calls, $what, $said);
        }
    )* };
}

broken! {
    officer_who_cannot_log_in: "C_Login" "1" "CKR_FUNCTION_FAILED"
        "log in to token SERIAL with the SO PIN: the token refused (CKR_FUNCTION_FAILED)";
    user_who_cannot_log_in: "C_Login" "2" "CKR_PIN_INCORRECT"
        "log in to token SERIAL with the user's PIN: the PIN is wrong (CKR_PIN_INCORRECT)";
    officer_who_cannot_log_out: "C_Logout" "1" "CKR_FUNCTION_FAILED"
        "back up key \"root\" of token SERIAL: the token refused (CKR_FUNCTION_FAILED)";
    wrap_key_that_is_refused: "C_CreateObject" "1" "CKR_DEVICE_MEMORY"
        "back up key \"root\" of token SERIAL: the token is full (CKR_DEVICE_MEMORY)";
    wrap_key_that_is_brought_in_and_not_told: "C_CreateObject" "1" "after CKR_DEVICE_ERROR"
        "back up key \"root\" of token SERIAL: the token failed or was taken out (CKR_DEVICE_ERROR)";
    wrapping_that_is_refused: "C_WrapKey" "1" "CKR_KEY_NOT_WRAPPABLE"
        "back up key \"root\" of token SERIAL: the token does not wrap this key under this wrap key (CKR_KEY_NOT_WRAPPABLE)";
    wrapping_that_is_not_told: "C_WrapKey" "1" "after CKR_DEVICE_ERROR"
        "back up key \"root\" of token SERIAL: the token failed or was taken out (CKR_DEVICE_ERROR)";
}

/// A token that trusts no objects of sessions.
fn objects_of_the_token(plan: Plan) -> Plan {
    plan.fault("C_CreateObject", "1", "CKR_TEMPLATE_INCONSISTENT")
}

#[test]
fn wrap_key_that_must_be_an_object_of_the_token_is_taken_off_it() {
    in_own_process(
        "pkcs11::wrapping::faults::wrap_key_that_must_be_an_object_of_the_token_is_taken_off_it",
        |folder| {
            let mut scene = Scene::set(folder, &objects_of_the_token(Shim::plan()));
            scene.wrap().unwrap();
            assert_eq!(scene.shim.log().count("C_CreateObject"), 2);
            scene.is_clean();
        },
    );
}

#[test]
fn wrap_key_on_the_token_is_taken_off_after_a_wrong_pin_too() {
    in_own_process(
        "pkcs11::wrapping::faults::wrap_key_on_the_token_is_taken_off_after_a_wrong_pin_too",
        |folder| {
            let mut scene = Scene::set(folder, &objects_of_the_token(Shim::plan()));
            let wrong = scene.module.wrap(
                &scene.token,
                &scene.key,
                &scene.wrap_key,
                &secret(SO_PIN),
                &secret("not-the-PIN"),
            );
            assert_eq!(wrong.unwrap_err().fault, TokenFault::PinIncorrect);
            assert_eq!(scene.shim.log().count("C_CreateObject"), 2);
            scene.is_clean();
        },
    );
}

#[test]
fn wrap_key_that_stays_on_the_token_is_said_and_removed_by_the_next_backup() {
    in_own_process(
        "pkcs11::wrapping::faults::wrap_key_that_stays_on_the_token_is_said_and_removed_by_the_next_backup",
        |folder| {
            let plan = objects_of_the_token(Shim::plan());
            let plan = plan.fault("C_DestroyObject", "1", "CKR_FUNCTION_FAILED");
            let mut scene = Scene::set(folder, &plan);
            let error = scene.wrap().unwrap_err();
            assert_eq!(
                error.said,
                "the wrap key \"tuf-ceremony wrap key\" could not be removed from the token (the token refused (CKR_FUNCTION_FAILED)); it is removed when a key of it is backed up again"
            );
            assert_eq!(scene.wrap_keys(), 1);
            scene.wrap().unwrap();
            scene.is_clean();
        },
    );
}

#[test]
fn wrap_key_of_a_run_that_was_cut_short_is_removed_first() {
    in_own_process(
        "pkcs11::wrapping::faults::wrap_key_of_a_run_that_was_cut_short_is_removed_first",
        |folder| {
            let plan = objects_of_the_token(Shim::plan());
            let plan = plan.fault("C_CreateObject", "2", "after CKR_DEVICE_ERROR");
            let mut scene = Scene::set(folder, &plan);
            scene.wrap().unwrap_err();
            assert_eq!(scene.wrap_keys(), 1);
            scene.wrap().unwrap();
            scene.is_clean();
        },
    );
}

/// A restore, or one signature with a backup, that a fault breaks: an error, and nothing is left.
fn broken_way_back(
    test: &str,
    function: &'static str,
    calls: &'static str,
    what: &'static str,
    restore: bool,
) {
    stage::in_own_process(test, stage::prepare_softhsm, |folder| {
        // Of a backup's own two calls: C_CreateObject 1, C_DestroyObject 1.
        let plan = Shim::plan().fault(function, calls, what);
        let mut scene = Scene::set(folder, &plan);
        let blob = scene.wrap().unwrap();
        scene.module.login(&scene.token, &secret(PIN)).unwrap();
        let (token, wrap_key, public) = (&scene.token, &scene.wrap_key, &scene.key.public);
        if restore {
            let restored = scene
                .module
                .unwrap(token, &blob, wrap_key, "restored", public);
            restored.unwrap_err();
        } else {
            let message = Message::of(EcdsaP256, b"message");
            let signature = scene
                .module
                .sign_wrapped(token, &blob, wrap_key, public, &message);
            // A session that does not let go of an object is closed; the signature is one.
            assert_eq!(
                signature.is_ok(),
                function == "C_DestroyObject" && calls == "3"
            );
        }
        assert!(!scene.shim.log().broken().is_empty());
        scene.is_clean();
        // And it works when it is tried again.
        scene.module.login(&scene.token, &secret(PIN)).unwrap();
        let (token, wrap_key, public) = (&scene.token, &scene.wrap_key, &scene.key.public);
        let restored = scene
            .module
            .unwrap(token, &blob, wrap_key, "restored", public);
        let restored = restored.unwrap();
        scene.module.sign(token, &restored, b"message").unwrap();
    });
}

macro_rules! broken_way_back {
    ($($name:ident: $function:literal $calls:literal $what:literal $restore:literal;)*) => { $(
        #[test]
        fn $name() {
            let test = concat!("pkcs11::wrapping::faults::", stringify!($name));
            broken_way_back(test, $function, $calls, $what, $restore);
        }
    )* };
}

broken_way_back! {
    restore_without_a_wrap_key: "C_CreateObject" "2" "CKR_DEVICE_MEMORY" true;
    restore_with_a_wrap_key_that_is_not_told: "C_CreateObject" "2" "after CKR_DEVICE_ERROR" true;
    restore_that_is_refused: "C_UnwrapKey" "1" "CKR_FUNCTION_FAILED" true;
    restore_whose_wrap_key_stays: "C_DestroyObject" "2" "CKR_FUNCTION_FAILED" true;
    restore_without_its_public_half: "C_CreateObject" "3" "CKR_DEVICE_MEMORY" true;
    trial_without_a_wrap_key: "C_CreateObject" "2" "CKR_DEVICE_MEMORY" false;
    trial_that_is_refused: "C_UnwrapKey" "1" "CKR_FUNCTION_FAILED" false;
    trial_whose_key_is_not_told: "C_UnwrapKey" "1" "after CKR_DEVICE_ERROR" false;
    trial_whose_wrap_key_stays: "C_DestroyObject" "2" "CKR_FUNCTION_FAILED" false;
    trial_whose_key_stays: "C_DestroyObject" "3" "CKR_FUNCTION_FAILED" false;
    trial_that_does_not_sign: "C_Sign" "1" "CKR_FUNCTION_FAILED" false;
}

#[test]
fn restored_key_whose_halves_do_not_go_again_is_said() {
    in_own_process(
        "pkcs11::wrapping::faults::restored_key_whose_halves_do_not_go_again_is_said",
        |folder| {
            let plan = Shim::plan()
                .fault("C_CreateObject", "3", "CKR_DEVICE_MEMORY")
                .fault("C_DestroyObject", "3", "CKR_FUNCTION_FAILED");
            let mut scene = Scene::set(folder, &plan);
            let blob = scene.wrap().unwrap();
            scene.module.login(&scene.token, &secret(PIN)).unwrap();
            let (token, public) = (&scene.token, &scene.key.public);
            let error = scene
                .module
                .unwrap(token, &blob, &scene.wrap_key, "restored", public)
                .unwrap_err();
            assert_eq!(
                error.said,
                "the token is full (CKR_DEVICE_MEMORY); and what had been restored could not be removed again (the token refused (CKR_FUNCTION_FAILED)): look at the token's keys"
            );
        },
    );
}
