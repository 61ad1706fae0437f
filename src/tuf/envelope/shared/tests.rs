#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, Read};

use crate::tuf::envelope::Envelope;
use crate::tuf::json::Limits;

fn key(number: usize) -> String {
    format!(
        r#""{number:064x}":{{"keytype":"ed25519","keyval":{{"public":"{number:064x}"}},"scheme":"ed25519"}}"#
    )
}

fn role(number: usize, threshold: usize) -> String {
    format!(
        r#"{{"keyids":["{number:064x}"],"name":"project-p{number}","paths":["p{number}/*"],"terminating":true,"threshold":{threshold}}}"#
    )
}

/// Keys and roles as given, one version of a file.
fn file(version: usize, keys: &[String], roles: &[String]) -> String {
    let (keys, roles) = (keys.join(","), roles.join(","));
    format!(
        r#"{{"signatures":[],"signed":{{"_type":"targets","delegations":{{"keys":{{{keys}}},"roles":[{roles}]}},"expires":"2030-01-01T00:00:00Z","spec_version":"1.0.31","targets":{{}},"version":{version}}}}}"#
    )
}

fn of(version: usize, numbers: impl Iterator<Item = usize> + Clone) -> String {
    let keys: Vec<_> = numbers.clone().map(key).collect();
    let roles: Vec<_> = numbers.map(|number| role(number, 1)).collect();
    file(version, &keys, &roles)
}

fn parse(text: &str) -> Envelope {
    Envelope::parse("file", text.as_bytes().to_vec(), Limits::LARGE).unwrap()
}

fn beside(text: &str, base: &Envelope) -> Envelope {
    let mut source = text.as_bytes();
    Envelope::read("file", &mut source, text.len(), Limits::LARGE, Some(base)).unwrap()
}

/// Both say the same in every way in which a file can be asked.
fn assert_same(name: &str, found: &Envelope, text: &str) {
    let plain = parse(text);
    assert_eq!(found.bytes(), plain.bytes(), "{name}");
    assert_eq!(found.length(), text.len(), "{name}");
    assert_eq!(found.payload(), plain.payload(), "{name}");
    assert_eq!(found.payload_length(), plain.payload().len(), "{name}");
    assert_eq!(found.payload_digest(), plain.payload_digest(), "{name}");
    let entries = |envelope: &Envelope, list: &str| -> Vec<Vec<u8>> {
        let list = envelope
            .signed()
            .get("delegations")
            .unwrap()
            .get(list)
            .unwrap();
        let members = list
            .members()
            .map(|(name, json)| [name.as_bytes(), &json.bytes()].concat());
        members
            .chain(list.elements().map(|json| json.bytes().into_owned()))
            .collect()
    };
    for list in ["keys", "roles"] {
        assert_eq!(entries(found, list), entries(&plain, list), "{name}");
    }
    let version = |envelope: &Envelope| envelope.signed().get("version").unwrap().as_i64();
    assert_eq!(version(found), version(&plain), "{name}");
    assert!(found.signed().is_written_as(plain.signed()), "{name}");
}

#[test]
fn a_file_read_next_to_an_earlier_version_says_what_it_says_by_itself() {
    let old = parse(&of(1, 0..100));
    let all: Vec<_> = (0..100).map(key).collect();
    let changed: Vec<_> = (0..100)
        .map(|number| role(number, 1 + usize::from(number == 50)))
        .collect();
    let cases = [
        ("the same", of(1, 0..100)),
        ("another version", of(2, 0..100)),
        ("the first goes", of(2, 1..100)),
        ("the last goes", of(2, 0..99)),
        ("one in the midst goes", of(2, (0..40).chain(41..100))),
        ("many in the midst go", of(2, (0..5).chain(90..100))),
        ("one in the midst comes", of(2, (0..100).chain([200]))),
        ("some come before", of(2, 0..120)),
        ("all go", of(2, 0..0)),
        ("all are others", of(2, 300..400)),
        ("one changes", file(2, &all, &changed)),
        ("every second goes", of(2, (0..100).step_by(2))),
    ];
    for (name, text) in cases {
        let found = beside(&text, &old);
        assert_same(name, &found, &text);
        assert!(found.text().splice().is_some(), "{name}");
    }
}

#[test]
fn entries_that_are_the_same_are_held_once() {
    let old = parse(&of(1, 0..2000));
    let new = beside(
        &of(2, (0..2000).filter(|number| *number != 7).chain([5000])),
        &old,
    );
    let splice = new.text().splice().unwrap();
    // The new key and role, and the last ones of each list, behind which a comma comes now.
    assert!(splice.fresh.len() < 2000, "{}", splice.fresh.len());
    assert_eq!((splice.keys.len(), splice.roles.len()), (2000, 2000));

    let keys: Vec<_> = (0..2000).map(key).collect();
    let roles: Vec<_> = (0..2000)
        .map(|number| role(number, 1 + usize::from(number % 100 == 50)))
        .collect();
    let new = beside(&file(2, &keys, &roles), &old);
    // Twenty roles differ, one by one.
    let fresh = new.text().splice().unwrap().fresh.len();
    assert!((20 * 100..20 * 200).contains(&fresh), "{fresh}");
    let new = beside(&of(2, (0..300).chain(900..2000)), &old);
    // Until the end of the gap of six hundred is found.
    let fresh = new.text().splice().unwrap().fresh.len();
    assert!(fresh < 40 * 400, "{fresh}");
}

#[test]
fn a_file_of_another_form_is_read_by_itself() {
    let old = parse(&of(1, 0..10));
    let good = of(2, 0..12);
    let reversed: Vec<_> = (0..12).rev().map(key).collect();
    let roles: Vec<_> = (0..12).map(|number| role(number, 1)).collect();
    for (name, text) in [
        ("pretty", good.replace(',', ",\n ")),
        ("keys out of order", file(2, &reversed, &roles)),
        (
            "lists elsewhere",
            good.replace(
                r#""signed""#,
                r#""x":{"delegations":{"keys":{},"roles":[]}},"signed""#,
            ),
        ),
        (
            "no delegations",
            r#"{"signatures":[],"signed":{"_type":"targets"}}"#.to_owned(),
        ),
    ] {
        let found = beside(&text, &old);
        let plain = parse(&text);
        assert_eq!(found.bytes(), plain.bytes(), "{name}");
        assert_eq!(found.payload_digest(), plain.payload_digest(), "{name}");
        assert!(found.text().splice().is_none(), "{name}");
    }
}

#[test]
fn what_is_refused_by_itself_is_refused_next_to_another_with_the_same_words() {
    let old = parse(&of(1, 0..10));
    let good = of(2, 0..12);
    let twice: Vec<_> = [0, 1, 1].map(key).to_vec();
    let mut cases = vec![
        ("a key twice", file(2, &twice, &[]).into_bytes()),
        ("a key twice, the second new", file(2, &[key(0), key(20), key(20)], &[]).into_bytes()),
        ("a float", good.replace(r#""threshold":1},{"keyids":["000000000000000000000000000000000000000000000000000000000000000b""#, r#""threshold":1.0},{"keyids":["000000000000000000000000000000000000000000000000000000000000000b""#).into_bytes()),
        ("behind the end", [good.as_bytes(), b"x"].concat()),
        ("two commas", good.replacen("},\"", "},,\"", 3).into_bytes()),
        ("no UTF-8 in a new entry", good.replace("project-p11", "project-p\u{1}").into_bytes()),
    ];
    let mut broken = good.clone().into_bytes();
    let at = good.find("project-p11").unwrap();
    broken[at] = 0xFF;
    cases.push(("no UTF-8", broken));
    for end in 0..good.len() {
        cases.push(("cut", good.as_bytes()[..end].to_vec()));
    }
    for (name, bytes) in cases {
        let plain = Envelope::parse("file", bytes.clone(), Limits::LARGE).err();
        let mut source = &bytes[..];
        let found =
            Envelope::read("file", &mut source, bytes.len(), Limits::LARGE, Some(&old)).err();
        assert!(plain.is_some(), "{name}");
        assert_eq!(found, plain, "{name}");
    }
}

/// Gives a few bytes at a time, and fails at the end.
struct Slow<'a>(&'a [u8], usize, bool);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() && self.2 {
            return Err(io::Error::other("the stick was pulled"));
        }
        let length = self.1.min(buffer.len()).min(self.0.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

#[test]
fn a_slow_medium_gives_the_same_file_and_a_broken_one_is_told() {
    let old = parse(&of(1, 0..100));
    let text = of(2, (0..100).filter(|number| *number != 30).chain([200, 201]));
    for step in [1, 7, 1000] {
        for base in [None, Some(&old)] {
            let mut slow = Slow(text.as_bytes(), step, false);
            let found = Envelope::read("file", &mut slow, 0, Limits::LARGE, base).unwrap();
            assert_same("slow", &found, &text);
        }
    }
    for end in [0, 10, 300, text.len() / 2, text.len() - 1] {
        for base in [None, Some(&old)] {
            let mut slow = Slow(&text.as_bytes()[..end], 1000, true);
            let fault = Envelope::read("file", &mut slow, 0, Limits::LARGE, base);
            let fault = fault.err().unwrap().text;
            assert!(
                fault.contains("the rest cannot be read: the stick was pulled"),
                "{fault}"
            );
        }
    }
}

#[test]
fn signatures_and_edits_leave_the_shared_entries_where_they_are() {
    use crate::tuf::edit;
    use crate::tuf::value::Value;
    let old = parse(&of(1, 0..100));
    let keyid = crate::tuf::fixture::keyid(1);
    let renewed = edit::renew("file", &old, "2031-01-01T00:00:00Z").unwrap();
    assert!(renewed.text().splice().is_some());
    let expected = of(2, 0..100).replace("2030-01-01", "2031-01-01");
    assert_same("renewed", &renewed, &expected);
    let marked = edit::with_member("file", &renewed, "x-a", Value::Bool(true)).unwrap();
    let expected = expected.replace(r#""version":2}"#, r#""version":2,"x-a":true}"#);
    assert_same("marked", &marked, &expected);
    let signed = marked.with_signature(&keyid, &[7; 4], &|_| false);
    let entry = format!(r#"[{{"keyid":"{keyid}","sig":"07070707"}}]"#);
    assert_same("signed", &signed, &expected.replacen("[]", &entry, 1));
    assert_eq!(signed.payload_digest(), marked.payload_digest());
    assert_same("unsigned again", &signed.without_signatures(), &expected);
}

#[test]
fn a_text_without_end_is_read_up_to_the_limit_only() {
    /// New keys for ever.
    struct Endless(usize);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let head = file(2, &[], &[]);
            let head = &head[..head.find("\"keys\":{").unwrap() + 8];
            let text = match self.0 {
                0 => head.to_owned(),
                1 => key(1),
                number => format!(",{}", key(number)),
            };
            self.0 += 1;
            buffer[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        }
    }
    let old = parse(&of(1, 0..10));
    let limits = Limits {
        bytes: 3 << 20,
        ..Limits::LARGE
    };
    for base in [None, Some(&old)] {
        let endless = &mut Endless(0);
        let fault = Envelope::read(
            "file",
            &mut io::BufReader::new(&mut *endless),
            0,
            limits,
            base,
        );
        let fault = fault.err().unwrap().text;
        assert!(fault.contains("at most 3145728 are read"), "{fault}");
        // A key is over 150 bytes.
        assert!(endless.0 * 150 < 6 << 20, "{}", endless.0);
    }
}
