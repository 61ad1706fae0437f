//! How both helper processes begin, before they read a byte.

use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;

use rustix::fs::FileType;
use rustix::io::fcntl_dupfd_cloexec;

use super::confinement::{close_to_others, die_with_parent};
use super::descriptors::close_inherited;
use super::frame::Channel;

/// Ties the process to its parent, closes it to others and takes the private pipe.
///
/// The pipe comes as standard input, which is the one descriptor that can be handed over without naming a number. It moves away at once:
/// whatever a module reads from its standard input is empty.
pub(super) fn begin() -> Result<Channel, String> {
    let stdin = io::stdin();
    let is_socket = rustix::fs::fstat(&stdin)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Socket);
    if !is_socket {
        return Err("this command is for the program itself; people need `run`".to_owned());
    }
    let failed = |error: io::Error| format!("the private pipe cannot be taken: {error}");
    close_inherited().map_err(failed)?;
    die_with_parent()?;
    close_to_others()?;
    let pipe = fcntl_dupfd_cloexec(&stdin, 3).map_err(|errno| failed(errno.into()))?;
    let nothing = File::open("/dev/null").map_err(failed)?;
    rustix::stdio::dup2_stdin(&nothing).map_err(|errno| failed(errno.into()))?;
    let channel = Channel::new(UnixStream::from(pipe)).map_err(failed)?;
    // A parent that died before this process was tied to it: nobody would end a module that hangs.
    if channel.is_hung_up() {
        return Err("the program is gone".to_owned());
    }
    Ok(channel)
}
