//! The module where the product has it: in a confined process of its own.

use std::path::Path;

use tuf_ceremony::ceremony::port::TokenFault;
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
    let key = module.generate(&token, "tuf-root-v1", EcdsaP256).unwrap();
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
