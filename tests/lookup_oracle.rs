//! The delegation resolver against python-tuf 7.0.1: its patterns, hash prefixes and bins, and its search over random trees with cycles, terminating
//! delegations and limits. Where ours answers otherwise, and must, the test says so.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/forge.rs"]
mod forge;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits as JsonLimits;
use tuf_ceremony::tuf::lookup::{
    Limits, Listing, TargetPath, Unsigned, Visit, dialect, pattern, walk,
};
use tuf_ceremony::tuf::style;

/// `count` values of a strategy, the same ones in every run.
fn some<T: std::fmt::Debug>(count: usize, strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    let mut next = || strategy.new_tree(&mut runner).unwrap().current();
    (0..count).map(|_| next()).collect()
}

fn ask_python(questions: &[Value]) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("tests/.venv/bin/python");
    assert!(
        python.exists(),
        "{} is not there. Run ./ceremony-scripts/test, which installs what the tests need.",
        python.display()
    );
    let mut child = Command::new(&python)
        .arg("-B")
        .arg(root.join("tests/oracles/lookup.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: Vec<String> = questions.iter().map(Value::to_string).collect();
    let input = lines.join("\n") + "\n";
    // A writer of its own, so that neither side waits for the other.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the oracle failed");
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), questions.len());
    answers
}

fn signed(targets: &[&str], delegations: Option<Value>) -> Value {
    let file = json!({"length": 1, "hashes": {"sha256": "0".repeat(64)}});
    let files: serde_json::Map<String, Value> = targets
        .iter()
        .map(|path| ((*path).to_owned(), file.clone()))
        .collect();
    let mut signed = json!({
        "_type": "targets", "spec_version": "1.0.0", "version": 1, "expires": forge::EXPIRES, "targets": files,
    });
    if let Some(delegations) = delegations {
        signed["delegations"] = delegations;
    }
    signed
}

fn keys() -> Value {
    let key = style::to_vec(forge::key(1).value());
    json!({ forge::keyid(1).0: serde_json::from_slice::<Value>(&key).unwrap() })
}

fn listing(signed: &Value) -> Listing {
    let text = json!({"signatures": [], "signed": signed}).to_string();
    let envelope = Envelope::parse("role.json", text.into_bytes(), JsonLimits::SMALL).unwrap();
    Listing::read("role.json", envelope).unwrap()
}

fn delegation(name: &str, terminating: bool, what: (&str, &Value)) -> Value {
    json!({
        "name": name, "keyids": [forge::keyid(1).0], "threshold": 1, "terminating": terminating, what.0: what.1,
    })
}

#[test]
fn patterns_match_as_in_python_tuf_but_for_brackets() {
    let plain = (
        "[ab*?.{}!\u{e9}]{0,4}(/[ab*?.-]{0,4}){0,2}",
        "[ab.{}!\u{e9}]{0,4}(/[ab.-]{0,4}){0,2}",
    );
    let brackets = (
        "[ab*?\\[\\]!-]{0,5}/[ab\\[\\]]{0,3}",
        "[ab\\[\\]!]{0,3}/[ab\\[\\]]{0,3}",
    );
    let mut pairs = some(4_000, plain);
    pairs.extend(some(4_000, brackets));
    // Half of the paths are made to fit their pattern, or hardly any would.
    for (pattern, path) in pairs.iter_mut().step_by(2) {
        *path = pattern.replace('*', "ab").replace('?', "b");
    }
    let questions: Vec<Value> = pairs
        .iter()
        .map(|(pattern, path)| json!({"pattern": pattern, "path": path}))
        .collect();
    let (mut alike, mut otherwise) = (0, 0);
    for ((pattern, path), answer) in pairs.iter().zip(ask_python(&questions)) {
        let ours = pattern::matches(pattern, path);
        if answer == json!(ours) {
            alike += usize::from(ours);
            continue;
        }
        // fnmatch takes [..] for a choice of characters, which the specification does not have; the lint names every such pattern.
        assert!(
            pattern.contains('['),
            "{pattern} {path}: {answer} in python-tuf"
        );
        let role = delegation("role", false, ("paths", &json!([pattern])));
        let delegator = signed(&[], Some(json!({"keys": keys(), "roles": [role]})));
        let findings = dialect::of_delegations("claimed.json", listing(&delegator).targets());
        assert_eq!(findings[0].rule, "PATH-DIALECT", "{pattern}");
        otherwise += 1;
    }
    assert!(
        alike > 2_000 && otherwise > 80,
        "{alike} match in both, {otherwise} differ"
    );
}

#[test]
fn hash_prefixes_and_bins_are_those_of_python_tuf() {
    let paths = some(600, "[a-z\u{e9}/.-]{0,20}");
    let mut questions = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        let hash = Sha256::of(path.as_bytes()).to_string();
        let prefix = match number % 4 {
            0 => hash[..number % 65].to_owned(),
            1 => hash[..2].to_uppercase(),
            2 => "0".to_owned(),
            _ => String::new(),
        };
        questions.push(json!({"prefix": prefix, "path": path}));
        questions.push(json!({"bits": number % 32 + 1, "path": path}));
    }
    let mut matched = 0;
    for (question, answer) in questions.iter().zip(ask_python(&questions)) {
        let path = question["path"].as_str().unwrap();
        let delegations = match question["bits"].as_u64() {
            Some(bits) => json!({"keys": keys(), "succinct_roles": {
                "keyids": [forge::keyid(1).0], "threshold": 1, "bit_length": bits, "name_prefix": "bin",
            }}),
            None => json!({"keys": keys(), "roles": [
                delegation("role", false, ("path_hash_prefixes", &json!([question["prefix"]]))),
            ]}),
        };
        let role = listing(&signed(&[], Some(delegations)));
        let target = TargetPath::new(path);
        let found = role.matches(&target).next();
        if question.get("bits").is_some() {
            let found = found.unwrap();
            assert_eq!(answer, json!(found.role), "{question}");
            // And python-tuf's Delegations says True for it, whatever the TAP says.
            assert!(found.terminating && role.delegation(&found.role).is_some());
        } else {
            assert_eq!(answer, json!(found.is_some()), "{question}");
            matched += usize::from(found.is_some());
        }
    }
    assert!((200..580).contains(&matched), "{matched}");
}

/// A delegation among few roles: to which, whether it ends the search, and which pattern it has.
type Edge = (usize, bool, usize);

const PATTERNS: [&str; 5] = ["*/*", "x/*", "x/y", "?/y", "z/*"];

/// Role 0 is targets. Every role delegates to each other role at most once, as python-tuf demands; cycles and several delegators are frequent.
fn tree(edges: &[Vec<Edge>], lists: usize) -> Value {
    let name = |number: usize| match number {
        0 => "targets".to_owned(),
        number => format!("r{number}"),
    };
    let mut roles = serde_json::Map::new();
    for (number, edges) in edges.iter().enumerate() {
        let mut seen = vec![0];
        let mut listed = Vec::new();
        for (to, terminating, pattern) in edges {
            if !seen.contains(to) {
                seen.push(*to);
                let paths = json!([PATTERNS[*pattern]]);
                listed.push(delegation(&name(*to), *terminating, ("paths", &paths)));
            }
        }
        let delegations = json!({"keys": keys(), "roles": listed});
        let targets: &[&str] = if number == lists { &["x/y"] } else { &[] };
        roles.insert(name(number), signed(targets, Some(delegations)));
    }
    Value::Object(roles)
}

#[test]
fn searches_ask_the_same_roles_in_the_same_order_as_python_tuf() {
    const ROLES: usize = 9;
    let edge = (1..ROLES, prop::bool::weighted(0.15), 0..PATTERNS.len());
    let edges = prop::collection::vec(prop::collection::vec(edge, 0..5), ROLES);
    let cases = some(
        800,
        (
            edges,
            0..ROLES + 4,
            prop_oneof![3 => Just(32_usize), 1 => 0_usize..6],
        ),
    );
    let questions: Vec<Value> = cases
        .iter()
        .map(|(edges, lists, limit)| json!({"roles": tree(edges, *lists), "path": "x/y", "limit": limit}))
        .collect();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (question, answer) in questions.iter().zip(ask_python(&questions)) {
        let roles = question["roles"].as_object().unwrap();
        let roles = roles
            .iter()
            .map(|(name, signed)| (name.clone(), listing(signed)));
        let source = Unsigned(roles.collect());
        let limits = Limits {
            roles: usize::try_from(question["limit"].as_u64().unwrap()).unwrap(),
            ..Limits::default()
        };
        let walk = walk(&source, "x/y", limits);
        let asked = walk.steps.iter().filter(|step| step.visit != Visit::Again);
        let asked: Vec<&str> = asked.map(|step| step.role.as_str()).collect();
        assert_eq!(answer["asked"], json!(asked), "{question}");
        assert_eq!(answer["found"], json!(walk.answering()), "{question}");
        let kind = match serde_json::to_value(&walk.answer).unwrap() {
            Value::Object(answer) if answer.contains_key("nothing") => {
                answer["nothing"]["end"].to_string()
            }
            _ => "found".to_owned(),
        };
        *kinds.entry(kind.chars().take(6).collect()).or_default() += 1;
        if walk.steps.iter().any(|step| step.visit == Visit::Again) {
            *kinds.entry("again".to_owned()).or_default() += 1;
        }
    }
    // All ways to end are among them, and roles that come up twice.
    assert!(
        kinds.len() == 5 && kinds.values().all(|count| *count > 20),
        "{kinds:?}"
    );
}
