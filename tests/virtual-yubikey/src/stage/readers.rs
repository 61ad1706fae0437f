//! What PC/SC says about the two readers: waiting by looking.

use std::ffi::CString;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pcsc::{Context, ReaderState, Scope, State};

/// Generous: only a machine that does not work at all takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The two readers, in the order of their ports.
pub(super) struct Readers {
    names: [CString; 2],
}

impl Readers {
    /// Waits until pcscd has both readers.
    pub(super) fn wait_for_two(pcscd: &mut Child) -> Result<Self, String> {
        let began = Instant::now();
        loop {
            if let Ok(Some(status)) = pcscd.try_wait() {
                return Err(format!("pcscd ended at once: {status}"));
            }
            match names() {
                Ok(names) => {
                    if let Ok(names) = <[CString; 2]>::try_from(names) {
                        return Ok(Self { names });
                    }
                }
                Err(error) if began.elapsed() > PATIENCE => {
                    return Err(format!("pcscd does not answer: {error}"));
                }
                Err(_) => {}
            }
            if began.elapsed() > PATIENCE {
                return Err("pcscd has not the two readers of vpcd".to_owned());
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the reader holds a card that answered to reset, or holds none; gives the count of its events.
    ///
    /// `since` is the count that was given before: pcscd calls a reader empty as soon as a reset fails, but the thread
    /// that looks for cards may not have seen it go, and would then not see the next one come.
    pub(super) fn wait_for_card(
        &self,
        bay: usize,
        present: bool,
        since: Option<u32>,
    ) -> Result<u32, String> {
        let fail = |error| format!("PC/SC: {error}");
        let context = Context::establish(Scope::User).map_err(fail)?;
        let began = Instant::now();
        let mut states = [ReaderState::new(self.names[bay].clone(), State::UNAWARE)];
        while began.elapsed() < PATIENCE {
            match context.get_status_change(Duration::from_millis(100), &mut states) {
                Ok(()) | Err(pcsc::Error::Timeout) => {}
                Err(error) => return Err(fail(error)),
            }
            let state = states[0].event_state();
            let events = states[0].event_count();
            let mute = state.contains(State::MUTE);
            let new = since.is_none_or(|since| since != events);
            if new && state.contains(State::PRESENT) == present && !(present && mute) {
                return Ok(events);
            }
            states[0].sync_current_state();
        }
        let is = if present { "see" } else { "let go of" };
        Err(format!("pcscd does not {is} the card in reader {bay}"))
    }

    /// The names, as PC/SC gives them.
    pub(super) fn names(&self) -> [String; 2] {
        self.names
            .each_ref()
            .map(|name| name.to_string_lossy().into_owned())
    }
}

fn names() -> Result<Vec<CString>, pcsc::Error> {
    let mut names = Context::establish(Scope::User)?.list_readers_owned()?;
    names.sort();
    Ok(names)
}
