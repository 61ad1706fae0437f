//! `restore`: keys of a backup are brought back, to a token or, for a server, into a file. Only what trusted metadata lists is restored.

use super::{Kind, makes_nothing, no_outputs, refuse};
use crate::ceremony::event::Document;
use crate::ceremony::intake::Trusted;
use crate::ceremony::plan::Step;
use crate::ceremony::planning::first_steps;
use crate::ceremony::script::{ROLES, RestoredKey, Script};
use crate::tuf::finding::Finding;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "restore",
    about: "keys of a backup are brought to tokens, or into files for servers",
    check,
    documents: |_, _| Vec::new(),
    steps,
    build: |_| Ok(Vec::new()),
    prove: |_, _| Vec::new(),
    publish: |_| Vec::new(),
    outputs: no_outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = needs_backup(script);
    let keys = script.restore.iter().flat_map(|restore| &restore.keys);
    let keys: Vec<_> = keys.collect();
    if keys.is_empty() {
        findings.push(refuse(
            "a restore says what is brought back: give [[restore.key]]",
        ));
    }
    for RestoredKey { keyid, holder } in keys {
        let role = trusted.listed_key(keyid).map(|(role, _)| role);
        let offline = role.as_deref().is_some_and(|role| ROLES.contains(&role));
        let text = match (holder, role) {
            (_, None) if trusted.root().is_some() => {
                let text = format!(
                    "trusted metadata does not list the key {keyid}: it was replaced, or is another repository's"
                );
                findings.push(Finding::error("RESTORE-UNKNOWN", "", text));
                continue;
            }
            (Some(name), _) if script.holder(name).is_none() => {
                format!(
                    "restore.key {keyid} goes to {name}, who is not in the script: give [[holder]]"
                )
            }
            (Some(_), Some(role)) if !offline => {
                format!(
                    "{keyid} is the key of a server ({role}), and no token takes it: remove holder"
                )
            }
            (None, Some(role)) if offline => {
                format!("{keyid} is a {role} key: it goes to a token and into no file; give holder")
            }
            _ => continue,
        };
        findings.push(refuse(text));
    }
    findings
}

/// What a ceremony that opens a backup must and must not say.
pub(super) fn needs_backup(script: &Script) -> Vec<Finding> {
    let mut findings = makes_nothing(script);
    if script.restore.is_none() {
        findings.push(refuse(format!(
            "a {} says which backup is opened, and by whom: give [restore]",
            script.kind
        )));
    }
    if script.trusted_root_sha256.is_none() {
        findings.push(refuse(format!(
            "a {} compares with trusted metadata: give trusted_root_sha256",
            script.kind
        )));
    }
    findings
}

/// The steps up to the open backup.
pub(super) fn opening(script: &Script) -> Vec<Step> {
    let mut steps = first_steps(script);
    steps.extend(script.restore.iter().map(|restore| Step::OpenBackup {
        custodians: restore.custodians.clone(),
    }));
    steps
}

fn steps(script: &Script, _: &Trusted, _: &[Document]) -> Vec<Step> {
    let mut steps = opening(script);
    let keys = script.restore.iter().flat_map(|restore| &restore.keys);
    steps.extend(keys.map(|RestoredKey { keyid, holder }| {
        let keyid = keyid.clone();
        match holder {
            Some(holder) => Step::Restore {
                holder: holder.clone(),
                keyid,
            },
            None => Step::RestoreFile { keyid },
        }
    }));
    steps.extend([Step::Export, Step::Verdict, Step::Close]);
    steps
}
