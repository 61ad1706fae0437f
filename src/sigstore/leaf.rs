//! The signing certificate, as far as it is judged here and not by the library: that it says one thing only.

use data_encoding::BASE64;
use der::oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::tuf::digest::Sha256;

use super::fault::{Fault, told};

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// Fulcio's, docs/oid-info.md: the issuer as bare text, and since 2023 as a `UTF8String`.
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const ISSUER_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");

/// What is known of the certificate before anybody vouched for it.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) sha256: Sha256,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Leaf {
    /// Reads DER. The library takes the first name of several and the newer of two issuers; here there must be one of each.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let unread = |error: der::Error| {
            Fault::Bundle(format!(
                "its certificate cannot be read: {}",
                told(&error.to_string())
            ))
        };
        let certificate = Certificate::from_der(bytes).map_err(unread)?;
        // Written anew it must be the same bytes: then nothing hides in a second spelling.
        if certificate.to_der().map_err(unread)? != bytes {
            let reason = "its certificate is not written in the one way that DER allows";
            return Err(Fault::Bundle(reason.to_owned()));
        }
        let tbs = certificate.tbs_certificate();
        let extensions = tbs.extensions().map_or(&[][..], Vec::as_slice);
        one_of_each(extensions)?;
        one_name(extensions)?;
        one_issuer(extensions)?;
        let time = |time: x509_cert::time::Time| {
            let seconds = time.to_unix_duration().as_secs();
            i64::try_from(seconds)
                .ok()
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .ok_or_else(|| Fault::Bundle("its certificate has a date out of range".to_owned()))
        };
        Ok(Self {
            sha256: Sha256::of(bytes),
            from: time(tbs.validity().not_before)?,
            until: time(tbs.validity().not_after)?,
        })
    }
}

/// RFC 5280, 4.2.
fn one_of_each(extensions: &[Extension]) -> Result<(), Fault> {
    let mut seen = std::collections::BTreeSet::new();
    match extensions.iter().find(|one| !seen.insert(one.extn_id)) {
        Some(twice) => Err(Fault::Bundle(format!(
            "its certificate has the extension {} twice",
            twice.extn_id
        ))),
        None => Ok(()),
    }
}

/// A certificate of Fulcio names one identity. Only e-mail addresses and URIs can be written in a delegation without saying which of the kinds it is.
fn one_name(extensions: &[Extension]) -> Result<(), Fault> {
    let names = value(extensions, SUBJECT_ALT_NAME)
        .and_then(|bytes| SubjectAltName::from_der(bytes).ok())
        .map(|names| names.0)
        .unwrap_or_default();
    match names.as_slice() {
        [GeneralName::Rfc822Name(_) | GeneralName::UniformResourceIdentifier(_)] => Ok(()),
        [_] => Err(Fault::Identity(
            "its certificate names its holder neither by an e-mail address nor by a URI".to_owned(),
        )),
        names => Err(Fault::Identity(format!(
            "its certificate has {} names; exactly one can be compared",
            names.len()
        ))),
    }
}

fn one_issuer(extensions: &[Extension]) -> Result<(), Fault> {
    let (Some(old), Some(new)) = (value(extensions, ISSUER), value(extensions, ISSUER_V2)) else {
        return Ok(());
    };
    let same = der::asn1::Utf8StringRef::from_der(new).is_ok_and(|new| new.as_bytes() == old);
    if same {
        return Ok(());
    }
    Err(Fault::Identity(format!(
        "its certificate names two issuers ({} and {}, in base64)",
        told(&BASE64.encode(old)),
        told(&BASE64.encode(new))
    )))
}

fn value(extensions: &[Extension], oid: ObjectIdentifier) -> Option<&[u8]> {
    let found = extensions.iter().find(|one| one.extn_id == oid)?;
    Some(found.extn_value.as_bytes())
}
