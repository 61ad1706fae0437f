//! The ceremonies without a screen, and the commands that only read: `verify`, `inspect`, `review`, `merge`.

pub mod args;
pub mod inspect;
pub mod merge;
pub mod print;
pub mod review;
pub mod verify;

use std::io::Write;
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;

/// How the program ends; other programs rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Refused by a rule, or verification failed.
    Refused = 1,
    /// Bad usage or script.
    Usage = 2,
    /// Stopped by a person, or a threshold is not reached yet.
    Stopped = 3,
    /// Token or PIN.
    Token = 4,
    /// Input or output.
    InputOutput = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What a command answers: how it ended, or that its own output could not be written.
pub type Answer = std::io::Result<Exit>;

/// Parses the command line and does what it says. `out` gets results, `err` what is for people only.
pub fn run(out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    match Cli::try_parse() {
        Ok(cli) => settle(dispatch(&cli, out, err).and_then(|exit| out.flush().map(|()| exit))),
        Err(error) => {
            let shown = error.render();
            if error.use_stderr() {
                settle(write!(err, "{shown}").map(|()| Exit::Usage))
            } else {
                settle(write!(out, "{shown}").map(|()| Exit::Done))
            }
        }
    }
}

fn dispatch(cli: &Cli, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    match &cli.command {
        None | Some(Command::Run(_) | Command::Rehearse(_) | Command::Tokens(_)) => {
            writeln!(err, "error: not built into this program yet")?;
            Ok(Exit::Usage)
        }
        Some(Command::Verify(args)) => verify::run(args, out),
        Some(Command::Inspect(args)) => inspect::run(args, out, err),
        Some(Command::Review(args)) => review::run(args, out, err),
        Some(Command::Merge(args)) => merge::run(args, out, err),
    }
}

// A reader that went away (`tuf-ceremony verify … | head`) is not a panic; the exit code says that the output is not whole.
fn settle(answer: Answer) -> Exit {
    answer.unwrap_or(Exit::InputOutput)
}
