//! Keys that live in memory only: after a fault they are gone. Either they had signed everything, or the ceremony starts again.

use tuf_ceremony::ceremony::runner::Halt;

use super::calls::faults;
use super::stand::{Stand, genesis_ephemeral};

const LOST: &str = "refused: EPHEMERAL-LOST: the ephemeral keys were in memory only and are gone; nothing they signed left this machine: start again with an empty output folder";

/// Goes on after a fault until it finishes (true) or says that the keys are lost.
fn goes_on(stand: &mut Stand, about: &str) -> bool {
    for _ in 0..2 {
        match stand.run(&mut stand.people()) {
            Ok(_) => {
                stand.check_finished();
                return true;
            }
            Err(halt @ Halt::Refused(_)) if halt.to_string() == LOST => {
                assert!(stand.world.metadata().is_empty(), "{about}");
                assert!(
                    stand.log.calls("sign").is_empty(),
                    "{about}: a token has signed"
                );
                return false;
            }
            Err(halt) => assert!(!matches!(halt, Halt::Illegal(_)), "{about}: {halt}"),
        }
    }
    panic!("{about}: neither finished nor lost");
}

#[test]
fn whichever_call_breaks_ephemeral_keys_have_signed_everything_or_nothing_leaves_the_machine() {
    let calls = Stand::finished(genesis_ephemeral()).log.breakable();
    let (mut finished, mut lost) = (0, 0);
    for (index, method) in calls.iter().enumerate() {
        for fault in faults(method) {
            let mut stand = Stand::new(genesis_ephemeral());
            stand.world.breaks = Some((index, fault));
            if stand.run(&mut stand.people()).is_ok() {
                stand.check_finished();
            } else if goes_on(&mut stand, &format!("call {index} {method} {fault:?}")) {
                finished += 1;
            } else {
                lost += 1;
            }
        }
    }
    assert!(finished > 0 && lost > 0, "{finished} {lost}");
}

#[test]
fn whichever_event_is_not_recorded_ephemeral_keys_have_signed_everything_or_nothing_leaves_the_machine()
 {
    let events = Stand::finished(genesis_ephemeral()).log.events().len();
    for index in 0..events {
        let mut stand = Stand::new(genesis_ephemeral());
        stand.tape.fails_at = Some(index);
        stand.run(&mut stand.people()).unwrap_err();
        goes_on(&mut stand, &format!("event {index}"));
    }
}
