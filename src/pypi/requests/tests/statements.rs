use super::*;
use statement::{Proven, check_possession};

#[test]
fn the_statements_are_these_bytes() {
    let mut reset = request(Action::Reset, "x", &[1, 2], 2);
    reset.new_name = true;
    let mut keyids = [keyid(1).0, keyid(2).0];
    keyids.sort();
    let common = format!(r#""keyids":["{}","{}"]"#, keyids[0], keyids[1]);
    let (anchor, replaces) = (anchor(), Sha256::of(b"delegation"));
    assert_eq!(
        String::from_utf8(statement::possession(&anchor, &reset)).unwrap(),
        format!(
            "tuf-ceremony possession v1\n{{\"anchor\":\"{anchor}\",{common},\"project\":\"x\",\"threshold\":2}}"
        )
    );
    assert_eq!(
        String::from_utf8(statement::change(&anchor, &reset)).unwrap(),
        format!(
            "tuf-ceremony request v1\n{{\"anchor\":\"{anchor}\",{common},\"new_name\":true,\"project\":\"x\",\"replaces\":\"{replaces}\",\"request\":\"reset\",\"threshold\":2}}"
        )
    );
    let mut rotate = request(Action::Rotate, "x", &[], 0);
    rotate.custody = Some(Custody::Files);
    assert_eq!(
        String::from_utf8(statement::change(&anchor, &rotate)).unwrap(),
        format!(
            "tuf-ceremony request v1\n{{\"anchor\":\"{anchor}\",\"custody\":\"files\",\"keyids\":[],\"project\":\"x\",\"replaces\":\"{replaces}\",\"request\":\"rotate\",\"threshold\":0}}"
        )
    );
}

/// A claim of keys 1 and 2 and an identity, all proven.
fn claim() -> Request {
    let mut claim = request(Action::Claim, "x", &[1, 2], 1);
    let id = identity();
    claim.owners.insert(id.keyid(), "alice".to_owned());
    claim.keys.insert(id.keyid(), id.clone());
    let message = statement::possession(&anchor(), &claim);
    claim.possession = vec![
        signature(1, &message),
        signature(2, &message),
        bundle(id.keyid()),
    ];
    claim.line = 2;
    claim
}

#[test]
fn every_key_must_prove_itself_and_an_identity_by_its_bundle() {
    let claim = claim();
    let right = |key: &Key, bundle: &Value, message: &[u8]| {
        assert_eq!(key.keyid(), identity().keyid());
        assert_eq!(bundle.get("mediaType").and_then(Value::as_str), Some("x"));
        assert_eq!(message, statement::possession(&anchor(), &claim));
        Ok(())
    };
    let proven = statement::proven(&anchor(), &claim, &right);
    assert_eq!(proven.by.len(), 3);
    assert_eq!(check_possession(FILE, &claim, &proven), None);

    let proven = statement::proven(&anchor(), &claim, &no_sigstore);
    let finding = check_possession(FILE, &claim, &proven).unwrap();
    let id = identity().keyid();
    assert_eq!(
        (finding.rule.as_str(), finding.level),
        ("REQUEST-POSSESSION", Level::Error)
    );
    assert_eq!(
        finding.text,
        format!(
            "line 2, x: no proof of possession by {id}; each key must sign the statement. Found but not counted: {id}: there is no trusted root of Sigstore to check its bundle with."
        )
    );

    let mut without = claim.clone();
    without.possession.remove(1);
    let proven = statement::proven(&anchor(), &without, &right);
    let finding = check_possession(FILE, &without, &proven).unwrap();
    assert_eq!(
        finding.text,
        format!(
            "line 2, x: no proof of possession by {}; each key must sign the statement.",
            keyid(2)
        )
    );
}

#[test]
fn a_proof_for_another_project_threshold_anchor_or_set_of_keys_proves_nothing() {
    let ok = |_: &Key, _: &Value, _: &[u8]| Ok(());
    let good = claim();
    let others = [
        (
            anchor(),
            Request {
                project: Project::parse("y").unwrap(),
                ..good.clone()
            },
        ),
        (
            anchor(),
            Request {
                threshold: 2,
                ..good.clone()
            },
        ),
        (Sha256::of(b"other"), good.clone()),
        (
            anchor(),
            Request {
                keys: good
                    .keys
                    .iter()
                    .filter(|(id, _)| **id != identity().keyid())
                    .map(|(id, key)| (id.clone(), key.clone()))
                    .collect(),
                ..good.clone()
            },
        ),
    ];
    for (anchor, request) in others {
        let proven = statement::proven(&anchor, &request, &ok);
        assert!(!proven.missing.is_empty());
        let wrong = proven
            .uncounted
            .iter()
            .filter(|(_, reason)| reason == "a wrong signature");
        assert_eq!(wrong.count(), 2);
    }
}

fn authority(request: &Request, present: &[u8]) -> Proven {
    let present: Vec<(KeyId, Key)> = present
        .iter()
        .map(|number| (keyid(*number), key(*number)))
        .collect();
    let present = present.iter().map(|(keyid, key)| (keyid, key));
    statement::authorised(&anchor(), request, present, &no_sigstore)
}

/// Adds key 3 to a project whose present keys are 1 and 2, signed by `signers`.
fn add(signers: &[u8]) -> Request {
    let mut add = request(Action::AddKey, "x", &[1, 2, 3], 2);
    let message = statement::change(&anchor(), &add);
    add.authorised = signers
        .iter()
        .map(|number| signature(*number, &message))
        .collect();
    add.line = 7;
    add
}

#[test]
fn the_present_keys_authorise_a_change() {
    let request = add(&[1, 2]);
    let both = authority(&request, &[1, 2]);
    assert_eq!(both.by, [keyid(1), keyid(2)]);
    assert!(both.missing.is_empty() && both.uncounted.is_empty());
    let request = add(&[1]);
    let one = authority(&request, &[1, 2]);
    assert_eq!((one.by, one.missing), (vec![keyid(1)], vec![keyid(2)]));
}

#[test]
fn signatures_by_removed_or_new_keys_count_for_nothing() {
    // 3 is only being added, 4 was removed.
    let request = add(&[1, 3, 4]);
    let proven = authority(&request, &[1, 2]);
    assert_eq!(proven.by, [keyid(1)]);
    let stranger = || "not one of the keys that are asked".to_owned();
    assert_eq!(
        proven.uncounted,
        [(keyid(3), stranger()), (keyid(4), stranger())]
    );
}

#[test]
fn one_key_under_two_present_keyids_counts_once() {
    let mut request = add(&[1]);
    let message = statement::change(&anchor(), &request);
    let mut twin = signature(1, &message);
    twin.keyid = KeyId("0".repeat(64));
    request.authorised.push(twin.clone());
    let one = key(1);
    let present = [(&keyid(1), &one), (&twin.keyid, &one)];
    let proven = statement::authorised(&anchor(), &request, present, &no_sigstore);
    assert_eq!(proven.by, [keyid(1)]);
    assert_eq!(proven.missing, []);
    assert_eq!(
        proven.uncounted,
        [(
            twin.keyid.clone(),
            "a key that has already counted".to_owned()
        )]
    );
}

#[test]
fn a_statement_signed_as_the_other_kind_proves_nothing() {
    let mut add = add(&[]);
    let possession = statement::possession(&anchor(), &add);
    add.authorised = vec![signature(1, &possession), signature(2, &possession)];
    assert_eq!(authority(&add, &[1, 2]).by, []);
    // A change already made cannot be asked for again: its pre-image is another.
    let mut replayed = super::statements::add(&[1, 2]);
    replayed.replaces = Some(Sha256::of(b"another delegation"));
    assert_eq!(authority(&replayed, &[1, 2]).by, []);
}
