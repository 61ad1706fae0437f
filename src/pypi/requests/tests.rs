#![allow(clippy::unwrap_used, reason = "tests")]

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer as _, SigningKey};

use super::statement::{self, no_sigstore};
use super::*;
use crate::tuf::finding::Level;
use crate::tuf::json::{self, Limits};
use crate::tuf::key::PublicKey;

mod file;
mod form;
mod keys;
mod lines;
mod statements;

const FILE: &str = "requests.jsonl";

fn anchor() -> Sha256 {
    Sha256::of(b"1.root.json")
}

fn made() -> jiff::Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn secret(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn key(number: u8) -> Key {
    let public = secret(number).verifying_key().to_bytes();
    Key::from_public(&PublicKey::Ed25519(public)).unwrap()
}

fn keyid(number: u8) -> KeyId {
    key(number).keyid()
}

fn identity() -> Key {
    let text = br#"{"keytype":"sigstore-oidc","keyval":{"identity":"release@example.org","issuer":"https://accounts.example.org"},"scheme":"Fulcio"}"#;
    Key::from_json(json::check(text, Limits::SMALL).unwrap()).unwrap()
}

/// A request for `project` with these Ed25519 keys, all by alice, `threshold` of them.
fn request(action: Action, project: &str, keys: &[u8], threshold: u32) -> Request {
    let mut request = Request::new(action, Project::parse(project).unwrap());
    for number in keys {
        request.keys.insert(keyid(*number), key(*number));
        let owner = format!("alice (machine {number})");
        request.owners.insert(keyid(*number), owner);
        request.first_seen.insert(keyid(*number), made());
    }
    request.threshold = threshold;
    if action != Action::Claim {
        request.replaces = Some(Sha256::of(b"delegation"));
    }
    if matches!(
        action,
        Action::AddKey | Action::RemoveKey | Action::Threshold
    ) {
        request.authorised = vec![signature(1, b"whatever")];
    }
    request
}

fn signature(number: u8, message: &[u8]) -> Proof {
    let sig = secret(number).sign(message).to_bytes().to_vec();
    Proof {
        keyid: keyid(number),
        evidence: Evidence::Signature(sig),
    }
}

fn bundle(keyid: KeyId) -> Proof {
    let bundle = Value::Object(vec![("mediaType".to_owned(), Value::string("x"))]);
    Proof {
        keyid,
        evidence: Evidence::Bundle(bundle),
    }
}

fn file(requests: &[Request]) -> Vec<u8> {
    write(&anchor(), made(), requests)
}

/// A whole file around `lines` as they are.
fn around(lines: &[&str]) -> Vec<u8> {
    let header = Header {
        anchor: anchor(),
        made: made(),
        requests: lines.len() as u64,
    };
    let mut bytes = header.to_line();
    for line in lines {
        bytes.extend(line.as_bytes());
        bytes.push(b'\n');
    }
    let end = writer::end_line(&bytes, lines.len() as u64);
    bytes.extend(end);
    bytes
}

fn line(request: &Request) -> String {
    let line = String::from_utf8(request.to_line()).unwrap();
    line.trim_end().to_owned()
}
