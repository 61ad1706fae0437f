//! Who may sign an attestation, and for which key.

use tuf_ceremony::attestation::{self, Fault};
use tuf_ceremony::tuf::key::PublicKey;

use super::forge::{ATTESTED, DEVICE, DEVICE_NAME, Key, ROOT, device, key_usage, piv};
use super::{PIV_NAME, anchors, pair, public, refused, verify};

#[test]
fn an_attested_key_cannot_attest_another() {
    assert!(verify(&pair(&piv(), &device())).is_ok());
    // A genuine key of a genuine device signs something that looks like an attestation of a key in software.
    let mut forged = piv();
    forged.issuer = "YubiKey PIV Attestation 9a".to_owned();
    let mut genuine = piv();
    genuine.subject = "YubiKey PIV Attestation 9a".to_owned();
    genuine.spki = Key::new(6).spki();
    let certificates = [
        forged.sign(&Key::new(6)),
        genuine.sign(&Key::new(DEVICE)),
        device().sign(&Key::new(ROOT)),
    ];
    let told = |reason: &str| {
        format!(
            "\"YubiKey PIV Attestation 9a\" signed {PIV_NAME}, but may not: {reason}; somebody used an ordinary key to sign an \
             attestation. Find out who before the device is used"
        )
    };
    refused(
        &certificates,
        &[("ATTEST-AUTHORITY", &told("it has no basicConstraints"))],
    );
    let cases = [
        (
            ("2.5.29.19".to_owned(), true, vec![0x30, 0]),
            "it is no issuer (cA is false)",
        ),
        (
            ("2.5.29.19".to_owned(), true, vec![0x30, 1, 0]),
            "its basicConstraints cannot be read",
        ),
    ];
    for (constraints, reason) in cases {
        let mut with = genuine.clone();
        with.extensions.push(constraints);
        let certificates = [
            certificates[0].clone(),
            with.sign(&Key::new(DEVICE)),
            certificates[2].clone(),
        ];
        refused(&certificates, &[("ATTEST-AUTHORITY", &told(reason))]);
    }
}

#[test]
fn issuers_keep_to_what_they_may_issue() {
    let told = |reason: &str| {
        format!(
            "\"Yubico PIV Attestation\" signed {PIV_NAME}, but may not: {reason}; somebody used an ordinary key to sign an \
             attestation. Find out who before the device is used"
        )
    };
    // keyUsage is judged where it is present, and genuine device certificates have none.
    let mut usage = device();
    usage.extensions.push(key_usage(2, 0x04));
    assert!(verify(&pair(&piv(), &usage)).is_ok());
    usage.extensions[2] = key_usage(7, 0x80);
    refused(
        &pair(&piv(), &usage),
        &[("ATTEST-AUTHORITY", &told("its keyUsage lacks keyCertSign"))],
    );
    usage.extensions[2].2 = vec![0x03];
    refused(
        &pair(&piv(), &usage),
        &[("ATTEST-AUTHORITY", &told("its keyUsage cannot be read"))],
    );
    // A device below a device: pathLenConstraint 0 of the upper one.
    let mut second = device();
    second.issuer = DEVICE_NAME.to_owned();
    second.subject = "Second".to_owned();
    second.spki = Key::new(6).spki();
    let mut leaf = piv();
    leaf.issuer = "Second".to_owned();
    let certificates = [
        leaf.sign(&Key::new(6)),
        second.sign(&Key::new(DEVICE)),
        device().sign(&Key::new(ROOT)),
    ];
    let faults = verify(&certificates).unwrap_err();
    assert_eq!(faults[0].rule(), "ATTEST-AUTHORITY");
    assert!(
        faults[0]
            .to_string()
            .contains("1 issuers stand below it and its pathLenConstraint is 0"),
        "{}",
        faults[0]
    );
}

#[test]
fn an_attestation_is_bound_to_exactly_one_key() {
    assert!(verify(&pair(&piv(), &device())).is_ok());
    let other = public(9);
    let faults = attestation::verify(&other, &pair(&piv(), &device()), &anchors()).unwrap_err();
    assert_eq!(
        faults,
        [Fault::Key {
            attested: public(ATTESTED).fingerprint(),
            expected: other.fingerprint()
        }]
    );
    let opaque = PublicKey::Opaque(b"x".to_vec());
    assert!(attestation::verify(&opaque, &pair(&piv(), &device()), &anchors()).is_err());
}
