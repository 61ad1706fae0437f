//! The page around a share, and what is told of a backup. The share itself is never drawn here: see [`super::super::share`].

use ratatui::text::Line;

use super::super::model::Model;
use super::super::text::{Tone, digest_lines};
use super::{Page, lines};
use crate::ceremony::prompt::SharePrompt;

/// Digits of the file's SHA-256 that stand on sheets and media.
const DIGITS: usize = 16;
/// Characters of a clock's text that are its date.
const DATE: usize = 10;

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
    if let Some(digits) = digits(model) {
        let text = format!(
            "This backup is {digits}: the first digits of its file's SHA-256. They stand on the sheet and on the medium."
        );
        body.extend(say(&text, Tone::Plain));
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

/// What stands on a sheet beside its six lines, and is public.
pub(in super::super) fn label(model: &Model, prompt: &SharePrompt) -> Vec<String> {
    let backup = model.progress.backup();
    let (Some(digits), Some(begun), Some(index)) = (digits(model), backup.begun(), prompt.index)
    else {
        return Vec::new();
    };
    let date: String = model.clock.chars().take(DATE).collect();
    vec![
        format!(
            "backup {digits}   share {index} of {}   any {} open it",
            begun.custodians.len(),
            begun.needed
        ),
        format!("{}   {date}", prompt.custodian),
    ]
}

fn digits(model: &Model) -> Option<String> {
    let sealed = model.progress.backup().sealed()?;
    let digest = sealed.everything.sha256.to_string();
    Some(digest.chars().take(DIGITS).collect())
}

/// What became of a backup; nothing where there is none.
pub(super) fn record(model: &Model) -> Vec<Line<'static>> {
    let width = model.columns();
    let backup = model.progress.backup();
    let mut body = Vec::new();
    if let Some(drilled) = backup.drilled() {
        let text = format!(
            "Groups of shares that opened the backup: {}; smaller ones that did not: {}; whole keys: {}.",
            drilled.opened,
            drilled.refused,
            drilled.keys.len()
        );
        body.extend(lines(&text, width, Tone::Good));
    }
    for restored in backup.restored() {
        let whither = match &restored.token {
            Some(token) => format!("to the token {}", token.serial),
            None => "into a file".to_owned(),
        };
        body.extend(lines(
            &format!("{} was restored {whither}.", restored.keyid),
            width,
            Tone::Good,
        ));
    }
    if let Some(sealed) = backup.sealed() {
        for file in [Some(&sealed.everything), sealed.infrastructure.as_ref()] {
            let Some(file) = file else { continue };
            body.extend(lines(
                &format!("{}  {} bytes", file.path, file.size),
                width,
                Tone::Plain,
            ));
            body.extend(digest_lines("  sha256", &file.sha256));
        }
    }
    if !body.is_empty() {
        body.splice(0..0, lines("Backup:", width, Tone::Strong));
    }
    body
}
