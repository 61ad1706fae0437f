//! The same claims on a real `YubiKey`, for `ceremony-scripts/test-hardware`, which erases it. Without that script nothing here runs.

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pcsc::{Context, ReaderState, Scope, State};
use yubikey::{Serial, YubiKey};

use super::bench::{Bench, Place};
use super::matrix;
use super::row::Row;

/// Why these tests are ignored.
macro_rules! on_hardware {
    ($($name:ident: $row:ident { $($claim:ident)* })*) => {
        $(pub mod $name {
            $(#[test] #[ignore = "erases a real YubiKey; run ./ceremony-scripts/test-hardware"] fn $claim() {
                super::hold(&super::super::rows::$row, super::super::claims::$claim);
            })*
            #[test] #[ignore = "erases a real YubiKey; run ./ceremony-scripts/test-hardware"] fn matrix_line() {
                super::hold(&super::super::rows::$row, |bench| super::tell(&super::matrix::line(bench, "tested on hardware")));
            }
        })*
    };
}

on_hardware! {
    native: NATIVE {
        signature_of_each_algorithm_verifies_and_only_over_its_message
        key_that_is_not_there_does_not_sign
        nothing_signs_before_a_login_or_after_a_logout
        key_is_listed_again_with_its_custody_and_usage
        public_halves_show_before_a_login
        token_is_not_initialised_behind_its_makers_back
        key_label_that_is_taken_is_refused
        token_is_listed_by_what_it_is_called
        token_that_is_not_there_is_removed
        attestation_is_of_the_key_or_absent
        wrong_pin_is_said_so_and_the_right_one_still_works
        empty_pin_is_refused_and_costs_no_try
        wrong_pins_are_counted_as_this_row_can
        second_login_is_fine_and_a_try_of_its_own
        key_that_wants_its_pin_each_time_gets_a_fresh_login_for_each
        token_taken_out_in_mid_session_gives_nothing
        token_put_back_wants_its_pin_again
        token_out_and_in_again_unseen_wants_its_pin_again
    }
    ykcs11: YKCS11 {
        signature_of_each_algorithm_verifies_and_only_over_its_message
        key_is_listed_again_with_its_custody_and_usage
        attestation_is_of_the_key_or_absent
        wrong_pins_are_counted_as_this_row_can
        key_that_wants_its_pin_each_time_gets_a_fresh_login_for_each
        token_put_back_wants_its_pin_again
    }
    opensc: OPENSC {
        signature_of_each_algorithm_verifies_and_only_over_its_message
        key_is_listed_again_with_its_custody_and_usage
        wrong_pins_are_counted_as_this_row_can
        key_that_wants_its_pin_each_time_gets_a_fresh_login_for_each
        token_put_back_wants_its_pin_again
    }
}

/// How long a person may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// The one card that may be erased.
pub struct Real {
    pub serial: u32,
    /// How many readers hold a card while it is in one.
    cards: usize,
    is_out: Cell<bool>,
}

fn hold(row: &'static Row, claim: impl FnOnce(&mut Bench)) {
    let said = |name: &str| {
        let value = std::env::var(name).ok()?;
        value.parse::<u32>().ok()
    };
    // The script sets the second one when its serial was typed.
    let (Some(serial), Some(agreed)) = (said("YUBIKEY_SERIAL"), said("YUBIKEY_ERASE_AGREED"))
    else {
        panic!("this erases a YubiKey; run ./ceremony-scripts/test-hardware, which asks");
    };
    assert_eq!(
        serial, agreed,
        "another YubiKey than the one that may be erased"
    );
    for needed in row.library.iter().chain(row.needs) {
        needed.check();
    }
    if !answers(serial) {
        // A claim before this one failed while it was out.
        tell(&format!("==> Put YubiKey {serial} back now.\n"));
        wait(|| answers(serial));
    }
    let is_out = Cell::new(false);
    let real = Real {
        serial,
        cards: present(),
        is_out,
    };
    let mut bench = Bench::new(row, Place::Real(real));
    claim(&mut bench);
    if let Place::Real(real) = &bench.place
        && real.is_out.get()
    {
        real.put_back();
    }
}

fn answers(serial: u32) -> bool {
    YubiKey::open_by_serial(Serial(serial)).is_ok()
}

impl Real {
    /// Asks for it to be taken out, and waits until it is.
    pub fn take_out(&self) {
        tell(&format!("==> Take YubiKey {} out now.\n", self.serial));
        wait(|| present() < self.cards);
        self.is_out.set(true);
    }

    /// Asks for it to be put back, and waits until it is.
    pub fn put_back(&self) {
        tell(&format!("==> Put YubiKey {} back now.\n", self.serial));
        wait(|| present() >= self.cards);
        self.is_out.set(false);
        // A card that was just seen may still be waking up.
        sleep(Duration::from_millis(500));
    }
}

/// Says it to the person at the terminal, whatever becomes of standard output.
pub fn tell(text: &str) {
    let mut terminal = OpenOptions::new().write(true).open("/dev/tty").unwrap();
    terminal.write_all(text.as_bytes()).unwrap();
}

fn wait(there: impl Fn() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < PATIENCE, "nobody did");
        sleep(Duration::from_millis(200));
    }
}

/// How many readers hold a card. Asks PC/SC alone, no card.
fn present() -> usize {
    let context = Context::establish(Scope::User).unwrap();
    let readers = match context.list_readers_owned() {
        Err(pcsc::Error::NoReadersAvailable) => return 0,
        readers => readers.unwrap(),
    };
    let unaware = |name| ReaderState::new(name, State::UNAWARE);
    let mut states: Vec<ReaderState> = readers.into_iter().map(unaware).collect();
    let changed = context.get_status_change(Duration::ZERO, &mut states);
    assert!(
        matches!(changed, Ok(()) | Err(pcsc::Error::Timeout)),
        "{changed:?}"
    );
    let present = |state: &&ReaderState| state.event_state().contains(State::PRESENT);
    states.iter().filter(present).count()
}
