//! Keys on a phrase, a choice or a token.

use crossterm::event::{KeyCode, KeyEvent};

use super::super::model::{Asking, Model, Request, Stage};
use super::{answered, common, edit, moved, reading, searching};
use crate::ceremony::prompt::{Ask, OTP_TYPED, is_typed_otp};

/// A key on an open prompt.
pub(super) fn press(model: &mut Model, key: KeyEvent) -> Option<Request> {
    let Stage::Asking(asking) = &mut model.stage else {
        return None;
    };
    if asking.typing {
        return type_phrase(model, key);
    }
    if asking.reading.is_some() {
        return reading::press(model, key);
    }
    if asking.searching.is_some() {
        return searching::press(model, key);
    }
    let all = asking.options().len();
    match key.code {
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Enter if is_typed(asking) => {
            asking.typing = true;
            None
        }
        KeyCode::Down | KeyCode::Char('j') | KeyCode::Tab if all > 0 => {
            asking.selected = (asking.selected + 1).min(all - 1);
            None
        }
        KeyCode::Up | KeyCode::Char('k') | KeyCode::BackTab if all > 0 => {
            asking.selected = asking.selected.saturating_sub(1);
            None
        }
        KeyCode::Char(digit @ '1'..='9') if all > 0 => {
            let wanted = usize::from(digit as u8 - b'1');
            if wanted < all {
                asking.selected = wanted;
            }
            None
        }
        KeyCode::Enter => {
            let chosen = asking.options().get(asking.selected)?.id.clone();
            Some(answered(model, Request::Answer(chosen)))
        }
        code => common(model, code),
    }
}

/// A key while letters go to the field.
fn type_phrase(model: &mut Model, key: KeyEvent) -> Option<Request> {
    let Stage::Asking(asking) = &mut model.stage else {
        return None;
    };
    match key.code {
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Esc => {
            asking.typing = false;
            None
        }
        KeyCode::Enter => {
            if let Ask::Text { .. } = asking.prompt.ask {
                return send_text(model);
            }
            let phrase = asking.phrase()?.to_owned();
            send(model, &phrase)
        }
        KeyCode::Char('?') if asking.field.is_empty() => common(model, key.code),
        _ if edit(&mut asking.field, key) => {
            asking.note = None;
            None
        }
        KeyCode::Down | KeyCode::Up | KeyCode::PageDown | KeyCode::PageUp
            if asking.reading.is_none() && asking.searching.is_none() =>
        {
            if let Some(to) = moved(model, key.code, model.scroll) {
                model.scroll = to;
            }
            None
        }
        _ => None,
    }
}

/// Whether the answer is typed.
fn is_typed(asking: &Asking) -> bool {
    asking.phrase().is_some() || matches!(asking.prompt.ask, Ask::Text { .. })
}

/// Sends what is typed, whatever it is but nothing.
fn send_text(model: &mut Model) -> Option<Request> {
    let Stage::Asking(asking) = &mut model.stage else {
        return None;
    };
    let typed = std::mem::take(&mut asking.field);
    if typed.trim().is_empty() || is_typed_otp(typed.trim().as_bytes()) {
        refuse(asking, &typed);
        return None;
    }
    Some(answered(model, Request::Answer(typed.trim().to_owned())))
}

/// Sends what is typed if it is the phrase; else says so and keeps nothing.
pub(super) fn send(model: &mut Model, phrase: &str) -> Option<Request> {
    let Stage::Asking(asking) = &mut model.stage else {
        return None;
    };
    let typed = std::mem::take(&mut asking.field);
    if typed.trim() == phrase {
        return Some(answered(model, Request::Answer(phrase.to_owned())));
    }
    refuse(asking, &typed);
    None
}

fn refuse(asking: &mut Asking, typed: &str) {
    asking.note = Some(match typed.trim() {
        "" => "[WARN] Nothing was typed. Nothing happened; type what is asked for.".to_owned(),
        typed if is_typed_otp(typed.as_bytes()) => format!("[WARN] {OTP_TYPED}"),
        typed => format!(
            "[FAIL] \"{typed}\" is not the phrase. Nothing happened; compare and type it again."
        ),
    });
}
