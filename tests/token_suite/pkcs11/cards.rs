//! A `YubiKey` through the modules that others wrote for it: what the table of quirks says of ykcs11 and `OpenSC`, seen on a card that keeps its own rules.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tuf_ceremony::ceremony::port::{PinPolicy, Reset, TokenFault, TokenId, TokenKey};
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::tuf::key::Key;
use virtual_yubikey::{Firmware, Inserted, Stage, on_stage};

use super::super::secret;

const MANAGEMENT: &str = "010203040506070801020304050607080102030405060708";
const FACTORY_PIN: &str = "123456";
const OPENSC: &str = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so";
const YKCS11: &str = "/usr/lib/x86_64-linux-gnu/libykcs11.so.2";

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let ran = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output();
    let ran = ran.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program} {arguments:?}: {said}");
    ran.stdout
}

/// A P-256 key in 9a and one in 9c, each with a certificate, which is how `OpenSC` finds it; their SPKI PEM.
fn keys_with_certificates(folder: &Path, serial: &str) -> [String; 2] {
    ["9a", "9c"].map(|slot| {
        let pem = format!("{slot}.pem");
        let generate = ["keys", "generate", "-a", "ECCP256", "-m", MANAGEMENT];
        piv(folder, serial, &[&generate[..], &[slot, &pem]].concat());
        let certify = [
            "certificates",
            "generate",
            "-P",
            FACTORY_PIN,
            "-m",
            MANAGEMENT,
        ];
        let certify = [&certify[..], &["-s", "CN=holder", slot, &pem]].concat();
        piv(folder, serial, &certify);
        fs::read_to_string(folder.join(pem)).unwrap()
    })
}

fn key_of(keys: &[TokenKey], pem: &str) -> TokenKey {
    let der: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let der = data_encoding::BASE64.decode(der.as_bytes()).unwrap();
    // The SPKI of a P-256 key ends with its point.
    let mut keys = keys.iter().filter(|key| {
        let tuf_ceremony::tuf::key::PublicKey::P256(point) = &key.public else {
            return false;
        };
        der.ends_with(point)
    });
    keys.next().expect("the key is listed").clone()
}

fn signs(module: &mut Pkcs11Module, token: &TokenId, key: &TokenKey) {
    let signature = module.sign(token, key, b"message").unwrap();
    let verifier = Key::from_public(&key.public).unwrap();
    assert!(verifier.verifies(b"message", &signature));
}

/// The one token that is plugged in, as soon as the module sees it.
fn listed(module: &mut Pkcs11Module) -> TokenId {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut tokens = module
            .list()
            .unwrap()
            .into_iter()
            .filter(|token| token.ready);
        if let Some(token) = tokens.next() {
            return token.id;
        }
        assert!(Instant::now() < deadline, "the card is not seen");
        sleep(Duration::from_millis(100));
    }
}

/// What both modules have to show: fresh logins for 9c, none for 9a, and a card that is pulled and put back.
fn claims(stage: &Stage, module: &mut Pkcs11Module, card: &Inserted, pems: &[String; 2]) {
    let token = listed(module);
    module.login(&token, &secret(FACTORY_PIN)).unwrap();
    let keys = module.keys(&token).unwrap();
    let [plain, each] = pems.each_ref().map(|pem| key_of(&keys, pem));
    assert_ne!(plain.usage.pin, PinPolicy::Always);
    assert_eq!(each.usage.pin, PinPolicy::Always);
    signs(module, &token, &plain);
    signs(module, &token, &plain);
    for _ in 0..2 {
        module.login(&token, &secret(FACTORY_PIN)).unwrap();
        signs(module, &token, &each);
        let error = module.sign(&token, &each, b"message").unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn, "{error}");
        assert!(!error.may_have_signed, "{error}");
    }
    let error = module.login(&token, &secret("000000")).unwrap_err();
    assert_eq!(error.fault, TokenFault::PinIncorrect, "{error}");
    assert_eq!(card.state().pin.left, 2, "one login is one try");
    module.login(&token, &secret(FACTORY_PIN)).unwrap();
    assert_eq!(card.state().pin.left, 3);

    card.remove();
    let error = module.sign(&token, &plain, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::Removed, "{error}");
    card.insert();
    assert_eq!(listed(module), token);
    let error = module.sign(&token, &plain, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn, "{error}");
    module.login(&token, &secret(FACTORY_PIN)).unwrap();
    signs(module, &token, &plain);
    let new = Reset {
        label: "x".to_owned(),
        old_so: None,
        new: Vec::new(),
    };
    let error = module.reset(&token, &new).unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported, "{error}");

    // Another card in its place is another token, and nothing of the first is left.
    card.remove();
    let other = stage.insert_new(3_000_009, Firmware::V5_7_1);
    let found = listed(module);
    assert_ne!(found, token);
    for error in [
        module.sign(&token, &plain, b"message").unwrap_err(),
        module.login(&token, &secret(FACTORY_PIN)).unwrap_err(),
        module.keys(&token).unwrap_err(),
    ] {
        assert_eq!(error.fault, TokenFault::Removed, "{error}");
    }
    module.login(&found, &secret(FACTORY_PIN)).unwrap();
    assert_eq!(module.keys(&found).unwrap(), []);
    module.logout(&found);
    other.remove();
    card.insert();
    assert_eq!(listed(module), token);
    module.login(&token, &secret(FACTORY_PIN)).unwrap();
    signs(module, &token, &plain);
}

#[test]
fn ykcs11_signs_once_a_login_in_9c_attests_and_survives_a_pulled_card() {
    on_stage(
        "pkcs11::cards::ykcs11_signs_once_a_login_in_9c_attests_and_survives_a_pulled_card",
        |stage| {
            let card = stage.insert_new(3_000_001, Firmware::V5_4_3);
            let pems = keys_with_certificates(stage.folder(), "3000001");
            let mut module = Pkcs11Module::load("ykcs11", YKCS11, None).unwrap();
            let token = listed(&mut module);
            assert_eq!(token.serial, "3000001");
            assert_eq!(token.label, "YubiKey PIV #3000001");
            let error = module.login(&token, &secret("123")).unwrap_err();
            assert_eq!(
                error.said,
                "the PIN has a length or characters that the token does not take: a YubiKey's PIN has 6 to 8 characters (CKR_ARGUMENTS_BAD)"
            );
            claims(stage, &mut module, &card, &pems);

            let keys = module.keys(&token).unwrap();
            for (slot, pem) in ["9a", "9c"].iter().zip(&pems) {
                let found = module.attestation(&token, &key_of(&keys, pem)).unwrap();
                let [own, signer] = &found[..] else {
                    panic!("{} certificates of {slot}", found.len());
                };
                fs::write(stage.folder().join("own.der"), own).unwrap();
                let shown = run(
                    stage.folder(),
                    "openssl",
                    &[
                        "x509", "-inform", "DER", "-in", "own.der", "-noout", "-pubkey",
                    ],
                );
                assert_eq!(String::from_utf8(shown).unwrap(), *pem);
                piv(
                    stage.folder(),
                    "3000001",
                    &["certificates", "export", "-F", "DER", "f9", "f9.der"],
                );
                assert_eq!(*signer, fs::read(stage.folder().join("f9.der")).unwrap());
            }
        },
    );
}

fn piv(folder: &Path, serial: &str, arguments: &[&str]) {
    run(
        folder,
        "ykman",
        &[&["--device", serial, "piv"], arguments].concat(),
    );
}

#[test]
fn opensc_signs_once_a_login_in_9c_and_survives_a_pulled_card() {
    on_stage(
        "pkcs11::cards::opensc_signs_once_a_login_in_9c_and_survives_a_pulled_card",
        |stage| {
            let card = stage.insert_new(3_000_002, Firmware::V5_4_3);
            let pems = keys_with_certificates(stage.folder(), "3000002");
            let mut module = Pkcs11Module::load("opensc", OPENSC, None).unwrap();
            claims(stage, &mut module, &card, &pems);
        },
    );
}
