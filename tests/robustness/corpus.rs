//! Real documents: what the program itself makes in rehearsals, a part file of one of its roots, and the files that people write for it.

use std::process::Command;
use std::sync::LazyLock;

use tuf_ceremony::bundle::files::{self, File};
use tuf_ceremony::bundle::part::{Acknowledgement, Part, Superseded};
use tuf_ceremony::ceremony::event::{Document, Mode};
use tuf_ceremony::pypi::ledger::targets;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::verdict::Bundle;

/// The trusted root.
pub(crate) const TRUSTED: &str = "metadata/1.root.json";

const ROOM: &str = r#"schema = "tuf-ceremony/room/1"
mode = "rehearsal"

[[module]]
name = "softhsm"
path = "/usr/lib/softhsm/libsofthsm2.so"

[[holder]]
name = "alice"
token = "pkcs11:token=alice;serial=0123456789abcdef"
register = "/media/alice/signed.jsonl"
"#;

const ANSWERS: &str = r#"schema = "tuf-ceremony/answers/1"

[[answer]]
prompt = "plan"
answer = "we agree on this plan"
"#;

const OWNERS: &str = r#"{"schema":"tuf-ceremony/owners/1"}
{"keyid":"7ab6b86cb2c9684b0ddc10896153aa2595decf4d4327a5ff1a8ab7422c828b12","owner":"alice (laptop)","since":"2026-11-22T12:00:00Z"}
"#;

/// The worked example of docs/requests.md.
fn requests() -> Vec<u8> {
    let page = include_str!("../../docs/requests.md");
    let (_, file) = page.split_once("<!-- file -->\n").unwrap();
    let lines = file.lines().map_while(|line| line.strip_prefix("    "));
    lines
        .flat_map(|line| [line, "\n"])
        .collect::<String>()
        .into()
}

/// The bundle of a rehearsed renewal with ephemeral keys.
static BUNDLE: LazyLock<Vec<File>> = LazyLock::new(|| rehearsed("renew-ephemeral"));

/// Everything, by name.
pub(crate) static CORPUS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let mut corpus: Vec<_> = BUNDLE
        .iter()
        .filter(|file| !["md", "txt"].iter().any(|end| file.path.ends_with(end)))
        .filter(|file| !file.path.starts_with("online/"))
        .map(|file| (file.path.clone(), file.bytes.clone()))
        .collect();
    let aborted = rehearsed("abort").into_iter();
    let record = aborted.filter(|file| file.path == "ceremony/abandoned.json");
    corpus.extend(record.map(|file| (file.path, file.bytes)));
    let root = file("metadata/2.root.json").bytes;
    corpus.push(("2.root.part.json".to_owned(), part(root)));
    corpus.push(("room.toml".to_owned(), ROOM.into()));
    corpus.push(("requests.jsonl".to_owned(), requests()));
    corpus.push(("owners.jsonl".to_owned(), OWNERS.into()));
    let mut targets = targets::Writer::default();
    targets
        .push("a b/c.whl", &Sha256([7; 32]), 9, "project-a")
        .unwrap();
    corpus.push(("targets.ledger".to_owned(), targets.finish().0));
    corpus.push(("answers.toml".to_owned(), ANSWERS.into()));
    corpus
});

/// The undamaged bundle.
pub(crate) fn bundle() -> Bundle {
    Bundle {
        name: "bundle".to_owned(),
        files: BUNDLE.clone(),
        finished: true,
    }
}

/// A file of the bundle.
pub(crate) fn file(path: &str) -> File {
    let found = BUNDLE.iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("no {path}")).clone()
}

/// The bytes of a document.
pub(crate) fn document(name: &str) -> &'static [u8] {
    let found = CORPUS.iter().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("no {name}")).1
}

fn rehearsed(kind: &str) -> Vec<File> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"));
    command.args(["rehearse", kind, "--headless", "--software", "--out"]);
    let output = command.arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    files::read_folder(&folder.path().join(kind)).unwrap()
}

fn part(root: Vec<u8>) -> Vec<u8> {
    let part = Part {
        mode: Mode::Rehearsal,
        ceremony: Sha256([7; 32]),
        trusted_root: Some(Sha256([8; 32])),
        document: Document {
            role: "root".to_owned(),
            version: 2,
        },
        supersedes: vec![Superseded {
            sha256: Sha256([9; 32]),
            signed_by: vec!["alice".to_owned()],
        }],
        acknowledgements: vec![Acknowledgement {
            holder: "bob".to_owned(),
            register: true,
        }],
        envelope: Envelope::parse("2.root.json", root, Limits::SMALL).unwrap(),
    };
    part.to_vec()
}
