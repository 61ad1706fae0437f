//! Programs that know nothing of this project accept the card: it is not only our own opinion of a `YubiKey`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use sha2::{Digest as _, Sha256};
use virtual_yubikey::{Firmware, Stage, attestation, on_stage};

const MANAGEMENT: &str = "010203040506070801020304050607080102030405060708";
const NEW_MANAGEMENT: &str = "a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8c1c2c3c4c5c6c7c8";
const OPENSC: &str = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so";
const YKCS11: &str = "/usr/lib/x86_64-linux-gnu/libykcs11.so.2";

/// Each program and the package that has it.
const PACKAGES: [(&str, &str); 4] = [
    ("ykman", "yubikey-manager"),
    ("yubico-piv-tool", "yubico-piv-tool"),
    ("pkcs11-tool", "opensc"),
    ("openssl", "openssl"),
];

struct Bench<'a> {
    folder: &'a Path,
    serial: String,
}

impl<'a> Bench<'a> {
    fn new(stage: &'a Stage, serial: u32) -> Self {
        Self {
            folder: stage.folder(),
            serial: serial.to_string(),
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let ran = Command::new(program)
            .args(arguments)
            .current_dir(self.folder)
            // ykman and opensc keep settings and caches there.
            .env("HOME", self.folder)
            .stdin(Stdio::null())
            .output();
        ran.unwrap_or_else(|error| {
            let package = PACKAGES.iter().find(|(name, _)| *name == program);
            panic!(
                "{program}: {error}\nInstall the package {}.",
                package.unwrap().1
            )
        })
    }

    /// What the program said, after it succeeded.
    fn ok(&self, program: &str, arguments: &[&str]) -> String {
        let ran = self.run(program, arguments);
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(
            ran.status.success(),
            "{program} {arguments:?}\n{said}\n{errors}"
        );
        said + &errors
    }

    fn piv(&self, arguments: &[&str]) -> String {
        self.ok(
            "ykman",
            &[&["--device", &self.serial, "piv"], arguments].concat(),
        )
    }

    fn piv_fails(&self, arguments: &[&str]) {
        let all = [&["--device", &self.serial, "piv"], arguments].concat();
        assert!(!self.run("ykman", &all).status.success(), "{arguments:?}");
    }

    /// A key in 9a with its certificate, which is how `OpenSC` finds it.
    fn key_with_certificate(&self) {
        self.piv(&[
            "keys", "generate", "-a", "ECCP256", "-m", MANAGEMENT, "9a", "key.pem",
        ]);
        self.piv(&[
            "certificates",
            "generate",
            "-P",
            "123456",
            "-m",
            MANAGEMENT,
            "-s",
            "CN=holder",
            "9a",
            "key.pem",
        ]);
    }

    /// A PKCS#11 module signs, and openssl verifies with the key that ykman got.
    fn signs_through(&self, module: &str, package: &str) {
        assert!(
            Path::new(module).exists(),
            "{module} is missing. Install the package {package}."
        );
        let objects = self.ok(
            "pkcs11-tool",
            &["--module", module, "--login", "--pin", "123456", "-O"],
        );
        assert!(objects.contains("Private Key Object"), "{objects}");
        let digest = Sha256::digest(b"what is signed");
        std::fs::write(self.folder.join("digest"), digest).unwrap();
        self.ok(
            "pkcs11-tool",
            &[
                "--module",
                module,
                "--login",
                "--pin",
                "123456",
                "--sign",
                "--id",
                "01",
                "-m",
                "ECDSA",
                "--signature-format",
                "openssl",
                "-i",
                "digest",
                "-o",
                "signature",
            ],
        );
        let verified = self.ok(
            "openssl",
            &[
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "key.pem",
                "-in",
                "digest",
                "-sigfile",
                "signature",
            ],
        );
        assert!(
            verified.contains("Signature Verified Successfully"),
            "{verified}"
        );
        std::fs::write(
            self.folder.join("digest"),
            Sha256::digest(b"something else"),
        )
        .unwrap();
        let other = self.run(
            "openssl",
            &[
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "key.pem",
                "-in",
                "digest",
                "-sigfile",
                "signature",
            ],
        );
        assert!(!other.status.success(), "openssl accepts anything");
    }
}

#[test]
fn ykman_sees_serial_firmware_and_factory_defaults() {
    on_stage("ykman_sees_serial_firmware_and_factory_defaults", |stage| {
        let cases = [
            (2_000_001, Firmware::V5_4_3, "5.4.3", "TDES"),
            (2_000_002, Firmware::V5_7_1, "5.7.1", "AES192"),
        ];
        for (serial, firmware, version, cipher) in cases {
            let _card = stage.insert_new(serial, firmware);
            let bench = Bench::new(stage, serial);
            let listed = bench.ok("ykman", &["list"]);
            assert!(listed.contains(&format!("Serial: {serial}")), "{listed}");
            let info = bench.piv(&["info"]);
            for told in [
                version,
                cipher,
                "3/3",
                "default PIN",
                "default Management key",
            ] {
                assert!(info.contains(told), "{told} in:\n{info}");
            }
        }
    });
}

#[test]
fn ykman_generates_attests_and_changes_what_gives_access() {
    on_stage(
        "ykman_generates_attests_and_changes_what_gives_access",
        |stage| {
            let serial = 2_000_003;
            let _card = stage.insert_new(serial, Firmware::V5_4_3);
            let bench = Bench::new(stage, serial);
            bench.key_with_certificate();
            bench.piv(&["keys", "attest", "9a", "leaf.pem"]);
            bench.piv(&["certificates", "export", "f9", "device.pem"]);
            std::fs::write(
                bench.folder.join("ca.pem"),
                attestation::test_ca_pem().unwrap(),
            )
            .unwrap();
            let chain = [
                "verify",
                "-CAfile",
                "ca.pem",
                "-untrusted",
                "device.pem",
                "leaf.pem",
            ];
            assert!(bench.ok("openssl", &chain).contains("leaf.pem: OK"));
            let attested = bench.ok("openssl", &["x509", "-in", "leaf.pem", "-noout", "-pubkey"]);
            assert_eq!(
                attested,
                std::fs::read_to_string(bench.folder.join("key.pem")).unwrap()
            );

            bench.piv(&["access", "change-pin", "-P", "123456", "-n", "654321"]);
            bench.piv(&["access", "change-puk", "-p", "12345678", "-n", "87654321"]);
            bench.piv(&[
                "access",
                "change-management-key",
                "-m",
                MANAGEMENT,
                "-n",
                NEW_MANAGEMENT,
            ]);
            bench.piv_fails(&["access", "change-pin", "-P", "123456", "-n", "111111"]);
            bench.piv_fails(&["keys", "generate", "-m", MANAGEMENT, "9c", "-"]);
            bench.piv(&[
                "keys",
                "generate",
                "-m",
                NEW_MANAGEMENT,
                "-a",
                "ECCP384",
                "9c",
                "-",
            ]);
            bench.piv(&["access", "unblock-pin", "-p", "87654321", "-n", "222222"]);
            bench.piv(&["reset", "--force"]);
            let info = bench.piv(&["info"]);
            assert!(
                info.contains("default PIN") && !info.contains("Slot 9a"),
                "{info}"
            );
        },
    );
}

#[test]
fn ykman_imports_a_key_that_cannot_be_attested() {
    on_stage("ykman_imports_a_key_that_cannot_be_attested", |stage| {
        let _card = stage.insert_new(2_000_004, Firmware::V5_4_3);
        let bench = Bench::new(stage, 2_000_004);
        bench.ok("openssl", &["genrsa", "-out", "rsa.pem", "2048"]);
        bench.ok(
            "openssl",
            &[
                "ecparam",
                "-name",
                "prime256v1",
                "-genkey",
                "-noout",
                "-out",
                "ec.pem",
            ],
        );
        for (slot, file) in [("9a", "rsa.pem"), ("9c", "ec.pem")] {
            bench.piv(&["keys", "import", "-m", MANAGEMENT, slot, file]);
            let public = bench.ok("openssl", &["pkey", "-in", file, "-pubout"]);
            bench.piv(&["keys", "export", slot, "exported.pem"]);
            assert_eq!(
                public,
                std::fs::read_to_string(bench.folder.join("exported.pem")).unwrap()
            );
            bench.piv_fails(&["keys", "attest", slot, "-"]);
        }
    });
}

#[test]
fn yubico_piv_tool_verifies_attests_and_signs_with_rsa() {
    on_stage(
        "yubico_piv_tool_verifies_attests_and_signs_with_rsa",
        |stage| {
            let card = stage.insert_new(2_000_005, Firmware::V5_4_3);
            let bench = Bench::new(stage, 2_000_005);
            let status = bench.ok("yubico-piv-tool", &["-a", "status"]);
            assert!(
                status.contains("2000005") && status.contains("PIN tries left:\t3"),
                "{status}"
            );
            assert!(
                !bench
                    .run("yubico-piv-tool", &["-a", "verify-pin", "-P", "000000"])
                    .status
                    .success()
            );
            assert_eq!(card.state().pin.left, 2);
            bench.ok("yubico-piv-tool", &["-a", "verify-pin", "-P", "123456"]);
            assert_eq!(card.state().pin.left, 3);
            bench.ok(
                "yubico-piv-tool",
                &[
                    "-a", "generate", "-s", "9a", "-A", "RSA2048", "-o", "key.pem",
                ],
            );
            bench.ok(
                "yubico-piv-tool",
                &["-a", "attest", "-s", "9a", "-o", "leaf.pem"],
            );
            let attested = bench.ok("openssl", &["x509", "-in", "leaf.pem", "-noout", "-pubkey"]);
            assert_eq!(
                attested,
                std::fs::read_to_string(bench.folder.join("key.pem")).unwrap()
            );
            // Its own selfsign-certificate fails in Debian 12 before it asks the card anything.
            bench.piv(&[
                "certificates",
                "generate",
                "-P",
                "123456",
                "-m",
                MANAGEMENT,
                "-s",
                "CN=holder",
                "9a",
                "key.pem",
            ]);
            bench.ok(
                "yubico-piv-tool",
                &["-a", "read-certificate", "-s", "9a", "-o", "self.pem"],
            );
            bench.ok("openssl", &["verify", "-CAfile", "self.pem", "self.pem"]);
        },
    );
}

#[test]
fn ykcs11_lists_and_signs() {
    on_stage("ykcs11_lists_and_signs", |stage| {
        for (serial, firmware) in [(2_000_006, Firmware::V5_4_3), (2_000_007, Firmware::V5_7_1)] {
            let _card = stage.insert_new(serial, firmware);
            let bench = Bench::new(stage, serial);
            bench.key_with_certificate();
            bench.signs_through(YKCS11, "ykcs11");
        }
    });
}

#[test]
fn opensc_lists_and_signs() {
    on_stage("opensc_lists_and_signs", |stage| {
        for (serial, firmware) in [(2_000_008, Firmware::V5_4_3), (2_000_009, Firmware::V5_7_1)] {
            let _card = stage.insert_new(serial, firmware);
            let bench = Bench::new(stage, serial);
            bench.key_with_certificate();
            bench.signs_through(OPENSC, "opensc-pkcs11");
        }
    });
}
