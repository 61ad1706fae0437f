//! `YubiKeys` over PC/SC, on virtual ones behind a real pcscd: listed, used, made keys on, mistreated and reset. Each test has a pcscd of its own.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "tests"
)]

/// Each claim on a stage of its own.
macro_rules! claims {
    ($module:ident $path:literal: $($claim:ident)*) => {
        #[path = $path]
        mod $module;
        $(#[test] fn $claim() {
            virtual_yubikey::on_stage(stringify!($claim), $module::$claim);
        })*
    };
}

#[path = "support/yubikey.rs"]
mod support;

claims! { listing "yubikey/listing.rs":
    cards_are_listed_with_serial_firmware_tries_and_the_makers_secrets
    another_card_in_a_reader_is_ignored_and_a_second_token_is_not_disturbed
    token_that_is_not_there_is_removed
}

claims! { keys "yubikey/keys.rs":
    keys_of_each_algorithm_of_5_7_sign_and_are_found_again
    keys_of_each_algorithm_of_5_4_sign_and_are_found_again
    ed25519_payload_beyond_the_limit_is_refused_before_anything_is_sent
    slot_that_holds_a_key_is_never_overwritten
    keys_made_by_other_programs_are_used_as_their_policies_say
    attestation_is_the_keys_own_and_the_makers_certificate
}

claims! { secrets "yubikey/secrets.rs":
    makers_secrets_are_refused_and_nothing_is_tried
    pin_locks_after_three_wrong_ones_and_what_is_no_pin_is_not_sent
    reset_gives_new_secrets_to_a_card_with_everything_blocked
    reset_that_is_interrupted_anywhere_can_be_done_again
    reset_with_bad_secrets_erases_nothing
    management_key_that_is_not_behind_the_pin_is_asked_for
}

claims! { trouble "yubikey/trouble.rs":
    missed_touch_is_told_apart_from_a_missing_pin
    card_that_is_pulled_in_mid_signature_signs_after_a_new_login
    card_that_is_pulled_anywhere_in_a_signature_is_said_to_be_gone
    look_alike_in_the_same_reader_does_not_sign
    signature_by_another_key_does_not_verify
    card_that_answers_nonsense_is_an_error
    smart_card_service_that_dies_is_said_so
}

claims! { worker "yubikey/worker.rs":
    card_behind_a_worker_does_all_of_it
    program_lists_the_cards_of_a_room_and_of_no_room
}
