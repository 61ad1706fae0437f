//! What an error of the crate `yubikey` or of PC/SC means for us, in a sentence of our own; the error's name follows, to be looked up.

use std::panic::{AssertUnwindSafe, catch_unwind};

use yubikey::Error;

use crate::ceremony::port::{TokenError, TokenFault};
use crate::token::failure;

/// Runs a call of the crate, which reads some answers of a card by fixed positions and panics where one is shorter. Any card in any reader is asked, so
/// such an answer is an error like others.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Error::ParseError))
}

/// The error of a call before which the card signed nothing.
pub(super) fn failed(attempted: &str, error: &Error) -> TokenError {
    let (fault, sentence) = meaning(error);
    let said = match error {
        Error::PcscError { inner: Some(code) } => format!("{sentence} (PC/SC: {code:?})"),
        other => format!("{sentence} ({other})"),
    };
    failure(attempted, said, fault)
}

/// The error of a signing command: only a refusal for want of PIN or touch proves that nothing was signed.
pub(super) fn sign_failed(attempted: &str, error: &Error) -> TokenError {
    TokenError {
        may_have_signed: *error != Error::AuthenticationError,
        ..failed(attempted, error)
    }
}

/// Whether the connection with the card is gone, so that only opening it again helps.
pub(super) fn is_lost(error: &Error) -> bool {
    matches!(error, Error::PcscError { .. })
        && matches!(meaning(error).0, TokenFault::Removed | TokenFault::Module)
}

fn meaning(error: &Error) -> (TokenFault, &'static str) {
    match error {
        Error::PcscError { inner: Some(code) } => pcsc(*code),
        Error::PcscError { inner: None } => (TokenFault::Other, "the smart card service gave up"),
        Error::WrongPin { .. } => (TokenFault::PinIncorrect, "the PIN is wrong"),
        Error::PinLocked => (
            TokenFault::PinLocked,
            "it is locked after too many wrong ones",
        ),
        Error::AuthenticationError => (TokenFault::NotLoggedIn, "the token wants its PIN (again)"),
        Error::NotFound => (TokenFault::Removed, "the token is not plugged in"),
        Error::AlgorithmError | Error::NotSupported => {
            (TokenFault::Unsupported, "the token cannot do this")
        }
        Error::ParseError | Error::InvalidObject | Error::KeyError | Error::SizeError => (
            TokenFault::Other,
            "the token gave an answer that makes no sense",
        ),
        _ => (TokenFault::Other, "the token refused"),
    }
}

fn pcsc(code: pcsc::Error) -> (TokenFault, &'static str) {
    use pcsc::Error as Pcsc;
    match code {
        Pcsc::RemovedCard
        | Pcsc::NoSmartcard
        | Pcsc::UnpoweredCard
        | Pcsc::UnresponsiveCard
        | Pcsc::UnsupportedCard
        | Pcsc::ReaderUnavailable
        | Pcsc::UnknownReader
        | Pcsc::NoReadersAvailable
        | Pcsc::NotTransacted
        | Pcsc::InvalidHandle => (TokenFault::Removed, "the token was taken out"),
        Pcsc::ResetCard => (
            TokenFault::Removed,
            "another program reset the token, or it was taken out and put back",
        ),
        Pcsc::NoService
        | Pcsc::ServiceStopped
        | Pcsc::ServerTooBusy
        | Pcsc::CommError
        | Pcsc::Shutdown => (
            TokenFault::Module,
            "the smart card service (pcscd) does not run or stopped",
        ),
        Pcsc::SharingViolation => (
            TokenFault::Other,
            "another program holds the token for itself; end that program",
        ),
        Pcsc::SecurityViolation => (
            TokenFault::Module,
            "the smart card service does not let this user in (polkit)",
        ),
        _ => (TokenFault::Other, "the smart card service gave up"),
    }
}

#[cfg(test)]
mod tests {
    use pcsc::Error as Pcsc;
    use yubikey::Error;

    use super::{failed, guarded, is_lost, sign_failed};
    use crate::ceremony::port::TokenFault;

    fn of(code: Pcsc) -> Error {
        Error::PcscError { inner: Some(code) }
    }

    #[test]
    fn every_error_is_a_plain_sentence_with_its_name() {
        for (error, fault, said) in [
            (
                of(Pcsc::RemovedCard),
                TokenFault::Removed,
                "the token was taken out (PC/SC: RemovedCard)",
            ),
            (
                of(Pcsc::ResetCard),
                TokenFault::Removed,
                "another program reset the token, or it was taken out and put back (PC/SC: ResetCard)",
            ),
            (
                of(Pcsc::NoService),
                TokenFault::Module,
                "the smart card service (pcscd) does not run or stopped (PC/SC: NoService)",
            ),
            (
                of(Pcsc::SharingViolation),
                TokenFault::Other,
                "another program holds the token for itself; end that program (PC/SC: SharingViolation)",
            ),
            (
                Error::WrongPin { tries: 2 },
                TokenFault::PinIncorrect,
                "the PIN is wrong (wrong pin)",
            ),
            (
                Error::AlgorithmError,
                TokenFault::Unsupported,
                "the token cannot do this (algorithm error)",
            ),
            (
                Error::GenericError,
                TokenFault::Other,
                "the token refused (generic error)",
            ),
        ] {
            let failed = failed("try", &error);
            assert_eq!((failed.fault, failed.said.as_str()), (fault, said));
            assert!(!failed.may_have_signed);
        }
    }

    #[test]
    fn only_a_refusal_proves_that_nothing_was_signed() {
        for (error, may_have_signed) in [
            (Error::AuthenticationError, false),
            (Error::GenericError, true),
            (Error::ParseError, true),
            (of(Pcsc::RemovedCard), true),
            (of(Pcsc::CommError), true),
        ] {
            assert_eq!(
                sign_failed("sign", &error).may_have_signed,
                may_have_signed,
                "{error:?}"
            );
        }
    }

    #[test]
    fn only_a_lost_connection_is_worth_opening_again() {
        assert!(is_lost(&of(Pcsc::RemovedCard)) && is_lost(&of(Pcsc::ServiceStopped)));
        assert!(!is_lost(&Error::AuthenticationError) && !is_lost(&Error::NotFound));
    }

    #[test]
    fn answer_that_is_too_short_for_the_crate_is_an_error() {
        let answer: &[u8] = &[];
        let error = guarded(|| Ok(answer[0])).err();
        assert_eq!(error, Some(Error::ParseError));
    }
}
