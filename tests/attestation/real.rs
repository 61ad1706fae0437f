//! Attestations of real devices, as they were published.

use std::fs;
use std::path::{Path, PathBuf};

use tuf_ceremony::attestation::{self, Anchors, Statement, split};
use tuf_ceremony::tuf::key::PublicKey;

/// A published attestation: public key, certificates with the attestation first.
pub(crate) struct Real {
    pub(crate) name: &'static str,
    pub(crate) public: PublicKey,
    pub(crate) certificates: Vec<Vec<u8>>,
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

    pub(crate) fn verify(&self) -> Statement {
        attestation::verify(&self.public, &self.certificates, &Anchors::yubico()).unwrap()
    }
}

/// What may be absent.
pub(crate) fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/attestations")
}

/// A YubiKey and a YubiHSM 2 that are always here.
pub(crate) fn here() -> [Real; 2] {
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
pub(crate) fn published() -> [Real; 3] {
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
pub(crate) fn all() -> Vec<Real> {
    let published = shared().is_dir().then(published).into_iter().flatten();
    here().into_iter().chain(published).collect()
}
