//! The rows of the table of quirks, each over what can be run here: the module itself, or `SoftHSM` behind the shim in its place.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use tuf_ceremony::ceremony::event::Credential;
use tuf_ceremony::ceremony::port::{Leaves, Reset, TokenChoice, TokenFault, TokenKey};
use tuf_ceremony::token::Module;
use tuf_ceremony::token::pkcs11::Pkcs11Module;
use tuf_ceremony::token::pkcs11::quirks::TABLE;
use tuf_ceremony::tuf::key::Algorithm::{EcdsaP256, Ed25519};

use super::super::{PIN, SO_PIN, SOFTHSM, in_own_process, initialised, logged_in, secret, softhsm};
use super::requests::{YKCS11, behind, posing_as};
use super::shim::Shim;
use super::token_folder;

pub(super) const NSS: &str = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";

#[test]
fn each_row_is_in_the_page_about_tokens() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tokens.md");
    let page = fs::read_to_string(page).unwrap();
    let words = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").to_lowercase()
    };
    let (page, absent) = (words(&page.replace('`', "")), "is not in docs/tokens.md");
    for row in TABLE {
        let tested = if row.tested {
            "tested here"
        } else {
            "untested"
        };
        let title = format!("**{}** (*{tested}*)", row.name);
        assert!(page.contains(&words(&title)), "{title} {absent}");
        let said = [
            row.pin_form,
            row.wraps_nothing,
            row.initialised_by,
            row.erased_by,
        ];
        for sentence in row.notes.iter().copied().chain(said.into_iter().flatten()) {
            assert!(page.contains(&words(sentence)), "{sentence:?} {absent}");
        }
    }
}

/// Taken out and put back, with nobody's help.
#[test]
fn softhsm_is_started_anew_to_see_a_token_again() {
    in_own_process(
        "pkcs11::quirks::softhsm_is_started_anew_to_see_a_token_again",
        |folder| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "one");
            let key = module
                .generate(&token, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            module.list().unwrap();
            let place = token_folder(folder);
            fs::rename(&place, folder.join("drawer")).unwrap();
            let there = |module: &mut Pkcs11Module| {
                let mut listed = module.list().unwrap().into_iter();
                listed.any(|listed| listed.id == token)
            };
            assert!(!there(&mut module));
            let error = module.keys(&token).unwrap_err();
            assert_eq!(error.fault, TokenFault::NotLoggedIn, "{error}");
            let error = module.keys(&token).unwrap_err();
            assert_eq!(error.fault, TokenFault::Removed, "{error}");
            fs::rename(folder.join("drawer"), &place).unwrap();
            assert!(there(&mut module));
            let error = module.sign(&token, &key, b"message").unwrap_err();
            assert_eq!(error.fault, TokenFault::NotLoggedIn);
            module.login(&token, &secret(PIN)).unwrap();
            assert_eq!(module.keys(&token).unwrap(), std::slice::from_ref(&key));
            module.sign(&token, &key, b"message").unwrap();
        },
    );
}

#[test]
fn login_to_another_token_is_not_ended_to_see_a_token_again() {
    in_own_process(
        "pkcs11::quirks::login_to_another_token_is_not_ended_to_see_a_token_again",
        |folder| {
            let mut module = softhsm();
            let gone = initialised(&mut module, "gone").id;
            let place = token_folder(folder);
            let other = logged_in(&mut module, "other");
            let key = module
                .generate(&other, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            fs::rename(&place, folder.join("drawer")).unwrap();
            assert_eq!(module.keys(&gone).unwrap_err().fault, TokenFault::Removed);
            module.list().unwrap();
            fs::rename(folder.join("drawer"), &place).unwrap();
            module.sign(&other, &key, b"message").unwrap();
            module.logout(&other);
            assert!(
                module
                    .list()
                    .unwrap()
                    .iter()
                    .any(|listed| listed.id == gone)
            );
            module.login(&gone, &secret(PIN)).unwrap();
        },
    );
}

#[test]
fn nss_wants_arguments_and_its_tokens_are_told_apart_by_label() {
    in_own_process(
        "pkcs11::quirks::nss_wants_arguments_and_its_tokens_are_told_apart_by_label",
        |folder| {
            let error = Pkcs11Module::load("nss", NSS, None).err().unwrap();
            assert_eq!(error.fault, TokenFault::Module);
            assert_eq!(
                error.said,
                "the module could not be started; see its configuration and arguments (CKR_ARGUMENTS_BAD); it may want init_args in the room file, as NSS does"
            );
            let (mut module, database) = nss(folder);
            let listed = module.list().unwrap();
            assert_eq!(listed.len(), 2, "{listed:?}");
            assert_eq!(listed[0].id.serial, listed[1].id.serial);
            let choice = TokenChoice {
                description: String::new(),
                serial: None,
                label: Some("NSS Certificate DB".to_owned()),
            };
            let chosen: Vec<_> = listed
                .iter()
                .filter(|token| choice.matches(token))
                .collect();
            let [chosen] = chosen[..] else {
                panic!("{listed:?}");
            };
            let token = chosen.id.clone();
            let error = module.login(&token, &secret("not-the-PIN")).unwrap_err();
            assert_eq!(error.fault, TokenFault::PinIncorrect);
            module.login(&token, &secret(PIN)).unwrap();
            let key = module
                .generate(&token, "root", EcdsaP256, Leaves::Never)
                .unwrap();
            assert_eq!(
                key.custody.local, None,
                "made here, but NSS does not say so"
            );
            assert_eq!(key.custody.never_extractable, Some(true));
            module.login(&token, &secret(PIN)).unwrap();
            module.sign(&token, &key, b"message").unwrap();
            let error = module.reset(&token, &new_secrets("two", None)).unwrap_err();
            assert_eq!(
                error.said,
                "such a token is not reset through its module: its database is made by certutil -N"
            );
            drop(module);
            // Another program finds the key in the database.
            let arguments = ["-K", "-d", &database, "-f"].map(OsStr::new);
            let ran = Command::new("certutil")
                .args(arguments)
                .arg(folder.join("pin"))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&ran.stdout);
            assert!(said.contains("root"), "{said}");
        },
    );
}

pub(super) fn nss(folder: &Path) -> (Pkcs11Module, String) {
    let pin_file = folder.join("pin");
    fs::write(&pin_file, PIN).unwrap();
    let database = format!("sql:{}", folder.display());
    let arguments = ["-N", "-d", &database, "-f"].map(OsStr::new);
    let mut certutil = Command::new("certutil");
    let made = certutil.args(arguments).arg(&pin_file).status();
    assert!(
        made.expect("certutil is needed: install libnss3-tools")
            .success()
    );
    let init_args = format!(
        "configdir='{database}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=optimizeSpace"
    );
    let module = Pkcs11Module::load("nss", NSS, Some(&init_args)).unwrap();
    (module, database)
}

fn new_secrets(label: &str, old_so: Option<&str>) -> Reset {
    Reset {
        label: label.to_owned(),
        old_so: old_so.map(secret),
        new: vec![
            (Credential::So, secret("new-so-pin")),
            (Credential::User, secret("new-user-pin")),
        ],
    }
}

#[test]
fn short_pin_of_a_yubikey_is_said_so() {
    in_own_process(
        "pkcs11::quirks::short_pin_of_a_yubikey_is_said_so",
        |folder| {
            let plan = posing_as(Shim::plan(), YKCS11).fault("C_Login", "2", "CKR_ARGUMENTS_BAD");
            let (_, mut module, token, _) = behind(folder, &plan, EcdsaP256);
            let error = module.login(&token, &secret("123")).unwrap_err();
            assert_eq!(error.fault, TokenFault::PinIncorrect);
            assert_eq!(
                error.said,
                "the PIN has a length or characters that the token does not take: a YubiKey's PIN has 6 to 8 characters (CKR_ARGUMENTS_BAD)"
            );
        },
    );
}

#[test]
fn attestation_objects_of_a_yubikey_are_found_by_slot() {
    in_own_process(
        "pkcs11::quirks::attestation_objects_of_a_yubikey_are_found_by_slot",
        |folder| {
            let plan = posing_as(Shim::plan(), YKCS11);
            let (shim, mut module, token, key) = behind(folder, &plan, EcdsaP256);
            assert_eq!(
                module.attestation(&token, &key).unwrap(),
                Vec::<Vec<u8>>::new()
            );
            drop(module);
            let id = data_encoding::HEXLOWER.encode(&key.id);
            let slots = [("9c", id.as_str()), ("9a", "01"), ("", "19")];
            let mut made = Vec::new();
            for (slot, id) in slots {
                let label = format!("X.509 Certificate for PIV Attestation {slot}");
                made.push(certificate(folder, label.trim_end(), id));
            }
            certificate(folder, "X.509 Certificate for Digital Signature", &id);
            let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
            let found = module.attestation(&token, &key).unwrap();
            assert_eq!(found, [made[0].clone(), made[2].clone()]);
            let other = TokenKey {
                id: vec![7],
                ..key.clone()
            };
            assert_eq!(
                module.attestation(&token, &other).unwrap(),
                Vec::<Vec<u8>>::new()
            );
            drop(module);
            // A module that is not known for it is not asked.
            let found = softhsm().attestation(&token, &key).unwrap();
            assert_eq!(found, Vec::<Vec<u8>>::new());
        },
    );
}

/// A certificate with this name, made anew and put on the token.
fn certificate(folder: &Path, label: &str, id: &str) -> Vec<u8> {
    let path = folder.join("certificate.der");
    let run = |program: &str, arguments: &[&str]| {
        let ran = Command::new(program).args(arguments).output();
        let ran = ran.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    };
    let (path_text, subject) = (path.to_str().unwrap(), format!("/CN={id}"));
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "/dev/null",
            "-subj",
            &subject,
            "-outform",
            "DER",
            "-out",
            path_text,
        ],
    );
    run(
        "pkcs11-tool",
        &[
            "--module",
            SOFTHSM,
            "--token-label",
            "one",
            "--login",
            "--pin",
            PIN,
            "--write-object",
            path_text,
            "--type",
            "cert",
            "--id",
            id,
            "--label",
            label,
        ],
    );
    fs::read(path).unwrap()
}

#[test]
fn tpm_has_room_for_one_key_a_login() {
    in_own_process(
        "pkcs11::quirks::tpm_has_room_for_one_key_a_login",
        |folder| {
            let plan = posing_as(Shim::plan(), "TPM2.0 Cryptoki");
            let (shim, mut module, token, key) = behind(folder, &plan, EcdsaP256);
            module.sign(&token, &key, b"message").unwrap();
            module.sign(&token, &key, b"message").unwrap();
            let full =
                "the token has room for one key at a time and wants its PIN again for another";
            let error = module
                .generate(&token, "other", EcdsaP256, Leaves::Never)
                .unwrap_err();
            assert_eq!(
                (error.fault, error.said.as_str()),
                (TokenFault::NotLoggedIn, full)
            );
            module.login(&token, &secret(PIN)).unwrap();
            let other = module
                .generate(&token, "other", EcdsaP256, Leaves::Never)
                .unwrap();
            module.sign(&token, &other, b"message").unwrap();
            let error = module.sign(&token, &key, b"message").unwrap_err();
            assert_eq!(
                (error.fault, error.said.as_str()),
                (TokenFault::NotLoggedIn, full)
            );
            assert!(!error.may_have_signed);
            assert_eq!(shim.log().count("C_Sign"), 3);
            module.login(&token, &secret(PIN)).unwrap();
            module.sign(&token, &key, b"message").unwrap();
            // Only a blank one is initialised through the module.
            let new = new_secrets("two", Some(SO_PIN));
            let error = module.reset(&token, &new).unwrap_err();
            assert_eq!(
                error.said,
                "such a token is not reset through its module: it is removed by tpm2_ptool rmtoken, and a new one is initialised"
            );
            assert_eq!(shim.log().count("C_InitToken"), 0);
            let listed = module.list().unwrap();
            let blank = listed.iter().find(|token| !token.ready).unwrap();
            module.reset(&blank.id, &new_secrets("two", None)).unwrap();
        },
    );
}

#[test]
fn label_of_a_nitrokey_is_taken_without_what_opensc_puts_behind_it() {
    in_own_process(
        "pkcs11::quirks::label_of_a_nitrokey_is_taken_without_what_opensc_puts_behind_it",
        |folder| {
            let token = initialised(&mut softhsm(), "one").id;
            let plan = posing_as(Shim::plan(), "OpenSC smartcard framework")
                .order("C_GetTokenInfo * manufacturer text:www.CardContact.de")
                .order("C_GetTokenInfo * label text:alice (UserPIN)");
            let shim = plan.install(folder);
            let mut module = Pkcs11Module::load("room", shim.module(), None).unwrap();
            let listed = module.list().unwrap();
            let same = listed
                .iter()
                .find(|listed| listed.id.serial == token.serial);
            let alice = same.unwrap().id.clone();
            assert_eq!(alice.label, "alice");
            module.login(&alice, &secret(PIN)).unwrap();
            let error = module
                .reset(&alice, &new_secrets("two", Some(SO_PIN)))
                .unwrap_err();
            assert_eq!(error.fault, TokenFault::Unsupported);
            assert!(error.said.ends_with("sc-hsm-tool --initialize"), "{error}");
        },
    );
}

#[test]
fn payload_that_a_yubihsm_does_not_take_is_refused_before_it_is_asked() {
    in_own_process(
        "pkcs11::quirks::payload_that_a_yubihsm_does_not_take_is_refused_before_it_is_asked",
        |folder| {
            let plan = posing_as(Shim::plan(), "YubiHSM PKCS#11 Library");
            let (shim, mut module, token, key) = behind(folder, &plan, Ed25519);
            assert_eq!(module.keys(&token).unwrap()[0].usage.longest, Some(2000));
            module.sign(&token, &key, &[b'{'; 2000]).unwrap();
            let error = module.sign(&token, &key, &[b'{'; 2001]).unwrap_err();
            assert_eq!(error.fault, TokenFault::PayloadTooLarge);
            assert!(!error.may_have_signed);
            assert_eq!(
                error.said,
                "the token takes the whole payload for Ed25519 and at most 2000 bytes; this has 2001"
            );
            assert_eq!(shim.log().count("C_SignInit"), 1);
            let key = module
                .generate(&token, "two", EcdsaP256, Leaves::Never)
                .unwrap();
            assert_eq!(key.id.len(), 2);
        },
    );
}
