//! How often a token is asked: once for a signature, and for a login once a PIN.

use crate::case::{Case, Fault, run};
use crate::flow::{self, Flow, VICTIM};
use crate::support::shim::Log;
use crate::support::stage::{PIN, pin};

/// The victim's lines of PINs.
fn lines(pins: &str) -> usize {
    let own = format!("{VICTIM} ");
    pins.lines().filter(|line| line.starts_with(&own)).count()
}

#[test]
fn whole_ceremonies_ask_once_for_each_signature_and_log_in_once_for_each_pin() {
    for (flow, retained) in [
        (Flow::Keygen, false),
        (Flow::Keygen, true),
        (Flow::Sign, false),
    ] {
        let stage = flow::copy(&flow.template().stage);
        let shim = flow::install(&stage, &flow::plan(&stage));
        let mut ceremony = flow.ceremony(&stage);
        if retained {
            ceremony.script = flow::retained("ecdsa-p256");
        }
        let pins = lines(&ceremony.right_pins());
        let ended = run(&stage, &ceremony);
        assert_eq!(ended.code, 0, "{ended:?}");
        let log = shim.log();
        let signatures = if retained { 3 } else { 1 };
        assert_eq!(log.signatures(), signatures, "{flow:?}");
        // Not even its length is asked for: some modules sign for that, too.
        assert_eq!(log.count("C_Sign"), signatures, "{flow:?}");
        assert_eq!(log.logins("user"), pins, "{flow:?}");
        assert_eq!((log.logins("so"), log.logins("context")), (0, 0));
    }
}

/// What the module got in a renewal with these lines of the victim's.
fn renewal(pins: &str) -> (i32, String, Log) {
    let stage = flow::copy(&Flow::Sign.template().stage);
    let shim = flow::install(&stage, &flow::plan(&stage));
    let ceremony = Flow::Sign.ceremony(&stage).here(&[VICTIM]).pins(pins);
    let ended = run(&stage, &ceremony);
    (ended.code, ended.err, shim.log())
}

#[test]
fn wrong_pin_is_given_to_the_token_once() {
    let (code, said, log) = renewal(&pin(VICTIM, "wrong-1"));
    assert_eq!(
        (code, log.logins("user"), log.signatures()),
        (3, 1, 0),
        "{said}"
    );
    // SoftHSM does not tell how many tries are left: the second wrong one is the end, and the third line is not read.
    let wrong = pin(VICTIM, "wrong-1") + &pin(VICTIM, "wrong-2") + &pin(VICTIM, PIN);
    let (code, said, log) = renewal(&wrong);
    assert_eq!(
        (code, log.logins("user"), log.signatures()),
        (4, 2, 0),
        "{said}"
    );
}

/// A PIN that a token took and then failed is not given to it again without a person.
#[test]
fn pin_is_not_used_again_when_the_token_fails_after_the_login() {
    for (function, what) in [
        ("C_Sign", "CKR_DEVICE_REMOVED"),
        ("C_Login", "after CKR_DEVICE_ERROR"),
        ("C_SignInit", "CKR_USER_NOT_LOGGED_IN"),
        ("C_Sign", "kill"),
    ] {
        let fault = Fault {
            function: function.to_owned(),
            number: 1,
            what: what.to_owned(),
        };
        let case = Case::new(Flow::Sign, &fault);
        let ended = case.with_fault();
        assert_eq!(ended.code, 4, "{fault:?} {ended:?}");
        let log = case.shim.log();
        assert!(!log.broken().is_empty());
        assert_eq!(log.logins("user"), 1, "{fault:?} {ended:?}");
        assert!(log.signatures() <= 1, "{fault:?}");
    }
}
