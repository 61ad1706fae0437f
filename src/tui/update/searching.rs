//! Keys on a review that is searched.

use crossterm::event::{KeyCode, KeyEvent};

use super::super::model::{Asking, Model, Request, Stage};
use super::super::page::search_window;
use super::super::reading::Entry;
use super::super::searching::{Searching, View};
use super::asking::send;
use super::reading::REJECT;
use super::{common, edit};

/// What is on the screen now counts as shown.
pub(super) fn observe(model: &mut Model) {
    let Some((width, height)) = size(model) else {
        return;
    };
    if let Some(reading) = searching(model).and_then(Searching::reading) {
        reading.observe(width, height);
    }
}

/// A key while no phrase is typed.
pub(super) fn press(model: &mut Model, key: KeyEvent) -> Option<Request> {
    let (width, height) = size(model)?;
    let asking = asking(model)?;
    let searching = asking.searching.as_mut()?;
    if searching.entry != Entry::None {
        return press_entry(model, key, height);
    }
    asking.note = None;
    match key.code {
        KeyCode::Char('/') => {
            searching.entry = Entry::Search;
            searching.wanted.clear();
            searching.search(false);
        }
        KeyCode::Char('f') => searching.cycle(true),
        KeyCode::Char('F') => searching.cycle(false),
        KeyCode::Char('n') => {
            if !searching.open_unseen() {
                asking.note = Some("[NOTE] Nothing is left that must be seen.".to_owned());
            }
        }
        KeyCode::Char('R') => {
            searching.entry = Entry::Reject;
            asking.field.clear();
        }
        KeyCode::Char('S') | KeyCode::Tab | KeyCode::BackTab => {
            if asking.phrase().is_some() {
                asking.typing = true;
            } else {
                asking.note = Some(missing(asking));
            }
        }
        KeyCode::Esc => {
            searching.view = match searching.view {
                View::Detail => View::List,
                View::List | View::Summary => View::Summary,
            }
        }
        code if searching.view == View::List => {
            if !press_list(searching, code, height) {
                return common(model, code);
            }
        }
        KeyCode::Enter if searching.view == View::Summary => searching.view = View::List,
        code => {
            let detail = searching.view == View::Detail;
            if detail && code == KeyCode::Char(' ') && searching.see() {
                return None;
            }
            let reading = searching.reading()?;
            if !scroll(reading, code, width, height) {
                return common(model, code);
            }
        }
    }
    None
}

fn scroll(
    reading: &mut super::super::reading::Reading,
    code: KeyCode,
    width: usize,
    height: usize,
) -> bool {
    let leap = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    match code {
        KeyCode::Down | KeyCode::Char('j') => reading.scroll(1, width, height),
        KeyCode::Up | KeyCode::Char('k') => reading.scroll(-1, width, height),
        KeyCode::PageDown | KeyCode::Char(' ') => reading.scroll(leap, width, height),
        KeyCode::PageUp => reading.scroll(-leap, width, height),
        KeyCode::Home | KeyCode::Char('g') => reading.first(),
        KeyCode::End | KeyCode::Char('G') => reading.last(width, height),
        _ => return false,
    }
    true
}

/// A key on the list; false for others.
fn press_list(searching: &mut Searching, code: KeyCode, height: usize) -> bool {
    let leap = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    match code {
        KeyCode::Down | KeyCode::Char('j') => searching.select(1, height),
        KeyCode::Up | KeyCode::Char('k') => searching.select(-1, height),
        KeyCode::PageDown => searching.select(leap, height),
        KeyCode::PageUp => searching.select(-leap, height),
        KeyCode::Home | KeyCode::Char('g') => searching.select(isize::MIN, height),
        KeyCode::End | KeyCode::Char('G') => searching.select(isize::MAX, height),
        // An entry is seen where all of it is: in its own page.
        KeyCode::Enter | KeyCode::Char(' ') => searching.open_selected(),
        _ => return false,
    }
    true
}

/// A key while a search text or the word `reject` is typed.
fn press_entry(model: &mut Model, key: KeyEvent, height: usize) -> Option<Request> {
    let asking = asking(model)?;
    let searching = asking.searching.as_mut()?;
    if searching.entry == Entry::Reject {
        match key.code {
            KeyCode::Esc => {
                searching.entry = Entry::None;
                asking.field.clear();
                asking.note = None;
            }
            KeyCode::Enter => return send(model, REJECT),
            _ => {
                edit(&mut asking.field, key);
            }
        }
        return None;
    }
    match key.code {
        KeyCode::Esc => {
            searching.entry = Entry::None;
            searching.wanted.clear();
            searching.search(false);
        }
        KeyCode::Enter => searching.entry = Entry::None,
        KeyCode::Down | KeyCode::Up | KeyCode::PageDown | KeyCode::PageUp => {
            press_list(searching, key.code, height);
        }
        _ => {
            let before = searching.wanted.clone();
            if edit(&mut searching.wanted, key) && searching.wanted != before {
                let narrows = searching.wanted.starts_with(&before);
                searching.search(narrows);
            }
        }
    }
    None
}

/// Why the phrase cannot be typed yet.
fn missing(asking: &Asking) -> String {
    let searching = asking.searching.as_ref();
    if searching.is_some_and(|searching| !searching.summary.is_complete()) {
        "[WARN] Not yet: read the summary to its end (Esc, then PgDn or G).".to_owned()
    } else {
        "[WARN] Not yet: n opens the next that must be seen.".to_owned()
    }
}

fn size(model: &Model) -> Option<(usize, usize)> {
    match &model.stage {
        Stage::Asking(asking) => search_window(model, asking),
        _ => None,
    }
}

fn asking(model: &mut Model) -> Option<&mut Asking> {
    match &mut model.stage {
        Stage::Asking(asking) => Some(asking),
        _ => None,
    }
}

fn searching(model: &mut Model) -> Option<&mut Searching> {
    asking(model)?.searching.as_deref_mut()
}
