//! All that the screen knows. [`super::update`] alone changes it, [`super::page`] alone turns it into lines.

use std::time::Duration;

use crossterm::event::KeyEvent;

use super::glyphs::Glyphs;
use super::reading::{Entry, Reading};
use super::searching::Searching;
use super::{Finish, Start};
use crate::ceremony::event::{Event, Mode};
use crate::ceremony::plan::Step;
use crate::ceremony::progress::Progress;
use crate::ceremony::prompt::{Ask, Choice, EnvelopePrompt, PinPrompt, Prompt, SharePrompt};
use crate::ceremony::review::opening::Opening;
use crate::tuf::digest::Sha256;

/// The smallest screen: columns, rows. Below it nothing is shown and nothing can be answered.
pub(super) const SMALLEST: (u16, u16) = (80, 24);

/// What comes in.
pub(super) enum Input {
    /// A key, never while the PIN field is open.
    Key(KeyEvent),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The clock's text.
    Tick(String),
    /// Something happened in the ceremony.
    Event(Box<Event>),
    /// A question.
    Prompt(Box<Prompt>),
    /// A question for a PIN.
    Pin(Box<PinPrompt>),
    /// A new secret is to be shown; the secret itself never comes here.
    Envelope(Box<EnvelopePrompt>),
    /// How its showing, or the typing of it from the paper, ended.
    EnvelopeStep(EnvelopeStep),
    /// A share is to be shown, or asked for; the share itself never comes here.
    Share(Box<SharePrompt>),
    /// How its showing and typing ended.
    ShareStep(ShareStep),
    /// What people must do while a token is asked.
    Told(String),
    /// The first page of a review that is still being made.
    Opening(Box<Opening>),
    /// Whether anything stands in the open PIN field: all that this side learns of it.
    PinTyped(bool),
    /// The PIN field was closed.
    PinClosed(PinEnd),
    /// The ceremony has ended.
    Finished(Finish),
}

/// How the PIN field was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PinEnd {
    /// Enter: the PIN is on its way.
    Entered,
    /// Esc or Ctrl-C: it was wiped.
    Cancelled,
    /// The screen became too small: it was wiped.
    Interrupted,
}

/// What happened to a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShareStep {
    /// Six lines were typed and are on their way.
    Typed,
    /// Esc or Ctrl-C.
    Cancelled,
    /// The screen was changed meanwhile.
    Interrupted,
}

/// What happened to a new secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EnvelopeStep {
    /// It is on the paper, and typed from there next.
    Written,
    /// What was typed from the paper is another.
    Differs,
    /// Esc or Ctrl-C.
    Cancelled,
    /// The screen was changed meanwhile.
    Interrupted,
    /// The paper has it.
    Kept,
}

/// What the screen wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Begin the ceremony.
    Begin,
    /// Answer the open prompt.
    Answer(String),
    /// Answer the open question with a pause.
    Pause,
    /// Open the PIN field.
    OpenPin,
    /// Show the new secret.
    ShowSecret,
    /// Show a share, if it is dealt now, and have it typed.
    OpenShare,
    /// Leave the screen.
    Leave,
}

/// All that the screen knows.
pub(super) struct Model {
    pub(super) mode: Mode,
    pub(super) title: String,
    pub(super) today: Vec<String>,
    pub(super) ceremony: Sha256,
    pub(super) trusted_root: Option<Sha256>,
    pub(super) glyphs: Glyphs,
    pub(super) size: (u16, u16),
    pub(super) clock: String,
    pub(super) progress: Progress,
    /// How long the screen has been there, and was when a token began to sign a batch.
    pub(super) now: Duration,
    pub(super) batch_since: Option<Duration>,
    pub(super) stage: Stage,
    pub(super) overlay: Option<Overlay>,
    /// First line shown of the page's body; of the overlay's.
    pub(super) scroll: usize,
    pub(super) overlay_scroll: usize,
    /// Whether the question about pausing is open.
    pub(super) leaving: bool,
    /// Pause was chosen while nothing was asked: the next question is answered with it.
    pub(super) pausing: bool,
    /// What people must do while a token is asked.
    pub(super) told: Option<String>,
    /// An event that does not fit the ones before: a fault to be told, not to be hidden.
    pub(super) fault: Option<String>,
}

/// Where the screen is.
pub(super) enum Stage {
    /// The opening page.
    Opening,
    /// Nothing is asked.
    Working,
    /// Nothing is asked: a review is being made, and this much of it is known.
    Counting(Box<Opening>),
    /// A prompt is open.
    Asking(Box<Asking>),
    /// A PIN is wanted.
    Pin(Box<PinPage>),
    /// A new secret goes into its envelope.
    Envelope(Box<EnvelopePage>),
    /// A share is shown or asked for.
    Share(Box<SharePrompt>),
    /// The finish page.
    Finished(Finish),
}

/// An open prompt.
pub(super) struct Asking {
    pub(super) prompt: Prompt,
    /// What is typed so far.
    pub(super) field: String,
    /// Whether letters go to the field.
    pub(super) typing: bool,
    /// The selected choice.
    pub(super) selected: usize,
    /// What was wrong with the last answer.
    pub(super) note: Option<String>,
    /// Where reading stands, for a review that is read to its end.
    pub(super) reading: Option<Reading>,
    /// Where searching stands, for one that is searched.
    pub(super) searching: Option<Box<Searching>>,
}

/// An open question for a PIN.
pub(super) struct PinPage {
    pub(super) prompt: PinPrompt,
    /// None: closed; else whether anything was typed.
    pub(super) field: Option<bool>,
}

/// A new secret on its way into the envelope.
pub(super) struct EnvelopePage {
    pub(super) prompt: EnvelopePrompt,
    /// None: not shown yet; else the field for what stands on the paper, and whether anything was typed.
    pub(super) field: Option<bool>,
    /// What went wrong before.
    pub(super) note: Option<&'static str>,
}

/// A page laid over the current one; Esc goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overlay {
    Overview,
    Steps,
    Signatures,
    Findings,
    Words,
    Help,
    /// Large type, at this page.
    Large(usize),
}

/// Whether a screen of these columns and rows cannot show a page.
pub(super) fn is_too_small(size: (u16, u16)) -> bool {
    size.0 < SMALLEST.0 || size.1 < SMALLEST.1
}

impl Model {
    pub(super) fn new(start: &Start, glyphs: Glyphs, size: (u16, u16)) -> Self {
        Self {
            mode: start.mode,
            title: start.title.clone(),
            today: start.today.clone(),
            ceremony: start.ceremony,
            trusted_root: start.trusted_root,
            glyphs,
            size,
            clock: (start.clock)(),
            progress: Progress::default(),
            now: Duration::ZERO,
            batch_since: None,
            stage: Stage::Opening,
            overlay: None,
            scroll: 0,
            overlay_scroll: 0,
            leaving: false,
            pausing: false,
            told: None,
            fault: None,
        }
    }

    pub(super) fn is_too_small(&self) -> bool {
        is_too_small(self.size)
    }
    pub(super) fn columns(&self) -> usize {
        usize::from(self.size.0)
    }
    /// Whether anything was typed into the open field of a secret; none: no such field is open.
    pub(super) fn secret_field(&self) -> Option<bool> {
        match &self.stage {
            Stage::Pin(page) => page.field,
            Stage::Envelope(page) => page.field,
            _ => None,
        }
    }
    /// The digest that is read aloud now, and of what.
    pub(super) fn digest(&self) -> Option<(String, Sha256)> {
        match &self.stage {
            Stage::Opening => self
                .trusted_root
                .map(|digest| ("the trusted root".to_owned(), digest)),
            Stage::Asking(asking) => match &asking.prompt.ask {
                Ask::Review { review, .. } => Some((review.name().to_owned(), review.digest())),
                _ => asking
                    .prompt
                    .digest
                    .map(|digest| (asking.prompt.title.clone(), digest)),
            },
            Stage::Counting(opening) => Some((opening.name.clone(), opening.digest)),
            Stage::Finished(finish) => finish
                .head
                .map(|head| ("the end of the transcript".to_owned(), head)),
            Stage::Working | Stage::Pin(_) | Stage::Envelope(_) | Stage::Share(_) => None,
        }
    }
    /// The current step, if any is left.
    pub(super) fn step(&self) -> Option<&Step> {
        self.progress.steps().get(self.progress.current())
    }
}

impl Asking {
    pub(super) fn new(prompt: Prompt) -> Self {
        let (reading, searching) = match &prompt.ask {
            Ask::Review { review, .. } => match Searching::new(review, &prompt.text) {
                None => (Some(Reading::new(review, &prompt.text)), None),
                searching => (None, searching.map(Box::new)),
            },
            _ => (None, None),
        };
        Self {
            typing: matches!(prompt.ask, Ask::Phrase { .. } | Ask::Text { .. }),
            prompt,
            field: String::new(),
            selected: 0,
            note: None,
            reading,
            searching,
        }
    }
    /// The choices, where there are any.
    pub(super) fn options(&self) -> &[Choice] {
        match &self.prompt.ask {
            Ask::Choice { options } | Ask::Token { options, .. } => options,
            Ask::Phrase { .. } | Ask::Text { .. } | Ask::Review { .. } => &[],
        }
    }
    /// What is typed into a review, besides its phrase.
    pub(super) fn entry(&self) -> Entry {
        let reading = self.reading.as_ref().map(|reading| reading.entry);
        let searching = self.searching.as_ref().map(|searching| searching.entry);
        reading.or(searching).unwrap_or(Entry::None)
    }
    /// The phrase that is wanted, once it may be typed.
    pub(super) fn phrase(&self) -> Option<&str> {
        match &self.prompt.ask {
            Ask::Phrase { phrase } => Some(phrase),
            Ask::Review { phrase, .. } => {
                let read = self.reading.as_ref().is_some_and(Reading::is_complete);
                let searched = self.searching.as_ref().is_some_and(|s| s.is_complete());
                (read || searched).then_some(phrase)
            }
            Ask::Text { .. } | Ask::Choice { .. } | Ask::Token { .. } => None,
        }
    }
}
