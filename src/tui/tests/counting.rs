//! The page while a review is still being made: it says so, nothing can be answered to it, and the review takes its place.

use std::sync::Arc;

use crossterm::event::KeyCode::{BackTab, Char, Down, End, Enter, Esc, PageDown, Tab};

use super::fixture::{PHRASE, ask, drawn, key, payload, read_through, running, type_};
use super::hostile::strings;
use super::keys::answer;
use super::searches::{SIZE, page, read_summary, searched, see};
use crate::ceremony::prompt::{Ask, Prompt};
use crate::ceremony::review::opening::Opening;
use crate::ceremony::review::{Mark, Review, Row};
use crate::tui::glyphs::Glyphs;
use crate::tui::model::{Input, Model, Request};
use crate::tui::update::update;

fn counting(text: &str, size: (u16, u16)) -> Model {
    let rows = (0..40).map(|number| Row {
        mark: [Mark::Plain, Mark::Warning, Mark::Heading][number % 3],
        text: format!("known row {number} {text}"),
    });
    let opening = Opening {
        name: format!("claimed v43 {text}"),
        digest: payload(),
        rows: rows.collect(),
    };
    let mut model = running(text, size, 2);
    let shown = update(&mut model, Input::Opening(Box::new(opening)));
    assert_eq!(shown, None);
    model
}

fn prompt(review: &Arc<Review>) -> Box<Prompt> {
    let ask_review = Ask::Review {
        review: Arc::clone(review),
        phrase: PHRASE.to_owned(),
    };
    Box::new(ask("", false, ask_review))
}

#[test]
fn nothing_can_be_answered_while_a_review_is_still_being_made() {
    let mut model = counting("", SIZE);
    for code in [
        Enter,
        Tab,
        BackTab,
        Esc,
        Char('S'),
        Char('R'),
        Char('n'),
        Char('/'),
        End,
        PageDown,
    ] {
        assert_eq!(key(&mut model, code), None, "{code:?}");
        assert_eq!(type_(&mut model, PHRASE), None, "{code:?}");
        assert_eq!(key(&mut model, Enter), None, "{code:?}");
        key(&mut model, Esc);
        let page = page(&model);
        assert!(page.contains("this page is not the review yet"), "{page}");
        assert!(page.contains("Signing is locked."), "{page}");
        assert!(!page.contains("Type exactly"), "{page}");
    }
}

#[test]
fn all_that_is_known_can_be_read_before_the_rest_is_counted() {
    let mut model = counting("", SIZE);
    let digest = payload().to_string();
    assert!(page(&model).contains("Review claimed v43"));
    let shown: String = page(&model).split_whitespace().collect();
    assert!(shown.contains(&digest), "{}", page(&model));
    let read = read_through(&mut model);
    for number in 0..40 {
        assert!(read.contains(&format!("known row {number}")), "{number}");
    }
    assert!(read.contains("[WARN]"));
}

#[test]
fn the_review_takes_the_place_of_its_first_page_and_none_of_it_was_read_there() {
    let mut model = counting("", SIZE);
    for _ in 0..20 {
        key(&mut model, Down);
    }
    key(&mut model, End);
    let review = searched("", 250, vec![3, 200]);
    assert_eq!(update(&mut model, Input::Prompt(prompt(&review))), None);
    assert!(!page(&model).contains("not the review yet"));
    assert!(page(&model).contains("summary row 0"), "{}", page(&model));
    key(&mut model, Char('S'));
    assert!(page(&model).contains("[WARN] Not yet: read the summary"));
    read_summary(&mut model);
    for _ in 0..5 {
        key(&mut model, Char('S'));
        assert!(page(&model).contains("[WARN] Not yet"), "{}", page(&model));
        key(&mut model, Char('n'));
        see(&mut model);
    }
    key(&mut model, Char('S'));
    type_(&mut model, PHRASE);
    assert_eq!(key(&mut model, Enter), Some(answer(PHRASE)));
}

#[test]
fn a_pause_while_a_review_is_made_is_the_answer_to_it() {
    let mut model = counting("", SIZE);
    assert_eq!(key(&mut model, Char('q')), None);
    assert_eq!(key(&mut model, Char('p')), None);
    assert!(page(&model).contains("Pausing at the next question."));
    let review = searched("", 250, vec![3, 200]);
    assert_eq!(
        update(&mut model, Input::Prompt(prompt(&review))),
        Some(Request::Pause)
    );
}

#[test]
fn hostile_text_on_the_first_page_reaches_no_screen_unescaped() {
    for text in strings() {
        let mut model = counting(&text, SIZE);
        for _ in 0..40 {
            for row in drawn(&model) {
                assert!(row.chars().all(Glyphs::allows), "{text:?}: {row:?}");
                assert_eq!(row.chars().count(), 80, "{text:?}");
            }
            key(&mut model, Down);
        }
    }
}
