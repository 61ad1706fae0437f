//! `rehearse --headless`: throwaway tokens, the example scripts, one ceremony after the other, answered by the program itself.

use std::io::Write;

use super::args::RehearseArgs;
use super::operator::Printer;
use super::{Answer, Exit, print};
use crate::room::failure::Failure;
use crate::room::rehearsal::{self, Rehearser, Wish};

impl RehearseArgs {
    /// What is to be rehearsed.
    pub fn wish(&self) -> Wish {
        Wish {
            kind: self.kind.clone(),
            output: self.output.clone(),
            require_softhsm: self.require_softhsm,
            software: self.software,
            projects: self.projects,
            shards: self.shards,
            claimed: self.claimed,
        }
    }
}

/// Runs the rehearsal without a screen.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &RehearseArgs, out: &mut dyn Write, err: &mut dyn Write) -> Answer {
    let out = std::cell::RefCell::new(out);
    let mut operator = Rehearser::default();
    let result = rehearsal::rehearse(
        &args.wish(),
        &mut |line| {
            let _ = writeln!(out.borrow_mut(), "{}", print::plain(line));
        },
        &mut |session, batch| {
            operator.tell(batch);
            session.run(&mut operator, &mut Printer::new(&mut **out.borrow_mut()))
        },
    );
    tell(result, err)
}

/// Says how a rehearsal ended.
///
/// # Errors
/// The output cannot be written.
pub fn tell(result: Result<u8, Failure>, err: &mut dyn Write) -> Answer {
    match result {
        Ok(code) => Ok(Exit::of(code)),
        Err(failure) => {
            for line in &failure.lines {
                writeln!(err, "{}", print::plain(line))?;
            }
            Ok(Exit::of(failure.code))
        }
    }
}
