//! Keys that prove themselves alive over tokens that break, and what every token is told and asked before it signs anything.

use tuf_ceremony::ceremony::challenge::PREFIX;
use tuf_ceremony::ceremony::event::{Credential, Event};
use tuf_ceremony::ceremony::port::{PinPolicy, TokenFault, TokenId, TokenKey, TouchPolicy};
use tuf_ceremony::ceremony::progress::Status;
use tuf_ceremony::ceremony::runner::Halt;
use tuf_ceremony::token::Module;
use tuf_ceremony::token::software::SoftwareModule;

use super::calls::faults;
use super::record::Entry;
use super::stand::{HOLDERS, Stand, check_in, genesis};
use super::world::{Fault, Lie};

/// What a `YubiKey` types when it is touched.
const OTP: &str = "cccccclttcfvlndenngvnkrrtvfctkcrncbfbdtjvvvv";

fn check_in_stand() -> Stand {
    Stand::finished(genesis()).then(check_in)
}

/// Ends with every key proven once, in order, and nothing signed but challenges.
fn check_alive(stand: &Stand) {
    stand.check_record();
    assert_eq!(stand.progress().status(), Status::Closed);
    let progress = stand.progress();
    let proven: Vec<_> = progress.evidence().proven().iter().collect();
    let holders: Vec<_> = proven.iter().map(|key| key.holder.as_str()).collect();
    assert_eq!(holders, HOLDERS);
    assert_eq!(stand.signatures(), []);
    assert_eq!(stand.world.judged(), []);
}

/// The index of the n-th call of a method among those that can break.
fn nth(stand: &Stand, method: &str, n: usize) -> usize {
    let calls = stand.log.breakable().into_iter().enumerate();
    let mut found = calls.filter(|(_, called)| *called == method);
    found.nth(n).unwrap().0
}

fn usage(change: fn(&mut TokenKey)) -> Lie<TokenKey> {
    Box::new(move |mut key| {
        change(&mut key);
        key
    })
}

fn told(stand: &Stand) -> Vec<String> {
    let told = |entry| match entry {
        Entry::Told(text) => Some(text),
        _ => None,
    };
    stand.log.entries().into_iter().filter_map(told).collect()
}

#[test]
fn whichever_call_of_a_check_in_breaks_it_asks_again_or_resumes_to_the_same_end() {
    let mut whole = check_in_stand();
    whole.run(&mut whole.people()).unwrap();
    check_alive(&whole);
    // No intent is needed: a challenge that nobody holds harms nobody.
    let calls = whole.log.breakable();
    assert!(calls.contains(&"nonce") && calls.contains(&"challenge"));
    let mut halted = 0;
    for (index, method) in calls.iter().enumerate() {
        for fault in faults(method) {
            let mut stand = check_in_stand();
            stand.world.breaks = Some((index, fault));
            while let Err(halt) = stand.run(&mut stand.people()) {
                assert!(
                    !matches!(halt, Halt::Illegal(_)),
                    "{index} {fault:?}: {halt}"
                );
                halted += 1;
                assert!(halted < 100, "{index} {method} {fault:?}: {halt}");
            }
            check_alive(&stand);
        }
    }
    assert!(halted > 0);
}

#[test]
fn only_challenges_of_this_ceremony_are_signed_and_what_does_not_verify_proves_nothing() {
    fn flipped(
        module: &mut SoftwareModule,
        token: &TokenId,
        key: &TokenKey,
        bytes: &[u8],
    ) -> Vec<u8> {
        assert!(bytes.starts_with(PREFIX.as_bytes()));
        let mut sig = module.sign(token, key, bytes).unwrap();
        sig[7] ^= 1;
        sig
    }
    let mut stand = check_in_stand();
    stand.world.signs = Some(flipped);
    let mut people = stand.people();
    people.try_again = false;
    assert_eq!(
        stand.run(&mut people).unwrap_err().to_string(),
        "stopped by a person"
    );
    assert_eq!(stand.progress().evidence().proven(), []);
    assert_eq!(
        people.told["token:prove:root:alice"]
            .lines()
            .nth(1)
            .unwrap(),
        "prove the root key of alice: the token returned a signature that does not verify with the listed key; it was thrown away. Nothing was counted. Insert the token again and press Enter, or pass this holder over."
    );
}

#[test]
fn a_token_with_its_makers_pin_is_refused_before_anything_is_asked_of_it() {
    for make in [check_in_stand, || Stand::new(genesis())] {
        let mut stand = make();
        stand.world.listed = Some(Box::new(|mut token| {
            token.factory = vec![Credential::User, Credential::Puk];
            token
        }));
        let serial = stand.world.module.list().unwrap()[0].id.serial.clone();
        let halt = stand.run(&mut stand.people()).unwrap_err();
        let text = format!(
            "refused: TOKEN-FACTORY: token {serial} of alice still has its maker's PIN and PUK, which everybody knows; nothing was asked of it; give it secrets of its own first (a ceremony of the kind provision)"
        );
        assert_eq!(halt.to_string(), text);
        for method in ["login", "generate", "sign", "challenge"] {
            assert_eq!(stand.log.calls(method), [""; 0], "{method}");
        }
    }
}

#[test]
fn who_must_touch_is_told_before_the_token_is_asked_and_a_missed_touch_costs_nothing() {
    let mut whole = check_in_stand();
    whole.run(&mut whole.people()).unwrap();
    let first = nth(&whole, "challenge", 0);
    let mut stand = check_in_stand();
    stand.world.shown = Some(usage(|key| key.usage.touch = TouchPolicy::Always));
    stand.world.breaks = Some((first, Fault::Before(TokenFault::TouchMissed)));
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check_alive(&stand);
    let touch = "Touch the key that blinks; you have 15 seconds.";
    assert_eq!(told(&stand), [touch; 4]);
    let entries = stand.log.entries();
    for (before, entry) in entries.iter().zip(&entries[1..]) {
        if matches!(
            entry,
            Entry::Call {
                method: "challenge",
                ..
            }
        ) {
            assert!(matches!(before, Entry::Told(_)), "{before:?}");
        }
    }
    assert!(people.told["token:prove:root:alice"].contains(
        "\nNobody touched the key in time. Nothing was counted, and no PIN try was lost. Choose the token again and touch it when it blinks."
    ));
    assert_eq!(
        stand
            .log
            .count(|event| matches!(event, Event::PinRefused { .. })),
        0
    );
}

#[test]
fn a_key_that_wants_its_pin_for_each_signature_gets_a_typed_one_and_no_other() {
    type Case = (fn() -> Stand, &'static str);
    let cases: [Case; 2] = [
        (check_in_stand, "challenge"),
        (|| Stand::new(genesis()), "sign"),
    ];
    for (make, method) in cases {
        let mut whole = make();
        whole.run(&mut whole.people()).unwrap();
        let (sign, logins) = (nth(&whole, method, 0), whole.log.calls("login").len());
        let mut stand = make();
        stand.world.shown = Some(usage(|key| key.usage.pin = PinPolicy::Always));
        stand.world.breaks = Some((sign, Fault::Before(TokenFault::NotLoggedIn)));
        let mut people = stand.people();
        stand.run(&mut people).unwrap();
        // check_record: a prompt for every login.
        stand.check_record();
        assert_eq!(stand.progress().status(), Status::Closed);
        assert_eq!(stand.log.calls("login").len(), logins + 1);
        // It was the same turn: the token was not brought again.
        assert_eq!(
            stand.log.calls(method).len(),
            whole.log.calls(method).len() + 1
        );
        let brought = |stand: &Stand| {
            stand
                .log
                .entries()
                .iter()
                .filter(|entry| matches!(entry, Entry::Asked(id) if id.starts_with("token:")))
                .count()
        };
        assert_eq!(brought(&stand), brought(&whole));
    }
}

#[test]
fn a_payload_that_a_key_cannot_take_is_refused_before_its_pin() {
    let mut stand = Stand::finished(genesis()).then(super::stand::admin_key);
    stand.world.shown = Some(usage(|key| key.usage.longest = Some(1_000)));
    let mut people = stand.people();
    people.try_again = false;
    let logins = stand.log.calls("login").len();
    stand.run(&mut people).unwrap_err();
    // Alice logs in once, to make her new key; no further PIN is asked for what cannot be signed.
    assert_eq!(stand.log.calls("login").len(), logins + 1);
    assert_eq!(stand.log.calls("sign"), [""; 0]);
    let told = people.told["token:sign:root-2:alice"]
        .lines()
        .nth(1)
        .unwrap();
    assert!(
        told.starts_with("This key takes at most 1000 bytes at once (Ed25519 is signed whole), and this is ")
            && told.ends_with("It was refused before its PIN; nothing was signed. Let another holder sign, and replace the key by a P-256 one (admin-key, generate = \"ecdsa-p256\")."),
        "{told}"
    );
}

#[test]
fn a_yubikey_that_types_by_itself_answers_nothing_and_costs_no_try() {
    let mut stand = check_in_stand();
    let mut people = stand.people();
    people.answers = vec![("plan", OTP), ("token:prove:root:bob", OTP)];
    people.pins = vec![OTP];
    stand.run(&mut people).unwrap();
    check_alive_but_prompts(&stand);
    let sentence = "That was the YubiKey's own one-time password: it was touched by accident. Nothing happened.";
    assert!(people.told["plan"].ends_with(sentence));
    assert_eq!(
        people.pin_prompts[1].after.as_deref(),
        Some(format!("{sentence} It was not sent; no try was lost.").as_str())
    );
    let on_record = format!("{:?}", stand.log.events());
    assert!(!on_record.contains(OTP));
    assert_eq!(stand.log.calls("login").len(), 3, "it was never sent");
}

/// As [`check_alive`], where a prompt was put for a PIN that was never sent.
fn check_alive_but_prompts(stand: &Stand) {
    assert_eq!(stand.progress().status(), Status::Closed);
    assert_eq!(stand.progress().evidence().proven().len(), 3);
}

#[test]
fn a_card_that_wants_its_management_key_is_given_it_once_and_makes_the_key() {
    let mut whole = Stand::new(genesis());
    whole.run(&mut whole.people()).unwrap();
    let made = nth(&whole, "generate", 0);
    let mut stand = Stand::new(genesis());
    stand.world.breaks = Some((made, Fault::Before(TokenFault::NotAuthorised)));
    let mut people = stand.people();
    // Software tokens have no management key: what they say to one ends the run, and nothing was made.
    let halt = stand.run(&mut people).unwrap_err();
    assert!(
        halt.to_string()
            .ends_with("tokens of this module have no management key"),
        "{halt}"
    );
    assert_eq!(people.pin_prompts.last().unwrap().kind, Credential::Mgmt);
    assert_eq!(stand.progress().enrolled().len(), 0);
    let mut stand = Stand::new(genesis());
    stand.world.breaks = Some((made, Fault::Before(TokenFault::NotAuthorised)));
    stand.world.management = Some("00112233");
    let mut people = stand.people();
    people.secrets = vec!["ffffffff", "00112233"];
    stand.run(&mut people).unwrap();
    stand.check_finished();
    assert_eq!(stand.log.calls("authorise").len(), 2);
    assert_eq!(
        people
            .pin_prompts
            .iter()
            .find_map(|prompt| prompt.after.clone())
            .as_deref(),
        Some(
            "The token refused the management key. No key was made, and no PIN try was lost. Check the envelope's label."
        )
    );
}

#[test]
fn what_is_published_of_a_tokens_weakness_is_told_with_its_proof_of_life() {
    let advised = |firmware: Option<&'static str>| {
        let script = genesis().replace("ed25519", "ecdsa-p256");
        let mut stand = Stand::finished(script).then(check_in);
        stand.world.listed = Some(Box::new(move |mut token| {
            "Yubico".clone_into(&mut token.identity.manufacturer);
            "YubiKey 5".clone_into(&mut token.identity.model);
            token.firmware = firmware.map(ToOwned::to_owned);
            token
        }));
        stand.run(&mut stand.people()).unwrap();
        check_alive(&stand);
        let serial = stand.world.module.list().unwrap()[0].id.serial.clone();
        let progress = stand.progress();
        let told = progress
            .findings()
            .iter()
            .filter(|found| found.rule == "TOKEN-ADVISORY");
        let told: Vec<_> = told
            .map(|found| found.text.replace(&serial, "SERIAL"))
            .collect();
        told
    };
    assert_eq!(advised(Some("5.7.1")), [""; 0]);
    let old = advised(Some("5.4.3"));
    assert_eq!(old.len(), 3);
    assert_eq!(
        old[0],
        "token SERIAL of alice (firmware 5.4.3) has YSA-2024-03 (EUCLEAK, CVE-2024-45678): who has the device open on a bench for some minutes, and its PIN, can compute its ECDSA keys; plan another device for the root key"
    );
    assert!(advised(None)[0].contains("(firmware unknown) may have YSA-2024-03"));
}
