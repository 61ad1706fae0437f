//! The keeper itself: `tuf-ceremony token-keeper`. It starts workers, waits for them and kills them; it sees no secret and loads no module.

use std::collections::BTreeMap;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::child;
use super::confinement::{Sockets, confine};
use super::environment;
use super::frame::{Broken, Channel};
use super::keeper::{End, MESSAGE, Order, Started};

/// How often it looks whether a worker has ended.
const GLANCE: Duration = Duration::from_millis(5);

/// Serves until the program closes its end of the pipe.
///
/// # Errors
/// A sentence.
pub(super) fn run() -> Result<(), String> {
    let channel = child::begin()?;
    // No terminal: neither a key typed at it nor a module that opens it reaches across.
    rustix::process::setsid().map_err(|errno| format!("no session of its own: {errno}"))?;
    // The most that any worker may; each of them narrows it for itself.
    let ready = confine(Sockets {
        usb: true,
        network: true,
    });
    let said = |broken: Broken| broken.to_string();
    channel.send_json(&ready, None).map_err(said)?;
    ready?;
    let mut workers = Workers::default();
    loop {
        let served = match channel.receive_json(MESSAGE, None) {
            Ok(Order::Start { variables }) => receive_descriptor(&channel)
                .and_then(|pipe| channel.send_json(&workers.start(pipe, &variables), None)),
            Ok(Order::End { id, patience }) => channel.send_json(&workers.end(id, patience), None),
            Err(broken) => Err(broken),
        };
        match served {
            Ok(()) => {}
            Err(Broken::Closed) => return Ok(()),
            Err(broken) => return Err(said(broken)),
        }
    }
}

#[derive(Default)]
struct Workers {
    started: u64,
    running: BTreeMap<u64, Child>,
}

impl Workers {
    fn start(&mut self, pipe: OwnedFd, variables: &[String]) -> Result<Started, String> {
        // The kernel's name for the file that runs: the same program, also if another was installed meanwhile.
        let process = Command::new("/proc/self/exe")
            .arg0("tuf-ceremony")
            .arg("token-worker")
            .env_clear()
            .envs(environment::passed(variables))
            .stdin(pipe)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("a process for the module does not start: {error}"))?;
        self.started += 1;
        let started = Started {
            id: self.started,
            pid: process.id(),
        };
        self.running.insert(started.id, process);
        Ok(started)
    }

    fn end(&mut self, id: u64, patience: Duration) -> Result<End, String> {
        let mut process = self
            .running
            .remove(&id)
            .ok_or_else(|| format!("there is no worker {id}"))?;
        let begun = Instant::now();
        let failed = |error: std::io::Error| format!("the worker cannot be waited for: {error}");
        loop {
            if let Some(status) = process.try_wait().map_err(failed)? {
                return Ok(end_of(status));
            }
            if begun.elapsed() >= patience {
                process.kill().map_err(failed)?;
                process.wait().map_err(failed)?;
                return Ok(End::Stopped);
            }
            thread::sleep(GLANCE);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for process in self.running.values_mut() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn end_of(status: ExitStatus) -> End {
    match (status.signal(), status.code()) {
        (Some(signal), _) => End::Signal(signal),
        (None, code) => End::Code(code.unwrap_or(-1)),
    }
}

pub(super) fn receive_descriptor(channel: &Channel) -> Result<OwnedFd, Broken> {
    let pipe = |errno: rustix::io::Errno| Broken::Pipe(errno.into());
    poll(&mut [PollFd::new(channel.stream(), PollFlags::IN)], None).map_err(pipe)?;
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    recvmsg(
        channel.stream(),
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )
    .map_err(pipe)?;
    control
        .drain()
        .find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        })
        .ok_or_else(|| Broken::Garbage("no pipe came with the order".to_owned()))
}
