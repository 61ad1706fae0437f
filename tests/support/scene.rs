//! A finished bundle: root v1 to v2, made by hand the way a ceremony makes it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "tests; no test program uses every helper"
)]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tuf_ceremony::bundle::files::{self, create_new};
use tuf_ceremony::bundle::manifest::Manifest;
use tuf_ceremony::ceremony::event::{Document, Event, Mode, Quorum, Signer, ceremony_id};
use tuf_ceremony::ceremony::plan::Step;
use tuf_ceremony::transcript::writer::Writer;
use tuf_ceremony::tuf::digest::Sha256;
use tuf_ceremony::tuf::envelope::Envelope;

use super::forge;

pub const SCRIPT: &[u8] = b"kind = \"admin-key\"\n";

/// What to do differently.
#[derive(Clone)]
pub struct Plan {
    pub mode: Mode,
    pub script: Vec<u8>,
    pub trusted_root: Option<Sha256>,
    pub abandoned: Option<Sha256>,
    pub closed: bool,
    pub manifest_recorded: bool,
    /// Holders that the transcript says have signed.
    pub signers: Vec<u8>,
}

pub struct Bundle {
    pub folder: TempDir,
    pub old: Envelope,
    pub new: Envelope,
}

impl Bundle {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A sound bundle, but for what `change` does to the plan.
pub fn bundle(change: impl FnOnce(&mut Plan)) -> Bundle {
    let old = forge::signed(&forge::root(None, 1, &[1, 2, 3], 2), &[1, 2]);
    let mut plan = Plan {
        mode: Mode::Production,
        script: SCRIPT.to_vec(),
        trusted_root: Some(Sha256::of(&old.bytes())),
        abandoned: None,
        closed: true,
        manifest_recorded: true,
        signers: vec![1, 2, 3],
    };
    change(&mut plan);
    let mut new = forge::root(Some(&old), 2, &[2, 3, 4], 2);
    if plan.mode == Mode::Rehearsal {
        new = forge::rehearsal(&new);
    }
    let new = forge::signed(&new, &[1, 2, 3]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("1.root.json"), old.bytes()).unwrap();
    let bundle = Bundle { folder, old, new };
    write(&bundle, &plan);
    bundle
}

fn write(bundle: &Bundle, plan: &Plan) {
    let out = bundle.path("bundle");
    let mut writer = {
        fs::create_dir(&out).unwrap();
        Writer::create(&out.join("transcript.jsonl")).unwrap()
    };
    let mut record = |event: Event| writer.append(jiff::Timestamp::UNIX_EPOCH, &event).unwrap();
    let ceremony = ceremony_id(SCRIPT, plan.trusted_root);
    let document = Document {
        role: "root".to_owned(),
        version: 2,
    };
    let steps = steps(&document);
    record(Event::Opened {
        tool: "tuf-ceremony 0.1.0".to_owned(),
        program: Sha256([1; 32]),
        mode: plan.mode,
        kind: "admin-key".to_owned(),
        title: "Change keys".to_owned(),
        script: Sha256::of(SCRIPT),
        trusted_root: plan.trusted_root,
        ceremony,
        modules: Vec::new(),
        holders: None,
    });
    record(Event::PlanFixed {
        sha256: Sha256([2; 32]),
        steps: steps.clone(),
        minutes: 5,
    });
    for (index, step) in steps.iter().enumerate() {
        record(Event::StepStarted { step: index });
        work(bundle, plan, &document, step, ceremony, &mut record);
        record(Event::StepDone { step: index });
    }
    if plan.closed {
        record(Event::Closed);
    }
}

fn steps(document: &Document) -> Vec<Step> {
    vec![
        Step::Intake,
        Step::Supersede {
            document: document.clone(),
        },
        Step::Build,
        Step::Review {
            document: document.clone(),
        },
        Step::Shadow,
        Step::Collect,
        Step::Export,
    ]
}

fn work(
    bundle: &Bundle,
    plan: &Plan,
    document: &Document,
    step: &Step,
    ceremony: Sha256,
    record: &mut impl FnMut(Event),
) {
    let (document, payload) = (document.clone(), bundle.new.payload_digest());
    match step {
        Step::Intake => record(Event::TakenIn {
            file: files::digest("trusted/1.root.json", &bundle.old.bytes()),
        }),
        Step::Supersede { .. } => {
            if let Some(abandoned) = plan.abandoned {
                record(Event::Superseded {
                    document: document.clone(),
                    abandoned,
                    signed_by: vec!["alice".to_owned()],
                });
            }
        }
        Step::Build => record(Event::Built {
            document,
            payload,
            size: 1,
            quorums: vec![Quorum {
                by: "the keys of root v1 (old)".to_owned(),
                needed: 2,
                signers: plan.signers.iter().map(|number| signer(*number)).collect(),
            }],
        }),
        Step::Review { .. } => record(Event::Reviewed {
            document,
            payload,
            rows: 1,
            seen: None,
        }),
        Step::Shadow => record(Event::ShadowPassed {
            document,
            signers: Vec::new(),
        }),
        Step::Collect => {
            for number in &plan.signers {
                record(Event::Imported {
                    document: document.clone(),
                    payload,
                    signer: signer(*number),
                    sig: sig(*number, &bundle.new),
                    part: Sha256([3; 32]),
                });
            }
        }
        _ => export(bundle, plan, ceremony, record),
    }
}

fn export(bundle: &Bundle, plan: &Plan, ceremony: Sha256, record: &mut impl FnMut(Event)) {
    let out = bundle.path("bundle");
    let mut put = |name: &str, bytes: &[u8], recorded: bool| {
        create_new(&out.join(name), bytes).unwrap();
        if recorded {
            record(Event::Written {
                file: files::digest(name, bytes),
            });
        }
    };
    put("ceremony/script.toml", &plan.script, true);
    put("metadata/1.root.json", &bundle.old.bytes(), true);
    put("metadata/2.root.json", &bundle.new.bytes(), true);
    let manifest = Manifest::of(ceremony, plan.mode, &files::read_folder(&out).unwrap()).unwrap();
    put("manifest.json", &manifest.to_vec(), plan.manifest_recorded);
}

fn signer(number: u8) -> Signer {
    Signer {
        holder: format!("holder-{number}"),
        keyid: forge::keyid(number),
    }
}

fn sig(number: u8, envelope: &Envelope) -> String {
    data_encoding::HEXLOWER.encode(&forge::signature(number, &envelope.payload()))
}

/// Writes a file anew, as somebody who tampers would.
pub fn replace(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}
