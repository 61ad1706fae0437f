//! PIN, PUK, management key, reset, and what may be read before them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{PIN, PUK, generate, managed, open, p256, raw, select, select_managed};
use virtual_yubikey::{Card, Firmware, State, on_stage};
use yubikey::piv::SlotId;
use yubikey::{Error, MgmAlgorithmId, MgmKey, PinPolicy, TouchPolicy};

const PRINTED: u32 = 0x5f_c109;

#[test]
fn the_management_key_changes_cipher_and_value() {
    on_stage("the_management_key_changes_cipher_and_value", |stage| {
        let cases = [
            (4_000_001, Firmware::V5_4_3, MgmAlgorithmId::ThreeDes),
            (4_000_002, Firmware::V5_7_1, MgmAlgorithmId::Aes192),
        ];
        for (serial, firmware, other) in cases {
            let _inserted = stage.insert_new(serial, firmware);
            let mut card = open(serial);
            let factory = MgmKey::get_default(&card).unwrap();
            assert_eq!(factory.algorithm_id(), other);
            let wrong = MgmKey::from_bytes([9; 24], Some(other)).unwrap();
            assert_eq!(card.authenticate(&wrong), Err(Error::AuthenticationError));
            assert_eq!(
                factory.set_manual(&mut card, false),
                Err(Error::GenericError)
            );
            card.authenticate(&factory).unwrap();
            let new = MgmKey::from_bytes([7; 32], Some(MgmAlgorithmId::Aes256)).unwrap();
            new.set_manual(&mut card, false).unwrap();
            drop(card);

            let mut card = open(serial);
            assert_eq!(card.authenticate(&factory), Err(Error::AuthenticationError));
            card.authenticate(&new).unwrap();
            let slot = SlotId::Management(yubikey::piv::ManagementSlotId::Management);
            assert_eq!(
                yubikey::piv::metadata(&mut card, slot).unwrap().default,
                Some(false)
            );
        }
    });
}

#[test]
fn pin_and_puk_change_block_and_reset_to_a_factory_card_that_is_the_same_device() {
    let test = "pin_and_puk_change_block_and_reset_to_a_factory_card_that_is_the_same_device";
    on_stage(test, |stage| {
        let inserted = stage.insert_new(4_000_003, Firmware::V5_7_1);
        let mut card = managed(4_000_003);
        p256(
            &mut card,
            SlotId::Signature,
            PinPolicy::Always,
            TouchPolicy::Never,
        );
        let attestation =
            yubikey::certificate::Certificate::read(&mut card, SlotId::Attestation).unwrap();
        card.change_pin(PIN, b"24681357").unwrap();
        card.change_puk(PUK, b"13572468").unwrap();
        assert_eq!(card.verify_pin(PIN), Err(Error::WrongPin { tries: 2 }));
        card.verify_pin(b"24681357").unwrap();
        assert_eq!(
            card.change_pin(b"24681357", b"12345"),
            Err(Error::GenericError),
            "too short"
        );
        card.verify_pin(b"24681357").unwrap();

        assert_eq!(card.reset_device(), Err(Error::GenericError));
        for _ in 0..3 {
            card.verify_pin(b"000000").unwrap_err();
        }
        assert_eq!(
            card.reset_device(),
            Err(Error::GenericError),
            "the PUK is not blocked"
        );
        card.block_puk().unwrap();
        assert_eq!(card.unblock_pin(b"13572468", PIN), Err(Error::PinLocked));
        card.reset_device().unwrap();
        drop(card);

        let mut card = managed(4_000_003);
        card.verify_pin(PIN).unwrap();
        let empty = yubikey::piv::metadata(&mut card, SlotId::Signature);
        assert_eq!(empty.unwrap_err(), Error::NotFound);
        let kept = yubikey::certificate::Certificate::read(&mut card, SlotId::Attestation).unwrap();
        assert_eq!(kept.cert, attestation.cert);
        assert!(inserted.state().puk.is("12345678"));
    });
}

#[test]
fn retries_are_set_by_one_who_has_both_and_make_the_pin_the_factorys() {
    on_stage(
        "retries_are_set_by_one_who_has_both_and_make_the_pin_the_factorys",
        |stage| {
            let _inserted = stage.insert_new(4_000_004, Firmware::V5_4_3);
            let mut card = managed(4_000_004);
            card.change_pin(PIN, b"654321").unwrap();
            drop(card);
            let mut card = managed(4_000_004);
            assert_eq!(card.set_pin_retries(8, 4), Err(Error::AuthenticationError));
            card.verify_pin(b"654321").unwrap();
            card.set_pin_retries(8, 4).unwrap();
            assert_eq!(card.get_pin_retries(), Ok(8));
            assert_eq!(
                card.verify_pin(b"654321"),
                Err(Error::WrongPin { tries: 7 })
            );
            card.verify_pin(PIN).unwrap();
        },
    );
}

#[test]
fn printed_information_needs_the_pin_and_other_objects_do_not() {
    on_stage(
        "printed_information_needs_the_pin_and_other_objects_do_not",
        |stage| {
            let _inserted = stage.insert_new(4_000_005, Firmware::V5_7_1);
            let mut card = open(4_000_005);
            assert_eq!(card.fetch_object(0x5f_c102), Err(Error::NotFound));
            assert_eq!(
                card.save_object(0x5f_ff00, &mut [1]),
                Err(Error::AuthenticationError)
            );
            drop(card);
            let mut card = managed(4_000_005);
            let mut long = [5; 2900];
            card.save_object(0x5f_c105, &mut long).unwrap();
            card.save_object(0x5f_ff00, &mut [1, 2]).unwrap();
            card.save_object(PRINTED, &mut [3, 4]).unwrap();
            drop(card);
            let mut card = open(4_000_005);
            assert_eq!(card.fetch_object(0x5f_c105).unwrap()[..], long);
            assert_eq!(card.fetch_object(0x5f_ff00).unwrap()[..], [1, 2]);
            assert_eq!(card.fetch_object(PRINTED), Err(Error::GenericError));
            card.verify_pin(PIN).unwrap();
            assert_eq!(card.fetch_object(PRINTED).unwrap()[..], [3, 4]);
        },
    );
}

#[test]
fn a_session_ends_with_select_and_with_reset() {
    let mut card = Card::new(State::new(1, Firmware::V5_7_1));
    select_managed(&mut card);
    let verify = [0, 0x20, 0, 0x80];
    assert_eq!(raw(&mut card, verify, b"123456\xff\xff").1, 0x9000);
    assert_eq!(
        raw(&mut card, verify, &[]).1,
        0x9000,
        "verified needs no more tries"
    );
    assert_eq!(generate(&mut card, 0x9a, 0x11).1, 0x9000);
    select(&mut card);
    assert_eq!(raw(&mut card, verify, &[]).1, 0x63c3);
    assert_eq!(generate(&mut card, 0x9a, 0x11).1, 0x6982);
    select_managed(&mut card);
    card.reset();
    assert_eq!(raw(&mut card, verify, &[]).1, 0x6d00, "nothing is selected");
}

#[test]
fn keys_move_and_are_deleted_on_5_7() {
    let mut card = Card::new(State::new(1, Firmware::V5_7_1));
    select_managed(&mut card);
    let (made, _) = generate(&mut card, 0x9a, 0x11);
    generate(&mut card, 0x9c, 0x11);
    assert_eq!(
        raw(&mut card, [0, 0xf6, 0x9c, 0x9a], &[]).1,
        0x6a80,
        "9c is taken"
    );
    assert_eq!(raw(&mut card, [0, 0xf6, 0x82, 0x9a], &[]).1, 0x9000);
    assert_eq!(raw(&mut card, [0, 0xf7, 0, 0x9a], &[]).1, 0x6a88);
    let (metadata, _) = raw(&mut card, [0, 0xf7, 0, 0x82], &[]);
    assert!(
        metadata.ends_with(&made[5..]),
        "the key is the same in its new slot"
    );
    assert_eq!(raw(&mut card, [0, 0xf6, 0xff, 0x82], &[]).1, 0x9000);
    assert_eq!(raw(&mut card, [0, 0xf7, 0, 0x82], &[]).1, 0x6a88);
    assert_eq!(raw(&mut card, [0, 0xf6, 0xff, 0x82], &[]).1, 0x6a88);
}
