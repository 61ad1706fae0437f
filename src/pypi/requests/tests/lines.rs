use super::*;

/// What becomes of one line among good ones: the refusal of it alone.
pub(super) fn refusal(text: &str) -> (String, String) {
    let good = line(&request(Action::Claim, "z", &[1], 1));
    let read = Requests::parse(FILE, &around(&[text, &good])).unwrap();
    assert_eq!(read.requests.len(), 1, "{text}");
    let [refused] = &read.refused[..] else {
        panic!("{text}");
    };
    assert_eq!((refused.line, refused.finding.level), (2, Level::Error));
    (refused.finding.rule.clone(), refused.finding.text.clone())
}

pub(super) fn expect(request: &Request, rule: &str, text: &str) {
    expect_text(&line(request), rule, text);
}

pub(super) fn expect_text(line: &str, rule: &str, text: &str) {
    assert_eq!(
        refusal(line),
        (rule.to_owned(), format!("line 2, x: {text}"))
    );
}

pub(super) fn x(action: Action) -> Request {
    let keys: &[u8] = if action == Action::Unclaim {
        &[]
    } else {
        &[1, 2]
    };
    request(action, "x", keys, u32::try_from(keys.len()).unwrap())
}

fn accepts(request: &Request) {
    let read = Requests::parse(FILE, &file(std::slice::from_ref(request))).unwrap();
    assert_eq!(
        (read.requests.len(), read.refused.len()),
        (1, 0),
        "{:?}",
        read.refused
    );
}

#[test]
fn every_action_in_its_plain_form_is_accepted() {
    for action in Action::ALL {
        accepts(&x(*action));
    }
    let mut signed = x(Action::Transfer);
    signed.authorised = vec![signature(1, b"m"), bundle(keyid(9))];
    signed.new_name = true;
    accepts(&signed);
}

#[test]
fn an_unknown_action_is_refused() {
    let text = line(&x(Action::Claim)).replace("\"claim\"", "\"steal\"");
    expect_text(
        &text,
        "REQUEST-ACTION",
        "request is steal; known are claim, add-key, remove-key, threshold, reset, transfer, unclaim, rotate",
    );
}

#[test]
fn a_name_that_is_not_normalized_is_refused() {
    let text = line(&x(Action::Claim)).replace("\"project\":\"x\"", "\"project\":\"X\"");
    let (rule, text) = refusal(&text);
    assert_eq!(rule, "PROJECT-NAME");
    assert_eq!(
        text,
        "line 2, X: X is not written as PEP 503 normalizes it; write x"
    );
}

#[test]
fn keys_are_there_exactly_where_the_action_has_them() {
    let mut request = x(Action::Unclaim);
    request.keys.insert(keyid(1), key(1));
    expect(
        &request,
        "REQUEST-KEYS",
        "unclaim has keys; it leaves the project none",
    );
    let mut request = x(Action::Rotate);
    request.custody = Some(Custody::Files);
    expect(
        &request,
        "REQUEST-KEYS",
        "rotate has keys and a custody; a project with keys needs no custody",
    );
    request.keys.clear();
    request.owners.clear();
    request.first_seen.clear();
    request.threshold = 0;
    accepts(&request);
    request.custody = None;
    expect(
        &request,
        "REQUEST-KEYS",
        "rotate has neither keys nor a custody; give the new keys, or say custody: files or tombstone",
    );
    request.action = Action::Reset;
    expect(
        &request,
        "REQUEST-KEYS",
        "reset has no keys; give the project's keys",
    );
}

#[test]
fn members_that_the_action_does_not_have_are_refused() {
    let mut request = x(Action::Reset);
    request.custody = Some(Custody::Files);
    expect(
        &request,
        "REQUEST-MEMBERS",
        "reset has a custody, which only rotate may have",
    );
    let mut request = x(Action::Claim);
    request.authorised = vec![signature(1, b"m")];
    expect(
        &request,
        "REQUEST-MEMBERS",
        "claim has authorised, but there are no present keys that could sign it",
    );
    let mut request = x(Action::AddKey);
    request.new_name = true;
    expect(
        &request,
        "REQUEST-MEMBERS",
        "add-key has new_name, which only reset, transfer and rotate may have",
    );
}

#[test]
fn replaces_is_there_exactly_where_something_is_replaced() {
    let mut request = x(Action::Claim);
    request.replaces = Some(anchor());
    expect(
        &request,
        "REQUEST-REPLACES",
        "claim has replaces, but a project that is claimed now has nothing to replace",
    );
    for action in &Action::ALL[1..] {
        let mut request = x(*action);
        request.replaces = None;
        let text = format!("{action} has no replaces; give the digest of the present delegation");
        expect(&request, "REQUEST-REPLACES", &text);
    }
}

#[test]
fn a_change_by_the_present_keys_has_their_signatures() {
    for action in [Action::AddKey, Action::RemoveKey, Action::Threshold] {
        let mut request = x(action);
        request.authorised.clear();
        let text = format!(
            "{action} has no authorised; the present keys must sign it, and if they are lost it is a reset"
        );
        expect(&request, "REQUEST-AUTHORITY", &text);
    }
}

#[test]
fn a_threshold_lies_between_1_and_the_number_of_keys() {
    accepts(&request(Action::Claim, "x", &[1, 2], 2));
    let table = [
        (
            0,
            "threshold is missing; say how many of the keys must sign",
        ),
        (
            3,
            "threshold is 3, but there are 2 keys: nobody could ever sign",
        ),
    ];
    for (threshold, text) in table {
        expect(
            &request(Action::Claim, "x", &[1, 2], threshold),
            "REQUEST-THRESHOLD",
            text,
        );
    }
    expect(
        &request(Action::Claim, "x", &[1], 2),
        "REQUEST-THRESHOLD",
        "threshold is 2, but there is 1 key: nobody could ever sign",
    );
    expect(
        &request(Action::Unclaim, "x", &[], 1),
        "REQUEST-THRESHOLD",
        "threshold is given, but there are no keys; leave it out",
    );
    let good = line(&x(Action::Claim));
    let zero = good.replace("\"threshold\":2", "\"threshold\":0");
    expect_text(
        &zero,
        "REQUEST-THRESHOLD",
        "threshold is 0; it must be 1 or more, or left out where there are no keys",
    );
    let huge = good.replace("\"threshold\":2", "\"threshold\":4294967297");
    expect_text(
        &huge,
        "REQUEST-THRESHOLD",
        "threshold is 4294967295, but there are 2 keys: nobody could ever sign",
    );
}

#[test]
fn every_key_has_an_owner_and_nobody_owns_another() {
    let mut request = x(Action::Claim);
    request.owners.remove(&keyid(1));
    expect(
        &request,
        "REQUEST-OWNER",
        &format!("owners does not say who holds the key {}", keyid(1)),
    );
    let mut request = x(Action::Claim);
    request.owners.insert(keyid(3), "bob".to_owned());
    expect(
        &request,
        "REQUEST-OWNER",
        &format!("owners names {}, which is not among the keys", keyid(3)),
    );
    let mut request = x(Action::Claim);
    request.first_seen.insert(KeyId("a key".to_owned()), made());
    expect(
        &request,
        "REQUEST-OWNER",
        "first_seen names \"a key\", which is not among the keys",
    );
    for label in ["", " alice", "(laptop)\u{7}", "a\nb", &"x".repeat(101)] {
        let mut request = x(Action::Claim);
        request.owners.insert(keyid(1), label.to_owned());
        let text = format!(
            "owners.{} must be a name of 1 to 100 characters, as alice or alice (laptop)",
            keyid(1)
        );
        expect(&request, "REQUEST-OWNER", &text);
    }
}

#[test]
fn dates_are_moments_that_had_come() {
    let keyid = keyid(1);
    let moment = "\"2026-11-22T12:00:00Z\"";
    let good = line(&request(Action::Claim, "x", &[1], 1));
    accepts(&request(Action::Claim, "x", &[1], 1));
    for (to, text) in [
        (
            "\"2026-11-22\"",
            "is 2026-11-22; write it as YYYY-MM-DDTHH:MM:SSZ",
        ),
        (
            "\"2026-11-22T12:00:00.5Z\"",
            "is 2026-11-22T12:00:00.5Z; write it as YYYY-MM-DDTHH:MM:SSZ",
        ),
        (
            "\"2026-11-22T12:00:01Z\"",
            "lies behind the moment the file was made",
        ),
    ] {
        let text = format!("first_seen.{keyid} {text}");
        expect_text(&good.replace(moment, to), "REQUEST-DATE", &text);
    }
    let mut request = x(Action::Claim);
    let at = "2026-11-23T00:00:00Z".parse().unwrap();
    request.events.push(Event {
        kind: EventKind::Report,
        at,
    });
    expect(
        &request,
        "REQUEST-DATE",
        "events[0].at lies behind the moment the file was made",
    );
}

#[test]
fn proofs_are_by_the_keys_once_each_and_of_their_kind() {
    let id = identity();
    let mut good = x(Action::Claim);
    good.owners.insert(id.keyid(), "alice".to_owned());
    good.keys.insert(id.keyid(), id.clone());
    good.possession = vec![signature(1, b"m"), bundle(id.keyid())];
    accepts(&good);
    let with = |proofs: Vec<Proof>| Request {
        possession: proofs,
        ..good.clone()
    };
    let (one, three) = (keyid(1), keyid(3));
    expect(
        &with(vec![signature(1, b"m"), signature(1, b"n")]),
        "REQUEST-PROOF",
        &format!("possession has two proofs by {one}; give one a key"),
    );
    expect(
        &with(vec![signature(3, b"m")]),
        "REQUEST-PROOF",
        &format!("possession has a proof by {three}, which is not among the keys"),
    );
    expect(
        &with(vec![bundle(one.clone())]),
        "REQUEST-PROOF",
        &format!("possession has a bundle by {one}, which is a key; give its signature"),
    );
    let mut signed = signature(1, b"m");
    signed.keyid = id.keyid();
    expect(
        &with(vec![signed]),
        "REQUEST-PROOF",
        &format!(
            "possession has a signature by {}, which is an identity; give its bundle",
            id.keyid()
        ),
    );
    let mut empty = signature(1, b"m");
    empty.evidence = Evidence::Signature(Vec::new());
    expect(
        &with(vec![empty]),
        "REQUEST-PROOF",
        "possession[0].sig must be a signature in lower-case hexadecimal digits",
    );
    let mut twice = x(Action::AddKey);
    twice.authorised = vec![signature(1, b"m"), signature(1, b"m")];
    expect(
        &twice,
        "REQUEST-PROOF",
        &format!("authorised has two proofs by {one}; give one a key"),
    );
}
