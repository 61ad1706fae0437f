//! PyPI's side of a rehearsal: what lies in the input of each ceremony, and what clients see after it.

#![allow(
    clippy::disallowed_methods,
    reason = "a rehearsal lays out its own temporary folder"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::online::{Extent, Group, Online, Sizes};
use crate::bundle::files;
use crate::ceremony::intake::requests::{INCIDENT, REQUESTS, TOP};
use crate::pypi::changes::ChangeSet;
use crate::room::failure::Failure;
use crate::tuf::digest::Sha256;
use crate::tuf::key::Key;

/// So many days before the rehearsal archives were made.
const HISTORY: [i64; 3] = [40, 20, 1];
/// From so many projects on, archives are thin: what no ceremony reads is left out of the older ones.
const LARGE: usize = 2_000;
/// The project, by number, of which an intruder's files lie in the bins. It is claimed, so no client may find them.
pub const FORGED: usize = 7;
/// What all keys of the online side are derived from.
pub const SEED: &str = "rehearsal";
/// What example scripts call online keys.
const ONLINE: [&str; 2] = ["online-1", "online-2"];

/// The online side, and where it keeps things.
pub(super) struct Play {
    online: Online,
    archives: PathBuf,
    repository: PathBuf,
    is_large: bool,
    /// How often today was archived.
    today: u32,
}

/// What was put into the input of a ceremony, as its script must say it.
#[derive(Default)]
pub(super) struct Carried {
    /// Digests by their place in the script: `claim.requests_sha256`.
    pub(super) digests: BTreeMap<&'static str, Sha256>,
    /// Archives by name, the newest first.
    pub(super) archives: Vec<(String, Sha256)>,
}

impl Play {
    /// With so many projects; the repository is laid out in `repository`.
    pub(super) fn new(
        work: &Path,
        repository: &Path,
        sizes: Sizes,
        today: jiff::Timestamp,
    ) -> Self {
        Self {
            online: Online::new(sizes, SEED, today),
            archives: work.join("archives"),
            repository: repository.to_owned(),
            is_large: sizes.first + sizes.second + sizes.before > LARGE,
            today: 0,
        }
    }

    /// The public halves of the online keys, as a script writes them, by name.
    pub(super) fn keys(&mut self) -> BTreeMap<String, String> {
        let names = ONLINE.into_iter();
        let keys = names.filter_map(|name| {
            let key = Key::from_public(&self.online.key(name)?)?;
            let public = key
                .value()
                .get("keyval")?
                .get("public")?
                .as_str()?
                .to_owned();
            Some((name.to_owned(), public))
        });
        keys.collect()
    }

    /// What brings the projects that were claimed long ago into claimed.
    pub(super) fn standing(&self) -> ChangeSet {
        self.online.standing()
    }

    /// Puts what the ceremony `act` starts from into `input`.
    pub(super) fn before(&mut self, act: &str, input: &Path) -> Result<Carried, Failure> {
        let mut carried = Carried::default();
        match act {
            "claim" | "claim-second" => {
                let group = if act == "claim" {
                    Group::First
                } else {
                    Group::Second
                };
                let asked = self.online.requests(group)?;
                let asked = self.online.requests_file(&asked)?;
                carried.file(input, REQUESTS, "claim.requests_sha256", &asked)?;
                carried.file(input, TOP, "claim.top_sha256", &self.online.top())?;
                let newest = i64::from(act == "claim");
                self.carry_archives(&[newest, 20, 40], input, &mut carried)?;
            }
            "rotate-dev" => {
                let key = self.online.shared_key();
                let key = key.ok_or_else(|| Failure::usage("no key has many projects"))?;
                let incident = self.online.incident(&key)?;
                carried.file(input, INCIDENT, "rotate.incident_sha256", &incident)?;
                let asked = self.online.replacements(&key)?;
                let asked = self.online.requests_file(&asked)?;
                carried.file(input, REQUESTS, "rotate.requests_sha256", &asked)?;
                self.carry_archives(&[0, 1], input, &mut carried)?;
            }
            "redelegate" => self.carry_archives(&[0], input, &mut carried)?,
            _ => {}
        }
        Ok(carried)
    }

    /// Publishes a ceremony's bundle and tells people what became of it.
    pub(super) fn after(&mut self, act: &str, bundle: &Path) -> Result<Vec<String>, Failure> {
        if act.starts_with("genesis") {
            self.online.take(&bundle.join("metadata"))?;
            for days in HISTORY {
                let at = self.day(days);
                let extent = if self.is_large && days > 1 {
                    Extent::EARLIER
                } else {
                    Extent::NEWEST
                };
                let folder = self.archive(days);
                self.online.lay(&folder, at, extent)?;
            }
        }
        let forged = (act == "genesis")
            .then(|| self.online.developers().get(FORGED))
            .flatten();
        if let Some(project) = forged.map(|developer| developer.project.clone()) {
            self.online.forge(&project);
        }
        let published = self.online.publish(bundle, &self.repository)?;
        self.today += 1;
        // A tree without claimed has nothing but bins to look into.
        let extent = if act == "genesis-458" {
            Extent::WHOLE
        } else {
            Extent::NEWEST
        };
        self.online.write(&self.archive(0), extent)?;
        let mut lines = Vec::new();
        if !published.removed.is_empty() || !published.left.is_empty() {
            lines.push(format!(
                "the online side took {} projects out of recently-claimed and left {} for next time",
                published.removed.len(),
                published.left.len()
            ));
        }
        Ok(lines)
    }

    fn day(&self, days: i64) -> jiff::Timestamp {
        let today = self.online.today();
        let hours = jiff::SignedDuration::from_hours(24 * days);
        today.checked_sub(hours).unwrap_or(today)
    }

    fn archive(&self, days: i64) -> PathBuf {
        match days {
            0 => self.archives.join(format!("today-{}", self.today)),
            days => self.archives.join(format!("{days}-days-ago")),
        }
    }

    fn carry_archives(
        &self,
        days: &[i64],
        input: &Path,
        carried: &mut Carried,
    ) -> Result<(), Failure> {
        for days in days {
            let name = self.day(*days).strftime("%Y-%m-%d").to_string();
            let from = self.archive(*days);
            let to = input.join("archives").join(&name);
            std::fs::create_dir_all(&to).map_err(|fault| disk(&to, &fault))?;
            let mut listing = String::new();
            let found = files::read_within(&from, files::ARCHIVE, None)
                .map_err(|fault| Failure::disk(fault.to_string()))?;
            for file in found {
                // Writing to a String cannot fail.
                let _ = writeln!(listing, "{}  {}", Sha256::of(&file.bytes), file.path);
                let to = to.join(&file.path);
                std::fs::hard_link(from.join(&file.path), &to)
                    .map_err(|fault| disk(&to, &fault))?;
            }
            carried
                .archives
                .push((name, Sha256::of(listing.as_bytes())));
        }
        Ok(())
    }
}

impl Carried {
    fn file(
        &mut self,
        input: &Path,
        path: &str,
        place: &'static str,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        files::create_new(&input.join(path), bytes)
            .map_err(|fault| Failure::disk(fault.to_string()))?;
        self.digests.insert(place, Sha256::of(bytes));
        Ok(())
    }
}

fn disk(path: &Path, fault: &std::io::Error) -> Failure {
    Failure::disk(format!("{}: {fault}", path.display()))
}
