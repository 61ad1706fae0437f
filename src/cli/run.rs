//! `run --headless`: a ceremony from files, answers and descriptors.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGINT;
use signal_hook::flag;

use super::args::RunArgs;
use super::operator::{Headless, Printer, Shared};
use super::{Answer, Exit, print};
use crate::ceremony::event::Mode;
use crate::room::answers::Answers;
use crate::room::failure::Failure;
use crate::room::hardening;
use crate::room::pins::PinLines;
use crate::room::session::{Done, Paths, Session};
use crate::tuf::finding::Finding;

/// Runs the ceremony and says how it ended.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    if args.plan {
        return plan(args, out, err);
    }
    end(ceremony(args, out), out, err)
}

fn plan(args: &RunArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    match paths(args).and_then(|paths| Session::plan(&paths)) {
        Ok(planned) => {
            for line in planned.text.lines() {
                writeln!(out, "{}", print::plain(line))?;
            }
            writeln!(out, "\nSHA-256 of the plan:")?;
            print::digest(out, planned.sha256)?;
            Ok(Exit::Done)
        }
        Err(failure) => end(Err(failure), out, err),
    }
}

/// The files of a `run` with people at the screen.
///
/// # Errors
/// [`Failure`]: options that only a headless run has.
pub fn paths(args: &RunArgs) -> Result<Paths, Failure> {
    if !args.headless && (args.answers.is_some() || args.pin_fd.is_some()) {
        return Err(Failure::usage(
            "--answers and --pin-fd are for --headless; at the screen people answer",
        ));
    }
    Ok(Paths {
        script: args.script.clone(),
        room: args.room.clone(),
        input: args.input.clone(),
        output: args.output.clone(),
    })
}

/// Says how a ceremony ended.
///
/// # Errors
/// The output cannot be written.
pub fn end(result: Result<Done, Failure>, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    match result {
        Ok(done) => {
            for line in &done.lines {
                writeln!(out, "{}", print::plain(line))?;
            }
            let bundle = done.bundle.display().to_string();
            writeln!(
                out,
                "The bundle to be carried away: {}",
                print::plain(&bundle)
            )?;
            if let Some(head) = done.head {
                writeln!(out, "transcript head {head}")?;
                writeln!(out, "{}", crate::words::of(&head.0).join(" "))?;
            }
            Ok(Exit::Done)
        }
        Err(failure) => {
            for line in &failure.lines {
                writeln!(err, "{}", print::plain(line))?;
            }
            Ok(Exit::of(failure.code))
        }
    }
}

/// The first Ctrl-C asks the ceremony to stop between two signatures or at the next question; the second one ends the program, which loses nothing that is on
/// record.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let both = flag::register_conditional_default(SIGINT, Arc::clone(&stop))
        .and_then(|_| flag::register(SIGINT, Arc::clone(&stop)));
    both.map_err(|fault| Failure::disk(fault.to_string()))?;
    Ok(stop)
}

fn ceremony(args: &RunArgs, out: &mut dyn Write) -> Result<Done, Failure> {
    let keeper = hardening::harden().map_err(Failure::disk)?;
    let session = Session::open(&paths(args)?, &keeper)?;
    if args.answers.is_some() && session.mode() == Mode::Production {
        let file = args.answers.as_deref().unwrap_or(Path::new(""));
        return Err(Failure::refused(&[Finding::error(
            "ANSWERS-PRODUCTION",
            &file.display().to_string(),
            "answers from a file are for rehearsals; in production people answer",
        )]));
    }
    let answers = args
        .answers
        .as_deref()
        .map(Answers::read)
        .transpose()
        .map_err(|finding| Failure::refused(&[finding]))?;
    let stop = |stop: crate::ceremony::port::Stop| Failure::usage(stop.to_string());
    let pins = args
        .pin_fd
        .map(PinLines::from_descriptor)
        .transpose()
        .map_err(stop)?;
    let out = Shared::new(out);
    let mut operator = Headless {
        answers: answers.unwrap_or_default(),
        pins,
        out: &out,
        stop: stop_on_interrupt()?,
    };
    let done = session.run(&mut operator, &mut Printer::new(&mut &out))?;
    match operator.pins.map(PinLines::finish) {
        Some(Err(unused)) => Err(Failure {
            code: 2,
            lines: vec![
                format!("{unused}."),
                "The ceremony itself is finished.".to_owned(),
            ],
        }),
        _ => Ok(done),
    }
}
