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
        | Rv::AttributeReadOnly
        | Rv::AttributeTypeInvalid => (
            TokenFault::Unsupported,
            "the token cannot do this with this kind of key",
        ),
        Rv::KeyFunctionNotPermitted | Rv::KeyTypeInconsistent => {
            (TokenFault::Unsupported, "the key is not one for signing")
        }
        Rv::KeyUnextractable => (TokenFault::Unsupported, crate::token::STAYS),
        Rv::KeyNotWrappable => (
            TokenFault::Unsupported,
            "the token does not wrap this key under this wrap key",
        ),
        Rv::WrappedKeyInvalid | Rv::WrappedKeyLenRange => (
            TokenFault::Other,
            "the wrapped key is damaged, or was wrapped under another key",
        ),
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
mod tests;
