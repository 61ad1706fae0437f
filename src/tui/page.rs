//! The model as lines of text: which page it is, what stays in place at its top and foot, what scrolls between, what is waited for and which keys
//! there are. Pure; [`super::view`] puts it on the screen and [`super::update`] asks it how far one can scroll.

mod asking;
mod batch;
mod font;
mod help;
mod large;
mod record;
mod searching;
mod shares;

use ratatui::text::Line;

use super::model::{Asking, Model, Overlay, PinPage, Stage};
use super::reading::Entry;
use super::text::{Tone, lines};
use crate::ceremony::prompt::Ask;

pub(super) use large::count as large_pages;
pub(super) use shares::label as share_label;

/// Rows that are always taken: mode and clock, step, rule; rule, what is waited for, keys.
const CHROME: usize = 6;
/// Rows that a body needs to be read in comfort; below that the fixed lines scroll with it.
const COMFORT: usize = 4;

/// What is drawn.
pub(super) struct Page {
    /// Stays above the body.
    pub(super) top: Vec<Line<'static>>,
    /// Scrolls.
    pub(super) body: Vec<Line<'static>>,
    /// Stays below the body.
    pub(super) bottom: Vec<Line<'static>>,
    /// The last row but one.
    pub(super) waiting: String,
    /// The last row.
    pub(super) keys: &'static str,
}

impl Page {
    fn of(body: Vec<Line<'static>>, waiting: impl Into<String>, keys: &'static str) -> Self {
        Self {
            top: Vec::new(),
            body,
            bottom: Vec::new(),
            waiting: waiting.into(),
            keys,
        }
    }
    /// Rows left for the body.
    pub(super) fn height(&self, rows: usize) -> usize {
        rows.saturating_sub(CHROME + self.top.len() + self.bottom.len())
    }
    /// How far the body can be scrolled.
    pub(super) fn furthest(&self, rows: usize) -> usize {
        self.body.len().saturating_sub(self.height(rows))
    }
    /// Lets lines that would crowd the body out scroll with it, so that nothing is ever cut.
    fn settle(mut self, rows: usize) -> Self {
        if self.height(rows) < COMFORT.min(self.body.len()) || rows < CHROME + self.top.len() {
            self.top.append(&mut self.body);
            self.body = std::mem::take(&mut self.top);
        }
        if self.height(rows) < COMFORT.min(self.body.len()) {
            self.body.append(&mut self.bottom);
        }
        self
    }
}

/// The page that is shown now.
pub(super) fn page(model: &Model) -> Page {
    let rows = usize::from(model.size.1);
    let width = model.columns();
    let page = if model.leaving {
        leaving(model)
    } else if let Some(overlay) = model.overlay {
        overlay_page(model, overlay)
    } else {
        match &model.stage {
            Stage::Opening => Page::of(
                record::overview(model),
                "Waiting for: Enter, to begin. Nothing has been read or written.",
                "Enter begin  j/k scroll  L large type  ? help  q leave",
            ),
            Stage::Working => working(model),
            Stage::Counting(opening) => searching::counting(model, opening),
            Stage::Asking(asking) => return asking_page(model, asking),
            Stage::Pin(pin) => pin_page(model, pin),
            Stage::Envelope(envelope) => asking::envelope(model, envelope),
            Stage::Share(prompt) => shares::share(model, prompt),
            Stage::Finished(finish) => Page::of(
                record::finish(model, finish),
                "The ceremony program is done. Read this page, then leave it.",
                "j/k PgDn scroll  s steps  c signatures  f findings  L large  ? help  q leave",
            ),
        }
    };
    let mut page = page.settle(rows);
    if let Some(fault) = &model.fault {
        let told =
            format!("[FAIL] An event does not fit what happened before: {fault}. Pause with q.");
        page.bottom.splice(0..0, lines(&told, width, Tone::Bad));
    }
    page
}

/// The line that a page begins with: a long plan begins a few steps before the current one.
pub(super) fn first_line(model: &Model) -> usize {
    match model.stage {
        Stage::Working if !record::is_signing(model) => model.progress.current().saturating_sub(5),
        _ => 0,
    }
}

/// Columns and rows of a review's window.
pub(super) fn window(model: &Model, asking: &Asking) -> (usize, usize) {
    let page = asking::review_frame(model, asking);
    (model.columns(), page.height(usize::from(model.size.1)))
}

/// Columns and rows of the window of a review that is searched.
pub(super) fn search_window(model: &Model, asking: &Asking) -> Option<(usize, usize)> {
    let page = searching::frame(model, asking, asking.searching.as_ref()?);
    Some((model.columns(), page.height(usize::from(model.size.1))))
}

fn asking_page(model: &Model, asking: &Asking) -> Page {
    let rows = usize::from(model.size.1);
    if let Some(searching) = &asking.searching {
        return searching::page(model, asking, searching);
    }
    let Some(reading) = &asking.reading else {
        return asking::page(model, asking).settle(rows);
    };
    let mut page = asking::review_frame(model, asking);
    page.body = reading.window(model.columns(), page.height(rows)).0;
    page.keys = match reading.entry {
        Entry::Search => "Enter search  Esc back",
        Entry::Reject => "Enter send  Esc back, keep reading",
        Entry::None if asking.typing => "Enter send  Tab or Esc back to reading  F5 large type",
        Entry::None if reading.is_complete() => {
            "Tab type phrase  / n N search  e flagged  w words  R reject  ? help  q pause"
        }
        Entry::None => {
            "j/k PgDn G read  / n N search  e flagged  w words  R reject  ? help  q pause"
        }
    };
    page
}

fn working(model: &Model) -> Page {
    let waiting = match (model.progress.pending(), model.step()) {
        _ if model.pausing => {
            "Pausing at the next question. What is under way is finished first.".to_owned()
        }
        (Some((document, signer)), _) => format!(
            "Waiting for the token of {} to sign {document}. It may want to be touched.",
            signer.holder
        ),
        (None, Some(_)) if model.progress.asked().is_some() => {
            "The token signs the batch. q stops between two signatures; what is signed is kept."
                .to_owned()
        }
        (None, Some(step)) => format!("Working: {}. Nothing to do.", step.label()),
        (None, None) => "Working. Nothing to do.".to_owned(),
    };
    let body = if record::is_signing(model) {
        record::signatures(model)
    } else {
        record::steps(model)
    };
    let told = model.told.iter();
    let told = told.flat_map(|told| lines(told, model.columns(), Tone::Warn));
    let mut page = Page::of(
        body,
        waiting,
        "j/k scroll  o overview  s steps  c signatures  f findings  ? help  q pause",
    );
    page.top = told.collect();
    page.top.extend(batch::pace(model));
    page
}

fn pin_page(model: &Model, pin: &PinPage) -> Page {
    let mut page = asking::pin(model, pin);
    (page.waiting, page.keys) = if pin.field.is_some() {
        (
            format!(
                "Waiting for: the {} of {}, then Enter",
                pin.prompt.kind.name(),
                pin.prompt.holder
            ),
            "Enter send  Ctrl-U clear  Esc cancel. No other key does anything.",
        )
    } else {
        (
            format!(
                "Waiting for: Enter, once the camera is turned away. {} of {}",
                pin.prompt.kind.name(),
                pin.prompt.holder
            ),
            "Enter open the PIN field  c signatures  L large type  ? help  q pause",
        )
    };
    page
}

fn leaving(model: &Model) -> Page {
    let say = |text: &str, tone| lines(text, model.columns(), tone);
    let (kept, tone) = if model.progress.has_keys_in_memory() {
        (
            "[WARN] Keys of this ceremony are in memory only, and a pause loses them: it begins anew then, with an empty output folder, and what was signed counts for nothing.",
            Tone::Bad,
        )
    } else {
        (
            "Everything recorded so far is kept. Run the same command with the same folder to go on from this step. A PIN that was begun is wiped, and no try is used.",
            Tone::Plain,
        )
    };
    let body = [
        say("Pause and save?", Tone::Strong),
        say("", Tone::Plain),
        say(kept, tone),
        say("", Tone::Plain),
        say("  p    pause and save", Tone::Plain),
        say("  Esc  stay", Tone::Plain),
        say("", Tone::Plain),
        say("Ctrl-C once more pauses at once.", Tone::Plain),
    ]
    .concat();
    Page::of(
        body,
        "Waiting for: pause or stay",
        "p pause and save  Esc stay  Ctrl-C pause at once",
    )
}

fn overlay_page(model: &Model, overlay: Overlay) -> Page {
    let back = if matches!(model.stage, Stage::Opening | Stage::Finished(_)) {
        "j/k PgUp/PgDn g/G scroll  Esc back  q leave"
    } else {
        "j/k PgUp/PgDn g/G scroll  Esc back  q pause"
    };
    let (body, what) = match overlay {
        Overlay::Overview => (record::overview(model), "overview"),
        Overlay::Steps => (record::steps(model), "the steps"),
        Overlay::Signatures => (record::signatures(model), "signatures so far"),
        Overlay::Findings => (record::findings(model), "what the checks said"),
        Overlay::Words => (asking::words_page(model), "the digest, to be read aloud"),
        Overlay::Help => (help::lines(model.columns()), "help"),
        Overlay::Large(index) => {
            let (waiting, body) = large::page(model, index);
            return Page::of(body, waiting, "Left/Right page  Esc back  q pause");
        }
    };
    Page::of(
        body,
        format!("Shown: {what}. Esc goes back to: {}", behind(model)),
        back,
    )
}

/// What lies under an overlay.
fn behind(model: &Model) -> &'static str {
    match &model.stage {
        Stage::Opening => "the opening page",
        Stage::Working => "the ceremony",
        Stage::Counting(_) => "the review that is being made",
        Stage::Pin(_) => "the PIN",
        Stage::Envelope(_) => "the envelope",
        Stage::Share(_) => "a share",
        Stage::Finished(_) => "the finish page",
        Stage::Asking(asking) => match asking.prompt.ask {
            Ask::Phrase { .. } => "the phrase",
            Ask::Text { .. } => "a text",
            Ask::Choice { .. } => "the choice",
            Ask::Review { .. } => "the review",
            Ask::Token { .. } => "the token",
        },
    }
}

/// The row under the mode: `Step 3 of 7: Review root v8`.
pub(super) fn step_line(model: &Model) -> String {
    let steps = model.progress.steps().len();
    match (&model.stage, model.step()) {
        (Stage::Opening, _) => "Opening".to_owned(),
        (Stage::Finished(finish), _) => format!(
            "Finished, exit code {}. {} of {steps} steps done",
            finish.code,
            model.progress.current()
        ),
        (_, Some(step)) => format!(
            "Step {} of {steps}: {}",
            model.progress.current() + 1,
            step.label()
        ),
        (_, None) if steps > 0 => format!("All {steps} steps are done"),
        (_, None) => "Before the first step".to_owned(),
    }
}
