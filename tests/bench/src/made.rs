//! Data sets made here, for what must run without anything from outside: the tests and the benches of the parts. The same files in
//! the same form as the sets that `tests/bench/run` measures, from a small generator; a pure function of the size.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use serde_json::{Value, json};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::key::{Key, KeyId, PublicKey};

use crate::{Failure, refused};

const EXPIRES: &str = "2036-01-01T00:00:00Z";

/// Writes a data set of `projects` projects into `folder`: 1% come, 0.1% go, 0.5% get another key.
///
/// # Errors
/// The disk's.
pub fn write(folder: &Path, projects: usize) -> Result<(), Failure> {
    let (added, removed) = ((projects / 100).max(1), (projects / 1000).max(1));
    let rekeyed = (projects / 200).max(1);
    let keys: Vec<String> = (0..projects).map(key).collect();
    let old: Vec<Project> = (0..projects).map(Project::new).collect();
    let mut new: Vec<Project> = (removed..projects + added).map(Project::new).collect();
    let step = (projects - removed) / rekeyed;
    let mut names = Vec::new();
    for (round, project) in new.iter_mut().step_by(step).take(rekeyed).enumerate() {
        project.keys[0] = projects - 1 - round;
        names.push(project.name.clone());
    }
    names.sort_unstable();

    let administrators = three("claimed")?;
    let (root, targets) = top(&administrators)?;
    fs::write(folder.join("1.root.json"), root.bytes())?;
    fs::write(folder.join("1.targets.json"), targets.bytes())?;
    for (number, administrator) in administrators.iter().enumerate() {
        let pem = administrator.key.to_pkcs8_pem(LineEnding::LF)?;
        fs::write(folder.join(format!("admin-claimed-{number}.pem")), &*pem)?;
    }
    let before = sign(&claimed(&old, &keys, 1), &administrators[..2])?;
    let after = sign(&claimed(&new, &keys, 2), &administrators[..2])?;
    let expected = json!({
        "added": added, "removed": removed, "rekeyed": rekeyed,
        "rekeyed_sha256": Sha256::of(names.join("\n").as_bytes()),
        "files": {
            "1.claimed.json": { "signed_sha256": before.payload_digest() },
            "2.claimed.json": { "signed_sha256": after.payload_digest() },
        },
    });
    fs::write(folder.join("expected.json"), expected.to_string())?;
    fs::write(folder.join("1.claimed.json"), before.bytes())?;
    fs::write(folder.join("2.claimed.json"), after.bytes())?;
    let unsigned = after.without_signatures();
    fs::write(folder.join("2.claimed.unsigned.json"), unsigned.bytes())?;
    Ok(())
}

/// A signed list of `projects` projects.
///
/// # Errors
/// None that a caller could cause.
pub fn list(projects: usize) -> Result<Envelope, Failure> {
    let keys: Vec<String> = (0..projects).map(key).collect();
    let list: Vec<Project> = (0..projects).map(Project::new).collect();
    sign(&claimed(&list, &keys, 1), &three("claimed")?[..2])
}

/// A project's place in the list.
struct Project {
    name: String,
    /// Of the list of all keys.
    keys: Vec<usize>,
}

impl Project {
    /// The name is the number, scattered so that the list is in no order; one project in three has a second key, most keys have two projects.
    fn new(number: usize) -> Self {
        let key = number * 3 / 5;
        let scattered = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let second = number.is_multiple_of(3).then_some(key + 1);
        Self {
            name: format!("pkg-{scattered:016x}"),
            keys: [key].into_iter().chain(second).collect(),
        }
    }
}

/// The public half of the key with this number, in hexadecimal.
fn key(number: usize) -> String {
    let seed = Sha256::of(format!("developer {number}").as_bytes());
    let key = ed25519_dalek::SigningKey::from_bytes(&seed.0).verifying_key();
    data_encoding::HEXLOWER.encode(key.as_bytes())
}

/// The signed part of `claimed`, compact and canonical.
fn claimed(projects: &[Project], keys: &[String], version: u32) -> String {
    let mut used: Vec<usize> = projects.iter().flat_map(|one| one.keys.clone()).collect();
    used.sort_unstable();
    used.dedup();
    let mut objects: Vec<(String, String)> = used
        .into_iter()
        .map(|number| ed25519(&keys[number]))
        .collect();
    objects.sort_unstable();
    let keyid = |number: usize| ed25519(&keys[number]).0;
    let mut text = "{\"_type\":\"targets\",\"delegations\":{\"keys\":{".to_owned();
    let mut comma = "";
    for (keyid, object) in &objects {
        let _ = write!(text, "{comma}\"{keyid}\":{object}");
        comma = ",";
    }
    text.push_str("},\"roles\":[");
    comma = "";
    for Project { name, keys } in projects {
        let keyids: Vec<_> = keys.iter().map(|number| keyid(*number)).collect();
        let keyids = keyids.join("\",\"");
        let _ = write!(
            text,
            "{comma}{{\"keyids\":[\"{keyids}\"],\"name\":\"project-{name}\",\"paths\":[\"{name}/*\"],\"terminating\":true,\"threshold\":1}}"
        );
        comma = ",";
    }
    let _ = write!(
        text,
        "]}},\"expires\":\"{EXPIRES}\",\"spec_version\":\"1.0.31\",\"targets\":{{}},\"version\":{version}}}"
    );
    text
}

/// An Ed25519 key's keyid and object.
fn ed25519(public: &str) -> (String, String) {
    let object = format!(
        "{{\"keytype\":\"ed25519\",\"keyval\":{{\"public\":\"{public}\"}},\"scheme\":\"ed25519\"}}"
    );
    (Sha256::of(object.as_bytes()).to_string(), object)
}

/// A P-256 key of a person.
struct Administrator {
    key: SigningKey,
    keyid: KeyId,
    object: Value,
}

fn three(role: &str) -> Result<Vec<Administrator>, Failure> {
    let one = |number| {
        let seed = Sha256::of(format!("administrator {role} {number}").as_bytes());
        let key = SigningKey::from_slice(&seed.0)?;
        let point = key.verifying_key().to_sec1_point(false);
        let public = Key::from_public(&PublicKey::P256(point.as_bytes().to_vec()));
        let pem = key.verifying_key().to_public_key_pem(LineEnding::LF)?;
        Ok(Administrator {
            keyid: public.ok_or("a P-256 key without an object")?.keyid(),
            object: json!({
                "keytype": "ecdsa", "keyval": { "public": pem }, "scheme": "ecdsa-sha2-nistp256",
            }),
            key,
        })
    };
    (0..3).map(one).collect()
}

/// Root and targets, which delegates `claimed` to `administrators`.
fn top(administrators: &[Administrator]) -> Result<(Envelope, Envelope), Failure> {
    let (of_root, of_targets, online) = (three("root")?, three("targets")?, three("online")?);
    let everyone = of_root.iter().chain(&of_targets).chain(&online);
    let root = json!({
        "_type": "root", "consistent_snapshot": true, "expires": EXPIRES, "spec_version": "1.0.31", "version": 1,
        "keys": objects(everyone),
        "roles": {
            "root": role(&of_root), "targets": role(&of_targets),
            "snapshot": role(&online), "timestamp": role(&online),
        },
    });
    let mut delegated = role(administrators);
    delegated["name"] = "claimed".into();
    delegated["terminating"] = false.into();
    delegated["paths"] = json!(["*/*"]);
    let targets = json!({
        "_type": "targets", "expires": EXPIRES, "spec_version": "1.0.31", "version": 1, "targets": {},
        "delegations": { "keys": objects(administrators), "roles": [delegated] },
    });
    Ok((
        sign(&root.to_string(), &of_root[..2])?,
        sign(&targets.to_string(), &of_targets[..2])?,
    ))
}

fn objects<'a>(keys: impl IntoIterator<Item = &'a Administrator>) -> Value {
    let keys = keys.into_iter();
    keys.map(|one| (one.keyid.0.clone(), one.object.clone()))
        .collect()
}

fn role(keys: &[Administrator]) -> Value {
    let keyids: Vec<&KeyId> = keys.iter().map(|one| &one.keyid).collect();
    json!({ "keyids": keyids, "threshold": 2 })
}

fn sign(signed: &str, signers: &[Administrator]) -> Result<Envelope, Failure> {
    let text = format!("{{\"signatures\":[],\"signed\":{signed}}}");
    let mut envelope = Envelope::parse("made here", text.into_bytes(), Limits::LARGE)
        .map_err(|finding| refused(&finding))?;
    for signer in signers {
        let sig: Signature = signer.key.sign(&envelope.payload());
        envelope = envelope.with_signature(&signer.keyid, sig.to_der().as_bytes(), &|_| false);
    }
    Ok(envelope)
}
