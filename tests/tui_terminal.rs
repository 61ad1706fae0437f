//! The screen in a real pseudo-terminal: the test program starts itself there with a scripted ceremony, types, reads what a terminal would show, and
//! looks at the terminal's settings afterwards. Nothing of a PIN may be anywhere in the bytes.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod terminal {
    pub(crate) mod ceremony;
    mod envelope;
    mod searched;
    mod share;
}
#[path = "support/terminal.rs"]
mod screen;

use screen::Session;
use terminal::ceremony::{self, CANARY, PHRASE};

/// Not a test of its own: what the others start in their pseudo-terminals. Does nothing where the scenario is not named.
#[test]
fn scripted_ceremony() {
    if let Ok(scenario) = std::env::var(ceremony::SCENARIO) {
        ceremony::run(&scenario);
    }
}

/// From the opening page to the open PIN field.
fn to_the_pin(session: &mut Session) {
    session.sees("Waiting for: Enter, to begin");
    session.types("\r");
    session.sees("Type exactly:  begin");
    session.types("begin\r");
    session.sees("Waiting for: a choice");
    session.types("j\r");
    session.sees("> WANTED");
    session.types("\r");
    session.sees("Read to the end to enable signing");
    for _ in 0..12 {
        session.types("\x1b[6~");
    }
    session.sees(PHRASE);
    session.types("\t");
    session.sees("> _");
    session.types(PHRASE);
    session.types("\r");
    session.sees("Press Enter to open the PIN field.");
    session.types("\r");
    session.sees("PIN: _");
}

#[test]
fn every_kind_of_prompt_is_answered_and_the_pin_is_nowhere_in_the_output() {
    let mut session = ceremony::start("whole", 24, 80);
    to_the_pin(&mut session);
    // A wrong start, an arrow, a rubbed-out letter: what arrives is the PIN and nothing else.
    session.types("xyz\x15\x1b[A");
    session.types(CANARY);
    session.types("q\x7f");
    session.sees("PIN: ********");
    session.types("\r");
    session.sees("Finished, exit code 0");
    session.sees("the PIN arrived");
    session.types("q");
    let end = session.end();
    assert_eq!(end.code, 0, "{}", end.text());
    assert!(
        end.text().contains("result: choice rescan, PIN right"),
        "{}",
        end.text()
    );
    assert!(end.restored, "{}", end.text());
    for piece in CANARY.as_bytes().windows(4) {
        let found = end.bytes.windows(4).any(|bytes| bytes == piece);
        assert!(
            !found,
            "{:?} of the PIN was shown",
            String::from_utf8_lossy(piece)
        );
    }
}

#[test]
fn a_cancelled_pin_is_wiped_and_pausing_stops_the_ceremony() {
    let mut session = ceremony::start("whole", 24, 80);
    to_the_pin(&mut session);
    session.types(CANARY);
    session.sees("PIN: ********");
    session.types("\x1b");
    session.sees("Pause and save?");
    session.types("\x1b");
    session.sees("Press Enter to open the PIN field.");
    session.types("\r");
    session.sees("PIN: _");
    session.types(CANARY);
    session.types("\x03");
    session.sees("Pause and save?");
    session.types("p");
    session.sees("Finished, exit code 3");
    session.types("q");
    let end = session.end();
    assert!(
        end.text().contains("result: stopped by a person"),
        "{}",
        end.text()
    );
    assert!(end.restored && !end.contains(CANARY), "{}", end.text());
}

#[test]
fn the_terminal_is_restored_after_a_signal_at_a_question_and_in_the_pin_field() {
    for signal in ["TERM", "HUP", "INT"] {
        let mut session = ceremony::start("whole", 24, 80);
        session.sees("Waiting for: Enter, to begin");
        session.types("\r");
        session.sees("Type exactly:  begin");
        session.signal(signal);
        let end = session.end();
        assert!(
            end.text().contains("result: stopped by a person"),
            "{signal}: {}",
            end.text()
        );
        assert!(end.restored, "{signal}: {}", end.text());
    }
    let mut session = ceremony::start("whole", 24, 80);
    to_the_pin(&mut session);
    session.types(CANARY);
    session.sees("PIN: ********");
    session.signal("TERM");
    let end = session.end();
    assert!(
        end.text().contains("result: stopped by a person"),
        "{}",
        end.text()
    );
    assert!(end.restored && !end.contains(CANARY), "{}", end.text());
}

#[test]
fn the_terminals_stop_key_and_signal_do_not_leave_it_raw() {
    let mut session = ceremony::start("whole", 24, 80);
    session.sees("Waiting for: Enter, to begin");
    session.types("\x1a");
    session.signal("TSTP");
    session.types("\r");
    session.sees("Type exactly:  begin");
    session.types("\x03\x03");
    session.sees("Finished, exit code 3");
    session.types("q");
    assert!(session.end().restored);
}

#[test]
fn a_panic_of_the_ceremony_restores_the_terminal_and_shows_no_data() {
    let mut session = ceremony::start("panic", 24, 80);
    session.sees("Waiting for: Enter, to begin");
    session.types("\r");
    let end = session.end();
    let text = end.text();
    assert!(
        text.contains("failure: a fault in the program ended the ceremony"),
        "{text}"
    );
    assert!(text.contains("tests/terminal/ceremony.rs:"), "{text}");
    assert!(
        !text.contains("secret data") && !text.contains("panicked"),
        "{text}"
    );
    assert!(end.restored, "{text}");
}

#[test]
fn leaving_the_opening_page_begins_nothing() {
    for key in ["q", "\x03"] {
        let mut session = ceremony::start("whole", 24, 80);
        session.sees("Waiting for: Enter, to begin");
        session.types(key);
        let end = session.end();
        assert!(
            end.text()
                .contains("failure: left before the ceremony was begun"),
            "{}",
            end.text()
        );
        assert!(end.restored);
    }
}

#[test]
fn a_screen_that_is_too_small_refuses_and_recovers() {
    let mut session = ceremony::start("whole", 20, 60);
    session.sees("has 60 columns and 20 rows");
    session.types("\r");
    session.rests();
    session.resize(24, 80);
    session.sees("Waiting for: Enter, to begin");
    session.types("\r");
    session.sees("Type exactly:  begin");
    session.types("begin\r");
    session.sees("Waiting for: a choice");
    session.resize(10, 80);
    session.sees("enlarge it");
    session.types("\r");
    session.rests();
    session.resize(43, 132);
    session.sees("Waiting for: a choice");
    session.types("\x03\x03");
    session.sees("Finished, exit code 3");
    session.types("q");
    assert!(session.end().restored);
}

#[test]
fn a_pin_field_on_a_shrinking_screen_closes_and_wipes() {
    let mut session = ceremony::start("whole", 24, 80);
    to_the_pin(&mut session);
    session.types(CANARY);
    session.sees("PIN: ********");
    session.resize(10, 40);
    session.sees("enlarge it");
    session.resize(24, 80);
    session.sees("Press Enter to open the PIN field.");
    session.types("\x03\x03");
    session.sees("Finished, exit code 3");
    session.types("q");
    let end = session.end();
    assert!(end.restored && !end.contains(CANARY));
}

#[test]
fn without_colour_no_colour_is_sent_and_tags_say_the_same() {
    let mut session =
        ceremony::start_with("whole", 24, 80, &[("NO_COLOR", "1"), ("TERM", "vt100")]);
    session.sees("REHEARSAL: throwaway keys");
    session.sees("-----");
    session.types("q");
    let end = session.end();
    for colour in ["\x1b[31m", "\x1b[33m", "\x1b[36m", "\x1b[38;", "\x1b[48;"] {
        assert!(!end.contains(colour), "{colour:?}");
    }
    assert!(end.bytes.is_ascii());
}

#[test]
fn what_is_no_terminal_is_refused_before_anything_begins() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["scripted_ceremony", "--exact", "--nocapture"])
        .env(ceremony::SCENARIO, "whole")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("failure: the terminal cannot be used"),
        "{text}"
    );
    assert!(!output.stdout.contains(&0x1b));
}

#[test]
fn the_home_screen_gives_what_was_chosen() {
    let cases = [
        ("\x1b[B\x1b[B\r", "", "choice: Rehearse"),
        ("q", "", "choice: Quit"),
        (
            "\r",
            "room.toml\rin\rout\r",
            "choice: Run { script: \"renew.toml\", room: \"room.toml\", input: \"in\", out: \"out\" }",
        ),
        (
            "jjj\r",
            "1.root.json\tbundle\r",
            "choice: Verify { trusted_root: \"1.root.json\", path: \"bundle\" }",
        ),
    ];
    for (keys, fields, choice) in cases {
        let mut session = ceremony::start("home", 24, 80);
        session.sees("What are we doing today?");
        session.sees("Renew the root");
        session.types(keys);
        if !fields.is_empty() {
            session.sees("Waiting for: the paths");
            session.types(fields);
        }
        let end = session.end();
        assert!(end.text().contains(choice), "{}", end.text());
        assert!(end.restored);
    }
}
