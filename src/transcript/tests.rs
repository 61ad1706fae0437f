#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Transcript, read, to_vec};
use crate::ceremony::event::{Event, Mode};
use crate::ceremony::plan::Step;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;

/// A whole small ceremony.
pub(super) fn events() -> Vec<Event> {
    let opened = Event::Opened {
        tool: "tuf-ceremony 0.1.0".to_owned(),
        program: Sha256([1; 32]),
        mode: Mode::Rehearsal,
        kind: "renew".to_owned(),
        title: "Renew <root>".to_owned(),
        script: Sha256([2; 32]),
        trusted_root: Some(Sha256([3; 32])),
        ceremony: Sha256([4; 32]),
        modules: Vec::new(),
        holders: None,
    };
    let plan = Event::PlanFixed {
        sha256: Sha256([5; 32]),
        steps: vec![Step::Confirm, Step::Clock, Step::Close],
        minutes: 10,
    };
    vec![
        opened,
        plan,
        Event::StepStarted { step: 0 },
        Event::Answered {
            prompt: "plan".to_owned(),
            answer: "the plan\u{202e} is right".to_owned(),
        },
        Event::StepDone { step: 0 },
        Event::StepStarted { step: 1 },
        Event::ClockConfirmed {
            utc: "2026-11-22T12:00:00Z".to_owned(),
        },
        Event::Found {
            finding: Finding::warning("ROOT-EXPIRED", "7.root.json", "it expired yesterday"),
        },
        Event::StepDone { step: 1 },
        Event::StepStarted { step: 2 },
        Event::StepDone { step: 2 },
        Event::Closed,
    ]
}

pub(super) fn written(events: &[Event]) -> Vec<u8> {
    let mut transcript = Transcript::default();
    let mut bytes = Vec::new();
    for event in events {
        let line = transcript.next("2026-11-22T12:00:00Z".to_owned(), event.clone());
        let text = to_vec(&line);
        transcript.push(line, &text).unwrap();
        bytes.extend(text);
        bytes.push(b'\n');
    }
    bytes
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

#[test]
fn a_whole_ceremony_is_read_back_complete() {
    let transcript = read(&written(&events())).unwrap();
    assert!(transcript.is_complete());
    assert_eq!(transcript.lines.len(), 12);
    assert_eq!(transcript.lines[3].step, Some(0));
    assert_eq!(transcript.lines[1].step, None);
    let last = lines(&written(&events())).pop().unwrap();
    assert_eq!(transcript.head(), Sha256::of(&last[..last.len() - 1]));
}

#[test]
fn every_flipped_byte_is_detected_by_the_reader_or_the_head() {
    let bytes = written(&events());
    let head = read(&bytes).unwrap().head();
    for position in 0..bytes.len() {
        for bit in [0x01, 0x10, 0x20] {
            let mut flipped = bytes.clone();
            flipped[position] ^= bit;
            let same = read(&flipped).is_ok_and(|transcript| transcript.head() == head);
            assert!(!same, "byte {position}, bit {bit:#x}");
        }
    }
}

#[test]
fn a_dropped_swapped_or_doubled_line_is_detected() {
    let all = lines(&written(&events()));
    for index in 0..all.len() - 1 {
        let mut dropped = all.clone();
        dropped.remove(index);
        assert!(read(&dropped.concat()).is_err(), "dropped {index}");
        let mut swapped = all.clone();
        swapped.swap(index, index + 1);
        assert!(read(&swapped.concat()).is_err(), "swapped {index}");
    }
    for index in 0..all.len() {
        let mut doubled = all.clone();
        doubled.insert(index, all[index].clone());
        assert!(read(&doubled.concat()).is_err(), "doubled {index}");
    }
}

#[test]
fn a_transcript_cut_after_any_line_is_incomplete() {
    let all = lines(&written(&events()));
    for kept in 0..all.len() {
        assert!(
            !read(&all[..kept].concat()).unwrap().is_complete(),
            "{kept}"
        );
    }
}

#[test]
fn each_fault_has_its_rule_and_text() {
    let text = String::from_utf8(written(&events())).unwrap();
    let torn = text.trim_end().to_owned();
    let spaced = text.replacen("{\"seq\":0,", "{\"seq\": 0,", 1);
    let edited = text
        .replacen("plan\\u202e", "PLAN", 1)
        .replacen("is right", "is wrong", 1);
    let unknown = text.replacen(
        "{\"event\":\"closed\"}",
        "{\"event\":\"closed\",\"more\":1}",
        1,
    );
    let dated = text.replacen("2026-11-22T12:00:00Z", "2026-11-22T12:00:00.5Z", 1);
    let skipped = written(&events()[..2]);
    let mut illegal = skipped.clone();
    let mut transcript = read(&skipped).unwrap();
    let line = transcript.next(
        "2026-11-22T12:00:00Z".to_owned(),
        Event::StepStarted { step: 1 },
    );
    illegal.extend(to_vec(&line));
    illegal.push(b'\n');
    transcript.lines.clear();
    let cases = [
        (
            torn,
            "TRANSCRIPT-TORN",
            12,
            "it has no newline; a write was interrupted here",
        ),
        (
            spaced,
            "TRANSCRIPT-FORM",
            1,
            "it is not written as this program writes it; somebody edited it",
        ),
        (edited, "TRANSCRIPT-CHAIN", 5, "it says number 4 after "),
        (
            unknown,
            "TRANSCRIPT-FORM",
            12,
            "it is not written as this program writes it; somebody edited it",
        ),
        (
            dated,
            "TRANSCRIPT-FORM",
            1,
            "it is not written as this program writes it; somebody edited it",
        ),
        (
            String::from_utf8(illegal).unwrap(),
            "TRANSCRIPT-ORDER",
            3,
            "step 2 begins; step 1 is next",
        ),
    ];
    for (bytes, rule, line, start) in cases {
        let fault = read(bytes.as_bytes()).unwrap_err();
        assert_eq!((fault.rule, fault.line), (rule, line), "{}", fault.text);
        assert!(fault.text.starts_with(start), "{}", fault.text);
    }
}
