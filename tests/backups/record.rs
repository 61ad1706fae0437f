//! The record of a backup: no event of it can be missing or be moved, and a stranger checks the signatures in it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use tuf_ceremony::bundle::files;
use tuf_ceremony::ceremony::event::{BlobProven, Event};
use tuf_ceremony::ceremony::progress::Progress;
use tuf_ceremony::transcript::{self, Line};
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::verdict::{self, Bundle};

use crate::stage::Stage;
use crate::support::record;

fn folds(events: &[Event]) -> bool {
    let mut progress = Progress::default();
    events.iter().all(|event| progress.apply(event).is_ok())
}

#[test]
fn a_record_without_any_one_event_of_its_backup_is_no_record() {
    let mut stage = Stage::new();
    stage.genesis();
    let events = stage.events.0.clone();
    assert!(folds(&events));
    let of_backup = |event: &Event| {
        matches!(
            event,
            Event::BackupBegun(_)
                | Event::KeyWrapped(_)
                | Event::Sealed(_)
                | Event::ShareRead(_)
                | Event::BlobProven(_)
                | Event::Drilled(_)
        )
    };
    let places: Vec<_> = (0..events.len())
        .filter(|place| of_backup(&events[*place]))
        .collect();
    assert_eq!(places.len(), 1 + 1 + 1 + 5 + 1 + 1);
    for place in places {
        let mut without = events.clone();
        let event = without.remove(place);
        assert!(!folds(&without), "{event:?}");
        // Twice is once too often, but for the beginning: a backup may begin anew, and then nothing of it counts.
        let mut twice = events.clone();
        twice.insert(place, event.clone());
        let may = matches!(
            event,
            Event::BackupBegun(_)
                | Event::KeyWrapped(_)
                | Event::Sealed(_)
                | Event::BlobProven(_)
                | Event::Drilled(_)
        );
        assert!(may || !folds(&twice), "{event:?}");
    }
    let own = |event: &mut Event| {
        if let Event::BlobProven(proven) = event {
            proven.token.serial.clone_from(&stage.serials["alice"]);
        }
    };
    let mut on_its_own_token = events.clone();
    on_its_own_token.iter_mut().for_each(own);
    assert!(
        !folds(&on_its_own_token),
        "a blob proves nothing on the token that gave it away"
    );
}

#[test]
fn a_stranger_checks_the_signature_that_a_blob_made() {
    let mut stage = Stage::new();
    let bundle = stage.genesis();
    assert_eq!(proofs(&bundle, |_| {}), [""; 0]);
    let other_signature = |proven: &mut BlobProven| {
        let first = if proven.sig.starts_with('3') {
            '4'
        } else {
            '3'
        };
        proven.sig.replace_range(..1, &first.to_string());
    };
    let other_challenge = |proven: &mut BlobProven| proven.nonce = "00".repeat(32);
    for change in [other_signature, other_challenge] {
        let said = proofs(&bundle, change);
        assert!(
            said.len() == 1 && said[0].starts_with("PROOF-SIGNATURE"),
            "{said:?}"
        );
        assert!(
            said[0].contains("out of its blob is said to have signed"),
            "{said:?}"
        );
    }
}

/// What a stranger says of proofs after the record was written anew with a change.
fn proofs(bundle: &Path, change: impl Fn(&mut BlobProven)) -> Vec<String> {
    let mut text = String::new();
    let mut prev = Sha256([0; 32]);
    for mut line in record::transcript(bundle).lines {
        if let Event::BlobProven(proven) = &mut line.event {
            change(proven);
        }
        let json = serde_json::to_string(&Line { prev, ..line }).unwrap();
        prev = Sha256::of(json.as_bytes());
        writeln!(text, "{json}").unwrap();
    }
    let mut files = files::read_folder(bundle).unwrap();
    let record = files.iter_mut().find(|file| file.path == transcript::NAME);
    record.unwrap().bytes = text.into_bytes();
    let root = files
        .iter()
        .find(|file| file.path == "metadata/1.root.json");
    let root = root.unwrap();
    let report = verdict::judge(verdict::Input {
        trusted_root: (root.path.clone(), root.bytes.clone()),
        metadata: Vec::new(),
        named: BTreeSet::new(),
        bundles: vec![Bundle {
            name: String::new(),
            files,
            finished: true,
        }],
        at: jiff::Timestamp::now(),
        rehearsal: true,
        findings: Vec::new(),
    });
    let proofs = report.findings.into_iter();
    let proofs = proofs.filter(|finding| finding.rule.starts_with("PROOF"));
    proofs
        .map(|finding| format!("{}: {}", finding.rule, finding.text))
        .collect()
}
