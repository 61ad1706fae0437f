//! Bundles that say one thing and hold another.

use std::fs;

use tuf_ceremony::ceremony::event::Mode;
use tuf_ceremony::pypi::ledger::{Entry, Ledger};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::verdict::{self, load};

use super::scene::{Bundle, bundle, replace};
use super::{errors, forge, refused, verify};

type Change = fn(&Bundle);

#[test]
fn every_change_to_a_bundle_is_named() {
    let metadata = "bundle/metadata/2.root.json";
    let cases: [(&str, Change, &str); 9] = [
        (
            "a changed file",
            |bundle| {
                let bytes = [&bundle.new.bytes()[..], b"\n"].concat();
                replace(&bundle.path("bundle/metadata/2.root.json"), &bytes);
            },
            "MANIFEST-CHANGED bundle/metadata/2.root.json: ",
        ),
        (
            "a changed file, against the transcript",
            |bundle| {
                let bytes = [&bundle.new.bytes()[..], b"\n"].concat();
                replace(&bundle.path("bundle/metadata/2.root.json"), &bytes);
            },
            "TRANSCRIPT-WRITTEN bundle/metadata/2.root.json: it is not what the transcript says was written",
        ),
        (
            "a missing file",
            |bundle| fs::remove_file(bundle.path("bundle/ceremony/script.toml")).unwrap(),
            "MANIFEST-MISSING bundle/ceremony/script.toml: the manifest lists it, and it is not there",
        ),
        (
            "the script missing",
            |bundle| fs::remove_file(bundle.path("bundle/ceremony/script.toml")).unwrap(),
            "BUNDLE-SCRIPT bundle/ceremony: no file there is the script with SHA-256 ",
        ),
        (
            "an extra file",
            |bundle| replace(&bundle.path("bundle/metadata/extra.json"), b"{}"),
            "MANIFEST-EXTRA bundle/metadata/extra.json: it lies in the bundle, and the manifest does not list it",
        ),
        (
            "no transcript",
            |bundle| fs::remove_file(bundle.path("bundle/transcript.jsonl")).unwrap(),
            "BUNDLE-TRANSCRIPT bundle/transcript.jsonl: the bundle has no transcript",
        ),
        (
            "a line of the transcript removed",
            |bundle| {
                let lines = fs::read_to_string(bundle.path("bundle/transcript.jsonl")).unwrap();
                let kept: Vec<&str> = lines
                    .split_inclusive('\n')
                    .enumerate()
                    .filter(|(n, _)| *n != 3)
                    .map(|(_, line)| line)
                    .collect();
                replace(
                    &bundle.path("bundle/transcript.jsonl"),
                    kept.concat().as_bytes(),
                );
            },
            "TRANSCRIPT-CHAIN bundle/transcript.jsonl: line 4: it says number 4 after ",
        ),
        (
            "a broken manifest",
            |bundle| replace(&bundle.path("bundle/manifest.json"), b"{}"),
            "MANIFEST-FORM bundle/manifest.json: missing field `schema`",
        ),
        (
            "a signature removed",
            |bundle| {
                let fewer = forge::signed(&bundle.new.without_signatures(), &[2, 3]);
                replace(&bundle.path("bundle/metadata/2.root.json"), &fewer.bytes());
            },
            "TRANSCRIPT-SIGNATURE bundle/transcript.jsonl: holder-1 signed root v2 with the key ",
        ),
    ];
    for (_, change, expected) in cases {
        let bundle = bundle(|_| {});
        change(&bundle);

        refused(&bundle, &["bundle"], expected);
    }
    assert!(bundle(|_| {}).path(metadata).exists());
}

#[test]
fn a_record_that_does_not_fit_its_files_is_refused() {
    let other_script = bundle(|plan| plan.script = b"kind = \"renew\"\n".to_vec());
    refused(
        &other_script,
        &["bundle"],
        "BUNDLE-SCRIPT bundle/ceremony: ",
    );
    let other_root = bundle(|plan| plan.trusted_root = Some(Sha256([5; 32])));
    let expected = "BUNDLE-TRUSTED-ROOT bundle/transcript.jsonl: the ceremony started from the root with SHA-256 0505";
    refused(&other_root, &["bundle"], expected);
    let open = bundle(|plan| plan.closed = false);
    let expected = "TRANSCRIPT-INCOMPLETE bundle/transcript.jsonl: it does not end with the close of the ceremony: lines are missing, or the ceremony is not over";
    refused(&open, &["bundle"], expected);
    let loose = bundle(|plan| plan.manifest_recorded = false);
    let expected = "BUNDLE-MANIFEST bundle/manifest.json: the transcript does not record it, so nothing ties the two together";
    refused(&loose, &["bundle"], expected);
    let claimed = bundle(|plan| plan.signers.push(4));
    refused(
        &claimed,
        &["bundle"],
        "TRANSCRIPT-SIGNATURE bundle/transcript.jsonl: holder-4 signed root v2 with the key ",
    );
}

#[test]
fn during_the_ceremony_an_open_transcript_is_no_fault() {
    let bundle = bundle(|plan| {
        plan.closed = false;
        plan.manifest_recorded = false;
    });
    let root = bundle.path("1.root.json");
    let at = "2026-12-01T00:00:00Z".parse().unwrap();
    let mut input = load::paths(&root, &[], at, false).unwrap();
    let read = load::bundle(&bundle.path("bundle"), false).unwrap();
    input.bundles.push(read);
    let report = verdict::judge(input);
    assert!(report.ok, "{:#?}", report.findings);
    assert_eq!(report.roots.len(), 2);
}

#[test]
fn an_abandoned_payload_is_refused_by_the_record_that_gave_it_up() {
    let sound = bundle(|_| {});
    let abandoned = sound.new.payload_digest();
    let superseding = bundle(|plan| plan.abandoned = Some(abandoned));
    let expected = format!(
        "ABANDONED bundle/metadata/2.root.json: this root with the payload {abandoned} was abandoned, says bundle/transcript.jsonl; it must not be published"
    );
    refused(&superseding, &["bundle"], &expected);
}

#[test]
fn a_rehearsal_is_refused_plainly_and_demanded_with_rehearsal() {
    let rehearsal = bundle(|plan| plan.mode = Mode::Rehearsal);
    let marker = "REHEARSAL-MARKER bundle/metadata/2.root.json: it carries the rehearsal marker; nothing of a rehearsal is trusted in production";
    refused(&rehearsal, &["bundle"], marker);
    let manifest = "REHEARSAL-MARKER bundle/manifest.json: the bundle is of a rehearsal; nothing of it is trusted in production";
    refused(&rehearsal, &["bundle"], manifest);
    let (code, report) = verify(rehearsal.folder.path(), &["--rehearsal", "bundle"]);
    assert_eq!(errors(&report), [""; 0]);
    assert_eq!(code, 0);

    let production = bundle(|_| {});
    let marker = "REHEARSAL-MARKER bundle/metadata/2.root.json: it lacks the rehearsal marker, and --rehearsal demands it";
    refused(&production, &["--rehearsal", "bundle"], marker);
    let manifest = "REHEARSAL-MARKER bundle/manifest.json: the bundle is of production; --rehearsal demands one of a rehearsal";
    refused(&production, &["--rehearsal", "bundle"], manifest);
}

fn line(role: &str, version: u64, payload: Sha256) -> Entry {
    Entry {
        role: role.to_owned(),
        version,
        payload,
        ceremony: Sha256([9; 32]),
        supersedes: None,
    }
}

fn ledger(entries: Vec<Entry>) -> Vec<u8> {
    let ledger = Ledger::default().extended("", entries).unwrap();
    ledger.to_bytes()
}

/// Errors of the rules of ledgers; the files that were added are of course not in the manifest.
fn ledger_errors(bundle: &Bundle, more: &[&str]) -> Vec<String> {
    let (_, report) = verify(bundle.folder.path(), more);
    let of_ledgers = |error: &String| error.starts_with("LEDGER-");
    errors(&report).into_iter().filter(of_ledgers).collect()
}

#[test]
fn a_ledger_that_does_not_fit_its_bundle_is_refused() {
    let bundle = bundle(|_| {});
    let path = "bundle/ceremony/ledger.jsonl";
    let put = |bytes: &[u8]| replace(&bundle.path(path), bytes);
    let (payload, other) = (bundle.new.payload_digest(), Sha256([1; 32]));

    put(&ledger(vec![line("root", 2, payload)]));
    assert_eq!(ledger_errors(&bundle, &["bundle"]), [""; 0]);

    put(&ledger(vec![line("root", 2, other)]));
    let expected = [
        format!(
            "LEDGER-DIFFERS bundle/metadata/2.root.json: root v2 has the payload {payload}; the ledger has {other} from the ceremony {}: two documents of one version. Find out which one clients were given before anything is signed.",
            Sha256([9; 32])
        ),
        format!(
            "LEDGER-MISSING {path}: root v2 was signed in this ceremony with the payload {payload}, and no line says so"
        ),
    ];
    assert_eq!(ledger_errors(&bundle, &["bundle"]), expected);

    put(&ledger(vec![line("targets", 2, other)]));
    assert_eq!(ledger_errors(&bundle, &["bundle"]), expected[1..]);

    put(b"{}\n");
    let expected = format!("LEDGER-FORM {path}: line 1: the line has no member schema");
    assert_eq!(ledger_errors(&bundle, &["bundle"]), [expected]);
}

#[test]
fn ledgers_of_two_bundles_tell_one_story() {
    let bundle = bundle(|_| {});
    let (payload, other) = (bundle.new.payload_digest(), Sha256([1; 32]));
    let second = bundle.path("bundle2");
    for entry in ["", "ceremony", "metadata"] {
        fs::create_dir_all(second.join(entry)).unwrap();
        for file in fs::read_dir(bundle.path("bundle").join(entry)).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                fs::copy(file.path(), second.join(entry).join(file.file_name())).unwrap();
            }
        }
    }
    let put = |path: &str, entries: Vec<Entry>| replace(&bundle.path(path), &ledger(entries));
    let (first, second) = (
        "bundle/ceremony/ledger.jsonl",
        "bundle2/ceremony/ledger.jsonl",
    );
    let root = line("root", 2, payload);
    put(first, vec![root.clone()]);
    put(second, vec![root.clone(), line("claimed", 1, other)]);
    let both = ["bundle", "bundle2"];
    assert_eq!(ledger_errors(&bundle, &both), [""; 0]);
    assert_eq!(ledger_errors(&bundle, &["bundle2", "bundle"]), [""; 0]);

    put(second, vec![line("claimed", 1, other), root]);
    let expected = format!(
        "LEDGER-PREFIX {second}: line 2 says claimed v1 with the payload {other}, and that of {first} says root v2 with the payload {payload}: lines of one of them were changed or left out"
    );
    assert_eq!(ledger_errors(&bundle, &both), [expected]);
}
