//! `merge` as other programs use it, and the union behind it.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/forge.rs"]
mod forge;
#[path = "merge_cli/refusals.rs"]
mod refusals;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use forge::{keyid, root, signature, signed, twin_signature};
use tempfile::TempDir;
use tuf_ceremony::bundle::part::{Acknowledgement, Part, Superseded};
use tuf_ceremony::ceremony::event::{Document, Mode};
use tuf_ceremony::pypi::rstuf;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;

const CEREMONY: Sha256 = Sha256([9; 32]);

/// Root v1 by holders 1, 2, 3 (2 needed), and an unsigned v2 by holders 2, 3, 4 (2 needed).
struct Scene {
    folder: TempDir,
    old: Envelope,
    new: Envelope,
}

impl Scene {
    fn new() -> Self {
        let old = signed(&root(None, 1, &[1, 2, 3], 2), &[1, 2]);
        let new = root(Some(&old), 2, &[2, 3, 4], 2);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1.root.json"), old.bytes()).unwrap();
        Self { folder, old, new }
    }
    fn part(&self, envelope: Envelope) -> Part {
        Part {
            mode: Mode::Production,
            ceremony: CEREMONY,
            trusted_root: Some(Sha256::of(&self.old.bytes())),
            document: Document {
                role: "root".to_owned(),
                version: 2,
            },
            supersedes: Vec::new(),
            acknowledgements: Vec::new(),
            envelope,
        }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.path(name), bytes).unwrap();
        name.to_owned()
    }
    fn signed_by(&self, name: &str, holders: &[u8]) -> String {
        self.write(name, &self.part(signed(&self.new, holders)).to_vec())
    }
    fn merge(&self, out: &str, parts: &[&str]) -> Output {
        run(
            self.folder.path(),
            &["--trusted-root", "1.root.json", "--out", out],
            parts,
        )
    }
    fn refused(&self, parts: &[&str]) -> String {
        let output = self.merge("refused.json", parts);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(!self.path("refused.json").exists());
        assert!(text.ends_with("Refused. Nothing was written.\n"), "{text}");
        text
    }
}

fn run(folder: &Path, options: &[&str], parts: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(folder)
        .arg("merge")
        .args(options)
        .args(parts)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn parts_merge_to_the_same_bytes_in_every_order() {
    let scene = Scene::new();
    let mut first = scene.part(signed(&scene.new, &[3]));
    first.acknowledgements = vec![Acknowledgement {
        holder: "carol".to_owned(),
        register: false,
    }];
    let mut second = scene.part(signed(&scene.new, &[2]));
    second.supersedes = vec![Superseded {
        sha256: Sha256([7; 32]),
        signed_by: vec!["bob".to_owned(), "alice".to_owned()],
    }];
    let mut third = scene.part(scene.new.clone());
    third.supersedes = vec![Superseded {
        sha256: Sha256([7; 32]),
        signed_by: vec!["carol".to_owned()],
    }];
    for (name, part) in [("a.json", &first), ("b.json", &second), ("c.json", &third)] {
        scene.write(name, &part.to_vec());
    }
    let orders = [
        ["a.json", "b.json", "c.json"],
        ["c.json", "b.json", "a.json"],
        ["b.json", "a.json", "b.json"],
    ];
    let results: Vec<Vec<u8>> = orders
        .iter()
        .enumerate()
        .map(|(index, order)| {
            let out = format!("out{index}.json");
            let output = scene.merge(&out, order);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output));
            fs::read(scene.path(&out)).unwrap()
        })
        .collect();
    assert_eq!(results[0], results[1]);
    let union = Part::parse("out", &results[0]).unwrap();
    assert_eq!(union.envelope.signatures().len(), 2);
    assert_eq!(union.supersedes[0].signed_by, ["alice", "bob", "carol"]);
    assert_eq!(union.acknowledgements, first.acknowledgements);
    // What was merged can be merged again, and nothing changes.
    let again = scene.merge("again.json", &["out0.json", "a.json"]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(fs::read(scene.path("again.json")).unwrap(), results[0]);
    assert_ne!(
        results[2], results[0],
        "the third order leaves one part out"
    );
}

#[test]
fn a_missing_signature_is_told_by_both_quorums_and_exit_code_3() {
    let scene = Scene::new();
    scene.signed_by("a.json", &[1]);
    scene.signed_by("b.json", &[2]);
    let output = scene.merge("out.json", &["a.json", "b.json"]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let mut missing = [keyid(3).0, keyid(4).0];
    missing.sort();
    let old = format!(
        "by the keys of root v1 (old): 2 needed, 2 signed; not needed any more: {}\n",
        keyid(3)
    );
    let new = "by the keys of root v2 (new): 2 needed, 1 signed; missing: ".to_owned();
    assert!(told.contains(&old), "{told}");
    assert!(told.contains(&new), "{told}");
    assert!(missing.iter().all(|keyid| told.contains(keyid)));
    assert!(told.ends_with("Written: out.json; a threshold is not reached yet; merge again when more parts have come.\n"));
    assert!(scene.path("out.json").exists());
}

#[test]
fn the_merged_root_can_be_written_alone_and_verifies() {
    let scene = Scene::new();
    scene.signed_by("a.json", &[1, 2]);
    scene.signed_by("b.json", &[3]);
    let options = [
        "--trusted-root",
        "1.root.json",
        "--out",
        "out.json",
        "--metadata",
        "2.root.json",
    ];
    assert_eq!(
        run(scene.folder.path(), &options, &["a.json", "b.json"])
            .status
            .code(),
        Some(0)
    );
    let verified = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(scene.folder.path())
        .args([
            "verify",
            "--trusted-root",
            "1.root.json",
            "2.root.json",
            "--at",
            "2026-12-01T00:00:00Z",
        ])
        .output()
        .unwrap();
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let scene = Scene::new();
    scene.signed_by("a.json", &[1]);
    scene.write("out.json", b"precious");
    let output = scene.merge("out.json", &["a.json"]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(fs::read(scene.path("out.json")).unwrap(), b"precious");
}

#[test]
fn of_two_right_signatures_by_one_key_the_smaller_stays_in_both_orders() {
    let scene = Scene::new();
    let payload = scene.new.payload().into_owned();
    let (one, other) = (signature(2, &payload), twin_signature(2, &payload));
    assert_ne!(one, other);
    let with = |sig: &[u8]| {
        scene
            .part(scene.new.with_signature(&keyid(2), sig, &|_| false))
            .to_vec()
    };
    scene.write("a.json", &with(&one));
    scene.write("b.json", &with(&other));
    scene.merge("ab.json", &["a.json", "b.json"]);
    scene.merge("ba.json", &["b.json", "a.json"]);
    let merged = fs::read(scene.path("ab.json")).unwrap();
    assert_eq!(merged, fs::read(scene.path("ba.json")).unwrap());
    let part = Part::parse("ab", &merged).unwrap();
    let kept = &part.envelope.signatures()[0].sig;
    assert_eq!(
        *kept,
        data_encoding::HEXLOWER.encode(one.min(other).as_slice())
    );
}

#[test]
fn wrong_signatures_and_strangers_are_left_out_and_named() {
    let scene = Scene::new();
    let wrong = scene
        .new
        .with_signature(&keyid(3), &signature(3, b"something else"), &|_| false);
    let wrong = scene.part(signed(&wrong, &[2, 55])).to_vec();
    scene.write("a.json", &wrong);
    let output = scene.merge("out.json", &["a.json"]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let invalid = format!(
        "warning SIG-INVALID a.json: the signature of the key {} over root v2 is wrong; it is left out\n",
        keyid(3)
    );
    let stranger = format!(
        "warning SIG-UNKNOWN-KEY a.json: the key {} has no part in root v2; its signature is left out\n",
        keyid(55)
    );
    assert!(told.contains(&invalid), "{told}");
    assert!(told.contains(&stranger), "{told}");
    let merged = Part::parse("out", &fs::read(scene.path("out.json")).unwrap()).unwrap();
    assert_eq!(merged.envelope.signatures().len(), 1);
}

#[test]
fn a_wrong_signature_never_displaces_a_right_one() {
    let scene = Scene::new();
    let wrong = scene.new.with_signature(&keyid(3), &[0; 64], &|_| false);
    scene.write("a.json", &scene.part(wrong).to_vec());
    scene.signed_by("b.json", &[2, 3]);
    for (out, parts) in [
        ("ab.json", ["a.json", "b.json"]),
        ("ba.json", ["b.json", "a.json"]),
    ] {
        assert_eq!(scene.merge(out, &parts).status.code(), Some(0));
    }
}

#[test]
fn targets_merge_by_the_keys_that_root_names_and_bins_by_those_of_signed_targets() {
    let scene = Scene::new();
    let part = |role: &str, envelope: &Envelope, holders: &[u8]| {
        let mut part = scene.part(signed(envelope, holders));
        part.document = Document {
            role: role.to_owned(),
            version: 1,
        };
        part.to_vec()
    };
    let (targets, bins) = (forge::targets(1), forge::leaf(1, forge::EXPIRES));
    scene.write("t1.json", &part("targets", &targets, &[11]));
    scene.write("t2.json", &part("targets", &targets, &[12, 1]));
    let output = scene.merge("targets.part.json", &["t1.json", "t2.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("by the targets keys of root v1: 2 needed, 2 signed\n"));

    scene.write("b.json", &part("bins", &bins, &[13, 14]));
    assert!(scene.refused(&["b.json"]).starts_with(
        "error MERGE-AUTHORITY b.json: the keys of bins are named in targets; give the file of targets along with the parts\n"
    ));
    scene.write("targets.json", &targets.bytes());
    assert!(scene.refused(&["b.json", "targets.json"]).starts_with(
        "error MERGE-AUTHORITY targets.json: the keys of root do not sign it by their threshold, so it cannot say whose signatures count\n"
    ));
    scene.write("1.targets.json", &signed(&targets, &[11, 12]).bytes());
    let output = scene.merge("bins.part.json", &["b.json", "1.targets.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn a_genesis_merges_without_a_trusted_root() {
    let scene = Scene::new();
    let first = root(None, 1, &[1, 2, 3], 2);
    let mut part = scene.part(first.clone());
    part.trusted_root = None;
    part.document.version = 1;
    for (name, holder) in [("a.json", 1), ("b.json", 2)] {
        part.envelope = signed(&first, &[holder]);
        scene.write(name, &part.to_vec());
    }
    let output = run(
        scene.folder.path(),
        &["--out", "out.json"],
        &["a.json", "b.json"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(
        text(&output).contains("by the keys of root v1: 2 needed, 2 signed; not needed any more: ")
    );
}

#[test]
fn signatures_that_rstuf_collected_are_merged_like_those_of_parts() {
    let scene = Scene::new();
    scene.signed_by("ours.json", &[3]);
    let by_two = signed(&scene.new, &[2]);
    scene.write("sign.json", &rstuf::sign("root", &by_two.signatures()[0]));
    scene.write("pending.json", &rstuf::pending(&by_two, Some(&scene.old)));
    scene.write("update.json", &rstuf::update(&by_two));
    scene.signed_by("theirs.json", &[2]);
    let merged = |out: &str, parts: &[&str]| {
        let output = scene.merge(out, parts);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        fs::read(scene.path(out)).unwrap()
    };
    let expected = merged("parts.out", &["ours.json", "theirs.json"]);
    for name in ["sign.json", "pending.json", "update.json"] {
        assert_eq!(
            merged(&format!("{name}.out"), &["ours.json", name]),
            expected
        );
        assert_eq!(
            merged(&format!("{name}.out2"), &[name, "ours.json"]),
            expected
        );
    }
}

#[test]
fn what_rstuf_has_of_another_document_is_refused_and_a_strangers_signature_left_out() {
    let scene = Scene::new();
    scene.signed_by("ours.json", &[1, 2]);
    let signature = &signed(&scene.new, &[2]).signatures()[0].clone();
    let cases = [
        (
            rstuf::sign("claimed", signature),
            "error RSTUF-FOREIGN theirs.json: it brings a signature for claimed; the part files carry root v2\n",
        ),
        (
            rstuf::update(&scene.old),
            "error RSTUF-FOREIGN theirs.json: it brings root v1; the part files carry root v2\n",
        ),
        (
            br#"{"data":{"metadata":{}}}"#.to_vec(),
            "error RSTUF-FOREIGN theirs.json: it brings no root; the part files carry root v2\n",
        ),
        (
            br#"{"data":null}"#.to_vec(),
            "error RSTUF-FORM theirs.json: data is null: RSTUF says that nothing waits for signatures\n",
        ),
    ];
    for (payload, expected) in cases {
        scene.write("theirs.json", &payload);
        let told = scene.refused(&["ours.json", "theirs.json"]);
        assert!(told.starts_with(expected), "{told}");
    }
    // Another payload of the version is no less another one because RSTUF has it.
    let other = root(Some(&scene.old), 2, &[2, 3, 4], 3);
    scene.write("theirs.json", &rstuf::update(&signed(&other, &[2])));
    let told = scene.refused(&["ours.json", "theirs.json"]);
    assert!(told.starts_with("error ONE-PAYLOAD"), "{told}");
    scene.write(
        "theirs.json",
        &rstuf::sign("root", &signed(&scene.new, &[9]).signatures()[0]),
    );
    let output = scene.merge("out.json", &["ours.json", "theirs.json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output).contains("SIG-UNKNOWN-KEY"),
        "{}",
        text(&output)
    );
}
