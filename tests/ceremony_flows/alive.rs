//! Keys prove themselves alive: the register says when, strangers check it, and what nobody has seen counts as lost.

use std::fs;
use std::path::Path;

use tuf_ceremony::ceremony::event::Event;
use tuf_ceremony::pypi::holders::Holders;

use crate::GENESIS;
use crate::support::record;
use crate::support::scripts::{example, keyids, newest_root, renew_root};
use crate::support::stage::PIN;

/// Holders with their root keys, alone.
fn check_in(before: &Path, holders: &[&str]) -> String {
    let keyids = keyids(before);
    let holders = holders.iter().map(|name| {
        let keyid = &keyids[&format!("{name}.root")];
        format!("\n[[holder]]\nname = \"{name}\"\nperson = \"{name} Example\"\nroot.keyid = \"{keyid}\"\n")
    });
    format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"check-in\"\ntitle = \"Check-in\"\nprofile = \"alone\"\ntrusted_root_sha256 = \"{}\"\n{}",
        newest_root(before),
        holders.collect::<String>()
    )
}

fn register(bundle: &Path) -> Holders {
    let bytes = fs::read(bundle.join("ceremony/holders.toml")).unwrap();
    Holders::parse("holders.toml", &bytes).unwrap()
}

fn last_proven(bundle: &Path, holder: &str, role: &str) -> Option<String> {
    let register = register(bundle);
    let holder = register.holders.iter().find(|known| known.name == holder);
    let mut keys = holder.unwrap().keys.iter();
    let key = keys.find(|key| key.role == role).unwrap();
    key.last_proven.clone()
}

/// The register that is carried in says so of these holders' root keys.
fn forget(input: &Path, holders: &[&str], last_proven: Option<&str>) {
    let path = input.join("holders.toml");
    let mut register = Holders::parse("holders.toml", &fs::read(&path).unwrap()).unwrap();
    for holder in &mut register.holders {
        if holders.contains(&holder.name.as_str()) {
            for key in &mut holder.keys {
                key.last_proven = last_proven.map(ToOwned::to_owned);
            }
        }
    }
    fs::write(path, register.to_bytes()).unwrap();
}

fn said(bundle: &Path, rule: &str) -> Vec<String> {
    let found = record::events(bundle).into_iter();
    let found = found.filter_map(|event| match event {
        Event::Found { finding } if finding.rule == rule => Some(finding.text),
        _ => None,
    });
    found.collect()
}

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

#[test]
fn a_holder_alone_proves_a_key_and_the_register_says_when() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = check_in(&genesis, &["alice"]);
    let ceremony = stage.ceremony("check-in", script).after(&genesis);
    forget(&ceremony.input(), &["alice"], Some("2020-02-02"));
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let bundle = ceremony.output();
    assert_eq!(last_proven(&bundle, "alice", "root"), Some(today()));
    assert_eq!(
        last_proven(&bundle, "alice", "targets").as_deref(),
        Some("2020-02-02"),
        "her other keys were not asked"
    );
    let key = keyids(&genesis)["alice.root"].clone();
    let serial = stage.serial("alice");
    assert!(outcome.out.contains(&format!(
        "The root key of alice proved itself alive (token {serial})."
    )));
    let minutes = fs::read_to_string(bundle.join("ceremony/minutes.md")).unwrap();
    let told = format!(
        "The root key {key} of alice (serial {serial}) signed a challenge; the signature verifies."
    );
    assert!(minutes.contains(&told), "{minutes}");
    assert_eq!(said(&bundle, "QUORUM-UNPROVEN"), [""; 0]);
    assert_eq!(said(&bundle, "KEY-NOT-PROVEN"), [""; 0]);
    assert_eq!(
        record::signatures(&bundle),
        [""; 0],
        "no metadata was signed"
    );
    assert!(!bundle.join("online").exists());
    let found = stage
        .command("grep")
        .args(["-rl", PIN])
        .arg(&bundle)
        .output();
    assert_eq!(String::from_utf8_lossy(&found.unwrap().stdout), "");
}

#[test]
fn a_holder_who_is_passed_over_is_on_record_and_counted_as_lost() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = check_in(&genesis, &["alice", "bob", "carol"]);
    let ceremony = stage.ceremony("check-in", script).after(&genesis);
    let ceremony = ceremony.here(&["alice", "carol"]);
    forget(&ceremony.input(), &["alice", "bob"], None);
    let bundle = ceremony
        .pins(&format!("alice user {PIN}\n"))
        .answer("token:prove:root:carol", "skip")
        .finish();
    let keyids = keyids(&genesis);
    let passed = |name: &str| {
        let keyid = &keyids[&format!("{name}.root")];
        format!("the root key {keyid} of {name} did not prove itself alive: it was passed over")
    };
    assert_eq!(
        said(&bundle, "KEY-NOT-PROVEN"),
        [passed("bob"), passed("carol")]
    );
    let told = said(&bundle, "QUORUM-UNPROVEN");
    assert_eq!(
        told[0],
        "root: of its 5 keys 1 were never seen to sign or check in (bob Example) and are counted as lost; 4 are left, of which 3 must sign; after the loss of any one more person it still signs"
    );
    assert_eq!(last_proven(&bundle, "bob", "root"), None);
    assert_eq!(last_proven(&bundle, "alice", "root"), Some(today()));
    assert!(
        last_proven(&bundle, "carol", "root").is_some(),
        "she signed at genesis"
    );
}

#[test]
fn a_check_in_at_which_nobody_proves_anything_waits() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = check_in(&genesis, &["alice", "bob"]);
    let ceremony = stage.ceremony("check-in", script).after(&genesis);
    let outcome = ceremony.clone().here(&["carol"]).run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(
        outcome
            .err
            .contains("bob is not in this room, and no key was proven alive"),
        "{outcome:?}"
    );
    // The one who may no longer be passed over goes on where it stopped.
    let bundle = ceremony.here(&["bob"]).finish();
    assert_eq!(last_proven(&bundle, "bob", "root"), Some(today()));
}

#[test]
fn a_renewal_says_which_keys_were_never_seen_to_sign() {
    let stage = GENESIS.copy();
    let genesis = stage.bundle("genesis");
    let script = renew_root(&genesis, 390);
    let ceremony = stage.ceremony("renew", script).after(&genesis);
    forget(&ceremony.input(), &["bob", "erin", "dave"], None);
    let bundle = ceremony.finish();
    let told = said(&bundle, "QUORUM-UNPROVEN");
    assert!(
        told[0].starts_with("root: of its 5 keys 3 were never seen to sign or check in (")
            && told[0].ends_with(
                ") and are counted as lost; 2 are left, fewer than the 3 that must sign"
            ),
        "{told:#?}"
    );
    assert!(
        last_proven(&bundle, "erin", "root").is_some(),
        "she signed now"
    );
}

#[test]
fn the_example_happens_the_same_way_twice_and_finishes() {
    let stage = GENESIS.copy();
    let twin = stage.copy();
    let genesis = stage.bundle("genesis");
    let script = example("check-in", Some(&genesis));
    let bundles = [&stage, &twin].map(|stage| {
        let ceremony = stage.ceremony("check-in", script.as_str());
        ceremony.after(&genesis).finish()
    });
    let [one, other] = bundles.each_ref().map(|bundle| record::blanked(bundle));
    assert_eq!(one, other);
    let proven = record::events(&bundles[0]).into_iter();
    let proven = proven.filter(|event| matches!(event, Event::Proven { .. }));
    assert_eq!(proven.count(), 7);
}
