//! What a record may say of a batch.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::ceremony::event::{
    BatchEnded, BatchIntended, BatchReviewed, Document, Event, Mode, Quorum, Signer, batch_digest,
};
use crate::ceremony::plan::{KeyChoice, Step};
use crate::ceremony::progress::Progress;
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

fn document(role: &str) -> Document {
    Document {
        role: role.to_owned(),
        version: 2,
    }
}

fn signer(holder: &str) -> Signer {
    Signer {
        holder: holder.to_owned(),
        keyid: KeyId(format!("key of {holder}")),
    }
}

fn payload(role: &str) -> Sha256 {
    Sha256::of(role.as_bytes())
}

const BATCH: [&str; 3] = ["claimed", "claimed-a", "claimed-b"];

fn batch() -> Sha256 {
    let documents = BATCH.map(document);
    batch_digest(documents.iter().map(|one| (one, payload(&one.role))))
}

fn signed(role: &str, holder: &str) -> Event {
    Event::Signed {
        document: document(role),
        payload: payload(role),
        signer: signer(holder),
        sig: "00".to_owned(),
    }
}

fn reviewed() -> Event {
    Event::BatchReviewed(BatchReviewed {
        batch: batch(),
        documents: 3,
        rows: 9,
        seen: None,
    })
}

fn intended(holder: &str) -> Event {
    Event::BatchIntended(BatchIntended {
        batch: batch(),
        signatures: 3,
        signer: signer(holder),
    })
}

fn ended(holder: &str) -> Event {
    Event::BatchEnded(BatchEnded {
        signer: signer(holder),
        signed: 3,
        micros: 1,
        stopped: None,
    })
}

fn shadowed(role: &str) -> Event {
    Event::ShadowPassed {
        document: document(role),
        signers: Vec::new(),
    }
}

/// custody is reviewed by itself and the rest together; up to the step that signs, or as far as `until` says.
fn at(until: usize) -> Progress {
    let sign = |holder: &str| Step::SignBatch {
        holder: holder.to_owned(),
        key: KeyChoice::Keyid(signer(holder).keyid),
    };
    let steps = vec![
        Step::Build,
        Step::Review {
            document: document("custody"),
        },
        Step::ReviewBatch,
        Step::Shadow,
        sign("alice"),
        sign("bob"),
    ];
    let built = |role: &str| Event::Built {
        document: document(role),
        payload: payload(role),
        size: 1,
        quorums: vec![Quorum {
            by: "the keys of claimed".to_owned(),
            needed: 2,
            signers: vec![signer("alice"), signer("bob")],
        }],
    };
    let opened = Event::Opened {
        tool: String::new(),
        program: payload(""),
        mode: Mode::Production,
        kind: "claim".to_owned(),
        title: String::new(),
        script: payload(""),
        trusted_root: None,
        ceremony: payload(""),
        modules: Vec::new(),
        holders: None,
    };
    let fixed = Event::PlanFixed {
        sha256: payload(""),
        steps,
        minutes: 1,
    };
    let custody = Event::Reviewed {
        document: document("custody"),
        payload: payload("custody"),
        rows: 1,
        seen: None,
    };
    let mut happens = vec![
        BATCH
            .map(built)
            .into_iter()
            .chain([built("custody")])
            .collect(),
        vec![custody],
        vec![reviewed()],
        BATCH
            .map(shadowed)
            .into_iter()
            .chain([shadowed("custody")])
            .collect(),
    ]
    .into_iter();
    let mut progress = Progress::default();
    let mut apply = |event: &Event| progress.apply(event).unwrap();
    apply(&opened);
    apply(&fixed);
    for step in 0..=until {
        apply(&Event::StepStarted { step });
        if step < until {
            happens
                .next()
                .unwrap_or_else(Vec::new)
                .iter()
                .for_each(&mut apply);
            apply(&Event::StepDone { step });
        }
    }
    progress
}

/// Applies them all; whether the last one can follow. The others must.
fn follows(progress: &Progress, events: &[Event]) -> bool {
    let mut progress = progress.clone();
    let (last, before) = events.split_last().unwrap();
    for event in before {
        progress.apply(event).unwrap();
    }
    progress.apply(last).is_ok()
}

#[test]
fn the_batch_is_what_no_step_names_and_its_digest_does_not_depend_on_the_order() {
    let progress = at(4);
    let names: Vec<_> = progress
        .batch()
        .map(|known| &*known.document.role)
        .collect();
    assert_eq!(names, BATCH);
    assert_eq!(progress.batch_digest(), batch());
    let documents = BATCH.map(document);
    let other = |payload_of: &dyn Fn(&Document) -> Sha256| {
        batch_digest(documents.iter().rev().map(|one| (one, payload_of(one))))
    };
    assert_eq!(other(&|one| payload(&one.role)), batch());
    assert_ne!(other(&|_| payload("claimed")), batch());
    let lines =
        "claimed 2 P\nclaimed-a 2 P\nclaimed-b 2 P\n".replace('P', &payload("x").to_string());
    assert_eq!(other(&|_| payload("x")), Sha256::of(lines.as_bytes()));
}

#[test]
fn a_batch_is_signed_once_each_and_only_while_the_token_is_asked() {
    let progress = at(4);
    let first = [
        intended("alice"),
        signed("claimed", "alice"),
        signed("claimed-b", "alice"),
    ];
    assert!(follows(&progress, &first));
    let more = |event: Event| [first.to_vec(), vec![event]].concat();
    for (right, event) in [
        (true, signed("claimed-a", "alice")),
        (true, ended("alice")),
        (
            true,
            Event::BatchDecided {
                signer: signer("alice"),
            },
        ),
        (false, signed("claimed", "alice")),
        (false, signed("custody", "alice")),
        (false, signed("claimed-a", "bob")),
        (false, ended("bob")),
        (
            false,
            Event::BatchDecided {
                signer: signer("bob"),
            },
        ),
        (false, intended("alice")),
        (false, Event::StepDone { step: 4 }),
        (
            false,
            Event::SigningIntended {
                document: document("claimed-a"),
                payload: payload("claimed-a"),
                signer: signer("alice"),
            },
        ),
    ] {
        assert_eq!(follows(&progress, &more(event.clone())), right, "{event:?}");
    }
    assert!(
        !follows(&progress, &[signed("claimed", "alice")]),
        "nobody is asked"
    );
    assert!(!follows(
        &progress,
        &more(ended("alice"))
            .into_iter()
            .chain([signed("claimed-a", "alice")])
            .collect::<Vec<_>>()
    ));
    assert!(follows(
        &progress,
        &more(ended("alice"))
            .into_iter()
            .chain([intended("alice")])
            .collect::<Vec<_>>()
    ));
    let other = Event::Signed {
        document: document("claimed-a"),
        payload: payload("another"),
        signer: signer("alice"),
        sig: "00".to_owned(),
    };
    assert!(!follows(&progress, &more(other)), "another payload");
}

#[test]
fn a_batch_is_not_signed_before_its_review_and_its_shadow_nor_by_another_than_planned() {
    assert!(follows(&at(4), &[intended("alice")]));
    assert!(!follows(&at(4), &[intended("bob")]), "it is not his step");
    for early in 0..4 {
        assert!(!follows(&at(early), &[intended("alice")]), "step {early}");
    }
    let Event::BatchIntended(right) = intended("alice") else {
        unreachable!()
    };
    let wrong = BatchIntended {
        batch: payload("another"),
        ..right
    };
    assert!(
        !follows(&at(4), &[Event::BatchIntended(wrong)]),
        "another batch"
    );
}

#[test]
fn a_review_of_another_batch_reviews_nothing() {
    assert!(follows(&at(2), &[reviewed()]));
    let Event::BatchReviewed(right) = reviewed() else {
        unreachable!()
    };
    let other = BatchReviewed {
        batch: payload("another"),
        ..right
    };
    assert!(!follows(&at(2), &[Event::BatchReviewed(other)]));
    assert!(
        !follows(&at(1), &[reviewed()]),
        "in the step of custody alone"
    );
}

#[test]
fn how_far_a_token_is_counts_from_its_intent() {
    let mut progress = at(4);
    assert_eq!(progress.asked_count(), None);
    for event in [intended("alice"), signed("claimed", "alice")] {
        progress.apply(&event).unwrap();
    }
    assert_eq!(progress.asked_count(), Some((1, 3)));
    for event in [
        Event::BatchDecided {
            signer: signer("alice"),
        },
        intended("alice"),
        signed("claimed-b", "alice"),
    ] {
        progress.apply(&event).unwrap();
    }
    assert_eq!(progress.asked_count(), Some((1, 2)));
}
