//! Why a bundle is not accepted: what the library or we found, as one of our rules with what to do.

use sigstore_verify::{CertificateError, Error, TransparencyLogError};

use crate::plain;
use crate::tuf::finding::{Finding, shown};

use super::identity::Identity;

/// Most characters of a reason that comes from outside.
const LONGEST: usize = 300;

/// A reason, by rule; each is the middle of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Bundle(String),
    Chain(String),
    Identity(String),
    Log(String),
    Time(String),
    Signature(String),
    Root(String),
}

impl Fault {
    /// As an error about `file`.
    pub(super) fn finding(self, file: &str) -> Finding {
        let (rule, text) = match self {
            Self::Bundle(reason) => (
                "SIGSTORE-BUNDLE",
                format!(
                    "the Sigstore bundle is none that is taken: {reason}. Ask for the bundle as the signing program wrote it, over the statement itself"
                ),
            ),
            Self::Chain(reason) => (
                "SIGSTORE-CHAIN",
                format!(
                    "no authority of the trusted root vouches for the certificate in the Sigstore bundle: {reason}. Ask which instance of Sigstore signed, and whether the trusted root is of that instance and new enough"
                ),
            ),
            Self::Identity(reason) => (
                "SIGSTORE-IDENTITY",
                format!(
                    "the Sigstore bundle is not by the identity of the key: {reason}. Ask for a bundle by exactly this identity, or for a request that names the right one"
                ),
            ),
            Self::Log(reason) => (
                "SIGSTORE-LOG",
                format!(
                    "no log of the trusted root vouches for what the Sigstore bundle holds: {reason}. Ask for the statement to be signed again, with the log's proof"
                ),
            ),
            Self::Time(reason) => (
                "SIGSTORE-TIME",
                format!(
                    "the time of the signature in the Sigstore bundle cannot stand: {reason}. Ask for the statement to be signed again"
                ),
            ),
            Self::Signature(reason) => (
                "SIGSTORE-SIGNATURE",
                format!(
                    "the Sigstore bundle is no signature over this statement: {reason}. Ask for a bundle over exactly the bytes that the request asks to be signed"
                ),
            ),
            Self::Root(reason) => (
                "SIGSTORE-ROOT",
                format!(
                    "the trusted root cannot be verified with: {reason}. Fetch trusted_root.json with a Sigstore client again"
                ),
            ),
        };
        Finding::error(rule, file, text)
    }

    /// What the library found.
    pub(super) fn of(error: &Error, wanted: &Identity) -> Self {
        let reason = told(&error.to_string());
        match error {
            Error::IdentityMismatch { actual, .. } => Self::Identity(format!(
                "it is by {}, the key is {}",
                actual
                    .as_ref()
                    .map_or("nobody named".into(), |name| shown(name.as_str())),
                shown(&wanted.identity)
            )),
            Error::IssuerMismatch { actual, .. } => Self::Identity(format!(
                "its issuer is {}, the key's is {}",
                actual.as_deref().map_or("not named".into(), shown),
                shown(&wanted.issuer)
            )),
            Error::SignatureInvalid(_) | Error::UnsupportedArtifact(_) | Error::ArtifactRead(_) => {
                Self::Signature(reason)
            }
            Error::Certificate(found) => match found {
                CertificateError::Malformed(_) => Self::Bundle(reason),
                CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => {
                    Self::Time(reason)
                }
                CertificateError::Sct(_) => Self::Log(reason),
                _ => Self::Chain(reason),
            },
            Error::TransparencyLog(TransparencyLogError::IntegratedTime(_))
            | Error::Timestamp(_) => Self::Time(reason),
            // What the bundle itself says of the artifact was compared before; what is left is the log's entry.
            Error::TransparencyLog(_) | Error::ArtifactMismatch(_) => Self::Log(reason),
            Error::Bundle(found) => bundle(found, reason),
            Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
                Self::Root(reason)
            }
            _ => Self::Bundle(reason),
        }
    }
}

/// The form of a bundle is judged before its proofs; a proof that is not there is a matter of the log all the same.
fn bundle(found: &sigstore_verify::bundle::Error, reason: String) -> Fault {
    use sigstore_verify::bundle::Error as Form;
    match found {
        Form::UnsupportedMediaType(_)
        | Form::UnsupportedVerificationMaterial
        | Form::CertificateChainNotAllowed(_) => Fault::Bundle(reason),
        _ => Fault::Log(reason),
    }
}

/// Text of the library, which quotes what it read, made fit for a sentence.
pub(super) fn told(text: &str) -> String {
    let text = plain::escape(text);
    let text = text.trim_end_matches('.');
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    // Escaped text is ASCII, so every byte is a character.
    format!("{} (cut)", &text[..LONGEST])
}
