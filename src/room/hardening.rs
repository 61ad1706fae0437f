//! The process keeps to itself: no core dump, no other process of the same user may read its memory, no socket but to this machine.

use std::path::Path;

use crate::token::worker::{Keeper, Sockets, close_to_others, confine};

/// This program, whatever file has its name by now.
const OURSELVES: &str = "/proc/self/exe";

/// Heeded by the age crate, whatever its value will come to mean.
const AGEDEBUG: &str = "AGEDEBUG";

/// Hardens the process, before any secret is in it, and starts the helper that starts the processes of token modules. There is no module without
/// that helper, and no helper without this.
///
/// It belongs at the beginning and in the main thread: the helper is started before the filter of system calls, which every later child inherits,
/// and ends with the thread that started it.
///
/// # Errors
/// What the kernel refused; nothing secret may be asked for then.
#[allow(
    clippy::disallowed_methods,
    reason = "a variable of a library's that must not be there"
)]
pub fn harden() -> Result<Keeper, String> {
    if std::env::var_os(AGEDEBUG).is_some() {
        let text = "it has age print what passes between it and its plugins, PINs too";
        return Err(format!("{AGEDEBUG} is set: {text}. Unset it"));
    }
    close_to_others()?;
    let keeper = Keeper::start(Path::new(OURSELVES))?;
    confine(Sockets::default())?;
    Ok(keeper)
}
