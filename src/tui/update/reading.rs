//! Keys on a review.

use crossterm::event::{KeyCode, KeyEvent};

use super::super::model::{Model, Request, Stage};
use super::super::page::window;
use super::super::reading::{Entry, Reading};
use super::asking::send;
use super::{common, edit};

/// The word that refuses a document.
pub(super) const REJECT: &str = "reject";

/// What is on the screen now counts as read.
pub(super) fn observe(model: &mut Model) {
    if model.is_too_small() || model.leaving || model.overlay.is_some() {
        return;
    }
    super::searching::observe(model);
    let (Some((width, height)), Some(reading)) = (size(model), reading(model)) else {
        return;
    };
    let before = reading.is_complete();
    let at_end = reading.window(width, height).1 == reading.len();
    reading.observe(width, height);
    if before == reading.is_complete() || !at_end {
        return;
    }
    // The phrase field takes rows from the window: what was just read stays in sight above it.
    if let (Some((width, height)), Some(reading)) = (size(model), self::reading(model)) {
        reading.keep_end(width, height);
    }
}

/// A key while nothing is typed.
pub(super) fn press(model: &mut Model, key: KeyEvent) -> Option<Request> {
    let (width, height) = size(model)?;
    let leap = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    let Stage::Asking(asking) = &mut model.stage else {
        return None;
    };
    let reading = asking.reading.as_mut()?;
    if reading.entry != Entry::None {
        return press_entry(model, key);
    }
    let mut found = true;
    match key.code {
        KeyCode::Down | KeyCode::Char('j') => reading.scroll(1, width, height),
        KeyCode::Up | KeyCode::Char('k') => reading.scroll(-1, width, height),
        KeyCode::PageDown | KeyCode::Char(' ') => reading.scroll(leap, width, height),
        KeyCode::PageUp => reading.scroll(-leap, width, height),
        KeyCode::Home | KeyCode::Char('g') => reading.first(),
        KeyCode::End | KeyCode::Char('G') => reading.last(width, height),
        KeyCode::Char('e') => found = reading.next_watched(width, height),
        KeyCode::Char('n') => found = reading.search(true, width, height),
        KeyCode::Char('N') => found = reading.search(false, width, height),
        KeyCode::Char('/') => {
            reading.entry = Entry::Search;
            reading.wanted.clear();
            reading.hit = None;
        }
        KeyCode::Char('R') => {
            reading.entry = Entry::Reject;
            asking.field.clear();
        }
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Enter => {
            if asking.phrase().is_some() {
                asking.typing = true;
            } else {
                asking.note = Some("[WARN] Not yet: read on with PgDn or G.".to_owned());
            }
            return None;
        }
        code => return common(model, code),
    }
    asking.note = (!found).then(|| "[NOTE] No such line.".to_owned());
    None
}

/// A key while a search text or the word `reject` is typed.
fn press_entry(model: &mut Model, key: KeyEvent) -> Option<Request> {
    let (width, height) = size(model)?;
    let Stage::Asking(asking) = &mut model.stage else {
        return None;
    };
    let reading = asking.reading.as_mut()?;
    let field = match reading.entry {
        Entry::Search => &mut reading.wanted,
        _ => &mut asking.field,
    };
    match key.code {
        KeyCode::Esc => {
            reading.entry = Entry::None;
            asking.field.clear();
            asking.note = None;
        }
        KeyCode::Enter if reading.entry == Entry::Search => {
            reading.entry = Entry::None;
            let found = !reading.wanted.is_empty() && reading.search(true, width, height);
            asking.note = (!found).then(|| "[NOTE] No such line.".to_owned());
        }
        KeyCode::Enter => return send(model, REJECT),
        _ => {
            edit(field, key);
        }
    }
    None
}

fn size(model: &Model) -> Option<(usize, usize)> {
    match &model.stage {
        Stage::Asking(asking) if asking.reading.is_some() => Some(window(model, asking)),
        _ => None,
    }
}

fn reading(model: &mut Model) -> Option<&mut Reading> {
    match &mut model.stage {
        Stage::Asking(asking) => asking.reading.as_mut(),
        _ => None,
    }
}
