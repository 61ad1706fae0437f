//! What a bad module does to the process that loaded it.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

const SIGKILL: c_int = 9;

#[repr(C)]
struct DlInfo {
    file_name: *const c_char,
    file_base: *mut c_void,
    symbol_name: *const c_char,
    symbol_address: *mut c_void,
}

unsafe extern "C" {
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn getpid() -> c_int;
    fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int;
}

/// SIGKILL: nothing of this process runs any more.
pub(crate) fn killed() {
    // SAFETY: POSIX functions without pointers.
    unsafe {
        kill(getpid(), SIGKILL);
    }
}

/// A write to an address that is not mapped.
pub(crate) fn segv() {
    let unmapped = std::ptr::without_provenance_mut::<u8>(8);
    // SAFETY: none. The fault is what the plan wants.
    unsafe { unmapped.write_volatile(0) };
}

/// Never returns.
pub(crate) fn hang() {
    loop {
        std::thread::park();
    }
}

pub(crate) fn sleep(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Writes to stdout and stderr, as modules do that think of themselves as programs.
pub(crate) fn say(text: &[u8]) {
    // Either may be closed; a module does not care.
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(text).and_then(|()| stdout.flush());
    let _ = std::io::stderr().write_all(text);
}

/// The path that this module was loaded by.
pub(crate) fn own_path() -> Option<PathBuf> {
    let mut info = DlInfo {
        file_name: std::ptr::null(),
        file_base: std::ptr::null_mut(),
        symbol_name: std::ptr::null(),
        symbol_address: std::ptr::null_mut(),
    };
    let inside = own_path as *const c_void;
    // SAFETY: `inside` is an address in this module and `info` is valid.
    let found = unsafe { dladdr(inside, &raw mut info) } != 0 && !info.file_name.is_null();
    // SAFETY: dladdr gives a string of the loader's, which lives as long as this module.
    let name = found.then(|| unsafe { CStr::from_ptr(info.file_name) })?;
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}
