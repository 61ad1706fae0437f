//! Reading a review: what unlocks its phrase, and what does not.

use crossterm::event::KeyCode::{Char, Down, End, Enter, Esc, Home, PageDown, Tab};

use super::fixture::{PHRASE, drawn, key, type_};
use super::keys::{answer, read_to_the_end, reading};
use crate::tui::model::{Input, Model};
use crate::tui::update::update;

#[test]
fn a_review_is_unlocked_by_its_last_row_and_not_before() {
    let mut model = reading(60);
    key(&mut model, Enter);
    type_(&mut model, PHRASE);
    assert_eq!(key(&mut model, Enter), None);
    let mut model = reading(60);
    let mut unlocked = 0;
    for page in 1..100 {
        let rows = drawn(&model).join("\n");
        assert_eq!(rows.contains(PHRASE), rows.contains("row 59 of"), "{rows}");
        if rows.contains(PHRASE) {
            unlocked = page;
            break;
        }
        key(&mut model, PageDown);
    }
    assert!(unlocked > 3, "{unlocked}");
    key(&mut model, Tab);
    type_(&mut model, PHRASE);
    assert_eq!(key(&mut model, Enter), Some(answer(PHRASE)));
}

#[test]
fn the_end_key_does_not_pass_over_rows_that_were_not_read() {
    let mut model = reading(100);
    key(&mut model, End);
    assert!(!drawn(&model).join("\n").contains("row 99 of"));
    let mut presses = 1;
    while !drawn(&model).join("\n").contains(PHRASE) {
        key(&mut model, Char('G'));
        presses += 1;
        assert!(presses < 50);
    }
    assert!(presses > 5, "{presses}");
}

#[test]
fn what_was_read_last_stays_in_sight_when_the_phrase_appears() {
    // Read from the end to the beginning: the phrase appears while the first rows are shown.
    let mut model = reading(60);
    for _ in 0..4 {
        type_(&mut model, "/row 59");
        key(&mut model, Enter);
    }
    key(&mut model, Home);
    for _ in 0..100 {
        if drawn(&model).join("\n").contains(PHRASE) {
            break;
        }
        key(&mut model, Down);
    }
    let rows = drawn(&model).join("\n");
    assert!(
        rows.contains(PHRASE) && !rows.contains("row 59 of"),
        "{rows}"
    );
}

#[test]
fn a_long_review_asks_for_its_watch_list_and_its_end() {
    let mut model = reading(2_400);
    let rows = drawn(&model).join("\n");
    assert!(rows.contains("e goes to 400 marked lines"), "{rows}");
    for _ in 0..500 {
        key(&mut model, Char('G'));
    }
    assert!(drawn(&model).join("\n").contains(PHRASE));
}

#[test]
fn a_page_under_an_overlay_a_question_or_a_small_screen_is_not_read() {
    let cover: [fn(&mut Model); 3] = [
        |model| {
            key(model, Char('?'));
        },
        |model| {
            key(model, Char('q'));
        },
        |model| {
            update(model, Input::Resize(79, 24));
        },
    ];
    for cover in cover {
        let mut model = reading(60);
        cover(&mut model);
        read_to_the_end(&mut model);
        update(&mut model, Input::Resize(80, 24));
        model.overlay = None;
        model.leaving = false;
        assert!(!drawn(&model).join("\n").contains(PHRASE));
    }
}

#[test]
fn rejecting_needs_the_word() {
    let mut model = reading(5);
    for typed in ["R", "r", "no", "Reject"] {
        key(&mut model, Char('R'));
        type_(&mut model, typed);
        assert_eq!(key(&mut model, Enter), None, "{typed}");
        key(&mut model, Esc);
    }
    key(&mut model, Char('R'));
    type_(&mut model, "reject");
    assert_eq!(key(&mut model, Enter), Some(answer("reject")));
}

#[test]
fn a_search_goes_forward_backward_and_around() {
    let mut model = reading(60);
    type_(&mut model, "/row 3");
    key(&mut model, Enter);
    let hits = |model: &Model| {
        let rows = drawn(model).into_iter();
        rows.filter(|row| row.starts_with('>')).collect::<String>()
    };
    assert!(hits(&model).contains("row 3 of"), "{}", hits(&model));
    key(&mut model, Char('n'));
    assert!(hits(&model).contains("row 30 of"), "{}", hits(&model));
    key(&mut model, Char('N'));
    assert!(hits(&model).contains("row 3 of"), "{}", hits(&model));
    key(&mut model, Char('N'));
    assert!(hits(&model).contains("row 39 of"), "{}", hits(&model));
    key(&mut model, Char('n'));
    assert!(hits(&model).contains("row 3 of"), "{}", hits(&model));
    key(&mut model, Char('e'));
    assert!(
        hits(&model).contains("[WARN]  row 8 of"),
        "{}",
        hits(&model)
    );
    type_(&mut model, "/nowhere");
    key(&mut model, Enter);
    assert!(drawn(&model).join("\n").contains("[NOTE] No such line."));
}
