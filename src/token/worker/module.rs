//! A module in a worker, as the program sees it.

use std::collections::BTreeSet;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::failure;
use super::frame::{Broken, Channel, Deadline, within};
use super::keeper::{End, Keeper, Started};
use super::limits::Limits;
use super::message::{ANSWER, Backend, Hello, Request};
use crate::ceremony::event::{ModuleIdentity, Reach};
use crate::ceremony::port::{TokenError, TokenFault, TokenId};
use crate::secret::Secret;
use crate::tuf::digest::Sha256;

/// How long a worker whose pipe is closed may take to be dead.
const DYING: Duration = Duration::from_secs(1);
/// Most characters of what a worker says of itself or of an error.
const WORDS: usize = 400;

/// Which module, and what its process may reach.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The module.
    pub backend: Backend,
    /// It needs the kernel's messages on USB devices (libusb).
    pub usb: bool,
    /// It needs the network; in rehearsals only.
    pub network: bool,
    /// Environment variables that it is given beside the usual ones, by name.
    pub variables: Vec<String>,
}

impl Setup {
    /// A module that needs nothing more.
    pub fn of(backend: Backend) -> Self {
        Self {
            backend,
            usb: false,
            network: false,
            variables: Vec::new(),
        }
    }

    fn reach(&self) -> Vec<Reach> {
        let usb = self.usb.then_some(Reach::Usb);
        let network = self.network.then_some(Reach::Network);
        usb.into_iter().chain(network).collect()
    }

    fn attempted(&self) -> String {
        match &self.backend {
            Backend::Pkcs11 { name, path, .. } => {
                format!("load the PKCS#11 module {name} ({})", path.display())
            }
            Backend::Yubikey { name } => format!("start the YubiKey module {name}"),
        }
    }

    /// SHA-256 of the library's file as it lies there; none where it cannot be read, which the worker says better.
    fn digest(&self) -> Option<Sha256> {
        match &self.backend {
            Backend::Pkcs11 { path, .. } => std::fs::read(path).ok().map(|file| Sha256::of(&file)),
            Backend::Yubikey { .. } => None,
        }
    }
}

/// A module in a process of its own.
pub struct WorkerModule {
    keeper: Keeper,
    setup: Setup,
    pub(super) limits: Limits,
    pub(super) identity: ModuleIdentity,
    worker: Option<Worker>,
    /// Tokens on which the PIN was typed on the token itself: it may be wanted there again.
    pub(super) pads: BTreeSet<TokenId>,
}

/// A running worker.
struct Worker {
    channel: Channel,
    started: Started,
}

/// One call, for its messages and its error.
pub(super) struct Call<'a> {
    pub(super) attempted: String,
    pub(super) limit: Duration,
    pub(super) request: Request,
    pub(super) follow: Vec<Raw<'a>>,
}

/// What follows a request as a frame of its own.
pub(super) enum Raw<'a> {
    Secret(&'a Secret),
    Bytes(&'a [u8]),
}

/// A call that got no answer.
struct Lost {
    broken: Broken,
    /// Whether the whole request had gone: what is not there whole is not acted upon.
    sent: bool,
}

impl WorkerModule {
    /// Starts a worker and loads the module in it.
    ///
    /// # Errors
    /// [`TokenFault::Module`], [`TokenFault::TimedOut`].
    pub fn start(keeper: &Keeper, setup: Setup, limits: Limits) -> Result<Self, TokenError> {
        let identity = ModuleIdentity {
            name: setup.backend.name().to_owned(),
            sha256: None,
            description: String::new(),
            reach: setup.reach(),
        };
        let mut module = Self {
            keeper: keeper.clone(),
            setup,
            limits,
            identity,
            worker: None,
            pads: BTreeSet::new(),
        };
        module.identity = module.begin()?;
        Ok(module)
    }

    /// The worker's process, if one runs.
    pub fn pid(&self) -> Option<u32> {
        self.worker.as_ref().map(|worker| worker.started.pid)
    }

    /// Starts a worker and gives what the module in it is.
    fn begin(&mut self) -> Result<ModuleIdentity, TokenError> {
        let attempted = self.setup.attempted();
        let broken = |said: String| failure(attempted.as_str(), said, TokenFault::Module);
        let digest = self.setup.digest();
        let (ours, theirs) = UnixStream::pair().map_err(|error| broken(error.to_string()))?;
        let channel = Channel::new(ours).map_err(|error| broken(error.to_string()))?;
        let started = self
            .keeper
            .start_worker(&theirs, &self.setup.variables)
            .map_err(broken)?;
        // The worker alone has the other end now: when it dies, this one says so.
        drop(theirs);
        let hello = Hello {
            backend: self.setup.backend.clone(),
            usb: self.setup.usb,
            network: self.setup.network,
        };
        let deadline = within(self.limits.start);
        let answer = channel.send_json(&hello, deadline).and_then(|()| {
            channel.receive_json::<Result<ModuleIdentity, TokenError>>(ANSWER, deadline)
        });
        self.worker = Some(Worker { channel, started });
        let found = match answer {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                let _ = self.stop(DYING);
                return Err(tidy(error));
            }
            Err(broken) => {
                let lost = Lost {
                    broken,
                    sent: false,
                };
                return Err(self.lost(attempted, self.limits.start, lost));
            }
        };
        if found.sha256 != digest {
            let _ = self.stop(Duration::ZERO);
            return Err(broken("the file changed while it was loaded".to_owned()));
        }
        Ok(ModuleIdentity {
            name: self.setup.backend.name().to_owned(),
            sha256: digest,
            description: cut(found.description),
            reach: self.setup.reach(),
        })
    }

    /// Sends a request, once, and reads the answer with `receive`.
    pub(super) fn exchange<T>(
        &mut self,
        call: Call<'_>,
        receive: impl FnOnce(&Channel, Deadline) -> Result<Result<T, TokenError>, Broken>,
    ) -> Result<T, TokenError> {
        let signs = matches!(
            call.request,
            Request::Sign { .. } | Request::SignEach { .. } | Request::SignWrapped { .. }
        );
        match self.try_exchange(&call, receive)? {
            Ok(answer) => answer.map_err(tidy),
            Err(lost) => {
                let sent = lost.sent;
                let error = self.lost(call.attempted, call.limit, lost);
                Err(TokenError {
                    may_have_signed: signs && sent,
                    ..error
                })
            }
        }
    }

    /// The outer error is that there is no worker.
    fn try_exchange<T>(
        &mut self,
        call: &Call<'_>,
        receive: impl FnOnce(&Channel, Deadline) -> Result<T, Broken>,
    ) -> Result<Result<T, Lost>, TokenError> {
        if self.worker.is_none() {
            let found = self.begin()?;
            if found != self.identity {
                let _ = self.stop(Duration::ZERO);
                let said = "the module is another than the one that was opened at the beginning";
                return Err(failure(call.attempted.as_str(), said, TokenFault::Module));
            }
        }
        let Some(Worker { channel, .. }) = &self.worker else {
            let said = "its process is not there";
            return Err(failure(call.attempted.as_str(), said, TokenFault::Module));
        };
        let deadline = within(call.limit);
        let sent = channel.send_json(&call.request, deadline).and_then(|()| {
            call.follow.iter().try_for_each(|raw| match raw {
                Raw::Secret(secret) => channel.send_secret(secret, deadline),
                Raw::Bytes(bytes) => channel.send_bytes(bytes, deadline),
            })
        });
        if let Err(broken) = sent {
            return Ok(Err(Lost {
                broken,
                sent: false,
            }));
        }
        let received = receive(channel, deadline);
        Ok(received.map_err(|broken| Lost { broken, sent: true }))
    }

    /// Ends the worker and says what happened to it.
    fn lost(&mut self, attempted: String, limit: Duration, lost: Lost) -> TokenError {
        let patience = match lost.broken {
            Broken::Closed => DYING,
            _ => Duration::ZERO,
        };
        let end = self.stop(patience);
        let (said, fault) = match lost.broken {
            Broken::Late => {
                let said = format!(
                    "no answer within {} seconds; the module's process was stopped",
                    limit.as_secs_f32()
                );
                (said, TokenFault::TimedOut)
            }
            Broken::Closed => (death(end), TokenFault::Module),
            Broken::Memory(error) => (error.to_string(), TokenFault::Other),
            broken @ (Broken::Garbage(_) | Broken::Pipe(_)) => {
                let said = cut(format!(
                    "the module's process did not answer as it should and was stopped: {broken}"
                ));
                (said, TokenFault::Module)
            }
        };
        failure(attempted, said, fault)
    }

    fn stop(&mut self, patience: Duration) -> Result<End, String> {
        let Some(worker) = self.worker.take() else {
            return Ok(End::Stopped);
        };
        self.pads.clear();
        // It ends by itself when nobody asks any more.
        let _ = rustix::net::shutdown(worker.channel.stream(), rustix::net::Shutdown::Write);
        self.keeper.end_worker(worker.started.id, patience)
    }
}

impl Drop for WorkerModule {
    fn drop(&mut self) {
        // The worker logs out of its tokens and finalises its library; one that does not come to an end is killed.
        let _ = self.stop(self.limits.end);
    }
}

/// How a worker died, in words.
fn death(end: Result<End, String>) -> String {
    let how = match end {
        Ok(End::Signal(number)) => match signal_name(number) {
            Some(name) => format!("was killed by signal {number} ({name})"),
            None => format!("was killed by signal {number}"),
        },
        Ok(End::Code(code)) => format!("ended with exit code {code}"),
        Ok(End::Stopped) => "closed its pipe and was stopped".to_owned(),
        Err(said) => return said,
    };
    format!("the module's process {how}")
}

/// The names of the signals that programs die of (signal(7)).
fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        31 => "SIGSYS",
        _ => return None,
    })
}

/// What a worker says is shown to people: bounded here, made printable where it is shown.
fn tidy(error: TokenError) -> TokenError {
    TokenError {
        attempted: cut(error.attempted),
        said: cut(error.said),
        ..error
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
