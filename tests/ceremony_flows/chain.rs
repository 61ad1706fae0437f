//! Genesis, three keys replaced at once, renewal: one chain for everybody.

use crate::support::record;
use crate::support::scripts::{example, keytypes};
use crate::support::stage::PIN;
use crate::{GENESIS, python_accepts};

#[test]
fn five_mixed_keys_then_three_replaced_at_once_then_renewed_is_one_chain_for_everybody() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = example("admin-key", Some(&genesis));
    let admin_key = stage.ceremony("admin-key", script).after(&genesis).finish();
    let script = example("renew", Some(&admin_key));
    let renew = stage.ceremony("renew", script).after(&admin_key).finish();
    let first_root = genesis.join("metadata/1.root.json");
    assert_eq!(
        keytypes(&first_root),
        ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ed25519"]
    );
    for (bundle, version) in [genesis, admin_key, renew].iter().zip(1..) {
        let (code, report) = stage.verify(&first_root, bundle);
        assert_eq!(code, 0, "{report:#}");
        assert_eq!(report["ok"], true);
        assert_eq!(report["roots"].as_array().unwrap().len(), version);
        python_accepts(&first_root, bundle, version as u64);
        let transcript = record::transcript(bundle);
        assert!(transcript.is_complete());
        assert_eq!(transcript.progress().verdict(), Some(true));
    }
}

#[test]
fn a_person_who_replaces_a_key_signs_with_the_old_and_the_new_one_in_one_sitting() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = example("admin-key", Some(&genesis));
    let bundle = stage.ceremony("admin-key", script).after(&genesis).finish();
    let signatures = record::signatures(&bundle);
    for holder in ["alice", "bob", "carol"] {
        let by = format!("root v2 by {holder} ");
        let mut own: Vec<_> = signatures
            .iter()
            .filter(|signed| signed.starts_with(&by))
            .collect();
        assert_eq!(own.len(), 2, "{signatures:#?}");
        own.dedup();
        assert_eq!(own.len(), 2, "one key signed twice: {signatures:#?}");
    }
    let (_, report) = stage.verify(&genesis.join("metadata/1.root.json"), &bundle);
    // Old: all five of root v1. New: three new keys, dave, and frank.
    assert_eq!(report["roots"][1]["old"]["signed"], 5, "{report:#}");
    assert_eq!(report["roots"][1]["new"]["signed"], 5, "{report:#}");
}

#[test]
fn a_pin_is_nowhere_in_what_is_carried_away_or_printed() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = example("admin-key", Some(&genesis));
    let ceremony = stage.ceremony("admin-key", script).after(&genesis);
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert!(!outcome.out.contains(PIN) && !outcome.err.contains(PIN));
    let found = stage
        .command("grep")
        .args(["-rl", PIN])
        .arg(ceremony.output())
        .output();
    assert_eq!(String::from_utf8_lossy(&found.unwrap().stdout), "");
}
