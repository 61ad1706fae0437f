//! Tokens that are not who they say: twins, one that changes under the session, and names that write at the terminal.

use std::fs;

use serde_json::Value;

use crate::case::{in_parallel, run};
use crate::flow::{self, Flow, VICTIM};
use crate::support::record;
use crate::support::scripts::renew_root;
use crate::support::shim::{Log, Plan, Shim};
use crate::support::stage::{Outcome, Stage, outcome};

/// Tokens of three people in one module, which says the same of all.
#[test]
fn twins_are_not_told_apart_by_guessing() {
    let holders = [VICTIM, "bob", "carol"];
    let stage = Stage::with_tokens(&holders);
    let plan = Shim::plan().softhsm(&stage.path("softhsm2.conf"));
    let shim = plan.install(&stage.path("."));
    let module = vec![shim.module().display().to_string()];
    let mut genesis = stage.ceremony("genesis", flow::genesis("ecdsa-p256"));
    genesis.modules.clone_from(&module);
    let before = genesis.finish();

    shim.replan(&plan.clone().fault("C_GetTokenInfo", "*", "twin"));
    let listed = stage.call(&["tokens", "--json", "--module", &module[0]]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let listed = listed["tokens"].as_array().unwrap().iter();
    let serials: Vec<_> = listed
        .filter(|token| token["ready"] == true)
        .map(|token| token["serial"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(serials.len(), 3);
    assert!(serials.iter().all(|serial| *serial == serials[0]));

    // Whose serial they all have depends on the order in which SoftHSM finds them.
    for holder in holders {
        shim.replan(&plan.clone().fault("C_GetTokenInfo", "*", "twin"));
        let name = format!("renewed-by-{holder}");
        let ceremony = stage.ceremony(&name, renew_root(&before, 370));
        let mut ceremony = ceremony.after(&before).here(&[holder]);
        ceremony.modules.clone_from(&module);
        let ended = run(&stage, &ceremony);
        let told = if serials[0] == stage.serial(holder) {
            "More than one token fits. Remove the others."
        } else {
            "That token is not there. Nothing was done; insert it and try again."
        };
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
        let log = shim.log();
        assert_eq!((log.logins("user"), log.signatures()), (0, 0));
    }
}

/// Once a token says that it is another, it gets no PIN and nothing to sign; from whichever look at it on.
#[test]
fn token_whose_serial_changes_gets_neither_pin_nor_payload() {
    let looks = Flow::Sign.template().clean.count("C_GetTokenInfo");
    assert!(looks > 10, "{looks}");
    let finished = in_parallel(looks, |index| {
        let stage = flow::copy(&Flow::Sign.template().stage);
        let plan = flow::plan(&stage);
        let from = format!("{}+", index + 1);
        let shim = flow::install(
            &stage,
            &plan.fault("C_GetTokenInfo", &from, "serial text:ANOTHER"),
        );
        let ended = run(&stage, &Flow::Sign.ceremony(&stage));
        let log = shim.log();
        assert!(log.lied("C_GetTokenInfo") > 0, "{from}");
        assert_eq!(
            after_the_change(&log),
            Vec::<&str>::new(),
            "{from}: {ended:?}"
        );
        let signed = record::events(&stage.bundle("renew"));
        assert!([0, 3, 4].contains(&ended.code), "{from}: {ended:?}");
        drop(signed);
        ended.code == 0
    });
    // It may change when it has signed.
    assert!(finished.iter().any(|finished| !finished));
    assert!(!finished[0]);
}

/// Logins and signatures asked for after the first lie.
fn after_the_change(log: &Log) -> Vec<&str> {
    let calls = log.0.iter().skip_while(|call| call.made() != "lied");
    let names = calls.map(|call| call.function.as_str());
    names
        .filter(|name| ["C_Login", "C_Sign"].contains(name))
        .collect()
}

/// Everything that a module says of itself and of tokens is a stranger's text.
#[test]
fn hostile_texts_of_a_module_are_not_written_at_the_terminal() {
    const TEXTS: [&str; 3] = ["esc", "bidi", "invalid-utf8"];
    in_parallel(TEXTS.len(), |index| {
        let text = TEXTS[index];
        let stage = flow::copy(&Flow::Keygen.template().stage);
        let plan = hostile(flow::plan(&stage), text);
        let shim = flow::install(&stage, &plan);
        let ended = run(&stage, &Flow::Keygen.ceremony(&stage));
        assert_eq!(ended.code, 0, "{text}: {ended:?}");
        assert!(shim.log().lied("C_GetTokenInfo") > 0);
        assert!(shim.log().lied("C_GetInfo") > 0);
        printable(text, &ended);
        let minutes = fs::read_to_string(stage.bundle("genesis").join("ceremony/minutes.md"));
        printable(
            text,
            &Outcome {
                code: 0,
                out: minutes.unwrap(),
                err: String::new(),
            },
        );
        for json in [None, Some("--json")] {
            shim.replan(&hostile(flow::plan(&stage), text));
            let mut list = stage.program();
            list.arg("tokens")
                .args(json)
                .arg("--module")
                .arg(shim.module());
            let listed = outcome(list.output().unwrap());
            assert_eq!(listed.code, 0, "{text}: {listed:?}");
            assert!(
                listed.out.contains(stage.serial(VICTIM)),
                "{text}: {listed:?}"
            );
            printable(text, &listed);
        }
    });
}

fn hostile(plan: Plan, text: &str) -> Plan {
    plan.fault("C_GetTokenInfo", "*", &format!("label {text}"))
        .fault("C_GetTokenInfo", "*", &format!("model {text}"))
        .fault("C_GetTokenInfo", "*", &format!("manufacturer {text}"))
        .fault("C_GetSlotInfo", "*", &format!("description {text}"))
        .fault("C_GetInfo", "*", &format!("description {text}"))
        .fault(
            "C_GetAttributeValue",
            "*",
            &format!("private CKA_LABEL {text}"),
        )
        .fault("C_Initialize", "1", &format!("print {text}"))
}

/// No control character but the newline, nothing that changes the direction of text or has no width.
fn printable(what: &str, said: &Outcome) {
    for text in [&said.out, &said.err] {
        let raw = text.chars().find(|symbol| {
            (symbol.is_control() && *symbol != '\n')
                || matches!(*symbol, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        });
        assert_eq!(raw, None, "{what}: {text}");
    }
}
