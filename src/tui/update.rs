//! What each input does: (model, input) -> (model, request). Pure: no clock, no terminal, no channel. No single key does anything that cannot be
//! undone; answers that sign, skip or refuse are typed words or chosen and confirmed with Enter.

mod asking;
mod reading;
mod searching;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::model::{
    Asking, EnvelopePage, EnvelopeStep, Input, Model, Overlay, PinEnd, PinPage, Request, ShareStep,
    Stage,
};
use super::page::{first_line, large_pages, page};
use crate::ceremony::event::Event;

/// Changes the model; says what is to be done.
pub(super) fn update(model: &mut Model, input: Input) -> Option<Request> {
    let request = match input {
        Input::Key(key) if key.kind == KeyEventKind::Release => None,
        Input::Key(key) => press(model, key),
        Input::Resize(columns, rows) => {
            model.size = (columns, rows);
            None
        }
        Input::Tick(clock) => {
            model.clock = clock;
            None
        }
        Input::Event(event) => {
            model.told = None;
            if let Err(fault) = model.progress.apply(&event) {
                model.fault = Some(fault.to_string());
            }
            if let Event::BatchIntended(_) = *event {
                model.batch_since = Some(model.now);
            }
            if let (Stage::Working, Event::StepStarted { .. }) = (&model.stage, *event) {
                model.scroll = first_line(model);
            }
            None
        }
        Input::Prompt(prompt) => ask(model, Stage::Asking(Box::new(Asking::new(*prompt)))),
        Input::Pin(prompt) => {
            let pin = PinPage {
                prompt: *prompt,
                field: None,
            };
            ask(model, Stage::Pin(Box::new(pin)))
        }
        Input::Envelope(prompt) => {
            let envelope = EnvelopePage {
                prompt: *prompt,
                field: None,
                note: None,
            };
            ask(model, Stage::Envelope(Box::new(envelope)))
        }
        Input::EnvelopeStep(step) => {
            step_envelope(model, step);
            None
        }
        Input::Share(prompt) => ask(model, Stage::Share(prompt)),
        Input::ShareStep(step) => {
            match step {
                ShareStep::Typed => show(model, Stage::Working),
                ShareStep::Cancelled => model.leaving = true,
                ShareStep::Interrupted => {}
            }
            None
        }
        Input::Told(text) => {
            model.told = Some(text);
            None
        }
        Input::Opening(opening) => {
            show(model, Stage::Counting(opening));
            None
        }
        Input::PinTyped(typed) => {
            match &mut model.stage {
                Stage::Pin(pin) => pin.field = Some(typed),
                Stage::Envelope(envelope) => envelope.field = Some(typed),
                _ => {}
            }
            None
        }
        Input::PinClosed(end) => {
            close_pin(model, end);
            None
        }
        Input::Finished(finish) => {
            show(model, Stage::Finished(finish));
            model.overlay = None;
            model.leaving = false;
            None
        }
    };
    reading::observe(model);
    request
}

/// A new question: answered with a pause if that was wanted, else shown.
fn ask(model: &mut Model, stage: Stage) -> Option<Request> {
    model.told = None;
    if model.pausing {
        return Some(Request::Pause);
    }
    show(model, stage);
    // A page that was laid over the last question would hide this one; large type stays, for it shows the question.
    model.overlay = model
        .overlay
        .filter(|overlay| matches!(overlay, Overlay::Large(_)));
    if let Some(Overlay::Large(page)) = &mut model.overlay {
        *page = 0;
    }
    None
}

fn show(model: &mut Model, stage: Stage) {
    model.stage = stage;
    model.scroll = first_line(model);
}

/// From the screen to the paper and back: only what was typed from the paper ends it.
fn step_envelope(model: &mut Model, step: EnvelopeStep) {
    let Stage::Envelope(envelope) = &mut model.stage else {
        return;
    };
    envelope.field = (step == EnvelopeStep::Written).then_some(false);
    envelope.note = (step == EnvelopeStep::Differs).then_some(
        "[FAIL] What was typed is not what was shown. It is shown again: correct the paper.",
    );
    match step {
        EnvelopeStep::Kept => show(model, Stage::Working),
        EnvelopeStep::Cancelled => model.leaving = true,
        _ => {}
    }
}

fn close_pin(model: &mut Model, end: PinEnd) {
    match (&mut model.stage, end) {
        (stage, PinEnd::Entered) => *stage = Stage::Working,
        (Stage::Pin(pin), PinEnd::Cancelled) => {
            pin.field = None;
            model.leaving = true;
        }
        (Stage::Pin(pin), PinEnd::Interrupted) => pin.field = None,
        _ => {}
    }
}

/// The question was answered; until the next one nothing is asked.
fn answered(model: &mut Model, request: Request) -> Request {
    show(model, Stage::Working);
    request
}

fn press(model: &mut Model, key: KeyEvent) -> Option<Request> {
    if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
        return if model.leaving {
            leave(model)
        } else {
            quit(model)
        };
    }
    // What cannot be seen cannot be answered.
    if model.is_too_small() {
        return None;
    }
    if model.leaving {
        match key.code {
            KeyCode::Char('p') => return leave(model),
            KeyCode::Esc => model.leaving = false,
            _ => {}
        }
        return None;
    }
    if let Some(overlay) = model.overlay {
        return press_overlay(model, overlay, key);
    }
    if function_key(model, key.code) {
        return None;
    }
    match &mut model.stage {
        Stage::Asking(_) => asking::press(model, key),
        Stage::Opening if key.code == KeyCode::Enter => {
            show(model, Stage::Working);
            Some(Request::Begin)
        }
        Stage::Pin(pin) if key.code == KeyCode::Enter => {
            pin.field = Some(false);
            Some(Request::OpenPin)
        }
        Stage::Envelope(_) if key.code == KeyCode::Enter => Some(Request::ShowSecret),
        Stage::Share(_) if key.code == KeyCode::Enter => Some(Request::OpenShare),
        _ => common(model, key.code),
    }
}

/// Asks whether to pause; where there is nothing to pause, leaves.
fn quit(model: &mut Model) -> Option<Request> {
    match model.stage {
        Stage::Opening | Stage::Finished(_) => Some(Request::Leave),
        _ => {
            model.leaving = true;
            None
        }
    }
}

fn leave(model: &mut Model) -> Option<Request> {
    model.leaving = false;
    model.overlay = None;
    model.pausing = true;
    match model.stage {
        Stage::Asking(_) | Stage::Pin(_) | Stage::Envelope(_) | Stage::Share(_) => {
            Some(answered(model, Request::Pause))
        }
        _ => None,
    }
}

/// Keys that work on every page where letters are not text.
fn common(model: &mut Model, code: KeyCode) -> Option<Request> {
    let overlay = match code {
        KeyCode::Char('q') => return quit(model),
        KeyCode::Char('?') => Overlay::Help,
        KeyCode::Char('s') => Overlay::Steps,
        KeyCode::Char('c') => Overlay::Signatures,
        KeyCode::Char('f') => Overlay::Findings,
        KeyCode::Char('o') => Overlay::Overview,
        KeyCode::Char('w') => Overlay::Words,
        KeyCode::Char('L') => Overlay::Large(0),
        code => {
            if let Some(to) = moved(model, code, model.scroll) {
                model.scroll = to;
            }
            return None;
        }
    };
    lay(model, overlay);
    None
}

/// Keys that work even while letters are text.
fn function_key(model: &mut Model, code: KeyCode) -> bool {
    let overlay = match code {
        KeyCode::F(1) => Overlay::Help,
        KeyCode::F(2) => Overlay::Steps,
        KeyCode::F(3) => Overlay::Signatures,
        KeyCode::F(4) => Overlay::Findings,
        KeyCode::F(5) => Overlay::Large(0),
        KeyCode::F(6) => Overlay::Overview,
        _ => return false,
    };
    lay(model, overlay);
    true
}

fn lay(model: &mut Model, overlay: Overlay) {
    model.overlay = Some(overlay);
    model.overlay_scroll = match overlay {
        // The current step is in sight at once, with a few done ones above it.
        Overlay::Steps => model.progress.current().saturating_sub(5),
        _ => 0,
    };
}

fn press_overlay(model: &mut Model, overlay: Overlay, key: KeyEvent) -> Option<Request> {
    if key.code == KeyCode::Esc {
        model.overlay = None;
        return None;
    }
    if key.code == KeyCode::Char('q') {
        return quit(model);
    }
    if let Overlay::Large(index) = overlay {
        let last = large_pages(model).saturating_sub(1);
        let index = match key.code {
            KeyCode::Right | KeyCode::Down | KeyCode::PageDown | KeyCode::Char('l' | 'j' | ' ') => {
                index + 1
            }
            KeyCode::Left | KeyCode::Up | KeyCode::PageUp | KeyCode::Char('h' | 'k') => {
                index.saturating_sub(1)
            }
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            KeyCode::F(5) | KeyCode::Char('L') => {
                model.overlay = None;
                return None;
            }
            _ => index,
        };
        model.overlay = Some(Overlay::Large(index.min(last)));
        return None;
    }
    match key.code {
        KeyCode::Char('?') | KeyCode::F(1) => lay(model, Overlay::Help),
        KeyCode::F(5) => lay(model, Overlay::Large(0)),
        code => {
            if let Some(to) = moved(model, code, model.overlay_scroll) {
                model.overlay_scroll = to;
            }
        }
    }
    None
}

/// Where a scrolling key leads from `from`, within the current page; none for other keys.
fn moved(model: &Model, code: KeyCode, from: usize) -> Option<usize> {
    let page = page(model);
    let rows = usize::from(model.size.1);
    let furthest = page.furthest(rows);
    let leap = page.height(rows).saturating_sub(1).max(1);
    let from = from.min(furthest);
    let to = match code {
        KeyCode::Down | KeyCode::Char('j') => from + 1,
        KeyCode::Up | KeyCode::Char('k') => from.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => from + leap,
        KeyCode::PageUp => from.saturating_sub(leap),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => furthest,
        _ => return None,
    };
    Some(to.min(furthest))
}

/// Applies an editing key to a field; false for other keys.
pub(super) fn edit(field: &mut String, key: KeyEvent) -> bool {
    /// More than any phrase or path.
    const LONGEST: usize = 4096;
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('u') if control => field.clear(),
        KeyCode::Char('h') if control => drop(field.pop()),
        KeyCode::Char(_) if control || key.modifiers.contains(KeyModifiers::ALT) => return false,
        KeyCode::Char(character) if field.len() < LONGEST => field.push(character),
        KeyCode::Backspace => drop(field.pop()),
        _ => return false,
    }
    true
}
