//! What a process may ask of the kernel: no core dump, no look into other processes, and of all sockets those to this machine alone.
//!
//! The list denies; everything else is allowed, because nobody knows what a vendor's library needs. It is a second wall: that nothing of
//! ours opens a socket is held by tests, and this holds it for libraries. `io_uring` is denied because it opens sockets without `socket`.
//!
//! The filter ends a process that calls the kernel in another instruction set (32-bit x86). x32 shares the 64-bit one, with a bit set in the
//! number, so that each number is denied in both forms.

use std::collections::BTreeMap;

use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

/// Address families and the one protocol (linux/socket.h, linux/netlink.h).
const AF_UNIX: u64 = 1;
const AF_INET: u64 = 2;
const AF_INET6: u64 = 10;
const AF_NETLINK: u64 = 16;
const NETLINK_KOBJECT_UEVENT: u64 = 15;

/// The bit of x32 numbers, and x32's own numbers of those calls that have one (ptrace, `kexec_load`, `process_vm_readv`, `process_vm_writev`).
const X32: i64 = 0x4000_0000;
const X32_OWN: [i64; 4] = [521, 528, 539, 540];

/// `socket`, and what is denied whatever its arguments.
struct Calls {
    socket: i64,
    denied: &'static [i64],
}

/// ptrace, `process_vm_readv`, `process_vm_writev`, `pidfd_getfd`, `io_uring_setup`, `io_uring_enter`, `io_uring_register`, bpf, userfaultfd,
/// `perf_event_open`, `kexec_load`, `kexec_file_load`, `init_module`, `finit_module`, `delete_module` (`arch/x86/entry/syscalls/syscall_64.tbl`).
const X86_64: Calls = Calls {
    socket: 41,
    denied: &[
        101, 310, 311, 438, 425, 426, 427, 321, 323, 298, 246, 320, 175, 313, 176,
    ],
};

/// The same calls (include/uapi/asm-generic/unistd.h: aarch64, riscv64).
const GENERIC: Calls = Calls {
    socket: 198,
    denied: &[
        117, 270, 271, 438, 425, 426, 427, 280, 282, 241, 104, 294, 105, 273, 106,
    ],
};

/// Which sockets a process may open beside those to this machine's own services (`AF_UNIX`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sockets {
    /// The kernel's messages on devices: libusb does not start without them.
    pub usb: bool,
    /// IPv4 and IPv6.
    pub network: bool,
}

/// Lets nobody read this process: no core dump, no debugger of the same user.
///
/// # Errors
/// What the kernel refused.
pub fn close_to_others() -> Result<(), String> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    rustix::process::setrlimit(Resource::Core, none)
        .map_err(|errno| format!("core dumps cannot be switched off: {errno}"))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| format!("the process cannot be closed to debuggers: {errno}"))
}

/// Lets this process die with the one that started it.
pub(super) fn die_with_parent() -> Result<(), String> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|errno| format!("the process cannot be tied to its parent: {errno}"))
}

/// Takes the calls of the list from all threads of this process and from all processes that it starts, for good.
///
/// # Errors
/// The kernel has no such filters, or the processor is one whose numbers are not in the table.
pub fn confine(sockets: Sockets) -> Result<(), String> {
    let program = filter(sockets).map_err(|error| format!("no filter of system calls: {error}"))?;
    apply_filter_all_threads(&program)
        .map_err(|error| format!("the kernel takes no filter of system calls: {error}"))
}

fn filter(sockets: Sockets) -> Result<BpfProgram, seccompiler::BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut rules = BTreeMap::new();
    let calls = if arch == TargetArch::x86_64 {
        rules.extend(X32_OWN.map(|number| (X32 | number, Vec::new())));
        X86_64
    } else {
        GENERIC
    };
    let both = |number: i64| match arch {
        TargetArch::x86_64 => vec![number, X32 | number],
        _ => vec![number],
    };
    for number in calls.denied.iter().copied().flat_map(both) {
        rules.insert(number, Vec::new());
    }
    for number in both(calls.socket) {
        rules.insert(number, denied_sockets(sockets)?);
    }
    let denied = SeccompAction::Errno(rustix::io::Errno::ACCESS.raw_os_error().unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, denied, arch)?.try_into()
}

/// The sockets that are denied: one rule for the families that are not among the allowed, one for the other protocols of netlink.
fn denied_sockets(sockets: Sockets) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    use SeccompCmpOp::{Eq, Ne};
    let argument =
        |index, op, value| SeccompCondition::new(index, SeccompCmpArgLen::Dword, op, value);
    let mut allowed = vec![AF_UNIX];
    let mut rules = Vec::new();
    if sockets.network {
        allowed.extend([AF_INET, AF_INET6]);
    }
    if sockets.usb {
        allowed.push(AF_NETLINK);
        rules.push(SeccompRule::new(vec![
            argument(0, Eq, AF_NETLINK)?,
            argument(2, Ne, NETLINK_KOBJECT_UEVENT)?,
        ])?);
    }
    let other: Result<Vec<_>, _> = allowed
        .into_iter()
        .map(|family| argument(0, Ne, family))
        .collect();
    rules.push(SeccompRule::new(other?)?);
    Ok(rules)
}
