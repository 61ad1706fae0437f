//! The bins of TAP 15. Nearly all of them are empty, so they are the same bytes: signed once, and linked where a folder wants them all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use super::ring::Ring;
use super::{Failure, Online, days, disk, foreign, paper, put};
use crate::tuf::digest::Sha256;
use crate::tuf::metadata::SuccinctRoles;

/// How long a bin stays valid, in days; a day before its end all of them are signed again. PEP 458 wants one day: that would be 16,384 new files each time.
const VALID: i64 = 30;

/// All bins.
#[derive(Default)]
pub(super) struct Bins {
    expires: Option<Timestamp>,
    /// What an empty one is.
    empty: Bin,
    /// Those that list something.
    filled: BTreeMap<u32, Bin>,
    /// Files that an intruder put there.
    forged: BTreeSet<String>,
}

#[derive(Default)]
struct Bin {
    version: u64,
    targets: BTreeMap<String, Vec<u8>>,
    bytes: Vec<u8>,
}

impl Bins {
    /// From the next time on this file is in its bin, with other bytes than anybody released.
    pub(super) fn forge(&mut self, path: String) {
        self.forged.insert(path);
    }

    /// Signs what is new.
    pub(super) fn update(
        &mut self,
        ring: &Ring,
        succinct: &SuccinctRoles,
        served: &BTreeMap<String, Vec<u8>>,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let mut wanted: BTreeMap<u32, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        let forged = self.forged.iter();
        let forged = forged.map(|path| (path.clone(), Online::forged(path)));
        let served = served.iter();
        let served = served.map(|(path, bytes)| (path.clone(), bytes.clone()));
        for (path, bytes) in served.chain(forged) {
            let bin = number(succinct, &path);
            wanted.entry(bin).or_default().insert(path, bytes);
        }
        let end = self.expires.filter(|end| *end > days(at, 1));
        let is_old = end.is_none();
        let expires = end.unwrap_or_else(|| days(at, VALID));
        self.expires = Some(expires);
        let sign = |version, targets: &BTreeMap<String, Vec<u8>>| {
            let text = paper::targets(version, &paper::date(expires), None, targets);
            paper::sealed(ring, &text, &succinct.role.keyids)
                .ok_or_else(|| foreign(&succinct.name_prefix))
        };
        if is_old {
            self.empty.version += 1;
            self.empty.bytes = sign(self.empty.version, &self.empty.targets)?;
        }
        for (number, targets) in wanted {
            let before = self.filled.get(&number);
            if !is_old && before.is_some_and(|before| before.targets == targets) {
                continue;
            }
            let version = before.map_or(self.empty.version, |before| before.version) + 1;
            let bytes = sign(version, &targets)?;
            let bin = Bin {
                version,
                targets,
                bytes,
            };
            self.filled.insert(number, bin);
        }
        Ok(())
    }

    /// Enters the version of each bin.
    pub(super) fn list(&self, succinct: &SuccinctRoles, versions: &mut BTreeMap<String, u64>) {
        for number in 0..count(succinct) {
            let bin = self.filled.get(&number).unwrap_or(&self.empty);
            versions.insert(name(succinct, number), bin.version);
        }
    }

    /// Writes every bin that is not there yet.
    pub(super) fn write(&self, succinct: &SuccinctRoles, folder: &Path) -> Result<(), Failure> {
        let mut first = None;
        for number in 0..count(succinct) {
            let role = name(succinct, number);
            if let Some(bin) = self.filled.get(&number) {
                put(folder, &format!("{}.{role}.json", bin.version), &bin.bytes)?;
                continue;
            }
            let path = folder.join(format!("{}.{role}.json", self.empty.version));
            match &first {
                None => {
                    put(
                        folder,
                        &format!("{}.{role}.json", self.empty.version),
                        &self.empty.bytes,
                    )?;
                    first = Some(path);
                }
                Some(first) => match std::fs::hard_link(first, &path) {
                    Err(fault) if fault.kind() != std::io::ErrorKind::AlreadyExists => {
                        return Err(disk(&path, &fault));
                    }
                    _ => {}
                },
            }
        }
        Ok(())
    }
}

fn count(succinct: &SuccinctRoles) -> u32 {
    1 << succinct.bit_length
}

/// Which bin answers for a path: the first bits of its SHA-256.
fn number(succinct: &SuccinctRoles, path: &str) -> u32 {
    let [one, two, three, four, ..] = Sha256::of(path.as_bytes()).0;
    let first = u32::from_be_bytes([one, two, three, four]);
    first.checked_shr(32 - succinct.bit_length).unwrap_or(0)
}

fn name(succinct: &SuccinctRoles, number: u32) -> String {
    let digits = succinct.bit_length.div_ceil(4) as usize;
    format!("{}-{number:0digits$x}", succinct.name_prefix)
}
