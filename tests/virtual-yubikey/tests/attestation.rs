//! Attestations chain to the test CA and say what the card is and how the key is guarded.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{managed, p256};
use der::{Decode as _, Encode as _, oid::ObjectIdentifier};
use rsa::pkcs8::DecodePublicKey as _;
use sha2::{Digest as _, Sha256};
use virtual_yubikey::{Firmware, attestation, on_stage};
use x509_cert::Certificate;
use yubikey::piv::SlotId;
use yubikey::{Error, PinPolicy, TouchPolicy, YubiKey};

fn extension(certificate: &Certificate, last: u32) -> Option<Vec<u8>> {
    let oid = ObjectIdentifier::new(&format!("1.3.6.1.4.1.41482.3.{last}")).unwrap();
    let extensions = certificate.tbs_certificate().extensions()?;
    let found = extensions
        .iter()
        .find(|extension| extension.extn_id == oid)?;
    Some(found.extn_value.as_bytes().to_vec())
}

fn signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let public = issuer
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .unwrap();
    let key = rsa::RsaPublicKey::from_public_key_der(&public).unwrap();
    let digest = Sha256::digest(certificate.tbs_certificate().to_der().unwrap());
    let scheme = rsa::Pkcs1v15Sign::new::<Sha256>();
    certificate.tbs_certificate().issuer() == issuer.tbs_certificate().subject()
        && key
            .verify(scheme, &digest, certificate.signature().raw_bytes())
            .is_ok()
}

fn device(card: &mut YubiKey) -> Certificate {
    yubikey::certificate::Certificate::read(card, SlotId::Attestation)
        .unwrap()
        .cert
}

fn attest(card: &mut YubiKey, slot: SlotId) -> Certificate {
    Certificate::from_der(&yubikey::piv::attest(card, slot).unwrap()).unwrap()
}

#[test]
fn an_attestation_chains_to_the_test_ca_and_tells_serial_firmware_and_policies() {
    let test = "an_attestation_chains_to_the_test_ca_and_tells_serial_firmware_and_policies";
    on_stage(test, |stage| {
        // The second serial number has its highest bit set where DER would take it for negative.
        for (serial, firmware) in [
            (14_454_335, Firmware::V5_7_1),
            (0x00ff_0001, Firmware::V5_4_3),
        ] {
            let _inserted = stage.insert_new(serial, firmware);
            let mut card = managed(serial);
            let public = p256(
                &mut card,
                SlotId::Signature,
                PinPolicy::Always,
                TouchPolicy::Always,
            );
            let leaf = attest(&mut card, SlotId::Signature);
            let device = device(&mut card);
            let ca = Certificate::from_der(&attestation::test_ca_certificate().unwrap()).unwrap();
            assert!(signed_by(&leaf, &device) && signed_by(&device, &ca) && signed_by(&ca, &ca));
            assert!(!signed_by(&leaf, &ca));

            let tbs = leaf.tbs_certificate();
            assert_eq!(
                tbs.subject_public_key_info().subject_public_key.raw_bytes(),
                public
            );
            assert_eq!(tbs.subject().to_string(), "CN=YubiKey PIV Attestation 9c");
            assert_eq!(tbs.issuer().to_string(), "CN=Yubico PIV Attestation");
            assert_eq!(extension(&leaf, 3).unwrap(), firmware.bytes());
            assert_eq!(u32::from_der(&extension(&leaf, 7).unwrap()), Ok(serial));
            assert_eq!(extension(&leaf, 8).unwrap(), [3, 2]);
            assert_eq!(extension(&leaf, 9).unwrap(), [1]);
            assert_eq!(extension(&device, 3).unwrap(), firmware.bytes());
        }
    });
}

#[test]
fn only_a_key_made_in_the_card_is_attested() {
    on_stage("only_a_key_made_in_the_card_is_attested", |stage| {
        let _inserted = stage.insert_new(5_000_001, Firmware::V5_4_3);
        let mut card = managed(5_000_001);
        let slot = SlotId::Signature;
        let (touch, pin) = (TouchPolicy::Never, PinPolicy::Once);
        let algorithm = yubikey::piv::AlgorithmId::EccP256;
        yubikey::piv::import_ecc_key(&mut card, slot, algorithm, &[7; 32], touch, pin).unwrap();
        assert_eq!(
            yubikey::piv::attest(&mut card, slot).unwrap_err(),
            Error::GenericError
        );
        let empty = yubikey::piv::attest(&mut card, SlotId::Authentication);
        assert_eq!(empty.unwrap_err(), Error::GenericError);
        p256(&mut card, slot, pin, touch);
        attest(&mut card, slot);
    });
}

#[test]
fn a_lying_card_attests_another_key() {
    on_stage("a_lying_card_attests_another_key", |stage| {
        let inserted = stage.insert_new(5_000_002, Firmware::V5_7_1);
        let mut card = managed(5_000_002);
        let public = p256(
            &mut card,
            SlotId::Signature,
            PinPolicy::Always,
            TouchPolicy::Always,
        );
        inserted
            .controls()
            .set(|faults| faults.attest_other_key = true);
        let leaf = attest(&mut card, SlotId::Signature);
        assert!(
            signed_by(&leaf, &device(&mut card)),
            "the lie is well signed"
        );
        let told = leaf.tbs_certificate().subject_public_key_info();
        assert_ne!(told.subject_public_key.raw_bytes(), public);
    });
}

#[test]
fn two_cards_have_two_attestation_keys() {
    on_stage("two_cards_have_two_attestation_keys", |stage| {
        let [first, second] = [5_000_003, 5_000_004].map(|serial| {
            let _inserted = stage.insert_new(serial, Firmware::V5_7_1);
            let device = device(&mut managed(serial));
            device
                .tbs_certificate()
                .subject_public_key_info()
                .to_der()
                .unwrap()
        });
        assert_ne!(first, second);
    });
}
