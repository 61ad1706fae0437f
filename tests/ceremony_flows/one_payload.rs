//! One payload per version: a second one is signed, merged or published only after the first was given up by name.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::GENESIS;
use crate::support::ceremony::Ceremony;
use crate::support::record;
use crate::support::scripts::{example, renew_root, superseding};
use crate::support::stage::{Outcome, Stage, outcome};

const PART: &str = "parts/root-2.part.json";

/// Root v2 as a script makes it that expires in so many days, with these holders here.
fn renewal<'s>(stage: &'s Stage, name: &str, days: i64, here: &[&str]) -> Ceremony<'s> {
    let genesis = stage.bundle("genesis");
    stage
        .ceremony(name, renew_root(&genesis, days))
        .after(&genesis)
        .here(here)
}

fn payload(part: &Path) -> String {
    let part: Value = serde_json::from_slice(&fs::read(part).unwrap()).unwrap();
    part["payload"].as_str().unwrap().to_owned()
}

/// Alice has signed a first root v2 that nobody finished; gives the part file and its payload.
fn first_candidate(stage: &Stage) -> (PathBuf, String) {
    let first = renewal(stage, "first", 370, &["alice"]);
    assert_eq!(first.run().code, 3);
    let part = first.output().join(PART);
    let payload = payload(&part);
    (part, payload)
}

/// The second root v2, which gives the first one up by name.
fn second<'s>(stage: &'s Stage, given_up: &str, signed_by: &[&str], here: &[&str]) -> Ceremony<'s> {
    let mut second = renewal(stage, "second", 371, here);
    second.script = superseding(&second.script, 2, given_up, signed_by);
    second.answer(
        &format!("supersede:{given_up}"),
        "give up the other root v2",
    )
}

#[test]
fn a_second_payload_of_a_version_is_signed_only_by_a_script_that_supersedes_the_first_by_name() {
    let stage = GENESIS.copy();
    let (_, given_up) = first_candidate(&stage);
    let unnamed = renewal(&stage, "unnamed", 371, &["alice"]);
    let outcome = unnamed.run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("refused ONE-PAYLOAD"), "{outcome:?}");
    assert!(outcome.err.contains(&given_up), "{outcome:?}");
    assert_eq!(record::signatures(&unnamed.output()).len(), 0);

    let named = second(&stage, &given_up, &["alice"], &["alice"]);
    let outcome = named.run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.err.contains("3 needed, 1 signed"), "{outcome:?}");
    assert_eq!(record::signatures(&named.output()).len(), 1);
}

#[test]
fn the_same_payload_may_be_signed_again() {
    let stage = GENESIS.copy();
    first_candidate(&stage);
    let again = renewal(&stage, "again", 370, &["alice"]);
    let outcome = again.run();
    assert!(outcome.err.contains("3 needed, 1 signed"), "{outcome:?}");
}

#[test]
fn without_a_register_the_holder_types_that_he_signed_no_other_and_it_travels_with_the_part() {
    let stage = GENESIS.copy();
    let mut ceremony = renewal(&stage, "first", 370, &["alice"]);
    ceremony.registers = false;
    let unasked = ceremony.run();
    assert!(unasked.err.contains("register:root-2:alice"), "{unasked:?}");
    assert_eq!(record::signatures(&ceremony.output()).len(), 0);
    let ceremony = ceremony.answer("register:root-2:alice", "I have signed no other root v2");
    assert_eq!(ceremony.run().code, 3);
    let part = fs::read(ceremony.output().join(PART)).unwrap();
    let part: Value = serde_json::from_slice(&part).unwrap();
    let word = serde_json::json!([{ "holder": "alice", "register": false }]);
    assert_eq!(part["acknowledgements"], word);
}

fn merge(stage: &Stage, files: &[&Path]) -> (Outcome, PathBuf) {
    let out = stage.path("merged.part.json");
    let mut command = stage.program();
    command.args(["merge", "--trusted-root"]);
    command.arg(stage.bundle("genesis").join("metadata/1.root.json"));
    command.arg("--out").arg(&out).args(files);
    (outcome(command.output().unwrap()), out)
}

#[test]
fn two_candidates_of_one_version_cannot_be_merged() {
    let stage = GENESIS.copy();
    let (first, _) = first_candidate(&stage);
    let other = renewal(&stage, "other", 371, &["bob"]);
    assert_eq!(other.run().code, 3);
    let other = other.output().join(PART);
    let (outcome, out) = merge(&stage, &[&first, &other]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("error PART-FOREIGN"), "{outcome:?}");
    assert!(!out.exists());

    // Even if it lies about the ceremony it belongs to.
    let read = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let mut lying = read(&other);
    lying["ceremony"] = read(&first)["ceremony"].clone();
    let path = stage.path("lying.part.json");
    fs::write(&path, serde_json::to_vec(&lying).unwrap()).unwrap();
    let (outcome, out) = merge(&stage, &[&first, &path]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("error ONE-PAYLOAD"), "{outcome:?}");
    assert!(!out.exists());
}

#[test]
fn a_part_of_the_other_candidate_is_not_taken_in() {
    let stage = GENESIS.copy();
    let (first, _) = first_candidate(&stage);
    let other = renewal(&stage, "other", 371, &[]).carry_in(&first, PART);
    let outcome = other.run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("PART-FOREIGN"), "{outcome:?}");
}

/// A ceremony gives the payload up; gives its record.
fn abandoned(stage: &Stage, payload: &str) -> PathBuf {
    let genesis = stage.bundle("genesis");
    let script = example("abort", Some(&genesis)).replace(&"0".repeat(64), payload);
    let abort = stage.ceremony("abort", script).after(&genesis);
    let abort = abort
        .answer(&format!("abandon:{payload}"), "give up root v2")
        .finish();
    abort.join("ceremony/abandoned.json")
}

#[test]
fn a_part_that_the_script_does_not_make_is_not_signed_elsewhere() {
    let stage = GENESIS.copy();
    let (first, _) = first_candidate(&stage);
    let main = renewal(&stage, "other", 380, &["carol"]);
    assert_eq!(main.run().code, 3);
    let read = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let mut lying = read(&main.output().join(PART));
    lying["ceremony"] = read(&first)["ceremony"].clone();
    let path = stage.path("lying.part.json");
    fs::write(&path, serde_json::to_vec(&lying).unwrap()).unwrap();

    let mut elsewhere = renewal(&stage, "elsewhere", 370, &["bob"]);
    elsewhere.task = "sign";
    let outcome = elsewhere.carry_in(&path, PART).run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("refused PART-SCRIPT"), "{outcome:?}");
}

#[test]
fn an_abandoned_payload_is_refused_by_sign_and_by_merge() {
    let stage = GENESIS.copy();
    let (part, payload) = first_candidate(&stage);
    let record = abandoned(&stage, &payload);
    let (outcome, out) = merge(&stage, &[&part, &record]);
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("ABANDONED"), "{outcome:?}");
    assert!(!out.exists());

    let mut elsewhere = renewal(&stage, "elsewhere", 370, &["bob"]);
    elsewhere.task = "sign";
    let elsewhere = elsewhere
        .carry_in(&part, PART)
        .carry_in(&record, "abandoned/root-2.json");
    let outcome = elsewhere.run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("refused ABANDONED"), "{outcome:?}");

    let again = renewal(&stage, "again", 370, &["bob"]).carry_in(&record, "abandoned/root-2.json");
    let outcome = again.run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("refused ABANDONED"), "{outcome:?}");
}

#[test]
fn an_abandoned_payload_is_refused_by_verify() {
    let stage = GENESIS.copy();
    let finished = renewal(&stage, "finished", 370, &["alice", "bob", "carol"]).finish();
    let root = stage.bundle("genesis").join("metadata/1.root.json");
    let (code, report) = stage.verify(&root, &finished);
    assert_eq!(code, 0, "{report:#}");
    let built = record::transcript(&finished).progress().documents()[0].payload;
    let abort = abandoned(&stage, &built.to_string());
    let abort = abort.parent().unwrap().parent().unwrap();
    let mut command = stage.program();
    command
        .args(["verify", "--rehearsal", "--trusted-root"])
        .arg(root);
    let outcome = outcome(command.arg(&finished).arg(abort).output().unwrap());
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.out.contains("error ABANDONED"), "{outcome:?}");
}

#[test]
fn publishing_is_held_when_the_abandoned_signatures_reach_the_old_threshold() {
    for (signed_by, held) in [
        (&["alice", "bob"][..], false),
        (&["alice", "bob", "carol"], true),
    ] {
        let stage = GENESIS.copy();
        let (_, given_up) = first_candidate(&stage);
        let bundle = second(&stage, &given_up, signed_by, &["alice", "bob", "carol"]).finish();
        let warned = record::rules(&bundle).contains(&"PUBLISH-HOLD".to_owned());
        assert_eq!(warned, held, "signed by {signed_by:?}");
        let actions = fs::read(bundle.join("online/online-actions.json")).unwrap();
        let actions: Value = serde_json::from_slice(&actions).unwrap();
        assert_eq!(
            actions["holds"].as_array().unwrap().len(),
            usize::from(held)
        );
    }
}
