//! What is refused before anything is opened leaves no output behind.

use std::fs;
use std::path::Path;

use crate::GENESIS;
use crate::support::ceremony::Ceremony;
use crate::support::scripts::{example, in_days, renew_root};
use crate::support::stage::Stage;

fn renewal(stage: &Stage) -> Ceremony<'_> {
    let genesis = stage.bundle("genesis");
    stage
        .ceremony("renew-root", renew_root(&genesis, 370))
        .after(&genesis)
}

fn is_absent_or_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Refused with this exit code and text, and nothing written.
fn refused(what: &str, ceremony: &Ceremony<'_>, code: i32, text: &str) {
    let outcome = ceremony.run();
    assert_eq!(outcome.code, code, "{what}: {outcome:?}");
    assert!(outcome.err.contains(text), "{what}: {outcome:?}");
    assert!(is_absent_or_empty(&ceremony.output()), "{what}");
}

#[test]
fn a_production_room_refuses_softhsm() {
    let stage = GENESIS.copy();
    let mut genesis = stage.ceremony("production", example("genesis-458", None));
    genesis.mode = "production";
    refused("softhsm", &genesis, 1, "refused ROOM-SOFTWARE");
}

#[test]
fn a_production_room_refuses_answers_from_a_file() {
    let stage = GENESIS.copy();
    let mut genesis = stage
        .ceremony("production", example("genesis-458", None))
        .here(&[]);
    genesis.mode = "production";
    genesis.modules.clear();
    refused(
        "answers",
        &genesis,
        2,
        "answers from a file are for rehearsals",
    );
}

#[test]
fn production_refuses_what_a_rehearsal_signed() {
    let stage = GENESIS.copy();
    let mut renewal = renewal(&stage);
    renewal.mode = "production";
    refused("rehearsed input", &renewal, 1, "refused REHEARSAL-MARKER");
}

#[test]
fn an_output_folder_with_something_else_in_it_is_refused_and_left_alone() {
    let stage = GENESIS.copy();
    let renewal = renewal(&stage);
    fs::create_dir_all(renewal.output()).unwrap();
    fs::write(renewal.output().join("holiday.jpg"), "beach").unwrap();
    let outcome = renewal.run();
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(
        outcome.err.contains("is not empty and holds no ceremony"),
        "{outcome:?}"
    );
    let left: Vec<_> = fs::read_dir(renewal.output()).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(
        fs::read(renewal.output().join("holiday.jpg")).unwrap(),
        b"beach"
    );
}

#[test]
fn a_script_or_input_that_is_refused_leaves_no_output() {
    let stage = GENESIS.copy();
    let plain = renewal(&stage);
    let changed = |from: &str, to: &str| {
        let mut ceremony = plain.clone();
        assert!(ceremony.script.contains(from));
        ceremony.script = ceremony.script.replacen(from, to, 1);
        ceremony
    };
    let next = "version = 2";
    let expires = format!("expires = \"{}\"", in_days(370));
    let cases = [
        (
            "unknown member",
            changed(next, "version = 2\npin = \"1234\""),
            2,
            "unknown field `pin`",
        ),
        (
            "unknown kind",
            changed("\"renew\"", "\"renewal\""),
            2,
            "renewal",
        ),
        (
            "version skipped",
            changed(next, "version = 3"),
            1,
            "VERSION-SKIP",
        ),
        (
            "expired at once",
            changed(&expires, "expires = \"2020-01-01T00:00:00Z\""),
            1,
            "EXPIRY-PAST",
        ),
        (
            "keys in a renewal",
            changed(next, "version = 2\nthreshold = 2"),
            2,
            "a renewal changes no keys",
        ),
        (
            "malformed trusted root",
            changed("trusted_root_sha256 = \"", "trusted_root_sha256 = \"00"),
            2,
            "expected 64 lower-case hexadecimal digits",
        ),
    ];
    for (what, ceremony, code, text) in cases {
        refused(what, &ceremony, code, text);
    }
    fs::remove_file(plain.input().join("trusted/1.root.json")).unwrap();
    refused("no trusted root", &plain, 1, "INTAKE-TRUSTED-ROOT");
}

#[test]
fn a_room_that_does_not_fit_leaves_no_output() {
    let stage = GENESIS.copy();
    let ceremony = renewal(&stage);
    let mut nowhere = ceremony.clone();
    nowhere.modules = vec!["/nowhere/libpkcs11.so".to_owned()];
    refused("no module", &nowhere, 4, "/nowhere/libpkcs11.so");
    let mut unknown = ceremony.clone();
    unknown.mode = "practice";
    refused("unknown mode", &unknown, 2, "practice");
}
