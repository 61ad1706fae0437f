//! Roots of attestation that a room adds, and keys that nobody vouches for, through the program.

use std::fs;
use std::path::Path;

use tuf_ceremony::attestation::Anchors;
use tuf_ceremony::ceremony::event::Event;

use crate::GENESIS;
use crate::support::ceremony::Ceremony;
use crate::support::record;
use crate::support::scripts::example;
use crate::support::stage::Stage;

fn root(name: &str, path: &Path) -> String {
    let path = path.display();
    format!("\n[[test_root]]\nname = \"{name}\"\npath = \"{path}\"\n")
}

/// A genesis in a room that adds a root of attestation.
fn genesis<'s>(stage: &'s Stage, name: &str, more: String) -> Ceremony<'s> {
    let mut genesis = stage.ceremony(name, example("genesis-458", None));
    genesis.more_room = more;
    genesis
}

/// Any certificate.
fn certificate() -> Vec<u8> {
    let anchors = Anchors::yubico();
    let der = anchors.certificates().next().unwrap().1;
    der.to_vec()
}

#[test]
fn a_production_room_adds_no_root_of_attestation() {
    let stage = GENESIS.copy();
    let path = stage.path("root.der");
    fs::write(&path, certificate()).unwrap();
    let mut genesis = genesis(&stage, "production", root("vyk-ca", &path)).here(&[]);
    genesis.mode = "production";
    genesis.modules.clear();
    let outcome = genesis.run();
    assert_eq!(outcome.code, 1, "{outcome:?}");
    assert!(
        outcome.err.contains("refused ROOM-TEST-ROOT"),
        "{outcome:?}"
    );
    let text = "a production ceremony trusts the makers' own and no other";
    assert!(outcome.err.contains(text), "{outcome:?}");
}

#[test]
fn a_root_of_attestation_is_one_certificate_with_a_plain_name() {
    let stage = GENESIS.copy();
    let good = stage.path("root.der");
    fs::write(&good, certificate()).unwrap();
    let bad = stage.path("root.txt");
    fs::write(&bad, "no certificate").unwrap();
    let pem = tuf_ceremony::ceremony::attested::pem(&[certificate(), certificate()]);
    let two = stage.path("two.pem");
    fs::write(&two, pem).unwrap();
    let cases = [
        (
            "../out",
            &good,
            "ROOM-TEST-ROOT",
            "its name shall be small letters",
        ),
        (
            "Vyk CA",
            &good,
            "ROOM-TEST-ROOT",
            "its name shall be small letters",
        ),
        (
            "vyk-ca",
            &two,
            "ROOM-TEST-ROOT",
            "there are more in the file",
        ),
        ("vyk-ca", &bad, "ATTEST-FORM", "neither DER nor PEM"),
    ];
    for (name, path, rule, text) in cases {
        let outcome = genesis(&stage, "refused", root(name, path)).run();
        assert_eq!(outcome.code, 1, "{name}: {outcome:?}");
        assert!(
            outcome.err.contains(&format!("refused {rule}")),
            "{name}: {outcome:?}"
        );
        assert!(outcome.err.contains(text), "{name}: {outcome:?}");
    }
}

#[test]
fn a_rehearsal_may_add_a_root_of_attestation() {
    let stage = Stage::with_tokens(&crate::support::stage::EVERYBODY);
    let path = stage.path("root.pem");
    fs::write(
        &path,
        tuf_ceremony::ceremony::attested::pem(&[certificate()]),
    )
    .unwrap();
    let bundle = genesis(&stage, "genesis", root("vyk-ca", &path)).finish();
    // No token here has an attestation, so nothing rests on the root, and it is not in the bundle.
    assert!(!bundle.join("evidence").exists());
    let events = record::events(&bundle);
    let keys = events.iter();
    let keys: Vec<_> = keys
        .filter_map(|event| match event {
            Event::KeyEnrolled {
                keyid,
                token: Some(_),
                ..
            } => Some(keyid),
            _ => None,
        })
        .collect();
    let mut acknowledged = events.iter().filter_map(|event| match event {
        Event::Unattested { keyid, .. } => Some(keyid),
        _ => None,
    });
    assert!(!keys.is_empty());
    assert!(keys.into_iter().eq(acknowledged.by_ref()));
    let minutes = fs::read_to_string(bundle.join("ceremony/minutes.md")).unwrap();
    assert!(minutes.contains("Nobody vouches for the key"), "{minutes}");
    let (code, report) = stage.verify(&bundle.join("metadata/1.root.json"), &bundle);
    assert_eq!(code, 0, "{report}");
}
