//! `verify` over a chain whose tokens have a broken random generator.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/forge.rs"]
mod forge;

use std::fs;
use std::process::Command;

use data_encoding::HEXLOWER;
use forge::{key, keyid, root, signed};
use p256::Scalar;
use p256::ecdsa::Signature;
use p256::elliptic_curve::PrimeField as _;
use serde_json::Value;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;

fn scalar(bytes: [u8; 32]) -> Scalar {
    Scalar::from_repr(bytes.into()).unwrap()
}

/// What holder 2 (P-256) signs over `payload` with the nonce of `first` over `earlier`: anybody who has the key can compute it,
/// and with both signatures anybody has the key.
fn same_nonce(earlier: &[u8], first: &Signature, payload: &[u8]) -> Signature {
    let secret = scalar([2; 32]);
    let (r, s) = first.split_scalars();
    let nonce = (scalar(Sha256::of(earlier).0) + *r * secret) * s.invert().unwrap();
    let s = nonce.invert().unwrap() * (scalar(Sha256::of(payload).0) + *r * secret);
    Signature::from_scalars(r.to_repr(), s.to_repr()).unwrap()
}

/// Root 1 by holders 1 and 2, and its successor, to which holder 2 signs with what `second` makes.
fn chain(second: fn(&[u8], &Signature, &[u8]) -> Vec<u8>) -> [Envelope; 2] {
    let first = signed(&root(None, 1, &[1, 2], 1), &[1, 2]);
    let entry = first
        .signatures()
        .iter()
        .find(|signature| signature.keyid == keyid(2))
        .unwrap();
    let signature = Signature::from_der(&HEXLOWER.decode(entry.sig.as_bytes()).unwrap()).unwrap();
    let next = signed(&root(Some(&first), 2, &[1, 2], 1), &[1]);
    let bytes = second(&first.payload(), &signature, &next.payload());
    let next = next.with_signature(&keyid(2), &bytes, &|_| false);
    [first, next]
}

/// Exit code and errors of `verify` over both.
fn verify(roots: &[Envelope]) -> (Option<i32>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    for (index, root) in roots.iter().enumerate() {
        fs::write(
            folder.path().join(format!("{}.root.json", index + 1)),
            root.bytes(),
        )
        .unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(folder.path())
        .args([
            "verify",
            "--trusted-root",
            "1.root.json",
            ".",
            "--json",
            "--at",
            "2026-12-01T00:00:00Z",
        ])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let errors = findings
        .iter()
        .filter(|finding| finding["level"] == "error")
        .map(|finding| {
            let [rule, file, text] =
                ["rule", "file", "text"].map(|name| finding[name].as_str().unwrap());
            format!("{rule} {file}: {text}")
        });
    (output.status.code(), errors.collect())
}

#[test]
fn a_key_that_signed_two_roots_with_one_nonce_is_refused() {
    let roots = chain(|earlier, first, payload| {
        same_nonce(earlier, first, payload)
            .to_der()
            .as_bytes()
            .to_vec()
    });
    // The signature itself is as right as any.
    let entry = roots[1]
        .signatures()
        .iter()
        .find(|signature| signature.keyid == keyid(2))
        .unwrap();
    assert!(key(2).verifies(
        &roots[1].payload(),
        &HEXLOWER.decode(entry.sig.as_bytes()).unwrap()
    ));
    let text = format!(
        "SIG-NONCE ./2.root.json: the key with the fingerprint {} signed the payloads {} and {} with the same random number, so its \
         private half can be computed from them; the key must not be trusted any more. Replace the key and the token that signed",
        key(2).public().fingerprint(),
        roots[0].payload_digest(),
        roots[1].payload_digest()
    );
    assert_eq!(verify(&roots), (Some(1), vec![text]));
}

#[test]
fn planted_pairs_that_do_not_verify_accuse_nobody() {
    // The old r beside an s of nothing: anybody can write that.
    let roots = chain(|_, first, _| {
        let s = scalar([7; 32]).to_repr();
        let planted = Signature::from_scalars(first.r().to_repr(), s).unwrap();
        planted.to_der().as_bytes().to_vec()
    });
    assert_eq!(verify(&roots), (Some(0), Vec::new()));
    // And a chain as it should be.
    let first = signed(&root(None, 1, &[1, 2], 1), &[1, 2]);
    let next = signed(&root(Some(&first), 2, &[1, 2], 1), &[1, 2]);
    assert_eq!(verify(&[first, next]), (Some(0), Vec::new()));
}
