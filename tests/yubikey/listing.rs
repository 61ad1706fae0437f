//! Which tokens there are.

use tuf_ceremony::ceremony::event::Credential::{Mgmt, Puk, User};
use tuf_ceremony::ceremony::port::{Leaves, TokenFault, TokenId};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::token::Module as _;
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;
use virtual_yubikey::faults::Refusal;
use virtual_yubikey::{Firmware, Purpose, Stage};

use super::support::{id, listed, log_in, module, provisioned, secret};

pub fn cards_are_listed_with_serial_firmware_tries_and_the_makers_secrets(stage: &Stage) {
    let mut module = module();
    assert_eq!(module.list().unwrap(), []);
    let _new = stage.insert_new(11_111_111, Firmware::V5_7_1);
    let old = stage.insert_new(22_222_222, Firmware::V5_4_3);
    let tokens = module.list().unwrap();
    let seen: Vec<_> = tokens
        .iter()
        .map(|token| (token.id.clone(), token.firmware.as_deref(), token.tries))
        .collect();
    assert_eq!(
        seen,
        [
            (id(11_111_111), Some("5.7.1"), Tries::Left(3)),
            (id(22_222_222), Some("5.4.3"), Tries::Left(3)),
        ]
    );
    for token in &tokens {
        assert!(token.ready && !token.pin_pad);
        assert_eq!(token.credentials, [Mgmt, Puk, User]);
        assert_eq!(token.factory, [Mgmt, Puk, User]);
        assert_eq!(token.identity.manufacturer, "Yubico");
        assert_eq!(token.identity.model, "YubiKey 5");
    }
    // Tries are counted a card, and asking for them costs none.
    module.login(&id(22_222_222), &secret("000000")).unwrap_err();
    let tries = module.list().unwrap();
    let tries: Vec<_> = tries.iter().map(|token| token.tries).collect();
    assert_eq!(tries, [Tries::Left(3), Tries::Left(2)]);
    old.remove();
    assert_eq!(module.list().unwrap().len(), 1);
}

pub fn another_card_in_a_reader_is_ignored_and_a_second_token_is_not_disturbed(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    let other = stage.insert_new(2, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    // Listing, and reading the other, leave the login alone.
    assert_eq!(module.list().unwrap().len(), 2);
    assert_eq!(module.keys(&id(2)).unwrap(), []);
    assert_eq!(module.list().unwrap().len(), 2);
    module.sign(&token, &key, b"message").unwrap();
    // A card without the PIV application, as the eID of somebody is.
    let select = Refusal {
        ins: 0xa4,
        after: 0,
        status: 0x6a82,
    };
    other.controls().set(|faults| faults.refuse = vec![select]);
    assert_eq!(module.list().unwrap().len(), 1);
    log_in(&mut module, &token);
    module.sign(&token, &key, b"message").unwrap();
    assert_eq!(card.controls().count(Purpose::Sign), 2);
    assert_eq!(other.controls().count(Purpose::Verify), 0);
}

pub fn token_that_is_not_there_is_removed(stage: &Stage) {
    let mut module = module();
    let (_card, there) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &there);
    let key = module.generate(&there, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    let relabelled = TokenId {
        label: "other".to_owned(),
        ..there.clone()
    };
    for absent in [id(2), relabelled] {
        for error in [
            module.login(&absent, &secret("123456")).unwrap_err(),
            module.keys(&absent).unwrap_err(),
            module.generate(&absent, "x", EcdsaP256, Leaves::Never).unwrap_err(),
            module.sign(&absent, &key, b"message").unwrap_err(),
            module.attestation(&absent, &key).unwrap_err(),
        ] {
            assert_eq!(error.fault, TokenFault::Removed);
            assert!(!error.may_have_signed);
            assert!(error.said.starts_with("the token is not plugged in"), "{error}");
        }
        module.logout(&absent);
    }
    assert_eq!(listed(&mut module, &there).firmware.as_deref(), Some("5.7.1"));
    module.sign(&there, &key, b"message").unwrap();
}
