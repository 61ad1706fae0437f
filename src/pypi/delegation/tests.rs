#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::*;
use crate::tuf::json::Limits;
use crate::tuf::key::PublicKey;

pub(in crate::pypi) const FILE: &str = "7.claimed.json";

/// The public key of developer `number`.
pub(in crate::pypi) fn key(number: u16) -> Key {
    let mut secret = [7; 32];
    secret[..2].copy_from_slice(&number.to_be_bytes());
    let public = SigningKey::from_bytes(&secret).verifying_key().to_bytes();
    Key::from_public(&PublicKey::Ed25519(public)).unwrap()
}

pub(in crate::pypi) fn keyid(number: u16) -> String {
    key(number).keyid().0
}

fn object(number: u16) -> Value {
    serde_json::from_slice(&key(number).value().canonical()).unwrap()
}

/// An entry `name` for `path` with the keys of developers `numbers`.
pub(in crate::pypi) fn role(name: &str, path: &str, numbers: &[u16], threshold: u32) -> Value {
    let keyids: Vec<String> = numbers.iter().map(|number| keyid(*number)).collect();
    json!({"name": name, "keyids": keyids, "threshold": threshold, "paths": [path], "terminating": true})
}

/// Version 7 of a file that delegates to `roles` with the keys of developers `numbers`.
pub(in crate::pypi) fn signed(roles: &[Value], numbers: &[u16]) -> Value {
    let keys: BTreeMap<String, Value> = (numbers.iter())
        .map(|number| (keyid(*number), object(*number)))
        .collect();
    json!({
        "_type": "targets", "spec_version": "1.0.0", "version": 7, "expires": "2027-05-30T00:00:00Z", "targets": {},
        "delegations": {"keys": keys, "roles": roles},
    })
}

pub(in crate::pypi) fn envelope(signed: &Value) -> Envelope {
    let text = json!({"signatures": [], "signed": signed}).to_string();
    Envelope::parse(FILE, text.into_bytes(), Limits::LARGE).unwrap()
}

pub(in crate::pypi) fn project(name: &str) -> Project {
    Project::parse(name).unwrap()
}

fn good() -> Value {
    let roles = [
        role("custody", "lost/*", &[8, 9], 2),
        role("project-a", "a/*", &[1], 1),
        role("project-a-b", "a-b/*", &[1, 2], 2),
        role("project-a_2", "a2/*", &[3], 1),
    ];
    let mut signed = signed(&roles[..3], &[1, 2, 3, 8, 9]);
    signed["delegations"]["roles"]
        .as_array_mut()
        .unwrap()
        .push(role("project-c_2", "c/*", &[3], 1));
    signed
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| &*finding.rule).collect()
}

#[test]
fn a_claimed_file_is_read_by_project() {
    let found = claimed(FILE, &envelope(&good())).unwrap();
    let names: Vec<&str> = found.projects.names().map(Project::as_str).collect();
    assert_eq!(names, ["a", "a-b", "c"]);
    let delegation = found.projects.get(&project("a-b")).unwrap();
    assert_eq!(delegation.role.to_string(), "project-a-b");
    assert_eq!(delegation.threshold, 2);
    assert_eq!(delegation.paths, ["a-b/*"]);
    let keyids: Vec<&str> = delegation.keys.iter().map(|(keyid, _)| &*keyid.0).collect();
    assert_eq!(keyids, [keyid(1), keyid(2)]);
    assert_eq!(
        found.projects.get(&project("c")).unwrap().role.generation,
        2
    );
    assert_eq!(found.place(&project("lost")), Place::Custody);
    assert_eq!(found.place(&project("b")), Place::Absent);
    let lost = project("lost");
    let custody = Sha256::of(br#"{"custody":"lost/*"}"#);
    assert_eq!(found.pre_image(&lost), Some(custody));
    assert_eq!(found.pre_image(&project("b")), None);

    let empty = claimed(FILE, &envelope(&signed(&[], &[]))).unwrap();
    assert!(empty.projects.is_empty() && empty.custody.is_none());
}

/// The document is in docs/formats.md: anybody can compute it from the two files.
#[test]
fn a_pre_image_is_the_digest_of_the_entry_with_its_key_objects() {
    let mut signed = good();
    let digest_of = |signed: &Value| {
        let found = delegations(FILE, &envelope(signed)).unwrap();
        found.pre_image(&project("a-b"))
    };
    let before = digest_of(&signed);
    let document = json!({
        "keys": {keyid(1): object(1), keyid(2): object(2)},
        "role": signed["delegations"]["roles"][2],
    });
    // serde_json writes members in order and no white space: canonical for such plain text.
    assert_eq!(before, Some(Sha256::of(document.to_string().as_bytes())));

    signed["delegations"]["keys"][keyid(3)]["x-note"] = json!("another's key");
    assert_eq!(digest_of(&signed), before);
    let mut changed = vec![before];
    for (pointer, value) in [
        (format!("/delegations/keys/{}", keyid(2)), "x-owner"),
        ("/delegations/roles/2".to_owned(), "x-note"),
    ] {
        let mut signed = signed.clone();
        signed.pointer_mut(&pointer).unwrap()[value] = json!(1);
        changed.push(digest_of(&signed));
    }
    signed["delegations"]["roles"][2]["threshold"] = json!(1);
    changed.push(digest_of(&signed));
    let distinct: BTreeSet<_> = changed.iter().flatten().collect();
    assert_eq!(distinct.len(), 4, "{changed:?}");
}

/// Entry 1 (project-a) is made worse, one fault at a time: it alone is set aside, and a file of ours is refused.
#[test]
fn an_entry_that_breaks_a_rule_is_set_aside_alone() {
    type Change = fn(&mut Value);
    let table: [(Change, &str, &str); 15] = [
        (
            |e| e["terminating"] = json!(false),
            "PEP480-TERMINATING",
            "signed.delegations.roles[1] (project-a) is not terminating: a client that finds no file there would go on and believe an online bin. Set terminating to true.",
        ),
        (
            |e| {
                e.as_object_mut().unwrap().remove("terminating");
            },
            "PEP480-TERMINATING",
            "signed.delegations.roles[1] (project-a) does not say whether it is terminating: a client that finds no file there would go on and believe an online bin. Set terminating to true.",
        ),
        (
            |e| e["paths"] = json!(["*"]),
            "PROJECT-PATHS",
            "the role project-a has the paths [*]; a project's role has exactly one, a/*",
        ),
        (
            |e| e["paths"] = json!(["a/*", "b/*"]),
            "PROJECT-PATHS",
            "the role project-a has the paths [a/*, b/*]; a project's role has exactly one, a/*",
        ),
        (
            |e| e["paths"] = json!("a/*"),
            "PROJECT-PATHS",
            "signed.delegations.roles[1] (project-a) needs paths, a list of strings, and no path_hash_prefixes.",
        ),
        (
            |e| e["path_hash_prefixes"] = json!(["0"]),
            "PROJECT-PATHS",
            "signed.delegations.roles[1] (project-a) needs paths, a list of strings, and no path_hash_prefixes.",
        ),
        (
            |e| e["threshold"] = json!(2),
            "ROLE-THRESHOLD",
            "signed.delegations.roles[1] (project-a) has a threshold 2 and 1 usable keys; choose one from 1 to the number of keys.",
        ),
        (
            |e| e["threshold"] = json!(0),
            "ROLE-THRESHOLD",
            "signed.delegations.roles[1] (project-a) has a threshold 0 and 1 usable keys; choose one from 1 to the number of keys.",
        ),
        (
            |e| e["threshold"] = json!("1"),
            "ROLE-THRESHOLD",
            "signed.delegations.roles[1] (project-a) has a threshold that is no number and 1 usable keys; choose one from 1 to the number of keys.",
        ),
        (
            |e| e["threshold"] = json!(4_294_967_297_u64),
            "ROLE-THRESHOLD",
            "signed.delegations.roles[1] (project-a) has a threshold 4294967297 and 1 usable keys; choose one from 1 to the number of keys.",
        ),
        (
            |e| e["keyids"] = json!([]),
            "ROLE-THRESHOLD",
            "signed.delegations.roles[1] (project-a) has a threshold 1 and 0 usable keys; choose one from 1 to the number of keys.",
        ),
        (
            |e| e["keyids"] = json!([1]),
            "DELEGATION-FORM",
            "signed.delegations.roles[1] (project-a) needs keyids, a list of strings.",
        ),
        (
            |e| e["keyids"] = json!([keyid(1), keyid(1)]),
            "ROLE-DUPLICATE-KEYID",
            "signed.delegations.roles[1] (project-a) lists 5c2e twice.",
        ),
        (
            |e| e["keyids"] = json!([keyid(1), "00"]),
            "ROLE-UNKNOWN-KEYID",
            "signed.delegations.roles[1] (project-a) lists 00, which is not among the keys.",
        ),
        (
            |e| e["keyids"] = json!([keyid(1), "same"]),
            "KEY-TWICE",
            "signed.delegations.roles[1] (project-a) lists one physical key under two keyids, 5c2e and same; some clients count it twice.",
        ),
    ];
    for (change, rule, text) in table {
        let mut signed = good();
        signed["delegations"]["keys"]["same"] = object(1);
        change(&mut signed["delegations"]["roles"][1]);
        let found = delegations(FILE, &envelope(&signed)).unwrap();
        assert_eq!(found.projects.len(), 2, "{text}");
        assert_eq!(found.place(&project("a")), Place::Refused);
        assert_eq!(found.pre_image(&project("a")), None);
        let text = text.replace("5c2e", &keyid(1));
        assert_eq!(found.refused["a"], [Finding::error(rule, FILE, text)]);
        let findings = claimed(FILE, &envelope(&signed)).unwrap_err();
        assert!(rules(&findings).contains(&rule));
    }
}

#[test]
fn two_entries_of_one_project_are_both_set_aside() {
    let custody = || role("custody", "a/*", &[8, 9], 2);
    let first = || role("project-a", "a/*", &[1], 1);
    let second = || role("project-a_2", "a/*", &[2], 1);
    for (roles, place) in [
        (
            vec![first(), second()],
            "signed.delegations.roles[1] (project-a_2)",
        ),
        (
            vec![first(), first()],
            "signed.delegations.roles[1] (project-a)",
        ),
        (vec![custody(), first()], "custody"),
    ] {
        let found = delegations(FILE, &envelope(&signed(&roles, &[1, 2, 8, 9]))).unwrap();
        assert!(found.projects.is_empty());
        let text = format!(
            "{place} speaks for the project a, and so does another entry: clients would differ in whom they ask. Leave one of them."
        );
        assert_eq!(
            found.refused["a"],
            [Finding::error("PROJECT-PATHS", FILE, text)]
        );
    }
}

#[test]
fn what_is_no_projects_is_told_and_hinders_nobody() {
    let mut signed = good();
    let roles = signed["delegations"]["roles"].as_array_mut().unwrap();
    roles.push(role("root", "*", &[1], 1));
    roles.push(json!({"paths": ["*"]}));
    signed["delegations"]["keys"]["weak"] =
        json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "00".repeat(32)}});
    signed["delegations"]["keys"][keyid(4)] = object(4);
    let found = delegations(FILE, &envelope(&signed)).unwrap();
    assert_eq!(found.projects.len(), 3);
    assert!(found.refused.is_empty());
    assert_eq!(
        rules(&found.findings),
        [
            "PROJECT-RESERVED",
            "DELEGATION-FORM",
            "KEY-UNUSED",
            "KEY-WEAK"
        ]
    );
    assert!(claimed(FILE, &envelope(&signed)).is_err());
}

/// Whoever knows a public key can write it another way into a project of his own.
#[test]
fn a_key_that_another_project_writes_another_way_is_looked_at() {
    let mut signed = good();
    let mut other = object(1);
    other["x-note"] = json!("mine");
    signed["delegations"]["keys"]["0b"] = other;
    signed["delegations"]["roles"][3]["keyids"] = json!([keyid(3), "0b"]);
    let found = delegations(FILE, &envelope(&signed)).unwrap();
    assert_eq!(found.projects.len(), 3);
    assert_eq!(found.remarks.len(), 3);
    let text = format!(
        "The key {} of the project a stands in the file under another keyid as well: 0b. Let its owner say how he writes it.",
        keyid(1)
    );
    assert_eq!(
        found.remarks["a"],
        [Finding::warning("KEY-TWICE", FILE, text)]
    );
    let findings = claimed(FILE, &envelope(&signed)).unwrap_err();
    assert_eq!(rules(&findings), ["KEY-TWICE"; 3]);
}

#[test]
fn a_claimed_file_out_of_order_is_refused() {
    let mut signed = good();
    signed["delegations"]["roles"]
        .as_array_mut()
        .unwrap()
        .swap(1, 2);
    assert!(delegations(FILE, &envelope(&signed)).is_ok());
    let text = "signed.delegations.roles[2] (project-a) stands behind project-a-b; entries stand in ascending order of their names.";
    assert_eq!(
        claimed(FILE, &envelope(&signed)).unwrap_err(),
        [Finding::error("CLAIMED-UNSORTED", FILE, text)]
    );

    let mut signed = good();
    signed["delegations"]["roles"][0]["paths"] = json!(["x/*", "b/*"]);
    let text = "signed.delegations.roles[0] (custody) does not list its paths once each in ascending order.";
    assert_eq!(
        claimed(FILE, &envelope(&signed)).unwrap_err(),
        [Finding::error("CLAIMED-UNSORTED", FILE, text)]
    );
}

#[test]
fn a_file_without_a_list_of_delegations_is_refused() {
    type Change = fn(&mut Value);
    let table: [(Change, &str, &str); 3] = [
        (
            |s| s["_type"] = json!("snapshot"),
            "TARGETS-TYPE",
            "signed._type is snapshot; expected targets",
        ),
        (
            |s| s["delegations"]["keys"] = json!([]),
            "DELEGATION-FORM",
            "signed.delegations needs an object keys.",
        ),
        (
            |s| {
                s["delegations"].as_object_mut().unwrap().remove("roles");
            },
            "DELEGATION-FORM",
            "signed.delegations needs a list roles: projects are delegated to one by one, never by succinct_roles.",
        ),
    ];
    for (change, rule, text) in table {
        let mut signed = good();
        change(&mut signed);
        assert_eq!(
            delegations(FILE, &envelope(&signed)).unwrap_err(),
            Finding::error(rule, FILE, text)
        );
    }
}

#[test]
fn paths_in_custody_are_projects() {
    let mut signed = good();
    signed["delegations"]["roles"][0]["paths"] = json!(["a*/*"]);
    let found = delegations(FILE, &envelope(&signed)).unwrap();
    assert_eq!(found.custody, None);
    let text = "signed.delegations.roles[0] (custody) has the path a*/*; every path of it is <project>/* with a normalized name.";
    assert_eq!(
        found.findings,
        [Finding::error("PROJECT-PATHS", FILE, text)]
    );
}
