//! The path from an attestation to a root, by a profile of our own.
//!
//! Strict X.509 validators refuse genuine chains, so none is used. What genuine certificates do, and what is made of it here:
//!
//! - Device certificates have no keyUsage, which RFC 5280, 4.2.1.3 wants of every issuer (`openssl verify -x509_strict`, error
//!   92): keyUsage is judged where it is present. basicConstraints with cA is demanded of every issuer without exception,
//!   because attested keys can sign anything, also something that looks like an attestation.
//! - The PIV root's basicConstraints are not critical (error 89): criticality is not judged.
//! - Attestations and device certificates of a YubiKey have neither key identifiers nor names that differ: every one is called
//!   "Yubico PIV Attestation". The issuer is therefore the certificate of the right name whose key verifies the signature.
//!   Nor is the certificate one device's: every YubiKey of a batch has it and its key (serials 14454335 and 15422467 do), so it
//!   says who made the device, and only the serial number says which device it is.
//! - Intermediates of 2025 leave out the NULL parameters of RSA: see `signature`.
//! - The dates of an attestation are copied from the device certificate, which has them from before the device was made
//!   (2016 or 2017 to 2052, 2071 or 9999). They tell nothing of the key, the device has no clock, and no revocation list
//!   is published; so dates are not judged, and a verdict is the same in ten years.

use crate::tuf::digest::Sha256;

use super::anchors::{Anchors, Root, Vouches};
use super::certificate::Certificate;
use super::extension::why_not_issue;
use super::fault::Fault;
use super::signature;
use super::statement::{AnchorUsed, Product};

/// Most certificates below the root: attestation, device, and the three that Attestation Root 1 allows.
const LONGEST: usize = 5;

/// A verified path.
#[derive(Debug)]
pub(super) struct Path<'a> {
    /// From the attestation up; the root is not in it.
    below: Vec<&'a Certificate>,
    root: &'a Root,
}

impl<'a> Path<'a> {
    /// The path from `leaf` over certificates of `given` and of `anchors` to a root of `anchors`.
    pub(super) fn build(
        leaf: &'a Certificate,
        given: &'a [Certificate],
        anchors: &'a Anchors,
    ) -> Result<Self, Fault> {
        let mut below = vec![leaf];
        loop {
            match issuer(&below, given, anchors)? {
                Issuer::Root(root) => {
                    let path = Self { below, root };
                    return path.has_device(anchors).map(|()| path);
                }
                Issuer::Certificate(certificate) => below.push(certificate),
            }
        }
    }

    /// Whether an intermediate chains to a root over `given` and `anchors`; it may itself stand `below` nothing but a device.
    pub(super) fn of_intermediate(
        certificate: &'a Certificate,
        given: &'a [Certificate],
        anchors: &'a Anchors,
    ) -> Result<(), Fault> {
        if let Some(reason) = why_not_issue(certificate, 0) {
            let name = certificate.name().to_owned();
            return Err(Fault::form(name, format!("is no intermediate: {reason}")));
        }
        let mut below = vec![certificate];
        while let Issuer::Certificate(issuer) = issuer(&below, given, anchors)? {
            below.push(issuer);
        }
        Ok(())
    }

    /// A device stands between the attestation and the makers' certificates: they never attest a key themselves.
    fn has_device(&self, anchors: &Anchors) -> Result<(), Fault> {
        match self.below.get(1) {
            Some(device)
                if !anchors
                    .intermediates()
                    .any(|known| known.der() == device.der()) =>
            {
                Ok(())
            }
            _ => Err(Fault::Chain {
                certificate: self.leaf().name().to_owned(),
                reason: "no device's certificate stands in it".to_owned(),
            }),
        }
    }

    pub(super) fn leaf(&self) -> &'a Certificate {
        self.below[0]
    }
    pub(super) fn device(&self) -> &'a Certificate {
        self.below[1]
    }
    pub(super) fn is_test(&self) -> bool {
        self.root.vouches == Vouches::Test
    }
    pub(super) fn anchor_used(&self) -> AnchorUsed {
        AnchorUsed {
            name: self.root.name.clone(),
            sha256: Sha256::of(self.root.certificate.der()),
        }
    }

    /// Whether this root, over these certificates, speaks for such a product. Attestation Root 1 signs for all that Yubico makes
    /// (FIDO, PGP and secure channel too); its intermediate says for what.
    pub(super) fn vouches_for(&self, product: Product) -> Result<(), Fault> {
        let intermediate = self
            .below
            .get(2)
            .map_or("", |certificate| certificate.common_name());
        let is_hsm = product == Product::YubiHsm2;
        let vouches = match self.root.vouches {
            Vouches::Test => true,
            Vouches::Piv => !is_hsm,
            Vouches::Hsm => is_hsm,
            Vouches::ByIntermediate if is_hsm => intermediate.starts_with("YubiHSM Attestation "),
            Vouches::ByIntermediate => intermediate.starts_with("Yubico PIV Attestation "),
        };
        if vouches {
            Ok(())
        } else {
            let anchor = self.root.name.clone();
            Err(Fault::Product { product, anchor })
        }
    }
}

enum Issuer<'a> {
    Root(&'a Root),
    Certificate(&'a Certificate),
}

/// Who issued the last certificate of `below`. Roots are tried first, so that a path never runs on beyond one.
fn issuer<'a>(
    below: &[&'a Certificate],
    given: &'a [Certificate],
    anchors: &'a Anchors,
) -> Result<Issuer<'a>, Fault> {
    let subject = below[below.len() - 1];
    let chain = |reason: String| Fault::Chain {
        certificate: subject.name().to_owned(),
        reason,
    };
    let algorithm = signature::algorithm(subject)?;
    let roots = anchors.roots().map(Issuer::Root);
    let others = anchors
        .intermediates()
        .chain(given)
        .map(Issuer::Certificate);
    let mut namesakes = roots
        .chain(others)
        .filter(|issuer| issuer.certificate().subject() == subject.issuer())
        .peekable();
    let named_itself = subject.subject() == subject.issuer();
    if namesakes.peek().is_none() && !named_itself {
        return Err(chain(format!(
            "its issuer {} is missing",
            subject.issuer_name()
        )));
    }
    let mut unfit = None;
    for issuer in namesakes {
        let certificate = issuer.certificate();
        let signed = certificate
            .public()
            .is_ok_and(|key| signature::is_by(subject, algorithm, key));
        // One that is in the path already would lead in a circle.
        if !signed
            || below
                .iter()
                .any(|earlier| earlier.der() == certificate.der())
        {
            continue;
        }
        match why_not_issue(certificate, below.len() - 1) {
            None if below.len() >= LONGEST && !issuer.is_root() => {
                return Err(chain(format!("no root within {LONGEST} certificates")));
            }
            None => return Ok(issuer),
            Some(reason) => unfit = Some((certificate.name().to_owned(), reason)),
        }
    }
    let certificate = subject.name().to_owned();
    let by_itself = named_itself
        && subject
            .public()
            .is_ok_and(|key| signature::is_by(subject, algorithm, key));
    Err(match unfit {
        Some((issuer, reason)) => Fault::Authority {
            certificate,
            issuer,
            reason,
        },
        None if by_itself => Fault::SelfSigned { certificate },
        None => Fault::Signature {
            certificate,
            issuer: subject.issuer_name().to_owned(),
        },
    })
}

impl<'a> Issuer<'a> {
    fn certificate(&self) -> &'a Certificate {
        match self {
            Self::Root(root) => &root.certificate,
            Self::Certificate(certificate) => certificate,
        }
    }
    fn is_root(&self) -> bool {
        matches!(self, Self::Root(_))
    }
}
