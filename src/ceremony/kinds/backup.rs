//! `backup`: keys of tokens that were made to be backed up are sealed with all metadata, any M of N custodians open it, and that is proven. No metadata is
//! made. A genesis or another ceremony that makes metadata backs up as a step of its own, where its script says `[backup]`.

use super::{Kind, makes_nothing, no_outputs, refuse};
use crate::ceremony::event::Document;
use crate::ceremony::intake::Trusted;
use crate::ceremony::plan::Step;
use crate::ceremony::planning::{back_up, first_steps, wrapped};
use crate::ceremony::script::Script;
use crate::tuf::finding::Finding;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "backup",
    about: "token keys that may leave are sealed with all metadata, and shares are handed out",
    check,
    documents: |_, _| Vec::new(),
    steps,
    build: |_| Ok(Vec::new()),
    prove: |_, _| Vec::new(),
    publish: |_| Vec::new(),
    outputs: no_outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = makes_nothing(script);
    if script.backup.is_none() {
        findings.push(refuse("a backup says who opens it: give [backup]"));
    }
    if script.trusted_root_sha256.is_none() {
        findings.push(refuse(
            "a backup is of keys that metadata lists: give trusted_root_sha256",
        ));
    }
    if wrapped(script).next().is_none() {
        findings.push(refuse(
            "nothing is backed up: give a holder's key with backup = \"wrapped\"",
        ));
    }
    for (holder, role, key) in wrapped(script) {
        let Some(keyid) = key.keyid.as_ref().filter(|_| key.generate.is_none()) else {
            findings.push(refuse(format!(
                "{holder}.{role}: a backup makes no keys; give the keyid of the key that is backed up"
            )));
            continue;
        };
        if trusted.root().is_some() && trusted.listed_key(keyid).is_none() {
            findings.push(refuse(format!(
                "{holder}.{role}.keyid {keyid} is in no trusted metadata"
            )));
        }
    }
    findings
}

fn steps(script: &Script, _: &Trusted, _: &[Document]) -> Vec<Step> {
    let mut steps = first_steps(script);
    steps.extend(back_up(script));
    steps.extend([Step::Export, Step::Verdict, Step::Close]);
    steps
}
