//! Attestations of real devices, as they were published: they verify, and every copy that is changed fails by name. Two devices lie
//! in attestation/devices; those of ../shared/data show as ignored where they are absent.
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "another test makes worse certificates with it")]
#[path = "attestation/forge.rs"]
mod forge;
#[path = "attestation/genuine.rs"]
mod genuine;
#[path = "attestation/real.rs"]
mod real;
#[allow(
    dead_code,
    reason = "its other tests are those of attestation_record.rs"
)]
#[path = "attestation/record.rs"]
mod record;
#[path = "attestation/tampered.rs"]
mod tampered;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use real::{all, here, published, shared};
use tuf_ceremony::attestation::{self, Anchors, Fault, Statement};
use tuf_ceremony::tuf::key::PublicKey;

fn verify(public: &PublicKey, certificates: &[Vec<u8>]) -> Result<Statement, Vec<Fault>> {
    attestation::verify(public, certificates, &Anchors::yubico())
}

/// The rules that an attestation is refused by.
fn rules(public: &PublicKey, certificates: &[Vec<u8>]) -> Vec<&'static str> {
    let faults = verify(public, certificates).unwrap_err();
    faults.iter().map(Fault::rule).collect()
}

fn main() -> ExitCode {
    let tests: [(&str, fn()); 10] = [
        (
            "two_devices_that_are_always_here_are_genuine",
            genuine::here,
        ),
        (
            "the_order_of_certificates_and_duplicates_do_not_matter",
            genuine::any_order,
        ),
        ("attest_verify_says_genuine", genuine::command),
        (
            "an_attestation_of_another_key_is_refused",
            tampered::another_key,
        ),
        (
            "certificates_of_another_device_are_refused",
            tampered::another_device,
        ),
        ("a_missing_device_certificate_is_named", tampered::missing),
        (
            "a_flipped_capability_breaks_the_signature",
            tampered::capability,
        ),
        (
            "no_flipped_bit_of_what_is_signed_is_ever_genuine",
            tampered::flipped,
        ),
        (
            "bytes_before_between_and_after_are_refused",
            tampered::trailing,
        ),
        (
            "two_thousand_mutations_neither_verify_nor_panic",
            tampered::mutations,
        ),
    ];
    let needy: [(&str, fn()); 6] = [
        ("pypis_yubihsm_of_2020_is_genuine", genuine::pypi),
        ("a_sigstore_root_keys_yubikey_is_genuine", genuine::sigstore),
        (
            "one_device_certificate_is_shared_by_many_yubikeys",
            genuine::batch,
        ),
        (
            "the_embedded_roots_are_the_published_files",
            genuine::embedded,
        ),
        ("no_key_of_sigstores_roots_repeats_a_nonce", genuine::nonces),
        (
            "what_the_record_says_of_pypis_yubihsm_is_found_again",
            record::what_the_record_says_of_pypis_yubihsm_is_found_again,
        ),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let absent = !shared().is_dir();
    let trials = tests
        .into_iter()
        .map(trial)
        .chain(
            needy
                .into_iter()
                .map(|test| trial(test).with_ignored_flag(absent)),
        )
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
