//! Killed at any point, the same command finishes; nothing is lost, nothing is signed twice unasked, nothing is half written.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tuf_ceremony::bundle::manifest::Manifest;
use tuf_ceremony::ceremony::event::Event;

use crate::support::ceremony::Ceremony;
use crate::support::record;
use crate::support::scripts::{example, renew_root};
use crate::support::stage::{PIN, Stage, pin};
use crate::{GENESIS, python_accepts};

const TRANSCRIPT: &str = "transcript.jsonl";

fn admin_key(stage: &Stage) -> Ceremony<'_> {
    let genesis = stage.bundle("genesis");
    let script = example("admin-key", Some(&genesis));
    stage.ceremony("admin-key", script).after(&genesis)
}

/// The command, killed when it is about to sync for the `nth` time; `false`: it came to its end before.
fn killed_at_sync(ceremony: &Ceremony<'_>, nth: usize) -> bool {
    let mut command = ceremony.command_with(&format!("signal=SIGKILL:when={nth}"));
    let output = command.output();
    let output = output.expect("strace starts (Debian: apt-get install strace)");
    !output.status.success()
}

/// Finishes a killed ceremony with the same command; people answer what only an interrupted one asks.
fn resumed(ceremony: &Ceremony<'_>) -> std::path::PathBuf {
    let mut ceremony = ceremony.clone();
    for holder in ["alice", "bob", "carol", "dave", "erin", "frank"] {
        ceremony = ceremony
            .answer(&format!("intent:root-2:{holder}"), "ask the token again")
            .answer(&format!("adopt:root-key:{holder}"), "use");
    }
    ceremony.finish()
}

/// Every signature by a key here is on record once, and an intent more than the signatures was decided by a person.
fn signed_once_each(bundle: &Path) {
    let signatures = record::signatures(bundle);
    let distinct: BTreeSet<_> = signatures.iter().collect();
    assert_eq!(distinct.len(), signatures.len(), "{signatures:#?}");
    let count =
        |what: fn(&Event) -> bool| record::events(bundle).iter().filter(|e| what(e)).count();
    let intents = count(|event| matches!(event, Event::SigningIntended { .. }));
    let decided = count(|event| matches!(event, Event::IntentDecided { .. }));
    assert_eq!(intents, signatures.len() + decided);
}

/// The bundle holds what its manifest lists, the manifest and the transcript, and nothing else.
fn nothing_half_written(bundle: &Path) {
    let files = tuf_ceremony::bundle::files::read_folder(bundle).unwrap();
    let manifest = files
        .iter()
        .find(|file| file.path == "manifest.json")
        .unwrap();
    let manifest = Manifest::parse("manifest.json", &manifest.bytes).unwrap();
    assert_eq!(files.len(), manifest.files.len() + 2);
    for file in &manifest.files {
        let found = files.iter().find(|found| found.path == file.path).unwrap();
        assert_eq!(
            tuf_ceremony::bundle::files::digest(&file.path, &found.bytes),
            *file
        );
    }
}

#[test]
fn killed_at_any_sync_the_same_command_finishes_and_no_signature_is_lost_or_made_twice() {
    let mut cut = 0;
    for nth in (1..).step_by(9) {
        let stage = GENESIS.copy();
        let ceremony = admin_key(&stage);
        if !killed_at_sync(&ceremony, nth) {
            break;
        }
        cut += 1;
        let before = fs::read(ceremony.output().join(TRANSCRIPT)).unwrap_or_default();
        let bundle = resumed(&ceremony);
        let after = fs::read(bundle.join(TRANSCRIPT)).unwrap();
        assert!(
            after.starts_with(&before),
            "what was on record stays, killed at sync {nth}"
        );
        signed_once_each(&bundle);
        nothing_half_written(&bundle);
        let root = stage.bundle("genesis").join("metadata/1.root.json");
        let (code, report) = stage.verify(&root, &bundle);
        assert_eq!(code, 0, "killed at sync {nth}: {report:#}");
        assert_eq!(
            report["roots"][1]["new"]["signed"], 5,
            "killed at sync {nth}"
        );
    }
    assert!(cut >= 10, "only {cut} points");
}

/// Starts the command with PINs that stop coming before the last login, kills it there, and gives its transcript.
fn killed_at_pin(ceremony: &Ceremony<'_>, pins: &str, signatures: usize) {
    let mut child = ceremony
        .command()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(pins.as_bytes()).unwrap();
    let start = Instant::now();
    let signed = || {
        let text = fs::read_to_string(ceremony.output().join(TRANSCRIPT)).unwrap_or_default();
        text.matches("\"event\":\"signed\"").count() == signatures
            && text.contains("token:sign:root-2:carol")
    };
    while !signed() {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "it never came to the PIN"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn killed_while_a_pin_is_awaited_only_the_missing_holders_are_asked_again() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = renew_root(&genesis, 370);
    let ceremony = stage.ceremony("renew-root", script).after(&genesis);
    killed_at_pin(&ceremony, &(pin("alice", PIN) + &pin("bob", PIN)), 2);
    let before = record::signatures(&ceremony.output());
    assert_eq!(before.len(), 2);
    assert_eq!(
        ceremony.right_pins().lines().count(),
        3,
        "carol, dave and erin are left"
    );
    let bundle = ceremony.finish();
    let after = record::signatures(&bundle);
    assert_eq!(after[..2], before[..]);
    assert_eq!(after.len(), 5);
    python_accepts(&genesis.join("metadata/1.root.json"), &bundle, 2);
}

/// Cuts the transcript after the last event of this name, as a crash right then would leave it.
fn cut_after(bundle: &Path, event: &str) {
    let path = bundle.join(TRANSCRIPT);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let name = format!("\"event\":{{\"event\":\"{event}\"");
    let last = lines.iter().rposition(|line| line.contains(&name)).unwrap();
    fs::write(path, lines[..=last].join("\n") + "\n").unwrap();
}

#[test]
fn an_intent_without_a_result_asks_a_person_before_the_token_is_asked_again() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = renew_root(&genesis, 370);
    let ceremony = stage
        .ceremony("renew-root", script)
        .after(&genesis)
        .here(&["alice"]);
    assert_eq!(ceremony.run().code, 3);
    cut_after(&ceremony.output(), "signing-intended");

    let unasked = ceremony.run();
    assert_eq!(unasked.code, 3, "{unasked:?}");
    assert!(unasked.err.contains("intent:root-2:alice"), "{unasked:?}");
    assert_eq!(record::signatures(&ceremony.output()).len(), 0);

    let ceremony = ceremony.answer("intent:root-2:alice", "ask the token again");
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.err.contains("3 needed, 1 signed"), "{outcome:?}");
    signed_once_each(&ceremony.output());
}

#[test]
fn a_line_that_a_crash_left_half_written_is_cut_off_and_happens_again() {
    let stage = GENESIS.copy();
    let ceremony = admin_key(&stage);
    assert!(killed_at_sync(&ceremony, 60));
    let path = ceremony.output().join(TRANSCRIPT);
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() - 7]).unwrap();
    nothing_half_written(&resumed(&ceremony));
}

#[test]
fn ephemeral_keys_that_were_lost_before_they_had_signed_end_the_ceremony() {
    let stage = GENESIS.copy();
    let script = example("genesis-ephemeral", None);
    // The tokens have keys of the same names from the ceremony before; the registers belong to another repository.
    let mut ceremony = stage.ceremony("ephemeral", script.as_str());
    ceremony.registers = false;
    for holder in ["alice", "bob", "carol", "dave", "erin"] {
        ceremony = ceremony
            .answer(&format!("adopt:root-key:{holder}"), "use")
            .answer(
                &format!("register:root-1:{holder}"),
                "I have signed no other root v1",
            );
    }
    let bundle = ceremony.finish();
    cut_after(&bundle, "shadow-passed");
    let outcome = ceremony.pins("").run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.err.contains("refused EPHEMERAL-LOST"),
        "{outcome:?}"
    );
}

#[test]
fn a_second_program_on_the_same_output_is_refused() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = renew_root(&genesis, 370);
    let ceremony = stage
        .ceremony("renew-root", script)
        .after(&genesis)
        .here(&["alice"]);
    let mut first = ceremony.command();
    first
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut first = first.spawn().unwrap();
    let start = Instant::now();
    let path = ceremony.output().join(TRANSCRIPT);
    while !fs::read_to_string(&path)
        .unwrap_or_default()
        .contains("register-checked")
    {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "it never came to the PIN"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = ceremony.run();
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.code, 5, "{second:?}");
    assert!(
        second.err.contains("in use by another program"),
        "{second:?}"
    );
    let outcome = ceremony.run();
    assert!(outcome.err.contains("3 needed, 1 signed"), "{outcome:?}");
}

#[test]
fn a_closed_ceremony_does_nothing_more_and_says_so() {
    let stage = GENESIS.copy();
    let ceremony = stage.ceremony("genesis", example("genesis-458", None));
    let before = fs::read(ceremony.output().join(TRANSCRIPT)).unwrap();
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome
            .out
            .contains("This ceremony was finished before; nothing was done."),
        "{outcome:?}"
    );
    assert_eq!(
        fs::read(ceremony.output().join(TRANSCRIPT)).unwrap(),
        before
    );
}

#[test]
fn another_script_mode_or_input_does_not_resume_a_ceremony() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = renew_root(&genesis, 370);
    let ceremony = stage
        .ceremony("renew-root", script.as_str())
        .after(&genesis)
        .here(&["alice"]);
    assert_eq!(ceremony.run().code, 3);
    let before = fs::read(ceremony.output().join(TRANSCRIPT)).unwrap();

    let mut other = ceremony.clone();
    other.script = script.replace("Root renewed", "Another root renewed");
    let mut production = ceremony.clone();
    production.mode = "production";
    production.modules.clear();
    production.here.clear();
    let refusals = [
        ("script", other.run(), "transcript of another ceremony"),
        ("mode", production.run(), "REHEARSAL-MARKER"),
        (
            "input",
            changed_register(&ceremony).run(),
            "is not the file that was taken in",
        ),
    ];
    for (what, outcome, text) in refusals {
        assert!([1, 2].contains(&outcome.code), "{what}: {outcome:?}");
        assert!(outcome.err.contains(text), "{what}: {outcome:?}");
    }
    assert_eq!(
        fs::read(ceremony.output().join(TRANSCRIPT)).unwrap(),
        before
    );
}

fn changed_register<'s>(ceremony: &Ceremony<'s>) -> Ceremony<'s> {
    let path = ceremony.input().join("holders.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("Alice Example", "Alice Other")).unwrap();
    ceremony.clone()
}
