//! One suite over every kind of token: the rows of the matrix in docs/tokens.md, and what each of them has to keep.
//!
//! `token_suite/row.rs` says what a row is, `rows.rs` describes the seven, `stage.rs` sets their stages, `claims/` has what they keep. Each claim runs in
//! a process of its own: modules are configured by the environment and initialised once a process. A claim that does not apply to a row is an ignored
//! test that says why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

use std::path::Path;

use tuf_ceremony::ceremony::port::{Leaves, TokenFault, TokenId, TokenInfo};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;

#[path = "token_suite/bench.rs"]
mod bench;
#[path = "token_suite/cards.rs"]
mod cards;
#[path = "token_suite/claims.rs"]
mod claims;
#[path = "token_suite/hardware.rs"]
mod hardware;
#[path = "token_suite/hardware_script.rs"]
mod hardware_script;
#[path = "token_suite/matrix.rs"]
mod matrix;
#[path = "token_suite/pkcs11.rs"]
mod pkcs11;
#[path = "token_suite/row.rs"]
mod row;
#[path = "token_suite/rows.rs"]
mod rows;
#[path = "token_suite/second_opinion.rs"]
mod second_opinion;
#[path = "support/shim.rs"]
#[allow(dead_code, reason = "no test program uses every helper")]
mod shim;
#[path = "token_suite/stage.rs"]
mod stage;
#[path = "support/swtpm.rs"]
mod swtpm;
#[path = "support/terminal.rs"]
mod terminal;

const PIN: &str = "Zx9-PIN-7f3Q";
const SO_PIN: &str = "so-8642-pin";
/// Debian's path of `SoftHSM`.
const SOFTHSM: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The claims of a row. Those that do not apply are ignored tests that say why.
macro_rules! row {
    ($name:ident: $row:ident {
        $($claim:ident)*;
        does_not_apply { $($other:ident: $why:literal)* }
    }) => {
        mod $name {
            pub const CLAIMS: &[&str] = &[$(stringify!($claim)),*];
            pub const DO_NOT_APPLY: &[(&str, &str)] = &[$((stringify!($other), $why)),*];
            $(#[test] fn $claim() {
                let test = concat!(stringify!($name), "::", stringify!($claim));
                super::stage::run(&super::rows::$row, test, super::claims::$claim);
            })*
            #[test] fn matrix_says_what_is_measured() {
                let test = concat!(stringify!($name), "::matrix_says_what_is_measured");
                super::matrix::hold(&super::rows::$row, test, DO_NOT_APPLY);
            }
            /// All others hold through a worker process.
            #[test] fn it_is_the_same_without_a_worker() {
                let test = concat!(stringify!($name), "::it_is_the_same_without_a_worker");
                super::stage::run(&super::rows::$row, test, |bench| {
                    bench.without_worker();
                    super::claims::signature_of_each_algorithm_verifies_and_only_over_its_message(bench);
                });
            }
            $(#[test] #[ignore = $why] fn $other() {
                panic!("{} does not apply to {}: {}", stringify!($other), super::rows::$row.name, $why);
            })*
        }
    };
}

row! { software: SOFTWARE {
    signature_of_each_algorithm_verifies_and_only_over_its_message
    openssl_verifies_what_it_signs
    key_that_is_not_there_does_not_sign
    nothing_signs_before_a_login_or_after_a_logout
    two_tokens_are_told_apart
    key_is_listed_again_with_its_custody_and_usage
    public_halves_show_before_a_login
    token_label_that_is_taken_is_refused
    empty_pin_for_a_new_token_is_refused
    key_label_that_is_taken_is_refused
    token_is_listed_by_what_it_is_called
    token_that_is_not_there_is_removed
    attestation_is_of_the_key_or_absent
    wrong_pin_is_said_so_and_the_right_one_still_works
    empty_pin_is_refused_and_costs_no_try
    wrong_pins_are_counted_as_this_row_can
    second_login_is_fine_and_a_try_of_its_own
    key_that_may_leave_signs_on_another_token_and_is_restored_there
    wrong_pin_of_a_backup_is_told_and_is_one_try
    wrapped_key_that_is_damaged_or_another_is_refused_and_leaves_nothing
    key_that_was_not_made_to_leave_is_not_wrapped;
    does_not_apply {
        imported_key_is_not_called_made_there: "no key is brought in through it"
        one_signature_is_one_request_to_the_device: "there is no device"
        algorithm_that_it_does_not_have_is_refused: "it has Ed25519"
        token_is_not_initialised_behind_its_makers_back: "it is initialised by this program"
        key_that_wants_its_pin_each_time_gets_a_fresh_login_for_each: "no key of it wants its PIN each time"
        token_taken_out_in_mid_session_gives_nothing: "it lives in this process; software_token_locks_... takes it out by its own means"
        token_put_back_wants_its_pin_again: "it lives in this process; software_token_locks_... puts it back by its own means"
        token_out_and_in_again_unseen_wants_its_pin_again: "it lives in this process; software_token_locks_... puts it back by its own means"
        other_card_in_its_place_is_refused: "it is in no reader"
        card_pulled_in_mid_sign_may_have_signed: "it is in no reader"
        key_made_by_another_program_meanwhile_is_found: "no other program reaches it"
        key_that_could_not_leave_wrapped_is_not_made: "it wraps each type that it makes"
    }
} }
row! { softhsm2: SOFTHSM2 {
    signature_of_each_algorithm_verifies_and_only_over_its_message
    openssl_verifies_what_it_signs
    key_that_is_not_there_does_not_sign
    key_made_by_another_program_meanwhile_is_found
    nothing_signs_before_a_login_or_after_a_logout
    two_tokens_are_told_apart
    one_signature_is_one_request_to_the_device
    key_is_listed_again_with_its_custody_and_usage
    public_halves_show_before_a_login
    token_label_that_is_taken_is_refused
    empty_pin_for_a_new_token_is_refused
    key_label_that_is_taken_is_refused
    token_is_listed_by_what_it_is_called
    token_that_is_not_there_is_removed
    attestation_is_of_the_key_or_absent
    wrong_pin_is_said_so_and_the_right_one_still_works
    empty_pin_is_refused_and_costs_no_try
    wrong_pins_are_counted_as_this_row_can
    second_login_is_fine_and_a_try_of_its_own
    token_taken_out_in_mid_session_gives_nothing
    token_put_back_wants_its_pin_again
    key_that_may_leave_signs_on_another_token_and_is_restored_there
    wrong_pin_of_a_backup_is_told_and_is_one_try
    wrapped_key_that_is_damaged_or_another_is_refused_and_leaves_nothing
    key_that_was_not_made_to_leave_is_not_wrapped
    key_that_could_not_leave_wrapped_is_not_made;
    does_not_apply {
        imported_key_is_not_called_made_there: "this program brings no key into it, nor do its maker's tools in our set-up"
        algorithm_that_it_does_not_have_is_refused: "it has Ed25519"
        token_is_not_initialised_behind_its_makers_back: "it is initialised by this program"
        token_out_and_in_again_unseen_wants_its_pin_again: "it does not notice a folder that is back before it looks"
        key_that_wants_its_pin_each_time_gets_a_fresh_login_for_each: "it makes no key with CKA_ALWAYS_AUTHENTICATE; tests/shim.rs lays one over it"
        other_card_in_its_place_is_refused: "it is in no reader; its second token has a slot of its own"
        card_pulled_in_mid_sign_may_have_signed: "it is a folder and cannot be gone between a request and its answer"
    }
} }
row! { nss: NSS {
    signature_of_each_algorithm_verifies_and_only_over_its_message
    openssl_verifies_what_it_signs
    key_that_is_not_there_does_not_sign
    nothing_signs_before_a_login_or_after_a_logout
    one_signature_is_one_request_to_the_device
    algorithm_that_it_does_not_have_is_refused
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
    key_that_could_not_leave_wrapped_is_not_made;
    does_not_apply {
        imported_key_is_not_called_made_there: "this program brings no key into it, nor do its maker's tools in our set-up"
        two_tokens_are_told_apart: "a room has one database, with one token that holds keys"
        token_label_that_is_taken_is_refused: "certutil makes its database, and its label is fixed"
        empty_pin_for_a_new_token_is_refused: "certutil makes its database"
        key_that_wants_its_pin_each_time_gets_a_fresh_login_for_each: "no key of it wants its PIN each time"
        token_taken_out_in_mid_session_gives_nothing: "it is an open file and cannot be taken out"
        token_put_back_wants_its_pin_again: "it is an open file and cannot be taken out"
        token_out_and_in_again_unseen_wants_its_pin_again: "it is an open file and cannot be taken out"
        other_card_in_its_place_is_refused: "it is in no reader"
        card_pulled_in_mid_sign_may_have_signed: "it is in no reader"
        key_made_by_another_program_meanwhile_is_found: "pkcs11-tool cannot give it its arguments"
        key_that_may_leave_signs_on_another_token_and_is_restored_there: "it has no SO PIN, and no key is made on it that may leave"
        wrong_pin_of_a_backup_is_told_and_is_one_try: "it has no SO PIN, and no key is made on it that may leave"
        wrapped_key_that_is_damaged_or_another_is_refused_and_leaves_nothing: "it has no SO PIN, and no key is made on it that may leave"
        key_that_was_not_made_to_leave_is_not_wrapped: "it has no SO PIN, and no key is made on it that may leave"
    }
} }
row! { tpm2: TPM2 {
    signature_of_each_algorithm_verifies_and_only_over_its_message
    openssl_verifies_what_it_signs
    key_that_is_not_there_does_not_sign
    key_made_by_another_program_meanwhile_is_found
    nothing_signs_before_a_login_or_after_a_logout
    two_tokens_are_told_apart
    one_signature_is_one_request_to_the_device
    algorithm_that_it_does_not_have_is_refused
    key_is_listed_again_with_its_custody_and_usage
    public_halves_show_before_a_login
    token_label_that_is_taken_is_refused
    empty_pin_for_a_new_token_is_refused
    key_label_that_is_taken_is_refused
    token_is_listed_by_what_it_is_called
    token_that_is_not_there_is_removed
    attestation_is_of_the_key_or_absent
    wrong_pin_is_said_so_and_the_right_one_still_works
    empty_pin_is_refused_and_costs_no_try
    wrong_pins_are_counted_as_this_row_can
    second_login_is_fine_and_a_try_of_its_own
    key_that_could_not_leave_wrapped_is_not_made;
    does_not_apply {
        imported_key_is_not_called_made_there: "this program brings no key into it, nor do its maker's tools in our set-up"
        token_is_not_initialised_behind_its_makers_back: "it is initialised by this program"
        key_that_wants_its_pin_each_time_gets_a_fresh_login_for_each: "no key of it wants its PIN each time"
        token_taken_out_in_mid_session_gives_nothing: "a TPM is part of its machine"
        token_put_back_wants_its_pin_again: "a TPM is part of its machine"
        token_out_and_in_again_unseen_wants_its_pin_again: "a TPM is part of its machine"
        other_card_in_its_place_is_refused: "a TPM is part of its machine"
        card_pulled_in_mid_sign_may_have_signed: "a TPM is part of its machine"
        key_that_may_leave_signs_on_another_token_and_is_restored_there: "no key is made on it that may leave"
        wrong_pin_of_a_backup_is_told_and_is_one_try: "no key is made on it that may leave"
        wrapped_key_that_is_damaged_or_another_is_refused_and_leaves_nothing: "no key is made on it that may leave"
        key_that_was_not_made_to_leave_is_not_wrapped: "no key is made on it that may leave"
    }
} }
row! { opensc: OPENSC {
    signature_of_each_algorithm_verifies_and_only_over_its_message
    openssl_verifies_what_it_signs
    key_that_is_not_there_does_not_sign
    nothing_signs_before_a_login_or_after_a_logout
    two_tokens_are_told_apart
    one_signature_is_one_request_to_the_device
    key_is_listed_again_with_its_custody_and_usage
    public_halves_show_before_a_login
    imported_key_is_not_called_made_there
    token_is_not_initialised_behind_its_makers_back
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
    other_card_in_its_place_is_refused
    card_pulled_in_mid_sign_may_have_signed
    key_made_by_another_program_meanwhile_is_found
    key_that_could_not_leave_wrapped_is_not_made;
    does_not_apply {
        algorithm_that_it_does_not_have_is_refused: "its keys are made by Yubico's programs, not through it"
        token_label_that_is_taken_is_refused: "it does not initialise PIV cards"
        empty_pin_for_a_new_token_is_refused: "it does not initialise PIV cards"
        key_label_that_is_taken_is_refused: "its keys are made by Yubico's programs, not through it"
        key_that_may_leave_signs_on_another_token_and_is_restored_there: "cards never let a key out"
        wrong_pin_of_a_backup_is_told_and_is_one_try: "cards never let a key out"
        wrapped_key_that_is_damaged_or_another_is_refused_and_leaves_nothing: "cards never let a key out"
        key_that_was_not_made_to_leave_is_not_wrapped: "cards never let a key out"
    }
} }
row! { ykcs11: YKCS11 {
    signature_of_each_algorithm_verifies_and_only_over_its_message
    openssl_verifies_what_it_signs
    key_that_is_not_there_does_not_sign
    nothing_signs_before_a_login_or_after_a_logout
    two_tokens_are_told_apart
    one_signature_is_one_request_to_the_device
    key_is_listed_again_with_its_custody_and_usage
    public_halves_show_before_a_login
    imported_key_is_not_called_made_there
    token_is_not_initialised_behind_its_makers_back
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
    other_card_in_its_place_is_refused
    card_pulled_in_mid_sign_may_have_signed
    key_made_by_another_program_meanwhile_is_found
    key_that_could_not_leave_wrapped_is_not_made;
    does_not_apply {
        algorithm_that_it_does_not_have_is_refused: "its keys are made by Yubico's programs, not through it"
        token_label_that_is_taken_is_refused: "a YubiKey's label is its serial"
        empty_pin_for_a_new_token_is_refused: "a YubiKey is provisioned, not initialised"
        key_label_that_is_taken_is_refused: "its keys are made by Yubico's programs, not through it"
        key_that_may_leave_signs_on_another_token_and_is_restored_there: "cards never let a key out"
        wrong_pin_of_a_backup_is_told_and_is_one_try: "cards never let a key out"
        wrapped_key_that_is_damaged_or_another_is_refused_and_leaves_nothing: "cards never let a key out"
        key_that_was_not_made_to_leave_is_not_wrapped: "cards never let a key out"
    }
} }
row! { native: NATIVE {
    signature_of_each_algorithm_verifies_and_only_over_its_message
    openssl_verifies_what_it_signs
    key_that_is_not_there_does_not_sign
    key_made_by_another_program_meanwhile_is_found
    nothing_signs_before_a_login_or_after_a_logout
    two_tokens_are_told_apart
    one_signature_is_one_request_to_the_device
    key_is_listed_again_with_its_custody_and_usage
    public_halves_show_before_a_login
    imported_key_is_not_called_made_there
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
    other_card_in_its_place_is_refused
    card_pulled_in_mid_sign_may_have_signed
    key_that_could_not_leave_wrapped_is_not_made;
    does_not_apply {
        algorithm_that_it_does_not_have_is_refused: "from firmware 5.7 on it has all four"
        token_label_that_is_taken_is_refused: "a YubiKey's label is its serial"
        empty_pin_for_a_new_token_is_refused: "a YubiKey is provisioned, not initialised"
        key_that_may_leave_signs_on_another_token_and_is_restored_there: "cards never let a key out"
        wrong_pin_of_a_backup_is_told_and_is_one_try: "cards never let a key out"
        wrapped_key_that_is_damaged_or_another_is_refused_and_leaves_nothing: "cards never let a key out"
        key_that_was_not_made_to_leave_is_not_wrapped: "cards never let a key out"
    }
} }

#[test]
fn every_row_says_of_every_claim_whether_it_applies() {
    let rows = [
        (software::CLAIMS, software::DO_NOT_APPLY),
        (softhsm2::CLAIMS, softhsm2::DO_NOT_APPLY),
        (nss::CLAIMS, nss::DO_NOT_APPLY),
        (tpm2::CLAIMS, tpm2::DO_NOT_APPLY),
        (opensc::CLAIMS, opensc::DO_NOT_APPLY),
        (ykcs11::CLAIMS, ykcs11::DO_NOT_APPLY),
        (native::CLAIMS, native::DO_NOT_APPLY),
    ];
    let of = |(claims, others): (&'static [&str], &'static [(&str, &str)])| {
        let mut all: Vec<&str> = claims.to_vec();
        all.extend(others.iter().map(|(claim, _)| *claim));
        all.sort_unstable();
        all
    };
    let all = of(rows[0]);
    for row in rows {
        assert_eq!(of(row), all);
    }
    // And each is held on some row.
    for claim in all {
        assert!(
            rows.iter().any(|(claims, _)| claims.contains(&claim)),
            "{claim}"
        );
    }
}

#[test]
fn software_token_locks_after_three_wrong_pins_and_forgets_its_login_when_taken_out() {
    let mut module = SoftwareModule::new("room");
    let token = logged_in(&mut module, "one");
    let key = module
        .generate(&token, "root", EcdsaP256, Leaves::Never)
        .unwrap();
    module.plug(&token, false);
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::Removed);
    assert_eq!(module.list().unwrap(), []);
    module.plug(&token, true);
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn);
    for left in [Tries::Left(2), Tries::Left(1), Tries::Locked] {
        let error = module.login(&token, &secret("wrong-pin")).unwrap_err();
        assert_eq!(error.fault, TokenFault::PinIncorrect);
        assert_eq!(listed(&mut module, &token).tries, left);
    }
    let error = module.login(&token, &secret(PIN)).unwrap_err();
    assert_eq!(error.fault, TokenFault::PinLocked);
    assert_eq!(error.said, "the PIN is locked after too many wrong ones");
}

fn secret(text: &str) -> Secret {
    Secret::take(&mut text.as_bytes().to_vec()).unwrap()
}

fn initialised(module: &mut dyn Module, label: &str) -> TokenInfo {
    module
        .initialise(label, &secret(SO_PIN), &secret(PIN))
        .unwrap()
}

fn logged_in(module: &mut dyn Module, label: &str) -> TokenId {
    let token = initialised(module, label).id;
    module.login(&token, &secret(PIN)).unwrap();
    token
}

fn listed(module: &mut dyn Module, token: &TokenId) -> TokenInfo {
    let mut tokens = module.list().unwrap().into_iter();
    tokens.find(|listed| listed.id == *token).unwrap()
}

fn softhsm() -> Pkcs11Module {
    rows::SOFTHSM2.library.as_ref().unwrap().check();
    Pkcs11Module::load("room", SOFTHSM, None).unwrap()
}

/// Runs `claim` in a new process of this test program, with `SoftHSM` configured to keep its tokens in `tokens/` of the folder it is given.
fn in_own_process(test: &str, claim: fn(&Path)) {
    stage::in_own_process(test, stage::prepare_softhsm, claim);
}
