//! Attestations of real devices, as they were published: they verify, and every copy that is changed fails by name.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use tuf_ceremony::attestation::{
    self, Anchors, Firmware, Object, PinPolicy, Product, Statement, TouchPolicy, split,
};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::{Key, PublicKey};

/// A published attestation: public key, certificates with the attestation first.
struct Real {
    name: &'static str,
    public: PublicKey,
    certificates: Vec<Vec<u8>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/attestations")
}

fn real() -> [Real; 3] {
    let read = |path: &str| fs::read(folder().join(path)).unwrap();
    let public =
        |path: &str| PublicKey::from_text(&String::from_utf8(read(path)).unwrap()).unwrap();
    let certificates = |paths: [&str; 2]| {
        paths
            .iter()
            .flat_map(|path| split(path, &read(path)).unwrap())
            .collect()
    };
    let hsm = "yubihsm2-pypi-2020/0013200461_cert.der";
    [
        Real {
            name: "pypi root",
            public: public("yubihsm2-pypi-2020/0013200461_root_pubkey.pem"),
            certificates: certificates(["yubihsm2-pypi-2020/0013200461_root_attestation.der", hsm]),
        },
        Real {
            name: "pypi targets",
            public: public("yubihsm2-pypi-2020/0013200461_targets_pubkey.pem"),
            certificates: certificates([
                "yubihsm2-pypi-2020/0013200461_targets_attestation.der",
                hsm,
            ]),
        },
        Real {
            name: "sigstore",
            public: public("yubikey-sigstore/14454335_pubkey.pem"),
            certificates: certificates([
                "yubikey-sigstore/14454335_key_cert.pem",
                "yubikey-sigstore/14454335_device_cert.pem",
            ]),
        },
    ]
}

fn verify(
    public: &PublicKey,
    certificates: &[Vec<u8>],
) -> Result<Statement, Vec<attestation::Fault>> {
    attestation::verify(public, certificates, &Anchors::yubico())
}

/// The rules that an attestation is refused by.
fn rules(public: &PublicKey, certificates: &[Vec<u8>]) -> Vec<&'static str> {
    verify(public, certificates)
        .unwrap_err()
        .iter()
        .map(attestation::Fault::rule)
        .collect()
}

fn main() -> ExitCode {
    let absent = !folder().is_dir();
    let tests: [(&str, fn()); 11] = [
        ("pypis_yubihsm_of_2020_is_genuine", pypi),
        ("a_sigstore_root_keys_yubikey_is_genuine", sigstore),
        ("the_embedded_roots_are_the_published_files", embedded),
        (
            "the_order_of_certificates_and_duplicates_do_not_matter",
            any_order,
        ),
        ("an_attestation_of_another_key_is_refused", another_key),
        ("certificates_of_another_device_are_refused", another_device),
        ("a_missing_device_certificate_is_named", missing),
        ("a_flipped_capability_breaks_the_signature", capability),
        ("no_flipped_bit_of_what_is_signed_is_ever_genuine", flipped),
        ("bytes_before_between_and_after_are_refused", trailing),
        ("two_thousand_mutations_neither_verify_nor_panic", mutations),
    ];
    let trials = tests
        .into_iter()
        .map(|(name, test)| {
            Trial::test(name, move || {
                test();
                Ok(())
            })
            .with_ignored_flag(absent)
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn pypi() {
    let [root, targets, _] = real();
    for (real, id, label, fingerprint) in [(root, 3, "tuf-root", 0), (targets, 4, "tuf-targets", 1)]
    {
        let statement = verify(&real.public, &real.certificates).unwrap();
        assert_eq!(statement.product, Product::YubiHsm2, "{}", real.name);
        assert_eq!(statement.serial, 13_200_461);
        assert_eq!(statement.firmware, Firmware::new(2, 1, 2));
        let object = Object::YubiHsm {
            id,
            label: label.to_owned(),
            capabilities: vec!["sign-ecdsa".to_owned()],
            domains: vec![1],
        };
        assert_eq!(statement.object, object);
        assert_eq!(statement.anchor.name, "Yubico YubiHSM Root CA");
        assert_eq!(
            statement.anchor.sha256.to_string(),
            "094a3ac493c2bdcd65a54bdf40190f52bb03f7156397a3fc69d8aa9a392fb724"
        );
        assert_eq!(statement.fingerprint, real.public.fingerprint());
        assert!(!statement.test_root && !statement.fips && !statement.cspn);
        // The keyid that such a key has in root: what the statement is bound to.
        let keyids = [
            "d0ac200842c7e1e35192922c00eb6c24b3dfbefd721b648d3c7a8f9f47eda864",
            "99a3c01f055aa2cd4980c47d525232909c82dc26084aeb50456517a91fa17c48",
        ];
        assert_eq!(
            Key::from_public(&real.public).unwrap().keyid().to_string(),
            keyids[fingerprint]
        );
        assert_eq!(
            statement.lines(),
            [
                "YubiHSM 2, serial 13200461, firmware 2.1.2".to_owned(),
                format!("key in object 0x{id:04x} \"{label}\", made in the device, never outside"),
                "may sign-ecdsa; domains 1".to_owned(),
                format!("device certificate {}", Sha256::of(&real.certificates[1])),
                "Yubico YubiHSM Root CA 094a3ac493c2bdcd65a54bdf40190f52bb03f7156397a3fc69d8aa9a392fb724".to_owned(),
            ]
        );
    }
}

fn sigstore() {
    let [_, _, real] = real();
    let statement = verify(&real.public, &real.certificates).unwrap();
    assert_eq!(statement.product, Product::YubiKey);
    assert_eq!(statement.serial, 14_454_335);
    assert_eq!(statement.firmware, Firmware::new(5, 2, 7));
    let object = Object::Piv {
        slot: "9c".to_owned(),
        pin_policy: PinPolicy::Always,
        touch_policy: TouchPolicy::Always,
    };
    assert_eq!(statement.object, object);
    assert_eq!(
        statement.lines(),
        [
            "YubiKey, serial 14454335, firmware 5.2.7".to_owned(),
            "key in PIV slot 9c, made in the device".to_owned(),
            "PIN: asked for before every signature; touch: needed for every signature".to_owned(),
            format!("device certificate {}", Sha256::of(&real.certificates[1])),
            "Yubico PIV Root CA Serial 263751 63ece914e54dd87915f34033c85af4c0696ba1512f8add66ced738331207b546".to_owned(),
        ]
    );
    // A record keeps it, and reads it back whole.
    let stored = serde_json::to_string(&statement).unwrap();
    assert_eq!(
        serde_json::from_str::<Statement>(&stored).unwrap(),
        statement
    );
    assert!(serde_json::from_str::<Statement>(&stored.replacen('{', "{\"more\":1,", 1)).is_err());
}

fn embedded() {
    let published = [
        ("yubico-piv-ca-1-pem", "Yubico PIV Root CA Serial 263751"),
        ("yubico-ca-1-pem", "Yubico Attestation Root 1"),
        ("yubihsm2-attest-ca-crt-pem", "Yubico YubiHSM Root CA"),
        ("intermediate-pem", "Yubico YubiHSM 6742036 Sub-CA"),
    ];
    let anchors = Anchors::yubico();
    for (file, name) in published {
        let bytes = fs::read(folder().join("yubico-ca").join(file)).unwrap();
        let der = split(file, &bytes).unwrap().remove(0);
        let ours = anchors.certificates().find(|(ours, _)| *ours == name);
        assert_eq!(ours, Some((name, der.as_slice())), "{file}");
    }
}

fn any_order() {
    for real in real() {
        let expected = verify(&real.public, &real.certificates).unwrap();
        let roots: Vec<Vec<u8>> = Anchors::yubico()
            .certificates()
            .map(|(_, der)| der.to_vec())
            .collect();
        let [leaf, device] = real.certificates.as_slice() else {
            panic!()
        };
        let mut mixed = vec![leaf.clone()];
        mixed.extend(roots);
        mixed.extend([device.clone(), leaf.clone(), device.clone()]);
        assert_eq!(
            verify(&real.public, &mixed).unwrap(),
            expected,
            "{}",
            real.name
        );
    }
}

fn another_key() {
    let [root, targets, sigstore] = real();
    for (key, of) in [(&root, &targets), (&targets, &root), (&sigstore, &root)] {
        let faults = verify(&key.public, &of.certificates).unwrap_err();
        let expected = format!(
            "the attestation is for the key with the fingerprint {}, not for {}; it proves nothing about the latter. \
             Give the attestation that the device made for this key",
            of.public.fingerprint(),
            key.public.fingerprint()
        );
        assert_eq!((faults.len(), faults[0].to_string()), (1, expected));
        assert_eq!(faults[0].rule(), "ATTEST-KEY");
    }
}

fn another_device() {
    let [root, _, sigstore] = real();
    let swapped = [
        sigstore.certificates[0].clone(),
        root.certificates[1].clone(),
    ];
    let faults = verify(&sigstore.public, &swapped).unwrap_err();
    assert_eq!(faults[0].rule(), "ATTEST-CHAIN");
    assert_eq!(
        faults[0].to_string(),
        "the path from \"YubiKey PIV Attestation 9c\" to a root ends early: its issuer \"Yubico PIV Attestation\" is missing. \
         Give the device's certificate and every certificate between it and the root"
    );
}

fn missing() {
    for real in real() {
        assert_eq!(
            rules(&real.public, &real.certificates[..1]),
            ["ATTEST-CHAIN"],
            "{}",
            real.name
        );
    }
}

fn capability() {
    let [root, ..] = real();
    let leaf = &root.certificates[0];
    // The last byte of the capabilities: sign-ecdsa becomes sign-ecdsa and get-opaque.
    let oid = [0x2b, 6, 1, 4, 1, 0x82, 0xc4, 0x0a, 4, 5];
    let at = leaf
        .windows(oid.len())
        .position(|window| window == oid)
        .unwrap()
        + oid.len();
    let mut changed = leaf.clone();
    assert_eq!(changed[at + 12], 0x80);
    changed[at + 12] ^= 1;
    let faults = verify(&root.public, &[changed, root.certificates[1].clone()]).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "\"YubiHSM Attestation id:0x0003\" names \"YubiHSM Attestation (13200461)\" as its issuer, but no certificate of that \
         name signed it; it was changed, or it comes from another device. Export both certificates from the same device again"
    );
    assert_eq!((faults.len(), faults[0].rule()), (1, "ATTEST-SIGNATURE"));
}

fn flipped() {
    for real in real() {
        let leaf = &real.certificates[0];
        // SEQUENCE of two length bytes around what is signed, which says its own length.
        assert_eq!(leaf[..2], [0x30, 0x82]);
        let length = usize::from(u16::from_be_bytes([leaf[6], leaf[7]])) + 4;
        for index in 4..4 + length {
            let mut changed = leaf.clone();
            changed[index] ^= 1 << (index % 8);
            let refused = verify(&real.public, &[changed, real.certificates[1].clone()]).is_err();
            assert!(refused, "{}: byte {index}", real.name);
        }
    }
}

fn trailing() {
    for real in real() {
        let [leaf, device] = real.certificates.as_slice() else {
            panic!()
        };
        let longer = [leaf.as_slice(), &[0]].concat();
        let doubled = [leaf.as_slice(), leaf].concat();
        let padded = [leaf.as_slice(), &vec![0; 10_000]].concat();
        for bad in [
            longer,
            doubled,
            padded,
            Vec::new(),
            leaf[..leaf.len() - 1].to_vec(),
        ] {
            assert_eq!(
                rules(&real.public, &[bad, device.clone()]),
                ["ATTEST-FORM"],
                "{}",
                real.name
            );
        }
    }
}

/// Deletions, repetitions, overwritten lengths and splices at places that depend on the number alone.
fn mutations() {
    let reals = real();
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    for number in 0..2000 {
        let real = &reals[number % 3];
        let mut certificates = real.certificates.clone();
        // What is signed and what signs; a change behind both could not be told from none.
        let which = number % 2;
        let bytes = &mut certificates[which];
        let (at, value) = (next(bytes.len()), next(256));
        let before = bytes.clone();
        match number % 5 {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, u8::try_from(value).unwrap()),
            2 => bytes[at] = u8::try_from(value).unwrap(),
            3 => bytes.truncate(at),
            _ => {
                let part = bytes[at..].to_vec();
                bytes.extend(part);
            }
        }
        let changed = *bytes != before;
        assert_eq!(
            verify(&real.public, &certificates).is_err(),
            changed,
            "{number}"
        );
    }
}
