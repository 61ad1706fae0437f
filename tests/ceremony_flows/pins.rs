//! Wrong PINs, wrong tokens, tokens that go away: told, on record, and nothing counted.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tuf_ceremony::ceremony::event::Event;

use crate::GENESIS;
use crate::support::ceremony::Ceremony;
use crate::support::record;
use crate::support::scripts::renew_root;
use crate::support::stage::{PIN, Stage, outcome, pin};

/// The renewal of root with only alice here: it ends with exit code 3 when she has signed.
fn alice_alone(stage: &Stage) -> Ceremony<'_> {
    let genesis = stage.bundle("genesis");
    let ceremony = stage.ceremony("renew-root", renew_root(&genesis, 370));
    ceremony.after(&genesis).here(&["alice"])
}

fn refused_pins(ceremony: &Ceremony<'_>) -> Vec<(String, Option<u8>)> {
    let refused = record::events(&ceremony.output()).into_iter();
    let refused = refused.filter_map(|event| match event {
        Event::PinRefused { holder, tries_left } => Some((holder, tries_left)),
        _ => None,
    });
    refused.collect()
}

#[test]
fn one_wrong_pin_is_on_record_and_the_next_line_is_tried() {
    let stage = GENESIS.copy();
    let ceremony = alice_alone(&stage).pins(&(pin("alice", "wrong-1") + &pin("alice", PIN)));
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.err.contains("3 needed, 1 signed"), "{outcome:?}");
    assert_eq!(refused_pins(&ceremony), [("alice".to_owned(), None)]);
    assert_eq!(record::signatures(&ceremony.output()).len(), 1);
}

#[test]
fn two_wrong_pins_where_the_counter_is_unknown_are_the_end_and_nothing_is_signed() {
    let stage = GENESIS.copy();
    let wrong = pin("alice", "wrong-1") + &pin("alice", "wrong-2") + &pin("alice", PIN);
    let ceremony = alice_alone(&stage).pins(&wrong);
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 4, "{outcome:?}");
    assert!(outcome.err.contains("two wrong PINs"), "{outcome:?}");
    assert!(!outcome.err.contains("wrong-"), "{outcome:?}");
    assert_eq!(refused_pins(&ceremony).len(), 2);
    assert_eq!(record::signatures(&ceremony.output()).len(), 0);

    // The same ceremony goes on with the right one.
    let outcome = ceremony.pins(&pin("alice", PIN)).run();
    assert!(outcome.err.contains("3 needed, 1 signed"), "{outcome:?}");
}

#[test]
fn the_token_of_another_is_refused_before_its_pin() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let mut ceremony = alice_alone(&stage).answer("token:sign:root-2:alice", "ready");
    ceremony = ceremony.answer("token:sign:root-2:alice", "pause");
    // A room that names bob's token for alice.
    let mut command = ceremony.command();
    let room = stage.path("renew-root/room.toml");
    let text = fs::read_to_string(&room).unwrap();
    fs::write(
        &room,
        text.replace(stage.serial("alice"), stage.serial("bob")),
    )
    .unwrap();
    let outcome = outcome(command.output().unwrap());
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert_eq!(refused_pins(&ceremony), []);
    assert_eq!(record::signatures(&ceremony.output()).len(), 0);
    let asked = record::prompts(&ceremony.output());
    let asked = asked
        .iter()
        .filter(|prompt| *prompt == "token:sign:root-2:alice");
    assert_eq!(
        asked.count(),
        2,
        "the token was refused and asked for again"
    );
    assert!(genesis.exists());
}

#[test]
fn a_token_that_goes_away_in_the_middle_is_told_and_counts_for_nothing() {
    let stage = GENESIS.copy();
    let ceremony = alice_alone(&stage);
    let mut command = ceremony.command();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let start = Instant::now();
    let asked = || {
        let text = fs::read_to_string(ceremony.output().join("transcript.jsonl"));
        text.unwrap_or_default()
            .contains("\"event\":\"register-checked\"")
    };
    while !asked() {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "it never came to the PIN"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::rename(stage.path("tokens"), stage.path("tokens-away")).unwrap();
    stdin.write_all(pin("alice", PIN).as_bytes()).unwrap();
    drop(stdin);
    let gone = outcome(child.wait_with_output().unwrap());
    assert_eq!(gone.code, 4, "{gone:?}");
    // Found gone when its counter is read, or at the login.
    let told = [
        "it is gone; nothing was signed",
        "the token is not plugged in",
    ];
    assert!(told.iter().any(|text| gone.err.contains(text)), "{gone:?}");
    assert_eq!(record::signatures(&ceremony.output()).len(), 0, "{gone:?}");

    fs::rename(stage.path("tokens-away"), stage.path("tokens")).unwrap();
    let back = ceremony
        .answer("intent:root-2:alice", "ask the token again")
        .run();
    assert!(back.err.contains("3 needed, 1 signed"), "{gone:?} {back:?}");
}

/// Waits until the transcript has this.
fn await_record(ceremony: &Ceremony<'_>, text: &str) {
    let start = Instant::now();
    let path = ceremony.output().join("transcript.jsonl");
    while !fs::read_to_string(&path).unwrap_or_default().contains(text) {
        assert!(start.elapsed() < Duration::from_mins(1), "no {text}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_token_that_goes_away_while_it_signs_is_told_and_counts_for_nothing() {
    let stage = GENESIS.copy();
    // Where the intent stands on record, by a run on a copy.
    let twin = stage.copy();
    alice_alone(&twin).run();
    let events = record::events(&twin.bundle("renew-root"));
    let intent = |event: &Event| matches!(event, Event::SigningIntended { .. });
    let line = events.iter().position(intent).unwrap();

    // The syncs around the intent's take so long that the token can be pulled between intent and signature.
    let mut ceremony = alice_alone(&stage);
    for _ in 0..3 {
        ceremony = ceremony.answer("intent:root-2:alice", "ask the token again");
    }
    let injection = format!("delay_enter=800000:when={}..{}", line + 1, line + 4);
    let mut command = ceremony.command_with(&injection);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command
        .spawn()
        .expect("strace starts (Debian: apt-get install strace)");
    await_record(&ceremony, "\"event\":\"signing-intended\"");
    fs::rename(stage.path("tokens"), stage.path("tokens-away")).unwrap();
    let gone = outcome(child.wait_with_output().unwrap());
    assert_eq!(gone.code, 4, "{gone:?}");
    assert!(gone.out.contains("root v2: alice did not sign"), "{gone:?}");
    assert_eq!(record::signatures(&ceremony.output()).len(), 0, "{gone:?}");

    fs::rename(stage.path("tokens-away"), stage.path("tokens")).unwrap();
    let back = ceremony.run();
    assert!(back.err.contains("3 needed, 1 signed"), "{gone:?} {back:?}");
    assert_eq!(record::signatures(&ceremony.output()).len(), 1);
}

#[test]
fn a_pin_line_that_nobody_asked_for_is_an_error_though_the_ceremony_is_finished() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let ceremony = stage
        .ceremony("renew-root", renew_root(&genesis, 370))
        .after(&genesis);
    let pins = ceremony.right_pins() + &pin("dave", PIN);
    let outcome = ceremony.pins(&pins).run();
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert_eq!(
        outcome.err,
        "a PIN line for dave was not used.\nThe ceremony itself is finished.\n"
    );
}

#[test]
fn a_holder_without_a_pin_line_stops_the_run_and_it_can_go_on() {
    let stage = GENESIS.copy();
    let ceremony = alice_alone(&stage);
    let outcome = ceremony.clone().pins("").run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(
        outcome
            .err
            .contains("no answer is given for the prompt pin:alice"),
        "{outcome:?}"
    );
    let outcome = ceremony.run();
    assert!(outcome.err.contains("3 needed, 1 signed"), "{outcome:?}");
}
