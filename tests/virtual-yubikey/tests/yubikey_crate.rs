//! The `yubikey` crate, as the product uses it, accepts the card for what it claims to be.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use virtual_yubikey::{Firmware, Purpose, Touch, on_stage};
use yubikey::piv::{AlgorithmId, Origin, RetiredSlotId, SlotAlgorithmId, SlotId};
use yubikey::reader::Context;
use yubikey::{Error, MgmAlgorithmId, PinPolicy, TouchPolicy};

mod common;

use common::{PIN, managed, open, p256, sign, verifies};

#[test]
fn two_cards_are_listed_with_serial_and_firmware() {
    on_stage("two_cards_are_listed_with_serial_and_firmware", |stage| {
        let _new = stage.insert_new(11_111_111, Firmware::V5_7_1);
        let _old = stage.insert_new(22_222_222, Firmware::V5_4_3);
        let mut context = Context::open().unwrap();
        let cards: Vec<(u32, String, String)> = context
            .iter()
            .unwrap()
            .map(|reader| {
                let card = reader.open().unwrap();
                (
                    card.serial().0,
                    card.version().to_string(),
                    card.name().to_owned(),
                )
            })
            .collect();
        let [first, second] = stage.reader_names();
        assert_eq!(
            cards,
            [
                (11_111_111, "5.7.1".to_owned(), first),
                (22_222_222, "5.4.3".to_owned(), second),
            ]
        );
    });
}

#[test]
fn a_wrong_pin_is_counted_across_sessions_until_the_card_blocks() {
    on_stage(
        "a_wrong_pin_is_counted_across_sessions_until_the_card_blocks",
        |stage| {
            let inserted = stage.insert_new(1_000_001, Firmware::V5_7_1);
            let mut card = open(1_000_001);
            assert_eq!(card.get_pin_retries(), Ok(3));
            assert_eq!(
                card.verify_pin(b"000000"),
                Err(Error::WrongPin { tries: 2 })
            );
            drop(card);
            inserted.remove();
            inserted.insert();
            let mut card = open(1_000_001);
            assert_eq!(card.get_pin_retries(), Ok(2));
            assert_eq!(card.verify_pin(PIN), Ok(()));
            assert_eq!(card.get_pin_retries(), Ok(3));
            for tries in [2, 1, 0] {
                assert_eq!(card.verify_pin(b"000000"), Err(Error::WrongPin { tries }));
            }
            assert_eq!(card.verify_pin(PIN), Err(Error::WrongPin { tries: 0 }));
            assert_eq!(inserted.controls().count(Purpose::Verify), 6);
            card.unblock_pin(b"12345678", b"654321").unwrap();
            assert_eq!(card.verify_pin(b"654321"), Ok(()));
        },
    );
}

#[test]
fn a_key_signs_under_its_pin_policy_and_never_without_the_management_key_made() {
    on_stage(
        "a_key_signs_under_its_pin_policy_and_never_without_the_management_key_made",
        |stage| {
            for (serial, firmware) in [(1_000_002, Firmware::V5_7_1), (1_000_003, Firmware::V5_4_3)]
            {
                let inserted = stage.insert_new(serial, firmware);
                let mut card = open(serial);
                let refused = yubikey::piv::generate(
                    &mut card,
                    SlotId::Signature,
                    AlgorithmId::EccP256,
                    PinPolicy::Default,
                    TouchPolicy::Default,
                );
                assert_eq!(refused.unwrap_err(), Error::AuthenticationError);
                let mut card = managed(serial);
                let public = p256(
                    &mut card,
                    SlotId::Signature,
                    PinPolicy::Default,
                    TouchPolicy::Never,
                );
                assert_eq!(
                    sign(&mut card, SlotId::Signature),
                    Err(Error::AuthenticationError)
                );
                card.verify_pin(PIN).unwrap();
                let signature = sign(&mut card, SlotId::Signature).unwrap();
                assert!(verifies(&public, &signature));
                assert_eq!(
                    sign(&mut card, SlotId::Signature),
                    Err(Error::AuthenticationError)
                );
                assert_eq!(inserted.controls().count(Purpose::Sign), 3);

                let once = p256(
                    &mut card,
                    SlotId::Authentication,
                    PinPolicy::Once,
                    TouchPolicy::Never,
                );
                for _ in 0..2 {
                    assert!(verifies(
                        &once,
                        &sign(&mut card, SlotId::Authentication).unwrap()
                    ));
                }
            }
        },
    );
}

#[test]
fn a_card_pulled_in_mid_sign_is_the_same_card_when_it_is_back() {
    on_stage(
        "a_card_pulled_in_mid_sign_is_the_same_card_when_it_is_back",
        |stage| {
            let inserted = stage.insert_new(1_000_004, Firmware::V5_7_1);
            let slot = SlotId::Retired(RetiredSlotId::R1);
            let mut card = managed(1_000_004);
            let public = p256(&mut card, slot, PinPolicy::Once, TouchPolicy::Never);
            card.verify_pin(PIN).unwrap();
            inserted
                .controls()
                .set(|faults| faults.pull_after_signatures = Some(1));
            sign(&mut card, slot).unwrap();
            let pulled = sign(&mut card, slot);
            assert!(matches!(pulled, Err(Error::PcscError { .. })), "{pulled:?}");
            assert_eq!(inserted.controls().log().last().unwrap().status, None);
            assert!(!inserted.is_inserted());
            inserted.insert();
            let mut card = open(1_000_004);
            assert_eq!(sign(&mut card, slot), Err(Error::AuthenticationError));
            card.verify_pin(PIN).unwrap();
            assert!(verifies(&public, &sign(&mut card, slot).unwrap()));
        },
    );
}

#[test]
fn a_touch_is_waited_for_and_its_absence_is_refused() {
    on_stage(
        "a_touch_is_waited_for_and_its_absence_is_refused",
        |stage| {
            let inserted = stage.insert_new(1_000_005, Firmware::V5_7_1);
            let controls = inserted.controls();
            let slot = SlotId::Authentication;
            let mut card = managed(1_000_005);
            let public = p256(&mut card, slot, PinPolicy::Once, TouchPolicy::Always);
            card.verify_pin(PIN).unwrap();

            controls.set(|faults| faults.touch = Touch::After(Duration::from_millis(300)));
            let began = Instant::now();
            assert!(verifies(&public, &sign(&mut card, slot).unwrap()));
            assert!(began.elapsed() >= Duration::from_millis(300));

            controls.set(|faults| {
                faults.touch = Touch::ByHand;
                faults.touch_timeout = Duration::from_millis(400);
            });
            assert!(!controls.touch(), "a touch before it blinks is no touch");
            let began = Instant::now();
            assert_eq!(sign(&mut card, slot), Err(Error::AuthenticationError));
            assert!(began.elapsed() >= Duration::from_millis(400));

            controls.set(|faults| faults.touch_timeout = Duration::from_secs(15));
            let finger = controls.clone();
            let person = std::thread::spawn(move || {
                while !finger.touch() {
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            assert!(verifies(&public, &sign(&mut card, slot).unwrap()));
            person.join().unwrap();

            let public = p256(&mut card, slot, PinPolicy::Once, TouchPolicy::Cached);
            controls.set(|faults| faults.touch_timeout = Duration::from_millis(100));
            let cached = sign(&mut card, slot).unwrap();
            assert!(
                verifies(&public, &cached),
                "the touch of a moment ago counts"
            );
        },
    );
}

#[test]
fn metadata_tells_keys_and_defaults() {
    on_stage("metadata_tells_keys_and_defaults", |stage| {
        let _inserted = stage.insert_new(1_000_006, Firmware::V5_7_1);
        let mut card = managed(1_000_006);
        let public = p256(
            &mut card,
            SlotId::Signature,
            PinPolicy::Always,
            TouchPolicy::Cached,
        );
        let told = yubikey::piv::metadata(&mut card, SlotId::Signature).unwrap();
        assert_eq!(
            told.algorithm,
            SlotAlgorithmId::Asymmetric(AlgorithmId::EccP256)
        );
        assert_eq!(told.policy, Some((PinPolicy::Always, TouchPolicy::Cached)));
        assert_eq!(told.origin, Some(Origin::Generated));
        assert_eq!(told.public.unwrap().subject_public_key.raw_bytes(), public);
        let empty = yubikey::piv::metadata(&mut card, SlotId::KeyManagement);
        assert_eq!(empty.unwrap_err(), Error::NotFound);

        let management = SlotId::Management(yubikey::piv::ManagementSlotId::Management);
        let told = yubikey::piv::metadata(&mut card, management).unwrap();
        assert_eq!(
            told.algorithm,
            SlotAlgorithmId::Management(MgmAlgorithmId::Aes192)
        );
        assert_eq!(told.default, Some(true));
    });
}
