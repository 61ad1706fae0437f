//! Tokens provisioned over `SoftHSM`: erased and given what the envelopes have, their keys in the register, their bags on record; nothing of a secret
//! anywhere.

use std::fs;
use std::path::Path;

use tuf_ceremony::ceremony::event::{Credential, Event};
use tuf_ceremony::pypi::holders::{HeldKey, Holders};

use crate::GENESIS;
use crate::support::record;
use crate::support::scripts::{example, keyids};
use crate::support::stage::{PIN, Stage};

/// What the envelopes have.
const SO: &str = "kqx7wmfr4tcv9ehg";
const USER: &str = "83041756";

/// Everything a token of this holder asks for: the present SO PIN, both envelopes, the login.
fn lines(holder: &str) -> String {
    format!("{holder} so {PIN}\n{holder} so {SO}\n{holder} user {USER}\n{holder} user {USER}\n")
}

fn provision(stage: &Stage) -> crate::support::ceremony::Ceremony<'_> {
    let mut ceremony = stage.ceremony("provision", example("provision", None));
    ceremony.registers = false;
    for (holder, bag) in [("frank", "A-1"), ("erin", "A-2")] {
        let serial = stage.serial(holder).to_owned();
        for (prompt, answer) in [
            (format!("bag-opened:{holder}"), "none".to_owned()),
            (format!("token:provision:{holder}"), "ready".to_owned()),
            (format!("serial:{holder}"), serial.clone()),
            (format!("erase:{holder}"), format!("erase {serial}")),
            (format!("bag-closed:{holder}"), bag.to_owned()),
            (format!("bag-closed:{holder}:again"), bag.to_owned()),
        ] {
            ceremony = ceremony.answer(&prompt, &answer);
        }
    }
    ceremony.pins(&(lines("frank") + &lines("erin")))
}

fn held(bundle: &Path, holder: &str) -> HeldKey {
    let bytes = fs::read(bundle.join("ceremony/holders.toml")).unwrap();
    let register = Holders::parse("holders.toml", &bytes).unwrap();
    let mut holders = register.holders.into_iter();
    let mut found = holders.find(|known| known.name == holder).unwrap();
    assert_eq!(found.keys.len(), 1);
    found.keys.remove(0)
}

#[test]
fn two_tokens_leave_with_new_secrets_a_proven_key_each_and_a_bag_on_record() {
    let stage = GENESIS.copy();
    let ceremony = provision(&stage);
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let bundle = ceremony.output();
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    for (holder, bag) in [("frank", "A-1"), ("erin", "A-2")] {
        let key = held(&bundle, holder);
        assert_eq!((key.role.as_str(), key.storage.as_str()), ("root", "token"));
        assert_eq!(key.serial.as_deref(), Some(stage.serial(holder)));
        assert_eq!(key.bag.as_deref(), Some(bag));
        assert_eq!(key.last_proven.as_ref(), Some(&today));
    }
    let set = record::events(&bundle)
        .into_iter()
        .filter_map(|event| match event {
            Event::Provisioned {
                credentials, token, ..
            } => Some((credentials, token.label)),
            _ => None,
        });
    let both = vec![Credential::So, Credential::User];
    let set: Vec<_> = set.collect();
    assert_eq!(
        set,
        [
            (both.clone(), "tuf-frank".to_owned()),
            (both, "tuf-erin".to_owned())
        ]
    );
    // The present and the new secrets are nowhere but in the token.
    for secret in [PIN, SO, USER] {
        assert!(!outcome.out.contains(secret) && !outcome.err.contains(secret));
        let found = stage
            .command("grep")
            .args(["-rl", secret])
            .arg(&bundle)
            .output();
        assert_eq!(
            String::from_utf8_lossy(&found.unwrap().stdout),
            "",
            "{secret}"
        );
    }
    // Proofs are judged by strangers here too.
    let (code, report) = stage.verify(
        &stage.bundle("genesis").join("metadata/1.root.json"),
        &bundle,
    );
    assert_eq!(code, 0, "{report:#}");
}

#[test]
fn a_provisioned_token_is_found_by_its_keyid_and_signs_with_its_new_pin_only() {
    let stage = GENESIS.copy();
    let bundle = provision(&stage).finish();
    // Frank comes with the key that his token made: an admin-key that finds it instead of making one.
    let genesis = stage.bundle("genesis");
    let frank = held(&bundle, "frank").keyid;
    let script = example("admin-key", Some(&genesis));
    let (before, after) = script.split_once("name = \"frank\"").unwrap();
    let after = after.replace("generate = \"ecdsa-p256\"", &format!("keyid = \"{frank}\""));
    let script = format!("{before}name = \"frank\"{after}");
    let twin = stage.copy();
    let run = |stage: &Stage, name: &str, pin: &str| {
        let ceremony = stage.ceremony(name, script.as_str()).after(&genesis);
        let ceremony = ceremony.here(&["alice", "bob", "carol", "dave", "frank"]);
        let right = ceremony.right_pins();
        let pins = right.replace(&format!("frank user {PIN}"), &format!("frank user {pin}"));
        (ceremony.pins(&pins).run(), stage.bundle(name))
    };
    let (outcome, _) = run(&twin, "old-pin", PIN);
    assert_eq!(outcome.code, 4, "{outcome:?}");
    assert!(
        outcome.out.contains("the token of frank refused the PIN"),
        "{outcome:?}"
    );
    let (outcome, bundle) = run(&stage, "new-pin", USER);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    assert_eq!(keyids(&bundle)["frank.root"], frank.0);
}

#[test]
fn a_provisioning_happens_the_same_way_twice() {
    let stage = GENESIS.copy();
    let twin = stage.copy();
    let bundles = [&stage, &twin].map(|stage| provision(stage).finish());
    let [one, other] = bundles.map(|bundle| record::blanked(&bundle));
    assert_eq!(one, other);
}
