//! What the vetting says of requests: every bad input with its rule and words, beside the green twin that it was made from.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "claim_rules/archives.rs"]
mod archives;
#[path = "claim_rules/identities.rs"]
mod identities;
mod support;

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;
use support::forge::{keyid, root, signed};
use support::projects::{DAYS, Entry, World, project};
use tuf_ceremony::ceremony::event::Mode;
use tuf_ceremony::ceremony::intake::{InputFile, Trusted, intake};
use tuf_ceremony::ceremony::script::Script;
use tuf_ceremony::pypi::delegation;
use tuf_ceremony::pypi::requests::{Action, Event, EventKind, Request};
use tuf_ceremony::pypi::vetting::{Bucket, Vetted, Vetting, Weight, check_dice};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::finding::Finding;
use tuf_ceremony::tuf::json::Limits;

fn script(world: &World) -> Script {
    let text = format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"claim\"\ntitle = \"t\"\nprofile = \"room\"\ntrusted_root_sha256 = \"{}\"\n[claimed]\nversion = 2\nexpires = \"2027-05-25T00:00:00Z\"\n{}",
        world.anchor(),
        world.tables(1)
    );
    Script::parse("script.toml", text.as_bytes()).unwrap()
}

fn taken(world: &World, script: &Script) -> Result<Trusted, Vec<Finding>> {
    let file = |path: String, bytes: Vec<u8>| InputFile { path, bytes };
    let mut files: Vec<InputFile> = world
        .offline
        .iter()
        .map(|(name, bytes)| file(format!("trusted/{name}"), bytes.clone()))
        .collect();
    files.push(file(
        "requests/requests.jsonl".to_owned(),
        world.requests_file(),
    ));
    files.push(file(
        "requests/top-projects.txt".to_owned(),
        world.top.clone().into_bytes(),
    ));
    if let Some((root, _)) = &world.sigstore {
        files.push(file("sigstore/trusted_root.json".to_owned(), root.clone()));
    }
    let now = support::projects::ON.parse().unwrap();
    let mut trusted = intake(script, files, Vec::new(), Mode::Production, now)?;
    trusted.take_archives(script, world.archives())?;
    Ok(trusted)
}

fn judged(world: &World) -> Arc<Vetting> {
    let script = script(world);
    taken(world, &script).unwrap().vetting(&script).unwrap()
}

fn of<'v>(vetting: &'v Vetting, name: &str) -> &'v Vetted {
    vetting.of(&project(name)).unwrap()
}

/// Rules and weights of one request, the heaviest first.
fn rules(vetted: &Vetted) -> Vec<(Weight, &str)> {
    let reasons = vetted.reasons.iter();
    reasons
        .map(|reason| (reason.weight, reason.finding.rule.as_str()))
        .collect()
}

#[track_caller]
fn says(vetted: &Vetted, bucket: Bucket, rule: &str, text: &str) {
    assert_eq!(vetted.bucket(), bucket, "{:#?}", vetted.reasons);
    let found = vetted.reasons.iter().find(|it| it.finding.rule == rule);
    let found = found.unwrap_or_else(|| panic!("{rule}: {:#?}", vetted.reasons));
    let request = &vetted.request;
    let line = format!("line {}, {}: {text}", request.line, request.project);
    assert_eq!(found.finding.text, line);
}

/// The other claims stay what they were, whatever one of them is.
fn others_are_green(vetting: &Vetting, name: &str) {
    for green in ["apple", "banana", "cherry"] {
        if green != name {
            assert_eq!(of(vetting, green).bucket(), Bucket::Green, "{green}");
        }
    }
}

#[test]
fn claims_that_nothing_speaks_against_are_green() {
    let vetting = judged(&World::new());
    for name in ["apple", "banana", "cherry"] {
        let vetted = of(&vetting, name);
        assert_eq!(vetted.bucket(), Bucket::Green, "{:#?}", vetted.reasons);
        assert_eq!(rules(vetted), [(Weight::Reports, "OWNER-SINGLE-KEY")]);
        assert!(!vetted.is_single() && !vetted.is_gating());
        assert_eq!(vetted.since.unwrap().to_string(), "2026-10-20T00:00:00Z");
    }
    assert_eq!(vetting.gating().count(), 0);
    assert_eq!(vetting.findings, []);
}

/// One change to apple, and what is said of it.
type Case = (fn(&mut World), Bucket, &'static str, &'static str);

fn apple(world: &mut World, change: impl Fn(&mut Entry)) {
    for day in &mut world.days {
        change(day.get_mut("apple").unwrap());
    }
}

fn asked(world: &mut World) -> &mut Request {
    world.requests.first_mut().unwrap()
}

#[test]
fn every_fault_of_a_claim_is_told_and_none_is_green() {
    let cases: Vec<Case> = vec![
        (
            |world| {
                world.days[2].remove("apple");
            },
            Bucket::Refused,
            "CLAIM-PROBATION",
            "its keys stand unchanged since the archive of 2026-11-05, 17 days; the probation is 30 days. It can be claimed from 2026-12-05",
        ),
        (
            |world| {
                world.days[1].remove("apple");
            },
            Bucket::Refused,
            "CLAIM-UNCHANGED",
            "the archive of 2026-10-20 has today's keys, and an archive after it does not for it; ask the project when and why its keys changed",
        ),
        (
            |world| {
                world.days[1].insert("apple".to_owned(), Entry::new("apple", &[41]));
            },
            Bucket::Refused,
            "CLAIM-UNCHANGED",
            "the archive of 2026-11-05 has other keys or another threshold for it; ask the project when and why its keys changed",
        ),
        (
            |world| {
                for day in &mut world.days {
                    day.remove("apple");
                }
            },
            Bucket::Refused,
            "CLAIM-RECENT",
            "recently-claimed in the archive of 2026-11-20 does not delegate it; there is nothing to claim",
        ),
        (
            |world| apple(world, |entry| entry.terminating = false),
            Bucket::Refused,
            "PEP480-TERMINATING",
            "",
        ),
        (
            |world| apple(world, |entry| entry.paths = vec!["*/*".to_owned()]),
            Bucket::Refused,
            "PROJECT-PATHS",
            "",
        ),
        (
            |world| {
                apple(world, |entry| {
                    entry.expires = "2027-01-21T23:59:59Z".to_owned();
                });
            },
            Bucket::Refused,
            "CLAIM-EXPIRY",
            "its metadata expires on 2027-01-21T23:59:59Z, before the next claim but one on 2027-01-22T00:00:00Z: nobody could install it after that. The project signs it anew",
        ),
        (
            |world| {
                apple(world, |entry| {
                    entry.targets.push("banana/banana-9.tar.gz".to_owned());
                });
            },
            Bucket::Refused,
            "CLAIM-SCOPE",
            "its metadata lists 1 targets outside apple/*: banana/banana-9.tar.gz",
        ),
        (
            |world| {
                apple(world, |entry| {
                    let mut keys = serde_json::Map::new();
                    let value = tuf_ceremony::tuf::style::to_vec(support::forge::key(31).value());
                    keys.insert(keyid(31).0, serde_json::from_slice(&value).unwrap());
                    entry.delegations = Some(json!({"keys": keys, "roles": [{
                        "name": "apple-releases", "keyids": [keyid(31).0], "threshold": 1,
                        "terminating": true, "paths": ["*/*"],
                    }]}));
                });
            },
            Bucket::Refused,
            "CLAIM-SCOPE",
            "its metadata delegates apple-releases paths outside apple/*",
        ),
        (
            |world| {
                apple(world, |entry| entry.signed_by.clear());
                asked(world).possession.clear();
            },
            Bucket::Refused,
            "CLAIM-METADATA",
            "its metadata in the archive of 2026-11-20 does not hold: project-apple.json: the snapshot does not list it, so clients cannot ask it",
        ),
        (
            |world| {
                asked(world).events = vec![Event {
                    kind: EventKind::Recovery,
                    at: "2026-11-01T12:00:00Z".parse().unwrap(),
                }];
            },
            Bucket::Look,
            "CLAIM-EVENTS",
            "an owner's account was recovered on 2026-11-01T12:00:00Z, 20 days before this claim",
        ),
        (
            |world| asked(world).channel = None,
            Bucket::Look,
            "CLAIM-CHANNEL",
            "no second channel: nobody asked the owner by another way than the account",
        ),
        (
            |world| {
                let seen = "2026-11-10T00:00:00Z".parse().unwrap();
                asked(world).first_seen.insert(keyid(31), seen);
            },
            Bucket::Look,
            "CLAIM-FIRST-SEEN",
            "",
        ),
    ];
    for (change, bucket, rule, text) in cases {
        let mut world = World::new();
        change(&mut world);
        let vetting = judged(&world);
        let vetted = of(&vetting, "apple");
        if text.is_empty() {
            assert_eq!(vetted.bucket(), bucket, "{rule}: {:#?}", vetted.reasons);
            assert!(
                rules(vetted).iter().any(|(_, found)| *found == rule),
                "{rule}"
            );
        } else {
            says(vetted, bucket, rule, text);
        }
        others_are_green(&vetting, "apple");
    }
}

#[test]
fn an_event_before_the_window_and_a_file_until_the_day_are_no_reasons() {
    let mut world = World::new();
    asked(&mut world).events = vec![Event {
        kind: EventKind::Report,
        at: "2026-10-01T00:00:00Z".parse().unwrap(),
    }];
    apple(&mut world, |entry| {
        entry.expires = "2027-01-22T00:00:00Z".to_owned();
    });
    assert_eq!(of(&judged(&world), "apple").bucket(), Bucket::Green);
}

#[test]
fn keys_prove_that_they_are_meant_for_the_project() {
    // Metadata signed by a threshold of one speaks for them, and is told.
    let mut world = World::new();
    asked(&mut world).possession.clear();
    let vetting = judged(&world);
    assert_eq!(of(&vetting, "apple").bucket(), Bucket::Green);
    says(
        of(&vetting, "apple"),
        Bucket::Green,
        "CLAIM-POSSESSION",
        &format!(
            "its metadata is signed by a threshold of its keys; {} gave no proof of possession",
            keyid(31)
        ),
    );
    // A threshold that PEP 480 does not have is asked for by every key.
    let mut world = World::new();
    let two = Entry {
        threshold: 2,
        ..Entry::new("apple", &[31, 37])
    };
    world.recent("apple", &two);
    world.requests[0] = world.request(Action::Claim, "apple", &[31, 37], 2);
    assert_eq!(of(&judged(&world), "apple").bucket(), Bucket::Green);
    world.requests[0]
        .possession
        .retain(|it| it.keyid == keyid(31));
    let text = format!(
        "its threshold is 2, which only a proof of possession by every key can ask for (PEP 480 has 1); missing: {}.",
        keyid(37)
    );
    let vetting = judged(&world);
    says(
        of(&vetting, "apple"),
        Bucket::Refused,
        "CLAIM-POSSESSION",
        &text,
    );
}

#[test]
fn an_inserted_key_for_a_popular_project_is_never_green() {
    // Validly signed by the server's key on the newest day, with metadata by the thief's key and his own proof.
    let mut world = World::new();
    world.days[0].insert("requests".to_owned(), Entry::new("requests", &[99]));
    world.ask("requests", &[99]);
    let vetting = judged(&world);
    let vetted = of(&vetting, "requests");
    assert_eq!(vetted.bucket(), Bucket::Refused);
    assert_eq!(
        rules(vetted)[..2],
        [
            (Weight::Refuses, "CLAIM-PROBATION"),
            (Weight::Shows, "CLAIM-TOP")
        ]
    );
    // He replaces the key that stood there for long.
    let mut world = World::new();
    world.recent("requests", &Entry::new("requests", &[97]));
    world.days[0].insert("requests".to_owned(), Entry::new("requests", &[99]));
    world.ask("requests", &[99]);
    let vetting = judged(&world);
    let found = rules(of(&vetting, "requests"));
    assert_eq!(found[0], (Weight::Refuses, "CLAIM-PROBATION"));
    assert_eq!(found[1], (Weight::Refuses, "CLAIM-UNCHANGED"));
    // He has waited for the whole probation: a person still looks, by name.
    let mut world = World::new();
    world.recent("requests", &Entry::new("requests", &[99]));
    world.ask("requests", &[99]);
    let vetting = judged(&world);
    let vetted = of(&vetting, "requests");
    assert!(vetted.is_single() && vetted.is_gating());
    says(
        vetted,
        Bucket::Green,
        "CLAIM-TOP",
        "it is number 1 of the most downloaded projects; every change to it is looked at",
    );
    others_are_green(&vetting, "requests");
}

#[test]
fn look_alikes_and_shared_keys_are_seen_before_anybody_signs() {
    let mut world = World::new();
    world.recent("request", &Entry::new("request", &[61]));
    world.ask("request", &[61]);
    let owner = "somebody else".to_owned();
    world.recent("durian", &Entry::new("durian", &[31]));
    world.ask("durian", &[31]).owners.insert(keyid(31), owner);
    let vetting = judged(&world);
    says(
        of(&vetting, "request"),
        Bucket::Look,
        "CLAIM-LOOK-ALIKE",
        "its name looks like requests, one of the most downloaded projects",
    );
    assert_eq!(
        rules(of(&vetting, "durian"))[0],
        (Weight::Gates, "OWNER-SHARED")
    );
    let gating: Vec<_> = vetting
        .gating()
        .map(|it| it.request.project.as_str())
        .collect();
    assert_eq!(gating, ["apple", "durian", "request"]);
    assert_eq!(of(&vetting, "banana").bucket(), Bucket::Green);
}

/// The digest of django's delegation in claimed.
fn django(world: &World) -> Sha256 {
    let bytes = world.offline["1.claimed.json"].clone();
    let claimed = Envelope::parse("claimed", bytes, Limits::LARGE).unwrap();
    let claimed = delegation::claimed("claimed", &claimed).unwrap();
    claimed.pre_image(&project("django")).unwrap()
}

fn change(world: &mut World, action: Action, keys: &[u8], signed_by: &[u8]) -> usize {
    let mut request = world.request(action, "django", keys, u32::from(!keys.is_empty()));
    request.replaces = Some(django(world));
    world.possess(&mut request, keys);
    world.authorise(&mut request, signed_by);
    world.requests.push(request);
    world.requests.len() - 1
}

#[test]
fn changes_are_asked_for_by_the_present_keys_or_looked_at() {
    let green = |action, keys: &[u8]| {
        let mut world = World::new();
        change(&mut world, action, keys, &[51]);
        judged(&world)
    };
    assert_eq!(
        of(&green(Action::AddKey, &[51, 53, 55]), "django").bucket(),
        Bucket::Green
    );
    assert_eq!(
        of(&green(Action::RemoveKey, &[51]), "django").bucket(),
        Bucket::Green
    );
    // A key that is not among the present ones signs for nothing.
    let mut world = World::new();
    change(&mut world, Action::AddKey, &[51, 53, 55], &[55]);
    let text = format!(
        "0 of the 1 present keys that it needs have signed it, so it counts as a reset; be sure who asks. {}: not one of the keys that are asked.",
        keyid(55)
    );
    says(
        of(&judged(&world), "django"),
        Bucket::Look,
        "CLAIM-RESET",
        &text,
    );
    let cases: Vec<(Action, &[u8], Bucket, &str, &str)> = vec![
        (
            Action::AddKey,
            &[51, 55],
            Bucket::Refused,
            "CLAIM-ACTION",
            "it is called add-key and adds keys and removes keys; hand in one request for one thing",
        ),
        (
            Action::Threshold,
            &[51, 53],
            Bucket::Refused,
            "CLAIM-ACTION",
            "it is called threshold and changes nothing; hand in one request for one thing",
        ),
        (
            Action::Reset,
            &[57],
            Bucket::Look,
            "CLAIM-RESET",
            "the present keys are given up without their word; be sure who asks",
        ),
        (
            Action::Transfer,
            &[57],
            Bucket::Look,
            "CLAIM-TRANSFER",
            "the project gets another owner; be sure that the transfer was decided",
        ),
        (
            Action::Unclaim,
            &[],
            Bucket::Look,
            "CLAIM-UNCLAIM",
            "an online role answers for the project afterwards; be sure that its owner wants that",
        ),
        (
            Action::Rotate,
            &[57],
            Bucket::Refused,
            "CLAIM-ACTION",
            "a compromised key is rotated by a ceremony of its own: hold a rotate-dev with this request",
        ),
    ];
    for (action, keys, bucket, rule, text) in cases {
        let mut world = World::new();
        change(&mut world, action, keys, &[51]);
        says(of(&judged(&world), "django"), bucket, rule, text);
    }
}

#[test]
fn requests_for_another_state_of_claimed_are_refused() {
    let mut world = World::new();
    let index = change(&mut world, Action::AddKey, &[51, 53, 55], &[51]);
    let stale = Sha256([7; 32]);
    world.requests[index].replaces = Some(stale);
    let text = format!(
        "it replaces {stale}, and claimed has {}: it was made for an older state. Let it be made again",
        django(&world)
    );
    says(
        of(&judged(&world), "django"),
        Bucket::Refused,
        "CLAIM-STALE",
        &text,
    );

    let mut world = World::new();
    world.ask("django", &[51, 53]);
    says(
        of(&judged(&world), "django"),
        Bucket::Refused,
        "CLAIM-PRESENT",
        "is in claimed already: hand in a request that changes it",
    );

    let mut world = World::new();
    let mut request = world.request(Action::Reset, "durian", &[57], 1);
    request.replaces = Some(stale);
    world.possess(&mut request, &[57]);
    world.requests.push(request);
    says(
        of(&judged(&world), "durian"),
        Bucket::Refused,
        "CLAIM-ABSENT",
        "it is not in claimed, so there is nothing to reset",
    );
}

#[test]
fn a_request_for_other_keys_than_recently_claimed_has_is_left() {
    let mut world = World::new();
    world.requests[0] = world.request(Action::Claim, "apple", &[41], 1);
    let text = format!(
        "recently-claimed in the archive of 2026-11-20 has the keys {}, the request {}; the keys were changed in the meantime, the project is left for the next claim",
        keyid(31),
        keyid(41)
    );
    says(
        of(&judged(&world), "apple"),
        Bucket::Refused,
        "CLAIM-KEYS",
        &text,
    );
}

#[test]
fn batch_and_spot_checks_are_the_same_on_every_machine() {
    let mut world = World::new();
    for number in 0..40_u8 {
        let name = format!("fruit{number}");
        world.recent(&name, &Entry::new(&name, &[101 + 2 * number]));
        world.ask(&name, &[101 + 2 * number]);
    }
    let (one, other) = (judged(&world), judged(&world));
    assert_eq!(one.batch_digest(), other.batch_digest());
    assert_eq!(one.bucket(Bucket::Green).count(), 43);
    let drawn = one.sample("4261154261", 5);
    assert_eq!(drawn, other.sample("4261154261", 5));
    assert_eq!(drawn.len(), 5);
    assert_ne!(drawn, one.sample("4261154262", 5));
    assert_eq!(one.sample("", 100).len(), 43);
    // Whatever is green is in the digest.
    world.requests[0].channel = None;
    assert_ne!(judged(&world).batch_digest(), one.batch_digest());
    assert_eq!(check_dice("4 2 6 1 1 5, 4 2 6 1").unwrap(), "4261154261");
    for (text, said) in [
        (
            "4 2 6 1 1 5",
            "at least 10 throws are needed, and at most 100 are read",
        ),
        (
            "4 2 6 1 1 5 4 2 6 7",
            "a throw is a digit from 1 to 6, with blanks between them: 4 2 6 1 1 5",
        ),
    ] {
        assert_eq!(
            check_dice(text).unwrap_err(),
            Finding::error("CLAIM-DICE", "", said)
        );
    }
}

#[test]
fn archives_hold_under_the_trusted_chain_or_the_claim_does_not_begin() {
    let refusal =
        |world: &World,
         change: &dyn Fn(&mut Vec<tuf_ceremony::ceremony::intake::archives::Carried>)| {
            let mut carried = world.archives();
            change(&mut carried);
            let mut text = format!(
                "schema = \"tuf-ceremony/script/1\"\nkind = \"renew\"\ntitle = \"t\"\nprofile = \"room\"\ntrusted_root_sha256 = \"{}\"\n",
                world.anchor()
            );
            for archive in &carried {
                let _ = write!(
                    text,
                    "[[archive]]\nname = \"{}\"\nsha256 = \"{}\"\n",
                    archive.name,
                    Sha256::of(archive.listing().as_bytes())
                );
            }
            let script = Script::parse("script.toml", text.as_bytes()).unwrap();
            let mut empty = world.clone();
            empty.requests.clear();
            let files = world.offline.iter().map(|(name, bytes)| InputFile {
                path: format!("trusted/{name}"),
                bytes: bytes.clone(),
            });
            let now = support::projects::ON.parse().unwrap();
            let mut trusted =
                intake(&script, files.collect(), Vec::new(), Mode::Production, now).unwrap();
            trusted.take_archives(&script, carried)
        };
    let world = World::new();
    assert_eq!(refusal(&world, &|_| {}), Ok(()));
    let forged = signed(&root(None, 1, &[9], 1), &[9]).bytes().to_vec();
    let found = refusal(&world, &|archives| {
        archives[0]
            .files
            .insert("1.root.json".to_owned(), forged.clone());
    });
    let text = "its root v1 is not the trusted root v1: one of the two was forged. Stop and find out which";
    assert_eq!(
        found.unwrap_err(),
        [Finding::error(
            "INTAKE-ARCHIVE",
            &format!("archives/{}", DAYS[0]),
            text
        )]
    );
    let found = refusal(&world, &|archives| {
        let bytes = archives[1].files.remove("9.recently-claimed.json").unwrap();
        let text = String::from_utf8(bytes).unwrap().replace("apple", "appel");
        archives[1]
            .files
            .insert("9.recently-claimed.json".to_owned(), text.into_bytes());
    });
    assert_eq!(found.unwrap_err()[0].rule, "REPOSITORY-ROLE");
}

#[test]
fn a_claim_needs_three_archives_as_old_as_their_names() {
    let mut world = World::new();
    world.days.pop();
    let few = script(&world);
    let refused = taken(&world, &few).unwrap().vetting(&few).unwrap_err();
    assert_eq!(
        refused,
        [Finding::error(
            "CLAIM-ARCHIVES",
            "archives",
            "a claim goes by the newest snapshot and at least two earlier ones with a recently-claimed; there are 2. Carry in more and name them in [[archive]]"
        )]
    );
}

#[test]
fn a_lowered_threshold_and_strange_signatures_are_looked_at() {
    let two = |world: &mut World| {
        let entry = Entry {
            threshold: 2,
            ..Entry::new("django", &[51, 53])
        };
        world.claimed.insert("django".to_owned(), entry);
        let bytes = support::projects::claimed(1, &world.claimed);
        world.offline.insert("1.claimed.json".to_owned(), bytes);
    };
    let mut world = World::new();
    two(&mut world);
    change(&mut world, Action::Threshold, &[51, 53], &[51, 53]);
    says(
        of(&judged(&world), "django"),
        Bucket::Look,
        "CLAIM-THRESHOLD",
        "the threshold falls from 2 to 1",
    );
    let mut world = World::new();
    change(&mut world, Action::AddKey, &[51, 53, 55], &[51, 99]);
    let text = format!(
        "enough of the present keys have signed it, and others too; ask the project who. {}: not one of the keys that are asked.",
        keyid(99)
    );
    says(
        of(&judged(&world), "django"),
        Bucket::Look,
        "CLAIM-AUTHORITY",
        &text,
    );
}

#[test]
fn dates_of_the_script_follow_each_other() {
    let world = World::new();
    let right = script(&world);
    assert!(taken(&world, &right).unwrap().vetting(&right).is_ok());
    for (next, text) in [
        (
            "2026-11-21T00:00:00Z",
            "claim.on, claim.next_ceremony and claim.next_but_one follow each other in time",
        ),
        (
            "2026-12-22",
            "claim.next_ceremony is 2026-12-22, not a moment YYYY-MM-DDTHH:MM:SSZ",
        ),
    ] {
        let mut wrong = right.clone();
        wrong.claim.as_mut().unwrap().next_ceremony = next.to_owned();
        let refused = taken(&world, &right).unwrap().vetting(&wrong).unwrap_err();
        assert_eq!(refused, [Finding::error("CLAIM-SCRIPT", "", text)]);
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one table and what follows from it")]
fn decisions_are_about_these_requests_and_complete() {
    use tuf_ceremony::ceremony::decisions::{Decisions, judged as events_of};
    use tuf_ceremony::ceremony::event::{
        BatchAccepted, Decided, Decision, Drawn, Event as Happened,
    };

    let mut world = World::new();
    world.requests[0].channel = None;
    let vetting = judged(&world);
    let ceremony = Sha256([1; 32]);
    let (batch, count) = (vetting.batch_digest(), 2);
    let dice = "4261154261".to_owned();
    let projects: Vec<String> = vetting
        .sample(&dice, 1)
        .iter()
        .map(ToString::to_string)
        .collect();
    let decided = |project: &str, decision| {
        Happened::Decided(Decided {
            project: project.to_owned(),
            decision,
            reason: String::new(),
        })
    };
    let vetted = Happened::Vetted(events_of(&vetting));
    let accepted = Happened::BatchAccepted(BatchAccepted { batch, count });
    let drawn = Happened::Drawn(Drawn {
        dice,
        projects: projects.clone(),
    });
    let mut decisions = Decisions::default();
    for (event, refused) in [
        (
            &accepted,
            Some("a batch is accepted before the requests are judged"),
        ),
        (&vetted, None),
        (&vetted, Some("the requests are judged twice")),
        (
            &drawn,
            Some("spot checks are drawn before the batch is fixed"),
        ),
        (
            &Happened::BatchAccepted(BatchAccepted { batch, count: 3 }),
            Some("another batch is accepted than the one that was judged"),
        ),
        (&accepted, None),
        (&accepted, Some("the batch is accepted twice")),
        (
            &decided("apple", Decision::Accept),
            Some("a request is decided before the spot checks are drawn"),
        ),
        (&drawn, None),
        (&decided("apple", Decision::Leave), None),
        (
            &decided("apple", Decision::Accept),
            Some("apple is decided twice"),
        ),
        (
            &decided("durian", Decision::Accept),
            Some("durian is decided by itself and is not among those that are"),
        ),
        (&decided(&projects[0], Decision::Accept), None),
    ] {
        let found = decisions.refusal(event);
        assert_eq!(found.as_deref(), refused);
        if found.is_none() {
            assert!(!decisions.is_complete());
            decisions.fold(event);
        }
    }
    assert!(decisions.is_complete());
    assert_eq!(decisions.check("decisions.json", &vetting, 1), Ok(()));
    let accepts: Vec<_> = vetting
        .vetted
        .iter()
        .map(|it| decisions.accepts(it))
        .collect();
    assert_eq!(accepts, [false, true, true]);

    let bytes = decisions.to_bytes(ceremony).unwrap();
    assert_eq!(
        Decisions::parse("decisions.json", &bytes, ceremony),
        Ok(decisions.clone())
    );
    let refused = |text: &str| Finding::error("CLAIM-DECISIONS", "decisions.json", text);
    let other = Sha256([2; 32]);
    assert_eq!(
        Decisions::parse("decisions.json", &bytes, other).unwrap_err(),
        refused(&format!(
            "it is of the ceremony {ceremony}, not of this one"
        ))
    );
    let mut throws = (0..36).map(|last| format!("42611542{}{}", last / 6 + 1, last % 6 + 1));
    let otherwise = throws.find(|dice| vetting.sample(dice, 1) != vetting.sample("4261154261", 1));
    let text = String::from_utf8(bytes).unwrap();
    let text = text.replace("4261154261", &otherwise.unwrap());
    let steered = Decisions::parse("decisions.json", text.as_bytes(), ceremony).unwrap();
    assert_eq!(
        steered.check("decisions.json", &vetting, 1).unwrap_err(),
        refused("the dice do not draw the spot checks that stand in it")
    );
    let more = judged(&World::new());
    assert_eq!(
        decisions.check("decisions.json", &more, 1).unwrap_err(),
        refused("it is about other requests, or the input judges them otherwise")
    );
    assert_eq!(
        Decisions::default()
            .check("decisions.json", &vetting, 1)
            .unwrap_err(),
        refused("there are none: carry in the room's ceremony/decisions.json as decisions.json")
    );
}

#[test]
fn a_claim_of_4500_fits_into_an_hour_for_two_people() {
    let mut world = World::new();
    for number in 0..4_497 {
        let name = format!("new{number:05}");
        let key = 101 + 2 * u8::try_from(number % 40).unwrap();
        world.recent(&name, &Entry::new(&name, &[key]));
        let asked = world.ask(&name, &[key]);
        asked.owners.insert(keyid(key), "one".to_owned());
    }
    let vetting = judged(&world);
    assert_eq!(vetting.bucket(Bucket::Green).count(), 4_500);
    assert!(vetting.minutes(20) <= 60, "{}", vetting.minutes(20));
}
