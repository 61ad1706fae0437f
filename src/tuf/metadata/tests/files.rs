use super::*;

fn online(role: &str, meta: &str) -> Envelope {
    let signed = format!(
        r#"{{"_type":"{role}","expires":"2027-11-22T00:00:00Z","meta":{meta},"spec_version":"1.0.0","version":4}}"#
    );
    fixture::parse(fixture::envelope(&signed, &[]))
}

#[test]
fn timestamp_and_snapshot_say_versions_lengths_and_hashes() {
    let digest = "ab".repeat(32);
    let entry = format!(r#"{{"version":3,"length":12,"hashes":{{"sha256":"{digest}","x":"?"}}}}"#);
    let timestamp = online("timestamp", &format!(r#"{{"snapshot.json":{entry}}}"#));
    let timestamp = Timestamp::read("timestamp.json", &timestamp).unwrap();
    assert_eq!(
        (timestamp.header.version, timestamp.snapshot.version),
        (4, 3)
    );
    assert_eq!(timestamp.snapshot.content.length, Some(12));
    assert_eq!(timestamp.snapshot.content.hashes["sha256"], digest);
    let meta = r#"{"targets.json":{"version":2},"bin-0.json":{"version":9}}"#;
    let snapshot = Snapshot::read("4.snapshot.json", &online("snapshot", meta)).unwrap();
    assert_eq!(snapshot.roles().collect::<Vec<_>>(), ["bin-0", "targets"]);
    assert_eq!(snapshot.role("bin-0").unwrap().version, 9);
    assert_eq!(snapshot.role("bin-0").unwrap().content, Content::default());
    assert!(snapshot.role("bin-1").is_none());
}

#[test]
fn timestamps_and_snapshots_of_the_wrong_form_are_refused_with_their_path() {
    let snapshot = |meta: &str| {
        let refused = Snapshot::read("s", &online("snapshot", meta)).unwrap_err();
        format!("{} {}", refused.rule, refused.text)
    };
    let upper = "AB".repeat(32);
    let cases = [
        ("[]".to_owned(), "META-FORM signed.meta must be an object".to_owned()),
        (r#"{"a.json":{}}"#.to_owned(), "META-FORM signed.meta.a.json has no member version".to_owned()),
        (r#"{"a.json":{"version":0}}"#.to_owned(), "META-FORM signed.meta.a.json.version is 0; versions begin with 1".to_owned()),
        (r#"{"a.json":{"version":1,"length":-1}}"#.to_owned(), "META-FORM signed.meta.a.json.length is -1; expected 0 or more".to_owned()),
        (r#"{"a.json":{"version":1,"hashes":{}}}"#.to_owned(), "META-FORM signed.meta.a.json.hashes is empty; leave it out or name a hash".to_owned()),
        (
            format!(r#"{{"a.json":{{"version":1,"hashes":{{"sha256":"{upper}"}}}}}}"#),
            format!("META-FORM signed.meta.a.json.hashes.sha256 is {upper}, which is no sha256 in lower case"),
        ),
        (r#"{"../a.json":{"version":1}}"#.to_owned(), "META-FORM signed.meta.../a.json stands under a name that is no metadata file: ../a.json would be a path as a file name".to_owned()),
        (r#"{"a":{"version":1}}"#.to_owned(), "META-FORM signed.meta.a stands under a name that is no metadata file: a does not end in .json".to_owned()),
    ];
    for (meta, expected) in cases {
        assert_eq!(snapshot(&meta), expected);
    }
    let timestamp = |role: &str, meta: &str| {
        let refused = Timestamp::read("t", &online(role, meta)).unwrap_err();
        format!("{} {}", refused.rule, refused.text)
    };
    let right = r#"{"snapshot.json":{"version":1}}"#;
    assert!(Timestamp::read("t", &online("timestamp", right)).is_ok());
    assert_eq!(
        timestamp("snapshot", right),
        "TIMESTAMP-TYPE signed._type is snapshot; expected timestamp"
    );
    assert_eq!(
        timestamp("timestamp", "{}"),
        "META-FORM signed.meta has no member snapshot.json"
    );
    assert_eq!(
        timestamp(
            "timestamp",
            r#"{"snapshot.json":{"version":1},"root.json":{"version":1}}"#
        ),
        "META-FORM signed.meta.root.json stands beside snapshot.json; a timestamp lists nothing else, not root.json"
    );
    let refused = Snapshot::read("s", &online("timestamp", right)).unwrap_err();
    assert_eq!(refused.rule, "SNAPSHOT-TYPE");
}

#[test]
fn forty_thousand_files_of_a_snapshot_are_read_in_one_pass() {
    let entry = |number: u32| format!(r#""project-{number}.json":{{"version":1}}"#);
    let entries: Vec<String> = (0..40_000).map(entry).collect();
    let envelope = online("snapshot", &format!("{{{}}}", entries.join(",")));
    let started = std::time::Instant::now();
    let snapshot = Snapshot::read("s", &envelope).unwrap();
    assert_eq!(snapshot.roles().count(), 40_000);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn targets_have_a_length_and_hashes() {
    let read = |targets: &str| {
        let signed = format!(
            r#"{{"_type":"targets","expires":"2027-11-22T00:00:00Z","spec_version":"1.0.0","targets":{targets},"version":1}}"#
        );
        let envelope = fixture::parse(fixture::envelope(&signed, &[]));
        target_files("targets.json", &envelope)
            .map_err(|refused| format!("{} {}", refused.rule, refused.text))
    };
    let digest = "ab".repeat(32);
    let one =
        format!(r#"{{"a/b":{{"length":0,"hashes":{{"sha256":"{digest}"}},"custom":{{"x":1}}}}}}"#);
    assert_eq!(read(&one).unwrap()["a/b"].hashes["sha256"], digest);
    assert_eq!(read("{}").unwrap().len(), 0);
    assert_eq!(
        read(r#"{"a":{"length":1}}"#).unwrap_err(),
        "TARGET-FORM signed.targets.a has no member hashes"
    );
    assert_eq!(
        read(r#"{"a":{"hashes":{"sha512":"x"},"length":1}}"#).unwrap_err(),
        "TARGET-FORM signed.targets.a.hashes.sha512 is x, which is no sha512 in lower case"
    );
}
