#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use super::*;
use crate::tuf::digest::Sha256;
use crate::tuf::fixture;
use crate::tuf::lookup::{Answer, Limits, walk};

type Map = BTreeMap<String, Vec<u8>>;

fn header(role: &str, version: u64) -> String {
    format!(
        r#""_type":"{role}","spec_version":"1.0.0","version":{version},"expires":"2027-11-22T00:00:00Z""#
    )
}

/// A targets role that lists `path` and delegates everything to each of `roles`, by the keys of that number.
fn targets(version: u64, path: &str, roles: &[(&str, u8)]) -> String {
    let header = header("targets", version);
    let hash = "0".repeat(64);
    let signers: Vec<u8> = roles.iter().map(|(_, key)| *key).collect();
    let entries: Vec<String> = roles
        .iter()
        .map(|(name, key)| {
            let role = fixture::role(&[*key], 1);
            let role = role.trim_matches(['{', '}']);
            format!(r#"{{"name":"{name}",{role},"terminating":false,"path_hash_prefixes":[""]}}"#)
        })
        .collect();
    let (keys, entries) = (fixture::keys(&signers), entries.join(","));
    format!(
        r#"{{{header},"targets":{{"{path}":{{"length":7,"hashes":{{"sha256":"{hash}"}}}}}},"delegations":{{"keys":{keys},"roles":[{entries}]}}}}"#
    )
}

fn snapshot(version: u64, roles: &[(&str, &str)]) -> String {
    let header = header("snapshot", version);
    let meta: Vec<String> = roles
        .iter()
        .map(|(name, said)| format!(r#""{name}.json":{{{said}}}"#))
        .collect();
    format!(r#"{{{header},"meta":{{{}}}}}"#, meta.join(","))
}

fn timestamp(said: &str) -> String {
    let header = header("timestamp", 9);
    format!(r#"{{{header},"meta":{{"snapshot.json":{{{said}}}}}}}"#)
}

/// Root v1 and v2 by key 1, which has all top-level roles; targets v3 delegates to claimed (key 2), claimed v5 to project-x (key 3) and project-y (key 4), whose
/// file is not there.
fn published() -> Map {
    let claimed = [("project-x", 3), ("project-y", 4)];
    let listed = [
        ("root", r#""version":2"#),
        ("targets", r#""version":3"#),
        ("claimed", r#""version":5"#),
        ("project-x", r#""version":1"#),
        ("project-x_2", r#""version":1"#),
        ("project-y", r#""version":1"#),
    ];
    let files = [
        ("1.root.json", fixture::root(1, &[1], 1), 1),
        ("2.root.json", fixture::root(2, &[1], 1), 1),
        ("timestamp.json", timestamp(r#""version":7"#), 1),
        ("7.snapshot.json", snapshot(7, &listed), 1),
        ("3.targets.json", targets(3, "t", &[("claimed", 2)]), 1),
        ("5.claimed.json", targets(5, "c", &claimed), 2),
        ("1.project-x.json", targets(1, "x/x", &[]), 3),
        ("1.project-x_2.json", targets(1, "x/x", &[]), 3),
    ];
    let files = files.into_iter();
    files
        .map(|(name, signed, key)| (name.to_owned(), fixture::signed_by(&signed, &[key])))
        .collect()
}

fn trusted() -> (String, Vec<u8>) {
    let bytes = fixture::signed_by(&fixture::root(1, &[1], 1), &[1]);
    ("trusted.json".to_owned(), bytes)
}

fn open(files: Map) -> Result<Repository, Vec<Finding>> {
    Repository::published(trusted(), Memory::new(files))
}

fn with(name: &str, signed: &str, key: u8) -> Map {
    let mut files = published();
    files.insert(name.to_owned(), fixture::signed_by(signed, &[key]));
    files
}

fn without(name: &str) -> Map {
    let mut files = published();
    files.remove(name).unwrap();
    files
}

fn told(finding: &Finding) -> String {
    format!("{} {}: {}", finding.rule, finding.file, finding.text)
}

/// What refuses the repository as a whole.
fn refusal(files: Map) -> String {
    let findings = open(files).err().unwrap();
    told(findings.last().unwrap())
}

#[test]
fn a_published_repository_is_verified_role_by_role() {
    let repository = open(published()).ok().unwrap();
    assert_eq!(repository.versions(), Versions::Snapshot);
    assert_eq!(repository.roots().len(), 2);
    let listed: Vec<&str> = repository.listed().collect();
    let names = [
        "claimed",
        "project-x",
        "project-x_2",
        "project-y",
        "targets",
    ];
    assert_eq!(listed, names);
    let x: Vec<&str> = repository.listed_with("project-x").collect();
    assert_eq!(x, ["project-x", "project-x_2"]);
    assert!(repository.has_file("project-x") && !repository.has_file("project-y"));
    let project = repository.role(&["claimed", "project-x"]).ok().unwrap();
    assert_eq!(project.name(), "project-x");
    assert_eq!(project.listing().file(), "1.project-x.json");
    assert_eq!(project.listing().target("x/x").unwrap().length, 7);
    assert!(project.listing().envelope().bytes().starts_with(b"{"));
    // Asked again, nothing is read again: the files are gone from memory.
    assert!(repository.role(&["claimed", "project-x"]).is_ok());
    let found = walk(&repository, "x/x", Limits::default());
    assert_eq!(found.answering(), Some("project-x"));
    assert_eq!(found.steps.len(), 3);
}

#[test]
fn a_role_that_is_missing_or_that_nobody_delegates_to_has_no_answer() {
    let repository = open(published()).ok().unwrap();
    let refused = |path: &[&str]| told(&repository.role(path).err().unwrap());
    assert_eq!(
        refused(&["claimed", "project-y"]),
        "REPOSITORY-MISSING 1.project-y.json: the snapshot lists it, but it is not there"
    );
    assert_eq!(
        refused(&["claimed", "project-x_2"]),
        "REPOSITORY-ROLE project-x_2.json: claimed v5 does not delegate to it"
    );
    assert_eq!(
        refused(&["bins"]),
        "REPOSITORY-ROLE bins.json: targets v3 does not delegate to it"
    );
    let files = with("3.targets.json", &targets(3, "t", &[("bins", 2)]), 1);
    assert_eq!(
        told(&open(files).ok().unwrap().role(&["bins"]).err().unwrap()),
        "REPOSITORY-MISSING bins.json: the snapshot does not list it, so clients cannot ask it"
    );
    let Answer::Missing { role, finding } = walk(&repository, "y", Limits::default()).answer else {
        panic!("an answer without a file");
    };
    assert_eq!(
        (role.as_str(), finding.rule.as_str()),
        ("project-y", "REPOSITORY-MISSING")
    );
}

#[test]
fn a_role_that_its_delegator_did_not_sign_or_the_snapshot_does_not_mean_is_refused() {
    let refused = |files: Map| {
        let repository = open(files).ok().unwrap();
        let refused = repository.role(&["claimed", "project-x"]).err().unwrap();
        // It is told the same the second time, from what is kept.
        assert_eq!(
            repository.role(&["claimed", "project-x"]).err().unwrap(),
            refused
        );
        told(&refused)
    };
    let forged = with("1.project-x.json", &targets(1, "x/forged", &[]), 9);
    let missing = fixture::keyid(3);
    assert_eq!(
        refused(forged),
        format!(
            "REPOSITORY-ROLE 1.project-x.json: project-x needs 1 signature by the keys that claimed v5 names for project-x and has 0; missing: {missing}"
        )
    );
    let other = with("1.project-x.json", &targets(2, "x/x", &[]), 3);
    assert_eq!(
        refused(other),
        "REPOSITORY-ROLE 1.project-x.json: it says that it is v2, but v1 is meant"
    );
    let no_root = with("1.project-x.json", &fixture::root(1, &[3], 1), 3);
    assert_eq!(
        refused(no_root),
        "TARGETS-TYPE 1.project-x.json: signed._type is root; expected targets"
    );
    let claimed = with("5.claimed.json", &targets(5, "c", &[("project-x", 3)]), 3);
    assert!(refused(claimed).starts_with("REPOSITORY-ROLE 5.claimed.json: claimed needs 1"));
    let mut many = published();
    let signature = fixture::sign(3, b"");
    let keyid = fixture::keyid(3).0;
    let signatures = vec![(keyid.as_str(), signature.as_str()); 257];
    let file = fixture::envelope(&targets(1, "x/x", &[]), &signatures);
    many.insert("1.project-x.json".to_owned(), file);
    assert_eq!(
        refused(many),
        "REPOSITORY-ROLE 1.project-x.json: signatures has 257 entries; at most 256 are read"
    );
}

#[test]
fn length_and_hash_in_the_snapshot_bind_the_file() {
    let x = published()["1.project-x.json"].clone();
    let said = |what: &str| {
        let listed = [
            ("targets", r#""version":3"#.to_owned()),
            ("claimed", r#""version":5"#.to_owned()),
            ("project-x", format!(r#""version":1,{what}"#)),
        ];
        let listed = listed.each_ref().map(|(name, said)| (*name, said.as_str()));
        let files = with("7.snapshot.json", &snapshot(7, &listed), 1);
        open(files).ok().unwrap()
    };
    let (length, digest) = (x.len(), Sha256::of(&x));
    let right = said(&format!(
        r#""length":{length},"hashes":{{"blake2b-256":"?","sha256":"{digest}"}}"#
    ));
    assert!(right.role(&["claimed", "project-x"]).is_ok());
    let wrong = |what: &str| told(&said(what).role(&["claimed", "project-x"]).err().unwrap());
    assert_eq!(
        wrong(r#""length":5"#),
        format!(
            "REPOSITORY-ROLE 1.project-x.json: it is not the file that the snapshot means: it is {length} bytes long instead of 5"
        )
    );
    let zeros = "0".repeat(64);
    assert_eq!(
        wrong(&format!(r#""hashes":{{"sha256":"{zeros}"}}"#)),
        format!(
            "REPOSITORY-ROLE 1.project-x.json: it is not the file that the snapshot means: its sha256 is {digest} instead of {zeros}"
        )
    );
}

#[test]
fn timestamp_and_snapshot_are_there_signed_and_mean_each_other() {
    let advice = "it is not there; a published repository has it. For a folder that is not published yet, ask for the newest versions instead";
    assert_eq!(
        refusal(without("timestamp.json")),
        format!("REPOSITORY-MISSING timestamp.json: {advice}")
    );
    assert_eq!(
        refusal(without("7.snapshot.json")),
        format!("REPOSITORY-MISSING 7.snapshot.json: {advice}")
    );
    let keyid = fixture::keyid(1);
    assert_eq!(
        refusal(with("timestamp.json", &timestamp(r#""version":7"#), 2)),
        format!(
            "REPOSITORY-TIMESTAMP timestamp.json: timestamp needs 1 signature by the keys that root v2 names for timestamp and has 0; missing: {keyid}"
        )
    );
    assert_eq!(
        refusal(with("7.snapshot.json", &snapshot(7, &[]), 2)),
        format!(
            "REPOSITORY-SNAPSHOT 7.snapshot.json: snapshot needs 1 signature by the keys that root v2 names for snapshot and has 0; missing: {keyid}"
        )
    );
    assert_eq!(
        refusal(with("7.snapshot.json", &snapshot(8, &[]), 1)),
        "REPOSITORY-SNAPSHOT 7.snapshot.json: it is snapshot v8, but the timestamp means v7"
    );
    let short = with("timestamp.json", &timestamp(r#""version":7,"length":3"#), 1);
    assert!(refusal(short).starts_with("REPOSITORY-SNAPSHOT 7.snapshot.json: it is not the snapshot that the timestamp means: it is "));
    assert!(
        refusal(with("2.root.json", &fixture::root(2, &[2], 1), 2))
            .starts_with("ROOT-THRESHOLD-OLD")
    );
}

#[test]
fn a_folder_that_is_not_published_yet_is_read_at_its_newest_versions() {
    let mut files = published();
    files.remove("timestamp.json");
    files.remove("7.snapshot.json");
    let claimed = targets(10, "c", &[("project-x", 3)]);
    files.insert(
        "10.claimed.json".to_owned(),
        fixture::signed_by(&claimed, &[2]),
    );
    files.insert("readme.txt".to_owned(), Vec::new());
    // No number that a writer of ours would write, so no version.
    files.insert("011.claimed.json".to_owned(), Vec::new());
    let repository = Repository::unpublished(trusted(), Memory::new(files))
        .ok()
        .unwrap();
    assert_eq!(repository.versions(), Versions::Newest);
    assert!(repository.snapshot().is_none() && repository.timestamp().is_none());
    let claimed = repository.role(&["claimed"]).ok().unwrap();
    assert_eq!(claimed.listing().targets().header.version, 10);
    assert!(claimed.delegated("project-x").is_ok());
    assert!(claimed.delegated("project-y").is_err());
}

#[test]
fn what_has_expired_is_told_and_stops_nothing() {
    let repository = open(published()).ok().unwrap();
    repository.role(&["claimed"]).ok().unwrap();
    let at = |text: &str| repository.expired(text.parse().unwrap());
    assert!(at("2027-11-21T23:59:59Z").is_empty());
    let expired: Vec<String> = at("2027-11-22T00:00:00Z").iter().map(told).collect();
    let files: Vec<&str> = expired
        .iter()
        .map(|it| it.split([' ', ':']).nth(1).unwrap())
        .collect();
    let expected = [
        "2.root.json",
        "timestamp.json",
        "snapshot.json",
        "5.claimed.json",
        "3.targets.json",
    ];
    assert_eq!(files, expected);
    assert_eq!(
        expired[3],
        "REPOSITORY-EXPIRED 5.claimed.json: targets v5 expired at 2027-11-22T00:00:00Z; clients stop there today"
    );
}

#[test]
fn names_of_files_are_read_in_one_way() {
    let cases = [
        ("7.root.json", Some((Some(7), "root"))),
        ("timestamp.json", Some((None, "timestamp"))),
        (
            "1.project-zope.interface.json",
            Some((Some(1), "project-zope.interface")),
        ),
        ("07.root.json", Some((None, "07.root"))),
        ("0.root.json", Some((None, "0.root"))),
        ("+7.root.json", Some((None, "+7.root"))),
        ("7.root.txt", None),
        (".json", None),
    ];
    for (name, expected) in cases {
        assert_eq!(files::split(name), expected, "{name}");
    }
    assert_eq!(role_file("root", Some(7)), "7.root.json");
}
