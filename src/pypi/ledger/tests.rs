#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const FILE: &str = "ledger.jsonl";

fn entry(role: &str, version: u64, payload: &str) -> Entry {
    Entry {
        role: role.to_owned(),
        version,
        payload: Sha256::of(payload.as_bytes()),
        ceremony: Sha256::of(b"ceremony"),
        supersedes: None,
    }
}

fn ledger(entries: &[Entry]) -> Ledger {
    Ledger::default()
        .extended(FILE, entries.iter().cloned())
        .unwrap()
}

/// Root twice, claimed from version 4, and a second payload of it.
fn four() -> [Entry; 4] {
    let mut second = entry("claimed", 4, "two");
    second.supersedes = Some(Sha256::of(b"one"));
    [
        entry("root", 1, "r1"),
        entry("claimed", 4, "one"),
        second,
        entry("root", 3, "r3"),
    ]
}

#[test]
fn a_ledger_is_read_as_it_was_written_and_grows_at_its_end() {
    let long = ledger(&four());
    let bytes = long.to_bytes();
    assert_eq!(Ledger::parse(FILE, &bytes).unwrap(), long);
    assert_eq!(long.entries(), four());
    let short = ledger(&four()[..2]);
    assert!(bytes.starts_with(&short.to_bytes()));
    assert_eq!(
        short.extended(FILE, four()[2..].iter().cloned()).unwrap(),
        long
    );
    assert_eq!(
        Ledger::default().to_bytes(),
        b"{\"schema\":\"tuf-ceremony/ledger/1\"}\n"
    );
    assert_eq!(long.find("claimed", 4), Some(&four()[2]));
    assert_eq!(long.find("claimed", 5), None);
}

#[test]
fn ledgers_of_the_wrong_form_are_refused() {
    let text = String::from_utf8(ledger(&four()).to_bytes()).unwrap();
    let table = [
        (
            text.trim_end().to_owned(),
            "the ledger does not end with a newline: it was cut off",
        ),
        (
            String::new(),
            "the ledger does not end with a newline: it was cut off",
        ),
        (
            text.replace("ledger/1", "ledger/2"),
            "line 1: schema is tuf-ceremony/ledger/2; this program reads tuf-ceremony/ledger/1",
        ),
        (
            text.replacen("\"role\":\"root\"", "\"role\":\"../x\"", 1),
            "line 2: role must be the name of an offline role",
        ),
        (
            text.replacen("\"version\":1", "\"version\":0", 1),
            "line 2: version must be 1 or more",
        ),
        (
            text.replacen("\"version\":1", "\"version\":-1", 1),
            "line 2: version must be a whole number, 0 or more",
        ),
        (
            text.replacen("\"role\"", "\"more\":1,\"role\"", 1),
            "line 2: the line has the member more, which this program does not know",
        ),
        (
            text.replacen("\"ceremony\":\"", "\"ceremony\":\"0", 1),
            "line 2: ceremony must be 64 lower-case hexadecimal digits",
        ),
        (
            format!("{text}\n"),
            "line 6: column 1: the text ends too early",
        ),
    ];
    for (text, expected) in table {
        let finding = Ledger::parse(FILE, text.as_bytes()).unwrap_err();
        assert_eq!(
            (finding.rule.as_str(), finding.text.as_str()),
            ("LEDGER-FORM", expected)
        );
    }
}

#[test]
fn versions_go_up_and_a_second_payload_names_the_one_it_gives_up() {
    let base = ledger(&four());
    let two = Sha256::of(b"two");
    let signed_before = format!(
        "claimed v4 was signed before with the payload {two}; a second payload must name it as given up"
    );
    let superseding = |given_up: &[u8]| Entry {
        supersedes: Some(Sha256::of(given_up)),
        ..entry("claimed", 4, "three")
    };
    let table = [
        (
            entry("root", 2, "r2"),
            "root v2 stands behind root v3".to_owned(),
        ),
        (entry("claimed", 4, "three"), signed_before.clone()),
        (entry("claimed", 4, "two"), signed_before.clone()),
        (superseding(b"one"), signed_before),
        (
            Entry {
                version: 5,
                ..superseding(b"one")
            },
            "claimed v5 gives up a payload, but none was signed before".to_owned(),
        ),
    ];
    for (entry, text) in table {
        let finding = base.extended(FILE, [entry.clone()]).unwrap_err();
        assert_eq!(
            (finding.rule.as_str(), finding.text),
            ("LEDGER-ORDER", text.clone())
        );
        let mut bytes = base.to_bytes();
        bytes.extend(entry.to_line());
        let finding = Ledger::parse(FILE, &bytes).unwrap_err();
        assert_eq!(finding.text, format!("line 6: {text}"));
    }
    assert_eq!(
        base.extended(FILE, [superseding(b"two")])
            .unwrap()
            .entries()
            .len(),
        5
    );
}

#[test]
fn a_document_that_differs_from_its_line_is_an_error() {
    let ledger = ledger(&four());
    let (one, two) = (Sha256::of(b"one"), Sha256::of(b"two"));
    assert_eq!(ledger.check("4.claimed.json", "claimed", 4, &two), None);
    assert_eq!(ledger.check("9.claimed.json", "claimed", 9, &one), None);
    let ceremony = Sha256::of(b"ceremony");
    let text = format!(
        "claimed v4 has the payload {one}; the ledger has {two} from the ceremony {ceremony}: two documents of one version. Find out which one clients were given before anything is signed."
    );
    assert_eq!(
        ledger.check("4.claimed.json", "claimed", 4, &one),
        Some(Finding::error("LEDGER-DIFFERS", "4.claimed.json", text))
    );
}

#[test]
fn of_two_ledgers_one_is_the_beginning_of_the_other() {
    let long = ledger(&four());
    let short = ledger(&four()[..2]);
    for (one, two) in [(&long, &short), (&short, &long), (&long, &long)] {
        assert_eq!(one.check_prefix("a", two, "b"), None);
    }
    let other = ledger(&[entry("root", 1, "r1"), entry("claimed", 4, "other")]);
    let (mine, theirs) = (Sha256::of(b"one"), Sha256::of(b"other"));
    let text = format!(
        "line 3 says claimed v4 with the payload {mine}, and that of b says claimed v4 with the payload {theirs}: lines of one of them were changed or left out"
    );
    let expected = Finding::error("LEDGER-PREFIX", "a", text);
    assert_eq!(long.check_prefix("a", &other, "b"), Some(expected));
    let without = ledger(&[four()[0].clone(), four()[3].clone()]);
    assert_eq!(
        long.check_prefix("a", &without, "b").unwrap().rule,
        "LEDGER-PREFIX"
    );
}
