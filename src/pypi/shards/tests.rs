#![allow(clippy::unwrap_used, reason = "tests")]

use super::Form::{Beginning, Exact};
use super::*;
use crate::pypi::delegation::tests::{envelope, key, keyid, role, signed};

#[test]
fn shards_are_called_by_beginnings_of_names() {
    for role in [
        "claimed-r",
        "claimed-re",
        "claimed-py-",
        "claimed-py-t",
        "claimed-0",
    ] {
        assert!(is_shard(role), "{role}");
    }
    let long = format!("claimed-{}", "a".repeat(201));
    for role in [
        "claimed",
        "claimed-",
        "claimed--",
        "claimed-a--b",
        "claimed-Re",
        "claimed-r_2",
        "claimed-r.e",
        "recently-claimed",
        "custody",
        "project-claimed-re",
        &long,
    ] {
        assert!(!is_shard(role), "{role}");
    }
}

fn paths(layout: &Layout) -> Vec<String> {
    let shards = layout.shards();
    shards
        .map(|(role, form)| form.path(role.strip_prefix(PREFIX).unwrap()))
        .collect()
}

#[test]
fn shards_are_divided_where_they_are_full_and_stay_else() {
    let names = ["a", "ab", "b", "pip", "py", "py-x", "pya", "pyb1", "pyb2"];
    let one = Layout::default().successor(&names, 9);
    assert_eq!(paths(&one), ["a*/*", "b*/*", "p*/*"]);
    let two = Layout::default().successor(&names, 2);
    let divided = [
        "a*/*", "b*/*", "pi*/*", "py/*", "py-*/*", "pya*/*", "pyb*/*",
    ];
    assert_eq!(paths(&two), divided);
    // Of the first layout only the full one is divided; nothing is put together again.
    assert_eq!(paths(&one.successor(&names, 2)), divided);
    assert_eq!(two.successor(&names, 9), two);
    assert_eq!(two.successor(&[], 9), two);
    // New names: into the shard that answers, else into the shortest that is free; alone where none is.
    let more = ["pa", "pyc", "py0", "z"];
    let mut all = [&names[..], &more[..]].concat();
    all.sort_unstable();
    let three = two.successor(&all, 2);
    let added: Vec<_> = paths(&three)
        .into_iter()
        .filter(|it| !divided.contains(&&**it))
        .collect();
    assert_eq!(added, ["pa*/*", "py0*/*", "pyc*/*", "z*/*"]);
    assert_eq!(paths(&three.successor(&["p"], 2))[2], "p/*");
    for name in all {
        let owner = three.owner(name).unwrap();
        let form = three.form(&owner).unwrap();
        let prefix = owner.strip_prefix(PREFIX).unwrap();
        assert!(name == prefix || form == Form::Beginning && name.starts_with(prefix));
    }
    assert_eq!(two.owner("p"), None);
    assert_eq!(two.owner("pz"), None);
    assert_eq!(two.owner("py"), Some("claimed-py".to_owned()));
    assert_eq!(two.owner("pyq"), None);
    assert_eq!(two.parent("pyb1"), Some("claimed-pyb".to_owned()));
    assert_eq!(two.parent("pyc"), None);
}

#[test]
fn shards_that_overlap_are_no_layout() {
    let shards = |list: &[(&str, Form)]| {
        let list: Vec<_> = list
            .iter()
            .map(|(prefix, form)| ((*prefix).to_owned(), *form))
            .collect();
        Layout::new(list).err()
    };
    assert_eq!(
        shards(&[("py", Exact), ("py-", Beginning), ("pya", Beginning)]),
        None
    );
    let overlap = Overlap("p".to_owned(), "py".to_owned());
    assert_eq!(
        shards(&[("p", Beginning), ("py", Exact), ("q", Beginning)]),
        Some(overlap)
    );
}

#[test]
fn names_with_a_long_beginning_in_common_cost_no_more() {
    let beginning = "a".repeat(180);
    let names: Vec<String> = (0..200_000)
        .map(|number| format!("{beginning}{number:06}"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let layout = Layout::default().successor(&names, 2048);
    // Three digits in front: 200 shards of 1,000 names.
    assert_eq!(layout.shards().count(), 200);
    assert!(
        layout
            .shards()
            .all(|(role, _)| role.len() == PREFIX.len() + 183)
    );
    let again = layout.successor(&names, 2048);
    assert_eq!(again, layout);
}

#[test]
fn dates_are_spread_over_the_names() {
    let dates = [
        "2027-01-01T00:00:00Z",
        "2027-02-01T00:00:00Z",
        "2027-03-01T00:00:00Z",
    ];
    let dates = dates.map(|date| Expires::parse(date).unwrap());
    let early: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut count = [0_usize; 3];
    for number in 0..3000 {
        let date = expires(&format!("claimed-{number}"), &dates, early).unwrap();
        count[dates.iter().position(|it| it == date).unwrap()] += 1;
    }
    assert!(
        count.iter().all(|count| (900..1100).contains(count)),
        "{count:?}"
    );
    let late = "2027-02-15T00:00:00Z".parse().unwrap();
    assert_eq!(
        expires("claimed-1", &dates, late).unwrap().text(),
        "2027-03-01T00:00:00Z"
    );
    assert!(expires("claimed-1", &dates, "2027-03-02T00:00:00Z".parse().unwrap()).is_none());
    assert!(expires("claimed-1", &[], early).is_none());
}

/// A claimed that delegates to these shards, signed by developers 8 and 9.
fn claimed(entries: &[serde_json::Value]) -> Envelope {
    envelope(&signed(entries, &[8, 9]))
}

fn entry(role_name: &str, path: &str) -> serde_json::Value {
    let mut entry = role(role_name, path, &[8, 9], 2);
    entry["terminating"] = serde_json::json!(false);
    entry
}

fn told(claimed: &Envelope, shards: &[(&str, &Envelope)]) -> Vec<String> {
    let shards = shards.iter().copied().collect();
    let findings = read(&Files { claimed, shards }).err().unwrap_or_default();
    let told = findings.iter();
    told.map(|finding| format!("{} {}: {}", finding.rule, finding.file, finding.text))
        .collect()
}

#[test]
fn shards_are_read_as_one_and_what_is_wrong_with_them_is_told() {
    let a = envelope(&signed(&[role("project-ab", "ab/*", &[1], 1)], &[1]));
    let b = envelope(&signed(&[role("project-b", "b/*", &[1], 1)], &[1]));
    let good = claimed(&[entry("claimed-a", "a*/*"), entry("claimed-b", "b/*")]);
    let shards = [("claimed-a", &a), ("claimed-b", &b)];
    let files = Files {
        claimed: &good,
        shards: shards.into(),
    };
    let projects = read(&files).unwrap().projects;
    let names: Vec<String> = projects.names().map(ToString::to_string).collect();
    assert_eq!(names, ["ab", "b"]);
    // What a project is delegated is read from its own shard.
    for (name, file) in [("ab", &a), ("b", &b)] {
        let own = delegation::claimed("shard", file).unwrap().projects;
        let project = Project::parse(name).unwrap();
        let found = projects.get(&project);
        assert_eq!(found.as_ref().unwrap().paths, [project.path()]);
        assert_eq!(found, own.get(&project));
        assert_eq!(projects.digest(&project), Some(found.unwrap().digest));
    }
    let keys: Vec<_> = projects.keys().map(|(_, keyid, _)| keyid).collect();
    assert_eq!(keys, [keyid(1), keyid(1)]);

    assert_eq!(
        told(&good, &[("claimed-a", &a)]),
        [
            "SHARD-MISSING claimed-b: claimed delegates to this shard and it is not there: its projects cannot be read. Carry it in"
        ]
    );
    assert_eq!(
        told(&good, &[("claimed-a", &a), ("claimed-b", &a)]),
        [
            "SHARD-DISJOINT claimed-b: the shard does not answer for the project ab alone: another shard or custody does. Clients would not find it here; let each project stand in its own shard."
        ]
    );
    let mut open = entry("claimed-a", "a*/*");
    open["terminating"] = serde_json::json!(true);
    assert_eq!(
        told(&claimed(&[open]), &[]),
        [
            "SHARD-FORM claimed: The shard claimed-a must not be terminating: custody and recently-claimed answer for projects that it does not list."
        ]
    );
    assert_eq!(
        told(&claimed(&[entry("claimed-a", "b*/*")]), &[]),
        ["SHARD-FORM claimed: The shard claimed-a must have exactly one path, a*/* or a/*."]
    );
    assert_eq!(
        told(
            &claimed(&[entry("claimed-a", "a*/*"), entry("claimed-ab", "ab*/*")]),
            &[]
        ),
        [
            "SHARD-DISJOINT claimed: the shards claimed-a and claimed-ab answer for the same projects: clients would differ in whom they ask."
        ]
    );
    let both = [
        entry("claimed-a", "a*/*"),
        role("project-b", "b/*", &[8], 1),
    ];
    assert_eq!(
        told(&claimed(&both), &[]),
        [
            "SHARD-FORM claimed: claimed delegates to 1 shards and to 1 projects itself; it is one or the other."
        ]
    );
    let below = delegation::delegations("recently-claimed", &good).unwrap();
    assert_eq!(
        below.findings[0].text,
        "claimed-a is called like a shard; only claimed delegates to shards, and they to projects."
    );
}

#[test]
fn shards_are_signed_by_those_who_sign_claimed() {
    let (one, other) = (key(1), key(2));
    let keys = BTreeSet::from([one.public()]);
    let shard = |key: &'static str, public, threshold| (key, BTreeSet::from([public]), threshold);
    let same = [
        shard("claimed-a", one.public(), 1),
        shard("claimed-b", one.public(), 1),
    ];
    assert_eq!(signers("claimed", (&keys, 1), same.into_iter()), None);
    let others = [
        shard("claimed-a", other.public(), 1),
        shard("claimed-b", one.public(), 2),
    ];
    assert_eq!(
        signers("claimed", (&keys, 1), others.into_iter())
            .unwrap()
            .text,
        "2 of the shards have other keys or another threshold than claimed, the first is claimed-a: a shard answers for projects in claimed's place. Give it claimed's keys and threshold."
    );
}

#[test]
fn files_that_clients_cannot_read_are_told_with_what_helps() {
    assert_eq!(size("8.claimed.json", "claimed", 5_000_000, 3_000), None);
    let large = size("8.claimed.json", "claimed", 5_000_001, 3_001).unwrap();
    assert_eq!(
        large.text,
        "claimed delegates to 3001 projects in 5000001 bytes: python-tuf 7.0.1 and go-tuf v2.4.2 read at most 5,000,000 bytes, about 13,000 projects, where the snapshot does not say its length; tuf-js 6.0.2 takes time with the square of the delegations, 6.5 s for 3,000 and 85 s for 10,000. Let the snapshot say the lengths of files, and divide claimed: give [shards] in the next claim."
    );
    let shard = size("8.claimed-a.json", "claimed-a", 11_000_000, 100).unwrap();
    assert_eq!(
        shard.text,
        "claimed-a delegates to 100 projects in 11000000 bytes: python-tuf 7.0.1 and go-tuf v2.4.2 read at most 5,000,000 bytes, about 13,000 projects, where the snapshot does not say its length; tough 0.24 read at most 10,485,760 bytes, about 31,000 projects, where the snapshot does not say its length. Give [shards] a smaller number of projects."
    );
}
