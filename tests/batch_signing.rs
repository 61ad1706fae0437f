//! 732 documents and two holders on `SoftHSM`, the program killed (SIGKILL) in the midst, and again, and resumed: what was on record stays, nothing is
//! signed twice, nothing is missing. And what the program takes beside the tokens (`measure`, ignored: a figure, not a claim).

#![allow(
    clippy::large_enum_variant,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests"
)]

#[path = "batch_signing/hsm.rs"]
mod hsm;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "runner_faults/people.rs"]
mod people;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "runner_faults/record.rs"]
mod record;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "runner_faults/stand.rs"]
mod stand;
#[path = "runner_faults/stand_in.rs"]
mod stand_in;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "runner_faults/world.rs"]
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tuf_ceremony::ceremony::candidate::Candidate;
use tuf_ceremony::ceremony::event::{Document, Event};
use tuf_ceremony::ceremony::kinds::{KINDS, Kind};
use tuf_ceremony::ceremony::material::Material;
use tuf_ceremony::ceremony::plan::{KeyChoice, Step};
use tuf_ceremony::ceremony::planning::Planned;
use tuf_ceremony::ceremony::port::{Sink, WorldError};
use tuf_ceremony::ceremony::runner::{Runner, Subject};
use tuf_ceremony::ceremony::thresholds::Threshold;
use tuf_ceremony::transcript::writer::{Torn, Writer};
use tuf_ceremony::transcript::{self, Transcript};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::finding::Finding;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::key::{Algorithm, Key, KeyId};
use tuf_ceremony::tuf::metadata::RoleKeys;

use hsm::{Hsm, key_of, module};
use people::People;
use stand::{Stand, check_in, genesis};
use world::clock;

const DOCUMENTS: usize = 732;
const SIGNERS: [&str; 2] = ["alice", "bob"];
const NAME: &str = "transcript.jsonl";

/// The keys that sign the batch, and how many documents there are.
static BATCH: OnceLock<(Vec<Key>, usize)> = OnceLock::new();

fn build(_: &Material<'_>) -> Result<Vec<Candidate>, Finding> {
    let (keys, count) = BATCH.get().unwrap();
    let keys: Vec<(KeyId, Key)> = keys.iter().map(|key| (key.keyid(), key.clone())).collect();
    let role = RoleKeys {
        keyids: keys.iter().map(|(keyid, _)| keyid.clone()).collect(),
        threshold: 2,
    };
    let made = (0..*count).map(|number| {
        let text = format!(
            r#"{{"signatures":[],"signed":{{"_type":"targets","delegations":{{"keys":{{}},"roles":[]}},"expires":"2027-08-03T00:00:00Z","spec_version":"1.0.31","targets":{{}},"version":1,"x-number":{number}}}}}"#
        );
        Ok(Candidate {
            document: Document {
                role: format!("claimed-a{number:04}"),
                version: 1,
            },
            envelope: Envelope::parse("shard", text.into_bytes(), Limits::SMALL)?,
            old: None,
            thresholds: vec![Threshold::over(
                "the keys of claimed v1".to_owned(),
                keys.clone(),
                role.clone(),
            )],
        })
    });
    made.collect()
}

/// The record on disk. It kills this process at the group that has a certain signature, before or after it is on record.
struct Disk {
    writer: Writer,
    kill: Option<Kill>,
    signed: usize,
    began: Option<Instant>,
    /// Of all batches: from the intent to the end, and the parts of it that the tokens and the record took.
    wall: Duration,
    token: Duration,
    recording: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Kill {
    signature: usize,
    after: bool,
}

fn die() {
    let own = rustix::process::getpid();
    rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
}

impl Sink for Disk {
    fn record(&mut self, event: &Event) -> Result<(), WorldError> {
        self.record_all(std::slice::from_ref(event))
    }

    fn record_all(&mut self, events: &[Event]) -> Result<(), WorldError> {
        let signed = |event: &&Event| matches!(event, Event::Signed { .. });
        let before = self.signed;
        self.signed += events.iter().filter(signed).count();
        let due = |after: bool| {
            let group = before + 1..=self.signed;
            let own = |kill: Kill| group.contains(&kill.signature) && kill.after == after;
            self.kill.is_some_and(own)
        };
        if due(false) {
            die();
        }
        let recording = Instant::now();
        self.writer
            .append_all(clock(), events)
            .map_err(|fault| WorldError {
                path: NAME.to_owned(),
                said: fault.to_string(),
            })?;
        if self.began.is_some() {
            self.recording += recording.elapsed();
        }
        if due(true) {
            die();
        }
        match events {
            [Event::BatchIntended(_)] => self.began = Some(Instant::now()),
            [.., Event::BatchEnded(ended)] => {
                self.wall += self
                    .began
                    .take()
                    .map_or(Duration::ZERO, |began| began.elapsed());
                self.token += Duration::from_micros(ended.micros);
            }
            _ => {}
        }
        Ok(())
    }
}

/// One run of the ceremony in this process, from where the record in `folder` ends.
fn run(folder: &Path, kill: Option<Kill>, algorithm: Algorithm, count: usize) -> Disk {
    let mut module = module();
    let keys = SIGNERS.map(|holder| key_of(&mut module, holder, algorithm));
    let keys: Vec<_> = keys
        .iter()
        .map(|key| Key::from_public(key).unwrap())
        .collect();
    let steps: Vec<_> = [Step::Build, Step::ReviewBatch, Step::Shadow]
        .into_iter()
        .chain(
            SIGNERS
                .iter()
                .zip(&keys)
                .map(|(holder, key)| Step::SignBatch {
                    holder: (*holder).to_owned(),
                    key: KeyChoice::Keyid(key.keyid()),
                }),
        )
        .collect();
    BATCH.set((keys, count)).unwrap();
    let stand = Stand::finished(genesis()).then(check_in);
    let plain = KINDS.iter().find(|kind| kind.name == "check-in").unwrap();
    let kind: &'static Kind = Box::leak(Box::new(Kind { build, ..*plain }));
    let planned = Planned {
        sha256: Sha256::of(b"plan"),
        steps,
        text: "plan".to_owned(),
        minutes: 1,
    };
    let subject = Subject {
        kind,
        script: &stand.script,
        script_bytes: &stand.script_bytes,
        trusted: &stand.trusted,
        planned: &planned,
        mode: stand.mode,
        ceremony: Sha256::of(b"ceremony"),
        signing_only: false,
    };
    let opened = Event::Opened {
        tool: "test".to_owned(),
        program: Sha256::of(b""),
        mode: stand.mode,
        kind: kind.name.to_owned(),
        title: "batch".to_owned(),
        script: Sha256::of(b"script"),
        trusted_root: None,
        ceremony: subject.ceremony,
        modules: Vec::new(),
        holders: None,
    };
    let path = folder.join(NAME);
    let (writer, transcript) = if path.exists() {
        Writer::resume(&path, Torn::Cut).unwrap()
    } else {
        (Writer::create(&path).unwrap(), Transcript::default())
    };
    let mut people = People::new(&stand.log);
    let mut sink = Disk {
        writer,
        kill,
        signed: 0,
        began: None,
        wall: Duration::ZERO,
        token: Duration::ZERO,
        recording: Duration::ZERO,
    };
    let mut world = Hsm {
        fake: stand.world,
        module,
    };
    let progress = transcript.progress().clone();
    let runner = Runner::new(&subject, progress, &mut people, &mut world, &mut sink);
    runner.run(&opened).unwrap();
    sink
}

/// The other process.
#[test]
#[ignore = "is run by the tests beside it, in a process of its own that is killed"]
fn child() {
    let folder = std::env::var("BATCH_FOLDER").unwrap();
    let kill = std::env::var("BATCH_KILL").ok();
    let kill = kill.map(|kill| {
        let (when, signature) = kill.split_once(':').unwrap();
        Kill {
            signature: signature.parse().unwrap(),
            after: when == "after",
        }
    });
    run(Path::new(&folder), kill, Algorithm::EcdsaP256, DOCUMENTS);
}

/// A folder for `SoftHSM` and the record.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tokens")).unwrap();
    let settings = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        folder.path().join("tokens").display()
    );
    std::fs::write(folder.path().join("softhsm2.conf"), settings).unwrap();
    folder
}

/// Runs the child; whether it came to its end.
fn child_in(folder: &Path, kill: Option<&str>) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored"]);
    command.env("BATCH_FOLDER", folder);
    command.env("SOFTHSM2_CONF", folder.join("softhsm2.conf"));
    if let Some(kill) = kill {
        command.env("BATCH_KILL", kill);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let killed = std::os::unix::process::ExitStatusExt::signal(&output.status) == Some(9);
    assert!(killed || output.status.success(), "{output:?}");
    assert_eq!(killed, kill.is_some(), "{output:?}");
    !killed
}

fn recorded(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join(NAME)).unwrap()
}

/// Document and key of every signature on record.
fn signatures(transcript: &Transcript) -> Vec<(Document, KeyId)> {
    let lines = transcript.lines.iter();
    let signed = lines.filter_map(|line| match &line.event {
        Event::Signed {
            document, signer, ..
        } => Some((document.clone(), signer.keyid.clone())),
        _ => None,
    });
    signed.collect()
}

#[test]
fn killed_in_the_midst_and_resumed_every_signature_is_there_once() {
    let folder = folder();
    let folder = folder.path();
    let mut before = Vec::new();
    let mut done = 0;
    // With a group that is not on record; right after one that is; and among those of the second holder. How large a group is the token's speed says.
    for kill in ["before:300", "after:200", "before:600"] {
        child_in(folder, Some(kill));
        let bytes = recorded(folder);
        assert!(bytes.starts_with(&before), "what was on record stays");
        let read = transcript::read(&bytes).unwrap();
        let (when, signature) = kill.split_once(':').unwrap();
        let came = signatures(&read).len() - done;
        let signature: usize = signature.parse().unwrap();
        assert_eq!(came >= signature, when == "after", "{kill}: {came}");
        assert!(came > 0, "{kill}");
        done += came;
        assert!(
            read.progress().asked().is_some(),
            "the token may have signed more"
        );
        before = bytes;
    }
    assert!(done < 2 * DOCUMENTS, "{done}");
    // A crash of the machine may cut a line.
    let last = before[..before.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n');
    let cut = last.unwrap() + 40;
    let file = std::fs::File::options().write(true).open(folder.join(NAME));
    file.unwrap().set_len(cut as u64).unwrap();

    assert!(child_in(folder, None));
    let bytes = recorded(folder);
    assert!(bytes.starts_with(&before[..=last.unwrap()]));
    let read = transcript::read(&bytes).unwrap();
    assert!(read.is_complete());
    let signed = signatures(&read);
    let different: BTreeSet<_> = signed.iter().cloned().collect();
    assert_eq!(
        (signed.len(), different.len()),
        (2 * DOCUMENTS, 2 * DOCUMENTS)
    );
    let decided = read
        .lines
        .iter()
        .filter(|line| matches!(line.event, Event::BatchDecided { .. }));
    assert_eq!(decided.count(), 3, "one typed decision an interruption");
    check_signatures(folder, &read);
}

/// Every signature on record is by the key of a token over the document that it is said to be over.
fn check_signatures(folder: &Path, transcript: &Transcript) {
    let keys: BTreeMap<_, _> = {
        let command = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "keys", "--ignored", "--nocapture"])
            .env("SOFTHSM2_CONF", folder.join("softhsm2.conf"))
            .output()
            .unwrap();
        let text = String::from_utf8(command.stdout).unwrap();
        let keys = text.lines().filter_map(|line| line.strip_prefix("KEY "));
        keys.map(|hex| {
            let der = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            let public = tuf_ceremony::tuf::key::PublicKey::from_spki_der(&der).unwrap();
            let key = Key::from_public(&public).unwrap();
            (key.keyid(), key)
        })
        .collect()
    };
    assert_eq!(keys.len(), SIGNERS.len());
    BATCH
        .set((keys.values().cloned().collect(), DOCUMENTS))
        .unwrap();
    let stand = Stand::finished(genesis()).then(check_in);
    let material = Material {
        script: &stand.script,
        trusted: &stand.trusted,
        enrolled: &[],
        decisions: None,
        mode: stand.mode,
    };
    for candidate in build(&material).unwrap() {
        let known = transcript.progress().document(&candidate.document).unwrap();
        assert!(known.is_complete(), "{}", candidate.document);
        for (signer, sig, _) in &known.signatures {
            let sig = data_encoding::HEXLOWER.decode(sig.as_bytes()).unwrap();
            let payload = candidate.envelope.payload();
            assert!(
                keys[&signer.keyid].verifies(&payload, &sig),
                "{}",
                candidate.document
            );
        }
    }
}

/// The public keys of the tokens, for the process that knows nothing of them.
#[test]
#[ignore = "is run by the test beside it"]
#[allow(clippy::print_stdout, reason = "it is what the other process reads")]
fn keys() {
    let mut module = module();
    for holder in SIGNERS {
        let public = key_of(&mut module, holder, Algorithm::EcdsaP256);
        let der = public.to_spki_der().unwrap();
        println!("\nKEY {}", data_encoding::HEXLOWER.encode(&der));
    }
}

/// How long one processor takes to verify everything on record.
fn verifying(transcript: &Transcript) -> Duration {
    let stand = Stand::finished(genesis()).then(check_in);
    let material = Material {
        script: &stand.script,
        trusted: &stand.trusted,
        enrolled: &[],
        decisions: None,
        mode: stand.mode,
    };
    let candidates = build(&material).unwrap();
    let began = Instant::now();
    for candidate in &candidates {
        let known = transcript.progress().document(&candidate.document).unwrap();
        for (signer, sig, _) in &known.signatures {
            let sig = data_encoding::HEXLOWER.decode(sig.as_bytes()).unwrap();
            assert!(candidate.verifies(&signer.keyid, &sig));
        }
    }
    began.elapsed()
}

/// Rounds of [`measure`] for each algorithm: the quickest counts, the others had company.
const ROUNDS: usize = 5;
/// What is measured. The rehearsal before it has no RSA keys, and of Ed25519 keys, which sign whole documents, the token's time cannot be told from the pipe's.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::EcdsaP256, Algorithm::EcdsaP384];

/// What the program takes beside the tokens: a table.
#[test]
#[ignore = "a measurement, needs an idle machine: cargo test --release --test batch_signing measure -- --ignored --nocapture"]
#[allow(clippy::print_stdout, reason = "a measurement")]
fn measure() {
    println!(
        "\n{:<12}{:>12}{:>12}{:>12}{:>16}{:>12}",
        "milliseconds", "tokens", "wall", "record", "verify, 1 core", "overhead"
    );
    for algorithm in ALGORITHMS {
        let rounds = (0..ROUNDS).map(|_| round(algorithm));
        let least = rounds.min_by(|one, other| one[1].total_cmp(&other[1]));
        let [token, wall, record, verify] = least.unwrap();
        println!(
            "{:<12}{token:>12.1}{wall:>12.1}{record:>12.1}{verify:>16.1}{:>11.1}%",
            format!("{algorithm:?}"),
            (wall / token - 1.0) * 100.0
        );
    }
}

/// Milliseconds of the tokens, from the intents to the ends, of the record, and of one processor that verifies everything. In a process of its own: tokens
/// are where its environment says.
fn round(algorithm: Algorithm) -> [f64; 4] {
    let folder = folder();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "measured", "--ignored", "--nocapture"])
        .env("SOFTHSM2_CONF", folder.path().join("softhsm2.conf"))
        .env("BATCH_FOLDER", folder.path())
        .env(
            "BATCH_ALGORITHM",
            serde_json::to_string(&algorithm).unwrap(),
        )
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let measured = lines
        .find_map(|line| line.strip_prefix("MEASURED "))
        .unwrap();
    serde_json::from_str(measured).unwrap()
}

/// The other process.
#[test]
#[ignore = "is run by the measurement beside it"]
#[allow(clippy::print_stdout, reason = "it is what the other process reads")]
fn measured() {
    let folder = std::env::var("BATCH_FOLDER").unwrap();
    let algorithm = std::env::var("BATCH_ALGORITHM").unwrap();
    let algorithm = serde_json::from_str(&algorithm).unwrap();
    let disk = run(Path::new(&folder), None, algorithm, DOCUMENTS);
    let verify = verifying(disk.writer.transcript());
    let times = [disk.token, disk.wall, disk.recording, verify];
    let times = times.map(|time| time.as_secs_f64() * 1e3);
    println!("\nMEASURED {}", serde_json::to_string(&times).unwrap());
}
