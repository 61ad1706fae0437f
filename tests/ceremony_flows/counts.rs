//! What never raises a count, in `verify` and in a ceremony's quorums: one key under two names, one key's two signatures, a key that was removed.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::key::KeyId;

use crate::GENESIS;
use crate::support::forge;
use crate::support::record;
use crate::support::scripts::{example, in_days, keyids};
use crate::support::stage::{Outcome, Stage};

/// Another name for the key of holder 1.
fn alias() -> KeyId {
    KeyId("a1".repeat(32))
}

fn parsed(value: &Value) -> Envelope {
    let bytes = serde_json::to_vec(value).unwrap();
    Envelope::parse("root.json", bytes, Limits::SMALL).unwrap()
}

/// A root by holders 1, 2 and 3, two needed, where the key of holder 1 has two names.
fn root(version: u64) -> Envelope {
    let plain = forge::root(None, version, &[1, 2, 3], 2);
    let mut root: Value = serde_json::from_slice(&plain.bytes()).unwrap();
    let key = root["signed"]["keys"][&forge::keyid(1).0].clone();
    root["signed"]["keys"][alias().0] = key;
    let listed = root["signed"]["roles"]["root"]["keyids"]
        .as_array_mut()
        .unwrap();
    listed.push(json!(alias().0));
    parsed(&root)
}

/// Signed by holder 1 under both names; with two different signatures where the algorithm has them.
fn signed_twice(envelope: &Envelope) -> Envelope {
    let payload = envelope.payload().into_owned();
    let signature = forge::signature(1, &payload);
    forge::signed(envelope, &[1]).with_signature(&alias(), &signature, &|_| false)
}

fn verify(old: &Envelope, new: &Envelope) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let old_path = folder.path().join("1.root.json");
    fs::write(&old_path, old.bytes()).unwrap();
    let new_path = folder.path().join("2.root.json");
    fs::write(&new_path, new.bytes()).unwrap();
    let mut command = std::process::Command::new(crate::support::stage::PROGRAM);
    command.args([
        "verify",
        "--json",
        "--at",
        "2026-12-01T00:00:00Z",
        "--trusted-root",
    ]);
    let output = command.arg(old_path).arg(new_path).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn one_key_under_two_names_counts_once_in_verify() {
    let old = forge::signed(&root(1), &[1, 2]);
    let report = verify(&old, &signed_twice(&root(2)));
    assert_eq!(report["ok"], false, "{report:#}");
    assert_eq!(
        report["roots"].as_array().unwrap().len(),
        1,
        "the chain ends: {report:#}"
    );
    let text = report.to_string();
    assert!(
        text.contains("2 needed, 1 signed") || text.contains("needs 2"),
        "{report:#}"
    );

    let report = verify(&old, &forge::signed(&signed_twice(&root(2)), &[2]));
    assert_eq!(report["ok"], true, "{report:#}");
    assert_eq!(report["roots"][1]["old"]["signed"], 2, "{report:#}");
    assert_eq!(report["roots"][1]["new"]["signed"], 2, "{report:#}");
}

#[test]
fn one_key_with_two_right_signatures_counts_once_in_verify() {
    // Holder 2 is P-256: (r, s) and (r, n - s) are both right.
    let old = forge::signed(&forge::root(None, 1, &[1, 2, 3], 2), &[1, 2]);
    let new = forge::root(Some(&old), 2, &[1, 2, 3], 2);
    let payload = new.payload().into_owned();
    let twins = [
        forge::signature(2, &payload),
        forge::twin_signature(2, &payload),
    ];
    let twins = twins.map(
        |sig| json!({ "keyid": forge::keyid(2).0, "sig": data_encoding::HEXLOWER.encode(&sig) }),
    );
    let mut twice: Value = serde_json::from_slice(&new.bytes()).unwrap();
    twice["signatures"] = json!(twins);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1.root.json"), old.bytes()).unwrap();
    fs::write(
        folder.path().join("2.root.json"),
        serde_json::to_vec(&twice).unwrap(),
    )
    .unwrap();
    let mut command = std::process::Command::new(crate::support::stage::PROGRAM);
    command.args([
        "verify",
        "--json",
        "--at",
        "2026-12-01T00:00:00Z",
        "--trusted-root",
    ]);
    let output = command
        .arg(folder.path().join("1.root.json"))
        .arg(folder.path())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false, "{report:#}");
    let counted = report["roots"].as_array().unwrap().iter();
    assert!(
        counted
            .filter(|root| root["version"] == 2)
            .all(|root| root["new"]["signed"] == 1),
        "{report:#}"
    );
}

#[test]
fn a_removed_key_counts_for_the_old_root_only() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = example("admin-key", Some(&genesis));
    let bundle = stage.ceremony("admin-key", script).after(&genesis).finish();
    let erin = &keyids(&genesis)["erin.root"];
    let (_, report) = stage.verify(&genesis.join("metadata/1.root.json"), &bundle);
    let root = &report["roots"][1];
    let signed_by = root["signed_by"].as_array().unwrap();
    assert!(
        signed_by.contains(&json!(erin)),
        "erin signs as an old key: {report:#}"
    );
    assert_eq!(
        root["new"]["signed"], 5,
        "erin is not one of the five new keys: {report:#}"
    );
    let known = record::transcript(&bundle);
    let known = &known.progress().documents()[0];
    let new = known.quorums.last().unwrap();
    assert!(
        known.signed(new).all(|signer| signer.holder != "erin"),
        "{:?}",
        known.quorums
    );
}

/// A renewal of a root that others made, by travelling documents only.
fn renewal(stage: &Stage, old: &Envelope) -> (Outcome, std::path::PathBuf) {
    let trusted = stage.path("1.root.json");
    fs::write(&trusted, old.bytes()).unwrap();
    let mut script = format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"renew\"\ntitle = \"Foreign root\"\nprofile = \"room\"\ntrusted_root_sha256 = \"{}\"\n\n[root]\nversion = 2\nexpires = \"{}\"\n",
        tuf_ceremony::tuf::digest::Sha256::of(&old.bytes()),
        in_days(360)
    );
    for number in 1..=3 {
        let _ = write!(
            script,
            "\n[[holder]]\nname = \"holder-{number}\"\nperson = \"Holder {number}\"\nroot.keyid = \"{}\"\n",
            forge::keyid(number)
        );
    }
    let ceremony = stage.ceremony("foreign", script).here(&[]);
    let ceremony = ceremony.carry_in(&trusted, "trusted/1.root.json");
    (ceremony.run(), ceremony.output())
}

/// Puts these signatures into the part that waits, and carries it back in.
fn carry_back(stage: &Stage, sign: impl Fn(&Envelope) -> Envelope) {
    let out = stage.bundle("foreign").join("parts/root-2.part.json");
    let mut part: Value = serde_json::from_slice(&fs::read(out).unwrap()).unwrap();
    let envelope = parsed(&serde_json::from_str(part["envelope"].as_str().unwrap()).unwrap());
    part["envelope"] = json!(String::from_utf8(sign(&envelope).bytes().to_vec()).unwrap());
    let back = stage.path("foreign/in/parts/root-2.part.json");
    fs::create_dir_all(back.parent().unwrap()).unwrap();
    fs::write(back, serde_json::to_vec(&part).unwrap()).unwrap();
}

fn waits_with(outcome: &Outcome, out: &Path, signed: usize) {
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(
        outcome.err.contains(&format!("2 needed, {signed} signed")),
        "{outcome:?}"
    );
    let transcript = record::transcript(out);
    let known = &transcript.progress().documents()[0];
    for quorum in &known.quorums {
        assert_eq!(known.signed(quorum).count(), signed, "{quorum:?}");
        assert_eq!(
            quorum.signers.len(),
            3,
            "one physical key is one signer: {quorum:?}"
        );
    }
}

#[test]
fn one_key_under_two_names_counts_once_in_a_ceremony() {
    let stage = GENESIS.copy();
    let old = forge::signed(&root(1), &[1, 2]);
    let (outcome, out) = renewal(&stage, &old);
    waits_with(&outcome, &out, 0);
    carry_back(&stage, signed_twice);
    let (outcome, out) = renewal(&stage, &old);
    waits_with(&outcome, &out, 1);
    carry_back(&stage, |envelope| {
        forge::signed(&signed_twice(envelope), &[3])
    });
    let (outcome, _) = renewal(&stage, &old);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(outcome.out.contains("2 needed, 2 signed"), "{outcome:?}");
}

#[test]
fn a_strangers_and_a_wrong_signature_count_for_nothing_in_a_ceremony() {
    let stage = GENESIS.copy();
    let old = forge::signed(&forge::root(None, 1, &[1, 2, 3], 2), &[1, 2]);
    let (outcome, out) = renewal(&stage, &old);
    waits_with(&outcome, &out, 0);
    carry_back(&stage, |envelope| {
        let wrong = forge::signature(2, b"something else");
        forge::signed(envelope, &[1, 9]).with_signature(&forge::keyid(2), &wrong, &|_| false)
    });
    let (outcome, out) = renewal(&stage, &old);
    waits_with(&outcome, &out, 1);
}
