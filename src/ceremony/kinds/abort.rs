//! `abort`: an unfinished ceremony is given up for good. Its payloads and everybody who signed them are put on record, so that sign, merge and verify
//! refuse them from then on.

use super::{Kind, no_outputs, refuse};
use crate::ceremony::event::Document;
use crate::ceremony::intake::Trusted;
use crate::ceremony::plan::Step;
use crate::ceremony::planning::first_steps;
use crate::ceremony::script::Script;
use crate::tuf::finding::Finding;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "abort",
    about: "give up an unfinished ceremony and name what was signed in it",
    check,
    documents: |_, _| Vec::new(),
    steps,
    build: |_| Ok(Vec::new()),
    prove: |_, _| Vec::new(),
    publish: |_| Vec::new(),
    outputs: no_outputs,
};

fn check(script: &Script, _: &Trusted) -> Vec<Finding> {
    let mut findings = Vec::new();
    if script.abandons.is_empty() {
        findings.push(refuse("an abort names what is given up: give [[abandons]]"));
    }
    if !script.roles().is_empty() {
        findings.push(refuse(
            "an abort makes no metadata: remove [root], [targets] and [bins]",
        ));
    }
    findings
}

fn steps(script: &Script, _: &Trusted, _: &[Document]) -> Vec<Step> {
    let mut steps = first_steps(script);
    steps.extend([Step::Abandon, Step::Export, Step::Verdict, Step::Close]);
    steps
}
