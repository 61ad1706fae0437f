//! Paths to roots, whole and broken.

use tuf_ceremony::attestation::{self, Anchors, Firmware, FormFactor, Product};
use tuf_ceremony::tuf::digest::Sha256;

use super::forge::{
    self, ATTESTED, DEVICE, DEVICE_NAME, Draft, Key, LOWER, MIDDLE, ROOT, ROOT_NAME, device,
    issuer, key_usage, piv,
};
use super::{PIV_NAME, anchors, pair, public, refused, verify};

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
fn dates_are_not_judged() {
    // Copied by the device from a certificate that was made before it: see src/attestation/path.rs.
    let mut leaf = piv();
    leaf.not_after = "160315000000Z";
    let mut device = device();
    device.not_after = "160315000000Z";
    assert!(verify(&pair(&leaf, &device)).is_ok());
}

#[test]
fn the_embedded_certificates_are_those_of_the_table() {
    let table = include_str!("../../src/attestation/ca/README.md");
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
