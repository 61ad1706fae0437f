//! Keys that leave wrapped: what is in the blob, who takes it, and what holds a key back from everybody else.

use std::path::Path;

use aes_kw::{KeyInit as _, KwpAes256};
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use p256::pkcs8::DecodePrivateKey as _;
use tuf_ceremony::ceremony::port::{Leaves, TokenError, TokenFault, TokenId, TokenKey};
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::software::SoftwareModule;
use tuf_ceremony::tuf::key::Algorithm::{self, EcdsaP256, EcdsaP384, Ed25519, RsaPss};
use tuf_ceremony::tuf::key::{Key, Message, PublicKey};

use super::super::{PIN, SO_PIN, SOFTHSM, in_own_process, logged_in, secret, softhsm};
use super::quirks::{NSS, nss};

#[path = "wrapping/faults.rs"]
mod faults;

fn may_leave(
    module: &mut dyn Module,
    token: &TokenId,
    label: &str,
    algorithm: Algorithm,
) -> TokenKey {
    module.login(token, &secret(PIN)).unwrap();
    let key = module.generate(token, label, algorithm, Leaves::Wrapped);
    key.unwrap()
}

fn wrap(
    module: &mut dyn Module,
    token: &TokenId,
    key: &TokenKey,
    wrap_key: &Secret,
) -> Result<Vec<u8>, TokenError> {
    module.wrap(token, key, wrap_key, &secret(SO_PIN), &secret(PIN))
}

/// It signs with the blob alone, is restored, and signs again.
fn takes(module: &mut dyn Module, token: &TokenId, blob: &[u8], wrap_key: &Secret, key: &TokenKey) {
    let verifier = Key::from_public(&key.public).unwrap();
    let message = Message::of(key.public.algorithm().unwrap(), b"message");
    module.login(token, &secret(PIN)).unwrap();
    let signature = module.sign_wrapped(token, blob, wrap_key, &key.public, &message);
    assert!(verifier.verifies(b"message", &signature.unwrap()));
    let restored = module.unwrap(token, blob, wrap_key, &key.label, &key.public);
    let signature = module.sign(token, &restored.unwrap(), b"message");
    assert!(verifier.verifies(b"message", &signature.unwrap()));
}

/// A session beside those of the module, which sees what the module left in its own.
fn beside(library: &str, label: &str) -> Session {
    let library = Pkcs11::new(library).unwrap();
    let slots = library.get_slots_with_token().unwrap();
    let slot = slots
        .into_iter()
        .find(|slot| library.get_token_info(*slot).unwrap().label() == label);
    library.open_rw_session(slot.unwrap()).unwrap()
}

fn objects(session: &Session, class: ObjectClass) -> Vec<ObjectHandle> {
    session.find_objects(&[Attribute::Class(class)]).unwrap()
}

#[test]
fn softhsm_and_software_take_each_others_wrapped_keys() {
    in_own_process(
        "pkcs11::wrapping::softhsm_and_software_take_each_others_wrapped_keys",
        |_| {
            let (mut hsm, mut soft) = (softhsm(), SoftwareModule::new("soft"));
            let one = logged_in(&mut hsm, "one");
            let two = logged_in(&mut soft, "two");
            let wrap_key = Secret::random(32).unwrap();
            for algorithm in [EcdsaP256, EcdsaP384] {
                let key = may_leave(&mut hsm, &one, &format!("hsm {algorithm:?}"), algorithm);
                let blob = wrap(&mut hsm, &one, &key, &wrap_key).unwrap();
                takes(&mut soft, &two, &blob, &wrap_key, &key);
                let key = may_leave(&mut soft, &two, &format!("soft {algorithm:?}"), algorithm);
                let blob = wrap(&mut soft, &two, &key, &wrap_key).unwrap();
                takes(&mut hsm, &one, &blob, &wrap_key, &key);
            }
        },
    );
}

#[test]
fn each_type_that_can_leave_does_and_comes_back() {
    in_own_process(
        "pkcs11::wrapping::each_type_that_can_leave_does_and_comes_back",
        |_| {
            let (mut hsm, mut soft) = (softhsm(), SoftwareModule::new("soft"));
            let wrap_key = Secret::random(32).unwrap();
            let one = logged_in(&mut hsm, "one");
            let two = logged_in(&mut hsm, "two");
            let key = may_leave(&mut hsm, &one, "rsa", RsaPss);
            let blob = wrap(&mut hsm, &one, &key, &wrap_key).unwrap();
            takes(&mut hsm, &two, &blob, &wrap_key, &key);
            let [one, two] = ["one", "two"].map(|label| logged_in(&mut soft, label));
            let key = may_leave(&mut soft, &one, "ed", Ed25519);
            let blob = wrap(&mut soft, &one, &key, &wrap_key).unwrap();
            takes(&mut soft, &two, &blob, &wrap_key, &key);
        },
    );
}

#[test]
fn wrapped_key_is_pkcs8_of_the_key_under_rfc_5649() {
    in_own_process(
        "pkcs11::wrapping::wrapped_key_is_pkcs8_of_the_key_under_rfc_5649",
        |_| {
            let (mut hsm, mut soft) = (softhsm(), SoftwareModule::new("soft"));
            let wrap_key = Secret::random(32).unwrap();
            let cipher = wrap_key.expose(KwpAes256::new_from_slice).unwrap();
            for module in [&mut hsm as &mut dyn Module, &mut soft] {
                let token = logged_in(module, "one");
                let key = may_leave(module, &token, "root", EcdsaP256);
                let blob = wrap(module, &token, &key, &wrap_key).unwrap();
                let mut room = vec![0; blob.len() - 8];
                let plain = cipher.unwrap_key(&blob, &mut room).unwrap();
                let length = match plain[1] {
                    0x81 => 3 + usize::from(plain[2]),
                    short => 2 + usize::from(short),
                };
                let (pkcs8, filling) = plain.split_at(length);
                let private = p256::SecretKey::from_pkcs8_der(pkcs8).unwrap();
                // SoftHSM fills it up to whole blocks; nobody else does.
                let is_hsm = token.module == "room";
                assert_eq!(
                    filling,
                    vec![0; if is_hsm { (8 - length % 8) % 8 } else { 0 }]
                );
                let point = private.public_key().to_sec1_bytes().into_vec();
                assert_eq!(key.public, PublicKey::P256(point));
            }
        },
    );
}

#[test]
fn blob_of_one_key_is_not_taken_for_another() {
    let mut soft = SoftwareModule::new("soft");
    let token = logged_in(&mut soft, "one");
    let wrap_key = Secret::random(32).unwrap();
    let key = may_leave(&mut soft, &token, "root", EcdsaP256);
    let others = [EcdsaP256, EcdsaP384, Ed25519]
        .map(|algorithm| may_leave(&mut soft, &token, &format!("{algorithm:?}"), algorithm));
    let blob = wrap(&mut soft, &token, &key, &wrap_key).unwrap();
    for other in others {
        soft.login(&token, &secret(PIN)).unwrap();
        let error = soft.unwrap(&token, &blob, &wrap_key, "restored", &other.public);
        assert_eq!(
            error.unwrap_err().said,
            "what was wrapped is not the private half of this public key"
        );
    }
}

/// A wrap key of a session's own, which nobody vouches for.
fn untrusted(session: &Session) -> ObjectHandle {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Wrap(true),
        Attribute::Encrypt(true),
        Attribute::Value(vec![7; 32]),
    ];
    session.create_object(&template).unwrap()
}

#[test]
fn who_has_the_users_pin_gets_no_key_out() {
    in_own_process(
        "pkcs11::wrapping::who_has_the_users_pin_gets_no_key_out",
        |_| {
            let mut module = softhsm();
            let token = logged_in(&mut module, "one");
            let key = may_leave(&mut module, &token, "root", EcdsaP256);
            let session = beside(SOFTHSM, "one");
            let [private] = objects(&session, ObjectClass::PRIVATE_KEY)[..] else {
                panic!("one key was made")
            };
            let own = untrusted(&session);
            let wrapped = session.wrap_key(&Mechanism::AesKeyWrapPad, own, private);
            assert!(
                matches!(wrapped, Err(Error::Pkcs11(RvError::KeyNotWrappable, _))),
                "{wrapped:?}"
            );
            // Nor can the user trust a key, or let this one go more freely.
            for (object, attribute) in [
                (own, Attribute::Trusted(true)),
                (private, Attribute::WrapWithTrusted(false)),
                (private, Attribute::Sensitive(false)),
            ] {
                session.update_attributes(object, &[attribute]).unwrap_err();
            }
            let trusted = [
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::Token(false),
                Attribute::Trusted(true),
                Attribute::Wrap(true),
                Attribute::Value(vec![7; 32]),
            ];
            session.create_object(&trusted).unwrap_err();
            drop(session);
            wrap(&mut module, &token, &key, &Secret::random(32).unwrap()).unwrap();
        },
    );
}

#[test]
fn backup_is_one_try_of_each_pin_and_one_request() {
    in_own_process(
        "pkcs11::wrapping::backup_is_one_try_of_each_pin_and_one_request",
        faults::wraps_once,
    );
}

#[test]
fn nss_is_left_alone_because_it_gives_a_key_to_anybody() {
    in_own_process(
        "pkcs11::wrapping::nss_is_left_alone_because_it_gives_a_key_to_anybody",
        |folder| {
            let (mut module, _) = nss(folder);
            let listed = module.list().unwrap().into_iter().map(|token| token.id);
            let mut found = listed.filter(|token| token.label == "NSS Certificate DB");
            let token = found.next().unwrap();
            module.login(&token, &secret(PIN)).unwrap();
            let key = module.generate(&token, "root", EcdsaP256, Leaves::Never);
            let (key, wrap_key) = (key.unwrap(), Secret::random(32).unwrap());
            let message = Message::of(EcdsaP256, b"message");
            let tried = module.sign_wrapped(&token, &[0; 80], &wrap_key, &key.public, &message);
            module.login(&token, &secret(PIN)).unwrap();
            let restored = module.unwrap(&token, &[0; 80], &wrap_key, "restored", &key.public);
            for error in [
                wrap(&mut module, &token, &key, &wrap_key).unwrap_err(),
                tried.unwrap_err(),
                restored.unwrap_err(),
            ] {
                assert_eq!(error.fault, TokenFault::Unsupported);
                assert_eq!(
                    error.said,
                    "this token has no security officer to trust a wrap key, and wraps keys under any other"
                );
            }

            // And so it is.
            let session = beside(NSS, "NSS Certificate DB");
            session
                .login(UserType::User, Some(&AuthPin::from(PIN.to_owned())))
                .unwrap();
            let p256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".to_vec();
            let (_, private) = session
                .generate_key_pair(
                    &Mechanism::EccKeyPairGen,
                    &[Attribute::EcParams(p256)],
                    &[
                        Attribute::Token(false),
                        Attribute::Private(true),
                        Attribute::Sensitive(true),
                        Attribute::Extractable(true),
                        Attribute::WrapWithTrusted(true),
                        Attribute::Sign(true),
                    ],
                )
                .unwrap();
            let own = untrusted(&session);
            session
                .wrap_key(&Mechanism::AesCbcPad([0; 16]), own, private)
                .unwrap();
        },
    );
}
