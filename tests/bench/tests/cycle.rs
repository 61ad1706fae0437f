//! The programs that are measured do what they say, on a data set made here.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;

use bench::stages::Stages;
use bench::{cycle, limit, made, review};

#[test]
fn cycle_signs_what_verifies_and_the_limit_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    made::write(folder.path(), 1000).unwrap();
    let (ours, least) = (folder.path().join("ours"), folder.path().join("least"));
    let mut lines = Vec::new();
    cycle::run(folder.path(), &ours, &mut Stages::new(&mut lines)).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let counts = lines.lines().last().unwrap();
    assert_eq!(counts, r#"{"added":10,"removed":1,"rekeyed":5}"#);
    cycle::accept(folder.path(), &ours).unwrap();
    limit::run(folder.path(), &least, &mut Stages::new(&mut Vec::new())).unwrap();
    assert!(fs::read(&ours).unwrap() == fs::read(&least).unwrap());
}

#[test]
fn another_difference_than_the_expected_one_is_no_measurement() {
    let folder = tempfile::tempdir().unwrap();
    made::write(folder.path(), 100).unwrap();
    let expected = folder.path().join("expected.json");
    let text = fs::read_to_string(&expected).unwrap();
    fs::write(&expected, text.replace("\"rekeyed\":1", "\"rekeyed\":2")).unwrap();
    let out = folder.path().join("out");
    let error = cycle::run(folder.path(), &out, &mut Stages::new(&mut Vec::new())).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"the difference {"added":1,"removed":1,"rekeyed":1} is not that of expected.json"#
    );
    assert!(!out.exists());
}

#[test]
fn review_has_an_entry_for_every_project() {
    let folder = tempfile::tempdir().unwrap();
    made::write(folder.path(), 100).unwrap();
    let mut lines = Vec::new();
    review::run(folder.path(), &mut Stages::new(&mut lines)).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let waits: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(waits["entries"], 100);
    assert!(waits["slowest_key_ms"].as_f64().unwrap() > 0.0);
}
