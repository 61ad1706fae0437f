//! What two runs of one script must have in common, whoever answered: everything but keys, times, signatures and what follows from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tuf_ceremony::words;

/// What stands for a key, a signature, a digest, a time or a size.
const BLANK: &str = "*";

/// A bundle's files by name, as text without what differs from run to run: hexadecimal and base64 runs (keyids, signatures, digests, serials, PEM bodies), PGP
/// words, sizes in bytes, and the times of day (dates at midnight are expiries and stay). Kept are the kinds of events and their order, prompts, answers,
/// documents, versions, names, findings, thresholds, and every sentence. What stands in the order of keyids is sorted by what is left of it.
pub fn normalised(bundle: &Path) -> BTreeMap<String, String> {
    let named = files(bundle).into_iter().map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(bundle).unwrap().display().to_string();
        let json = Path::new(&name)
            .extension()
            .is_some_and(|end| end == "json");
        let text = if name == "transcript.jsonl" {
            let lines = text.lines().map(|line| format!("{:#}", json_of(line)));
            lines.collect::<Vec<_>>().join("\n")
        } else if json {
            format!("{:#}", json_of(&text))
        } else {
            sentences(&text)
        };
        (blank_runs(&name), text)
    });
    named.collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    });
    nested.collect()
}

fn json_of(text: &str) -> Value {
    blank(serde_json::from_str(text).unwrap())
}

fn blank(value: Value) -> Value {
    match value {
        Value::Object(members) => members_of(members),
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(blank).collect();
            // Signers and signatures stand in the order of their keyids.
            if items.iter().all(|item| item.get("keyid").is_some()) {
                items.sort_by_key(ToString::to_string);
            }
            Value::Array(items)
        }
        // A key object or other text inside a text.
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(inner @ Value::Object(_)) => blank(inner),
            _ => Value::from(sentences(&text)),
        },
        other => other,
    }
}

fn members_of(members: Map<String, Value>) -> Value {
    if !members.is_empty() && members.keys().all(|name| blank_runs(name) == BLANK) {
        let mut named: Vec<_> = members.into_values().map(blank).collect();
        named.sort_by_key(ToString::to_string);
        return Value::Array(named);
    }
    let members = members
        .into_iter()
        .map(|(name, member)| match name.as_str() {
            "size" | "time" | "utc" => (name, Value::from(BLANK)),
            _ => (name, blank(member)),
        });
    Value::Object(members.collect())
}

/// Text line by line: PEM bodies and lines of PGP words are blanks; of the rest what [`blank_runs`] leaves.
fn sentences(text: &str) -> String {
    let mut in_pem = false;
    let lines = text.lines().map(|line| {
        in_pem = (in_pem || line.contains("-----BEGIN ")) && !line.contains("-----END ");
        if (in_pem && !line.contains("-----BEGIN ")) || are_words(line) {
            return BLANK.to_owned();
        }
        let blanked = line
            .split(' ')
            .map(|word| if is_time(word) { BLANK } else { word });
        let blanked = in_order(blank_runs(&blanked.collect::<Vec<_>>().join(" ")));
        match blanked.split_once(" bytes") {
            Some((before, after)) => {
                format!(
                    "{}{BLANK} bytes{after}",
                    before.trim_end_matches(|c: char| c.is_ascii_digit())
                )
            }
            None => blanked,
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line about several keys goes through them in the order of their keyids: its words are sorted.
fn in_order(line: String) -> String {
    if line.matches("Key *").count() < 2 {
        return line;
    }
    let mut words: Vec<_> = line.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

fn are_words(line: &str) -> bool {
    let bytes: Vec<u8> = (0..=255).collect();
    let shifted: Vec<u8> = (0..=255).map(|byte: u8| byte.wrapping_sub(1)).collect();
    let known: BTreeSet<_> = words::of(&bytes)
        .into_iter()
        .chain(words::of(&shifted))
        .collect();
    let found = line
        .split_whitespace()
        .filter(|word| known.contains(word))
        .count();
    found >= 4
}

/// A moment, as `2026-11-22T13:59:35Z`, that is no midnight, or `13:59:35`.
fn is_time(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let moment = word.parse::<jiff::Timestamp>().is_ok() && !word.ends_with("T00:00:00Z");
    moment
        || word
            .parse::<jiff::civil::Time>()
            .is_ok_and(|_| word.len() == 8)
}

/// Every run of 16 or more hexadecimal digits, or of 32 or more characters of base64, becomes a blank; lines of one PEM body one blank together.
fn blank_runs(text: &str) -> String {
    let mut blanked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_base64) {
        let (before, run) = rest.split_at(start);
        let length = run.find(|c| !is_base64(c)).unwrap_or(run.len());
        let (run, after) = run.split_at(length);
        blanked.push_str(before);
        let hexadecimal = length >= 16 && run.chars().all(|c| c.is_ascii_hexdigit());
        blanked.push_str(if hexadecimal || length >= 32 {
            BLANK
        } else {
            run
        });
        rest = after;
    }
    blanked.push_str(rest);
    while blanked.contains("*\\*") {
        blanked = blanked.replace("*\\*", BLANK);
    }
    blanked
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/=".contains(c)
}
