//! `renew`: the same content with a new version and a later expiry, proven by the difference.

use super::{Kind, needs_trust, no_outputs, publish_together, refuse};
use crate::ceremony::build;
use crate::ceremony::candidate::Candidate;
use crate::ceremony::event::{Mode, REHEARSAL_MARKER};
use crate::ceremony::intake::Trusted;
use crate::ceremony::material::Material;
use crate::ceremony::planning::{listed_documents, metadata_steps};
use crate::ceremony::script::Script;
use crate::ceremony::sharding;
use crate::tuf::diff::{self, ChangeKind};
use crate::tuf::finding::Finding;
use crate::tuf::metadata::Header;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "renew",
    about: "a new version with a later expiry and nothing else",
    check,
    documents: |script, _| listed_documents(script),
    steps: metadata_steps,
    build: build::candidates,
    prove,
    publish: publish_together,
    outputs: no_outputs,
};

fn check(script: &Script, trusted: &Trusted) -> Vec<Finding> {
    let mut findings = needs_trust(script, trusted);
    if !script.online.is_empty() {
        findings.push(refuse("a renewal changes no online key: remove [[online]]"));
    }
    for (name, role) in script.roles() {
        if role.holders.is_some() || role.threshold.is_some() || role.keys.is_some() {
            findings.push(refuse(format!(
                "a renewal changes no keys: [{name}] may say version and expires only"
            )));
        }
        if trusted.root().is_some() && trusted.envelope(name).is_none() {
            findings.push(refuse(format!(
                "there is no trusted {name} to renew in the input"
            )));
        }
    }
    findings
}

/// Nothing but `version` and `expires` differs (and, in a rehearsal of a production file, the marker that makes it worthless).
pub(super) fn prove(material: &Material<'_>, candidates: &[Candidate]) -> Vec<Finding> {
    let pure = candidates
        .iter()
        .filter_map(|candidate| prove_pure(material.mode, candidate));
    pure.chain(candidates.iter().filter_map(prove_later))
        .chain(sharding::prove_renewed(material, candidates))
        .collect()
}

fn prove_pure(mode: Mode, candidate: &Candidate) -> Option<Finding> {
    let difference = match diff::between(candidate.old.as_ref(), &candidate.envelope) {
        Ok(difference) => difference,
        Err(finding) => return Some(finding),
    };
    let other = difference.changes.iter().find(|change| {
        change.kind != ChangeKind::Same
            && !["version", "expires"].contains(&change.subject.as_str())
            && !(mode == Mode::Rehearsal && change.subject == REHEARSAL_MARKER)
    });
    other.map(|change| {
        Finding::error(
            "RENEW-PURE",
            &candidate.path(),
            format!(
                "a renewal changes version and expires only; here {} differs",
                change.subject
            ),
        )
    })
}

/// A renewal that ends sooner than what it renews is a mistake in the script.
fn prove_later(candidate: &Candidate) -> Option<Finding> {
    let header = |envelope| Header::read(&candidate.path(), envelope).ok();
    let (old, new) = (
        header(candidate.old.as_ref()?)?,
        header(&candidate.envelope)?,
    );
    (new.expires.at() <= old.expires.at()).then(|| {
        let text = format!(
            "a renewal expires later than what it renews; {} is not later than {}",
            new.expires.text(),
            old.expires.text()
        );
        Finding::error("RENEW-LATER", &candidate.path(), text)
    })
}
