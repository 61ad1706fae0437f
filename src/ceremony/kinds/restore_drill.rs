//! `restore-drill`: the yearly proof that a backup opens. Custodians come with their sheets; every large enough group of them opens the file, every key in it
//! is compared with its public half, and nothing leaves locked memory.

use super::restore::{needs_backup, opening};
use super::{Kind, no_outputs, refuse};
use crate::ceremony::event::Document;
use crate::ceremony::intake::Trusted;
use crate::ceremony::plan::Step;
use crate::ceremony::script::Script;
use crate::tuf::finding::Finding;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "restore-drill",
    about: "custodians open a backup in locked memory, and nothing of it is kept",
    check,
    documents: |_, _| Vec::new(),
    steps,
    build: |_| Ok(Vec::new()),
    prove: |_, _| Vec::new(),
    publish: |_| Vec::new(),
    outputs: no_outputs,
};

fn check(script: &Script, _: &Trusted) -> Vec<Finding> {
    let mut findings = needs_backup(script);
    let restores = script
        .restore
        .as_ref()
        .is_some_and(|restore| !restore.keys.is_empty());
    if restores {
        findings.push(refuse(
            "a drill brings nothing back: remove [[restore.key]], or run a ceremony of the kind restore",
        ));
    }
    findings
}

fn steps(script: &Script, _: &Trusted, _: &[Document]) -> Vec<Step> {
    let mut steps = opening(script);
    steps.extend([Step::Export, Step::Verdict, Step::Close]);
    steps
}
