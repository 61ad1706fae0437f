#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::ceremony::event::{Document, Mode};
use crate::ceremony::intake::Trusted;
use crate::ceremony::script::Script;
use crate::tuf::edit::{BinsSpec, CatchAllSpec, RoleSpec, TargetsSpec};
use crate::tuf::finding::Level;
use crate::tuf::key::{Key, PublicKey};
use crate::tuf::metadata::Targets;

const EXPIRES: &str = "2027-01-01T00:00:00Z";

fn targets(roles: &[(&str, bool)]) -> Envelope {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let key = Key::from_public(&PublicKey::Ed25519(secret.verifying_key().to_bytes()));
    let role = RoleSpec {
        keys: vec![key.unwrap()],
        threshold: 1,
    };
    let delegations = roles.iter().map(|(name, terminating)| CatchAllSpec {
        name: (*name).to_owned(),
        role: role.clone(),
        terminating: *terminating,
    });
    let spec = TargetsSpec {
        version: 1,
        expires: EXPIRES.to_owned(),
        delegations: delegations.collect(),
    };
    edit::targets("targets", &spec).unwrap()
}

fn bins(bit_length: u32) -> Envelope {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[2; 32]);
    let key = Key::from_public(&PublicKey::Ed25519(secret.verifying_key().to_bytes()));
    let spec = BinsSpec {
        version: 1,
        expires: EXPIRES.to_owned(),
        bit_length,
        name_prefix: "bin".to_owned(),
        role: RoleSpec {
            keys: vec![key.unwrap()],
            threshold: 1,
        },
    };
    edit::bins("bins", &spec).unwrap()
}

fn candidate(role: &str, envelope: Envelope) -> Candidate {
    Candidate {
        document: Document {
            role: role.to_owned(),
            version: 2,
        },
        envelope,
        old: None,
        thresholds: Vec::new(),
    }
}

/// What is proven when a tree of 16 bins gets these targets and the other files of PEP 480.
fn proven(roles: &[(&str, bool)], old: &[(&'static str, Envelope)]) -> Finding {
    // Keys have no part in this, so the script says nothing of them.
    let head = "schema = \"tuf-ceremony/script/1\"\nkind = \"redelegate\"\ntitle = \"t\"\nprofile = \"room\"\n";
    let script = Script::parse("script.toml", head.as_bytes()).unwrap();
    let mut trusted = Trusted::default();
    for (role, envelope) in old {
        let targets = Targets::read(role, envelope).unwrap();
        trusted
            .current
            .insert((*role).to_owned(), (envelope.clone(), targets));
    }
    let material = Material {
        script: &script,
        trusted: &trusted,
        enrolled: &[],
        decisions: None,
        mode: Mode::Production,
    };
    let claimed = edit::projects("claimed", 1, EXPIRES).unwrap();
    let mut findings = prove(
        &material,
        &[
            candidate("targets", targets(roles)),
            candidate("claimed", claimed),
            candidate("unclaimed", bins(4)),
        ],
    );
    assert_eq!(findings.len(), 1);
    findings.remove(0)
}

#[test]
fn change_of_an_answer_is_refused_with_both_walks() {
    let old = [("targets", targets(&[("bins", true)])), ("bins", bins(4))];
    let found = proven(
        &[
            ("claimed", false),
            ("recently-claimed", false),
            ("unclaimed", true),
        ],
        &old,
    );
    assert_eq!(
        (found.level, found.rule.as_str()),
        (Level::Note, RULE),
        "{}",
        found.text
    );
    assert_eq!(
        found.text,
        "16 paths were looked up, so that each of 16 bins is asked (no archive is named): they get the same answers before and after; the bins are asked through bins before and through unclaimed after"
    );
    let found = proven(&[("claimed", true), ("unclaimed", true)], &old);
    assert_eq!((found.level, found.rule.as_str()), (Level::Error, RULE));
    let end = "; after, targets, claimed: nobody answers: the delegation from targets to claimed is terminating. A redelegation keeps every answer";
    assert!(found.text.ends_with(end), "{}", found.text);
    let start = "a path would be answered otherwise. sample-0/sample_0-1.0.tar.gz: before, targets, bins, bin-";
    assert!(found.text.starts_with(start), "{}", found.text);
}

#[test]
fn tree_without_bins_cannot_be_compared() {
    let old = [("targets", targets(&[("other", true)]))];
    let found = proven(&[("claimed", false), ("unclaimed", true)], &old);
    assert_eq!(
        found.text,
        "targets delegates to no role with hash bins (TAP 15), so nothing can be compared; only trees with such bins are redelegated"
    );
    let old = [("targets", targets(&[("bins", true)]))];
    let found = proven(&[("claimed", false), ("unclaimed", true)], &old);
    assert_eq!(found.level, Level::Error);
}
