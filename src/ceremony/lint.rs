//! The house rules over the tree that the candidates would make, with the people behind the keys.

use super::candidate::Candidate;
use super::material::Material;
use super::planning::is_ephemeral;
use crate::pypi::policy::{self, RoleClass, Tree, Whose};
use crate::pypi::quorum::Quorum;
use crate::tuf::finding::{Finding, Level};

/// What the rules say of `candidates` on top of what is trusted.
pub fn candidates(
    kind: &str,
    material: &Material<'_>,
    candidates: &[Candidate],
    now: jiff::Timestamp,
) -> Vec<Finding> {
    if candidates.is_empty() {
        return Vec::new();
    }
    let old = tree(material, &[]);
    let new = match tree(material, candidates) {
        Ok(tree) => tree,
        Err(finding) => return vec![finding],
    };
    let old = old.ok().filter(|tree| !tree.roles.is_empty());
    let mut findings = policy::lint(old.as_ref(), &new, now, Whose::Ours);
    if ["genesis", "admin-key"].contains(&kind) {
        findings.extend(margins(&new));
    }
    if kind == "renew" {
        findings.into_iter().map(inherited).collect()
    } else {
        findings
    }
}

/// What the loss of any one and any two holders and the theft of any one would mean, said even where it is fine: it is what people decide here.
fn margins(tree: &Tree) -> Vec<Finding> {
    let retained = tree.roles.iter().filter(|role| role.class.is_retained());
    retained
        .map(|role| {
            let quorum = Quorum::of(role, &tree.persons);
            let after = |lost: usize| if quorum.survives_loss_of(lost) { "still signs" } else { "cannot sign any more" };
            let text = format!(
                "{}: {} of {} keys of {} persons must sign; after the loss of any one person it {}, after the loss of any two it {}; a thief of any one has at most {} of the {} keys needed",
                role.name,
                quorum.threshold,
                quorum.keys(),
                quorum.holders.len(),
                after(1),
                after(2),
                quorum.keys_of_first(1),
                quorum.threshold
            );
            Finding::note("QUORUM-MARGIN", "", text)
        })
        .collect()
}

/// A renewal changes neither keys nor thresholds: what is wrong with them was decided by others before, and a renewal must stay possible. Dates and
/// versions are its own.
fn inherited(mut finding: Finding) -> Finding {
    let own = finding.rule.starts_with("EXPIRY-") || finding.rule.starts_with("VERSION-");
    if finding.level == Level::Error && !own {
        finding.level = Level::Warning;
    }
    finding
}

fn tree(material: &Material<'_>, candidates: &[Candidate]) -> Result<Tree, Finding> {
    let newest = |role: &str| {
        candidates
            .iter()
            .rfind(|candidate| candidate.document.role == role)
            .map(|candidate| &candidate.envelope)
    };
    let mut tree = Tree::default();
    let class = |role: &str| match role {
        "targets" if is_ephemeral(material.script.targets.as_ref()) => RoleClass::EphemeralOffline,
        "bins" if is_ephemeral(material.script.bins.as_ref()) => RoleClass::EphemeralOffline,
        "targets" | "bins" => RoleClass::RetainedOffline,
        _ => RoleClass::Online,
    };
    let root = material.root_in_force(newest("root"))?;
    if let Some(root) = &root {
        tree.add_root(root, class("targets"));
        name_persons(&mut tree, material, root.keys.iter());
    }
    for role in ["targets", "bins"] {
        let targets = material.targets_in_force(role, newest(role))?;
        if let Some(targets) = targets {
            tree.add_targets(role, &targets, &class);
            name_persons(
                &mut tree,
                material,
                targets
                    .delegations
                    .iter()
                    .flat_map(|delegations| &delegations.keys),
            );
        }
    }
    Ok(tree)
}

fn name_persons<'a>(
    tree: &mut Tree,
    material: &Material<'_>,
    keys: impl Iterator<Item = (&'a crate::tuf::key::KeyId, &'a crate::tuf::key::Key)>,
) {
    for (keyid, key) in keys {
        let holder = material.holder_name(keyid, key);
        let person = material
            .script
            .holder(&holder)
            .map_or(holder, |known| known.person.clone());
        if !person.starts_with("unnamed holder") && person != super::EPHEMERAL {
            tree.persons.insert(keyid.clone(), person);
        }
    }
}
