//! Whole ceremonies in which one holder has a (virtual) `YubiKey` and the others SoftHSM: its maker, here a test CA that the room names, vouches for its key.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::ceremony::Ceremony;
use support::record;
use support::scripts::example;
use support::stage::{PIN, Stage};
use support::yubikey::{self, module, provisioned};
use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::port::Leaves;
use tuf_ceremony::token::Module as _;
use tuf_ceremony::tuf::key::{Algorithm, Key};
use virtual_yubikey::attestation::test_ca_pem;
use virtual_yubikey::{Firmware, on_stage};

const SERIAL: u32 = 12_345_678;
const REASON: &str = "made in 2023; replaced at the next ceremony";
const OTHERS: [&str; 4] = ["bob", "carol", "dave", "erin"];

/// The cards of the room, and who vouches for them.
fn cards(stage: &Stage) -> String {
    let ca = stage.path("test-ca.pem");
    fs::write(&ca, test_ca_pem().unwrap()).unwrap();
    format!(
        "\n[[module]]\nname = \"yubikey\"\nkind = \"yubikey\"\n\n[[test_root]]\nname = \"vyk-ca\"\npath = \"{}\"\n",
        ca.display()
    )
}

/// A genesis whose root keys are people's: alice's is on a card.
fn genesis(stage: &Stage, script: String) -> Ceremony<'_> {
    let mut genesis = stage.ceremony("genesis", script);
    genesis.registers = true;
    genesis.more_room = cards(stage);
    let pins = genesis.right_pins();
    genesis.pins = Some(pins.replace(
        &format!("alice user {PIN}"),
        &format!("alice user {}", yubikey::PIN),
    ));
    genesis
}

fn stage() -> Stage {
    let mut stage = Stage::with_tokens(&OTHERS);
    stage.put("alice", &SERIAL.to_string());
    stage
}

/// What the record says of alice's key; the bundle is verified, and the file in it by `attest verify` too.
fn check(stage: &Stage, bundle: &Path, firmware: &str) {
    let events = record::events(bundle);
    let mut attested = events.iter().filter_map(|event| match event {
        Event::Attested {
            holder,
            keyid,
            test_root,
            says,
            ..
        } => Some((holder, keyid, test_root, says)),
        _ => None,
    });
    let (holder, keyid, test_root, says) = attested.next().unwrap();
    assert_eq!((holder.as_str(), *test_root), ("alice", true));
    assert!(attested.next().is_none());
    assert_eq!(
        says[0],
        format!("YubiKey, serial {SERIAL}, firmware {firmware}")
    );
    assert!(
        says.last().unwrap().starts_with("TEST ROOT vyk-ca "),
        "{says:?}"
    );

    let root = bundle.join("metadata/1.root.json");
    let (code, report) = stage.verify(&root, bundle);
    assert_eq!(code, 0, "{report}");

    let metadata: Value = serde_json::from_slice(&fs::read(&root).unwrap()).unwrap();
    let public = &metadata["signed"]["keys"][keyid.0.as_str()]["keyval"]["public"];
    let key = stage.path("alice.pem");
    fs::write(&key, public.as_str().unwrap()).unwrap();
    let text = |path: &Path| path.display().to_string();
    let pem = text(&bundle.join(format!("evidence/attestations/{keyid}.pem")));
    let ca = text(&bundle.join("evidence/test-roots/vyk-ca.der"));
    let key = text(&key);
    let verify = ["attest", "verify", "--test-root", &ca, "--key", &key, &pem];
    let outcome = stage.call(&verify);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome.out.contains(&format!("keyid       {keyid}")),
        "{outcome:?}"
    );
    assert!(
        outcome.out.contains("TEST ROOT: bound to this key"),
        "{outcome:?}"
    );
    // Without the root nobody vouches for it.
    let outcome = stage.call(&["attest", "verify", "--key", &key, &pem]);
    assert_eq!(outcome.code, 1, "{outcome:?}");

    // A bundle that lost its evidence is not the one that was written.
    fs::remove_file(&pem).unwrap();
    let (code, report) = stage.verify(&root, bundle);
    assert_eq!(code, 1);
    assert!(report.to_string().contains("ATTEST-RECORD"), "{report}");
}

#[test]
fn a_new_card_makes_a_key_that_its_maker_vouches_for_from_the_review_to_the_bundle() {
    on_stage(
        "a_new_card_makes_a_key_that_its_maker_vouches_for_from_the_review_to_the_bundle",
        |cards| {
            let (_card, _) = provisioned(cards, &mut module(), SERIAL, Firmware::V5_7_1);
            let stage = stage();
            let bundle = genesis(&stage, example("genesis-ephemeral", None)).finish();
            check(&stage, &bundle, "5.7.1");
        },
    );
}

#[test]
fn an_old_card_makes_no_key_and_signs_with_one_it_has_by_a_reason_in_writing() {
    on_stage(
        "an_old_card_makes_no_key_and_signs_with_one_it_has_by_a_reason_in_writing",
        |cards| {
            let mut module = module();
            let (_card, token) = provisioned(cards, &mut module, SERIAL, Firmware::V5_4_3);
            let stage = stage();
            let script = example("genesis-ephemeral", None);
            let refused = genesis(&stage, script.clone()).run();
            assert_eq!(refused.code, 1, "{refused:?}");
            assert!(refused.err.contains("TOKEN-ADVISORY"), "{refused:?}");
            assert!(
                refused
                    .err
                    .contains("has YSA-2024-03 (EUCLEAK, CVE-2024-45678)"),
                "{refused:?}"
            );
            yubikey::log_in(&mut module, &token);
            assert_eq!(module.keys(&token).unwrap(), []);

            let key = module
                .generate(&token, "tuf-root-v1", Algorithm::EcdsaP256, Leaves::Never)
                .unwrap();
            module.logout(&token);
            drop(module);
            let keyid = Key::from_public(&key.public).unwrap().keyid();
            let made = "root.generate = \"ecdsa-p256\"";
            let found = format!("root.keyid = \"{keyid}\"");
            let mut genesis = genesis(&stage, script.replacen(made, &found, 1));
            genesis.name = "found".to_owned();
            let silent = genesis.run();
            assert_eq!(silent.code, 3, "{silent:?}");
            assert!(
                silent.err.contains("sign-off:YSA-2024-03:alice"),
                "{silent:?}"
            );
            let pins = genesis.pins.take();
            let mut genesis = genesis.answer("sign-off:YSA-2024-03:alice", REASON);
            genesis.pins = pins;
            let bundle = genesis.finish();
            let signed_off = record::events(&bundle)
                .into_iter()
                .filter_map(|event| match event {
                    Event::SignedOff {
                        keyid,
                        advisory,
                        reason,
                        ..
                    } => Some((keyid, advisory, reason)),
                    _ => None,
                });
            let expected = (keyid, "YSA-2024-03".to_owned(), REASON.to_owned());
            assert_eq!(signed_off.collect::<Vec<_>>(), [expected]);
            check(&stage, &bundle, "5.4.3");
        },
    );
}

/// Alice's card as it came from its maker is provisioned; what its envelopes have is what the tests know of secrets.
fn provision(stage: &Stage) -> Ceremony<'_> {
    let script = "schema = \"tuf-ceremony/script/1\"\nkind = \"provision\"\ntitle = \"A token for Alice\"\nprofile = \"alone\"\n\n[[holder]]\nname = \"alice\"\nperson = \"Alice Example\"\nroot.generate = \"ecdsa-p256\"\n";
    let mut provision = stage.ceremony("provision", script).here(&["alice"]);
    provision.registers = false;
    provision.more_room = cards(stage);
    for (prompt, answer) in [
        ("bag-opened:alice", "Y-1001".to_owned()),
        ("token:provision:alice", "ready".to_owned()),
        ("serial:alice", SERIAL.to_string()),
        ("erase:alice", format!("erase {SERIAL}")),
        ("bag-closed:alice", "B-1002".to_owned()),
        ("bag-closed:alice:again", "B-1002".to_owned()),
    ] {
        provision = provision.answer(prompt, &answer);
    }
    let pin = yubikey::PIN;
    let lines = format!(
        "alice mgmt {}\nalice puk {}\nalice user {pin}\nalice user {pin}\n",
        yubikey::MANAGEMENT,
        yubikey::PUK
    );
    provision.pins(&lines)
}

#[test]
fn a_card_from_the_shop_leaves_with_envelopes_and_an_attested_key_that_signs_later() {
    on_stage(
        "a_card_from_the_shop_leaves_with_envelopes_and_an_attested_key_that_signs_later",
        |cards| {
            let card = cards.insert_new(SERIAL, Firmware::V5_7_1);
            let stage = stage();
            // As it is, it is refused for everything else.
            let early = genesis(&stage, example("genesis-ephemeral", None)).run();
            assert_eq!(early.code, 1, "{early:?}");
            assert!(early.err.contains("TOKEN-FACTORY"), "{early:?}");
            let provision = provision(&stage);
            let bundle = provision.finish();
            let events = record::events(&bundle);
            let keyid = events.iter().find_map(|event| match event {
                Event::Attested { keyid, .. } => Some(keyid.clone()),
                _ => None,
            });
            let keyid = keyid.expect("the new key is attested");
            assert_eq!(card.state().pin.left, 3);
            let proven =
                |event: &Event| matches!(event, Event::Proven { keyid: of, .. } if *of == keyid);
            assert!(events.iter().any(proven));

            let made = "root.generate = \"ecdsa-p256\"";
            let found = format!("root.keyid = \"{keyid}\"");
            let script = example("genesis-ephemeral", None).replacen(made, &found, 1);
            let mut later = genesis(&stage, script);
            later.name = "later".to_owned();
            let later = later.finish();
            check(&stage, &later, "5.7.1");
        },
    );
}

#[test]
fn a_weak_card_is_refused_before_it_is_erased() {
    on_stage("a_weak_card_is_refused_before_it_is_erased", |cards| {
        let mut module = module();
        let (_card, token) = provisioned(cards, &mut module, SERIAL, Firmware::V5_4_3);
        yubikey::log_in(&mut module, &token);
        let key = module
            .generate(&token, "tuf-root-v1", Algorithm::EcdsaP256, Leaves::Never)
            .unwrap();
        module.logout(&token);
        let stage = stage();
        let refused = provision(&stage).run();
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("TOKEN-ADVISORY"), "{refused:?}");
        assert!(!refused.out.contains("was erased"), "{refused:?}");
        yubikey::log_in(&mut module, &token);
        assert_eq!(module.keys(&token).unwrap()[0].public, key.public);
    });
}
