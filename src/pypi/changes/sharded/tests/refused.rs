//! What nobody asked for.

use super::*;

/// Each way to do otherwise is found: the state after a claim, changed by `change`.
fn refused(change: impl Fn(&mut State)) -> String {
    let old = divided();
    let asked = asked(2);
    let changes = change_set(&old, &[("zz", delegate(4))]);
    let (mut versions, mut new) = made(&old, &changes, &asked).unwrap();
    versions.remove("claimed");
    change(&mut new);
    let findings = judged(&old, &new, &versions, &changes, &asked);
    assert!(
        findings
            .iter()
            .all(|finding| finding.rule == "REQUEST-EXACT")
    );
    assert!(
        findings.iter().all(|finding| finding.level == Level::Error),
        "{findings:?}"
    );
    format!("{}: {}", findings[0].file, findings[0].text)
}

fn edited(file: &mut Envelope, edit: impl Fn(&mut Value)) {
    let mut document: Value = serde_json::from_slice(file.bytes()).unwrap();
    edit(&mut document["signed"]);
    *file = Envelope::parse("x", document.to_string().into_bytes(), Limits::LARGE).unwrap();
}

#[test]
fn what_nobody_asked_for_is_found_in_any_file() {
    let told = refused(|new| {
        edited(new.shards.get_mut("claimed-a").unwrap(), |signed| {
            signed["x"] = json!(1);
        });
    });
    assert!(
        told.starts_with("claimed-a: signed: the shard changes and is not made anew."),
        "{told}"
    );
    let told = refused(|new| {
        edited(new.shards.get_mut("claimed-z").unwrap(), |signed| {
            signed["delegations"]["roles"][0]["threshold"] = json!(3);
        });
    });
    assert!(
        told.starts_with("claimed-z: signed.delegations.roles[0].threshold: was 1, is 3."),
        "{told}"
    );
    let told = refused(|new| {
        edited(new.shards.get_mut("claimed-z").unwrap(), |signed| {
            signed["delegations"]["roles"]
                .as_array_mut()
                .unwrap()
                .remove(1);
        });
    });
    assert!(
        told.contains("has no project-zz, though the project zz shall have it"),
        "{told}"
    );
    let told = refused(|new| {
        edited(&mut new.claimed, |signed| {
            signed["delegations"]["roles"][0]["terminating"] = json!(true);
        });
    });
    assert!(
        told.contains("roles[0].terminating: must be false, is true"),
        "{told}"
    );
    let told = refused(|new| {
        edited(&mut new.claimed, |signed| {
            signed["delegations"]["roles"][0]["paths"] = json!(["a/*"]);
        });
    });
    assert!(
        told.starts_with("claimed-a: signed: the shard changes and is not made anew."),
        "{told}"
    );
    let told = refused(|new| {
        edited(&mut new.claimed, |signed| {
            signed["delegations"]["roles"]
                .as_array_mut()
                .unwrap()
                .remove(0);
        });
    });
    assert!(
        told.contains("roles[0] (project-a): no shard answers for it any more"),
        "{told}"
    );
    let told = refused(|new| {
        let lost = entries(&new.shards["claimed-a"])[0].clone();
        edited(&mut new.claimed, |signed| {
            signed["delegations"]["roles"]
                .as_array_mut()
                .unwrap()
                .push(lost.clone());
        });
    });
    assert!(told.contains("(project-a): is no shard's entry"), "{told}");
}

#[test]
fn an_unsharded_claim_makes_no_shard() {
    let old = unsharded(&["a"]);
    let changes = ChangeSet::default();
    let (_, new) = made(&old, &changes, &asked(2)).unwrap();
    let expected = Expected {
        version: 8,
        expires: DATES[2],
        marker: None,
        changes: &changes,
        custody: None,
    };
    let findings = exact("claimed", Some(&old.claimed), &new.claimed, &expected);
    assert!(
        findings
            .iter()
            .any(|it| it.text.contains("(project-a): was there and is gone")),
        "{findings:?}"
    );
    let refused = delegation::claimed("claimed", &new.claimed).unwrap_err();
    assert_eq!(refused[0].rule, "SHARD-FORM");
}
