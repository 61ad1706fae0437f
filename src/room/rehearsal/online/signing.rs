//! What the online side signs: recently-claimed, and for developers their projects' own metadata.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    BETWEEN_RELEASES, Developer, Failure, Group, Online, Signed, Trouble, content, days,
    days_between, foreign, paper, release,
};
use crate::tuf::key::KeyId;
use crate::tuf::metadata::RoleKeys;

impl Online {
    /// Who stands in recently-claimed on that day, by number, in order of names, and with which keys.
    pub(super) fn recently(&mut self, at: Timestamp) -> Vec<(usize, Vec<KeyId>)> {
        let age = days_between(at, self.today);
        let numbers = self.numbers.iter();
        let numbers = numbers.filter(|(project, number)| {
            let developer = &self.developers[**number];
            [Group::First, Group::Second].contains(&developer.group)
                && developer.age >= age
                && !self.moved.contains(*project)
        });
        let numbers: Vec<usize> = numbers.map(|(_, number)| *number).collect();
        let keys = numbers.into_iter().map(|number| {
            let project = &self.developers[number].project;
            let lured = self
                .impostor
                .as_ref()
                .is_some_and(|(lure, _)| lure == project);
            let keys = match self.developers[number].trouble {
                _ if lured => vec![self.intruder()],
                Some(Trouble::Inserted) if age <= 2 => vec![self.intruder()],
                Some(Trouble::Disagreeing) if (10..30).contains(&age) => vec![self.intruder()],
                _ => self.developers[number].keys.clone(),
            };
            (number, keys)
        });
        keys.collect()
    }

    /// Signs the metadata of every project that somebody delegates to, where something is new.
    pub(super) fn delegated(
        &mut self,
        at: Timestamp,
        recently: &[(usize, Vec<KeyId>)],
    ) -> Result<(), Failure> {
        let mut wanted: BTreeMap<String, (usize, RoleKeys)> = BTreeMap::new();
        for (number, keyids) in recently {
            let developer = &self.developers[*number];
            let keys = RoleKeys {
                keyids: keyids.clone(),
                threshold: developer
                    .threshold
                    .min(keyids.len().try_into().unwrap_or(1)),
            };
            wanted.insert(developer.project.role().to_string(), (*number, keys));
        }
        for (project, claimed) in &self.offline.claimed {
            let number = self.numbers.get(project);
            if let Some(number) = number.filter(|number| self.developers[**number].is_published()) {
                wanted.insert(claimed.role.clone(), (*number, claimed.keys.clone()));
            }
        }
        for (role, (number, keys)) in wanted {
            self.sign_project(role, number, &keys, at)?;
        }
        Ok(())
    }

    fn sign_project(
        &mut self,
        role: String,
        number: usize,
        keys: &RoleKeys,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let developer = &self.developers[number];
        let ours = keys.keyids.iter();
        let ours = ours.filter(|keyid| self.ring.public(keyid).is_some());
        let signers: Vec<KeyId> = ours.take(keys.threshold as usize).cloned().collect();
        let releases = self.releases(developer, at);
        let expires = self.expires(developer);
        let before = self.signed.get(&role);
        if before.is_some_and(|it| {
            it.signers == signers && it.releases == releases && it.expires == expires
        }) {
            return Ok(());
        }
        let version = before.map_or(1, |before| before.version + 1);
        let name = developer.project.as_str();
        let targets = (0..releases).map(|number| {
            let path = release(name, number);
            let bytes = content(&path);
            (path, bytes)
        });
        let text = paper::targets(version, &expires, None, &targets.collect());
        let bytes = paper::sealed(&self.ring, &text, &signers).ok_or_else(|| foreign(&role))?;
        let signed = Signed {
            version,
            signers,
            releases,
            expires,
            bytes,
        };
        self.signed.insert(role, signed);
        Ok(())
    }

    /// How many files a project has on a day: one to three.
    pub(super) fn releases(&self, developer: &Developer, at: Timestamp) -> usize {
        let old = developer.age - days_between(at, self.today);
        let most = match developer.group {
            // Nothing new: they would be signed again for each archive.
            Group::Before => 1,
            _ => 1 + developer.number % 3,
        };
        usize::try_from(old / BETWEEN_RELEASES)
            .unwrap_or(0)
            .clamp(0, most - 1)
            + 1
    }

    /// A year; but one in forty of the claimed ones lets it come near, for the list of those that must act.
    fn expires(&self, developer: &Developer) -> String {
        let is_claimed = self.offline.claimed.contains_key(&developer.project);
        let left = match developer.trouble {
            Some(Trouble::Expiring) => 20,
            _ if is_claimed && developer.number % 40 == 11 => 25,
            _ => 365,
        };
        paper::date(days(self.today, left))
    }

    pub(super) fn recently_claimed(
        &self,
        recently: &[(usize, Vec<KeyId>)],
        version: u64,
        expires: &str,
    ) -> Result<Vec<u8>, Failure> {
        let entries = recently.iter().map(|(number, keyids)| {
            let developer = &self.developers[*number];
            let lure = self
                .impostor
                .as_ref()
                .filter(|(lure, _)| *lure == developer.project);
            paper::Entry {
                role: lure
                    .map_or(&developer.project, |(_, victim)| victim)
                    .role()
                    .to_string(),
                path: developer.project.path(),
                keyids,
                threshold: developer
                    .threshold
                    .min(keyids.len().try_into().unwrap_or(1)),
            }
        });
        let delegations = paper::delegations(&self.ring, &entries.collect::<Vec<_>>());
        let signed = paper::targets(version, expires, Some(&delegations), &BTreeMap::new());
        self.by_servers("recently-claimed", &signed)
    }

    pub(super) fn by_servers(&self, role: &str, signed: &str) -> Result<Vec<u8>, Failure> {
        let keys = self.offline.online.get(role);
        let keys = keys.ok_or_else(|| foreign(role))?;
        paper::sealed(&self.ring, signed, &keys.keyids).ok_or_else(|| foreign(role))
    }
}
