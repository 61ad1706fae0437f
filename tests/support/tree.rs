//! A small PEP 480 tree signed by throwaway keys of software, without any ceremony: for tests of what stands below it.

use std::fs;
use std::path::Path;

use tuf_ceremony::pypi::project::Project;
use tuf_ceremony::room::rehearsal::online::Online;
use tuf_ceremony::token::software::EphemeralKeys;
use tuf_ceremony::tuf::edit::{self, BinsSpec, CatchAllSpec, RoleSpec, RootSpec, TargetsSpec};
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::key::{Algorithm, Key, KeyId, PublicKey};
use tuf_ceremony::tuf::value::Value;

const EXPIRES: &str = "2099-01-01T00:00:00Z";

/// The keys of the offline roles.
pub struct Tree {
    keys: EphemeralKeys,
    claimed: PublicKey,
}

impl Tree {
    /// Writes version 1 of root, targets, claimed (which delegates to these projects) and unclaimed into `metadata`; `online` signs for the servers.
    pub fn plant(metadata: &Path, online: &mut Online, claimed: &[&str]) -> Self {
        fs::create_dir_all(metadata).unwrap();
        let mut keys = EphemeralKeys::default();
        let made = keys.make(&[Algorithm::Ed25519; 4]).unwrap();
        let server = online.key("online-1").unwrap();
        let root = RootSpec {
            version: 1,
            expires: EXPIRES.to_owned(),
            root: role(&made[0]),
            timestamp: role(&server),
            snapshot: role(&server),
            targets: role(&made[1]),
        };
        let root = edit::root("root.json", None, &root).unwrap();
        let delegation = |name: &str, key: &PublicKey, terminating| CatchAllSpec {
            name: name.to_owned(),
            role: role(key),
            terminating,
        };
        let targets = TargetsSpec {
            version: 1,
            expires: EXPIRES.to_owned(),
            delegations: vec![
                delegation("claimed", &made[2], false),
                delegation("recently-claimed", &server, false),
                delegation("unclaimed", &made[3], true),
            ],
        };
        let targets = edit::targets("targets.json", &targets).unwrap();
        let unclaimed = BinsSpec {
            version: 1,
            expires: EXPIRES.to_owned(),
            bit_length: 4,
            name_prefix: "bin".to_owned(),
            role: role(&server),
        };
        let unclaimed = edit::bins("unclaimed.json", &unclaimed).unwrap();
        let tree = Self {
            keys,
            claimed: made[2].clone(),
        };
        tree.write(metadata, "1.root.json", &root, &made[0]);
        tree.write(metadata, "1.targets.json", &targets, &made[1]);
        tree.write(metadata, "1.unclaimed.json", &unclaimed, &made[3]);
        tree.claim(metadata, 1, online, claimed);
        tree
    }

    /// Writes this version of claimed, which delegates to these projects with the keys that their developers have.
    pub fn claim(&self, metadata: &Path, version: i64, online: &Online, projects: &[&str]) {
        let developers = projects.iter().map(|name| online.developer(name).unwrap());
        let mut developers: Vec<_> = developers.collect();
        developers.sort_by_key(|it| it.project.to_string());
        let keyids = developers.iter().flat_map(|it| it.keys.iter());
        let keys = keyids
            .map(|keyid| {
                (
                    keyid.0.clone(),
                    online.public(keyid).unwrap().value().clone(),
                )
            })
            .collect();
        let roles = developers
            .iter()
            .map(|it| delegation(&it.project, &it.keys, it.threshold));
        let roles = Value::Array(roles.collect());
        let delegations = object(vec![
            ("keys", Value::Object(distinct(keys))),
            ("roles", roles),
        ]);
        let signed = object(vec![
            ("_type", Value::string("targets")),
            ("delegations", delegations),
            ("expires", Value::string(EXPIRES)),
            ("spec_version", Value::string("1.0.0")),
            ("targets", object(Vec::new())),
            ("version", Value::Integer(version)),
        ]);
        let envelope = Envelope::unsigned("claimed.json", &signed).unwrap();
        let name = format!("{version}.claimed.json");
        self.write(metadata, &name, &envelope, &self.claimed);
    }

    fn write(&self, metadata: &Path, name: &str, envelope: &Envelope, key: &PublicKey) {
        let signature = self.keys.sign(key, &envelope.payload()).unwrap();
        let keyid = Key::from_public(key).unwrap().keyid();
        let signed = envelope.with_signature(&keyid, &signature, &|_| false);
        fs::write(metadata.join(name), signed.bytes()).unwrap();
    }
}

fn role(key: &PublicKey) -> RoleSpec {
    RoleSpec {
        keys: vec![Key::from_public(key).unwrap()],
        threshold: 1,
    }
}

fn delegation(project: &Project, keyids: &[KeyId], threshold: u32) -> Value {
    let keyids = keyids.iter().map(|keyid| Value::string(&*keyid.0));
    object(vec![
        ("keyids", Value::Array(keyids.collect())),
        ("name", Value::string(project.role().to_string())),
        ("paths", Value::Array(vec![Value::string(project.path())])),
        ("terminating", Value::Bool(true)),
        ("threshold", Value::Integer(threshold.into())),
    ])
}

fn distinct(mut members: Vec<(String, Value)>) -> Vec<(String, Value)> {
    members.sort_by(|one, other| one.0.cmp(&other.0));
    members.dedup_by(|one, other| one.0 == other.0);
    members
}

fn object(members: Vec<(&str, Value)>) -> Value {
    let members = members.into_iter();
    Value::Object(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
