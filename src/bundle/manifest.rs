//! `manifest.json`: every file of a bundle but itself, the transcript and the seal, with size and digests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::files::{self, File};
use crate::ceremony::event::{FileDigest, Mode};
pub use crate::plain::is_portable;
use crate::tuf::digest::Sha256;
use crate::tuf::finding::Finding;
use crate::tuf::json::{self, Limits};

/// The manifest's own name.
pub const NAME: &str = "manifest.json";
/// Files that the manifest does not list: itself, and what is finished after it.
pub const UNLISTED: [&str; 3] = [NAME, "transcript.jsonl", "seal.json"];
/// Its schema.
pub const SCHEMA: &str = "tuf-ceremony/manifest/1";

/// What a bundle holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    schema: String,
    /// The ceremony's id.
    pub ceremony: Sha256,
    /// Rehearsal or production.
    pub mode: Mode,
    /// Sorted by path.
    pub files: Vec<FileDigest>,
}

impl Manifest {
    /// The manifest of `files` (those of [`UNLISTED`] are left out).
    ///
    /// # Errors
    /// `MANIFEST-NAME` and `MANIFEST-TWINS`: names that not every medium can carry.
    pub fn of(ceremony: Sha256, mode: Mode, files: &[File]) -> Result<Self, Vec<Finding>> {
        let mut listed: Vec<FileDigest> = listable(files)
            .map(|file| files::digest(&file.path, &file.bytes))
            .collect();
        listed.sort_by(|one, other| one.path.cmp(&other.path));
        let manifest = Self {
            schema: SCHEMA.to_owned(),
            ceremony,
            mode,
            files: listed,
        };
        let findings = manifest.name_findings(NAME);
        if findings.is_empty() {
            Ok(manifest)
        } else {
            Err(findings)
        }
    }
    /// Reads one strictly. `file` names it in the finding.
    ///
    /// # Errors
    /// `MANIFEST-FORM`, `MANIFEST-NAME`, `MANIFEST-TWINS`.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let form = |text: String| vec![Finding::error("MANIFEST-FORM", file, text)];
        json::check(bytes, Limits::SMALL).map_err(|fault| form(fault.to_string()))?;
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|fault| form(fault.to_string()))?;
        if manifest.schema != SCHEMA {
            return Err(form(format!(
                "the schema is {:?}; this program reads {SCHEMA:?}",
                manifest.schema
            )));
        }
        if !manifest
            .files
            .is_sorted_by(|one, other| one.path < other.path)
        {
            return Err(form(
                "the files are not sorted by path, each named once".to_owned(),
            ));
        }
        let findings = manifest.name_findings(file);
        if findings.is_empty() {
            Ok(manifest)
        } else {
            Err(findings)
        }
    }
    /// The bytes of `manifest.json`; ends in a newline.
    pub fn to_vec(&self) -> Vec<u8> {
        super::part::text(self)
    }
    /// Compares with what lies in the folder: `MANIFEST-MISSING`, `MANIFEST-EXTRA`, `MANIFEST-CHANGED`, all errors; none: the bundle is complete and unchanged.
    pub fn check(&self, files: &[File]) -> Vec<Finding> {
        let mut found: BTreeMap<&str, &File> = listable(files)
            .map(|file| (file.path.as_str(), file))
            .collect();
        let mut findings = Vec::new();
        for listed in &self.files {
            let text = match found.remove(listed.path.as_str()) {
                None => (
                    "MANIFEST-MISSING",
                    "the manifest lists it, and it is not there".to_owned(),
                ),
                Some(file) => match changed(listed, file) {
                    None => continue,
                    Some(text) => ("MANIFEST-CHANGED", text),
                },
            };
            findings.push(Finding::error(text.0, &listed.path, text.1));
        }
        findings.extend(found.into_keys().map(|path| {
            let text = "it lies in the bundle, and the manifest does not list it";
            Finding::error("MANIFEST-EXTRA", path, text)
        }));
        findings
    }

    fn name_findings(&self, manifest: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut seen = BTreeMap::new();
        for FileDigest { path, .. } in &self.files {
            if let Some(twin) = seen.insert(path.to_ascii_lowercase(), path) {
                let text = format!(
                    "{twin:?} and {path:?} differ only in case; some media cannot hold both"
                );
                findings.push(Finding::error("MANIFEST-TWINS", manifest, text));
            }
            if !is_portable(path) {
                let text = format!(
                    "{path:?} is no name for every medium: lower-case letters, digits, dot, dash and underscore, at most 101 a component, beginning with a letter or digit"
                );
                findings.push(Finding::error("MANIFEST-NAME", manifest, text));
            }
            if UNLISTED.contains(&path.as_str()) {
                let text = format!("{path:?} is finished after the manifest and cannot be in it");
                findings.push(Finding::error("MANIFEST-NAME", manifest, text));
            }
        }
        findings
    }
}

fn listable(files: &[File]) -> impl Iterator<Item = &File> {
    files
        .iter()
        .filter(|file| !UNLISTED.contains(&file.path.as_str()))
}

fn changed(listed: &FileDigest, file: &File) -> Option<String> {
    let found = files::digest(&file.path, &file.bytes);
    if found.size != listed.size {
        return Some(format!(
            "{} bytes long; the manifest says {}",
            found.size, listed.size
        ));
    }
    if found.sha256 != listed.sha256 {
        return Some(format!(
            "its SHA-256 is {}; the manifest says {}",
            found.sha256, listed.sha256
        ));
    }
    (found.sha512 != listed.sha512).then(|| "its SHA-512 is not the one in the manifest".to_owned())
}

#[cfg(test)]
mod tests;
