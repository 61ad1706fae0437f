#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::tuf::key::{Key, KeyId, PublicKey};
use crate::tuf::metadata::{Header, RoleKeys, RoleType};

fn key(number: u8) -> Key {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[number; 32]);
    Key::from_public(&PublicKey::Ed25519(secret.verifying_key().to_bytes())).unwrap()
}

fn signers(number: u8) -> (KeyId, Key, RoleKeys) {
    let key = key(number);
    let keyids = vec![key.keyid()];
    let role = RoleKeys {
        keyids,
        threshold: 1,
    };
    (key.keyid(), key, role)
}

fn role_of(delegations: Delegations) -> Targets {
    Targets {
        header: Header {
            role_type: RoleType::Targets,
            spec_version: "1.0.0".to_owned(),
            version: 1,
            expires: crate::tuf::expires::Expires::parse("2027-01-01T00:00:00Z").unwrap(),
        },
        targets: 0,
        delegations: Some(delegations),
    }
}

/// A role that delegates `name/*` to each of `roles`, by the key of that number.
fn delegates(roles: &[(&str, u8)]) -> Targets {
    let mut keys = std::collections::BTreeMap::new();
    let mut listed = Vec::new();
    for (name, number) in roles {
        let (keyid, key, role) = signers(*number);
        keys.insert(keyid, key);
        listed.push(DelegatedRole {
            name: (*name).to_owned(),
            role,
            terminating: true,
            paths: vec![format!("{name}/*")],
            path_hash_prefixes: Vec::new(),
        });
    }
    role_of(Delegations::made(&keys, &listed, None))
}

fn bins(prefix: &str, bit_length: u32) -> Targets {
    let (keyid, key, role) = signers(9);
    let succinct = SuccinctRoles {
        role,
        bit_length,
        name_prefix: prefix.to_owned(),
    };
    let keys = [(keyid, key)].into();
    role_of(Delegations::made(&keys, &[], Some(succinct)))
}

fn found(roles: &[(&str, Targets)]) -> Vec<String> {
    let roles = roles.iter().map(|(name, targets)| (*name, targets));
    let findings = findings(roles);
    assert!(findings.iter().all(|finding| finding.rule == RULE));
    findings
        .into_iter()
        .map(|finding| format!("{}: {}", finding.file, finding.text))
        .collect()
}

fn twice(file: &str, role: &str, by: &str) -> String {
    format!(
        "{file}: the role {role} is delegated by {by}; a role name has one delegator, because clients may take the one for the other: python-tuf 7.0.1 and tuf-js 6.0.2 are the first that keep the two apart; for go-tuf it is not established"
    )
}

/// The tree of PEP 480 with django claimed and flask recently claimed.
fn tree() -> Vec<(&'static str, Targets)> {
    vec![
        (
            "targets",
            delegates(&[("claimed", 1), ("recently-claimed", 2), ("unclaimed", 3)]),
        ),
        ("claimed", delegates(&[("project-django", 4)])),
        ("recently-claimed", delegates(&[("project-flask", 5)])),
        ("unclaimed", bins("bin", 14)),
        ("project-django", delegates(&[("django-docs", 6)])),
    ]
}

#[test]
fn a_role_name_has_one_delegator_over_the_whole_snapshot() {
    assert_eq!(found(&tree()), [""; 0]);
    // The attack: a project's own metadata delegates to a role named as another project's.
    let mut attacked = tree();
    attacked.push(("project-flask", delegates(&[("project-django", 7)])));
    assert_eq!(
        found(&attacked),
        [twice(
            "project-django.json",
            "project-django",
            "claimed and project-flask"
        )]
    );
    let mut above = tree();
    above.push(("django-docs", delegates(&[("claimed", 1)])));
    assert_eq!(
        found(&above),
        [twice("claimed.json", "claimed", "targets and django-docs")]
    );
}

#[test]
fn a_project_on_the_move_has_two_delegators_that_say_the_same() {
    let with = |recently: Targets| {
        let mut tree = tree();
        tree[2] = ("recently-claimed", recently);
        found(&tree)
    };
    assert_eq!(with(delegates(&[("project-django", 4)])), [""; 0]);
    let both = "claimed and recently-claimed";
    let between = ". While a project moves, recently-claimed and claimed must name the same keys, threshold, paths and end for it";
    let refused = [twice("project-django.json", "project-django", both) + between];
    assert_eq!(with(delegates(&[("project-django", 8)])), refused);
    let change = |change: fn(&mut DelegatedRole)| {
        let mut targets = delegates(&[("project-django", 4)]);
        let delegations = targets.delegations.as_mut().unwrap();
        delegations.change(|_, roles| change(&mut roles[0]));
        with(targets)
    };
    assert_eq!(change(|role| role.terminating = false), refused);
    assert_eq!(
        change(|role| role.paths.push("other/*".to_owned())),
        refused
    );
    assert_eq!(change(|role| role.role.threshold = 2), refused);
    // Only projects move.
    let mut custody = tree();
    custody[1] = ("claimed", delegates(&[("custody", 4)]));
    custody[2] = ("recently-claimed", delegates(&[("custody", 4)]));
    assert_eq!(
        found(&custody),
        [twice("custody.json", "custody", both) + between]
    );
    // And a third delegator is one too many.
    let mut third = tree();
    third[2] = ("recently-claimed", delegates(&[("project-django", 4)]));
    third.push(("django-docs", delegates(&[("project-django", 4)])));
    assert_eq!(
        found(&third),
        [twice(
            "project-django.json",
            "project-django",
            "claimed and recently-claimed and 1 more"
        )]
    );
}

#[test]
fn bins_are_compared_as_ranges() {
    let with = |name: &str| {
        let mut tree = tree();
        tree.push(("django-docs", delegates(&[(name, 7)])));
        found(&tree)
    };
    assert_eq!(
        with("bin-3fff"),
        [twice(
            "bin-3fff.json",
            "bin-3fff",
            "django-docs and unclaimed"
        )]
    );
    for name in ["bin-4000", "bin-03fff", "bin-3FFF", "bin-fff", "bin"] {
        assert_eq!(with(name), [""; 0], "{name}");
    }
    let ranges = |prefix: &str, bits: u32| {
        let mut tree = tree();
        tree.push(("django-docs", bins(prefix, bits)));
        found(&tree)
    };
    let refused = "bin-0000.json: the bins from bin-0000 on are delegated by unclaimed and django-docs; a role name has one delegator, because clients may take the one for the other: python-tuf 7.0.1 and tuf-js 6.0.2 are the first that keep the two apart; for go-tuf it is not established. Give one of them another prefix";
    // 13 and 14 bits both have four digits.
    assert_eq!(ranges("bin", 14), [refused]);
    assert_eq!(ranges("bin", 13), [refused]);
    assert_eq!(ranges("bin", 12), [""; 0]);
    assert_eq!(ranges("other", 14), [""; 0]);
}

#[test]
fn forty_thousand_roles_are_judged_in_one_pass() {
    let names: Vec<String> = (0..20_000)
        .map(|number| format!("project-{number}"))
        .collect();
    let listed: Vec<(&str, u8)> = names.iter().map(|name| (name.as_str(), 4)).collect();
    let roles = [("claimed", delegates(&listed)), ("foo", delegates(&listed))];
    let started = std::time::Instant::now();
    assert_eq!(found(&roles).len(), 20_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
