//! The same tree at the screen: a rehearsal in a real terminal, answered by keys alone.

use portable_pty::CommandBuilder;
use tuf_ceremony::room::rehearsal;

use crate::support::peers::Sitter;
use crate::support::stage::PROGRAM;
use crate::support::terminal::Session;
use crate::{Rehearsed, online};

const PROJECTS: usize = 30;

/// What people type where the screen asks for more than what stands there.
fn own(screen: &str) -> Option<String> {
    let answer = |asked: &str, keys: &str| screen.contains(asked).then(|| format!("{keys}\r"));
    let _ = answer;
    None
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
    for _ in ["genesis", "claim", "rotate-dev"] {
        session.answers_with("Finished, exit code 0", rehearsal::PIN, &mut own);
        session.types("q");
    }
    let end = session.end();
    assert!(end.restored && end.code == 0, "{}", end.text());
    let rehearsed = Rehearsed {
        folder,
        online: online(PROJECTS),
    };
    rehearsed.follow(Sitter::PythonTuf701, None, &rehearsed.fates());
}
