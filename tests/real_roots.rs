//! Sigstore's production roots 1 to 15, as they were published: every one holds, and what is odd about it is named. And the bootstrap of PyPI's
//! development service.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use tuf_ceremony::pypi::rstuf::{self, Payload};
use tuf_ceremony::tuf::chain::{Chain, follow};
use tuf_ceremony::tuf::verification::SignatureClass;

type Test = fn(&Chain);

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/sigstore-root");
    let absent = !folder.is_dir();
    let tests: [(&str, Test); 7] = [
        ("all_fifteen_roots_hold_with_three_of_five", all_hold),
        ("dates_of_the_first_three_roots_are_foreign", foreign_dates),
        ("keys_of_the_first_four_roots_are_hex_points", hex_points),
        ("incident_sigstore_v11_keyid", wrong_keyid),
        (
            "second_signatures_under_old_keyids_raise_no_count",
            second_signatures,
        ),
        ("empty_placeholders_do_not_count", placeholders),
        ("keyids_in_findings_are_whole", whole_keyids),
    ];
    let trials = tests
        .into_iter()
        .map(|(name, test)| {
            let folder = folder.clone();
            Trial::test(name, move || {
                test(&sigstore(&folder));
                Ok(())
            })
            .with_ignored_flag(absent)
        })
        .chain([{
            let folder = folder.clone();
            Trial::test("a_changed_byte_ends_the_chain", move || {
                changed_byte(&folder);
                Ok(())
            })
            .with_ignored_flag(absent)
        }])
        .chain([{
            let file = folder
                .with_file_name("pypi-dev-bootstrap")
                .join("bootstrap.json");
            let absent = !file.is_file();
            Trial::test(
                "pypis_development_bootstrap_has_three_wrong_keyids",
                move || {
                    development_bootstrap(&file);
                    Ok(())
                },
            )
            .with_ignored_flag(absent)
        }])
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn file(path: PathBuf) -> (String, Vec<u8>) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    (name, fs::read(path).unwrap())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    (2..=15)
        .map(|version| file(folder.join(format!("{version}.root.json"))))
        .collect()
}

fn sigstore(folder: &Path) -> Chain {
    follow(file(folder.join("1.root.json")), files(folder))
}

/// The files that a rule is about.
fn files_with<'a>(chain: &'a Chain, rule: &str) -> Vec<&'a str> {
    chain
        .findings
        .iter()
        .filter(|finding| finding.rule == rule)
        .map(|finding| finding.file.as_str())
        .collect()
}

fn all_hold(chain: &Chain) {
    assert!(chain.holds(), "{:#?}", chain.findings);
    let versions: Vec<u64> = chain
        .roots
        .iter()
        .map(|root| root.root.header.version)
        .collect();
    assert_eq!(versions, (1..=15).collect::<Vec<_>>());
    for root in &chain.roots {
        let reports = root.old.iter().chain([&root.new]);
        for report in reports {
            assert_eq!(report.needed, 3, "{}", root.file);
            assert!((3..=5).contains(&report.signed.len()), "{}", root.file);
        }
    }
}

fn foreign_dates(chain: &Chain) {
    let files = ["1.root.json", "2.root.json", "3.root.json"];
    assert_eq!(files_with(chain, "EXPIRES-FOREIGN"), files);
    let first = chain
        .findings
        .iter()
        .find(|finding| finding.rule == "EXPIRES-FOREIGN");
    assert_eq!(
        first.unwrap().text,
        "expires is written 2021-12-18T13:28:12.99008-06:00, not YYYY-MM-DDTHH:MM:SSZ; some clients cannot read it"
    );
}

fn hex_points(chain: &Chain) {
    let files = ["1.root.json", "2.root.json", "3.root.json", "4.root.json"];
    assert_eq!(files_with(chain, "KEY-HEX-POINT"), files);
}

fn wrong_keyid(chain: &Chain) {
    assert_eq!(files_with(chain, "KEYID-MISMATCH"), ["11.root.json"]);
}

fn second_signatures(chain: &Chain) {
    for version in [5, 9, 10] {
        let root = &chain.roots[version - 1];
        let entries = root.envelope.signatures().len();
        for report in root.old.iter().chain([&root.new]) {
            assert!(entries > 5 && report.signed.len() <= 5, "{}", root.file);
            let unknown = report
                .signatures
                .iter()
                .filter(|(_, class)| *class == SignatureClass::UnknownKey)
                .count();
            assert_eq!(entries, report.signed.len() + unknown, "{}", root.file);
        }
    }
}

fn placeholders(chain: &Chain) {
    for version in [12, 13, 14] {
        let root = &chain.roots[version - 1];
        let mut classes = root
            .old
            .iter()
            .chain([&root.new])
            .flat_map(|report| &report.signatures);
        let is_empty = |(_, class): &(_, SignatureClass)| *class == SignatureClass::Empty;
        assert!(classes.any(is_empty), "{}", root.file);
    }
}

fn whole_keyids(chain: &Chain) {
    let mismatch = chain
        .findings
        .iter()
        .find(|finding| finding.rule == "KEYID-MISMATCH");
    let text = &mismatch.unwrap().text;
    let keyids = text
        .split([' ', ',', ';'])
        .filter(|word| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(keyids.count(), 2, "{text}");
}

fn changed_byte(folder: &Path) {
    let mut files = files(folder);
    let seventh = &mut files[5].1;
    let text = String::from_utf8(seventh.clone()).unwrap();
    *seventh = text
        .replacen("\"threshold\": 3", "\"threshold\": 2", 1)
        .into_bytes();
    assert_ne!(*seventh, text.into_bytes());
    let chain = follow(file(folder.join("1.root.json")), files);
    assert_eq!(chain.newest().unwrap().root.header.version, 6);
    assert_eq!(files_with(&chain, "ROOT-THRESHOLD-OLD"), ["7.root.json"]);
    assert_eq!(files_with(&chain, "ROOT-THRESHOLD-NEW"), ["7.root.json"]);
}

/// Made by RSTUF's command line; its one signature is right, and nothing of it would be dropped.
fn development_bootstrap(file: &Path) {
    let bytes = fs::read(file).unwrap();
    let findings = rstuf::lint("bootstrap.json", &bytes).unwrap();
    let rules: Vec<_> = findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect();
    assert_eq!(rules, ["RSTUF-KEYID"; 3], "{findings:#?}");
    let Ok(Payload::Bootstrap { settings, root }) = rstuf::read("bootstrap.json", &bytes) else {
        panic!("a bootstrap");
    };
    assert_eq!(root.header.version, 1);
    let again = rstuf::bootstrap(&settings, &root.envelope, 300);
    let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let mut found = value(&bytes);
    found["timeout"] = 300.into();
    assert_eq!(value(&again), found);
}
