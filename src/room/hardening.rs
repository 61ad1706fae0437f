//! The process keeps to itself: no core dump, no other process of the same user may read its memory.

use rustix::process::{DumpableBehavior, Resource, Rlimit};

/// Hardens the process, before any secret is in it.
///
/// # Errors
/// What the kernel refused; nothing secret may be asked for then.
pub fn harden() -> Result<(), String> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    rustix::process::setrlimit(Resource::Core, none)
        .map_err(|errno| format!("core dumps cannot be switched off: {errno}"))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| format!("the process cannot be closed to debuggers: {errno}"))
}
