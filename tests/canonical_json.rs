//! The canonical form and the house style against securesystemslib and Python's json module.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::json::{Limits, check};
use tuf_ceremony::tuf::value::Value;
use tuf_ceremony::tuf::{canonical, style};

#[test]
#[rustfmt::skip]
fn the_canonical_form_escapes_only_quote_and_backslash_and_sorts_by_code_point() {
    let table: &[(&str, &str, &str)] = &[
        ("white space goes", " { \"a\" : [ 1 , 2 ] }\r\n", "{\"a\":[1,2]}"),
        ("but not in strings", r#"[" a : b "]"#, r#"[" a : b "]"#),
        ("control characters are literal", r#""\n\t\r\b\f\u0000\u001f""#, "\"\n\t\r\u{8}\u{c}\0\u{1f}\""),
        ("quote and backslash stay escaped", r#""\"\\\u0022\u005c\/""#, r#""\"\\\"\\/""#),
        ("escaped is raw", r#""\u00e9\ud83d\ude00\u007f""#, "\"\u{e9}\u{1f600}\u{7f}\""),
        ("no normalisation", r#"["\u0065\u0301","\u00e9"]"#, "[\"e\u{301}\",\"\u{e9}\"]"),
        ("keys sort at every level", r#"{"b":{"d":1,"c":2},"a":[{"z":1,"y":{}}]}"#, r#"{"a":[{"y":{},"z":1}],"b":{"c":2,"d":1}}"#),
        ("keys sort by what they mean", r#"{"\u0062":1,"a":2,"B":3,"":4}"#, r#"{"":4,"B":3,"a":2,"b":1}"#),
        ("astral after the private use area", r#"{"\ud83d\ude00":1,"\ue000":2,"\uffff":3}"#, "{\"\u{e000}\":2,\"\u{ffff}\":3,\"\u{1f600}\":1}"),
        ("a key after its prefix", r#"{"a\u0000":1,"aa":2,"a":3}"#, "{\"a\":3,\"a\0\":1,\"aa\":2}"),
        ("scalars", "[true,false,null,-1,0,9007199254740991]", "[true,false,null,-1,0,9007199254740991]"),
        ("brackets in strings", r#"{"}":"{","]":["[\""]}"#, r#"{"]":["[\""],"}":"{"}"#),
    ];
    for (name, text, expected) in table {
        let json = check(text.as_bytes(), Limits::SMALL).expect(name);
        assert_eq!(String::from_utf8(canonical::to_vec(json)).unwrap(), *expected, "{name}");
        assert_eq!(Value::from_json(json).canonical(), expected.as_bytes(), "{name}");
        assert_eq!(canonical::is_canonical(json), json.bytes() == expected.as_bytes(), "{name}");
    }
}

#[test]
fn a_part_of_a_document_has_its_own_canonical_form() {
    let text = br#"{ "z": 1, "signed": {"a":[1,{"b":2}]}, "a": {"y":1, "x":2} }"#;
    let json = check(text, Limits::SMALL).unwrap();
    let signed = json.get("signed").unwrap();
    assert!(canonical::is_canonical(signed));
    assert_eq!(
        canonical::sha256(signed),
        Sha256::of(br#"{"a":[1,{"b":2}]}"#)
    );
    let other = json.get("a").unwrap();
    assert!(!canonical::is_canonical(other));
    assert_eq!(canonical::sha256(other), Sha256::of(br#"{"x":2,"y":1}"#));
}

#[test]
fn ten_thousand_documents_come_out_as_in_python() {
    let documents = documents(10_000);
    let answers = ask_python(&documents);
    for (document, answer) in documents.iter().zip(answers) {
        let (canonical, styled) = answer;
        let json = check(document.as_bytes(), Limits::SMALL).expect(document);
        let value = Value::from_json(json);
        assert_eq!(canonical::to_vec(json), canonical, "{document}");
        assert_eq!(
            canonical::sha256(json),
            Sha256::of(&canonical),
            "{document}"
        );
        assert_eq!(
            canonical::is_canonical(json),
            json.bytes() == canonical,
            "{document}"
        );
        assert_eq!(value.canonical(), canonical, "{document}");
        assert_eq!(style::to_vec(&value), styled, "{document}");
        let again = check(&styled, Limits::SMALL).expect(document);
        assert_eq!(canonical::to_vec(again), canonical, "{document}");
    }
    let canonical = documents.iter().filter(|document| {
        canonical::is_canonical(check(document.as_bytes(), Limits::SMALL).unwrap())
    });
    assert!(
        (500..9_500).contains(&canonical.count()),
        "both ways are tried"
    );
}

/// The canonical form and the styled form of each document.
fn ask_python(documents: &[String]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = root.join("tests/.venv/bin/python");
    let python = match std::env::var_os("TUF_CEREMONY_PYTHON") {
        Some(python) => python,
        None if venv.exists() => venv.into(),
        None => "python3".into(),
    };
    let mut child = Command::new(&python)
        .arg(root.join("tests/oracles/canonical.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} does not start: {error}", python.display()));
    let mut stdin = child.stdin.take().unwrap();
    let input = documents.join("\n") + "\n";
    // A writer of its own, so that neither side waits for the other.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{} cannot run the oracle: it needs securesystemslib (set TUF_CEREMONY_PYTHON)",
        python.display()
    );
    writer.join().unwrap().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let decode = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
    let answers: Vec<_> = lines
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(canonical, styled)| (decode(canonical), decode(styled)))
        .collect();
    assert_eq!(answers.len(), documents.len());
    answers
}

/// Documents on one line each, the same ones in every run.
fn documents(count: usize) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    let noise = prop_oneof![Just(vec![0]), prop::collection::vec(any::<u8>(), 1..64),];
    let strategy = (value(), noise);
    let documents = (0..count).map(|_| {
        let (mut value, noise) = strategy.new_tree(&mut runner).unwrap().current();
        if noise == [0] {
            sort(&mut value);
        }
        let mut noise = noise.into_iter().cycle();
        let mut text = String::new();
        write(&value, &mut || noise.next().unwrap(), &mut text);
        text
    });
    documents.collect()
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::Integer),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::hash_map(text(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text with what encoders disagree about in it.
fn text() -> impl Strategy<Value = String> {
    let nasty = "\"\\/\0\n\t\r\u{8}\u{c}\u{1f}\u{7f}\u{9b}\u{e9}\u{301}\u{2028}\u{d7ff}\u{e000}\u{feff}\u{ffff}\u{10000}\u{1f600}\u{10ffff}{}[]:, ab";
    let nasty: Vec<char> = nasty.chars().collect();
    let characters = prop_oneof![prop::sample::select(nasty), any::<char>()];
    let mixed = prop::collection::vec(characters, 0..6).prop_map(String::from_iter);
    prop_oneof![mixed, "[a-c]{0,2}", "[a-z_]{1,12}"]
}

fn sort(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            for (_, value) in members {
                sort(value);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(sort),
        _ => {}
    }
}

/// Writes `value` with white space and needless escapes where `noise` is not 0.
fn write(value: &Value, noise: &mut dyn FnMut() -> u8, out: &mut String) {
    space(noise, out);
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Integer(value) => out.push_str(&value.to_string()),
        Value::String(text) => write_string(text, noise, out),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                write(element, noise, out);
            }
            out.push_str(if elements.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            for (index, (key, value)) in members.iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                space(noise, out);
                write_string(key, noise, out);
                space(noise, out);
                out.push(':');
                write(value, noise, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
    }
    space(noise, out);
}

fn space(noise: &mut dyn FnMut() -> u8, out: &mut String) {
    match noise() {
        200.. => out.push(' '),
        190.. => out.push_str("\t \r"),
        _ => {}
    }
}

fn write_string(text: &str, noise: &mut dyn FnMut() -> u8, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        let escaped = noise() > 200;
        match character {
            '"' | '\\' if !escaped => out.extend(['\\', character]),
            '/' if noise() > 128 => out.push_str("\\/"),
            '\n' if !escaped => out.push_str("\\n"),
            '\t' if !escaped => out.push_str("\\t"),
            '\u{8}' if !escaped => out.push_str("\\b"),
            '\u{20}'.. if !escaped => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04X}").unwrap();
                }
            }
        }
    }
    out.push('"');
}
