//! The ceremonies without a screen, and the commands that only read: `verify`, `resolve`, `inspect`, `review`, `merge`, `attest`, `claim`, `incident`, `rstuf`.

pub mod args;
pub mod attest;
pub mod claim;
pub mod incident;
pub mod inspect;
pub mod merge;
pub mod operator;
pub mod print;
pub mod rehearse;
pub mod resolve;
pub mod review;
pub mod rstuf;
pub mod run;
pub mod tokens;
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

impl Exit {
    /// The exit with this number.
    pub fn of(code: u8) -> Self {
        match code {
            0 => Self::Done,
            1 => Self::Refused,
            2 => Self::Usage,
            3 => Self::Stopped,
            4 => Self::Token,
            _ => Self::InputOutput,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What a command answers: how it ended, or that its own output could not be written.
pub type Answer = std::io::Result<Exit>;

/// Parses the command line. Help, the version and usage errors are printed here; then the exit is given instead.
///
/// # Errors
/// How the program ends without doing anything.
pub fn parse(out: &mut dyn Write, err: &mut dyn Write) -> Result<Cli, Exit> {
    Cli::try_parse().map_err(|error| {
        let shown = error.render();
        if error.use_stderr() {
            settle(write!(err, "{shown}").map(|()| Exit::Usage))
        } else {
            settle(write!(out, "{shown}").map(|()| Exit::Done))
        }
    })
}

/// Does what a command says, without a screen. `out` gets results, `err` what is for people only.
pub fn run(command: &Command, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let answer = match command {
        Command::Run(args) => run::run(args, out, err),
        Command::Rehearse(args) => rehearse::run(args, out, err),
        Command::Verify(args) => verify::run(args, out),
        Command::Resolve(args) => resolve::run(args, out, err),
        Command::Inspect(args) => inspect::run(args, out, err),
        Command::Review(args) => review::run(args, out, err),
        Command::Tokens(args) => tokens::run(args, out, err),
        Command::Merge(args) => merge::run(args, out, err),
        Command::Attest(args) => attest::run(args, out, err),
        Command::Claim(args) => claim::run(args, out, err),
        Command::Incident(args) => incident::run(args, out, err),
        Command::Rstuf(args) => rstuf::run(args, out, err),
        // The program's own; `main` takes them before a shell is asked.
        Command::TokenWorker | Command::TokenKeeper => Ok(Exit::Usage),
    };
    settle(answer.and_then(|exit| out.flush().map(|()| exit)))
}

// A reader that went away (`tuf-ceremony verify … | head`) is not a panic; the exit code says that the output is not whole.
fn settle(answer: Answer) -> Exit {
    answer.unwrap_or(Exit::InputOutput)
}
