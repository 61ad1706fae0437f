//! The pages of a share: shown once, typed from the paper, wiped; whole or not at all, whatever becomes of the terminal.

use tuf_ceremony::backup::{Scheme, sheet, split};
use tuf_ceremony::ceremony::port::{Operator, Sink, Stop};
use tuf_ceremony::ceremony::prompt::SharePrompt;
use tuf_ceremony::secret::Secret;
use tuf_ceremony::tuf::digest::Sha256;

use crate::screen::Session;
use crate::terminal::ceremony;

const SHOW: &str = "Press Enter to show it; then it is typed from the paper.";
const SHOWN: &str = "Esc: stop.";
const FIELD: &str = ", from the paper.";
const WIPE: &str = "\x1b[2J\x1b[3J";

/// A share is handed out; what was typed is compared with it.
pub(super) fn share(operator: &mut dyn Operator, sink: &mut dyn Sink) -> Result<String, Stop> {
    for event in ceremony::opening() {
        sink.record(&event).unwrap();
    }
    let scheme = Scheme::new("", 2, 3).unwrap();
    let secret = Secret::random(32).unwrap();
    let (_, shares) = split(&secret, scheme, Sha256::of(b"backup")).unwrap();
    let prompt = SharePrompt {
        custodian: "ada".to_owned(),
        index: Some(2),
        text: vec!["Everybody but ada turns away.".to_owned()],
        after: None,
    };
    let typed = operator.share(&prompt, Some(sheet::written(&shares[1]).unwrap()))?;
    let read = sheet::read("ada", &typed).unwrap();
    let same = read.commitment() == shares[1].commitment();
    Ok(format!("share typed right {same}"))
}

fn to_the_share() -> Session {
    let mut session = ceremony::start("share", 24, 80);
    session.sees("Waiting for: Enter, to begin");
    session.types("\r");
    session.sees(SHOW);
    session
}

/// The six lines, as a custodian writes them down.
fn show(session: &mut Session) -> Vec<String> {
    session.types("\r");
    session.sees(SHOWN);
    let screen = session.screen();
    assert!(
        screen.contains("Only ada looks at this screen."),
        "{screen}"
    );
    let words: Vec<&str> = screen
        .lines()
        .filter(|row| row.starts_with("  ") && row.split_whitespace().count() >= 4)
        .flat_map(str::split_whitespace)
        .filter(|word| word.parse::<u8>().is_err())
        .collect();
    assert_eq!(words.len(), 48, "{screen}");
    words.chunks(8).map(|line| line.join(" ")).collect()
}

fn to_the_field(session: &mut Session) -> Vec<String> {
    let lines = show(session);
    session.types("\r");
    session.sees(FIELD);
    lines
}

fn assert_no_word(screen: &str, lines: &[String]) {
    let found = lines.iter().flat_map(|line| line.split(' '));
    let found: Vec<_> = found.filter(|word| screen.contains(word)).collect();
    assert!(found.is_empty(), "{found:?} on\n{screen}");
}

#[test]
fn no_other_key_leaves_the_share_and_no_key_but_text_enters_its_field() {
    let mut session = to_the_share();
    let lines = show(&mut session);
    let shown = session.screen();
    session.types("qs?xL \t\x15\x7f\x1a\x1c\x1b[A\x1b[5~\x1bOP\x1b[[A\x1b[15~");
    session.rests();
    assert_eq!(session.screen(), shown);
    session.types("\r");
    session.sees(FIELD);
    assert_no_word(&session.screen(), &lines);
    session.types("\r\x1b[A\x1b[15~\x1a\x1cwrong\x7f\x15");
    session.types(&format!("{}\t\x1b[D", lines[0]));
    // All that was typed, before it is cleared again.
    session.sees(lines[0].split(' ').next_back().unwrap());
    session.types("\x15");
    session.sees(" 1  _");
    // A line that is much too long is cut, not fatal; then the whole sheet at once.
    session.types(&"aardvark ".repeat(600));
    session.types("\r");
    session.sees("[FAIL] line 1 has");
    session.types("\x15");
    session.sees(" 1  _");
    session.types(&format!("{}\r", lines.join("\r")));
    session.sees("Finished, exit code 0");
    session.types("q");
    let end = session.end();
    assert!(
        end.text().contains("share typed right true"),
        "{}",
        end.text()
    );
    assert!(end.restored);
}

#[test]
fn another_size_takes_the_share_away_and_keeps_what_was_typed() {
    let mut session = to_the_share();
    show(&mut session);
    session.resize(30, 100);
    session.sees(SHOW);
    let lines = to_the_field(&mut session);
    session.types(&format!("{}\r", lines[0]));
    session.sees(" 2  _");
    session.types(&lines[1]);
    session.sees(lines[1].split(' ').next_back().unwrap());
    session.resize(20, 60);
    session.sees("Enlarge the screen to 80 columns and 24 rows.");
    assert_no_word(&session.screen(), &lines);
    // What cannot be seen is neither typed nor sent.
    session.types("x\r");
    session.rests();
    session.resize(24, 80);
    session.sees(FIELD);
    session.sees(" 1  [ OK ]");
    session.types("\r");
    session.sees(" 3  _");
    session.types("\x1b");
    session.sees("Pause and save?");
    assert_no_word(&session.screen(), &lines);
    session.types("\x1b");
    session.sees(SHOW);
    assert_eq!(to_the_field(&mut session), lines);
    session.types(&format!("{}\r", lines.join("\r")));
    session.sees("Finished, exit code 0");
}

#[test]
fn a_signal_at_either_page_wipes_it_and_restores_the_terminal() {
    for typing in [false, true] {
        let mut session = to_the_share();
        let lines = show(&mut session);
        if typing {
            session.types("\r");
            session.sees(FIELD);
            session.types(&lines[0]);
            session.sees(lines[0].split(' ').next_back().unwrap());
        }
        let before = session.bytes().len();
        session.signal("TERM");
        let end = session.end();
        let after = String::from_utf8_lossy(&end.bytes[before..]).into_owned();
        assert!(after.contains(WIPE), "typing {typing}: {}", end.text());
        assert_no_word(&after, &lines);
        assert!(end.restored && end.text().contains("stopped by a person"));
    }
}
