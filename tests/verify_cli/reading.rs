//! `inspect` and `review`.

use serde_json::Value;
use tuf_ceremony::bundle::part::AbandonedRecord;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::edit;

use super::scene::{bundle, replace};
use super::{run, text};

#[test]
fn review_tells_changes_quorums_clients_and_the_digest_in_words() {
    let bundle = bundle(|_| {});
    replace(&bundle.path("2.root.json"), &bundle.new.bytes());
    let output = run(
        bundle.folder.path(),
        &["review", "1.root.json", "2.root.json"],
    );
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let digest = bundle.new.payload_digest();
    for expected in [
        "  changed   version: 1 -> 2\n",
        "  by the keys of root v1 (old): 2 needed, 3 signed\n",
        "  by the keys of root v2 (new): 2 needed, 2 signed; not needed any more: ",
        "Which clients will read it:\n",
        "] tough ",
        &format!("SHA-256 of the bytes that are signed:\n  {digest}\n  "),
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    let json = run(
        bundle.folder.path(),
        &["review", "1.root.json", "2.root.json", "--json"],
    );
    let review: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(review["schema"], "tuf-ceremony/review/1");
    assert_eq!(review["payload"], digest.to_string());
    assert_eq!(review["words"].as_array().unwrap().len(), 32);
    let refused = run(
        bundle.folder.path(),
        &["review", "1.root.json", "bundle/manifest.json"],
    );
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        run(bundle.folder.path(), &["review", "1.root.json", "none"])
            .status
            .code(),
        Some(5)
    );
}

/// `claimed` as JSON: a project and its threshold each.
fn claimed(version: u64, projects: &[(&str, u32)]) -> String {
    let keyids = ["0".repeat(64), "1".repeat(64)];
    let keys = keyids.clone().map(|keyid| {
        format!(r#""{keyid}":{{"keytype":"test","keyval":{{"public":"{keyid}"}},"scheme":"test"}}"#)
    });
    let roles: Vec<_> = projects
        .iter()
        .map(|(project, threshold)| {
            format!(
                r#"{{"keyids":{keyids:?},"name":"project-{project}","paths":["{project}/*"],"terminating":true,"threshold":{threshold}}}"#
            )
        })
        .collect();
    format!(
        r#"{{"signatures":[],"signed":{{"_type":"targets","delegations":{{"keys":{{{}}},"roles":[{}]}},"expires":"2027-06-01T00:00:00Z","spec_version":"1.0.31","targets":{{}},"version":{version}}}}}"#,
        keys.join(","),
        roles.join(",")
    )
}

#[test]
fn review_of_delegations_counts_projects_and_tells_what_must_be_seen_whole() {
    let folder = tempfile::tempdir().unwrap();
    let old = claimed(1, &[("flask", 2), ("pip", 1), ("six", 1)]);
    let new = claimed(2, &[("flask", 1), ("numpy", 1), ("six", 1)]);
    std::fs::write(folder.path().join("1.claimed.json"), old).unwrap();
    std::fs::write(folder.path().join("2.claimed.json"), new).unwrap();
    let arguments = ["review", "1.claimed.json", "2.claimed.json"];
    let output = run(folder.path(), &arguments);
    let told = text(&output.stdout);
    for expected in [
        "  changed   version: 1 -> 2\n",
        "3 projects -> 3; 3 differ. Delegations, and what to look at:\n",
        "  [WARN]  same                   1  | ! threshold lowered                     1\n",
        "          added                  1  |   threshold above its keys              0\n",
        "flask: threshold down\n  [WARN]  threshold lowered: 2 -> 1\n",
        "  ADDED   numpy                     NEW  1 of 2 keys\n",
        "  REMOVED pip                       GONE\n",
        &format!("          keyid {}\n", "0".repeat(64)),
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    // What differs in projects stands in the one place.
    let (before, _) = told.split_once("Which clients").unwrap();
    assert!(!before.contains("project-numpy"), "{told}");
    let json = run(folder.path(), &[&arguments[..], &["--json"]].concat());
    let review: Value = serde_json::from_slice(&json.stdout).unwrap();
    let projects = &review["projects"];
    assert_eq!(projects["same"], 1);
    assert_eq!(projects["changed"][0]["name"], "flask");
    assert_eq!(projects["changed"][0]["kinds"][0], "threshold-down");
    assert_eq!(
        projects["changed"][0]["reasons"][0]["watch"],
        "threshold-lowered"
    );
    let rows = projects["changed"][1]["rows"].as_array().unwrap();
    assert!(
        rows.iter().any(|row| row["text"] == "role: project-numpy"),
        "{rows:?}"
    );
}

#[test]
fn inspect_says_what_a_file_is() {
    let bundle = bundle(|_| {});
    let cases = [
        (
            "1.root.json",
            "metadata",
            "Metadata: root v1, expires 2027-06-01T00:00:00Z, specification 1.0.0.\n",
        ),
        (
            "bundle/manifest.json",
            "manifest",
            "The manifest of a bundle of production, ceremony ",
        ),
        ("bundle/transcript.jsonl", "transcript", "A transcript, "),
    ];
    for (file, kind, expected) in cases {
        let told = text(&run(bundle.folder.path(), &["inspect", file]).stdout);
        assert!(told.contains(expected), "{told}");
        let json = run(bundle.folder.path(), &["inspect", file, "--json"]).stdout;
        let inspection: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(
            (&inspection["schema"], &inspection["kind"]),
            (&"tuf-ceremony/inspect/1".into(), &kind.into())
        );
    }
    let told = text(&run(bundle.folder.path(), &["inspect", "1.root.json"]).stdout);
    assert!(
        told.contains("; keyid is the key's digest\n  fingerprint "),
        "{told}"
    );
    assert!(
        told.contains("Role root: 2 of 3 keys must sign\n"),
        "{told}"
    );
    let record = AbandonedRecord::new(Sha256([9; 32]), Vec::new()).to_vec();
    replace(&bundle.path("record.json"), &record);
    let told = text(&run(bundle.folder.path(), &["inspect", "record.json"]).stdout);
    assert!(told.ends_with(" gave up for good:\n"), "{told}");
    let output = run(
        bundle.folder.path(),
        &["inspect", "bundle/ceremony/script.toml"],
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn text_of_strangers_reaches_the_terminal_escaped() {
    let bundle = bundle(|_| {});
    let hostile = "\u{1b}[2J\u{202e}mallory";
    let marked = edit::with_member(
        "x",
        &bundle.old,
        "x-note",
        tuf_ceremony::tuf::value::Value::string(hostile),
    )
    .unwrap();
    replace(&bundle.path("hostile.json"), &marked.bytes());
    let output = run(
        bundle.folder.path(),
        &["review", "1.root.json", "hostile.json"],
    );
    let told = [output.stdout, output.stderr].concat();
    assert!(
        told.iter()
            .all(|byte| *byte == b'\n' || (b' '..=b'~').contains(byte)),
        "{}",
        text(&told)
    );
    assert!(text(&told).contains("mallory"));
}
