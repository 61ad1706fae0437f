//! Takes the terminal and gives it back, on every way out: return, error, panic and signal.

use std::io::{self, IsTerminal, Stdout, Write, stdin, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event};
use crossterm::execute;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::flag;

/// The terminal in raw mode on its alternate screen, until dropped.
pub(super) struct Guard;

impl Guard {
    /// Takes the terminal. Mouse and bracketed paste stay off: neither is wanted, and a paste is no way to answer.
    pub(super) fn take() -> io::Result<(Self, Terminal<CrosstermBackend<Stdout>>)> {
        if !stdin().is_terminal() || !stdout().is_terminal() {
            return Err(io::Error::other("this is not a terminal"));
        }
        enable_raw_mode()?;
        let guard = Self;
        // A bare Linux VT has no alternate screen: what stood there is cleared.
        execute!(stdout(), EnterAlternateScreen, Clear(ClearType::All), Hide)?;
        Ok((guard, Terminal::new(CrosstermBackend::new(stdout()))?))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = execute!(
            stdout(),
            ResetColor,
            Clear(ClearType::All),
            MoveTo(0, 0),
            LeaveAlternateScreen,
            Show
        );
        let _ = stdout().flush();
        let _ = disable_raw_mode();
    }
}

/// The next key or resize, if one comes in time. The library is asked only while the terminal is there: from one that was hung up it reads for ever.
pub(super) fn next(patience: Duration) -> io::Result<Option<Event>> {
    for patience in [Duration::ZERO, patience] {
        wait(patience)?;
        if event::poll(Duration::ZERO)? {
            return event::read().map(Some);
        }
    }
    Ok(None)
}

/// Until there is something to read, or a signal, or no patience left.
fn wait(patience: Duration) -> io::Result<()> {
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    let terminal = stdin();
    let mut waiting = [PollFd::new(&terminal, PollFlags::IN)];
    match poll(&mut waiting, Some(&patience)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    if waiting[0]
        .revents()
        .intersects(PollFlags::HUP | PollFlags::ERR)
    {
        return Err(io::Error::other("the terminal was closed"));
    }
    Ok(())
}

/// Signals while the screen is up: the stopping ones ask it to end, the terminal's stop key does nothing. Once the screen has ended they do what they
/// always do, so that a token call that never returns can still be ended from outside.
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
}

impl Signals {
    pub(super) fn watch() -> io::Result<Self> {
        let signals = Self {
            stop: Arc::default(),
            ended: Arc::default(),
        };
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP] {
            flag::register_conditional_default(signal, Arc::clone(&signals.ended))?;
        }
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
            flag::register(signal, Arc::clone(&signals.stop))?;
        }
        Ok(signals)
    }
    pub(super) fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

type Hook = Box<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync>;

/// While it lives a panic prints nothing: it could print data over a filmed screen. Only its place in the source is kept.
pub(super) struct Hush {
    place: Arc<Mutex<Option<String>>>,
    before: Option<Hook>,
}

impl Hush {
    pub(super) fn new() -> Self {
        let place = Arc::<Mutex<Option<String>>>::default();
        let kept = Arc::clone(&place);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if let (Some(at), Ok(mut place)) = (panic.location(), kept.lock()) {
                *place = Some(format!("{}:{}", at.file(), at.line()));
            }
        }));
        Self {
            place,
            before: Some(before),
        }
    }
    /// Where the last panic was.
    pub(super) fn place(&self) -> String {
        let place = self.place.lock().ok().and_then(|place| place.clone());
        place.unwrap_or_else(|| "its place is not known".to_owned())
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            std::panic::set_hook(before);
        }
    }
}
