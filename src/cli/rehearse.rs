//! `rehearse`: throwaway tokens in a temporary folder, the example scripts, one ceremony after the other.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::RehearseArgs;
use super::operator::Printer;
use super::{Answer, Exit, print};
use crate::room::failure::Failure;
use crate::room::rehearsal::{self, Rehearser, Stage};
use crate::room::session::Session;

/// Names the folder of a rehearsal to the program that was started again with SoftHSM's configuration in its environment.
pub const WORK_VARIABLE: &str = "TUF_CEREMONY_REHEARSAL";

/// Runs the rehearsal without a screen.
///
/// # Errors
/// The output cannot be written.
pub fn headless(args: &RehearseArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let mut each =
        |session: Session, out: &mut dyn Write| session.run(&mut Rehearser, &mut Printer::new(out));
    tell(rehearse(args, out, &mut each), err)
}

/// Runs the rehearsal, each ceremony as `each` does.
pub fn run(
    args: &RehearseArgs,
    each: &mut Each<'_>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    tell(rehearse(args, out, each), err).unwrap_or(Exit::InputOutput)
}

fn tell(result: Result<Exit, Failure>, err: &mut dyn Write) -> Answer {
    match result {
        Ok(exit) => Ok(exit),
        Err(failure) => {
            for line in &failure.lines {
                writeln!(err, "{}", print::plain(line))?;
            }
            Ok(Exit::of(failure.code))
        }
    }
}

/// How one ceremony of a rehearsal is run: with or without a screen.
pub type Each<'a> =
    dyn FnMut(Session, &mut dyn Write) -> Result<crate::room::session::Done, Failure> + 'a;

/// Sets the stage and runs the ceremonies of the tour.
///
/// # Errors
/// [`Failure`].
pub fn rehearse(
    args: &RehearseArgs,
    out: &mut dyn Write,
    each: &mut Each<'_>,
) -> Result<Exit, Failure> {
    let tour = rehearsal::tour(args.kind.as_deref())?;
    let softhsm = rehearsal::softhsm().is_some() && !args.software;
    if args.require_softhsm && !softhsm {
        return Err(Failure::usage(
            "SoftHSM2's module is not installed, and --require-softhsm was given (Debian: apt-get install softhsm2)",
        ));
    }
    let Some(work) = work_folder() else {
        return start_again(args, softhsm);
    };
    let say = |out: &mut dyn Write, line: &str| {
        writeln!(out, "{}", print::plain(line)).map_err(|fault| Failure::disk(fault.to_string()))
    };
    let mut stage = Stage::set(&work, softhsm)?;
    say(out, &format!("rehearsal with {}", stage.tokens()))?;
    let mut bundle = PathBuf::new();
    for name in tour {
        bundle = bundles(args, &work).join(name);
        let session = stage.session(name, &bundle)?;
        let done = each(session, out)?;
        for line in &done.lines {
            say(out, line)?;
        }
        stage.give_back(done.modules);
    }
    say(
        out,
        &format!("the last bundle is {}; it verified", bundle.display()),
    )?;
    Ok(Exit::Done)
}

/// Where the bundles go.
fn bundles(args: &RehearseArgs, work: &Path) -> PathBuf {
    args.output.clone().unwrap_or_else(|| work.join("bundles"))
}

#[allow(
    clippy::disallowed_methods,
    reason = "the rehearsal's own variable, set by itself"
)]
fn work_folder() -> Option<PathBuf> {
    std::env::var_os(WORK_VARIABLE).map(PathBuf::from)
}

/// SoftHSM reads its configuration from the environment when its module is loaded, and a program cannot safely change its own: so the rehearsal starts
/// the same program again with the same arguments.
fn start_again(args: &RehearseArgs, softhsm: bool) -> Result<Exit, Failure> {
    let disk = |fault: std::io::Error| Failure::disk(fault.to_string());
    let folder = tempfile::Builder::new()
        .prefix("tuf-ceremony-rehearsal-")
        .tempdir()
        .map_err(disk)?;
    if softhsm {
        Stage::write_softhsm_conf(folder.path())?;
    }
    let status = std::process::Command::new(std::env::current_exe().map_err(disk)?)
        .args(std::env::args_os().skip(1))
        .env(WORK_VARIABLE, folder.path())
        .env("SOFTHSM2_CONF", rehearsal::softhsm_conf(folder.path()))
        .status()
        .map_err(disk)?;
    if args.output.is_none() {
        // The bundle is what people want to look at; the tokens protect nothing.
        let _ = folder.keep();
    }
    Ok(Exit::of(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(5),
    ))
}
