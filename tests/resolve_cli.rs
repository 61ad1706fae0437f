//! `resolve` over a whole signed tree, as other programs use it.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/forge.rs"]
mod forge;
#[path = "resolve_cli/tree.rs"]
mod tree;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tree::{Tree, delegating, delegation};

const USUAL: [&str; 7] = [
    "resolve",
    "--trusted-root",
    "1.root.json",
    "--repository",
    "metadata",
    "--at",
    "2026-12-01T00:00:00Z",
];

fn run(folder: &Path, more: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(folder)
        .args(USUAL)
        .args(more)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

/// The walks alone, without the notes about clients.
fn walks(folder: &Path, more: &[&str]) -> (i32, Vec<String>) {
    let (code, text) = run(folder, more);
    let lines = text.lines().filter(|line| !line.starts_with("note "));
    (code, lines.map(ToOwned::to_owned).collect())
}

/// Code, answer and the first error as `rule file: text`.
fn outcome(folder: &Path, path: &str) -> (i32, Value, String) {
    let (code, text) = run(folder, &["--json", path]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let error = findings.iter().find(|finding| finding["level"] == "error");
    let error = error.map(|it| {
        let [rule, file, text] = ["rule", "file", "text"].map(|name| it[name].as_str().unwrap());
        format!("{rule} {file}: {text}")
    });
    let answer = report["walks"][0]["answer"].clone();
    (code, answer, error.unwrap_or_default())
}

#[test]
fn every_branch_of_a_published_tree_resolves_with_its_walk() {
    let folder = Tree::new().publish();
    let (code, lines) = walks(
        folder.path(),
        &[
            "django/django-1.tar.gz",
            "flask/flask-1.tar.gz",
            "django/forged.tar.gz",
            "gone/gone-1.tar.gz",
        ],
    );
    assert_eq!(code, 0);
    let zeros = "0".repeat(64);
    let expected = format!(
        "\
Published: root v1, timestamp v9, snapshot v7
django/django-1.tar.gz
  targets: every search begins here; v3 does not list it
  claimed (by targets): the path's SHA-256 begins with a; v14 does not list it
  project-django (by claimed, terminating): the path matches django/*; v6 lists it
  FOUND in project-django: 7 bytes, sha256 {zeros}
flask/flask-1.tar.gz
  targets: every search begins here; v3 does not list it
  claimed (by targets): the path's SHA-256 begins with a; v14 does not list it
  recently-claimed (by targets): the path's SHA-256 begins with a; v20 does not list it
  project-flask (by recently-claimed, terminating): the path matches flask/*; v1 lists it
  FOUND in project-flask: 7 bytes, sha256 {zeros}
django/forged.tar.gz
  targets: every search begins here; v3 does not list it
  claimed (by targets): the path's SHA-256 begins with 6; v14 does not list it
  project-django (by claimed, terminating): the path matches django/*; v6 does not list it
  NOTHING: no role lists it; project-django was asked last: the delegation from claimed to project-django is terminating
gone/gone-1.tar.gz
  targets: every search begins here; v3 does not list it
  claimed (by targets): the path's SHA-256 begins with 7; v14 does not list it
  custody (by claimed, terminating): the path matches gone/*; v2 does not list it
  NOTHING: no role lists it; custody was asked last: the delegation from claimed to custody is terminating
RESOLVED: 2 found, 2 certainly not there, 0 without an answer; 0 errors"
    );
    assert_eq!(lines.join("\n"), expected);
}

#[test]
fn an_unclaimed_file_resolves_through_its_bin_and_a_star_does_not_cross_a_slash() {
    let folder = Tree::new().publish();
    for path in ["six/six-1.tar.gz", "django/deep/file"] {
        let (code, text) = run(folder.path(), &[path]);
        assert_eq!(code, 0, "{text}");
        let steps: Vec<&str> = text.lines().filter(|line| line.contains("; v")).collect();
        assert_eq!(steps.len(), 5, "{text}");
        assert!(steps[4].starts_with("  bin-"), "{text}");
        assert!(
            steps[4].contains("(by unclaimed, terminating): the path's SHA-256 falls into bin ")
        );
        assert!(text.contains("  FOUND in bin-"));
        assert!(text.contains("note BINS-DIALECT "), "{text}");
    }
}

#[test]
fn a_claimed_file_that_is_missing_or_does_not_verify_is_no_answer() {
    let folder = Tree::new().publish();
    let (code, answer, error) = outcome(folder.path(), "lost/lost-1.tar.gz");
    let refused =
        "REPOSITORY-MISSING 1.project-lost.json: the snapshot lists it, but it is not there";
    assert_eq!((code, error.as_str()), (1, refused));
    assert_eq!(answer["missing"]["role"], "project-lost");
    let (code, lines) = walks(folder.path(), &["lost/lost-1.tar.gz", "lost/other"]);
    assert_eq!(code, 1);
    assert_eq!(
        lines[lines.len() - 3..],
        [
            "  NO ANSWER: project-lost is missing or does not verify; clients stop with an error"
                .to_owned(),
            format!("error {refused}"),
            "NOT RESOLVED: 0 found, 0 certainly not there, 2 without an answer; 1 error".to_owned(),
        ]
    );

    // One of two signatures: nobody below is asked, unclaimed projects neither.
    let mut tree = Tree::new();
    tree.role("claimed").signers = vec![13, 21];
    let folder = tree.publish();
    let missing = forge::keyid(14);
    let (code, answer, error) = outcome(folder.path(), "six/six-1.tar.gz");
    assert_eq!(
        (code, error),
        (
            1,
            format!(
                "REPOSITORY-ROLE 14.claimed.json: claimed needs 2 signatures by the keys that targets v3 names for claimed and has 1; missing: {missing}"
            )
        )
    );
    assert_eq!(answer["missing"]["role"], "claimed");
}

#[test]
fn a_file_that_is_a_link_is_not_followed() {
    let folder = Tree::new().publish();
    let file = folder.path().join("metadata/6.project-django.json");
    fs::rename(&file, folder.path().join("elsewhere.json")).unwrap();
    std::os::unix::fs::symlink("../elsewhere.json", &file).unwrap();
    let (code, _, error) = outcome(folder.path(), "django/django-1.tar.gz");
    assert_eq!(
        (code, error.as_str()),
        (
            1,
            "FILE-READ metadata/6.project-django.json: is not a regular file (a symbolic link); links, devices and pipes are not followed"
        )
    );
}

#[test]
fn cycles_end_and_what_stands_behind_a_terminating_delegation_is_not_asked() {
    let mut tree = Tree::new();
    // flask delegates to itself by way of another role, and then, terminating, to nothing that lists the path.
    let more = json!([
        delegation("flask-a", &[23], &["flask/*"], false),
        delegation("flask-b", &[23], &["flask/*"], true),
        delegation("project-lost", &[22], &["flask/*"], true),
    ]);
    let flask = tree.role("project-flask").signed.clone();
    let back = json!([delegation("project-flask", &[23], &["flask/*"], false)]);
    let mut leaf = flask.clone();
    leaf["targets"] = json!({});
    let a = tree::Role {
        signed: delegating(leaf.clone(), &[23], &back),
        signers: vec![23],
        version: 1,
    };
    let b = tree::Role {
        signed: leaf,
        signers: vec![23],
        version: 1,
    };
    tree.roles.insert("flask-a", a);
    tree.roles.insert("flask-b", b);
    tree.role("project-flask").signed = delegating(flask, &[22, 23], &more);
    let folder = tree.publish();
    let (code, lines) = walks(folder.path(), &["flask/other"]);
    assert_eq!(code, 0);
    assert_eq!(
        lines[6..10],
        [
            "  flask-a (by project-flask): the path matches flask/*; v1 does not list it",
            "  project-flask (by flask-a): the path matches flask/*; was asked already",
            "  flask-b (by project-flask, terminating): the path matches flask/*; v1 does not list it",
            "  NOTHING: no role lists it; flask-b was asked last: the delegation from project-flask to flask-b is terminating",
        ]
    );
}

#[test]
fn a_folder_that_is_not_published_yet_resolves_when_that_is_said() {
    let folder = Tree::new().publish();
    fs::remove_file(folder.path().join("metadata/timestamp.json")).unwrap();
    let (code, text) = run(folder.path(), &["django/django-1.tar.gz"]);
    assert_eq!(code, 1);
    assert_eq!(
        text,
        "error REPOSITORY-MISSING timestamp.json: it is not there; a published repository has it. For a folder that is not published yet, ask for the newest versions instead\nNOT RESOLVED: 0 found, 0 certainly not there, 0 without an answer; 1 error\n"
    );
    let (code, lines) = walks(folder.path(), &["--unpublished", "django/django-1.tar.gz"]);
    assert_eq!(code, 0);
    assert_eq!(
        lines[0],
        "Not published: root v1 and the newest version of each role that is there; nothing shows what is missing or held back"
    );
}

#[test]
fn the_role_name_attack_is_found_in_a_whole_snapshot() {
    let folder = Tree::new().publish();
    let (code, lines) = walks(folder.path(), &["--role-names"]);
    assert_eq!((code, lines.len()), (0, 2), "{lines:?}");
    // Who holds the online keys has recently-claimed give flask to him, and flask delegates to a role named as django's.
    let mut tree = Tree::new();
    let flask = tree.role("project-flask").signed.clone();
    let roles = json!([delegation("project-django", &[23], &["flask/*"], false)]);
    tree.role("project-flask").signed = delegating(flask, &[23], &roles);
    let folder = tree.publish();
    let (code, lines) = walks(folder.path(), &["--role-names"]);
    assert_eq!(code, 1);
    assert_eq!(
        lines[1],
        "error ROLE-NAME-ONE-DELEGATOR project-django.json: the role project-django is delegated by claimed and project-flask; a role name has one delegator, because clients may take the one for the other: python-tuf 7.0.1 and tuf-js 6.0.2 are the first that keep the two apart; for go-tuf it is not established"
    );
    assert_eq!(lines.len(), 3, "{lines:?}");
    // What nobody has signed is told as well, and what it delegates to not believed.
    let mut tree = Tree::new();
    tree.role("project-django").signers = vec![22];
    let (code, lines) = walks(tree.publish().path(), &["--role-names"]);
    assert_eq!((code, lines.len()), (1, 3));
    assert!(lines[1].starts_with(
        "error REPOSITORY-ROLE 6.project-django.json: project-django needs 1 signature"
    ));
    // A bin can delegate, too.
    let mut tree = Tree::new();
    let bin = tree.role("bin-1").signed.clone();
    let roles = json!([delegation("claimed", &[201], &[], false)]);
    tree.role("bin-1").signed = delegating(bin, &[201], &roles);
    let (code, lines) = walks(tree.publish().path(), &["--role-names"]);
    assert_eq!(code, 1);
    assert!(lines[1].starts_with("error ROLE-NAME-ONE-DELEGATOR claimed.json: the role claimed is delegated by targets and bin-1;"));
}

#[test]
fn expiry_is_told_and_bad_usage_and_unreadable_input_have_their_codes() {
    let folder = Tree::new().publish();
    let later = ["--at", "2028-01-01T00:00:00Z"];
    let output = Command::new(env!("CARGO_BIN_EXE_tuf-ceremony"))
        .current_dir(folder.path())
        .args(&USUAL[..5])
        .args(later)
        .arg("django/django-1.tar.gz")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("note REPOSITORY-EXPIRED 6.project-django.json: targets v6 expired at 2027-06-01T00:00:00Z; clients stop there today"));
    assert_eq!(run(folder.path(), &[]).0, 2);
    assert_eq!(run(folder.path(), &["x", "--nonsense"]).0, 2);
    fs::remove_file(folder.path().join("1.root.json")).unwrap();
    assert_eq!(run(folder.path(), &["x"]).0, 5);
}

#[test]
fn the_json_report_has_every_step() {
    let folder = Tree::new().publish();
    let (code, text) = run(folder.path(), &["--json", "django/forged.tar.gz"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, 0);
    assert_eq!(report["schema"], "tuf-ceremony/resolve/1");
    assert_eq!(
        (&report["ok"], &report["versions"]),
        (&json!(true), &json!("snapshot"))
    );
    assert_eq!(
        report["walks"],
        json!([{
            "path": "django/forged.tar.gz",
            "steps": [
                {"role": "targets", "delegator": null, "depth": 0, "why": "top", "terminating": false, "visit": {"lists-not": 3}},
                {"role": "claimed", "delegator": "targets", "depth": 1, "why": {"hash-prefix": "6"}, "terminating": false, "visit": {"lists-not": 14}},
                {"role": "project-django", "delegator": "claimed", "depth": 2, "why": {"pattern": "django/*"}, "terminating": true, "visit": {"lists-not": 6}},
            ],
            "answer": {"nothing": {"role": "project-django", "end": {"terminating": {"delegator": "claimed", "role": "project-django"}}}},
        }])
    );
}
