//! Attestations of real devices, as they were published: they verify, and every copy that is changed fails by name. Two devices lie
//! in attestation/devices; those of ../shared/data show as ignored where they are absent.
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "another test makes worse certificates with it")]
#[path = "attestation/forge.rs"]
mod forge;
#[path = "attestation/genuine.rs"]
mod genuine;
#[path = "attestation/record.rs"]
mod record;
#[path = "attestation/tampered.rs"]
mod tampered;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use tuf_ceremony::attestation::{self, Anchors, Fault, Statement, split};
use tuf_ceremony::tuf::key::PublicKey;

/// A published attestation: public key, certificates with the attestation first.
struct Real {
    name: &'static str,
    public: PublicKey,
    certificates: Vec<Vec<u8>>,
}

impl Real {
    fn read(folder: &Path, name: &'static str, key: &str, certificates: [&str; 2]) -> Self {
        let read = |path: &str| fs::read(folder.join(path)).unwrap();
        let key = String::from_utf8(read(key)).unwrap();
        Self {
            name,
            public: PublicKey::from_text(&key).unwrap(),
            certificates: certificates
                .iter()
                .flat_map(|path| split(path, &read(path)).unwrap())
                .collect(),
        }
    }

    fn verify(&self) -> Statement {
        verify(&self.public, &self.certificates).unwrap()
    }
}

/// What may be absent.
fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/attestations")
}

/// A YubiKey and a YubiHSM 2 that are always here.
fn here() -> [Real; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attestation/devices");
    [
        Real::read(
            &folder,
            "yubikey 15422467",
            "yubikey-15422467-9c.pub.pem",
            ["yubikey-15422467-9c.pem", "yubikey-15422467-f9.pem"],
        ),
        Real::read(
            &folder,
            "yubihsm 34331133",
            "yubihsm-34331133-0003.pub.pem",
            ["yubihsm-34331133-0003.pem", "yubihsm-34331133-device.pem"],
        ),
    ]
}

/// PyPI's YubiHSM of 2020 (root, targets) and the YubiKey of a Sigstore root key.
fn published() -> [Real; 3] {
    let hsm = "yubihsm2-pypi-2020/0013200461_cert.der";
    [
        Real::read(
            &shared(),
            "pypi root",
            "yubihsm2-pypi-2020/0013200461_root_pubkey.pem",
            ["yubihsm2-pypi-2020/0013200461_root_attestation.der", hsm],
        ),
        Real::read(
            &shared(),
            "pypi targets",
            "yubihsm2-pypi-2020/0013200461_targets_pubkey.pem",
            ["yubihsm2-pypi-2020/0013200461_targets_attestation.der", hsm],
        ),
        Real::read(
            &shared(),
            "sigstore",
            "yubikey-sigstore/14454335_pubkey.pem",
            [
                "yubikey-sigstore/14454335_key_cert.pem",
                "yubikey-sigstore/14454335_device_cert.pem",
            ],
        ),
    ]
}

/// All that are to be had.
fn all() -> Vec<Real> {
    let published = shared().is_dir().then(published).into_iter().flatten();
    here().into_iter().chain(published).collect()
}

fn verify(public: &PublicKey, certificates: &[Vec<u8>]) -> Result<Statement, Vec<Fault>> {
    attestation::verify(public, certificates, &Anchors::yubico())
}

/// The rules that an attestation is refused by.
fn rules(public: &PublicKey, certificates: &[Vec<u8>]) -> Vec<&'static str> {
    let faults = verify(public, certificates).unwrap_err();
    faults.iter().map(Fault::rule).collect()
}

fn main() -> ExitCode {
    let tests: [(&str, fn()); 13] = [
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
        (
            "what_the_record_says_of_genuine_devices_is_found_again",
            record::what_the_record_says_of_genuine_devices_is_found_again,
        ),
        (
            "a_test_root_is_believed_where_a_rehearsals_bundle_carries_it",
            record::a_test_root_is_believed_where_a_rehearsals_bundle_carries_it,
        ),
        (
            "every_lie_of_a_record_about_an_attestation_is_named",
            record::every_lie_of_a_record_about_an_attestation_is_named,
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
