#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::pypi::changes::{Change, Expected, ExpectedShards, exact, exact_sharded};
use crate::pypi::delegation::tests::{envelope, key, keyid, project, role, signed};
use crate::tuf::finding::Level;
use crate::tuf::json::Limits;

mod refused;

const DATES: [&str; 3] = [
    "2027-06-01T00:00:00Z",
    "2027-07-01T00:00:00Z",
    "2027-08-01T00:00:00Z",
];

/// The files of one state.
#[derive(Clone)]
struct State {
    claimed: Envelope,
    shards: BTreeMap<String, Envelope>,
}

impl State {
    fn files(&self) -> Files<'_> {
        let shards = self.shards.iter();
        Files {
            claimed: &self.claimed,
            shards: shards.map(|(role, file)| (role.as_str(), file)).collect(),
        }
    }
    fn layout(&self) -> BTreeMap<String, Vec<String>> {
        let all = shards::read(&self.files()).unwrap();
        let listed = shards::listed(&self.claimed).unwrap();
        let mut layout: BTreeMap<String, Vec<String>> = listed
            .shards()
            .map(|(role, _)| (role, Vec::new()))
            .collect();
        for project in all.projects.names() {
            let owner = listed.owner(project.as_str()).unwrap();
            layout.get_mut(&owner).unwrap().push(project.to_string());
        }
        layout
    }
}

fn signers(numbers: &[u16]) -> RoleSpec {
    RoleSpec {
        keys: numbers.iter().map(|number| key(*number)).collect(),
        threshold: 2,
    }
}

fn delegate(number: u16) -> After {
    After::Delegate {
        generation: 1,
        keys: [(KeyId(keyid(number)), key(number))].into(),
        threshold: 1,
    }
}

/// Unsharded: projects of these names with unknown fields, and one in custody.
fn unsharded(names: &[&str]) -> State {
    let mut roles = vec![role("custody", "lost/*", &[8, 9], 2)];
    for name in names {
        let mut entry = role(&format!("project-{name}"), &format!("{name}/*"), &[1], 1);
        entry["x-kept"] = json!([name]);
        roles.push(entry);
    }
    roles.sort_by_key(|role| role["name"].as_str().unwrap().to_owned());
    State {
        claimed: envelope(&signed(&roles, &[1, 8, 9])),
        shards: BTreeMap::new(),
    }
}

struct Asked<'a> {
    most: usize,
    until: &'a str,
    header: Option<&'a str>,
    signers: RoleSpec,
    all: bool,
}

fn asked(most: usize) -> Asked<'static> {
    Asked {
        most,
        until: "2027-05-01T00:00:00Z",
        header: Some(DATES[2]),
        signers: signers(&[8, 9]),
        all: false,
    }
}

fn change_set(state: &State, changes: &[(&str, After)]) -> ChangeSet {
    let before = shards::read(&state.files()).unwrap();
    let change = |(name, after): &(&str, After)| {
        let project = project(name);
        let before = before.pre_image(&project);
        let after = after.clone();
        (project, Change { before, after })
    };
    ChangeSet {
        changes: changes.iter().map(change).collect(),
    }
}

/// The next version of claimed.
fn header<'a>(old: &State, asked: &Asked<'a>) -> Option<(u64, &'a str)> {
    let version = Header::read("claimed", &old.claimed).unwrap().version;
    asked.header.map(|expires| (version + 1, expires))
}

/// What is signed anew by role and version, and the state afterwards.
type Made = (BTreeMap<String, u64>, State);

fn made(state: &State, changes: &ChangeSet, asked: &Asked<'_>) -> Result<Made, Finding> {
    let dates = DATES.map(|date| Expires::parse(date).unwrap());
    let sharding = Sharding {
        projects: asked.most,
        expires: &dates,
        until: asked.until.parse().unwrap(),
        signers: &asked.signers,
        all: asked.all,
        known: &|role| if role == "claimed-zz" { 40 } else { 0 },
    };
    let custody = Some(&asked.signers).filter(|_| asked.all);
    let files = state.files();
    let sharded = apply_sharded(&files, header(state, asked), changes, custody, &sharding)?;
    let mut next = state.clone();
    let mut versions = BTreeMap::new();
    let is_there = sharded.claimed.is_some();
    next.claimed = sharded.claimed.unwrap_or(next.claimed);
    for shard in sharded.shards {
        versions.insert(shard.role.clone(), shard.version);
        next.shards.insert(shard.role, shard.envelope);
    }
    let findings = judged(state, &next, &versions, changes, asked);
    let is_exact = matches!(&findings[..], [note] if note.level == Level::Note);
    assert!(is_exact, "{findings:?}");
    if is_there {
        let version = Header::read("claimed", &next.claimed).unwrap().version;
        versions.insert("claimed".to_owned(), version);
    }
    Ok((versions, next))
}

fn judged(
    old: &State,
    new: &State,
    versions: &BTreeMap<String, u64>,
    changes: &ChangeSet,
    asked: &Asked<'_>,
) -> Vec<Finding> {
    let expires = |role: &str| Header::read(role, &new.shards[role]).unwrap().expires;
    let shards = versions.iter();
    let shards = shards
        .map(|(role, version)| (role.clone(), (*version, expires(role).text().to_owned())))
        .collect();
    let expected = ExpectedShards {
        claimed: header(old, asked).filter(|_| new.claimed.bytes() != old.claimed.bytes()),
        shards: &shards,
        marker: None,
        changes,
        signers: &asked.signers,
        custody: Some(&asked.signers).filter(|_| asked.all),
    };
    exact_sharded(&old.files(), &new.files(), &expected)
}

fn entries(file: &Envelope) -> Vec<Value> {
    let document: Value = serde_json::from_slice(&file.bytes()).unwrap();
    document["signed"]["delegations"]["roles"]
        .as_array()
        .unwrap()
        .clone()
}

fn lists(layout: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    layout
        .iter()
        .map(|(role, names)| ((*role).to_owned(), owned(names)))
        .collect()
}

const NAMES: [&str; 7] = ["a", "py", "py-x", "pya", "pyb1", "pyb2", "z"];

#[test]
fn a_first_division_keeps_every_entry_token_for_token() {
    let old = unsharded(&NAMES);
    let (made, new) = made(&old, &ChangeSet::default(), &asked(2)).unwrap();
    assert_eq!(
        new.layout(),
        lists(&[
            ("claimed-a", &["a"]),
            ("claimed-py", &["py"]),
            ("claimed-py-", &["py-x"]),
            ("claimed-pya", &["pya"]),
            ("claimed-pyb", &["pyb1", "pyb2"]),
            ("claimed-z", &["z"]),
        ])
    );
    assert_eq!(made.len(), 7);
    assert!(
        made.iter()
            .all(|(role, version)| *version == if role == "claimed" { 8 } else { 1 })
    );
    let before = entries(&old.claimed);
    let mut after: Vec<Value> = new.shards.values().flat_map(entries).collect();
    after.push(before[0].clone());
    after.sort_by_key(|role| role["name"].as_str().unwrap().to_owned());
    assert_eq!(after, before);
    let listed = entries(&new.claimed);
    assert_eq!(listed.last().unwrap(), &before[0]);
    let paths: Vec<&str> = (listed.iter().take(6))
        .map(|role| role["paths"][0].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        ["a*/*", "py/*", "py-*/*", "pya*/*", "pyb*/*", "z*/*"]
    );
    for role in &listed[..6] {
        assert_eq!(role["terminating"], json!(false));
        assert_eq!(role["threshold"], json!(2));
    }
    // Nothing more is asked: nothing is signed.
    let mut quiet = asked(2);
    quiet.header = None;
    assert!(
        super::tests::made(&new, &ChangeSet::default(), &quiet)
            .unwrap()
            .0
            .is_empty()
    );
}

fn divided() -> State {
    let (_, new) = made(&unsharded(&NAMES), &ChangeSet::default(), &asked(2)).unwrap();
    new
}

#[test]
fn only_shards_that_change_are_made_anew_and_a_full_one_is_divided() {
    let old = divided();
    let mut quiet = asked(2);
    quiet.header = None;
    let one = change_set(&old, &[("a", delegate(4)), ("pyb2", After::Gone)]);
    let (made_now, new) = made(&old, &one, &quiet).unwrap();
    let versions = [("claimed-a", 2), ("claimed-pyb", 2)];
    assert_eq!(
        made_now,
        versions
            .map(|(role, version)| (role.to_owned(), version))
            .into()
    );
    assert_eq!(new.layout()["claimed-pyb"], ["pyb1"]);

    // The list of shards changes, and claimed has it.
    let more = change_set(
        &new,
        &[
            ("pyb3", delegate(4)),
            ("pyb30", delegate(5)),
            ("zz", delegate(4)),
        ],
    );
    let refused = made(&new, &more, &quiet).err().unwrap();
    assert_eq!(refused.rule, "SCRIPT-ROLE");
    let (made_now, new) = made(&new, &more, &asked(2)).unwrap();
    assert_eq!(
        made_now,
        [
            ("claimed", 9),
            ("claimed-pyb1", 1),
            ("claimed-pyb3", 1),
            ("claimed-z", 2)
        ]
        .map(|(role, version)| (role.to_owned(), version))
        .into()
    );
    assert_eq!(new.layout()["claimed-pyb3"], ["pyb3", "pyb30"]);
    assert_eq!(new.layout()["claimed-z"], ["z", "zz"]);
}

#[test]
fn a_shard_that_comes_back_goes_on_from_the_version_that_is_known() {
    let old = divided();
    let three = change_set(
        &old,
        &[
            ("zz1", delegate(4)),
            ("zz2", delegate(5)),
            ("zz3", delegate(4)),
        ],
    );
    let (made, new) = made(&old, &three, &asked(3)).unwrap();
    assert_eq!(made["claimed-z"], 2);
    assert_eq!(made["claimed-zz"], 41);
    assert_eq!(new.layout()["claimed-zz"], ["zz1", "zz2", "zz3"]);
}

#[test]
fn projects_go_into_custody_and_leave_it_through_shards() {
    let old = divided();
    let both = change_set(&old, &[("lost", delegate(4)), ("pya", After::Custody)]);
    let (made, new) = made(&old, &both, &asked(2)).unwrap();
    assert_eq!(
        made.keys().collect::<Vec<_>>(),
        ["claimed", "claimed-l", "claimed-pya"]
    );
    let custody = entries(&new.claimed);
    let custody = custody
        .iter()
        .find(|role| role["name"] == "custody")
        .unwrap();
    assert_eq!(custody["paths"], json!(["pya/*"]));
    assert_eq!(new.layout()["claimed-pya"], [""; 0]);
}

#[test]
fn shards_that_end_too_soon_are_made_anew_and_end_on_a_later_date() {
    let old = divided();
    let ends = |state: &State| -> BTreeMap<String, String> {
        let shards = state.shards.iter();
        let end = |(role, file): (&String, &Envelope)| {
            (
                role.clone(),
                Header::read(role, file).unwrap().expires.text().to_owned(),
            )
        };
        shards.map(end).collect()
    };
    // Which day is the name's: two of three occur here at least.
    let before = ends(&old);
    assert!(before.values().any(|date| date == DATES[0]), "{before:?}");
    assert!(before.values().any(|date| date != DATES[0]), "{before:?}");
    let mut late = asked(2);
    late.header = None;
    late.until = "2027-06-15T00:00:00Z";
    let (made_now, new) = made(&old, &ChangeSet::default(), &late).unwrap();
    let after = ends(&new);
    for (role, date) in &before {
        let renewed = date == DATES[0];
        assert_eq!(made_now.contains_key(role), renewed, "{role}");
        assert_ne!(after[role], DATES[0], "{role}");
    }
    late.until = "2028-01-01T00:00:00Z";
    let refused = made(&old, &ChangeSet::default(), &late).err().unwrap();
    assert_eq!(refused.rule, "SHARD-EXPIRES");
    assert_eq!(
        refused.text,
        "no date is left for this shard: it would end before 2028-01-01T00:00:00Z. Give [shards] later dates in expires."
    );
}

#[test]
fn new_keys_of_claimed_stand_in_every_shard_entry() {
    let old = divided();
    let mut others = asked(2);
    others.signers = signers(&[8, 10]);
    others.all = true;
    let (made, new) = made(&old, &ChangeSet::default(), &others).unwrap();
    assert_eq!(made.len(), 7);
    let mut keyids = [keyid(8), keyid(10)];
    keyids.sort();
    for role in entries(&new.claimed) {
        let mut found: Vec<String> = serde_json::from_value(role["keyids"].clone()).unwrap();
        found.sort();
        assert_eq!(found, keyids, "{role}");
    }
}
