//! Travelling documents: holders sign elsewhere, alone, and their parts come back in any order.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::record;
use crate::support::scripts::renew_root;
use crate::support::stage::Stage;
use crate::{GENESIS, python_accepts};

const PART: &str = "parts/root-2.part.json";

/// One holder signs `part` alone, elsewhere; gives the part that travels back.
fn signed_elsewhere(stage: &Stage, script: &str, part: &Path, holder: &str) -> PathBuf {
    let mut remote = stage.ceremony(&format!("{holder}-elsewhere"), script);
    remote.task = "sign";
    let remote = remote.after(&stage.bundle("genesis")).here(&[holder]);
    let bundle = remote.carry_in(part, PART).finish();
    bundle.join(PART)
}

fn merged(stage: &Stage, parts: &[&Path], to: &str) -> (i32, PathBuf) {
    let root = stage.bundle("genesis").join("metadata/1.root.json");
    let out = stage.path(to);
    let mut command = stage.program();
    command.args(["merge", "--trusted-root"]).arg(root);
    let status = command
        .arg("--out")
        .arg(&out)
        .args(parts)
        .output()
        .unwrap()
        .status;
    (status.code().unwrap(), out)
}

#[test]
fn parts_signed_elsewhere_merge_in_both_orders_to_the_same_bytes_and_finish_the_ceremony() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = renew_root(&genesis, 370);
    let main = stage
        .ceremony("main", script.as_str())
        .after(&genesis)
        .here(&["alice"]);
    let outcome = main.run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.err.contains("3 needed, 1 signed"), "{outcome:?}");
    let part = main.output().join(PART);

    let bob = signed_elsewhere(&stage, &script, &part, "bob");
    let carol = signed_elsewhere(&stage, &script, &part, "carol");
    let (code, forth) = merged(&stage, &[&bob, &carol], "forth.part.json");
    assert_eq!(code, 0, "every threshold is reached");
    let (_, back) = merged(&stage, &[&carol, &bob], "back.part.json");
    assert_eq!(fs::read(&forth).unwrap(), fs::read(&back).unwrap());

    let bundle = main.carry_in(&forth, PART).finish();
    let first_root = genesis.join("metadata/1.root.json");
    let (code, report) = stage.verify(&first_root, &bundle);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["roots"][1]["new"]["signed"], 3, "{report:#}");
    python_accepts(&first_root, &bundle, 2);
    assert_eq!(
        record::signatures(&bundle).len(),
        1,
        "only alice signed in the main room"
    );
}

#[test]
fn a_part_alone_brought_back_is_counted_and_the_rest_still_awaited() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = renew_root(&genesis, 370);
    let main = stage
        .ceremony("main", script.as_str())
        .after(&genesis)
        .here(&["alice"]);
    assert_eq!(main.run().code, 3);
    let bob = signed_elsewhere(&stage, &script, &main.output().join(PART), "bob");
    let main = main.carry_in(&bob, PART);
    let outcome = main.run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.err.contains("3 needed, 2 signed"), "{outcome:?}");
    assert_eq!(
        main.run().code,
        3,
        "nothing new came: nothing is counted again"
    );
    let signed = record::transcript(&main.output());
    let known = &signed.progress().documents()[0];
    assert_eq!(known.signed(&known.quorums[0]).count(), 2);
}

#[test]
fn a_holder_elsewhere_signs_nothing_of_another_script() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let main = stage
        .ceremony("main", renew_root(&genesis, 370))
        .after(&genesis)
        .here(&["alice"]);
    assert_eq!(main.run().code, 3);
    let mut remote = stage.ceremony("bob-elsewhere", renew_root(&genesis, 371));
    remote.task = "sign";
    let remote = remote.after(&genesis).here(&["bob"]);
    let outcome = remote.carry_in(&main.output().join(PART), PART).run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(outcome.err.contains("PART-MISSING"), "{outcome:?}");
}
