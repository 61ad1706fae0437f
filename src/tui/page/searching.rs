//! The page of a review that is searched: summary, list, one entry.

use ratatui::text::Line;

use super::super::model::{Asking, Model};
use super::super::reading::Entry;
use super::super::searching::{Searching, View};
use super::super::text::{Tone, digest_lines, drawn, lines};
use super::Page;
use super::asking::field;
use crate::ceremony::prompt::Ask;
use crate::ceremony::review::opening::Opening;

/// The page, with what its window shows.
pub(super) fn page(model: &Model, asking: &Asking, searching: &Searching) -> Page {
    let mut page = frame(model, asking, searching);
    let (width, height) = (model.columns(), page.height(usize::from(model.size.1)));
    page.body = match searching.view {
        View::Summary => searching.summary.window(width, height).0,
        View::List if searching.listed() == 0 => lines(
            "Nothing is found. f shows others, / searches anew.",
            width,
            Tone::Warn,
        ),
        View::List => searching.list(width, height),
        View::Detail => searching
            .detail()
            .map(|(_, reading)| reading.window(width, height).0)
            .unwrap_or_default(),
    };
    page
}

/// The page without what its window shows.
pub(super) fn frame(model: &Model, asking: &Asking, searching: &Searching) -> Page {
    let width = model.columns();
    let Ask::Review { review, phrase } = &asking.prompt.ask else {
        return Page::of(Vec::new(), "", "");
    };
    let mut top = lines(&asking.prompt.title, width, Tone::Strong);
    top.extend(digest_lines("signed bytes sha256", &review.digest()));
    top.extend(place(searching, width));
    let mut bottom = standing(searching, width);
    let waiting = match searching.entry {
        Entry::Search => {
            "Waiting for: a name, owner, path or reason, or 8 digits that begin a digest"
        }
        Entry::Reject => {
            let text = "Reject this document? Nothing will be signed.";
            bottom = lines(text, width, Tone::Warn);
            bottom.extend(field(model, asking, "To reject, type", "reject"));
            "Waiting for: the word reject, or Esc"
        }
        Entry::None if asking.typing => {
            bottom.extend(field(model, asking, "To sign, type exactly", phrase));
            "Waiting for: the phrase, typed exactly, then Enter"
        }
        Entry::None => {
            if let Some(note) = &asking.note {
                bottom.extend(lines(note, width, Tone::Warn));
            }
            waiting(searching)
        }
    };
    let keys = match (searching.entry, searching.view) {
        (Entry::Search, _) => "Enter keep  Esc all again  Up/Down move",
        (Entry::Reject, _) => "Enter send  Esc back, keep reading",
        (Entry::None, _) if asking.typing => {
            "Enter send  Tab or Esc back to the review  F5 large type"
        }
        (Entry::None, View::Summary) => {
            "PgDn read  Enter list  / search  n unseen  S sign  R reject  ? help  q pause"
        }
        (Entry::None, View::List) => {
            "/ search  f filter  Enter open  n unseen  Esc summary  S sign  R reject  ? help"
        }
        (Entry::None, View::Detail) => {
            "PgDn read  space seen  n next unseen  Esc list  S sign  R reject  ? help"
        }
    };
    Page {
        top,
        body: Vec::new(),
        bottom,
        waiting: waiting.to_owned(),
        keys,
    }
}

/// The page before the review is there: what is known of it, and that nothing can be answered.
pub(super) fn counting(model: &Model, opening: &Opening) -> Page {
    let width = model.columns();
    let title = format!("Review {} before anybody signs", opening.name);
    let waiting = if model.pausing {
        "Pausing at the next question. What is under way is finished first."
    } else {
        "Working: the entries are compared and counted. Nothing to do."
    };
    let rows = opening.rows.iter();
    let mut page = Page::of(
        rows.flat_map(|row| drawn(row, ' ', width)).collect(),
        waiting,
        "j/k PgDn read  w words  L large  f findings  ? help  q pause",
    );
    page.top = lines(&title, width, Tone::Strong);
    page.top
        .extend(digest_lines("signed bytes sha256", &opening.digest));
    page.bottom = vec![Line::raw("")];
    let text = "Still counting: this page is not the review yet. Signing is locked.";
    page.bottom.extend(lines(text, width, Tone::Warn));
    page
}

/// Where one is: how much of the summary was read, what is listed, which entry is open.
fn place(searching: &Searching, width: usize) -> Vec<Line<'static>> {
    let text = match searching.view {
        View::Summary => {
            let (read, all) = (searching.summary.read(), searching.summary.len());
            format!("-- Summary: {read} of {all} rows read")
        }
        View::List => {
            let cursor = if searching.entry == Entry::Search {
                "_"
            } else {
                ""
            };
            let (listed, all) = (searching.listed(), searching.entries().len());
            format!(
                "-- {}: {listed} of {all}   search: {}{cursor}",
                searching.filter.label(),
                searching.wanted
            )
        }
        View::Detail => {
            let Some((index, reading)) = searching.detail() else {
                return Vec::new();
            };
            let entries = searching.entries();
            let seen = match (entries.is_seen(index), reading.is_complete()) {
                (true, _) => "seen",
                (false, true) => "press space when it is seen",
                (false, false) => "read to its end",
            };
            format!("-- Entry {} of {}: {seen}", index + 1, entries.len())
        }
    };
    lines(&text, width, Tone::Strong)
}

/// What was seen of what must be.
fn standing(searching: &Searching, width: usize) -> Vec<Line<'static>> {
    let [watch, spots] = searching.entries().shares();
    let then = if searching.is_complete() {
        "All is seen: S to sign."
    } else {
        "Signing is locked."
    };
    let text = format!(
        "Watch list {} of {} seen, spot checks {} of {}. {then}",
        watch.seen, watch.of, spots.seen, spots.of
    );
    let mut standing = vec![Line::raw("")];
    standing.extend(lines(&text, width, Tone::Strong));
    standing
}

fn waiting(searching: &Searching) -> &'static str {
    if searching.is_complete() {
        "Waiting for: S and the phrase, or R to reject"
    } else if !searching.summary.is_complete() {
        "Waiting for: the summary to be read to its end"
    } else {
        "Waiting for: the watch list and the spot checks; n opens the next one"
    }
}
