//! What a PKCS#11 return code means for us, in a sentence of our own. The sentences of the standard are written for programmers ("Some
//! horrible, unrecoverable error has occurred") and never reach a person; the code's name always does, to be looked up.

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

use crate::ceremony::port::{TokenError, TokenFault};

/// The error of a call before which the device signed nothing.
pub(super) fn failed(attempted: &str, error: &Error) -> TokenError {
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

/// The error of signing. Once `C_Sign` was called only a refusal of the request itself proves that nothing was signed.
pub(super) fn sign_failed(attempted: &str, error: &Error) -> TokenError {
    let may_have_signed = match error {
        // The payload is not handed over yet.
        Error::Pkcs11(_, Function::SignInit) | Error::NullFunctionPointer => false,
        Error::Pkcs11(code, _) => !refused(*code),
        _ => true,
    };
    TokenError {
        may_have_signed,
        ..failed(attempted, error)
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

fn meaning(code: RvError) -> (TokenFault, &'static str) {
    use RvError as Rv;
    match code {
        Rv::PinIncorrect => (TokenFault::PinIncorrect, "the PIN is wrong"),
        Rv::PinInvalid | Rv::PinLenRange => (
            TokenFault::PinIncorrect,
            "the PIN has a length or characters that the token does not take",
        ),
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

    use super::{failed, is_stale, sign_failed};
    use crate::ceremony::port::TokenFault;

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
}
