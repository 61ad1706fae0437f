//! Namespaces for a process that is about to start, and what they need inside.

use std::ffi::CStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::mount::{MountFlags, mount};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, sendto, socket};

const DRIVERS: &str = "/usr/lib/pcsc/drivers";
const PCSCD: [&str; 3] = ["/usr/sbin/pcscd", "/usr/bin/pcscd", "/usr/local/sbin/pcscd"];

/// User, mount and network namespaces with this user as root in them; the last two where the first are off.
const UNPRIVILEGED: [&str; 4] = ["--user", "--map-root-user", "--mount", "--net"];
const AS_ROOT: [&str; 2] = ["--mount", "--net"];

/// A command that runs `exe` in new namespaces, and that dies with the thread that starts it.
pub(super) fn command(exe: &Path) -> Result<Command, String> {
    driver()?;
    pcscd()?;
    let flags: &[&str] = if works(&UNPRIVILEGED)? {
        &UNPRIVILEGED
    } else if works(&AS_ROOT)? {
        &AS_ROOT
    } else {
        return Err(
            "A virtual YubiKey needs namespaces, and this system allows none.\n\
             Nothing was started.\n\
             Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, and on Ubuntu \
             kernel.apparmor_restrict_unprivileged_userns=0), or run the test as root."
                .to_owned(),
        );
    };
    let mut command = Command::new("unshare");
    // After unshare, not before: the kernel forgets the signal when a process changes its credentials.
    command
        .args(flags)
        .args(["--", "setpriv", "--pdeathsig", "KILL", "--"])
        .arg(exe);
    Ok(command)
}

fn works(flags: &[&str]) -> Result<bool, String> {
    Command::new("unshare")
        .args(flags)
        .args(["--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map(|status| status.success())
        .map_err(|error| format!("unshare is missing: {error}\nInstall the package util-linux."))
}

/// Makes /run and the drivers private and the loopback usable; gives the path of vpcd's driver.
///
/// With no driver but vpcd's, a real token that happens to be plugged in stays untouched.
pub(super) fn prepare() -> Result<PathBuf, String> {
    let driver = driver()?;
    let bytes = fs::read(&driver).map_err(|error| format!("{}: {error}", driver.display()))?;
    private_folder("/run")?;
    private_folder(DRIVERS)?;
    let driver = Path::new(DRIVERS).join("libifdvpcd.so");
    fs::write(&driver, bytes).map_err(|error| format!("{}: {error}", driver.display()))?;
    fs::create_dir("/run/pcscd").map_err(|error| format!("/run/pcscd: {error}"))?;
    raise_loopback().map_err(|error| format!("the loopback interface: {error}"))?;
    Ok(driver)
}

fn private_folder(path: &str) -> Result<(), String> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", path, "tmpfs", flags, None::<&CStr>)
        .map_err(|error| format!("tmpfs on {path}: {error}"))
}

/// vsmartcard's reader driver.
fn driver() -> Result<PathBuf, String> {
    let driver = Path::new(DRIVERS).join("serial/libifdvpcd.so");
    if driver.exists() {
        return Ok(driver);
    }
    Err(format!(
        "{} is missing.\nInstall the package vsmartcard-vpcd.",
        driver.display()
    ))
}

/// The PC/SC daemon; /usr/sbin is not on everybody's path.
pub(super) fn pcscd() -> Result<PathBuf, String> {
    PCSCD
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
        .ok_or_else(|| "pcscd is missing.\nInstall the package pcscd.".to_owned())
}

/// Whether this pcscd can ask polkit, as those from 2.0 on do.
pub(super) fn asks_polkit(pcscd: &Path) -> bool {
    Command::new(pcscd)
        .arg("--help")
        .output()
        .is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--disable-polkit"))
}

/// `ip link set lo up`, without needing iproute2: one `RTM_NEWLINK` message (rtnetlink(7)).
fn raise_loopback() -> rustix::io::Result<()> {
    const LENGTH: u32 = 32;
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 1 | 4;
    const LOOPBACK_INDEX: u32 = 1;
    const IFF_UP: u32 = 1;
    let message = [
        &LENGTH.to_ne_bytes()[..],
        &RTM_NEWLINK.to_ne_bytes(),
        &REQUEST_AND_ACK.to_ne_bytes(),
        // Sequence number and port.
        &[0; 8],
        // Family, padding and device type of struct ifinfomsg.
        &[0; 4],
        &LOOPBACK_INDEX.to_ne_bytes(),
        &IFF_UP.to_ne_bytes(),
        &IFF_UP.to_ne_bytes(),
    ]
    .concat();
    // No protocol is NETLINK_ROUTE.
    let socket = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    sendto(
        &socket,
        &message,
        SendFlags::empty(),
        &SocketAddrNetlink::new(0, 0),
    )?;
    let mut answer = [0; 256];
    let (_, length) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    // struct nlmsghdr, then the error of struct nlmsgerr: 0 or a negative errno.
    match answer.get(16..20).filter(|_| length >= 20) {
        Some(&[0, 0, 0, 0]) => Ok(()),
        _ => Err(rustix::io::Errno::PERM),
    }
}
