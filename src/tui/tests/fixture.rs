//! A ceremony at each of its points, with one text in every place where others' text may stand.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::ceremony::event::{
    Credential, Document, Event, FileDigest, Mode, Quorum, Signer, TokenIdentity,
};
use crate::ceremony::plan::{KeyChoice, Step};
use crate::ceremony::prompt::{Ask, Choice, PinPrompt, Prompt, TokenRow, Tries};
use crate::ceremony::review::{Mark, Review, Row};
use crate::tuf::digest::{Sha256, Sha512};
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;
use crate::tui::glyphs::Glyphs;
use crate::tui::model::{Input, Model, Overlay, Request, Stage};
use crate::tui::update::update;
use crate::tui::view::view;
use crate::tui::{Finish, Start};

pub(super) const PHRASE: &str = "sign root v8 as read";
pub(super) const CLOCK: &str = "2026-11-22 11:24 UTC";

pub(super) fn payload() -> Sha256 {
    Sha256::of(b"root v8")
}
pub(super) fn root() -> Document {
    Document {
        role: "root".to_owned(),
        version: 8,
    }
}
pub(super) fn signer(holder: &str, key: u8) -> Signer {
    Signer {
        holder: holder.to_owned(),
        keyid: KeyId(format!("{key:064x}")),
    }
}
pub(super) fn model(text: &str, size: (u16, u16)) -> Model {
    let start = Start {
        mode: Mode::Rehearsal,
        title: format!("Renew the root {text}"),
        today: vec![
            format!("Today: root v8. You are holder 4 ({text})."),
            "7 steps, about 50 minutes.".to_owned(),
        ],
        ceremony: Sha256::of(b"ceremony"),
        trusted_root: Some(Sha256::of(b"trusted root")),
        clock: Box::new(|| CLOCK.to_owned()),
        ascii: false,
    };
    Model::new(&start, Glyphs::Vt, size)
}

pub(super) fn event(model: &mut Model, event: Event) {
    assert_eq!(update(model, Input::Event(Box::new(event))), None);
    assert_eq!(model.fault, None);
}

/// Opened, planned, and up to the beginning of step `until`, signed by the old root's first holder if that is past.
pub(super) fn running(text: &str, size: (u16, u16), until: usize) -> Model {
    let mut model = model(text, size);
    let sign = |holder: &str, key| Step::Sign {
        document: root(),
        holder: holder.to_owned(),
        key: KeyChoice::Keyid(signer(holder, key).keyid),
    };
    event(&mut model, opened(text));
    let steps = vec![
        Step::Confirm,
        Step::Build,
        Step::Review { document: root() },
        Step::Shadow,
        sign(text, 1),
        sign("bob", 2),
        Step::Close,
    ];
    let plan = Event::PlanFixed {
        sha256: Sha256::of(b"plan"),
        steps,
        minutes: 50,
    };
    event(&mut model, plan);
    for step in 0..=until {
        event(&mut model, Event::StepStarted { step });
        if step == until {
            break;
        }
        for happened in happens(text, step) {
            event(&mut model, happened);
        }
        event(&mut model, Event::StepDone { step });
    }
    model.stage = Stage::Working;
    model
}
pub(super) fn opened(text: &str) -> Event {
    Event::Opened {
        tool: text.to_owned(),
        program: Sha256::of(b"program"),
        mode: Mode::Rehearsal,
        kind: "renew".to_owned(),
        title: text.to_owned(),
        script: Sha256::of(b"script"),
        trusted_root: None,
        ceremony: Sha256::of(b"ceremony"),
        modules: Vec::new(),
        holders: None,
    }
}

fn happens(text: &str, step: usize) -> Vec<Event> {
    let first = signer(text, 1);
    match step {
        1 => vec![
            Event::Built {
                document: root(),
                payload: payload(),
                size: 2914,
                quorums: vec![
                    Quorum {
                        by: "the keys of root v7 (old)".to_owned(),
                        needed: 3,
                        signers: vec![first.clone(), signer("bob", 2), signer("carol", 3)],
                    },
                    Quorum {
                        by: "the keys of root v8 (new)".to_owned(),
                        needed: 2,
                        signers: vec![
                            first,
                            signer("bob", 2),
                            signer("carol", 3),
                            signer("dave", 4),
                        ],
                    },
                ],
            },
            Event::Found {
                finding: Finding::warning("COMPAT-P384", text, format!("refused by tough {text}")),
            },
        ],
        2 => vec![Event::Reviewed {
            document: root(),
            payload: payload(),
            rows: 31,
            seen: None,
        }],
        3 => vec![Event::ShadowPassed {
            document: root(),
            signers: Vec::new(),
        }],
        4 => vec![
            Event::SigningIntended {
                document: root(),
                payload: payload(),
                signer: first.clone(),
            },
            Event::Signed {
                document: root(),
                payload: payload(),
                signer: first,
                sig: "00".to_owned(),
            },
        ],
        5 => vec![
            Event::Imported {
                document: root(),
                payload: payload(),
                signer: signer("dave", 4),
                sig: "00".to_owned(),
                part: Sha256::of(b"part"),
            },
            Event::Skipped {
                document: root(),
                signer: signer("carol", 3),
            },
            Event::Written {
                file: FileDigest {
                    path: format!("metadata/8.root.json{text}"),
                    size: 3702,
                    sha256: Sha256::of(b"file"),
                    sha512: Sha512::of(b"file"),
                },
            },
        ],
        _ => Vec::new(),
    }
}
pub(super) fn ask(text: &str, digest: bool, ask: Ask) -> Prompt {
    Prompt {
        id: "plan".to_owned(),
        step: 0,
        title: format!("Compare the plan {text}"),
        text: vec![
            format!("Read the words aloud {text}"),
            "The printed copy must say the same.".to_owned(),
        ],
        digest: digest.then(|| Sha256::of(b"plan")),
        ask,
    }
}
pub(super) fn choices(text: &str) -> Vec<Choice> {
    ["ready", "rescan", "skip", "pause"]
        .map(|id| Choice {
            id: id.to_owned(),
            label: format!("{id}: what it does {text}"),
        })
        .to_vec()
}
fn token(text: &str) -> TokenIdentity {
    TokenIdentity {
        module: "softhsm".to_owned(),
        manufacturer: text.to_owned(),
        model: text.to_owned(),
        serial: format!("21073412{text}"),
        label: text.to_owned(),
    }
}
pub(super) fn review(text: &str, rows: usize) -> Prompt {
    let marks = [
        Mark::Changed,
        Mark::Same,
        Mark::Warning,
        Mark::Ok,
        Mark::Added,
        Mark::Heading,
    ];
    let rows = (0..rows).map(|row| Row {
        mark: marks[row % marks.len()],
        text: format!("row {row} of the review {text}"),
    });
    ask(
        text,
        false,
        Ask::Review {
            review: Arc::new(Review::for_tests(root(), payload(), rows.collect())),
            phrase: PHRASE.to_owned(),
        },
    )
}
pub(super) fn pin(text: &str, tries: Tries) -> PinPrompt {
    PinPrompt {
        holder: text.to_owned(),
        kind: Credential::User,
        token: token(text),
        tries,
        after: Some(format!("Token {text} refused the PIN.")),
    }
}
pub(super) fn asked(mut model: Model, prompt: Prompt) -> Model {
    assert_eq!(update(&mut model, Input::Prompt(Box::new(prompt))), None);
    model
}

pub(super) fn key(model: &mut Model, code: KeyCode) -> Option<Request> {
    update(model, Input::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}
pub(super) fn control(model: &mut Model, letter: char) -> Option<Request> {
    let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    update(model, Input::Key(key))
}
/// Types letter by letter; gives the last request.
pub(super) fn type_(model: &mut Model, text: &str) -> Option<Request> {
    text.chars().fold(None, |_, c| key(model, KeyCode::Char(c)))
}

/// Every screen, by name.
pub(super) fn screens(text: &str, size: (u16, u16)) -> Vec<(&'static str, Model)> {
    let at = |step| running(text, size, step);
    let over = |step, overlay| {
        let mut model = at(step);
        model.overlay = Some(overlay);
        model
    };
    let phrase = || Ask::Phrase {
        phrase: PHRASE.to_owned(),
    };
    let tokens = vec![
        TokenRow {
            token: token(text),
            meaning: format!("wanted: {text}"),
            wanted: true,
        },
        TokenRow {
            token: token(text),
            meaning: format!("NOT IN THIS CEREMONY {text}"),
            wanted: false,
        },
    ];
    let token = Ask::Token {
        tokens,
        options: choices(text),
    };
    let mut wrong = asked(at(0), ask(text, true, phrase()));
    type_(&mut wrong, text);
    key(&mut wrong, KeyCode::Enter);
    let mut typing = asked(at(0), ask(text, true, phrase()));
    type_(&mut typing, text);
    let mut closed = at(4);
    update(&mut closed, Input::Pin(Box::new(pin(text, Tries::Left(2)))));
    let mut open = at(4);
    update(&mut open, Input::Pin(Box::new(pin(text, Tries::Unknown))));
    key(&mut open, KeyCode::Enter);
    update(&mut open, Input::PinTyped(true));
    let mut complete = asked(at(2), review(text, 31));
    for _ in 0..200 {
        key(&mut complete, KeyCode::Char('G'));
    }
    let mut rejecting = asked(at(2), review(text, 31));
    type_(&mut rejecting, &format!("R{text}"));
    let mut searching = asked(at(2), review(text, 31));
    type_(&mut searching, &format!("/{text}"));
    let mut leaving = at(4);
    key(&mut leaving, KeyCode::Char('q'));
    let mut finished = at(6);
    let finish = Finish {
        code: 0,
        text: vec![format!("root v8 is valid {text}")],
        head: Some(Sha256::of(b"head")),
    };
    update(&mut finished, Input::Finished(finish));
    let mut faulty = at(4);
    faulty.fault = Some(text.to_owned());
    let mut large = asked(at(0), ask(text, true, phrase()));
    large.overlay = Some(Overlay::Large(0));
    let mut words = asked(at(2), review(text, 31));
    words.overlay = Some(Overlay::Words);
    vec![
        ("opening", model(text, size)),
        ("working", at(1)),
        ("signing", at(4)),
        ("phrase", asked(at(0), ask(text, true, phrase()))),
        ("phrase typed", typing),
        ("phrase wrong", wrong),
        (
            "choice",
            asked(
                at(5),
                ask(
                    text,
                    false,
                    Ask::Choice {
                        options: choices(text),
                    },
                ),
            ),
        ),
        ("token", asked(at(4), ask(text, false, token))),
        ("pin closed", closed),
        ("pin open", open),
        ("review", asked(at(2), review(text, 31))),
        ("review complete", complete),
        ("review rejecting", rejecting),
        ("review searching", searching),
        ("overview", over(4, Overlay::Overview)),
        ("steps", over(4, Overlay::Steps)),
        ("signatures", over(6, Overlay::Signatures)),
        ("findings", over(4, Overlay::Findings)),
        ("words", words),
        ("help", over(4, Overlay::Help)),
        ("large", large),
        ("leaving", leaving),
        ("finished", finished),
        ("fault", faulty),
    ]
}

/// The rows as drawn.
pub(super) fn drawn(model: &Model) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| view(model, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let width = usize::from(model.size.0);
    buffer
        .content()
        .chunks(width)
        .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
        .collect()
}

/// The whole page, scrolled from its first to its last line, each line once.
pub(super) fn read_through(model: &mut Model) -> String {
    let mut seen: Vec<String> = Vec::new();
    for step in 0..400 {
        let code = if step == 0 {
            KeyCode::Home
        } else {
            KeyCode::Down
        };
        key(model, code);
        for row in drawn(model) {
            let row = row.trim();
            seen.extend((!seen.iter().any(|known| known == row)).then(|| row.to_owned()));
        }
    }
    seen.join("\n")
}
