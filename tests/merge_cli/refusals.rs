//! What `merge` must not unite.

use tuf_ceremony::bundle::part::{AbandonedRecord, Part, Superseded};
use tuf_ceremony::ceremony::event::{Abandoned, Document, Mode};
use tuf_ceremony::tuf::digest::Sha256;

use super::forge::{self, keyid, root, signed};
use super::{CEREMONY, Scene};

#[test]
fn two_payloads_of_one_version_are_refused_with_digests_and_signers() {
    let scene = Scene::new();
    scene.signed_by("a.json", &[1, 2]);
    let second =
        tuf_ceremony::tuf::edit::with_header("x", &scene.new, 2, "2027-07-01T00:00:00Z").unwrap();
    scene.write("b.json", &scene.part(signed(&second, &[3])).to_vec());
    let told = scene.refused(&["a.json", "b.json"]);
    let one = format!("{} signed by ", scene.new.payload_digest());
    let other = format!("{} signed by {}", second.payload_digest(), keyid(3));
    assert!(
        told.starts_with("error ONE-PAYLOAD: root v2 has 2 payloads: "),
        "{told}"
    );
    assert!(told.contains(&one) && told.contains(&other), "{told}");
    assert!(
        told.contains(&keyid(1).0) && told.contains(&keyid(2).0),
        "{told}"
    );
}

#[test]
fn abandoned_payloads_are_refused() {
    let scene = Scene::new();
    scene.signed_by("a.json", &[1, 2]);
    let expected = format!(
        "error ABANDONED a.json: root v2 with the payload {} was abandoned, says record.json; it must not collect signatures any more\n",
        scene.new.payload_digest()
    );
    let abandoned = Abandoned {
        document: Document {
            role: "root".to_owned(),
            version: 2,
        },
        payload: scene.new.payload_digest(),
        signed_by: vec!["alice".to_owned()],
    };
    scene.write(
        "record.json",
        &AbandonedRecord::new(CEREMONY, vec![abandoned]).to_vec(),
    );
    assert!(
        scene
            .refused(&["a.json", "record.json"])
            .contains(&expected)
    );

    let mut superseding = scene.part(scene.new.clone());
    superseding.supersedes = vec![Superseded {
        sha256: scene.new.payload_digest(),
        signed_by: vec!["alice".to_owned()],
    }];
    scene.write("b.json", &superseding.to_vec());
    let told = scene.refused(&["a.json", "b.json"]);
    assert!(
        told.contains("error ABANDONED a.json: ") && told.contains("says b.json"),
        "{told}"
    );
}

#[test]
fn parts_of_another_ceremony_mode_root_or_document_are_refused() {
    let scene = Scene::new();
    scene.signed_by("a.json", &[1]);
    let base = || scene.part(scene.new.clone());
    let mut ceremony = base();
    ceremony.ceremony = Sha256([8; 32]);
    let mut trusted = base();
    trusted.trusted_root = Some(Sha256([8; 32]));
    let mut genesis = base();
    genesis.trusted_root = None;
    let mut mode = base();
    mode.mode = Mode::Rehearsal;
    mode.envelope = forge::rehearsal(&scene.new);
    let mut document = base();
    document.document = Document {
        role: "targets".to_owned(),
        version: 1,
    };
    document.envelope = forge::targets(1);
    for part in [ceremony, trusted, genesis, mode, document] {
        scene.write("b.json", &part.to_vec());
        assert!(
            scene
                .refused(&["a.json", "b.json"])
                .contains("error PART-FOREIGN ")
        );
    }
    scene.write("other.json", &{
        let mut other = base();
        other.trusted_root = Some(Sha256([8; 32]));
        other.to_vec()
    });
    let told = scene.refused(&["other.json"]);
    let expected = format!(
        "error PART-FOREIGN other.json: its trusted root is {}; the one given is {}\n",
        Sha256([8; 32]),
        Sha256::of(&scene.old.bytes())
    );
    assert!(told.starts_with(&expected), "{told}");
}

#[test]
fn a_part_that_contradicts_its_envelope_is_refused() {
    let scene = Scene::new();
    let sound = String::from_utf8(scene.part(scene.new.clone()).to_vec()).unwrap();
    let digest = scene.new.payload_digest().to_string();
    let cases = [
        (
            sound.replace("\"version\": 2", "\"version\": 3"),
            "PART-ENVELOPE",
            "it says version 3; the envelope is version 2",
        ),
        (
            sound.replace("\"role\": \"root\"", "\"role\": \"bins\""),
            "PART-ENVELOPE",
            "it says that it carries \"bins\"; the envelope is of type root",
        ),
        (
            sound.replace(&digest, &Sha256([1; 32]).to_string()),
            "PART-ENVELOPE",
            "it says that the payload is 0101",
        ),
        (
            sound.replace("\"production\"", "\"rehearsal\""),
            "PART-ENVELOPE",
            "its mode is rehearsal; the envelope lacks the rehearsal marker",
        ),
        (
            sound.replacen('{', "{\"more\": 1,", 1),
            "PART-FORM",
            "unknown field `more`",
        ),
        (
            sound.replacen('{', "{\"version\": 2,", 1),
            "PART-FORM",
            "line ",
        ),
        (
            sound.replace("  \"trusted_root\": ", "  \"trusted_rooo\": "),
            "PART-FORM",
            "unknown field `trusted_rooo`",
        ),
        (
            sound.replace("\"supersedes\": [],", ""),
            "PART-FORM",
            "missing field `supersedes`",
        ),
    ];
    for (bytes, rule, start) in cases {
        let finding = Part::parse("a.json", bytes.as_bytes()).err().unwrap();
        assert_eq!(finding.rule, rule, "{}", finding.text);
        assert!(finding.text.starts_with(start), "{}", finding.text);
    }
    assert!(Part::parse("a.json", sound.as_bytes()).is_ok());
    let marked = Part {
        envelope: forge::rehearsal(&scene.new),
        ..scene.part(scene.new.clone())
    };
    let finding = Part::parse("a.json", &marked.to_vec()).err().unwrap();
    assert_eq!(
        finding.text,
        "its mode is production; the envelope carries the rehearsal marker"
    );
}

#[test]
fn a_root_that_skips_a_version_is_refused() {
    let scene = Scene::new();
    let skipping = root(Some(&scene.old), 3, &[2, 3, 4], 2);
    let mut part = scene.part(skipping);
    part.document.version = 3;
    scene.write("a.json", &part.to_vec());
    let expected = "error ROOT-VERSION a.json: root v3 cannot follow; version 2 comes next\n";
    assert!(scene.refused(&["a.json"]).starts_with(expected));
}

#[test]
fn a_file_that_is_not_there_is_exit_code_5_and_one_that_is_no_part_is_1() {
    let scene = Scene::new();
    assert_eq!(
        scene.merge("out.json", &["none.json"]).status.code(),
        Some(5)
    );
    scene.write("junk.json", b"{\"a\": 1, \"a\": 2}");
    assert!(
        scene
            .refused(&["junk.json"])
            .starts_with("error JSON-STRICT junk.json: ")
    );
}
