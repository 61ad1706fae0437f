//! Many documents, one review, one login: what the record says when anything breaks in between, and that every signature comes once.

use std::collections::BTreeMap;
use std::time::Duration;

use tuf_ceremony::ceremony::candidate::Candidate;
use tuf_ceremony::ceremony::event::{Document, Event};
use tuf_ceremony::ceremony::kinds::{KINDS, Kind};
use tuf_ceremony::ceremony::material::Material;
use tuf_ceremony::ceremony::plan::Step;
use tuf_ceremony::ceremony::planning;
use tuf_ceremony::ceremony::port::{PinPolicy, Stop, TokenFault, TokenKey, TouchPolicy};
use tuf_ceremony::ceremony::progress::Status;
use tuf_ceremony::ceremony::runner::Halt;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::finding::Finding;
use tuf_ceremony::tuf::json::Limits;

use super::calls::faults;
use super::record::Entry;
use super::stand::{HOLDERS, Stand, genesis};
use super::world::Fault;

/// Documents beside targets that are signed with its keys.
const MORE: usize = 6;
const EACH: usize = MORE + 1;

fn plain() -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == "genesis").unwrap()
}

fn build(material: &Material<'_>) -> Result<Vec<Candidate>, Finding> {
    let mut candidates = (plain().build)(material)?;
    let first = candidates.iter().find(|one| one.document.role == "targets");
    let thresholds = first.unwrap().thresholds.clone();
    for number in 0..MORE {
        let text = format!(
            r#"{{"signatures":[],"signed":{{"_type":"targets","delegations":{{"keys":{{}},"roles":[]}},"expires":"2027-08-03T00:00:00Z","spec_version":"1.0.31","targets":{{}},"version":1,"x-number":{number},"x-tuf-ceremony-rehearsal":true}}}}"#
        );
        candidates.push(Candidate {
            document: shard(number),
            envelope: Envelope::parse("shard", text.into_bytes(), Limits::SMALL)?,
            old: None,
            thresholds: thresholds.clone(),
        });
    }
    Ok(candidates)
}

fn shard(number: usize) -> Document {
    Document {
        role: format!("claimed-a{number}"),
        version: 1,
    }
}

/// A genesis whose targets is signed in one go with more documents.
fn batched() -> Stand {
    let plain = plain();
    let kind = Kind {
        name: plain.name,
        about: plain.about,
        check: plain.check,
        documents: plain.documents,
        steps: |script, trusted, documents| {
            planning::batched((plain_steps())(script, trusted, documents), "targets")
        },
        build,
        prove: plain.prove,
        publish: plain.publish,
        outputs: plain.outputs,
    };
    let mut stand = Stand::new(genesis());
    stand.kind = Box::leak(Box::new(kind));
    stand.planned = planning::plan(stand.kind, &stand.script, &stand.trusted, stand.ceremony);
    stand
}

fn plain_steps() -> fn(
    &tuf_ceremony::ceremony::script::Script,
    &tuf_ceremony::ceremony::intake::Trusted,
    &[Document],
) -> Vec<Step> {
    plain().steps
}

fn finished() -> Stand {
    let mut stand = batched();
    stand.run(&mut stand.people()).unwrap();
    check(&stand);
    stand
}

/// What holds of a finished ceremony, however often it was interrupted: everything is signed by everybody, each once, and only while the token was asked.
fn check(stand: &Stand) {
    stand.check_finished();
    let mut counts = BTreeMap::new();
    for (document, keyid, _) in stand.signatures() {
        *counts.entry((document, keyid)).or_insert(0) += 1;
    }
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    let of_batch = counts
        .keys()
        .filter(|(document, _)| document.role.starts_with("claimed-"));
    assert_eq!(of_batch.count(), MORE * HOLDERS.len());
    let mut asked = false;
    for entry in stand.log.entries() {
        match entry {
            Entry::Recorded(Event::BatchIntended(_)) => asked = true,
            Entry::Recorded(Event::BatchEnded(_) | Event::BatchDecided { .. }) => asked = false,
            Entry::Call {
                method: "sign_each",
                ..
            } => assert!(asked, "a token is asked without an intent on record"),
            _ => {}
        }
    }
}

fn ended(stand: &Stand) -> Vec<(String, usize, Option<String>)> {
    let ended = stand
        .log
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::BatchEnded(ended) => Some((ended.signer.holder, ended.signed, ended.stopped)),
            _ => None,
        });
    ended.collect()
}

#[test]
fn a_batch_is_reviewed_once_and_each_holder_logs_in_once() {
    let stand = finished();
    let asked = stand.log.entries();
    let asked = |id: &str| {
        let same = |entry: &&Entry| matches!(entry, Entry::Asked(known) if known == id);
        asked.iter().filter(same).count()
    };
    assert_eq!(asked("review:batch"), 1);
    assert_eq!(asked("review:targets-1"), 0);
    for holder in HOLDERS {
        assert_eq!(asked(&format!("token:sign-batch:{holder}")), 1);
    }
    let whole = HOLDERS.map(|holder| (holder.to_owned(), EACH, None));
    assert_eq!(ended(&stand), whole);
    assert_eq!(stand.log.calls("sign_each").len(), EACH * HOLDERS.len());
    // Once for each of root, bins and the batch, and not once for each document.
    assert_eq!(stand.log.calls("register").len(), 3 * HOLDERS.len());
    let progress = stand.progress();
    assert_eq!(progress.batch().count(), EACH);
    assert_eq!(progress.asked(), None);
}

#[test]
fn what_the_review_of_a_batch_shows_is_what_is_signed() {
    let mut stand = batched();
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    let told: Vec<_> = people.reviewed.iter().map(|row| row.text.clone()).collect();
    let has = |text: &str| {
        assert!(
            told.iter().any(|row| row.contains(text)),
            "{text}: {told:#?}"
        );
    };
    has("7 documents: the bytes to be signed");
    has("6 end on 2027-08-03T00:00:00Z");
    has("x-number");
    let batch = stand.progress().batch_digest();
    has(&format!("SHA-256 of the batch {batch}"));
    let reviewed = |event: &Event| matches!(event, Event::BatchReviewed(known) if known.batch == batch && known.documents == EACH);
    assert_eq!(stand.log.count(reviewed), 1);
}

/// Runs with one call broken, then on without it until it finishes; how often it halted.
fn break_one(index: usize, fault: Fault, takes: Duration) -> usize {
    let mut stand = batched();
    stand.world.breaks = Some((index, fault));
    stand.world.takes = takes;
    let mut halts = 0;
    while let Err(halt) = stand.run(&mut stand.people()) {
        assert!(
            !matches!(halt, Halt::Illegal(_)),
            "call {index} {fault:?}: {halt}"
        );
        halts += 1;
        assert!(halts < 3, "call {index} {fault:?}: {halt}");
    }
    check(&stand);
    let unknown = matches!(fault, Fault::Unknown | Fault::Unanswered);
    let decided = stand
        .log
        .count(|event| matches!(event, Event::BatchDecided { .. }));
    let signing = stand.log.breakable()[index] == "sign_each";
    assert_eq!(
        decided,
        usize::from(unknown && signing),
        "call {index} {fault:?}"
    );
    halts
}

#[test]
fn whichever_call_of_a_batch_breaks_nothing_on_record_is_lost_or_asked_for_again() {
    let good = finished();
    let calls = good.log.breakable();
    let first = calls
        .iter()
        .position(|method| *method == "sign_each")
        .unwrap();
    let last = calls
        .iter()
        .rposition(|method| *method == "sign_each")
        .unwrap();
    let mut halted = 0;
    for (index, method) in calls.iter().enumerate().take(last + 1).skip(first - 8) {
        let faults = match *method {
            "sign_each" => faults("sign"),
            method => faults(method),
        };
        for fault in faults {
            // In groups of three, or all at the end.
            halted += break_one(index, fault, Duration::from_millis(10));
            if *method == "sign_each" {
                halted += break_one(index, fault, Duration::ZERO);
            }
        }
    }
    assert!(halted > 0);
}

#[test]
fn nothing_follows_an_event_of_a_batch_that_is_not_on_record_and_it_resumes() {
    for takes in [Duration::ZERO, Duration::from_millis(10)] {
        let good = finished().log.events();
        let first = good
            .iter()
            .position(|event| matches!(event, Event::BatchReviewed(_)));
        let end = good
            .iter()
            .rposition(|event| matches!(event, Event::BatchEnded(_)));
        for index in first.unwrap()..=end.unwrap() {
            let mut stand = batched();
            stand.world.takes = takes;
            stand.tape.fails_at = Some(index);
            let halt = stand.run(&mut stand.people()).unwrap_err();
            assert!(matches!(halt, Halt::World(_)), "event {index}: {halt}");
            let entries = stand.log.entries();
            let lost = entries
                .iter()
                .position(|entry| matches!(entry, Entry::Lost));
            let calls = entries[lost.unwrap() + 1..].iter().filter(|entry| {
                !matches!(
                    entry,
                    Entry::Call {
                        method: "logout" | "destroy_ephemeral",
                        ..
                    }
                )
            });
            assert_eq!(calls.count(), 0, "event {index}");
            stand.run(&mut stand.people()).unwrap();
            check(&stand);
        }
    }
}

#[test]
fn signatures_go_on_record_in_groups_of_the_tokens_time() {
    let mut stand = batched();
    stand.world.takes = Duration::from_millis(10);
    stand.run(&mut stand.people()).unwrap();
    check(&stand);
    // Three at a time, the last alone: between two groups the token is called.
    let mut groups = vec![0];
    let mut asked = false;
    for entry in stand.log.entries() {
        match entry {
            Entry::Recorded(Event::BatchIntended(intended)) => {
                asked = intended.signer.holder == "alice";
            }
            Entry::Recorded(Event::Signed { .. }) if asked => *groups.last_mut().unwrap() += 1,
            Entry::Call {
                method: "sign_each",
                ..
            } if asked && groups.last() != Some(&0) => groups.push(0),
            Entry::Recorded(Event::BatchEnded(_)) => asked = false,
            _ => {}
        }
    }
    assert_eq!(groups, [3, 3, 1]);
}

#[test]
fn a_person_stops_between_two_signatures_and_what_was_signed_is_kept() {
    let mut stand = batched();
    stand.world.takes = Duration::from_millis(60);
    let mut people = stand.people();
    people.wants_stop_after = Some(3);
    let halt = stand.run(&mut people).unwrap_err();
    assert!(matches!(halt, Halt::Stopped(Stop::Paused)), "{halt}");
    assert_eq!(stand.progress().status(), Status::Paused);
    let stopped = "stopped by a person".to_owned();
    assert_eq!(ended(&stand), [("alice".to_owned(), 3, Some(stopped))]);
    let before = stand.log.calls("sign_each").len();
    assert_eq!(before, 3);
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check(&stand);
    let told = &people.told["token:sign-batch:alice"];
    assert!(
        told.contains("3 of its 7 signatures are on record"),
        "{told}"
    );
    assert_eq!(stand.log.calls("sign_each").len(), EACH * HOLDERS.len());
}

#[test]
fn a_token_that_may_have_signed_more_is_asked_again_by_one_typed_decision() {
    let calls = finished().log.breakable();
    let first = calls
        .iter()
        .position(|method| *method == "sign_each")
        .unwrap();
    let mut stand = batched();
    stand.world.takes = Duration::from_millis(60);
    stand.world.breaks = Some((first + 2, Fault::Unanswered));
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check(&stand);
    let told = &people.told["intent:batch:alice"];
    assert!(told.contains("5 signatures are missing"), "{told}");
    let whole: Vec<_> = ended(&stand);
    assert_eq!(
        whole[0],
        ("alice".to_owned(), 5, None),
        "those that were missing"
    );
}

#[test]
fn a_signature_that_does_not_verify_ends_the_group_before_it() {
    let mut stand = batched();
    stand.world.signs = Some(|module, token, key, bytes| {
        use tuf_ceremony::token::Module as _;
        let mut sig = module.sign(token, key, bytes).unwrap();
        let lies = bytes.windows(12).any(|text| text == b"\"x-number\":2");
        sig[7] ^= u8::from(lies);
        sig
    });
    let mut people = stand.people();
    people.try_again = false;
    stand.run(&mut people).unwrap_err();
    let [(holder, signed, Some(stopped))] = &ended(&stand)[..] else {
        panic!("{:?}", ended(&stand));
    };
    assert_eq!(
        (holder.as_str(), *signed),
        ("alice", 3),
        "targets and two more"
    );
    assert!(
        stopped.starts_with(
            "sign claimed-a2 v1 for alice: the token returned a signature that does not verify"
        ),
        "{stopped}"
    );
    stand.world.signs = None;
    stand.run(&mut stand.people()).unwrap();
    check(&stand);
}

/// A key that wants this for each signature, on every token.
fn wanting(pin: PinPolicy, touch: TouchPolicy) -> Stand {
    let mut stand = batched();
    stand.world.shown = Some(Box::new(move |mut key: TokenKey| {
        key.usage.pin = pin;
        key.usage.touch = touch;
        key
    }));
    stand
}

#[test]
fn a_key_that_wants_a_touch_for_each_is_warned_about_before_the_first() {
    let mut stand = wanting(PinPolicy::Once, TouchPolicy::Always);
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check(&stand);
    let told = &people.told["batch-attention:alice"];
    assert!(
        told.contains("wants a touch for each signature, and 7 are due: about a minute"),
        "{told}"
    );
    let entries = stand.log.entries();
    let asked = |entry: &Entry| matches!(entry, Entry::Asked(id) if id == "batch-attention:alice");
    let intended = |entry: &Entry| matches!(entry, Entry::Recorded(Event::BatchIntended(_)));
    let asked = entries.iter().position(asked).unwrap();
    let intended = entries.iter().position(intended).unwrap();
    assert!(asked < intended);
    let touches = entries[intended..]
        .iter()
        .take_while(|entry| !matches!(entry, Entry::Recorded(Event::BatchEnded(_))));
    let told = touches
        .filter(|entry| matches!(entry, Entry::Told(text) if text.starts_with("Touch the key")));
    assert_eq!(told.count(), EACH);
}

#[test]
fn whoever_does_not_type_the_number_of_touches_signs_nothing() {
    let mut stand = wanting(PinPolicy::Once, TouchPolicy::Always);
    let mut people = stand.people();
    people.stop_at = Some("batch-attention:alice");
    stand.run(&mut people).unwrap_err();
    assert_eq!(stand.log.calls("sign_each").len(), 0);
    assert_eq!(
        stand
            .log
            .count(|event| matches!(event, Event::BatchIntended(_))),
        0
    );
}

#[test]
fn a_key_that_wants_no_touch_is_not_warned_about() {
    let mut stand = wanting(PinPolicy::Once, TouchPolicy::Cached);
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check(&stand);
    assert!(!people.told.contains_key("batch-attention:alice"));
}

#[test]
fn a_key_that_wants_its_pin_for_each_is_given_it_for_each() {
    let mut stand = wanting(PinPolicy::Always, TouchPolicy::Never);
    stand.world.pin_each = true;
    let mut people = stand.people();
    stand.run(&mut people).unwrap();
    check(&stand);
    let told = &people.told["batch-attention:alice"];
    assert!(
        told.contains("wants its PIN for each signature, and 7 are due: about 2 minutes"),
        "{told}"
    );
    let first = ended(&stand).into_iter().take(EACH);
    let signed: Vec<_> = first.map(|(_, signed, _)| signed).collect();
    assert_eq!(signed, [1; EACH]);
    assert_eq!(TokenFault::NotLoggedIn, stand.world.last_fault.unwrap());
}

#[test]
fn another_payload_of_one_document_in_the_register_stops_the_whole_batch() {
    let mut stand = batched();
    let other = tuf_ceremony::tuf::digest::Sha256::of(b"another");
    let register = stand.world.registers.get_mut("bob").unwrap();
    register.push((shard(4), other));
    let halt = stand.run(&mut stand.people()).unwrap_err();
    let Halt::Refused(findings) = halt else {
        panic!("{halt}")
    };
    assert_eq!(findings[0].rule, "ONE-PAYLOAD");
    assert!(
        findings[0]
            .text
            .starts_with("bob has signed another claimed-a4 v1 before"),
        "{}",
        findings[0].text
    );
    let by_bob = |event: &Event| matches!(event, Event::BatchIntended(known) if known.signer.holder == "bob");
    assert_eq!(stand.log.count(by_bob), 0);
}
