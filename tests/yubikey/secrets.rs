//! PIN, PUK and management key: the maker's, wrong ones, blocked ones and new ones.

use tuf_ceremony::ceremony::event::Credential;
use tuf_ceremony::ceremony::port::{Leaves, Reset, TokenFault};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::secret::Secret;
use tuf_ceremony::token::Module as _;
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;
use virtual_yubikey::{Firmware, Purpose, Stage};
use yubikey::MgmKey;

use super::keys::others_program;
use super::support::{MANAGEMENT, PIN, PUK, id, listed, log_in, module, provisioned, reset, secret};

pub fn makers_secrets_are_refused_and_nothing_is_tried(stage: &Stage) {
    let mut module = module();
    let card = stage.insert_new(1, Firmware::V5_7_1);
    let token = id(1);
    module.login(&token, &secret("123456")).unwrap();
    let makers = "010203040506070801020304050607080102030405060708";
    let text = "the token still has the maker's management key and PUK and PIN, which everybody knows; no key is made on it before it is provisioned";
    let generated = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap_err();
    let authorised = module.authorise(&token, &secret(makers)).unwrap_err();
    for error in [generated, authorised] {
        assert_eq!((error.fault, error.said.as_str()), (TokenFault::Unsupported, text));
    }
    assert_eq!(card.controls().count(Purpose::Manage), 0);
    assert_eq!(card.controls().count(Purpose::Verify), 1);
    assert!(card.state().keys.is_empty());
    let error = module
        .initialise("x", &secret("12345678"), &secret(PIN))
        .unwrap_err();
    assert_eq!(error.fault, TokenFault::Unsupported);
}

pub fn pin_locks_after_three_wrong_ones_and_what_is_no_pin_is_not_sent(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_4_3);
    card.controls().clear_log();
    let touched = "cccccckdvvulgjvtkjdhtlrbjjctggdihuevikehtlil";
    for (typed, fault) in [
        ("", TokenFault::Unsupported),
        ("1234", TokenFault::PinIncorrect),
        ("123456789", TokenFault::PinIncorrect),
        (touched, TokenFault::Other),
    ] {
        let error = module.login(&token, &secret(typed)).unwrap_err();
        assert_eq!(error.fault, fault, "{typed}");
        assert!(typed.is_empty() || !error.to_string().contains(typed), "{error}");
    }
    assert_eq!(card.controls().log(), []);
    for left in [Tries::Left(2), Tries::Left(1), Tries::Locked] {
        let error = module.login(&token, &secret("99999999")).unwrap_err();
        assert_eq!(error.fault, TokenFault::PinIncorrect);
        assert_eq!(error.to_string(), "log in to token 1: the PIN is wrong");
        assert_eq!(listed(&mut module, &token).tries, left);
    }
    for pin in ["99999999", PIN] {
        let error = module.login(&token, &secret(pin)).unwrap_err();
        assert_eq!(error.fault, TokenFault::PinLocked);
        assert_eq!(
            error.said,
            "the PIN is locked after too many wrong ones; no try was used"
        );
    }
    assert_eq!(card.controls().count(Purpose::Verify), 3);
}

pub fn reset_gives_new_secrets_to_a_card_with_everything_blocked(stage: &Stage) {
    let mut module = module();
    for (serial, firmware) in [(1, Firmware::V5_7_1), (2, Firmware::V5_4_3)] {
        let (card, token) = provisioned(stage, &mut module, serial, firmware);
        log_in(&mut module, &token);
        module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
        module.logout(&token);
        others_program(serial, |card| {
            for _ in 0..3 {
                card.verify_pin(b"99999999").unwrap_err();
                card.unblock_pin(b"99999999", b"99999999").unwrap_err();
            }
        });
        assert_eq!(listed(&mut module, &token).tries, Tries::Locked);
        let info = module.reset(&token, &reset()).unwrap();
        assert_eq!(info, listed(&mut module, &token));
        assert_eq!((info.tries, info.factory.as_slice()), (Tries::Left(3), &[][..]));
        assert_eq!(module.keys(&token).unwrap(), []);
        let kept = card.state();
        assert!(kept.pin.is(PIN) && kept.puk.is(PUK));
        assert_eq!((kept.pin.total, kept.puk.total), (3, 3));
        // The PIN alone makes keys from now on.
        log_in(&mut module, &token);
        module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    }
}

pub fn reset_that_is_interrupted_anywhere_can_be_done_again(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    let mut interrupted = 0;
    for apdus in 0.. {
        let pull = |faults: &mut virtual_yubikey::Faults| faults.pull_after_apdus = Some(apdus);
        card.controls().set(pull);
        let reset_once = module.reset(&token, &reset());
        card.controls().set(|faults| faults.pull_after_apdus = None);
        let Err(error) = reset_once else { break };
        assert_eq!(error.fault, TokenFault::Removed, "after {apdus}: {error}");
        interrupted += 1;
        card.remove();
        card.insert();
        // Whatever state it is in, the same secrets make it whole.
        let info = module.reset(&token, &reset()).unwrap();
        assert_eq!((info.tries, info.factory.as_slice()), (Tries::Left(3), &[][..]));
        log_in(&mut module, &token);
        module.logout(&token);
    }
    assert!(interrupted > 8, "{interrupted}");
}

pub fn reset_with_bad_secrets_erases_nothing(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    for (kind, text, said) in [
        (Credential::User, "12345", "this token's PIN and PUK have 6 to 8 characters; nothing was erased"),
        (Credential::Puk, "123456789", "this token's PIN and PUK have 6 to 8 characters; nothing was erased"),
        (Credential::User, "123456", "the new PIN or PUK is the maker's; nothing was erased"),
        (Credential::Puk, "12345678", "the new PIN or PUK is the maker's; nothing was erased"),
        (Credential::Mgmt, "0f1e", "this token's management key has 48 hexadecimal digits; nothing was erased"),
        (Credential::Mgmt, "no hexadecimal", "this token's management key has 48 hexadecimal digits; nothing was erased"),
    ] {
        let error = module.reset(&token, &with(kind, text)).unwrap_err();
        assert_eq!((error.fault, error.said.as_str()), (TokenFault::Unsupported, said));
    }
    let mut nothing = reset();
    nothing.new.clear();
    let error = module.reset(&token, &nothing).unwrap_err();
    assert_eq!(error.said, "no new PIN was given");
    assert_eq!(module.keys(&token).unwrap(), [key]);
    assert_eq!(card.state().pin.left, 3);
}

pub fn management_key_that_is_not_behind_the_pin_is_asked_for(stage: &Stage) {
    let mut module = module();
    for (serial, firmware) in [(1, Firmware::V5_7_1), (2, Firmware::V5_4_3)] {
        let (card, token) = provisioned(stage, &mut module, serial, firmware);
        // As ykman leaves a card whose management key was changed without --protect.
        others_program(serial, |card| {
            let key = MgmKey::get_protected(card).unwrap();
            key.set_manual(card, false).unwrap();
        });
        assert_eq!(listed(&mut module, &token).factory, []);
        let error = module.authorise(&token, &secret(MANAGEMENT)).unwrap_err();
        assert_eq!(error.fault, TokenFault::NotLoggedIn);
        log_in(&mut module, &token);
        let error = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap_err();
        assert_eq!(error.fault, TokenFault::NotAuthorised);
        assert_eq!(
            error.said,
            "the token wants its management key, which does not lie behind its PIN"
        );
        let wrong = MANAGEMENT.replace('0', "1");
        for wrong in ["", "0f1e", "not hexadecimal", &wrong] {
            let error = module.authorise(&token, &secret(wrong)).unwrap_err();
            assert_eq!(error.fault, TokenFault::PinIncorrect, "{wrong}");
            assert!(error.said.starts_with("the management key is wrong"), "{error}");
        }
        assert!(card.state().keys.is_empty());
        module.authorise(&token, &secret(MANAGEMENT)).unwrap();
        let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
        module.sign(&token, &key, b"message").unwrap();
    }
}

/// The usual secrets but one.
fn with(kind: Credential, text: &str) -> Reset {
    let mut changed = reset();
    let new: Vec<(Credential, Secret)> = changed
        .new
        .into_iter()
        .map(|(known, old)| (known, if known == kind { secret(text) } else { old }))
        .collect();
    changed.new = new;
    changed
}
