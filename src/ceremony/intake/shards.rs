//! The shards of claimed among the files carried in: of each that claimed delegates to its newest file, verified by the keys that claimed names.

use std::collections::BTreeMap;

use super::{InputFile, Trusted, signed};
use crate::pypi::shards::{Files, PREFIX, is_shard};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::metadata::{DelegatedRole, Header, Targets};

impl Trusted {
    /// claimed and its shards.
    pub fn claimed(&self) -> Option<Files<'_>> {
        let (claimed, _) = self.current("claimed")?;
        let shards = self.current.range(PREFIX.to_owned()..);
        let shards = shards.take_while(|(role, _)| role.starts_with(PREFIX));
        let shards = shards.map(|(role, (envelope, _))| (role.as_str(), envelope));
        Some(Files {
            claimed,
            shards: shards.collect(),
        })
    }
    /// The highest version that a role is known to have had, by what it has now, the ledger and the newest archive; 0: none.
    pub fn known_version(&self, role: &str) -> u64 {
        let current = self
            .current(role)
            .map(|(_, targets)| targets.header.version);
        let ledger = self.asked.ledger.as_ref();
        let ledger = ledger.and_then(|ledger| ledger.version(role));
        let newest = self
            .archives
            .first()
            .and_then(|it| it.repository.snapshot());
        let published = newest.and_then(|it| it.role(role)).map(|meta| meta.version);
        current.max(ledger).max(published).unwrap_or(0)
    }
}

/// A shard's file as it was read.
type Read = (Envelope, Targets);

/// Reads all of them. A shard that claimed does not list any more is passed over: it was divided.
///
/// # Errors
/// Rule `INTAKE-THRESHOLD`, and those of the readers: everything that is wrong.
pub(super) fn read(
    trusted: &Trusted,
    files: &mut [InputFile],
) -> Result<BTreeMap<String, Read>, Vec<Finding>> {
    let Some((_, claimed)) = trusted.current("claimed") else {
        return Ok(BTreeMap::new());
    };
    let Some(delegations) = &claimed.delegations else {
        return Ok(BTreeMap::new());
    };
    let listed = delegations.roles().filter(|role| is_shard(&role.name));
    let listed: BTreeMap<String, DelegatedRole> =
        listed.map(|role| (role.name.clone(), role)).collect();
    let mut newest: BTreeMap<String, (u64, &mut InputFile)> = BTreeMap::new();
    for file in files {
        let Some((version, role)) = numbered(&file.path) else {
            continue;
        };
        let role = role.to_owned();
        if listed.contains_key(&role) && newest.get(&role).is_none_or(|(known, _)| *known < version)
        {
            newest.insert(role, (version, file));
        }
    }
    let mut found = BTreeMap::new();
    let mut findings = Vec::new();
    for (role, (_, file)) in newest {
        let keys_of = listed.get(role.as_str()).map(|role| &role.role);
        let Some(keys_of) = keys_of else {
            continue;
        };
        let keys = delegations.keys_of(keys_of);
        let bytes = std::mem::take(&mut file.bytes);
        let read = Envelope::parse(&file.path, bytes, Limits::LARGE).and_then(|envelope| {
            let version = Header::read(&file.path, &envelope)?.version;
            let by = (&keys, keys_of);
            let targets = signed((&role, version), &file.path, &envelope, by)?;
            Ok((envelope, targets))
        });
        match read {
            Ok(read) => {
                found.insert(role, read);
            }
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() {
        Ok(found)
    } else {
        Err(findings)
    }
}

/// `trusted/7.claimed-re.json` as version and role: shards are so many that they are told apart by their names, not by what is in them.
fn numbered(path: &str) -> Option<(u64, &str)> {
    let name = path.strip_prefix("trusted/")?.strip_suffix(".json")?;
    let (version, role) = name.split_once('.')?;
    Some((version.parse().ok()?, role))
}
