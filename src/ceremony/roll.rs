//! The holder register after a ceremony: everybody whose key metadata lists now, and whose key waits to be listed, with what was seen of the key today.

use super::candidate::Candidate;
use super::material::{Material, is_trusted};
use super::progress::Progress;
use super::script::{ROLES, delegator_of, keys_role};
use super::thresholds::delegated;
use super::{EPHEMERAL, ONLINE, made_online};
use crate::pypi::holders::{HeldKey, Holder, Holders, InBackup, OnlineKey};
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::Targets;

/// The register as it shall be carried away.
pub fn after(material: &Material<'_>, progress: &Progress, candidates: &[Candidate]) -> Holders {
    let mut roll = Roll {
        material,
        holders: Vec::new(),
    };
    for role in ROLES.into_iter().filter(|role| keys_role(role) == *role) {
        for (keyid, key) in listed(material, candidates, role) {
            let name = material.holder_name(&keyid, &key);
            if name != EPHEMERAL {
                roll.add(&name, held(material, progress, &name, (role, &keyid)));
            }
        }
    }
    // Made now on a token, and in no metadata yet.
    for enrolled in progress.enrolled() {
        if enrolled.token.is_some() {
            let held = held(
                material,
                progress,
                &enrolled.holder,
                (&enrolled.role, &enrolled.keyid),
            );
            roll.add(&enrolled.holder, held);
        }
    }
    for (name, waiting) in waiting(material) {
        let serial = waiting.serial.as_deref();
        if !serial.is_some_and(|serial| progress.evidence().is_erased(serial)) {
            roll.add(
                name,
                held(material, progress, name, (&waiting.role, &waiting.keyid)),
            );
        }
    }
    Holders::new(roll.holders, online(material, progress))
}

struct Roll<'a> {
    material: &'a Material<'a>,
    holders: Vec<Holder>,
}

impl Roll<'_> {
    /// Adds a key, each once.
    fn add(&mut self, name: &str, held: HeldKey) {
        let mut keys = self.holders.iter().flat_map(|holder| &holder.keys);
        if keys.any(|known| known.keyid == held.keyid && known.role == held.role) {
            return;
        }
        if let Some(known) = self.holders.iter_mut().find(|known| known.name == name) {
            known.keys.push(held);
        } else {
            self.holders.push(Holder {
                person: person(self.material, name),
                name: name.to_owned(),
                keys: vec![held],
            });
        }
    }
}

/// Keys of the register before that no trusted metadata lists: provisioned, and kept until they are listed. What was listed and is no longer is not
/// among them.
fn waiting<'a>(material: &Material<'a>) -> impl Iterator<Item = (&'a str, &'a HeldKey)> {
    let trusted = material.trusted;
    let holders = trusted.holders.iter().flat_map(|before| &before.holders);
    let keys = holders.flat_map(|holder| {
        let keys = holder.keys.iter();
        keys.map(|key| (holder.name.as_str(), key))
    });
    keys.filter(move |(_, key)| !is_trusted(trusted, &key.role, &key.keyid))
}

/// The keys that count for a role once the candidates are published.
fn listed(material: &Material<'_>, candidates: &[Candidate], role: &str) -> Vec<(KeyId, Key)> {
    let newest = |role: &str| {
        let mut candidates = candidates.iter();
        candidates.rfind(|candidate| candidate.document.role == role)
    };
    if let Some(threshold) = newest(role).and_then(|candidate| candidate.thresholds.last()) {
        return threshold
            .distinct()
            .map(|(keyid, key)| (keyid.clone(), key.clone()))
            .collect();
    }
    // A new targets may have left the role out: bins, where unclaimed took its place.
    let delegator = delegator_of(role).filter(|delegator| *delegator != "root");
    let delegator = delegator.and_then(newest);
    let found = match delegator.map(|it| Targets::read(&it.path(), &it.envelope)) {
        Some(Ok(delegator)) => delegated(&delegator, role),
        _ => material.trusted.role(role),
    };
    found.map(|(keys, _)| keys).unwrap_or_default()
}

/// Servers' keys that are made now, and those of the register before that trusted metadata still lists.
fn online(material: &Material<'_>, progress: &Progress) -> Vec<OnlineKey> {
    let before = material.trusted.holders.iter();
    let before = before.flat_map(|register| &register.online);
    let stays = |known: &&OnlineKey| {
        let mut roles = known.roles.iter();
        roles.any(|role| is_trusted(material.trusted, role, &known.keyid))
    };
    let mut keys: Vec<_> = before.filter(stays).cloned().collect();
    let sealed = material.script.backup.as_ref();
    for online in &material.script.online {
        if let Some((keyid, _)) = material.made(&made_online(&online.name), ONLINE) {
            keys.push(OnlineKey {
                name: online.name.clone(),
                roles: online.roles.clone(),
                keyid,
                storage: "medium".to_owned(),
                provenance: online.provenance.clone(),
                opened_by: sealed.map_or(Vec::new(), |backup| backup.infrastructure.clone()),
                backup: None,
            });
        }
    }
    for key in &mut keys {
        key.backup = backup(progress, &key.keyid).or(key.backup.take());
    }
    keys
}

/// The backup that was opened now, if it has a key.
fn backup(progress: &Progress, keyid: &KeyId) -> Option<InBackup> {
    let drilled = progress.backup().drilled()?;
    drilled.keys.contains(keyid).then(|| InBackup {
        sha256: drilled.everything,
        opened: date(progress).unwrap_or_default(),
    })
}

/// The ceremony's date.
fn date(progress: &Progress) -> Option<String> {
    progress.clock().map(|utc| utc.chars().take(10).collect())
}

/// What is known of a key for a role.
fn held(
    material: &Material<'_>,
    progress: &Progress,
    name: &str,
    (role, keyid): (&str, &KeyId),
) -> HeldKey {
    let register = material.trusted.holders.as_ref();
    let before = register.and_then(|register| register.key(keyid));
    let mut keys = progress.enrolled().iter();
    let enrolled = keys.find(|known| known.keyid == *keyid);
    let mut keys = progress.evidence().proven().iter();
    let proven = keys.find(|known| known.keyid == *keyid);
    let token = enrolled
        .and_then(|key| key.token.as_ref())
        .or(proven.map(|key| &key.token));
    let mut documents = progress.documents().iter();
    let signed = proven.is_some() || documents.any(|known| known.is_signed_by(keyid));
    let today = date(progress).filter(|_| signed);
    let storage = match (token, before) {
        (Some(_), _) => "token",
        (None, _) if enrolled.is_some() => "token",
        (None, Some(before)) => before.storage.as_str(),
        (None, None) => "elsewhere",
    };
    // A device that was used was taken out of its bag; which one it went into is known only where that was asked.
    let used = signed || token.is_some();
    let bag = if used {
        let holder = enrolled.map(|key| key.holder.as_str());
        holder
            .and_then(|holder| progress.evidence().closed_bag(holder))
            .map(ToOwned::to_owned)
    } else {
        before.and_then(|known| known.bag.clone())
    };
    HeldKey {
        role: role.to_owned(),
        keyid: keyid.clone(),
        storage: storage.to_owned(),
        serial: token
            .map(|token| token.serial.clone())
            .or_else(|| before.and_then(|known| known.serial.clone())),
        bag,
        last_proven: today.or_else(|| before.and_then(|known| known.last_proven.clone())),
        pin_kept: material
            .script
            .holder(name)
            .and_then(|holder| holder.pin_kept.clone())
            .or_else(|| before.and_then(|known| known.pin_kept.clone())),
        backup: backup(progress, keyid).or_else(|| before.and_then(|known| known.backup.clone())),
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
