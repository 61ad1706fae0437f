#![allow(clippy::unwrap_used, reason = "tests")]
use super::RoleClass::{EphemeralOffline, Online, Project, RetainedOffline};
use super::*;
use crate::tuf::expires::Expires;
use crate::tuf::finding::Level::{Error, Note, Warning};
use crate::tuf::metadata::{DelegatedRole, RoleType};

mod dates;

const NOW: &str = "2026-11-22T00:00:00Z";

fn key(number: u8) -> (KeyId, Key) {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[number; 32]);
    let public = PublicKey::Ed25519(secret.verifying_key().to_bytes());
    (
        KeyId(format!("k{number}")),
        Key::from_public(&public).unwrap(),
    )
}

fn role(name: &str, class: RoleClass, numbers: &[u8], threshold: u32) -> Role {
    Role {
        name: name.to_owned(),
        class,
        keys: numbers.iter().map(|number| key(*number)).collect(),
        threshold,
        header: None,
    }
}

fn dated(mut role: Role, version: u64, expires: &str) -> Role {
    role.header = Some(Header {
        role_type: RoleType::Targets,
        spec_version: "1.0.0".to_owned(),
        version,
        expires: Expires::parse(expires).unwrap(),
    });
    role
}

fn tree(roles: &[Role]) -> Tree {
    let persons = [
        (1, "Ada"),
        (2, "Bo"),
        (3, "Cy"),
        (4, "Di"),
        (5, "Ed"),
        (11, "Ada"),
        (21, "Ada"),
        (12, "Bo"),
    ];
    Tree {
        roles: roles.to_vec(),
        persons: persons
            .map(|(number, person)| (key(number).0, person.to_owned()))
            .into(),
        ..Tree::default()
    }
}

fn found(old: Option<&Tree>, new: &Tree, whose: Whose) -> Vec<(Level, String, String)> {
    lint(old, new, NOW.parse().unwrap(), whose)
        .into_iter()
        .map(|finding| (finding.level, finding.rule, finding.text))
        .collect()
}

fn judged(roles: &[Role]) -> Vec<(Level, String, String)> {
    found(None, &tree(roles), Whose::Ours)
}

fn finding(level: Level, rule: &str, text: &str) -> (Level, String, String) {
    (level, rule.to_owned(), text.to_owned())
}

/// The level of `rule` for a role of each class, in the order of the table in the module's text.
fn levels(rule: &str, numbers: &[u8], threshold: u32) -> [Option<Level>; 5] {
    [
        RoleClass::Root,
        RetainedOffline,
        EphemeralOffline,
        Online,
        Project,
    ]
    .map(|class| {
        let findings = judged(&[role("r", class, numbers, threshold)]);
        findings
            .into_iter()
            .find(|(_, found, _)| found == rule)
            .map(|(level, ..)| level)
    })
}

#[test]
fn good_tree_has_no_findings() {
    let roles = [
        dated(
            role("root", RoleClass::Root, &[1, 2, 3, 4, 5], 3),
            1,
            "2027-11-22T00:00:00Z",
        ),
        role("targets", RetainedOffline, &[11, 12, 13, 14], 2),
        role("bins", EphemeralOffline, &[31, 32], 2),
        role("timestamp", Online, &[9], 1),
        role("snapshot", Online, &[9], 1),
        role("project-a", Project, &[40], 1),
        role("project-b", Project, &[40], 1),
    ];
    assert_eq!(judged(&roles), []);
}

#[test]
fn levels_follow_the_class_of_the_role() {
    for (rule, numbers, threshold, expected) in [
        (
            "THRESHOLD-ONE",
            &[1, 2, 3][..],
            1,
            [Some(Error), Some(Error), Some(Error), None, None],
        ),
        (
            "QUORUM-NO-SPARE",
            &[1, 2],
            2,
            [Some(Error), Some(Error), None, None, None],
        ),
        (
            "QUORUM-LOSS-ONE",
            &[1, 2],
            2,
            [Some(Error), Some(Error), None, None, None],
        ),
        (
            "QUORUM-LOSS-TWO",
            &[1, 2, 3],
            2,
            [Some(Warning), Some(Warning), None, None, None],
        ),
        ("QUORUM-LOSS-TWO", &[1, 2, 3, 4], 2, [None; 5]),
        (
            "QUORUM-PERSONS",
            &[1, 11, 2, 3, 4],
            3,
            [Some(Error), Some(Error), None, None, Some(Note)],
        ),
        ("QUORUM-PERSONS", &[1, 2, 3, 4], 3, [None; 5]),
        (
            "QUORUM-THEFT-ONE",
            &[1, 11, 2, 3],
            2,
            [Some(Error), Some(Error), None, None, None],
        ),
        ("QUORUM-UNREACHABLE", &[1, 2], 3, [Some(Error); 5]),
    ] {
        assert_eq!(
            levels(rule, numbers, threshold),
            expected,
            "{rule} {numbers:?} {threshold}"
        );
    }
}

#[test]
fn threshold_of_one_says_what_to_do() {
    assert_eq!(
        judged(&[role("claimed", RetainedOffline, &[1, 2, 3], 1)]),
        [finding(
            Error,
            "THRESHOLD-ONE",
            "Role claimed needs 1 signature: one stolen key is enough to take it over. Give it a threshold of 2 or more."
        )]
    );
}

#[test]
fn quorum_rules_say_who_and_how_many() {
    for (roles, expected) in [
        (
            role("root", RoleClass::Root, &[1, 2], 2),
            vec![
                finding(
                    Error,
                    "QUORUM-NO-SPARE",
                    "Role root needs a signature by each of its 2 keys: one lost key ends it. Add a key or lower the threshold.",
                ),
                finding(
                    Error,
                    "QUORUM-LOSS-ONE",
                    "If Ada is lost with 1 key, role root keeps 1 of its 2 keys and 2 must sign. Add holders or lower the threshold.",
                ),
            ],
        ),
        (
            role("root", RoleClass::Root, &[1, 2, 3, 4], 3),
            vec![finding(
                Warning,
                "QUORUM-LOSS-TWO",
                "If Ada and Bo are lost with 2 keys, role root keeps 2 of its 4 keys and 3 must sign. Add holders or lower the threshold.",
            )],
        ),
        (
            role("root", RoleClass::Root, &[1, 11, 2, 12, 3, 4, 5], 3),
            vec![finding(
                Error,
                "QUORUM-PERSONS",
                "Role root needs 3 signatures, and 2 persons can make them (Ada and Bo). Spread the keys so that every signature needs another person.",
            )],
        ),
        (
            role("root", RoleClass::Root, &[1, 11, 2, 3, 4, 5], 2),
            vec![
                finding(
                    Error,
                    "QUORUM-PERSONS",
                    "Role root needs 2 signatures, and 1 person can make them (Ada). Spread the keys so that every signature needs another person.",
                ),
                finding(
                    Error,
                    "QUORUM-THEFT-ONE",
                    "Who steals the 2 keys of Ada can sign role root alone: 2 must sign. Give keys of Ada to other persons.",
                ),
            ],
        ),
        (
            role("root", RoleClass::Root, &[1, 2], 3),
            vec![finding(
                Error,
                "QUORUM-UNREACHABLE",
                "Role root needs 3 signatures and has 2 keys: nobody can ever sign it. Add keys or lower the threshold.",
            )],
        ),
    ] {
        assert_eq!(judged(&[roles]), expected);
    }
}

#[test]
fn key_without_known_person_is_a_person_of_its_own() {
    let quorum = quorum::Quorum::of(
        &role("r", RoleClass::Root, &[1, 11, 71], 2),
        &tree(&[]).persons,
    );
    assert_eq!(
        quorum.holders,
        [
            ("Ada".to_owned(), 2),
            ("the holder of key k71".to_owned(), 1)
        ]
    );
}

#[test]
fn one_key_under_two_keyids_counts_once() {
    let mut twice = role("root", RoleClass::Root, &[1, 2], 2);
    twice.keys.push((KeyId("again".to_owned()), key(1).1));
    let findings = judged(&[twice]);
    assert_eq!(
        findings[0],
        finding(
            Error,
            "KEY-TWICE",
            "Role root lists one key under 2 keyids (k1 and again), and some clients count it as often. Keep one of them."
        )
    );
    assert_eq!(findings[1].1, "QUORUM-NO-SPARE");
}

#[test]
fn key_is_shared_only_among_online_roles_or_projects() {
    for (a, b, shared) in [
        (RoleClass::Root, RetainedOffline, true),
        (RetainedOffline, RetainedOffline, true),
        (EphemeralOffline, Online, true),
        (Online, Project, true),
        (Online, Online, false),
        (Project, Project, false),
    ] {
        let findings = judged(&[
            role("a", a, &[1, 2, 3, 4], 2),
            role("b", b, &[1, 12, 13, 14], 2),
        ]);
        let expected = finding(
            Error,
            "KEY-SHARED",
            "Roles a and b share one key (keyid k1 of Ada): who takes it has all of them. Make a key of its own for each offline role.",
        );
        assert_eq!(
            findings.contains(&expected),
            shared,
            "{a:?} {b:?} {findings:?}"
        );
    }
}

#[test]
fn what_stood_so_before_warns_only() {
    let shared = |expires| {
        tree(&[
            dated(
                role("root", RoleClass::Root, &[1, 2, 3, 4, 5], 3),
                1,
                expires,
            ),
            role("targets", RetainedOffline, &[1, 2, 3, 4, 5], 3),
        ])
    };
    let levels = |old: Option<&Tree>| -> Vec<Level> {
        found(old, &shared("2027-01-01T00:00:00Z"), Whose::Ours)
            .into_iter()
            .map(|(level, ..)| level)
            .collect()
    };
    assert_eq!(levels(None), [Error; 5]);
    assert_eq!(levels(Some(&shared("2027-01-01T00:00:00Z"))), [Warning; 5]);
}

#[test]
fn what_others_made_warns_at_most() {
    let bad = tree(&[
        dated(
            role("root", RoleClass::Root, &[1], 1),
            1,
            "2020-01-01T00:00:00Z",
        ),
        role("timestamp", Online, &[1], 1),
    ]);
    let findings = found(None, &bad, Whose::Others);
    assert!(findings.len() > 4);
    assert!(findings.iter().all(|(level, ..)| *level <= Warning));
}

/// Of 736,344 projects only those are held as roles about which there is something to say: it is what would be said if all were.
#[test]
fn projects_are_judged_as_roles_are() {
    let twice = (KeyId("k40 again".to_owned()), key(40).1);
    let mut listed_twice = role("project-d", Project, &[40], 1);
    listed_twice.keys.push(twice);
    let projects = [
        role("project-a", Project, &[30], 1),
        role("project-b", Project, &[30], 1),
        role("project-c", Project, &[31, 1], 1),
        listed_twice,
        role("project-e", Project, &[41, 42], 3),
        role("project-f", Project, &[2], 1),
        role("project-g", Project, &[43], 2),
    ];
    let targets = [
        role("targets", RetainedOffline, &[1, 2, 3, 4, 5], 3),
        role("bin-0", Online, &[6], 1),
    ];
    let delegated = |role: &Role| DelegatedRole {
        name: role.name.clone(),
        role: RoleKeys {
            keyids: role.keys.iter().map(|(keyid, _)| keyid.clone()).collect(),
            threshold: role.threshold,
        },
        terminating: true,
        paths: Vec::new(),
        path_hash_prefixes: Vec::new(),
    };
    let keys = projects.iter().flat_map(|role| role.keys.clone()).collect();
    let roles: Vec<_> = projects.iter().map(delegated).collect();
    let claimed = Targets {
        header: dated(role("", Project, &[], 1), 1, "2027-01-01T00:00:00Z")
            .header
            .unwrap(),
        targets: 0,
        delegations: Some(Delegations::made(&keys, &roles, None)),
    };
    let mut asked = tree(&targets);
    asked.add_targets("claimed", &claimed, &|_| Project);
    assert_eq!(asked.roles.len(), targets.len());
    let held = tree(&[&targets[..], &projects[..]].concat());
    let told = found(None, &asked, Whose::Ours);
    assert_eq!(told, found(None, &held, Whose::Ours));
    let tags: Vec<_> = told.iter().map(|(_, tag, _)| tag.as_str()).collect();
    assert_eq!(
        tags,
        [
            "KEY-SHARED",
            "KEY-SHARED",
            "KEY-TWICE",
            "QUORUM-UNREACHABLE",
            "QUORUM-UNREACHABLE"
        ]
    );
}
