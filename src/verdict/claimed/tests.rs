#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::pypi::changes::{After, Change, NewShard, Sharding, apply_sharded};
use crate::pypi::project::Project;
use crate::tuf::edit::{self, CatchAllSpec, TargetsSpec};
use crate::tuf::expires::Expires;
use crate::tuf::finding::Level;
use crate::tuf::key::{Key, PublicKey};

const EXPIRES: &str = "2027-06-01T00:00:00Z";

fn key(number: u8) -> Key {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[number; 32]);
    Key::from_public(&PublicKey::Ed25519(secret.verifying_key().to_bytes())).unwrap()
}

fn spec() -> RoleSpec {
    RoleSpec {
        keys: vec![key(3), key(4)],
        threshold: 2,
    }
}

fn claims(names: &[&str]) -> ChangeSet {
    let change = |name: &&str| {
        let keys = [(key(7).keyid(), key(7))].into();
        let after = After::Delegate {
            generation: 1,
            keys,
            threshold: 1,
        };
        let before = None;
        (Project::parse(name).unwrap(), Change { before, after })
    };
    ChangeSet {
        changes: names.iter().map(change).collect(),
    }
}

fn divided(
    old: &Files<'_>,
    version: Option<u64>,
    changes: &ChangeSet,
) -> (Option<Envelope>, Vec<NewShard>) {
    let dates = [Expires::parse(EXPIRES).unwrap()];
    let sharding = Sharding {
        projects: 9,
        expires: &dates,
        until: jiff::Timestamp::default(),
        signers: &spec(),
        all: false,
        known: &|_| 0,
    };
    let header = version.map(|version| (version, EXPIRES));
    let made = apply_sharded(old, header, changes, None, &sharding).unwrap();
    (made.claimed, made.shards)
}

fn file(role: &str, version: u64, envelope: &Envelope) -> File {
    File {
        path: format!("metadata/{version}.{role}.json"),
        bytes: envelope.bytes().to_vec(),
    }
}

/// A bundle of a claim of `b2` where claimed has the shards of `a` and `b`: only the second is made anew.
fn bundle() -> Vec<File> {
    let none = edit::projects("claimed", 1, EXPIRES).unwrap();
    let (claimed, shards) = divided(&Files::unsharded(&none), Some(2), &claims(&["a", "b"]));
    let claimed = claimed.unwrap();
    let delegation = CatchAllSpec {
        name: "claimed".to_owned(),
        role: spec(),
        terminating: false,
    };
    let targets = TargetsSpec {
        version: 1,
        expires: EXPIRES.to_owned(),
        delegations: vec![delegation],
    };
    let targets = edit::targets("targets", &targets).unwrap();
    let mut files = vec![file("targets", 1, &targets), file("claimed", 2, &claimed)];
    files.extend(
        shards
            .iter()
            .map(|shard| file(&shard.role, shard.version, &shard.envelope)),
    );
    let old = Files {
        claimed: &claimed,
        shards: shards
            .iter()
            .map(|shard| (shard.role.as_str(), &shard.envelope))
            .collect(),
    };
    let (unchanged, made) = divided(&old, None, &claims(&["b2"]));
    assert!(unchanged.is_none());
    files.extend(
        made.iter()
            .map(|shard| file(&shard.role, shard.version, &shard.envelope)),
    );
    files.push(script(9, EXPIRES));
    files
}

fn script(projects: usize, expires: &str) -> File {
    let requests = "0".repeat(64);
    let text = format!(
        r#"schema = "tuf-ceremony/script/1"
kind = "claim"
title = "A claim"
profile = "room"
[claim]
on = "2026-11-22T00:00:00Z"
next_ceremony = "2026-12-22T00:00:00Z"
next_but_one = "2027-01-22T00:00:00Z"
requests_sha256 = "{requests}"
[shards]
projects = {projects}
expires = ["{expires}"]
"#
    );
    File {
        path: SCRIPT.to_owned(),
        bytes: text.into_bytes(),
    }
}

fn judged(files: &[File], names: &[&str]) -> Vec<Finding> {
    let versions = Versions::of(files).unwrap().unwrap();
    versions
        .exact(files, &claims(names), None, false)
        .unwrap_or_else(|finding| vec![finding])
}

#[test]
fn what_a_claim_did_to_shards_follows_from_its_bundle() {
    let files = bundle();
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "metadata/1.targets.json",
            "metadata/2.claimed.json",
            "metadata/1.claimed-a.json",
            "metadata/1.claimed-b.json",
            "metadata/2.claimed-b.json",
            "ceremony/script.toml",
        ]
    );
    let exact = judged(&files, &["b2"]);
    assert_eq!(
        exact[0].text,
        "1 added; 2 entries identical; nothing else differs"
    );
    let versions = Versions::of(&files).unwrap().unwrap();
    let (before, after) = versions.strict().unwrap();
    assert_eq!((before.projects.len(), after.projects.len()), (2, 3));

    // Another request than was done, and a shard that is not there.
    let without_shards = [&files[..2], &files[5..]].concat();
    for refused in [
        judged(&files, &["a2"]),
        judged(&files, &[]),
        judged(&without_shards, &["b2"]),
    ] {
        assert!(!refused.is_empty());
        assert!(
            refused
                .iter()
                .all(|it| it.level == Level::Error && it.rule == "REQUEST-EXACT")
        );
    }
    let unsaid = judged(&files[1..], &["b2"]);
    assert_eq!(unsaid[0].rule, "SHARD-SIGNERS");
    assert_eq!(
        unsaid[0].text,
        "the bundle has no targets, which says who signs claimed and its shards"
    );
}

#[test]
fn a_first_claim_into_shards_follows_from_its_bundle() {
    let files = bundle();
    let none = edit::projects("claimed", 1, EXPIRES).unwrap();
    let mut first: Vec<File> = files.into_iter().take(4).collect();
    first.extend([script(9, EXPIRES), file("claimed", 1, &none)]);
    let exact = judged(&first, &["a", "b"]);
    assert_eq!(
        exact[0].text,
        "2 added; 0 entries identical; nothing else differs"
    );
    // One version of claimed without shards is no ceremony's about projects.
    assert!(Versions::of(&first[5..]).is_none());
}

#[test]
fn shards_are_those_that_the_script_asks_for() {
    let files = bundle();
    let told = |script: Option<File>| {
        let files: Vec<File> = files[..5].iter().cloned().chain(script).collect();
        let mut findings = judged(&files, &["b2"]);
        findings.retain(|finding| finding.level == Level::Error);
        findings
    };
    assert_eq!(told(Some(script(9, EXPIRES))), []);
    let undivided = "its shards are not those that follow from the version before with at most 1 in each, as the script says";
    assert_eq!(
        told(Some(script(1, EXPIRES))),
        [Finding::error("SHARD-LAYOUT", "claimed", undivided)]
    );
    let late = "it ends on 2027-06-01T00:00:00Z, which is not its date of shards.expires";
    assert_eq!(
        told(Some(script(9, "2027-07-01T00:00:00Z"))),
        [Finding::error("SHARD-EXPIRES", "claimed-b", late)]
    );
    let unsaid = "it is not there: how claimed is divided cannot be followed";
    assert_eq!(told(None), [Finding::error("SHARD-LAYOUT", SCRIPT, unsaid)]);
}
