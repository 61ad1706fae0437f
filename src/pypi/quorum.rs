//! What the loss or theft of holders' keys would mean to a role. Persons count, not keyids: three keys of one person are one burglary.

use std::collections::BTreeMap;

use super::policy::{Role, RoleClass, counted, listed};
use crate::tuf::finding::Finding;
use crate::tuf::key::KeyId;

/// Who can make a role's signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// How many distinct keys must sign.
    pub threshold: usize,
    /// Persons with the number of distinct keys that each holds: most first, then by name.
    pub holders: Vec<(String, usize)>,
}

impl Quorum {
    /// The quorum of `role`; a key without a known person counts as a person of its own.
    pub fn of(role: &Role, persons: &BTreeMap<KeyId, String>) -> Self {
        let mut holders: BTreeMap<String, usize> = BTreeMap::new();
        for keyid in role.distinct().into_values() {
            let person = persons.get(keyid).cloned();
            let person = person.unwrap_or_else(|| format!("the holder of key {keyid}"));
            *holders.entry(person).or_default() += 1;
        }
        let mut holders: Vec<(String, usize)> = holders.into_iter().collect();
        holders.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self {
            threshold: role.threshold as usize,
            holders,
        }
    }
    /// How many distinct keys there are.
    pub fn keys(&self) -> usize {
        self.holders.iter().map(|(_, keys)| keys).sum()
    }
    /// The keys of the `persons` who hold most.
    pub fn keys_of_first(&self, persons: usize) -> usize {
        self.holders
            .iter()
            .take(persons)
            .map(|(_, keys)| keys)
            .sum()
    }
    /// The least number of persons who can reach the threshold together; `None` if all of them cannot.
    pub fn persons_needed(&self) -> Option<usize> {
        (0..=self.holders.len()).find(|persons| self.keys_of_first(*persons) >= self.threshold)
    }
    /// Whether the threshold can still be reached when any `persons` of the holders and all their keys are lost.
    pub fn survives_loss_of(&self, persons: usize) -> bool {
        self.keys() - self.keys_of_first(persons) >= self.threshold
    }
    fn names_of_first(&self, persons: usize) -> String {
        let names: Vec<&str> = self
            .holders
            .iter()
            .take(persons)
            .map(|(name, _)| name.as_str())
            .collect();
        listed(&names)
    }
}

/// The `QUORUM-` rules over one role (see [`super::policy`] for the level by class).
pub fn findings(role: &Role, persons: &BTreeMap<KeyId, String>) -> Vec<Finding> {
    let quorum = Quorum::of(role, persons);
    let Some(needed) = quorum.persons_needed() else {
        return vec![unreachable(role, &quorum)];
    };
    match role.class {
        RoleClass::EphemeralOffline | RoleClass::Custody | RoleClass::Online => Vec::new(),
        RoleClass::Project => Vec::from_iter(
            too_few_persons(role, &quorum, needed)
                .map(|text| Finding::note("QUORUM-PERSONS", "", text)),
        ),
        RoleClass::Root | RoleClass::RetainedOffline => {
            let mut findings = Vec::new();
            findings.extend(no_spare(role, &quorum));
            findings.extend(loss(role, &quorum));
            findings.extend(
                too_few_persons(role, &quorum, needed)
                    .map(|text| Finding::error("QUORUM-PERSONS", "", text)),
            );
            findings.extend(theft(role, &quorum));
            findings
        }
    }
}

fn unreachable(role: &Role, quorum: &Quorum) -> Finding {
    let (name, threshold, keys) = (&role.name, quorum.threshold, counted(quorum.keys(), "key"));
    Finding::error(
        "QUORUM-UNREACHABLE",
        "",
        format!(
            "Role {name} needs {threshold} signatures and has {keys}: nobody can ever sign it. Add keys or lower the threshold."
        ),
    )
}

fn no_spare(role: &Role, quorum: &Quorum) -> Option<Finding> {
    let (name, keys) = (&role.name, counted(quorum.keys(), "key"));
    (quorum.keys() == quorum.threshold).then(|| {
        Finding::error(
            "QUORUM-NO-SPARE",
            "",
            format!("Role {name} needs a signature by each of its {keys}: one lost key ends it. Add a key or lower the threshold."),
        )
    })
}

fn loss(role: &Role, quorum: &Quorum) -> Option<Finding> {
    let text = |persons: usize| {
        let (all, lost) = (quorum.keys(), quorum.keys_of_first(persons));
        format!(
            "If {} is lost with {}, role {} keeps {} of its {all} keys and {} must sign. Add holders or lower the threshold.",
            quorum.names_of_first(persons),
            counted(lost, "key"),
            role.name,
            all - lost,
            quorum.threshold
        )
    };
    if !quorum.survives_loss_of(1) {
        return Some(Finding::error("QUORUM-LOSS-ONE", "", text(1)));
    }
    if !quorum.survives_loss_of(2) {
        let text = text(2).replacen(" is lost", " are lost", 1);
        return Some(Finding::warning("QUORUM-LOSS-TWO", "", text));
    }
    None
}

fn too_few_persons(role: &Role, quorum: &Quorum, needed: usize) -> Option<String> {
    (needed < quorum.threshold).then(|| {
        format!(
            "Role {} needs {} signatures, and {} can make them ({}). Spread the keys so that every signature needs another person.",
            role.name,
            quorum.threshold,
            counted(needed, "person"),
            quorum.names_of_first(needed)
        )
    })
}

fn theft(role: &Role, quorum: &Quorum) -> Option<Finding> {
    // With a threshold of one any key does: that is THRESHOLD-ONE's to say.
    let (person, keys) = quorum.holders.first()?;
    (quorum.threshold > 1 && *keys >= quorum.threshold).then(|| {
        Finding::error(
            "QUORUM-THEFT-ONE",
            "",
            format!(
                "Who steals the {keys} keys of {person} can sign role {} alone: {} must sign. Give keys of {person} to other persons.",
                role.name, quorum.threshold
            ),
        )
    })
}
