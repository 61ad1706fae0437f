//! What is not erased: a token whose key is in use, one that was just provisioned, one from another bag. Bags are used once.

use std::path::Path;

use tuf_ceremony::ceremony::intake::InputFile;
use tuf_ceremony::ceremony::runner::Halt;
use tuf_ceremony::room::session::{Paths, Session};
use tuf_ceremony::token::Module;
use tuf_ceremony::token::worker::Keeper;
use tuf_ceremony::tuf::digest::Sha256;

use super::people::People;
use super::provision::{held, stand};
use super::stand::{Stand, genesis, provision};

fn refused(stand: &mut Stand, rule: &str, text: &str) {
    let mut people = stand.people();
    refused_by(stand, &mut people, rule, text);
}

fn refused_by(stand: &mut Stand, people: &mut People, rule: &str, text: &str) {
    match stand.run(people).unwrap_err() {
        Halt::Refused(findings) => assert_eq!(
            (findings[0].rule.as_str(), findings[0].text.as_str()),
            (rule, text)
        ),
        halt => panic!("{halt}"),
    }
    assert_eq!(stand.log.calls("reset"), [""; 0]);
    assert_eq!(people.envelopes, []);
}

#[test]
fn a_token_whose_key_is_in_use_is_not_erased() {
    // By metadata.
    let genesis_stand = Stand::finished(genesis());
    let keyid = genesis_stand.keyid("alice", "root");
    let root = Sha256::of(&genesis_stand.world.disk["metadata/1.root.json"]);
    let mut stand = genesis_stand.then(|_| {
        provision().replace(
            "kind = \"provision\"\n",
            &format!("kind = \"provision\"\ntrusted_root_sha256 = \"{root}\"\n"),
        )
    });
    let serial = stand.world.module.list().unwrap()[0].id.serial.clone();
    let text = format!(
        "token {serial} holds the root key {keyid} that trusted metadata lists; nothing was erased; take the key out of use first (admin-key), or bring another token"
    );
    refused(&mut stand, "TOKEN-IN-USE", &text);
    // By the register alone.
    let genesis_stand = Stand::finished(genesis());
    let keyid = genesis_stand.keyid("alice", "root");
    let bytes = genesis_stand.world.disk["ceremony/holders.toml"].clone();
    let files = vec![InputFile {
        path: "holders.toml".to_owned(),
        bytes,
    }];
    let mut stand = genesis_stand.then_with(files, |_| provision());
    let serial = stand.world.module.list().unwrap()[0].id.serial.clone();
    let text = format!(
        "token {serial} holds the root key {keyid} that the register has; nothing was erased; take the key out of use first (admin-key), or bring another token"
    );
    refused(&mut stand, "TOKEN-IN-USE", &text);
}

#[test]
fn a_token_that_was_just_provisioned_for_another_is_not_erased() {
    let mut stand = stand();
    let mut people = stand.people();
    // Bob's token lies elsewhere, and the room names alice's for both.
    stand.world.same = Some(("bob", "tuf-alice"));
    let halt = stand.run(&mut people).unwrap_err();
    let serial = stand.world.module.list().unwrap()[0].id.serial.clone();
    assert_eq!(
        halt.to_string(),
        format!(
            "refused: TOKEN-IN-USE: token {serial} holds the token of alice, provisioned in this ceremony; nothing was erased; take the key out of use first (admin-key), or bring another token"
        )
    );
    assert_eq!(stand.log.calls("reset").len(), 1);
}

/// A register that has this bag for alice's token.
fn with_bag(bag: &str) -> Stand {
    let mut before = stand();
    before.run(&mut before.people()).unwrap();
    let bytes = before.world.disk["ceremony/holders.toml"].clone();
    let text = String::from_utf8(bytes).unwrap();
    let text = text.replace("bag of alice", bag);
    let files = vec![InputFile {
        path: "holders.toml".to_owned(),
        bytes: text.into_bytes(),
    }];
    before.then_with(files, |_| provision())
}

#[test]
fn a_bag_with_another_number_than_the_registers_ends_it_before_anything_is_opened() {
    let mut stand = with_bag("PSF-0417");
    let mut people = stand.people();
    people.answers = vec![
        ("bag-opened:alice", "PSF-0471"),
        ("bag-mismatch:alice", "again"),
        ("bag-opened:alice", "PSF-0471"),
        ("bag-mismatch:alice", "other"),
    ];
    let text = "the bag of alice has the number PSF-0471, and the register has another: somebody may have had the token in his hands; nothing was opened or erased; keep the bag closed and find out";
    refused_by(&mut stand, &mut people, "BAG-NUMBER", text);
    // The number on record was never shown: it is typed from the bag.
    assert!(!format!("{:?}", people.told).contains("PSF-0417"));
    // The right one opens it; what is in it is in use.
    people.answers = vec![("bag-opened:alice", "PSF-0417")];
    let halt = stand.run(&mut people).unwrap_err().to_string();
    assert!(halt.starts_with("refused: TOKEN-IN-USE"), "{halt}");
    assert_eq!(
        stand.progress().evidence().opened_bag("alice"),
        Some("PSF-0417")
    );
}

#[test]
fn a_new_bags_number_is_typed_twice_alike_and_was_never_used() {
    let mut stand = stand();
    let mut people = stand.people();
    people.answers = vec![
        ("bag-opened:alice", "A-1"),
        ("bag-closed:alice", "A-1"),
        ("bag-closed:alice", "none"),
        ("bag-closed:alice", "A-2"),
        ("bag-closed:alice:again", "A-3"),
        ("bag-closed:alice", "A-2"),
        ("bag-closed:alice:again", "A-2"),
        ("bag-opened:bob", "A-1"),
        ("bag-closed:bob", "A-2"),
    ];
    stand.run(&mut people).unwrap();
    assert_eq!(held(&stand, "alice")[0].bag.as_deref(), Some("A-2"));
    assert_eq!(held(&stand, "bob")[0].bag.as_deref(), Some("bag of bob"));
    assert!(
        people.told["bag-closed:alice"]
            .contains("The two numbers differ. Nothing was recorded; read again.")
    );
    assert!(people.told["bag-closed:bob"].contains("That bag was used before, or it is no bag."));
}

#[test]
fn roots_of_attestation_that_a_room_adds_are_for_rehearsals_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
    write("script.toml", &provision());
    std::fs::write(path("root.der"), super::forge::root()).unwrap();
    std::fs::create_dir(path("in")).unwrap();
    let paths = Paths {
        script: path("script.toml"),
        room: path("room.toml"),
        input: path("in"),
        output: path("out"),
    };
    let ours = path("root.der").display().to_string();
    let keeper = Keeper::start(Path::new(env!("CARGO_BIN_EXE_tuf-ceremony"))).unwrap();
    let opened = |mode: &str| {
        let room = format!(
            "schema = \"tuf-ceremony/room/1\"\nmode = \"{mode}\"\n\n[[test_root]]\nname = \"ours\"\npath = \"{ours}\"\n"
        );
        write("room.toml", &room);
        Session::open(&paths, &keeper)
            .map(drop)
            .map_err(|refused| refused.lines.join("\n"))
    };
    assert_eq!(opened("rehearsal"), Ok(()));
    let refused = opened("production").unwrap_err();
    assert!(
        refused.contains("ROOM-TEST-ROOT") && refused.contains("the room adds roots of attestation; a production ceremony trusts the makers' own and no other"),
        "{refused}"
    );
}
