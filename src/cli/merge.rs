//! `merge`.

use std::io::Write;

use super::Answer;
use super::args::MergeArgs;

/// Does it.
///
/// # Errors
/// What the writer says.
pub fn run(args: &MergeArgs, out: &mut dyn Write, _err: &mut dyn Write) -> Answer {
    let _ = (args, out);
    todo!()
}
