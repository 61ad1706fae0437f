//! The holder register after a ceremony: everybody whose key metadata lists now, with what was seen of the key today.

use super::EPHEMERAL;
use super::candidate::Candidate;
use super::material::Material;
use super::progress::Progress;
use crate::pypi::holders::{HeldKey, Holder, Holders};
use crate::tuf::key::{Key, KeyId};

/// The register as it shall be carried away.
pub fn after(material: &Material<'_>, progress: &Progress, candidates: &[Candidate]) -> Holders {
    let mut holders: Vec<Holder> = Vec::new();
    for role in ["root", "targets", "bins"] {
        for (keyid, key) in listed(material, candidates, role) {
            let name = material.holder_name(&keyid, &key);
            if name == EPHEMERAL {
                continue;
            }
            let held = held(material, progress, role, keyid);
            if let Some(known) = holders.iter_mut().find(|known| known.name == name) {
                known.keys.push(held);
            } else {
                holders.push(Holder {
                    person: person(material, &name),
                    name,
                    keys: vec![held],
                });
            }
        }
    }
    Holders::new(holders)
}

/// The keys that count for a role once the candidates are published.
fn listed(material: &Material<'_>, candidates: &[Candidate], role: &str) -> Vec<(KeyId, Key)> {
    let newest = candidates
        .iter()
        .rfind(|candidate| candidate.document.role == role);
    match newest.and_then(|candidate| candidate.thresholds.last()) {
        Some(threshold) => threshold
            .distinct()
            .map(|(keyid, key)| (keyid.clone(), key.clone()))
            .collect(),
        None => material
            .trusted
            .role(role)
            .map(|(keys, _)| keys)
            .unwrap_or_default(),
    }
}

fn held(material: &Material<'_>, progress: &Progress, role: &str, keyid: KeyId) -> HeldKey {
    let register = material.trusted.holders.as_ref();
    let before = register.and_then(|register| {
        register
            .holder_of(&keyid)?
            .keys
            .iter()
            .find(|known| known.keyid == keyid)
    });
    let enrolled = progress
        .enrolled()
        .iter()
        .find(|known| known.keyid == keyid);
    let serial = enrolled
        .and_then(|key| key.token.as_ref())
        .map(|token| token.serial.clone());
    let signed = progress
        .documents()
        .iter()
        .any(|known| known.is_signed_by(&keyid));
    let today = progress
        .clock()
        .filter(|_| signed)
        .map(|utc| utc.chars().take(10).collect());
    let storage = if enrolled.is_some() {
        "token"
    } else {
        before.map_or("elsewhere", |known| known.storage.as_str())
    };
    HeldKey {
        role: role.to_owned(),
        storage: storage.to_owned(),
        serial: serial.or_else(|| before.and_then(|known| known.serial.clone())),
        last_proven: today.or_else(|| before.and_then(|known| known.last_proven.clone())),
        keyid,
    }
}

fn person(material: &Material<'_>, name: &str) -> String {
    let register = material
        .trusted
        .holders
        .iter()
        .flat_map(|register| &register.holders);
    let script = material
        .script
        .holder(name)
        .map(|holder| holder.person.clone());
    script
        .or_else(|| {
            register
                .into_iter()
                .find(|known| known.name == name)
                .map(|known| known.person.clone())
        })
        .unwrap_or_default()
}
