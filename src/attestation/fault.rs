//! Why an attestation is not accepted: a rule's tag and a sentence that says what was found and what to do.

use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

use super::statement::Product;

/// Why an attestation is not accepted. Text that comes from a certificate is escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No certificate, or far too many.
    #[error(
        "{found} certificates were given; an attestation has between 2 and {}. Give the attestation first, then the device's certificate",
        super::MOST_CERTIFICATES
    )]
    Count {
        /// How many.
        found: usize,
    },
    /// Not a certificate as the profile wants it.
    #[error("{certificate} {reason}; nothing in it was believed. Export it from the device again")]
    Form {
        /// `certificate 2`, or its name.
        certificate: String,
        /// The rest of the sentence.
        reason: String,
    },
    /// Genuine or not, it is about another key.
    #[error(
        "the attestation is for the key with the fingerprint {attested}, not for {expected}; it proves nothing about the latter. Give the attestation that the device made for this key"
    )]
    Key {
        /// SHA-256 of the attested `SubjectPublicKeyInfo`.
        attested: Sha256,
        /// SHA-256 of the wanted one.
        expected: Sha256,
    },
    /// An issuer is not among the certificates, or the path has the wrong shape.
    #[error(
        "the path from {certificate} to a root ends early: {reason}. Give the device's certificate and every certificate between it and the root"
    )]
    Chain {
        /// The certificate below the gap.
        certificate: String,
        /// The rest of the sentence.
        reason: String,
    },
    /// Nobody of the issuer's name signed it.
    #[error(
        "{certificate} names {issuer} as its issuer, but no certificate of that name signed it; it was changed, or it comes from another device. Export both certificates from the same device again"
    )]
    Signature {
        /// The certificate.
        certificate: String,
        /// Its issuer.
        issuer: String,
    },
    /// It vouches for itself.
    #[error(
        "{certificate} is signed by itself and is no root of the maker; anybody can make such a certificate. Find out where it comes from before the device is used"
    )]
    SelfSigned {
        /// The certificate.
        certificate: String,
    },
    /// Its issuer had no right to issue it.
    #[error(
        "{issuer} signed {certificate}, but may not: {reason}; somebody used an ordinary key to sign an attestation. Find out who before the device is used"
    )]
    Authority {
        /// The certificate.
        certificate: String,
        /// Its issuer.
        issuer: String,
        /// Why it may not.
        reason: String,
    },
    /// Signed in a way that no genuine device signs.
    #[error(
        "{certificate} is signed with the algorithm {algorithm}; genuine ones use RSA PKCS #1 v1.5 with SHA-256 or ECDSA on P-256 or P-384"
    )]
    Algorithm {
        /// The certificate.
        certificate: String,
        /// The object identifier, or a name.
        algorithm: String,
    },
    /// A root that vouches for other devices.
    #[error(
        "the attestation is of a {product}, but {anchor} with the certificates given vouches for no such device"
    )]
    Product {
        /// What the attestation says.
        product: Product,
        /// The root.
        anchor: String,
    },
    /// Two devices in one attestation.
    #[error(
        "the attestation says serial number {attestation}, the device's certificate {device}; they are of two devices"
    )]
    Serial {
        /// In the attestation.
        attestation: u32,
        /// In the device's certificate.
        device: u32,
    },
    /// The key was not made in the device, or was outside since.
    #[error(
        "the key was not made in the device and kept there: its origin is {origin}; copies may exist. Make a new key in the device"
    )]
    Origin {
        /// In words.
        origin: String,
    },
    /// The key may leave the device, or do more than sign.
    #[error("the key may do more than sign: {}. Make a new key that has the capabilities sign-ecdsa, sign-eddsa, sign-pkcs or sign-pss only", .found.join(", "))]
    Capability {
        /// Names of what is too much; `exportable-under-wrap` lets copies leave the device.
        found: Vec<String>,
    },
}

impl Fault {
    pub(super) fn form(certificate: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Form {
            certificate: certificate.into(),
            reason: reason.into(),
        }
    }

    /// The rule's tag.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Count { .. } | Self::Form { .. } => "ATTEST-FORM",
            Self::Key { .. } => "ATTEST-KEY",
            Self::Chain { .. } => "ATTEST-CHAIN",
            Self::Signature { .. } => "ATTEST-SIGNATURE",
            Self::SelfSigned { .. } => "ATTEST-SELF-SIGNED",
            Self::Authority { .. } => "ATTEST-AUTHORITY",
            Self::Algorithm { .. } => "ATTEST-ALGORITHM",
            Self::Product { .. } => "ATTEST-PRODUCT",
            Self::Serial { .. } => "ATTEST-SERIAL",
            Self::Origin { .. } => "ATTEST-ORIGIN",
            Self::Capability { .. } => "ATTEST-CAPABILITY",
        }
    }

    /// As an error about `file`.
    pub fn finding(&self, file: &str) -> Finding {
        Finding::error(self.rule(), file, self.to_string())
    }
}
