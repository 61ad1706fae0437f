//! `check-in`: holders prove that their keys are alive, without anything being signed that could be published. The register is carried away with the
//! day on which each key was last seen.

use super::{Kind, no_outputs, refuse};
use crate::ceremony::event::Document;
use crate::ceremony::intake::Trusted;
use crate::ceremony::material::is_trusted;
use crate::ceremony::plan::{KeyChoice, Step};
use crate::ceremony::planning::first_steps;
use crate::ceremony::script::{Holder, Script};
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "check-in",
    about: "holders prove their keys alive; nothing is signed that could be published",
    check,
    documents: |_, _| Vec::new(),
    steps,
    build: |_| Ok(Vec::new()),
    prove: |_, _| Vec::new(),
    publish: |_| Vec::new(),
    outputs: no_outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = super::makes_nothing(script);
    if script.trusted_root_sha256.is_none() {
        findings.push(refuse(
            "a check-in is about keys that metadata lists: give trusted_root_sha256",
        ));
    }
    if script.holders.is_empty() {
        findings.push(refuse("a check-in names who comes: give [[holder]]"));
    }
    for holder in &script.holders {
        let keys: Vec<_> = roles(holder).collect();
        if keys.is_empty() {
            findings.push(refuse(format!(
                "{} has no key that is found by its keyid: give root.keyid or another",
                holder.name
            )));
        }
        for (role, key) in holder.keys() {
            if key.keyid.is_none() || key.old_keyid.is_some() {
                findings.push(refuse(format!(
                    "a check-in finds keys and makes or replaces none: {}.{role} may say keyid only",
                    holder.name
                )));
            }
        }
        for (role, keyid) in keys {
            if trusted.root().is_some() && !is_trusted(trusted, role, keyid) {
                findings.push(refuse(format!(
                    "{}.{role}.keyid {keyid} is not a {role} key in trusted metadata",
                    holder.name
                )));
            }
        }
    }
    findings
}

/// The roles that a holder has a listed key for.
fn roles(holder: &Holder) -> impl Iterator<Item = (&'static str, &KeyId)> {
    let keys = holder.keys();
    keys.filter_map(|(role, key)| Some((role, key.keyid.as_ref()?)))
}

fn steps(script: &Script, _: &Trusted, _: &[Document]) -> Vec<Step> {
    let mut steps = first_steps(script);
    for holder in &script.holders {
        steps.extend(roles(holder).map(|(role, keyid)| Step::Prove {
            holder: holder.name.clone(),
            role: role.to_owned(),
            key: KeyChoice::Keyid(keyid.clone()),
        }));
    }
    steps.extend([Step::Export, Step::Verdict, Step::Close]);
    steps
}
