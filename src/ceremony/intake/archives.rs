//! Published repositories that were carried in as evidence. The script names each by the digest of its listing, so that nobody chooses among archives
//! in the room, and a stranger who has the same folders derives the same from them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::InputFile;
use crate::ceremony::script::Script;
use crate::pypi::delegation::{self, Delegations};
use crate::tuf::chain::Chain;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::{Finding, shown};
use crate::tuf::repository::{Files, Repository};

/// The rule of this file.
const RULE: &str = "INTAKE-ARCHIVE";

/// A published metadata folder as it stood on one day, as it was carried in.
#[derive(Clone, Debug)]
pub struct Carried {
    /// The day: `2026-11-20`.
    pub name: String,
    /// Its files by name: `timestamp.json`, `7.snapshot.json`.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// An archive that is the script's and verifies from the trusted chain down to its snapshot; its roles verify when they are asked for.
pub struct Archive {
    /// The day: `2026-11-20`.
    pub name: String,
    /// Midnight of that day, UTC.
    pub day: jiff::Timestamp,
    /// Its files by name.
    pub files: Arc<BTreeMap<String, Vec<u8>>>,
    /// The same as clients see it.
    pub repository: Repository,
    /// What it delegates in recently-claimed; none where its tree has no such role.
    pub recently: Option<Delegations>,
}

/// The files of an archive without its roots: those are taken from the trusted chain.
struct Rootless(Arc<BTreeMap<String, Vec<u8>>>);

impl Files for Rootless {
    fn names(&self) -> BTreeSet<String> {
        let names = self.0.keys().filter(|name| root_version(name).is_none());
        names.cloned().collect()
    }
    fn take(&self, name: &str) -> Result<Vec<u8>, Finding> {
        let file = self.0.get(name).cloned();
        file.ok_or_else(|| Finding::error("REPOSITORY-MISSING", name, "it is not there"))
    }
}

fn listing(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut listing = String::new();
    for (name, bytes) in files {
        let _ = writeln!(listing, "{}  {name}", Sha256::of(bytes));
    }
    listing
}

fn root_version(name: &str) -> Option<u64> {
    name.strip_suffix(".root.json")?.parse().ok()
}

impl Carried {
    /// Its folder in the input.
    pub fn folder(&self) -> String {
        format!("archives/{}", self.name)
    }

    /// What `sha256sum` prints of its files in order of their names, and what the script's digest is of.
    pub fn listing(&self) -> String {
        listing(&self.files)
    }

    /// The archive as one thing that was taken in: its listing. An event for each of thousands of files would tell no more.
    pub fn taken_in(&self) -> InputFile {
        InputFile {
            path: self.folder(),
            bytes: self.listing().into_bytes(),
        }
    }
}

impl Archive {
    /// Verifies what was carried in. An archive may be under an older root than today's, which is in the chain; the one that it names its newest must be there,
    /// byte for byte.
    ///
    /// # Errors
    /// Rule `INTAKE-ARCHIVE`, what [`Repository::published`] refuses, and what is wrong with recently-claimed as a whole.
    pub fn open(carried: Carried, chain: &Chain) -> Result<Self, Vec<Finding>> {
        let folder = carried.folder();
        let inside = |mut finding: Finding| {
            finding.file = format!("{folder}/{}", finding.file);
            finding
        };
        let root = newest_root(&carried, chain).map_err(|finding| vec![finding])?;
        let files = Arc::new(carried.files);
        let repository = Repository::published(root, Rootless(Arc::clone(&files)))
            .map_err(|findings| findings.into_iter().map(inside).collect::<Vec<_>>())?;
        let recently = recently(&repository).map_err(|finding| vec![inside(finding)])?;
        let day = format!("{}T00:00:00Z", carried.name);
        Ok(Self {
            day: day.parse().unwrap_or_default(),
            name: carried.name,
            files,
            repository,
            recently,
        })
    }

    /// Its folder in the input.
    pub fn folder(&self) -> String {
        format!("archives/{}", self.name)
    }

    /// What its listing says.
    pub fn listing(&self) -> String {
        listing(&self.files)
    }

    /// The bytes of a role's present version.
    pub fn file(&self, role: &str) -> Option<&[u8]> {
        let version = self.repository.snapshot()?.role(role)?.version;
        let bytes = self.files.get(&format!("{version}.{role}.json"));
        bytes.map(Vec::as_slice)
    }
}

/// The newest root of an archive, which must be one of the chain.
fn newest_root(carried: &Carried, chain: &Chain) -> Result<(String, Vec<u8>), Finding> {
    let folder = carried.folder();
    let refuse = |text: String| Finding::error(RULE, &folder, text);
    let versions = carried
        .files
        .keys()
        .filter_map(|name| Some((root_version(name)?, name)));
    let Some((version, name)) = versions.max() else {
        return Err(refuse("there is no root in it".to_owned()));
    };
    let mut roots = chain.roots.iter();
    let Some(known) = roots.find(|chained| chained.root.header.version == version) else {
        return Err(refuse(format!(
            "its newest root is v{version}, which is not in the trusted chain: carry it in with the other roots"
        )));
    };
    let bytes = known.envelope.bytes();
    if carried
        .files
        .get(name)
        .is_some_and(|found| **found == *bytes)
    {
        return Ok((name.clone(), bytes.to_vec()));
    }
    Err(refuse(format!(
        "its root v{version} is not the trusted root v{version}: one of the two was forged. Stop and find out which"
    )))
}

/// Recently-claimed, verified by the keys that targets names.
fn recently(repository: &Repository) -> Result<Option<Delegations>, Finding> {
    const ROLE: &str = "recently-claimed";
    let top = repository.top()?;
    if top.listing().delegation(ROLE).is_none() {
        return Ok(None);
    }
    let role = top.delegated(ROLE)?;
    delegation::delegations(role.listing().file(), role.listing().envelope()).map(Some)
}

/// Compares what was carried in with what the script names. The archives come back in the script's order, the newest first.
///
/// # Errors
/// Rule `INTAKE-ARCHIVE`: everything that is wrong with them.
pub fn archives(script: &Script, carried: Vec<Carried>) -> Result<Vec<Carried>, Vec<Finding>> {
    let mut findings = order(script);
    let mut by_name: BTreeMap<String, Carried> = carried
        .into_iter()
        .map(|archive| (archive.name.clone(), archive))
        .collect();
    let mut found = Vec::new();
    for wanted in &script.archives {
        let folder = format!("archives/{}", shown(&wanted.name));
        let Some(archive) = by_name.remove(&wanted.name) else {
            let text = "the script names this archive and it is not in the input: carry it in";
            findings.push(Finding::error(RULE, &folder, text));
            continue;
        };
        findings.extend(strange(&archive));
        let digest = Sha256::of(archive.listing().as_bytes());
        if digest != wanted.sha256 {
            let text = format!(
                "its listing has the SHA-256 {digest}; the script says {}. Carry in the folder that the script was written for: a file was changed, lost or added",
                wanted.sha256
            );
            findings.push(Finding::error(RULE, &folder, text));
        }
        found.push(archive);
    }
    if findings.is_empty() {
        Ok(found)
    } else {
        Err(findings)
    }
}

/// Names are days, each once, from the newest to the oldest.
fn order(script: &Script) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names: Vec<&str> = script
        .archives
        .iter()
        .map(|archive| archive.name.as_str())
        .collect();
    for name in &names {
        if !is_day(name) {
            let text = format!(
                "an archive is called by its day, YYYY-MM-DD, not {}",
                shown(name)
            );
            findings.push(Finding::error(RULE, "", text));
        }
    }
    for pair in names.windows(2) {
        if let [newer, older] = pair
            && newer <= older
        {
            let text = format!(
                "[[archive]] are listed from the newest to the oldest, each once; {} stands before {}",
                shown(newer),
                shown(older)
            );
            findings.push(Finding::error(RULE, "", text));
        }
    }
    findings
}

/// Whether a name is a day of the calendar in the one form that sorts like time. A name that is none never becomes a path.
pub fn is_day(name: &str) -> bool {
    let plain = name.len() == 10 && name.is_ascii();
    plain && name.parse::<jiff::civil::Date>().is_ok()
}

/// A metadata folder is flat and holds metadata; what else lies there was not published.
fn strange(archive: &Carried) -> Vec<Finding> {
    let mut lower = BTreeSet::new();
    let mut findings = Vec::new();
    for name in archive.files.keys() {
        let role = name.strip_suffix(".json").map(|stem| {
            let (number, role) = stem.split_once('.').unwrap_or(("1", stem));
            (number, role)
        });
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let known = role.is_some_and(|(number, role)| {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            digits && !role.is_empty() && role.chars().all(plain)
        });
        let text = if !known {
            "is no metadata file of a published repository: remove it and take the digest anew"
        } else if !lower.insert(name.to_lowercase()) {
            "differs from another file in case only; some media cannot hold both"
        } else {
            continue;
        };
        let file = format!("{}/{}", archive.folder(), shown(name));
        findings.push(Finding::error(RULE, &file, text));
    }
    findings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn archive(name: &str, files: &[(&str, &str)]) -> Carried {
        Carried {
            name: name.to_owned(),
            files: files
                .iter()
                .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
                .collect(),
        }
    }

    fn script(archives: &[(&str, Sha256)]) -> Script {
        let mut text = r#"
            schema = "tuf-ceremony/script/1"
            kind = "claim"
            title = "t"
            profile = "room"
        "#
        .to_owned();
        for (name, sha256) in archives {
            let _ = writeln!(text, "[[archive]]\nname = {name:?}\nsha256 = \"{sha256}\"");
        }
        Script::parse("script.toml", text.as_bytes()).unwrap()
    }

    fn digest(archive: &Carried) -> Sha256 {
        Sha256::of(archive.listing().as_bytes())
    }

    fn refusal(script: &Script, carried: Vec<Carried>) -> (String, String) {
        let finding = archives(script, carried).unwrap_err().remove(0);
        assert_eq!(finding.rule, RULE);
        (finding.file, finding.text)
    }

    #[test]
    fn archives_are_those_that_the_script_names() {
        let new = archive(
            "2026-11-20",
            &[("timestamp.json", "{}"), ("7.root.json", "")],
        );
        let old = archive("2026-10-20", &[("timestamp.json", "{}")]);
        let right = script(&[("2026-11-20", digest(&new)), ("2026-10-20", digest(&old))]);
        let taken = archives(&right, vec![old.clone(), new.clone()]).unwrap();
        let names: Vec<_> = taken.iter().map(|archive| &archive.name).collect();
        assert_eq!(names, ["2026-11-20", "2026-10-20"]);
        // What sha256sum prints, in the order of names.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            new.listing(),
            format!(
                "{empty}  7.root.json\n{}  timestamp.json\n",
                Sha256::of(b"{}")
            )
        );

        let absent = refusal(&right, vec![new.clone()]);
        assert_eq!(
            absent,
            (
                "archives/2026-10-20".to_owned(),
                "the script names this archive and it is not in the input: carry it in".to_owned()
            )
        );
        let changed = archive("2026-10-20", &[("timestamp.json", "{ }")]);
        let (file, text) = refusal(&right, vec![new.clone(), changed.clone()]);
        assert_eq!(file, "archives/2026-10-20");
        assert_eq!(
            text,
            format!(
                "its listing has the SHA-256 {}; the script says {}. Carry in the folder that the script was written for: a file was changed, lost or added",
                digest(&changed),
                digest(&old)
            )
        );
        let reversed = script(&[("2026-10-20", digest(&old)), ("2026-11-20", digest(&new))]);
        let (_, text) = refusal(&reversed, vec![new.clone(), old.clone()]);
        assert_eq!(
            text,
            "[[archive]] are listed from the newest to the oldest, each once; 2026-10-20 stands before 2026-11-20"
        );
        let elsewhere = archive("../trusted", &[]);
        let (_, text) = refusal(
            &script(&[("../trusted", digest(&elsewhere))]),
            vec![elsewhere],
        );
        assert_eq!(
            text,
            "an archive is called by its day, YYYY-MM-DD, not ../trusted"
        );
        for name in [
            "notes.txt",
            "sub/1.root.json",
            "x.root.json",
            ".json",
            "1.a.b.json",
        ] {
            let stray = archive("2026-11-20", &[(name, "")]);
            let (file, text) = refusal(&script(&[("2026-11-20", digest(&stray))]), vec![stray]);
            assert_eq!(file, format!("archives/2026-11-20/{name}"));
            assert_eq!(
                text,
                "is no metadata file of a published repository: remove it and take the digest anew"
            );
        }
    }
}
