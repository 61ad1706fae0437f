//! Touches that nobody gives, cards that leave, cards that are others, cards that lie.

use std::time::{Duration, Instant};

use tuf_ceremony::ceremony::port::{Leaves, TokenFault};
use tuf_ceremony::token::Module as _;
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;
use tuf_ceremony::tuf::key::Key;
use virtual_yubikey::faults::Refusal;
use virtual_yubikey::{Faults, Firmware, Purpose, Stage, Touch};

use super::support::{PIN, id, listed, log_in, module, provisioned, secret};

pub fn missed_touch_is_told_apart_from_a_missing_pin(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    card.controls().set(|faults| {
        faults.touch = Touch::ByHand;
        faults.touch_timeout = Duration::from_secs(5);
    });
    let began = Instant::now();
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert!(began.elapsed() >= Duration::from_secs(5));
    assert_eq!(error.fault, TokenFault::TouchMissed);
    assert!(!error.may_have_signed);
    assert_eq!(
        error.said,
        "nobody touched the token while it blinked (15 seconds); nothing was signed, and the PIN is not to blame"
    );
    let tries = listed(&mut module, &token).tries;
    assert_eq!(tries, tuf_ceremony::ceremony::prompt::Tries::Left(3));
    // The card forgot its PIN behind our back: the same code, at once.
    card.controls().set(|faults| faults.touch = Touch::After(Duration::from_millis(300)));
    log_in(&mut module, &token);
    let security = Refusal {
        ins: 0x87,
        after: 0,
        status: 0x6982,
    };
    card.controls().set(|faults| faults.refuse = vec![security]);
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn);
    assert!(!error.may_have_signed);
    card.controls().set(|faults| faults.refuse.clear());
    log_in(&mut module, &token);
    module.sign(&token, &key, b"message").unwrap();
}

pub fn card_that_is_pulled_in_mid_signature_signs_after_a_new_login(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    card.controls().set(|faults| faults.pull_after_signatures = Some(0));
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::Removed);
    assert!(error.may_have_signed, "{error}");
    card.remove();
    let gone = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(gone.fault, TokenFault::Removed);
    assert!(!gone.may_have_signed);
    assert_eq!(module.list().unwrap(), []);
    card.insert();
    assert_eq!(module.keys(&token).unwrap(), std::slice::from_ref(&key));
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::NotLoggedIn);
    log_in(&mut module, &token);
    let signature = module.sign(&token, &key, b"message").unwrap();
    let verifier = Key::from_public(&key.public).unwrap();
    assert!(verifier.verifies(b"message", &signature));
    // One that nobody holds, and one.
    assert_eq!(card.controls().count(Purpose::Sign), 2);

    // Taken out and put back between login and signature: the new card session has no login.
    log_in(&mut module, &token);
    card.remove();
    card.insert();
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::Removed);
    log_in(&mut module, &token);
    module.sign(&token, &key, b"message").unwrap();
}

pub fn card_that_is_pulled_anywhere_in_a_signature_is_said_to_be_gone(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    module.logout(&token);
    let mut pulled = 0;
    for apdus in 0.. {
        card.controls().clear_log();
        let pull = |faults: &mut Faults| faults.pull_after_apdus = Some(apdus);
        card.controls().set(pull);
        let done = module
            .login(&token, &secret(PIN))
            .and_then(|()| module.sign(&token, &key, b"message"));
        card.controls().set(|faults| faults.pull_after_apdus = None);
        let Err(error) = done else { break };
        assert_eq!(error.fault, TokenFault::Removed, "after {apdus}: {error}");
        // Never silent where the card was asked for a signature.
        let asked = card.controls().count(Purpose::Sign) > 0;
        assert!(error.may_have_signed || !asked, "after {apdus}: {error}");
        pulled += 1;
        card.remove();
        card.insert();
    }
    assert!(pulled > 4, "{pulled}");
    assert_eq!(listed(&mut module, &token).id, token);
}

pub fn look_alike_in_the_same_reader_does_not_sign(stage: &Stage) {
    let mut module = module();
    let (right, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    right.remove();
    let (wrong, other) = provisioned(stage, &mut module, 2, Firmware::V5_7_1);
    log_in(&mut module, &other);
    let likeness = module.generate(&other, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    assert_eq!((&likeness.label, &likeness.id), (&key.label, &key.id));
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::Removed);
    let error = module.sign(&other, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::KeyAbsent);
    assert_eq!(error.said, "no key on the token has this name and this public half");
    module.logout(&other);
    // It says the serial of the right one: still it has not its key.
    wrong.controls().set(|faults| faults.serial = Some(1));
    log_in(&mut module, &token);
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::KeyAbsent);
    assert_eq!(wrong.controls().count(Purpose::Sign), 0);
    assert_eq!(module.list().unwrap()[0].id, id(1));
}

pub fn signature_by_another_key_does_not_verify(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    let verifier = Key::from_public(&key.public).unwrap();
    let lies: [fn(&mut Faults); 2] = [
        |faults| faults.sign_with_other_key = true,
        |faults| faults.flip_signature = true,
    ];
    for lie in lies {
        card.controls().set(|faults| *faults = Faults::default());
        card.controls().set(lie);
        log_in(&mut module, &token);
        // The module hands out what it got, if it is a signature at all; whoever asked verifies it.
        let signed = module.sign(&token, &key, b"message");
        assert!(!signed.is_ok_and(|signature| verifier.verifies(b"message", &signature)));
    }
    assert_eq!(card.controls().count(Purpose::Sign), 2);
}

pub fn card_that_answers_nonsense_is_an_error(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    let verifier = Key::from_public(&key.public).unwrap();
    // Each instruction that the module uses, refused and answered with nothing.
    for ins in [0x20, 0x47, 0x87, 0xcb, 0xdb, 0xf7, 0xf8, 0xf9, 0xfd] {
        for status in [0x6f00, 0x9000] {
            module.logout(&token);
            let answer = Refusal {
                ins,
                after: 0,
                status,
            };
            card.controls().set(|faults| faults.refuse = vec![answer]);
            let listed = module.list().unwrap();
            // Without serial, version or tries it cannot be asked for its PIN.
            assert_eq!(
                listed.is_empty(),
                matches!(ins, 0xf7 | 0xf8 | 0xfd),
                "{ins:02x} {status:04x}"
            );
            let attested = module.attestation(&token, &key);
            assert!(attested.is_ok_and(|chain| chain.len() == 2) || matches!(ins, 0xcb | 0xf8 | 0xf9 | 0xfd), "{ins:02x} {status:04x}");
            if module.login(&token, &secret(PIN)).is_ok() {
                match module.sign(&token, &key, b"message") {
                    Ok(signature) => assert!(verifier.verifies(b"message", &signature)),
                    Err(error) => assert!(error.may_have_signed || ins != 0x87, "{error}"),
                }
                let made = module.generate(&token, &format!("{ins:02x} {status:04x}"), EcdsaP256, Leaves::Never);
                assert!(made.is_err() || ins == 0xf9 || (ins, status) == (0xdb, 0x9000), "{ins:02x} {status:04x}: {made:?}");
            }
            card.controls().set(|faults| faults.refuse.clear());
        }
    }
    log_in(&mut module, &token);
    assert_eq!(module.keys(&token).unwrap()[0], key);
    module.sign(&token, &key, b"message").unwrap();
}

pub fn smart_card_service_that_dies_is_said_so(stage: &Stage) {
    let mut module = module();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    card.controls().clear_log();
    let children = std::fs::read_to_string(format!("/proc/self/task/{}/children", thread())).unwrap();
    let pcscd: i32 = children.trim().parse().unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pcscd).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::Module, "{error}");
    assert_eq!(card.controls().count(Purpose::Sign), 0);
    // While it dies it may still take a call, and refuse it for a reason of its own.
    let stat = format!("/proc/{pcscd}/stat");
    let is_dead = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
    let tries = std::iter::repeat_with(is_dead).take(100);
    assert!(
        tries.inspect(|_| std::thread::sleep(std::time::Duration::from_millis(50))).any(|is_dead| is_dead),
        "pcscd lives on after SIGKILL"
    );
    for error in [
        module.list().unwrap_err(),
        module.login(&token, &secret(PIN)).unwrap_err(),
        module.sign(&token, &key, b"message").unwrap_err(),
    ] {
        assert_eq!(error.fault, TokenFault::Module, "{error}");
        assert!(!error.may_have_signed);
        assert!(
            error.said.starts_with("the smart card service (pcscd) does not run or stopped"),
            "{error}"
        );
    }
}

fn thread() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}
