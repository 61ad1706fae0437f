//! The virtual YubiKey of tests/virtual-yubikey is another author's opinion of what a device writes; both must agree.

use tuf_ceremony::attestation::{self, Anchors, Firmware, Object, PinPolicy, TouchPolicy};
use tuf_ceremony::tuf::key::{self, PublicKey};
use virtual_yubikey::attestation as card;
use virtual_yubikey::keys::{Algorithm, KeyPair, policy};
use virtual_yubikey::state::{State, StoredKey};

#[test]
fn a_virtual_yubikey_is_attested_under_its_test_root_alone() {
    let anchors = Anchors::yubico()
        .with_test_root("virtual YubiKeys", &card::test_ca_certificate().unwrap())
        .unwrap();
    let cases = [
        (
            virtual_yubikey::Firmware(5, 4, 3),
            Algorithm::P256,
            key::Algorithm::EcdsaP256,
            0x9c,
            "9c",
        ),
        (
            virtual_yubikey::Firmware(5, 4, 3),
            Algorithm::P384,
            key::Algorithm::EcdsaP384,
            0x82,
            "r1",
        ),
        (
            virtual_yubikey::Firmware(5, 7, 1),
            Algorithm::P256,
            key::Algorithm::EcdsaP256,
            0x95,
            "r20",
        ),
        (
            virtual_yubikey::Firmware(5, 7, 1),
            Algorithm::Ed25519,
            key::Algorithm::Ed25519,
            0x9a,
            "9a",
        ),
    ];
    for (firmware, algorithm, expected, number, name) in cases {
        // A serial number whose first byte is zero and whose second is small: four bytes that DER would write as three.
        let state = State::new(7_654_321, firmware);
        for attesting in [Algorithm::P256, Algorithm::P384] {
            let device = KeyPair::generate(attesting).unwrap();
            let certificate = card::device_certificate(&state, &device).unwrap();
            let key = StoredKey {
                pair: KeyPair::generate(algorithm).unwrap(),
                pin: policy::PinPolicy::Once,
                touch: policy::TouchPolicy::Cached,
                generated: true,
            };
            let leaf = card::attest(&state, number, &key, &device, &certificate).unwrap();
            let public = PublicKey::from_spki_der(&key.pair.public_der().unwrap()).unwrap();
            let chain = [leaf, certificate];
            let statement = attestation::verify(&public, &chain, &anchors).unwrap();
            let object = Object::Piv {
                slot: name.to_owned(),
                pin_policy: PinPolicy::Once,
                touch_policy: TouchPolicy::Cached,
            };
            assert_eq!(
                (&statement.object, statement.algorithm),
                (&object, expected)
            );
            assert_eq!(statement.serial, 7_654_321);
            assert_eq!(
                statement.firmware,
                Firmware::new(firmware.0, firmware.1, firmware.2)
            );
            assert!(statement.test_root);
            let faults = attestation::verify(&public, &chain, &Anchors::yubico()).unwrap_err();
            assert_eq!(faults[0].rule(), "ATTEST-CHAIN");
            // As the card's fault `attest_other_key` does it.
            let other = KeyPair::generate(Algorithm::P256).unwrap();
            let other = PublicKey::from_spki_der(&other.public_der().unwrap()).unwrap();
            let faults = attestation::verify(&other, &chain, &anchors).unwrap_err();
            assert_eq!(faults[0].rule(), "ATTEST-KEY");
        }
    }
}
