//! A backup at the screen: custodians read their shares from it and type them from the paper, and open the backup with them in the drill after it.

use std::collections::BTreeMap;

use portable_pty::CommandBuilder;
use tuf_ceremony::room::rehearsal::PIN;

use crate::support::stage::PROGRAM;
use crate::support::terminal::Session;
use crate::{FINISHED, leave};

const DEALT: &str = "Press Enter to show it; then it is typed from the paper.";
const ASKED: &str = "Press Enter to type it from the paper.";

/// The six lines on the screen, as a custodian writes them down.
fn written(screen: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for row in screen.lines() {
        let words: Vec<&str> = row.split_whitespace().collect();
        match words[..] {
            [number, ref words @ ..] if words.len() == 4 && number.parse::<u8>().is_ok() => {
                lines.push(words.join(" "));
            }
            ref words if words.len() == 4 && row.starts_with("     ") => {
                let line = lines.last_mut().unwrap();
                line.push(' ');
                line.push_str(&words.join(" "));
            }
            _ => {}
        }
    }
    assert_eq!(lines.len(), 6, "{screen}");
    assert!(
        lines.iter().all(|line| line.split(' ').count() == 8),
        "{screen}"
    );
    lines
}

fn type_sheet(session: &mut Session, sheet: &[String]) {
    session.sees("from the paper. A word that cannot be read is typed as ?.");
    for (number, line) in (1..).zip(sheet) {
        session.types(&format!("{line}\r"));
        if number < sheet.len() {
            session.sees(&format!(" {}  _", number + 1));
        }
    }
}

#[test]
fn shares_are_written_down_typed_from_the_paper_and_open_the_backup_in_the_drill() {
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["rehearse", "restore-drill", "--require-softhsm"]);
    command.env("TERM", "linux");
    let mut session = Session::start(command, 24, 80);
    let mut sheets = BTreeMap::new();
    for custodian in ["ada", "ben", "cleo", "dov", "eli"] {
        session.answers_until(DEALT, PIN);
        session.sees(&format!("for {custodian}"));
        session.types("\r");
        session.sees(&format!("Only {custodian} looks at this screen"));
        session.sees("Esc: stop.");
        let sheet = written(&session.screen());
        session.types("\r");
        if custodian == "ben" {
            // A slip of the pen is told by its line, and the line stands to be corrected.
            session.sees("from the paper. A word");
            let slip = sheet[0].replacen(sheet[0].split(' ').next().unwrap(), "?", 1);
            session.types(&format!("{slip}\r"));
            session.sees("[FAIL] line 1");
            session.types("\x15");
            session.sees(" 1  _");
        }
        type_sheet(&mut session, &sheet);
        sheets.insert(custodian, sheet);
    }
    session.answers_until(FINISHED, PIN);
    // The next ceremony of the rehearsal.
    session.types("q");
    for custodian in ["ada", "cleo", "dov", "eli"] {
        session.answers_until(ASKED, PIN);
        session.sees(&format!("The share of {custodian}"));
        session.types("\r");
        type_sheet(&mut session, &sheets[custodian]);
    }
    session.answers_until(FINISHED, PIN);
    let (page, _) = leave(session, 0);
    assert!(page.contains("7 of 7 steps done"), "{page}");
}
