#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::tuf::fixture;

mod clients;
mod patterns;

const ALL: &str =
    r#""path_hash_prefixes":["0","1","2","3","4","5","6","7","8","9","a","b","c","d","e","f"]"#;

/// An entry of `delegations.roles`.
fn to(name: &str, terminating: bool, what: &str) -> String {
    let role = fixture::role(&[1], 1);
    let role = role.trim_matches(['{', '}']);
    format!(r#"{{"name":"{name}",{role},"terminating":{terminating},{what}}}"#)
}

fn paths(patterns: &[&str]) -> String {
    format!(r#""paths":{patterns:?}"#)
}

/// The unsigned metadata of one role.
fn listing(version: u32, targets: &[&str], delegations: &str) -> Listing {
    let hash = "0".repeat(64);
    let targets: Vec<String> = targets
        .iter()
        .map(|path| format!(r#""{path}":{{"length":7,"hashes":{{"sha256":"{hash}"}}}}"#))
        .collect();
    let targets = targets.join(",");
    let signed = format!(
        r#"{{"_type":"targets","spec_version":"1.0.0","version":{version},"expires":"2027-11-22T00:00:00Z","targets":{{{targets}}}{delegations}}}"#
    );
    Listing::read("role.json", fixture::parse(fixture::envelope(&signed, &[]))).unwrap()
}

fn roles(entries: &[String]) -> String {
    let keys = fixture::keys(&[1]);
    format!(
        r#","delegations":{{"keys":{keys},"roles":[{}]}}"#,
        entries.join(",")
    )
}

fn bins(bits: u32) -> String {
    let (keys, role) = (fixture::keys(&[1]), fixture::role(&[1], 1));
    let role = role.trim_matches(['{', '}']);
    format!(
        r#","delegations":{{"keys":{keys},"succinct_roles":{{{role},"bit_length":{bits},"name_prefix":"bin"}}}}"#
    )
}

fn tree(roles: Vec<(&str, Listing)>) -> Unsigned {
    let roles = roles.into_iter();
    Unsigned(roles.map(|(name, role)| (name.to_owned(), role)).collect())
}

/// The walk as `role: what it says` and the answer, in short.
fn short(walk: &Walk) -> (Vec<String>, String) {
    let step = |step: &Step| format!("{}: {}; {}", step.role, step.why, step.visit);
    let answer = match &walk.answer {
        Answer::Found { role, length, .. } => format!("{role} lists {length} bytes"),
        Answer::Nothing { role, end } => format!("nothing after {role}: {end}"),
        Answer::Missing { role, finding } => format!("{role}: {} {}", finding.rule, finding.text),
    };
    (walk.steps.iter().map(step).collect(), answer)
}

fn answer(source: &Unsigned, path: &str) -> String {
    short(&walk(source, path, Limits::default())).1
}

/// PEP 480's tree: claimed has django, recently-claimed has flask, the rest is in two bins.
fn pypi() -> Unsigned {
    tree(vec![
        (
            "targets",
            listing(
                3,
                &[],
                &roles(&[
                    to("claimed", false, ALL),
                    to("recently-claimed", false, ALL),
                    to("unclaimed", true, ALL),
                ]),
            ),
        ),
        (
            "claimed",
            listing(
                14,
                &[],
                &roles(&[
                    to("project-django", true, &paths(&["django/*"])),
                    to("custody", true, &paths(&["lost/*", "gone/*"])),
                ]),
            ),
        ),
        ("project-django", listing(2, &["django/d-1.tar.gz"], "")),
        ("custody", listing(5, &["lost/l-1.tar.gz"], "")),
        (
            "recently-claimed",
            listing(
                20,
                &[],
                &roles(&[to("project-flask", true, &paths(&["flask/*"]))]),
            ),
        ),
        ("project-flask", listing(1, &["flask/f-1.tar.gz"], "")),
        ("unclaimed", listing(1, &[], &bins(1))),
        (
            "bin-0",
            listing(9, &["six/s-1.tar.gz", "django/forged.tar.gz"], ""),
        ),
        (
            "bin-1",
            listing(
                9,
                &["six/s-2.tar.gz", "django/d/x", "django/forged.tar.gz"],
                "",
            ),
        ),
    ])
}

#[test]
fn every_branch_of_the_pep_480_tree_answers_for_its_own() {
    let pypi = pypi();
    let (steps, found) = short(&walk(&pypi, "django/d-1.tar.gz", Limits::default()));
    assert_eq!(
        steps,
        [
            "targets: every search begins here; v3 does not list it",
            "claimed: the path's SHA-256 begins with 0; v14 does not list it",
            "project-django: the path matches django/*; v2 lists it",
        ]
    );
    assert_eq!(found, "project-django lists 7 bytes");
    assert_eq!(
        answer(&pypi, "flask/f-1.tar.gz"),
        "project-flask lists 7 bytes"
    );
    assert_eq!(answer(&pypi, "lost/l-1.tar.gz"), "custody lists 7 bytes");
    let found = walk(&pypi, "six/s-1.tar.gz", Limits::default());
    let visited: Vec<&str> = found.steps.iter().map(|step| &*step.role).collect();
    assert_eq!(
        visited[..4],
        ["targets", "claimed", "recently-claimed", "unclaimed"]
    );
    assert_eq!(visited.len(), 5);
    assert!(found.steps[4].terminating);
}

#[test]
fn a_file_forged_in_a_bin_for_a_claimed_or_lost_project_answers_nothing() {
    let pypi = pypi();
    for (path, role) in [
        ("django/forged.tar.gz", "project-django"),
        ("gone/g-1.tar.gz", "custody"),
    ] {
        assert_eq!(
            answer(&pypi, path),
            format!("nothing after {role}: the delegation from claimed to {role} is terminating")
        );
    }
}

#[test]
fn a_star_stays_within_its_segment() {
    // What tough would give to project-django goes on to the bins here.
    let walk = walk(&pypi(), "django/d/x", Limits::default());
    assert!(
        walk.steps
            .iter()
            .all(|step| !step.role.starts_with("project-"))
    );
    assert_eq!(walk.steps.last().unwrap().role, "bin-1");
    assert_eq!(walk.answering(), Some("bin-1"));
}

#[test]
fn a_missing_role_is_no_answer() {
    let mut pypi = pypi();
    pypi.0.remove("project-django");
    let walk = walk(&pypi, "django/d-1.tar.gz", Limits::default());
    assert!(!walk.is_definite());
    assert_eq!(
        short(&walk).1,
        "project-django: REPOSITORY-MISSING it is not among the candidates"
    );
    assert_eq!(walk.steps[2].visit, Visit::Missing);
}

#[test]
fn a_terminating_delegation_ends_what_comes_after_it_on_every_level() {
    // a is not terminating, but inside of it b is: c behind a is never asked. What stands before b in a is.
    let before = listing(1, &[], "");
    let tree = tree(vec![
        (
            "targets",
            listing(1, &[], &roles(&[to("a", false, ALL), to("c", true, ALL)])),
        ),
        (
            "a",
            listing(
                1,
                &[],
                &roles(&[
                    to("before", false, ALL),
                    to("other", true, &paths(&["other/*"])),
                    to("b", true, ALL),
                    to("behind", false, ALL),
                ]),
            ),
        ),
        ("before", before),
        ("b", listing(1, &[], "")),
    ]);
    let (steps, found) = short(&walk(&tree, "x/y", Limits::default()));
    let asked: Vec<&str> = steps.iter().map(|s| s.split(':').next().unwrap()).collect();
    assert_eq!(asked, ["targets", "a", "before", "b"]);
    assert_eq!(
        found,
        "nothing after b: the delegation from a to b is terminating"
    );
}

#[test]
fn a_cycle_ends_and_a_role_is_asked_once() {
    let to_a = || roles(&[to("a", false, ALL)]);
    let tree = tree(vec![
        ("targets", listing(1, &[], &to_a())),
        (
            "a",
            listing(1, &[], &roles(&[to("b", false, ALL), to("a", false, ALL)])),
        ),
        ("b", listing(1, &[], &to_a())),
    ]);
    let (steps, found) = short(&walk(&tree, "x", Limits::default()));
    let again = steps.iter().filter(|step| step.ends_with("asked already"));
    assert_eq!((steps.len(), again.count()), (5, 2));
    assert_eq!(
        found,
        "nothing after b: every role that is delegated to was asked"
    );
}

#[test]
fn a_walk_ends_after_as_many_roles_or_delegations_as_are_allowed() {
    let chain = |last: usize| {
        let name = |number: usize| format!("r{number}");
        let mut tree = Unsigned::default();
        let first = listing(1, &[], &roles(&[to("r1", false, ALL)]));
        tree.0.insert("targets".to_owned(), first);
        for number in 1..last {
            let next = roles(&[to(&name(number + 1), false, ALL)]);
            tree.0.insert(name(number), listing(1, &[], &next));
        }
        tree.0.insert(name(last), listing(1, &["x"], ""));
        tree
    };
    // python-tuf visits 33 roles with its limit of 32.
    assert_eq!(answer(&chain(32), "x"), "r32 lists 7 bytes");
    assert_eq!(
        answer(&chain(33), "x"),
        "nothing after r32: 32 roles besides targets were asked, no more are"
    );
    let shallow = Limits {
        depth: 5,
        ..Limits::default()
    };
    let (steps, found) = short(&walk(&chain(20), "x", shallow));
    assert_eq!(steps.len(), 6);
    assert_eq!(
        found,
        "nothing after r5: 5 delegations in a row were followed, no more are"
    );
}

#[test]
fn the_order_of_the_delegations_decides_and_the_first_pattern_that_matches_is_named() {
    let listed = roles(&[
        to("wide", false, &paths(&["q/*", "a*/*", "ab/?", "ab/*"])),
        to("exact", true, &paths(&["ab/c"])),
        to("all", true, ALL),
    ]);
    let role = listing(1, &[], &listed);
    let matched = |path: &str| -> Vec<(String, String)> {
        let target = TargetPath::new(path);
        let found = role.matches(&target);
        found.map(|it| (it.role, it.why.to_string())).collect()
    };
    let names: Vec<String> = matched("ab/c").into_iter().map(|(role, _)| role).collect();
    assert_eq!(names, ["wide", "exact", "all"]);
    assert_eq!(matched("ab/c")[0].1, "the path matches a*/*");
    assert_eq!(matched("ab/c/d").len(), 1);
}

#[test]
fn bins_are_named_by_the_first_bits_of_the_hash() {
    let cases = [
        (1, "bin-f"),
        (4, "bin-f"),
        (5, "bin-1f"),
        (14, "bin-3fff"),
        (32, "bin-ffffffff"),
    ];
    for (bits, last) in cases {
        let role = listing(1, &[], &bins(bits));
        let bins = role
            .targets()
            .delegations
            .clone()
            .unwrap()
            .succinct
            .unwrap();
        let number = bins.bin(crate::tuf::digest::Sha256([0xff; 32]));
        let last = if bits == 1 { "bin-1" } else { last };
        assert_eq!(bins.name(number), last);
        assert_eq!(bins.number(last), Some(number));
        assert!(role.delegation(last).is_some());
        for name in [
            "bin-",
            "bin-g",
            "bin-00000",
            "bin-1F",
            "bin--1",
            "bin-+1",
            "bin",
            "claimed",
        ] {
            assert_eq!(bins.number(name), None, "{name}");
        }
    }
    let role = listing(1, &[], &bins(5));
    let five = role
        .targets()
        .delegations
        .clone()
        .unwrap()
        .succinct
        .unwrap();
    assert_eq!(five.number("bin-20"), None);
}
