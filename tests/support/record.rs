//! What a ceremony's transcript says.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::transcript::{self, Transcript};

/// The verified transcript of a bundle.
pub fn transcript(bundle: &Path) -> Transcript {
    transcript::read(&fs::read(bundle.join(transcript::NAME)).unwrap()).unwrap()
}

/// Its events.
pub fn events(bundle: &Path) -> Vec<Event> {
    let lines = transcript(bundle).lines.into_iter();
    lines.map(|line| line.event).collect()
}

/// `root v2 by alice (keyid)` for each signature made by a key here, in order.
pub fn signatures(bundle: &Path) -> Vec<String> {
    let signed = events(bundle).into_iter().filter_map(|event| match event {
        Event::Signed {
            document, signer, ..
        } => Some(format!(
            "{document} by {} ({})",
            signer.holder, signer.keyid
        )),
        _ => None,
    });
    signed.collect()
}

/// The rules of the findings on record.
pub fn rules(bundle: &Path) -> Vec<String> {
    let found = events(bundle).into_iter().filter_map(|event| match event {
        Event::Found { finding } => Some(finding.rule),
        _ => None,
    });
    found.collect()
}

/// The prompts that were answered, in order.
pub fn prompts(bundle: &Path) -> Vec<String> {
    let answered = events(bundle).into_iter().filter_map(|event| match event {
        Event::Answered { prompt, .. } => Some(prompt),
        _ => None,
    });
    answered.collect()
}

/// The transcript's lines without what differs from day to day and from token to token: times, keys, signatures, and the digests, sizes and serials
/// that follow from them. What is left is what happened.
pub fn blanked(bundle: &Path) -> Vec<Value> {
    let lines = transcript(bundle).lines.into_iter().map(|line| {
        let mut value = serde_json::to_value(line).unwrap();
        blank(&mut value);
        value
    });
    lines.collect()
}

fn blank(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "time" | "utc" | "size" | "serial" | "key" if !member.is_object() => {
                        *member = Value::from("*");
                    }
                    _ => blank(member),
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(blank);
            // Signers stand in the order of their keyids, which are gone.
            if items.iter().all(|item| item.get("holder").is_some()) {
                items.sort_by_key(ToString::to_string);
            }
        }
        Value::String(text) => *text = in_one_order(&blank_words(&without_pem(text))),
        _ => {}
    }
}

/// Sentences about keys stand in the order of their keyids, which are gone.
fn in_one_order(text: &str) -> String {
    let plain = text.trim_end_matches('.').replace(": ", ". ");
    let mut sentences: Vec<_> = plain.split(". ").collect();
    sentences.sort_unstable();
    sentences.join(". ")
}

/// Every public key in PEM, as a star.
fn without_pem(text: &str) -> String {
    let end = "-----END PUBLIC KEY-----";
    let parts = text.split("-----BEGIN PUBLIC KEY-----").map(|part| {
        part.split_once(end)
            .map_or_else(|| part.to_owned(), |(_, rest)| format!("*{rest}"))
    });
    parts.collect()
}

/// Every run of 16 or more hexadecimal digits, as a star.
fn blank_words(text: &str) -> String {
    let mut blanked = String::new();
    let mut run = String::new();
    for symbol in text.chars().chain(['\n']) {
        if symbol.is_ascii_hexdigit() {
            run.push(symbol);
            continue;
        }
        blanked.push_str(if run.len() >= 16 { "*" } else { &run });
        run.clear();
        blanked.push(symbol);
    }
    blanked.pop();
    blanked
}
