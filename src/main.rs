//! Arguments, then a shell, then an exit code; nothing else.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use tuf_ceremony::cli::args::{Command, RehearseArgs, RunArgs, VerifyArgs};
use tuf_ceremony::cli::{self, Exit, rehearse, run};
use tuf_ceremony::token::worker;
use tuf_ceremony::tui::{HomeChoice, session};

fn main() -> ExitCode {
    let (mut out, mut err) = (stdout(), stderr());
    let command = match cli::parse(&mut out, &mut err) {
        Ok(cli) => cli.command,
        Err(exit) => return exit.into(),
    };
    let exit = match command {
        Some(Command::TokenWorker) => return worker::serve(),
        Some(Command::TokenKeeper) => return worker::keep(),
        Some(Command::Run(args)) if !args.headless && !args.plan => {
            ceremony(&args, &mut out, &mut err)
        }
        Some(Command::Rehearse(args)) if !args.headless && session::has_screen() => {
            rehearsal(&args, &mut out, &mut err)
        }
        Some(command) => cli::run(&command, &mut out, &mut err),
        None => home(&mut out, &mut err),
    };
    exit.into()
}

fn ceremony(args: &RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    run::end(
        run::paths(args).and_then(|paths| session::ceremony(&paths)),
        out,
        err,
    )
    .unwrap_or(Exit::InputOutput)
}

fn rehearsal(args: &RehearseArgs, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let result = session::rehearse(&args.wish(), &mut |line| {
        let _ = writeln!(out, "{}", cli::print::plain(line));
    });
    rehearse::tell(result, err).unwrap_or(Exit::InputOutput)
}

fn home(out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    match session::home() {
        Ok(HomeChoice::Run {
            script,
            room,
            input,
            out: output,
        }) => {
            let args = RunArgs {
                script,
                room,
                input,
                output,
                plan: false,
                headless: false,
                answers: None,
                pin_fd: None,
            };
            ceremony(&args, out, err)
        }
        Ok(HomeChoice::Rehearse) => rehearsal(&RehearseArgs::default(), out, err),
        Ok(HomeChoice::Verify { trusted_root, path }) => {
            let args = VerifyArgs {
                trusted_root,
                paths: vec![path],
                at: None,
                rehearsal: false,
                json: false,
            };
            cli::run(&Command::Verify(args), out, err)
        }
        Ok(HomeChoice::Quit) => Exit::Done,
        Err(failure) => run::end(Err(failure), out, err).unwrap_or(Exit::InputOutput),
    }
}
