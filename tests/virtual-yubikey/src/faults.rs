//! What goes wrong on purpose, a finger for the touch sensor, and the log: shared by a card and whoever plays with it.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::log::{Exchange, Purpose};

/// How the person at the card touches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// So long after it begins to blink.
    After(Duration),
    /// Only when [`Controls::touch`] is called while it blinks.
    ByHand,
}

/// An answer forced upon a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Instruction it concerns.
    pub ins: u8,
    /// How many of them are let through first.
    pub after: u32,
    /// What the card says instead of doing it, from then on.
    pub status: u16,
}

/// What a card does wrong. The default is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "faults that a test switches on one by one or together"
)]
pub struct Faults {
    /// The card answers so many more APDUs (as on the wire), and is gone at the next.
    pub pull_after_apdus: Option<u32>,
    /// The card answers so many more signing commands; at the next it signs and is gone before it answers.
    pub pull_after_signatures: Option<u32>,
    /// One bit of each signature is turned.
    pub flip_signature: bool,
    /// P-256 signatures all have the same nonce, and so the same r. Other algorithms sign as ever.
    pub repeat_nonce: bool,
    /// Signatures come from a key that is in no slot.
    pub sign_with_other_key: bool,
    /// GET SERIAL and the management application say this; attestations still tell the truth.
    pub serial: Option<u32>,
    /// ATTEST names a key that is in no slot.
    pub attest_other_key: bool,
    /// Commands that fail.
    pub refuse: Vec<Refusal>,
    /// How it is touched.
    pub touch: Touch,
    /// How long it blinks before it gives up: 15 s on the real one.
    pub touch_timeout: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            pull_after_apdus: None,
            pull_after_signatures: None,
            flip_signature: false,
            repeat_nonce: false,
            sign_with_other_key: false,
            serial: None,
            attest_other_key: false,
            refuse: Vec::new(),
            touch: Touch::After(Duration::ZERO),
            touch_timeout: Duration::from_secs(15),
        }
    }
}

/// How waiting for a touch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Somebody touched it.
    Touched,
    /// Nobody did.
    TimedOut,
    /// The card was pulled meanwhile.
    Pulled,
}

#[derive(Default)]
struct Inner {
    faults: Faults,
    blinking: bool,
    touched: bool,
    pulled: bool,
    log: Vec<Exchange>,
    file: Option<File>,
}

/// The handle on a card in use. Clones are the same handle.
#[derive(Clone, Default)]
pub struct Controls {
    inner: Arc<(Mutex<Inner>, Condvar)>,
}

impl Controls {
    /// Copies every line of the log into this file as well.
    pub fn log_to(&self, file: File) {
        self.lock().file = Some(file);
    }

    /// What is set to go wrong.
    pub fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// Changes what goes wrong, from the next APDU on.
    pub fn set(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.lock().faults);
        self.inner.1.notify_all();
    }

    /// Touches the card; it counts only while it blinks, as on the real one. Returns whether it did.
    pub fn touch(&self) -> bool {
        let mut inner = self.lock();
        inner.touched = inner.blinking;
        self.inner.1.notify_all();
        inner.touched
    }

    /// Whether the card waits for a touch now.
    pub fn is_blinking(&self) -> bool {
        self.lock().blinking
    }

    /// All commands so far.
    pub fn log(&self) -> Vec<Exchange> {
        self.lock().log.clone()
    }

    /// How many commands there were for this purpose, whatever came of them.
    pub fn count(&self, purpose: Purpose) -> usize {
        let inner = self.lock();
        inner.log.iter().filter(|e| e.purpose == purpose).count()
    }

    /// Forgets the log, so that a test counts from here.
    pub fn clear_log(&self) {
        self.lock().log.clear();
    }

    pub(crate) fn record(&self, exchange: Exchange) {
        let mut inner = self.lock();
        if let Some(file) = &mut inner.file {
            // A log that cannot be written must not change how the card behaves.
            let _ = writeln!(file, "{exchange}");
        }
        inner.log.push(exchange);
    }

    /// The card is in a reader, or no longer.
    pub(crate) fn set_pulled(&self, pulled: bool) {
        self.lock().pulled = pulled;
        self.inner.1.notify_all();
    }

    /// Counts an APDU; true where the card is to be gone instead of answering it.
    pub(crate) fn pulled_by_apdu(&self) -> bool {
        spent(&mut self.lock().faults.pull_after_apdus)
    }

    /// Counts a signature; true where the card is to be gone instead of answering with it.
    pub(crate) fn pulled_by_signature(&self) -> bool {
        spent(&mut self.lock().faults.pull_after_signatures)
    }

    /// The status forced upon this instruction, if it is its turn.
    pub(crate) fn refused(&self, ins: u8) -> Option<u16> {
        let mut inner = self.lock();
        let refusal = inner.faults.refuse.iter_mut().find(|r| r.ins == ins)?;
        if refusal.after == 0 {
            return Some(refusal.status);
        }
        refusal.after -= 1;
        None
    }

    /// Blinks until touched, timed out or pulled.
    pub(crate) fn wait_for_touch(&self) -> Waited {
        let began = Instant::now();
        let mut inner = self.lock();
        inner.blinking = true;
        inner.touched = false;
        let ended = loop {
            let waited = began.elapsed();
            let timeout = inner.faults.touch_timeout;
            let finger = match inner.faults.touch {
                Touch::After(delay) => delay,
                Touch::ByHand => Duration::MAX,
            };
            if inner.pulled {
                break Waited::Pulled;
            }
            if inner.touched || (waited >= finger && finger < timeout) {
                break Waited::Touched;
            }
            if waited >= timeout {
                break Waited::TimedOut;
            }
            let left = finger.min(timeout).saturating_sub(waited);
            inner = match self.inner.1.wait_timeout(inner, left) {
                Ok((inner, _)) => inner,
                Err(poisoned) => poisoned.into_inner().0,
            };
        };
        inner.blinking = false;
        ended
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A test that panicked with the lock has failed already; the card still has to stop in order.
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one of what is left; true where nothing was left. It is true once: the card is then gone, and comes back whole.
fn spent(left: &mut Option<u32>) -> bool {
    match left {
        None => false,
        Some(0) => {
            *left = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
    }
}
