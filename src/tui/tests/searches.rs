//! A review that is searched: what unlocks its phrase, what is found, what fits on the screen, and that only what is drawn is made.

use std::sync::Arc;

use crossterm::event::KeyCode::{Backspace, Char, Down, End, Enter, Esc, Home, PageDown, Tab, Up};

use super::fixture::{PHRASE, ask, asked, drawn, key, payload, running, type_};
use super::keys::answer;
use crate::ceremony::event::Document;
use crate::ceremony::prompt::Ask;
use crate::ceremony::review::change::{
    Delegated, Kind, Listed, ProjectChangeView, Shown, Standing,
};
use crate::ceremony::review::searched::Searched;
use crate::ceremony::review::watch::{Reason, Watch};
use crate::ceremony::review::{Mark, Review, Row};
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;
use crate::tui::model::{Input, Model};
use crate::tui::update::update;

pub(super) const SIZE: (u16, u16) = (80, 24);

fn listed(number: usize, owner: &str) -> Listed {
    let text = format!("key {number}");
    Listed {
        keyid: KeyId(Sha256::of(text.as_bytes()).to_string()),
        key: Some(Arc::new(Shown {
            what: "Ed25519".to_owned(),
            fingerprint: Sha256::of(format!("public {number}").as_bytes()),
            object: Sha256::of(format!("object {number}").as_bytes()),
            owner: Some(owner.to_owned()),
        })),
    }
}

fn delegated(name: &str, keys: &[usize], threshold: u32, owner: &str) -> Standing {
    Standing::Delegated(Delegated {
        role: format!("project-{name}"),
        keys: keys.iter().map(|number| listed(*number, owner)).collect(),
        threshold,
        terminating: true,
        paths: vec![format!("{name}/*")],
        prefixes: Vec::new(),
        other: [("x-note".to_owned(), owner.to_owned())].into(),
    })
}

/// `count` projects that came; every hundredth was there, and one signature less is enough now.
fn entries(text: &str, count: usize) -> Vec<ProjectChangeView> {
    (0..count)
        .map(|number| {
            let name = format!("project{number:05}{text}");
            let lowered = number % 100 == 7;
            let keys: Vec<usize> = if lowered {
                (0..6).collect()
            } else {
                vec![number]
            };
            let after = delegated(&name, &keys, 1, text);
            let (before, kinds, reasons) = if lowered {
                (
                    delegated(&name, &keys, 2, text),
                    vec![Kind::ThresholdDown],
                    vec![Reason::new(
                        Watch::ThresholdLowered,
                        format!("2 -> 1 {text}"),
                    )],
                )
            } else {
                (Standing::Absent, vec![Kind::Added], Vec::new())
            };
            ProjectChangeView {
                name,
                before,
                after,
                kinds,
                reasons,
            }
        })
        .collect()
}

pub(super) fn searched(text: &str, count: usize, spots: Vec<usize>) -> Arc<Review> {
    let summary = (0..30).map(|number| Row {
        mark: [Mark::Plain, Mark::Warning, Mark::Heading][number % 3],
        text: format!("summary row {number} {text}"),
    });
    let document = Document {
        role: "claimed".to_owned(),
        version: 43,
    };
    let searched = Searched::new(summary.collect(), entries(text, count), spots);
    Arc::new(Review::searched_for_tests(document, payload(), searched))
}

pub(super) fn searching_at(review: &Arc<Review>, text: &str, size: (u16, u16)) -> Model {
    let ask_review = Ask::Review {
        review: Arc::clone(review),
        phrase: PHRASE.to_owned(),
    };
    asked(running(text, size, 2), ask(text, false, ask_review))
}

/// 250 projects, three of which are watched, and two spot checks.
pub(super) fn searching() -> (Model, Arc<Review>) {
    let review = searched("", 250, vec![3, 200]);
    (searching_at(&review, "", SIZE), review)
}

pub(super) fn page(model: &Model) -> String {
    drawn(model).join("\n")
}

pub(super) fn read_summary(model: &mut Model) {
    for _ in 0..10 {
        key(model, PageDown);
    }
}

/// Reads the open entry to its end and says that it was seen.
pub(super) fn see(model: &mut Model) {
    for _ in 0..20 {
        if page(model).contains(": seen") {
            return;
        }
        key(model, Char(' '));
    }
    panic!("{}", page(model));
}

#[test]
fn the_phrase_is_locked_until_summary_watch_list_and_spot_checks_were_seen() {
    let (mut model, review) = searching();
    key(&mut model, Char('S'));
    assert!(
        page(&model).contains("[WARN] Not yet: read the summary"),
        "{}",
        page(&model)
    );
    assert_eq!(key(&mut model, Tab), None);
    read_summary(&mut model);
    assert!(page(&model).contains("summary row 29"), "{}", page(&model));
    for left in (1..=5).rev() {
        let before = page(&model);
        key(&mut model, Char('S'));
        assert!(
            page(&model).contains("[WARN] Not yet"),
            "{left} left\n{before}"
        );
        assert!(!review.is_seen());
        key(&mut model, Char('n'));
        see(&mut model);
    }
    assert!(review.is_seen());
    assert!(
        page(&model).contains("All is seen: S to sign."),
        "{}",
        page(&model)
    );
    key(&mut model, Char('n'));
    assert!(page(&model).contains("[NOTE] Nothing is left that must be seen."));
    key(&mut model, Char('S'));
    type_(&mut model, PHRASE);
    assert_eq!(key(&mut model, Enter), Some(answer(PHRASE)));
    let seen = review.seen().unwrap();
    assert_eq!(
        (
            seen.watch.seen,
            seen.watch.of,
            seen.spots.seen,
            seen.spots.of
        ),
        (3, 3, 2, 2)
    );
}

#[test]
fn seen_entries_without_a_read_summary_unlock_nothing() {
    let (mut model, review) = searching();
    for _ in 0..5 {
        key(&mut model, Char('n'));
        see(&mut model);
    }
    assert!(review.is_seen());
    key(&mut model, Char('S'));
    assert!(
        page(&model).contains("read the summary to its end"),
        "{}",
        page(&model)
    );
    key(&mut model, Esc);
    key(&mut model, Esc);
    read_summary(&mut model);
    key(&mut model, Char('S'));
    assert!(page(&model).contains("To sign, type exactly"));
}

#[test]
fn an_entry_is_seen_only_when_all_of_it_was_on_the_screen_and_somebody_says_so() {
    let (mut model, review) = searching();
    let entries = review.entries().unwrap();
    key(&mut model, Char('n'));
    let first = *entries.spots().first().unwrap();
    assert!(page(&model).contains("Entry 4 of 250"), "{}", page(&model));
    // A short one is all there, and still a key must be pressed.
    assert!(
        page(&model).contains("press space when it is seen"),
        "{}",
        page(&model)
    );
    assert!(!entries.is_seen(first));
    key(&mut model, Char(' '));
    assert!(entries.is_seen(first));
    // One with six keys takes two pages; leaving it half read leaves it unseen.
    key(&mut model, Char('n'));
    assert!(
        page(&model).contains("Entry 8 of 250: read to its end"),
        "{}",
        page(&model)
    );
    for leave in [Esc, Char('n')] {
        key(&mut model, leave);
        assert!(!entries.is_seen(7));
    }
    type_(&mut model, "/project00007");
    key(&mut model, Enter);
    key(&mut model, Enter);
    let mut text = page(&model);
    key(&mut model, Char(' '));
    assert!(!entries.is_seen(7), "a page further first");
    for _ in 0..5 {
        text.push_str(&page(&model));
        key(&mut model, Char(' '));
    }
    assert!(entries.is_seen(7));
    for number in 0..6 {
        let listed = listed(number, "");
        let joined: String = text.split_whitespace().collect();
        assert!(joined.contains(&listed.keyid.0), "{text}");
        assert!(
            joined.contains(&listed.key.unwrap().fingerprint.to_string()),
            "{text}"
        );
    }
}

#[test]
fn nothing_under_an_overlay_or_on_a_small_screen_is_seen() {
    let (mut model, review) = searching();
    key(&mut model, Char('n'));
    key(&mut model, Esc);
    for (cover, uncover) in [((79, 24), SIZE), ((80, 23), SIZE)] {
        update(&mut model, Input::Resize(cover.0, cover.1));
        for code in [Char('n'), PageDown, Char(' '), Char(' ')] {
            key(&mut model, code);
        }
        update(&mut model, Input::Resize(uncover.0, uncover.1));
    }
    for cover in ['?', 'q'] {
        key(&mut model, Char(cover));
        for code in [Char('n'), PageDown, End] {
            key(&mut model, code);
        }
        key(&mut model, Esc);
    }
    assert_eq!(
        review.rows_seen(),
        review.entries().unwrap().summary().len()
    );
    key(&mut model, Esc);
    assert!(
        !page(&model).contains("30 of 32 rows read"),
        "{}",
        page(&model)
    );
}

#[test]
fn a_search_follows_the_typing_and_esc_gives_all_back() {
    let (mut model, _) = searching();
    let cases = [
        ("/", "all that differ: 250 of 250   search: _"),
        (
            "project0000",
            "all that differ: 10 of 250   search: project0000_",
        ),
        ("7", "all that differ: 1 of 250   search: project00007_"),
        ("7", "all that differ: 0 of 250   search: project000077_"),
    ];
    for (typed, expected) in cases {
        type_(&mut model, typed);
        assert!(
            page(&model).contains(expected),
            "{expected}\n{}",
            page(&model)
        );
    }
    assert!(page(&model).contains("Nothing is found."));
    key(&mut model, Backspace);
    assert!(page(&model).contains("1 of 250   search: project00007_"));
    key(&mut model, Enter);
    assert!(page(&model).contains("1 of 250   search: project00007 "));
    assert!(
        page(&model).contains(">[ ] [WARN]   project00007"),
        "{}",
        page(&model)
    );
    type_(&mut model, "/PROJECT0012");
    assert!(page(&model).contains("10 of 250"), "{}", page(&model));
    key(&mut model, Esc);
    assert!(page(&model).contains("all that differ: 250 of 250   search: "));
}

#[test]
fn filters_go_round_and_the_pointer_stays_in_sight() {
    let (mut model, _) = searching();
    let mut shown = Vec::new();
    for _ in 0..7 {
        key(&mut model, Char('f'));
        let rows = drawn(&model);
        let line = rows
            .iter()
            .find(|row| row.contains(" of 250   search"))
            .unwrap();
        shown.push(line.trim().trim_end_matches("   search:").to_owned());
    }
    assert_eq!(
        shown,
        [
            "-- still to be seen: 5 of 250",
            "-- watch list: 3 of 250",
            "-- spot checks: 2 of 250",
            "-- added: 247 of 250",
            "-- threshold down: 3 of 250",
            "-- threshold lowered: 3 of 250",
            "-- all that differ: 250 of 250",
        ]
    );
    key(&mut model, Char('F'));
    assert!(page(&model).contains("-- threshold lowered: 3"));
    key(&mut model, Char('f'));
    let pointer = |model: &Model| {
        let rows = drawn(model);
        rows.iter().find(|row| row.starts_with('>')).unwrap()[14..26].to_owned()
    };
    let steps = [
        (Down, "project00001"),
        (Char('j'), "project00002"),
        (Up, "project00001"),
        (Char('G'), "project00249"),
        (Char('k'), "project00248"),
        (Home, "project00000"),
        (End, "project00249"),
    ];
    for (code, expected) in steps {
        key(&mut model, code);
        assert_eq!(pointer(&model), expected);
    }
    for size in [(132, 43), SIZE, (80, 60), SIZE] {
        update(&mut model, Input::Resize(size.0, size.1));
        assert_eq!(pointer(&model), "project00249", "{size:?}");
    }
}

#[test]
fn rejecting_a_searched_review_needs_the_word() {
    let (mut model, _) = searching();
    type_(&mut model, "Rno");
    assert_eq!(key(&mut model, Enter), None);
    key(&mut model, Esc);
    type_(&mut model, "Rreject");
    assert_eq!(key(&mut model, Enter), Some(answer("reject")));
}
