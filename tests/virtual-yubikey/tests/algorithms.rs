//! Each algorithm makes keys that sign or agree, on the firmware that has it and on no other.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{MESSAGE, PIN, generate, managed, raw, select_managed};
use der::Encode as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PrivateKeyParts as _;
use sha2::{Digest as _, Sha256, Sha384};
use virtual_yubikey::{Card, Firmware, State, on_stage};
use yubikey::piv::{AlgorithmId, Origin, RetiredSlotId, SlotId};
use yubikey::{Error, PinPolicy, TouchPolicy, YubiKey};

const SLOT: SlotId = SlotId::Retired(RetiredSlotId::R1);

fn new_key(card: &mut YubiKey, algorithm: AlgorithmId) -> Result<Vec<u8>, Error> {
    yubikey::piv::generate(card, SLOT, algorithm, PinPolicy::Once, TouchPolicy::Never)
        .map(|public| public.to_der().unwrap())
}

/// EMSA-PKCS1-v1_5 of the message, as a host sends it.
fn padded(length: usize) -> Vec<u8> {
    let info = data_encoding::HEXLOWER
        .decode(b"3031300d060960864801650304020105000420")
        .unwrap();
    let digest = Sha256::digest(MESSAGE);
    let fill = vec![0xff; length - 3 - info.len() - digest.len()];
    [&[0, 1], &fill[..], &[0], &info, &digest].concat()
}

fn rsa_verifies(public: &[u8], signature: &[u8]) {
    let key = rsa::RsaPublicKey::from_public_key_der(public).unwrap();
    let scheme = rsa::Pkcs1v15Sign::new::<Sha256>();
    key.verify(scheme, &Sha256::digest(MESSAGE), signature)
        .unwrap();
}

#[test]
fn curves_of_5_7_sign_and_agree() {
    on_stage("curves_of_5_7_sign_and_agree", |stage| {
        let _inserted = stage.insert_new(3_000_001, Firmware::V5_7_1);
        let mut card = managed(3_000_001);
        card.verify_pin(PIN).unwrap();

        let public = new_key(&mut card, AlgorithmId::EccP384).unwrap();
        let digest = Sha384::digest(MESSAGE);
        let signed =
            yubikey::piv::sign_data(&mut card, &digest, AlgorithmId::EccP384, SLOT).unwrap();
        let key = p384::ecdsa::VerifyingKey::from_public_key_der(&public).unwrap();
        let signature = p384::ecdsa::Signature::from_der(&signed).unwrap();
        p384::ecdsa::signature::Verifier::verify(&key, MESSAGE, &signature).unwrap();

        let public = new_key(&mut card, AlgorithmId::Ed25519).unwrap();
        let key = ed25519_dalek::VerifyingKey::from_public_key_der(&public).unwrap();
        // The crate's own limit: the whole message goes to the card, chained.
        for message in [MESSAGE, &[7; 1014]] {
            let signed =
                yubikey::piv::sign_data(&mut card, message, AlgorithmId::Ed25519, SLOT).unwrap();
            let signature = ed25519_dalek::Signature::from_slice(&signed).unwrap();
            key.verify_strict(message, &signature).unwrap();
        }

        let public = new_key(&mut card, AlgorithmId::X25519).unwrap();
        let point: [u8; 32] = public[public.len() - 32..].try_into().unwrap();
        let ours = [9; 32];
        let sent = curve25519_dalek::MontgomeryPoint::mul_base_clamped(ours).to_bytes();
        let shared =
            yubikey::piv::decrypt_data(&mut card, &sent, AlgorithmId::X25519, SLOT).unwrap();
        let expected = curve25519_dalek::MontgomeryPoint(point)
            .mul_clamped(ours)
            .to_bytes();
        assert_eq!(shared[..], expected);
    });
}

#[test]
fn p256_agrees_as_the_other_side_does() {
    on_stage("p256_agrees_as_the_other_side_does", |stage| {
        use p256::elliptic_curve::point::AffineCoordinates as _;
        let _inserted = stage.insert_new(3_000_002, Firmware::V5_4_3);
        let mut card = managed(3_000_002);
        card.verify_pin(PIN).unwrap();
        let public = new_key(&mut card, AlgorithmId::EccP256).unwrap();
        let public = p256::PublicKey::from_public_key_der(&public).unwrap();
        let ours = p256::SecretKey::from_slice(&[7; 32]).unwrap();
        let sent = ours.public_key().to_sec1_bytes();
        let shared =
            yubikey::piv::decrypt_data(&mut card, &sent, AlgorithmId::EccP256, SLOT).unwrap();
        let expected = (public.to_projective() * *ours.to_nonzero_scalar())
            .to_affine()
            .x();
        assert_eq!(shared[..], expected[..]);
    });
}

#[test]
fn rsa_2048_signs_generated_and_imported() {
    on_stage("rsa_2048_signs_generated_and_imported", |stage| {
        let _inserted = stage.insert_new(3_000_003, Firmware::V5_4_3);
        let mut card = managed(3_000_003);
        card.verify_pin(PIN).unwrap();
        let algorithm = AlgorithmId::Rsa2048;
        let public = new_key(&mut card, algorithm).unwrap();
        let signed = yubikey::piv::sign_data(&mut card, &padded(256), algorithm, SLOT).unwrap();
        rsa_verifies(&public, &signed);

        let rng = &mut rand_core::UnwrapErr(getrandom::SysRng);
        let ours = rsa::RsaPrivateKey::new(rng, 2048).unwrap();
        let [p, q] = [0, 1].map(|index| ours.primes()[index].to_be_bytes());
        let data = yubikey::piv::RsaKeyData::new(&p, &q).unwrap();
        let (touch, pin) = (TouchPolicy::Never, PinPolicy::Once);
        yubikey::piv::import_rsa_key(&mut card, SLOT, algorithm, data, touch, pin).unwrap();
        let told = yubikey::piv::metadata(&mut card, SLOT).unwrap();
        assert_eq!(told.origin, Some(Origin::Imported));
        let signed = yubikey::piv::sign_data(&mut card, &padded(256), algorithm, SLOT).unwrap();
        rsa_verifies(&told.public.unwrap().to_der().unwrap(), &signed);
        assert_eq!(
            yubikey::piv::attest(&mut card, SLOT).unwrap_err(),
            Error::GenericError
        );
    });
}

#[test]
fn firmware_5_4_has_no_algorithm_of_5_7() {
    let newer = [0x05, 0x16, 0xe0, 0xe1];
    let mut card = Card::new(State::new(1, Firmware::V5_4_3));
    select_managed(&mut card);
    for algorithm in newer {
        assert_eq!(
            generate(&mut card, 0x9a, algorithm).1,
            0x6a80,
            "{algorithm:02x}"
        );
    }
    assert_eq!(generate(&mut card, 0x9a, 0x11).1, 0x9000);
    assert_eq!(
        raw(&mut card, [0, 0xf6, 0xff, 0x9a], &[]).1,
        0x6d00,
        "no DELETE KEY"
    );
}

#[test]
fn rsa_of_5_7_signs() {
    on_stage("rsa_of_5_7_signs", |stage| {
        let _inserted = stage.insert_new(3_000_004, Firmware::V5_7_1);
        let mut card = managed(3_000_004);
        card.verify_pin(PIN).unwrap();
        for (algorithm, length) in [(AlgorithmId::Rsa3072, 384), (AlgorithmId::Rsa4096, 512)] {
            let public = new_key(&mut card, algorithm).unwrap();
            let signed =
                yubikey::piv::sign_data(&mut card, &padded(length), algorithm, SLOT).unwrap();
            rsa_verifies(&public, &signed);
        }
    });
}
