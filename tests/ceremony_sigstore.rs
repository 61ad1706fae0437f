//! A renewal of Sigstore's production root, which has expired, is prepared, reviewed and carried away unsigned.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;
use support::record;
use support::scripts::in_days;
use support::stage::Stage;
use tuf_ceremony::bundle::part::Part;
use tuf_ceremony::tuf::canonical;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;
use tuf_ceremony::tuf::json::Limits;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/sigstore-root");
    let absent = !folder.is_dir();
    let trial = |name: &str, test: fn(&Path)| {
        let folder: PathBuf = folder.clone();
        Trial::test(name, move || {
            test(&folder);
            Ok(())
        })
        .with_ignored_flag(absent)
    };
    let trials = vec![
        trial(
            "the_expired_root_becomes_an_unsigned_travelling_document_with_its_fields_byte_kept",
            unsigned_v16,
        ),
        trial(
            "holders_are_bound_to_their_keys_by_the_owners_that_the_root_names",
            bound_by_owner,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Root v16 with the keys of v15's five holders; nobody is here.
fn script(folder: &Path) -> String {
    script_with(folder, &|index, owner, keyid| {
        format!("name = \"holder-{index}\"\nperson = {owner}\nroot.keyid = {keyid}\n")
    })
}

fn script_with(folder: &Path, holder: &dyn Fn(usize, &Value, &Value) -> String) -> String {
    let newest = fs::read(folder.join("15.root.json")).unwrap();
    let root: Value = serde_json::from_slice(&newest).unwrap();
    let mut script = format!(
        "schema = \"tuf-ceremony/script/1\"\nkind = \"renew\"\ntitle = \"Sigstore root v16\"\nprofile = \"room\"\ntrusted_root_sha256 = \"{}\"\n\n[root]\nversion = 16\nexpires = \"{}\"\n",
        Sha256::of(&newest),
        in_days(180)
    );
    let keyids = root["signed"]["roles"]["root"]["keyids"]
        .as_array()
        .unwrap();
    for (index, keyid) in keyids.iter().enumerate() {
        let owner = &root["signed"]["keys"][keyid.as_str().unwrap()]["x-tuf-on-ci-keyowner"];
        let _ = write!(script, "\n[[holder]]\n{}", holder(index + 1, owner, keyid));
    }
    script
}

fn unsigned_v16(folder: &Path) {
    let stage = Stage::with_tokens(&[]);
    let mut ceremony = stage.ceremony("v16", script(folder));
    for version in 1..=15 {
        let name = format!("{version}.root.json");
        ceremony = ceremony.carry_in(&folder.join(&name), &format!("trusted/{name}"));
    }
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    assert!(outcome.err.contains("3 needed, 0 signed"), "{outcome:?}");
    assert!(
        outcome.out.contains("warning TRUSTED-EXPIRED"),
        "{outcome:?}"
    );
    let out = ceremony.output();
    assert!(record::prompts(&out).contains(&"review:root-16".to_owned()));

    let part = fs::read(out.join("parts/root-16.part.json")).unwrap();
    let part = Part::parse("root-16.part.json", &part).unwrap();
    assert!(
        part.envelope
            .signatures()
            .iter()
            .all(|signature| signature.sig.is_empty())
    );
    let old = fs::read(folder.join("15.root.json")).unwrap();
    let old = Envelope::parse("15.root.json", old, Limits::SMALL).unwrap();
    let changed = ["version", "expires"];
    let mut kept = 0;
    for (name, member) in old.signed().members() {
        let now = part
            .envelope
            .signed()
            .get(&name)
            .expect("no member is lost");
        if !changed.contains(&name.as_ref()) {
            assert_eq!(canonical::to_vec(now), canonical::to_vec(member), "{name}");
            kept += 1;
        }
    }
    assert_eq!(kept, 7);
    // Nothing is added but what makes it worthless.
    let added = part.envelope.signed().members();
    let added = added.filter(|(name, _)| old.signed().get(name).is_none());
    let added: Vec<_> = added.map(|(name, _)| name.into_owned()).collect();
    assert_eq!(added, ["x-tuf-ceremony-rehearsal"]);
}

/// The same with holders who are named as tuf-on-ci names the owners, and no keyid.
fn bound_by_owner(folder: &Path) {
    let script = script_with(folder, &|_, owner, _| {
        let name = owner.as_str().unwrap().trim_start_matches('@');
        format!("name = \"{name}\"\nperson = {owner}\n")
    });
    let stage = Stage::with_tokens(&[]);
    let mut ceremony = stage.ceremony("v16", script);
    for version in 1..=15 {
        let name = format!("{version}.root.json");
        ceremony = ceremony.carry_in(&folder.join(&name), &format!("trusted/{name}"));
    }
    let outcome = ceremony.run();
    assert_eq!(outcome.code, 3, "{outcome:?}");
    let missing =
        "3 needed, 0 signed; missing: mnm678, santiagotorres, bobcallaway, joshuagl, lance";
    assert_eq!(outcome.err.matches(missing).count(), 2, "{outcome:?}");
    for name in [
        "mnm678",
        "santiagotorres",
        "bobcallaway",
        "joshuagl",
        "lance",
    ] {
        let step = format!("Sign root v16: {name}\n");
        assert!(outcome.out.contains(&step), "{outcome:?}");
    }
}
