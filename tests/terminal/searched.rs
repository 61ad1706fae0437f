//! A review of delegations to hundreds of projects, made from two files, searched and signed on a real terminal.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use tuf_ceremony::ceremony::candidate::Candidate;
use tuf_ceremony::ceremony::event::Document;
use tuf_ceremony::ceremony::port::{Operator, Sink, Stop};
use tuf_ceremony::ceremony::prompt::Ask;
use tuf_ceremony::ceremony::review::Review;
use tuf_ceremony::ceremony::review::claimed::Checks;
use tuf_ceremony::ceremony::review::opening::Opening;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;

use super::ceremony::{self, PHRASE, opening, prompt};

/// The variable that names a file: before it is there the review is not made.
const GATE: &str = "TUF_CEREMONY_TEST_GATE";

/// `claimed` with so many projects, of which every thousandth has another threshold in version 2.
fn claimed(version: u64, projects: usize) -> Envelope {
    let (mut keys, mut roles) = (String::new(), String::new());
    for number in 0..projects {
        let keyid = Sha256::of(number.to_string().as_bytes());
        let other = Sha256::of(format!("other {number}").as_bytes());
        let comma = if number == 0 { "" } else { "," };
        for (keyid, comma) in [(keyid, comma), (other, ",")] {
            let _ = write!(
                keys,
                r#"{comma}"{keyid}":{{"keytype":"test","keyval":{{"public":"{keyid}"}},"scheme":"test"}}"#
            );
        }
        let threshold = if number % 1000 == 7 && version == 1 {
            2
        } else {
            1
        };
        let _ = write!(
            roles,
            r#"{comma}{{"keyids":["{keyid}","{other}"],"name":"project-p{number:06}","paths":["p{number:06}/*"],"terminating":true,"threshold":{threshold}}}"#
        );
    }
    let signed = format!(
        r#"{{"_type":"targets","delegations":{{"keys":{{{keys}}},"roles":[{roles}]}},"expires":"2027-11-22T00:00:00Z","spec_version":"1.0.31","targets":{{}},"version":{version}}}"#
    );
    let bytes = format!(r#"{{"signatures":[],"signed":{signed}}}"#).into_bytes();
    Envelope::parse("claimed", bytes, Limits::LARGE).unwrap()
}

/// Shows the review of half as many new projects as there were.
pub(super) fn searched(operator: &mut dyn Operator, sink: &mut dyn Sink) -> Result<String, Stop> {
    for event in opening() {
        sink.record(&event).unwrap();
    }
    let projects = std::env::var("PROJECTS").map_or(200, |text| text.parse().unwrap());
    let candidate = Candidate {
        document: Document {
            role: "claimed".to_owned(),
            version: 2,
        },
        old: Some(claimed(1, projects)),
        envelope: claimed(2, projects * 2),
        thresholds: Vec::new(),
    };
    if let Some(opening) = Opening::of(&candidate, &[], &[]) {
        operator.show(&opening);
    }
    if let Some(gate) = std::env::var_os(GATE) {
        while !Path::new(&gate).exists() {
            sleep(Duration::from_millis(5));
        }
    }
    let checks = Checks {
        spots: Some(1),
        ..Checks::default()
    };
    let review = Review::of_claimed(&candidate, &[], &[], Vec::new(), &|_| None, &checks).unwrap();
    let review = Arc::new(review);
    let ask = Ask::Review {
        review: Arc::clone(&review),
        phrase: PHRASE.to_owned(),
    };
    let answer = operator.ask(&prompt("review", None, ask))?;
    let seen = review.seen().unwrap();
    Ok(format!(
        "{answer}: {} of {} watched, {} of {} drawn",
        seen.watch.seen, seen.watch.of, seen.spots.seen, seen.spots.of
    ))
}

#[test]
fn a_large_change_is_searched_seen_and_signed() {
    let mut session = ceremony::start("searched", 24, 80);
    session.sees("Waiting for: Enter, to begin");
    session.types("\r");
    session.sees("200 projects -> 400; 201 differ.");
    session.types("/P000007");
    session.sees("1 of 201   search: P000007_");
    session.sees(">[ ] [WARN]   p000007");
    session.types("\x1b");
    session.sees("all that differ: 201 of 201");
    session.types("S");
    session.sees("Not yet: read the summary to its end");
    session.types("\x1b");
    for _ in 0..30 {
        session.types("\x1b[6~");
    }
    session.sees("Waiting for: the watch list and the spot checks");
    session.types("n");
    session.sees("threshold lowered: 2 -> 1");
    session.types("  ");
    session.sees("Watch list 1 of 1 seen, spot checks 0 of 1.");
    session.types("n");
    session.sees(": added");
    session.types("  ");
    session.sees("All is seen: S to sign.");
    session.types("S");
    session.sees("To sign, type exactly");
    session.types(PHRASE);
    session.types("\r");
    session.sees("Finished, exit code 0");
    session.types("q");
    let end = session.end();
    let expected = format!("result: {PHRASE}: 1 of 1 watched, 1 of 1 drawn");
    assert!(end.text().contains(&expected), "{}", end.text());
    assert!(end.restored, "{}", end.text());
}

#[test]
fn of_a_very_large_change_what_is_known_is_read_while_the_rest_is_counted_and_nothing_is_answered()
{
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("gate");
    let variables = [
        ("TERM", "linux"),
        ("PROJECTS", "2600"),
        (GATE, gate.to_str().unwrap()),
    ];
    let mut session = ceremony::start_with("searched", 24, 80, &variables);
    session.sees("Waiting for: Enter, to begin");
    session.types("\r");
    session.sees("Still counting: this page is not the review yet. Signing is locked.");
    session.sees("claimed v2: the bytes to be signed");
    session.types("G");
    session.sees("CHANGED their keys: 5,200 -> 10,400");
    session.sees("[NOTE]  which clients accept it");
    session.types("SR\t");
    session.types(PHRASE);
    session.types("\r");
    // Letters of the phrase lay pages over this one.
    session.types("\x1b");
    session.sees("Working: the entries are compared and counted. Nothing to do.");
    std::fs::write(&gate, "").unwrap();
    session.sees("2,600 projects -> 5,200; 2,603 differ.");
    session.types("S");
    session.sees("Not yet: read the summary to its end");
    session.types("R");
    session.types("reject\r");
    session.sees("Finished, exit code 0");
    session.types("q");
    let end = session.end();
    let expected = "result: reject: 0 of 3 watched, 0 of 1 drawn";
    assert!(end.text().contains(expected), "{}", end.text());
}
