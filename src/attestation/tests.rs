//! What only the genuine roots decide, on roots made up here that vouch as those do.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../tests/attestation/forge.rs"]
#[allow(dead_code, reason = "tests/attestation_rules.rs uses the rest")]
mod forge;

use forge::{
    ATTESTED, DEVICE, Draft, Key, LOWER, MIDDLE, ROOT, ROOT_NAME, device, hsm, hsm_device, issuer,
    piv,
};

use super::anchors::{Root, Vouches};
use super::{Anchors, Certificate, Product, Statement, verify};
use crate::tuf::key::PublicKey;

fn judge(vouches: Vouches, certificates: &[Vec<u8>]) -> Result<Statement, Vec<String>> {
    let anchors = Anchors {
        roots: vec![Root {
            name: "Root".to_owned(),
            vouches,
            certificate: Certificate::parse("root", &forge::root()).unwrap(),
        }],
        intermediates: Vec::new(),
    };
    let public = PublicKey::from_spki_der(&Key::new(ATTESTED).spki()).unwrap();
    verify(&public, certificates, &anchors).map_err(|faults| {
        faults
            .iter()
            .map(|fault| format!("{}: {fault}", fault.rule()))
            .collect()
    })
}

/// An attestation with two intermediates above the device, the lower one called `name`.
fn below(name: &str, leaf: &Draft, mut device: Draft) -> Vec<Vec<u8>> {
    let (middle, lower) = (Key::new(MIDDLE), Key::new(LOWER));
    let upper = Draft::new(
        ROOT_NAME,
        "Yubico Attestation Intermediate B 1",
        &middle,
        vec![issuer(Some(2))],
    );
    let intermediate = Draft::new(&upper.subject, name, &lower, vec![issuer(Some(1))]);
    name.clone_into(&mut device.issuer);
    vec![
        leaf.sign(&Key::new(DEVICE)),
        device.sign(&lower),
        intermediate.sign(&middle),
        upper.sign(&Key::new(ROOT)),
    ]
}

#[test]
fn a_root_speaks_only_for_its_own_devices() {
    let short = |leaf: &Draft, device: &Draft| {
        vec![leaf.sign(&Key::new(DEVICE)), device.sign(&Key::new(ROOT))]
    };
    let (yubikey, yubihsm) = (short(&piv(), &device()), short(&hsm(), &hsm_device()));
    let text = |product: &str| {
        vec![format!(
            "ATTEST-PRODUCT: the attestation is of a {product}, but Root with the certificates given vouches for no such device"
        )]
    };
    assert_eq!(
        judge(Vouches::Piv, &yubikey).unwrap().product,
        Product::YubiKey
    );
    assert_eq!(
        judge(Vouches::Hsm, &yubihsm).unwrap().product,
        Product::YubiHsm2
    );
    assert_eq!(judge(Vouches::Piv, &yubihsm), Err(text("YubiHSM 2")));
    assert_eq!(judge(Vouches::Hsm, &yubikey), Err(text("YubiKey")));
    // Under Attestation Root 1 the intermediate decides.
    let root_1 = |name: &str, is_hsm: bool| {
        let chain = if is_hsm {
            below(name, &hsm(), hsm_device())
        } else {
            below(name, &piv(), device())
        };
        judge(Vouches::ByIntermediate, &chain)
    };
    assert!(
        !root_1("Yubico PIV Attestation B 1", false)
            .unwrap()
            .test_root
    );
    assert!(root_1("YubiHSM Attestation B2 1", true).is_ok());
    assert_eq!(
        root_1("Yubico PIV Attestation B 1", true),
        Err(text("YubiHSM 2"))
    );
    for name in [
        "YubiHSM Attestation B2 1",
        "Yubico FIDO Attestation B 1",
        "Yubico OPGP Attestation B 1",
    ] {
        assert_eq!(root_1(name, false), Err(text("YubiKey")), "{name}");
    }
    assert_eq!(
        judge(Vouches::ByIntermediate, &yubikey),
        Err(text("YubiKey"))
    );
}
