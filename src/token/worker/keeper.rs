//! The keeper: the one process that starts workers and reaps them, seen from the program.
//!
//! It is started before the program confines itself, because a filter of system calls is inherited by every process that is started
//! afterwards: a worker that may use USB or the network could never be a child of a program that may not (decision 0012).

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde::{Deserialize, Serialize};

use super::frame::{Broken, Channel, within};

/// Most bytes of a message between program and keeper.
pub(super) const MESSAGE: usize = 64 * 1024;
/// How long the keeper may take beside the patience that it is asked to have.
const LIMIT: Duration = Duration::from_secs(20);

/// What the keeper is asked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum Order {
    /// A new worker. One byte follows that carries its end of a pipe. `variables`: names that the room adds to the environment.
    Start { variables: Vec<String> },
    /// Wait so long for the end of a worker, then kill it.
    End { id: u64, patience: Duration },
}

/// A worker that was started.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Started {
    pub(super) id: u64,
    pub(super) pid: u32,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) enum End {
    /// By a signal that was not ours.
    Signal(i32),
    /// By itself.
    Code(i32),
    /// It was killed when the patience was over.
    Stopped,
}

/// A handle to the keeper. When the last one is dropped, the keeper ends, and every worker with it.
#[derive(Clone)]
pub struct Keeper {
    control: Arc<Mutex<Control>>,
}

struct Control {
    /// None only while it is dropped.
    channel: Option<Channel>,
    process: Child,
}

impl Keeper {
    /// Starts `program` (this program) as the keeper. It dies with the thread that calls this: call it from the main thread.
    ///
    /// # Errors
    /// A sentence.
    pub fn start(program: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| {
            format!("the helper for tokens does not start: {error}")
        };
        let (ours, theirs) = UnixStream::pair().map_err(|error| failed(&error))?;
        let process = Command::new(program)
            .arg0("tuf-ceremony")
            .arg("token-keeper")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(&error))?;
        let channel = Channel::new(ours).map_err(|error| failed(&error))?;
        let control = Control {
            channel: Some(channel),
            process,
        };
        let ready: Result<(), String> = control
            .channel()
            .and_then(|channel| channel.receive_json(MESSAGE, within(LIMIT)))
            .map_err(|broken| failed(&broken))?;
        ready?;
        Ok(Self {
            control: Arc::new(Mutex::new(control)),
        })
    }

    /// The process id, for tests and for people who look at their process table.
    pub fn pid(&self) -> u32 {
        self.control().process.id()
    }

    /// Starts a worker that has `pipe` as its end of a pipe.
    pub(super) fn start_worker(
        &self,
        pipe: &UnixStream,
        variables: &[String],
    ) -> Result<Started, String> {
        let order = Order::Start {
            variables: variables.to_vec(),
        };
        let control = self.control();
        let answer = || -> Result<Result<Started, String>, Broken> {
            let channel = control.channel()?;
            channel.send_json(&order, within(LIMIT))?;
            send_descriptor(channel.stream(), pipe)?;
            channel.receive_json(MESSAGE, within(LIMIT))
        };
        answer().map_err(|broken| gone(&broken))?
    }

    /// Waits for the end of a worker, at most so long, and kills it then.
    pub(super) fn end_worker(&self, id: u64, patience: Duration) -> Result<End, String> {
        let order = Order::End { id, patience };
        let control = self.control();
        let answer = || -> Result<Result<End, String>, Broken> {
            let channel = control.channel()?;
            channel.send_json(&order, within(LIMIT))?;
            channel.receive_json(MESSAGE, within(LIMIT.saturating_add(patience)))
        };
        answer().map_err(|broken| gone(&broken))?
    }

    /// A keeper that is a thread at the other end of `channel`, in the place of a process.
    #[cfg(test)]
    #[allow(clippy::expect_used, reason = "tests")]
    pub(super) fn pretended(channel: Channel) -> Self {
        let process = Command::new("true").spawn();
        let control = Control {
            channel: Some(channel),
            process: process.expect("true starts"),
        };
        Self {
            control: Arc::new(Mutex::new(control)),
        }
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        // Nothing panics while it is held; if it did, the keeper would still be there.
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    fn channel(&self) -> Result<&Channel, Broken> {
        self.channel.as_ref().ok_or(Broken::Closed)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // Every module holds the keeper, so that no worker is left now. Killed rather than asked: what was started may not be a keeper.
        self.channel = None;
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn gone(broken: &Broken) -> String {
    format!(
        "the helper that starts the processes of tokens is gone ({broken}); start the program again"
    )
}

fn send_descriptor(to: &UnixStream, pipe: &UnixStream) -> Result<(), Broken> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [pipe.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    // One byte after a frame of a few hundred on an otherwise empty pipe: it does not have to wait.
    sendmsg(to, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL)
        .map(|_| ())
        .map_err(|errno| Broken::Pipe(errno.into()))
}
