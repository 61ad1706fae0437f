//! The example scripts, each twice over the same tokens: what happens does not depend on the run.

use std::path::Path;

use crate::GENESIS;
use crate::support::record;
use crate::support::scripts::{example, keyids, newest_root_version};
use crate::support::stage::{EVERYBODY, Stage};

/// Runs the example over this stage and over a copy of it; the transcripts are the same but for times, keys and signatures.
fn twice(stage: &Stage, name: &str, script: &str, before: Option<&Path>) {
    let twin = stage.copy();
    let bundles = [stage, &twin].map(|stage| {
        let ceremony = stage.ceremony(name, script);
        before
            .map_or_else(|| ceremony.clone(), |bundle| ceremony.clone().after(bundle))
            .finish()
    });
    let [one, other] = bundles.map(|bundle| record::blanked(&bundle));
    assert_eq!(one.len(), other.len());
    for (line, twin) in one.iter().zip(&other) {
        assert_eq!(line, twin, "{name}");
    }
}

#[test]
fn genesis_admin_key_and_renew_happen_the_same_way_twice() {
    let stage = Stage::with_tokens(&EVERYBODY);
    twice(&stage, "genesis", &example("genesis-458", None), None);
    let mut before = stage.bundle("genesis");
    for name in ["admin-key", "renew"] {
        twice(&stage, name, &example(name, Some(&before)), Some(&before));
        before = stage.bundle(name);
    }
    assert_eq!(newest_root_version(&before), 3);
    assert!(keyids(&before).contains_key("frank.root"));
}

#[test]
fn genesis_and_renewal_with_ephemeral_keys_happen_the_same_way_twice() {
    let stage = Stage::with_tokens(&EVERYBODY);
    let script = example("genesis-ephemeral", None);
    twice(&stage, "genesis-ephemeral", &script, None);
    let before = stage.bundle("genesis-ephemeral");
    let script = example("renew-ephemeral", Some(&before));
    twice(&stage, "renew-ephemeral", &script, Some(&before));
}

#[test]
fn abort_happens_the_same_way_twice() {
    let stage = GENESIS.copy();
    let before = stage.bundle("genesis");
    let payload = "ab".repeat(32);
    let script = example("abort", Some(&before));
    let script = script.replace(&"0".repeat(64), &payload);
    let answered = |stage: &Stage| {
        let ceremony = stage.ceremony("abort", script.as_str()).after(&before);
        ceremony
            .answer(&format!("abandon:{payload}"), "give up root v2")
            .finish()
    };
    let twin = stage.copy();
    let (one, other) = (answered(&stage), answered(&twin));
    assert_eq!(record::blanked(&one), record::blanked(&other));
}

#[test]
fn the_blanking_hides_no_difference_in_what_happened() {
    let stage = GENESIS.copy();
    let before = stage.bundle("genesis");
    let script = example("abort", Some(&before));
    let here = stage.ceremony("abort", script.as_str()).after(&before);
    assert_eq!(here.run().code, 3, "nobody answers whether it is given up");
    assert_ne!(record::blanked(&here.output()), record::blanked(&before));
    let aborted = record::blanked(&here.output());
    assert!(
        aborted
            .iter()
            .any(|line| line["event"]["answer"] == "agree"),
        "{aborted:#?}"
    );
    assert!(
        aborted.iter().all(|line| line["time"] == "*"),
        "{aborted:#?}"
    );
}
