//! The strict reader: what it refuses, with position and exact words, and what it accepts.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use proptest::prelude::*;
use tuf_ceremony::tuf::json::{Json, Kind, Limits, check};
use tuf_ceremony::tuf::value::Value;

const TINY: Limits = Limits {
    bytes: 64,
    depth: 3,
    string: 8,
};

/// Refused texts with a name and the whole message they get.
#[rustfmt::skip]
const REFUSED: &[(&str, &[u8], &str)] = &[
    ("empty", b"", "line 1, column 1: the text ends too early"),
    ("only space", b" \n ", "line 2, column 2: the text ends too early"),
    ("open object", b"{", "line 1, column 2: the text ends too early"),
    ("open array", b"[1", "line 1, column 3: the text ends too early"),
    ("open string", b"[\"ab", "line 1, column 5: the text ends too early"),
    ("open escape", b"\"\\", "line 1, column 3: the text ends too early"),
    ("open \\u", b"\"\\u12", "line 1, column 6: the text ends too early"),
    ("open second \\u", b"\"\\ud83d\\ud", "line 1, column 11: the text ends too early"),
    ("cut literal", b"tru", "line 1, column 4: the text ends too early"),
    ("minus", b"-", "line 1, column 2: the text ends too early"),
    ("key without value", b"{\"a\":", "line 1, column 6: the text ends too early"),
    ("array comma", b"[1,]", "line 1, column 4: expected a value, found \"]\""),
    ("leading comma", b"[,1]", "line 1, column 2: expected a value, found \",\""),
    ("object comma", b"{\"a\":1,}", "line 1, column 8: expected a key, found \"}\""),
    ("bare key", b"{a:1}", "line 1, column 2: expected a key, found \"a\""),
    ("number as key", b"{1:1}", "line 1, column 2: expected a key, found \"1\""),
    ("no colon", b"{\"a\" 1}", "line 1, column 6: expected a colon, found \"1\""),
    ("no comma in array", b"[1 2]", "line 1, column 4: expected a comma or ], found \"2\""),
    ("no comma in object", b"{\"a\":1 \"b\":2}", "line 1, column 8: expected a comma or }, found \"\\\"\""),
    ("wrong bracket", b"[1}", "line 1, column 3: expected a comma or ], found \"}\""),
    ("other wrong bracket", b"{\"a\":1]", "line 1, column 7: expected a comma or }, found \"]\""),
    ("NaN", b"[\n NaN]", "line 2, column 2: expected a value, found \"NaN\""),
    ("Infinity", b"-Infinity", "line 1, column 2: expected a digit, found \"Infinity\""),
    ("Python's True", b"True", "line 1, column 1: expected a value, found \"True\""),
    ("long word", b"nullnull", "line 1, column 1: expected a value, found \"nullnull\""),
    ("single quotes", b"'a'", "line 1, column 1: expected a value, found \"\\'\""),
    ("comment", b"/*a*/1", "line 1, column 1: expected a value, found \"/\""),
    ("plus", b"+1", "line 1, column 1: expected a value, found \"+\""),
    ("hexadecimal", b"[0x10]", "line 1, column 3: expected a comma or ], found \"x10\""),
    ("bidi override", "\u{202e}1".as_bytes(), "line 1, column 1: expected a value, found \"\\u{202e}\""),
    ("escape sequence", b"\x1b[2J", "line 1, column 1: expected a value, found \"\\u{1b}\""),
    ("NUL", b"\0", "line 1, column 1: expected a value, found \"\\u{0}\""),
    ("no-break space", "[\u{a0}1]".as_bytes(), "line 1, column 2: expected a value, found \"\\u{a0}\""),
    ("form feed", b"\x0c1", "line 1, column 1: expected a value, found \"\\u{c}\""),
    ("second document", b"{}\n{}", "line 2, column 1: data after the end of the document"),
    ("trailing NUL", b"1\0", "line 1, column 2: data after the end of the document"),
    ("trailing bracket", b"1]", "line 1, column 2: data after the end of the document"),
    ("duplicate", b"{\"k\":1,\"k\":2}", "line 1, column 8: the key \"k\" occurs twice in one object"),
    ("duplicate, escaped", b"{\"k\":1,\"\\u006b\":2}", "line 1, column 8: the key \"k\" occurs twice in one object"),
    ("duplicate, escaped pair", b"{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\uDE00\":2}", "line 1, column 11: the key \"\\u{1f600}\" occurs twice in one object"),
    ("duplicate empty key", b"{\"\":1,\"\":2}", "line 1, column 7: the key \"\" occurs twice in one object"),
    ("duplicate far apart", b"{\"b\":1,\"a\":2,\"c\":[],\"b\":2}", "line 1, column 21: the key \"b\" occurs twice in one object"),
    ("duplicate of the first", b"{\"a\":1,\"b\":{\"a\":1},\"a\":2}", "line 1, column 20: the key \"a\" occurs twice in one object"),
    ("duplicate inside", b"[{\"a\":{\"b\":1,\n\"b\":2}}]", "line 2, column 1: the key \"b\" occurs twice in one object"),
    ("duplicate after a child", b"{\"b\":{\"z\":1,\"y\":1},\"a\":1,\"b\":1}", "line 1, column 26: the key \"b\" occurs twice in one object"),
    ("fraction", b"1.0", "line 1, column 1: a number with a fraction or exponent; TUF metadata has integers only"),
    ("exponent", b"[1,2e3]", "line 1, column 4: a number with a fraction or exponent; TUF metadata has integers only"),
    ("large exponent", b"1E400", "line 1, column 1: a number with a fraction or exponent; TUF metadata has integers only"),
    ("fraction with leading zero", b"00.5", "line 1, column 1: a number with a fraction or exponent; TUF metadata has integers only"),
    ("2^53", b"9007199254740992", "line 1, column 1: an integer beyond 2^53 - 1, which some readers would round"),
    ("-2^53", b"-9007199254740992", "line 1, column 1: an integer beyond 2^53 - 1, which some readers would round"),
    ("2^64", b"18446744073709551616", "line 1, column 1: an integer beyond 2^53 - 1, which some readers would round"),
    ("40 digits", b"1111111111222222222233333333334444444444", "line 1, column 1: an integer beyond 2^53 - 1, which some readers would round"),
    ("leading zero", b"007", "line 1, column 1: a number written as 007; leading zeros and minus zero are refused"),
    ("two zeros", b"00", "line 1, column 1: a number written as 00; leading zeros and minus zero are refused"),
    ("minus zero", b"[-0]", "line 1, column 2: a number written as -0; leading zeros and minus zero are refused"),
    ("minus leading zero", b"-01", "line 1, column 1: a number written as -01; leading zeros and minus zero are refused"),
    ("lone continuation byte", b"[\"\x80\"]", "line 1, column 3: bytes that are not UTF-8"),
    ("overlong slash", b"\"\xc0\xaf\"", "line 1, column 2: bytes that are not UTF-8"),
    ("raw surrogate", b"\"\xed\xa0\x80\"", "line 1, column 2: bytes that are not UTF-8"),
    ("beyond U+10FFFF", b"\"\xf4\x90\x80\x80\"", "line 1, column 2: bytes that are not UTF-8"),
    ("UTF-16", b"\xff\xfe{\0}\0", "line 1, column 1: bytes that are not UTF-8"),
    ("byte order mark", b"\xef\xbb\xbf{}", "line 1, column 1: a byte order mark"),
    ("lone high surrogate", b"\"\\ud800\"", "line 1, column 2: a lone surrogate in an escape"),
    ("lone low surrogate", b"\"a\\udc00\"", "line 1, column 3: a lone surrogate in an escape"),
    ("high before letter", b"\"\\ud800\\u0041\"", "line 1, column 2: a lone surrogate in an escape"),
    ("high before raw", b"\"\\udbffxxxxxx\"", "line 1, column 2: a lone surrogate in an escape"),
    ("swapped pair", b"{\"\\ude00\\ud83d\":1}", "line 1, column 3: a lone surrogate in an escape"),
    ("\\x", b"\"\\x41\"", "line 1, column 2: an escape that JSON does not have"),
    ("\\'", b"\"\\'\"", "line 1, column 2: an escape that JSON does not have"),
    ("\\U", b"\"\\U0041\"", "line 1, column 2: an escape that JSON does not have"),
    ("\\u with three digits", b"\"\\u041\"", "line 1, column 2: an escape that JSON does not have"),
    ("\\u with sign", b"\"\\u+041\"", "line 1, column 2: an escape that JSON does not have"),
    ("newline in string", b"\"a\nb\"", "line 1, column 3: a control character in a string; JSON wants it escaped"),
    ("tab in key", b"{\"\t\":1}", "line 1, column 3: a control character in a string; JSON wants it escaped"),
    ("NUL in string", b"\"\0\"", "line 1, column 2: a control character in a string; JSON wants it escaped"),
    ("too deep", b"[{\"a\":[[]]}]", "line 1, column 8: nested deeper than 3 levels"),
    ("string too long", b"[\"123456789\"]", "line 1, column 2: a string longer than 8 bytes"),
    ("key too long", b"{\"123456789\":1}", "line 1, column 2: a string longer than 8 bytes"),
    ("string too long as written", b"\"\\u0041123\"", "line 1, column 1: a string longer than 8 bytes"),
    ("text too long", &[b' '; 65], "line 1, column 1: the text is 65 bytes long; at most 64 are read"),
];

#[test]
fn hostile_text_is_refused_with_position_and_words() {
    for (name, text, message) in REFUSED {
        let needs_room = ["\\u", "surrogate", "high", "pair"]
            .iter()
            .any(|n| name.contains(n));
        let limits = Limits {
            string: if needs_room && !name.contains("written") {
                64
            } else {
                8
            },
            ..TINY
        };
        let error = check(text, limits).expect_err(name);
        assert_eq!(error.to_string(), *message, "{name}");
    }
}

#[test]
fn what_is_strict_json_is_accepted() {
    let table: &[(&str, &str)] = &[
        ("scalars", "[null, true, false, 0, -1, \"\"]"),
        ("largest integers", "[9007199254740991,-9007199254740991]"),
        ("space of all kinds", " \r\n\t[ 1 ,\r\n2 ] \n"),
        ("escapes", r#""\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00""#),
        (
            "delete and C1 are no control characters to JSON",
            "\"\u{7f}\u{9b}\"",
        ),
        ("raw UTF-8", "{\"é\":\"\u{10ffff}\"}"),
        ("unsorted keys", r#"{"b":1,"a":{"b":1,"a":[]},"c":2}"#),
        ("one key in two objects", r#"[{"a":1},{"a":{"a":1}}]"#),
        (
            "NFC and NFD are different keys",
            "{\"\u{e9}\":1,\"e\u{301}\":2}",
        ),
        ("empty containers", r#"[{},[],{"a":{}}]"#),
    ];
    for (name, text) in table {
        let json = check(text.as_bytes(), Limits::SMALL).expect(name);
        let expected: serde_json::Value = serde_json::from_str(text).expect(name);
        assert_eq!(to_serde(json), expected, "{name}");
        assert_eq!(
            json.bytes(),
            text.trim_matches([' ', '\r', '\n', '\t']).as_bytes(),
            "{name}"
        );
    }
}

#[test]
fn nesting_of_a_hundred_thousand_costs_nothing() {
    for bracket in ["[", "{\"a\":"] {
        let text = bracket.repeat(100_000);
        let unlimited = Limits {
            depth: usize::MAX,
            ..Limits::SMALL
        };
        let error = check(text.as_bytes(), unlimited).unwrap_err();
        assert!(
            error.to_string().ends_with("nested deeper than 128 levels"),
            "{error}"
        );
        assert_eq!(error.offset, 128 * bracket.len());
    }
    let deepest = format!("{}1{}", "[".repeat(32), "]".repeat(32));
    assert!(check(deepest.as_bytes(), Limits::SMALL).is_ok());
}

#[test]
fn a_long_key_is_cut_in_the_message() {
    let key = "x".repeat(1000);
    let text = format!("{{\"{key}\":1,\"{key}\":2}}");
    let error = check(text.as_bytes(), Limits::SMALL).unwrap_err();
    let shown = format!(
        "line 1, column 1007: the key \"{}...\" occurs twice in one object",
        "x".repeat(60)
    );
    assert_eq!(error.to_string(), shown);
}

#[test]
fn a_million_keys_in_any_order_are_linear() {
    let descending: Vec<_> = (0..1_000_000)
        .rev()
        .map(|n| format!("\"{n:07}\":0"))
        .collect();
    let text = format!("{{{}}}", descending.join(","));
    assert!(check(text.as_bytes(), Limits::SMALL).is_ok());
    let text = format!("{{{},\"0999999\":1}}", descending.join(","));
    let error = check(text.as_bytes(), Limits::SMALL).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the key \"0999999\" occurs twice in one object")
    );
}

#[test]
fn a_view_walks_what_was_proven() {
    let text = br#" {"a":[1,{"]":"}"}, "x\"" ],"b\u0062":true , "c":null,"d":"q"} "#;
    let json = check(text, Limits::SMALL).unwrap();
    assert_eq!(json.kind(), Kind::Object);
    assert_eq!(json.span(), 1..text.len() - 1);
    let keys: Vec<_> = json.members().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys, ["a", "bb", "c", "d"]);
    let elements: Vec<_> = json
        .get("a")
        .unwrap()
        .elements()
        .map(|e| (e.kind(), e.bytes().into_owned()))
        .collect();
    let expected: [(Kind, &[u8]); 3] = [
        (Kind::Integer, b"1"),
        (Kind::Object, br#"{"]":"}"}"#),
        (Kind::String, br#""x\"""#),
    ];
    let expected = expected.map(|(kind, bytes)| (kind, bytes.to_vec()));
    assert_eq!(elements, expected);
    assert_eq!(json.get("bb").unwrap().as_bool(), Some(true));
    assert_eq!(json.get("c").unwrap().kind(), Kind::Null);
    assert_eq!(json.get("d").unwrap().as_str().as_deref(), Some("q"));
    assert!(json.get("nothing").is_none());
    // A question that does not fit the kind has no answer.
    assert_eq!(json.as_str(), None);
    assert_eq!(json.as_i64(), None);
    assert_eq!(json.as_bool(), None);
    assert_eq!(json.elements().count(), 0);
    assert_eq!(json.get("d").unwrap().members().count(), 0);
    assert_eq!(json.get("d").unwrap().as_i64(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Texts made of JSON's own pieces: about half of them are JSON.
    #[test]
    fn what_we_accept_serde_json_reads_alike(pieces in prop::collection::vec(piece(), 1..12)) {
        agrees(pieces.concat().as_bytes())?;
    }

    /// Documents, then one byte damaged.
    #[test]
    fn damaged_documents_are_judged_as_serde_json_does(
        document in document(),
        pretty in any::<bool>(),
        at in any::<prop::sample::Index>(),
        byte in any::<Option<u8>>(),
    ) {
        let mut text = if pretty {
            serde_json::to_vec_pretty(&document).unwrap()
        } else {
            serde_json::to_vec(&document).unwrap()
        };
        let whole = check(&text, Limits::SMALL).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(to_serde(whole), document);
        if let Some(byte) = byte {
            let at = at.index(text.len());
            text[at] = byte;
        }
        agrees(&text)?;
    }

    #[test]
    fn any_bytes_at_all_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        agrees(&bytes)?;
    }
}

/// `check` accepts exactly what `serde_json` accepts, less floats, integers beyond 2^53, duplicate keys and minus zero; and both see one value.
fn agrees(text: &[u8]) -> Result<(), TestCaseError> {
    let theirs: Result<serde_json::Value, _> = serde_json::from_slice(text);
    match (check(text, Limits::SMALL), theirs) {
        (Ok(ours), Ok(theirs)) => {
            prop_assert_eq!(to_serde(ours), theirs.clone());
            prop_assert_eq!(owned_to_serde(&Value::from_json(ours)), theirs);
        }
        (Ok(_), Err(error)) => prop_assert!(false, "only we accept: {error}"),
        (Err(ours), Ok(_)) => {
            use tuf_ceremony::tuf::json::JsonFault as F;
            let stricter = matches!(
                ours.fault,
                F::Float | F::IntegerTooLarge | F::NumberForm(_) | F::DuplicateKey(_)
            );
            prop_assert!(stricter, "only serde_json accepts: {ours}");
        }
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

fn piece() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\n",
        "\"a\"",
        "\"b\"",
        "\"\\u0061\"",
        "\"a\":",
        "0",
        "-",
        "1",
        "-0",
        "1.5",
        "1e3",
        "9007199254740991",
        "9007199254740992",
        "true",
        "false",
        "null",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"",
        "\\",
        "[1,2]",
        "{\"a\":1}",
        "[]",
        "{}",
        "é",
    ];
    prop::sample::select(PIECES).prop_map(str::to_owned)
}

fn document() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same value through the view alone.
fn to_serde(json: Json<'_>) -> serde_json::Value {
    match json.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool => json.as_bool().unwrap().into(),
        Kind::Integer => json.as_i64().unwrap().into(),
        Kind::String => json.as_str().unwrap().into_owned().into(),
        Kind::Array => json.elements().map(to_serde).collect(),
        Kind::Object => json
            .members()
            .map(|(key, value)| (key.into_owned(), to_serde(value)))
            .collect(),
    }
}

fn owned_to_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => (*value).into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(elements) => elements.iter().map(owned_to_serde).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), owned_to_serde(value)))
            .collect(),
    }
}
