#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};

use super::sheet::sheet;
use super::*;
use crate::pypi::delegation::tests::{FILE, envelope, key, keyid, project, role, signed};
use crate::pypi::delegation::{claimed, custody_digest};
use crate::pypi::owners::Owner;
use crate::pypi::requests::statement::no_sigstore;
use crate::pypi::requests::{Action, Evidence, Proof};
use crate::tuf::finding::Level;

const ANCHOR: Sha256 = Sha256([9; 32]);

/// Key 1 is lost. `a` has it alone, `b` with another and a threshold of one, `c` with another and a threshold of two, `d` has other keys, `lost` is in
/// custody.
fn tree() -> Delegations {
    let roles = [
        role("custody", "lost/*", &[8, 9], 2),
        role("project-a", "a/*", &[1], 1),
        role("project-b", "b/*", &[1, 2], 1),
        role("project-c", "c/*", &[1, 2], 2),
        role("project-d", "d/*", &[3], 1),
    ];
    claimed(FILE, &envelope(&signed(&roles, &[1, 2, 3, 8, 9]))).unwrap()
}

fn incident(more: &str) -> Incident {
    let text = format!(
        "schema = \"tuf-ceremony/incident/1\"\nid = \"i\"\ntitle = \"t\"\nlast_trusted = \"2026-11-30T12:00:00Z\"\nchannel = \"c\"\nwithout_replacement = \"files\"\n{more}\n[[compromised]]\nkeyid = \"{}\"\nevidence = \"it was found in a forged wheel\"\n",
        keyid(1)
    );
    Incident::parse("incident.toml", text.as_bytes()).unwrap()
}

/// A replacement of `name` by the keys `numbers`, each of which proves itself.
fn replacement(tree: &Delegations, name: &str, numbers: &[u16], threshold: u32) -> Request {
    let mut request = Request::new(Action::Rotate, project(name));
    request.line = 2;
    request.threshold = threshold;
    request.replaces = tree.pre_image(&request.project);
    for number in numbers {
        request.keys.insert(key(*number).keyid(), key(*number));
    }
    let message = statement_of(&request);
    for number in numbers {
        let mut secret = [7; 32];
        secret[..2].copy_from_slice(&number.to_be_bytes());
        let sig = SigningKey::from_bytes(&secret).sign(&message).to_bytes();
        request.possession.push(Proof {
            keyid: key(*number).keyid(),
            evidence: Evidence::Signature(sig.to_vec()),
        });
    }
    request
}

fn statement_of(request: &Request) -> Vec<u8> {
    crate::pypi::requests::statement::possession(&ANCHOR, request)
}

/// One file each of a, b and c is known to be good.
fn good(project: &Project) -> Option<GoodFiles> {
    let file = TargetFile {
        length: 3,
        hashes: BTreeMap::from([("sha256".to_owned(), "ab".repeat(32))]),
    };
    let path = format!("{project}/{project}-1.0.tar.gz");
    (project.as_str() != "d").then(|| GoodFiles::from([(path, file)]))
}

fn subject<'a>(
    incident: &'a Incident,
    claimed: &'a Delegations,
    requests: &'a [Request],
) -> Subject<'a> {
    Subject {
        incident,
        claimed,
        recently: None,
        owners: None,
        requests,
        anchor: ANCHOR,
        sigstore: &no_sigstore,
        good: &good,
        generation: &|_| 1,
    }
}

fn ways(rotation: &Rotation) -> Vec<(String, Way)> {
    let hits = rotation.hits.iter();
    hits.map(|hit| (hit.project.to_string(), hit.way.clone()))
        .collect()
}

fn told(rotation: &Rotation, rule: &str) -> Vec<String> {
    let findings = rotation
        .findings
        .iter()
        .filter(|finding| finding.rule == rule);
    findings.map(|finding| finding.text.clone()).collect()
}

#[test]
fn every_delegation_that_lists_the_key_is_found_and_goes_the_safe_way() {
    let (tree, incident) = (tree(), incident(""));
    let rotation = derive(&subject(&incident, &tree, &[])).unwrap();
    assert_eq!(
        ways(&rotation),
        [
            ("a".to_owned(), Way::Files),
            (
                "b".to_owned(),
                Way::Remove {
                    role: project("b").role(),
                    keys: vec![key(2).keyid()],
                    threshold: 1
                }
            ),
            ("c".to_owned(), Way::Files),
        ]
    );
    assert_eq!(rotation.changes.changes.len(), 3);
    assert_eq!(
        rotation.changes.changes[&project("a")],
        Change {
            before: tree.pre_image(&project("a")),
            after: After::Custody
        }
    );
}

#[test]
fn a_replacement_that_holds_is_followed_and_a_second_name_given_where_versions_were_driven_up() {
    let (tree, incident) = (tree(), incident("fast_forwarded = [\"c\"]"));
    let requests = [
        replacement(&tree, "a", &[5], 1),
        replacement(&tree, "c", &[5, 6], 2),
        replacement(&tree, "lost", &[7], 1),
    ];
    let rotation = derive(&subject(&incident, &tree, &requests)).unwrap();
    let replace = |name: &str, generation, numbers: &[u16], threshold| {
        let mut keys: Vec<KeyId> = numbers.iter().map(|number| key(*number).keyid()).collect();
        keys.sort();
        let role = project(name).generation(generation);
        let way = Way::Replace {
            role,
            keys,
            threshold,
        };
        (name.to_owned(), way)
    };
    let ways = ways(&rotation);
    assert_eq!(ways[0], replace("a", 1, &[5], 1));
    assert_eq!(ways[2], replace("c", 2, &[5, 6], 2));
    assert_eq!(ways[3], replace("lost", 1, &[7], 1));
    assert!(told(&rotation, "ROTATE-REPLACEMENT").is_empty());
}

#[test]
fn a_replacement_that_does_not_hold_leaves_its_project_in_custody() {
    let (tree, incident) = (tree(), incident(""));
    let refusal = |request: Request| {
        let requests = [request];
        let rotation = derive(&subject(&incident, &tree, &requests)).unwrap();
        let (_, way) = ways(&rotation).remove(0);
        assert_eq!(way, Way::Files);
        told(&rotation, "ROTATE-REPLACEMENT").remove(0)
    };
    let good = || replacement(&tree, "a", &[5], 1);
    let pre_image = tree.pre_image(&project("a")).unwrap();

    let mut stale = good();
    stale.replaces = Some(Sha256([1; 32]));
    let text = format!(
        "line 2, a: the request is not followed: it was made for another state of the delegation; claimed has {pre_image}"
    );
    assert_eq!(refusal(stale), text);

    let text = format!(
        "line 2, a: the request is not followed: it lists the compromised key {}",
        keyid(1)
    );
    assert_eq!(refusal(replacement(&tree, "a", &[1, 5], 1)), text);

    let mut unproven = good();
    unproven.possession.clear();
    let text = format!(
        "line 2, a: the request is not followed: line 2, a: no proof of possession by {}; each key must sign the statement.",
        keyid(5)
    );
    assert_eq!(refusal(unproven), text);

    let mut other = good();
    other.action = Action::Reset;
    assert_eq!(
        refusal(other),
        "line 2, a: the request is not followed: a rotation follows rotate requests only, not reset"
    );
    let mut new = good();
    new.project = project("new");
    assert_eq!(
        refusal(new),
        "line 2, new: the request is not followed: the project is not in claimed; hand in a claim"
    );
    let untouched = replacement(&tree, "d", &[5], 1);
    assert_eq!(
        refusal(untouched),
        "line 2, d: the request is not followed: the project lists no compromised key; hand it in for a claim"
    );
}

#[test]
fn a_key_that_nothing_lists_is_refused() {
    let (tree, mut incident) = (tree(), incident(""));
    derive(&subject(&incident, &tree, &[])).unwrap();
    incident
        .compromised
        .insert(KeyId("77".repeat(32)), "a typing error".to_owned());
    let findings = derive(&subject(&incident, &tree, &[])).unwrap_err();
    let text = format!(
        "the compromised key {} is listed neither in claimed nor in recently-claimed. Correct the keyid, or remove it if it is gone already.",
        "77".repeat(32)
    );
    let expected = Finding::error("ROTATE-UNKNOWN-KEY", "requests/incident.toml", text);
    assert_eq!(findings, [expected]);
}

#[test]
fn other_keys_of_the_same_owner_are_told_and_rotated_if_the_incident_says_so() {
    let tree = tree();
    let label = |label: &str| Owner {
        label: label.to_owned(),
        since: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let owners = Owners {
        keys: BTreeMap::from([
            (key(1).keyid(), label("ann (laptop)")),
            (key(3).keyid(), label("ann (desk)")),
            (key(2).keyid(), label("ben")),
        ]),
    };
    for (also, what, hits) in [
        ("", "it is NOT rotated, as the incident says", 3),
        (
            "also_owner_keys = true",
            "it is rotated too, as the incident says",
            4,
        ),
    ] {
        let incident = incident(also);
        let mut subject = subject(&incident, &tree, &[]);
        subject.owners = Some(&owners);
        let rotation = derive(&subject).unwrap();
        let text = format!("ann also holds the key {}: {what}", keyid(3));
        assert_eq!(told(&rotation, "ROTATE-OWNERS"), [text]);
        assert_eq!(rotation.hits.len(), hits);
    }
    let incident = incident("");
    let rotation = derive(&subject(&incident, &tree, &[])).unwrap();
    assert_eq!(
        told(&rotation, "ROTATE-OWNERS"),
        [
            "there is no register of developers (owners.jsonl) in the input: other keys of the same owners were not looked for"
        ]
    );
}

#[test]
fn a_project_without_good_files_answers_nothing_and_a_stray_name_is_told() {
    let (tree, incident) = (tree(), incident("fast_forwarded = [\"d\"]"));
    let mut subject = subject(&incident, &tree, &[]);
    subject.good = &|_| None;
    let rotation = derive(&subject).unwrap();
    let (_, way) = ways(&rotation).remove(0);
    assert_eq!(way, Way::Tombstone);
    assert_eq!(
        told(&rotation, "ROTATE-NO-GOOD-FILES"),
        [
            "of 2 projects no file is known to be good from before the last moment of trust, a the first: nothing of them installs until they have keys again"
        ]
    );
    assert_eq!(
        told(&rotation, "ROTATE-STRAY"),
        ["the incident names d, which lists no compromised key: nothing is done about it"]
    );
    subject.good = &good;
    let rotation = derive(&subject).unwrap();
    assert!(told(&rotation, "ROTATE-NO-GOOD-FILES").is_empty());
}

#[test]
fn a_project_that_is_only_recently_claimed_needs_no_offline_signature() {
    let (tree, incident) = (tree(), incident(""));
    let roles = [role("project-n", "n/*", &[1], 1)];
    let recently = claimed(FILE, &envelope(&signed(&roles, &[1]))).unwrap();
    let mut subject = subject(&incident, &tree, &[]);
    subject.recently = Some(&recently);
    let rotation = derive(&subject).unwrap();
    assert_eq!(
        ways(&rotation).pop().unwrap(),
        ("n".to_owned(), Way::Online)
    );
    assert!(!rotation.changes.changes.contains_key(&project("n")));
}

#[test]
fn a_compromised_key_that_is_left_is_found() {
    let (tree, incident) = (tree(), incident(""));
    let rotation = derive(&subject(&incident, &tree, &[])).unwrap();
    let left = gone(FILE, &tree, &rotation.compromised);
    assert_eq!(left.len(), 3);
    assert_eq!(
        (left[0].rule.as_str(), left[0].level),
        ("ROTATE-GONE", Level::Error)
    );
    assert_eq!(
        left[0].text,
        format!("project-a still lists the compromised key {}", keyid(1))
    );
    let roles = [role("project-d", "d/*", &[3], 1)];
    let clean = claimed(FILE, &envelope(&signed(&roles, &[3]))).unwrap();
    let gone = gone(FILE, &clean, &rotation.compromised);
    let text = format!(
        "of 1 delegations none lists a compromised key ({})",
        keyid(1)
    );
    assert_eq!(gone, [Finding::note("ROTATE-GONE", FILE, text)]);
}

#[test]
fn a_threshold_above_the_live_keys_is_found() {
    let tree = tree();
    assert_eq!(live(FILE, tree.projects.all()), []);
    let mut short = tree.projects.get(&project("d")).unwrap();
    short.threshold = 2;
    assert_eq!(
        live(FILE, tree.projects.all().chain([short])),
        [Finding::error(
            "ROTATE-LIVE",
            FILE,
            "project-d needs 2 signatures and has fewer keys: nobody can ever sign it"
        )]
    );
}

#[test]
fn a_sheet_says_which_keys_which_files_and_what_to_do() {
    let (tree, incident) = (tree(), incident("fast_forwarded = [\"a\"]"));
    let requests = [replacement(&tree, "a", &[5], 1)];
    let rotation = derive(&subject(&incident, &tree, &requests)).unwrap();
    let text = sheet(&incident, &rotation.hits[0]);
    for wanted in [
        "# a: rotation of keys",
        &keyid(1),
        &keyid(5),
        "1. Write project-a_2, version 1",
        "- `a/a-1.0.tar.gz`, 3 bytes",
        &format!("sha256 `{}`", "ab".repeat(32)),
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let text = sheet(&incident, &rotation.hits[2]);
    let digest = custody_digest(&project("c")).to_string();
    assert!(text.contains(&digest), "{text}");
    assert!(text.starts_with("# c: rotation of keys\n"), "{text}");
}

#[test]
fn a_sheet_has_a_file_name_that_a_bundle_can_hold() {
    assert_eq!(super::sheet::name(&project("a-b")), "a-b.md");
    let names =
        ["x", "y"].map(|end| super::sheet::name(&project(&format!("{}{end}", "a".repeat(150)))));
    assert!(
        names
            .iter()
            .all(|name| name.len() <= 101
                && name.rsplit_once('.').is_some_and(|(_, end)| end == "md"))
    );
    assert_ne!(names[0], names[1]);
}
