//! `verify`.

use std::io::Write;

use super::Answer;
use super::args::VerifyArgs;

/// Does it.
///
/// # Errors
/// What the writer says.
pub fn run(args: &VerifyArgs, out: &mut dyn Write) -> Answer {
    let _ = (args, out);
    todo!()
}
