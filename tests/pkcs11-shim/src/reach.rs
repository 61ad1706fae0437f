//! What a module reaches for beyond this machine's files: sockets, and USB devices through libusb.

use std::ffi::{c_int, c_void};
use std::ptr;

use libloading::{Library, Symbol};

use crate::plan::Socket;

/// `bits/socket.h`, `bits/socket_type.h`, `linux/netlink.h`.
const AF_UNIX: c_int = 1;
const AF_INET: c_int = 2;
const AF_INET6: c_int = 10;
const AF_NETLINK: c_int = 16;
const SOCK_DGRAM: c_int = 2;
const SOCK_RAW: c_int = 3;
const NETLINK_ROUTE: c_int = 0;
const NETLINK_KOBJECT_UEVENT: c_int = 15;

unsafe extern "C" {
    fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn close(descriptor: c_int) -> c_int;
}

/// Whether the kernel gives such a socket.
pub(crate) fn opens(wanted: Socket) -> bool {
    let (family, kind, protocol) = match wanted {
        Socket::Unix => (AF_UNIX, SOCK_DGRAM, 0),
        Socket::Inet => (AF_INET, SOCK_DGRAM, 0),
        Socket::Inet6 => (AF_INET6, SOCK_DGRAM, 0),
        Socket::Uevent => (AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT),
        Socket::Netlink => (AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
    };
    // SAFETY: POSIX functions without pointers; what is closed was opened here.
    unsafe {
        let descriptor = socket(family, kind, protocol);
        descriptor >= 0 && close(descriptor) == 0
    }
}

/// Whether libusb is there and initialises itself, as modules for USB devices do it.
pub(crate) fn libusb_starts() -> bool {
    // SAFETY: the library's initialisers are those of Debian's libusb; the two functions have the types of libusb.h.
    unsafe {
        let Ok(library) = Library::new("libusb-1.0.so.0") else {
            return false;
        };
        let init: Result<Symbol<'_, unsafe extern "C" fn(*mut *mut c_void) -> c_int>, _> =
            library.get(b"libusb_init\0");
        let exit: Result<Symbol<'_, unsafe extern "C" fn(*mut c_void)>, _> =
            library.get(b"libusb_exit\0");
        let (Ok(init), Ok(exit)) = (init, exit) else {
            return false;
        };
        let mut context = ptr::null_mut();
        if init(&raw mut context) != 0 {
            return false;
        }
        exit(context);
        true
    }
}
