//! The bar of a token that signs a batch: count, rate and time left, at the smallest screen too.

use std::time::Duration;

use crossterm::event::KeyCode;

use super::fixture::{drawn, event, key, model, opened, signer};
use crate::ceremony::event::{BatchEnded, BatchIntended, BatchReviewed, Document, Event, Quorum};
use crate::ceremony::plan::{KeyChoice, Step};
use crate::tuf::digest::Sha256;
use crate::tui::model::{Model, Overlay, Stage};

const DOCUMENTS: usize = 732;

fn shard(number: usize) -> Document {
    Document {
        role: format!("claimed-a{number}"),
        version: 1,
    }
}

fn payload(number: usize) -> Sha256 {
    Sha256::of(&number.to_le_bytes())
}

/// Alice's token is asked since second 10, and so many of its signatures came.
fn signing(signed: usize, size: (u16, u16)) -> Model {
    let mut model = model("alice", size);
    let sign = |holder: &str, key| Step::SignBatch {
        holder: holder.to_owned(),
        key: KeyChoice::Keyid(signer(holder, key).keyid),
    };
    event(&mut model, opened("alice"));
    let steps = vec![
        Step::Build,
        Step::ReviewBatch,
        Step::Shadow,
        sign("alice", 1),
        sign("bob", 2),
    ];
    let plan = Event::PlanFixed {
        sha256: payload(0),
        steps,
        minutes: 30,
    };
    event(&mut model, plan);
    event(&mut model, Event::StepStarted { step: 0 });
    for number in 0..DOCUMENTS {
        let built = Event::Built {
            document: shard(number),
            payload: payload(number),
            size: 100,
            quorums: vec![Quorum {
                by: "the keys of claimed v7".to_owned(),
                needed: 2,
                signers: vec![signer("alice", 1), signer("bob", 2)],
            }],
        };
        event(&mut model, built);
    }
    event(&mut model, Event::StepDone { step: 0 });
    event(&mut model, Event::StepStarted { step: 1 });
    let batch = model.progress.batch_digest();
    let reviewed = BatchReviewed {
        batch,
        documents: DOCUMENTS,
        rows: 9,
        seen: None,
    };
    event(&mut model, Event::BatchReviewed(reviewed));
    event(&mut model, Event::StepDone { step: 1 });
    event(&mut model, Event::StepStarted { step: 2 });
    for number in 0..DOCUMENTS {
        let passed = Event::ShadowPassed {
            document: shard(number),
            signers: Vec::new(),
        };
        event(&mut model, passed);
    }
    event(&mut model, Event::StepDone { step: 2 });
    event(&mut model, Event::StepStarted { step: 3 });
    model.now = Duration::from_secs(10);
    let intended = BatchIntended {
        batch,
        signatures: DOCUMENTS,
        signer: signer("alice", 1),
    };
    event(&mut model, Event::BatchIntended(intended));
    for number in 0..signed {
        event(&mut model, signed_by_alice(number));
    }
    model.stage = Stage::Working;
    model
}

fn signed_by_alice(number: usize) -> Event {
    Event::Signed {
        document: shard(number),
        payload: payload(number),
        signer: signer("alice", 1),
        sig: "00".to_owned(),
    }
}

fn text(model: &Model) -> String {
    drawn(model).join("\n")
}

#[test]
fn the_bar_says_how_many_how_fast_and_how_long_still() {
    for size in [(80, 24), (132, 43)] {
        let mut model = signing(183, size);
        model.now = Duration::from_secs(10 + 61);
        let shown = text(&model);
        for line in [
            "[##########------------------------------] 25%",
            "183 of 732 signed, 3.0 a second, about 4 minutes left",
            "The token signs the batch. q stops between two signatures",
            "The batch of 732 documents: 0 have every signature they need.",
            "[##--------] 183 of 732 signed  alice",
            "[----------] 0 of 732 signed  bob",
            "Step 4 of 5: Sign the batch: alice",
        ] {
            assert!(shown.contains(line), "{line} at {size:?}\n{shown}");
        }
    }
}

#[test]
fn before_the_first_signature_nothing_is_guessed() {
    let mut model = signing(0, (80, 24));
    model.now = Duration::from_secs(20);
    let shown = text(&model);
    assert!(
        shown.contains("0 of 732 signed\n") || shown.contains("0 of 732 signed "),
        "{shown}"
    );
    assert!(!shown.contains("left"), "{shown}");
}

#[test]
fn what_was_on_record_before_does_not_make_the_token_look_faster() {
    let mut model = signing(700, (80, 24));
    let stopped = BatchEnded {
        signer: signer("alice", 1),
        signed: 700,
        micros: 1,
        stopped: Some("stopped by a person".to_owned()),
    };
    event(&mut model, Event::BatchEnded(stopped));
    assert!(!text(&model).contains("a second"));
    model.now = Duration::from_secs(100);
    let intended = BatchIntended {
        batch: model.progress.batch_digest(),
        signatures: 32,
        signer: signer("alice", 1),
    };
    event(&mut model, Event::BatchIntended(intended));
    event(&mut model, signed_by_alice(700));
    model.now = Duration::from_secs(110);
    let shown = text(&model);
    assert!(shown.contains("1 of 32 signed, 6 a minute"), "{shown}");
}

#[test]
fn q_while_the_token_signs_wants_the_ceremony_to_stop() {
    let mut model = signing(10, (80, 24));
    assert_eq!(key(&mut model, KeyCode::Char('q')), None);
    assert!(model.leaving && !model.pausing);
    assert_eq!(key(&mut model, KeyCode::Char('p')), None);
    assert!(
        model.pausing,
        "the loop tells the ceremony, which looks between two signatures"
    );
}

#[test]
fn hundreds_of_documents_are_one_on_the_page_of_signatures() {
    let mut model = signing(DOCUMENTS, (80, 24));
    model.overlay = Some(Overlay::Signatures);
    let shown = text(&model);
    assert!(
        shown.contains("[##########] 732 of 732 signed  alice"),
        "{shown}"
    );
    assert!(!shown.contains("claimed-a1 "), "{shown}");
}
