//! PEP 480's tree, signed and published: django is claimed, flask recently claimed, gone in custody without files, lost claimed without its file,
//! everything else in two bins, which also list what they must not.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::tuf::style;
use tuf_ceremony::tuf::value::Value as Written;

use super::forge;

/// One role: what is signed, and by whom.
pub struct Role {
    pub signed: Value,
    pub signers: Vec<u8>,
    pub version: u64,
}

/// The roles below root by name, to be changed before they are signed and written.
pub struct Tree {
    pub roles: BTreeMap<&'static str, Role>,
}

fn targets(version: u64, paths: &[&str]) -> Value {
    let file = json!({"length": 7, "hashes": {"sha256": "0".repeat(64)}});
    let files: serde_json::Map<String, Value> = paths
        .iter()
        .map(|path| ((*path).to_owned(), file.clone()))
        .collect();
    json!({
        "_type": "targets", "spec_version": "1.0.0", "version": version, "expires": forge::EXPIRES, "targets": files,
    })
}

fn keys(numbers: &[u8]) -> Value {
    let keys = numbers.iter().map(|number| {
        let key = style::to_vec(forge::key(*number).value());
        let key: Value = serde_json::from_slice(&key).unwrap();
        (forge::keyid(*number).0, key)
    });
    Value::Object(keys.collect())
}

fn signers(numbers: &[u8], threshold: u32) -> Value {
    let keyids: Vec<String> = numbers.iter().map(|it| forge::keyid(*it).0).collect();
    json!({"keyids": keyids, "threshold": threshold})
}

/// An entry of a list of delegations; no patterns: everything.
pub fn delegation(name: &str, numbers: &[u8], patterns: &[&str], terminating: bool) -> Value {
    let mut role = signers(numbers, u32::try_from(numbers.len()).unwrap());
    role["name"] = json!(name);
    role["terminating"] = json!(terminating);
    if patterns.is_empty() {
        let prefixes: Vec<String> = (0..16).map(|digit| format!("{digit:x}")).collect();
        role["path_hash_prefixes"] = json!(prefixes);
    } else {
        role["paths"] = json!(patterns);
    }
    role
}

pub fn delegating(mut signed: Value, numbers: &[u8], roles: &Value) -> Value {
    signed["delegations"] = json!({"keys": keys(numbers), "roles": roles});
    signed
}

impl Tree {
    pub fn new() -> Self {
        let all = json!([
            delegation("claimed", &[13, 14], &[], false),
            delegation("recently-claimed", &[201], &[], false),
            delegation("unclaimed", &[15], &[], true),
        ]);
        let claimed = json!([
            delegation("custody", &[13, 14], &["gone/*"], true),
            delegation("project-django", &[21], &["django/*"], true),
            delegation("project-lost", &[22], &["lost/*"], true),
        ]);
        let recently = json!([delegation("project-flask", &[23], &["flask/*"], true)]);
        let mut unclaimed = targets(1, &[]);
        let mut bins = signers(&[201], 1);
        bins["bit_length"] = json!(1);
        bins["name_prefix"] = json!("bin");
        unclaimed["delegations"] = json!({"keys": keys(&[201]), "succinct_roles": bins});
        let forged = [
            "six/six-1.tar.gz",
            "django/forged.tar.gz",
            "django/deep/file",
            "gone/gone-1.tar.gz",
        ];
        let mut tree = Self {
            roles: BTreeMap::new(),
        };
        let mut add = |name, version: u64, signed: Value, signers: &[u8]| {
            let signers = signers.to_vec();
            tree.roles.insert(
                name,
                Role {
                    signed,
                    signers,
                    version,
                },
            );
        };
        let top = delegating(targets(3, &[]), &[13, 14, 15, 201], &all);
        add("targets", 3, top, &[11, 12]);
        let claimed = delegating(targets(14, &[]), &[13, 14, 21, 22], &claimed);
        add("claimed", 14, claimed, &[13, 14]);
        add("custody", 2, targets(2, &[]), &[13, 14]);
        let django = targets(6, &["django/django-1.tar.gz"]);
        add("project-django", 6, django, &[21]);
        add("project-lost", 1, targets(1, &[]), &[22]);
        let recently = delegating(targets(20, &[]), &[23], &recently);
        add("recently-claimed", 20, recently, &[201]);
        let flask = targets(1, &["flask/flask-1.tar.gz"]);
        add("project-flask", 1, flask, &[23]);
        add("unclaimed", 1, unclaimed, &[15]);
        add("bin-0", 9, targets(9, &forged), &[201]);
        add("bin-1", 9, targets(9, &forged), &[201]);
        tree
    }

    /// The role called `name`, to be changed.
    pub fn role(&mut self, name: &str) -> &mut Role {
        self.roles.get_mut(name).unwrap()
    }

    /// Signs everything and writes it as a server does, without the file of project-lost; the trusted root stands beside the folder.
    pub fn publish(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, envelope: &Envelope| {
            fs::write(folder.path().join(name), envelope.bytes()).unwrap();
        };
        fs::create_dir(folder.path().join("metadata")).unwrap();
        let root = forge::signed(&forge::root(None, 1, &[1, 2, 3], 2), &[1, 2]);
        write("1.root.json", &root);
        write("metadata/1.root.json", &root);
        let mut meta = json!({});
        for (name, role) in &self.roles {
            meta[format!("{name}.json")] = json!({"version": role.version});
            if *name != "project-lost" {
                let file = format!("metadata/{}.{name}.json", role.version);
                write(&file, &signed(&role.signed, &role.signers));
            }
        }
        let snapshot = json!({"_type": "snapshot", "spec_version": "1.0.0", "version": 7, "expires": forge::EXPIRES, "meta": meta});
        write("metadata/7.snapshot.json", &signed(&snapshot, &[203]));
        let timestamp = json!({
            "_type": "timestamp", "spec_version": "1.0.0", "version": 9, "expires": forge::EXPIRES, "meta": {"snapshot.json": {"version": 7}},
        });
        write("metadata/timestamp.json", &signed(&timestamp, &[201]));
        folder
    }
}

fn signed(signed: &Value, signers: &[u8]) -> Envelope {
    let text = json!({"signatures": [], "signed": signed}).to_string();
    let checked = tuf_ceremony::tuf::json::check(text.as_bytes(), Limits::SMALL).unwrap();
    let bytes = style::to_vec(&Written::from_json(checked));
    let envelope = Envelope::parse("role.json", bytes, Limits::SMALL).unwrap();
    forge::signed(&envelope, signers)
}
