//! A rotation by two holders alone, in two places: one runs the ceremony with his own token, the other signs the part files that reach him, over his own
//! copies of script and input. Real tokens (SoftHSM), the tree and the incident of a rehearsal.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::stage::{Outcome, PROGRAM, outcome, softhsm};
use tempfile::TempDir;
use tuf_ceremony::room::rehearsal::PIN;

const DOCUMENTS: [(&str, u64); 2] = [("claimed", 3), ("custody", 1)];

/// A finished rehearsal of a rotation: its tokens, script, input and bundle.
struct Rehearsed {
    folder: TempDir,
    work: PathBuf,
}

/// One holder in one place.
struct Place<'a> {
    rehearsed: &'a Rehearsed,
    holder: &'static str,
    task: &'static str,
    folder: PathBuf,
}

impl Rehearsed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["rehearse", "rotate-dev", "--headless", "--require-softhsm"]);
        let rehearsal = outcome(command.env("TMPDIR", folder.path()).output().unwrap());
        assert_eq!(rehearsal.code, 0, "{rehearsal:?}");
        let work = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.join("rotate-dev/script.toml").exists());
        Self {
            work: work.unwrap(),
            folder,
        }
    }

    fn bundle(&self) -> PathBuf {
        self.work.join("bundles/rotate-dev")
    }

    fn place(&self, holder: &'static str, task: &'static str) -> Place<'_> {
        let folder = self.folder.path().join(holder);
        fs::create_dir_all(&folder).unwrap();
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.work.join("rotate-dev/in"));
        assert!(copy.arg(&folder).status().unwrap().success());
        fs::write(folder.join("register.jsonl"), "").unwrap();
        Place {
            rehearsed: self,
            holder,
            task,
            folder,
        }
    }
}

impl Place<'_> {
    fn part(&self, role: &str, version: u64) -> PathBuf {
        self.folder
            .join(format!("out/parts/{role}-{version}.part.json"))
    }

    fn carry_in(&self, from: &Place<'_>) {
        let parts = self.folder.join("in/parts");
        fs::create_dir_all(&parts).unwrap();
        for (role, version) in DOCUMENTS {
            let name = format!("{}-{role}.part.json", from.holder);
            fs::copy(from.part(role, version), parts.join(name)).unwrap();
        }
    }

    /// Runs to where it must stop; `pins` of them are asked for.
    fn run(&self, pins: usize) -> Outcome {
        let write = |name: &str, text: String| {
            let path = self.folder.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let room = write("room.toml", self.room());
        let answers = write("answers.toml", self.answers());
        let pins = format!("{} user {PIN}\n", self.holder).repeat(pins);
        let pins = write("pins", pins);
        let mut command = Command::new(PROGRAM);
        command.env("SOFTHSM2_CONF", self.rehearsed.work.join("softhsm2.conf"));
        command
            .arg("run")
            .arg(self.rehearsed.work.join("rotate-dev/script.toml"))
            .arg("--room")
            .arg(room)
            .arg("--in")
            .arg(self.folder.join("in"))
            .arg("--out")
            .arg(self.folder.join("out"))
            .args(["--headless", "--pin-fd", "0", "--answers"])
            .arg(answers)
            .stdin(Stdio::from(File::open(pins).unwrap()));
        outcome(command.output().unwrap())
    }

    fn room(&self) -> String {
        let rehearsed =
            fs::read_to_string(self.rehearsed.work.join("rotate-dev/room.toml")).unwrap();
        let mut lines = rehearsed.lines();
        let name = format!("name = \"{}\"", self.holder);
        lines.find(|line| *line == name).unwrap();
        let token = lines.next().unwrap();
        format!(
            "schema = \"tuf-ceremony/room/1\"\nmode = \"rehearsal\"\ntask = \"{}\"\n\n[[module]]\nname = \"softhsm\"\npath = \"{}\"\n\n[[holder]]\n{name}\n{token}\nregister = \"{}\"\n",
            self.task,
            softhsm(),
            self.folder.join("register.jsonl").display()
        )
    }

    fn answers(&self) -> String {
        let mut answers = vec![
            ("plan".to_owned(), "we agree on this plan".to_owned()),
            ("clock".to_owned(), "agree".to_owned()),
            ("close".to_owned(), "done".to_owned()),
        ];
        for (role, version) in DOCUMENTS {
            answers.push((
                format!("review:{role}-{version}"),
                format!("sign {role} v{version}"),
            ));
            answers.push((
                format!("token:sign:{role}-{version}:{}", self.holder),
                "ready".to_owned(),
            ));
        }
        let mut text = "schema = \"tuf-ceremony/answers/1\"\n".to_owned();
        for (prompt, answer) in answers {
            let _ = write!(
                text,
                "\n[[answer]]\nprompt = \"{prompt}\"\nanswer = \"{answer}\"\n"
            );
        }
        text
    }
}

fn signed(bundle: &Path, file: &str) -> serde_json::Value {
    let bytes = fs::read(bundle.join("metadata").join(file)).unwrap();
    let mut whole: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    whole["signed"].take()
}

#[test]
fn two_holders_alone_in_two_places_complete_a_rotation() {
    let rehearsed = Rehearsed::new();
    let alice = rehearsed.place("alice", "ceremony");
    let waiting = alice.run(1);
    assert_eq!(waiting.code, 3, "{waiting:?}");
    assert!(waiting.err.contains("2 needed, 1 signed"), "{waiting:?}");

    let bob = rehearsed.place("bob", "sign");
    bob.carry_in(&alice);
    let signed_there = bob.run(1);
    assert_eq!(signed_there.code, 0, "{signed_there:?}");

    alice.carry_in(&bob);
    let done = alice.run(0);
    assert_eq!(done.code, 0, "{done:?}");

    let bundle = alice.folder.join("out");
    for file in ["3.claimed.json", "1.custody.json"] {
        let (here, there) = (signed(&bundle, file), signed(&rehearsed.bundle(), file));
        assert_eq!(here, there, "the same bytes as in one room");
    }
    let mut verify = Command::new(PROGRAM);
    verify.args(["verify", "--rehearsal", "--trusted-root"]);
    verify.arg(bundle.join("metadata/1.root.json")).arg(&bundle);
    let verified = outcome(verify.output().unwrap());
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[test]
fn a_holder_with_another_incident_file_signs_nothing() {
    let rehearsed = Rehearsed::new();
    let alice = rehearsed.place("alice", "ceremony");
    assert_eq!(alice.run(1).code, 3);
    let bob = rehearsed.place("bob", "sign");
    bob.carry_in(&alice);
    let incident = bob.folder.join("in/requests/incident.toml");
    let text = fs::read_to_string(&incident).unwrap();
    fs::write(&incident, text.replace("\"files\"", "\"tombstone\"")).unwrap();
    let refused = bob.run(0);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("INTAKE-DIGEST"), "{refused:?}");
    assert!(!bob.part("claimed", 3).exists());
}

/// What `verify` finds in a copy of the rehearsal's bundle that was changed; the manifest's own findings aside.
fn verdict_of(rehearsed: &Rehearsed, change: &dyn Fn(&Path)) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(rehearsed.bundle()).arg(folder.path());
    assert!(copy.status().unwrap().success());
    let bundle = folder.path().join("rotate-dev");
    change(&bundle);
    let mut verify = Command::new(PROGRAM);
    verify.args(["verify", "--rehearsal", "--json", "--trusted-root"]);
    let root = rehearsed.bundle().join("metadata/1.root.json");
    let verified = outcome(verify.arg(root).arg(&bundle).output().unwrap());
    let report: serde_json::Value = serde_json::from_str(&verified.out).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |finding: &serde_json::Value, name: &str| finding[name].as_str().unwrap().to_owned();
    findings
        .filter(|finding| finding["level"] == "error")
        .map(|finding| (text(finding, "rule"), text(finding, "text")))
        .filter(|(rule, _)| rule == "ROTATE-RECORD" || rule == "REQUEST-EXACT")
        .collect()
}

#[test]
fn a_bundle_that_cannot_be_followed_or_says_another_rotation_is_refused() {
    let rehearsed = Rehearsed::new();
    assert_eq!(verdict_of(&rehearsed, &|_| ()), []);
    for file in ["metadata/2.claimed.json", "ceremony/incident.toml"] {
        let found = verdict_of(&rehearsed, &|bundle| {
            fs::remove_file(bundle.join(file)).unwrap();
        });
        let text = "it is not there: what the incident came to cannot be followed";
        assert_eq!(
            found,
            [("ROTATE-RECORD".to_owned(), text.to_owned())],
            "{file}"
        );
    }
    // A replacement is not on record: its project would be in custody.
    let found = verdict_of(&rehearsed, &|bundle| {
        fs::remove_file(bundle.join("ceremony/requests.jsonl")).unwrap();
    });
    assert!(
        found.iter().any(|(rule, _)| rule == "REQUEST-EXACT"),
        "{found:?}"
    );
}

#[test]
fn the_plan_of_an_incident_says_without_a_token_what_the_ceremony_does() {
    let rehearsed = Rehearsed::new();
    let folder = rehearsed.work.join("rotate-dev");
    let plan = |more: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["incident", "plan"]);
        command.arg(folder.join("script.toml"));
        command.arg("--in").arg(folder.join("in")).args(more);
        outcome(command.output().unwrap())
    };
    let told = plan(&["--json"]);
    assert_eq!(told.code, 0, "{told:?}");
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let actions = fs::read(rehearsed.bundle().join("online/online-actions.json")).unwrap();
    let actions: serde_json::Value = serde_json::from_slice(&actions).unwrap();
    let projects = |list: &serde_json::Value| -> Vec<String> {
        let entries = list.as_array().unwrap().iter();
        entries
            .map(|entry| entry["project"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(projects(&told["hits"]), projects(&actions["projects"]));
    let becomes: Vec<&str> = told["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["becomes"].as_str().unwrap())
        .collect();
    for way in ["replaced", "custody", "tombstone"] {
        assert!(becomes.contains(&way), "{way}: {becomes:?}");
    }
    let told = plan(&[]);
    assert!(
        told.out
            .contains("Online, now, before anything is signed: quarantine"),
        "{told:?}"
    );
    // Without its first root nobody could follow the rotation later.
    fs::remove_file(folder.join("in/trusted/1.root.json")).unwrap();
    assert_ne!(plan(&[]).code, 0);
}
