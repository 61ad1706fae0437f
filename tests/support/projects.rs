//! A small published repository of PEP 480's tree: archives of several days, projects with keys that are the same in every run, and requests about them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use tuf_ceremony::ceremony::intake::archives::Carried;
use tuf_ceremony::pypi::project::Project;
use tuf_ceremony::pypi::requests::{
    self, Action, Channel, ChannelKind, Evidence, Proof, Request, statement,
};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::edit::{self, CatchAllSpec, TargetsSpec};
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::{self, Limits};
use tuf_ceremony::tuf::key::Key;

use super::forge::{self, EXPIRES, key, keyid};
use super::sigstore;

/// Keys of the online side, by the numbers of [`forge`].
pub const TIMESTAMP: u8 = 201;
pub const SNAPSHOT: u8 = 203;
pub const RECENT: u8 = 205;
/// Who signs claimed.
pub const CLAIMED: [u8; 2] = [21, 23];

pub const ON: &str = "2026-11-22T00:00:00Z";
pub const DAYS: [&str; 3] = ["2026-11-20", "2026-11-05", "2026-10-20"];

/// One project's delegation and its own metadata.
#[derive(Clone, Debug)]
pub struct Entry {
    pub keys: Vec<u8>,
    pub threshold: u32,
    pub paths: Vec<String>,
    pub terminating: bool,
    /// Who signs the project's own metadata; none: there is no file.
    pub signed_by: Vec<u8>,
    pub expires: String,
    /// More members of its metadata, and targets.
    pub targets: Vec<String>,
    pub delegations: Option<Json>,
    /// Sigstore identities beside the keys, by their addresses.
    pub identities: Vec<String>,
    /// Those of them that sign the project's own metadata.
    pub bundles: Vec<String>,
}

impl Entry {
    pub fn new(project: &str, keys: &[u8]) -> Self {
        Self {
            keys: keys.to_vec(),
            threshold: 1,
            paths: vec![format!("{project}/*")],
            terminating: true,
            signed_by: keys.to_vec(),
            expires: EXPIRES.to_owned(),
            targets: vec![format!("{project}/{project}-1.tar.gz")],
            delegations: None,
            identities: Vec::new(),
            bundles: Vec::new(),
        }
    }
}

/// What recently-claimed holds on one day.
pub type Day = BTreeMap<String, Entry>;

/// Everything that a claim is judged by.
#[derive(Clone)]
pub struct World {
    /// `1.root.json`, `1.targets.json`, `1.claimed.json`: what is carried in as trusted.
    pub offline: BTreeMap<String, Vec<u8>>,
    /// The newest first, as [`DAYS`].
    pub days: Vec<Day>,
    /// Own metadata of claimed projects.
    pub claimed: Day,
    pub requests: Vec<Request>,
    pub top: String,
    /// The trusted root of Sigstore, and when the script says that it was fetched.
    pub sigstore: Option<(Vec<u8>, Option<String>)>,
    /// Versions of timestamp, snapshot and recently-claimed, by day.
    pub versions: [u64; 3],
    /// How long timestamp, snapshot and recently-claimed last, in hours from midnight of each day.
    pub hours: [i64; 3],
    /// What an archive has otherwise than the input, by the place of its day.
    pub published: fn(usize, &mut BTreeMap<String, Vec<u8>>),
}

pub fn project(name: &str) -> Project {
    Project::parse(name).unwrap()
}

/// The key of metadata that stands for an identity of the instance in [`super::sigstore`].
pub fn identity(address: &str) -> Key {
    let text = json!({
        "keytype": "sigstore-oidc",
        "scheme": "Fulcio",
        "keyval": {"identity": address, "issuer": sigstore::ISSUER},
    });
    let text = text.to_string();
    Key::from_json(json::check(text.as_bytes(), Limits::SMALL).unwrap()).unwrap()
}

/// When identities sign.
pub fn signed_at() -> jiff::Timestamp {
    "2026-10-19T10:00:00Z".parse().unwrap()
}

/// The delegations of these projects.
pub fn delegations(entries: &Day) -> Json {
    let mut keys = serde_json::Map::new();
    let roles: Vec<Json> = entries
        .iter()
        .map(|(name, entry)| {
            for number in &entry.keys {
                let value = edit_value(&key(*number));
                keys.insert(keyid(*number).0, value);
            }
            let mut keyids: Vec<_> = entry.keys.iter().map(|number| keyid(*number).0).collect();
            for address in &entry.identities {
                let key = identity(address);
                keys.insert(key.keyid().0, edit_value(&key));
                keyids.push(key.keyid().0);
            }
            keyids.sort();
            json!({
                "name": format!("project-{name}"),
                "keyids": keyids,
                "threshold": entry.threshold,
                "paths": entry.paths,
                "terminating": entry.terminating,
            })
        })
        .collect();
    json!({"keys": keys, "roles": roles})
}

fn edit_value(key: &Key) -> Json {
    serde_json::from_slice(&tuf_ceremony::tuf::style::to_vec(key.value())).unwrap()
}

/// A signed file.
pub fn sign(signed: &Json, by: &[u8]) -> Vec<u8> {
    let text = json!({"signatures": [], "signed": signed});
    let bytes = format!("{text:#}\n").into_bytes();
    let envelope = Envelope::parse("", bytes, Limits::LARGE).unwrap();
    forge::signed(&envelope, by).bytes().to_vec()
}

fn targets(version: u64, expires: &str, more: &[(&str, Json)]) -> Json {
    let mut signed = json!({
        "_type": "targets",
        "spec_version": "1.0.0",
        "version": version,
        "expires": expires,
        "targets": {},
    });
    for (name, value) in more {
        signed[*name] = value.clone();
    }
    signed
}

/// A claimed with these projects.
pub fn claimed(version: u64, entries: &Day) -> Vec<u8> {
    let signed = targets(version, EXPIRES, &[("delegations", delegations(entries))]);
    sign(&signed, &CLAIMED)
}

impl World {
    /// Three green claims (apple, banana, cherry), one project that is claimed (django), nothing else.
    pub fn new() -> Self {
        let root = forge::signed(&forge::root(None, 1, &[1, 3], 1), &[1]);
        let delegated = |name: &str, keys: &[u8], threshold, terminating| CatchAllSpec {
            name: name.to_owned(),
            role: forge::role(keys, threshold),
            terminating,
        };
        let spec = TargetsSpec {
            version: 1,
            expires: EXPIRES.to_owned(),
            delegations: vec![
                delegated("claimed", &CLAIMED, 2, false),
                delegated("recently-claimed", &[RECENT], 1, false),
                delegated("unclaimed", &[25], 1, true),
            ],
        };
        let top = forge::signed(&edit::targets("targets.json", &spec).unwrap(), &[11, 12]);
        let claimed_day = Day::from([("django".to_owned(), Entry::new("django", &[51, 53]))]);
        let offline = BTreeMap::from([
            ("1.root.json".to_owned(), root.bytes().to_vec()),
            ("1.targets.json".to_owned(), top.bytes().to_vec()),
            ("1.claimed.json".to_owned(), claimed(1, &claimed_day)),
        ]);
        Self::over(offline, claimed_day)
    }

    /// The same projects over these offline files.
    pub fn over(offline: BTreeMap<String, Vec<u8>>, claimed: Day) -> Self {
        let mut world = Self {
            offline,
            days: vec![Day::new(); DAYS.len()],
            claimed,
            requests: Vec::new(),
            top: "requests\nnumpy\n".to_owned(),
            sigstore: None,
            versions: [10, 9, 8],
            hours: [36; 3],
            published: |_, _| {},
        };
        for (name, number) in [("apple", 31), ("banana", 33), ("cherry", 35)] {
            world.recent(name, &Entry::new(name, &[number]));
            world.ask(name, &[number]);
        }
        world
    }

    /// In recently-claimed on every day.
    pub fn recent(&mut self, name: &str, entry: &Entry) {
        for day in &mut self.days {
            day.insert(name.to_owned(), entry.clone());
        }
    }

    pub fn anchor(&self) -> Sha256 {
        Sha256::of(&self.offline["1.root.json"])
    }

    /// A claim with everything that makes it green.
    pub fn ask(&mut self, name: &str, keys: &[u8]) -> &mut Request {
        let request = self.request(Action::Claim, name, keys, 1);
        self.requests.push(request);
        self.requests.last_mut().unwrap()
    }

    /// A request with the word of every key.
    pub fn request(&self, action: Action, name: &str, keys: &[u8], threshold: u32) -> Request {
        let mut request = Request::new(action, project(name));
        request.threshold = threshold;
        for number in keys {
            request.keys.insert(keyid(*number), key(*number));
            request
                .owners
                .insert(keyid(*number), format!("owner{number}"));
        }
        request.channel = Some(Channel {
            kind: ChannelKind::MailReply,
            says: "yes, it is mine".to_owned(),
        });
        self.possess(&mut request, keys);
        request
    }

    /// Proofs of possession by these keys.
    pub fn possess(&self, request: &mut Request, keys: &[u8]) {
        let message = statement::possession(&self.anchor(), request);
        request.possession = proofs(&message, keys);
    }

    /// Signatures for a change by these keys, over the present delegation.
    pub fn authorise(&self, request: &mut Request, keys: &[u8]) {
        let message = statement::change(&self.anchor(), request);
        request.authorised = proofs(&message, keys);
    }

    pub fn requests_file(&self) -> Vec<u8> {
        let made = "2026-11-21T00:00:00Z".parse().unwrap();
        requests::write(&self.anchor(), made, &self.requests)
    }

    /// The archives, the newest first.
    pub fn archives(&self) -> Vec<Carried> {
        let days = self.days.iter().enumerate();
        days.map(|(index, day)| self.archive(index, day)).collect()
    }

    fn archive(&self, index: usize, day: &Day) -> Carried {
        let version = self.versions[index];
        let name = DAYS[index];
        let midnight: jiff::Timestamp = format!("{name}T00:00:00Z").parse().unwrap();
        let soon = midnight
            .checked_add(jiff::SignedDuration::from_hours(self.hours[index]))
            .unwrap()
            .to_string();
        let mut files = self.offline.clone();
        (self.published)(index, &mut files);
        let recent = targets(version, &soon, &[("delegations", delegations(day))]);
        files.insert(
            format!("{version}.recently-claimed.json"),
            sign(&recent, &[RECENT]),
        );
        for (name, entry) in day.iter().chain(&self.claimed) {
            if !entry.signed_by.is_empty() || !entry.bundles.is_empty() {
                files.insert(format!("1.project-{name}.json"), own(entry));
            }
        }
        let mut meta = serde_json::Map::new();
        for file in files.keys() {
            let mut parts = file.splitn(2, '.');
            let version: u64 = parts.next().unwrap().parse().unwrap();
            let role = parts.next().unwrap();
            if role != "root.json" {
                meta.insert(role.to_owned(), json!({"version": version}));
            }
        }
        let snapshot = json!({
            "_type": "snapshot", "spec_version": "1.0.0", "version": version,
            "expires": soon, "meta": meta,
        });
        let timestamp = json!({
            "_type": "timestamp", "spec_version": "1.0.0", "version": version,
            "expires": soon, "meta": {"snapshot.json": {"version": version}},
        });
        files.insert(
            format!("{version}.snapshot.json"),
            sign(&snapshot, &[SNAPSHOT]),
        );
        files.insert("timestamp.json".to_owned(), sign(&timestamp, &[TIMESTAMP]));
        Carried {
            name: name.to_owned(),
            files,
        }
    }

    /// `[claim]` and `[[archive]]` of a script for this world.
    pub fn tables(&self, sample: usize) -> String {
        let mut text = format!(
            "[claim]\non = \"{ON}\"\nnext_ceremony = \"2026-12-22T00:00:00Z\"\nnext_but_one = \"2027-01-22T00:00:00Z\"\nrequests_sha256 = \"{}\"\ntop_sha256 = \"{}\"\nsample = {sample}\ntop = 2\n",
            Sha256::of(&self.requests_file()),
            Sha256::of(self.top.as_bytes()),
        );
        if let Some((root, dated)) = &self.sigstore {
            let mut lines = format!("sigstore_sha256 = \"{}\"\n", Sha256::of(root));
            if let Some(dated) = dated {
                let _ = writeln!(lines, "sigstore_dated = \"{dated}\"");
            }
            text.push_str(&lines);
        }
        for archive in self.archives() {
            let _ = write!(
                text,
                "[[archive]]\nname = \"{}\"\nsha256 = \"{}\"\n",
                archive.name,
                Sha256::of(archive.listing().as_bytes())
            );
        }
        text
    }
}

fn proofs(message: &[u8], keys: &[u8]) -> Vec<Proof> {
    let proof = |number: &u8| Proof {
        keyid: keyid(*number),
        evidence: Evidence::Signature(forge::signature(*number, message)),
    };
    let mut proofs: Vec<Proof> = keys.iter().map(proof).collect();
    proofs.sort_by(|a, b| a.keyid.cmp(&b.keyid));
    proofs
}

fn own(entry: &Entry) -> Vec<u8> {
    let listed: serde_json::Map<String, Json> = entry
        .targets
        .iter()
        .map(|path| {
            let hash = Sha256::of(path.as_bytes()).to_string();
            (
                path.clone(),
                json!({"length": 7, "hashes": {"sha256": hash}}),
            )
        })
        .collect();
    let mut more = vec![("targets", Json::Object(listed))];
    more.extend(entry.delegations.clone().map(|it| ("delegations", it)));
    let bytes = sign(&targets(1, &entry.expires, &more), &entry.signed_by);
    let envelope = Envelope::parse("", bytes.clone(), Limits::LARGE).unwrap();
    let mut file: Json = serde_json::from_slice(&bytes).unwrap();
    for address in &entry.bundles {
        let bundle = sigstore::Order::of(address, &envelope.payload(), signed_at()).bundle();
        let keyid = identity(address).keyid().0;
        let signature = json!({"keyid": keyid, "sig": "", "bundle": bundle});
        file["signatures"].as_array_mut().unwrap().push(signature);
    }
    if entry.bundles.is_empty() {
        bytes
    } else {
        serde_json::to_vec(&file).unwrap()
    }
}
