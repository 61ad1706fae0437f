//! A holder's register of signed digests: JSON lines on the holder's own medium, because a live image has no memory. Appended and synced before the
//! token signs, so that a payload may be listed that was never signed, and never the other way round.

use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bundle::files;
use crate::ceremony::event::Document;
use crate::ceremony::port::{Payload, WorldError};
use crate::tuf::digest::Sha256;
use crate::tuf::key::KeyId;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    schema: String,
    role: String,
    version: u64,
    sha256: Sha256,
    keyid: KeyId,
    /// SHA-256 of 1.root.json, where it is known: the repository's name across key changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<Sha256>,
}

const SCHEMA: &str = "tuf-ceremony/signed/1";

/// The payloads in this register: signed with this key, or for the repository whose first root is `anchor`.
/// None: there is no register yet, which is not the same as an empty one: a wrong path would look like that too.
pub(super) fn read(
    path: &Path,
    keyid: &KeyId,
    anchor: Option<Sha256>,
) -> Result<Option<Vec<Payload>>, WorldError> {
    let bytes = match files::read(path, files::SMALL_CAP) {
        Ok(bytes) => bytes,
        Err(fault) if fault.is_absent() => return absent(path),
        Err(fault) => return Err(broken(path, &fault.to_string())),
    };
    let text = String::from_utf8(bytes).map_err(|_| broken(path, "it is not UTF-8"))?;
    let mut payloads = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let entry: Entry = serde_json::from_str(line)
            .map_err(|fault| broken(path, &format!("line {}: {fault}", number + 1)))?;
        if entry.schema != SCHEMA {
            return Err(broken(
                path,
                &format!("line {}: schema is {:?}", number + 1, entry.schema),
            ));
        }
        let ours = entry.keyid == *keyid || (anchor.is_some() && entry.anchor == anchor);
        if ours {
            let document = Document {
                role: entry.role,
                version: entry.version,
            };
            payloads.push((document, entry.sha256));
        }
    }
    Ok(Some(payloads))
}

fn absent(path: &Path) -> Result<Option<Vec<Payload>>, WorldError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if folder.is_dir() {
        Ok(None)
    } else {
        Err(broken(
            path,
            "its folder is not there; insert the holder's medium",
        ))
    }
}

/// Adds payloads, synced.
#[allow(
    clippy::disallowed_methods,
    reason = "the register is appended to, which no other room does"
)]
pub(super) fn append<'a>(
    path: &Path,
    payloads: impl Iterator<Item = &'a Payload>,
    keyid: &KeyId,
    anchor: Option<Sha256>,
) -> Result<(), WorldError> {
    let system = |fault: std::io::Error| broken(path, &fault.to_string());
    let mut lines = String::new();
    for (document, payload) in payloads {
        let entry = Entry {
            schema: SCHEMA.to_owned(),
            role: document.role.clone(),
            version: document.version,
            sha256: *payload,
            keyid: keyid.clone(),
            anchor,
        };
        let line =
            serde_json::to_string(&entry).map_err(|fault| broken(path, &fault.to_string()))?;
        lines.push_str(&line);
        lines.push('\n');
    }
    if lines.is_empty() {
        return Ok(());
    }
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .map_err(system)?;
    file.write_all(lines.as_bytes()).map_err(system)?;
    file.sync_all().map_err(system)
}

fn broken(path: &Path, said: &str) -> WorldError {
    WorldError {
        path: path.display().to_string(),
        said: format!("the register of signed digests: {said}"),
    }
}
