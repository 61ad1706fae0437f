//! Arguments, then a shell, then an exit code; nothing else.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::process::ExitCode;

use tuf_ceremony::cli::args::Command;
use tuf_ceremony::cli::{self, Exit};

fn main() -> ExitCode {
    let (mut out, mut err) = (stdout(), stderr());
    let command = match cli::parse(&mut out, &mut err) {
        Ok(cli) => cli.command,
        Err(exit) => return exit.into(),
    };
    match command {
        Some(command) => cli::run(&command, &mut out, &mut err).into(),
        None if stdin().is_terminal() => Exit::Usage.into(),
        None => Exit::Usage.into(),
    }
}
