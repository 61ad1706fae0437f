//! PINs: wrong, empty, counted, locked, asked again.

use tuf_ceremony::ceremony::port::TokenFault;
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;

use super::super::bench::{Bench, empty};
use super::super::secret;

pub fn wrong_pin_is_said_so_and_the_right_one_still_works(bench: &mut Bench) {
    let token = bench.token("one");
    let row = bench.row;
    assert_eq!(token.tries, row.tries[0]);
    let token = token.id;
    let error = bench
        .module()
        .login(&token, &secret(row.wrong))
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::PinIncorrect);
    let attempted = format!("log in to token {}: the PIN is wrong", token.serial);
    assert!(error.to_string().starts_with(&attempted), "{error}");
    assert!(!error.to_string().contains(row.wrong), "{error}");
    assert_eq!(bench.listed(&token).tries, row.tries[1]);
    bench.login(&token).unwrap();
    assert_eq!(bench.listed(&token).tries, row.tries[0]);
}

pub fn empty_pin_is_refused_and_costs_no_try(bench: &mut Bench) {
    let token = bench.token("one").id;
    let error = bench.module().login(&token, &empty()).unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported);
    assert_eq!(
        error.said,
        "an empty PIN was given, and the token has no keys to type one on"
    );
    assert_eq!(bench.listed(&token).tries, bench.row.tries[0]);
}

pub fn wrong_pins_are_counted_as_this_row_can(bench: &mut Bench) {
    let token = bench.token("one").id;
    let row = bench.row;
    let wrong = |bench: &mut Bench, number: usize| {
        let error = bench
            .module()
            .login(&token, &secret(row.wrong))
            .unwrap_err();
        let expected = row.refusals[number - 1];
        assert_eq!(error.fault, expected, "wrong PIN {number}: {error}");
        let tries = bench.listed(&token).tries;
        assert_eq!(tries, row.tries[number], "after wrong PIN {number}");
    };
    let most = row.locks_after.unwrap_or(row.refusals.len());
    for number in 1..most {
        wrong(bench, number);
    }
    // One short of it, and a right one puts the counter back.
    bench.login(&token).unwrap();
    bench.module().logout(&token);
    let begun = if row.right_pin_resets { 1 } else { most };
    for number in begun..=most {
        wrong(bench, number);
    }
    let right = bench.login(&token);
    if row.locks_after.is_some() {
        assert_eq!(right.unwrap_err().fault, TokenFault::PinLocked);
    } else {
        right.unwrap();
    }
}

pub fn second_login_is_fine_and_a_try_of_its_own(bench: &mut Bench) {
    let token = bench.token("one").id;
    let key = bench.key(&token, "first", EcdsaP256);
    bench.login(&token).unwrap();
    bench.login(&token).unwrap();
    bench.module().sign(&token, &key, b"message").unwrap();
    // A login from before proves nothing about the PIN that is given now.
    bench.login(&token).unwrap();
    let wrong = secret(bench.row.wrong);
    let error = bench.module().login(&token, &wrong).unwrap_err();
    assert_eq!(error.fault, TokenFault::PinIncorrect, "{error}");
    let error = bench.module().sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn, "{error}");
    bench.assert_signs(&token, &key);
}

pub fn key_that_wants_its_pin_each_time_gets_a_fresh_login_for_each(bench: &mut Bench) {
    let token = bench.token("one").id;
    bench.key(&token, "first", EcdsaP256);
    let key = bench.key(&token, "second", EcdsaP256);
    for _ in 0..2 {
        bench.assert_signs(&token, &key);
        let error = bench.module().sign(&token, &key, b"message").unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn, "{error}");
        assert!(!error.may_have_signed);
    }
}
