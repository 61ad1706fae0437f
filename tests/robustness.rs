//! Damaged and endless input: no reader panics, no damage goes unnoticed, and time grows no faster than the file.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

#[path = "robustness/corpus.rs"]
mod corpus;
#[path = "robustness/growth.rs"]
mod growth;
#[path = "robustness/mutation.rs"]
mod mutation;
#[path = "robustness/readers.rs"]
mod readers;

use proptest::prelude::*;
use tuf_ceremony::transcript;
use tuf_ceremony::tuf::chain;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;
use tuf_ceremony::verdict;

use corpus::{CORPUS, TRUSTED, bundle};
use mutation::{mutate, mutations};
use readers::READERS;

const ROOT: &str = "metadata/2.root.json";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// Every reader reads every damaged document: of its own kind, and of all others.
    #[test]
    fn no_reader_panics(
        document in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        mutations in mutations(),
    ) {
        let (_, bytes) = &CORPUS[document.index(CORPUS.len())];
        let (_, other) = &CORPUS[other.index(CORPUS.len())];
        let damaged = mutate(bytes, other, &mutations);
        for (_, read) in READERS {
            read(&damaged);
        }
    }

    #[test]
    fn a_damaged_root_has_no_more_signatures_and_its_changed_payload_has_none(mutations in mutations()) {
        let (good, other) = (corpus::document(ROOT), corpus::document(TRUSTED));
        let damaged = mutate(good, other, &mutations);
        let payload = |bytes: &[u8]| {
            let envelope = Envelope::parse("", bytes.to_vec(), Limits::SMALL).ok()?;
            Some(envelope.payload().into_owned())
        };
        let follow = |bytes: &[u8]| {
            let next = vec![("2.root.json".to_owned(), bytes.to_vec())];
            chain::follow(("1.root.json".to_owned(), other.to_vec()), next)
        };
        let chain = follow(&damaged);
        if chain.roots.len() == 2 {
            prop_assert_eq!(payload(&damaged), payload(good), "the changed root was accepted");
            let signed = |chain: &chain::Chain| chain.roots[1].new.signed.len();
            prop_assert!(signed(&chain) <= signed(&follow(good)));
        }
    }

    #[test]
    fn a_transcript_that_is_read_has_only_its_last_line_changed(mutations in mutations()) {
        let good = corpus::document(transcript::NAME);
        let damaged = mutate(good, corpus::document(ROOT), &mutations);
        if let Ok(read) = transcript::read(&damaged) {
            let whole = transcript::read(good).unwrap();
            prop_assert!(read.lines.len() <= whole.lines.len());
            let chained = read.lines.len().saturating_sub(1);
            prop_assert_eq!(&read.lines[..chained], &whole.lines[..chained]);
        }
    }

    #[test]
    fn a_bundle_with_a_damaged_file_is_never_verified(
        file in any::<prop::sample::Index>(),
        mutations in mutations(),
    ) {
        let mut damaged = bundle();
        // Nothing lies behind the transcript's last line but the head that people read aloud and write down.
        damaged.files.retain(|file| file.path != transcript::NAME);
        let chosen = file.index(damaged.files.len());
        let file = &mut damaged.files[chosen];
        let good = std::mem::take(&mut file.bytes);
        file.bytes = mutate(&good, corpus::document(TRUSTED), &mutations);
        let (unchanged, path) = (file.bytes == good, file.path.clone());
        let record = corpus::file(transcript::NAME);
        damaged.files.push(record);
        let report = judge(damaged);
        prop_assert_eq!(report.ok, unchanged, "{}: {:?}", path, report.findings);
    }
}

#[test]
fn the_undamaged_bundle_verifies_and_every_document_has_a_reader_that_takes_it() {
    let report = judge(bundle());
    assert!(report.ok, "{:?}", report.findings);
    for (name, bytes) in CORPUS.iter() {
        let readers = READERS.iter().filter(|(_, read)| read(bytes));
        let readers: Vec<_> = readers.map(|(reader, _)| *reader).collect();
        assert!(!readers.is_empty(), "nothing reads {name}");
    }
}

#[test]
fn time_grows_no_faster_than_the_file() {
    growth::check();
}

fn judge(bundle: verdict::Bundle) -> verdict::Report {
    verdict::judge(verdict::Input {
        trusted_root: ("1.root.json".to_owned(), corpus::document(TRUSTED).to_vec()),
        metadata: Vec::new(),
        named: std::collections::BTreeSet::new(),
        bundles: vec![bundle],
        at: jiff::Timestamp::now(),
        rehearsal: true,
        findings: Vec::new(),
    })
}
