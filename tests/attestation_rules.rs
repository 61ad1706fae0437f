//! Every rule of attestations, on devices made up here under a root that only tests believe: what is accepted, and what is
//! refused with its exact text. Real devices are in tests/attestation.rs.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[path = "attestation/forge.rs"]
mod forge;

use forge::{
    ATTESTED, DEVICE, DEVICE_NAME, Draft, HSM, Key, LOWER, MIDDLE, PIV, ROOT, ROOT_NAME,
    capabilities, device, extension, hsm, hsm_device, issuer, key_usage, piv, tlv, with, without,
};
use tuf_ceremony::attestation::{
    self, Anchors, Fault, Firmware, FormFactor, Object, PinPolicy, Product, Statement, TouchPolicy,
    split,
};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::PublicKey;

fn public(number: u8) -> PublicKey {
    PublicKey::from_spki_der(&Key::new(number).spki()).unwrap()
}

fn anchors() -> Anchors {
    Anchors::yubico()
        .with_test_root("vyk CA", &forge::root())
        .unwrap()
}

fn verify(certificates: &[Vec<u8>]) -> Result<Statement, Vec<Fault>> {
    attestation::verify(&public(ATTESTED), certificates, &anchors())
}

/// Attestation and device certificate, each signed as it should be.
fn pair(leaf: &Draft, device: &Draft) -> Vec<Vec<u8>> {
    vec![leaf.sign(&Key::new(DEVICE)), device.sign(&Key::new(ROOT))]
}

/// The rules and sentences that certificates are refused with.
#[track_caller]
fn refused(certificates: &[Vec<u8>], expected: &[(&str, &str)]) {
    let faults = verify(certificates).expect_err("must be refused");
    let told: Vec<(&str, String)> = faults
        .iter()
        .map(|fault| (fault.rule(), fault.to_string()))
        .collect();
    let expected: Vec<(&str, String)> = expected
        .iter()
        .map(|(rule, text)| (*rule, (*text).to_owned()))
        .collect();
    assert_eq!(told, expected);
}

/// As [`refused`] by `ATTEST-FORM` alone: `<certificate> <reason>`.
#[track_caller]
fn malformed(certificates: &[Vec<u8>], start: &str) {
    let text = format!("{start}; nothing in it was believed. Export it from the device again");
    refused(certificates, &[("ATTEST-FORM", &text)]);
}

const PIV_NAME: &str = "\"YubiKey PIV Attestation 9c\"";
const HSM_NAME: &str = "\"YubiHSM Attestation id:0x0003\"";

#[test]
fn a_yubikey_under_a_test_root_is_told_whole_and_said_to_be_a_test() {
    let statement = verify(&pair(&piv(), &device())).unwrap();
    assert!(statement.test_root);
    assert_eq!(statement.product, Product::YubiKey);
    assert_eq!(
        (statement.serial, statement.firmware),
        (12_345_678, Firmware::new(5, 7, 1))
    );
    assert_eq!(statement.form_factor, Some(FormFactor::UsbAKeychain));
    assert_eq!(statement.anchor.name, "vyk CA");
    let last = statement.lines().pop().unwrap();
    assert!(last.starts_with("TEST ROOT vyk CA "), "{last}");
    // Without the test root it is nothing.
    let faults = attestation::verify(
        &public(ATTESTED),
        &pair(&piv(), &device()),
        &Anchors::yubico(),
    );
    assert_eq!(faults.unwrap_err()[0].rule(), "ATTEST-CHAIN");
}

#[test]
fn a_yubihsm_under_a_test_root_is_told_whole() {
    let several = with(hsm(), &format!("{HSM}.5"), capabilities(&[5, 6, 7, 8]));
    let all_domains = with(several, &format!("{HSM}.4"), tlv(0x03, &[0, 0x80, 0x03]));
    let mut hostile = with(
        all_domains,
        &format!("{HSM}.9"),
        tlv(0x0c, "a\u{1b}[2J\u{202e}".as_bytes()),
    );
    hostile
        .extensions
        .push(extension(&format!("{HSM}.10"), &[2, 1, 6]));
    let statement = verify(&pair(&hostile, &hsm_device())).unwrap();
    assert!(statement.fips && statement.test_root);
    assert_eq!(
        statement.lines()[..3],
        [
            "YubiHSM 2, FIPS, serial 7654321, firmware 2.4.1",
            "key in object 0x0003 \"a\\u{1b}[2J\\u{202e}\", made in the device, never outside",
            "may sign-pkcs, sign-pss, sign-ecdsa, sign-eddsa; domains 1, 2, 16",
        ]
    );
}

#[test]
fn four_levels_below_a_root_are_followed_as_yubico_builds_them_since_2024() {
    let (middle, lower) = (Key::new(MIDDLE), Key::new(LOWER));
    let usage = || key_usage(1, 0x86);
    let top = Draft::new(
        ROOT_NAME,
        "Test Intermediate B 1",
        &middle,
        vec![issuer(Some(2)), usage()],
    );
    let piv_ca = Draft::new(
        "Test Intermediate B 1",
        "Test PIV Attestation B 1",
        &lower,
        vec![issuer(Some(1)), usage()],
    );
    let mut device = device();
    device.issuer = "Test PIV Attestation B 1".to_owned();
    let chain = [
        piv().sign(&Key::new(DEVICE)),
        top.sign(&Key::new(ROOT)),
        device.sign(&lower),
        piv_ca.sign(&middle),
    ];
    assert!(verify(&chain).unwrap().test_root);

    // The same with the two in the middle as intermediates that are known beforehand.
    let known = anchors()
        .with_intermediates(&[chain[3].clone(), chain[1].clone()])
        .unwrap();
    let short = [chain[0].clone(), chain[2].clone()];
    assert!(attestation::verify(&public(ATTESTED), &short, &known).is_ok());

    // One more level than any root allows, though every constraint is open.
    let open = |issuer_name: &str, name: &str, key: &Key| {
        Draft::new(issuer_name, name, key, vec![issuer(None)])
    };
    let keys: Vec<Key> = (20..26).map(Key::new).collect();
    let top = open("0", "0", &keys[0]).sign(&keys[0]);
    let mut long = vec![
        Draft::new(
            "5",
            "YubiKey PIV Attestation 9c",
            &Key::new(ATTESTED),
            forge::piv_extensions(),
        )
        .sign(&keys[5]),
    ];
    for level in 1..6 {
        let (above, name) = ((level - 1).to_string(), level.to_string());
        long.push(open(&above, &name, &keys[level]).sign(&keys[level - 1]));
    }
    let deep = Anchors::yubico().with_test_root("deep", &top).unwrap();
    let faults = attestation::verify(&public(ATTESTED), &long, &deep).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "the path from \"2\" to a root ends early: no root within 5 certificates. \
         Give the device's certificate and every certificate between it and the root"
    );
}

#[test]
fn intermediates_that_lead_to_no_root_are_refused() {
    let key = Key::new(MIDDLE);
    let stranger =
        Draft::new("Nobody", "Test Intermediate", &key, vec![issuer(Some(2))]).sign(&key);
    let fault = Anchors::yubico()
        .with_intermediates(&[stranger])
        .unwrap_err();
    assert_eq!(fault.rule(), "ATTEST-CHAIN");
    let plain = Draft::new(ROOT_NAME, "Test Intermediate", &key, Vec::new()).sign(&Key::new(ROOT));
    let fault = anchors().with_intermediates(&[plain]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "\"Test Intermediate\" is no intermediate: it has no basicConstraints; nothing in it was believed. Export it from the device again"
    );
    assert!(anchors().with_intermediates(&[vec![0x30, 0]]).is_err());
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

#[test]
fn a_path_that_does_not_reach_a_root_is_refused() {
    assert!(verify(&pair(&piv(), &device())).is_ok());
    let early = |name: &str, reason: &str| {
        format!(
            "the path from {name} to a root ends early: {reason}. Give the device's certificate and every certificate between it and the root"
        )
    };
    let leaf = piv().sign(&Key::new(DEVICE));
    let missing = early(PIV_NAME, "its issuer \"Yubico PIV Attestation\" is missing");
    refused(&[leaf], &[("ATTEST-CHAIN", &missing)]);
    // Signed by the root itself: no device speaks.
    let mut direct = piv();
    direct.issuer = ROOT_NAME.to_owned();
    let no_device = early(PIV_NAME, "no device's certificate stands in it");
    refused(
        &[direct.sign(&Key::new(ROOT))],
        &[("ATTEST-CHAIN", &no_device)],
    );
}

#[test]
fn certificates_of_two_devices_do_not_fit() {
    assert!(verify(&pair(&piv(), &device())).is_ok());
    // Every YubiKey's device certificate has the same name; only the key tells them apart.
    let mut other = device();
    other.spki = Key::new(8).spki();
    let text = format!(
        "{PIV_NAME} names \"Yubico PIV Attestation\" as its issuer, but no certificate of that name signed it; it was changed, \
         or it comes from another device. Export both certificates from the same device again"
    );
    refused(&pair(&piv(), &other), &[("ATTEST-SIGNATURE", &text)]);
    // Beside the right one it does no harm.
    let mut both = pair(&piv(), &other);
    both.push(device().sign(&Key::new(ROOT)));
    assert!(verify(&both).is_ok());
}

#[test]
fn a_device_that_vouches_for_itself_is_refused() {
    assert!(verify(&pair(&piv(), &device())).is_ok());
    let mut alone = device();
    alone.issuer = DEVICE_NAME.to_owned();
    let certificates = [piv().sign(&Key::new(DEVICE)), alone.sign(&Key::new(DEVICE))];
    let text = "\"Yubico PIV Attestation\" is signed by itself and is no root of the maker; anybody can make such a certificate. \
                Find out where it comes from before the device is used";
    refused(&certificates, &[("ATTEST-SELF-SIGNED", text)]);
    // A root that is called like Yubico's.
    let mut fake = Draft::new(
        "Yubico PIV Root CA Serial 263751",
        "Yubico PIV Root CA Serial 263751",
        &Key::new(7),
        vec![issuer(None)],
    );
    let mut below = device();
    below.issuer.clone_from(&fake.subject);
    let certificates = [
        piv().sign(&Key::new(DEVICE)),
        below.sign(&Key::new(7)),
        fake.sign(&Key::new(7)),
    ];
    let text = text.replace("Yubico PIV Attestation", "Yubico PIV Root CA Serial 263751");
    refused(&certificates, &[("ATTEST-SELF-SIGNED", &text)]);
    fake.subject = "x".to_owned();
    let last = [
        certificates[0].clone(),
        certificates[1].clone(),
        fake.sign(&Key::new(7)),
    ];
    assert_eq!(verify(&last).unwrap_err()[0].rule(), "ATTEST-SIGNATURE");
}

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
fn only_the_algorithms_of_genuine_devices_are_taken() {
    assert!(verify(&pair(&piv(), &device())).is_ok());
    // SHA-1 with RSA, ECDSA with SHA-512, Ed25519, and RSA with SHA-256 named over an ECDSA signature.
    for algorithm in ["1.2.840.113549.1.1.5", "1.2.840.10045.4.3.4", "1.3.101.112"] {
        let mut leaf = piv();
        leaf.algorithm = algorithm.to_owned();
        leaf.inner_algorithm = algorithm.to_owned();
        let text = format!(
            "{PIV_NAME} is signed with the algorithm {algorithm}; genuine ones use RSA PKCS #1 v1.5 with SHA-256 or ECDSA on P-256 or P-384"
        );
        refused(&pair(&leaf, &device()), &[("ATTEST-ALGORITHM", &text)]);
    }
    let mut rsa = piv();
    rsa.algorithm = "1.2.840.113549.1.1.11".to_owned();
    rsa.inner_algorithm.clone_from(&rsa.algorithm);
    assert_eq!(
        verify(&pair(&rsa, &device())).unwrap_err()[0].rule(),
        "ATTEST-SIGNATURE"
    );
}

#[test]
fn keys_that_were_outside_are_refused() {
    assert!(verify(&pair(&hsm(), &hsm_device())).is_ok());
    let cases = [
        (0x02, "imported"),
        (0x11, "generated and imported under wrap"),
        (0x12, "imported and imported under wrap"),
        (0x00, "unknown (0x00)"),
        (0x05, "unknown (0x05)"),
    ];
    for (origin, words) in cases {
        let leaf = with(hsm(), &format!("{HSM}.3"), tlv(0x03, &[0, origin]));
        let text = format!(
            "the key was not made in the device and kept there: its origin is {words}; copies may exist. Make a new key in the device"
        );
        refused(&pair(&leaf, &hsm_device()), &[("ATTEST-ORIGIN", &text)]);
    }
}

#[test]
fn keys_that_may_more_than_sign_are_refused() {
    assert!(verify(&pair(&hsm(), &hsm_device())).is_ok());
    let cases: [(&[u32], &str); 5] = [
        (&[7, 16], "exportable-under-wrap"),
        (&[7, 11], "derive-ecdh"),
        (&[7, 34], "sign-attestation-certificate"),
        (&[7, 55], "delete-public-wrap-key"),
        (&[7, 25, 63], "sign-ssh-certificate, capability-0x3f"),
    ];
    for (bits, names) in cases {
        let leaf = with(hsm(), &format!("{HSM}.5"), capabilities(bits));
        let text = format!(
            "the key may do more than sign: {names}. Make a new key that has the capabilities sign-ecdsa, sign-eddsa, sign-pkcs or sign-pss only"
        );
        refused(&pair(&leaf, &hsm_device()), &[("ATTEST-CAPABILITY", &text)]);
    }
}

#[test]
fn two_serial_numbers_are_two_devices() {
    assert!(verify(&pair(&hsm(), &hsm_device())).is_ok());
    let leaf = with(hsm(), &format!("{HSM}.2"), tlv(0x02, &[1]));
    let text = "the attestation says serial number 1, the device's certificate 7654321; they are of two devices";
    refused(&pair(&leaf, &hsm_device()), &[("ATTEST-SERIAL", text)]);
}

#[test]
fn every_slot_and_policy_of_a_yubikey_is_read() {
    let slots = [
        ("9a", "9a"),
        ("9d", "9d"),
        ("9e", "9e"),
        ("82", "r1"),
        ("95", "r20"),
    ];
    for (written, read) in slots {
        let mut leaf = piv();
        leaf.subject = format!("YubiKey PIV Attestation {written}");
        let Object::Piv { slot, .. } = verify(&pair(&leaf, &device())).unwrap().object else {
            panic!()
        };
        assert_eq!(slot, read);
    }
    let policies = [
        ([1, 1], PinPolicy::Never, TouchPolicy::Never),
        ([2, 3], PinPolicy::Once, TouchPolicy::Cached),
        ([4, 2], PinPolicy::MatchOnce, TouchPolicy::Always),
        ([5, 2], PinPolicy::MatchAlways, TouchPolicy::Always),
    ];
    for (bytes, pin, touch) in policies {
        // Bare, and in an OCTET STRING.
        for value in [bytes.to_vec(), tlv(0x04, &bytes)] {
            let leaf = with(piv(), &format!("{PIV}.8"), value);
            let object = verify(&pair(&leaf, &device())).unwrap().object;
            assert!(
                matches!(object, Object::Piv { pin_policy, touch_policy, .. } if pin_policy == pin && touch_policy == touch)
            );
        }
    }
    let marks: [(&str, u8, Product, &str); 4] = [
        (
            "10",
            0x81,
            Product::YubiKeyFips,
            "YubiKey FIPS, serial 12345678, firmware 5.7.1",
        ),
        (
            "11",
            0x03,
            Product::YubiKey,
            "YubiKey, CSPN, serial 12345678, firmware 5.7.1",
        ),
        (
            "12",
            0x07,
            Product::YubiKeyBio,
            "YubiKey Bio, serial 12345678, firmware 5.7.1",
        ),
        (
            "12",
            0x3f,
            Product::YubiKey,
            "YubiKey, serial 12345678, firmware 5.7.1",
        ),
    ];
    for (mark, form_factor, product, line) in marks {
        let leaf = with(piv(), &format!("{PIV}.9"), vec![form_factor]);
        let mut device = device();
        device
            .extensions
            .push(extension(&format!("{PIV}.{mark}"), &[2, 1, 2]));
        let statement = verify(&pair(&leaf, &device)).unwrap();
        assert_eq!(
            (statement.product, statement.lines()[0].as_str()),
            (product, line)
        );
    }
}

#[test]
fn attestations_of_the_wrong_form_are_refused() {
    let piv_value =
        |last: u32, value: Vec<u8>| pair(&with(piv(), &format!("{PIV}.{last}"), value), &device());
    let hsm_value = |last: u32, value: Vec<u8>| {
        pair(&with(hsm(), &format!("{HSM}.{last}"), value), &hsm_device())
    };
    let cases = [
        (
            piv_value(3, vec![5, 7]),
            PIV_NAME,
            "has a firmware version that is not three bytes",
        ),
        (
            piv_value(7, tlv(0x02, &[1, 0, 0, 0, 0])),
            PIV_NAME,
            "has a serial number that is not a number of 32 bits",
        ),
        (
            piv_value(7, tlv(0x02, &[0xff])),
            PIV_NAME,
            "has a serial number that is not a number of 32 bits",
        ),
        (
            piv_value(8, vec![3]),
            PIV_NAME,
            "has PIN and touch policies that are not two bytes",
        ),
        (
            piv_value(8, vec![0, 2]),
            PIV_NAME,
            "has a PIN policy that is not known",
        ),
        (
            piv_value(8, vec![3, 4]),
            PIV_NAME,
            "has a touch policy that is not known",
        ),
        (
            piv_value(9, vec![]),
            PIV_NAME,
            "has a form factor that is not one byte",
        ),
        (
            hsm_value(1, vec![4, 3, 2, 4]),
            HSM_NAME,
            "has a firmware version that is not three bytes",
        ),
        (
            hsm_value(2, vec![]),
            HSM_NAME,
            "has a serial number that is not a number of 32 bits",
        ),
        (
            hsm_value(3, tlv(0x03, &[0, 0, 1])),
            HSM_NAME,
            "has an origin that is not 8 bits",
        ),
        (
            hsm_value(4, tlv(0x03, &[0, 1])),
            HSM_NAME,
            "has domains that are not 16 bits",
        ),
        (
            hsm_value(5, tlv(0x03, &[1, 0, 0, 0, 0, 0, 0, 0, 0x80])),
            HSM_NAME,
            "has capabilities that are not 64 bits",
        ),
        (
            hsm_value(6, tlv(0x02, &[1, 0, 0])),
            HSM_NAME,
            "has an object ID that is not a number of 16 bits",
        ),
        (
            hsm_value(6, tlv(0x02, &[4])),
            HSM_NAME,
            "does not name the object that it is about",
        ),
        (
            hsm_value(9, tlv(0x0c, &[0xff])),
            HSM_NAME,
            "has a label that is not UTF-8 of at most 40 bytes",
        ),
        (
            hsm_value(9, tlv(0x0c, &[b'a'; 41])),
            HSM_NAME,
            "has a label that is not UTF-8 of at most 40 bytes",
        ),
    ];
    for (certificates, name, reason) in cases {
        malformed(&certificates, &format!("{name} {reason}"));
    }
    for last in [3, 7, 8] {
        let leaf = without(piv(), &format!("{PIV}.{last}"));
        malformed(
            &pair(&leaf, &device()),
            &format!("{PIV_NAME} lacks the extension {PIV}.{last}"),
        );
    }
    for last in [1, 2, 3, 4, 5, 6, 9] {
        let leaf = without(hsm(), &format!("{HSM}.{last}"));
        malformed(
            &pair(&leaf, &hsm_device()),
            &format!("{HSM_NAME} lacks the extension {HSM}.{last}"),
        );
    }
    // No slot to sign with: the attesting key itself, upper case, none, and what only looks like a name.
    for subject in ["f9", "9C", "", "9c ", "81", "96", "+9"] {
        let mut leaf = piv();
        leaf.subject = format!("YubiKey PIV Attestation {subject}");
        malformed(
            &pair(&leaf, &device()),
            &format!("\"{}\" names no PIV slot", leaf.subject),
        );
    }
    // A device's own certificate, and one that claims to be both.
    let mut plain = piv();
    plain.extensions.clear();
    malformed(
        &pair(&plain, &device()),
        &format!("{PIV_NAME} says nothing of a PIV key of a YubiKey or an object of a YubiHSM 2"),
    );
    let mut both = piv();
    both.extensions.extend(forge::hsm_extensions());
    malformed(
        &pair(&both, &device()),
        &format!("{PIV_NAME} says nothing of a PIV key of a YubiKey or an object of a YubiHSM 2"),
    );
}

#[test]
fn certificates_of_the_wrong_form_are_refused() {
    let good = pair(&piv(), &device());
    let second = |der: Vec<u8>| [good[0].clone(), der];
    malformed(
        &second(vec![0x30; 8193]),
        "certificate 2 has 8193 bytes; at most 8192 are read",
    );
    let mut first = device();
    first.version = 0;
    first.extensions.clear();
    malformed(
        &second(first.sign(&Key::new(ROOT))),
        "certificate 2 is not an X.509 certificate of version 3",
    );
    let mut two = device();
    two.inner_algorithm = "1.2.840.10045.4.3.3".to_owned();
    malformed(
        &second(two.sign(&Key::new(ROOT))),
        "certificate 2 names two signature algorithms",
    );
    let mut twice = device();
    twice.extensions.push(issuer(None));
    malformed(
        &second(twice.sign(&Key::new(ROOT))),
        "certificate 2 has the extension 2.5.29.19 twice",
    );
    let mut critical = device();
    critical
        .extensions
        .push(("2.5.29.32".to_owned(), true, vec![0x30, 0]));
    malformed(
        &second(critical.sign(&Key::new(ROOT))),
        "certificate 2 has the critical extension 2.5.29.32, which is not understood",
    );
    critical.extensions[2].1 = false;
    assert!(verify(&second(critical.sign(&Key::new(ROOT)))).is_ok());
    // Unreadable: every kind of rubbish is an answer, never a panic.
    let length = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff];
    let nested = [0x30, 0x80].repeat(4000);
    let mut longer = good[1].clone();
    longer.push(0);
    for rubbish in [
        Vec::new(),
        vec![0x30],
        length.to_vec(),
        nested,
        longer,
        b"text".to_vec(),
    ] {
        let faults = verify(&second(rubbish)).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0]
                .to_string()
                .starts_with("certificate 2 cannot be read as a certificate: "),
            "{}",
            faults[0]
        );
    }
    // A key that is refused by itself.
    let mut curve = piv();
    let bad = curve.spki.len() - 1;
    curve.spki[bad] ^= 1;
    let faults = verify(&pair(&curve, &device())).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        format!(
            "{PIV_NAME} holds a key that is refused: KEY-MATERIAL: it is not a point of the curve P-256; nothing in it was believed. \
             Export it from the device again"
        )
    );
}

#[test]
fn none_and_too_many_certificates_are_refused() {
    for found in [0, 17] {
        let text = format!(
            "{found} certificates were given; an attestation has between 2 and 16. Give the attestation first, then the device's certificate"
        );
        let certificates = vec![device().sign(&Key::new(ROOT)); found];
        refused(&certificates, &[("ATTEST-FORM", &text)]);
    }
    let mut sixteen = pair(&piv(), &device());
    sixteen.resize(16, sixteen[1].clone());
    assert!(verify(&sixteen).is_ok());
}

#[test]
fn dates_are_not_judged() {
    // Copied by the device from a certificate that was made before it: see src/attestation/path.rs.
    let mut leaf = piv();
    leaf.not_after = "160315000000Z";
    let mut device = device();
    device.not_after = "160315000000Z";
    assert!(verify(&pair(&leaf, &device)).is_ok());
}

#[test]
fn pem_is_split_whatever_stands_between() {
    let pem = |der: &[u8], end: &str| {
        let text = data_encoding::BASE64.encode(der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----{end}{}{end}-----END CERTIFICATE-----{end}",
            lines.join(end)
        )
    };
    let [leaf, device] = pair(&piv(), &device()).try_into().unwrap();
    let text = format!(
        "Subject: x\n{}\r\nnext\n{}",
        pem(&leaf, "\r\n"),
        pem(&device, "\n")
    );
    assert_eq!(split("f", text.as_bytes()).unwrap(), [leaf.clone(), device]);
    assert_eq!(split("f", &leaf).unwrap(), [leaf]);
    let cases: [(&[u8], &str); 5] = [
        (b"", "f is neither DER nor PEM with a certificate"),
        (b"\xff\xfe", "f is neither DER nor PEM"),
        (
            b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----",
            "f is neither DER nor PEM with a certificate",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nAA==",
            "f has a PEM certificate that is not ended",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nA$==\n-----END CERTIFICATE-----",
            "f has a PEM certificate that is not base64",
        ),
    ];
    for (bytes, start) in cases {
        let text = split("f", bytes).unwrap_err().to_string();
        assert_eq!(
            text,
            format!("{start}; nothing in it was believed. Export it from the device again")
        );
    }
}

#[test]
fn the_embedded_certificates_are_those_of_the_table() {
    let table = include_str!("../src/attestation/ca/README.md");
    let anchors = Anchors::yubico();
    let mut found: Vec<(String, String)> = anchors
        .certificates()
        .map(|(name, der)| (name.to_owned(), Sha256::of(der).to_string()))
        .collect();
    let rows = table
        .lines()
        .filter(|line| line.starts_with("| `yubi") || line.starts_with("| |"));
    let mut rows: Vec<(String, String)> = rows
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[2].to_owned(), cells[3].trim_matches('`').to_owned())
        })
        .collect();
    found.sort();
    rows.sort();
    assert_eq!(found, rows);
    assert_eq!(found.len(), 10);
    let roots = [
        "63ece914e54dd87915f34033c85af4c0696ba1512f8add66ced738331207b546",
        "62760c6a6ef91679f454c8902b80fd009825b3f25da90f1fbace2ec6586cd5a8",
        "094a3ac493c2bdcd65a54bdf40190f52bb03f7156397a3fc69d8aa9a392fb724",
    ];
    let first = anchors
        .certificates()
        .take(3)
        .map(|(_, der)| Sha256::of(der).to_string());
    assert!(first.eq(roots));
}

#[test]
fn every_embedded_intermediate_chains_to_an_embedded_root() {
    let anchors = Anchors::yubico();
    let intermediates: Vec<Vec<u8>> = anchors
        .certificates()
        .skip(3)
        .map(|(_, der)| der.to_vec())
        .collect();
    assert_eq!(intermediates.len(), 7);
    for (index, der) in intermediates.iter().enumerate() {
        // Three of them leave out the NULL beside RSA.
        assert!(
            anchors
                .clone()
                .with_intermediates(std::slice::from_ref(der))
                .is_ok(),
            "{index}"
        );
        let mut changed = der.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        let fault = anchors.clone().with_intermediates(&[changed]).unwrap_err();
        assert_eq!(fault.rule(), "ATTEST-SIGNATURE", "{index}");
    }
}
