//! What a PKCS#11 return code means for us, in a sentence of our own. The sentences of the standard are written for programmers ("Some
//! horrible, unrecoverable error has occurred") and never reach a person; the code's name always does, to be looked up.

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

use super::quirks::Quirks;
use super::single::{OBJECTS, SLOTS};
use crate::ceremony::port::{TokenError, TokenFault};

/// The error of a call before which the device signed nothing.
pub(super) fn failed(attempted: &str, error: &Error) -> TokenError {
    if let Error::Pkcs11(RvError::BufferTooSmall, Function::GetSlotList | Function::FindObjects) =
        error
    {
        let said = format!(
            "there are more tokens than {SLOTS} or more objects of a kind than {OBJECTS}, which is as many as are looked at"
        );
        return super::super::failure(attempted, said, TokenFault::Unsupported);
    }
    let (fault, sentence) = match error {
        Error::Pkcs11(_, Function::Initialize | Function::GetInfo) => (
            TokenFault::Module,
            "the module could not be started; see its configuration and arguments",
        ),
        Error::Pkcs11(code, _) => meaning(*code),
        Error::LibraryLoading(_) => (TokenFault::Module, "the module could not be loaded"),
        Error::MissingSymbol(_) => (TokenFault::Module, "the file is not a PKCS#11 module"),
        Error::NullFunctionPointer | Error::NotSupported => (
            TokenFault::Unsupported,
            "the module does not have this function",
        ),
        _ => (
            TokenFault::Other,
            "the module gave an answer that makes no sense",
        ),
    };
    let said = match error {
        Error::Pkcs11(code, _) => format!("{sentence} ({})", name(*code)),
        other => format!("{sentence} ({other})"),
    };
    super::super::failure(attempted, said, fault)
}

/// The error of starting a module without arguments. Some want them and say no more than that they are bad.
pub(super) fn not_started(attempted: &str, error: &Error) -> TokenError {
    let mut failed = failed(attempted, error);
    if matches!(error, Error::Pkcs11(RvError::ArgumentsBad, _)) {
        failed
            .said
            .push_str("; it may want init_args in the room file, as NSS does");
    }
    failed
}

/// The error of a login: a PIN of a form that the token does not take is said so, with the form where it is known.
pub(super) fn login_failed(attempted: &str, error: &Error, quirks: &Quirks) -> TokenError {
    let form = match error {
        Error::Pkcs11(RvError::PinInvalid | RvError::PinLenRange, _) => true,
        Error::Pkcs11(RvError::ArgumentsBad, _) => quirks.arguments_bad_is_pin_form,
        _ => false,
    };
    let (true, Error::Pkcs11(code, _)) = (form, error) else {
        return failed(attempted, error);
    };
    let hint = quirks.pin_form.map(|form| format!(": {form}"));
    let said = format!("{PIN_FORM}{} ({})", hint.unwrap_or_default(), name(*code));
    super::super::failure(attempted, said, TokenFault::PinIncorrect)
}

/// The error of signing. Once `C_Sign` was called only a refusal of the request itself proves that nothing was signed.
pub(super) fn sign_failed(attempted: &str, error: &Error) -> TokenError {
    let may_have_signed = match error {
        // The payload is not handed over yet.
        Error::Pkcs11(_, Function::SignInit | Function::Login) | Error::NullFunctionPointer => {
            false
        }
        Error::Pkcs11(code, _) => !refused(*code),
        _ => true,
    };
    TokenError {
        may_have_signed,
        ..failed(attempted, error)
    }
}

/// Whether a session must not be used again after this error of signing: a signature may still be under way in it (PKCS#11 2.40, 5.11), or its
/// module makes things up.
pub(super) fn leaves_a_signature_open(error: &Error) -> bool {
    match error {
        Error::Pkcs11(RvError::BufferTooSmall, Function::Sign) => true,
        Error::Pkcs11(_, function) => matches!(function, Function::Login),
        _ => true,
    }
}

/// Whether the token, its session or its objects may be gone, so that listing and opening again may help.
pub(super) fn is_stale(error: &Error) -> bool {
    matches!(error, Error::Pkcs11(code, _) if lost(*code))
}

fn lost(code: RvError) -> bool {
    use RvError as Rv;
    matches!(
        code,
        Rv::DeviceRemoved
            | Rv::DeviceError
            | Rv::TokenNotPresent
            | Rv::TokenNotRecognized
            | Rv::SlotIdInvalid
            | Rv::SessionHandleInvalid
            | Rv::SessionClosed
            | Rv::ObjectHandleInvalid
            | Rv::KeyHandleInvalid
            | Rv::GeneralError
    )
}

/// Codes that say that the request was not begun.
fn refused(code: RvError) -> bool {
    use RvError as Rv;
    matches!(
        code,
        Rv::ArgumentsBad
            | Rv::DataInvalid
            | Rv::DataLenRange
            | Rv::FunctionNotSupported
            | Rv::KeyHandleInvalid
            | Rv::ObjectHandleInvalid
            | Rv::OperationNotInitialized
            | Rv::PinExpired
            | Rv::SessionHandleInvalid
            | Rv::UserNotLoggedIn
    )
}

const PIN_FORM: &str = "the PIN has a length or characters that the token does not take";

fn meaning(code: RvError) -> (TokenFault, &'static str) {
    use RvError as Rv;
    match code {
        Rv::PinIncorrect => (TokenFault::PinIncorrect, "the PIN is wrong"),
        Rv::PinInvalid | Rv::PinLenRange => (TokenFault::PinIncorrect, PIN_FORM),
        Rv::PinLocked => (
            TokenFault::PinLocked,
            "the PIN is locked after too many wrong ones",
        ),
        Rv::PinExpired => (
            TokenFault::Other,
            "the PIN has expired and must be changed first",
        ),
        Rv::UserPinNotInitialized => (TokenFault::Other, "the token has no user PIN yet"),
        Rv::UserNotLoggedIn => (TokenFault::NotLoggedIn, "the token wants its PIN (again)"),
        Rv::FunctionCanceled | Rv::FunctionRejected => (
            TokenFault::NotLoggedIn,
            "it was cancelled on the token, or a touch was missed",
        ),
        Rv::GeneralError => (
            TokenFault::Removed,
            "the module gave up without a reason; the token may have been taken out",
        ),
        Rv::DeviceError => (TokenFault::Removed, "the token failed or was taken out"),
        code if lost(code) => (TokenFault::Removed, "the token was taken out or changed"),
        Rv::MechanismInvalid
        | Rv::MechanismParamInvalid
        | Rv::CurveNotSupported
        | Rv::DomainParamsInvalid
        | Rv::KeySizeRange
        | Rv::FunctionNotSupported
        | Rv::TemplateInconsistent
        | Rv::AttributeValueInvalid
        | Rv::AttributeTypeInvalid => (
            TokenFault::Unsupported,
            "the token cannot do this with this kind of key",
        ),
        Rv::KeyFunctionNotPermitted | Rv::KeyTypeInconsistent => {
            (TokenFault::Unsupported, "the key is not one for signing")
        }
        Rv::TokenWriteProtected => (TokenFault::Unsupported, "the token is write-protected"),
        Rv::DataLenRange => (
            TokenFault::PayloadTooLarge,
            "the token does not take data of this length",
        ),
        Rv::BufferTooSmall => (
            TokenFault::Other,
            "what the token gives is longer than anything that this program uses",
        ),
        Rv::UserAlreadyLoggedIn | Rv::UserAnotherAlreadyLoggedIn => (
            TokenFault::Other,
            "somebody is logged in to the token and cannot be logged out; close other programs that use it",
        ),
        Rv::SessionExists => (
            TokenFault::Other,
            "another program has the token open; close it",
        ),
        Rv::DeviceMemory => (TokenFault::Other, "the token is full"),
        Rv::HostMemory => (TokenFault::Other, "the machine is out of memory"),
        Rv::CryptokiAlreadyInitialized => (
            TokenFault::Module,
            "the module is in use by this program already",
        ),
        _ => (TokenFault::Other, "the token refused"),
    }
}

/// `CKR_PIN_INCORRECT`, from cryptoki's name `PinIncorrect`.
fn name(code: RvError) -> String {
    let named = match code {
        RvError::VendorDefined(number) => return format!("CKR_VENDOR_DEFINED 0x{number:08x}"),
        RvError::UnknownErrorCode(number) => return format!("unknown code 0x{number:08x}"),
        named => format!("{named:?}"),
    };
    let mut name = String::from("CKR");
    for letter in named.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
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
}
