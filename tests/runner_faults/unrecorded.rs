//! The record fails at every event in turn.

use tuf_ceremony::ceremony::runner::Halt;

use super::record::Entry;
use super::stand::{Stand, admin_key, genesis};

/// The disk is full at event `index`; then it is not.
fn fail_at(mut stand: Stand, index: usize) {
    stand.tape.fails_at = Some(index);
    let halt = stand.run(&mut stand.people()).unwrap_err();
    assert!(matches!(halt, Halt::World(_)), "event {index}: {halt}");
    assert_eq!(
        halt.to_string(),
        "transcript.jsonl: no space left on device"
    );
    let entries = stand.log.entries();
    let lost = entries
        .iter()
        .position(|entry| matches!(entry, Entry::Lost));
    for after in &entries[lost.unwrap() + 1..] {
        // Logging out and wiping keys is all that may follow.
        assert!(
            matches!(
                after,
                Entry::Call {
                    method: "logout" | "destroy_ephemeral",
                    ..
                }
            ),
            "event {index}: {after:?}"
        );
    }
    stand.run(&mut stand.people()).unwrap();
    stand.check_finished();
}

#[test]
fn nothing_follows_an_event_of_a_genesis_that_is_not_on_record_and_it_resumes() {
    let events = Stand::finished(genesis()).log.events().len();
    for index in 0..events {
        fail_at(Stand::new(genesis()), index);
    }
}

#[test]
fn nothing_follows_an_event_of_an_admin_key_that_is_not_on_record_and_it_resumes() {
    let make = || Stand::finished(genesis()).then(admin_key);
    let mut good = make();
    good.run(&mut good.people()).unwrap();
    for index in 0..good.log.events().len() {
        fail_at(make(), index);
    }
}

#[test]
fn a_record_that_takes_everything_loses_nothing() {
    let stand = Stand::finished(genesis());
    let lost = |entry: &Entry| matches!(entry, Entry::Lost);
    assert!(!stand.log.entries().iter().any(lost));
}
