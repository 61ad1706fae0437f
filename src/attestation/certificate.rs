//! One certificate: read strictly, kept with the exact bytes that its issuer signed.

use data_encoding::BASE64;
use der::{Decode as _, Encode as _};
use x509_cert::Version;
use x509_cert::ext::Extension;

use crate::tuf::finding::shown;
use crate::tuf::key::{KeyError, PublicKey};

use super::fault::Fault;

/// Most bytes of one certificate; the largest published one has 1,291.
pub const MOST_BYTES: usize = 8 << 10;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates in a file: DER as it is, or every block of a PEM text in its order, whatever stands between them.
///
/// # Errors
/// `ATTEST-FORM`: PEM without a certificate, with a block that is not ended, or with one that is not base64.
pub fn split(name: &str, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    // DER of a certificate begins with SEQUENCE, which no PEM does.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![bytes.to_vec()]);
    }
    let fault = |reason: &str| Fault::form(shown(name), reason);
    let text = std::str::from_utf8(bytes).map_err(|_| fault("is neither DER nor PEM"))?;
    let mut certificates = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (body, next) = after
            .split_once(END)
            .ok_or_else(|| fault("has a PEM certificate that is not ended"))?;
        let digits: Vec<u8> = body
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let der = BASE64
            .decode(&digits)
            .map_err(|_| fault("has a PEM certificate that is not base64"))?;
        certificates.push(der);
        rest = next;
    }
    if certificates.is_empty() {
        return Err(fault("is neither DER nor PEM with a certificate"));
    }
    Ok(certificates)
}

/// A certificate of the form that the profile knows: X.509 v3, canonical DER, no extension twice, no unknown critical extension.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    der: Vec<u8>,
    signed: Vec<u8>,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    name: String,
    common_name: String,
    issuer_name: String,
    public: Result<PublicKey, KeyError>,
    inner: x509_cert::Certificate,
}

impl Certificate {
    /// `called` names it in faults until its own name is known.
    pub(super) fn parse(called: &str, der: &[u8]) -> Result<Self, Fault> {
        let fault = |reason: String| Fault::form(called, reason);
        if der.len() > MOST_BYTES {
            let reason = format!("has {} bytes; at most {MOST_BYTES} are read", der.len());
            return Err(fault(reason));
        }
        let unread = |error: der::Error| fault(format!("cannot be read as a certificate: {error}"));
        let inner = x509_cert::Certificate::from_der(der).map_err(unread)?;
        // Written anew it must be the same bytes: then what is verified is what was read, and nothing hides in a second spelling.
        if inner.to_der().map_err(unread)? != der {
            return Err(fault(
                "is not written in the one way that DER allows".to_owned(),
            ));
        }
        let tbs = inner.tbs_certificate();
        if tbs.version() != Version::V3 {
            return Err(fault("is not an X.509 certificate of version 3".to_owned()));
        }
        // RFC 5280, 4.1.1.2.
        if tbs.signature() != inner.signature_algorithm() {
            return Err(fault("names two signature algorithms".to_owned()));
        }
        let certificate = Self {
            der: der.to_vec(),
            signed: tbs.to_der().map_err(unread)?,
            subject: tbs.subject().to_der().map_err(unread)?,
            issuer: tbs.issuer().to_der().map_err(unread)?,
            common_name: common_name(tbs.subject()),
            name: called_by(tbs.subject()),
            issuer_name: called_by(tbs.issuer()),
            public: tbs
                .subject_public_key_info()
                .to_der()
                .map_err(unread)
                .map(|spki| PublicKey::from_spki_der(&spki))?,
            inner,
        };
        certificate.check_extensions(called)?;
        Ok(certificate)
    }

    /// RFC 5280, 4.2: none twice, and a critical one that is not understood is refused.
    fn check_extensions(&self, called: &str) -> Result<(), Fault> {
        let extensions = self.extensions();
        for (index, extension) in extensions.iter().enumerate() {
            let oid = extension.extn_id;
            if extensions[..index].iter().any(|other| other.extn_id == oid) {
                return Err(Fault::form(
                    called,
                    format!("has the extension {oid} twice"),
                ));
            }
            if extension.critical && !super::extension::UNDERSTOOD.contains(&oid) {
                let reason = format!("has the critical extension {oid}, which is not understood");
                return Err(Fault::form(called, reason));
            }
        }
        Ok(())
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }
    /// The bytes under the signature.
    pub(super) fn signed(&self) -> &[u8] {
        &self.signed
    }
    pub(super) fn signature(&self) -> Option<&[u8]> {
        self.inner.signature().as_bytes()
    }
    pub(super) fn algorithm(&self) -> &x509_cert::spki::AlgorithmIdentifierOwned {
        self.inner.signature_algorithm()
    }
    pub(super) fn subject(&self) -> &[u8] {
        &self.subject
    }
    pub(super) fn issuer(&self) -> &[u8] {
        &self.issuer
    }
    /// Its common name as it stands there; empty where it has none or several.
    pub(super) fn common_name(&self) -> &str {
        &self.common_name
    }
    /// Its common name for a sentence.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
    pub(super) fn issuer_name(&self) -> &str {
        &self.issuer_name
    }
    pub(super) fn public(&self) -> Result<&PublicKey, &KeyError> {
        self.public.as_ref()
    }
    pub(super) fn extensions(&self) -> &[Extension] {
        self.inner
            .tbs_certificate()
            .extensions()
            .map_or(&[], Vec::as_slice)
    }
}

fn common_name(name: &x509_cert::name::Name) -> String {
    match name.common_name() {
        Ok(Some(text)) if name.len() == 1 => text.value().into_owned(),
        _ => String::new(),
    }
}

fn called_by(name: &x509_cert::name::Name) -> String {
    match common_name(name).as_str() {
        "" => format!("the holder of the name {}", shown(&name.to_string())),
        text => format!("\"{}\"", text.escape_default()),
    }
}
