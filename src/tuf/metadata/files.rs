//! What online roles say of files: `meta` of timestamp and snapshot (TUF 1.0.34, 4.4 and 4.6), `targets` of targets roles (4.5).

use std::collections::BTreeMap;

use super::field::Field;
use super::{Header, RoleType, delegations, version};
use crate::tuf::digest::{Sha256, Sha512};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::{Finding, shown};

/// `snapshot`: the version of every targets role at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Type, version, expiry.
    pub header: Header,
    /// By file name, without the version that consistent snapshots put before it: `targets.json`, `project-x.json`.
    pub meta: BTreeMap<String, MetaFile>,
}

/// `timestamp`: which snapshot is the present one.
#[derive(Clone, Debug)]
pub struct Timestamp {
    /// Type, version, expiry.
    pub header: Header,
    /// What `meta` says of `snapshot.json`.
    pub snapshot: MetaFile,
}

/// What snapshot or timestamp say of one metadata file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaFile {
    /// 1 or more.
    pub version: u64,
    /// Length and hashes, where the repository gives them.
    pub content: Content,
}

/// What a targets role says of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetFile {
    /// In bytes.
    pub length: u64,
    /// Hexadecimal, by algorithm; at least one.
    pub hashes: BTreeMap<String, String>,
}

/// How bytes can be recognised: both parts may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// In bytes.
    pub length: Option<u64>,
    /// Hexadecimal, by algorithm.
    pub hashes: BTreeMap<String, String>,
}

impl Snapshot {
    /// Reads a snapshot.
    ///
    /// # Errors
    /// As [`Header::read`], and `SNAPSHOT-TYPE`, `META-FORM` (an entry that is not version, length and hashes, or a name that is no file name).
    pub fn read(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        let header = Header::read_as(RoleType::Snapshot, "SNAPSHOT-TYPE", file, envelope)?;
        let signed = Field::signed(file, envelope);
        let listed = signed.member("meta")?.rule("META-FORM");
        let mut meta = BTreeMap::new();
        for (name, field) in listed.members()? {
            check_name(&field, &name)?;
            meta.insert(name.into_owned(), MetaFile::read(&field)?);
        }
        Ok(Self { header, meta })
    }
    /// What it says of the role called `role`.
    pub fn role(&self, role: &str) -> Option<&MetaFile> {
        self.meta.get(&format!("{role}.json"))
    }
    /// The names of the roles it lists, in order.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.meta
            .keys()
            .filter_map(|name| name.strip_suffix(".json"))
    }
}

impl Timestamp {
    /// Reads a timestamp.
    ///
    /// # Errors
    /// As [`Header::read`], and `TIMESTAMP-TYPE`, `META-FORM` (`meta` must say one thing: which `snapshot.json`).
    pub fn read(file: &str, envelope: &Envelope) -> Result<Self, Finding> {
        let header = Header::read_as(RoleType::Timestamp, "TIMESTAMP-TYPE", file, envelope)?;
        let signed = Field::signed(file, envelope);
        let meta = signed.member("meta")?.rule("META-FORM");
        if let Some((name, field)) = meta.members()?.find(|(name, _)| name != "snapshot.json") {
            let text = format!(
                "stands beside snapshot.json; a timestamp lists nothing else, not {}",
                shown(&name)
            );
            return Err(field.refuse(text));
        }
        let snapshot = MetaFile::read(&meta.member("snapshot.json")?)?;
        Ok(Self { header, snapshot })
    }
}

impl MetaFile {
    fn read(field: &Field<'_>) -> Result<Self, Finding> {
        let length = match field.optional("length") {
            Some(length) => Some(size(&length)?),
            None => None,
        };
        let hashes = match field.optional("hashes") {
            Some(found) => hashes(&found)?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            version: version(&field.member("version")?)?,
            content: Content { length, hashes },
        })
    }
}

impl Content {
    /// Why `bytes` are not what is meant; `None` if they are, as far as anything is said.
    pub fn differs(&self, bytes: &[u8]) -> Option<String> {
        if let Some(length) = self.length
            && length != bytes.len() as u64
        {
            return Some(format!(
                "it is {} bytes long instead of {length}",
                bytes.len()
            ));
        }
        self.hashes.iter().find_map(|(algorithm, expected)| {
            let found = match algorithm.as_str() {
                "sha256" => Sha256::of(bytes).to_string(),
                "sha512" => Sha512::of(bytes).to_string(),
                _ => return None,
            };
            (found != *expected)
                .then(|| format!("its {algorithm} is {found} instead of {expected}"))
        })
    }
}

/// The targets that a role lists, by path. Time and memory are linear in them; who asks for one only shall ask an index.
///
/// # Errors
/// `TARGET-FORM`: an entry without length and hashes.
pub fn target_files(
    file: &str,
    envelope: &Envelope,
) -> Result<BTreeMap<String, TargetFile>, Finding> {
    let signed = Field::signed(file, envelope);
    let targets = signed.member("targets")?.rule("TARGET-FORM");
    let mut files = BTreeMap::new();
    for (path, field) in targets.members()? {
        let length = size(&field.member("length")?)?;
        let hashes = hashes(&field.member("hashes")?)?;
        files.insert(path.into_owned(), TargetFile { length, hashes });
    }
    Ok(files)
}

/// What becomes a file name must not leave the folder.
fn check_name(field: &Field<'_>, name: &str) -> Result<(), Finding> {
    let reason = match name.strip_suffix(".json") {
        None => "does not end in .json",
        Some(role) => match delegations::role_name::no_file_name(role) {
            None => return Ok(()),
            Some(reason) => reason,
        },
    };
    Err(field.refuse(format!(
        "stands under a name that is no metadata file: {} {reason}",
        shown(name)
    )))
}

fn size(field: &Field<'_>) -> Result<u64, Finding> {
    let found = field.integer()?;
    u64::try_from(found).map_err(|_| field.refuse(format!("is {found}; expected 0 or more")))
}

/// One hash or more; those we know have their length, lower case as every client writes them.
fn hashes(field: &Field<'_>) -> Result<BTreeMap<String, String>, Finding> {
    let mut hashes = BTreeMap::new();
    for (algorithm, hash) in field.members()? {
        let found = hash.string()?.into_owned();
        let whole = match &*algorithm {
            "sha256" => found.parse::<Sha256>().is_ok(),
            "sha512" => found.parse::<Sha512>().is_ok(),
            _ => true,
        };
        if !whole {
            let text = format!(
                "is {}, which is no {algorithm} in lower case",
                shown(&found)
            );
            return Err(hash.refuse(text));
        }
        hashes.insert(algorithm.into_owned(), found);
    }
    if hashes.is_empty() {
        return Err(field.refuse("is empty; leave it out or name a hash"));
    }
    Ok(hashes)
}
