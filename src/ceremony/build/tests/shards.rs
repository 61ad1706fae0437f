//! Renewals and new keys where claimed has shards.

use super::*;
use crate::ceremony::sharding;
use crate::pypi::changes::{ChangeSet, Sharding, apply_sharded};
use crate::pypi::shards::Files;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Level;
use crate::tuf::metadata::Header;

const DATES: [&str; 2] = [EXPIRES, "2027-03-01T00:00:00Z"];

/// [`trusted`], whose claimed has eight projects, each in a shard of its own.
fn sharded() -> Trusted {
    let mut trusted = trusted();
    let (claimed, _) = trusted.current("claimed").unwrap().clone();
    let mut edits = RoleEdits::default();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let edit = RoleEdit {
            from: None,
            keyids: vec![key(7).keyid()],
            keys: BTreeMap::from([(key(7).keyid(), key(7))]),
            threshold: 1,
            paths: vec![format!("{name}/*")],
            terminating: true,
        };
        edits.put.insert(format!("project-{name}"), edit);
    }
    let claimed = edit::with_delegations("claimed", &claimed, 1, EXPIRES, &edits).unwrap();
    let (dates, signers) = (
        DATES.map(|date| Expires::parse(date).unwrap()),
        spec(&[3, 4]),
    );
    let sharding = Sharding {
        projects: 2048,
        expires: &dates,
        until: jiff::Timestamp::default(),
        signers: &signers,
        all: false,
        known: &|_| 0,
    };
    let made = apply_sharded(
        &Files::unsharded(&claimed),
        Some((1, LATER)),
        &ChangeSet::default(),
        None,
        &sharding,
    );
    let made = made.unwrap();
    let shards = made.shards.into_iter();
    let files = shards.map(|shard| (shard.role, shard.envelope));
    for (role, envelope) in files.chain([("claimed".to_owned(), made.claimed.unwrap())]) {
        let targets = Targets::read(&role, &envelope).unwrap();
        trusted.current.insert(role, (envelope, targets));
    }
    trusted
}

/// What is built and signed by whom, once nothing speaks against it.
fn built(script: &Script) -> Vec<Candidate> {
    let trusted = sharded();
    let material = Material {
        script,
        trusted: &trusted,
        enrolled: &[],
        decisions: None,
        mode: Mode::Production,
    };
    let kind = kinds::of("script.toml", script).unwrap();
    let refused = [
        sharding::check(script, &trusted),
        (kind.check)(script, &trusted),
    ];
    assert_eq!(refused.concat(), []);
    let candidates = candidates(&material).unwrap();
    let findings = (kind.prove)(&material, &candidates);
    assert!(
        findings.iter().all(|finding| finding.level < Level::Error),
        "{findings:?}"
    );
    assert!(
        findings
            .iter()
            .any(|finding| finding.rule == "REQUEST-EXACT")
    );
    candidates
}

fn roles(candidates: &[Candidate]) -> Vec<&str> {
    let documents = candidates.iter().map(|candidate| &candidate.document);
    documents.map(|document| document.role.as_str()).collect()
}

fn with_shards(script: &str, first: &str) -> Script {
    let text = format!("{script}[shards]\nexpires = [\"{first}\", \"2027-05-01T00:00:00Z\"]\n");
    Script::parse("script.toml", text.as_bytes()).unwrap()
}

const HEAD: &str = "schema = \"tuf-ceremony/script/1\"\ntitle = \"t\"\nprofile = \"room\"\ntrusted_root_sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";

#[test]
fn a_renewal_signs_the_shards_that_end_first_and_nothing_else() {
    let trusted = sharded();
    let ends = |role: &str| {
        let (envelope, _) = trusted.current(role).unwrap();
        Header::read(role, envelope)
            .unwrap()
            .expires
            .text()
            .to_owned()
    };
    let shards: Vec<_> = trusted
        .current
        .keys()
        .filter(|role| role.starts_with("claimed-"))
        .collect();
    let early: Vec<&str> = (shards.iter())
        .map(|role| role.as_str())
        .filter(|role| ends(role) == EXPIRES)
        .collect();
    assert!(!early.is_empty() && early.len() < shards.len(), "{early:?}");
    let script = with_shards(&format!("{HEAD}kind = \"renew\"\n"), "2027-02-01T00:00:00Z");
    let made = built(&script);
    assert_eq!(roles(&made), early);
    for candidate in &made {
        assert_eq!(candidate.document.version, 2);
        let [threshold] = &candidate.thresholds[..] else {
            unreachable!("a shard has one delegator");
        };
        assert_eq!(threshold.role.keyids.len(), 2);
    }
}

/// A script that gives claimed these keys.
fn new_keys(numbers: [u8; 2]) -> String {
    let mut text = format!("{HEAD}kind = \"admin-key\"\n");
    let [first, second] = numbers;
    let holders = format!("holders = [\"h{first}\", \"h{second}\"]\n");
    for (name, more) in [("targets", ""), ("claimed", &holders), ("custody", "")] {
        let _ = write!(text, "[{name}]\nversion = 2\nexpires = \"{LATER}\"\n{more}");
    }
    for number in numbers {
        let public = data_encoding::HEXLOWER.encode(&secret(number).verifying_key().to_bytes());
        let _ = write!(
            text,
            "[[holder]]\nname = \"h{number}\"\nperson = \"H\"\nclaimed.public = \"{public}\"\n"
        );
    }
    text
}

#[test]
fn new_keys_of_claimed_sign_every_shard() {
    let text = new_keys([4, 6]);
    let without = Script::parse("script.toml", text.as_bytes()).unwrap();
    assert_eq!(
        sharding::check(&without, &sharded())[0].text,
        "claimed has shards, which are signed with it: give [shards] with the dates on which they end"
    );
    let made = built(&with_shards(&text, "2027-02-01T00:00:00Z"));
    let shards = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| format!("claimed-{name}"));
    let shards = shards.iter().map(String::as_str);
    let expected: Vec<&str> = ["targets", "claimed"]
        .into_iter()
        .chain(shards)
        .chain(["custody"])
        .collect();
    assert_eq!(roles(&made), expected);
    let new = [4, 6].map(|number| key(number).keyid());
    for candidate in &made[2..] {
        let [threshold] = &candidate.thresholds[..] else {
            unreachable!("each has one delegator");
        };
        assert!(threshold.by.ends_with("of claimed v2"), "{}", threshold.by);
        let keyids: std::collections::BTreeSet<_> = threshold.role.keyids.iter().collect();
        assert_eq!(keyids, new.iter().collect());
    }
}

#[test]
fn an_administrators_key_that_a_project_has_is_found_in_its_shard() {
    // Each of the projects has key 7.
    for (numbers, shared) in [([4, 6], 0), ([4, 7], 1)] {
        let script = with_shards(&new_keys(numbers), "2027-02-01T00:00:00Z");
        let trusted = sharded();
        let material = Material {
            script: &script,
            trusted: &trusted,
            enrolled: &[],
            decisions: None,
            mode: Mode::Production,
        };
        let made = candidates(&material).unwrap();
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let mut found = lint::candidates("admin-key", &material, &made, now);
        found.retain(|finding| finding.rule == "KEY-SHARED");
        assert_eq!(found.len(), shared, "{found:?}");
    }
}
