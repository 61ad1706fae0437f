//! Metadata files: reading them whole, and adding signatures without touching anything else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::{Envelope, Signature};
use tuf_ceremony::tuf::finding::{Finding, Level};
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::key::KeyId;
use tuf_ceremony::tuf::style;
use tuf_ceremony::tuf::value::Value;

fn parse(text: &str) -> Envelope {
    parsed(text).expect(text)
}

fn parsed(text: &str) -> Result<Envelope, Finding> {
    Envelope::parse("8.root.json", text.as_bytes().to_vec(), Limits::SMALL)
}

fn text(envelope: &Envelope) -> String {
    String::from_utf8(envelope.bytes().into_owned()).unwrap()
}

/// Adds `sig` for `keyid`; what is empty or `"bad"` may be replaced.
fn add(envelope: &Envelope, keyid: &str, sig: u8) -> Envelope {
    let replaceable = |entry: &Signature| entry.sig.is_empty() || entry.sig == "bad";
    envelope.with_signature(&KeyId(keyid.to_owned()), &[sig], &replaceable)
}

#[test]
#[rustfmt::skip]
fn what_is_no_envelope_is_refused_in_words() {
    let table = [
        ("{\"signed\":{},}", "JSON-STRICT", "This is not strict JSON: line 1, column 14: expected a key, found \"}\"."),
        ("{\"signed\":{\"v\":1,\"v\":2}}", "JSON-STRICT", "This is not strict JSON: line 1, column 18: the key \"v\" occurs twice in one object."),
        ("[]", "ENVELOPE-FORM", "A metadata file is a JSON object with signed and signatures."),
        ("{\"signatures\":[]}", "ENVELOPE-FORM", "The file has no member signed."),
        ("{\"signed\":{}}", "ENVELOPE-FORM", "The file has no member signatures."),
        ("{\"signed\":[],\"signatures\":[]}", "ENVELOPE-FORM", "The file has a member signed that is not an object."),
        ("{\"signed\":{},\"signatures\":{}}", "ENVELOPE-FORM", "The file has a member signatures that is not a list."),
        ("{\"signed\":{},\"signatures\":[1]}", "ENVELOPE-FORM", "signatures[0] is not an object."),
        ("{\"signed\":{},\"signatures\":[{\"keyid\":\"a\",\"sig\":\"\"},{\"sig\":\"\"}]}", "ENVELOPE-FORM", "signatures[1] has no member keyid."),
        ("{\"signed\":{},\"signatures\":[{\"keyid\":\"a\"}]}", "ENVELOPE-FORM", "signatures[0] has no member sig."),
        ("{\"signed\":{},\"signatures\":[{\"keyid\":1,\"sig\":\"\"}]}", "ENVELOPE-FORM", "signatures[0] has a member keyid that is not a string."),
        ("{\"signed\":{},\"signatures\":[{\"keyid\":\"a\",\"sig\":null}]}", "ENVELOPE-FORM", "signatures[0] has a member sig that is not a string."),
    ];
    for (text, rule, sentence) in table {
        let finding = parsed(text).expect_err(text);
        assert_eq!(finding, Finding::error(rule, "8.root.json", sentence), "{text}");
        assert_eq!(finding.level, Level::Error);
    }
}

#[test]
fn everything_found_is_kept() {
    let found = "{\"x-note\": [1],\r\n \"signed\": {\"b\": \"\\n\", \"a\": 1},\n\"signatures\": [{\"sig\": \"\", \"bundle\": {}, \"keyid\": \"k\"}, {\"keyid\":\"k\",\"sig\":\"AB\"}] }\n";
    let envelope = parse(found);
    assert_eq!(text(&envelope), found);
    assert_eq!(
        envelope.signed().bytes(),
        br#"{"b": "\n", "a": 1}"#.as_slice()
    );
    assert_eq!(envelope.payload(), &b"{\"a\":1,\"b\":\"\n\"}"[..]);
    assert_eq!(envelope.payload_digest(), Sha256::of(&envelope.payload()));
    let entries: Vec<_> = envelope
        .signatures()
        .iter()
        .map(|s| (s.keyid.0.as_str(), s.sig.as_str()))
        .collect();
    assert_eq!(entries, [("k", ""), ("k", "AB")]);
}

#[test]
fn a_canonical_payload_is_borrowed() {
    let envelope = parse(r#"{"signed":{"a":1,"b":[]},"signatures":[]}"#);
    assert!(matches!(
        envelope.payload(),
        std::borrow::Cow::Borrowed(br#"{"a":1,"b":[]}"#)
    ));
    assert_eq!(envelope.payload_digest(), Sha256::of(br#"{"a":1,"b":[]}"#));
}

#[test]
#[rustfmt::skip]
fn new_entries_look_like_their_neighbours() {
    let table = [
        ("compact", r#"{"signatures":[],"signed":{}}"#, r#"{"signatures":[{"keyid":"a","sig":"01"},{"keyid":"b","sig":"02"}],"signed":{}}"#),
        ("spaced", r#"{"signed": {}, "signatures": []}"#, r#"{"signed": {}, "signatures": [{"keyid": "a", "sig": "01"}, {"keyid": "b", "sig": "02"}]}"#),
        (
            "python-tuf, empty",
            "{\n \"signatures\": [],\n \"signed\": {}\n}",
            "{\n \"signatures\": [\n  {\n   \"keyid\": \"a\",\n   \"sig\": \"01\"\n  },\n  {\n   \"keyid\": \"b\",\n   \"sig\": \"02\"\n  }\n ],\n \"signed\": {}\n}",
        ),
        (
            "tuftool, two spaces, entry there",
            "{\n  \"signed\": {},\n  \"signatures\": [\n    {\n      \"keyid\": \"aa\",\n      \"sig\": \"ff\"\n    }\n  ]\n}\n",
            "{\n  \"signed\": {},\n  \"signatures\": [\n    {\n      \"keyid\": \"a\",\n      \"sig\": \"01\"\n    },\n    {\n      \"keyid\": \"aa\",\n      \"sig\": \"ff\"\n    },\n    {\n      \"keyid\": \"b\",\n      \"sig\": \"02\"\n    }\n  ]\n}\n",
        ),
        (
            "tabs and CRLF",
            "{\r\n\t\"signatures\": [ ],\r\n\t\"signed\": {}\r\n}",
            "{\r\n\t\"signatures\": [\r\n\t\t{\r\n\t\t\t\"keyid\": \"a\",\r\n\t\t\t\"sig\": \"01\"\r\n\t\t},\r\n\t\t{\r\n\t\t\t\"keyid\": \"b\",\r\n\t\t\t\"sig\": \"02\"\r\n\t\t}\r\n\t],\r\n\t\"signed\": {}\r\n}",
        ),
        (
            "an entry a line",
            "{\"signed\":{},\n\"signatures\":[\n{\"keyid\":\"ab\",\"sig\":\"ff\"}\n]}",
            "{\"signed\":{},\n\"signatures\":[\n{\"keyid\":\"a\",\"sig\":\"01\"},\n{\"keyid\":\"ab\",\"sig\":\"ff\"},\n{\"keyid\":\"b\",\"sig\":\"02\"}\n]}",
        ),
    ];
    for (name, before, after) in table {
        let file = parse(before);
        assert_eq!(text(&add(&add(&file, "a", 1), "b", 2)), after, "{name}");
        assert_eq!(text(&add(&add(&file, "b", 2), "a", 1)), after, "{name}, the other way round");
    }
}

#[test]
fn a_signed_file_is_what_python_tuf_would_write() {
    let signed = Value::Object(vec![
        ("version".to_owned(), Value::Integer(1)),
        ("_type".to_owned(), Value::string("r\u{f6}le")),
    ]);
    let unsigned = Envelope::unsigned("1.root.json", &signed).unwrap();
    assert_eq!(
        text(&unsigned),
        "{\n \"signatures\": [],\n \"signed\": {\n  \"_type\": \"r\\u00f6le\",\n  \"version\": 1\n }\n}"
    );
    let entry = |keyid: &str, sig: &str| {
        Value::Object(vec![
            ("keyid".to_owned(), Value::string(keyid)),
            ("sig".to_owned(), Value::string(sig)),
        ])
    };
    let whole = Value::Object(vec![
        ("signed".to_owned(), signed),
        (
            "signatures".to_owned(),
            Value::Array(vec![entry("a\"\u{1f600}", "0a"), entry("b", "0b")]),
        ),
    ]);
    let file = add(&add(&unsigned, "b", 11), "a\"\u{1f600}", 10);
    assert_eq!(file.bytes(), style::to_vec(&whole));
    assert_eq!(text(&file.without_signatures()), text(&unsigned));
    assert!(file.without_signatures().signatures().is_empty());
}

#[test]
fn what_we_write_passes_the_reader_too() {
    let signed = Value::Object(vec![("version".to_owned(), Value::Integer(i64::MAX))]);
    let finding = Envelope::unsigned("1.root.json", &signed).err().unwrap();
    assert_eq!(finding.rule, "JSON-STRICT");
}

#[test]
#[rustfmt::skip]
fn of_two_entries_for_one_key_one_stays() {
    let file = |entries: &str| format!("{{\"signatures\":[{entries}],\"signed\":{{}}}}");
    let table = [
        ("placeholder", r#"{"keyid":"k","sig":""}"#, r#"{"keyid":"k","sig":"50"}"#),
        ("invalid", r#"{"sig":"bad","x":[],"keyid":"k"}"#, r#"{"sig":"50","x":[],"keyid":"k"}"#),
        ("valid and smaller", r#"{"keyid":"k","sig":"4f"}"#, r#"{"keyid":"k","sig":"4f"}"#),
        ("valid and larger", r#"{"keyid":"k","sig":"51"}"#, r#"{"keyid":"k","sig":"50"}"#),
        ("invalid, then valid", r#"{"keyid":"k","sig":"bad"},{"keyid":"k","sig":"4f"}"#, r#"{"keyid":"k","sig":"bad"},{"keyid":"k","sig":"4f"}"#),
        ("invalid twice", r#"{"keyid":"k","sig":"bad"},{"keyid":"k","sig":"bad"}"#, r#"{"keyid":"k","sig":"50"},{"keyid":"k","sig":"bad"}"#),
    ];
    for (name, before, after) in table {
        assert_eq!(text(&add(&parse(&file(before)), "k", 0x50)), file(after), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn signatures_added_in_any_order_give_the_same_bytes(
        start in start(),
        (signers, shuffled) in signers(),
        reparse in any::<u8>(),
    ) {
        let forwards = sign_in_turn(&start, &signers, reparse)?;
        prop_assert_eq!(forwards, sign_in_turn(&start, &shuffled, !reparse)?);
    }
}

/// Distinct keyids in order, and the same shuffled.
fn signers() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    prop::collection::btree_set("[a-d]{1,2}", 1..6)
        .prop_map(Vec::from_iter)
        .prop_flat_map(|signers| (Just(signers.clone()), Just(signers).prop_shuffle()))
}

/// The file after all have signed; `reparse` says (a bit each) who gets it as a file and who in memory.
fn sign_in_turn(start: &str, signers: &[String], reparse: u8) -> Result<String, TestCaseError> {
    let mut file = parse(start);
    for (turn, keyid) in signers.iter().enumerate() {
        let added = add(&file, keyid, keyid.as_bytes()[0]);
        let read = parse(&text(&added));
        prop_assert_eq!(read.signatures(), added.signatures());
        prop_assert_eq!(read.signed().span(), added.signed().span());
        prop_assert_eq!(read.signed().bytes(), file.signed().bytes());
        prop_assert_eq!(read.payload_digest(), added.payload_digest());
        prop_assert_eq!(stripped(&read), stripped(&parse(start)));
        file = if reparse >> turn & 1 == 1 {
            read
        } else {
            added
        };
    }
    Ok(text(&file))
}

fn stripped(envelope: &Envelope) -> String {
    text(&envelope.without_signatures())
}

/// Files in several styles with placeholders, wrong and right signatures, in any order, also of one keyid.
fn start() -> impl Strategy<Value = String> {
    let entry = (
        "[a-d]{1,2}",
        prop::sample::select(vec!["", "bad", "00", "ff"]),
    );
    let entries = prop::collection::vec(entry, 0..4);
    let styles: [[&str; 6]; 4] = [
        // before, opening, colon, comma, closing, after
        ["", "", ":", ",", "", ""],
        [" ", "", ": ", ", ", " ", ""],
        ["\n  ", "\n   ", ": ", ",\n   ", "\n  ", "\n "],
        ["\r\n\t", " ", ":", " , ", "", "\r\n"],
    ];
    (entries, prop::sample::select(styles.to_vec()), any::<bool>()).prop_map(|(entries, style, first)| {
        let [before, opening, colon, comma, closing, after] = style;
        let entries: Vec<_> = entries
            .iter()
            .map(|(keyid, sig)| {
                format!("{before}{{{opening}\"keyid\"{colon}\"{keyid}\"{comma}\"sig\"{colon}\"{sig}\"{closing}}}")
            })
            .collect();
        let after = if entries.is_empty() { "" } else { after };
        let list = format!("\"signatures\"{colon}[{}{after}]", entries.join(","));
        let signed = format!("\"signed\"{colon}{{ \"b\":1,\"a\":2}}");
        if first {
            format!("{{\n {list},\n {signed}\n}}")
        } else {
            format!("{{{signed},{list}}}")
        }
    })
}
