//! A claim in memory, from the genesis of the whole tree to its bundle: decided in one go, interrupted at every prompt, with a wrong batch digest, and by a holder
//! elsewhere.

use std::collections::BTreeMap;

use tuf_ceremony::bundle::files::File;
use tuf_ceremony::ceremony::decisions::Decisions;
use tuf_ceremony::ceremony::event::{Decision, Event};
use tuf_ceremony::ceremony::intake::InputFile;
use tuf_ceremony::ceremony::kinds;
use tuf_ceremony::ceremony::material::Material;
use tuf_ceremony::pypi::delegation;
use tuf_ceremony::verdict;

use super::made::forge;
use super::made::projects::{Day, Entry, RECENT, SNAPSHOT, TIMESTAMP, World};
use super::people::People;
use super::stand::{HOLDERS, Stand};

const ROLES: [(&str, &str); 4] = [
    ("root", "2027-12-01"),
    ("targets", "2027-10-02"),
    ("claimed", "2027-06-03"),
    ("unclaimed", "2027-08-03"),
];

/// The whole tree, with online keys that the test has.
fn genesis() -> String {
    let roles = ROLES.map(|(role, day)| {
        let keys = if role == "root" { "" } else { "keys = \"retained\"\n" };
        format!("[{role}]\nversion = 1\nexpires = \"{day}T00:00:00Z\"\nthreshold = 2\n{keys}holders = {HOLDERS:?}\n")
    });
    let made = ROLES.map(|(role, _)| format!("{role}.generate = \"ed25519\"\n"));
    let holders = HOLDERS.map(|name| super::stand::holder(name, &made.concat()));
    let online = [
        ("timestamp", TIMESTAMP),
        ("snapshot", SNAPSHOT),
        ("recently-claimed", RECENT),
        ("bin-n", 207),
    ];
    let online = online.map(|(role, number)| {
        let public = match forge::key(number).public() {
            tuf_ceremony::tuf::key::PublicKey::Ed25519(bytes) => {
                data_encoding::HEXLOWER.encode(bytes)
            }
            other => panic!("{other:?}"),
        };
        format!("[[online]]\nname = \"{role}-1\"\nroles = [\"{role}\"]\npublic = \"{public}\"\nprovenance = \"made for a test\"\n")
    });
    let (roles, holders, online) = (roles.concat(), holders.concat(), online.concat());
    format!(
        "{}kind = \"genesis\"\n{roles}{holders}{online}",
        super::stand::HEAD
    )
}

/// Three green claims and one that needs a look, over a finished genesis.
fn claim() -> (Stand, World) {
    let genesis = Stand::finished(genesis());
    let offline: BTreeMap<String, Vec<u8>> = genesis
        .world
        .metadata()
        .into_iter()
        .map(|(path, bytes)| (path.replace("metadata/", ""), bytes))
        .collect();
    let mut world = World::over(offline.clone(), Day::new());
    world.recent("durian", &Entry::new("durian", &[37]));
    world.ask("durian", &[37]).channel = None;
    let mut files: Vec<InputFile> = offline
        .into_iter()
        .map(|(name, bytes)| InputFile {
            path: format!("trusted/{name}"),
            bytes,
        })
        .collect();
    for (path, bytes) in [
        ("requests/requests.jsonl", world.requests_file()),
        ("requests/top-projects.txt", world.top.clone().into_bytes()),
    ] {
        let path = path.to_owned();
        files.push(InputFile { path, bytes });
    }
    let script = |before: &Stand| {
        let holders = HOLDERS.map(|name| {
            let keyid = before.keyid(name, "claimed");
            super::stand::holder(name, &format!("claimed.keyid = \"{keyid}\""))
        });
        format!(
            "{}kind = \"claim\"\ntrusted_root_sha256 = \"{}\"\n[claimed]\nversion = 2\nexpires = \"2027-06-20T00:00:00Z\"\n{}{}",
            super::stand::HEAD,
            world.anchor(),
            holders.concat(),
            world.tables(1)
        )
    };
    let stand = genesis.then_over(files, world.archives(), script);
    (stand, world)
}

fn batch(stand: &Stand) -> &'static str {
    let digest = stand.trusted.vetting(&stand.script).unwrap().batch_digest();
    digest.to_string()[..16].to_owned().leak()
}

/// What the two administrators, the witness and the room answer.
fn deciding(stand: &Stand) -> People {
    let mut people = stand.people();
    let batch = batch(stand);
    people.answers = vec![
        ("claim:overview", "go-on"),
        ("claim:batch:first", batch),
        ("claim:batch:second", batch),
        ("claim:dice", "4 2 6 1 1 5 4 2 6 1"),
        ("claim:apple", "accept"),
        ("claim:banana", "accept"),
        ("claim:cherry", "accept"),
        ("claim:durian", "accept"),
        ("claim:durian:reason", "we know her and called her back"),
    ];
    people
}

fn claimed(stand: &Stand) -> Vec<String> {
    let claimed = stand.envelope("metadata/2.claimed.json");
    let claimed = delegation::claimed("claimed", &claimed).unwrap();
    claimed.projects.names().map(ToString::to_string).collect()
}

/// Files by path.
type Disk = BTreeMap<String, Vec<u8>>;

#[test]
fn a_claim_moves_what_was_accepted_and_tells_the_online_side() {
    let (mut stand, world) = claim();
    let mut people = deciding(&stand);
    stand.run(&mut people).unwrap();
    stand.check_finished();
    assert_eq!(claimed(&stand), ["apple", "banana", "cherry", "durian"]);
    let exact = stand.progress().findings().iter().any(|finding| {
        finding.rule == "REQUEST-EXACT" && finding.level == tuf_ceremony::tuf::finding::Level::Note
    });
    assert!(exact, "{:#?}", stand.progress().findings());
    let disk = &stand.world.disk;
    let actions: serde_json::Value =
        serde_json::from_slice(&disk["online/online-actions.json"]).unwrap();
    let projects = actions["projects"].as_array().unwrap();
    assert_eq!(projects.len(), 4);
    for entry in projects {
        assert_eq!(entry["action"], "remove-from-recently-claimed");
        assert_eq!(entry["if_digest"].as_str().unwrap().len(), 64);
    }
    assert_eq!(disk["ceremony/requests.jsonl"], world.requests_file());
    assert_eq!(disk["online/refused.jsonl"], b"");
    assert_eq!(
        disk["metadata/1.claimed.json"],
        world.offline["1.claimed.json"]
    );
    let owners = String::from_utf8(disk["ceremony/owners.jsonl"].clone()).unwrap();
    assert_eq!(owners.lines().count(), 5, "{owners}");
    let ledger = String::from_utf8(disk["evidence/targets.ledger"].clone()).unwrap();
    assert!(ledger.contains("\napple/apple-1.tar.gz "), "{ledger}");
    // The digest that must come from another machine was not on the screen.
    let told = &people.told["claim:batch:first"];
    assert!(!told.contains(batch(&stand)), "{told}");
    let decided: Vec<_> = stand
        .log
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Decided(decided) => Some((decided.project, decided.reason)),
            _ => None,
        })
        .collect();
    let durian = (
        "durian".to_owned(),
        "we know her and called her back".to_owned(),
    );
    assert!(
        decided.contains(&durian) && decided.len() == 2,
        "{decided:?}"
    );
}

#[test]
fn a_stranger_derives_the_claim_again_from_the_bundle_alone() {
    let (mut stand, _) = claim();
    let mut people = deciding(&stand);
    people.answers.retain(|(id, _)| *id != "claim:durian");
    people.answers.push(("claim:durian", "leave"));
    stand.run(&mut people).unwrap();
    let judged = |change: &dyn Fn(&mut Disk)| {
        let mut disk: BTreeMap<String, Vec<u8>> = stand.world.disk.clone().into_iter().collect();
        change(&mut disk);
        let files: Vec<File> = disk
            .into_iter()
            .map(|(path, bytes)| File { path, bytes })
            .collect();
        let progress = stand.progress();
        verdict::claim::check(&files, progress.decisions(), stand.ceremony, true)
    };
    let right = judged(&|_| {});
    assert_eq!((right.len(), right[0].rule.as_str()), (1, "REQUEST-EXACT"));
    assert_eq!(
        right[0].level,
        tuf_ceremony::tuf::finding::Level::Note,
        "{right:?}"
    );
    // A project more in claimed than was accepted, one less, and a list that lies.
    let errors = |findings: Vec<tuf_ceremony::tuf::finding::Finding>| -> Vec<(String, String)> {
        let wrong = findings
            .into_iter()
            .filter(|it| it.level == tuf_ceremony::tuf::finding::Level::Error);
        wrong.map(|it| (it.rule, it.file)).collect()
    };
    let found = errors(judged(&|disk| {
        let path = "metadata/2.claimed.json".to_owned();
        let text = String::from_utf8(disk[&path].clone()).unwrap();
        disk.insert(path, text.replace("banana", "bananb").into_bytes());
    }));
    assert!(
        !found.is_empty() && found.iter().all(|(rule, _)| rule == "REQUEST-EXACT"),
        "{found:?}"
    );
    let found = errors(judged(&|disk| {
        disk.insert("online/refused.jsonl".to_owned(), Vec::new());
    }));
    assert_eq!(
        found,
        [(
            "CLAIM-DECISIONS".to_owned(),
            "online/refused.jsonl".to_owned()
        )]
    );
    for (path, named) in [
        ("ceremony/decisions.json", "ceremony/decisions.json"),
        ("ceremony/requests.jsonl", "ceremony/requests.jsonl"),
        // Which version there should be nobody can tell then.
        ("metadata/2.claimed.json", "metadata/N.claimed.json"),
    ] {
        let found = errors(judged(&|disk| {
            disk.remove(path);
        }));
        assert_eq!(found, [("CLAIM-DECISIONS".to_owned(), named.to_owned())]);
    }
    let found = errors(judged(&|disk| {
        let text = String::from_utf8(disk["ceremony/decisions.json"].clone()).unwrap();
        let text = text.replace("\"leave\"", "\"accept\"");
        disk.insert("ceremony/decisions.json".to_owned(), text.into_bytes());
    }));
    assert_eq!(
        found,
        [(
            "CLAIM-DECISIONS".to_owned(),
            "ceremony/decisions.json".to_owned()
        )]
    );
}

#[test]
fn what_is_left_or_refused_is_not_in_claimed_and_the_project_hears_why() {
    let (mut stand, _) = claim();
    let mut people = deciding(&stand);
    people.answers.retain(|(id, _)| *id != "claim:durian");
    people.answers.push(("claim:durian", "leave"));
    stand.run(&mut people).unwrap();
    stand.check_finished();
    assert_eq!(claimed(&stand), ["apple", "banana", "cherry"]);
    let refused = String::from_utf8(stand.world.disk["online/refused.jsonl"].clone()).unwrap();
    let refused: serde_json::Value = serde_json::from_str(refused.trim()).unwrap();
    assert_eq!(refused["project"], "durian");
    assert_eq!(refused["decision"], "left for the next claim");
    assert_eq!(refused["reasons"][0]["rule"], "CLAIM-CHANNEL");
}

#[test]
fn a_batch_digest_of_other_files_accepts_nothing() {
    let (mut stand, _) = claim();
    let mut people = deciding(&stand);
    people.answers.retain(|(id, _)| *id != "claim:batch:second");
    people
        .answers
        .push(("claim:batch:second", "0123456789abcdef"));
    stand.run(&mut people).unwrap_err();
    assert!(stand.progress().decisions().accepted.is_none());
    let told = &people.told["claim:batch:second"];
    let text = format!(
        "0123456789abcdef is not what this machine has, {}: the two did not read the same files. Nothing is accepted; find out which file differs before you go on.",
        batch(&stand)
    );
    assert!(told.ends_with(&text), "{told}");
}

#[test]
fn an_interruption_at_any_answer_loses_no_decision() {
    for stop in [
        "claim:overview",
        "claim:batch:second",
        "claim:dice",
        "claim:durian",
        "claim:durian:reason",
        "review:claimed-2",
    ] {
        let (mut stand, _) = claim();
        let mut people = deciding(&stand);
        people.stop_at = Some(stop);
        stand.run(&mut people).unwrap_err();
        let before = stand.progress().decisions().decided.len();
        stand.run(&mut deciding(&stand)).unwrap();
        stand.check_finished();
        assert!(stand.progress().decisions().decided.len() >= before);
        assert_eq!(
            claimed(&stand),
            ["apple", "banana", "cherry", "durian"],
            "{stop}"
        );
        let times = |wanted: &str| {
            let events = stand.log.events();
            let decided = events.iter().filter(
                |event| matches!(event, Event::Decided(decided) if decided.project == wanted),
            );
            decided.count()
        };
        assert_eq!(times("durian"), 1);
    }
}

#[test]
fn a_holder_elsewhere_makes_the_same_from_the_decisions_that_travelled() {
    let (mut stand, _) = claim();
    stand.run(&mut deciding(&stand)).unwrap();
    let bytes = &stand.world.disk["ceremony/decisions.json"];
    let decisions = Decisions::parse("decisions.json", bytes, stand.ceremony).unwrap();
    assert_eq!(&decisions, stand.progress().decisions());
    let kind = kinds::KINDS
        .iter()
        .find(|kind| kind.name == "claim")
        .unwrap();
    let built = |decisions: &Decisions| {
        let material = Material {
            script: &stand.script,
            trusted: &stand.trusted,
            enrolled: &[],
            decisions: Some(decisions),
            mode: stand.mode,
        };
        (kind.build)(&material).map(|mut candidates| candidates.remove(0).payload())
    };
    let signed = stand.envelope("metadata/2.claimed.json").payload_digest();
    assert_eq!(built(&decisions), Ok(signed));
    let mut other = decisions.clone();
    other.decided.get_mut("durian").unwrap().decision = Decision::Leave;
    assert_ne!(built(&other), Ok(signed));
    assert_eq!(
        built(&Decisions::default()).unwrap_err().rule,
        "CLAIM-DECISIONS"
    );
}
