//! A session of the room on the screen: the opening page from what the session knows, the ceremony on its thread, the finish page from how it ended.

use super::{Failure as ScreenFailure, Finish, Start, run};
use crate::room::clock;
use crate::room::failure::Failure;
use crate::room::session::{Done, Session};

/// Runs a session with people at the screen. `hints` are shown on the opening page below what the session says.
///
/// # Errors
/// [`Failure`]: how the ceremony ended, or that the terminal cannot be used.
pub fn show(session: Session, hints: &[String]) -> Result<Done, Failure> {
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
            text: done.lines.clone(),
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
