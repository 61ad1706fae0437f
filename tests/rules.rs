//! Rules that speak in the middle of a ceremony, or that only warn: the good way on beside the refusal. (The corpus under tests/data holds what is refused at once.)
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "hostile/case.rs"]
#[allow(dead_code, reason = "not every test program uses every helper")]
mod case;
#[path = "hostile/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use case::Twin;
use program::Answer;
use tempfile::TempDir;
use tuf_ceremony::bundle::part::Part;
use tuf_ceremony::ceremony::event::{Document, Mode, ceremony_id};
use tuf_ceremony::ceremony::script::Script;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::edit;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::value::Value;

const BEGUN: [(&str, &str); 2] = [("plan", "we agree on this plan"), ("clock", "agree")];
const REVIEWED: [(&str, &str); 2] = [
    ("review:targets-2", "sign targets v2"),
    ("review:root-2", "sign root v2"),
];

/// A renewal without tokens, as a rehearsal.
struct Renewal(TempDir);

impl Renewal {
    fn of(twin: &str) -> Self {
        let staged = Twin::read(&data(), twin).stage();
        let renewal = Self(staged);
        renewal.change("room.toml", "\"production\"", "\"rehearsal\"");
        renewal
    }
    fn change(&self, file: &str, find: &str, replace: &str) {
        let path = self.0.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(find).count(), 1, "{find}");
        fs::write(path, text.replace(find, replace)).unwrap();
    }
    /// The candidate of root as a part file of this ceremony, unsigned.
    fn bring_part(&self) {
        let read = |file: &str| fs::read(self.0.path().join(file)).unwrap();
        let old = read("in/trusted/1.root.json");
        let trusted_root = Some(Sha256::of(&old));
        let old = Envelope::parse("old", old, Limits::SMALL).unwrap();
        let script = Script::parse("script.toml", &read("script.toml")).unwrap();
        let new = edit::renew("new", &old, &script.root.unwrap().expires).unwrap();
        let marker = ("x-tuf-ceremony-rehearsal", Value::Bool(true));
        let part = Part {
            mode: Mode::Rehearsal,
            ceremony: ceremony_id(&read("script.toml"), trusted_root),
            trusted_root,
            document: Document {
                role: "root".to_owned(),
                version: 2,
            },
            supersedes: Vec::new(),
            acknowledgements: Vec::new(),
            envelope: edit::with_member("new", &new, marker.0, marker.1).unwrap(),
        };
        let path = self.0.path().join("in/parts/root-2.part.json");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, part.to_vec()).unwrap();
    }
    /// Runs it, or goes on with it.
    fn run(&self, answers: &[(&str, &str)]) -> Answer {
        let answers = answers.iter().map(|(prompt, answer)| {
            format!("[[answer]]\nprompt = \"{prompt}\"\nanswer = \"{answer}\"\n")
        });
        let text = ["schema = \"tuf-ceremony/answers/1\"\n".to_owned()]
            .into_iter()
            .chain(answers)
            .collect::<String>();
        fs::write(self.0.path().join("answers.toml"), text).unwrap();
        let arguments =
            "run script.toml --room room.toml --in in --out out --headless --answers answers.toml";
        let arguments: Vec<String> = arguments.split(' ').map(ToOwned::to_owned).collect();
        program::run(self.0.path(), &arguments)
    }
}

fn data() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// It stopped at this prompt, and nothing was refused.
fn waits_for(answer: &Answer, prompt: &str) {
    let told = answer.told();
    let line = format!("Not finished: no answer is given for the prompt {prompt}.");
    assert!(told.lines().any(|found| found == line), "{told}");
    assert!(answer.errors().is_empty() && answer.exit == 3, "{told}");
}

fn refused(answer: &Answer, line: &str) {
    assert_eq!(answer.errors(), [line], "{}", answer.told());
    assert_eq!(answer.exit, 1);
}

#[test]
fn a_rejected_candidate_is_not_signed() {
    let rejected = [BEGUN.as_slice(), &[("review:targets-2", "reject")]].concat();
    refused(
        &Renewal::of("renew").run(&rejected),
        "refused REVIEW-REJECTED: targets v2 was rejected in the review; nothing was signed",
    );
    let accepted = [BEGUN, REVIEWED].concat();
    waits_for(
        &Renewal::of("renew").run(&accepted),
        "token:sign:root-2:alice (Wanted: the token of alice, pkcs11:token=alice;serial=0001.)",
    );
}

#[test]
fn too_few_planned_signers_are_found_before_a_pin_is_asked() {
    let renewal = Renewal::of("renew");
    let bob = "[[holder]]\nname = \"bob\"\nperson = \"Bob Example\"\nroot.keyid = \"3848f5d5a1b1020bfd311454636917e928025253fc8ae0ba4c6121882ff06d05\"\n";
    renewal.change("script.toml", bob, "");
    refused(
        &renewal.run(&[BEGUN, REVIEWED].concat()),
        "refused SHADOW-THRESHOLD metadata/2.root.json: the planned signers reach 1 of the 2 signatures needed by the keys of root v1 (old)",
    );
}

#[test]
fn a_clock_behind_the_register_is_refused() {
    let register = |proven: &str| {
        format!(
            "schema = \"tuf-ceremony/holders/1\"\n[[holder]]\nname = \"alice\"\nperson = \"Alice Example\"\n[[holder.key]]\nrole = \"root\"\nkeyid = \"656a6c9422e51eeb74f79d9286a76493fe7333fd7acc8537a0983c5f806964dc\"\nstorage = \"token\"\nlast_proven = \"{proven}\"\n"
        )
    };
    let renewal = Renewal::of("renew");
    let path = renewal.0.path().join("in/holders.toml");
    fs::write(&path, register("2026-01-01")).unwrap();
    waits_for(&renewal.run(&BEGUN), "review:targets-2");

    let renewal = Renewal::of("renew");
    let path = renewal.0.path().join("in/holders.toml");
    fs::write(path, register("2126-01-01")).unwrap();
    let answer = renewal.run(&BEGUN);
    let error = &answer.errors()[0];
    assert!(
        error.starts_with("refused CLOCK-BACK holders.toml: this machine says it is ")
            && error
                .ends_with("Z, and the holder register was written on 2126-01-01: set the clock"),
        "{error}"
    );
}

#[test]
fn who_signs_alone_needs_a_document() {
    let renewal = Renewal::of("renew");
    renewal.change("room.toml", "mode = ", "task = \"sign\"\nmode = ");
    refused(
        &renewal.run(&BEGUN),
        "refused PART-MISSING parts: no part file of this ceremony lies in the input's parts/ folder",
    );

    let renewal = Renewal::of("renew");
    renewal.change("room.toml", "mode = ", "task = \"sign\"\nmode = ");
    renewal.bring_part();
    waits_for(&renewal.run(&BEGUN), "review:root-2");
}

#[test]
fn what_is_signed_after_an_interruption_was_reviewed_before_it() {
    let renewal = Renewal::of("renew");
    let reviewed = [BEGUN.as_slice(), &REVIEWED[..1]].concat();
    waits_for(&renewal.run(&reviewed), "review:root-2");
    waits_for(&renewal.run(&[]), "review:root-2");
    let other = data().join("good/renew-other-targets/in/trusted/1.targets.json");
    fs::copy(other, renewal.0.path().join("in/trusted/1.targets.json")).unwrap();
    let answer = renewal.run(&REVIEWED[1..]);
    let text = "the input's trusted/1.targets.json is not the file that was taken in when this ceremony began; carry in the same folder\n";
    assert!(answer.told().starts_with(text), "{}", answer.told());
    assert_eq!(answer.exit, 2);
}

#[test]
fn ephemeral_keys_do_not_outlive_the_program() {
    let renewal = Renewal::of("renew");
    renewal.change(
        "script.toml",
        "kind = \"renew\"",
        "kind = \"renew-ephemeral\"",
    );
    let ephemeral = "[targets]\nthreshold = 2\nkeys = \"ephemeral\"\nalgorithms = [\"ed25519\", \"ecdsa-p256\"]";
    renewal.change("script.toml", "[targets]", ephemeral);
    let path = renewal.0.path().join("script.toml");
    let script = fs::read_to_string(&path).unwrap();
    let (holders_of_root, _) = script.split_once("[[holder]]\nname = \"tina\"").unwrap();
    fs::write(path, holders_of_root).unwrap();
    waits_for(&renewal.run(&BEGUN), "review:targets-1");
    refused(
        &renewal.run(&[]),
        "refused EPHEMERAL-LOST: the ephemeral keys were in memory only and are gone; nothing they signed left this machine: start again with an empty output folder",
    );
}

#[test]
fn a_candidate_waits_while_the_abandoned_one_reaches_a_threshold() {
    let held = "  warning PUBLISH-HOLD: 2 holders have signed the other root v2, which is its threshold: do not publish the new one until every copy of the other is accounted for\n";
    for (signed_by, warned) in [("\"alice\", \"bob\"", true), ("\"alice\"", false)] {
        let renewal = Renewal::of("renew");
        let payload = "0c".repeat(32);
        let supersedes = format!(
            "[[supersedes]]\nrole = \"root\"\nversion = 2\nsha256 = \"{payload}\"\nsigned_by = [{signed_by}]\n\n[root]\n"
        );
        renewal.change("script.toml", "[root]\n", &supersedes);
        let supersede = (
            format!("supersede:{payload}"),
            "give up the other root v2".to_owned(),
        );
        let answers = [BEGUN.as_slice(), &[(&*supersede.0, &*supersede.1)]].concat();
        let answer = renewal.run(&answers);
        waits_for(&answer, "review:targets-2");
        assert_eq!(answer.told().contains(held), warned, "{}", answer.told());
    }
}

#[test]
fn an_expired_trusted_root_is_a_warning_and_can_be_renewed() {
    let warning = "  warning TRUSTED-EXPIRED: root v1 expired on 2026-01-01T00:00:00Z; clients refuse it until a new version is published\n";
    for (twin, warned) in [("renew-expired", true), ("renew", false)] {
        let answer = Renewal::of(twin).run(&[BEGUN, REVIEWED].concat());
        waits_for(
            &answer,
            "token:sign:root-2:alice (Wanted: the token of alice, pkcs11:token=alice;serial=0001.)",
        );
        assert_eq!(answer.told().contains(warning), warned, "{}", answer.told());
    }
}

#[test]
fn clients_that_refuse_a_file_are_named() {
    let twin = Twin::read(&data(), "chain");
    let told = program::run(twin.stage().path(), &twin.arguments()).told();
    let note = "note COMPATIBILITY 2.root.json: rust-tuf 0.3.0-beta14 will not accept it: spec_version \"1.0.31\" is neither 1.0 nor 1.0.0.\n";
    assert!(told.contains(note), "{told}");
    let client = |name: &str| told.contains(&format!("COMPATIBILITY 2.root.json: {name}"));
    assert!(!client("python-tuf") && !client("tough"), "{told}");
}

#[test]
fn what_loss_and_theft_would_mean_is_told_at_genesis_and_not_at_a_renewal() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "rehearse",
        "genesis",
        "--software",
        "--headless",
        "--out",
        "out",
    ];
    let told = program::run(folder.path(), &arguments.map(ToOwned::to_owned)).told();
    let note = "  note QUORUM-MARGIN: root: 3 of 5 keys of 5 persons must sign; after the loss of any one person it still signs, after the loss of any two it still signs; a thief of any one has at most 1 of the 3 keys needed\n";
    assert!(told.contains(note), "{told}");
    let told = Renewal::of("renew").run(&BEGUN).told();
    assert!(!told.contains("QUORUM-MARGIN"), "{told}");
}
