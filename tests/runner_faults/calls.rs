//! Every call of the world broken in turn.

use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::ceremony::port::TokenFault;
use tuf_ceremony::ceremony::runner::Halt;

use super::stand::{Stand, admin_key, genesis};
use super::world::Fault;

/// How a method may break.
pub fn faults(method: &str) -> Vec<Fault> {
    let before = Fault::Before;
    match method {
        "sign" | "sign_ephemeral" | "challenge" => vec![
            before(TokenFault::Other),
            before(TokenFault::Unsupported),
            Fault::Unknown,
            Fault::Unanswered,
        ],
        "login" => vec![
            before(TokenFault::Other),
            before(TokenFault::PinIncorrect),
            before(TokenFault::PinLocked),
        ],
        "write" => vec![before(TokenFault::Other), Fault::Torn],
        "generate" | "register" | "reset" => vec![before(TokenFault::Other), Fault::Unanswered],
        _ => vec![before(TokenFault::Other)],
    }
}

#[test]
fn nothing_broken_a_genesis_and_an_admin_key_finish() {
    let genesis = Stand::finished(genesis());
    assert_eq!(genesis.signatures().len(), 9);
    let mut admin = genesis.then(admin_key);
    admin.run(&mut admin.people()).unwrap();
    admin.check_finished();
    assert_eq!(
        admin.signatures().len(),
        4,
        "alice by the old and by the new key"
    );
}

/// Runs with one call broken, then on without it until it finishes.
fn break_one(mut stand: Stand, index: usize, fault: Fault) -> usize {
    stand.world.breaks = Some((index, fault));
    let mut halts = 0;
    loop {
        let result = stand.run(&mut stand.people());
        stand.check_record();
        match result {
            Ok(_) => break,
            Err(Halt::Illegal(illegal)) => panic!("call {index} {fault:?}: {illegal}"),
            Err(halt) => {
                halts += 1;
                assert!(halts < 3, "call {index} {fault:?}: {halt}");
            }
        }
    }
    stand.check_finished();
    let decided = stand
        .log
        .count(|event| matches!(event, Event::IntentDecided { .. }));
    let unknown = matches!(fault, Fault::Unknown | Fault::Unanswered);
    let signing = stand.log.breakable()[index] == "sign";
    assert_eq!(
        decided,
        usize::from(unknown && signing),
        "call {index} {fault:?}"
    );
    halts
}

fn break_every(make: impl Fn() -> Stand, calls: &[&'static str]) {
    let mut halted = 0;
    for (index, method) in calls.iter().enumerate() {
        for fault in faults(method) {
            halted += break_one(make(), index, fault);
        }
    }
    assert!(halted > 0);
}

#[test]
fn whichever_call_of_a_genesis_breaks_it_halts_or_asks_again_and_resumes_to_the_same_end() {
    let calls = Stand::finished(genesis()).log.breakable();
    break_every(|| Stand::new(genesis()), &calls);
}

#[test]
fn whichever_call_of_an_admin_key_breaks_it_halts_or_asks_again_and_resumes_to_the_same_end() {
    let make = || Stand::finished(genesis()).then(admin_key);
    let mut good = make();
    good.run(&mut good.people()).unwrap();
    break_every(make, &good.log.breakable());
}

/// An admin-key without bob and carol, who come when it waits for them.
fn with_holders_who_come_later(breaks: Option<(usize, Fault)>) -> Stand {
    let mut stand = Stand::finished(genesis()).then(admin_key);
    stand.world.breaks = breaks;
    let late = ["bob", "carol"].map(ToOwned::to_owned);
    stand.world.away.extend(late);
    for _ in 0..3 {
        match stand.run(&mut stand.people()) {
            Ok(_) => break,
            Err(Halt::Waiting { .. }) => stand.world.away.clear(),
            Err(halt) => assert!(breaks.is_some(), "{halt}"),
        }
    }
    stand.check_finished();
    stand
}

#[test]
fn whichever_call_breaks_while_holders_are_awaited_their_signatures_come_in_later() {
    let good = with_holders_who_come_later(None);
    let calls = good.log.breakable();
    assert!(calls.contains(&"write_part"));
    let first = calls.iter().position(|method| *method == "sign").unwrap();
    for (index, method) in calls.iter().enumerate().skip(first) {
        for fault in faults(method) {
            with_holders_who_come_later(Some((index, fault)));
        }
    }
}

/// The first signature breaks like this; what is on record from its intent on, and what the holder was told.
fn first_signature_breaks(fault: Fault) -> (Vec<&'static str>, Option<String>) {
    let calls = Stand::finished(genesis()).log.breakable();
    let first = calls.iter().position(|method| *method == "sign").unwrap();
    let mut stand = Stand::new(genesis());
    stand.world.breaks = Some((first, fault));
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    stand.check_finished();
    let named = |event: Event| match event {
        Event::SigningIntended { .. } => Some("intended"),
        Event::SigningFailed { .. } => Some("failed"),
        Event::IntentDecided { .. } => Some("decided"),
        Event::Signed { .. } => Some("signed"),
        _ => None,
    };
    let story: Vec<_> = stand.log.events().into_iter().filter_map(named).collect();
    let mut told = people.told.into_iter();
    let decision = told.find(|(id, _)| id.starts_with("intent:"));
    (story[..4].to_vec(), decision.map(|(_, text)| text))
}

#[test]
fn a_token_that_may_have_signed_is_asked_again_by_a_typed_decision_only() {
    let (story, told) = first_signature_breaks(Fault::Unknown);
    assert_eq!(story, ["intended", "decided", "intended", "signed"]);
    assert_eq!(
        told.unwrap(),
        "alice was asked to sign targets v1, and no answer is on record.\nThe token may have signed. A signature that nobody holds harms nobody, if the payload stays the same: it does."
    );
}

#[test]
fn a_token_that_did_not_sign_is_asked_again_without_a_decision() {
    let (story, told) = first_signature_breaks(Fault::Before(TokenFault::Other));
    assert_eq!(story, ["intended", "failed", "intended", "signed"]);
    assert_eq!(told, None);
}
