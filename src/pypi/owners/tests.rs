#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::tuf::finding::Level;

const FILE: &str = "owners.jsonl";

fn at(day: u8) -> jiff::Timestamp {
    format!("2026-11-{day:02}T00:00:00Z").parse().unwrap()
}

fn key(number: u8) -> Key {
    let secret = ed25519_dalek::SigningKey::from_bytes(&[number; 32]);
    Key::from_public(&PublicKey::Ed25519(secret.verifying_key().to_bytes())).unwrap()
}

fn project(name: &str) -> Project {
    Project::parse(name).unwrap()
}

/// Keys 1, 2, … with these labels.
fn labels(labels: &[&str]) -> BTreeMap<KeyId, String> {
    let keyids = (1..).map(|number| key(number).keyid());
    keyids
        .zip(labels.iter().map(|label| (*label).to_owned()))
        .collect()
}

fn register(of: &[&str]) -> Owners {
    let mut owners = Owners::default();
    owners.merge(&labels(of), at(1));
    owners
}

/// The text of a register of keys 1 and 2.
fn text() -> String {
    String::from_utf8(register(&["alice (laptop)", "bob"]).to_bytes()).unwrap()
}

#[test]
fn a_register_is_read_as_it_was_written() {
    for owners in [
        Owners::default(),
        register(&["alice (laptop)", "b\u{f6}b", "c"]),
    ] {
        let bytes = owners.to_bytes();
        assert_eq!(Owners::parse(FILE, &bytes).unwrap(), owners);
    }
    assert_eq!(
        Owners::default().to_bytes(),
        b"{\"schema\":\"tuf-ceremony/owners/1\"}\n"
    );
}

#[test]
fn registers_of_the_wrong_form_are_refused() {
    let form = "OWNER-FORM";
    let (first, second) = {
        let mut keyids = [key(1).keyid(), key(2).keyid()];
        keyids.sort();
        let [first, second] = keyids;
        (first, second)
    };
    let label_of_first = register(&["alice (laptop)", "bob"]).keys[&first]
        .label
        .clone();
    let lines: Vec<String> = text().lines().map(str::to_owned).collect();
    let table = [
        (
            text().trim_end().to_owned(),
            form,
            "the register does not end with a newline: it was cut off".to_owned(),
        ),
        (
            String::new(),
            form,
            "the register does not end with a newline: it was cut off".to_owned(),
        ),
        (
            text().replace("owners/1", "owners/2"),
            form,
            "line 1: schema is tuf-ceremony/owners/2; this program reads tuf-ceremony/owners/1"
                .to_owned(),
        ),
        (
            text().replace("\"schema\"", "\"more\":1,\"schema\""),
            form,
            "line 1: the line has the member more, which this program does not know".to_owned(),
        ),
        (
            text().replace(&first.0, "k"),
            form,
            "line 2: keyid must be 64 lower-case hexadecimal digits".to_owned(),
        ),
        (
            text()
                .replace("alice (laptop)", "alice\\u0007")
                .replace("bob", "bob\\u0007"),
            form,
            "line 2: owner must be a name of 1 to 100 characters, as alice or alice (laptop)"
                .to_owned(),
        ),
        (
            text().replace("00:00:00Z", "00:00Z"),
            form,
            "line 2: since is 2026-11-01T00:00Z; write it as YYYY-MM-DDTHH:MM:SSZ".to_owned(),
        ),
        (
            format!("{}\n", text()),
            form,
            "line 4: column 1: the text ends too early".to_owned(),
        ),
        (
            format!("{}\n{}\n{}\n", lines[0], lines[2], lines[1]),
            "OWNER-ORDER",
            format!("line 3: {first} stands behind {second}; the lines are sorted by keyid"),
        ),
        (
            format!("{}\n{}\n{}\n", lines[0], lines[1], lines[1]),
            "OWNER-TWICE",
            format!(
                "line 3: {first} is held by {0} and by {0}; a key has one owner",
                shown(&label_of_first)
            ),
        ),
    ];
    for (text, rule, expected) in table {
        let finding = Owners::parse(FILE, text.as_bytes()).unwrap_err();
        assert_eq!((finding.rule.as_str(), finding.text), (rule, expected));
    }
}

#[test]
fn a_label_that_stays_keeps_its_date_and_another_takes_its_place() {
    let mut owners = register(&["alice", "bob"]);
    owners.merge(&labels(&["alice", "bob (desk)", "carol"]), at(9));
    let found: Vec<(&str, jiff::Timestamp)> = (1..=3)
        .map(|number| &owners.keys[&key(number).keyid()])
        .map(|owner| (owner.label.as_str(), owner.since))
        .collect();
    assert_eq!(
        found,
        [("alice", at(1)), ("bob (desk)", at(9)), ("carol", at(9))]
    );
}

#[test]
fn a_key_under_two_persons_is_found_and_two_machines_are_not_two_persons() {
    let owners = register(&["alice (laptop)"]);
    let same = labels(&["alice (desk)", "bob", "carol"]);
    let twice = labels(&["alice", "bob (laptop)", "carol"]);
    let both = same.iter().chain(&twice);
    assert_eq!(owners.shared(FILE, both), BTreeMap::new());

    let other = labels(&["mallory", "bob", "dave"]);
    let found = owners.shared(FILE, same.iter().chain(&other));
    let (one, three) = (key(1).keyid(), key(3).keyid());
    let text = |keyid: &KeyId, first: &str, second: &str| {
        let text = format!(
            "the key {keyid} is said to be held by {first} and by {second}: one of them has a copy, or the owners are wrong. Ask both."
        );
        Finding::warning("OWNER-SHARED", FILE, text)
    };
    let expected = [
        (&one, text(&one, "\"alice (laptop)\"", "mallory")),
        (&three, text(&three, "carol", "dave")),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}

fn remarks(owners: &Owners, keys: &[u8], threshold: u32) -> (Option<usize>, Vec<(String, String)>) {
    let keys: Vec<(KeyId, Key)> = keys
        .iter()
        .map(|number| (key(*number).keyid(), key(*number)))
        .collect();
    let project = project("x");
    let team = Team {
        project: &project,
        keys: keys.iter().map(|(keyid, key)| (keyid, key)).collect(),
        threshold,
    };
    let remarks = owners.remarks(FILE, &team);
    assert!(remarks.iter().all(|finding| finding.level == Level::Note));
    let remarks = remarks
        .into_iter()
        .map(|finding| (finding.rule, finding.text));
    (owners.persons_needed(&team), remarks.collect())
}

#[test]
fn persons_are_counted_and_not_keys() {
    let owners = register(&["alice (laptop)", "alice (desk)", "bob"]);
    let one_person = (
        "OWNER-ONE-PERSON".to_owned(),
        "x needs 2 signatures, and 1 person suffices: alice".to_owned(),
    );
    assert_eq!(remarks(&owners, &[1, 2, 3], 2), (Some(1), vec![one_person]));
    assert_eq!(remarks(&owners, &[1, 3], 2), (Some(2), vec![]));
    assert_eq!(remarks(&owners, &[1, 2, 3], 3), (Some(2), vec![]));
    // 7 and 8 are not in the register: nobody can say that they are one person's.
    assert_eq!(remarks(&owners, &[7, 8], 2), (Some(2), vec![]));
    assert_eq!(remarks(&owners, &[1], 2).0, None);
}

#[test]
fn a_single_key_is_told() {
    let owners = register(&["alice", "bob"]);
    let text = "x has one key: whoever loses it must ask for a reset. A second key on another machine would do.";
    let single = ("OWNER-SINGLE-KEY".to_owned(), text.to_owned());
    assert_eq!(remarks(&owners, &[1], 1), (Some(1), vec![single]));
    assert_eq!(remarks(&owners, &[1, 2], 1), (Some(1), vec![]));
}

#[test]
fn a_key_on_many_projects_is_told_once() {
    let names: Vec<Project> = (0..22)
        .map(|number| project(&format!("p{number:02}")))
        .collect();
    let (one, two, three) = (key(1), key(2), key(3));
    let (id, again) = (one.keyid(), KeyId("another".to_owned()));
    let (second, third) = (two.keyid(), three.keyid());
    let keys = || {
        names.iter().enumerate().flat_map(|(index, project)| {
            // Key 1 on all of them and once under a second keyid, key 2 on 21, key 3 on 20.
            let keys = [
                (&id, &one),
                (&again, &one),
                (&second, &two),
                (&third, &three),
            ];
            let keys = keys.into_iter().take(match index {
                ..20 => 4,
                20 => 3,
                _ => 2,
            });
            keys.map(move |(keyid, key)| (project, keyid.0.as_str().into(), key.public().clone()))
        })
    };
    let found = many_projects(FILE, keys);
    let texts: Vec<&str> = found.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            &*format!(
                "the key {id} is on 22 projects, from p00 to p21: who steals it has them all"
            ),
            &*format!(
                "the key {second} is on 21 projects, from p00 to p20: who steals it has them all"
            ),
        ]
    );
    assert!(
        found
            .iter()
            .all(|finding| finding.rule == "OWNER-MANY-PROJECTS" && finding.level == Level::Note)
    );
}
