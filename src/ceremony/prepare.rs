//! Everything that can be refused before a token is opened is refused here: the script is planned, built with throwaway keys in place of those that do
//! not exist yet, and put before the rules. Until this passes, nothing is written anywhere.

use super::candidate::Candidate;
use super::event::{Abandoned, Custody, Mode};
use super::intake::{Trusted, refuse_abandoned};
use super::kinds::Kind;
use super::material::Material;
use super::plan::Step;
use super::planning::Planned;
use super::planning::backups;
use super::progress::Enrolled;
use super::script::Script;
use super::shadow::Maker;
use super::{ledger, lint, sharding};
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::{Algorithm, Key};
use crate::tuf::style;

/// Checks a script against what was carried in, as far as that is possible without tokens.
///
/// # Errors
/// Every error finding of the kind and of the rules.
pub fn check(
    kind: &Kind,
    script: &Script,
    trusted: &Trusted,
    planned: &Planned,
    mode: Mode,
    now: jiff::Timestamp,
    make: &mut Maker<'_>,
) -> Result<(), Vec<Finding>> {
    errors(sharding::check(script, trusted))?;
    errors((kind.check)(script, trusted))?;
    errors(backups::unfit(kind, script, trusted))?;
    let enrolled = stand_ins(planned, make).map_err(|finding| vec![finding])?;
    let material = Material {
        script,
        trusted,
        enrolled: &enrolled,
        decisions: None,
        mode,
    };
    let candidates = (kind.build)(&material).map_err(|finding| vec![finding])?;
    errors(judge(kind, &material, &candidates, now))
}

/// What the kind proves and the rules say about candidates.
pub fn judge(
    kind: &Kind,
    material: &Material<'_>,
    candidates: &[Candidate],
    now: jiff::Timestamp,
) -> Vec<Finding> {
    let mut findings = (kind.prove)(material, candidates);
    let given_up: Vec<_> = material
        .script
        .supersedes
        .iter()
        .map(Abandoned::from)
        .collect();
    let given_up = [given_up, material.trusted.abandoned.clone()].concat();
    findings.extend(candidates.iter().filter_map(|candidate| {
        refuse_abandoned(
            &candidate.path(),
            &candidate.document,
            candidate.payload(),
            &given_up,
        )
        .err()
    }));
    // Which ceremony it is bears on no rule here.
    let (trusted, script) = (material.trusted, material.script);
    findings.extend(ledger::after(trusted, script, Sha256([0; 32]), candidates).err());
    findings.extend(lint::candidates(kind.name, material, candidates, now));
    findings
}

fn errors(findings: Vec<Finding>) -> Result<(), Vec<Finding>> {
    let errors: Vec<_> = findings
        .into_iter()
        .filter(|finding| finding.level == Level::Error)
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// A throwaway key for every key that the ceremony will make or find.
fn stand_ins(planned: &Planned, make: &mut Maker<'_>) -> Result<Vec<Enrolled>, Finding> {
    let mut enrolled = Vec::new();
    for step in &planned.steps {
        let online;
        let (holder, role, algorithms) = match step {
            Step::Enrol {
                holder,
                role,
                generate,
                ..
            } => (
                holder.as_str(),
                role,
                vec![generate.unwrap_or(Algorithm::EcdsaP256)],
            ),
            Step::Ephemeral { role, algorithms } => (super::EPHEMERAL, role, algorithms.clone()),
            Step::MakeOnline { name, algorithm } => {
                online = super::made_online(name);
                (online.as_str(), &super::ONLINE.to_owned(), vec![*algorithm])
            }
            _ => continue,
        };
        for algorithm in algorithms {
            let refuse = |text: String| Finding::error("SHADOW-KEY", "", text);
            let secret = make(algorithm).map_err(|fault| refuse(fault.to_string()))?;
            let key = Key::from_public(&secret.public())
                .ok_or_else(|| refuse("a throwaway key cannot be listed".to_owned()))?;
            enrolled.push(Enrolled {
                holder: holder.to_owned(),
                role: role.clone(),
                keyid: key.keyid(),
                key: String::from_utf8_lossy(&style::to_vec(key.value())).into_owned(),
                generated: true,
                token: None,
                custody: Custody::default(),
            });
        }
    }
    Ok(enrolled)
}
