//! Sessions of the room on the screen: the home screen, the opening page from what a session knows, the ceremony on its thread, the finish page from how it
//! ended.

use std::io::{IsTerminal, stdin, stdout};
use std::path::{Path, PathBuf};

use super::{Failure as ScreenFailure, Finish, Home, HomeChoice, ScriptEntry, Start, run};
use crate::bundle::files;
use crate::ceremony::script::{SCHEMA, Script};
use crate::room::failure::Failure;
use crate::room::rehearsal::{self, Wish};
use crate::room::session::{Done, Paths, Session};
use crate::room::{clock, hardening};

/// Whether people can see and type.
pub fn has_screen() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// Shows the home screen with the scripts that lie here or in `ceremony-scripts/`.
///
/// # Errors
/// [`Failure`]: there is no terminal.
pub fn home() -> Result<HomeChoice, Failure> {
    if !has_screen() {
        return Err(Failure::usage(
            "the screens need a terminal; `tuf-ceremony --help` lists what works without one",
        ));
    }
    super::home(Home {
        scripts: scripts(),
        clock: Box::new(clock::corner),
        ascii: false,
    })
    .map_err(|failure| screen(&failure))
}

/// Runs a ceremony with people at the screen.
///
/// # Errors
/// [`Failure`]: how the ceremony ended, or that the terminal cannot be used.
pub fn ceremony(paths: &Paths) -> Result<Done, Failure> {
    let keeper = hardening::harden().map_err(Failure::disk)?;
    show(Session::open(paths, &keeper)?, &[])
}

/// Rehearses with people at the screen. Gives the exit code.
///
/// # Errors
/// [`Failure`].
pub fn rehearse(wish: &Wish, say: &mut dyn FnMut(&str)) -> Result<u8, Failure> {
    let hint = format!(
        "This is a rehearsal. The PIN of every token is {}.",
        rehearsal::PIN
    );
    rehearsal::rehearse(wish, say, &mut |session, batch| {
        let told = batch.map(|batch| format!("The other machine has the batch digest {batch}."));
        let hints: Vec<String> = std::iter::once(hint.clone()).chain(told).collect();
        show(session, &hints)
    })
}

/// Runs a session with people at the screen. `hints` are shown on the opening page below what the session says.
fn show(session: Session, hints: &[String]) -> Result<Done, Failure> {
    let mut today = session.today();
    today.extend_from_slice(hints);
    let start = Start {
        mode: session.mode(),
        title: session.title().to_owned(),
        today,
        ceremony: session.ceremony(),
        trusted_root: session.trusted_root(),
        clock: Box::new(clock::corner),
        ascii: false,
    };
    run(start, move |operator, sink| {
        let result = session.run(operator, sink);
        let finish = finish(&result);
        (result, finish)
    })
    .unwrap_or_else(|failure| Err(screen(&failure)))
}

fn finish(result: &Result<Done, Failure>) -> Finish {
    match result {
        Ok(done) => Finish {
            code: 0,
            text: vec![
                if done.was_closed {
                    "This ceremony was finished before; nothing was done.".to_owned()
                } else {
                    "The ceremony is finished.".to_owned()
                },
                format!("The bundle to be carried away: {}", done.bundle.display()),
            ],
            head: done.head,
        },
        Err(failure) => Finish {
            code: failure.code,
            text: failure.lines.clone(),
            head: None,
        },
    }
}

fn screen(failure: &ScreenFailure) -> Failure {
    let code = match failure {
        ScreenFailure::NotBegun => 3,
        ScreenFailure::Terminal(_) | ScreenFailure::Fault(_) => 5,
    };
    Failure {
        code,
        lines: vec![failure.to_string()],
    }
}

fn scripts() -> Vec<ScriptEntry> {
    let folders = [Path::new("."), Path::new("ceremony-scripts")];
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            Some(ScriptEntry {
                title: title(&path)?,
                path,
            })
        })
        .collect()
}

/// The title of a ceremony script, or why it is refused; `None` for a file that is no ceremony script.
fn title(path: &Path) -> Option<String> {
    let bytes = files::read(path, files::SMALL_CAP).ok()?;
    let ours = String::from_utf8_lossy(&bytes).contains(SCHEMA);
    ours.then(
        || match Script::parse(&path.display().to_string(), &bytes) {
            Ok(script) => script.title,
            Err(finding) => format!("refused: {}", finding.text),
        },
    )
}
