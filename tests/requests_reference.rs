//! docs/requests.md and its schema against the program: the worked example is read, and its ten lines of Python make proofs that count.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use ed25519_dalek::SigningKey;
use serde_json::Value;
use tuf_ceremony::pypi::project::Project;
use tuf_ceremony::pypi::requests::statement::{
    self, check_possession, no_sigstore, possession, proven,
};
use tuf_ceremony::pypi::requests::{
    Action, ChannelKind, Custody, EventKind, Evidence, Proof, Request, Requests, write,
};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::json::{Limits, check};
use tuf_ceremony::tuf::key::{Key, KeyId, PublicKey};

fn docs(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The indented block behind a mark.
fn block(mark: &str) -> String {
    let page = docs("requests.md");
    let (_, after) = page.split_once(&format!("<!-- {mark} -->\n")).unwrap();
    let lines = after.lines().map_while(|line| line.strip_prefix("    "));
    lines.collect::<Vec<_>>().join("\n")
}

fn anchor() -> Sha256 {
    Sha256::of(b"1.root.json")
}

#[test]
fn the_worked_example_is_what_the_program_reads_and_writes() {
    let file = block("file") + "\n";
    let read = Requests::parse("requests.jsonl", file.as_bytes()).unwrap();
    assert_eq!(read.refused, []);
    assert_eq!(read.header.check_anchor("", &anchor()), None);
    let [request] = &read.requests[..] else {
        panic!("{:?}", read.requests);
    };
    let statement = String::from_utf8(possession(&anchor(), request)).unwrap();
    assert_eq!(statement, block("statement"));
    let alice = SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes();
    assert_eq!(
        request.keys.values().next().unwrap().public(),
        &PublicKey::Ed25519(alice)
    );
    let proven = proven(&anchor(), request, &no_sigstore);
    assert_eq!(check_possession("", request, &proven), None);
    let written = write(&anchor(), read.header.made, &read.requests);
    assert_eq!(String::from_utf8(written).unwrap(), file);
}

fn python() -> PathBuf {
    match std::env::var_os("TUF_CEREMONY_PYTHON") {
        Some(python) => python.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.venv/bin/python"),
    }
}

/// What a developer's tool prints for a fresh key: first by the page's own lines, then the two ECDSA ways that the page tells in words.
const TOOL: &str = r#"
import sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

class Ecdsa:
    def __init__(self, curve, digest):
        self.secret, self.digest = ec.generate_private_key(curve), digest
    def public_key(self):
        return self.secret.public_key()
    def sign(self, message):
        return self.secret.sign(message, ec.ECDSA(self.digest))

secrets = [ed25519.Ed25519PrivateKey.generate(), Ecdsa(ec.SECP256R1(), hashes.SHA256()), Ecdsa(ec.SECP384R1(), hashes.SHA384())]
for secret in secrets:
    print(json.dumps(possession(secret, sys.argv[1], "example")))
"#;

#[test]
fn ten_lines_of_python_make_proofs_that_count() {
    let page = docs("requests.md");
    let (_, code) = page.split_once("<!-- python -->\n```python\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    let statements = code.lines().filter(|line| !line.trim().is_empty());
    assert!(statements.count() <= 12, "the page promises ten lines");
    let tool = format!("import json\n{code}{TOOL}");
    let output = Command::new(python())
        .args(["-c", &tool, &anchor().to_string()])
        .output()
        .unwrap_or_else(|fault| panic!("{}: {fault}", python().display()));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines.lines().count(), 3);
    for line in lines.lines() {
        let json = check(line.as_bytes(), Limits::SMALL).unwrap();
        let [keyid, key, proof] = json.elements().collect::<Vec<_>>().try_into().unwrap();
        let keyid = KeyId(keyid.as_str().unwrap().into_owned());
        let key = Key::from_json(key).unwrap();
        assert_eq!(key.keyid(), keyid);
        let sig = proof.get("sig").unwrap().as_str().unwrap();
        let sig = data_encoding::HEXLOWER.decode(sig.as_bytes()).unwrap();
        let project = Project::parse("example").unwrap();
        let mut request = Request::new(Action::Claim, project);
        request.keys.insert(keyid.clone(), key);
        request.owners.insert(keyid.clone(), "alice".to_owned());
        request.threshold = 1;
        request.possession = vec![Proof {
            keyid: keyid.clone(),
            evidence: Evidence::Signature(sig),
        }];
        assert_eq!(proven(&anchor(), &request, &no_sigstore).by, [keyid]);
        let made = "2026-11-22T12:00:00Z".parse().unwrap();
        let read = Requests::parse("", &write(&anchor(), made, [&request])).unwrap();
        assert_eq!((read.requests.len(), read.refused.len()), (1, 0));
        let other = Sha256::of(b"another repository");
        assert_eq!(statement::proven(&other, &request, &no_sigstore).by, []);
    }
}

fn words(value: &Value) -> BTreeSet<String> {
    let words = value.as_array().unwrap().iter();
    words
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_schema_has_the_members_and_words_of_the_program() {
    let schema: Value = serde_json::from_str(&docs("requests.schema.json")).unwrap();
    let properties = &schema["$defs"]["request"]["properties"];
    let same = |value: &Value, known: Vec<&str>| {
        let known: BTreeSet<String> = known.into_iter().map(str::to_owned).collect();
        assert_eq!(words(value), known);
    };
    let actions = Action::ALL.iter().map(|action| action.word());
    same(&properties["request"]["enum"], actions.collect());
    let custody = Custody::ALL.iter().map(|custody| custody.word());
    same(&properties["custody"]["enum"], custody.collect());
    let events = EventKind::ALL.iter().map(|kind| kind.word());
    same(
        &properties["events"]["items"]["properties"]["event"]["enum"],
        events.collect(),
    );
    let channels = ChannelKind::ALL.iter().map(|kind| kind.word());
    same(
        &properties["channel"]["properties"]["kind"]["enum"],
        channels.collect(),
    );

    // Each member of the schema is one that the reader knows, and no other is.
    let header = block("file").lines().next().unwrap().to_owned();
    let refusal = |member: &str| {
        let line = format!("{{\"{member}\":null,\"project\":\"x\",\"request\":\"claim\"}}");
        let line = if ["project", "request"].contains(&member) {
            "{\"project\":\"x\",\"request\":\"claim\"}".to_owned()
        } else {
            line
        };
        let before = format!("{header}\n{line}\n");
        let end = format!(
            "{{\"end\":{{\"requests\":1,\"sha256\":\"{}\"}}}}\n",
            Sha256::of(before.as_bytes())
        );
        match Requests::parse("", (before + &end).as_bytes()) {
            Ok(read) => read.refused[0].finding.text.clone(),
            Err(finding) => finding.text,
        }
    };
    let members = properties.as_object().unwrap();
    assert_eq!(members.len(), 13);
    for member in members.keys() {
        let told = refusal(member);
        assert!(!told.contains("does not know"), "{member}: {told}");
    }
    assert!(refusal("note").contains("does not know"));
}
