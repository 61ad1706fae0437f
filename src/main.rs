//! Arguments, then a shell, then an exit code; nothing else.

use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tuf_ceremony::cli::args::{Command, RehearseArgs, RunArgs, VerifyArgs};
use tuf_ceremony::cli::{self, Exit, rehearse, run};
use tuf_ceremony::room::failure::Failure;
use tuf_ceremony::room::session::{Done, Session};
use tuf_ceremony::room::{clock, hardening, rehearsal};
use tuf_ceremony::tui::{self, Home, HomeChoice, ScriptEntry};

fn main() -> ExitCode {
    let (mut out, mut err) = (stdout(), stderr());
    let command = match cli::parse(&mut out, &mut err) {
        Ok(cli) => cli.command,
        Err(exit) => return exit.into(),
    };
    let exit = match command {
        Some(Command::Run(args)) if !args.headless => ceremony(&args, &mut out, &mut err),
        Some(Command::Rehearse(args)) if !args.headless && has_screen() => {
            rehearse(&args, &mut out, &mut err)
        }
        Some(command) => cli::run(&command, &mut out, &mut err),
        None => home(&mut out, &mut err),
    };
    exit.into()
}

fn has_screen() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

fn ceremony(args: &RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let result = hardening::harden()
        .map_err(Failure::disk)
        .and_then(|()| run::on_screen(args))
        .and_then(|session| tui::session::show(session, &[]));
    said(result, out, err)
}

fn rehearse(args: &RehearseArgs, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let hint = format!(
        "This is a rehearsal. The PIN of every token is {}.",
        rehearsal::PIN
    );
    let mut each = |session: Session, _: &mut dyn Write| {
        tui::session::show(session, std::slice::from_ref(&hint))
    };
    rehearse::run(args, &mut each, out, err)
}

fn home(out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let home = Home {
        scripts: scripts(),
        clock: Box::new(clock::corner),
        ascii: false,
    };
    let choice = if has_screen() {
        tui::home(home).map_err(|failure| failure.to_string())
    } else {
        Err(
            "the screens need a terminal; `tuf-ceremony --help` lists what works without one"
                .to_owned(),
        )
    };
    match choice {
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
                headless: false,
                answers: None,
                pin_fd: None,
            };
            ceremony(&args, out, err)
        }
        Ok(HomeChoice::Rehearse) => rehearse(&RehearseArgs::default(), out, err),
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
        Err(why) => said(Err(Failure::usage(why)), out, err),
    }
}

fn said(result: Result<Done, Failure>, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    run::end(result, out, err).unwrap_or(Exit::InputOutput)
}

/// The scripts that lie here or in the folder that the project keeps them in.
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
                title: run::title(&path)?,
                path,
            })
        })
        .collect()
}
