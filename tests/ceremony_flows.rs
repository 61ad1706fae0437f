//! Whole ceremonies over real SoftHSM tokens, through the program itself; their bundles judged by `verify` and by independent clients.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod support;

#[path = "ceremony_flows/alive.rs"]
mod alive;
#[path = "ceremony_flows/chain.rs"]
mod chain;
#[path = "ceremony_flows/clients.rs"]
mod clients;
#[path = "ceremony_flows/counts.rs"]
mod counts;
#[path = "ceremony_flows/golden.rs"]
mod golden;
#[path = "ceremony_flows/one_payload.rs"]
mod one_payload;
#[path = "ceremony_flows/pins.rs"]
mod pins;
#[path = "ceremony_flows/proofs.rs"]
mod proofs;
#[path = "ceremony_flows/provisioned.rs"]
mod provisioned;
#[path = "ceremony_flows/refusals.rs"]
mod refusals;
#[path = "ceremony_flows/resume.rs"]
mod resume;
#[path = "ceremony_flows/travel.rs"]
mod travel;
#[path = "ceremony_flows/tree.rs"]
mod tree;
#[path = "ceremony_flows/vouched.rs"]
mod vouched;

use std::path::Path;
use std::sync::LazyLock;

use support::peers::Peer;
use support::scripts::example;
use support::stage::{EVERYBODY, Stage};

/// The stage after a genesis called `genesis`; every test copies it.
static GENESIS: LazyLock<Stage> = LazyLock::new(|| {
    let stage = Stage::with_tokens(&EVERYBODY);
    stage
        .ceremony("genesis", example("genesis-458", None))
        .finish();
    stage
});

fn python_accepts(first_root: &Path, bundle: &Path, version: u64) {
    let verdict = Peer::PythonTuf.root_chain(first_root, &bundle.join("metadata"));
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!(verdict.root_version, Some(version));
}
