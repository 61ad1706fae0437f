//! Frames between the program and its helper processes: one byte for the kind, four for the length (little endian), the body.
//!
//! Public data is JSON. Secrets are raw frames of their own kind: written from locked memory by the kernel, read by the kernel into locked
//! memory, never in a buffer that could grow, move or be dumped. What arrives is not trusted: the length is looked at before anything is
//! allocated, and memory grows only with what came.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::secret::{Secret, SecretError};

/// Bytes of a frame's head.
const HEAD: usize = 5;
/// Most bytes read at once, and so allocated before they are there.
const PIECE: usize = 64 * 1024;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Json = b'J',
    Secret = b'S',
    Bytes = b'B',
}

/// Why a frame did not come or go.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// The time was over.
    #[error("it did not answer in time")]
    Late,
    /// The other side is gone.
    #[error("its end of the pipe is closed")]
    Closed,
    /// Something else than what belongs here.
    #[error("{0}")]
    Garbage(String),
    /// No locked memory for a secret.
    #[error("{0}")]
    Memory(#[from] SecretError),
    /// The pipe does not work.
    #[error("the pipe does not work ({0})")]
    Pipe(io::Error),
}

/// Until when; none: as long as it takes.
pub(super) type Deadline = Option<Instant>;

/// The deadline after `limit`.
pub(super) fn within(limit: Duration) -> Deadline {
    Instant::now().checked_add(limit)
}

/// One end of the private pipe.
pub(super) struct Channel {
    stream: UnixStream,
}

impl Channel {
    /// Frames over this socket.
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream })
    }

    /// The socket itself, between two frames.
    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Whether the other side is gone.
    pub(super) fn is_hung_up(&self) -> bool {
        let mut fds = [PollFd::new(&self.stream, PollFlags::empty())];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut fds, Some(&now)).is_err()
            || fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
    }

    /// Whether something can be read, or never will be.
    pub(super) fn has_more(&self) -> Result<bool, Broken> {
        let mut fds = [PollFd::new(&self.stream, PollFlags::IN)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        match poll(&mut fds, Some(&now)) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(errno) => Err(Broken::Pipe(errno.into())),
        }
    }

    pub(super) fn send_json(
        &self,
        message: &impl Serialize,
        deadline: Deadline,
    ) -> Result<(), Broken> {
        let body =
            serde_json::to_vec(message).map_err(|error| Broken::Garbage(error.to_string()))?;
        self.send(Kind::Json, &body, deadline)
    }

    pub(super) fn send_bytes(&self, bytes: &[u8], deadline: Deadline) -> Result<(), Broken> {
        self.send(Kind::Bytes, bytes, deadline)
    }

    /// The locked page itself is what the kernel is given.
    pub(super) fn send_secret(&self, secret: &Secret, deadline: Deadline) -> Result<(), Broken> {
        secret.expose(|bytes| self.send(Kind::Secret, bytes, deadline))
    }

    pub(super) fn receive_json<T: DeserializeOwned>(
        &self,
        most: usize,
        deadline: Deadline,
    ) -> Result<T, Broken> {
        let length = self.head(Kind::Json, most, deadline)?;
        let body = self.body(length, deadline)?;
        serde_json::from_slice(&body)
            .map_err(|error| Broken::Garbage(format!("a message that is not understood ({error})")))
    }

    pub(super) fn receive_bytes(&self, most: usize, deadline: Deadline) -> Result<Vec<u8>, Broken> {
        let length = self.head(Kind::Bytes, most, deadline)?;
        self.body(length, deadline)
    }

    pub(super) fn receive_secret(&self, deadline: Deadline) -> Result<Secret, Broken> {
        let length = self.head(Kind::Secret, Secret::CAPACITY, deadline)?;
        Secret::filled(length, |room| self.read_exact(room, deadline))
    }

    fn send(&self, kind: Kind, body: &[u8], deadline: Deadline) -> Result<(), Broken> {
        let length = u32::try_from(body.len())
            .map_err(|_| Broken::Garbage("a frame of more than 4 GiB".to_owned()))?;
        let mut head = [kind as u8; HEAD];
        head[1..].copy_from_slice(&length.to_le_bytes());
        self.write_all(&head, deadline)?;
        self.write_all(body, deadline)
    }

    /// Reads the head of the frame that must come now and gives its length.
    fn head(&self, kind: Kind, most: usize, deadline: Deadline) -> Result<usize, Broken> {
        let mut head = [0; HEAD];
        self.read_exact(&mut head, deadline)?;
        let [found, length @ ..] = head;
        if found != kind as u8 {
            return Err(Broken::Garbage(format!(
                "a frame of kind {found:#04x} where {kind:?} was due"
            )));
        }
        usize::try_from(u32::from_le_bytes(length))
            .ok()
            .filter(|length| *length <= most)
            .ok_or_else(|| Broken::Garbage(format!("a frame of more than {most} bytes")))
    }

    fn body(&self, length: usize, deadline: Deadline) -> Result<Vec<u8>, Broken> {
        let mut body = Vec::new();
        while body.len() < length {
            let start = body.len();
            body.resize(length.min(start + PIECE), 0);
            self.read_exact(&mut body[start..], deadline)?;
        }
        Ok(body)
    }

    fn read_exact(&self, mut room: &mut [u8], deadline: Deadline) -> Result<(), Broken> {
        while !room.is_empty() {
            match (&self.stream).read(room) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => room = &mut room[count..],
                Err(error) => self.wait(error, PollFlags::IN, deadline)?,
            }
        }
        Ok(())
    }

    fn write_all(&self, mut bytes: &[u8], deadline: Deadline) -> Result<(), Broken> {
        while !bytes.is_empty() {
            match (&self.stream).write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) => self.wait(error, PollFlags::OUT, deadline)?,
            }
        }
        Ok(())
    }

    /// Waits until the socket is ready, if that is all that is missing. The deadline is for the whole call, so that bytes that trickle in do not
    /// put it off.
    fn wait(&self, error: io::Error, for_: PollFlags, deadline: Deadline) -> Result<(), Broken> {
        match error.kind() {
            io::ErrorKind::Interrupted => return Ok(()),
            io::ErrorKind::WouldBlock => {}
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
                return Err(Broken::Closed);
            }
            _ => return Err(Broken::Pipe(error)),
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Err(Broken::Late);
        }
        let left = left.map(|left| Timespec::try_from(left).unwrap_or(LONG));
        let mut fds = [PollFd::new(&self.stream, for_)];
        match poll(&mut fds, left.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(Broken::Pipe(errno.into())),
        }
    }
}

/// Longer than any limit of ours.
const LONG: Timespec = Timespec {
    tv_sec: 86_400,
    tv_nsec: 0,
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::io::Write as _;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::{Broken, Channel, within};

    const LIMIT: Duration = Duration::from_millis(300);

    #[test]
    fn memory_grows_with_what_came_and_not_with_what_was_announced() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let channel = Channel::new(ours).unwrap();
        (&theirs).write_all(b"B\xff\xff\xff\x3fabc").unwrap();
        drop(theirs);
        let broken = channel.receive_bytes(1 << 30, within(LIMIT)).unwrap_err();
        assert!(matches!(broken, Broken::Closed), "{broken}");

        let (ours, theirs) = UnixStream::pair().unwrap();
        let channel = Channel::new(ours).unwrap();
        (&theirs).write_all(b"S\x01\x10\0\0").unwrap();
        let broken = channel.receive_secret(within(LIMIT)).err().unwrap();
        assert_eq!(broken.to_string(), "a frame of more than 4096 bytes");
    }
}
