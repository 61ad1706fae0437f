//! `REQUEST-EXACT` over a `claimed` of hundreds of projects: nothing outside the request set gets past it, at a thousand places of the tree and at
//! hundreds of bytes of the text, all drawn from a seed.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use tuf_ceremony::pypi::changes::{self, After, Change, ChangeSet, Expected};
use tuf_ceremony::pypi::delegation;
use tuf_ceremony::pypi::project::Project;
use tuf_ceremony::tuf::edit::RoleSpec;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::finding::{Finding, Level};
use tuf_ceremony::tuf::json::{Limits, check};
use tuf_ceremony::tuf::key::{Key, KeyId, PublicKey};
use tuf_ceremony::tuf::style;

const FILE: &str = "8.claimed.json";
const EXPIRES: &str = "2027-06-30T00:00:00Z";
const PROJECTS: u64 = 200;

/// `SplitMix64`: the same places every time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }
}

fn key_of(object: &Value) -> Key {
    let text = object.to_string();
    Key::from_json(check(text.as_bytes(), Limits::SMALL).unwrap()).unwrap()
}

/// The key of developer `number`: Ed25519, P-256, P-384 and identities in turn, some with fields that nobody knows.
fn key(number: u64) -> Key {
    let mut seed = [3; 32];
    seed[8..16].copy_from_slice(&number.to_be_bytes());
    let public = match number % 4 {
        0 => PublicKey::Ed25519(SigningKey::from_bytes(&seed).verifying_key().to_bytes()),
        1 => {
            let secret = p256::SecretKey::from_slice(&seed).unwrap();
            let signer = p256::ecdsa::SigningKey::from(&secret);
            let point = signer.verifying_key().to_sec1_point(false);
            PublicKey::P256(point.as_bytes().to_vec())
        }
        2 => {
            let mut long = [1; 48];
            long[16..].copy_from_slice(&seed);
            let secret = p384::SecretKey::from_slice(&long).unwrap();
            let signer = p384::ecdsa::SigningKey::from(&secret);
            let point = signer.verifying_key().to_sec1_point(false);
            PublicKey::P384(point.as_bytes().to_vec())
        }
        _ => {
            return key_of(&json!({
                "keytype": "sigstore-oidc", "scheme": "Fulcio",
                "keyval": {"identity": format!("release-{number}@example.org"), "issuer": "https://accounts.example.org"},
            }));
        }
    };
    let key = Key::from_public(&public).unwrap();
    if number % 8 == 1 {
        let mut object: Value = serde_json::from_slice(&style::to_vec(key.value())).unwrap();
        object["x-device"] = json!({"serial": number, "backup": false, "notes": ["a", null, -1]});
        return key_of(&object);
    }
    key
}

fn name(number: u64) -> String {
    format!("pkg-{number:03}")
}

fn project(name: &str) -> Project {
    Project::parse(name).unwrap()
}

fn object(key: &Key) -> Value {
    serde_json::from_slice(&style::to_vec(key.value())).unwrap()
}

/// Two hundred projects with one to three keys, one key on twenty of them, twenty in custody, and unknown fields everywhere.
fn old() -> Value {
    let mut keys: BTreeMap<String, Value> = BTreeMap::new();
    let mut list = |key: &Key| {
        let keyid = key.keyid().0;
        keys.insert(keyid.clone(), object(key));
        json!(keyid)
    };
    let mut roles: BTreeMap<String, Value> = BTreeMap::new();
    for number in 0..PROJECTS {
        let own = (0..=u64::from(number % 3 == 0)).map(|more| list(&key(10 * number + more)));
        let mut keyids: Vec<Value> = own.collect();
        if number % 10 == 5 {
            keyids.push(list(&key(9_999)));
        }
        let generation = if number % 50 == 7 { "_2" } else { "" };
        let role = format!("project-{}{generation}", name(number));
        let mut entry = json!({
            "name": role, "keyids": keyids, "threshold": keyids.len().min(2),
            "paths": [format!("{}/*", name(number))], "terminating": true,
        });
        if number % 6 == 2 {
            entry["x-since"] =
                json!({"ceremony": 3, "by": ["a", "b\n\u{1}\""], "moved": false, "note": null});
        }
        roles.insert(role, entry);
    }
    let paths: Vec<String> = (300..320)
        .map(|number| format!("{}/*", name(number)))
        .collect();
    let admins: Vec<Value> = admins().keys.iter().map(&mut list).collect();
    let custody = json!({
        "name": "custody", "keyids": admins, "threshold": 2, "paths": paths, "terminating": true,
        "x-policy": {"of": "2026-11-01", "lists": ["files", "tombstones"]},
    });
    roles.insert("custody".to_owned(), custody);
    json!({
        "_type": "targets", "spec_version": "1.0.0", "version": 7, "expires": "2027-05-30T00:00:00Z", "targets": {},
        "x-ledger": {"entries": [1, 2, {"deep": [true, "\u{fc}"]}], "closed": false, "next": null},
        "delegations": {"keys": keys, "roles": roles.into_values().collect::<Vec<_>>(), "x-shards": [0, -4]},
    })
}

fn admins() -> RoleSpec {
    RoleSpec {
        keys: (9_000..9_004).map(key).collect(),
        threshold: 2,
    }
}

fn envelope(signed: &Value) -> Envelope {
    let text = json!({"signatures": [], "signed": signed}).to_string();
    Envelope::parse(FILE, text.into_bytes(), Limits::LARGE).unwrap()
}

/// Some of every kind of change.
fn change_set(old: &Envelope) -> ChangeSet {
    let stands = delegation::claimed(FILE, old).unwrap();
    let delegate = |generation, numbers: &[u64], threshold| {
        let keys = numbers.iter().map(|number| key(*number));
        After::Delegate {
            generation,
            keys: keys
                .map(|key| (key.keyid(), key))
                .collect::<BTreeMap<KeyId, Key>>(),
            threshold,
        }
    };
    let mut after = BTreeMap::new();
    for number in (3..PROJECTS).step_by(20) {
        after.insert(number, delegate(1, &[5_000 + number], 1));
        after.insert(number + 1, delegate(2, &[5_001 + number, 9_999], 2));
        after.insert(number + 2, After::Custody);
        after.insert(number + 3, After::Gone);
        after.insert(
            400 + number,
            delegate(1, &[6_000 + number, 6_001 + number], 1),
        );
    }
    after.insert(301, delegate(2, &[7_001], 1));
    after.insert(302, After::Gone);
    let change = |(number, after)| {
        let project = project(&name(number));
        let before = stands.pre_image(&project);
        (project, Change { before, after })
    };
    ChangeSet {
        changes: after.into_iter().map(change).collect(),
    }
}

/// The two files, written alike, and the changes between them.
struct Scene {
    old: Envelope,
    new: Value,
    changes: ChangeSet,
    custody: RoleSpec,
}

impl Scene {
    fn new() -> Self {
        let old = envelope(&old());
        let changes = change_set(&old);
        let custody = admins();
        let new = changes::apply(FILE, &old, 8, EXPIRES, &changes, Some(&custody));
        let new: Value = serde_json::from_slice(&new.ok().unwrap().bytes()).unwrap();
        let new = new["signed"].clone();
        Self {
            old,
            new,
            changes,
            custody,
        }
    }
    fn judge(&self, new: &Envelope) -> Vec<Finding> {
        let expected = Expected {
            version: 8,
            expires: EXPIRES,
            marker: None,
            changes: &self.changes,
            custody: Some(&self.custody),
        };
        changes::exact(FILE, Some(&self.old), new, &expected)
    }
    /// Refused, by this rule alone, in five findings at most.
    fn refused(&self, new: &Envelope, what: &str) -> Vec<String> {
        let findings = self.judge(new);
        let all = |finding: &Finding| {
            finding.rule == "REQUEST-EXACT" && finding.level == Level::Error && finding.file == FILE
        };
        assert!((1..=5).contains(&findings.len()), "{what}: {findings:?}");
        assert!(findings.iter().all(all), "{what}: {findings:?}");
        findings.into_iter().map(|finding| finding.text).collect()
    }
}

/// What is done to one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tamper {
    KeyRenamed,
    MemberRemoved,
    MemberAdded,
    StringChanged,
    StringCut,
    NumberRaised,
    NumberLowered,
    BooleanFlipped,
    NullFilled,
    KindChanged,
    ElementAdded,
    ElementRemoved,
    ElementsSwapped,
}

/// Everything that can be done to `value`.
fn tampers(value: &Value) -> &'static [Tamper] {
    use Tamper::{
        BooleanFlipped, ElementAdded, ElementRemoved, ElementsSwapped, KeyRenamed, KindChanged,
        MemberAdded, MemberRemoved, NullFilled, NumberLowered, NumberRaised, StringChanged,
        StringCut,
    };
    match value {
        Value::Null => &[NullFilled],
        Value::Bool(_) => &[BooleanFlipped, KindChanged],
        Value::Number(_) => &[NumberRaised, NumberLowered, KindChanged],
        Value::String(_) => &[StringChanged, StringCut, KindChanged],
        Value::Array(_) => &[ElementAdded, ElementRemoved, ElementsSwapped, KindChanged],
        Value::Object(_) => &[KeyRenamed, MemberRemoved, MemberAdded, KindChanged],
    }
}

fn tamper(dice: &mut Dice, value: &mut Value, how: Tamper) {
    match (how, &mut *value) {
        (Tamper::KeyRenamed, Value::Object(members)) if !members.is_empty() => {
            let name = members
                .keys()
                .nth(dice.throw(members.len()))
                .unwrap()
                .clone();
            let member = members.remove(&name).unwrap();
            members.insert(format!("{name}~"), member);
        }
        (Tamper::MemberRemoved, Value::Object(members)) if !members.is_empty() => {
            let name = members
                .keys()
                .nth(dice.throw(members.len()))
                .unwrap()
                .clone();
            members.remove(&name);
        }
        (Tamper::MemberAdded, Value::Object(members)) => {
            members.insert("x-added".to_owned(), json!(dice.throw(9)));
        }
        (Tamper::StringChanged, Value::String(text)) if !text.is_empty() => {
            let at = dice.throw(text.chars().count());
            let other = |(index, c): (usize, char)| match c {
                _ if index != at => c,
                'z' => 'y',
                _ => 'z',
            };
            *text = text.chars().enumerate().map(other).collect();
        }
        (Tamper::StringCut, Value::String(text)) => {
            text.pop();
        }
        (Tamper::NumberRaised, Value::Number(_)) => *value = json!(value.as_i64().unwrap() + 1),
        (Tamper::NumberLowered, Value::Number(_)) => *value = json!(value.as_i64().unwrap() - 1),
        (Tamper::BooleanFlipped, Value::Bool(flag)) => *flag = !*flag,
        (Tamper::NullFilled, Value::Null) => *value = json!({}),
        (Tamper::KindChanged, Value::String(_)) => *value = json!([value.clone()]),
        (Tamper::KindChanged, _) => *value = json!("changed"),
        (Tamper::ElementAdded, Value::Array(elements)) => {
            let at = dice.throw(elements.len() + 1);
            let twin = elements.get(at).cloned().unwrap_or(json!("added"));
            elements.insert(at, twin);
        }
        (Tamper::ElementRemoved, Value::Array(elements)) if !elements.is_empty() => {
            elements.remove(dice.throw(elements.len()));
        }
        (Tamper::ElementsSwapped, Value::Array(elements)) if elements.len() > 1 => {
            let at = dice.throw(elements.len() - 1);
            elements.swap(at, at + 1);
        }
        _ => {}
    }
}

/// The pointer of every value, under the shape of its place: `/delegations/roles/*/paths/*`, the custody role and entries that were changed apart.
fn places(value: &Value, pointer: &str, shape: &str, found: &mut BTreeMap<String, Vec<String>>) {
    let of_shape = found.entry(shape.to_owned()).or_default();
    of_shape.push(pointer.to_owned());
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                let step = if element["name"] == "custody" {
                    "custody"
                } else {
                    "*"
                };
                places(
                    element,
                    &format!("{pointer}/{index}"),
                    &format!("{shape}/{step}"),
                    found,
                );
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let step = if shape == "/delegations/keys" {
                    member["keytype"].as_str().unwrap()
                } else {
                    name
                };
                places(
                    member,
                    &format!("{pointer}/{name}"),
                    &format!("{shape}/{step}"),
                    found,
                );
            }
        }
        _ => {}
    }
}

/// Words of which a finding about `pointer` has one: what stands next to the place.
fn about(old: &Value, new: &Value, pointer: &str) -> Vec<String> {
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    match steps[..] {
        [] => vec!["signed.".to_owned()],
        ["delegations"] | ["delegations", "keys" | "roles"] => {
            vec!["signed.delegations".to_owned()]
        }
        ["delegations", "keys", keyid, ..] => vec![keyid.to_owned()],
        ["delegations", "roles", index, ..] => {
            let names = [old, new].map(|signed| {
                let name = &signed["delegations"]["roles"][index.parse::<usize>().unwrap()]["name"];
                format!("{} ", name.as_str().unwrap_or_default())
                    .trim()
                    .to_owned()
            });
            [vec![format!("roles[{index}]")], names.to_vec()].concat()
        }
        [first, ..] => vec![format!("signed.{first}")],
    }
}

#[test]
fn what_is_exact_is_said_with_its_counts() {
    let scene = Scene::new();
    let findings = scene.judge(&envelope(&scene.new));
    let text = "10 added, 21 changed, 10 to custody, 11 removed; 160 entries identical; nothing else differs";
    assert_eq!(findings, [Finding::note("REQUEST-EXACT", FILE, text)]);
}

#[test]
fn a_thousand_changes_outside_the_request_set_are_all_refused_and_named() {
    let scene = Scene::new();
    let mut shapes = BTreeMap::new();
    places(&scene.new, "", "", &mut shapes);
    let groups: Vec<(&String, Tamper)> = (shapes.iter())
        .flat_map(|(shape, pointers)| {
            let value = scene.new.pointer(&pointers[0]).unwrap();
            tampers(value).iter().map(move |how| (shape, *how))
        })
        // The reader refuses a file whose signed part is no object.
        .filter(|(shape, how)| !shape.is_empty() || *how != Tamper::KindChanged)
        .collect();
    assert!((100..700).contains(&groups.len()), "{}", groups.len());
    let canonical = envelope(&scene.new).payload().into_owned();
    let mut dice = Dice(20_261_122);
    let mut hit: BTreeMap<Tamper, usize> = BTreeMap::new();
    let mut untouched = BTreeSet::new();
    let mut count = 0;
    let mut turn = 0;
    while count < 1_000 {
        // Every group once, then any.
        let group = if turn < groups.len() {
            turn
        } else {
            dice.throw(groups.len())
        };
        turn += 1;
        let (shape, how) = groups[group];
        let pointers = &shapes[shape];
        let pointer = &pointers[dice.throw(pointers.len())];
        let mut new = scene.new.clone();
        let value = new.pointer_mut(pointer).unwrap();
        if !tampers(value).contains(&how) {
            continue;
        }
        tamper(&mut dice, value, how);
        let tampered = envelope(&new);
        if *tampered.payload() == canonical {
            untouched.insert((shape, how));
            continue;
        }
        let what = format!("{how:?} at {pointer}");
        let texts = scene.refused(&tampered, &what);
        let words = about(&scene.new, &new, pointer);
        let named = |text: &String| words.iter().any(|word| text.contains(word));
        assert!(
            texts.iter().any(named),
            "{what}: none of {words:?} in {texts:?}"
        );
        *hit.entry(how).or_default() += 1;
        count += 1;
    }
    assert_eq!(hit.len(), 13, "{hit:?}");
    assert!(hit.values().all(|hits| *hits >= 5), "{hit:?}");
    // An empty container or a list of one has nothing to remove or to swap.
    assert!(
        untouched.iter().all(|(_, how)| {
            matches!(
                how,
                Tamper::ElementsSwapped | Tamper::KeyRenamed | Tamper::MemberRemoved
            )
        }),
        "{untouched:?}"
    );
}

#[test]
fn changed_bytes_are_all_refused() {
    let scene = Scene::new();
    let text = json!({"signatures": [], "signed": scene.new})
        .to_string()
        .into_bytes();
    let signed = text.len() - scene.new.to_string().len() - 1;
    let canonical = envelope(&scene.new).payload().into_owned();
    let mut dice = Dice(4_808_458);
    let mut count = 0;
    while count < 300 {
        let at = signed + dice.throw(text.len() - 1 - signed);
        let mut tampered = text.clone();
        tampered[at] = b' ' + u8::try_from(dice.throw(95)).unwrap();
        let Ok(new) = Envelope::parse(FILE, tampered, Limits::LARGE) else {
            continue;
        };
        if *new.payload() != canonical {
            scene.refused(&new, &format!("byte {at}"));
            count += 1;
        }
    }
}

/// The set itself is judged too: a change that was left out, one too many, or another than was asked for.
#[test]
fn a_change_that_is_missing_or_another_is_refused() {
    let mut scene = Scene::new();
    let new = envelope(&scene.new);
    let changes = scene.changes.clone();
    let mut dice = Dice(7);
    for (project, change) in &changes.changes {
        scene.changes.changes.remove(project);
        let texts = scene.refused(&new, &format!("{project} was not asked for"));
        assert!(
            texts
                .iter()
                .any(|text| text.contains(project.as_str()) || text.contains("roles[")),
            "{texts:?}"
        );

        let mut other = change.clone();
        match &mut other.after {
            After::Delegate {
                threshold,
                generation,
                ..
            } => match dice.throw(2) {
                0 => *threshold += 1,
                _ => *generation += 1,
            },
            after @ After::Custody => *after = After::Gone,
            after @ After::Gone => *after = After::Custody,
        }
        scene.changes.changes.insert(project.clone(), other);
        scene.refused(&new, &format!("{project} was asked for otherwise"));

        let mut stale = change.clone();
        stale.before = match change.before {
            Some(_) => None,
            None => Some(delegation::custody_digest(project)),
        };
        scene.changes.changes.insert(project.clone(), stale);
        let texts = scene.refused(&new, &format!("{project} replaces something else"));
        assert!(texts[0].contains(project.as_str()), "{texts:?}");
        scene.changes = changes.clone();
    }
    assert_eq!(scene.judge(&new)[0].level, Level::Note);
}

#[test]
fn five_places_are_told_and_the_rest_counted() {
    let scene = Scene::new();
    let mut new = scene.new.clone();
    for role in new["delegations"]["roles"].as_array_mut().unwrap() {
        role["terminating"] = json!(false);
    }
    let texts = scene.refused(&envelope(&new), "none is terminating");
    assert_eq!(
        texts[0],
        "signed.delegations.roles[1].terminating: was true, is false. The requests do not say so; sign nothing."
    );
    let roles = new["delegations"]["roles"].as_array().unwrap().len();
    assert!(
        texts[4].ends_with(&format!(
            "sign nothing. There are {} more such places.",
            roles - 5
        )),
        "{}",
        texts[4]
    );
}

/// Five thousand projects, 1,125 claims: the times are printed for whoever asks with --nocapture; the limits are far off and catch a square.
#[test]
fn a_file_of_five_thousand_projects_is_judged_exactly() {
    let mut roles = Vec::new();
    let mut keys = BTreeMap::new();
    let opaque = |number: u64| {
        key_of(
            &json!({"keytype": "sigstore-oidc", "scheme": "Fulcio", "keyval": {"identity": format!("{number}@example.org"), "issuer": "https://accounts.example.org"}}),
        )
    };
    for number in 0..5_000 {
        let key = opaque(number);
        roles.push(json!({"name": format!("project-p{number:05}"), "keyids": [key.keyid().0], "threshold": 1, "paths": [format!("p{number:05}/*")], "terminating": true}));
        keys.insert(key.keyid().0, object(&key));
    }
    let mut signed = old();
    signed["delegations"] = json!({"keys": keys, "roles": roles});
    let old = envelope(&signed);
    let changes = ChangeSet {
        changes: (5_000..6_125)
            .map(|number| {
                let key = opaque(number);
                let after = After::Delegate {
                    generation: 1,
                    keys: [(key.keyid(), key)].into(),
                    threshold: 1,
                };
                (
                    project(&format!("p{number:05}")),
                    Change {
                        before: None,
                        after,
                    },
                )
            })
            .collect(),
    };
    let expected = Expected {
        version: 8,
        expires: EXPIRES,
        marker: None,
        changes: &changes,
        custody: None,
    };
    delegation::claimed(FILE, &old).unwrap();
    let new = changes::apply(FILE, &old, 8, EXPIRES, &changes, None)
        .ok()
        .unwrap();
    let findings = changes::exact(FILE, Some(&old), &new, &expected);
    let text = "1,125 added; 5,000 entries identical; nothing else differs";
    assert_eq!(findings, [Finding::note("REQUEST-EXACT", FILE, text)]);
}
