//! The kinds of ceremony. Each says what a script of it must and must not ask for, which documents it makes, and what must be provable about them;
//! steps, prompts and screens know no kinds. To add one: a file here, a line in [`KINDS`], a script in ceremony-scripts/ with its section in that
//! folder's README.

mod abort;
mod admin_key;
mod backup;
mod check_in;
mod claim;
mod genesis;
mod provision;
mod redelegate;
mod renew;
mod renew_ephemeral;
mod restore;
mod restore_drill;
mod rotate_dev;

use super::candidate::Candidate;
use super::event::Document;
use super::intake::Trusted;
use super::material::{Material, is_trusted};
use super::plan::Step;
use super::script::{Custody, ROLES, Role, Script, delegator_of};
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

/// One kind of ceremony.
pub struct Kind {
    /// Its name in scripts.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// What a script asks for that this kind does not do. Error findings end the ceremony before anything is opened.
    pub check: fn(&Script, &Trusted) -> Vec<Finding>,
    /// The documents, in the order they are published.
    pub documents: fn(&Script, &Trusted) -> Vec<Document>,
    /// The steps, in order, given the documents.
    pub steps: fn(&Script, &Trusted, &[Document]) -> Vec<Step>,
    /// Builds the candidates, in the order of `documents`.
    pub build: fn(&Material<'_>) -> Result<Vec<Candidate>, Finding>,
    /// What is proven about the candidates by looking at them.
    pub prove: fn(&Material<'_>, &[Candidate]) -> Vec<Finding>,
    /// What the online side does with the files, in order.
    pub publish: fn(&[Candidate]) -> Vec<PublishStep>,
    /// What is written beside the metadata, for the online side and for strangers who check.
    pub outputs: fn(&Material<'_>, &[Candidate]) -> Result<Outputs, Finding>,
}

/// What a ceremony gives beside metadata.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Files by their path in the bundle.
    pub files: Vec<(String, Vec<u8>)>,
    /// `projects` of `online/online-actions.json`: what is done to single projects, each with the digest of what it replaces.
    pub projects: Option<serde_json::Value>,
}

/// Nothing beside metadata.
#[allow(
    clippy::unnecessary_wraps,
    reason = "one of several functions of this form"
)]
fn no_outputs(_: &Material<'_>, _: &[Candidate]) -> Result<Outputs, Finding> {
    Ok(Outputs::default())
}

/// One step of publication: these files appear together.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PublishStep {
    /// Paths in the bundle.
    pub files: Vec<String>,
    /// What to do, in words.
    pub action: String,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    genesis::KIND,
    renew::KIND,
    renew_ephemeral::KIND,
    admin_key::KIND,
    redelegate::KIND,
    rotate_dev::KIND,
    claim::KIND,
    provision::KIND,
    check_in::KIND,
    backup::KIND,
    restore_drill::KIND,
    restore::KIND,
    abort::KIND,
];

/// The kind that a script names.
///
/// # Errors
/// Rule `SCRIPT-KIND`.
pub fn of(file: &str, script: &Script) -> Result<&'static Kind, Finding> {
    KINDS
        .iter()
        .find(|kind| kind.name == script.kind)
        .ok_or_else(|| {
            let text = format!(
                "there is no kind {:?}; there are {}",
                script.kind,
                names().join(", ")
            );
            Finding::error("SCRIPT-KIND", file, text)
        })
}

/// The names of all kinds.
pub fn names() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

fn refuse(text: impl Into<String>) -> Finding {
    Finding::error("SCRIPT-ROLE", "", text)
}

/// A kind that makes no metadata.
fn makes_nothing(script: &Script) -> Vec<Finding> {
    let asked = [
        (
            !script.roles().is_empty(),
            "[root], [targets] and every other role",
        ),
        (!script.online.is_empty(), "[[online]]"),
        (!script.supersedes.is_empty(), "[[supersedes]]"),
        (!script.abandons.is_empty(), "[[abandons]]"),
    ];
    let asked = asked.into_iter().filter(|(asks, _)| *asks);
    asked
        .map(|(_, what)| {
            refuse(format!(
                "a {} makes no metadata: remove {what}",
                script.kind
            ))
        })
        .collect()
}

/// Everything under one new snapshot, and root last: what it names is there, signed by old and new keys, before any client learns the new keys.
fn publish_together(candidates: &[Candidate]) -> Vec<PublishStep> {
    let paths = |root: bool| {
        let of = |candidate: &&Candidate| (candidate.document.role == "root") == root;
        candidates
            .iter()
            .filter(of)
            .map(Candidate::path)
            .collect::<Vec<_>>()
    };
    let mut steps = Vec::new();
    if !paths(false).is_empty() {
        steps.push(PublishStep {
            files: paths(false),
            action: "publish with a new snapshot and timestamp that list them".to_owned(),
        });
    }
    if !paths(true).is_empty() {
        steps.push(PublishStep {
            files: paths(true),
            action: "publish the root; never remove an older one".to_owned(),
        });
    }
    steps
}

/// Where keys change, the role that names them gets its next version too, and custody follows claimed.
fn stands_in_delegator(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let changes = |name: &str| {
        let changed = |role: &Role| {
            role.holders.is_some()
                || role.threshold.is_some()
                || role.keys == Some(Custody::Ephemeral)
        };
        script.role(name).is_some_and(changed)
    };
    let mut findings = Vec::new();
    for name in ROLES {
        let Some(delegator) = delegator_of(name) else {
            continue;
        };
        if changes(name) && script.role(delegator).is_none() {
            findings.push(refuse(format!(
                "new {name} keys stand in {delegator}: give [{delegator}] its next version"
            )));
        }
    }
    let custody = trusted.current("custody").is_some() && script.custody.is_none();
    if changes("claimed") && custody {
        findings.push(refuse(
            "custody is signed by the claimed keys, which change: give [custody] its next version",
        ));
    }
    findings
}

/// A kind that needs trusted metadata and a version of something, and names no key that is neither trusted nor to be listed.
fn needs_trust(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = Vec::new();
    if script.trusted_root_sha256.is_none() {
        findings.push(refuse(format!(
            "a {} starts from a trusted root: give trusted_root_sha256",
            script.kind
        )));
    }
    if script.roles().is_empty() && script.shards.is_none() {
        findings.push(refuse(format!(
            "a {} makes a new version of something: give [root], [targets] or another role",
            script.kind
        )));
    }
    for holder in &script.holders {
        for (name, role) in script.roles() {
            let listed = role
                .holders
                .as_ref()
                .is_some_and(|listed| listed.contains(&holder.name));
            let keyid = holder.key(name).and_then(|key| key.keyid.as_ref());
            let stray = |keyid: &&KeyId| {
                trusted.root().is_some() && !listed && !is_trusted(trusted, name, keyid)
            };
            if let Some(keyid) = keyid.filter(stray) {
                findings.push(refuse(format!(
                    "{}.{name}.keyid {keyid} is not a {name} key in trusted metadata",
                    holder.name
                )));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_script_and_documents() {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &str| std::fs::read_to_string(top.join(path)).unwrap_or_default();
        for kind in KINDS {
            let script = read(&format!("ceremony-scripts/{}.toml", kind.name));
            assert!(
                script.contains(&format!("kind = \"{}\"", kind.name)),
                "no script for {}",
                kind.name
            );
            let heading = format!("## {}", kind.name);
            assert!(
                read("ceremony-scripts/README.md").contains(&heading),
                "no section for {}",
                kind.name
            );
            assert!(
                read(&format!("docs/runbooks/{}.md", kind.name)).contains("END"),
                "no runbook for {}",
                kind.name
            );
        }
    }
}
