//! Proofs of life on record, changed by somebody who wants a dead key to look alive: the whole chain is made anew, and `verify` names what is wrong.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tuf_ceremony::bundle::files;
use tuf_ceremony::ceremony::event::{Event, ceremony_id};
use tuf_ceremony::transcript::{self, Line};
use tuf_ceremony::tuf::digest::Sha256;

use crate::GENESIS;
use crate::support::record;
use crate::support::scripts::{example, newest_root};
use crate::support::stage::Stage;

const NOT_OVER: &str = "the signature does not verify over the challenge of this ceremony, this key and the recorded nonce";
const NOT_LISTED: &str = "the key on record is neither in the bundle's metadata for that role nor did it enter the ceremony";
const TWICE: &str = "its nonce was used before: one signature proves a key alive once";

/// The example check-in, finished.
struct CheckIn {
    stage: Stage,
    bundle: PathBuf,
    first_root: PathBuf,
}

/// What a forger can change of a proof.
struct Proof<'a> {
    holder: &'a str,
    key: &'a mut String,
    nonce: &'a mut String,
    sig: &'a mut String,
}

impl CheckIn {
    fn new() -> Self {
        let stage = GENESIS.copy();
        let genesis = stage.bundle("genesis");
        let script = example("check-in", Some(&genesis));
        let bundle = stage.ceremony("check-in", script).after(&genesis).finish();
        Self {
            first_root: genesis.join("metadata/1.root.json"),
            stage,
            bundle,
        }
    }

    /// The bundle with a record that was written anew after a change.
    fn forged(&self, from: &Path, name: &str, change: impl Fn(&mut Event)) -> PathBuf {
        let copy = self.stage.path(name);
        let status = self
            .stage
            .command("cp")
            .arg("-a")
            .arg(from)
            .arg(&copy)
            .status();
        assert!(status.unwrap().success());
        let mut text = String::new();
        let mut prev = Sha256([0; 32]);
        for mut line in record::transcript(from).lines {
            change(&mut line.event);
            let json = serde_json::to_string(&Line { prev, ..line }).unwrap();
            prev = Sha256::of(json.as_bytes());
            writeln!(text, "{json}").unwrap();
        }
        let read = transcript::read(text.as_bytes());
        assert!(read.is_ok(), "{name}: the chain was made anew");
        fs::write(copy.join(transcript::NAME), text).unwrap();
        copy
    }

    /// Rule and text of every error that `verify` tells.
    fn errors(&self, bundle: &Path) -> Vec<(String, String)> {
        let (code, report) = self.stage.verify(&self.first_root, bundle);
        let findings = report["findings"].as_array().unwrap().iter();
        let errors = findings.filter(|finding| finding["level"] == "error");
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
        let errors: Vec<_> = errors
            .map(|error| (text(error, "rule"), text(error, "text")))
            .collect();
        assert_eq!(code, i32::from(!errors.is_empty()), "{report:#}");
        errors
    }

    /// So many proofs for `role`, changed so, are refused by this rule, and nothing else is.
    fn refused(
        &self,
        role: &str,
        count: usize,
        wanted: &str,
        text: &str,
        change: &dyn Fn(Proof<'_>),
    ) {
        let name = format!("{role} {text}");
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("{name}-{count}-{}", self.count());
        let forged = self.forged(&self.bundle, &name, |event| proof(event, role, change));
        let errors = self.errors(&forged);
        assert_eq!(errors.len(), count, "{errors:#?}");
        for (found, told) in &errors {
            assert_eq!(found, wanted, "{told}");
            assert!(told.ends_with(text), "{told}");
        }
    }

    fn count(&self) -> usize {
        fs::read_dir(self.stage.path(".")).unwrap().count()
    }
}

fn proof(event: &mut Event, wanted: &str, change: &dyn Fn(Proof<'_>)) {
    if let Event::Proven {
        role,
        holder,
        key,
        nonce,
        sig,
        ..
    } = event
        && role == wanted
    {
        change(Proof {
            holder,
            key,
            nonce,
            sig,
        });
    }
}

/// Nonce, signature and key of the first proof and of the last.
fn first_and_last(bundle: &Path) -> [(String, String, String); 2] {
    let proofs = record::events(bundle)
        .into_iter()
        .filter_map(|event| match event {
            Event::Proven {
                nonce, sig, key, ..
            } => Some((nonce, sig, key)),
            _ => None,
        });
    let proofs: Vec<_> = proofs.collect();
    assert_eq!(proofs.len(), 7);
    [proofs[0].clone(), proofs[6].clone()]
}

#[test]
fn a_check_in_is_verified_again_offline_and_every_change_to_a_proof_is_named() {
    let check_in = CheckIn::new();
    assert_eq!(check_in.errors(&check_in.bundle), []);
    let [first, last] = first_and_last(&check_in.bundle);
    let signature = "PROOF-SIGNATURE";
    check_in.refused("root", 3, signature, NOT_OVER, &|of| {
        let other = if of.nonce.ends_with('0') { "1" } else { "0" };
        of.nonce.replace_range(of.nonce.len() - 1.., other);
    });
    check_in.refused("root", 3, signature, NOT_OVER, &|of| {
        of.nonce.push_str("00");
    });
    check_in.refused("targets", 2, signature, NOT_OVER, &|of| {
        of.sig.clone_from(&last.1);
    });
    check_in.refused("bins", 2, signature, NOT_OVER, &|of| of.sig.clear());
    check_in.refused("bins", 2, "PROOF-KEY", NOT_LISTED, &|of| {
        of.key.clone_from(&last.2);
    });
    check_in.refused("bins", 2, "PROOF-KEY", NOT_LISTED, &|of| {
        "{}".clone_into(of.key);
    });
    // One proof for three holders.
    check_in.refused("root", 2, signature, TWICE, &|of| {
        if of.holder != "alice" {
            of.nonce.clone_from(&first.0);
            of.sig.clone_from(&first.1);
        }
    });
}

#[test]
fn a_proof_of_another_ceremony_proves_nothing() {
    let check_in = CheckIn::new();
    let moved = check_in.forged(&check_in.bundle, "another script", |_| ());
    let path = moved.join("ceremony/script.toml");
    let script = fs::read_to_string(&path).unwrap();
    let script = script.replace("Half-yearly", "Yearly");
    fs::write(&path, &script).unwrap();
    let root = newest_root(&check_in.stage.bundle("genesis"));
    let id = ceremony_id(script.as_bytes(), Some(root));
    let moved = check_in.forged(&moved, "moved", |event| match event {
        Event::Opened {
            script: digest,
            ceremony,
            ..
        } => {
            *digest = Sha256::of(script.as_bytes());
            *ceremony = id;
        }
        Event::Written { file } if file.path == "ceremony/script.toml" => {
            *file = files::digest(&file.path, script.as_bytes());
        }
        _ => {}
    });
    let errors = check_in.errors(&moved);
    let proofs = errors
        .iter()
        .filter(|(rule, text)| rule == "PROOF-SIGNATURE" && text.ends_with(NOT_OVER));
    assert_eq!(proofs.count(), 7, "{errors:#?}");
}
