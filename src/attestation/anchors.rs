//! The roots that are believed, and the certificates between them and devices. Where each comes from: ca/README.md.

use crate::tuf::finding::shown;

use super::certificate::{Certificate, split};
use super::fault::Fault;
use super::path::Path;

/// For which devices a root speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vouches {
    Piv,
    Hsm,
    /// Its intermediates say so by their names.
    ByIntermediate,
    /// A test root: for all that a test makes.
    Test,
}

#[derive(Clone, Debug)]
pub(super) struct Root {
    pub(super) name: String,
    pub(super) vouches: Vouches,
    pub(super) certificate: Certificate,
}

/// What is believed.
#[derive(Clone, Debug)]
pub struct Anchors {
    pub(super) roots: Vec<Root>,
    pub(super) intermediates: Vec<Certificate>,
}

const ROOTS: [(&str, Vouches); 3] = [
    (include_str!("ca/yubico-piv-root-263751.pem"), Vouches::Piv),
    (
        include_str!("ca/yubico-attestation-root-1.pem"),
        Vouches::ByIntermediate,
    ),
    (include_str!("ca/yubihsm-root.pem"), Vouches::Hsm),
];

const INTERMEDIATES: [&str; 2] = [
    include_str!("ca/yubihsm-6742036-sub-ca.pem"),
    include_str!("ca/yubico-intermediates-2025.pem"),
];

impl Anchors {
    /// Yubico's roots and intermediates as they were published.
    pub fn yubico() -> Self {
        let roots = ROOTS.into_iter().flat_map(|(pem, vouches)| {
            embedded(pem).map(move |certificate| Root {
                name: certificate.common_name().to_owned(),
                vouches,
                certificate,
            })
        });
        Self {
            roots: roots.collect(),
            intermediates: INTERMEDIATES.into_iter().flat_map(embedded).collect(),
        }
    }

    /// Further certificates (DER) between roots and devices, for what the maker publishes after this program. One that does not
    /// chain to a root, over the others if need be, is refused: it could never be used.
    ///
    /// # Errors
    /// `ATTEST-FORM` and what a path is refused for.
    pub fn with_intermediates(mut self, certificates: &[Vec<u8>]) -> Result<Self, Fault> {
        let parse = |(index, der): (usize, &Vec<u8>)| {
            Certificate::parse(&format!("intermediate {}", index + 1), der)
        };
        let more: Vec<Certificate> = certificates
            .iter()
            .enumerate()
            .map(parse)
            .collect::<Result<_, _>>()?;
        for certificate in &more {
            Path::of_intermediate(certificate, &more, &self)?;
        }
        self.intermediates.extend(more);
        Ok(self)
    }

    /// A root of tests and rehearsals (DER). What it vouches for says [`super::Statement::test_root`].
    ///
    /// # Errors
    /// `ATTEST-FORM`.
    pub fn with_test_root(mut self, name: &str, der: &[u8]) -> Result<Self, Fault> {
        let certificate = Certificate::parse(&format!("the test root {}", shown(name)), der)?;
        // A genuine root stays genuine, whoever calls it a test.
        if self.roots.iter().all(|root| root.certificate.der() != der) {
            self.roots.push(Root {
                name: name.to_owned(),
                vouches: Vouches::Test,
                certificate,
            });
        }
        Ok(self)
    }

    pub(super) fn roots(&self) -> impl Iterator<Item = &Root> {
        self.roots.iter()
    }
    pub(super) fn intermediates(&self) -> impl Iterator<Item = &Certificate> {
        self.intermediates.iter()
    }
    /// Name and DER of every root and intermediate, for people who compare them.
    pub fn certificates(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let roots = self
            .roots()
            .map(|root| (root.name.as_str(), root.certificate.der()));
        roots.chain(
            self.intermediates()
                .map(|known| (known.common_name(), known.der())),
        )
    }
}

/// The certificates of an embedded file. One that could not be read would be missing, which a test would see.
fn embedded(pem: &'static str) -> impl Iterator<Item = Certificate> {
    split("embedded", pem.as_bytes())
        .into_iter()
        .flatten()
        .filter_map(|der| Certificate::parse("embedded", &der).ok())
}
