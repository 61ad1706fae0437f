//! The same tree at the screen: a rehearsal in a real terminal, answered by keys alone.

use portable_pty::CommandBuilder;
use tuf_ceremony::room::rehearsal;

use crate::support::peers::Sitter;
use crate::support::stage::PROGRAM;
use crate::support::terminal::Session;
use crate::{Rehearsed, online};

const PROJECTS: usize = 60;

const DOWN: &str = "\x1b[B";

/// What people type where the screen asks for more than what stands there.
fn own(screen: &str, batch: &mut String) -> Option<String> {
    let told: String = screen.split_whitespace().collect();
    if let Some((_, digest)) = told.split_once("hasthebatchdigest") {
        *batch = digest.chars().take(16).collect();
    }
    if screen.contains("Type:  the digits that the other machine printed") {
        return Some(format!("{batch}\r"));
    }
    if screen.contains("Type:  the throws, at least ten") {
        return Some("4 2 6 1 1 5 3 6 2 4\r".to_owned());
    }
    if let Some(keys) = reading(screen) {
        return Some(keys.to_owned());
    }
    // The first choice leaves the request for the next claim.
    let decides = screen.contains("it is done in this ceremony") && screen.contains("\n   > ");
    let doubtful = screen.contains("LOOK  ") || screen.contains("SEE  ");
    (decides && !doubtful).then(|| format!("{DOWN}\r"))
}

/// The keys for the review of a large claimed: its summary to the end, then everything of the watch list and the spot checks.
fn reading(screen: &str) -> Option<&'static str> {
    if screen.contains("Waiting for: the summary to be read to its end") {
        Some("\x1b[6~\x1b[6~\x1b[6~")
    } else if screen.contains("Waiting for: the watch list and the spot checks") {
        Some(if screen.contains("space seen") {
            "  n"
        } else {
            "n"
        })
    } else if screen.contains("All is seen: S to sign.") && !screen.contains("ype exactly") {
        Some("S")
    } else {
        None
    }
}

#[test]
fn a_claim_and_a_rotation_at_the_screen_end_in_a_repository_that_python_follows() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(PROGRAM);
    command.args(["rehearse", "rotate-dev", "--require-softhsm"]);
    command.arg(format!("--projects={PROJECTS}"));
    command.arg("--out");
    command.arg(folder.path());
    command.env("TMPDIR", folder.path());
    command.env("TERM", "linux");
    command.env_remove("NO_COLOR");
    let mut session = Session::start(command, 24, 80);
    let mut batch = String::new();
    for act in ["genesis", "claim", "rotate-dev"] {
        session.sees("Waiting for: Enter, to begin");
        let mut own = |screen: &str| own(screen, &mut batch);
        session.answers_with("Finished, exit code", rehearsal::PIN, &mut own);
        assert!(
            session.screen().contains("exit code 0"),
            "{act}: {}",
            session.screen()
        );
        session.types("q");
    }
    let end = session.end();
    assert!(end.restored && end.code == 0, "{}", end.text());
    let rehearsed = Rehearsed {
        folder,
        online: online(PROJECTS, 0),
    };
    rehearsed.follow(Sitter::PythonTuf701, None, &rehearsed.fates());
}
