//! The module where the product has it: in a confined process of its own.

use std::path::Path;

use tuf_ceremony::ceremony::port::{Leaves, TokenFault};
use tuf_ceremony::ceremony::prompt::Tries;
use tuf_ceremony::token::Module as _;
use tuf_ceremony::token::worker::{Backend, Keeper, Limits, Setup, WorkerModule};
use tuf_ceremony::tuf::key::Algorithm::EcdsaP256;
use tuf_ceremony::tuf::key::Key;
use virtual_yubikey::{Firmware, Purpose, Stage};

use super::support::{listed, log_in, provisioned, secret};

pub fn card_behind_a_worker_does_all_of_it(stage: &Stage) {
    let keeper = Keeper::start(Path::new(env!("CARGO_BIN_EXE_tuf-ceremony"))).unwrap();
    let backend = Backend::Yubikey {
        name: "yubikey".to_owned(),
    };
    let setup = Setup::of(backend);
    let mut module = WorkerModule::start(&keeper, setup, Limits::default()).unwrap();
    let (card, token) = provisioned(stage, &mut module, 1, Firmware::V5_7_1);
    let info = listed(&mut module, &token);
    assert_eq!((info.tries, info.factory), (Tries::Left(3), Vec::new()));
    let error = module.login(&token, &secret("99999999")).unwrap_err();
    assert_eq!(error.fault, TokenFault::PinIncorrect);
    assert_eq!(listed(&mut module, &token).tries, Tries::Left(2));
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    assert_eq!(module.attestation(&token, &key).unwrap().len(), 2);
    card.controls()
        .set(|faults| faults.pull_after_signatures = Some(0));
    let error = module.sign(&token, &key, b"message").unwrap_err();
    assert_eq!(error.fault, TokenFault::Removed);
    assert!(error.may_have_signed);
    card.remove();
    card.insert();
    log_in(&mut module, &token);
    assert_eq!(module.keys(&token).unwrap(), std::slice::from_ref(&key));
    let signature = module.sign(&token, &key, b"message").unwrap();
    let verifier = Key::from_public(&key.public).unwrap();
    assert!(verifier.verifies(b"message", &signature));
    assert_eq!(card.controls().count(Purpose::Sign), 2);
}

pub fn program_lists_the_cards_of_a_room_and_of_no_room(stage: &Stage) {
    let mut module = super::support::module();
    let (_ours, token) = provisioned(stage, &mut module, 11_111_111, Firmware::V5_7_1);
    log_in(&mut module, &token);
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256, Leaves::Never).unwrap();
    module.logout(&token);
    let _new = stage.insert_new(22_222_222, Firmware::V5_4_3);
    let room = stage.folder().join("room.toml");
    let text = "schema = \"tuf-ceremony/room/1\"\nmode = \"production\"\n[[module]]\nname = \"cards\"\nkind = \"yubikey\"\n";
    std::fs::write(&room, text).unwrap();
    let room = room.to_str().unwrap();
    let listed = tokens(&["--room", room]);
    let expected = format!(
        "Yubico YubiKey 5 serial 11111111 label \"YubiKey PIV #11111111\" (module cards)\n\
         \x20 ready; PIN tries: 3 left\n\
         \x20 firmware 5.7.1\n\
         \x20 key \"tuf-root-v1\" id 9c public SHA-256 {}\n\
         Yubico YubiKey 5 serial 22222222 label \"YubiKey PIV #22222222\" (module cards)\n\
         \x20 ready; PIN tries: 3 left\n\
         \x20 firmware 5.4.3\n\
         \x20 STILL THE MAKER'S: management key, PUK, PIN\n",
        key.public.fingerprint()
    );
    assert_eq!(listed, expected);
    let json: serde_json::Value = serde_json::from_str(&tokens(&["--room", room, "--json"])).unwrap();
    let cards = &json["tokens"];
    assert_eq!(cards[0]["firmware"], "5.7.1");
    assert_eq!(cards[0]["factory"], serde_json::json!([]));
    assert_eq!(cards[0]["tries"], serde_json::json!({ "left": 3 }));
    let usage = serde_json::json!({ "pin": "always", "touch": "always", "longest": null });
    assert_eq!(cards[0]["keys"][0]["usage"], usage);
    assert_eq!(cards[1]["factory"], serde_json::json!(["mgmt", "puk", "user"]));
    assert!(tokens(&[]).contains("serial 22222222 label"));
}

fn tokens(arguments: &[&str]) -> String {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .arg("tokens")
        .args(arguments)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}
