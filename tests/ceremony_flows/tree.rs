//! PEP 480's tree from its first root, and made from PEP 458's: renewals, a claimed key replaced, redelegation; `verify` accepts every bundle.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::scripts::{example, in_days, keyids, newest_root};
use crate::support::stage::{EVERYBODY, Stage};
use crate::{GENESIS, python_accepts};

/// The head of a script over a bundle.
fn head(kind: &str, before: &Path) -> String {
    format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"{kind}\"\ntitle = \"{kind}\"\nprofile = \"room\"\ntrusted_root_sha256 = \"{}\"\n",
        newest_root(before)
    )
}

fn role(name: &str, version: u64, days: i64, more: &str) -> String {
    format!(
        "\n[{name}]\nversion = {version}\nexpires = \"{}\"\n{more}",
        in_days(days)
    )
}

/// These holders with their keys for these roles, as the register of the bundle has them.
fn holders(before: &Path, names: &[&str], roles: &[&str]) -> String {
    let keyids = keyids(before);
    let mut text = String::new();
    for name in names {
        let _ = write!(
            text,
            "\n[[holder]]\nname = \"{name}\"\nperson = \"{name} Example\"\n"
        );
        for role in roles {
            let keyid = &keyids[&format!("{name}.{role}")];
            let _ = writeln!(text, "{role}.keyid = \"{keyid}\"");
        }
    }
    text
}

fn signed(bundle: &Path, file: &str) -> Value {
    let bytes = fs::read(bundle.join("metadata").join(file)).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["signed"].take()
}

fn names(targets: &Value) -> Vec<(&str, bool)> {
    let roles = targets["delegations"]["roles"].as_array().unwrap().iter();
    roles
        .map(|role| {
            (
                role["name"].as_str().unwrap(),
                role["terminating"].as_bool().unwrap(),
            )
        })
        .collect()
}

fn accepted(stage: &Stage, first: &Path, bundle: &Path) {
    let (code, report) = stage.verify(first, bundle);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["ok"], true);
}

const THREE: [(&str, bool); 3] = [
    ("claimed", false),
    ("recently-claimed", false),
    ("unclaimed", true),
];

fn genesis_480() -> (Stage, PathBuf) {
    let stage = Stage::with_tokens(&EVERYBODY);
    let bundle = stage.ceremony("tree", example("genesis", None)).finish();
    (stage, bundle)
}

#[test]
fn whole_tree_is_made_renewed_and_a_claimed_key_is_replaced() {
    let (stage, genesis) = genesis_480();
    let first = genesis.join("metadata/1.root.json");
    accepted(&stage, &first, &genesis);
    assert_eq!(names(&signed(&genesis, "1.targets.json")), THREE);
    python_accepts(&first, &genesis, 1);

    let four = ["alice", "bob", "carol", "dave"];
    let script = head("renew", &genesis)
        + &role("claimed", 2, 200, "")
        + &holders(&genesis, &four, &["claimed"]);
    let renewed = stage.ceremony("monthly", script).after(&genesis).finish();
    accepted(&stage, &first, &renewed);
    assert_eq!(signed(&renewed, "2.claimed.json")["version"], 2);

    // Dave's claimed key goes, erin's comes: targets names it, claimed is signed by it.
    let listed = "holders = [\"alice\", \"bob\", \"carol\", \"erin\"]\n";
    let changed = |roles: &str| {
        let dave = &keyids(&renewed)["dave.claimed"];
        let targets = &keyids(&renewed)["dave.targets"];
        head("admin-key", &renewed)
            + roles
            + &role("claimed", 3, 201, listed)
            + &holders(&renewed, &four[..3], &["targets", "claimed"])
            + &format!(
                "\n[[holder]]\nname = \"dave\"\nperson = \"dave Example\"\ntargets.keyid = \"{targets}\"\nclaimed.old_keyid = \"{dave}\"\n\n[[holder]]\nname = \"erin\"\nperson = \"erin Example\"\nclaimed.generate = \"ecdsa-p256\"\n"
            )
    };
    let refused = stage.ceremony("alone", changed("")).after(&renewed).run();
    assert_eq!(refused.code, 2, "{refused:?}");
    let text = "new claimed keys stand in targets: give [targets] its next version";
    assert!(refused.err.contains(text), "{}", refused.err);
    let script = changed(&role("targets", 2, 300, ""));
    let replaced = stage.ceremony("replaced", script).after(&renewed).finish();
    accepted(&stage, &first, &replaced);
    let targets = signed(&replaced, "2.targets.json");
    assert_eq!(names(&targets), THREE);
    let listed = &targets["delegations"]["roles"][0]["keyids"];
    let erin = keyids(&replaced)["erin.claimed"].clone();
    assert!(listed.as_array().unwrap().contains(&erin.into()));
    assert!(!keyids(&replaced).contains_key("dave.claimed"));
}

#[test]
fn tree_of_pep_458_becomes_that_of_pep_480_and_every_bin_stays() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let first = genesis.join("metadata/1.root.json");
    let script = example("redelegate", Some(&genesis));
    let ceremony = stage.ceremony("redelegate", script).after(&genesis);
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let note = "note REDELEGATE-LOOKUP: 16384 paths were looked up, so that each of 16384 bins is asked (no archive is named)";
    assert!(outcome.out.contains(note), "{}", outcome.out);
    let bundle = ceremony.output();
    accepted(&stage, &first, &bundle);
    assert_eq!(names(&signed(&bundle, "2.targets.json")), THREE);
    let (bins, unclaimed) = (
        signed(&genesis, "1.bins.json"),
        signed(&bundle, "1.unclaimed.json"),
    );
    assert_eq!(bins["delegations"], unclaimed["delegations"]);
    // It stays in the bundle, and the online side is told to keep it in the snapshot.
    assert_eq!(signed(&bundle, "1.bins.json"), bins);
    let actions = fs::read_to_string(bundle.join("online/online-actions.json")).unwrap();
    assert!(
        actions.contains("Keep bins in every later snapshot"),
        "{actions}"
    );
    let known = keyids(&bundle);
    assert!(known.contains_key("alice.unclaimed") && !known.contains_key("alice.bins"));

    // The next ceremony starts from the new tree, and passes over the old role's file.
    let four = ["alice", "bob", "carol", "dave"];
    let script = head("redelegate", &bundle)
        + &role(
            "unclaimed",
            2,
            300,
            "bit_length = 15\nname_prefix = \"bin15\"\n",
        )
        + &holders(&bundle, &four, &["unclaimed"]);
    let more = stage.ceremony("more-bins", script).after(&bundle);
    let outcome = more.run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(
        outcome
            .out
            .contains("warning TREE-BINS: There are 32768 hash bins")
    );
    accepted(&stage, &first, &more.output());
    let bins = signed(&more.output(), "2.unclaimed.json");
    let bins = &bins["delegations"]["succinct_roles"];
    assert_eq!(
        (&bins["bit_length"], &bins["name_prefix"]),
        (&15.into(), &"bin15".into())
    );
    let actions = more.output().join("online/online-actions.json");
    let actions = fs::read_to_string(actions).unwrap();
    let text = "every one of the bins bin15-0000 to bin15-7fff, with the targets that were in bin-0000 to bin-3fff";
    assert!(actions.contains(text), "{actions}");
}

#[test]
fn what_a_redelegation_does_not_do_is_refused() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = example("redelegate", Some(&genesis));
    for (find, replace, text) in [
        (
            "[claimed]\n",
            "[bins]\nversion = 2\nexpires = \"2027-01-01T00:00:00Z\"\n\n[claimed]\n",
            "bins has no place in the first version of PEP 480's tree: remove [bins]",
        ),
        (
            "[unclaimed]\n",
            "[unclaimed]\nbit_length = 15\n",
            "unclaimed takes over the bins as they are: remove bit_length and name_prefix, and change them by a redelegation afterwards",
        ),
        (
            "[targets]\n",
            "[root]\nversion = 2\nexpires = \"2027-01-01T00:00:00Z\"\n\n[targets]\n",
            "a redelegation by targets keys that holders keep changes no root: remove [root]",
        ),
        (
            "roles = [\"recently-claimed\"]",
            "roles = [\"bin-n\"]",
            "no [[online]] key has the role recently-claimed",
        ),
        (
            "roles = [\"recently-claimed\"]",
            "roles = [\"recently-claimed\", \"bin-n\"]",
            "a redelegation adds the key of recently-claimed and changes no other online key: let every [[online]] have the role recently-claimed alone",
        ),
        (
            "kind = \"redelegate\"",
            "kind = \"admin-key\"",
            "there is no trusted claimed in the input",
        ),
    ] {
        let wrong = script.replacen(find, replace, 1);
        assert_ne!(wrong, script);
        let outcome = stage.ceremony("refused", wrong).after(&genesis).run();
        assert_eq!(outcome.code, 2, "{outcome:?}");
        assert!(outcome.err.contains(text), "{}", outcome.err);
    }
}

#[test]
fn mixtures_of_the_two_trees_are_no_genesis() {
    let stage = Stage::with_tokens(&[]);
    let whole = example("genesis", None);
    let bins = "[bins]\nversion = 1\nexpires = \"2027-01-01T00:00:00Z\"\nthreshold = 2\nholders = []\n\n[claimed]\n";
    let custody = "[custody]\nversion = 1\nexpires = \"2027-01-01T00:00:00Z\"\n\n[claimed]\n";
    let claimed =
        "keys = \"retained\"\nholders = [\"alice\", \"bob\", \"carol\", \"dave\"]\n\n[unclaimed]";
    for (find, replace, text) in [
        (
            "[claimed]\n",
            bins,
            "this script has PEP 480's [claimed] or [unclaimed] and PEP 458's [bins]: remove [bins] for the whole tree, or the others for hash bins only",
        ),
        (
            "[claimed]\n",
            custody,
            "a genesis has no projects, and so none in custody: remove [custody]; rotate-dev makes it when it is needed",
        ),
        (
            claimed,
            "keys = \"ephemeral\"\nalgorithms = [\"ed25519\", \"ecdsa-p256\"]\n\n[unclaimed]",
            "claimed is signed every month and whenever developers' keys are stolen, so its keys are kept by holders; they cannot be ephemeral",
        ),
        (
            "\"recently-claimed\", ",
            "",
            "no [[online]] key has the role recently-claimed",
        ),
        (
            "\"recently-claimed\", ",
            "\"recently-claimed\", \"claimed\", ",
            "the online key online-1 has the role \"claimed\"; the online roles of PEP 480's tree are timestamp, snapshot, recently-claimed, bin-n",
        ),
    ] {
        let wrong = whole.replacen(find, replace, 1);
        assert_ne!(wrong, whole, "{find}");
        let outcome = stage.ceremony("refused", wrong).run();
        assert_eq!(outcome.code, 2, "{outcome:?}");
        assert!(outcome.err.contains(text), "{}", outcome.err);
    }
}
