//! The loop that owns the terminal: hands keys, messages and time to [`super::update`], draws, and does what it requests.

use std::io::{self, Stdout, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use crossterm::event::Event as Terminal_;
use crossterm::terminal::size;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::envelope::{self, Shown};
use super::glyphs::Glyphs;
use super::model::{EnvelopeStep, Input, Model, PinEnd, Request, ShareStep, Stage};
use super::operator::{Ends, Message, Reply};
use super::page::share_label;
use super::pin::{PinKey, PinReader};
use super::share::{self, Shared};
use super::terminal::{Guard, Signals, next};
use super::update::update;
use super::view::view;
use super::{Clock, Start};
use crate::ceremony::port::Stop;
use crate::ceremony::prompt::{EnvelopePrompt, SharePrompt};
use crate::secret::Secret;

/// How long the loop waits for a key before it looks at messages, clock and signals.
const PATIENCE: Duration = Duration::from_millis(30);

/// Shows the screen until people leave it or a signal comes.
pub(super) fn show(
    start: Start,
    messages: Receiver<Message>,
    begin: Sender<()>,
    ends: &Ends,
    signals: &Signals,
) -> io::Result<()> {
    let (_guard, terminal) = Guard::take()?;
    let glyphs = glyphs(start.ascii);
    let mut app = App {
        model: Model::new(&start, glyphs, size()?),
        terminal,
        clock: start.clock,
        began: Instant::now(),
        messages,
        begin,
        open: Open::Nothing,
        left: false,
        stop: Arc::clone(&ends.stop),
    };
    let ended = app.serve(signals);
    // Said before the channels close with `app`: whoever asks from now on hears why.
    let _ = ends.gone.set(match &ended {
        Ok(()) => Stop::Paused,
        Err(error) => Stop::Terminal(error.to_string()),
    });
    ended
}

/// The characters that this terminal has.
#[allow(
    clippy::disallowed_methods,
    reason = "the terminal names itself in its environment only"
)]
pub(super) fn glyphs(ascii: bool) -> Glyphs {
    Glyphs::choose(ascii, std::env::var("TERM").ok().as_deref())
}

/// Who waits for an answer.
enum Open {
    Nothing,
    Prompt(Reply<String>),
    Pin(Reply<Secret>),
    /// The new secret waits here, in locked memory, until the paper has it.
    Envelope(Box<EnvelopePrompt>, Secret, Reply<Secret>),
    /// The share waits here, where it is to be shown.
    Share(Box<SharePrompt>, Option<Secret>, Reply<Secret>),
}

struct App {
    model: Model,
    terminal: Terminal<CrosstermBackend<Stdout>>,
    clock: Clock,
    began: Instant,
    messages: Receiver<Message>,
    begin: Sender<()>,
    open: Open,
    left: bool,
    /// Tells the ceremony, while it asks nothing, that people want to stop.
    stop: Arc<AtomicBool>,
}

impl App {
    fn serve(&mut self, signals: &Signals) -> io::Result<()> {
        self.draw()?;
        loop {
            let mut changed = self.hear();
            changed |= self.tick();
            if changed {
                self.draw()?;
            }
            if self.left || signals.stop() {
                return Ok(());
            }
            if let Some(event) = next(PATIENCE)? {
                let request = match event {
                    Terminal_::Key(key) => self.take(Input::Key(key)),
                    Terminal_::Resize(columns, rows) => self.take(Input::Resize(columns, rows)),
                    _ => None,
                };
                self.answer(request, signals)?;
                self.draw()?;
            }
        }
    }

    /// Takes in what the ceremony said. True: there was something.
    fn hear(&mut self) -> bool {
        let mut changed = false;
        loop {
            let input = match self.messages.try_recv() {
                Ok(Message::Event(event)) => Input::Event(event),
                Ok(Message::Prompt(prompt, reply)) => {
                    self.open = Open::Prompt(reply);
                    Input::Prompt(prompt)
                }
                Ok(Message::Pin(prompt, reply)) => {
                    self.open = Open::Pin(reply);
                    Input::Pin(prompt)
                }
                Ok(Message::Envelope(prompt, fresh, reply)) => {
                    self.open = Open::Envelope(prompt.clone(), fresh, reply);
                    Input::Envelope(prompt)
                }
                Ok(Message::Share(prompt, shown, reply)) => {
                    self.open = Open::Share(prompt.clone(), shown, reply);
                    Input::Share(prompt)
                }
                Ok(Message::Told(text)) => Input::Told(text),
                Ok(Message::Opening(opening)) => Input::Opening(opening),
                Ok(Message::Finished(finish)) => Input::Finished(finish),
                Err(TryRecvError::Empty) => return changed,
                Err(TryRecvError::Disconnected) => {
                    // The ceremony's thread ended. Without a finish page it ended by a fault, which the caller tells.
                    self.left |= !matches!(self.model.stage, Stage::Finished(_));
                    return changed;
                }
            };
            if self.take(input) == Some(Request::Pause) {
                self.reply(Err(Stop::Paused));
            }
            changed = true;
        }
    }

    fn tick(&mut self) -> bool {
        let now = (self.clock)();
        // The bar of a batch moves by the second.
        let moves = self.model.progress.asked().is_some()
            && self.began.elapsed().as_secs() != self.model.now.as_secs();
        let changed = now != self.model.clock || moves;
        if changed {
            self.take(Input::Tick(now));
        }
        changed
    }

    fn take(&mut self, input: Input) -> Option<Request> {
        self.model.now = self.began.elapsed();
        let request = update(&mut self.model, input);
        if self.model.pausing {
            self.stop.store(true, Ordering::Relaxed);
        }
        request
    }

    fn draw(&mut self) -> io::Result<()> {
        self.terminal.draw(|frame| view(&self.model, frame))?;
        Ok(())
    }

    fn answer(&mut self, request: Option<Request>, signals: &Signals) -> io::Result<()> {
        match request {
            None => {}
            // A ceremony that is gone is noticed when its messages end.
            Some(Request::Begin) => drop(self.begin.send(())),
            Some(Request::Answer(answer)) => self.reply(Ok(answer)),
            Some(Request::Pause) => self.reply(Err(Stop::Paused)),
            Some(Request::Leave) => self.left = true,
            Some(Request::OpenPin) => self.read_pin(signals)?,
            Some(Request::ShowSecret) => self.show_secret(signals)?,
            Some(Request::OpenShare) => self.open_share(signals)?,
        }
        Ok(())
    }

    fn reply(&mut self, answer: Result<String, Stop>) {
        // An asker that is gone needs no answer.
        match (std::mem::replace(&mut self.open, Open::Nothing), answer) {
            (Open::Prompt(reply), answer) => drop(reply.send(answer)),
            (
                Open::Pin(reply) | Open::Envelope(_, _, reply) | Open::Share(_, _, reply),
                Err(stop),
            ) => {
                drop(reply.send(Err(stop)));
            }
            (open, _) => self.open = open,
        }
    }

    /// Reads a PIN and hands it to its asker.
    fn read_pin(&mut self, signals: &Signals) -> io::Result<()> {
        let Some((end, pin)) = self.read_secret(signals)? else {
            self.take(Input::PinClosed(PinEnd::Entered));
            return Ok(());
        };
        self.take(Input::PinClosed(end));
        if end == PinEnd::Entered
            && let Open::Pin(reply) = std::mem::replace(&mut self.open, Open::Nothing)
        {
            // An asker that is gone drops the secret, and so wipes it.
            drop(reply.send(Ok(pin)));
        }
        Ok(())
    }

    /// Shows the new secret once, then has it typed from the paper and compares, in locked memory.
    fn show_secret(&mut self, signals: &Signals) -> io::Result<()> {
        let Open::Envelope(prompt, fresh, _) = &self.open else {
            return Ok(());
        };
        let shown = envelope::show(prompt, fresh, signals);
        // The screen is wiped, so the library begins with an empty one too. Its own way of clearing asks the terminal where the cursor is, and waits.
        self.terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        match shown? {
            Shown::Written => {}
            Shown::Cancelled => {
                self.take(Input::EnvelopeStep(EnvelopeStep::Cancelled));
                return Ok(());
            }
            Shown::Interrupted => {
                self.take(Input::EnvelopeStep(EnvelopeStep::Interrupted));
                return Ok(());
            }
        }
        self.take(Input::EnvelopeStep(EnvelopeStep::Written));
        let Some((end, typed)) = self.read_secret(signals)? else {
            self.take(Input::EnvelopeStep(EnvelopeStep::Kept));
            return Ok(());
        };
        let step = match (end, &self.open) {
            (PinEnd::Cancelled, _) => EnvelopeStep::Cancelled,
            (PinEnd::Interrupted, _) => EnvelopeStep::Interrupted,
            (PinEnd::Entered, Open::Envelope(_, fresh, _)) if same(fresh, &typed) => {
                EnvelopeStep::Kept
            }
            (PinEnd::Entered, _) => EnvelopeStep::Differs,
        };
        self.take(Input::EnvelopeStep(step));
        if step == EnvelopeStep::Kept
            && let Open::Envelope(_, fresh, reply) =
                std::mem::replace(&mut self.open, Open::Nothing)
        {
            drop(reply.send(Ok(fresh)));
        }
        Ok(())
    }

    /// Shows a share to its custodian, if it is dealt now, and has it typed.
    fn open_share(&mut self, signals: &Signals) -> io::Result<()> {
        let Open::Share(prompt, shown, _) = &self.open else {
            return Ok(());
        };
        let label = share_label(&self.model, prompt);
        let ended = share::serve(prompt, shown.as_ref(), &label, signals);
        // As after a new secret.
        self.terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        let step = match &ended {
            Ok(Shared::Typed(_)) => ShareStep::Typed,
            Ok(Shared::Cancelled) | Err(_) => ShareStep::Cancelled,
            Ok(Shared::Interrupted) => ShareStep::Interrupted,
        };
        self.take(Input::ShareStep(step));
        if let Shared::Typed(lines) = ended?
            && let Open::Share(.., reply) = std::mem::replace(&mut self.open, Open::Nothing)
        {
            drop(reply.send(Ok(lines)));
        }
        Ok(())
    }

    /// Reads a secret while the terminal library rests. None: there is no memory for one, and the asker was told.
    fn read_secret(&mut self, signals: &Signals) -> io::Result<Option<(PinEnd, Secret)>> {
        let mut secret = match Secret::new() {
            Ok(secret) => secret,
            Err(error) => {
                self.reply(Err(Stop::Terminal(error.to_string())));
                return Ok(None);
            }
        };
        let mut reader = PinReader::open()?;
        self.draw()?;
        let end = loop {
            match reader.next(&mut secret)? {
                PinKey::Enter => break PinEnd::Entered,
                PinKey::Cancel => break PinEnd::Cancelled,
                _ if signals.stop() => break PinEnd::Interrupted,
                _ => {}
            }
            let now = size()?;
            let changed = self.tick() || now != self.model.size;
            self.take(Input::Resize(now.0, now.1));
            if self.model.is_too_small() {
                break PinEnd::Interrupted;
            }
            let typed = self.model.secret_field() == Some(true);
            if changed || typed == secret.is_empty() {
                self.take(Input::PinTyped(!secret.is_empty()));
                self.draw()?;
            }
        };
        Ok(Some((end, secret)))
    }
}

/// A plain comparison: who can time this reads the memory that both are in.
fn same(one: &Secret, other: &Secret) -> bool {
    one.expose(|one| other.expose(|other| one == other))
}
