//! `provision`: tokens are erased, given new secrets and made to make their keys, one holder after the other. Nothing is signed but the proof that each
//! new key works; a genesis or an admin-key lists them later, by their keyids.

use super::{Kind, no_outputs, refuse};
use crate::ceremony::event::Document;
use crate::ceremony::intake::Trusted;
use crate::ceremony::plan::{KeyChoice, Step};
use crate::ceremony::planning::first_steps;
use crate::ceremony::script::{Holder, Script};
use crate::tuf::finding::Finding;
use crate::tuf::key::Algorithm;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "provision",
    about: "tokens are erased and get new secrets, keys and bags",
    check,
    documents: |_, _| Vec::new(),
    steps,
    build: |_| Ok(Vec::new()),
    prove: |_, _| Vec::new(),
    publish: |_| Vec::new(),
    outputs: no_outputs,
};

fn check(script: &Script, _: &Trusted) -> Vec<Finding> {
    let mut findings = super::makes_nothing(script);
    if script.holders.is_empty() {
        findings.push(refuse("a provisioning names whose tokens: give [[holder]]"));
    }
    for holder in &script.holders {
        if made(holder).next().is_none() {
            findings.push(refuse(format!(
                "{} makes no key: give root.generate or another",
                holder.name
            )));
        }
        for (role, key) in holder.keys() {
            if key.generate.is_none() || key.old_keyid.is_some() {
                findings.push(refuse(format!(
                    "an erased token has no key left: {}.{role} may say generate only",
                    holder.name
                )));
            }
        }
    }
    findings
}

/// The keys that a holder's token makes.
fn made(holder: &Holder) -> impl Iterator<Item = (&'static str, Algorithm)> {
    let keys = holder.keys();
    keys.filter_map(|(role, key)| Some((role, key.generate?)))
}

fn steps(script: &Script, trusted: &Trusted, _: &[Document]) -> Vec<Step> {
    let mut steps = first_steps(script);
    // A register may come without metadata: before a genesis there is none.
    if !steps.contains(&Step::Intake) && !trusted.files.is_empty() {
        steps.push(Step::Intake);
    }
    for holder in &script.holders {
        let name = || holder.name.clone();
        steps.extend([
            Step::OpenBag { holder: name() },
            Step::Provision { holder: name() },
        ]);
        steps.extend(made(holder).map(|(role, algorithm)| Step::Enrol {
            holder: name(),
            role: role.to_owned(),
            generate: Some(algorithm),
            keyid: None,
        }));
        steps.extend(made(holder).map(|(role, _)| Step::Prove {
            holder: name(),
            role: role.to_owned(),
            key: KeyChoice::Made {
                role: role.to_owned(),
            },
        }));
        steps.push(Step::CloseBag { holder: name() });
    }
    steps.extend([Step::Export, Step::Verdict, Step::Close]);
    steps
}
