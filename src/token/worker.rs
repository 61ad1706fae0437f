//! Modules in processes of their own: a library that crashes, hangs, prints or corrupts memory takes its process with it, not the ceremony.
//!
//! ```text
//! program ──starts──► keeper ──starts──► worker (one a module: loads the library, serves the calls of `Module`)
//!    └──────────────── private pipe ───────┘
//! ```
//!
//! [`WorkerModule`] is the module as the program sees it: each call is a message, has a time limit ([`Limits`]) and is sent once. A worker
//! that is late is killed, one that died is reported with the signal that killed it; the next call starts a new one, in which nobody is
//! logged in. The program never loads a module itself. What it trusts a worker with is what it trusts a token with: nothing that it cannot
//! verify. Answers are bounded and strictly read; one that is not understood ends the worker.
//!
//! [`serve`] and [`keep`] are the other ends, for `main` alone.

use std::io::{self, Write as _};
use std::process::ExitCode;

mod calls;
mod child;
mod confinement;
mod descriptors;
mod environment;
mod frame;
mod groups;
mod keep;
mod keeper;
mod limits;
mod message;
mod module;
mod serve;
#[cfg(test)]
mod tests;

pub use confinement::{Sockets, close_to_others, confine};
pub use keeper::Keeper;
pub use limits::Limits;
pub use message::Backend;
pub use module::{Setup, WorkerModule};

/// `tuf-ceremony token-worker`.
pub fn serve() -> ExitCode {
    ended(serve::run())
}

/// `tuf-ceremony token-keeper`.
pub fn keep() -> ExitCode {
    ended(keep::run())
}

/// Nobody reads it but a person who started one of them by hand: for the program's own children standard error is /dev/null.
fn ended(result: Result<(), String>) -> ExitCode {
    let Err(said) = result else {
        return ExitCode::SUCCESS;
    };
    let _ = writeln!(io::stderr(), "{said}");
    ExitCode::from(2)
}
