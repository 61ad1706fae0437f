//! Keys that are made, found, used and attested.

use tuf_ceremony::ceremony::event::Custody;
use tuf_ceremony::ceremony::port::{Leaves, PinPolicy, TokenFault, TouchPolicy};
use tuf_ceremony::token::Module as _;
use tuf_ceremony::tuf::key::Algorithm::{self, EcdsaP256, EcdsaP384, Ed25519, RsaPss};
use tuf_ceremony::tuf::key::{Key, PublicKey};
use virtual_yubikey::{Firmware, Purpose, Stage};
use x509_cert::der::{Decode as _, Encode as _};
use yubikey::piv::{self, AlgorithmId, SlotId};
use yubikey::{MgmKey, Serial, YubiKey};

use super::support::{PIN, log_in, module, provisioned};

pub fn keys_of_each_algorithm_of_5_7_sign_and_are_found_again(stage: &Stage) {
    let all = [EcdsaP256, EcdsaP384, Ed25519, RsaPss];
    sign_and_are_found_again(stage, Firmware::V5_7_1, &all);
}

pub fn keys_of_each_algorithm_of_5_4_sign_and_are_found_again(stage: &Stage) {
    sign_and_are_found_again(stage, Firmware::V5_4_3, &[EcdsaP256, EcdsaP384, RsaPss]);
}

fn sign_and_are_found_again(stage: &Stage, firmware: Firmware, algorithms: &[Algorithm]) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, firmware);
    log_in(&mut module, &token);
    let mut made = Vec::new();
    for (algorithm, slot) in algorithms.iter().zip([0x9c, 0x82, 0x83, 0x84]) {
        let label = format!("tuf-{algorithm:?}-v1");
        let key = module.generate(&token, &label, *algorithm, Leaves::Never).unwrap();
        assert_eq!((key.id.as_slice(), &key.label), (&[slot][..], &label));
        assert_eq!(key.public.algorithm(), Some(*algorithm));
        let proven = Some(true);
        assert_eq!(
            key.custody,
            Custody {
                always_sensitive: proven,
                never_extractable: proven,
                local: proven,
                wrapped_only: None,
            }
        );
        assert_eq!(key.usage.pin, PinPolicy::Always);
        assert_eq!(key.usage.touch, TouchPolicy::Always);
        assert_eq!(
            key.usage.longest,
            (*algorithm == Ed25519).then_some(1014),
            "{algorithm:?}"
        );
        made.push(key);
    }
    // The policy is the card's own: it would have refused without a new PIN.
    for key in &made {
        let algorithm = key.public.algorithm();
        for message in [&b"{\"_type\":\"root\"}"[..], &vec![b'{'; 1014], b""] {
            log_in(&mut module, &token);
            let signature = module.sign(&token, key, message).unwrap();
            let verifier = Key::from_public(&key.public).unwrap();
            assert!(verifier.verifies(message, &signature), "{algorithm:?}");
            assert!(!verifier.verifies(b"another", &signature), "{algorithm:?}");
            let again = module.sign(&token, key, message).unwrap_err();
            assert_eq!(again.fault, TokenFault::NotLoggedIn);
            assert_eq!(again.said, "this key wants its PIN for each signature");
            assert!(!again.may_have_signed);
        }
    }
    assert_eq!(card.controls().count(Purpose::Sign), 3 * made.len());
    module.logout(&token);
    card.remove();
    card.insert();
    assert_eq!(module.keys(&token).unwrap(), made);
    let error = module.sign(&token, &made[0], b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn);
    assert_eq!(error.said, "nobody is logged in to the token");
}

pub fn ed25519_payload_beyond_the_limit_is_refused_before_anything_is_sent(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", Ed25519, Leaves::Never).unwrap();
    log_in(&mut module, &token);
    card.controls().clear_log();
    let error = module.sign(&token, &key, &[b'{'; 1015]).unwrap_err();
    assert_eq!(error.fault, TokenFault::PayloadTooLarge);
    assert!(!error.may_have_signed);
    assert_eq!(
        error.said,
        "an Ed25519 key signs the whole document, of which the token takes at most 1014 bytes; this one has 1015, and nothing was sent; sign with an ECDSA key, which gets a digest"
    );
    assert_eq!(card.controls().log(), []);
    // The login is as good as before.
    let message = [b'{'; 1014];
    let signature = module.sign(&token, &key, &message).unwrap();
    let verifier = Key::from_public(&key.public).unwrap();
    assert!(verifier.verifies(&message, &signature));

    let (_old, old) = provisioned(stage, &mut module, 2, Firmware::V5_4_3);
    log_in(&mut module, &old);
    let error = module.generate(&old, "tuf-root-v1", Ed25519, Leaves::Never).unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported);
    assert!(error.said.starts_with("firmware 5.4.3 has no keys of this type"), "{error}");
}

pub fn slot_that_holds_a_key_is_never_overwritten(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    let foreign = [0x9c, 0x82, 0x84];
    others_program(1, |card| {
        for slot in foreign {
            let slot = SlotId::try_from(slot).unwrap();
            generate(card, slot, yubikey::PinPolicy::Once, yubikey::TouchPolicy::Never);
        }
    });
    log_in(&mut module, &token);
    let before = module.keys(&token).unwrap();
    let labels: Vec<&str> = before.iter().map(|key| key.label.as_str()).collect();
    assert_eq!(labels, ["9c", "82", "84"]);
    let one = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    let two = module.generate(&token, "tuf-targets-v1", EcdsaP256, Leaves::Never).unwrap();
    assert_eq!((&one.id[..], &two.id[..]), (&[0x83][..], &[0x85][..]));
    let error = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap_err();
    assert_eq!(error.fault, TokenFault::Exists);
    assert_eq!(error.said, "a key with this label is there already");
    for slot in 0x86..=0x95 {
        let label = format!("filler-{slot:02x}");
        module.generate(&token, &label, EcdsaP256, Leaves::Never).unwrap();
    }
    let error = module.generate(&token, "one too many", EcdsaP256, Leaves::Never).unwrap_err();
    assert_eq!(error.fault, TokenFault::Exists);
    assert_eq!(
        error.said,
        "the slots 9c and 82 to 95 all hold keys, and none is overwritten"
    );
    module.logout(&token);
    let after = module.keys(&token).unwrap();
    assert_eq!(after.len(), 21);
    assert!(before.iter().all(|key| after.contains(key)));
    assert_eq!(card.state().keys.len(), 21);
    // Without a name of ours, or with one that was given to another key, a slot is called as itself.
    others_program(1, |card| {
        let slot = SlotId::try_from(0x83).unwrap();
        generate(card, slot, yubikey::PinPolicy::Once, yubikey::TouchPolicy::Never);
    });
    let replaced = module.keys(&token).unwrap();
    let replaced = replaced.iter().find(|key| key.id == [0x83]).unwrap();
    assert_eq!(replaced.label, "83");
}

pub fn keys_made_by_other_programs_are_used_as_their_policies_say(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_4_3);
    others_program(1, |card| {
        use yubikey::{PinPolicy as Pin, TouchPolicy as Touch};
        generate(card, SlotId::Authentication, Pin::Once, Touch::Cached);
        generate(card, SlotId::CardAuthentication, Pin::Default, Touch::Never);
        let (slot, id) = (SlotId::KeyManagement, AlgorithmId::EccP256);
        piv::import_ecc_key(card, slot, id, &[7; 32], Touch::Never, Pin::Once).unwrap();
    });
    let keys = module.keys(&token).unwrap();
    let said: Vec<_> = keys
        .iter()
        .map(|key| (key.label.as_str(), key.usage.pin, key.usage.touch, key.custody.local))
        .collect();
    assert_eq!(
        said,
        [
            ("9a", PinPolicy::Once, TouchPolicy::Cached, Some(true)),
            ("9d", PinPolicy::Once, TouchPolicy::Never, Some(false)),
            ("9e", PinPolicy::Never, TouchPolicy::Never, Some(true)),
        ]
    );
    assert_eq!(keys[1].custody.never_extractable, Some(false));
    log_in(&mut module, &token);
    for key in &keys {
        for _ in 0..2 {
            let signature = module.sign(&token, key, b"message").unwrap();
            let verifier = Key::from_public(&key.public).unwrap();
            assert!(verifier.verifies(b"message", &signature));
        }
    }
    // Three of the reset, one of the other program, one login.
    assert_eq!(card.controls().count(Purpose::Verify), 3 + 1 + 1);
    // The key left its slot after the login: the card is asked again, as its PIN need not come right before.
    let mut gone = keys[0].clone();
    gone.public = keys[1].public.clone();
    let error = module.sign(&token, &gone, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::KeyAbsent);
    // Nobody vouches for a key that was brought in.
    assert_eq!(module.attestation(&token, &keys[1]).unwrap(), Vec::<Vec<u8>>::new());
}

pub fn attestation_is_the_keys_own_and_the_makers_certificate(stage: &Stage) {
    let mut module = module();
    for (serial, firmware) in [(1, Firmware::V5_7_1), (2, Firmware::V5_4_3)] {
        let (_card, token) = provisioned(stage, &mut module, serial, firmware);
        log_in(&mut module, &token);
        let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
        let chain = module.attestation(&token, &key).unwrap();
        let [own, makers] = chain.each_certificate();
        let own = own.tbs_certificate();
        let attested = own.subject_public_key_info().to_der().unwrap();
        assert_eq!(PublicKey::from_spki_der(&attested).unwrap(), key.public);
        assert_eq!(own.issuer(), makers.tbs_certificate().subject());
        // Reading it has not ended the login.
        module.sign(&token, &key, b"message").unwrap();
        module.logout(&token);
        assert_eq!(module.attestation(&token, &key).unwrap().len(), 2);
    }
}

trait Chain {
    fn each_certificate(&self) -> [x509_cert::Certificate; 2];
}

impl Chain for Vec<Vec<u8>> {
    fn each_certificate(&self) -> [x509_cert::Certificate; 2] {
        let certificates = self
            .iter()
            .map(|der| x509_cert::Certificate::from_der(der).unwrap());
        certificates.collect::<Vec<_>>().try_into().unwrap()
    }
}

/// What another program does with the card, under the PIN and the management key behind it.
pub fn others_program(serial: u32, act: impl FnOnce(&mut YubiKey)) {
    let mut card = YubiKey::open_by_serial(Serial(serial)).unwrap();
    card.verify_pin(PIN.as_bytes()).unwrap();
    let key = MgmKey::get_protected(&mut card).unwrap();
    card.authenticate(&key).unwrap();
    act(&mut card);
}

fn generate(card: &mut YubiKey, slot: SlotId, pin: yubikey::PinPolicy, touch: yubikey::TouchPolicy) {
    piv::generate(card, slot, AlgorithmId::EccP256, pin, touch).unwrap();
}
