//! What keys do, and what none of them does alone.

use crossterm::event::KeyCode::{self, BackTab, Char, Down, End, Enter, Esc, F, PageDown, Tab, Up};

use super::fixture::{
    PHRASE, ask, asked, choices, control, drawn, key, model, opened, pin, review, running, screens,
    type_,
};
use crate::ceremony::event::Event;
use crate::ceremony::plan::Step;
use crate::ceremony::prompt::{Ask, Tries};
use crate::tuf::digest::Sha256;
use crate::tui::Finish;
use crate::tui::model::{Input, Model, Overlay, PinEnd, Request, Stage};
use crate::tui::update::update;

const SIZE: (u16, u16) = (80, 24);

fn phrase() -> Model {
    let phrase = PHRASE.to_owned();
    asked(
        running("alice", SIZE, 0),
        ask("", true, Ask::Phrase { phrase }),
    )
}
fn choice() -> Model {
    let options = choices("");
    asked(
        running("alice", SIZE, 4),
        ask("", false, Ask::Choice { options }),
    )
}
pub(super) fn reading(rows: usize) -> Model {
    asked(running("alice", SIZE, 2), review("", rows))
}
fn pin_page() -> Model {
    let mut model = running("alice", SIZE, 4);
    update(
        &mut model,
        Input::Pin(Box::new(pin("alice", Tries::Left(3)))),
    );
    model
}
pub(super) fn answer(text: &str) -> Request {
    Request::Answer(text.to_owned())
}
pub(super) fn read_to_the_end(model: &mut Model) {
    for _ in 0..200 {
        key(model, PageDown);
    }
}

#[test]
fn the_exact_phrase_answers_and_any_other_does_not() {
    let cases = [
        (PHRASE, true),
        (" sign root v8 as read ", true),
        ("sign root v8", false),
        ("Sign root v8 as read", false),
        ("sign  root v8 as read", false),
        ("yes", false),
        ("", false),
    ];
    for (typed, right) in cases {
        let mut model = phrase();
        type_(&mut model, typed);
        let request = key(&mut model, Enter);
        assert_eq!(request, right.then(|| answer(PHRASE)), "{typed:?}");
        let rows = drawn(&model).join("\n");
        let told = rows.contains("is not the phrase.") || rows.contains("Nothing was typed.");
        assert_eq!(told, !right, "{typed:?}\n{rows}");
    }
}

#[test]
fn a_wrong_phrase_is_cleared_and_the_right_one_answers_afterwards() {
    let mut model = phrase();
    type_(&mut model, "no");
    assert_eq!(key(&mut model, Enter), None);
    type_(&mut model, PHRASE);
    assert_eq!(key(&mut model, Enter), Some(answer(PHRASE)));
}

#[test]
fn letters_are_text_in_a_field_and_keys_outside_it() {
    let mut model = phrase();
    type_(&mut model, "qsL");
    assert!(model.overlay.is_none() && !model.leaving);
    key(&mut model, Tab);
    key(&mut model, Char('s'));
    assert_eq!(model.overlay, Some(Overlay::Steps));
    key(&mut model, Esc);
    key(&mut model, BackTab);
    control(&mut model, 'u');
    type_(&mut model, PHRASE);
    assert_eq!(key(&mut model, Enter), Some(answer(PHRASE)));
}

#[test]
fn choices_move_by_arrows_letters_and_digits_and_answer_by_enter_only() {
    let cases: [(&[KeyCode], &str); 7] = [
        (&[], "ready"),
        (&[Down], "rescan"),
        (&[Char('j'), Char('j')], "skip"),
        (&[Down, Up], "ready"),
        (&[Tab, Tab, BackTab], "rescan"),
        (&[Char('4')], "pause"),
        (&[Down, Down, Down, Down, Down, Char('9')], "pause"),
    ];
    for (keys, chosen) in cases {
        let mut model = choice();
        for code in keys {
            assert_eq!(key(&mut model, *code), None, "{keys:?}");
        }
        assert_eq!(key(&mut model, Enter), Some(answer(chosen)), "{keys:?}");
    }
}

#[test]
fn no_single_key_but_enter_requests_anything_on_any_page() {
    let others = [
        Esc,
        Tab,
        BackTab,
        Up,
        Down,
        PageDown,
        End,
        KeyCode::Backspace,
        KeyCode::Delete,
    ];
    for code in (' '..='~').map(Char).chain((1..=12).map(F)).chain(others) {
        for (name, mut model) in screens("alice", SIZE) {
            let request = key(&mut model, code);
            let leaves = request == Some(Request::Leave) && code == Char('q');
            let pauses = request == Some(Request::Pause) && code == Char('p') && name == "leaving";
            let allowed = leaves && ["opening", "finished"].contains(&name) || pauses;
            assert!(request.is_none() || allowed, "{name} {code:?}: {request:?}");
        }
    }
}

#[test]
fn a_long_plan_is_shown_around_its_current_step() {
    let mut model = model("alice", SIZE);
    let steps = (0..40).map(|_| Step::Build).collect();
    let plan = Event::PlanFixed {
        sha256: Sha256::of(b"plan"),
        steps,
        minutes: 50,
    };
    key(&mut model, Enter);
    let events = (0..30).flat_map(|step| [Event::StepStarted { step }, Event::StepDone { step }]);
    let events = [opened(""), plan].into_iter().chain(events);
    for event in events.chain([Event::StepStarted { step: 30 }]) {
        update(&mut model, Input::Event(Box::new(event)));
    }
    assert_eq!(model.fault, None);
    let rows = drawn(&model).join("\n");
    assert!(rows.contains("[ now]  31  Build the candidates"), "{rows}");
    key(&mut model, Char('s'));
    assert!(drawn(&model).join("\n").contains("[ now]  31  Build"));
}

#[test]
fn an_event_that_does_not_fit_is_told() {
    let mut model = running("alice", SIZE, 1);
    update(
        &mut model,
        Input::Event(Box::new(Event::StepStarted { step: 5 })),
    );
    let rows = drawn(&model).join("\n");
    assert!(
        rows.contains("[FAIL] An event does not fit what happened before"),
        "{rows}"
    );
}

#[test]
fn leaving_asks_and_pausing_twice_does_not() {
    for mut model in [phrase(), choice(), reading(5), pin_page()] {
        assert_eq!(control(&mut model, 'c'), None);
        assert!(drawn(&model).join("\n").contains("Pause and save?"));
        assert_eq!(key(&mut model, Esc), None);
        assert!(!drawn(&model).join("\n").contains("Pause and save?"));
        assert_eq!(control(&mut model, 'c'), None);
        assert_eq!(control(&mut model, 'c'), Some(Request::Pause));
    }
    let mut model = choice();
    key(&mut model, Char('q'));
    assert_eq!(key(&mut model, Enter), None);
    assert_eq!(key(&mut model, Char('p')), Some(Request::Pause));
}

#[test]
fn a_pause_while_nothing_is_asked_answers_the_next_question() {
    let mut model = running("alice", SIZE, 1);
    key(&mut model, Char('q'));
    assert_eq!(key(&mut model, Char('p')), None);
    assert!(
        drawn(&model)
            .join("\n")
            .contains("Pausing at the next question.")
    );
    let options = choices("");
    let prompt = Box::new(ask("", false, Ask::Choice { options }));
    assert_eq!(
        update(&mut model, Input::Prompt(prompt)),
        Some(Request::Pause)
    );
    let prompt = Box::new(pin("alice", Tries::Left(3)));
    assert_eq!(update(&mut model, Input::Pin(prompt)), Some(Request::Pause));
}

#[test]
fn the_pin_field_opens_by_enter_and_closes_as_it_was_left() {
    let mut model = pin_page();
    assert_eq!(key(&mut model, Enter), Some(Request::OpenPin));
    update(&mut model, Input::PinTyped(true));
    update(&mut model, Input::PinClosed(PinEnd::Cancelled));
    assert!(model.leaving);
    key(&mut model, Esc);
    assert!(
        drawn(&model)
            .join("\n")
            .contains("Press Enter to open the PIN field.")
    );
    assert_eq!(key(&mut model, Enter), Some(Request::OpenPin));
    update(&mut model, Input::PinClosed(PinEnd::Interrupted));
    assert!(!model.leaving);
    assert_eq!(key(&mut model, Enter), Some(Request::OpenPin));
    update(&mut model, Input::PinClosed(PinEnd::Entered));
    assert!(matches!(model.stage, Stage::Working));
}

#[test]
fn the_ceremony_begins_by_enter_and_ends_on_the_finish_page() {
    let mut fresh = model("alice", SIZE);
    assert_eq!(key(&mut fresh, Enter), Some(Request::Begin));
    assert_eq!(key(&mut fresh, Enter), None);
    let mut left = model("alice", SIZE);
    assert_eq!(key(&mut left, Char('q')), Some(Request::Leave));
    let finish = Finish {
        code: 3,
        text: Vec::new(),
        head: None,
    };
    assert_eq!(update(&mut fresh, Input::Finished(finish)), None);
    assert_eq!(key(&mut fresh, Enter), None);
    assert_eq!(key(&mut fresh, Char('q')), Some(Request::Leave));
}

#[test]
fn function_keys_lay_pages_over_a_field_and_esc_takes_them_off() {
    let cases = [
        (F(1), Overlay::Help),
        (F(2), Overlay::Steps),
        (F(3), Overlay::Signatures),
        (F(4), Overlay::Findings),
        (F(5), Overlay::Large(0)),
        (F(6), Overlay::Overview),
    ];
    for (code, overlay) in cases {
        let mut model = phrase();
        type_(&mut model, "sign");
        key(&mut model, code);
        assert_eq!(model.overlay, Some(overlay));
        key(&mut model, Esc);
        type_(&mut model, " root v8 as read");
        assert_eq!(key(&mut model, Enter), Some(answer(PHRASE)));
    }
    let mut model = choice();
    for (code, overlay) in [
        ('?', Overlay::Help),
        ('s', Overlay::Steps),
        ('c', Overlay::Signatures),
        ('f', Overlay::Findings),
        ('L', Overlay::Large(0)),
        ('w', Overlay::Words),
    ] {
        key(&mut model, Char(code));
        assert_eq!(model.overlay, Some(overlay));
        key(&mut model, Esc);
    }
}
