//! Every rule of attestations, on devices made up here under a root that only tests believe: what is accepted, and what is
//! refused with its exact text. Real devices are in tests/attestation.rs.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[path = "attestation_rules/authority.rs"]
mod authority;
#[path = "attestation_rules/facts.rs"]
mod facts;
#[path = "attestation/forge.rs"]
mod forge;
#[path = "attestation_rules/form.rs"]
mod form;
#[path = "attestation_rules/path.rs"]
mod path;
#[path = "attestation_rules/virtual_card.rs"]
mod virtual_card;

use forge::{ATTESTED, DEVICE, Draft, Key, ROOT};
use tuf_ceremony::attestation::{self, Anchors, Fault, Statement};
use tuf_ceremony::tuf::key::PublicKey;

fn public(number: u8) -> PublicKey {
    PublicKey::from_spki_der(&Key::new(number).spki()).unwrap()
}

fn anchors() -> Anchors {
    Anchors::yubico()
        .with_test_root("vyk CA", &forge::root())
        .unwrap()
}

fn verify(certificates: &[Vec<u8>]) -> Result<Statement, Vec<Fault>> {
    attestation::verify(&public(ATTESTED), certificates, &anchors())
}

/// Attestation and device certificate, each signed as it should be.
fn pair(leaf: &Draft, device: &Draft) -> Vec<Vec<u8>> {
    vec![leaf.sign(&Key::new(DEVICE)), device.sign(&Key::new(ROOT))]
}

/// The rules and sentences that certificates are refused with.
#[track_caller]
fn refused(certificates: &[Vec<u8>], expected: &[(&str, &str)]) {
    let faults = verify(certificates).expect_err("must be refused");
    let told: Vec<(&str, String)> = faults
        .iter()
        .map(|fault| (fault.rule(), fault.to_string()))
        .collect();
    let expected: Vec<(&str, String)> = expected
        .iter()
        .map(|(rule, text)| (*rule, (*text).to_owned()))
        .collect();
    assert_eq!(told, expected);
}

/// As [`refused`] by `ATTEST-FORM` alone: `<certificate> <reason>`.
#[track_caller]
fn malformed(certificates: &[Vec<u8>], start: &str) {
    let text = format!("{start}; nothing in it was believed. Export it from the device again");
    refused(certificates, &[("ATTEST-FORM", &text)]);
}

const PIV_NAME: &str = "\"YubiKey PIV Attestation 9c\"";
const HSM_NAME: &str = "\"YubiHSM Attestation id:0x0003\"";
