//! What was carried in: the root chain verified from the trusted root, the current targets and bins under it, the holder register. Pure; trust
//! comes from the digest in the reviewed script and from nothing else.

pub mod archives;
mod people;
pub mod requests;
mod roots;
mod shards;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use archives::{Archive, Carried};
use people::{check_register, named_by_owner};
use requests::Asked;

use super::decisions::Decisions;
use super::event::{Abandoned, Document, FileDigest, Mode, REHEARSAL_MARKER};
use super::ledger;
use super::script::{ROLES, Script, delegator_of};
use super::thresholds::{delegated, top_level};
use crate::pypi::holders::Holders;
use crate::pypi::vetting::Vetting;
use crate::tuf::chain::{Chain, ChainedRoot};
use crate::tuf::digest::{Sha256, Sha512};
use crate::tuf::envelope::Envelope;
use crate::tuf::finding::Finding;
use crate::tuf::json::Limits;
use crate::tuf::key::{Key, KeyId};
use crate::tuf::metadata::{RoleKeys, Targets};
use crate::tuf::verification;

/// A file of `--in`, by its path inside that folder.
#[derive(Clone, Debug)]
pub struct InputFile {
    /// `trusted/1.root.json`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl InputFile {
    /// What stands for it on record.
    fn digest(&self) -> FileDigest {
        FileDigest {
            path: self.path.clone(),
            size: self.bytes.len() as u64,
            sha256: Sha256::of(&self.bytes),
            sha512: Sha512::of(&self.bytes),
        }
    }
}

/// Everything trusted that a ceremony starts from.
#[derive(Default)]
pub struct Trusted {
    /// The verified chain from the trusted root; none at genesis.
    pub chain: Option<Chain>,
    /// The current files of targets and of the offline roles under it, shards of claimed among them, by role.
    pub current: BTreeMap<String, (Envelope, Targets)>,
    /// Payloads that were given up in earlier ceremonies, from records in `abandoned/`.
    pub abandoned: Vec<Abandoned>,
    /// The holder register.
    pub holders: Option<Holders>,
    /// Its digest.
    pub holders_sha256: Option<Sha256>,
    /// Certificates (DER) for keys whose holders are elsewhere, by keyid; nothing in them is verified yet.
    pub attestations: BTreeMap<KeyId, Vec<Vec<u8>>>,
    /// The published repositories that the script names, the newest first.
    pub archives: Vec<Archive>,
    /// What is asked of this ceremony about projects, and what speaks for it.
    pub asked: Asked,
    /// What was decided in the room, where this is a holder elsewhere.
    pub decisions: Decisions,
    /// What the requests come to, once somebody has asked.
    pub vetted: OnceLock<Result<Arc<Vetting>, Vec<Finding>>>,
    /// What was read, in order of path; of an archive its listing. A large file is not held twice, so these are digests.
    pub files: Vec<FileDigest>,
    /// Warnings and notes; errors never get here.
    pub findings: Vec<Finding>,
}

impl Trusted {
    /// The newest trusted root.
    pub fn root(&self) -> Option<&ChainedRoot> {
        self.chain.as_ref().and_then(Chain::newest)
    }
    /// The current file of a role.
    pub fn envelope(&self, role: &str) -> Option<&Envelope> {
        match role {
            "root" => self.root().map(|root| &root.envelope),
            _ => self.current(role).map(|(envelope, _)| envelope),
        }
    }
    /// The current file of targets or of an offline role under it.
    pub fn current(&self, role: &str) -> Option<&(Envelope, Targets)> {
        self.current.get(role)
    }
    /// SHA-256 of the first root of all, if it was carried in: what names the repository through all its later roots.
    pub fn anchor(&self) -> Option<Sha256> {
        let first = self.chain.as_ref()?.roots.first()?;
        (first.root.header.version == 1).then(|| Sha256::of(&first.envelope.bytes()))
    }
    /// Reads what was decided in the room, for the same ceremony.
    ///
    /// # Errors
    /// Rule `CLAIM-DECISIONS`.
    pub fn take_decisions(&mut self, ceremony: Sha256) -> Result<(), Finding> {
        if let Some(file) = &self.asked.decisions {
            self.decisions = Decisions::parse(&file.path, &file.bytes, ceremony)?;
        }
        Ok(())
    }
    /// Takes in archives as they were carried in; the script says which they must be, and the trusted chain whether they hold.
    ///
    /// # Errors
    /// As [`archives::archives`] and [`Archive::open`].
    pub fn take_archives(
        &mut self,
        script: &Script,
        carried: Vec<Carried>,
    ) -> Result<(), Vec<Finding>> {
        let carried = archives::archives(script, carried)?;
        let Some(chain) = &self.chain else {
            return Ok(());
        };
        for carried in carried {
            self.files.push(carried.taken_in().digest());
            self.archives.push(Archive::open(carried, chain)?);
        }
        Ok(())
    }
    /// The keys and threshold that hold for a role now.
    pub fn role(&self, role: &str) -> Option<(Vec<(KeyId, Key)>, RoleKeys)> {
        match delegator_of(role) {
            None | Some("root") => self
                .root()
                .and_then(|chained| top_level(&chained.root, role)),
            Some(delegator) => self
                .current(delegator)
                .and_then(|(_, delegator)| delegated(delegator, role)),
        }
    }
    /// Who holds a key: the script's word, else the register's, else the name that the trusted key itself carries.
    pub fn holder_of<'a>(
        &'a self,
        script: &'a Script,
        keyid: &KeyId,
    ) -> Option<(&'a str, &'a str)> {
        script
            .holder_of(keyid)
            .map(|holder| (holder.name.as_str(), holder.person.as_str()))
            .or_else(|| {
                let holder = self.holders.as_ref()?.holder_of(keyid)?;
                Some((holder.name.as_str(), holder.person.as_str()))
            })
            .or_else(|| {
                let keys = ROLES
                    .into_iter()
                    .filter_map(|role| self.role(role))
                    .flat_map(|(keys, _)| keys);
                let (_, key) = keys.into_iter().find(|(known, _)| known == keyid)?;
                let holder = named_by_owner(script, self.holders.as_ref(), key.owner()?)?;
                Some((holder.name.as_str(), holder.person.as_str()))
            })
    }
}

/// Reads and verifies. `now` is for warnings about expiry only.
///
/// # Errors
/// Every error found; rules `INTAKE-*` and those of the readers.
pub fn intake(
    script: &Script,
    mut files: Vec<InputFile>,
    abandoned: Vec<Abandoned>,
    mode: Mode,
    now: jiff::Timestamp,
) -> Result<Trusted, Vec<Finding>> {
    let mut trusted = Trusted {
        abandoned,
        files: files.iter().map(InputFile::digest).collect(),
        ..Trusted::default()
    };
    let holders = files.iter().find(|file| file.path == "holders.toml");
    if let Some(file) = holders {
        trusted.holders =
            Some(Holders::parse(&file.path, &file.bytes).map_err(|finding| vec![finding])?);
        trusted.holders_sha256 = Some(Sha256::of(&file.bytes));
    }
    trusted.asked = requests::asked(script, &files)?;
    let Some(wanted) = script.trusted_root_sha256 else {
        let stray = files.iter().find(|file| file.path.starts_with("trusted/"));
        return match stray {
            Some(file) => Err(vec![Finding::error(
                "INTAKE-GENESIS",
                &file.path,
                "this ceremony starts a new chain, and trusted files lie in the input; remove them or use another kind",
            )]),
            None => Ok(trusted),
        };
    };
    let chain = roots::read_chain(&files, wanted)?;
    trusted.findings.extend(chain.findings.iter().cloned());
    trusted.chain = Some(chain);
    check_anchor(&trusted).map_err(|finding| vec![finding])?;
    // In order of trust: each is verified by what was read before it.
    for role in ROLES.into_iter().skip(1) {
        let read = read_role(&trusted, &mut files, role).map_err(|finding| vec![finding])?;
        trusted
            .current
            .extend(read.map(|read| (role.to_owned(), read)));
    }
    let shards = shards::read(&trusted, &mut files)?;
    trusted.current.extend(shards);
    refuse_rehearsed(&trusted, mode).map_err(|finding| vec![finding])?;
    let differ = ledger::differing(&trusted);
    if !differ.is_empty() {
        return Err(differ);
    }
    note_expiry(&mut trusted, now);
    check_register(script, &mut trusted)?;
    Ok(trusted)
}

/// Refuses a candidate that was given up.
///
/// # Errors
/// Rule `ABANDONED`.
pub fn refuse_abandoned(
    file: &str,
    document: &Document,
    payload: Sha256,
    abandoned: &[Abandoned],
) -> Result<(), Finding> {
    match abandoned
        .iter()
        .find(|entry| entry.document == *document && entry.payload == payload)
    {
        Some(entry) => Err(Finding::error(
            "ABANDONED",
            file,
            format!(
                "{document} with payload {payload} was given up (signed by {}); it must not be signed, merged or published",
                names(&entry.signed_by)
            ),
        )),
        None => Ok(()),
    }
}

fn names(names: &[String]) -> String {
    if names.is_empty() {
        "nobody".to_owned()
    } else {
        names.join(", ")
    }
}

/// The newest file of a role in `trusted/`, verified by the keys that hold for it now.
fn read_role(
    trusted: &Trusted,
    files: &mut [InputFile],
    role: &str,
) -> Result<Option<(Envelope, Targets)>, Finding> {
    let mut newest: Option<(&str, Envelope, u64)> = None;
    let suffix = format!("{role}.json");
    for file in files {
        let Some(name) = file.path.strip_prefix("trusted/") else {
            continue;
        };
        let versioned = name.strip_suffix(&suffix).is_some_and(|prefix| {
            prefix.is_empty()
                || prefix
                    .strip_suffix('.')
                    .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        if !versioned {
            continue;
        }
        let bytes = std::mem::take(&mut file.bytes);
        let envelope = Envelope::parse(&file.path, bytes, Limits::LARGE)?;
        let version = Targets::header(&file.path, &envelope)?.version;
        if newest.as_ref().is_none_or(|(.., known)| *known < version) {
            newest = Some((&file.path, envelope, version));
        }
    }
    let Some((path, envelope, version)) = newest else {
        return Ok(None);
    };
    // PEP 458's bins stay in every snapshot after unclaimed took their place, and nobody asks them any more.
    if role == "bins" && trusted.role(role).is_none() && trusted.role("unclaimed").is_some() {
        return Ok(None);
    }
    let (keys, role_keys) = trusted.role(role).ok_or_else(|| {
        Finding::error(
            "INTAKE-ROLE",
            path,
            format!("nothing trusted delegates to {role}"),
        )
    })?;
    let keys = keys.into_iter().collect();
    let targets = signed((role, version), path, &envelope, (&keys, &role_keys))?;
    Ok(Some((envelope, targets)))
}

/// What a file says, once enough of the keys have signed it: `INTAKE-THRESHOLD`. What they signed is not judged again (docs/decisions/0021).
fn signed(
    (role, version): (&str, u64),
    path: &str,
    envelope: &Envelope,
    (keys, role_keys): (&BTreeMap<KeyId, Key>, &RoleKeys),
) -> Result<Targets, Finding> {
    let report = verification::threshold(envelope, keys, role_keys, &[]);
    if report.reached() {
        return Targets::signed(path, envelope);
    }
    Err(Finding::error(
        "INTAKE-THRESHOLD",
        path,
        format!(
            "{role} v{version} needs {} signatures by its keys and has {}",
            report.needed,
            report.signed.len()
        ),
    ))
}

/// What a rehearsal signed is worth nothing in production, and nothing lifts its marker.
fn refuse_rehearsed(trusted: &Trusted, mode: Mode) -> Result<(), Finding> {
    let roots = trusted
        .chain
        .iter()
        .flat_map(|chain| &chain.roots)
        .map(|chained| &chained.envelope);
    let others = trusted.current.values().map(|(envelope, _)| envelope);
    let marked = roots
        .chain(others)
        .any(|envelope| envelope.signed().get(REHEARSAL_MARKER).is_some());
    if mode == Mode::Production && marked {
        return Err(Finding::error(
            "REHEARSAL-MARKER",
            "trusted",
            "trusted metadata comes from a rehearsal; a production ceremony refuses it",
        ));
    }
    Ok(())
}

/// An expired trusted file is a named warning, not a wall: renewing it is the point.
fn note_expiry(trusted: &mut Trusted, now: jiff::Timestamp) {
    let mut expired = Vec::new();
    if let Some(chained) = trusted.root() {
        expired.push(("root", chained.root.header.clone()));
    }
    let others = trusted.current.iter();
    expired.extend(others.map(|(role, (_, targets))| (role.as_str(), targets.header.clone())));
    for (role, header) in expired
        .into_iter()
        .filter(|(_, header)| header.expires.at() <= now)
    {
        trusted.findings.push(Finding::warning(
            "TRUSTED-EXPIRED",
            "trusted",
            format!(
                "{role} v{} expired on {}; clients refuse it until a new version is published",
                header.version,
                header.expires.text()
            ),
        ));
    }
}

/// Requests name the repository by its first root, which must be there to compare.
fn check_anchor(trusted: &Trusted) -> Result<(), Finding> {
    let Some(requests) = &trusted.asked.requests else {
        return Ok(());
    };
    let Some(anchor) = trusted.anchor() else {
        let text = "requests name the repository by its first root: carry in the whole chain, 1.root.json first";
        return Err(Finding::error("INTAKE-TRUSTED-ROOT", "trusted", text));
    };
    let wrong = requests.header.check_anchor(requests::REQUESTS, &anchor);
    wrong.map_or(Ok(()), Err)
}
