//! Other programs on the same tokens: they find our keys, we find theirs, and each verifies the other's signatures.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use tuf_ceremony::ceremony::event::Custody;
use tuf_ceremony::ceremony::port::{Leaves, TokenFault};
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::token::software::EphemeralKeys;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::Algorithm::{EcdsaP256, EcdsaP384, Ed25519, RsaPss};
use tuf_ceremony::tuf::key::{Key, PublicKey};

use super::{PIN, SOFTHSM, in_own_process, initialised, logged_in, secret, softhsm};

/// Runs a program that must succeed and gives its output.
fn run(program: &str, arguments: &[&OsStr]) -> Vec<u8> {
    let ran = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program} {arguments:?}: {said}");
    ran.stdout
}

fn pkcs11_tool(label: &str, arguments: &[&str]) -> Vec<u8> {
    let mut all = vec![
        "--module",
        SOFTHSM,
        "--token-label",
        label,
        "--login",
        "--pin",
        PIN,
    ];
    all.extend_from_slice(arguments);
    let all: Vec<&OsStr> = all.iter().map(OsStr::new).collect();
    run("pkcs11-tool", &all)
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[test]
fn pkcs11_tool_finds_our_keys_and_signs_with_them() {
    in_own_process(
        "second_opinion::pkcs11_tool_finds_our_keys_and_signs_with_them",
        |folder| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "ours");
            let keys = [
                ("p256", EcdsaP256),
                ("p384", EcdsaP384),
                ("rsa", RsaPss),
                ("ed", Ed25519),
            ]
            .map(|(label, algorithm)| {
                module
                    .generate(&token, label, algorithm, Leaves::Never)
                    .unwrap()
            });
            drop(module);

            let listed = String::from_utf8(pkcs11_tool("ours", &["--list-objects"])).unwrap();
            for key in &keys {
                assert_eq!(
                    listed
                        .matches(&format!("label:      {}\n", key.label))
                        .count(),
                    2,
                    "{listed}"
                );
                assert_eq!(
                    listed
                        .matches(&format!("ID:         {}\n", hex(&key.id)))
                        .count(),
                    2,
                    "{listed}"
                );
            }
            assert_eq!(
                listed
                    .matches("sensitive, always sensitive, never extractable, local")
                    .count(),
                keys.len(),
                "{listed}"
            );

            for key in &keys {
                if let PublicKey::P256(point) | PublicKey::P384(point) = &key.public {
                    let shown = format!("EC_POINT:   04{:02x}{}\n", point.len(), hex(point));
                    assert!(listed.contains(&shown), "{listed}");
                }
            }

            let message = b"a message";
            let [input, output] = ["input", "output"].map(|name| folder.join(name));
            let files = [
                "--input-file",
                input.to_str().unwrap(),
                "--output-file",
                output.to_str().unwrap(),
            ];
            for key in &keys {
                let arguments: &[&str] = match &key.public {
                    PublicKey::Ed25519(_) => &["--mechanism", "EDDSA"],
                    PublicKey::P256(_) => &[
                        "--mechanism",
                        "ECDSA-SHA256",
                        "--signature-format",
                        "openssl",
                    ],
                    PublicKey::P384(_) => &[
                        "--mechanism",
                        "ECDSA-SHA384",
                        "--signature-format",
                        "openssl",
                    ],
                    _ => &["--mechanism", "SHA256-RSA-PKCS-PSS", "--salt-len", "32"],
                };
                // SoftHSM does not hash for ECDSA, so it gets the digest.
                let (mechanism, given) = match arguments[1] {
                    "ECDSA-SHA256" => ("ECDSA", Sha256::of(message).0.to_vec()),
                    "ECDSA-SHA384" => ("ECDSA", sha384(message)),
                    other => (other, message.to_vec()),
                };
                fs::write(&input, given).unwrap();
                let id = hex(&key.id);
                let mut sign = vec!["--sign", "--id", &id, "--mechanism", mechanism];
                sign.extend_from_slice(&arguments[2..]);
                sign.extend_from_slice(&files);
                pkcs11_tool("ours", &sign);
                let signature = fs::read(&output).unwrap();
                let verifier = Key::from_public(&key.public).unwrap();
                assert!(verifier.verifies(message, &signature), "{}", key.label);
            }
        },
    );
}

fn sha384(message: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha384::digest(message).to_vec()
}

#[test]
fn openssl_verifies_our_signatures() {
    in_own_process(
        "second_opinion::openssl_verifies_our_signatures",
        |folder| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "ours");
            let [message, key_file, signature] =
                ["message", "key", "signature"].map(|name| folder.join(name));
            fs::write(&message, b"a message").unwrap();
            for (algorithm, digest) in [
                (EcdsaP256, "-sha256"),
                (EcdsaP384, "-sha384"),
                (RsaPss, "-sha256"),
            ] {
                let key = module.generate(&token, digest, algorithm, Leaves::Never);
                let key = key
                    .or_else(|_| module.generate(&token, "rsa", algorithm, Leaves::Never))
                    .unwrap();
                fs::write(&key_file, key.public.to_spki_der().unwrap()).unwrap();
                fs::write(&signature, module.sign(&token, &key, b"a message").unwrap()).unwrap();
                let mut arguments = vec!["dgst", digest, "-keyform", "DER", "-verify"];
                arguments.extend([
                    key_file.to_str().unwrap(),
                    "-signature",
                    signature.to_str().unwrap(),
                ]);
                if algorithm == RsaPss {
                    arguments.extend([
                        "-sigopt",
                        "rsa_padding_mode:pss",
                        "-sigopt",
                        "rsa_pss_saltlen:32",
                    ]);
                }
                arguments.push(message.to_str().unwrap());
                let arguments: Vec<&OsStr> = arguments.into_iter().map(OsStr::new).collect();
                assert_eq!(run("openssl", &arguments), b"Verified OK\n");
            }
        },
    );
}

#[test]
fn keys_that_pkcs11_tool_made_sign_for_us() {
    in_own_process(
        "second_opinion::keys_that_pkcs11_tool_made_sign_for_us",
        |_| {
            let mut module = softhsm();
            let token = initialised(&mut module, "theirs").id;
            drop(module);
            // Its Ed25519 has EC_PARAMS as a name, not as an OID.
            for (id, kind) in [
                ("01", "EC:edwards25519"),
                ("02", "EC:prime256v1"),
                ("03", "EC:secp384r1"),
                ("04", "EC:secp256k1"),
            ] {
                pkcs11_tool(
                    "theirs",
                    &[
                        "--keypairgen",
                        "--key-type",
                        kind,
                        "--id",
                        id,
                        "--label",
                        kind,
                    ],
                );
            }
            let mut module = softhsm();
            module.login(&token, &secret(PIN)).unwrap();
            let keys = module.keys(&token).unwrap();
            let mut labels: Vec<&str> = keys.iter().map(|key| key.label.as_str()).collect();
            labels.sort_unstable();
            assert_eq!(labels, ["EC:edwards25519", "EC:prime256v1", "EC:secp384r1"]);
            for key in &keys {
                let signature = module.sign(&token, key, b"message").unwrap();
                let verifier = Key::from_public(&key.public).unwrap();
                assert!(verifier.verifies(b"message", &signature), "{}", key.label);
            }
        },
    );
}

#[test]
fn public_key_slipped_in_under_the_id_of_another_proves_nothing() {
    in_own_process(
        "second_opinion::public_key_slipped_in_under_the_id_of_another_proves_nothing",
        |folder| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "ours");
            let key = module
                .generate(&token, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            let [foreign, stray] = [(); 2].map(|()| {
                let mut made = EphemeralKeys::default().make(&[EcdsaP256]).unwrap();
                made.remove(0).to_spki_der().unwrap()
            });
            drop(module);
            let file = folder.join("foreign.der");
            fs::write(&file, foreign).unwrap();
            let path = file.to_str().unwrap();
            let id = hex(&key.id);
            let object = ["--type", "pubkey", "--label", "root", "--id", &id];
            pkcs11_tool("ours", &[&["--write-object", path], &object[..]].concat());

            let mut module = softhsm();
            module.login(&token, &secret(PIN)).unwrap();
            let keys = module.keys(&token).unwrap();
            assert_eq!(keys.len(), 2);
            for listed in &keys {
                assert_eq!(listed.custody, Custody::default());
                let signature = module.sign(&token, listed, b"message").unwrap();
                let verifier = Key::from_public(&listed.public).unwrap();
                let ours = listed.public == key.public;
                assert_eq!(verifier.verifies(b"message", &signature), ours);
            }
            // Without a private half it is no signing key; before a login nobody can tell.
            drop(module);
            fs::write(&file, stray).unwrap();
            let object = ["--type", "pubkey", "--label", "stray", "--id", "77"];
            pkcs11_tool("ours", &[&["--write-object", path], &object[..]].concat());
            let mut module = softhsm();
            assert_eq!(module.keys(&token).unwrap().len(), 3);
            module.login(&token, &secret(PIN)).unwrap();
            assert_eq!(module.keys(&token).unwrap().len(), 2);
        },
    );
}

/// A second implementation of PKCS#11, which needs its arguments and does not prove where its keys were made.
#[test]
fn nss_signs_and_its_custody_is_not_proven() {
    in_own_process(
        "second_opinion::nss_signs_and_its_custody_is_not_proven",
        |folder| {
            let path = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";
            let init_args = format!(
                "configdir='sql:{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=optimizeSpace",
                folder.display()
            );
            let pin_file = folder.join("pin");
            fs::write(&pin_file, PIN).unwrap();
            let database = format!("sql:{}", folder.display());
            let arguments = ["-N", "-d", &database, "-f", pin_file.to_str().unwrap()];
            run("certutil", &arguments.map(OsStr::new));
            let mut module = Pkcs11Module::load("nss", path, Some(&init_args)).unwrap();
            let mut tokens = module.list().unwrap().into_iter();
            let token = tokens.find(|token| token.ready && token.id.label == "NSS Certificate DB");
            let token = token.unwrap().id;
            module.login(&token, &secret(PIN)).unwrap();
            for algorithm in [EcdsaP256, EcdsaP384, RsaPss] {
                let label = format!("{algorithm:?}");
                let key = module
                    .generate(&token, &label, algorithm, Leaves::Never)
                    .unwrap();
                assert_eq!(key.custody.local, None);
                let signature = module.sign(&token, &key, b"message").unwrap();
                let verifier = Key::from_public(&key.public).unwrap();
                assert!(verifier.verifies(b"message", &signature), "{label}");
                assert!(module.keys(&token).unwrap().contains(&key), "{label}");
            }
            let error = module
                .generate(&token, "ed", Ed25519, Leaves::Never)
                .unwrap_err();
            assert_eq!(error.fault, TokenFault::Unsupported, "{error}");
        },
    );
}
