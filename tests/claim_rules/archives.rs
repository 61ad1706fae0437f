//! Archives that contradict the script, each other or the trusted claimed, and projects whose own roles are called like PyPI's.

use super::support::projects::{claimed, sign};
use super::*;

/// What is said of all archives: the vetting's findings, or why it does not begin.
fn told(world: &World, change: impl Fn(&mut Script)) -> Result<Vec<Finding>, Vec<Finding>> {
    let mut script = script(world);
    change(&mut script);
    let vetting = taken(world, &script)?.vetting(&script)?;
    others_are_green(&vetting, "");
    Ok(vetting.findings.clone())
}

fn error(folder: &str, text: &str) -> Result<Vec<Finding>, Vec<Finding>> {
    Err(vec![Finding::error("CLAIM-ARCHIVES", folder, text)])
}

fn warning(folder: &str, text: &str) -> [Finding; 1] {
    [Finding::warning("CLAIM-ARCHIVES", folder, text)]
}

const NEWEST: &str = "archives/2026-11-20";

#[test]
fn archives_are_named_from_the_newest_to_the_oldest_and_not_after_the_claim() {
    let world = World::new();
    assert_eq!(told(&world, |_| {}), Ok(Vec::new()));
    let text = "[[archive]] are listed from the newest to the oldest, each once; 2026-11-05 stands before 2026-11-20";
    assert_eq!(
        told(&world, |script| script.archives.swap(0, 1)),
        Err(vec![Finding::error("INTAKE-ARCHIVE", "", text)])
    );
    let on = |on: &'static str| {
        told(&world, move |script| {
            script.claim.as_mut().unwrap().on = on.to_owned();
        })
    };
    assert_eq!(on("2026-11-20T00:00:00Z"), Ok(Vec::new()));
    let text = "it is of a day after 2026-11-19T23:59:59Z, for which everything is judged (claim.on): one of the two dates is wrong";
    assert_eq!(on("2026-11-19T23:59:59Z"), error(NEWEST, text));
}

#[test]
fn versions_never_go_back_from_archive_to_archive() {
    let versions = |versions: [u64; 3]| {
        let mut world = World::new();
        world.versions = versions;
        world
    };
    // Nothing was published in between.
    assert_eq!(told(&versions([9, 9, 9]), |_| {}), Ok(Vec::new()));
    let text = "older in it than in the older archive 2026-11-05, or gone: timestamp, snapshot, recently-claimed. Versions never go back, unless root changes the keys of timestamp or snapshot";
    assert_eq!(told(&versions([8, 9, 8]), |_| {}), error(NEWEST, text));
    // A project's role stops nobody's work.
    let mut world = World::new();
    world.recent("elder", &Entry::new("elder", &[63]));
    world.days[0].remove("elder");
    let text = "older in it than in the older archive 2026-11-05, or gone: project-elder. Versions never go back, unless root changes the keys of timestamp or snapshot";
    assert_eq!(told(&world, |_| {}).unwrap(), warning(NEWEST, text));
}

#[test]
fn versions_may_go_back_where_root_changed_the_keys_of_snapshot() {
    let mut world = World::new();
    let old = Envelope::parse(
        "1.root.json",
        world.offline["1.root.json"].clone(),
        Limits::LARGE,
    );
    let spec = tuf_ceremony::tuf::edit::RootSpec {
        version: 2,
        expires: support::forge::EXPIRES.to_owned(),
        root: support::forge::role(&[1, 3], 1),
        timestamp: support::forge::role(&[support::projects::TIMESTAMP], 1),
        snapshot: support::forge::role(&[support::projects::SNAPSHOT, 207], 1),
        targets: support::forge::role(&[11, 12], 2),
    };
    let next = tuf_ceremony::tuf::edit::root("root.json", Some(&old.unwrap()), &spec).unwrap();
    let next = signed(&next, &[1]).bytes().to_vec();
    world.offline.insert("2.root.json".to_owned(), next);
    world.versions = [8, 9, 8];
    // The older archives are from before.
    world.published = |index, files| {
        if index > 0 {
            files.remove("2.root.json");
        }
    };
    let text = "older in it than in the older archive 2026-11-05, or gone: timestamp, snapshot, recently-claimed. Versions never go back, unless root changes the keys of timestamp or snapshot";
    assert_eq!(told(&world, |_| {}).unwrap(), warning(NEWEST, text));
}

#[test]
fn the_newest_archive_has_the_trusted_claimed() {
    fn other() -> support::projects::Day {
        support::projects::Day::from([("django".to_owned(), Entry::new("django", &[99]))])
    }
    let mut world = World::new();
    world.published = |index, files| {
        if index == 0 {
            files.insert("1.claimed.json".to_owned(), claimed(1, &other()));
        }
    };
    let text = "it publishes claimed v1 and the input has v1, another one: carry in the claimed that is published";
    let refused = told(&world, |_| {});
    assert_eq!(refused, error(NEWEST, text));
    world.published = |index, files| {
        if index == 0 {
            files.insert("2.claimed.json".to_owned(), claimed(2, &other()));
        }
    };
    let text = "it publishes claimed v2 and the input has v1, another one: carry in the claimed that is published";
    assert_eq!(told(&world, |_| {}), error(NEWEST, text));
    // Signed at the last ceremony and not published yet.
    let mut world = World::new();
    let bytes = claimed(2, &world.claimed);
    world.offline.remove("1.claimed.json");
    world.offline.insert("2.claimed.json".to_owned(), bytes);
    world.published = |_, files| {
        files.remove("2.claimed.json");
        let django = Entry::new("django", &[51, 53]);
        let day = support::projects::Day::from([("django".to_owned(), django)]);
        files.insert("1.claimed.json".to_owned(), claimed(1, &day));
    };
    let text = "it publishes claimed v1; v2, which this claim starts from, was not published yet on that day";
    assert_eq!(told(&world, |_| {}).unwrap(), warning(NEWEST, text));
}

#[test]
fn archives_are_as_old_as_their_names_and_one_as_the_probation() {
    let hours = |hours: [i64; 3]| {
        let mut world = World::new();
        world.hours = hours;
        told(&world, |_| {})
    };
    // A week is the longest that anybody was seen to use.
    assert_eq!(hours([24 * 8, 36, 36]), Ok(Vec::new()));
    let text = "its timestamp expires 9 days after the day that it is called by, on 2026-11-14T00:00:00Z: it is younger than its name";
    let folder = "archives/2026-11-05";
    assert_eq!(hours([36, 24 * 9, 36]), error(folder, text));
    let text = "its timestamp had expired on the day that it is called by, on 2026-11-04T00:00:00Z: it shows an older state";
    assert_eq!(hours([36, -24, 36]).unwrap(), warning(folder, text));

    let world = World::new();
    let mut long = script(&world);
    long.claim.as_mut().unwrap().probation_days = 33;
    assert!(judged_by(&world, &long).findings.is_empty());
    long.claim.as_mut().unwrap().probation_days = 34;
    let vetting = judged_by(&world, &long);
    let text = "none is as old as the probation of 34 days, so nothing can be claimed: carry in one of 2026-10-19 or before";
    assert_eq!(vetting.findings, warning("archives", text));
    assert_eq!(vetting.bucket(Bucket::Refused).count(), 3);
}

fn judged_by(world: &World, script: &Script) -> Arc<Vetting> {
    taken(world, script).unwrap().vetting(script).unwrap()
}

fn public(number: u8) -> serde_json::Value {
    let value = tuf_ceremony::tuf::style::to_vec(support::forge::key(number).value());
    serde_json::from_slice(&value).unwrap()
}

/// A sub-role of a project's own paths, signed by the project's own key.
fn delegating(entry: &mut Entry, own: &str, names: &[&str]) {
    let roles: Vec<_> = names
        .iter()
        .map(|name| {
            json!({
                "name": name, "keyids": [keyid(31).0], "threshold": 1,
                "terminating": true, "paths": [format!("{own}/*")],
            })
        })
        .collect();
    entry.delegations = Some(json!({"keys": {keyid(31).0: public(31)}, "roles": roles}));
}

#[test]
fn a_project_does_not_call_its_roles_as_pypi_calls_its_own() {
    let judged_with = |names: &[&str]| {
        let mut world = World::new();
        apple(&mut world, |entry| delegating(entry, "apple", names));
        world.published = |_, files| {
            let (id, key) = (keyid(207).0, public(207));
            let bins = json!({
                "_type": "targets", "spec_version": "1.0.0", "version": 1,
                "expires": support::forge::EXPIRES, "targets": {},
                "delegations": {"keys": {&id: key}, "succinct_roles": {
                    "keyids": [&id], "threshold": 1, "bit_length": 8, "name_prefix": "bin",
                }},
            });
            files.insert("1.unclaimed.json".to_owned(), sign(&bins, &[25]));
        };
        judged(&world)
    };
    let vetting = judged_with(&["apple-releases", "projects", "claims", "bin-1", "bin-xyz"]);
    let vetted = of(&vetting, "apple");
    assert_eq!(vetted.bucket(), Bucket::Green, "{:#?}", vetted.reasons);
    let clients = "python-tuf 7.0.1 and tuf-js 6.0.2 are the first that keep the two apart; for go-tuf it is not established";
    for name in [
        "project-django",
        "project-of-tomorrow",
        "project-apple",
        "Project-Django",
        "claimed",
        "recently-claimed",
        "unclaimed",
        "custody",
        "bin-ff",
    ] {
        let vetting = judged_with(&["apple-releases", name]);
        let text = format!(
            "its metadata delegates to 1 roles that are called as PyPI calls its own: {name}. A client may take the one for the other ({clients}). The project calls them otherwise"
        );
        says(
            of(&vetting, "apple"),
            Bucket::Refused,
            "CLAIM-ROLE-NAME",
            &text,
        );
        others_are_green(&vetting, "apple");
    }
}

#[test]
fn a_claimed_project_that_calls_its_roles_as_pypi_does_is_looked_at() {
    let mut world = World::new();
    change(&mut world, Action::AddKey, &[51, 53, 55], &[51]);
    let entry = world.claimed.get_mut("django").unwrap();
    delegating(entry, "django", &["project-flask"]);
    let vetting = judged(&world);
    let vetted = of(&vetting, "django");
    assert_eq!(vetted.bucket(), Bucket::Look);
    assert_eq!(rules(vetted)[0], (Weight::Looks, "CLAIM-ROLE-NAME"));
    let entry = world.claimed.get_mut("django").unwrap();
    delegating(entry, "django", &["django-releases"]);
    assert_eq!(of(&judged(&world), "django").bucket(), Bucket::Green);
}
