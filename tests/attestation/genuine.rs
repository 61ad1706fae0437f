//! What real devices say, and that it is believed.

use std::fs;
use std::path::Path;
use std::process::Command;

use tuf_ceremony::attestation::{
    Anchors, Firmware, Object, PinPolicy, Product, Statement, TouchPolicy, split,
};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::key::{Algorithm, Key};
use tuf_ceremony::tuf::metadata::Root;
use tuf_ceremony::tuf::nonce::repeated_nonce;

use super::{all, published, shared, verify};

pub(crate) fn here() {
    let [yubikey, yubihsm] = super::here();
    let statement = yubikey.verify();
    assert!(!statement.test_root);
    assert_eq!(
        statement.lines(),
        [
            "YubiKey, serial 15422467, firmware 5.2.7".to_owned(),
            "key in PIV slot 9c, made in the device".to_owned(),
            "PIN: asked for before every signature; touch: never needed".to_owned(),
            format!("device certificate {}", Sha256::of(&yubikey.certificates[1])),
            "Yubico PIV Root CA Serial 263751 63ece914e54dd87915f34033c85af4c0696ba1512f8add66ced738331207b546".to_owned(),
        ]
    );
    let statement = yubihsm.verify();
    assert!(!statement.test_root);
    assert_eq!(statement.algorithm, Algorithm::Ed25519);
    assert_eq!(
        statement.lines(),
        [
            "YubiHSM 2, serial 34331133, firmware 2.4.1".to_owned(),
            "key in object 0x0003 \"\", made in the device, never outside".to_owned(),
            "may sign-eddsa; domains 1".to_owned(),
            format!("device certificate {}", Sha256::of(&yubihsm.certificates[1])),
            "Yubico YubiHSM Root CA 094a3ac493c2bdcd65a54bdf40190f52bb03f7156397a3fc69d8aa9a392fb724".to_owned(),
        ]
    );
}

pub(crate) fn pypi() {
    let [root, targets, _] = published();
    for (real, id, label, fingerprint) in [(root, 3, "tuf-root", 0), (targets, 4, "tuf-targets", 1)]
    {
        let statement = real.verify();
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

pub(crate) fn sigstore() {
    let [_, _, real] = published();
    let statement = real.verify();
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

/// The devices of two strangers have one and the same attesting key: the certificate tells a batch, the serial number a device.
pub(crate) fn batch() {
    let [ours, _] = super::here();
    let [.., theirs] = published();
    let (ours, theirs) = (ours.verify(), theirs.verify());
    assert_eq!(ours.device_certificate, theirs.device_certificate);
    assert_ne!(ours.serial, theirs.serial);
}

pub(crate) fn embedded() {
    let published = [
        ("yubico-piv-ca-1-pem", "Yubico PIV Root CA Serial 263751"),
        ("yubico-ca-1-pem", "Yubico Attestation Root 1"),
        ("yubihsm2-attest-ca-crt-pem", "Yubico YubiHSM Root CA"),
        ("intermediate-pem", "Yubico YubiHSM 6742036 Sub-CA"),
    ];
    let anchors = Anchors::yubico();
    for (file, name) in published {
        let bytes = fs::read(shared().join("yubico-ca").join(file)).unwrap();
        let der = split(file, &bytes).unwrap().remove(0);
        let ours = anchors.certificates().find(|(ours, _)| *ours == name);
        assert_eq!(ours, Some((name, der.as_slice())), "{file}");
    }
}

pub(crate) fn any_order() {
    for real in all() {
        let expected = real.verify();
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

pub(crate) fn command() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attestation/devices");
    let cases = [
        (
            [
                "yubikey-15422467-9c.pub.pem",
                "yubikey-15422467-9c.pem",
                "yubikey-15422467-f9.pem",
            ],
            // EUCLEAK is a warning and changes nothing about who made the key.
            "GENUINE: this device made this key; 0 errors, 1 warning, 1 note",
        ),
        (
            [
                "yubihsm-34331133-0003.pub.pem",
                "yubihsm-34331133-0003.pem",
                "yubihsm-34331133-device.pem",
            ],
            "GENUINE: this device made this key; 0 errors, 0 warnings, 0 notes",
        ),
    ];
    for ([key, attestation, device], last) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
            .current_dir(&folder)
            .args(["attest", "verify", "--key", key, attestation, device])
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            (output.status.code(), told.lines().last()),
            (Some(0), Some(last)),
            "{told}"
        );
    }
}

/// Fifteen roots, signed by the same keys again and again: not one nonce twice.
pub(crate) fn nonces() {
    let folder = shared().join("../sigstore-root");
    let mut signatures = Vec::new();
    for version in 1..=15 {
        let name = format!("{version}.root.json");
        let bytes = fs::read(folder.join(&name)).unwrap();
        let envelope = Envelope::parse(&name, bytes, Limits::LARGE).unwrap();
        let root = Root::read(&name, &envelope).unwrap();
        for signature in envelope.signatures() {
            let key = root.keys.get(&signature.keyid);
            let bytes = data_encoding::HEXLOWER.decode(signature.sig.as_bytes());
            if let (Some(key), Ok(bytes)) = (key, bytes) {
                signatures.push((key.public().clone(), envelope.payload_digest(), bytes));
            }
        }
    }
    assert!(signatures.len() > 60, "{}", signatures.len());
    let signed = || {
        signatures
            .iter()
            .map(|(key, payload, bytes)| (key, *payload, bytes.as_slice()))
    };
    assert_eq!(repeated_nonce(signed()), None);
    // The same list with one signature put over another payload.
    let (key, _, bytes) = &signatures[0];
    let planted = signed().chain([(key, Sha256::of(b"other"), bytes.as_slice())]);
    assert!(repeated_nonce(planted).is_some());
}
