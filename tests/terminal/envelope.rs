//! The page of a new secret: shown once, past everything that keeps what it draws; wiped; compared with the paper.

use crate::screen::Session;
use crate::terminal::ceremony::{self, NEW_SECRET, SHOWN};

/// From the opening page to the page before the secret.
fn to_the_envelope() -> Session {
    let mut session = ceremony::start("envelope", 24, 80);
    session.sees("Waiting for: Enter, to begin");
    session.types("\r");
    session.sees("Type:  the serial on the device");
    session.types("\r");
    session.sees("Nothing was typed.");
    // A key touched by accident types this by itself.
    session.types("cccccclttcfvlndenngvnkrrtvfctkcrncbfbdtjvvvv\r");
    session.sees("one-time password");
    session.types("\t");
    session.sees("Tab type");
    session.types("\t 21073412\r");
    session.sees("Touch the key that blinks");
    session.sees("Press Enter to show it.");
    session
}

fn show(session: &mut Session) {
    session.types("\r");
    session.sees(SHOWN);
    let screen = session.screen();
    assert!(screen.contains("TURN THE CAMERA AWAY."), "{screen}");
    assert!(screen.contains("SO PIN of bob, token 21073412"), "{screen}");
}

/// How often the secret went to the terminal.
fn times(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    assert!(!text.contains(NEW_SECRET), "in one piece");
    text.matches(SHOWN).count()
}

#[test]
fn a_new_secret_is_seen_once_wiped_and_compared_with_the_paper() {
    let mut session = to_the_envelope();
    assert_eq!(times(&session.bytes()), 0);
    show(&mut session);
    session.types("\r");
    session.sees("From the paper: _");
    assert!(!session.screen().contains(SHOWN), "{}", session.screen());
    let bytes = String::from_utf8_lossy(&session.bytes()).into_owned();
    let (_, after) = bytes.split_once(SHOWN).unwrap();
    let wiped = after.find("\x1b[2J\x1b[3J").unwrap();
    let next = after.find("From the paper").unwrap();
    assert!(wiped < next, "wiped, what is kept above the screen too");
    session.types(NEW_SECRET);
    session.sees("From the paper: ********");
    session.types("\r");
    session.sees("Finished, exit code 0");
    session.types("q");
    let end = session.end();
    assert!(
        end.text().contains("result: serial 21073412, kept true"),
        "{}",
        end.text()
    );
    assert!(end.restored && times(&end.bytes) == 1, "{}", end.text());
}

#[test]
fn another_text_on_the_paper_is_told_and_the_secret_shown_again() {
    let mut session = to_the_envelope();
    show(&mut session);
    session.types("\r");
    session.sees("From the paper: _");
    session.types("kqx7wmfr4tcv9ehh\r");
    session.sees("What was typed is not");
    assert_eq!(times(&session.bytes()), 1, "not before Enter");
    show(&mut session);
    session.types("\r");
    session.sees("From the paper: _");
    session.types(NEW_SECRET);
    session.types("\r");
    session.sees("Finished, exit code 0");
    session.types("q");
    let end = session.end();
    assert!(
        end.text().contains("kept true") && times(&end.bytes) == 2,
        "{}",
        end.text()
    );
}

#[test]
fn esc_and_another_size_wipe_the_secret_and_nothing_is_kept() {
    let mut session = to_the_envelope();
    show(&mut session);
    session.resize(30, 100);
    session.sees("Press Enter to show it.");
    assert!(!session.screen().contains(SHOWN), "{}", session.screen());
    session.types("\r");
    session.sees(SHOWN);
    session.types("\x1b");
    session.sees("Pause and save?");
    assert!(!session.screen().contains(SHOWN), "{}", session.screen());
    session.types("p");
    session.sees("the end: stopped by a person");
    session.types("q");
    let end = session.end();
    assert!(end.restored && times(&end.bytes) == 2, "{}", end.text());
}

#[test]
fn a_signal_while_the_secret_stands_there_wipes_it_and_restores_the_terminal() {
    let mut session = to_the_envelope();
    show(&mut session);
    session.signal("TERM");
    let end = session.end();
    let text = String::from_utf8_lossy(&end.bytes).into_owned();
    let (_, after) = text.split_once(SHOWN).unwrap();
    assert!(after.contains("\x1b[2J\x1b[3J"), "{}", end.text());
    assert!(end.restored && times(&end.bytes) == 1, "{}", end.text());
}
