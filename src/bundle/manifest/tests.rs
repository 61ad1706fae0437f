#![allow(clippy::unwrap_used, reason = "tests")]

use super::{File, Manifest, is_portable};
use crate::ceremony::event::Mode;
use crate::tuf::digest::Sha256;

fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

fn bundle() -> Vec<File> {
    vec![
        file("ceremony/script.toml", "kind"),
        file("metadata/1.root.json", "{}"),
        file("manifest.json", "not listed"),
        file("transcript.jsonl", "not listed"),
    ]
}

fn manifest() -> Manifest {
    Manifest::of(Sha256([7; 32]), Mode::Rehearsal, &bundle()).unwrap()
}

#[test]
fn a_manifest_survives_writing_and_reading_and_fits_its_bundle() {
    let read = Manifest::parse("manifest.json", &manifest().to_vec()).unwrap();
    assert_eq!(read, manifest());
    assert_eq!(read.check(&bundle()), []);
    assert_eq!(read.files.len(), 2);
}

#[test]
fn missing_extra_and_changed_files_are_each_named() {
    let files = [
        file("ceremony/script.toml", "Kind"),
        file("metadata/2.root.json", "{}"),
    ];
    let told: Vec<String> = manifest()
        .check(&files)
        .iter()
        .map(|f| format!("{} {}: {}", f.rule, f.file, f.text))
        .collect();
    assert_eq!(told.len(), 3);
    assert!(told[0].starts_with("MANIFEST-CHANGED ceremony/script.toml: its SHA-256 is "));
    assert_eq!(
        told[1],
        "MANIFEST-MISSING metadata/1.root.json: the manifest lists it, and it is not there"
    );
    assert_eq!(
        told[2],
        "MANIFEST-EXTRA metadata/2.root.json: it lies in the bundle, and the manifest does not list it"
    );
}

#[test]
fn a_file_of_another_length_is_told_by_its_length() {
    let mut files = bundle();
    files[0].bytes.push(b'!');
    assert_eq!(
        manifest().check(&files)[0].text,
        "5 bytes long; the manifest says 4"
    );
}

#[test]
fn hostile_names_in_a_manifest_are_refused() {
    let text = String::from_utf8(manifest().to_vec()).unwrap();
    let hostile = [
        "../1.root.json",
        "metadata/../../x",
        "/etc/passwd",
        "metadata//x",
        "metadata/",
        ".hidden",
        "A.json",
        "a:b",
        "a b",
        "a\\\\b",
        "-rf",
        "caf\u{e9}",
        "manifest.json",
        "con\\u0000",
    ];
    for name in hostile {
        // Placed first or last so that the order alone does not refuse it.
        for replaced in ["ceremony/script.toml", "metadata/1.root.json"] {
            let refused = Manifest::parse("manifest.json", text.replace(replaced, name).as_bytes());
            assert!(refused.is_err(), "{name}");
        }
        if !name.contains('\\') && name != "manifest.json" {
            assert!(!is_portable(name), "{name}");
        }
    }
}

#[test]
fn a_name_that_not_every_medium_carries_is_refused_with_its_text() {
    let findings =
        Manifest::of(Sha256([7; 32]), Mode::Production, &[file("../x", "")]).unwrap_err();
    assert_eq!(findings[0].rule, "MANIFEST-NAME");
    assert_eq!(
        findings[0].text,
        "\"../x\" is no name for every medium: lower-case letters, digits, dot, dash and underscore, at most 101 a component, beginning with a letter or digit"
    );
}

#[test]
fn names_that_differ_only_in_case_are_refused() {
    let files = [file("a.json", ""), file("A.json", "")];
    let findings = Manifest::of(Sha256([7; 32]), Mode::Production, &files).unwrap_err();
    let twins = findings
        .iter()
        .find(|f| f.rule == "MANIFEST-TWINS")
        .unwrap();
    assert_eq!(
        twins.text,
        "\"A.json\" and \"a.json\" differ only in case; some media cannot hold both"
    );
}

#[test]
fn unknown_members_other_schemas_and_disorder_are_refused() {
    let text = String::from_utf8(manifest().to_vec()).unwrap();
    let cases = [
        text.replace("manifest/1", "manifest/2"),
        text.replacen('{', "{\"more\": 1,", 1),
        text.replace("ceremony/script.toml", "z.toml"),
        text.replace("metadata/1.root.json", "ceremony/script.toml"),
        text.replacen('{', "{\"mode\": \"production\",", 1),
    ];
    for case in cases {
        let findings = Manifest::parse("manifest.json", case.as_bytes()).unwrap_err();
        assert_eq!(findings[0].rule, "MANIFEST-FORM", "{case}");
    }
}
