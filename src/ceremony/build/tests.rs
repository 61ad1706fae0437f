#![allow(clippy::unwrap_used, reason = "tests")]
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::ceremony::intake::Trusted;
use crate::ceremony::kinds;
use crate::ceremony::lint;
use crate::ceremony::script::Script;
use crate::tuf::chain;
use crate::tuf::edit::{RoleEdit, RoleEdits};
use crate::tuf::key::{Key, KeyId, PublicKey};

mod shards;

const EXPIRES: &str = "2027-01-01T00:00:00Z";
const LATER: &str = "2027-06-01T00:00:00Z";

fn secret(number: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[number; 32])
}

fn key(number: u8) -> Key {
    let public = secret(number).verifying_key().to_bytes();
    Key::from_public(&PublicKey::Ed25519(public)).unwrap()
}

fn spec(numbers: &[u8]) -> RoleSpec {
    RoleSpec {
        keys: numbers.iter().map(|number| key(*number)).collect(),
        threshold: u32::try_from(numbers.len()).unwrap(),
    }
}

/// A tree whose claimed (keys 3 and 4) has projects in custody.
fn trusted() -> Trusted {
    let root = RootSpec {
        version: 1,
        expires: EXPIRES.to_owned(),
        root: spec(&[1]),
        timestamp: spec(&[8]),
        snapshot: spec(&[8]),
        targets: spec(&[2]),
    };
    let root = edit::root("root", None, &root).unwrap();
    let sig = ed25519_dalek::Signer::sign(&secret(1), &root.payload()).to_bytes();
    let root = root.with_signature(&key(1).keyid(), &sig, &|_| false);
    let chain = chain::follow(
        ("1.root.json".to_owned(), root.bytes().to_vec()),
        Vec::new(),
    );
    assert!(chain.holds());
    let delegation = |name: &str, numbers: &[u8], terminating| CatchAllSpec {
        name: name.to_owned(),
        role: spec(numbers),
        terminating,
    };
    let targets = TargetsSpec {
        version: 1,
        expires: EXPIRES.to_owned(),
        delegations: vec![
            delegation("claimed", &[3, 4], false),
            delegation("recently-claimed", &[8], false),
            delegation("unclaimed", &[5], true),
        ],
    };
    let custody = RoleEdit {
        from: None,
        keyids: [3, 4].map(|number| key(number).keyid()).to_vec(),
        keys: [3, 4]
            .map(|number| (key(number).keyid(), key(number)))
            .into(),
        threshold: 2,
        paths: vec!["x/*".to_owned()],
        terminating: true,
    };
    let edits = RoleEdits {
        put: BTreeMap::from([("custody".to_owned(), custody)]),
        ..RoleEdits::default()
    };
    let claimed = edit::projects("claimed", 1, EXPIRES).unwrap();
    let claimed = edit::with_delegations("claimed", &claimed, 1, EXPIRES, &edits).unwrap();
    let mut trusted = Trusted {
        chain: Some(chain),
        ..Trusted::default()
    };
    for (role, envelope) in [
        ("targets", edit::targets("targets", &targets).unwrap()),
        ("claimed", claimed),
        ("custody", edit::projects("custody", 1, EXPIRES).unwrap()),
    ] {
        let targets = Targets::read(role, &envelope).unwrap();
        trusted.current.insert(role.to_owned(), (envelope, targets));
    }
    trusted
}

fn script(kind: &str, roles: &[(&str, &str, &str)], claimed: &[u8]) -> Script {
    let mut text = format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"{kind}\"\ntitle = \"t\"\nprofile = \"room\"\ntrusted_root_sha256 = \"{}\"\n",
        "0".repeat(64)
    );
    for (name, expires, more) in roles {
        let _ = write!(
            text,
            "[{name}]\nversion = 2\nexpires = \"{expires}\"\n{more}"
        );
    }
    for number in claimed {
        let public = data_encoding::HEXLOWER.encode(&secret(*number).verifying_key().to_bytes());
        let _ = write!(
            text,
            "[[holder]]\nname = \"h{number}\"\nperson = \"H {number}\"\nclaimed.public = \"{public}\"\n"
        );
    }
    Script::parse("script.toml", text.as_bytes()).unwrap()
}

/// The refusals of the kind and of the rule about custody's expiry, and what is built.
fn tried(script: &Script) -> (Vec<String>, Vec<Candidate>) {
    let trusted = trusted();
    let material = Material {
        script,
        trusted: &trusted,
        enrolled: &[],
        decisions: None,
        mode: Mode::Production,
    };
    let kind = kinds::of("script.toml", script).unwrap();
    let candidates = candidates(&material).unwrap();
    let now = "2026-11-22T00:00:00Z".parse().unwrap();
    let mut findings = (kind.check)(script, &trusted);
    let rules = lint::candidates(kind.name, &material, &candidates, now);
    findings.extend(
        rules
            .into_iter()
            .filter(|it| it.rule.starts_with("CUSTODY-")),
    );
    let texts = findings.into_iter().map(|finding| finding.text).collect();
    (texts, candidates)
}

fn keyids(targets: &Envelope, role: &str) -> Vec<KeyId> {
    let targets = Targets::read("x", targets).unwrap();
    let (_, role) = thresholds::delegated(&targets, role).unwrap();
    role.keyids
}

#[test]
fn custody_follows_claimed_in_renewals_and_key_changes() {
    let alone = script("renew", &[("claimed", LATER, "")], &[]);
    let text = "custody expires on 2027-01-01T00:00:00Z, before claimed does (2027-06-01T00:00:00Z): projects in custody could not be installed in between. Give [custody] its next version, which expires with claimed's or later";
    assert_eq!(tried(&alone).0, [text]);
    let both = script(
        "renew",
        &[("claimed", LATER, ""), ("custody", LATER, "")],
        &[],
    );
    let (refused, made) = tried(&both);
    assert_eq!(refused, [""; 0]);
    let roles: Vec<_> = made.iter().map(|it| it.document.to_string()).collect();
    assert_eq!(roles, ["claimed v2", "custody v2"]);

    let holders = "holders = [\"h4\", \"h6\"]\n";
    let alone = [("targets", LATER, ""), ("claimed", EXPIRES, holders)];
    let (refused, made) = tried(&script("admin-key", &alone, &[4, 6]));
    let text =
        "custody is signed by the claimed keys, which change: give [custody] its next version";
    assert_eq!(refused, [text]);
    let new = [4, 6].map(|number| key(number).keyid());
    assert_eq!(keyids(&made[0].envelope, "claimed"), new);
    assert_eq!(keyids(&made[1].envelope, "custody"), new);
    let all = [
        ("targets", LATER, ""),
        ("claimed", EXPIRES, holders),
        ("custody", EXPIRES, ""),
    ];
    let (refused, made) = tried(&script("admin-key", &all, &[4, 6]));
    assert_eq!(refused, [""; 0]);
    // It is judged by the keys that the new claimed gives it.
    let [threshold] = &made[2].thresholds[..] else {
        unreachable!("custody has one delegator");
    };
    assert_eq!(threshold.by, "the custody keys of claimed v2");
    assert_eq!(threshold.role.keyids, new);
}
