//! Signature vectors of Project Wycheproof, run through [`tuf_ceremony::tuf::key::Key::verifies`].
//!
//! Agreement is total but for one class, where we accept on purpose: RSA-PSS signatures whose salt is not the 32 bytes
//! that the vectors' key asks for. The scheme `rsassa-pss-sha256` fixes no length, and python-tuf, go-tuf and tuf-js detect it. These are
//! right signatures by the key over the message, so nothing is forged; they are counted below, so that a change shows.
#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "tests")]

use tuf_ceremony::tuf::key::{Key, PublicKey};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pss_verify};

fn key(der: &[u8]) -> Key {
    Key::from_public(&PublicKey::from_spki_der(der).unwrap()).unwrap()
}

/// The outcome of one file: how many vectors, how many of them invalid, and the ids and comments of those we judge otherwise.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    vectors: usize,
    invalid: usize,
    otherwise: Vec<(usize, String)>,
}

impl Outcome {
    fn add(&mut self, id: usize, comment: &str, expected: TestResult, verifies: bool) {
        self.vectors += 1;
        self.invalid += usize::from(expected.must_fail());
        if verifies != (expected == TestResult::Valid) {
            self.otherwise.push((id, comment.to_owned()));
        }
    }
}

macro_rules! run {
    ($module:ident, $name:ident) => {{
        let set = $module::TestSet::load($module::TestName::$name).unwrap();
        let mut outcome = Outcome::default();
        for group in set.test_groups {
            let key = key(&group.der);
            for test in group.tests {
                let verifies = key.verifies(&test.msg, &test.sig);
                outcome.add(test.tc_id, &test.comment, test.result, verifies);
            }
        }
        outcome
    }};
}

fn agreed(vectors: usize, invalid: usize) -> Outcome {
    Outcome {
        vectors,
        invalid,
        otherwise: Vec::new(),
    }
}

#[test]
fn ed25519() {
    assert_eq!(run!(eddsa, Ed25519), agreed(151, 63));
}

#[test]
fn p256_with_sha256_in_der() {
    assert_eq!(run!(ecdsa, EcdsaSecp256r1Sha256), agreed(484, 310));
}

#[test]
fn p384_with_sha384_in_der() {
    assert_eq!(run!(ecdsa, EcdsaSecp384r1Sha384), agreed(504, 310));
}

/// Agreement but for the vectors from number 67 on, whose salts have these lengths.
fn agreed_but_for_salts(vectors: usize, invalid: usize, lengths: &[usize]) -> Outcome {
    Outcome {
        vectors,
        invalid,
        otherwise: lengths
            .iter()
            .enumerate()
            .map(|(index, length)| (67 + index, format!("s_len changed to {length}")))
            .collect(),
    }
}

#[test]
fn rsa_pss_2048_with_salt_32() {
    assert_eq!(
        run!(rsa_pss_verify, RsaPss2048Sha256Mgf1SaltLen32),
        agreed_but_for_salts(108, 45, &[0, 1, 20, 31, 33, 222])
    );
}

#[test]
fn rsa_pss_3072_with_salt_32() {
    assert_eq!(
        run!(rsa_pss_verify, RsaPss3072Sha256Mgf1SaltLen32),
        agreed_but_for_salts(108, 45, &[0, 1, 20, 31, 33, 350])
    );
}

#[test]
fn rsa_pss_4096_with_salt_32() {
    assert_eq!(
        run!(rsa_pss_verify, RsaPss4096Sha256Mgf1SaltLen32),
        agreed_but_for_salts(108, 45, &[0, 1, 20, 31, 33, 478])
    );
}

#[test]
fn rsa_pss_2048_without_salt() {
    assert_eq!(
        run!(rsa_pss_verify, RsaPss2048Sha256Mgf1SaltLen0),
        agreed_but_for_salts(103, 42, &[1, 20, 32, 222])
    );
}
