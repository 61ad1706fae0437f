//! The page around a share, what keys do on it, and what is told of a backup afterwards.

use crossterm::event::KeyCode::{Char, Enter, Esc, F};

use super::fixture::{
    CLOCK, ask, choices, control, drawn, event, key, model, opened, read_through,
};
use crate::ceremony::event::{
    BackedUp, BackupBegun, Custody, Drilled, Event, FileDigest, Kept, Restored, Sealed, ShareRead,
};
use crate::ceremony::plan::Step;
use crate::ceremony::prompt::{Ask, SharePrompt};
use crate::ceremony::{EPHEMERAL, ONLINE};
use crate::tuf::digest::{Sha256, Sha512};
use crate::tuf::key::{Algorithm, KeyId};
use crate::tui::Finish;
use crate::tui::model::{Input, Model, Overlay, Request, ShareStep, Stage};
use crate::tui::page::{page, share_label};
use crate::tui::update::update;

const SIZE: (u16, u16) = (80, 24);
const DIGITS: usize = 16;

fn keyid() -> KeyId {
    KeyId("ab".repeat(32))
}

fn file(path: &str) -> FileDigest {
    FileDigest {
        path: path.to_owned(),
        size: 70_011,
        sha256: Sha256::of(path.as_bytes()),
        sha512: Sha512::of(path.as_bytes()),
    }
}

/// A backup that was sealed, and of which no share was handed out.
fn sealed() -> Model {
    let mut model = model("", SIZE);
    let custodians = ["ada", "ben", "cleo"].map(str::to_owned).to_vec();
    let back_up = Step::BackUp {
        needed: 2,
        custodians: custodians.clone(),
    };
    let restore = Step::RestoreFile { keyid: keyid() };
    let fixed = Event::PlanFixed {
        sha256: Sha256::of(b"plan"),
        steps: vec![back_up, restore, Step::Close],
        minutes: 65,
    };
    let begun = Event::BackupBegun(BackupBegun {
        needed: 2,
        custodians,
        infrastructure: Vec::new(),
        keys: vec![BackedUp {
            keyid: keyid(),
            of: "online-1".to_owned(),
            roles: vec!["timestamp".to_owned()],
            kept: Kept::Online,
        }],
    });
    let sealed = Event::Sealed(Sealed {
        everything: file("everything.age"),
        shares: file("shares.json"),
        infrastructure: Some(file("infrastructure.age")),
    });
    let started = Event::StepStarted { step: 0 };
    for happened in [opened(""), fixed, started, begun, sealed] {
        event(&mut model, happened);
    }
    model.stage = Stage::Working;
    model
}

fn prompt(index: Option<u8>, after: Option<&str>) -> SharePrompt {
    SharePrompt {
        custodian: "ben".to_owned(),
        index,
        text: vec!["Everybody but ben turns away.".to_owned()],
        after: after.map(str::to_owned),
    }
}

fn asked(mut model: Model, prompt: SharePrompt) -> Model {
    assert_eq!(update(&mut model, Input::Share(Box::new(prompt))), None);
    model
}

fn dealt() -> Model {
    asked(sealed(), prompt(Some(2), None))
}

fn digits() -> String {
    let digest = Sha256::of(b"everything.age").to_string();
    digest[..DIGITS].to_owned()
}

/// What is seen, its lines joined.
fn told(model: &Model) -> String {
    let rows = drawn(model).join(" ");
    rows.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_says_whose_share_it_is_of_which_backup_and_what_was_wrong() {
    let wrong = Some("SHARE-FOREIGN: share 2 opens another backup");
    for (index, title, wanted) in [
        (
            Some(2),
            "Share 2, for ben",
            "Press Enter to show it; then it is typed from the paper.",
        ),
        (
            None,
            "The share of ben",
            "Press Enter to type it from the paper.",
        ),
    ] {
        for after in [None, wrong] {
            let model = asked(sealed(), prompt(index, after));
            let told = told(&model);
            for text in ["TURN THE CAMERA AWAY.", title, wanted, &digits()] {
                assert!(told.contains(text), "{text}: {told}");
            }
            assert_eq!(told.contains("[FAIL] SHARE-FOREIGN"), after.is_some());
            assert!(page(&model).waiting.contains(title));
        }
    }
}

#[test]
fn a_sheet_says_which_backup_it_opens_who_has_it_and_since_when() {
    let model = dealt();
    let rows = [
        format!("backup {}   share 2 of 3   any 2 open it", digits()),
        format!("ben   {}", &CLOCK[..10]),
    ];
    assert_eq!(share_label(&model, &prompt(Some(2), None)), rows);
    // A sheet that is read has all that already.
    assert!(share_label(&model, &prompt(None, None)).is_empty());
}

#[test]
fn a_share_is_opened_by_enter_and_only_six_typed_lines_leave_its_page() {
    let mut model = dealt();
    assert_eq!(key(&mut model, Enter), Some(Request::OpenShare));
    update(&mut model, Input::ShareStep(ShareStep::Interrupted));
    assert!(!model.leaving && matches!(model.stage, Stage::Share(_)));
    assert_eq!(key(&mut model, Enter), Some(Request::OpenShare));
    update(&mut model, Input::ShareStep(ShareStep::Cancelled));
    assert!(told(&model).contains("Pause and save?"));
    assert_eq!(key(&mut model, Enter), None);
    key(&mut model, Esc);
    assert_eq!(key(&mut model, Enter), Some(Request::OpenShare));
    update(&mut model, Input::ShareStep(ShareStep::Typed));
    assert!(matches!(model.stage, Stage::Working));
}

#[test]
fn no_key_but_enter_opens_a_share_and_a_small_screen_opens_none() {
    let letters = (' '..='~').map(Char).chain((1..=12).map(F)).chain([Esc]);
    for code in letters {
        let mut model = dealt();
        assert_eq!(key(&mut model, code), None, "{code:?}");
        assert!(matches!(model.stage, Stage::Share(_)), "{code:?}");
    }
    let mut model = dealt();
    update(&mut model, Input::Resize(79, 24));
    assert_eq!(key(&mut model, Enter), None);
    update(&mut model, Input::Resize(80, 24));
    assert_eq!(key(&mut model, Enter), Some(Request::OpenShare));
}

#[test]
fn pages_lie_over_a_share_and_pausing_answers_it() {
    let mut model = dealt();
    key(&mut model, Char('s'));
    assert_eq!(model.overlay, Some(Overlay::Steps));
    assert!(told(&model).contains("Esc goes back to: a share"));
    assert_eq!(key(&mut model, Enter), None, "not what cannot be seen");
    key(&mut model, Esc);
    assert_eq!(control(&mut model, 'c'), None);
    assert_eq!(control(&mut model, 'c'), Some(Request::Pause));
    let mut paused = sealed();
    key(&mut paused, Char('q'));
    key(&mut paused, Char('p'));
    let share = Input::Share(Box::new(prompt(Some(2), None)));
    assert_eq!(update(&mut paused, share), Some(Request::Pause));
}

#[test]
fn the_counts_of_the_drill_and_what_came_back_stand_on_the_last_pages() {
    let mut model = sealed();
    for (index, custodian) in (1..).zip(["ada", "ben", "cleo"]) {
        let custodian = custodian.to_owned();
        event(
            &mut model,
            Event::ShareRead(ShareRead {
                custodian,
                index,
                sealed: None,
            }),
        );
    }
    let drilled = Event::Drilled(Drilled {
        everything: Sha256::of(b"everything.age"),
        opened: 3,
        refused: 3,
        keys: vec![keyid()],
    });
    let restored = Event::Restored(Restored {
        keyid: keyid(),
        token: None,
        file: Some(file("key.pem")),
    });
    let (start, done) = (
        |step| Event::StepStarted { step },
        |step| Event::StepDone { step },
    );
    for happened in [drilled, done(0), start(1), restored, done(1), start(2)] {
        event(&mut model, happened);
    }
    let counts =
        "Groups of shares that opened the backup: 3; smaller ones that did not: 3; whole keys: 1.";
    let back = format!("{} was restored into a file.", keyid());
    let options = choices("");
    let close = Box::new(ask("", false, Ask::Choice { options }));
    assert_eq!(update(&mut model, Input::Prompt(close)), None);
    for last in ["close", "finish"] {
        if last == "finish" {
            let finish = Finish {
                code: 0,
                text: Vec::new(),
                head: None,
            };
            update(&mut model, Input::Finished(finish));
        }
        let shown = read_through(&mut model);
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in [
            counts,
            &back,
            "everything.age 70011 bytes",
            "infrastructure.age",
        ] {
            assert!(shown.contains(text), "{last}: {text}: {shown}");
        }
    }
}

#[test]
fn a_pause_that_would_lose_a_key_says_so() {
    let lost = "are in memory only, and a pause loses them";
    let mut model = sealed();
    key(&mut model, Char('q'));
    assert!(!told(&model).contains(lost), "no key was made here");
    for (holder, role) in [("online:online-1", ONLINE), (EPHEMERAL, "targets")] {
        let mut model = super::fixture::model("", SIZE);
        let steps = vec![Step::MakeOnline {
            name: "online-1".to_owned(),
            algorithm: Algorithm::Ed25519,
        }];
        let fixed = Event::PlanFixed {
            sha256: Sha256::of(b"plan"),
            steps,
            minutes: 65,
        };
        let made = Event::KeyEnrolled {
            holder: holder.to_owned(),
            role: role.to_owned(),
            keyid: keyid(),
            key: "{}".to_owned(),
            generated: true,
            token: None,
            custody: Custody::default(),
        };
        for happened in [opened(""), fixed, Event::StepStarted { step: 0 }, made] {
            event(&mut model, happened);
        }
        model.stage = Stage::Working;
        key(&mut model, Char('q'));
        assert!(told(&model).contains(lost), "{holder}: {}", told(&model));
    }
}
