//! The pages that ask: phrase, choice, token, review, PIN.

use ratatui::text::Line;

use super::super::model::{Asking, EnvelopePage, Model, PinPage};
use super::super::reading::{Entry, Reading};
use super::super::text::{Tone, bar, digest_lines, lines, tagged, word_lines};
use super::{Page, record, shares};
use crate::ceremony::event::TokenIdentity;
use crate::ceremony::plan::Step;
use crate::ceremony::prompt::{Ask, TokenRow, Tries};

const CHOICE_KEYS: &str =
    "Up/Down choose  Enter answer  PgDn  c signatures  L large  ? help  q pause";

/// A phrase, a choice or a token.
pub(super) fn page(model: &Model, asking: &Asking) -> Page {
    let width = model.columns();
    let prompt = &asking.prompt;
    let mut top = lines(&prompt.title, width, Tone::Strong);
    if let Some(digest) = &prompt.digest {
        top.extend(digest_lines("sha256", digest));
        // Beside a token there is no room for the words; w shows them.
        if !matches!(prompt.ask, Ask::Token { .. }) {
            top.extend(word_lines(digest, width));
        }
    }
    if record::is_signing(model) {
        top.extend(record::quorum_lines(model));
    }
    let mut body: Vec<Line> = prompt
        .text
        .iter()
        .flat_map(|text| lines(text, width, Tone::Plain))
        .collect();
    // The last page before the end: what was counted is read aloud and written down with the words.
    if let Some(Step::Close) = model.step() {
        body.extend(shares::record(model));
    }
    let mut bottom = Vec::new();
    let (waiting, keys) = match &prompt.ask {
        Ask::Phrase { phrase } => {
            bottom = field(model, asking, "Type exactly", phrase);
            (
                "Waiting for: the phrase, typed exactly, then Enter",
                typing_keys(asking),
            )
        }
        Ask::Text { wanted } => {
            bottom = field(model, asking, "Type", wanted);
            ("Waiting for: a text, then Enter", typing_keys(asking))
        }
        Ask::Choice { .. } => ("Waiting for: a choice, then Enter", CHOICE_KEYS),
        Ask::Token { tokens, .. } => {
            body.extend(inventory(tokens, width));
            (
                "Waiting for: the token to be plugged in, then a choice",
                CHOICE_KEYS,
            )
        }
        Ask::Review { .. } => ("", ""),
    };
    for (index, option) in asking.options().iter().enumerate() {
        let selected = index == asking.selected;
        let tag = if selected { "   >" } else { "" };
        let tone = if selected { Tone::Reverse } else { Tone::Plain };
        bottom.extend(tagged(tag, 5, &option.label, width, tone));
    }
    Page {
        top,
        body,
        bottom,
        waiting: waiting.to_owned(),
        keys,
    }
}

/// A review's page without its rows.
pub(super) fn review_frame(model: &Model, asking: &Asking) -> Page {
    let width = model.columns();
    let (Ask::Review { review, phrase }, Some(reading)) = (&asking.prompt.ask, &asking.reading)
    else {
        return Page::of(Vec::new(), "", "");
    };
    let mut top = lines(&asking.prompt.title, width, Tone::Strong);
    top.extend(digest_lines("signed bytes sha256", &review.digest()));
    top.push(Line::raw(""));
    let mut bottom = vec![Line::raw("")];
    let wait_for_end = format!(
        "Waiting for: the review to be read to its end; e goes to {} marked lines",
        reading.watched()
    );
    let waiting = match reading.entry {
        Entry::Search => {
            bottom.extend(lines(
                &format!("Search: {}_", reading.wanted),
                width,
                Tone::Plain,
            ));
            "Waiting for: a text to search"
        }
        Entry::Reject => {
            bottom.extend(lines(
                "Reject this document? Nothing will be signed.",
                width,
                Tone::Warn,
            ));
            bottom.extend(field(model, asking, "To reject, type", "reject"));
            "Waiting for: the word reject, or Esc"
        }
        Entry::None if reading.is_complete() => {
            bottom.extend(field(
                model,
                asking,
                "Read to the end. To sign, type exactly",
                phrase,
            ));
            "Waiting for: the phrase, typed exactly, or R to reject"
        }
        Entry::None => {
            bottom.extend(unread(reading, width));
            &wait_for_end
        }
    };
    if let (Some(note), Entry::None) = (&asking.note, reading.entry)
        && !reading.is_complete()
    {
        bottom.extend(lines(note, width, Tone::Warn));
    }
    Page {
        top,
        body: Vec::new(),
        bottom,
        waiting: waiting.to_owned(),
        keys: "",
    }
}

fn unread(reading: &Reading, width: usize) -> Vec<Line<'static>> {
    let (read, all) = (reading.read(), reading.len());
    let percent = (read * 100).checked_div(all).unwrap_or(100);
    let text = format!(
        "Read to the end to enable signing: line {read} of {all} {} {percent}%",
        bar(read, all)
    );
    lines(&text, width, Tone::Strong)
}

fn typing_keys(asking: &Asking) -> &'static str {
    if asking.typing {
        "Enter send  Tab leave the field  PgUp/PgDn scroll  F1 help  F5 large type"
    } else {
        "Tab type  j/k scroll  s steps  c signatures  f findings  L large  ? help  q pause"
    }
}

/// The phrase, the field, and what was wrong with the last answer.
pub(super) fn field(
    model: &Model,
    asking: &Asking,
    what: &str,
    phrase: &str,
) -> Vec<Line<'static>> {
    let width = model.columns();
    let mut lines_ = lines(&format!("{what}:  {phrase}"), width, Tone::Strong);
    let cursor = if asking.typing || asking.entry() != Entry::None {
        "_"
    } else {
        ""
    };
    lines_.extend(lines(
        &format!("> {}{cursor}", asking.field),
        width,
        Tone::Plain,
    ));
    if let Some(note) = &asking.note {
        lines_.extend(lines(note, width, Tone::Bad));
    }
    lines_
}

fn inventory(tokens: &[TokenRow], width: usize) -> Vec<Line<'static>> {
    let mut body = lines("", width, Tone::Plain);
    if tokens.is_empty() {
        body.extend(lines("No token is plugged in.", width, Tone::Warn));
    }
    for row in tokens.iter().filter(|row| row.wanted) {
        body.extend(tagged(" > WANTED", 11, &row.meaning, width, Tone::Good));
        body.extend(tagged("", 11, &identity(&row.token), width, Tone::Good));
    }
    for row in tokens.iter().filter(|row| !row.wanted) {
        let text = format!("{}: {}", row.meaning, identity(&row.token));
        body.extend(tagged("", 11, &text, width, Tone::Plain));
    }
    body
}

fn identity(token: &TokenIdentity) -> String {
    format!(
        "serial {}  label {}  {} {}  ({})",
        token.serial, token.label, token.manufacturer, token.model, token.module
    )
}

/// The page of a PIN, and its field once that is open.
pub(super) fn pin(model: &Model, pin: &PinPage) -> Page {
    let width = model.columns();
    let prompt = &pin.prompt;
    let say = |text: &str, tone| lines(text, width, tone);
    let name = prompt.kind.name();
    let mut top = say(&format!("{name} of {}", prompt.holder), Tone::Strong);
    if record::is_signing(model) {
        top.extend(record::signed_bytes(model));
        top.extend(record::quorum_lines(model));
    }
    let (tries, tone) = tries(prompt.tries);
    let mut body = say(
        "PIN ENTRY: TURN THE CAMERA AWAY FROM THE KEYBOARD.",
        Tone::Warn,
    );
    body.extend(say(
        &format!("Token: {}", identity(&prompt.token)),
        Tone::Plain,
    ));
    if let Some(after) = &prompt.after {
        body.extend(say("", Tone::Plain));
        body.extend(say(&format!("[WARN] {after}"), Tone::Warn));
    }
    body.extend(say("", Tone::Plain));
    body.extend(say(&tries, tone));
    body.extend(say(
        "Each Enter is one try; a wrong PIN is never tried again by itself.",
        Tone::Plain,
    ));
    let field = match pin.field {
        None => "Press Enter to open the PIN field.".to_owned(),
        // Always eight: the length of the PIN is nobody's business.
        Some(true) => format!("{name}: ********"),
        Some(false) => format!("{name}: _"),
    };
    let mut bottom = say("", Tone::Plain);
    bottom.extend(say(&field, Tone::Strong));
    Page {
        top,
        body,
        bottom,
        waiting: String::new(),
        keys: "",
    }
}

/// The page around a new secret. The secret itself is never drawn here.
pub(super) fn envelope(model: &Model, envelope: &EnvelopePage) -> Page {
    let width = model.columns();
    let prompt = &envelope.prompt;
    let name = prompt.kind.name();
    let say = |text: &str, tone| lines(text, width, tone);
    let top = say(&format!("A new {name} for {}", prompt.holder), Tone::Strong);
    let mut body = say("TURN THE CAMERA AWAY.", Tone::Warn);
    body.extend(say(
        &format!("Token: {}", identity(&prompt.token)),
        Tone::Plain,
    ));
    for text in &prompt.text {
        body.extend(say(text, Tone::Plain));
    }
    body.extend(say("", Tone::Plain));
    let (text, field, waiting, keys) = match envelope.field {
        None => (
            "It is shown once, large. Have paper and pen ready; everybody but the holder looks away.",
            "Press Enter to show it.".to_owned(),
            format!(
                "Waiting for: Enter, once the camera is turned away. {name} of {}",
                prompt.holder
            ),
            "Enter show it  s steps  ? help  q pause",
        ),
        Some(typed) => (
            "Type it from the paper, not from memory: what lies in the envelope must be right.",
            // Always eight: its length is nobody's business.
            format!("From the paper: {}", if typed { "********" } else { "_" }),
            format!("Waiting for: the {name} from the paper, then Enter"),
            "Enter compare  Ctrl-U clear  Esc stop. No other key does anything.",
        ),
    };
    body.extend(say(text, Tone::Plain));
    if let Some(note) = envelope.note {
        body.extend(say(note, Tone::Bad));
    }
    let mut bottom = say("", Tone::Plain);
    bottom.extend(say(&field, Tone::Strong));
    Page {
        top,
        body,
        bottom,
        waiting,
        keys,
    }
}

/// What is known of the counter, as a sentence.
pub(super) fn tries(tries: Tries) -> (String, Tone) {
    match tries {
        Tries::Left(0) | Tries::Locked => (
            "[FAIL] The PIN is LOCKED; no try is left.".to_owned(),
            Tone::Bad,
        ),
        Tries::Left(1) | Tries::Final => (
            "[WARN] LAST TRY: a wrong PIN now locks this token.".to_owned(),
            Tone::Bad,
        ),
        Tries::Left(left) => (format!("{left} tries left"), Tone::Strong),
        Tries::Low => (
            "[WARN] tries left: few; the token does not say how many".to_owned(),
            Tone::Warn,
        ),
        Tries::Unknown => (
            "tries left: unknown; the token does not say".to_owned(),
            Tone::Warn,
        ),
    }
}

/// The digest of the current page, in full and in words.
pub(super) fn words_page(model: &Model) -> Vec<Line<'static>> {
    let width = model.columns();
    let Some((of, digest)) = model.digest() else {
        return lines(
            "There is no digest to be read aloud on this page.",
            width,
            Tone::Plain,
        );
    };
    let mut body = lines(&format!("sha256 of {of}"), width, Tone::Strong);
    body.extend(digest_lines("sha256", &digest));
    body.push(Line::raw(""));
    body.extend(lines(
        "Read aloud, row by row (32 PGP words):",
        width,
        Tone::Plain,
    ));
    body.extend(word_lines(&digest, width));
    body
}

#[cfg(test)]
mod tests {
    use super::tries;
    use crate::ceremony::prompt::Tries;

    #[test]
    fn what_is_known_of_the_pin_counter_is_said_plainly() {
        let cases = [
            (Tries::Left(3), "3 tries left"),
            (Tries::Left(2), "2 tries left"),
            (
                Tries::Left(1),
                "[WARN] LAST TRY: a wrong PIN now locks this token.",
            ),
            (
                Tries::Final,
                "[WARN] LAST TRY: a wrong PIN now locks this token.",
            ),
            (Tries::Left(0), "[FAIL] The PIN is LOCKED; no try is left."),
            (Tries::Locked, "[FAIL] The PIN is LOCKED; no try is left."),
            (
                Tries::Low,
                "[WARN] tries left: few; the token does not say how many",
            ),
            (
                Tries::Unknown,
                "tries left: unknown; the token does not say",
            ),
        ];
        for (known, text) in cases {
            assert_eq!(tries(known).0, text);
        }
    }
}
