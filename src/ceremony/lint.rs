//! The house rules over the tree that the candidates would make, with the people behind the keys.

use std::collections::BTreeSet;

use super::candidate::Candidate;
use super::material::Material;
use super::planning::is_ephemeral;
use super::script::ROLES;
use super::sharding;
use crate::pypi::holders::Holders;
use crate::pypi::policy::{self, Role, RoleClass, Tree, Whose};
use crate::pypi::quorum::Quorum;
use crate::pypi::shards::{self, is_shard};
use crate::pypi::tree::{self, Layout};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, Level};
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{Delegations, Header, Targets};

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
    if ["genesis", "redelegate", "admin-key"].contains(&kind) {
        findings.extend(margins(&new));
        findings.extend(shape(material, candidates));
    }
    findings.extend(custody_lasts(material, candidates));
    findings.extend(candidates.iter().filter_map(size));
    if let Some(holders) = &material.trusted.holders {
        // A key that is listed for the first time signs here or the ceremony does not finish.
        let signs_now = |role: &Role, keyid: &KeyId| {
            let before = old.as_ref().and_then(|tree| tree.role(&role.name));
            !before.is_some_and(|before| before.keys.iter().any(|(known, _)| known == keyid))
        };
        findings.extend(unproven(&new, holders, &signs_now));
    }
    if kind == "renew" {
        findings.into_iter().map(inherited).collect()
    } else {
        findings
    }
}

/// What the lints say of the tree's shape. What stood so before warns only: mending it is not every ceremony's work.
fn shape(material: &Material<'_>, candidates: &[Candidate]) -> Vec<Finding> {
    let before = layout(material, &[]).unwrap_or_default();
    match layout(material, candidates) {
        Ok(mut findings) => {
            for finding in &mut findings {
                if before.contains(finding) {
                    finding.level = finding.level.min(Level::Warning);
                }
            }
            findings
        }
        Err(finding) => vec![finding],
    }
}

fn layout(material: &Material<'_>, candidates: &[Candidate]) -> Result<Vec<Finding>, Finding> {
    let newest = newest(candidates);
    let root = material.root_in_force(newest("root"))?;
    let mut roles = Vec::new();
    for role in ROLES.into_iter().skip(1) {
        let found = material.targets_in_force(role, newest(role))?;
        roles.extend(found.map(|targets| (role, targets)));
    }
    let roles: Vec<_> = roles
        .iter()
        .map(|(role, targets)| (*role, targets))
        .collect();
    let Some((("targets", targets), below)) = roles.split_first() else {
        return Ok(Vec::new());
    };
    let tree = Layout {
        root: root.as_ref(),
        targets,
        below,
    };
    Ok(tree::lint("", &tree, Whose::Ours))
}

/// `CLAIMED-SIZE`, of claimed and of each shard.
fn size(candidate: &Candidate) -> Option<Finding> {
    let role = candidate.document.role.as_str();
    if role != "claimed" && !is_shard(role) {
        return None;
    }
    let roles = candidate
        .envelope
        .signed()
        .get("delegations")?
        .get("roles")?;
    let bytes = candidate.envelope.length();
    shards::size(&candidate.path(), role, bytes, roles.elements().count())
}

/// `CUSTODY-EXPIRES`: claimed answers for projects in custody through custody alone, so claimed must not outlast it.
fn custody_lasts(material: &Material<'_>, candidates: &[Candidate]) -> Option<Finding> {
    let newest = newest(candidates);
    newest("claimed").or_else(|| newest("custody"))?;
    let expires = |role: &str| {
        let envelope = newest(role).or_else(|| material.trusted.envelope(role))?;
        Some(Header::read(role, envelope).ok()?.expires)
    };
    let (claimed, custody) = (expires("claimed")?, expires("custody")?);
    (custody.at() < claimed.at()).then(|| {
        let text = format!(
            "custody expires on {}, before claimed does ({}): projects in custody could not be installed in between. Give [custody] its next version, which expires with claimed's or later",
            custody.text(),
            claimed.text()
        );
        Finding::error("CUSTODY-EXPIRES", "", text)
    })
}

/// The newest candidate of a role.
fn newest<'a>(candidates: &'a [Candidate]) -> impl Fn(&str) -> Option<&'a Envelope> {
    move |role| {
        candidates
            .iter()
            .rfind(|candidate| candidate.document.role == role)
            .map(|candidate| &candidate.envelope)
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

/// What is trusted now, with a register that knows what was seen today.
pub fn unproven_now(material: &Material<'_>, holders: &Holders) -> Vec<Finding> {
    match tree(material, &[]) {
        Ok(tree) => unproven(&tree, holders, &|_, _| false),
        Err(finding) => vec![finding],
    }
}

/// Keys that nobody has ever seen sign may be lost without anybody's knowledge: the margins are told without them.
fn unproven(
    tree: &Tree,
    holders: &Holders,
    signs_now: &dyn Fn(&Role, &KeyId) -> bool,
) -> Vec<Finding> {
    let seen = |keyid: &KeyId| {
        let known = holders.key(keyid);
        known.is_some_and(|key| key.last_proven.is_some())
    };
    // Keys that were destroyed have no person, and nobody waits for them to sign.
    let has_persons =
        |role: &&Role| (role.keys.iter()).any(|(keyid, _)| tree.persons.contains_key(keyid));
    let retained = tree.roles.iter().filter(|role| role.class.is_retained());
    retained
        .filter(has_persons)
        .filter_map(|role| {
            let (proven, lost): (Vec<_>, Vec<_>) = role
                .keys
                .iter()
                .cloned()
                .partition(|(keyid, _)| seen(keyid) || signs_now(role, keyid));
            if lost.is_empty() {
                return None;
            }
            let left = Quorum::of(&with_keys(role, proven), &tree.persons);
            let after = |lost: usize| {
                if left.survives_loss_of(lost) {
                    "it still signs"
                } else {
                    "it cannot sign any more"
                }
            };
            let lost = with_keys(role, lost);
            let names = Quorum::of(&lost, &tree.persons).holders;
            let names: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
            let margin = if left.keys() < left.threshold {
                format!("fewer than the {} that must sign", left.threshold)
            } else {
                format!(
                    "of which {} must sign; after the loss of any one more person {}",
                    left.threshold,
                    after(1)
                )
            };
            let text = format!(
                "{}: of its {} keys {} were never seen to sign or check in ({}) and are counted as lost; {} are left, {margin}",
                role.name,
                role.distinct().len(),
                lost.distinct().len(),
                names.join(", "),
                left.keys(),
            );
            Some(Finding::warning("QUORUM-UNPROVEN", "", text))
        })
        .collect()
}

fn with_keys(role: &Role, keys: Vec<(KeyId, Key)>) -> Role {
    Role {
        keys,
        ..role.clone()
    }
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
    let newest = newest(candidates);
    let mut tree = Tree::default();
    let class = |role: &str| match role {
        "custody" => RoleClass::Custody,
        shard if is_shard(shard) => RoleClass::Custody,
        role if ROLES.contains(&role) && is_ephemeral(material.script.role(role)) => {
            RoleClass::EphemeralOffline
        }
        role if ROLES.contains(&role) => RoleClass::RetainedOffline,
        role if role.starts_with("project-") => RoleClass::Project,
        _ => RoleClass::Online,
    };
    let root = material.root_in_force(newest("root"))?;
    if let Some(root) = &root {
        tree.add_root(root, class("targets"));
        name_persons(&mut tree, material, root.keys.iter());
    }
    for role in ROLES.into_iter().skip(1) {
        let targets = material.targets_in_force(role, newest(role))?;
        if let Some(targets) = targets {
            tree.add_targets(role, &targets, &class);
            // Developers are no holders, and there are many of them.
            let delegations = targets.delegations.iter().filter(|_| role != "claimed");
            let keys: Vec<_> = delegations.flat_map(Delegations::keys).collect();
            name_persons(
                &mut tree,
                material,
                keys.iter().map(|(keyid, key)| (keyid, key)),
            );
        }
    }
    // Whoever signs for claimed's projects is in its shards.
    let shards = sharding::after(material.trusted, candidates);
    for (role, envelope) in shards.iter().flat_map(|files| &files.shards) {
        tree.add_projects(&Targets::read(role, envelope)?, &class);
    }
    // Thousands of shards have a few dates between them: each date is judged once.
    let mut dates = BTreeSet::new();
    for shard in candidates.iter().filter(|it| is_shard(&it.document.role)) {
        let header = Header::read(&shard.path(), &shard.envelope)?;
        if dates.insert(header.expires.text().to_owned()) {
            tree.add_header(&shard.document.role, &header);
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
