//! The ledger of offline documents from one ceremony to the next.

use tuf_ceremony::ceremony::event::Mode;
use tuf_ceremony::ceremony::intake::{InputFile, Trusted, intake};
use tuf_ceremony::ceremony::ledger::PATH;
use tuf_ceremony::ceremony::script::Script;
use tuf_ceremony::pypi::ledger::Ledger;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::finding::Finding;
use tuf_ceremony::tuf::json::Limits;

use super::stand::{Stand, genesis};

/// Takes in the bundle of `stand` for a renewal, with this ledger.
fn take_in(stand: &Stand, ledger: &[u8]) -> Result<Trusted, Vec<Finding>> {
    let disk = &stand.world.disk;
    let root = Sha256::of(&disk["metadata/1.root.json"]);
    let script = format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"renew\"\ntitle = \"t\"\nprofile = \"alone\"\ntrusted_root_sha256 = \"{root}\"\n"
    );
    let script = Script::parse("script.toml", script.as_bytes()).unwrap();
    let metadata = disk.iter().filter_map(|(path, bytes)| {
        let name = path.strip_prefix("metadata/")?;
        Some((format!("trusted/{name}"), bytes.clone()))
    });
    let files = metadata.chain([("ledger.jsonl".to_owned(), ledger.to_vec())]);
    let files = files.map(|(path, bytes)| InputFile { path, bytes });
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    intake(&script, files.collect(), Vec::new(), Mode::Rehearsal, now)
}

#[test]
fn a_bundle_has_every_document_of_its_ceremony_in_its_ledger() {
    let stand = Stand::finished(genesis());
    let ledger = Ledger::parse(PATH, &stand.world.disk[PATH]).unwrap();
    let metadata = |path: &&String| path.starts_with("metadata/");
    let files: Vec<&String> = stand.world.disk.keys().filter(metadata).collect();
    assert!(files.len() > 1);
    assert_eq!(ledger.entries().len(), files.len());
    let ceremony = ledger.entries()[0].ceremony;
    for path in files {
        let name = path
            .trim_start_matches("metadata/")
            .trim_end_matches(".json");
        let (version, role) = name.split_once('.').unwrap();
        let line = ledger.find(role, version.parse().unwrap()).unwrap();
        let bytes = stand.world.disk[path].clone();
        let envelope = Envelope::parse(path, bytes, Limits::SMALL).unwrap();
        assert_eq!(line.payload, envelope.payload_digest());
        assert_eq!((line.ceremony, line.supersedes), (ceremony, None));
    }
}

#[test]
fn a_ledger_carried_in_agrees_with_the_trusted_files() {
    let stand = Stand::finished(genesis());
    let ledger = stand.world.disk[PATH].clone();
    let trusted = take_in(&stand, &ledger).unwrap();
    let read = trusted.asked.ledger.unwrap();
    assert_eq!(read.to_bytes(), ledger);

    let payload = read.find("root", 1).unwrap().payload;
    let other = Sha256([1; 32]);
    let text = String::from_utf8(ledger).unwrap();
    let changed = text.replace(&payload.to_string(), &other.to_string());
    let refused = take_in(&stand, changed.as_bytes()).err().unwrap();
    let ceremony = read.entries()[0].ceremony;
    let told = format!(
        "root v1 has the payload {payload}; the ledger has {other} from the ceremony {ceremony}: two documents of one version. Find out which one clients were given before anything is signed."
    );
    let expected = Finding::error("LEDGER-DIFFERS", "trusted/1.root.json", told);
    assert_eq!(refused, [expected]);

    let torn = take_in(&stand, text.trim_end().as_bytes()).err().unwrap();
    assert_eq!(torn[0].rule, "LEDGER-FORM");
}
