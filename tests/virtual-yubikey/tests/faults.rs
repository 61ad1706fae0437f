//! Each fault does what it says, once, and the card is whole afterwards.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{PIN, managed, open, p256, sign, verifies};
use virtual_yubikey::{Firmware, Purpose, Refusal, Touch, on_stage};
use yubikey::piv::SlotId;
use yubikey::reader::Context;
use yubikey::{Error, PinPolicy, TouchPolicy};

const SLOT: SlotId = SlotId::Authentication;

#[test]
fn lying_signatures_do_not_verify() {
    on_stage("lying_signatures_do_not_verify", |stage| {
        let inserted = stage.insert_new(6_000_001, Firmware::V5_7_1);
        let controls = inserted.controls();
        let mut card = managed(6_000_001);
        let public = p256(&mut card, SLOT, PinPolicy::Once, TouchPolicy::Never);
        card.verify_pin(PIN).unwrap();
        controls.set(|faults| faults.flip_signature = true);
        assert!(!verifies(&public, &sign(&mut card, SLOT).unwrap()));
        controls.set(|faults| {
            faults.flip_signature = false;
            faults.sign_with_other_key = true;
        });
        assert!(!verifies(&public, &sign(&mut card, SLOT).unwrap()));
        controls.set(|faults| faults.sign_with_other_key = false);
        assert!(verifies(&public, &sign(&mut card, SLOT).unwrap()));
        assert_eq!(controls.count(Purpose::Sign), 3);
    });
}

#[test]
fn a_repeated_nonce_shows_as_a_repeated_r() {
    on_stage("a_repeated_nonce_shows_as_a_repeated_r", |stage| {
        let inserted = stage.insert_new(6_000_007, Firmware::V5_4_3);
        let mut card = managed(6_000_007);
        let public = p256(&mut card, SLOT, PinPolicy::Once, TouchPolicy::Never);
        card.verify_pin(PIN).unwrap();
        let mut r_of_two = || {
            [0, 1].map(|_| {
                let signed = sign(&mut card, SLOT).unwrap();
                assert!(verifies(&public, &signed));
                let signature = p256::ecdsa::Signature::from_der(&signed).unwrap();
                signature.r().to_bytes()
            })
        };
        let [first, second] = r_of_two();
        assert_ne!(first, second);
        inserted.controls().set(|faults| faults.repeat_nonce = true);
        let [first, second] = r_of_two();
        assert_eq!(first, second);
    });
}

#[test]
fn a_card_can_go_at_any_apdu_and_while_it_blinks() {
    on_stage("a_card_can_go_at_any_apdu_and_while_it_blinks", |stage| {
        let inserted = stage.insert_new(6_000_002, Firmware::V5_7_1);
        let controls = inserted.controls().clone();
        let mut card = managed(6_000_002);
        let public = p256(&mut card, SLOT, PinPolicy::Once, TouchPolicy::Always);
        controls.set(|faults| faults.pull_after_apdus = Some(1));
        card.verify_pin(PIN).unwrap();
        assert!(matches!(
            sign(&mut card, SLOT),
            Err(Error::PcscError { .. })
        ));
        assert_eq!(controls.log().last().unwrap().status, None);
        drop(card);

        inserted.insert();
        controls.set(|faults| faults.touch = Touch::ByHand);
        let mut card = open(6_000_002);
        card.verify_pin(PIN).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !controls.is_blinking() {
                    std::thread::sleep(Duration::from_millis(5));
                }
                inserted.remove();
            });
            assert!(matches!(
                sign(&mut card, SLOT),
                Err(Error::PcscError { .. })
            ));
        });
        drop(card);

        inserted.insert();
        controls.set(|faults| faults.touch = Touch::After(Duration::ZERO));
        let mut card = open(6_000_002);
        card.verify_pin(PIN).unwrap();
        assert!(verifies(&public, &sign(&mut card, SLOT).unwrap()));
    });
}

#[test]
fn a_command_is_refused_at_its_turn() {
    on_stage("a_command_is_refused_at_its_turn", |stage| {
        let inserted = stage.insert_new(6_000_003, Firmware::V5_7_1);
        let mut card = managed(6_000_003);
        p256(&mut card, SLOT, PinPolicy::Once, TouchPolicy::Never);
        let refusal = Refusal {
            ins: 0x87,
            after: 1,
            status: 0x6f00,
        };
        inserted
            .controls()
            .set(|faults| faults.refuse = vec![refusal]);
        card.verify_pin(PIN).unwrap();
        sign(&mut card, SLOT).unwrap();
        assert_eq!(sign(&mut card, SLOT), Err(Error::GenericError));
        inserted.controls().set(|faults| faults.refuse.clear());
        sign(&mut card, SLOT).unwrap();
    });
}

#[test]
fn another_serial_is_told_and_other_cards_take_a_readers_place() {
    on_stage(
        "another_serial_is_told_and_other_cards_take_a_readers_place",
        |stage| {
            let first = stage.insert_new(6_000_004, Firmware::V5_7_1);
            first.controls().set(|faults| faults.serial = Some(99));
            assert_eq!(open(99).serial().0, 99);
            first.remove();
            let second = stage.insert_new(6_000_005, Firmware::V5_4_3);
            assert_eq!((first.reader(), second.reader()), (None, Some(0)));
            first.controls().set(|faults| faults.serial = None);
            first.insert();
            let mut context = Context::open().unwrap();
            let serials: Vec<u32> = context
                .iter()
                .unwrap()
                .map(|reader| reader.open().unwrap().serial().0)
                .collect();
            assert_eq!(serials, [6_000_005, 6_000_004]);
        },
    );
}

#[test]
fn the_log_tells_commands_and_no_pin() {
    on_stage("the_log_tells_commands_and_no_pin", |stage| {
        let inserted = stage.insert_new(6_000_006, Firmware::V5_7_1);
        let path = stage.folder().join("card.log");
        inserted
            .controls()
            .log_to(std::fs::File::create(&path).unwrap());
        let mut card = open(6_000_006);
        card.verify_pin(b"000000").unwrap_err();
        card.verify_pin(PIN).unwrap();
        let log = std::fs::read_to_string(path).unwrap();
        assert!(
            log.ends_with("20 00 80 Verify 63C2\n20 00 80 Verify 9000\n"),
            "{log}"
        );
        assert!(!log.contains("313233") && !log.contains("123456"));
    });
}

#[test]
fn the_service_can_die_under_the_program() {
    on_stage("the_service_can_die_under_the_program", |stage| {
        let inserted = stage.insert_new(6_000_008, Firmware::V5_7_1);
        let mut card = open(6_000_008);
        stage.kill_pcscd();
        assert!(matches!(card.verify_pin(PIN), Err(Error::PcscError { .. })));
        assert_eq!(inserted.controls().count(Purpose::Verify), 0);
        assert_eq!(inserted.state().pin.left, 3);
    });
}
