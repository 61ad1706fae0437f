//! Closing what was inherited: with [`crate::secret`]'s pages and module init arguments one of the few places with unsafe code.
//!
//! `--pin-fd 3 3<pins` hands the program a descriptor that every process it starts would inherit: a module could read the other holders'
//! PINs from it. Descriptors of our own are close-on-exec, those that a shell made are not.
#![allow(
    unsafe_code,
    reason = "closing a descriptor by its number has no safe interface"
)]

use std::io;
use std::os::fd::RawFd;

/// Closes every descriptor but the three standard ones.
///
/// It belongs at the very beginning of a process, before anything of ours owns a descriptor.
pub(super) fn close_inherited() -> io::Result<()> {
    let mut inherited: Vec<RawFd> = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        inherited.extend(name.to_str().and_then(|name| name.parse::<RawFd>().ok()));
    }
    // The listing's own descriptor is among them and closed by now; it was the only one that anything in this process owned.
    for number in inherited.into_iter().filter(|number| *number > 2) {
        let is_open = std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok();
        if is_open {
            // SAFETY: the number is above the standard ones and open, and no value in this process owns it: nothing was opened before but the
            // listing, which is closed. There is one thread.
            unsafe { rustix::io::close(number) };
        }
    }
    Ok(())
}
