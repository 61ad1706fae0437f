//! `review`.

use std::io::Write;

use super::Answer;
use super::args::ReviewArgs;

/// Does it.
///
/// # Errors
/// What the writer says.
pub fn run(args: &ReviewArgs, out: &mut dyn Write, _err: &mut dyn Write) -> Answer {
    let _ = (args, out);
    todo!()
}
