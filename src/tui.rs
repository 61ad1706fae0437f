//! The terminal UI: what is asked, what has happened and what is waited for, on any text terminal of 80 columns and 24 rows or more.
//!
//! The ceremony runs on a thread of its own and talks to the screen through its ports [`Operator`] and [`Sink`]; the screen never blocks on a
//! token. [`run`] owns the terminal from the opening page to the finish page and restores it on every way out. This room knows steps, prompts
//! and events, not kinds of ceremony; it does not read the clock, the disk or a token.
//!
//! ```no_run
//! # use tuf_ceremony::tui::{run, Finish, Start};
//! # fn example(start: Start) -> Result<u8, tuf_ceremony::tui::Failure> {
//! run(start, |operator, sink| {
//!     // room::run(script, operator, sink) goes here
//!     # let _ = (operator, sink);
//!     (0, Finish { code: 0, text: vec!["root v8 is valid.".to_owned()], head: None })
//! })
//! # }
//! ```

mod app;
mod envelope;
mod glyphs;
mod home;
mod model;
mod operator;
mod page;
mod pin;
mod reading;
mod searching;
pub mod session;
mod share;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod update;
mod view;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;

use operator::{Ends, Message, TuiOperator, TuiSink};
use terminal::{Hush, Signals};

use crate::ceremony::event::Mode;
use crate::ceremony::port::{Operator, Sink};
use crate::tuf::digest::Sha256;

/// Gives the text for the top right corner: UTC, `2026-11-22 11:24 UTC`. The wall clock itself belongs to the caller.
pub type Clock = Box<dyn Fn() -> String + Send>;

/// What the opening page says. Texts may be untrusted: they are escaped when drawn.
pub struct Start {
    /// Rehearsal or production; on every screen.
    pub mode: Mode,
    /// The script's title; on every screen.
    pub title: String,
    /// What is to be done, line by line: `Today: root v8. You are holder 4 (bob). 7 steps, about 50 minutes.`
    pub today: Vec<String>,
    /// The ceremony id.
    pub ceremony: Sha256,
    /// SHA-256 of the trusted root's file; none at genesis.
    pub trusted_root: Option<Sha256>,
    /// UTC for the top row.
    pub clock: Clock,
    /// Draw with ASCII only, whatever the terminal says of itself.
    pub ascii: bool,
}

/// What the finish page says, besides the files written and the verdict, which it knows from the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// The exit code: 0 done, 1 refused, 2 bad script, 3 stopped or waiting for signatures, 4 token or PIN, 5 input/output.
    pub code: u8,
    /// The result in plain sentences: what happened, what state things are in, what to do.
    pub text: Vec<String>,
    /// SHA-256 of the transcript's last line, shown in words to be read aloud.
    pub head: Option<Sha256>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The terminal cannot be used; the ceremony was not begun.
    #[error(
        "the terminal cannot be used: {0}; nothing was begun. Use a terminal of 80 columns and 24 rows, or run with --headless"
    )]
    Terminal(#[from] std::io::Error),
    /// People left at the opening page.
    #[error("left before the ceremony was begun; nothing was read or written")]
    NotBegun,
    /// A fault in the program; the text names the line of its source, never data.
    #[error(
        "a fault in the program ended the ceremony ({0}). What was recorded is kept: run the same command again to go on from there"
    )]
    Fault(String),
}

/// Shows the opening page, then runs `ceremony` on its own thread while people answer and watch, then shows the finish page until they leave it.
/// Gives what the ceremony gave. The sink wants every event of the ceremony in order, on resume the recorded ones first: it folds them into what
/// the pages show. If the terminal is lost in between, or SIGTERM or SIGHUP comes, the terminal is restored, the open question and
/// all later ones are answered with a [`Stop`](crate::ceremony::port::Stop), and the ceremony's own result is given.
///
/// # Errors
/// [`Failure`].
pub fn run<T, F>(start: Start, ceremony: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce(&mut dyn Operator, &mut dyn Sink) -> (T, Finish) + Send + 'static,
{
    let hush = Hush::new();
    let signals = Signals::watch()?;
    let (screen, messages) = channel();
    let (begin, gate) = channel::<()>();
    let ends = Ends::default();
    let mut operator = TuiOperator {
        screen: screen.clone(),
        ends: ends.clone(),
    };
    let worker = thread::Builder::new()
        .name("ceremony".to_owned())
        .spawn(move || {
            gate.recv().ok()?;
            let mut sink = TuiSink {
                screen: screen.clone(),
            };
            let (result, finish) = ceremony(&mut operator, &mut sink);
            // A screen that is gone shows no finish page; the result is given all the same.
            let _ = screen.send(Message::Finished(finish));
            Some(result)
        })?;
    let shown = catch_unwind(AssertUnwindSafe(|| {
        app::show(start, messages, begin, &ends, &signals)
    }));
    // The terminal is restored. From here on signals end the program, should a token never answer.
    drop(signals);
    match (worker.join(), shown) {
        (Err(_), _) | (_, Err(_)) => Err(Failure::Fault(hush.place())),
        (Ok(Some(result)), _) => Ok(result),
        (Ok(None), Ok(Ok(()))) => Err(Failure::NotBegun),
        (Ok(None), Ok(Err(error))) => Err(Failure::Terminal(error)),
    }
}

/// What the home screen offers (`tuf-ceremony` alone).
pub struct Home {
    /// The ceremony scripts found.
    pub scripts: Vec<ScriptEntry>,
    /// UTC for the top row.
    pub clock: Clock,
    /// Draw with ASCII only.
    pub ascii: bool,
}

/// One ceremony script of the home screen's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptEntry {
    /// Its file.
    pub path: PathBuf,
    /// Its title, or why it does not parse.
    pub title: String,
}

/// What people chose on the home screen. The caller does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HomeChoice {
    /// `tuf-ceremony run`.
    Run {
        /// The script's file.
        script: PathBuf,
        /// The room's file.
        room: PathBuf,
        /// The folder carried in.
        input: PathBuf,
        /// The folder to write to.
        out: PathBuf,
    },
    /// `tuf-ceremony rehearse`.
    Rehearse,
    /// `tuf-ceremony verify`.
    Verify {
        /// The trusted root's file.
        trusted_root: PathBuf,
        /// A bundle, folder or file.
        path: PathBuf,
    },
    /// Nothing.
    Quit,
}

/// Shows the home screen until something is chosen. The terminal is restored before it returns.
///
/// # Errors
/// [`Failure::Terminal`], [`Failure::Fault`].
pub fn home(home: Home) -> Result<HomeChoice, Failure> {
    let hush = Hush::new();
    let signals = Signals::watch()?;
    match catch_unwind(AssertUnwindSafe(|| home::show(home, &signals))) {
        Ok(choice) => Ok(choice?),
        Err(_) => Err(Failure::Fault(hush.place())),
    }
}
