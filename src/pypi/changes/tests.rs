#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::pypi::delegation::tests::{FILE, envelope, key, keyid, project, role, signed};
use crate::tuf::finding::Level;

const EXPIRES: &str = "2027-06-30T00:00:00Z";

/// Projects a, a-b and c, one in custody, with unknown fields at every level.
fn old() -> Value {
    let mut custody = role("custody", "lost/*", &[8, 9], 2);
    custody["x-custody"] = json!(true);
    let mut c = role("project-c", "c/*", &[3, 2], 2);
    c["x-c"] = json!([1, {"b": 2, "a": null}]);
    let roles = [
        custody,
        role("project-a", "a/*", &[1], 1),
        role("project-a-b", "a-b/*", &[1], 1),
        c,
    ];
    let mut signed = signed(&roles, &[1, 2, 3, 8, 9]);
    signed["x-top"] = json!("\u{fc}");
    signed["delegations"]["x-inner"] = json!({"z": 1, "y": -2});
    signed["delegations"]["keys"][keyid(2)]["x-owner"] = json!("b");
    signed
}

fn delegate(generation: u32, numbers: &[u16], threshold: u32) -> After {
    After::Delegate {
        generation,
        keys: numbers
            .iter()
            .map(|number| (KeyId(keyid(*number)), key(*number)))
            .collect(),
        threshold,
    }
}

/// Changes made for what stands in `old`.
fn changes<const N: usize>(old: &Value, changes: [(&str, After); N]) -> ChangeSet {
    let before = delegation::claimed(FILE, &envelope(old)).unwrap();
    let change = |(name, after)| {
        let project = project(name);
        let before = before.pre_image(&project);
        (project, Change { before, after })
    };
    ChangeSet {
        changes: changes.map(change).into(),
    }
}

/// The new signed part, which is proven to be exact.
fn applied(old: &Value, changes: &ChangeSet, custody: Option<&RoleSpec>) -> Value {
    let mut old = old.clone();
    old["version"] = json!(7);
    let old = envelope(&old);
    let new = apply(FILE, &old, 8, EXPIRES, changes, custody).unwrap();
    assert!(new.signatures().is_empty());
    let expected = Expected {
        version: 8,
        expires: EXPIRES,
        marker: None,
        changes,
        custody,
    };
    let findings = exact(FILE, Some(&old), &new, &expected);
    let is_exact = matches!(&findings[..], [note] if note.level == Level::Note);
    assert!(is_exact, "{findings:?}");
    let document: Value = serde_json::from_slice(&new.bytes()).unwrap();
    document["signed"].clone()
}

fn refused(changes: &ChangeSet, custody: Option<&RoleSpec>) -> Finding {
    apply(FILE, &envelope(&old()), 8, EXPIRES, changes, custody)
        .err()
        .unwrap()
}

fn spec(numbers: &[u16], threshold: u32) -> RoleSpec {
    RoleSpec {
        keys: numbers.iter().map(|number| key(*number)).collect(),
        threshold,
    }
}

#[test]
fn every_kind_of_change_is_applied_and_nothing_else() {
    let old = old();
    let changes = changes(
        &old,
        [
            ("a", After::Gone),
            ("a-b", delegate(2, &[4], 1)),
            ("a1", delegate(1, &[5, 6], 2)),
            ("c", delegate(1, &[3, 4], 1)),
            ("lost", delegate(2, &[7], 1)),
        ],
    );
    let mut expected = old.clone();
    expected["version"] = json!(8);
    expected["expires"] = json!(EXPIRES);
    let mut c = role("project-c", "c/*", &[3, 4], 1);
    c["x-c"] = old["delegations"]["roles"][3]["x-c"].clone();
    let mut roles = [
        role("project-a-b_2", "a-b/*", &[4], 1),
        role("project-a1", "a1/*", &[5, 6], 2),
        c,
        role("project-lost_2", "lost/*", &[7], 1),
    ];
    for role in &mut roles {
        let mut keyids: Vec<&str> = (role["keyids"].as_array().unwrap().iter())
            .map(|keyid| keyid.as_str().unwrap())
            .collect();
        keyids.sort_unstable();
        role["keyids"] = json!(keyids);
    }
    let numbers = [3, 4, 5, 6, 7];
    expected["delegations"]["keys"] = signed(&[], &numbers)["delegations"]["keys"].clone();
    expected["delegations"]["roles"] = json!(roles);
    assert_eq!(applied(&old, &changes, None), expected);
}

#[test]
fn projects_go_into_custody_and_leave_it() {
    let old = old();
    let into = changes(&old, [("c", After::Custody), ("a", After::Custody)]);
    let new = applied(&old, &into, None);
    let roles = &new["delegations"]["roles"];
    let mut custody = old["delegations"]["roles"][0].clone();
    custody["paths"] = json!(["a/*", "c/*", "lost/*"]);
    assert_eq!(*roles, json!([custody, old["delegations"]["roles"][2]]));

    // The keys of claimed were rotated: the role follows, and keeps what it has besides.
    let new = applied(&new, &ChangeSet::default(), Some(&spec(&[10], 1)));
    custody["keyids"] = json!([keyid(10)]);
    custody["threshold"] = json!(1);
    assert_eq!(new["delegations"]["roles"][0], custody);

    let out = changes(&old, [("lost", After::Gone)]);
    let without = applied(&old, &out, Some(&spec(&[8, 9], 2)));
    assert_eq!(without["delegations"]["roles"][0]["name"], "project-a");
    assert_eq!(without["delegations"]["keys"].as_object().unwrap().len(), 3);

    let into = changes(&without, [("c", After::Custody)]);
    let made = applied(&without, &into, Some(&spec(&[8, 9], 2)));
    let mut keyids = [keyid(8), keyid(9)];
    keyids.sort();
    let mut custody = role("custody", "c/*", &[8, 9], 2);
    custody["keyids"] = json!(keyids);
    assert_eq!(made["delegations"]["roles"][0], custody);
    let nobody = apply(FILE, &envelope(&without), 8, EXPIRES, &into, None)
        .err()
        .unwrap();
    let text = "Projects go into custody and no keys are named to sign for them. Name the keys and the threshold of claimed.";
    assert_eq!(nobody, Finding::error("CUSTODY-KEYS", FILE, text));
}

#[test]
fn changes_made_for_another_state_are_refused() {
    let old = old();
    let stands = delegation::claimed(FILE, &envelope(&old)).unwrap();
    let with = |name: &str, before, after| ChangeSet {
        changes: [(project(name), Change { before, after })].into(),
    };
    let (zero, found) = (Sha256([0; 32]), stands.pre_image(&project("a")).unwrap());
    let table = [
        (with("a", Some(zero), After::Gone), "REQUEST-STALE", format!("The request for the project a replaces {zero}, but claimed has {found}: it was made for an older state. Let it be made again.")),
        (with("a", None, delegate(1, &[1], 1)), "REQUEST-PRESENT", format!("The project a is in claimed already (pre-image {found}). Hand in a request that changes it and names what it replaces.")),
        (with("b", Some(zero), After::Gone), "REQUEST-ABSENT", "The project b is not in claimed, so there is nothing to change. Hand in a claim, or drop the request.".to_owned()),
        (with("b", None, After::Custody), "REQUEST-ABSENT", "The project b is not in claimed, so there is nothing to change. Hand in a claim, or drop the request.".to_owned()),
    ];
    for (changes, rule, text) in table {
        assert_eq!(refused(&changes, None), Finding::error(rule, FILE, text));
    }
}

#[test]
fn changes_that_would_break_a_rule_are_refused() {
    let with = |after| changes(&old(), [("a", after)]);
    assert_eq!(
        refused(&with(delegate(1, &[1], 2)), None).rule,
        "ROLE-THRESHOLD"
    );
    let another = |number: u16, keyid: &str| {
        let mut object: Value = serde_json::from_slice(&key(number).value().canonical()).unwrap();
        object["x-note"] = json!(1);
        let text = object.to_string();
        let json = crate::tuf::json::check(text.as_bytes(), crate::tuf::json::Limits::SMALL);
        let key = Key::from_json(json.unwrap()).unwrap();
        with(After::Delegate {
            generation: 1,
            keys: [(KeyId(keyid.to_owned()), key)].into(),
            threshold: 1,
        })
    };
    let taken = refused(&another(3, &keyid(3)), None);
    let text = format!(
        "The keyid {} of a new key stands over another key object. Let the key's owner hand it in under the SHA-256 of its object.",
        keyid(3)
    );
    assert_eq!(taken, Finding::error("KEYID-TAKEN", FILE, text));
    assert_eq!(refused(&another(3, "other"), None).rule, "KEY-TWICE");
    let mut late = old();
    late["delegations"]["roles"]
        .as_array_mut()
        .unwrap()
        .swap(1, 2);
    let none = ChangeSet::default();
    let unsorted = apply(FILE, &envelope(&late), 8, EXPIRES, &none, None)
        .err()
        .unwrap();
    assert_eq!(unsorted.rule, "CLAIMED-UNSORTED");
    let dated = apply(FILE, &envelope(&old()), 8, "soon", &none, None)
        .err()
        .unwrap();
    assert_eq!(dated.rule, "EXPIRES-FORM");
}

/// Without white space and with its keys in order, whatever the old file looked like.
#[test]
fn what_is_written_is_compact() {
    let none = ChangeSet::default();
    let once = apply(FILE, &envelope(&old()), 8, EXPIRES, &none, None).unwrap();
    let document = serde_json::from_slice::<Value>(&once.bytes()).unwrap();
    let compact = document.to_string().replace('\u{fc}', "\\u00fc");
    assert_eq!(String::from_utf8_lossy(&once.bytes()), compact);
    let document = serde_json::from_slice::<Value>(&envelope(&old()).bytes()).unwrap();
    let pretty = serde_json::to_vec_pretty(&document).unwrap();
    let pretty = Envelope::parse(FILE, pretty, crate::tuf::json::Limits::LARGE).unwrap();
    let again = apply(FILE, &pretty, 8, EXPIRES, &none, None).unwrap();
    assert_eq!(once.bytes(), again.bytes());

    let mut bare = signed(&[], &[]);
    bare.as_object_mut().unwrap().remove("delegations");
    let claim = changes(&bare, [("a", delegate(1, &[1], 1))]);
    let new = applied(&bare, &claim, None);
    assert_eq!(new, {
        let mut new = signed(&[role("project-a", "a/*", &[1], 1)], &[1]);
        new["version"] = json!(8);
        new["expires"] = json!(EXPIRES);
        new
    });
}
