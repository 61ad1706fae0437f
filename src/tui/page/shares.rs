//! The page around a share. The share itself is never drawn here: see [`super::super::share`].

use super::super::model::Model;
use super::super::text::Tone;
use super::{Page, lines};
use crate::ceremony::prompt::SharePrompt;

/// The page around a share. The share itself is never drawn here.
pub(super) fn share(model: &Model, prompt: &SharePrompt) -> Page {
    let width = model.columns();
    let say = |text: &str, tone| lines(text, width, tone);
    let whose = &prompt.custodian;
    let title = match prompt.index {
        Some(index) => format!("Share {index}, for {whose}"),
        None => format!("The share of {whose}"),
    };
    let top = say(&title, Tone::Strong);
    let mut body = say("TURN THE CAMERA AWAY.", Tone::Warn);
    for text in &prompt.text {
        body.extend(say(text, Tone::Plain));
    }
    if let Some(after) = &prompt.after {
        body.extend(say("", Tone::Plain));
        body.extend(say(&format!("[FAIL] {after}"), Tone::Bad));
    }
    let mut bottom = say("", Tone::Plain);
    bottom.extend(say(
        if prompt.index.is_some() {
            "Press Enter to show it; then it is typed from the paper."
        } else {
            "Press Enter to type it from the paper."
        },
        Tone::Strong,
    ));
    Page {
        top,
        body,
        bottom,
        waiting: format!("Waiting for: Enter, once the camera is turned away. {title}"),
        keys: "Enter go on  s steps  ? help  q pause",
    }
}
