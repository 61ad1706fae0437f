//! Sigstore bundles against a carried trusted root: real ones of the public instance and of staging with their real roots, and those of a small instance of
//! our own (tests/support/sigstore.rs), which also signs what no real one would.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[path = "support/sigstore.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "not every test program uses every helper"
)]
mod instance;

#[path = "sigstore/bytes.rs"]
mod bytes;
#[path = "sigstore/ours.rs"]
mod ours;
#[path = "sigstore/real.rs"]
mod real;
#[path = "sigstore/request.rs"]
mod request;
#[path = "sigstore/root.rs"]
mod root;

use std::path::Path;

use data_encoding::BASE64;
use instance::{ISSUER, Order, STRANGER};
use jiff::Timestamp;
use serde_json::{Value, json};
use tuf_ceremony::ceremony::identities::Identities;
use tuf_ceremony::ceremony::intake::InputFile;
use tuf_ceremony::pypi::project::Project;
use tuf_ceremony::pypi::requests::{Action, Evidence, Proof, Request, statement};
use tuf_ceremony::sigstore::{Identity, TrustedRoot, Verified, Vouches, verify, verify_by_key};
use tuf_ceremony::tuf;
use tuf_ceremony::tuf::finding::{Finding, Level};
use tuf_ceremony::tuf::json::{Limits, check};
use tuf_ceremony::tuf::key::Key;

/// When the bundles are judged.
const AT: &str = "2026-11-22T12:00:00Z";
const ALICE: &str = "alice@example.org";
const STATEMENT: &[u8] = b"tuf-ceremony possession v1\n{}";

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn identity(identity: &str, issuer: &str) -> Identity {
    Identity {
        identity: identity.to_owned(),
        issuer: issuer.to_owned(),
    }
}

fn real(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sigstore/real");
    std::fs::read(folder.join(name)).unwrap()
}

fn real_root(name: &str) -> TrustedRoot {
    TrustedRoot::parse("trusted_root.json", &real(name)).unwrap()
}

/// The real blob of the public instance, by a person.
fn blob_by(text: &str, issuer: &str, bundle: &[u8], artifact: &[u8]) -> Result<Verified, Finding> {
    let root = real_root("public-good.trusted_root.json");
    verify(&root, "r", bundle, artifact, &identity(text, issuer), at())
}

fn blob(bundle: &[u8]) -> Result<Verified, Finding> {
    const PERSON: (&str, &str) = ("w.vollprecht@gmail.com", "https://github.com/login/oauth");
    blob_by(PERSON.0, PERSON.1, bundle, &real("blob.txt"))
}

fn our_root() -> TrustedRoot {
    TrustedRoot::parse("trusted_root.json", &bytes(&instance::trusted_root())).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn order() -> Order {
    Order::of(ALICE, STATEMENT, "2026-11-20T10:00:00Z".parse().unwrap())
}

/// What is made of a bundle of our own instance.
fn judged(bundle: &Value) -> Result<Verified, Finding> {
    let wanted = identity(ALICE, ISSUER);
    verify(&our_root(), "r", &bytes(bundle), STATEMENT, &wanted, at())
}

#[track_caller]
fn refused(result: Result<Verified, Finding>, rule: &str, part: &str) {
    let fault = result.expect_err(part);
    assert_eq!(fault.rule, rule, "{}", fault.text);
    assert_eq!((fault.level, fault.file.as_str()), (Level::Error, "r"));
    assert!(fault.text.contains(part), "{}", fault.text);
    assert!(fault.text.len() < 1200, "{}", fault.text.len());
}
