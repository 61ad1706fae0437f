//! A card pulled and put back is the same card, and a file that is no card is refused.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{generate, raw, select, select_managed};
use virtual_yubikey::{Card, Firmware, Refusal, State};

const VERIFY: [u8; 4] = [0, 0x20, 0, 0x80];

fn factory() -> State {
    State::new(7, Firmware::V5_7_1)
}

#[test]
fn keys_and_spent_tries_survive_without_power() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    let mut card = Card::open(&path, factory()).unwrap();
    select_managed(&mut card);
    let (made, _) = generate(&mut card, 0x9c, 0x11);
    assert_eq!(raw(&mut card, VERIFY, b"000000\xff\xff").1, 0x63c2);
    drop(card);

    // Another card offered for the same file does not replace what is there.
    let mut card = Card::open(&path, State::new(8, Firmware::V5_4_3)).unwrap();
    assert_eq!(
        (card.state().serial, card.state().firmware),
        (7, Firmware::V5_7_1)
    );
    select(&mut card);
    assert_eq!(raw(&mut card, VERIFY, &[]).1, 0x63c2);
    assert!(
        raw(&mut card, [0, 0xf7, 0, 0x9c], &[])
            .0
            .ends_with(&made[5..])
    );
}

#[test]
fn a_spent_try_is_on_disk_before_the_host_hears_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    let mut card = Card::open(&path, factory()).unwrap();
    select(&mut card);
    std::fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(raw(&mut card, VERIFY, b"000000\xff\xff").1, 0x6f00);
}

#[test]
fn a_file_that_is_no_card_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("card.json");
    std::fs::write(&path, "{\"serial\": 7}").unwrap();
    assert!(Card::open(&path, factory()).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"{\"serial\": 7}");
}

#[test]
fn a_refusal_comes_before_anything_is_spent() {
    let mut card = Card::new(factory());
    select(&mut card);
    let refusal = Refusal {
        ins: 0x20,
        after: 0,
        status: 0x6983,
    };
    card.controls().set(|faults| faults.refuse = vec![refusal]);
    assert_eq!(raw(&mut card, VERIFY, b"000000\xff\xff").1, 0x6983);
    assert_eq!(card.state().pin.left, 3);
}
