//! The online side that rehearsals play, judged by independent clients: what it publishes is what a client of PyPI would see, on good days and on bad ones.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;

use support::peers::{Sitter, Sitting};
use support::tree::Tree;
use tuf_ceremony::pypi::project::Project;
use tuf_ceremony::pypi::requests::{Action, Requests, statement};
use tuf_ceremony::room::rehearsal::online::{Extent, Group, Online, Sizes};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::key::KeyId;

/// A published repository whose first projects are claimed.
struct Scene {
    folder: tempfile::TempDir,
    online: Online,
    claimed: Vec<String>,
    recent: Vec<String>,
    unclaimed: Vec<String>,
}

impl Scene {
    fn new(projects: usize) -> Self {
        let mut online = Online::new(Sizes::of(projects), "online side", today());
        let of = |online: &Online, group| -> Vec<String> {
            let all = online.developers().iter();
            let all = all.filter(|it| it.group == group && it.trouble.is_none());
            all.map(|it| it.project.to_string()).collect()
        };
        let [claimed, recent, unclaimed] =
            [Group::First, Group::Second, Group::Unclaimed].map(|group| of(&online, group));
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<&str> = claimed.iter().map(String::as_str).collect();
        let offline = folder.path().join("offline");
        Tree::plant(&offline, &mut online, &names);
        online.take(&offline).unwrap();
        for name in &claimed {
            online.remove(Project::parse(name).unwrap());
        }
        Self {
            folder,
            online,
            claimed,
            recent,
            unclaimed,
        }
    }

    fn published(&self) -> std::path::PathBuf {
        self.folder.path().join("published")
    }

    fn publish(&mut self) {
        let metadata = self.published().join("metadata");
        self.online.lay(&metadata, today(), Extent::WHOLE).unwrap();
    }

    /// An intruder's files in the bins, published.
    fn forge(&mut self, project: &str) -> [String; 2] {
        let forged = self.online.forge(&Project::parse(project).unwrap());
        self.publish();
        for path in &forged {
            self.store(path, &Online::forged(path));
        }
        forged
    }

    /// The path and digest of a project's own first file, which lies there.
    fn released(&self, project: &str) -> (String, String) {
        let (path, bytes) = self.online.first_release(project);
        self.store(&path, &bytes);
        (path, Sha256::of(&bytes).to_string())
    }

    fn store(&self, path: &str, bytes: &[u8]) {
        Online::store(&self.published().join("targets"), path, bytes).unwrap();
    }

    fn sits(&self, client: Sitter, cache: &Path, paths: &[&str]) -> Sitting {
        let sitting = client.sits(&self.published(), cache, None, paths);
        assert_eq!(
            (&sitting.error, sitting.root_version),
            (&None, Some(1)),
            "{}: {sitting:?}",
            client.name()
        );
        sitting
    }

    fn cache(&self, client: Sitter) -> std::path::PathBuf {
        self.folder.path().join(client.name())
    }
}

#[allow(clippy::disallowed_methods, reason = "tests")]
fn today() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[test]
fn every_client_finds_claimed_recent_and_unclaimed_files_and_none_that_is_forged_in_a_bin() {
    let mut scene = Scene::new(60);
    let forged = scene.forge(&scene.claimed[3].clone());
    let claimed = scene.released(&scene.claimed[1]);
    let shared = scene.released(&scene.claimed[2]);
    let recent = scene.released(&scene.recent[0]);
    let unclaimed = scene.released(&scene.unclaimed[0]);
    let own = scene.released(&scene.claimed[3]);
    for client in Sitter::ALL {
        let paths = [
            &claimed.0,
            &shared.0,
            &recent.0,
            &unclaimed.0,
            &forged[0],
            &forged[1],
        ];
        let found = scene.sits(client, &scene.cache(client), &paths.map(String::as_str));
        let expected = [
            Ok(Some(claimed.1.clone())),
            Ok(Some(shared.1.clone())),
            Ok(Some(recent.1.clone())),
            Ok(Some(unclaimed.1.clone())),
            Ok(Some(own.1.clone())),
            Ok(None),
        ];
        assert_eq!(found.lookups, expected, "{}", client.name());
    }
    // The same forgery for a project that is not claimed shows what the claim is for.
    let forged = scene.forge(&scene.unclaimed[1].clone());
    let paths = forged.each_ref().map(String::as_str);
    let digests = paths.map(|path| Ok(Some(Sha256::of(&Online::forged(path)).to_string())));
    for client in Sitter::ALL {
        let found = scene.sits(client, &scene.cache(client), &paths);
        assert_eq!(found.lookups, digests, "{}", client.name());
    }
}

/// What tests/full_tree.rs needs; the times are printed, because no machine is like another.
#[test]
fn twenty_thousand_projects_are_described_and_signed_in_seconds() {
    let begun = std::time::Instant::now();
    let mut online = Online::new(Sizes::of(20_000), "scale", today());
    let folder = tempfile::tempdir().unwrap();
    let offline = folder.path().join("offline");
    Tree::plant(&offline, &mut online, &[]);
    online.take(&offline).unwrap();
    for (days, extent) in [
        (40, Extent::EARLIER),
        (20, Extent::EARLIER),
        (1, Extent::NEWEST),
    ] {
        let at = today() - jiff::SignedDuration::from_hours(24 * days);
        let archive = folder.path().join(days.to_string());
        online.lay(&archive, at, extent).unwrap();
    }
    println!("three archives: {:?}", begun.elapsed());
    let asked = online.requests(Group::First).unwrap();
    let bytes = online.requests_file(&asked).unwrap();
    println!("requests: {:?}, {} bytes", begun.elapsed(), bytes.len());
    let newest = std::fs::read_dir(folder.path().join("1")).unwrap().count();
    let own = online
        .developers()
        .iter()
        .filter(|it| it.group != Group::Unclaimed)
        .count();
    assert_eq!(
        newest,
        own + [
            "root",
            "targets",
            "claimed",
            "recently-claimed",
            "unclaimed",
            "snapshot",
            "timestamp"
        ]
        .len()
    );
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn what_developers_ask_for_is_well_formed_and_proven_by_every_key() {
    let mut scene = Scene::new(120);
    let anchor = scene.online.anchor().unwrap();
    let mut actions = std::collections::BTreeSet::new();
    for group in [Group::First, Group::Second] {
        let asked = scene.online.requests(group).unwrap();
        let bytes = scene.online.requests_file(&asked).unwrap();
        let read = Requests::parse("requests.jsonl", &bytes).unwrap();
        assert_eq!((read.requests.len(), &read.refused), (asked.len(), &vec![]));
        for request in &read.requests {
            actions.insert(request.action);
            let proven = statement::proven(&anchor, request, &statement::no_sigstore);
            assert_eq!(proven.missing, Vec::<KeyId>::new(), "{}", request.project);
        }
    }
    let all = Action::ALL.iter().copied();
    let all = all.filter(|action| *action != Action::Rotate);
    assert_eq!(actions, all.collect());
}

/// docs/compatibility.md, "One role, two delegators".
#[test]
fn the_attack_by_a_roles_name_deceives_exactly_the_clients_that_the_page_names() {
    let mut scene = Scene::new(60);
    scene.publish();
    let victim = Project::parse(&scene.claimed[1]).unwrap();
    let lure = Project::parse(&scene.recent[0]).unwrap();
    let own = scene.released(victim.as_str());
    let bait = scene.released(lure.as_str());
    // Clients that were there before the intruder came.
    for client in Sitter::ALL {
        let found = scene.sits(client, &scene.cache(client), &[&own.0]);
        assert_eq!(found.lookups, [Ok(Some(own.1.clone()))]);
    }
    let (first, second) = scene.online.impostor(&lure, &victim);
    assert_eq!((&first, &second), (&bait.0, &own.0));
    scene.publish();
    let forged = Online::forged(&second);
    scene.store(&second, &forged);
    let forged = Sha256::of(&forged).to_string();

    let page = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md"),
    )
    .unwrap();
    for client in Sitter::ALL {
        let found = scene.sits(client, &scene.cache(client), &[&first, &second]);
        assert_eq!(
            found.lookups[0],
            Ok(Some(bait.1.clone())),
            "{}",
            client.name()
        );
        let result = match &found.lookups[1] {
            Ok(Some(sha256)) if *sha256 == forged => "accepts the forged file",
            Ok(Some(sha256)) => panic!("{}: {sha256} is neither", client.name()),
            Ok(None) => panic!("{}: nobody answers", client.name()),
            Err(_) => "refuses",
        };
        let row = format!("| {} | {result} |", client.name());
        assert!(page.contains(&row), "docs/compatibility.md lacks {row}");
        // The victim alone is refused by every client: the role's file is not by the keys that claimed names.
        let alone = scene.folder.path().join("alone").join(client.name());
        let found = scene.sits(client, &alone, &[&second]);
        assert!(found.lookups[0].is_err(), "{}: {found:?}", client.name());
    }
}
