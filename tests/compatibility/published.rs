//! Whole updates: a ceremony's bundle, published with the test's online key, in the hands of clients.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::peers::Peer;
use super::prediction::{chain_is_followed_as_predicted, metadata_files, predicted};
use super::scripts::example;
use super::stage::{Stage, copy_folder};
use super::trial;

/// SHA-256 of "hello\n".
const TARGET_SHA256: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
/// Clients that read succinct roles.
const COMPLETE: [Peer; 2] = [Peer::PythonTuf, Peer::TufJs];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "published_genesis_with_p384_keys_serves_everybody_but_tough",
            || genesis_serves("genesis", |script| script, "SubjectPublicKeyInfo"),
        ),
        trial(
            "published_genesis_in_the_safe_profile_shows_tough_the_root_but_not_the_bins",
            || {
                let safe = |script: String| script.replace("ecdsa-p384", "ecdsa-p256");
                genesis_serves("genesis-safe", safe, "missing field `roles`");
            },
        ),
        trial(
            "renewal_of_ephemeral_keys_breaks_no_client_at_any_publishing_step",
            renewal_breaks_nobody,
        ),
    ]
}

fn genesis_serves(name: &str, change: fn(String) -> String, tough_says: &str) {
    let mut stage = Stage::new();
    let script = change(stage.genesis("genesis-458"));
    let bundle = stage.run(name, &script, None);
    ship(&stage, &bundle);
    stage.publish(&bundle);
    let metadata = stage.path("published/metadata");
    chain_is_followed_as_predicted(&metadata);
    for peer in Peer::ALL {
        let verdict = stage.client(peer, "fresh");
        let predicted = metadata_files(&metadata)
            .iter()
            .all(|file| predicted(peer, file).accepts());
        assert_eq!(verdict.ok, predicted, "{peer:?}: {verdict:?}");
        assert_eq!(
            verdict.ok,
            COMPLETE.contains(&peer),
            "{peer:?}: {verdict:?}"
        );
        if verdict.ok {
            assert_eq!(verdict.target_sha256.as_deref(), Some(TARGET_SHA256));
        } else {
            let refusal = verdict.refusal();
            assert!(refusal.contains(tough_says), "{refusal}");
        }
    }
}

/// Clients of three kinds at each publishing step: one that refreshes at every step, one that slept since the beginning, one that is new.
fn renewal_breaks_nobody() {
    let mut stage = Stage::new();
    let script = stage.genesis("genesis-ephemeral");
    let genesis = stage.run("genesis", &script, None);
    ship(&stage, &genesis);
    stage.publish(&genesis);
    all_follow(&stage, "genesis", 1);
    for peer in COMPLETE {
        copy_folder(
            &stage.path(format!("{peer:?}-following")),
            &stage.path(format!("{peer:?}-sleeping")),
        );
    }
    let script = example("renew-ephemeral", Some(&genesis));
    let renewal = stage.run("renewal", &script, Some(&genesis));
    let steps = publishing_steps(&renewal);
    assert_eq!(
        steps,
        [
            vec!["metadata/1.targets.json"],
            vec!["metadata/2.root.json"],
            vec!["metadata/2.targets.json", "metadata/2.bins.json"],
        ]
    );
    for (index, files) in steps.iter().enumerate() {
        let step = stage.path(format!("step-{index}"));
        fs::create_dir_all(step.join("metadata")).unwrap();
        for file in files {
            fs::copy(renewal.join(file), step.join(file)).unwrap();
            if index < 2 {
                // Nothing online is signed anew: snapshot and timestamp still list what they listed.
                fs::copy(renewal.join(file), stage.path("published").join(file)).unwrap();
            }
        }
        let root_version = if index == 0 { 1 } else { 2 };
        if index < 2 {
            all_follow(&stage, &format!("{index}-alone"), root_version);
        }
        stage.publish(&step);
        all_follow(&stage, &index.to_string(), root_version);
    }
    // The order is what makes it safe: the new root before the existing targets carries the new keys' signatures breaks everybody.
    wrong_order_breaks(&genesis, &renewal);
}

fn wrong_order_breaks(genesis: &Path, renewal: &Path) {
    let stage = Stage::new();
    ship(&stage, genesis);
    stage.publish(genesis);
    let root = "metadata/2.root.json";
    fs::copy(renewal.join(root), stage.path("published").join(root)).unwrap();
    for peer in COMPLETE {
        let verdict = stage.client(peer, "fresh");
        assert!(!verdict.ok, "{peer:?}: {verdict:?}");
    }
}

fn all_follow(stage: &Stage, step: &str, root_version: u64) {
    for peer in COMPLETE {
        let sleeping = stage.path(format!("{peer:?}-sleeping"));
        let woken = format!("woken-{step}");
        if sleeping.exists() {
            copy_folder(&sleeping, &stage.path(format!("{peer:?}-{woken}")));
        }
        for client in ["following", &woken, &format!("fresh-{step}")] {
            let verdict = stage.client(peer, client);
            let case = format!("step {step}, {peer:?}, {client}: {verdict:?}");
            assert!(verdict.ok, "{case}");
            assert_eq!(verdict.root_version, Some(root_version), "{case}");
            assert_eq!(
                verdict.target_sha256.as_deref(),
                Some(TARGET_SHA256),
                "{case}"
            );
        }
    }
}

/// The files of each publishing step, as the bundle tells the online side.
fn publishing_steps(bundle: &Path) -> Vec<Vec<String>> {
    let bytes = fs::read(bundle.join("online/online-actions.json")).unwrap();
    let actions: Value = serde_json::from_slice(&bytes).unwrap();
    let steps = actions["publish"].as_array().unwrap().iter();
    let files = steps.map(|step| serde_json::from_value(step["files"].clone()).unwrap());
    files.collect()
}

/// Ships clients with the first root.
fn ship(stage: &Stage, genesis: &Path) {
    let first = genesis.join("metadata/1.root.json");
    fs::copy(first, stage.path("1.root.json")).unwrap();
}
