use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

use super::{failed, is_stale, leaves_a_signature_open, login_failed, sign_failed};
use crate::ceremony::port::TokenFault;
use crate::token::pkcs11::quirks::Quirks;

#[test]
fn every_code_is_a_plain_sentence_with_its_name() {
    use TokenFault as Fault;
    for (code, function, fault, said) in [
        (
            RvError::PinIncorrect,
            Function::Login,
            Fault::PinIncorrect,
            "the PIN is wrong (CKR_PIN_INCORRECT)",
        ),
        (
            RvError::PinLocked,
            Function::Login,
            Fault::PinLocked,
            "the PIN is locked after too many wrong ones (CKR_PIN_LOCKED)",
        ),
        (
            RvError::UserNotLoggedIn,
            Function::Sign,
            Fault::NotLoggedIn,
            "the token wants its PIN (again) (CKR_USER_NOT_LOGGED_IN)",
        ),
        (
            RvError::DeviceRemoved,
            Function::FindObjects,
            Fault::Removed,
            "the token was taken out or changed (CKR_DEVICE_REMOVED)",
        ),
        (
            RvError::GeneralError,
            Function::FindObjects,
            Fault::Removed,
            "the module gave up without a reason; the token may have been taken out (CKR_GENERAL_ERROR)",
        ),
        (
            RvError::GeneralError,
            Function::Initialize,
            Fault::Module,
            "the module could not be started; see its configuration and arguments (CKR_GENERAL_ERROR)",
        ),
        (
            RvError::MechanismInvalid,
            Function::GenerateKeyPair,
            Fault::Unsupported,
            "the token cannot do this with this kind of key (CKR_MECHANISM_INVALID)",
        ),
        (
            RvError::DataLenRange,
            Function::Sign,
            Fault::PayloadTooLarge,
            "the token does not take data of this length (CKR_DATA_LEN_RANGE)",
        ),
        (
            RvError::RandomNoRng,
            Function::GenerateKeyPair,
            Fault::Other,
            "the token refused (CKR_RANDOM_NO_RNG)",
        ),
        (
            RvError::VendorDefined(0x8000_0001),
            Function::Sign,
            Fault::Other,
            "the token refused (CKR_VENDOR_DEFINED 0x80000001)",
        ),
    ] {
        let error = failed("try", &Error::Pkcs11(code, function));
        assert_eq!((error.fault, error.said.as_str()), (fault, said));
        assert!(!error.may_have_signed);
    }
}

#[test]
fn after_the_request_only_a_refusal_proves_that_nothing_was_signed() {
    for (code, function, may_have_signed) in [
        (RvError::DeviceRemoved, Function::Sign, true),
        (RvError::DeviceError, Function::Sign, true),
        (RvError::GeneralError, Function::Sign, true),
        (RvError::FunctionFailed, Function::Sign, true),
        (RvError::FunctionCanceled, Function::Sign, true),
        (RvError::VendorDefined(0x8000_0001), Function::Sign, true),
        (RvError::UserNotLoggedIn, Function::Sign, false),
        (RvError::DataLenRange, Function::Sign, false),
        (RvError::BufferTooSmall, Function::Sign, true),
        (RvError::PinIncorrect, Function::Login, false),
        (RvError::GeneralError, Function::SignInit, false),
        (RvError::DeviceRemoved, Function::SignInit, false),
    ] {
        let error = sign_failed("sign", &Error::Pkcs11(code, function));
        assert_eq!(
            error.may_have_signed, may_have_signed,
            "{code:?} {function:?}"
        );
    }
}

#[test]
fn only_codes_of_a_lost_token_are_worth_opening_it_again() {
    for (code, stale) in [
        (RvError::DeviceRemoved, true),
        (RvError::SessionHandleInvalid, true),
        (RvError::PinIncorrect, false),
        (RvError::PinLocked, false),
        (RvError::UserNotLoggedIn, false),
        (RvError::MechanismInvalid, false),
    ] {
        assert_eq!(
            is_stale(&Error::Pkcs11(code, Function::FindObjects)),
            stale,
            "{code:?}"
        );
    }
    assert!(!is_stale(&Error::NullFunctionPointer));
}

#[test]
fn bad_arguments_of_a_login_are_a_pins_form_where_the_module_means_it_so() {
    let error = Error::Pkcs11(RvError::ArgumentsBad, Function::Login);
    let ykcs11 = Quirks::of("Yubico: PKCS#11 PIV Library (SP-800-73) 2.20", "");
    let said = login_failed("log in", &error, ykcs11);
    assert_eq!(said.fault, TokenFault::PinIncorrect);
    assert_eq!(
        said.said,
        "the PIN has a length or characters that the token does not take: a YubiKey's PIN has 6 to 8 characters (CKR_ARGUMENTS_BAD)"
    );
    let said = login_failed("log in", &error, Quirks::of("another", ""));
    assert_eq!(
        (said.fault, said.said.as_str()),
        (TokenFault::Other, "the token refused (CKR_ARGUMENTS_BAD)")
    );
    let short = Error::Pkcs11(RvError::PinLenRange, Function::Login);
    let said = login_failed("log in", &short, Quirks::of("another", ""));
    assert_eq!(
        said.said,
        "the PIN has a length or characters that the token does not take (CKR_PIN_LEN_RANGE)"
    );
}

#[test]
fn too_many_are_refused_in_a_sentence() {
    for function in [Function::GetSlotList, Function::FindObjects] {
        let error = failed("list", &Error::Pkcs11(RvError::BufferTooSmall, function));
        assert_eq!(error.fault, TokenFault::Unsupported);
        assert_eq!(
            error.said,
            "there are more tokens than 64 or more objects of a kind than 4096, which is as many as are looked at"
        );
    }
}

#[test]
fn session_with_a_signature_under_way_is_not_used_again() {
    for (code, function, open) in [
        (RvError::BufferTooSmall, Function::Sign, true),
        (RvError::PinIncorrect, Function::Login, true),
        (RvError::DataLenRange, Function::Sign, false),
        (RvError::MechanismInvalid, Function::SignInit, false),
    ] {
        assert_eq!(
            leaves_a_signature_open(&Error::Pkcs11(code, function)),
            open,
            "{code:?} {function:?}"
        );
    }
    assert!(leaves_a_signature_open(&Error::InvalidValue));
}
